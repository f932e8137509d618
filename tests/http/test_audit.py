"""The audit log: who did what, what it was before and after; what is not in it; and that its chain comes out by hand."""

import datetime
import json
import urllib.parse
import uuid

import pytest

from support.at_once import eventually
from support.audit import check_chain, entry_sha256
from support.world import World, csv

NAMED = "named-" + uuid.uuid4().hex[:8]


def of_request(client, request_id):
    """Oldest first."""
    return [e for e in reversed(client.all("/v1/audit")) if e["request_id"] == request_id]


@pytest.fixture
def ask(client):
    """Does a call under a request id of its own; its answer, and the entries of it, oldest first."""

    def do(method, path, json=None, by=client, **more):
        request_id = "a-" + uuid.uuid4().hex
        more["headers"] = {**more.get("headers", {}), "X-Request-Id": request_id}
        answer = by.request(method, path, json=json, **more)
        return answer, of_request(client, request_id)

    return do


# ---- what an entry says ----


def test_who_what_when_before_and_after(ask, client, service, world):
    operator = client.with_key(service.new_key("operator"))
    made = world.register(name="一号")
    path = f"/v1/providers/{made['provider_id']}"
    answer, entries = ask("PATCH", path, {"name": "二号"}, by=operator, headers={"If-Match": "*"})
    assert answer.status == 200
    (entry,) = entries
    key = next(k for k in client.all("/v1/keys") if operator.key.startswith(k["prefix"]) and k["role"] == "operator")
    assert (entry["actor_id"], entry["actor_name"]) == (key["key_id"], key["name"])
    assert (entry["action"], entry["subject"], entry["provider_id"]) == ("provider.updated", made["provider_id"], made["provider_id"])
    assert (entry["before"]["name"], entry["after"]["name"]) == ("一号", "二号")
    assert {k for k in entry["before"] if entry["before"][k] != entry["after"][k]} == {"name", "updated_at", "version"}
    at = datetime.datetime.fromisoformat(entry["at"].replace("Z", "+00:00"))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()) < 60


def test_what_follows_is_of_the_same_request(ask, world):
    """An approval with the deposit paid schedules the trial; each step has its entry, with the state before it."""
    world.advance("2023-03-20")
    provider = world.register()
    application = world.apply(provider["provider_id"])
    world.pay(provider["provider_id"])
    _, entries = ask("POST", f"/v1/applications/{application['application_id']}/approve", {"note": "fine"})
    assert [e["action"] for e in entries] == ["application.approved", "deposit.obligation_changed", "provider.admitted", "period.scheduled"]
    approved, _, admitted, scheduled = entries
    assert (approved["before"]["status"], approved["after"]["status"], approved["after"]["note"]) == ("submitted", "approved", "fine")
    assert (admitted["before"]["status"], admitted["after"]["status"]) == ("applied", "admitted")
    assert admitted["after"]["cause"] == application["application_id"]
    assert scheduled["before"] is None and scheduled["after"]["start"] == "2023-04-01"
    assert {e["provider_id"] for e in entries} == {provider["provider_id"]}


def test_a_run_and_all_that_it_closes(ask, world, client):
    provider = world.admit()
    world.advance("2023-07-02")
    world.load("stores", [world.store("audit-1")])
    world.load("store_days", [{"store_id": "audit-1", "day": "2023-07-01", "orders": 0, "gmv_fen": 0}], complete_through="2023-07-01")
    answer, _ = ask("POST", "/v1/assessment-runs", {"as_of": "2023-07-01"})
    run_id = answer.json["run_id"]
    eventually(lambda: client.get(f"/v1/assessment-runs/{run_id}").json["status"] == "done")
    entries = of_request(client, answer.headers["X-Request-Id"])
    mine = [e["action"] for e in entries if e["provider_id"] == provider["provider_id"]]
    assert sorted(mine) == ["decision.made", "deposit.obligation_changed", "period.failed", "provider.trial_failed"]
    assert [e["before"]["status"] for e in entries if e["action"] == "period.failed" and e["provider_id"] == provider["provider_id"]] == ["awaiting_data"]
    assert [entries[0]["action"], entries[-1]["action"]] == ["run.created", "run.finished"]
    assert len({e["actor_id"] for e in entries}) == 1


