"""Exit of a certified or revoked provider (5): every obstacle at once, else the end of its certification or agreement, and the refund
of what is available."""

import itertools

import pytest

from support.at_once import at_once, eventually
from support.short_life import ShortLife

DEPOSIT = 2_000_000
_numbers = itertools.count(1)


class Leaving(ShortLife):
    """Providers that are certified on 2023-05-01, in a regular period of May."""

    def begin(self):
        self.advance("2023-03-20")
        self.complete("2023-04-30")
        return self

    def certified(self, n=1):
        """They are on the day that it is afterwards, 2023-05-01."""
        ids = [self.in_trial() for _ in range(n)]
        self.advance("2023-05-01")
        assert {self.provider(i)["status"] for i in ids} == {"certified"}
        return ids[0] if n == 1 else ids

    def revoked(self):
        provider_id = self.certified()
        self.complete("2023-05-31")
        self.advance("2023-06-01")
        assert self.provider(provider_id)["status"] == "revoked"
        return provider_id

    def leave(self, provider_id, client=None, body=None, **more):
        return (client or self.client).post(f"/v1/providers/{provider_id}/exit", body or {}, **more)

    def deposit(self, provider_id):
        return self.client.get(f"/v1/providers/{provider_id}/deposit").json

    def entries(self, provider_id):
        return f"/v1/providers/{provider_id}/deposit/entries"

    def deduct(self, provider_id, amount_fen=1000):
        body = {"kind": "deduction", "amount_fen": amount_fen, "reason": "late delivery", "reference": f"violation-{next(_numbers)}"}
        return self._expect(self.client.post(self.entries(provider_id), body), 201)

    def refund(self, provider_id, amount_fen):
        answer = self.client.post(f"/v1/providers/{provider_id}/deposit/refunds", {"amount_fen": amount_fen, "reason": "too much"})
        return self._expect(answer, 201)

    def obstacles(self, answer):
        assert (answer.status, answer.code) == (409, "exit_blocked"), answer
        return [(o["code"], o["subject"]) for o in answer.json["obstacles"]]

    def sql(self, statement):
        return self.service.database.sql(statement)


@pytest.fixture
def leaving(new_service, tmp_path):
    service = new_service()
    made = Leaving(service.client(), service, tmp_path)
    return made.begin()


# ---- the exit ----


def test_a_certified_provider_exits(leaving):
    provider_id = leaving.certified()
    leaving.advance("2023-05-10")
    before = leaving.qualification(provider_id)
    assert before["qualified"]
    gone = leaving.leave(provider_id, body={"reason": "业务调整"})
    assert gone.status == 200
    out = gone.json
    assert (out["provider_id"], out["status"], out["from_status"], out["exited_on"], out["reason"]) == (
        provider_id, "exited", "certified", "2023-05-10", "业务调整")
    assert (out["reapply_from"], out["reapply_cause"]) == (None, None)

    # The period that ran is over, undecided.
    assert (out["period"]["period_id"], out["period"]["status"]) == (before["period"]["period_id"], "cancelled")
    assert (out["period"]["end"], out["period"]["scheduled_end"], out["period"]["decision_id"]) == ("2023-05-10", "2023-05-31", None)
    assert leaving.client.get(f"/v1/periods/{out['period']['period_id']}").json == out["period"]
    assert [p["status"] for p in leaving.periods(provider_id)] == ["cancelled", "passed"]
    assert [p["period_id"] for p in leaving.client.all(f"/v1/providers/{provider_id}/periods", {"status": "cancelled"})] == [out["period"]["period_id"]]

    # What is available is asked for, and held.
    assert (out["refund"]["status"], out["refund"]["amount_fen"], out["refund"]["provider_id"]) == ("requested", DEPOSIT, provider_id)
    assert leaving.client.get(f"/v1/refunds/{out['refund']['refund_id']}").json == out["refund"]
    deposit = leaving.deposit(provider_id)
    assert (deposit["balance_fen"], deposit["held_fen"]) == (DEPOSIT, DEPOSIT)

    now = leaving.provider(provider_id)
    assert (now["status"], now["since"]) == ("exited", "2023-05-10")
    said = leaving.qualification(provider_id)
    assert (said["qualified"], said["period"], [r["code"] for r in said["reasons"]]) == (False, None, ["exited"])

    # The closing passes it by, and the next period never opens.
    leaving.complete("2023-07-31")
    leaving.advance("2023-08-01")
    assert [p["status"] for p in leaving.periods(provider_id)] == ["cancelled", "passed"]
    assert leaving.provider(provider_id)["status"] == "exited"


