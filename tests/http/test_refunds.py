"""Refunds (5): held from the request on, approved by a second person and for exactly what was asked, then settled or failed."""

import itertools

import pytest

from support.at_once import at_once

references = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def today(world):
    world.advance("2023-05-10")


@pytest.fixture
def other(client, keys):
    """The second person."""
    return client.with_key(keys["operator"])


class Deposit:
    def __init__(self, client, provider_id):
        self.client = client
        self.path = f"/v1/providers/{provider_id}/deposit"

    def entry(self, kind, amount_fen, **more):
        more = {"external_reference": f"r-{next(references)}", **more}
        return self.client.post(f"{self.path}/entries", {"kind": kind, "amount_fen": amount_fen, **more})

    def deduct(self, amount_fen):
        return self.entry("deduction", amount_fen, reason="r", reference="v")

    def ask(self, amount_fen=None, reason="退款", **more):
        body = {"reason": reason} if amount_fen is None else {"reason": reason, "amount_fen": amount_fen}
        return self.client.post(f"{self.path}/refunds", body, **more)

    def money(self):
        d = self.client.get(self.path).json
        assert d["available_fen"] == d["balance_fen"] - d["held_fen"]
        return d["balance_fen"], d["held_fen"]


@pytest.fixture
def deposit(client, world):
    made = Deposit(client, world.register()["provider_id"])
    assert made.entry("payment", 1000).status == 201
    return made


def path(refund):
    return f"/v1/refunds/{refund['refund_id']}"


def test_asked_approved_settled(client, other, deposit):
    asked = deposit.ask(400)
    refund = asked.json
    assert (asked.status, refund["status"], refund["requested_fen"], refund["amount_fen"], refund["expires_on"]) == (201, "requested", 400, 400, None)
    assert asked.headers["Location"] == path(refund) and client.get(path(refund)).json == refund
    assert deposit.money() == (1000, 400)
    approved = other.post(path(refund) + "/approve", {"note": "好"})
    assert (approved.status, approved.json["status"], approved.json["note"]) == (200, "approved", "好")
    assert approved.json["approved_by"] != refund["requested_by"] and approved.etag != asked.etag
    assert deposit.money() == (1000, 400)
    settled = client.post(path(refund) + "/settle", {"external_reference": "out-1"})
    assert (settled.status, settled.json["status"], settled.json["ended_on"]) == (200, "settled", "2023-05-10")
    assert deposit.money() == (600, 0)
    entry = client.get(f"{deposit.path}/entries").json["data"][0]
    assert (entry["kind"], entry["amount_fen"], entry["balance_fen"], entry["refund_id"], entry["entry_id"], entry["external_reference"]) == (
        "refund", 400, 600, refund["refund_id"], settled.json["entry_id"], "out-1")  # fmt: skip
    assert client.all(f"{deposit.path}/refunds") == [settled.json]
    assert client.all(f"{deposit.path}/refunds", query={"status": "requested"}) == []
    assert client.get(path(refund), headers={"If-None-Match": settled.etag}).status == 304


def test_all_that_is_available(deposit):
    deposit.ask(300)
    assert deposit.ask().json["amount_fen"] == 700
    nothing = deposit.ask()
    assert (nothing.status, nothing.code) == (409, "insufficient_balance")
    assert deposit.money() == (1000, 1000)


def test_what_is_held_cannot_be_spent_twice(deposit):
    deposit.ask(600)
    answer = deposit.ask(401)
    assert (answer.status, answer.code) == (409, "insufficient_balance")
    assert deposit.ask(400).status == 201


def test_failed_releases_it(client, other, deposit):
    for approve in (False, True):
        refund = deposit.ask(1000).json
        if approve:
            other.post(path(refund) + "/approve")
        failed = client.post(path(refund) + "/fail", {"note": "账户错误"})
        assert (failed.status, failed.json["status"], failed.json["note"]) == (200, "failed", "账户错误")
        assert deposit.money() == (1000, 0)


