"""Holds answers against openapi.yaml.

    openapi_check.validate("POST", "/v1/providers", status, headers, body)

raises AssertionError, with what is wrong and where, unless the answer is one that openapi.yaml documents for that operation:
status, media type, headers, schema, and for a problem also its code. Our answers are closed objects in openapi.yaml, so a member
that is not documented is found as well. With `request_json` or `query_checked` the request is held against it too, where it was
accepted: what the service takes must be documented.
"""

import json
import pathlib
import re
import urllib.parse

import yaml
from jsonschema import Draft202012Validator, FormatChecker, RefResolver

OPENAPI = pathlib.Path(__file__).resolve().parents[2] / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROBLEM = "application/problem+json"

# What any HTTP answer may carry; everything else has to be documented.
TRANSPORT_HEADERS = {
    "cache-control", "connection", "content-encoding", "content-length", "content-type", "date", "keep-alive", "server",
    "transfer-encoding", "vary", "x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy",
    "strict-transport-security", "assay-position", "access-control-allow-origin", "access-control-allow-credentials",
    "access-control-allow-headers", "access-control-allow-methods", "access-control-expose-headers", "access-control-max-age",
}  # fmt: skip
# What can be answered before it is known, or where it is not known, which operation is meant.
ANYWHERE = {
    "bad_request", "unauthenticated", "not_found", "not_acceptable", "request_timeout", "body_too_large", "uri_too_long",
    "too_many_requests", "internal", "overloaded", "stopping", "database_unavailable", "method_not_allowed",
}  # fmt: skip
ERRORS_SHOWN = 5


class Contract:
    """openapi.yaml, with what is needed to hold answers against it, compiled at first use."""

    def __init__(self, path=OPENAPI):
        self.document = load_yaml(pathlib.Path(path).read_text(encoding="utf-8"))
        self.resolver = RefResolver("", self.document)
        self.templates = [(template, template_regex(template)) for template in sorted(self.document["paths"], key=specificity)]
        self.statuses = {
            code: int(status)
            for status, codes in self.document["components"]["schemas"]["Code"]["x-status"].items()
            for code in codes
        }
        self._validators = {}

    def operations(self):
        """(method, path template, operation) of every operation; the method in capitals."""
        for template, item in self.document["paths"].items():
            for method, operation in item.items():
                if method in METHODS:
                    yield method.upper(), template, operation

    def find(self, path):
        """The path template that matches, or None."""
        path = urllib.parse.urlsplit(path).path
        for template, regex in self.templates:
            if regex.fullmatch(path):
                return template
        return None

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def validator(self, key, schema):
        if key not in self._validators:
            inlined = inline(schema, self.document, ())
            self._validators[key] = Draft202012Validator(inlined, resolver=self.resolver, format_checker=FormatChecker())
        return self._validators[key]

    def check(self, where, key, schema, value):
        """AssertionError with the first few errors unless value is of the schema."""
        errors = sorted(self.validator(key, schema).iter_errors(value), key=lambda e: list(map(str, e.absolute_path)))
        if errors:
            lines = [f"  /{'/'.join(map(str, e.absolute_path))}: {best(e).message[:400]}" for e in errors[:ERRORS_SHOWN]]
            raise AssertionError(f"{where}: not as documented:\n" + "\n".join(lines) + f"\n  in {short(value)}")