def test_what_it_leaves_behind(leaving):
    """Audit entries and events of everything that it did, each once, in one transaction."""
    provider_id = leaving.certified()
    since = leaving.sql("select max(audit_id) from audit")[0][0]
    last = leaving.sql("select max(event_id) from event")[0][0]
    out = leaving.leave(provider_id, body={"reason": "moving"}).json
    actions = leaving.sql(f"select action, subject from audit where audit_id > {since} order by audit_id")
    assert [a for a in actions if not a[0].startswith(("deposit.", "refund."))] == [
        ("period.cancelled", out["period"]["period_id"]), ("provider.exited", provider_id), ("provider.exit_recorded", out["exit_id"])]
    assert ("refund.requested", out["refund"]["refund_id"]) in actions
    events = [e[0] for e in leaving.sql(f"select type from event where event_id > '{last}' order by event_id")]
    assert {"period.cancelled", "provider.exited", "refund.requested"} <= set(events) and len(events) == len(set(events))
    cause = leaving.sql(f"select cause from provider_status where provider_id = '{provider_id}' order by seq desc limit 1")
    assert cause == [(out["exit_id"],)]
    with pytest.raises(Exception, match="append-only"):
        leaving.sql("update provider_exit set reason = 'x'")


def test_a_revoked_provider_exits_and_goes_on_cooling_down(leaving):
    provider_id = leaving.revoked()
    out = leaving.leave(provider_id)
    assert out.status == 200
    assert (out.json["from_status"], out.json["period"], out.json["refund"]["amount_fen"]) == ("revoked", None, DEPOSIT)
    assert (out.json["reapply_from"], out.json["reapply_cause"]) == ("2023-11-28", "revoked")
    now = leaving.provider(provider_id)
    assert (now["status"], now["revoked_on"], now["reapply_from"], now["reapply_cause"]) == ("exited", "2023-06-01", "2023-11-28", "revoked")
    said = leaving.qualification(provider_id)
    assert [r["code"] for r in said["reasons"]] == ["exited", "cooling_down"]
    leaving.advance("2023-11-27")
    assert leaving.try_apply(provider_id).code == "admission_refused"
    leaving.advance("2023-11-28")
    assert leaving.try_apply(provider_id).status == 201


def test_between_conversion_and_the_next_1st(leaving):
    """A period that has not begun is dropped."""
    provider_id = leaving.in_trial()
    leaving.advance("2023-04-10")
    assert leaving.client.post(f"/v1/providers/{provider_id}/early-conversion").status == 201
    assert leaving.qualification(provider_id)["period"]["status"] == "scheduled"
    out = leaving.leave(provider_id)
    assert (out.status, out.json["period"]) == (200, None)
    assert [p["status"] for p in leaving.periods(provider_id)] == ["converted"]
    assert leaving.qualification(provider_id)["period"] is None


def test_without_anything_to_pay_back(leaving):
    provider_id = leaving.certified()
    entry = leaving.deduct(provider_id, DEPOSIT)
    leaving._expect(leaving.client.post(f"/v1/providers/{provider_id}/deposit/entries/{entry['entry_id']}/close"), 200)
    out = leaving.leave(provider_id)
    assert (out.status, out.json["refund"]) == (200, None)


def test_it_may_come_back_the_same_day(leaving):
    """Certified, exited and admitted again, with the next trial on the very days of the cancelled period."""
    provider_id = leaving.certified()  # on the 1st, with a period from today on
    out = leaving.leave(provider_id).json
    assert out["period"]["start"] == out["period"]["end"] == "2023-05-01"
    leaving.approve(leaving.apply(provider_id)["application_id"])
    assert leaving.provider(provider_id)["status"] == "admitted", "the deposit is held: it is no deposit any more"
    leaving.pay(provider_id)
    assert leaving.provider(provider_id)["status"] == "trial"
    assert [(p["stage"], p["status"], p["start"]) for p in leaving.periods(provider_id)][:2] == [
        ("trial", "open", "2023-05-01"), ("regular", "cancelled", "2023-05-01")]


# ---- what stands in the way ----


