"""Who may do what, on every route there is. The routes are those that `assayd routes` prints and the bodies those of openapi.yaml,
so that a new operation is covered by itself; one on a new kind of thing makes test_foreign_things fail until ANOTHERS has one."""

import subprocess

import pytest

from support import openapi_check
from support.raw import exchange, head
from support.service import binary
from support.world import spread

ROLES = ("admin", "operator", "feed", "partner", "auditor")
CONTRACT = openapi_check.contract()


def routes():
    out = subprocess.run([binary(), "routes"], capture_output=True, text=True, timeout=60, check=True).stdout
    for line in out.splitlines():
        method, path, name, roles, body, *_ = line.split("\t")
        yield method, path, name, roles.split(","), body


ROUTES = [r for r in routes() if r[3] != ["public"]]
EVERY = pytest.mark.parametrize("method, path, name, roles, body", ROUTES, ids=[r[2] for r in ROUTES])
PARTNERS = [r for r in ROUTES if "partner" in r[3]]


def nowhere(path):
    return path.replace("{id}", "nothing-has-this-id").replace("{version}", "2000-01-01")


def example(method, path):
    """(media type, value) of the first body that openapi.yaml gives as an example; None when there is no body."""
    operation = CONTRACT.document["paths"][path][method.lower()]
    if "requestBody" not in operation:
        return None
    media, content = next(iter(operation["requestBody"]["content"].items()))
    return media, CONTRACT.resolve(next(iter(content["examples"].values())))["value"]


def call(client, method, path, at, body="example", **more):
    """Calls an operation for its permissions: a POST as a dry run, so that nothing comes of it."""
    query = {"dry_run": "true"} if method == "POST" else None
    sent = example(method, path)
    if method == "POST":
        more["idempotency_key"] = "new"
    if not sent:
        return client.request(method, at, query=query, **more)
    media, value = sent
    if "json" not in media:
        return client.request(method, at, query=query, body=str(value).encode(), headers={"Content-Type": media}, check=False, **more)
    return client.request(method, at, query=query, json={} if body == "empty" else value, headers={"If-Match": '"v0"'} if method in ("PATCH", "PUT") else {}, **more)


# ---- roles ----


@EVERY
def test_every_role(service, keys, method, path, name, roles, body):
    """Without a body to act on, so that an admin's calls change nothing."""
    for role in ROLES:
        answer = call(service.client(keys[role]), method, path, nowhere(path), body="empty")
        if role in roles:
            assert answer.status not in (401, 403), (role, answer)
        else:
            assert (answer.status, answer.code) == (403, "forbidden"), (role, answer)
            assert all(r in answer.json["detail"] for r in {role, *roles}), "it says which role would do"


def test_admin_may_everything():
    assert all("admin" in roles for _, _, _, roles, _ in ROUTES)


def test_an_auditor_changes_nothing():
    """What it may POST computes an answer and keeps nothing."""
    may = {name for method, _, name, roles, _ in ROUTES if "auditor" in roles and method != "GET"}
    assert may <= {"evaluate", "replayDecision", "whatIf"}


def test_a_feed_only_imports():
    assert {path.split("/")[2] for _, path, _, roles, _ in ROUTES if "feed" in roles} == {"imports"}


# ---- keys that do not let in ----


