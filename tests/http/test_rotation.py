"""Rotation of keys with two valid ones, and the pepper that their hashes are keyed with."""

import datetime
import hmac
import os

import pytest

from support.at_once import at_once, eventually

DAY = 24 * 3600


def seconds_between(a, b):
    return (datetime.datetime.fromisoformat(b.replace("Z", "+00:00")) - datetime.datetime.fromisoformat(a.replace("Z", "+00:00"))).total_seconds()


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def make(client):
    def one(**over):
        answer = client.post("/v1/keys", {"name": "billing", "role": "auditor", **over})
        assert answer.status == 201, answer
        return answer.json

    return one


def works(client, key):
    return client.with_key(key).get("/v1/policies").status == 200


def test_rotate(client, make, world):
    provider = world.register()["provider_id"]
    old = make(role="partner", provider_id=provider, requests_per_second=50)
    answer = client.post(f"/v1/keys/{old['key_id']}/rotate", {})
    assert answer.status == 201, answer
    new = answer.json
    assert answer.headers["Location"] == f"/v1/keys/{new['key_id']}"
    assert new["key"] != old["key"] and new["key"].startswith(new["prefix"])
    same = ("name", "role", "provider_id", "requests_per_second")
    assert [new[m] for m in same] == [old[m] for m in same]
    assert (new["replaces"], new["replaced_by"], new["expires_at"], new["last_used_at"]) == (old["key_id"], None, None, None)
    assert works(client, old["key"]) and works(client, new["key"])
    for key in (old["key"], new["key"]):
        assert [p["provider_id"] for p in client.with_key(key).all("/v1/providers")] == [provider]
    kept = client.get(f"/v1/keys/{old['key_id']}").json
    assert kept["replaced_by"] == new["key_id"]
    assert DAY - 120 < seconds_between(now(), kept["expires_at"]) <= DAY
    listed = {k["key_id"]: k for k in client.all("/v1/keys")}
    assert listed[old["key_id"]] == kept
    assert not [k for k in listed.values() if "key" in k]


def test_the_old_one_ends_after_the_overlap(client, make):
    old = make()
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {"overlap_seconds": 3}).json
    assert works(client, new["key"])
    eventually(lambda: not works(client, old["key"]), seconds=30)
    kept = client.get(f"/v1/keys/{old['key_id']}").json
    assert kept["expires_at"] <= now() and kept["revoked_at"] is None
    assert works(client, new["key"])


def test_at_once(client, make):
    old = make()
    assert works(client, old["key"])
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {"overlap_seconds": 0}).json
    eventually(lambda: not works(client, old["key"]), seconds=20)
    assert works(client, new["key"])


def test_the_overlap_prolongs_nothing(client, make):
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    old = make(expires_at=soon)
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {"overlap_seconds": 2592000}).json
    assert client.get(f"/v1/keys/{old['key_id']}").json["expires_at"] == old["expires_at"]
    assert abs(seconds_between(new["created_at"], new["expires_at"]) - seconds_between(old["created_at"], old["expires_at"])) < 1, "as long-lived"


def test_another_expiry(client, make):
    old = make()
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {"expires_at": "2099-01-01T00:00:00Z"}).json
    assert new["expires_at"] == "2099-01-01T00:00:00.000Z"


def test_once(client, make):
    """Afterwards its successor is rotated, even when nobody has its secret any more."""
    old = make()
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {}).json
    again = client.post(f"/v1/keys/{old['key_id']}/rotate", {})
    assert (again.status, again.code) == (409, "wrong_state") and "replaced" in again.json["detail"]
    third = client.post(f"/v1/keys/{new['key_id']}/rotate", {}).json
    assert third["replaces"] == new["key_id"]
    assert all(works(client, k["key"]) for k in (old, new, third))


def test_many_at_once_make_one(client, make, database):
    old = make()
    answers = at_once(8, lambda i: client.post(f"/v1/keys/{old['key_id']}/rotate", {}))
    assert sorted(a.status for a in answers) == [201] + [409] * 7
    assert database.sql(f"select count(*) from api_key where replaces = '{old['key_id']}'") == [(1,)]


