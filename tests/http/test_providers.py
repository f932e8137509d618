"""Providers: register, read, patch."""

import pytest

from support.at_once import at_once
from support.credit_code import ALPHABET
from support.world import new_credit_code


def test_register(client, world, database):
    body = world.provider_body(contact={"name": "李四", "phone": "13800000000", "email": "li@example.com"}, service_categories=["practical_assistance", "mall"])
    answer = client.post("/v1/providers", body)
    assert answer.status == 201
    made = answer.json
    assert made["provider_id"].startswith("prv_")
    assert answer.headers["Location"] == f"/v1/providers/{made['provider_id']}"
    assert {k: made[k] for k in body} == body
    assert (made["status"], made["revoked_on"], made["reapply_from"], made["version"]) == ("registered", None, None, 1)
    read = client.get(answer.headers["Location"])
    assert (read.status, read.body, read.etag) == (200, answer.body, answer.etag)
    assert database.sql(f"select count(*) from provider where provider_id = '{made['provider_id']}'") == [(1,)]


def test_contact_is_optional(client, world):
    for contact in (..., None, {}, {"phone": "1"}, {"name": None}):
        answer = client.post("/v1/providers", world.provider_body(contact=contact))
        assert answer.status == 201
        assert answer.json["contact"] == ({"name": None, "phone": "1", "email": None} if contact == {"phone": "1"} else None)


def test_ids_are_ordered_by_time(world):
    ids = [world.register()["provider_id"] for _ in range(5)]
    assert ids == sorted(ids)


def wrong_check(code):
    return code[:-1] + ALPHABET[(ALPHABET.index(code[-1]) + 1) % 31]


@pytest.mark.parametrize("member, value, code", [
    ("credit_code", ..., "missing"), ("credit_code", "", "too_short"), ("credit_code", "91420106000000001", "wrong_format"),
    ("credit_code", "914201060000000011A", "wrong_format"), ("credit_code", "91420106I000000011", "wrong_format"),
    ("credit_code", new_credit_code().lower().replace("9", "a", 1), "wrong_format"), ("credit_code", wrong_check(new_credit_code()), "bad_check_character"),
    ("name", ..., "missing"), ("name", "", "too_short"), ("name", "名" * 201, "too_long"), ("name", 5, "wrong_type"),
    ("service_categories", ..., "missing"), ("service_categories", [], "too_short"), ("service_categories", ["practical_assistance", "mall", "mall"], "too_long"),
    ("region", ..., "missing"), ("region", "42", "wrong_format"), ("region", "42000a", "wrong_format"), ("region", "020000", "wrong_format"),
    ("industry", ..., "missing"), ("industry", "Antiques", "wrong_format"), ("industry", "a" * 65, "wrong_format"), ("industry", "9a", "wrong_format"),
    ("main_category", ..., "missing"), ("main_category", "a-b", "wrong_format"),
    ("contact", "x", "wrong_type"), ("contact", [], "wrong_type"),
])  # fmt: skip
def test_what_is_refused(client, world, member, value, code):
    answer = client.post("/v1/providers", world.provider_body(**{member: value}))
    assert answer.status == 422, answer
    assert answer.faults == {f"/{member}": code}


@pytest.mark.parametrize("categories, pointer, code", [
    (["mall", "mall"], "/service_categories/1", "duplicate"), (["shop"], "/service_categories/0", "invalid_value"), ([1], "/service_categories/0", "wrong_type"),
])  # fmt: skip
def test_categories_are_refused_one_by_one(client, world, categories, pointer, code):
    assert client.post("/v1/providers", world.provider_body(service_categories=categories)).faults == {pointer: code}


def test_limits_are_inclusive(client, world):
    assert client.post("/v1/providers", world.provider_body(name="名" * 200, industry="a" * 64)).status == 201


def test_mall_alone_registers(client, world):
    """It cannot be certified (2): that is the application's check."""
    assert client.post("/v1/providers", world.provider_body(service_categories=["mall"])).status == 201


def test_one_a_credit_code(client, world):
    body = world.provider_body()
    assert client.post("/v1/providers", body).status == 201
    again = client.post("/v1/providers", {**body, "name": "另一个"})
    assert (again.status, again.code) == (409, "credit_code_taken")
    assert body["credit_code"] in again.json["detail"]


@pytest.mark.tsan
def test_the_same_credit_code_at_once(service, world, database):
    body = world.provider_body()
    answers = at_once(16, lambda i: service.client().post("/v1/providers", body))
    assert sorted(a.status for a in answers) == [201] + [409] * 15
    assert {a.code for a in answers if a.status == 409} == {"credit_code_taken"}
    assert database.sql(f"select count(*) from provider where credit_code = '{body['credit_code']}'") == [(1,)]


# ---- PATCH ----


@pytest.fixture
def path(world):
    return f"/v1/providers/{world.register(contact={'name': 'A', 'phone': '1', 'email': 'a@b.c'})['provider_id']}"


def test_patch_merges(client, path):
    before = client.get(path)
    answer = client.patch(path, {"name": "B", "contact": {"phone": None, "email": "b@b.c"}}, headers={"If-Match": before.etag})
    assert answer.status == 200, answer
    assert answer.json == {**before.json, "name": "B", "contact": {"name": "A", "phone": None, "email": "b@b.c"}, "version": 2,
                           "updated_at": answer.json["updated_at"]}
    assert client.get(path).body == answer.body
    removed = client.patch(path, {"contact": None}, headers={"If-Match": answer.etag})
    assert removed.json["contact"] is None


