"""The deposit (4.1): entries that only add up, whoever posts them at once."""

import pytest

from support.at_once import at_once

MOST = 9007199254740991  # 2^53 - 1


@pytest.fixture(scope="module", autouse=True)
def today(world):
    world.advance("2023-05-10")


@pytest.fixture
def entries(world):
    return f"/v1/providers/{world.register()['provider_id']}/deposit/entries"


def payment(reference="bank-1", amount_fen=100, **more):
    return {"kind": "payment", "amount_fen": amount_fen, "external_reference": reference, **more}


def balance(client, entries):
    return client.get(entries.removesuffix("/entries")).json["balance_fen"]


def test_an_entry(client, entries):
    answer = client.post(entries, payment(amount_fen=1999999, effective_on="2023-05-01"))
    assert answer.status == 201
    entry = answer.json
    assert entry["entry_id"].startswith("ent_")
    assert (entry["kind"], entry["amount_fen"], entry["balance_fen"], entry["effective_on"]) == ("payment", 1999999, 1999999, "2023-05-01")
    assert client.all(entries) == [entry]
    deposit = client.get(entries.removesuffix("/entries")).json
    assert (deposit["required_fen"], deposit["balance_fen"], deposit["held_fen"], deposit["shortfall_fen"], deposit["example"]) == (2000000, 1999999, 0, 1, True)


def test_the_day_is_today_unless_told(client, entries):
    assert client.post(entries, payment()).json["effective_on"] == "2023-05-10"


def test_not_without_a_key(client, entries):
    """Money routes refuse a POST that a retry could do twice."""
    answer = client.post(entries, payment(), idempotency_key="")
    assert (answer.status, answer.code) == (400, "idempotency_key_required")
    assert client.post(entries, payment(), idempotency_key="", query={"dry_run": "true"}).status == 201
    assert client.all(entries) == []


@pytest.mark.parametrize("body, faults", [
    ({}, {"/kind": "missing", "/amount_fen": "missing", "/external_reference": "missing"}),
    (payment(amount_fen=0), {"/amount_fen": "number_out_of_range"}), (payment(amount_fen=MOST + 1), {"/amount_fen": "number_out_of_range"}),
    (payment(reference=""), {"/external_reference": "too_short"}), (payment(reference="x" * 201), {"/external_reference": "too_long"}),
    ({**payment(), "kind": "refund"}, {"/kind": "invalid_value"}), ({**payment(), "kind": "gift"}, {"/kind": "invalid_value"}),
    ({**payment(), "balance_fen": 1}, {"/balance_fen": "unknown_member"}),
    (payment(effective_on="2023-05-11"), {"/effective_on": "day_in_future"}), (payment(effective_on="2023-02-30"), {"/effective_on": "invalid_day"}),
    (payment(effective_on=20230510), {"/effective_on": "wrong_type"}),
])  # fmt: skip
def test_strict(client, entries, body, faults):
    answer = client.post(entries, body)
    assert (answer.status, answer.faults) == (422, faults), answer
    assert client.all(entries) == []


def test_the_most_there_can_be(client, entries):
    assert client.post(entries, payment("a", MOST - 1)).status == 201
    answer = client.post(entries, payment("b", 2))
    assert (answer.status, answer.faults) == (422, {"/amount_fen": "number_out_of_range"}), answer
    assert client.post(entries, payment("c", 1)).json["balance_fen"] == MOST
    assert b'"balance_fen":9007199254740991' in client.get(entries).body


def test_a_reference_counts_once_a_kind(client, entries):
    assert client.post(entries, payment("bank-7")).status == 201
    again = client.post(entries, payment("bank-7", 5))
    assert (again.status, again.code) == (409, "external_reference_taken")
    assert client.post(entries, {**payment("bank-7"), "kind": "top_up"}).status == 201
    assert balance(client, entries) == 200


def test_another_providers_reference_is_another(client, world, entries):
    other = f"/v1/providers/{world.register()['provider_id']}/deposit/entries"
    assert [client.post(e, payment("shared")).status for e in (entries, other)] == [201, 201]


@pytest.mark.tsan
def test_two_payments_with_one_reference_at_once(service, client, entries):
    answers = at_once(12, lambda i: service.client().post(entries, payment("once")))
    assert sorted(a.status for a in answers) == [201] + [409] * 11
    assert {a.code for a in answers if a.status == 409} == {"external_reference_taken"}
    assert balance(client, entries) == 100


@pytest.mark.tsan
def test_many_payments_at_once_add_up(service, client, entries):
    answers = at_once(20, lambda i: service.client().post(entries, payment(f"r{i}", i + 1)))
    assert {a.status for a in answers} == {201}
    listed = client.all(entries)
    assert len(listed) == 20 and balance(client, entries) == sum(range(1, 21))
    running = 0
    for entry in sorted(listed, key=lambda e: e["balance_fen"]):
        running += entry["amount_fen"]
        assert entry["balance_fen"] == running


def test_of_nobody(client):
    assert client.get("/v1/providers/prv_none/deposit").status == 404
    assert client.post("/v1/providers/prv_none/deposit/entries", payment()).code == "not_found"


def test_what_is_required_before_there_is_an_application(client, world):
    deposit = client.get(f"/v1/providers/{world.register(industry='no_policy_for_this')['provider_id']}/deposit").json
    assert (deposit["required_fen"], deposit["shortfall_fen"], deposit["balance_fen"], deposit["policy"]) == (None, None, 0, None)