def test_what_cannot_be_rotated(client, make, database):
    revoked, expired = make(), make()
    client.delete(f"/v1/keys/{revoked['key_id']}")
    database.sql(f"update api_key set expires_at = now() where key_id = '{expired['key_id']}'")
    for key, state in ((revoked, "revoked"), (expired, "expired")):
        answer = client.post(f"/v1/keys/{key['key_id']}/rotate", {})
        assert (answer.status, answer.code) == (409, "wrong_state") and state in answer.json["detail"]
    assert client.post("/v1/keys/key_0/rotate", {}).status == 404
    assert client.get("/v1/keys/key_0").status == 404


@pytest.mark.parametrize("body, faults", [
    ({"overlap_seconds": -1}, {"/overlap_seconds": "number_out_of_range"}), ({"overlap_seconds": 2592001}, {"/overlap_seconds": "number_out_of_range"}),
    ({"overlap_seconds": None}, {"/overlap_seconds": "wrong_type"}), ({"expires_at": "2020-01-01T00:00:00Z"}, {"/expires_at": "must_be_before"}),
    ({"expires_at": "soon"}, {"/expires_at": "wrong_format"}), ({"name": "x", "role": "admin"}, {"/name": "unknown_member", "/role": "unknown_member"}),
])  # fmt: skip
def test_strict(client, make, body, faults):
    answer = client.post(f"/v1/keys/{make()['key_id']}/rotate", body)
    assert (answer.status, answer.faults) == (422, faults), answer


def test_retries_and_dry_runs(client, make, database):
    old = make()
    path = f"/v1/keys/{old['key_id']}/rotate"
    dry = client.post(path, {}, query={"dry_run": "true"})
    assert dry.status == 201 and "Location" not in dry.headers
    assert client.get(f"/v1/keys/{old['key_id']}").json["replaced_by"] is None
    first = client.post(path, {}, idempotency_key="rotate-1")
    assert client.post(path, {}, idempotency_key="rotate-1").body == first.body
    assert database.sql(f"select count(*) from api_key where replaces = '{old['key_id']}'") == [(1,)]


# ---- one caller, one actor ----


def test_a_retry_may_come_with_the_successor(client, make, world):
    """The idempotency key belongs to both, so that nothing is done twice because a client changed over meanwhile."""
    old = make(role="admin")
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {}).json
    body = world.provider_body()
    first = client.with_key(old["key"]).post("/v1/providers", body, idempotency_key="over")
    again = client.with_key(new["key"]).post("/v1/providers", body, idempotency_key="over")
    assert first.status == 201 and again.body == first.body and again.headers["Idempotency-Replayed"] == "true"


def test_but_not_for_the_secret_of_a_key(client, make):
    old = make(role="admin")
    made = client.with_key(old["key"]).post("/v1/keys", {"name": "made", "role": "feed"}, idempotency_key="secret")
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {}).json
    answer = client.with_key(new["key"]).post("/v1/keys", {"name": "made", "role": "feed"}, idempotency_key="secret")
    assert (answer.status, answer.code) == (409, "secret_not_repeatable")
    assert made.json["key_id"] in answer.json["detail"]
    chinese = client.with_key(new["key"]).post("/v1/keys", {"name": "made", "role": "feed"}, idempotency_key="secret",
                                               headers={"Accept-Language": "zh"})
    assert "密钥" in chinese.json["detail"]


def test_audit_names_the_key(client, make, world, database):
    old = make(role="admin")
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {}).json
    made = client.with_key(new["key"]).post("/v1/providers", world.provider_body()).json
    assert database.sql(f"select actor_id from audit where subject = '{made['provider_id']}'") == [(new["key_id"],)]
    actions = database.sql(f"select action from audit where subject in ('{old['key_id']}', '{new['key_id']}') order by audit_id")
    assert [a for (a,) in actions] == ["key.created", "key.created", "key.rotated"]


def test_two_people_are_not_two_keys_of_one(client, make, world, service):
    """Whoever asked with the old key cannot approve with its successor."""
    old = make(role="operator")
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {}).json
    provider = world.register()["provider_id"]
    world.pay(provider)
    asked = client.with_key(old["key"]).post(f"/v1/providers/{provider}/deposit/refunds", {"reason": "r", "amount_fen": 100})
    assert asked.status == 201, asked
    path = f"/v1/refunds/{asked.json['refund_id']}/approve"
    answer = client.with_key(new["key"]).post(path, {})
    assert (answer.status, answer.code) == (409, "same_actor")
    assert client.with_key(service.new_key("operator")).post(path, {}).status == 200