def test_days_that_the_clock_passes(ask, client, world):
    today = client.get("/v1/audit", query={"action": "clock.moved", "limit": 1}).json["data"][0]["after"]["today"]
    target = (datetime.date.fromisoformat(today) + datetime.timedelta(days=100)).isoformat()
    world.admit()
    _, entries = ask("POST", "/v1/test-clock", {"today": target})
    moves = [e for e in entries if e["action"] == "clock.moved"]
    assert moves[0]["before"]["today"] == today and moves[-1]["after"]["today"] == target
    assert all(a["after"] == b["before"] for a, b in zip(moves, moves[1:]))
    by_itself = client.all("/v1/audit", {"actor_id": "system"})
    assert {"period.opened", "provider.trial_began", "daily_job.done"} <= {e["action"] for e in by_itself}
    assert all(e["request_id"].startswith("daily-") for e in by_itself if e["action"] == "period.opened")
    assert ask("POST", "/v1/test-clock", {"today": target})[1] == []


def test_imports_the_watermark_and_what_failed(ask, client, world):
    headers = {"Content-Type": "text/csv"}
    body = csv("stores", [world.store("audit-2")])
    _, (applied,) = ask("POST", "/v1/imports", body=body, query={"kind": "stores"}, headers=headers)
    assert (applied["action"], applied["before"], applied["after"]["rows"]["inserted"]) == ("import.applied", {"status": "running"}, 1)
    days = csv("store_days", [{"store_id": "audit-2", "day": "2024-01-01", "orders": 1, "gmv_fen": 1}])
    _, entries = ask("POST", "/v1/imports", body=days, query={"kind": "store_days", "complete_through": "2024-01-01"}, headers=headers)
    assert [e["action"] for e in entries] == ["watermark.moved", "import.applied"]
    assert entries[0]["after"] == {"day": "2024-01-01", "import_id": entries[1]["subject"]} and entries[0]["before"]["day"] < "2024-01-01"
    _, (rejected,) = ask("POST", "/v1/imports", body=csv("stores", [world.store("audit-3", status="asleep")]), query={"kind": "stores"},
                         headers=headers)
    assert (rejected["action"], rejected["after"]["rows"]["rejected"]) == ("import.rejected", 1)
    _, (failed,) = ask("POST", "/v1/imports", body=b"\x1f\x8bnot gzip", query={"kind": "stores"}, headers=headers)
    assert (failed["action"], failed["after"]["status"]) == ("import.failed", "failed")


def test_a_key_is_bound_by_what_it_registers(ask, client, service, world):
    partner = client.with_key(service.new_key("partner"))
    answer, entries = ask("POST", "/v1/providers", world.provider_body(), by=partner)
    assert sorted(e["action"] for e in entries) == ["key.bound", "provider.registered"]
    bound = next(e for e in entries if e["action"] == "key.bound")
    assert bound["subject"] == bound["actor_id"] and bound["after"] == {"provider_id": answer.json["provider_id"]}


def test_keys(ask):
    made, (created,) = ask("POST", "/v1/keys", {"name": NAMED, "role": "feed"})
    assert (created["action"], created["before"], created["after"]["name"]) == ("key.created", None, NAMED)
    _, (revoked,) = ask("DELETE", f"/v1/keys/{made.json['key_id']}")
    assert revoked["action"] == "key.revoked" and revoked["before"]["revoked_at"] is None and revoked["after"]["revoked_at"]
    assert ask("DELETE", f"/v1/keys/{made.json['key_id']}")[1] == []