def test_patch_takes_merge_patch_too(client, path):
    answer = client.request("PATCH", path, body=b'{"name": "C"}', headers={"Content-Type": "application/merge-patch+json", "If-Match": "*"})
    assert (answer.status, answer.json["name"]) == (200, "C")


def test_patch_that_changes_nothing(client, path):
    before = client.get(path)
    answer = client.patch(path, {"name": before.json["name"]}, headers={"If-Match": before.etag})
    assert (answer.status, answer.etag, answer.body) == (200, before.etag, before.body)


def test_patch_needs_if_match(client, path):
    answer = client.patch(path, {"name": "B"})
    assert (answer.status, answer.code) == (428, "precondition_required")


@pytest.mark.parametrize("make, status", [
    (lambda e: e, 200), (lambda e: "*", 200), (lambda e: f'"v0", {e}', 200), (lambda e: '"v0"', 412), (lambda e: f"W/{e}", 412), (lambda e: '"v10", "v11"', 412),
    (lambda e: e.strip('"'), 422), (lambda e: '"', 422), (lambda e: "v1,,", 422),
])  # fmt: skip
def test_if_match(client, path, make, status):
    etag = client.get(path).etag
    answer = client.patch(path, {"name": "B"}, headers={"If-Match": make(etag)})
    assert answer.status == status, answer
    if status == 412:
        assert (answer.code, answer.etag) == ("version_stale", etag)
        assert client.get(path).etag == etag


@pytest.mark.tsan
def test_one_of_many_patches_wins(service, client, path):
    etag = client.get(path).etag
    answers = at_once(12, lambda i: service.client().patch(path, {"name": "W"}, headers={"If-Match": etag}))
    assert sorted(a.status for a in answers) == [200] + [412] * 11
    assert client.get(path).json["version"] == 2


@pytest.mark.parametrize("body, faults", [
    ({}, {"": "too_short"}), ({"name": None}, {"/name": "wrong_type"}), ({"credit_code": "x"}, {"/credit_code": "unknown_member"}),
    ({"status": "certified"}, {"/status": "unknown_member"}), ({"name": "", "region": "1"}, {"/name": "too_short", "/region": "wrong_format"}),
    ([], {"": "wrong_type"}), ({"contact": {"phone": ""}}, {"/contact/phone": "too_short"}), ({"service_categories": []}, {"/service_categories": "too_short"}),
])  # fmt: skip
def test_patch_is_strict(client, path, body, faults):
    answer = client.patch(path, body, headers={"If-Match": "*"})
    assert (answer.status, answer.faults) == (422, faults), answer


def test_patch_of_nothing(client):
    answer = client.patch("/v1/providers/prv_none", {"name": "B"}, headers={"If-Match": "*"})
    assert (answer.status, answer.code) == (404, "not_found")


def test_what_it_is_approved_for_stays_while_anything_rests_on_it(client, world, path):
    provider_id = path.split("/")[-1]
    assert client.patch(path, {"region": "330000", "industry": "antiques_art"}, headers={"If-Match": "*"}).status == 200
    application = world.apply(provider_id)
    for change in ({"region": "420000"}, {"industry": "tea"}, {"main_category": "tea"}, {"service_categories": ["mall"]}):
        answer = client.patch(path, change, headers={"If-Match": "*"})
        assert (answer.status, answer.code) == (409, "wrong_state"), answer
    assert client.patch(path, {"name": "新", "contact": {"phone": "9"}, "region": "330000"}, headers={"If-Match": "*"}).status == 200
    assert client.post(f"/v1/applications/{application['application_id']}/withdraw").status == 200
    assert client.patch(path, {"region": "420000"}, headers={"If-Match": "*"}).status == 200


# ---- what is kept of it ----


def test_contact_data_stays_out_of_audit_and_events(client, world, database):
    made = world.register(contact={"name": "王五", "phone": "13912345678", "email": "wang@example.com"})
    client.patch(f"/v1/providers/{made['provider_id']}", {"contact": {"phone": "13987654321"}}, headers={"If-Match": "*"})
    kept = str(database.sql(f"select before, after from audit where subject = '{made['provider_id']}'"))
    kept += str(database.sql(f"select data from event where subject = '{made['provider_id']}'"))
    assert "provider_id" in kept and "hidden:" in kept
    assert not [s for s in ("王五", "13912345678", "wang@", "13987654321") if s in kept]


def test_who_did_it_is_on_record(client, service, world, database, keys):
    """One audit entry and one event a change, with the request that made it."""
    made = client.post("/v1/providers", world.provider_body(), headers={"X-Request-Id": "audited-1"})
    rows = database.sql("select a.action, a.subject, k.role from audit a join api_key k on k.key_id = a.actor_id where request_id = 'audited-1'")
    assert rows == [("provider.registered", made.json["provider_id"], "admin")]
    assert database.sql(f"select type from event where subject = '{made.json['provider_id']}'") == [("provider.registered",)]


def test_the_life_is_guarded_by_the_database_too(database, world):
    made = world.register()
    import psycopg2

    with pytest.raises(psycopg2.errors.CheckViolation):
        database.sql(f"update provider set status = 'certified' where provider_id = '{made['provider_id']}'")
    for table in ("audit", "event", "provider_status"):
        with pytest.raises(psycopg2.errors.RestrictViolation):
            database.sql(f"truncate {table} cascade")