def load_yaml(text):
    """PyYAML's safe loader, but a key given twice is an error."""

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        loader.flatten_mapping(node)
        seen = set()
        for key_node, _ in node.value:
            key = loader.construct_object(key_node, deep=True)
            assert isinstance(key, str), f"line {key_node.start_mark.line + 1}: the key {key!r} is no string"
            assert key not in seen, f"line {key_node.start_mark.line + 1}: the key {key} stands twice"
            seen.add(key)
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    # Days are text here as everywhere.
    Loader.yaml_implicit_resolvers = {
        first: [(tag, regex) for tag, regex in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader=Loader)


def template_regex(template):
    parts = re.split(r"(\{[^}]+\})", template)
    return re.compile("".join("[^/]+?" if part.startswith("{") else re.escape(part) for part in parts))


def specificity(template):
    """Literal paths before those with parameters."""
    return (template.count("{"), template)


ANNOTATIONS = {"description", "examples", "default", "title", "deprecated"}


def inline(schema, document, inside):
    """The schema with its references replaced by what they name, except inside themselves: following them is what costs time."""
    if isinstance(schema, list):
        return [inline(item, document, inside) for item in schema]
    if not isinstance(schema, dict):
        return schema
    ref = schema.get("$ref")
    if isinstance(ref, str) and ref not in inside:
        target = document
        for part in ref[2:].split("/"):
            target = target[part]
        rest = {k: v for k, v in schema.items() if k != "$ref" and k not in ANNOTATIONS}
        target = inline(target, document, inside + (ref,))
        return {"allOf": [target], **inline(rest, document, inside)} if rest else target
    return {k: v if k in ("enum", "const", "required") else inline(v, document, inside) for k, v in schema.items()}


def best(error):
    """Of an any-of, the branch that came closest."""
    while error.context:
        error = max(error.context, key=lambda e: (len(e.absolute_path), e.validator not in ("type", "required")))
    return error


def short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 600 else text[:600] + "..."


def no_duplicates(pairs):
    members = dict(pairs)
    assert len(members) == len(pairs), f"a member stands twice: {[k for k, _ in pairs]}"
    return members


def parse(where, body):
    try:
        text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
        return json.loads(text, object_pairs_hook=no_duplicates)
    except (ValueError, AssertionError) as e:
        raise AssertionError(f"{where}: the body is not JSON: {e}: {body[:300]!r}") from None


def lower_names(headers):
    pairs = headers.items() if hasattr(headers, "items") else headers
    return {str(name).lower(): str(value) for name, value in pairs}


_contract = None
seen = set()  # (operationId, status) of every answer that was held against the contract


def contract():
    global _contract
    if _contract is None:
        _contract = Contract()
    return _contract


def validate(method, path, status, headers, body, request_json=None, check_query=True):
    """Holds one answer against openapi.yaml. `path` as sent, query included; `headers` a mapping or pairs; `body` the bytes.
    `request_json`: the request's body, parsed, if it was JSON. Returns the answer's JSON, or None when it is not JSON."""
    c = contract()
    method = method.upper()
    headers = lower_names(headers)
    where = f"{method} {path} -> {status}"
    template = c.find(path)
    if method == "OPTIONS":  # preflights are the server's own, not operations
        assert status in (200, 204, 404, 405) or status >= 500, f"{where}: not what a preflight is answered"
        return None
    item = c.document["paths"].get(template, {})
    operation = item.get("get" if method == "HEAD" and "head" not in item else method.lower())
    if operation is None:
        return validate_elsewhere(c, where, item, method, status, headers, body)

    responses = operation["responses"]
    assert str(status) in responses, f"{where}: {operation['operationId']} documents only {', '.join(responses)}: {body[:500]!r}"
    response = c.resolve(responses[str(status)])
    seen.add((operation["operationId"], status))
    validate_headers(c, where, response, headers)
    if method == "HEAD":
        return None
    content = response.get("content")
    if content is None:
        assert not body, f"{where}: there should be no body: {body[:300]!r}"
        return None
    media = media_type(where, headers, content)
    if "json" not in media:
        return None
    answer = parse(where, body)
    c.check(where, (operation["operationId"], status, media), content[media]["schema"], answer)
    if media == PROBLEM:
        validate_problem(c, where, set(operation["x-codes"]), status, headers, answer)
    if status < 300:
        validate_request(c, where, operation, path if check_query else "", request_json)
    return answer


def validate_elsewhere(c, where, item, method, status, headers, body):
    """No operation: an unknown path, or a method that the path does not have."""
    assert status >= 400, f"{where}: there is no such operation in openapi.yaml"
    if status == 405:
        allowed = {m.upper() for m in item if m in METHODS}
        allow = {m.strip() for m in headers.get("allow", "").split(",")}
        assert allowed and allowed <= allow <= allowed | {"HEAD", "OPTIONS"}, f"{where}: Allow {allow}, documented {allowed}"
    if method == "HEAD":
        return None
    assert headers.get("content-type", "").split(";")[0] == PROBLEM, f"{where}: not a problem but {headers.get('content-type')}"
    answer = parse(where, body)
    c.check(where, "problem", {"$ref": "#/components/schemas/Problem"}, answer)
    validate_problem(c, where, ANYWHERE, status, headers, answer)
    return answer


def validate_problem(c, where, codes, status, headers, answer):
    code = answer["code"]
    assert code in codes, f"{where}: the code {code} is not documented here; these are: {', '.join(sorted(codes))}"
    assert c.statuses[code] == status == answer["status"], f"{where}: {code} is {c.statuses[code]}, the problem says {answer['status']}"
    # A replay is byte for byte the first answer, which had another request id.
    if "idempotency-replayed" not in headers:
        assert answer["request_id"] == headers.get("x-request-id"), f"{where}: request_id is not X-Request-Id: {answer}"


def validate_headers(c, where, response, headers):
    documented = {name.lower(): c.resolve(header) for name, header in response.get("headers", {}).items()}
    for name, header in documented.items():
        if name in headers:
            c.check(f"{where}: header {name}", ("header", json.dumps(header["schema"])), header["schema"], headers[name])
        else:
            assert not header.get("required"), f"{where}: the header {name} is missing"
    unknown = set(headers) - set(documented) - TRANSPORT_HEADERS
    assert not unknown, f"{where}: headers that are not documented: {', '.join(sorted(unknown))}"


def media_type(where, headers, content):
    media = headers.get("content-type", "").split(";")[0].strip()
    assert media in content, f"{where}: Content-Type {media!r}, documented: {', '.join(content)}"
    return media


def validate_request(c, where, operation, path, request_json):
    if request_json is not None:
        media = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert media, f"{where}: a JSON body was accepted, and none is documented"
        c.check(f"{where}: the request", (operation["operationId"], "request"), media["schema"], request_json)
    parameters = {p["name"] for p in map(c.resolve, operation.get("parameters", [])) if p["in"] == "query"}
    names = {name for name, _ in urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query, keep_blank_values=True)}
    assert names <= parameters, f"{where}: accepted, and not documented: {', '.join(sorted(names - parameters))}"
