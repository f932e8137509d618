"""The deposit (4.1): entries that only add up, whoever posts them at once."""

import csv
import io

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
    ({}, {"/kind": "missing"}), ({"kind": "payment"}, {"/amount_fen": "missing", "/external_reference": "missing"}),
    ({"kind": "deduction", "external_reference": 7}, {"/amount_fen": "missing", "/external_reference": "wrong_type", "/reason": "missing", "/reference": "missing"}),
    ({**payment(), "reverses": "ent_1", "reference": "v"}, {"/reverses": "unknown_member", "/reference": "unknown_member"}),
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


# ---- deductions and their reversal ----


def deduction(amount_fen=30, reference="violation-1", **more):
    return {"kind": "deduction", "amount_fen": amount_fen, "reason": "虚假宣传", "reference": reference, **more}


def reversal(entry_id, **more):
    return {"kind": "deduction_reversal", "reverses": entry_id, **more}


def test_a_deduction_and_its_reversal(client, entries):
    client.post(entries, payment(amount_fen=100))
    taken = client.post(entries, deduction())
    assert taken.status == 201
    entry = taken.json
    assert (entry["amount_fen"], entry["balance_fen"], entry["reason"], entry["reference"], entry["deduction_status"]) == (
        30, 70, "虚假宣传", "violation-1", "open")  # fmt: skip
    back = client.post(entries, reversal(entry["entry_id"]))
    assert (back.status, back.json["amount_fen"], back.json["balance_fen"], back.json["reverses"]) == (201, 30, 100, entry["entry_id"])
    again = client.post(entries, reversal(entry["entry_id"]))
    assert (again.status, again.code) == (409, "wrong_state")
    listed = client.all(entries)
    assert [(e["kind"], e["deduction_status"]) for e in listed] == [("deduction_reversal", None), ("deduction", "reversed"), ("payment", None)]
    assert client.all(entries, query={"kind": "deduction"}) == [listed[1]]
    assert balance(client, entries) == 100


def test_never_below_zero(client, entries):
    client.post(entries, payment(amount_fen=100))
    answer = client.post(entries, deduction(101))
    assert (answer.status, answer.code) == (409, "insufficient_balance")
    assert "101" in answer.json["detail"] and "100" in answer.json["detail"]
    assert client.post(entries, deduction(100)).json["balance_fen"] == 0
    assert client.post(entries, deduction(1)).code == "insufficient_balance"


def test_not_below_zero_on_an_earlier_day_either(client, entries):
    """Effective on a day before the money came, or before it was spent otherwise."""
    client.post(entries, payment("a", 100, effective_on="2023-05-03"))
    client.post(entries, payment("b", 100, effective_on="2023-05-06"))
    assert client.post(entries, deduction(150, effective_on="2023-05-05")).code == "insufficient_balance"
    assert client.post(entries, deduction(1, effective_on="2023-05-02")).code == "insufficient_balance"
    assert client.post(entries, deduction(150, effective_on="2023-05-06")).status == 201
    assert client.post(entries, deduction(60, effective_on="2023-05-04")).code == "insufficient_balance"
    assert client.post(entries, deduction(50, effective_on="2023-05-04")).status == 201
    assert balance(client, entries) == 0


@pytest.mark.parametrize("more, faults", [
    ({"reverses": "ent_none"}, {"/reverses": "unknown_id"}),
    ({"amount_fen": 29}, {"/amount_fen": "number_out_of_range"}), ({"amount_fen": 31}, {"/amount_fen": "number_out_of_range"}),
    ({"effective_on": "2023-05-04"}, {"/effective_on": "must_be_before"}), ({"effective_on": "2023-05-11"}, {"/effective_on": "day_in_future"}),
    ({"reference": "violation-1"}, {"/reference": "unknown_member"}), ({"amount_fen": 30, "effective_on": "2023-05-05"}, None),
])  # fmt: skip
def test_a_reversal_is_of_one_deduction_and_of_all_of_it(client, entries, more, faults):
    client.post(entries, payment(amount_fen=100, effective_on="2023-05-01"))
    taken = client.post(entries, deduction(effective_on="2023-05-05")).json
    answer = client.post(entries, {**reversal(taken["entry_id"]), **more})
    assert answer.status == (201 if faults is None else 422), answer
    assert faults is None or answer.faults == faults


def test_another_providers_deduction_cannot_be_reversed(client, world, entries):
    client.post(entries, payment())
    taken = client.post(entries, deduction()).json
    other = f"/v1/providers/{world.register()['provider_id']}/deposit/entries"
    assert client.post(other, reversal(taken["entry_id"])).faults == {"/reverses": "unknown_id"}
    assert client.post(f"{other}/{taken['entry_id']}/close").status == 404