def test_what_changed_nothing_leaves_nothing(ask, client, service, world):
    body = world.provider_body()
    assert ask("POST", "/v1/providers", body, query={"dry_run": "true"})[1] == []
    assert ask("POST", "/v1/providers", {**body, "credit_code": "x"})[1] == []
    auditor = client.with_key(service.new_key("auditor"))
    assert ask("POST", "/v1/providers", body, by=auditor)[1] == []
    first, entries = ask("POST", "/v1/providers", body, idempotency_key=NAMED)
    assert first.status == 201 and len(entries) == 1
    again, entries = ask("POST", "/v1/providers", body, idempotency_key=NAMED)
    assert again.body == first.body and entries == []
    path = f"/v1/providers/{first.json['provider_id']}"
    assert ask("PATCH", path, {"name": body["name"]}, headers={"If-Match": "*"})[1] == []
    assert ask("PATCH", path, {"name": "stale"}, headers={"If-Match": '"v77"'})[1] == []


# ---- what must not be there ----

PERSON = {"name": "欧阳无名氏", "phone": "13700137000", "email": "nobody.else@example.org"}
LATER = {"name": "司徒某某", "phone": "+86 139-0139-0139", "email": "somebody.else@example.org"}


def text_of_all_rows(database, table):
    return "\n".join(row[0] for row in database.sql(f"select t::text from {table} t"))


def test_no_personal_data_and_no_secret_anywhere(ask, client, service, world, database, cluster):
    provider = world.register(contact=PERSON)
    path = f"/v1/providers/{provider['provider_id']}"
    assert client.patch(path, {"contact": LATER}, headers={"If-Match": "*"}).status == 200
    # Refused, wrong, and out of place: nothing that was sent is repeated where it does not belong.
    assert client.post("/v1/providers", world.provider_body(credit_code=provider["credit_code"], contact=PERSON)).status == 409
    assert client.post("/v1/providers", world.provider_body(contact={**PERSON, "fax": "13700137000"})).status == 422
    assert client.post("/v1/providers", world.provider_body(contact=PERSON["phone"])).status == 422
    assert client.request("POST", "/v1/providers", body=json.dumps({"contact": PERSON}, ensure_ascii=False).encode()[:-1],
                          headers={"Content-Type": "application/json"}).status == 400
    assert client.get("/v1/providers?" + urllib.parse.urlencode({"q": PERSON["name"]})).json["data"] == []
    documents = [{**world.documents()[0], "name": "身份证-欧阳无名氏.pdf", "uri": "https://files.example/13700137000.pdf"}]
    world.apply(provider["provider_id"], documents=documents)
    people = [{"credit_code": provider["credit_code"], "person_id": p, "passed_on": d} for p, d in
              (("id-4201061990", "2023-04-10"), ("id-4201061991", "2023-04-10"))]
    world.load("exam_passes", people)
    world.load("exam_passes", [{**people[0], "passed_on": "never"}, {**people[1], "credit_code": "x"}], ok=False)
    world.load("exam_passes", [{**people[0], "person_id": "id-4201061990" * 6}], mode="per_row", ok=False)
    made = client.post("/v1/keys", {"name": "secret", "role": "operator"}).json
    turned = client.post(f"/v1/keys/{made['key_id']}/rotate", {}).json
    assert client.with_key(made["key"]).get(path).status == 200
    assert client.with_key(made["key"][:-1] + "#").get(path).status == 401
    eventually(lambda: made["key_id"] in service.log())

    secret = [made["key"], turned["key"], client.key, "id-4201061990", "id-4201061991"]
    secret += [v for contact in (PERSON, LATER) for v in contact.values()]
    secret += [made["key"][4:], turned["key"][4:], "欧阳无名氏".encode("unicode_escape").decode()]
    for where, text in (("audit", text_of_all_rows(database, "audit")), ("event", text_of_all_rows(database, "event")),
                        ("the service's log", service.log()), ("PostgreSQL's log", cluster.log()),
                        ("GET /v1/audit", json.dumps(client.all("/v1/audit"), ensure_ascii=False))):
        assert [s for s in secret if s in text] == [], where
    stored = text_of_all_rows(database, "api_key")
    assert made["prefix"] in stored and made["key"] not in stored