def test_an_unbound_partners_keys_are_bound_together(client, make, world):
    old = make(role="partner")
    new = client.post(f"/v1/keys/{old['key_id']}/rotate", {}).json
    made = client.with_key(new["key"]).post("/v1/providers", world.provider_body())
    assert made.status == 201
    for key in (old["key"], new["key"]):
        assert client.with_key(key).get(f"/v1/providers/{made.json['provider_id']}").status == 200
        assert client.with_key(key).post("/v1/providers", world.provider_body()).code == "wrong_state"


def test_an_unbound_key_registers_one(client, make, world):
    """Also when it registers several at the same moment."""
    partner = client.with_key(make(role="partner")["key"])
    bodies = [world.provider_body() for _ in range(6)]
    answers = at_once(6, lambda i: partner.post("/v1/providers", bodies[i]))
    assert sorted(a.status for a in answers) == [201] + [409] * 5
    assert len(partner.all("/v1/providers")) == 1


# ---- the pepper ----


def test_hashes_are_keyed(client, make, database):
    made = make()
    [(kept, pepper)] = database.sql(f"select hash, pepper from api_key, key_pepper where key_id = '{made['key_id']}'")
    assert bytes(kept) == hmac.new(bytes(pepper), made["key"].encode(), "sha256").digest()


def test_instances_share_it(new_service, new_database):
    database = new_database()
    one = new_service(database=database)
    key = one.client().post("/v1/keys", {"name": "x", "role": "auditor"}).json["key"]
    other = new_service(database=database)
    assert other.client(key).get("/v1/providers").status == 200


@pytest.fixture
def pepper_file(tmp_path):
    os.chmod(tmp_path, 0o755)
    path = tmp_path / "pepper"
    path.write_text("0123456789abcdefABCDEF0123456789" * 2 + "\n")
    return path


def test_in_a_file(new_service, new_database, pepper_file):
    database, env = new_database(), {"ASSAY_KEY_PEPPER_FILE": str(pepper_file)}
    service = new_service(database=database, env=env)
    key = service.new_key("auditor")
    assert service.client(key).get("/v1/providers").status == 200
    assert database.sql("select pepper from key_pepper") == [(None,)]
    admin = service.admin_key
    service.restart()
    assert service.admin_key == admin and service.client(key).get("/v1/providers").status == 200
    # Neither without the file nor with another one: every key would be dead.
    with pytest.raises(RuntimeError, match="name it in ASSAY_KEY_PEPPER_FILE"):
        new_service(database=database)
    pepper_file.write_text("f" * 64)
    with pytest.raises(RuntimeError, match="none of them would work"):
        new_service(database=database, env=env)
    refused = service.command("key", "create", "--role", "auditor", ok=None)
    assert refused.returncode == 1 and "none of them would work" in refused.stderr


def test_from_the_database_into_a_file(new_service, new_database, tmp_path):
    os.chmod(tmp_path, 0o755)
    database = new_database()
    service = new_service(database=database)
    key = service.new_key("auditor")
    [(pepper,)] = database.sql("select encode(pepper, 'hex') from key_pepper")
    service.stop()
    (tmp_path / "pepper").write_text(pepper)
    moved = new_service(database=database, env={"ASSAY_KEY_PEPPER_FILE": str(tmp_path / "pepper")})
    assert moved.client(key).get("/v1/providers").status == 200
    assert database.sql("select pepper from key_pepper") == [(None,)]


@pytest.mark.parametrize("text", ["", "f" * 63, "f" * 65, "g" * 64, "f" * 64 + "\nx", "f" * 32 + "\n" + "f" * 32, " " + "f" * 64])
def test_what_is_no_pepper(new_service, pepper_file, text):
    pepper_file.write_text(text)
    with pytest.raises(RuntimeError, match="64 hex digits"):
        new_service(env={"ASSAY_KEY_PEPPER_FILE": str(pepper_file)})


def test_a_missing_file(new_service, pepper_file):
    pepper_file.unlink()
    with pytest.raises(RuntimeError, match="No such file"):
        new_service(env={"ASSAY_KEY_PEPPER_FILE": str(pepper_file)})