def test_a_payment_cannot_be_reversed_or_closed(client, entries):
    paid = client.post(entries, payment()).json
    assert client.post(entries, reversal(paid["entry_id"])).faults == {"/reverses": "unknown_id"}
    assert client.post(f"{entries}/{paid['entry_id']}/close").status == 404


def test_a_deduction_is_open_until_it_is_closed(client, entries):
    client.post(entries, payment())
    taken = client.post(entries, deduction()).json
    close = f"{entries}/{taken['entry_id']}/close"
    assert client.post(close, {"note": "未申诉"}).json == {**taken, "deduction_status": "closed"}
    again = client.post(close)
    assert (again.status, again.code) == (409, "wrong_state")
    assert client.post(entries, reversal(taken["entry_id"])).status == 201, "also one that was closed"
    assert client.post(close).code == "wrong_state"


def test_a_deductions_external_reference_counts_once_too(client, entries):
    client.post(entries, payment())
    assert client.post(entries, deduction(1, external_reference="case-1")).status == 201
    assert client.post(entries, deduction(2, external_reference="case-1")).code == "external_reference_taken"
    assert balance(client, entries) == 99


@pytest.mark.tsan
def test_a_deduction_is_reversed_once_however_many_ask(service, client, entries):
    client.post(entries, payment())
    taken = client.post(entries, deduction()).json
    answers = at_once(8, lambda i: service.client().post(entries, reversal(taken["entry_id"])))
    assert sorted(a.status for a in answers) == [201] + [409] * 7
    assert balance(client, entries) == 100


# ---- the ledger in the database ----


def test_no_entry_is_ever_changed(cluster, database, client, entries):
    """Neither by the service's own user, who has not the right, nor by a superuser, whom the trigger stops."""
    import psycopg2

    client.post(entries, payment())
    for statement in ("update ledger_entry set amount_fen = 1", "delete from ledger_entry", "truncate ledger_entry"):
        for role, error in (("assay", psycopg2.errors.InsufficientPrivilege), ("postgres", psycopg2.errors.RestrictViolation)):
            with pytest.raises(error):
                cluster.sql(statement, database.name, role)


@pytest.mark.parametrize("columns, constraint", [
    ("'payment', 'x', 5, 5, 0, -4, 5, 0", "balances"), ("'payment', 'x', 5, -5, 0, 5, 5, 0", "is not so"),
    ("'payment', 'x', 5, 4, 0, -4, 5, 0", "is not so"), ("'gift', 'x', 5, 5, 0, -5, 5, 0", "is not so"),
    ("'refund_hold', 'x', 5, -5, 4, 1, 5, 0", "is not so"), ("'payment', 'x', 5, 5, 0, -5, -1, 0", "is not so"),
    ("'payment', 'x', 5, 5, 0, -5, 5, 6", "is not so"), ("'payment', null, 5, 5, 0, -5, 5, 0", "is not so"),
    ("'deduction', 'x', 5, -5, 0, 5, 5, 0", "is not so"), ("'refund', 'x', 5, 0, -5, 5, 5, 0", "is not so"),
])  # fmt: skip
def test_an_entry_that_does_not_balance_is_refused_by_the_database(database, world, columns, constraint):
    import psycopg2

    provider = world.register()["provider_id"]
    with pytest.raises(psycopg2.errors.CheckViolation, match=constraint):
        database.sql("insert into ledger_entry (provider_id, seq, entry_id, effective_on, recorded_by, kind, external_reference, amount_fen, "
                     "available_change_fen, held_change_fen, platform_change_fen, balance_fen, held_fen) "
                     f"values ('{provider}', 1, 'ent_1', '2023-05-10', 'x', {columns})")  # fmt: skip


def test_the_kept_balance_cannot_be_negative(database, world):
    import psycopg2

    provider = world.register()["provider_id"]
    for change in ("balance_fen = -1", "held_fen = -1", "held_fen = 1"):
        with pytest.raises(psycopg2.errors.CheckViolation, match="is not possible"):
            database.sql(f"update provider set {change} where provider_id = '{provider}'")


def test_an_entry_needs_its_provider(cluster, database, world):
    """Who must be there when it is made, and cannot go, nor take another id, whoever asks."""
    import psycopg2

    with pytest.raises(psycopg2.errors.CheckViolation, match="is not so"):
        database.sql("insert into ledger_entry (provider_id, seq, entry_id, effective_on, recorded_by, kind, external_reference, amount_fen, "
                     "available_change_fen, held_change_fen, platform_change_fen, balance_fen, held_fen) "
                     "values ('prv_nobody', 1, 'ent_2', '2023-05-10', 'x', 'payment', 'x', 5, 5, 0, -5, 5, 0)")  # fmt: skip
    world.register()
    for statement in ("delete from provider", "update provider set provider_id = provider_id || 'x'", "truncate provider cascade"):
        for role in ("assay", "postgres"):
            with pytest.raises((psycopg2.errors.RestrictViolation, psycopg2.errors.InsufficientPrivilege)):
                cluster.sql(statement, database.name, role)