def test_that_a_contact_changed_shows_and_nothing_more(ask, world):
    provider = world.register(contact=PERSON)
    path = f"/v1/providers/{provider['provider_id']}"
    _, (entry,) = ask("PATCH", path, {"contact": {"phone": "1"}}, headers={"If-Match": "*"})
    before, after = entry["before"]["contact"], entry["after"]["contact"]
    assert set(before) == set(after) == {"name", "phone", "email"}
    assert before["name"] == after["name"] and before["phone"] != after["phone"]
    _, (entry,) = ask("PATCH", path, {"contact": {"phone": PERSON["phone"]}}, headers={"If-Match": "*"})
    assert entry["after"]["contact"] == before, "the same value, hidden, is the same"
    _, (entry,) = ask("PATCH", path, {"contact": None}, headers={"If-Match": "*"})
    assert entry["after"]["contact"] is None


# ---- the list ----


def test_filters(client, world):
    first, second = world.register(), world.register()
    world.apply(first["provider_id"])
    everything = client.all("/v1/audit")
    assert [e["audit_id"] for e in everything] == sorted((e["audit_id"] for e in everything), reverse=True)

    def asked(**query):
        return client.all("/v1/audit", query, limit=7)

    def those(wanted):
        return [e["audit_id"] for e in everything if wanted(e)]

    def ids(entries):
        return [e["audit_id"] for e in entries]

    who = everything[0]["actor_id"]
    assert ids(asked(provider_id=first["provider_id"])) == those(lambda e: e["provider_id"] == first["provider_id"]) != []
    assert ids(asked(subject=second["provider_id"])) == those(lambda e: e["subject"] == second["provider_id"]) != []
    assert ids(asked(action="provider.applied")) == those(lambda e: e["action"] == "provider.applied") != []
    assert ids(asked(actor_id=who)) == those(lambda e: e["actor_id"] == who) != []
    assert ids(asked(actor_id=who, provider_id=first["provider_id"], action="provider.applied")) == those(
        lambda e: (e["actor_id"], e["provider_id"], e["action"]) == (who, first["provider_id"], "provider.applied")) != []
    middle = everything[len(everything) // 2]["at"]
    assert ids(asked(**{"from": middle})) == those(lambda e: e["at"] >= middle)
    assert ids(asked(to=middle)) == those(lambda e: e["at"] < middle)
    assert ids(asked(**{"from": middle, "to": everything[0]["at"]})) == those(lambda e: middle <= e["at"] < everything[0]["at"])
    assert asked(**{"from": "2099-01-01T00:00:00Z"}) == asked(to="2020-01-01T00:00:00Z") == asked(subject="nothing") == []


@pytest.mark.parametrize("query, wrong", [
    ({"from": "2023-04-01"}, {"from": "wrong_format"}),
    ({"to": "yesterday", "from": "2023-04-01T00:00:00"}, {"to": "wrong_format", "from": "wrong_format"}),
    ({"cursor": "eA"}, {"cursor": "wrong_format"}),
    ({"cursor": "!"}, {"cursor": "wrong_format"}),
    ({"actor": "x"}, {"actor": "unknown_parameter"}),
])
def test_strict(client, query, wrong):
    answer = client.get("/v1/audit", query=query)
    assert (answer.status, answer.faults) == (422, wrong)


# ---- the chain ----


def test_it_comes_out_by_hand(client):
    seen = client.get("/v1/audit/verify").json
    assert (seen["ok"], seen["complete"], seen["resume"], seen["problems"]) == (True, True, None, [])
    entries = client.all("/v1/audit")
    assert check_chain(entries) == f"{seen['head']['position']}:{seen['head']['sha256']}"
    assert seen["links"] == seen["entries"] == len(entries)
    changed = {**entries[0], "actor_name": "someone else"}
    assert entry_sha256(changed).hex() != changed["sha256"]


def test_a_remembered_head(client, world):
    head = client.get("/v1/audit/verify").json["head"]
    world.register()
    known = f"{head['position']}:{head['sha256']}"
    seen = client.get("/v1/audit/verify", query={"head": known}).json
    assert seen["ok"] and seen["head"]["position"] == head["position"] + 1
    other = known[:-1] + ("0" if known[-1] != "0" else "1")
    for unknown in (other, f"{head['position'] + 100}:{head['sha256']}"):
        seen = client.get("/v1/audit/verify", query={"head": unknown}, headers={"Accept-Language": "zh-CN"}).json
        assert (seen["ok"], seen["problem_count"], [p["code"] for p in seen["problems"]]) == (False, 1, ["audit_head_unknown"])
        assert "审计链" in seen["problems"][0]["message"]


@pytest.mark.parametrize("query, wrong", [
    ({"head": "1"}, "head"), ({"head": "0:" + "0" * 64}, "head"), ({"head": "1:" + "g" * 64}, "head"), ({"head": "1:" + "0" * 63}, "head"),
    ({"resume": "x"}, "resume"), ({"resume": "eDEy"}, "resume"), ({"resume": ""}, "resume"),
])
def test_what_verify_takes(client, query, wrong):
    answer = client.get("/v1/audit/verify", query=query, check=False)
    assert (answer.status, answer.faults) == (422, {wrong: "wrong_format"})


def test_it_goes_on_where_it_left_off(client):
    """As an answer that ran out of time would say it: from a link on, and from an entry on."""
    whole = client.get("/v1/audit/verify").json
    from_link = client.get("/v1/audit/verify", query={"resume": "bDU"}).json  # l5
    assert from_link["ok"] and from_link["links"] == whole["links"] - 5 and from_link["entries"] == whole["entries"]
    from_entry = client.get("/v1/audit/verify", query={"resume": "ZTU"}).json  # e5
    assert from_entry["ok"] and from_entry["links"] == 0 and from_entry["entries"] == whole["entries"] - 5


def test_tampering_shows_over_http_too(client, database, world):
    world.register()
    victim = client.get("/v1/audit", query={"limit": 1}).json["data"][0]["audit_id"]
    assert client.get("/v1/audit/verify").json["ok"]
    database.sql(f"set session_replication_role = replica; delete from audit where audit_id = {int(victim[4:], 16)}")
    seen = client.get("/v1/audit/verify").json
    assert (seen["ok"], seen["problem_count"]) == (False, 1)
    (problem,) = seen["problems"]
    assert (problem["code"], problem["audit_id"], problem["position"]) == ("audit_entry_missing", victim, seen["links"])


@pytest.mark.parametrize("role", ["operator", "feed", "partner"])
def test_not_for_everyone(client, keys, role):
    for path in ("/v1/audit", "/v1/audit/verify"):
        assert client.with_key(keys[role]).get(path).code == "forbidden"
    assert client.with_key(keys["auditor"]).get("/v1/audit").status == 200


def test_a_failing_statement_is_logged_without_what_it_was_about(new_service):
    """PostgreSQL's own words on a constraint quote the whole row."""
    service = new_service()
    client = service.client()
    world = World(client)
    made = world.register()
    service.database.sql("""alter table provider add constraint nobody check (contact is null)""")
    answer = client.patch(f"/v1/providers/{made['provider_id']}", {"contact": PERSON}, headers={"If-Match": "*"})
    assert (answer.status, answer.code) == (500, "internal")
    eventually(lambda: "statement failed" in service.log())
    line = next(line for line in service.log().splitlines() if "statement failed" in line)
    assert "nobody" in line and "op_provider_patch" in line
    assert [v for v in PERSON.values() if v in service.log()] == []