def test_every_obstacle_at_once(leaving):
    provider_id = leaving.certified()
    first, second = leaving.deduct(provider_id), leaving.deduct(provider_id)
    refund = leaving.refund(provider_id, 500)
    leaving.advance("2023-06-02")  # the period is over, and its figures are not complete
    period = leaving.qualification(provider_id)["period"]
    assert period["status"] == "awaiting_data"
    refused = leaving.leave(provider_id, headers={"Accept-Language": "zh-CN"})
    assert leaving.obstacles(refused) == [
        ("deduction_open", first["entry_id"]), ("deduction_open", second["entry_id"]), ("refund_running", refund["refund_id"]),
        ("period_awaiting_data", period["period_id"])]
    assert [o["clause"] for o in refused.json["obstacles"]] == ["4.1", "4.1", "5", "3.4"]
    assert refused.json["obstacles"][0]["detail"].startswith("扣款")
    assert leaving.provider(provider_id)["status"] == "certified"
    assert leaving.deposit(provider_id)["held_fen"] == 500, "nothing was done"
    assert leaving.sql("select count(*) from provider_exit") == [(0,)]

    # One after another they go away.
    leaving._expect(leaving.client.post(f"{leaving.entries(provider_id)}/{first['entry_id']}/close"), 200)
    reversal = {"kind": "deduction_reversal", "reverses": second["entry_id"]}
    leaving._expect(leaving.client.post(leaving.entries(provider_id), reversal), 201)
    assert [o[0] for o in leaving.obstacles(leaving.leave(provider_id))] == ["refund_running", "period_awaiting_data"]
    leaving._expect(leaving.client.post(f"/v1/refunds/{refund['refund_id']}/fail"), 200)
    assert [o[0] for o in leaving.obstacles(leaving.leave(provider_id))] == ["period_awaiting_data"]
    leaving.complete("2023-06-30")
    leaving.advance("2023-06-03")
    assert leaving.provider(provider_id)["status"] == "revoked"
    out = leaving.leave(provider_id)
    assert (out.status, out.json["refund"]["amount_fen"]) == (200, DEPOSIT - 1000)


def test_a_refund_that_is_approved_still_runs(leaving):
    provider_id = leaving.certified()
    refund = leaving.refund(provider_id, 500)
    other = leaving.service.client(leaving.service.new_key("operator"))
    leaving._expect(other.post(f"/v1/refunds/{refund['refund_id']}/approve"), 200)
    assert leaving.obstacles(leaving.leave(provider_id)) == [("refund_running", refund["refund_id"])]
    leaving._expect(leaving.client.post(f"/v1/refunds/{refund['refund_id']}/settle", {"external_reference": "bank-out-1"}), 200)
    out = leaving.leave(provider_id)
    assert (out.status, out.json["refund"]["amount_fen"]) == (200, DEPOSIT - 500)


@pytest.mark.parametrize("on, blocked", [("2023-05-30", False), ("2023-05-31", False), ("2023-06-01", True)])
def test_up_to_the_last_day_of_the_period(leaving, on, blocked):
    provider_id = leaving.certified()
    leaving.advance(on)
    answer = leaving.leave(provider_id)
    if blocked:
        assert [o[0] for o in leaving.obstacles(answer)] == ["period_awaiting_data"]
    else:
        assert (answer.status, answer.json["period"]["end"]) == (200, on)


def test_the_other_states(leaving):
    registered = leaving.register()["provider_id"]
    in_trial = leaving.in_trial()
    leaving.advance("2023-04-01")
    for provider_id, status in ((registered, "registered"), (in_trial, "trial")):
        answer = leaving.leave(provider_id)
        assert (answer.status, answer.code) == (409, "wrong_state")
        assert status in answer.json["detail"] and "certified, revoked" in answer.json["detail"]


# ---- at the same moment ----


@pytest.mark.tsan
def test_twice_at_once(leaving):
    provider_id = leaving.certified()
    answers = at_once(8, lambda i: leaving.leave(provider_id, leaving.service.client()))
    assert sorted(a.status for a in answers) == [200] + [409] * 7
    assert {a.code for a in answers if a.status == 409} == {"wrong_state"}
    assert leaving.sql(f"select count(*) from provider_exit where provider_id = '{provider_id}'") == [(1,)]
    assert len(leaving.client.all(f"/v1/providers/{provider_id}/deposit/refunds")) == 1
    assert leaving.deposit(provider_id)["held_fen"] == DEPOSIT


def test_the_same_key_again(leaving):
    provider_id = leaving.certified()
    first = leaving.leave(provider_id, body={"reason": "x"}, idempotency_key="leave-1")
    again = leaving.leave(provider_id, body={"reason": "x"}, idempotency_key="leave-1")
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert leaving.leave(provider_id).code == "wrong_state"