def test_not_by_the_same_person(service, client, other, deposit):
    refund = deposit.ask(100).json
    answer = client.post(path(refund) + "/approve")
    assert (answer.status, answer.code) == (409, "same_actor")
    assert client.get(path(refund)).json == refund
    assert other.post(path(refund) + "/approve").status == 200


def test_each_state_allows_what_it_should(client, other, deposit):
    refund = deposit.ask(100).json
    assert client.post(path(refund) + "/settle").code == "wrong_state", "not approved"
    other.post(path(refund) + "/approve")
    assert other.post(path(refund) + "/approve").code == "wrong_state"
    client.post(path(refund) + "/settle")
    for verb in ("approve", "settle", "fail"):
        answer = other.post(f"{path(refund)}/{verb}")
        assert (answer.status, answer.code) == (409, "wrong_state")
    failed = deposit.ask(100).json
    client.post(path(failed) + "/fail")
    assert {other.post(f"{path(failed)}/{verb}").code for verb in ("approve", "settle", "fail")} == {"wrong_state"}
    assert deposit.money() == (900, 0)


@pytest.mark.parametrize("named, ok", [
    ({}, True), ({"amount_fen": 100}, True), ({"version": 1}, True), ({"amount_fen": 100, "version": 1}, True),
    ({"amount_fen": 99}, False), ({"amount_fen": 101}, False), ({"version": 2}, False), ({"amount_fen": 100, "version": 2}, False),
])  # fmt: skip
def test_what_an_approval_names_must_be_so(other, deposit, named, ok):
    answer = other.post(path(deposit.ask(100).json) + "/approve", named)
    assert (answer.status, answer.code) == ((200, None) if ok else (409, "refund_changed"))


# ---- a deduction arrives in between ----


def test_a_deduction_takes_what_is_available_first(client, other, deposit):
    refund = deposit.ask(600).json
    other.post(path(refund) + "/approve")
    assert deposit.deduct(400).status == 201
    assert client.get(path(refund)).json["status"] == "approved", "nothing was taken of it"
    assert deposit.money() == (600, 600)


def test_then_what_refunds_hold_and_the_approval_falls_away(client, other, deposit):
    refund = deposit.ask(600).json
    other.post(path(refund) + "/approve")
    assert deposit.deduct(500).json["balance_fen"] == 500
    now = client.get(path(refund)).json
    assert (now["status"], now["requested_fen"], now["amount_fen"], now["approved_by"], now["version"]) == ("requested", 600, 500, None, 3)
    assert deposit.money() == (500, 500)
    assert client.post(path(refund) + "/settle").code == "wrong_state"
    blind = other.post(path(refund) + "/approve")
    assert (blind.status, blind.code) == (409, "refund_changed"), "what was asked for is not what it is now"
    assert other.post(path(refund) + "/approve", {"amount_fen": 600}).code == "refund_changed"
    assert other.post(path(refund) + "/approve", {"version": 2}).code == "refund_changed"
    assert client.post(path(refund) + "/approve", {"version": 3}).code == "same_actor"
    assert other.post(path(refund) + "/approve", {"amount_fen": 500, "version": 3}).status == 200
    assert client.post(path(refund) + "/settle").json["amount_fen"] == 500
    assert deposit.money() == (0, 0)


def test_the_newest_refund_gives_way_first(client, deposit):
    older, newer = deposit.ask(500).json, deposit.ask(500).json
    deposit.deduct(200)
    assert [client.get(path(r)).json["amount_fen"] for r in (older, newer)] == [500, 300]
    deposit.deduct(400)
    assert [(r["amount_fen"], r["status"]) for r in (client.get(path(x)).json for x in (older, newer))] == [(400, "requested"), (0, "cancelled")]
    assert deposit.deduct(401).code == "insufficient_balance"
    assert deposit.money() == (400, 400)
    assert client.post(path(newer) + "/fail").code == "wrong_state"