@pytest.fixture(scope="module")
def dead_keys(service, client, database):
    """What is no valid key, by why: of an admin's, so that nothing else could be the reason."""

    def made():
        return client.post("/v1/keys", {"name": "dead", "role": "admin"}).json

    expired, revoked, replaced = made(), made(), made()
    database.sql(f"update api_key set expires_at = now() - interval '1 second' where key_id = '{expired['key_id']}'")
    assert client.delete(f"/v1/keys/{revoked['key_id']}").status == 204
    assert client.post(f"/v1/keys/{replaced['key_id']}/rotate", {"overlap_seconds": 0}).status == 201
    good = service.admin_key
    return {
        "expired": expired["key"], "revoked": revoked["key"], "replaced": replaced["key"], "unknown": "ask_" + "x" * 43, "cut": good[:-1],
        "longer": good + "x", "no prefix": good[4:], "other case": good.swapcase(), "a token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    }  # fmt: skip


@EVERY
def test_every_dead_key(service, dead_keys, method, path, name, roles, body):
    for why, key in dead_keys.items():
        answer = call(service.client(key), method, path, nowhere(path), body="empty")
        assert (answer.status, answer.code) == (401, "unauthenticated"), (why, answer)
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@EVERY
def test_no_key(service, method, path, name, roles, body):
    answer = call(service.client(""), method, path, nowhere(path), body="empty")
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="assay"'


@EVERY
def test_malformed_keys(service, method, path, name, roles, body):
    key = service.admin_key
    for value in ("", "Bearer", "Bearer ", f"Basic {key}", key, f"Bearer {key} {key}", f"Bearer {key},", f'Bearer "{key}"', "Bearer " + "x" * 5000):
        answer = exchange(service.port, head(method, nowhere(path), headers=[("Authorization", value), ("Content-Length", "0"), ("Idempotency-Key", "x")]), method)
        assert (answer.status, answer.code) == (401, "unauthenticated"), (value[:60], answer)


# ---- what is another partner's ----


class Another:
    """A provider with one of everything that a partner can have."""

    def __init__(self, service, client, world, database):
        self.client = client
        world.advance("2023-03-15")
        provider = world.register()
        self.provider_id = provider["provider_id"]
        self.credit_code = provider["credit_code"]
        application = world.apply(self.provider_id)
        self.application_id = application["application_id"]
        world.approve(self.application_id)
        self.entry_id = world.pay(self.provider_id, effective_on="2023-03-15")["entry_id"]
        self.store_id = "access-1"
        world.load("stores", [world.store(self.store_id)])
        world.load("bindings", [world.binding(self.credit_code, self.store_id, "2023-04-03")])
        world.load("store_days", spread(self.store_id, "2023-04-01", "2023-06-30", 30, 3000), complete_through="2023-06-30")
        world.advance("2023-07-01")
        period = client.get(f"/v1/providers/{self.provider_id}/periods").json["data"][0]
        self.period_id, self.decision_id = period["period_id"], period["decision_id"]
        self.appeal_id = client.post(f"/v1/decisions/{self.decision_id}/appeals", {"reason": "to be seen"}).json["appeal_id"]
        world.load("store_days", spread(self.store_id, "2023-06-30", "2023-06-30", 31, 31))
        self.correction_id = client.post(f"/v1/decisions/{self.decision_id}/correct", {"reason": "to be seen"}).json["correction_id"]
        # Its trial failed, for which this policy sets no cool-down: there is one all the same, so that a waiver has something to lift.
        database.sql(f"update provider set reapply_from = '2023-12-31', reapply_cause = 'trial_failed' where provider_id = '{self.provider_id}'")
        waiver = {"kind": "cooldown", "reason": "to be seen", "expires_on": "2023-12-01"}
        self.waiver_id = client.post(f"/v1/providers/{self.provider_id}/waivers", waiver).json["waiver_id"]
        refund = client.post(f"/v1/providers/{self.provider_id}/deposit/refunds", {"reason": "too much", "amount_fen": 1})
        assert refund.status == 201, refund
        self.refund_id = refund.json["refund_id"]
        self.key = service.new_key("partner", self.provider_id)
        self.foreign_keys = {"of another": service.new_key("partner", world.register()["provider_id"]), "of none": service.new_key("partner")}

    def secrets(self):
        """What no other partner may read anywhere."""
        return {v for n, v in vars(self).items() if n.endswith("_id") or n == "credit_code"}


# What {id} stands for, by the beginning of the path; None: nobody's own.
ANOTHERS = {
    "/v1/providers/{id}": lambda a: a.provider_id,
    "/v1/applications/{id}": lambda a: a.application_id,
    "/v1/periods/{id}": lambda a: a.period_id,
    "/v1/decisions/{id}": lambda a: a.decision_id,
    "/v1/refunds/{id}": lambda a: a.refund_id,
    "/v1/waivers/{id}": lambda a: a.waiver_id,
    "/v1/stores/{id}": lambda a: a.store_id,
    "/v1/corrections/{id}": lambda a: a.correction_id,
    "/v1/appeals/{id}": lambda a: a.appeal_id,
    "/v1/policies/{id}@{version}": None,
}


@pytest.fixture(scope="module")
def another(service, client, world, database):
    return Another(service, client, world, database)


def subject(path):
    return next((begin for begin in ANOTHERS if path == begin or path.startswith(begin + "/")), None)


OWNED = [r for r in PARTNERS if "{" in r[1] and ANOTHERS.get(subject(r[1]), True)]


@pytest.mark.parametrize("method, path, name, roles, body", OWNED, ids=[r[2] for r in OWNED])
def test_foreign_things(service, another, method, path, name, roles, body):
    """404, in the same words as for what does not exist; to its own partner and to an admin it is there."""
    assert subject(path), f"ANOTHERS has no example of what {path} is about: add one"
    at = path.replace("{id}", ANOTHERS[subject(path)](another))
    for why, key in another.foreign_keys.items():
        answer = call(service.client(key), method, path, at)
        assert (answer.status, answer.code) == (404, "not_found"), (why, answer)
        missing = call(service.client(key), method, path, at.replace(ANOTHERS[subject(path)](another), "nothing-has-this-id"))
        assert {**answer.json, "request_id": ""} == {**missing.json, "request_id": ""}
    for key in (another.key, service.admin_key):
        answer = call(service.client(key), method, path, at)
        assert answer.status not in (401, 403, 404) and (method != "GET" or answer.status == 200), answer


LISTS = [r for r in PARTNERS if r[0] == "GET" and "{" not in r[1]]


@pytest.mark.parametrize("method, path, name, roles, body", LISTS, ids=[r[2] for r in LISTS])
def test_foreign_things_in_lists(service, another, method, path, name, roles, body):
    """Not even when it asks for them by name."""
    operation = CONTRACT.document["paths"][path]["get"]
    parameters = {p["name"] for p in map(CONTRACT.resolve, operation.get("parameters", [])) if p["in"] == "query"}
    queries = [{}] + [{n: getattr(another, n)} for n in sorted(parameters) if hasattr(another, n)]
    if "q" in parameters:
        queries.append({"q": another.credit_code})
    for query in queries:
        for key in another.foreign_keys.values():
            answer = service.client(key).get(path, query=query)
            assert answer.status in (200, 404), answer
            assert not [s for s in another.secrets() if s.encode() in answer.body], (query, answer)
    assert any(s.encode() in service.client(another.key).get(path).body for s in another.secrets()) or name in ("listPolicies",), \
        "to its own partner they are listed"


def test_a_partner_registers_only_for_itself(service, another, world):
    answer = service.client(another.key).post("/v1/providers", world.provider_body())
    assert (answer.status, answer.code) == (409, "wrong_state")