def test_a_dry_run_leaves_everything(leaving):
    provider_id = leaving.certified()
    out = leaving.leave(provider_id, query={"dry_run": "true"})
    assert (out.status, out.json["status"], out.json["period"]["status"], out.json["refund"]["amount_fen"]) == (200, "exited", "cancelled", DEPOSIT)
    assert leaving.provider(provider_id)["status"] == "certified"
    assert leaving.deposit(provider_id)["held_fen"] == 0
    assert leaving.qualification(provider_id)["period"]["status"] == "open"


@pytest.mark.parametrize("round_", range(3))
def test_against_a_running_closing(leaving, round_):
    """On the period's day after, a closing and exits at once: each provider is decided before it goes, or has not gone."""
    ids = leaving.certified(12)
    leaving.advance("2023-06-01")  # awaiting figures
    leaving.complete("2023-05-31")

    def act(i):
        client = leaving.service.client()
        if i == 0:
            return client.post("/v1/assessment-runs", {"as_of": "2023-05-31"})
        return [leaving.leave(p, client) for p in ids]

    run, *exits = at_once(3, act)
    assert run.status == 201
    eventually(lambda: leaving.client.get(f"/v1/assessment-runs/{run.json['run_id']}").json["status"] == "done")
    answers = {p: [e[k] for e in exits] for k, p in enumerate(ids)}
    for provider_id, its in answers.items():
        for a in its:
            assert a.status == 200 or a.code in ("exit_blocked", "wrong_state", "conflict"), a
        assert sum(a.status == 200 for a in its) <= 1
        status = leaving.provider(provider_id)["status"]
        assert status == ("exited" if any(a.status == 200 for a in its) else "revoked")
        newest = leaving.periods(provider_id)[0]
        assert (newest["status"], newest["end"]) == ("failed", "2023-05-31") and newest["decision_id"], "decided, never cancelled"
        story = leaving.sql(f"select status from provider_status where provider_id = '{provider_id}' order by seq")
        assert [s[0] for s in story][-2:] in (["certified", "revoked"], ["revoked", "exited"])


def test_against_a_deduction(leaving):
    """Exit and deduction at once: the deduction came first and blocks, or took from what the exit's refund held."""
    for provider_id in leaving.certified(6):
        deduction = {"kind": "deduction", "amount_fen": 1000, "reason": "late", "reference": "v-1"}

        def act(i, p=provider_id, entry=deduction):
            client = leaving.service.client()
            return leaving.leave(p, client) if i == 0 else client.post(leaving.entries(p), entry)

        gone, taken = at_once(2, act)
        assert taken.status == 201
        deposit = leaving.deposit(provider_id)
        if gone.status == 200:
            refund = leaving.client.get(f"/v1/refunds/{gone.json['refund']['refund_id']}").json
            assert (refund["amount_fen"], deposit["balance_fen"], deposit["held_fen"]) == (DEPOSIT - 1000,) * 3
        else:
            assert leaving.obstacles(gone) == [("deduction_open", taken.json["entry_id"])]
            assert (deposit["balance_fen"], deposit["held_fen"]) == (DEPOSIT - 1000, 0)


# ---- who ----


def test_who_may(leaving):
    mine, other = leaving.certified(2)
    partner = leaving.service.client(leaving.service.new_key("partner", mine))
    assert leaving.leave(other, partner).status == 404
    for role in ("feed", "auditor"):
        assert leaving.leave(mine, leaving.service.client(leaving.service.new_key(role))).status == 403
    out = leaving.leave(mine, partner)
    assert out.status == 200
    # The refund is approved by another than asked for it.
    where = f"/v1/refunds/{out.json['refund']['refund_id']}"
    asked = leaving.leave(other, leaving.client).json["refund"]
    assert leaving.client.post(f"/v1/refunds/{asked['refund_id']}/approve").code == "same_actor"
    assert leaving.client.post(f"{where}/approve").status == 200


def test_strict(leaving):
    provider_id = leaving.certified()
    for body, faults in (({"reason": ""}, {"/reason": "too_short"}), ({"reason": 1, "note": "x"}, {"/reason": "wrong_type", "/note": "unknown_member"})):
        answer = leaving.leave(provider_id, body=body)
        assert (answer.status, answer.faults) == (422, faults)
    assert leaving.client.post("/v1/providers/prv_0/exit").status == 404
