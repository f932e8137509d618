"""Who may do what: every route with every role, and what a partner's key sees of others."""

import subprocess

import pytest

from support.raw import exchange, head
from support.service import binary
from support.world import World, spread

ROLES = ("admin", "operator", "feed", "partner", "auditor")
ROUTES = [line.split("\t")[:5] for line in
          subprocess.run([binary(), "routes"], capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()]
GUARDED = [r for r in ROUTES if r[3] != "public"]


def filled(path):
    return path.replace("{id}", "nothing-has-this-id").replace("{version}", "2000-01-01")


def call(client, method, path, body, **more):
    if body == "json":
        return client.request(method, filled(path), json={}, idempotency_key="new", **more)
    if body == "stream":
        return client.request(method, filled(path), body=b"", headers={"Content-Type": "application/json"}, **more)
    return client.request(method, filled(path), **more)


@pytest.mark.parametrize("method, path, name, roles, body", GUARDED, ids=[r[2] for r in GUARDED])
def test_every_role_on_every_route(service, keys, method, path, name, roles, body):
    for role in ROLES:
        answer = call(service.client(keys[role]), method, path, body)
        if role in roles.split(","):
            assert answer.status not in (401, 403), (role, answer)
        else:
            assert (answer.status, answer.code) == (403, "forbidden"), (role, answer)
            assert role in answer.json["detail"] and "admin" in answer.json["detail"]


@pytest.mark.parametrize("method, path, name, roles, body", GUARDED, ids=[r[2] for r in GUARDED])
def test_nobody_without_a_key(service, method, path, name, roles, body):
    answer = call(service.client(""), method, path, body)
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_public_routes_need_no_key(service):
    public = [r for r in ROUTES if r[3] == "public"]
    assert {r[1] for r in public} == {"/healthz", "/readyz", "/metrics", "/openapi.yaml", "/docs", "/docs/redoc.js"}
    for method, path, *_ in public:
        assert service.client("").request(method, path).status == 200


@pytest.mark.parametrize("make", [
    lambda k: "", lambda k: "Bearer", lambda k: "Bearer ", lambda k: k, lambda k: f"Basic {k}", lambda k: f"Bearer {k}x", lambda k: f"Bearer x{k}",
    lambda k: f"Bearer {k[:-1]}", lambda k: f"Bearer {k.upper()}", lambda k: f'Bearer "{k}"', lambda k: f"Bearer {k} {k}", lambda k: f"Bearer{k}",
    lambda k: f"Bearer {'a' * 5000}", lambda k: f"Bearer {k},", lambda k: "Bearer ' or 1=1 --xxxxxxxxxxxx",
])  # fmt: skip
def test_what_is_no_key(service, make):
    answer = exchange(service.port, head("GET", "/v1/providers", "", [("Authorization", make(service.admin_key))]))
    assert (answer.status, answer.code) == (401, "unauthenticated"), answer


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_the_scheme_has_no_case(service, scheme):
    answer = exchange(service.port, head("GET", "/v1/providers", "", [("Authorization", scheme + service.admin_key)]))
    assert answer.status == 200


def test_a_key_belongs_into_the_header(service):
    key = service.admin_key
    assert service.client("").get(f"/v1/providers?key={key}", check=False).status in (401, 422)
    assert exchange(service.port, head("GET", "/v1/providers", "", [("Cookie", f"Authorization=Bearer {key}")])).status == 401


# ---- partners ----


@pytest.fixture(scope="module")
def others(service, client, world):
    """A provider with everything a partner might look at, and the key of another one's partner."""
    world.advance("2023-03-15")
    theirs = world.register()
    application = world.apply(theirs["provider_id"])
    world.approve(application["application_id"])
    world.pay(theirs["provider_id"], effective_on="2023-03-15")
    world.load("stores", [world.store("auth-1")])
    world.load("bindings", [world.binding(theirs["credit_code"], "auth-1", "2023-04-03")])
    world.load("store_days", spread("auth-1", "2023-04-01", "2023-06-30", 30, 3000), complete_through="2023-06-30")
    world.advance("2023-07-01")
    period = client.get(f"/v1/providers/{theirs['provider_id']}/periods").json["data"][0]
    mine = world.register()
    key = service.new_key("partner", mine["provider_id"])
    return {"provider": theirs["provider_id"], "application": application["application_id"], "period": period["period_id"],
            "decision": period["decision_id"], "store": "auth-1", "mine": mine["provider_id"], "key": key,
            "own_key": service.new_key("partner", theirs["provider_id"])}


PARTNER_READS = [
    "/v1/providers/{provider}", "/v1/providers/{provider}/qualification", "/v1/providers/{provider}/applications",
    "/v1/applications/{application}", "/v1/providers/{provider}/deposit", "/v1/providers/{provider}/deposit/entries",
    "/v1/providers/{provider}/stores", "/v1/providers/{provider}/periods", "/v1/periods/{period}", "/v1/periods/{period}/missing-days",
    "/v1/decisions/{decision}",
    "/v1/decisions/{decision}/evidence", "/v1/stores/{store}",
]  # fmt: skip


@pytest.mark.parametrize("path", PARTNER_READS)
def test_anothers_is_not_there(service, others, path):
    """404, and the same words as for what does not exist; to its own partner it is there."""
    path = path.format(**others)
    answer = service.client(others["key"]).get(path)
    assert (answer.status, answer.code) == (404, "not_found"), answer
    missing = service.client(others["key"]).get(path.replace(path.split("/")[3], path.split("/")[3][:-1] + "_"))
    assert {**answer.json, "request_id": ""} == {**missing.json, "request_id": ""}
    assert service.client(others["own_key"]).get(path).status == 200


@pytest.mark.parametrize("path, body", [
    ("/v1/providers/{provider}/applications", {"documents": []}), ("/v1/applications/{application}/withdraw", {}),
    ("/v1/providers/{provider}/early-conversion", {}), ("/v1/decisions/{decision}/replay", {}),
])  # fmt: skip
def test_anothers_cannot_be_touched(service, others, path, body):
    answer = service.client(others["key"]).post(path.format(**others), body)
    assert (answer.status, answer.code) == (404, "not_found"), answer


def test_lists_show_a_partner_its_own(service, others):
    mine, theirs = service.client(others["key"]), service.client(others["own_key"])
    assert [p["provider_id"] for p in mine.all("/v1/providers")] == [others["mine"]]
    assert mine.all("/v1/decisions") == []
    assert mine.all("/v1/decisions", {"provider_id": others["provider"]}) == []
    assert [d["decision_id"] for d in theirs.all("/v1/decisions")] == [others["decision"]]


def test_a_partner_without_a_provider_sees_none_and_gets_the_one_it_registers(service, world, others):
    partner = service.client(service.new_key("partner"))
    assert partner.all("/v1/providers") == []
    assert partner.get(f"/v1/providers/{others['provider']}").status == 404
    made = partner.post("/v1/providers", world.provider_body())
    assert made.status == 201
    path = f"/v1/providers/{made.json['provider_id']}"
    assert partner.get(path).json == made.json
    assert [p["provider_id"] for p in partner.all("/v1/providers")] == [made.json["provider_id"]]
    again = partner.post("/v1/providers", world.provider_body())
    assert (again.status, again.code) == (409, "wrong_state"), again
    assert World(partner).apply(made.json["provider_id"])["status"] == "submitted"
    refused = partner.post(f"{path}/deposit/entries", {"kind": "payment", "amount_fen": 1, "external_reference": "x"})
    assert refused.status == 403