# ---- then, and as it was known then ----


def test_the_balance_of_any_day(client, entries):
    deposit = entries.removesuffix("/entries")
    client.post(entries, payment("a", 100, effective_on="2023-05-01"))
    client.post(entries, payment("b", 50, effective_on="2023-05-04"))
    client.post(entries, deduction(20, effective_on="2023-05-06"))

    def on(day):
        return client.get(deposit, query={"as_of": day}).json

    assert [on(f"2023-{day}")["balance_fen"] for day in ("04-30", "05-01", "05-03", "05-04", "05-05", "05-06", "05-10")] == [
        0, 100, 100, 150, 150, 130, 130]  # fmt: skip
    assert on("2023-05-04")["as_of"] == "2023-05-04"


def test_the_balance_as_it_was_known(client, entries):
    """By recorded time: an entry of an earlier day that was recorded later was not known before."""
    deposit = entries.removesuffix("/entries")
    first = client.post(entries, payment("a", 100, effective_on="2023-05-05")).json
    second = client.post(entries, payment("b", 7, effective_on="2023-05-02")).json
    after = {"first": first["created_at"].replace("Z", "999Z"), "second": second["created_at"].replace("Z", "999Z")}
    if after["first"] >= second["created_at"]:
        pytest.skip("both within a millisecond")

    def known(instant, **more):
        return client.get(deposit, query={"known_at": instant, **more}).json["balance_fen"]

    assert known("2020-01-01T00:00:00Z") == 0
    assert (known(after["first"]), known(after["second"])) == (100, 107)
    assert (known(after["first"], as_of="2023-05-04"), known(after["second"], as_of="2023-05-04")) == (0, 7)


@pytest.mark.parametrize("query, faults", [
    ({"as_of": "2023-02-30"}, {"as_of": "invalid_day"}), ({"known_at": "yesterday"}, {"known_at": "wrong_format"}),
    ({"as_of": "x", "known_at": "2023-05-01"}, {"as_of": "invalid_day", "known_at": "wrong_format"}), ({"on": "2023-05-01"}, {"on": "unknown_parameter"}),
])  # fmt: skip
def test_what_then_is_asked_strictly(client, entries, query, faults):
    assert client.get(entries.removesuffix("/entries"), query=query).faults == faults


def test_the_statement(client, entries):
    deposit = entries.removesuffix("/entries")
    client.post(entries, payment("a", 100, effective_on="2023-05-05"))
    client.post(entries, payment('b,"x"', 50, effective_on="2023-05-02"))
    taken = client.post(entries, deduction(30, reason="第一行\n第二行")).json
    client.post(f"{deposit}/refunds", {"amount_fen": 20, "reason": "r"})
    answer = client.get(f"{deposit}/statement")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8" and "statement.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(r["effective_on"], r["kind"], r["change_fen"], r["held_change_fen"], r["balance_fen"], r["held_fen"]) for r in rows] == [
        ("2023-05-02", "payment", "50", "0", "50", "0"), ("2023-05-05", "payment", "100", "0", "150", "0"),
        ("2023-05-10", "deduction", "-30", "0", "120", "0"), ("2023-05-10", "refund_hold", "0", "20", "120", "20")]  # fmt: skip
    assert (rows[0]["external_reference"], rows[2]["reason"], rows[2]["entry_id"]) == ('b,"x"', "第一行\n第二行", taken["entry_id"])
    part = client.get(f"{deposit}/statement", query={"from": "2023-05-05", "through": "2023-05-05"}).body.decode()
    assert [r["balance_fen"] for r in csv.DictReader(io.StringIO(part))] == ["150"]
    assert client.get(f"{deposit}/statement", query={"from": "2023-05-06", "through": "2023-05-05"}).faults == {"from": "must_be_before"}
    assert client.get("/v1/providers/prv_0/deposit/statement").status == 404


def test_a_cursor_of_another_list_leads_nowhere(client, entries):
    client.post(entries, payment("a"))
    client.post(entries, payment("b"))
    cursor = client.get("/v1/providers", query={"limit": 1}).json["next_cursor"]
    assert client.get(entries, query={"cursor": cursor}).json == {"data": [], "next_cursor": None}
    assert [e["external_reference"] for e in client.all(entries, limit=1)] == ["b", "a"]


def test_of_nobody(client):
    assert client.get("/v1/providers/prv_none/deposit").status == 404
    assert client.post("/v1/providers/prv_none/deposit/entries", payment()).code == "not_found"


def test_what_is_required_before_there_is_an_application(client, world):
    deposit = client.get(f"/v1/providers/{world.register(industry='no_policy_for_this')['provider_id']}/deposit").json
    assert (deposit["required_fen"], deposit["shortfall_fen"], deposit["balance_fen"], deposit["policy"]) == (None, None, 0, None)