def test_a_refused_deduction_takes_nothing_of_a_refund(client, deposit):
    refund = deposit.ask(1000).json
    assert deposit.deduct(1001).code == "insufficient_balance"
    assert deposit.entry("deduction", 10, reason="r", reference="v", external_reference="once").status == 201
    assert deposit.entry("deduction", 10, reason="r", reference="v", external_reference="once").code == "external_reference_taken"
    assert client.get(path(refund)).json["amount_fen"] == 990
    assert deposit.money() == (990, 990)


# ---- who, and strictly ----


def test_roles(service, world, keys, client, deposit):
    refund = deposit.ask(10).json
    for role in ("partner", "auditor", "feed"):
        one = client.with_key(keys[role])
        assert one.post(f"{deposit.path}/refunds", {"reason": "r"}).status == 403
        for verb in ("approve", "settle", "fail"):
            assert one.post(f"{path(refund)}/{verb}").status == 403
    assert client.with_key(keys["auditor"]).get(path(refund)).status == 200
    assert client.with_key(keys["partner"]).get(path(refund)).status == 404
    provider_id = deposit.path.split("/")[3]
    own = client.with_key(client.post("/v1/keys", {"name": "p", "role": "partner", "provider_id": provider_id}).json["key"])
    assert own.get(path(refund)).json == refund and own.all(f"{deposit.path}/refunds") == [refund]


@pytest.mark.parametrize("verb", ["", "approve", "settle", "fail"])
def test_not_without_an_idempotency_key(client, other, deposit, verb):
    refund = deposit.ask(10).json
    target = f"{path(refund)}/{verb}" if verb else f"{deposit.path}/refunds"
    answer = other.post(target, {"reason": "r"} if not verb else {}, idempotency_key="")
    assert (answer.status, answer.code) == (400, "idempotency_key_required")


@pytest.mark.parametrize("body, faults", [
    ({}, {"/reason": "missing"}), ({"reason": ""}, {"/reason": "too_short"}), ({"reason": "r", "amount_fen": 0}, {"/amount_fen": "number_out_of_range"}),
    ({"reason": "r", "amount_fen": "10"}, {"/amount_fen": "wrong_type"}), ({"reason": "r", "to": "x"}, {"/to": "unknown_member"}),
])  # fmt: skip
def test_strict(client, deposit, body, faults):
    assert client.post(f"{deposit.path}/refunds", body).faults == faults
    assert deposit.money() == (1000, 0)


def test_a_banks_reference_pays_once(client, other, deposit):
    for n, expected in ((1, 200), (2, 409)):
        refund = deposit.ask(100).json
        other.post(path(refund) + "/approve")
        answer = client.post(path(refund) + "/settle", {"external_reference": "out-9"})
        assert answer.status == expected, n
    assert answer.code == "external_reference_taken"
    assert deposit.money() == (900, 100)


def test_of_nobody(client):
    assert client.post("/v1/providers/prv_0/deposit/refunds", {"reason": "r"}).status == 404
    assert client.get("/v1/refunds/rfd_0").status == 404
    assert {client.post(f"/v1/refunds/rfd_0/{verb}").status for verb in ("approve", "settle", "fail")} == {404}


def test_a_dry_run_holds_nothing(deposit):
    assert deposit.ask(10, query={"dry_run": "true"}).json["status"] == "requested"
    assert deposit.money() == (1000, 0)


@pytest.mark.tsan
def test_many_ask_at_once_for_more_than_there_is(service, deposit):
    answers = at_once(12, lambda i: service.client().post(f"{deposit.path}/refunds", {"amount_fen": 150, "reason": "r"}))
    assert sorted(a.status for a in answers) == [201] * 6 + [409] * 6
    assert deposit.money() == (1000, 900)


@pytest.mark.tsan
def test_settle_and_fail_at_once(service, other, deposit):
    refund = deposit.ask(400).json
    other.post(path(refund) + "/approve")
    answers = at_once(10, lambda i: service.client().post(path(refund) + ("/settle" if i % 2 else "/fail")))
    assert sorted(a.status for a in answers) == [200] + [409] * 9
    assert deposit.money() in ((600, 0), (1000, 0))
