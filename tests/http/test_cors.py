"""Cross-origin resource sharing: what a browser needs to let a page of another origin call the service."""

import shutil

import pytest

from support import openapi_check
from support.raw import Raw, exchange, head
from support.service import Service

PAGE, OTHER_PAGE = "https://operations.example", "http://localhost:5173"
CONTRACT = openapi_check.contract()
OPERATIONS = [(method, path, operation["operationId"]) for method, path, operation in CONTRACT.operations()]

# What the Fetch standard lets a page send and read without asking.
MAY_ALWAYS_SEND = {"accept", "accept-language", "content-language", "content-type"}
MAY_ALWAYS_READ = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}


@pytest.fixture(scope="module")
def service(database):
    started = Service(database.url, env={"ASSAY_CORS_ORIGINS": f"{PAGE}, {OTHER_PAGE}", "ASSAY_BODY_SECONDS": "2"})
    try:
        yield started.start()
        started.stop()
    finally:
        started.kill()
        shutil.rmtree(started.home, ignore_errors=True)


def names(header):
    return {n.strip().lower() for n in header.split(",")}


def preflight(client, method, path, origin=PAGE, **headers):
    return client.request("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method, **headers})


def cors_headers(answer):
    return sorted(n.lower() for n in answer.headers if n.lower().startswith("access-control-"))


@pytest.mark.parametrize("method, path, name", OPERATIONS, ids=[o[2] for o in OPERATIONS])
def test_preflight(service, method, path, name):
    """Of every operation, without a key: the browser sends none."""
    at = path.replace("{id}", "x").replace("{version}", "2000-01-01")
    answer = preflight(service.client(""), method, at, **{"Access-Control-Request-Headers": "authorization,content-type,idempotency-key"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert names(answer.headers["Access-Control-Allow-Methods"]) - {"head"} == set(CONTRACT.document["paths"][path]) - {"parameters"}
    parameters = map(CONTRACT.resolve, CONTRACT.document["paths"][path][method.lower()].get("parameters", []))
    needed = {p["name"].lower() for p in parameters if p["in"] == "header"} | {"authorization", "content-type", "content-encoding", "traceparent"}
    assert needed <= names(answer.headers["Access-Control-Allow-Headers"]) | MAY_ALWAYS_SEND
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "origin" in names(answer.headers["Vary"])
    assert "Access-Control-Allow-Credentials" not in answer.headers, "keys are sent by the page, not by the browser"


def test_each_origin_gets_its_own_answer(service):
    for origin in (PAGE, OTHER_PAGE):
        assert preflight(service.client(""), "GET", "/v1/providers", origin).headers["Access-Control-Allow-Origin"] == origin
        assert service.client().get("/v1/providers", headers={"Origin": origin}).headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", [
    "https://operations.example.evil.example", "https://operations.example:443", "http://operations.example", "https://OPERATIONS.example",
    "https://operations.example/", "null", "*", "", "https://evil.example", f"{PAGE}, {OTHER_PAGE}", "operations.example",
])  # fmt: skip
def test_other_origins(service, origin):
    answer = preflight(service.client(""), "GET", "/v1/providers", origin)
    assert (answer.status, cors_headers(answer)) == (405, [])
    answer = service.client().get("/v1/providers", headers={"Origin": origin})
    assert (answer.status, cors_headers(answer), answer.headers["Vary"]) == (200, [], "Origin")


def test_without_an_origin(service):
    answer = service.client().get("/v1/providers")
    assert (cors_headers(answer), answer.headers["Vary"]) == ([], "Origin")


def test_what_is_no_preflight(service):
    anyone = service.client("")
    answer = anyone.request("OPTIONS", "/v1/providers", headers={"Origin": PAGE})
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, GET, HEAD")
    assert anyone.request("OPTIONS", "/v1/providers", headers={"Access-Control-Request-Method": "GET"}).status == 405
    assert preflight(anyone, "GET", "/v1/nothing").status == 404
    assert exchange(service.port, head("GET", "/v1/providers", headers=[("Origin", PAGE), ("Access-Control-Request-Method", "GET")])).status == 401


def test_every_answer_may_be_read(service, client):
    """Refusals as well, whoever refuses: else the page sees a network error where it should see why."""
    origin = {"Origin": PAGE}
    answers = [
        client.get("/v1/providers", headers=origin), service.client("").get("/v1/providers", headers=origin),
        service.client(service.new_key("feed")).get("/v1/providers", headers=origin), client.get("/v1/providers/none", headers=origin),
        client.get("/v1/nothing", headers=origin), client.delete("/v1/providers", headers=origin), client.post("/v1/providers", {}, headers=origin),
        client.get("/v1/providers?limit=0", headers=origin), client.get("/healthz", headers=origin),
        client.request("POST", "/v1/providers", body=b"x" * 100000, headers={**origin, "Content-Type": "application/json"}),
        exchange(service.port, head("GET", "/v1/providers", headers=[("Origin", PAGE), ("Content-Length", "5"), ("Transfer-Encoding", "chunked")])),
    ]  # fmt: skip
    with Raw(service.port) as connection:
        connection.send(head("POST", "/v1/providers", service.admin_key, [("Origin", PAGE), ("Content-Type", "application/json"), ("Content-Length", "9")]) + "{")
        answers.append(connection.answer())
    assert [a.status for a in answers] == [200, 401, 403, 404, 404, 405, 422, 422, 200, 413, 400, 408]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE, answer


def test_what_a_page_may_read(client):
    """Every header that openapi.yaml documents."""
    documented = {name.lower() for _, _, operation in CONTRACT.operations() for response in operation["responses"].values()
                  for name in CONTRACT.resolve(response).get("headers", {})} - {"allow"}  # fmt: skip
    readable = names(client.get("/v1/providers", headers={"Origin": PAGE}).headers["Access-Control-Expose-Headers"])
    assert documented <= readable | MAY_ALWAYS_READ


def test_none_by_default(new_service):
    service = new_service()
    answer = preflight(service.client(""), "GET", "/v1/providers")
    assert (answer.status, cors_headers(answer)) == (405, [])
    answer = service.client().get("/v1/providers", headers={"Origin": PAGE})
    assert cors_headers(answer) == [] and "Vary" not in answer.headers


@pytest.mark.parametrize("origins", ["*", "null", "operations.example", "https://operations.example/", "https://A.example", "ftp://a.example", "https://",
                                     "https://a.example:", "https://a.example:x", "https://a.example,*", "https://a.example:123456"])  # fmt: skip
def test_bad_settings(new_service, origins):
    with pytest.raises(RuntimeError, match="ASSAY_CORS_ORIGINS"):
        new_service(env={"ASSAY_CORS_ORIGINS": origins})


def test_an_empty_list_is_none(new_service):
    assert cors_headers(new_service(env={"ASSAY_CORS_ORIGINS": ""}).client().get("/v1/providers", headers={"Origin": PAGE})) == []
