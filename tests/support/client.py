"""An HTTP client that checks every answer it gets against openapi.yaml."""

import http.client
import json as jsonlib
import threading
import urllib.parse
import uuid

from support import codes_seen, openapi_check

TIMEOUT_SECONDS = 120


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # an email.message.Message: names in any case
        self.body = body  # bytes

    @property
    def json(self):
        return jsonlib.loads(self.body)

    @property
    def code(self):
        """The problem's code; None for an answer that is no problem."""
        if self.headers.get_content_type() != "application/problem+json":
            return None
        return self.json["code"]

    @property
    def faults(self):
        """{pointer: code} of a problem's errors."""
        return {e["pointer"]: e["code"] for e in self.json.get("errors", [])}

    @property
    def etag(self):
        return self.headers["ETag"]

    def __repr__(self):
        return f"<{self.status} {self.body[:2000]!r}>"


class Client:
    """One connection a thread, kept alive. Threads may share a Client."""

    def __init__(self, host, port, key=""):
        self.host = host
        self.port = port
        self.key = key
        self.local = threading.local()

    def with_key(self, key):
        return Client(self.host, self.port, key)

    def close(self):
        connection = getattr(self.local, "connection", None)
        if connection:
            connection.close()
        self.local.connection = None

    def request(self, method, path, json=None, body=None, headers=None, query=None, idempotency_key=None, check=True):
        """`json` is sent as such, `body` (bytes, or an iterable of bytes: chunked) as it is. `idempotency_key` "new" makes one.
        `headers` with the value None leave out what would be sent by itself. check=False: for what is no request by
        openapi.yaml. Never sent twice: a connection that fails raises."""
        sent = {}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        if json is not None:
            body = jsonlib.dumps(json, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/json"
        if idempotency_key:
            sent["Idempotency-Key"] = str(uuid.uuid4()) if idempotency_key == "new" else idempotency_key
        sent.update(headers or {})
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        answer = self._send(method, target, body, {k: v for k, v in sent.items() if v is not None})
        if check:
            openapi_check.validate(method, target, answer.status, answer.headers, answer.body, request_json=json)
        return answer

    def _send(self, method, target, body, headers):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)
            self.local.connection = connection
        chunked = body is not None and not isinstance(body, (bytes, str))
        try:
            connection.request(method, target, body=body, headers=headers, encode_chunked=chunked)
            got = connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if got.will_close:
            self.close()
        codes_seen.record(answer.status, answer.headers["Content-Type"], answer.body)
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, json=None, **more):
        """With a fresh Idempotency-Key unless told otherwise (idempotency_key="" sends none)."""
        more.setdefault("idempotency_key", "new")
        if json is None and more.get("body") is None:
            json = {}
        return self.request("POST", path, json=json, **more)

    def patch(self, path, json, **more):
        return self.request("PATCH", path, json=json, **more)

    def put(self, path, json=None, **more):
        return self.request("PUT", path, json=json, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def all(self, path, query=None, limit=200):
        """Every item of a list, over all its pages."""
        items, cursor = [], None
        while True:
            page = self.get(path, query={**(query or {}), "limit": limit, **({"cursor": cursor} if cursor else {})})
            assert page.status == 200, page
            items += page.json["data"]
            cursor = page.json["next_cursor"]
            if not cursor:
                return items
