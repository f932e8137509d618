"""The contract's conventions, on whichever route shows them: statuses, framing, languages, ids, logs, HEAD, ETag, strict input."""

import json
import signal
import socket
import subprocess
import threading

import psycopg2
import pytest

from support import codes_seen, openapi_check
from support.at_once import eventually
from support.fixtures import Database
from support.raw import Raw, exchange, head
from support.service import Service, binary
from support.world import World, new_credit_code

BODY_MAX = 64 * 1024
EVALUATION_BODY_MAX = 16 * 1024 * 1024


def routes():
    done = subprocess.run([binary(), "routes"], capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def filled(path):
    """The path with ids that nothing has."""
    return path.replace("{id}", "nothing-has-this-id").replace("{version}", "2000-01-01")


@pytest.fixture(scope="module")
def provider(world):
    return world.register(contact={"name": "张三", "phone": "027-12345678", "email": "zhang.san@example.com"})


# ---- 400: not JSON, not HTTP ----


@pytest.mark.parametrize("body", [
    b"", b"{", b"nonsense", b"{'a': 1}", b'{"a": 1,}', b'{"a": 1} {}', b'{"a": 01}', b'{"a": NaN}', b'{"a": Infinity}',
    b'{"a": "\x01"}', b'{"a": .5}', b"\xef\xbb\xbf{}", b'{"a": "b}', b'{"a"}', b"[1, 2", b'{"a": tru}', b"// {}\n{}",
])  # fmt: skip
def test_what_is_not_json_is_400(client, body):
    answer = client.post("/v1/providers", body=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (400, "invalid_json"), answer


def test_not_json_says_where(client):
    answer = client.post("/v1/providers", body=b'{\n  "a": 1,\n  b: 2\n}', headers={"Content-Type": "application/json"})
    assert answer.code == "invalid_json"
    assert "line 3, column 3" in answer.json["detail"], answer


SMUGGLING = [
    [("Content-Length", "2"), ("Content-Length", "2")],
    [("Content-Length", "2"), ("Content-Length", "40")],
    [("Content-Length", "2"), ("Transfer-Encoding", "chunked")],
    [("Transfer-Encoding", "chunked"), ("Content-Length", "2")],
    [("Transfer-Encoding", "gzip, chunked")],
    [("Transfer-Encoding", "identity")],
    [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
    [("Transfer-Encoding", " chunked, identity")],
    [("Content-Length", "2, 2")],
    [("Content-Length", "-2")],
    [("Content-Length", "+2")],
    [("Content-Length", "0x2")],
    [("Content-Length", "99999999999999999999999")],
]


@pytest.mark.parametrize("headers", SMUGGLING, ids=lambda hs: "; ".join(f"{n}: {v}" for n, v in hs))
def test_framing_that_two_readers_take_differently(service, headers):
    """Refused, and the connection closed: nothing after it is taken for a request."""
    hidden = head("GET", "/v1/providers", service.admin_key)
    for body in ("{}", "0\r\n\r\n", "2\r\n{}\r\n0\r\n\r\n"):
        with Raw(service.port) as connection:
            connection.send(head("POST", "/v1/providers", service.admin_key, [("Content-Type", "application/json"), *headers]) + body + hidden)
            got = connection.rest()
        assert got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 ")), got[:500]
        # libmicrohttpd 0.9.75 says the head of its own refusals twice; no answer but refusals comes.
        assert b"HTTP/1.1 2" not in got and b'"data"' not in got, got[:2000]


def test_smuggling_is_a_problem(service):
    answer = exchange(service.port, head("POST", "/v1/providers", service.admin_key, SMUGGLING[0]) + "{}")
    assert (answer.status, answer.code) == (400, "bad_request")
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("line", [
    "GET  /v1/providers HTTP/1.1", "GET /v1/providers", "GET /v1/providers HTTP/9.9", "GET", "", "\x00 / HTTP/1.1",
    "G\xc9T / HTTP/1.1", "GET /v1/\xff HTTP/1.1",
])  # fmt: skip
def test_a_request_line_that_is_none_harms_nothing(service, client, line):
    with Raw(service.port) as connection:
        connection.send(line.encode("latin-1") + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        connection.socket.shutdown(socket.SHUT_WR)
        got = connection.rest()
    assert not got.startswith(b"HTTP/1.1 2") and b'"data"' not in got
    assert client.get("/healthz").status == 200


def test_without_host(service):
    with Raw(service.port) as connection:
        assert connection.send("GET /healthz HTTP/1.1\r\n\r\n").rest().startswith(b"HTTP/1.1 400 ")


def test_a_body_where_none_is_taken(client):
    answer = client.get("/v1/providers", body=b"{}", headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (400, "bad_request")


# ---- 404, 405 ----


@pytest.mark.parametrize("path", [
    "/", "/v1", "/v1/", "/v1/nothing", "/v1/providers/", "/v1//providers", "/V1/providers", "/v1/providers/x/nothing",
    "/v1/providers/%00", "/v1/providers/%ff", "/v1/providers/%4", "/v1/providers/%zz", "/v1/policies/no-version", "/v1/policies/@",
    "/v1/a/b/c/d/e/f/g/h/i/j", "/docs/", "/docs/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
])  # fmt: skip
def test_unknown_paths(client, path):
    answer = client.get(path, check=False)
    assert (answer.status, answer.code) == (404, "not_found"), answer


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def test_405_names_what_is_possible(client):
    allowed = {}
    for method, path, *_ in routes():
        allowed.setdefault(path, set()).update({method, "HEAD"} if method == "GET" else {method})
    for path, possible in allowed.items():
        for method in set(METHODS) - possible:
            answer = client.request(method, filled(path))
            assert (answer.status, answer.code) == (405, "method_not_allowed"), (method, path, answer)
            assert set(answer.headers["Allow"].split(", ")) == possible, (path, answer.headers["Allow"])


def test_an_unheard_of_method(service):
    answer = exchange(service.port, head("BREW", "/v1/providers", service.admin_key))
    assert (answer.status, answer.code) == (405, "method_not_allowed")


# ---- 406, 415 ----


@pytest.mark.parametrize("accept", ["text/html", "application/xml, text/plain", "application/json;q=0", "*/*;q=0", "application/jsonp", "image/*"])
def test_not_acceptable(client, accept):
    answer = client.get("/v1/providers", headers={"Accept": accept})
    assert (answer.status, answer.code) == (406, "not_acceptable"), answer


@pytest.mark.parametrize("accept", [
    "*/*", "application/json", "application/*", "text/html, */*;q=0.1", "APPLICATION/JSON", "application/problem+json",
    "application/json;charset=utf-8", "text/html,application/json;q=0.9", "application/problem+json,text/html", "application/json , text/html",
])  # fmt: skip
def test_acceptable(client, accept):
    assert client.get("/v1/providers", headers={"Accept": accept}).status == 200


def test_accept_is_no_matter_for_pages(client):
    assert client.get("/docs", headers={"Accept": "text/html"}).status == 200


@pytest.mark.parametrize("headers", [
    {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": None},
    {"Content-Type": "application/jsonx"}, {"Content-Encoding": "gzip"}, {"Content-Type": "application/merge-patch+json"},
])  # fmt: skip
def test_unsupported_media_type(client, headers):
    answer = client.request("POST", "/v1/providers", body=b"{}", headers={"Content-Type": "application/json", **headers})
    assert (answer.status, answer.code) == (415, "unsupported_media_type"), answer


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"])
def test_media_types_taken(client, world, content_type):
    body = json.dumps(world.provider_body()).encode()
    assert client.request("POST", "/v1/providers", body=body, headers={"Content-Type": content_type}).status == 201


# ---- 408: slow senders ----


@pytest.fixture(scope="module")
def impatient(cluster, migrated):
    """A service that gives a request one second to arrive."""
    database = Database(cluster, cluster.create_database(migrated))
    service = Service(database.url, env={"ASSAY_BODY_SECONDS": "1", "ASSAY_IDLE_SECONDS": "2"})
    try:
        yield service.start()
        service.stop()
    finally:
        service.kill()
        cluster.drop_database(database.name)


def dribble(connection, data):
    """A byte at a time until the other side ends it; what it said."""
    got = b""
    connection.socket.settimeout(0.1)
    for byte in data:
        try:
            connection.socket.sendall(bytes([byte]))
            piece = connection.socket.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return got
        if not piece:
            return got
        got += piece
    raise AssertionError("it was never cut off")


def slow_answer(got):
    assert got.startswith(b"HTTP/1.1 408 "), got
    headers, body = got.split(b"\r\n\r\n", 1)
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (408, "request_timeout")
    assert b"Content-Type: application/problem+json" in headers
    assert f"X-Request-Id: {problem['request_id']}".encode() in headers and problem["request_id"]
    codes_seen.record(408, "application/problem+json", body)
    return problem


@pytest.mark.tsan
def test_a_slow_body(impatient):
    with Raw(impatient.port) as connection:
        connection.send(head("POST", "/v1/providers", impatient.admin_key, [("Content-Type", "application/json"), ("Content-Length", "5000"),
                                                                           ("X-Request-Id", "slow-1"), ("Accept-Language", "zh-CN")]))
        problem = slow_answer(dribble(connection, b"{" + b" " * 600))
    assert problem["request_id"] == "slow-1"
    assert problem["title"] == "请求超时"


def test_a_slow_chunked_body(impatient):
    with Raw(impatient.port) as connection:
        connection.send(head("POST", "/v1/providers", impatient.admin_key, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]))
        slow_answer(dribble(connection, b"1\r\n \r\n" * 100))


@pytest.mark.tsan
def test_slow_headers(impatient):
    with Raw(impatient.port) as connection:
        connection.send("GET /v1/providers HTTP/1.1\r\n")
        slow_answer(dribble(connection, b"X-Slow: " + b"a" * 600))


def test_a_body_refused_and_still_slow(impatient):
    """What is refused already is no reason to wait longer for the rest of it."""
    with Raw(impatient.port) as connection:
        connection.send(head("POST", "/v1/providers", "", [("Content-Type", "application/json"), ("Content-Length", "5000")]))
        assert dribble(connection, b" " * 600).startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 401 "))


def test_a_slow_request_line_is_cut(impatient):
    with Raw(impatient.port) as connection:
        assert dribble(connection, b"GET /" + b"a" * 600) == b""


def test_silence_is_cut(impatient):
    with Raw(impatient.port) as connection:
        assert connection.rest() == b""


def test_others_are_served_meanwhile_and_slow_ones_counted(impatient):
    slow = [Raw(impatient.port).send(head("POST", "/v1/providers", impatient.admin_key, [("Content-Length", "9")])) for _ in range(20)]
    assert impatient.client("").get("/healthz").status == 200
    for connection in slow:
        connection.rest()
        connection.close()
    metrics = impatient.client("").get("/metrics").body.decode()
    cut = next(line for line in metrics.splitlines() if line.startswith("assay_connections_cut_total"))
    assert int(cut.split()[1]) >= 20


# ---- 413, 414 ----


def test_too_large_by_its_length(client):
    answer = client.post("/v1/providers", body=b" " * (BODY_MAX + 1), headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "body_too_large"), answer
    assert client.post("/v1/providers", body=b" " * BODY_MAX, headers={"Content-Type": "application/json"}).code == "invalid_json"


def test_too_large_in_chunks(client):
    body = [b" " * 1024] * (BODY_MAX // 1024) + [b" "]
    answer = client.post("/v1/providers", body=iter(body), headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "body_too_large"), answer
    assert client.get("/healthz").status == 200


def test_far_too_large_is_told_before_it_is_sent(impatient):
    """At once; and when its time is up, it is over, whatever was announced."""
    headers = [("Content-Type", "application/json"), ("Content-Length", str(10**12))]
    with Raw(impatient.port) as connection:
        answer = connection.send(head("POST", "/v1/providers", impatient.admin_key, headers)).answer()
        assert (answer.status, answer.code) == (413, "body_too_large")
        assert answer.headers["Connection"] == "close"
        assert connection.rest() == b""


def test_endless_chunks_are_cut(service):
    with Raw(service.port) as connection:
        connection.send(head("POST", "/v1/providers", service.admin_key, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]))
        piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        with pytest.raises(OSError):
            for _ in range(100_000):
                connection.socket.sendall(piece)


def test_evaluations_take_more(service, client):
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/evaluations", body=b" " * EVALUATION_BODY_MAX, headers=headers)
    assert answer.code == "invalid_json", answer
    sent = [("Content-Type", "application/json"), ("Content-Length", str(EVALUATION_BODY_MAX + 1))]
    answer = exchange(service.port, head("POST", "/v1/evaluations", service.admin_key, sent))
    assert answer.code == "body_too_large", answer
    pieces = iter([b" " * 65536] * (EVALUATION_BODY_MAX // 65536 + 1))
    assert client.post("/v1/evaluations", body=pieces, headers=headers).code == "body_too_large"


def test_uri_too_long(client):
    answer = client.get("/v1/providers?q=" + "a" * 4096, check=False)
    assert (answer.status, answer.code) == (414, "uri_too_long"), answer
    assert client.get("/v1/providers?q=" + "a" * 3000, check=False).status == 422


def test_headers_too_large(service, client):
    with Raw(service.port) as connection:
        connection.send(head("GET", "/healthz", "", [(f"X-{i}", "a" * 1000) for i in range(100)]))
        assert connection.rest()[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 413", b"")
    assert client.get("/healthz").status == 200


# ---- 422: strict input ----


def body_with(world, **over):
    return json.dumps(world.provider_body(**over)).encode()


STRICT = {
    "unknown member": (lambda b: b[:-1] + b', "colour": "red"}', {"/colour": "unknown_member"}),
    "duplicate member": (lambda b: b[:-1] + b', "name": "B"}', {"/name": "duplicate_member"}),
    "duplicate in contact": (lambda b: b[:-1] + b', "contact": {"name": "a", "name": "b"}}', {"/contact/name": "duplicate_member"}),
    "number for string": (lambda b: b.replace(b'"420000"', b"420000"), {"/region": "wrong_type"}),
    "null": (lambda b: b.replace(b'"420000"', b"null"), {"/region": "wrong_type"}),
    "string for array": (lambda b: b.replace(b'["practical_assistance"]', b'"practical_assistance"'), {"/service_categories": "wrong_type"}),
    "U+0000 escaped": (lambda b: b.replace(b'"420000"', b'"42\\u0000"'), {"/region": "bad_encoding"}),
    "U+0000 in a name": (lambda b: b[:-1] + b', "a\\u0000b": 1}', {"": "bad_encoding"}),
    "invalid UTF-8": (lambda b: b.replace(b'"420000"', b'"\xff\xfe"'), {"/region": "bad_encoding"}),
    "overlong UTF-8": (lambda b: b.replace(b'"420000"', b'"\xc0\xaf"'), {"/region": "bad_encoding"}),
    "UTF-8 surrogate": (lambda b: b.replace(b'"420000"', b'"\xed\xa0\x80"'), {"/region": "bad_encoding"}),
    "too deep": (lambda b: b[:-1] + b', "contact": ' + b"[" * 40 + b"]" * 40 + b"}", None),
    "not an object": (lambda b: b"[]", {"": "wrong_type"}),
    "a string": (lambda b: b'"x"', {"": "wrong_type"}),
}


@pytest.mark.parametrize("name", STRICT)
def test_strict_bodies(client, world, name):
    change, expected = STRICT[name]
    answer = client.post("/v1/providers", body=change(body_with(world)), headers={"Content-Type": "application/json"}, check=False)
    assert answer.status == 422, answer
    assert answer.code == "invalid_request"
    if expected is not None:
        assert expected.items() <= answer.faults.items(), answer
    else:
        assert "too_deep" in answer.faults.values()


def test_lone_surrogates_are_refused(client, world):
    body = body_with(world).replace(b'"420000"', b'"\\ud800"')
    answer = client.post("/v1/providers", body=body, headers={"Content-Type": "application/json"}, check=False)
    assert answer.status in (400, 422), answer


@pytest.mark.parametrize("amount, code", [
    ("1.5", "wrong_type"), ("1.0", "wrong_type"), ("1e3", "wrong_type"), ('"1"', "wrong_type"), ("true", "wrong_type"), ("null", "wrong_type"),
    ("[]", "wrong_type"), ("{}", "wrong_type"), ("0", "number_out_of_range"), ("-1", "number_out_of_range"), ("-0", "number_out_of_range"),
    ("9007199254740992", "number_out_of_range"), ("9223372036854775808", "number_out_of_range"), ("1" + "0" * 400, "number_out_of_range"),
])  # fmt: skip
def test_strict_numbers(client, provider, amount, code):
    body = f'{{"kind": "payment", "amount_fen": {amount}, "external_reference": "r"}}'.encode()
    answer = client.post(f"/v1/providers/{provider['provider_id']}/deposit/entries", body=body, headers={"Content-Type": "application/json"},
                         check=False)
    assert answer.status == 422, answer
    assert answer.faults == {"/amount_fen": code}


@pytest.mark.parametrize("day", ["2023-02-29", "2023-13-01", "2023-00-10", "2023-1-1", "2023-01-01T00:00:00Z", "20230101", "", " 2023-01-01", "今天"])
def test_strict_days(client, provider, day):
    body = {"kind": "payment", "amount_fen": 1, "external_reference": "r", "effective_on": day}
    answer = client.post(f"/v1/providers/{provider['provider_id']}/deposit/entries", body, check=False)
    assert (answer.status, answer.faults) == (422, {"/effective_on": "invalid_day"}), answer


def test_every_problem_at_once(client):
    body = {"credit_code": "91420106000000000X", "name": "", "service_categories": ["mall", "mall", "x", 3], "region": "4201",
            "main_category": "Antiques", "contact": {"name": "", "phone": 5, "fax": "1"}, "extra": None}
    answer = client.post("/v1/providers", body)
    assert answer.status == 422
    assert answer.faults == {
        "/credit_code": "bad_check_character", "/name": "too_short", "/service_categories": "too_long", "/region": "wrong_format",
        "/industry": "missing", "/main_category": "wrong_format", "/contact/name": "too_short", "/contact/phone": "wrong_type",
        "/contact/fax": "unknown_member", "/extra": "unknown_member",
    }  # fmt: skip
    assert answer.json["detail"].startswith(f"{len(answer.json['errors'])} ")
    assert all(e["detail"] for e in answer.json["errors"])


QUERIES = {
    "limit=0": {"limit": "number_out_of_range"},
    "limit=201": {"limit": "number_out_of_range"},
    "limit=-1": {"limit": "number_out_of_range"},
    "limit=": {"limit": "number_out_of_range"},
    "limit=1.5": {"limit": "number_out_of_range"},
    "limit=%2B5": {"limit": "number_out_of_range"},
    "limit=%205": {"limit": "number_out_of_range"},
    "limit=99999999999999999999": {"limit": "number_out_of_range"},
    "limit=5&limit=5": {"limit": "duplicate_parameter"},
    "colour=red": {"colour": "unknown_parameter"},
    "dry_run=true": {"dry_run": "unknown_parameter"},
    "q=%ff": {"q": "bad_encoding"},
    "q=a%00b": {"q": "bad_encoding"},
    "q=%4": {"q": "bad_encoding"},
    "q=%zz": {"q": "bad_encoding"},
    "q=": {"q": "too_short"},
    "q=" + "a" * 101: {"q": "too_long"},
    "%ff=1": {"": "bad_encoding"},
    "=1": {"": "unknown_parameter"},
    "status=happy": {"status": "invalid_value"},
    "status=": {"status": "invalid_value"},
    "region=42": {"region": "wrong_format"},
    "industry=A%20B": {"industry": "wrong_format"},
    "cursor=***": {"cursor": "wrong_format"},
    "limit=0&colour=red&q=%ff&cursor=*": {"limit": "number_out_of_range", "colour": "unknown_parameter", "q": "bad_encoding", "cursor": "wrong_format"},
}


@pytest.mark.parametrize("query", QUERIES)
def test_strict_queries(client, query):
    answer = client.get("/v1/providers?" + query)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer
    assert answer.faults == QUERIES[query]


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=1", "dry_run=", "dry_run=true&dry_run=true", "dry_run=TRUE", "dryrun=true"])
def test_strict_dry_run(client, world, query):
    answer = client.post("/v1/providers?" + query, world.provider_body())
    assert (answer.status, answer.code) == (422, "invalid_request"), answer


def test_queries_are_decoded(client, world):
    name = "百分 % 号+店"
    made = world.register(name=name)
    found = client.get("/v1/providers", query={"q": name}).json["data"]
    assert [p["provider_id"] for p in found] == [made["provider_id"]]
    assert client.get("/v1/providers?q=%E7%99%BE%E5%88%86+%25").json["data"] == found
    assert client.get("/v1/providers?&&limit=1&").status == 200


# ---- languages ----


@pytest.mark.parametrize("header, language", [
    (None, "en"), ("en", "en"), ("zh-CN", "zh-CN"), ("zh", "zh-CN"), ("zh-Hans-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("en,zh;q=0.5", "en"),
    ("en;q=0.5,zh-CN", "zh-CN"), ("fr", "en"), ("fr,zh;q=0.3", "zh-CN"), ("zh;q=0", "en"), ("*", "en"), ("en;q=0.8, zh;q=0.8", "en"),
    ("zh;q=0.8, en;q=0.8", "zh-CN"), (";;;,,=", "en"), ("ZH-cn", "zh-CN"),
])  # fmt: skip
def test_languages(client, header, language):
    answer = client.post("/v1/providers", {}, headers={"Accept-Language": header})
    assert answer.headers["Content-Language"] == language
    texts = [answer.json["title"], answer.json["detail"], *(e["detail"] for e in answer.json["errors"])]
    chinese = [any("\u4e00" <= c <= "\u9fff" for c in text) for text in texts]
    assert all(chinese) if language == "zh-CN" else not any(chinese), texts


# ---- tracing ----


def test_request_ids_are_taken(client):
    answer = client.get("/v1/providers", headers={"X-Request-Id": "abc.DEF_1-2:3"})
    assert answer.headers["X-Request-Id"] == "abc.DEF_1-2:3"


@pytest.mark.parametrize("sent", [None, "", "a b", "a" * 129, 'x"y', "<script>", "a\tb"])
def test_request_ids_are_made(client, sent):
    ids = {client.get("/v1/nothing", headers={"X-Request-Id": sent}).json["request_id"] for _ in range(3)}
    assert len(ids) == 3 and sent not in ids


def log_lines(service, wanted):
    """The log's lines once one of them satisfies `wanted`."""

    def find():
        lines = [json.loads(line) for line in service.log().splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if wanted(line)]

    return eventually(find, what="the log never says it")


def test_traceparent_is_logged(service, client):
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    client.get("/v1/providers?limit=1", headers={"traceparent": traceparent, "X-Request-Id": "traced-1"})
    line = log_lines(service, lambda line: line.get("request_id") == "traced-1")[0]
    assert line["traceparent"] == traceparent
    assert (line["method"], line["path"], line["operation"], line["status"]) == ("GET", "/v1/providers", "listProviders", 200)
    assert line["key_id"].startswith("key_") and line["micros"] > 0


@pytest.mark.parametrize("traceparent", ["", "00-short-01", '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"1', "x" * 300])
def test_a_bad_traceparent_is_dropped(service, client, traceparent):
    name = f"traced-bad-{len(traceparent)}"
    assert client.get("/healthz", headers={"traceparent": traceparent, "X-Request-Id": name}).status == 200
    assert log_lines(service, lambda line: line.get("request_id") == name)[0]["traceparent"] == ""


def test_no_secret_in_the_log(service, client, keys, provider):
    """Keys, made, used and refused; bodies; contact data; queries."""
    made = client.post("/v1/keys", {"name": "a secret one", "role": "auditor"}).json["key"]
    service.client(made).get("/v1/providers")
    service.client("ask_" + "A" * 43).get("/v1/providers")
    exchange(service.port, head("GET", "/v1/providers", "", [("Authorization", "Basic c2VjcmV0OnNlY3JldA==")]))
    client.patch(f"/v1/providers/{provider['provider_id']}", {"contact": {"phone": "13900001111"}}, headers={"If-Match": "*"})
    client.post("/v1/providers", {"contact": {"email": "not-logged@example.com"}})
    client.get("/v1/providers", query={"q": "secretsearch"})
    client.get("/healthz", headers={"X-Request-Id": "after-the-secrets"})
    log_lines(service, lambda line: line.get("request_id") == "after-the-secrets")
    log = service.log()
    secrets = [made, made[4:], service.admin_key, keys["auditor"], "A" * 43, "c2VjcmV0", "张三", "027-12345678", "zhang.san", "13900001111", "not-logged",
               "secretsearch", "Bearer"]
    assert [s for s in secrets if s in log] == []


def test_a_log_line_is_json_whatever_was_asked(service, client):
    client.get('/v1/"}\\x', headers={"X-Request-Id": "odd-path"}, check=False)
    line = log_lines(service, lambda line: line.get("request_id") == "odd-path")[0]
    assert line["status"] == 404


# ---- HEAD, ETag ----


def test_head_is_get_without_the_body(client, provider):
    paths = [filled(path) for method, path, *_ in routes() if method == "GET"]
    paths += [f"/v1/providers/{provider['provider_id']}", f"/v1/providers/{provider['provider_id']}/qualification"]
    varying = {"Date"}
    for path in paths:
        if path == "/metrics":
            continue
        got, only_head = client.get(path, headers={"X-Request-Id": "h"}), client.request("HEAD", path, headers={"X-Request-Id": "h"})
        assert only_head.status == got.status, path
        assert only_head.body == b""
        kept = [{n: v for n, v in a.headers.items() if n not in varying} for a in (got, only_head)]
        assert kept[0] == kept[1], path
        assert int(got.headers["Content-Length"]) == len(got.body)


@pytest.mark.parametrize("make, status", [
    (lambda e: e, 304), (lambda e: f"W/{e}", 304), (lambda e: f'"a", {e}', 304), (lambda e: f'{e},"b"', 304), (lambda e: "*", 304),
    (lambda e: '"other"', 200), (lambda e: e.strip('"'), 200), (lambda e: e[:-1] + '9"', 200), (lambda e: "", 200),
])  # fmt: skip
def test_conditional_get(client, world, make, status):
    path = f"/v1/providers/{world.register()['provider_id']}"
    etag = client.get(path).etag
    answer = client.get(path, headers={"If-None-Match": make(etag)})
    assert answer.status == status, answer
    assert answer.etag == etag
    assert (answer.body == b"") == (status == 304)


def test_conditional_get_of_files(client):
    for path in ("/openapi.yaml", "/docs", "/docs/redoc.js"):
        etag = client.get(path).etag
        answer = client.get(path, headers={"If-None-Match": etag})
        assert (answer.status, answer.body) == (304, b""), path


def test_an_etag_changes_with_the_resource(client, world):
    path = f"/v1/providers/{world.register()['provider_id']}"
    before = client.get(path).etag
    changed = client.patch(path, {"name": "新名"}, headers={"If-Match": before})
    assert changed.status == 200 and changed.etag != before
    answer = client.get(path, headers={"If-None-Match": before})
    assert (answer.status, answer.etag) == (200, changed.etag)


# ---- connections ----


def test_expect_continue(service):
    body = b"{}"
    with Raw(service.port) as connection:
        connection.send(head("POST", "/v1/providers", service.admin_key, [("Content-Type", "application/json"), ("Content-Length", "2"),
                                                                         ("Expect", "100-continue")]))
        assert connection.socket.recv(1000).startswith(b"HTTP/1.1 100 ")
        assert connection.send(body).answer().status == 422


@pytest.mark.tsan
def test_pipelined_requests_are_answered_in_order(service):
    n = 50
    data = "".join(head("GET", "/v1/providers?limit=1" if i % 2 else "/healthz", service.admin_key, [("X-Request-Id", f"n{i}")]) for i in range(n))
    with Raw(service.port) as connection:
        connection.send(data + head("GET", "/healthz", "", [("Connection", "close")]))
        got = connection.rest().decode()
    ids = [line.split(": ")[1] for line in got.split("\r\n") if line.startswith("X-Request-Id: n")]
    assert ids == [f"n{i}" for i in range(n)]


def test_http_1_0(service):
    with Raw(service.port) as connection:
        got = connection.send(head("GET", "/healthz", version="HTTP/1.0")).rest()
    assert got.split(b" ")[1] == b"200" and got.endswith(b'{"status":"ok"}')


def test_a_refused_body_leaves_the_connection_usable(service):
    """401 with a small body: it is read, answered, and the next request on the connection is one."""
    with Raw(service.port) as connection:
        body = b"x" * 1000
        for _ in range(3):
            connection.send(head("POST", "/v1/providers", "", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]).encode() + body)
            assert connection.answer().status == 401
        assert connection.send(head("GET", "/healthz")).answer().status == 200


# ---- discovery ----


def test_health_ready_metrics(service):
    anyone = service.client("")
    assert anyone.get("/healthz").json == {"status": "ok"}
    assert anyone.get("/readyz").json == {"status": "ready"}
    anyone.get("/v1/nothing")
    text = anyone.get("/metrics").body.decode()
    assert "assay_ready 1" in text
    for line in text.splitlines():
        assert line.startswith("# ") or len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0, line


def test_metrics_count(service):
    def count():
        text = service.client("").get("/metrics").body.decode()
        return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if 'listProviders"' in line and "_count" in line or
                   line.startswith("assay_requests_total") and 'operation="listProviders"' in line)

    before = count()
    for _ in range(5):
        service.client().get("/v1/providers?limit=1")
    assert count() >= before + 5


def test_the_description_is_the_one_in_the_tree(client):
    assert client.get("/openapi.yaml").body == openapi_check.OPENAPI.read_bytes()


# ---- 429, 503 ----


def test_full_says_so_at_once(new_service):
    """More connections than fit: 503 with Retry-After, and those that fit go on."""
    service = new_service(env={"ASSAY_LOOPS": "1", "ASSAY_CONNECTIONS": "10"})
    held = [Raw(service.port) for _ in range(10)]
    for connection in held:
        assert connection.send(head("GET", "/healthz")).answer().status == 200
    answer = exchange(service.port, head("GET", "/healthz"))
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "overloaded", "1")
    for connection in held:
        assert connection.send(head("GET", "/healthz")).answer().status == 200
        connection.close()
    eventually(lambda: exchange(service.port, head("GET", "/healthz")).status == 200)


def test_too_many_from_one_address(new_service):
    service = new_service(env={"ASSAY_LOOPS": "1", "ASSAY_CONNECTIONS_PER_ADDRESS": "5"})
    held = [Raw(service.port) for _ in range(5)]
    for connection in held:
        assert connection.send(head("GET", "/healthz")).answer().status == 200
    answer = exchange(service.port, head("GET", "/healthz"))
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "too_many_requests", "1")
    for connection in held:
        connection.close()
    eventually(lambda: exchange(service.port, head("GET", "/healthz")).status == 200)


def test_without_a_database(new_service):
    service = new_service()
    client = service.client()
    provider = World(client).register()
    name = service.database.name
    cluster = service.database.cluster
    cluster.sql(f"alter database {name} allow_connections false")
    cluster.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
    eventually(lambda: client.get("/readyz").status == 503)
    for answer in (client.get(f"/v1/providers/{provider['provider_id']}"), client.post("/v1/providers", World(client).provider_body()), client.get("/readyz")):
        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "database_unavailable", "2"), answer
    assert client.get("/healthz").status == 200
    assert client.get("/metrics").status == 200
    cluster.sql(f"alter database {name} allow_connections true")
    eventually(lambda: client.get("/readyz").status == 200)
    assert client.get(f"/v1/providers/{provider['provider_id']}").json == provider


def test_stopping(new_service):
    """While a request under way is finished, others are told to go elsewhere."""
    service = new_service(env={"ASSAY_LOOPS": "1"})
    world = World(service.client())
    provider_id = world.register()["provider_id"]
    waiting = Raw(service.port)
    assert waiting.send(head("GET", "/healthz")).answer().status == 200
    holder = psycopg2.connect(service.database.cluster.url(service.database.name, "postgres"))
    holder.cursor().execute(f"select from provider where provider_id = '{provider_id}' for update")
    answers = []
    patch = threading.Thread(target=lambda: answers.append(service.client().patch(f"/v1/providers/{provider_id}", {"name": "Z"}, headers={"If-Match": "*"})))
    patch.start()
    eventually(lambda: service.database.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == [(1,)])
    service.process.send_signal(signal.SIGTERM)
    eventually(lambda: "Stopping" in service.log())
    refused = eventually(lambda: (a := waiting.send(head("GET", "/healthz")).answer()).status == 503 and a)
    assert (refused.code, refused.headers["Retry-After"], refused.headers["Connection"]) == ("stopping", "2", "close")
    assert refused.json["request_id"] == refused.headers["X-Request-Id"] != ""
    holder.rollback()
    holder.close()
    patch.join()
    assert (answers[0].status, answers[0].json["name"]) == (200, "Z")
    service.stop()


def test_our_own_mistake(new_service):
    """What the database refuses without our having meant it: 500, logged with its cause, which no caller is told."""
    service = new_service()
    client = service.client()
    service.database.sql("alter table provider rename column body to body2")
    service.database.sql("drop function op_provider_register")
    for answer in (client.get("/v1/providers/prv_x", headers={"X-Request-Id": "ours-1"}), client.post("/v1/providers", World(client).provider_body())):
        assert (answer.status, answer.code) == (500, "internal"), answer
        assert b"body" not in answer.body and b"provider_register" not in answer.body and b"SQL" not in answer.body
    assert log_lines(service, lambda line: "op_provider_register" in line.get("why", "") and line["level"] == "error")
    assert client.get("/v1/policies").status == 200, "and the lane goes on"


def test_what_keeps_changing_is_a_conflict(new_service):
    """An admission decided on a provider that has always changed when it comes to writing."""
    service = new_service()
    world = World(service.client())
    provider = world.register()
    service.database.sql("create or replace function op_application_submit(ctx jsonb, args jsonb) returns answer language sql as "
                         "$$ select answer_problem('again') $$")
    answer = world.client.post(f"/v1/providers/{provider['provider_id']}/applications", {"documents": world.documents()}, idempotency_key="k")
    assert (answer.status, answer.code) == (409, "conflict"), answer
    assert service.database.sql("select count(*) from idempotency_key where key = 'k'") == [(0,)], "to be decided anew"


def test_credit_codes_of_tests_are_good(client, world):
    assert world.register(credit_code=new_credit_code())["status"] == "registered"
