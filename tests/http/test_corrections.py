"""Late figures: what an import concerns is stale in its own transaction, a correction is proposed and confirmed by two people, and the
provider becomes what the right decision would have made of it then."""

import hashlib
import json

import pytest

from support.at_once import at_once, eventually
from support.short_life import ShortLife


class Late(ShortLife):
    """Two admins; periods of a month. A trial asks for one exam pass, a regular period for one new store."""

    def begin(self):
        self.advance("2023-03-20")
        return self

    def publish(self, industry, **over):
        """A policy like calligraphy's, of an industry of its own, which is then this world's."""
        policy = {**self.client.get("/v1/policies/calligraphy@1").json, "policy_id": industry, "industry": industry, **over}
        path = self.folder / f"{industry}.json"
        path.write_text(json.dumps(policy))
        self.service.command("policy", "publish", str(path))
        self.industry = industry

    def facts(self, provider_id, month, count=1, orders=0):
        """New stores bound on the 5th of the month, with orders on the 10th; their ids."""
        code = self.provider(provider_id)["credit_code"]
        ids = [f"{provider_id[-8:]}-{month}-{i}" for i in range(count)]
        self.load("stores", [self.store(s, industry=self.industry, category=self.industry) for s in ids])
        self.load("bindings", [self.binding(code, s, f"{month}-05") for s in ids])
        if orders:
            self.load("store_days", [{"store_id": s, "day": f"{month}-10", "orders": orders, "gmv_fen": 0} for s in ids])
        return ids

    def untried(self, **over):
        """Admitted today, nobody passed the exam."""
        return self.admit(industry=self.industry, main_category=self.industry, **over)["provider_id"]

    def passes(self, provider_id, on="2023-03-01", person="p1"):
        code = self.provider(provider_id)["credit_code"]
        return self.load("exam_passes", [{"credit_code": code, "person_id": person, "passed_on": on}])

    def decision(self, decision_id):
        return self.client.get(f"/v1/decisions/{decision_id}").json

    def decision_of(self, provider_id, start):
        (period,) = [p for p in self.periods(provider_id) if p["start"] == start and p["status"] != "cancelled"]
        return self.decision(period["decision_id"])

    def stale(self, **query):
        return self.client.all("/v1/decisions", {"stale": "true", **query})

    def reviewed(self, decision):
        """What the background made of it, once it has."""
        return eventually(lambda: (self.decision(decision["decision_id"])["stale"] or {}).get("review"))

    def settled(self, decision):
        """It is stale no more."""
        eventually(lambda: self.decision(decision["decision_id"])["stale"] is None)

    def correct(self, decision, client=None, ok=True, **more):
        answer = (client or self.client).post(f"/v1/decisions/{decision['decision_id']}/correct", {"reason": "数据更正"}, **more)
        assert not ok or answer.status == 201, answer
        return answer.json if ok else answer

    def confirm(self, correction, client=None, ok=True, json=None, **more):
        answer = (client or self.second).post(f"/v1/corrections/{correction['correction_id']}/confirm", json, **more)
        assert not ok or answer.status == 200, answer
        return answer.json if ok else answer

    def corrected(self, decision):
        """Proposed by one, confirmed by the other; the superseding decision."""
        done = self.confirm(self.correct(decision))
        return self.decision(done["superseding_decision_id"])

    def chain(self, provider_id):
        return sorted((p["start"], p["stage"], p["status"]) for p in self.periods(provider_id))

    def verify(self):
        out = self.service.command("verify")
        assert "WRONG" not in out, out
        return out


@pytest.fixture
def late(new_service, tmp_path):
    service = new_service()
    made = Late(service.client(), service, tmp_path)
    made.folder = tmp_path
    made.second = service.client(service.new_key("admin"))
    return made.begin()


def test_a_wrongly_failed_trial(late):
    provider = late.untried()
    late.complete("2023-04-30")
    late.advance("2023-05-01")
    assert late.provider(provider)["status"] == "trial_failed"
    decision = late.decision_of(provider, "2023-04-01")
    assert (decision["outcome"], decision["stale"], decision["corrections"], decision["appeals"], decision["voided_by"]) == (
        "not_met", None, [], [], None)

    late.advance("2023-05-20")
    late.passes(provider, on="2023-04-12")
    review = late.reviewed(decision)
    stale = late.decision(decision["decision_id"])["stale"]
    assert (stale["first_day"], stale["reopenable"], stale["reopen_until"]) == ("2023-04-12", True, None)
    assert review["outcome"] == "met" and review["outcome_changes"] is True
    assert review["changes"] == [{"policy": "calligraphy@1", "measure": "exam_passes", "before": 0, "after": 1}]
    assert [d["decision_id"] for d in late.stale()] == [decision["decision_id"]]
    assert late.stale()[0]["stale"] == stale

    correction = late.correct(decision)
    assert (correction["status"], correction["outcome_before"], correction["outcome"]) == ("proposed", "not_met", "met")
    assert late.provider(provider)["status"] == "trial_failed", "a proposal changes nothing"
    done = late.confirm(correction)
    assert (done["status"], done["consequence"]) == ("confirmed", "restored")
    now = late.provider(provider)
    assert (now["status"], now["since"]) == ("certified", "2023-05-01")
    assert late.chain(provider) == [("2023-04-01", "trial", "passed"), ("2023-05-01", "regular", "open")]
    new = late.decision(done["superseding_decision_id"])
    old = late.decision(decision["decision_id"])
    assert (new["supersedes"], new["superseded_by"], old["superseded_by"]) == (old["decision_id"], None, new["decision_id"])
    assert old["document"] == decision["document"] and old["sha256"] == decision["sha256"] and old["stale"] is None
    assert (new["outcome"], new["sha256"], new["decided_on"]) == ("met", correction["sha256"], "2023-05-20")
    assert late.stale() == []
    late.verify()


def revoked(late):
    """Certified on 2023-05-01, and revoked for May, on 2023-06-01."""
    provider = late.in_trial()
    late.complete("2023-05-31")
    late.advance("2023-06-01")
    now = late.provider(provider)
    assert (now["status"], now["revoked_on"], now["reapply_from"]) == ("revoked", "2023-06-01", "2023-11-28")
    return provider


def certified(late, through="2023-06-30"):
    """May is passed by one new store, whose id is answered too; the figures go through that day, and June runs."""
    provider = late.in_trial()
    (store,) = late.facts(provider, "2023-05")
    late.complete(through)
    late.advance("2023-06-01")
    assert late.chain(provider) == [("2023-04-01", "trial", "passed"), ("2023-05-01", "regular", "passed"), ("2023-06-01", "regular", "open")]
    return provider, store


def misplaced(late, store, valid_from="2023-05-01"):
    """The platform says late that the store was another industry's since then."""
    late.load("stores", [late.store(store, valid_from=valid_from, industry="jade", category="jade")])


# ---- what becomes of the provider ----


def test_a_wrongly_revoked_provider_lives_on_as_if_it_had_not_been(late):
    """Revoked for May. In August it comes out that May was met: June, which was met too, and July, which was not, are closed as ever."""
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.advance("2023-08-20")
    late.complete("2023-08-15")
    late.facts(provider, "2023-05")
    late.facts(provider, "2023-06")
    assert late.reviewed(decision)["changes"] == [{"policy": "calligraphy@1", "measure": "new_stores", "before": 0, "after": 1}]
    new = late.corrected(decision)
    now = late.provider(provider)
    assert (now["status"], now["since"]) == ("certified", "2023-05-01"), "it never ceased"
    assert (now["revoked_on"], now["reapply_from"], now["reapply_cause"]) == (None, None, None)
    assert late.chain(provider)[-2:] == [("2023-05-01", "regular", "passed"), ("2023-06-01", "regular", "open")]
    said = late.qualification(provider)
    assert said["qualified"] and said["reapply_from"] is None and said["deposit"]["shortfall_fen"] == 0

    late.advance("2023-08-21")
    assert late.chain(provider) == [("2023-04-01", "trial", "passed"), ("2023-05-01", "regular", "passed"),
                                    ("2023-06-01", "regular", "passed"), ("2023-07-01", "regular", "failed")]
    now = late.provider(provider)
    assert (now["status"], now["since"], now["reapply_from"]) == ("revoked", "2023-08-01", "2024-01-28")
    history = late.service.database.sql(f"select status, since::text, cause from provider_status where provider_id = '{provider}' order by seq")
    assert [h[:2] for h in history][-4:] == [("certified", "2023-05-01"), ("revoked", "2023-06-01"), ("certified", "2023-05-01"), ("revoked", "2023-08-01")]
    assert history[-2][2] == new["decision_id"]
    late.verify()


def test_a_wrongly_passed_provider_is_revoked_as_of_then(late):
    provider, store = certified(late)
    late.facts(provider, "2023-06")
    late.complete("2023-07-05")
    late.advance("2023-07-10")
    assert late.chain(provider)[2:] == [("2023-06-01", "regular", "passed"), ("2023-07-01", "regular", "open")]
    may, june = late.decision_of(provider, "2023-05-01"), late.decision_of(provider, "2023-06-01")
    misplaced(late, store)
    assert late.reviewed(may)["outcome"] == "not_met"
    assert late.decision(june["decision_id"])["stale"] is None or not late.reviewed(june)["outcome_changes"], "the store was none of June's new ones"
    done = late.confirm(late.correct(may))
    assert done["consequence"] == "failed"
    now = late.provider(provider)
    assert (now["status"], now["since"], now["revoked_on"], now["reapply_from"]) == ("revoked", "2023-06-01", "2023-06-01", "2023-11-28")
    assert late.chain(provider)[1:] == [("2023-05-01", "regular", "failed"), ("2023-06-01", "regular", "cancelled"), ("2023-07-01", "regular", "cancelled")]
    gone = late.decision(june["decision_id"])
    assert (gone["voided_by"], gone["superseded_by"], gone["outcome"]) == (done["correction_id"], None, "met")
    refused = late.correct(june, ok=False)
    assert (refused.status, refused.code) == (409, "wrong_state") and "void" in refused.json["detail"]
    assert late.qualification(provider)["qualified"] is False
    refused = late.try_apply(provider)
    assert refused.code == "admission_refused" and "2023-11-28" in late.cooldown(refused)["detail"]
    late.verify()

    # And back: the platform takes that back too. May was met after all, and June is judged anew, under a decision of its own.
    late.load("stores", [late.store(store, valid_from="2023-05-01", industry=late.industry, category=late.industry)])
    again = late.decision(done["superseding_decision_id"])
    assert late.reviewed(again)["outcome"] == "met"
    last = late.corrected(again)
    assert (late.provider(provider)["status"], late.provider(provider)["since"]) == ("certified", "2023-05-01")
    assert [late.decision(d)["superseded_by"] for d in (may["decision_id"], again["decision_id"], last["decision_id"])] == [
        again["decision_id"], last["decision_id"], None]
    assert last["document"]["policies"] == may["document"]["policies"], "the same facts, the same measures"
    assert late.chain(provider)[2:] == [("2023-06-01", "regular", "cancelled"), ("2023-06-01", "regular", "open"), ("2023-07-01", "regular", "cancelled")]
    late.advance("2023-07-11")
    assert ("2023-06-01", "regular", "passed") in late.chain(provider) and ("2023-07-01", "regular", "open") in late.chain(provider)
    assert late.decision(june["decision_id"])["voided_by"] == done["correction_id"], "what was void stays void"
    late.verify()


def test_the_same_outcome_on_other_measures(late):
    provider, _ = certified(late)
    decision = late.decision_of(provider, "2023-05-01")
    before = late.provider(provider)
    late.facts(provider, "2023-05", count=3)
    review = late.reviewed(decision)
    assert (review["outcome"], review["outcome_changes"]) == ("met", False)
    assert [(c["measure"], c["before"], c["after"]) for c in review["changes"]] == [("new_stores", 1, 3)]
    done = late.confirm(late.correct(decision))
    assert (done["consequence"], done["outcome_before"], done["outcome"]) == ("none", "met", "met")
    assert late.provider(provider) == before and late.chain(provider)[1:] == [("2023-05-01", "regular", "passed"), ("2023-06-01", "regular", "open")]
    (period,) = [p for p in late.periods(provider) if p["start"] == "2023-05-01"]
    assert period["decision_id"] == done["superseding_decision_id"]
    assert period["progress"]["policies"][0]["measures"]["new_stores"] == 3
    late.verify()


@pytest.fixture
def late_trial(late):
    """A policy whose trial of two months asks for a new store."""
    admission = late.client.get("/v1/policies/calligraphy@1").json["admission"]
    late.publish("jades", trial={"months": 2, "requires": {"measure": "new_stores", "at_least": 1, "clause": "3.2"}},
                 admission={**admission, "trial_failed_cooldown_days": 90})
    return late


def test_a_wrongly_passed_trial(late_trial):
    late = late_trial
    provider = late.untried()
    (store,) = late.facts(provider, "2023-04")
    late.complete("2023-06-30")
    late.advance("2023-06-10")
    assert late.provider(provider)["status"] == "certified"
    misplaced(late, store, "2023-04-01")
    decision = late.decision_of(provider, "2023-04-01")
    done = late.confirm(late.correct(decision))
    assert done["consequence"] == "failed"
    now = late.provider(provider)
    assert (now["status"], now["since"], now["reapply_from"], now["reapply_cause"]) == ("trial_failed", "2023-06-01", "2023-08-30", "trial_failed")
    assert late.chain(provider) == [("2023-04-01", "trial", "failed"), ("2023-06-01", "regular", "cancelled")]
    late.verify()


def test_an_early_conversion_that_was_not_met(late_trial):
    """As if it had been refused: the trial goes on to its planned end, and is judged there as ever."""
    late = late_trial
    provider = late.untried()
    (store,) = late.facts(provider, "2023-04")
    late.complete("2023-04-18")
    late.advance("2023-04-20")
    converted = late.client.post(f"/v1/providers/{provider}/early-conversion")
    assert converted.status == 201
    decision = converted.json
    late.load("store_days", [{"store_id": store, "day": "2023-04-19", "orders": 5, "gmv_fen": 5}], complete_through="2023-05-20")
    late.advance("2023-05-22")
    assert late.decision(decision["decision_id"])["stale"] is None, "it was made as of the 18th"
    late.load("store_days", [{"store_id": store, "day": "2023-04-18", "orders": 5, "gmv_fen": 0}])
    assert late.reviewed(decision)["changes"] == [{"policy": "jades@1", "measure": "monthly_orders", "before": [0, 0], "after": [5, 0]}]

    misplaced(late, store, "2023-04-01")
    correction = late.correct(decision)
    assert correction["document"]["as_of"] == "2023-04-18" and correction["document"]["final"] is False
    assert late.confirm(correction)["consequence"] == "trial_resumed"
    now = late.provider(provider)
    assert (now["status"], now["since"], now["reapply_from"]) == ("trial", "2023-04-01", None)
    assert late.chain(provider) == [("2023-04-01", "trial", "cancelled"), ("2023-04-01", "trial", "open"), ("2023-05-01", "regular", "cancelled")]
    late.verify()
    late.facts(provider, "2023-05")
    late.complete("2023-05-31")
    late.advance("2023-06-01")
    assert (late.provider(provider)["status"], late.provider(provider)["since"]) == ("certified", "2023-06-01")
    assert late.chain(provider) == [("2023-04-01", "trial", "cancelled"), ("2023-04-01", "trial", "passed"),
                                    ("2023-05-01", "regular", "cancelled"), ("2023-06-01", "regular", "open")]
    late.verify()


# ---- what happened meanwhile ----


def blocked(answer):
    assert (answer.status, answer.code) == (409, "correction_blocked"), answer
    return [(o["code"], o["subject"]) for o in answer.json["obstacles"]]


def test_an_application_made_meanwhile(late):
    """What it applied for since must be withdrawn or rejected first; what that led to is not undone."""
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.facts(provider, "2023-05")
    correction = late.correct(decision)
    late.advance("2023-11-28")
    application = late.apply(provider)
    assert blocked(late.confirm(correction, ok=False)) == [("later_application", application["application_id"])]
    assert late.client.post(f"/v1/applications/{application['application_id']}/withdraw").status == 200
    assert late.confirm(correction, query={"dry_run": "true"})["consequence"] == "restored"
    second = late.apply(provider)
    late.approve(second["application_id"])
    assert blocked(late.confirm(correction, ok=False)) == [("later_application", second["application_id"])], "its trial has not begun"
    late.advance("2023-12-01")
    assert late.provider(provider)["status"] == "trial"
    (trial,) = [p for p in late.periods(provider) if p["start"] == "2023-12-01"]
    refused = late.confirm(correction, ok=False)
    assert blocked(refused) == [("later_period", trial["period_id"])]
    assert trial["period_id"] in refused.json["obstacles"][0]["detail"]
    zh = late.confirm(correction, ok=False, headers={"Accept-Language": "zh-CN"})
    assert "不能撤销" in zh.json["obstacles"][0]["detail"]
    assert late.decision(decision["decision_id"])["superseded_by"] is None


def test_after_a_withdrawn_application_it_is_restored(late):
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.advance("2023-11-28")
    application = late.apply(provider)
    assert late.client.post(f"/v1/applications/{application['application_id']}/reject", {"reason": "x"}).status == 200
    late.facts(provider, "2023-05")
    assert late.provider(provider)["status"] == "rejected"
    late.corrected(decision)
    now = late.provider(provider)
    assert (now["status"], now["since"], now["reapply_from"]) == ("certified", "2023-05-01", None)
    assert late.chain(provider)[-1] == ("2023-06-01", "regular", "open")
    late.verify()


def test_an_exit_stays(late):
    """It was the provider's own act. Only the cool-down is gone, so that it may apply at once."""
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    exited = late.client.post(f"/v1/providers/{provider}/exit")
    assert exited.status == 200 and exited.json["refund"]["status"] == "requested"
    late.facts(provider, "2023-05")
    assert late.confirm(late.correct(decision))["consequence"] == "recorded"
    now = late.provider(provider)
    assert (now["status"], now["reapply_from"], now["revoked_on"]) == ("exited", None, None)
    assert late.chain(provider)[-1] == ("2023-05-01", "regular", "passed")
    assert late.try_apply(provider).status == 201
    late.verify()


def test_a_certified_provider_that_exited_was_revoked_before(late):
    provider, store = certified(late)
    decision = late.decision_of(provider, "2023-05-01")
    assert late.client.post(f"/v1/providers/{provider}/exit").status == 200
    assert late.try_apply(provider, query={"dry_run": "true"}).status == 201, "an exit begins no cool-down"
    misplaced(late, store)
    assert late.confirm(late.correct(decision))["consequence"] == "recorded"
    now = late.provider(provider)
    assert (now["status"], now["since"], now["revoked_on"], now["reapply_from"]) == ("exited", "2023-06-01", "2023-06-01", "2023-11-28")
    assert late.try_apply(provider).code == "admission_refused"
    late.verify()


def test_a_deposit_refunded_meanwhile_is_owed_again(late):
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.facts(provider, "2023-05")
    refund = late.client.post(f"/v1/providers/{provider}/deposit/refunds", {"reason": "revoked"}).json
    correction = late.correct(decision)
    assert blocked(late.confirm(correction, ok=False)) == [("refund_running", refund["refund_id"])]
    assert late.second.post(f"/v1/refunds/{refund['refund_id']}/approve").status == 200
    assert late.client.post(f"/v1/refunds/{refund['refund_id']}/settle").status == 200
    assert late.confirm(correction)["consequence"] == "restored"
    said = late.qualification(provider)
    assert (said["status"], said["qualified"], said["deposit"]["shortfall_fen"]) == ("certified", False, 2000000)
    assert "deposit_shortfall_overdue" in [r["code"] for r in said["reasons"]]
    late.pay(provider)
    assert late.qualification(provider)["qualified"]
    late.verify()


def test_a_scope_changed_meanwhile(late):
    """What it is approved for is no fact of a decided period: it makes nothing stale, and has to be as it was before it is restored."""
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    where = f"/v1/providers/{provider}"
    assert late.client.patch(where, {"region": "110000"}, headers={"If-Match": late.client.get(where).etag}).status == 200
    assert late.decision(decision["decision_id"])["stale"] is None
    late.verify()
    late.facts(provider, "2023-05")
    assert late.reviewed(decision)["outcome"] == "met", "judged for the region that it was approved for then"
    correction = late.correct(decision)
    assert blocked(late.confirm(correction, ok=False)) == [("scope_changed", provider)]
    assert late.client.patch(where, {"region": "420000"}, headers={"If-Match": late.client.get(where).etag}).status == 200
    assert late.confirm(correction)["consequence"] == "restored"
    late.verify()


# ---- proposing and confirming ----


def test_nothing_to_correct(late):
    provider, _ = certified(late)
    decision = late.decision_of(provider, "2023-05-01")
    refused = late.correct(decision, ok=False)
    assert (refused.status, refused.code) == (409, "decision_stands")
    assert late.client.post("/v1/decisions/dec_00/correct", {"reason": "x"}).status == 404
    assert late.client.post(f"/v1/decisions/{decision['decision_id']}/correct", {}, check=False).faults == {"/reason": "missing"}
    late.facts(provider, "2023-05", count=2)
    dry = late.correct(decision, ok=False, query={"dry_run": "true"})
    assert dry.status == 201 and late.client.all("/v1/corrections") == []
    first = late.correct(decision)
    assert late.correct(decision, ok=False).code == "wrong_state", "one at a time"
    done = late.confirm(first, json={"sha256": first["sha256"], "note": "seen"})
    assert (done["note"], done["decided_by"] != done["proposed_by"]) == ("seen", True)
    assert late.correct(decision, ok=False).code == "wrong_state", "superseded"
    assert late.confirm(first, ok=False).code == "wrong_state"


def test_not_by_the_same_person(late):
    provider, _ = certified(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.facts(provider, "2023-05", count=2)
    correction = late.correct(decision, client=late.second)
    assert late.confirm(correction, late.second, ok=False).code == "same_actor"
    key = next(k["key_id"] for k in late.client.all("/v1/keys") if late.second.key.startswith(k["prefix"]))
    successor = late.client.with_key(late.client.post(f"/v1/keys/{key}/rotate").json["key"])
    assert late.confirm(correction, successor, ok=False).code == "same_actor", "a key and its successor are one person"
    assert late.confirm(correction, late.client, ok=False, json={"sha256": "0" * 64}).code == "correction_differs"
    withdrawn = successor.post(f"/v1/corrections/{correction['correction_id']}/reject", {"reason": "a mistake"})
    assert (withdrawn.status, withdrawn.json["status"]) == (200, "withdrawn")
    other = late.correct(decision, client=late.second)
    rejected = late.client.post(f"/v1/corrections/{other['correction_id']}/reject", {"reason": "disputed"})
    assert (rejected.json["status"], rejected.json["note"]) == ("rejected", "disputed")
    assert late.decision(decision["decision_id"])["stale"] is not None, "the facts differ all the same"
    operator = late.service.client(late.service.new_key("operator"))
    assert late.confirm(late.correct(decision, client=operator), late.second)["status"] == "confirmed"
    assert [c["status"] for c in late.decision(decision["decision_id"])["corrections"]] == ["withdrawn", "rejected", "confirmed"]
    late.verify()


def test_a_proposal_whose_facts_changed_has_lapsed(late):
    provider, _ = certified(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.facts(provider, "2023-05", count=2)
    correction = late.correct(decision)
    late.facts(provider, "2023-05", count=3)
    refused = late.confirm(correction, ok=False)
    assert (refused.status, refused.code) == (409, "correction_lapsed")  # by the confirmation, or in the background before
    seen = late.client.get(f"/v1/corrections/{correction['correction_id']}").json
    assert (seen["status"], seen["decided_by"], seen["superseding_decision_id"]) == ("lapsed", None, None)
    assert late.confirm(correction, ok=False).code == "correction_lapsed"
    late.facts(provider, "2023-04")
    late.advance("2023-06-02")
    fresh = late.correct(decision)
    assert fresh["changes"][0]["after"] == 3
    # Facts that do not concern it leave it alone.
    late.load("store_days", [{"store_id": late.facts(provider, "2023-06")[0], "day": "2023-06-05", "orders": 1, "gmv_fen": 1}])
    assert late.confirm(fresh)["status"] == "confirmed"
    late.verify()


def test_a_proposal_of_a_period_that_is_taken_away_has_lapsed(late):
    provider, store = certified(late)
    june = late.facts(provider, "2023-06")
    late.complete("2023-07-31")
    late.advance("2023-07-01")
    may, june = late.decision_of(provider, "2023-05-01"), late.decision_of(provider, "2023-06-01")
    late.facts(provider, "2023-06", count=2)
    later = late.correct(june)
    misplaced(late, store)
    late.confirm(late.correct(may))
    assert late.client.get(f"/v1/corrections/{later['correction_id']}").json["status"] == "lapsed"
    assert late.decision(june["decision_id"])["stale"] is None and late.decision(june["decision_id"])["voided_by"]
    late.verify()


@pytest.mark.tsan
def test_two_confirmations_at_once(late):
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.facts(provider, "2023-05")
    correction = late.correct(decision)
    clients = [late.service.client(late.service.new_key("operator")) for _ in range(4)]
    answers = at_once(4, lambda i: late.confirm(correction, clients[i], ok=False))
    assert sorted(a.status for a in answers)[0] == 200 and {a.code for a in answers if a.status != 200} <= {"wrong_state", "conflict", "overloaded"}
    assert sum(a.status == 200 for a in answers) == 1
    sql = late.service.database.sql
    assert sql(f"select count(*) from decision where supersedes = '{decision['decision_id']}'") == [(1,)]
    assert sql("select count(*) from event where type = 'correction.confirmed'") == [(1,)]
    assert late.chain(provider)[-1] == ("2023-06-01", "regular", "open") and len(late.chain(provider)) == 3
    late.verify()


def test_a_lost_answer_is_given_again(late):
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.facts(provider, "2023-05")
    made = late.correct(decision, ok=False, idempotency_key="propose")
    again = late.correct(decision, ok=False, idempotency_key="propose")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (made.body, "true")
    done = late.confirm(made.json, ok=False, idempotency_key="confirm")
    again = late.confirm(made.json, ok=False, idempotency_key="confirm")
    assert done.status == 200 and (again.body, again.headers["Idempotency-Replayed"]) == (done.body, "true")
    assert len([p for p in late.chain(provider) if p[0] == "2023-06-01"]) == 1
    document = done.body.decode()
    document = document[document.index('"document":') + len('"document":'):document.rindex(',"sha256":')]
    assert hashlib.sha256(document.encode()).hexdigest() == done.json["sha256"]


@pytest.mark.parametrize("arrives, reopens", [("2023-06-10", True), ("2023-06-11", False)])
def test_how_far_back_figures_may_reopen(late, arrives, reopens):
    """Ten days from the period's end: on the tenth day, and on the eleventh."""
    late.publish("limited", decisions={"reopen_days": 10})
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.advance(arrives)
    late.facts(provider, "2023-05")
    late.reviewed(decision)
    late.advance("2023-08-01")  # when it is proposed does not matter
    stale = late.decision(decision["decision_id"])["stale"]
    assert (stale["reopen_until"], stale["reopenable"]) == ("2023-06-10", reopens)
    answer = late.correct(decision, ok=False)
    if reopens:
        assert late.confirm(answer.json)["consequence"] == "restored"
    else:
        assert (answer.status, answer.code) == (409, "reopen_limit_passed")
        assert arrives in answer.json["detail"] and "2023-06-10" in answer.json["detail"]
        assert [d["decision_id"] for d in late.stale()] == [decision["decision_id"]], "the facts are stored, and it says so"
    late.verify()


# ---- which imports mark what ----


def test_what_concerns_a_decided_period(late):
    provider, store = certified(late, "2023-06-15")
    late.advance("2023-06-16")
    trial, may = late.decision_of(provider, "2023-04-01"), late.decision_of(provider, "2023-05-01")
    code = late.provider(provider)["credit_code"]
    ids = {trial["decision_id"]: "trial", may["decision_id"]: "may"}

    def marks(kind, rows, **more):
        """The decisions that this import marks, with the first day that it concerns."""
        made = late.load(kind, rows, **more)
        return {ids[d]: str(day) for d, day in late.service.database.sql(
            f"select decision_id, first_day from decision_stale where import_id = '{made['import_id']}'")}

    def day(of, on, orders=1):
        return {"store_id": of, "day": on, "orders": orders, "gmv_fen": orders}

    # Day facts: the days of the period, and no other.
    assert marks("store_days", [day(store, "2023-06-16")], complete_through="2023-06-16") == {}, "a night as always"
    assert marks("store_days", [day(store, "2023-06-05")]) == {}
    assert marks("store_days", [day(store, "2023-05-31")]) == {"may": "2023-05-31"}
    assert marks("store_days", [day(store, "2023-05-31")]) == {}, "sent again, it changes nothing"
    assert marks("store_days", [day(store, "2023-05-31", 2), day(store, "2023-05-06", 2), day(store, "2023-06-17")],
                 complete_through="2023-06-17") == {"may": "2023-05-06"}, "with a night"
    assert marks("store_days", [day(store, "2023-04-30")]) == {}, "it was not bound in April"
    other = late.facts(late.in_trial(), "2023-05")[0]
    assert marks("store_days", [day(other, "2023-05-10")]) == {}

    # Attributes: those in force on the evaluation day.
    def version(valid_from, **over):
        return late.store(store, valid_from=valid_from, **{"industry": late.industry, "category": late.industry, **over})

    assert marks("stores", [version("2023-06-01", status="closed")]) == {}
    assert marks("stores", [version("2023-05-31", status="suspended")]) == {"may": "2023-05-31"}
    assert marks("stores", [version("2020-01-01", name="before the last one")]) == {}, "a later version was in force"

    # Bindings: the days that are bound otherwise now.
    assert marks("bindings", [late.binding(code, store, "2023-05-05", "2023-06-10")]) == {}, "unbound after the period"
    assert marks("bindings", [late.binding(code, store, "2023-05-05", "2023-05-31")]) == {"may": "2023-05-31"}
    late.load("stores", [late.store("late-1"), late.store("late-2")])
    assert marks("bindings", [late.binding(code, "late-1", "2023-06-02")]) == {}
    assert marks("bindings", [late.binding(code, "late-1", "2022-11-01", "2022-12-01")]) == {"trial": "2023-04-01", "may": "2023-05-01"}, "a repeat?"
    assert marks("bindings", [late.binding(code, "late-2", "2022-01-01", "2022-08-01")]) == {}, "too long ago to make a repeat"

    # Exam passes: before the end.
    assert marks("exam_passes", [{"credit_code": code, "person_id": "p8", "passed_on": "2023-06-01"}]) == {}
    assert marks("exam_passes", [{"credit_code": code, "person_id": "p9", "passed_on": "2023-05-31"}]) == {"may": "2023-05-31"}
    assert marks("exam_passes", [{"credit_code": code, "person_id": "p9", "passed_on": "2023-04-30"}]) == {"trial": "2023-04-30", "may": "2023-05-01"}

    # The trial was marked for a binding that changes nothing, and has one more pass.
    assert late.reviewed(trial)["changes"] == [{"policy": "calligraphy@1", "measure": "exam_passes", "before": 1, "after": 2}]
    late.reviewed(may)
    late.verify()


def test_other_providers_bindings_count_where_the_policy_looks_at_them(late):
    counting = late.client.get("/v1/policies/calligraphy@1").json["counting"]
    other = late.register()
    late.publish("anyone", counting={**counting, "repeat_scope": "any"})
    provider, store = certified(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.load("bindings", [late.binding(other["credit_code"], store, "2022-10-01", "2022-11-05")])
    assert late.service.database.sql("select count(*) from decision_stale") == [(1,)]
    late.settled(decision)
    late.load("bindings", [late.binding(other["credit_code"], store, "2022-10-01", "2022-11-06")])
    assert late.reviewed(decision)["outcome"] == "not_met", "a day later it reaches into the six months before May 5th"
    late.verify()


def test_marked_too_often_is_found_unchanged(late):
    """A correction that cancels out, and one that concerns nothing that counts."""
    provider, store = certified(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.load("store_days", [{"store_id": store, "day": "2023-05-20", "orders": 7, "gmv_fen": 7}])
    assert late.reviewed(decision)["changes"][0]["measure"] == "new_store_gmv_fen"
    late.load("store_days", [{"store_id": store, "day": "2023-05-20", "orders": 0, "gmv_fen": 0}])
    late.settled(decision)
    assert late.stale() == []
    assert late.correct(decision, ok=False).code == "decision_stands"
    sql = late.service.database.sql
    kinds = [k for (k,) in sql(f"select type from event where subject = '{decision['decision_id']}' order by event_id")]
    assert kinds == ["decision.made", "decision.stale", "decision.found_unchanged"]
    actions = [a for (a,) in sql(f"select action from audit where subject = '{decision['decision_id']}' order by audit_id")]
    assert actions == ["decision.made", "decision.marked_stale", "decision.marked_stale", "decision.found_unchanged"]
    assert len(sql(f"select 1 from decision_stale where decision_id = '{decision['decision_id']}'")) == 2, "what was marked stays to be seen"
    late.verify()


def test_a_dry_run_marks_nothing(late):
    provider, store = certified(late)
    answer = late.client.post("/v1/imports", body=f"store_id,day,orders,gmv_fen\n{store},2023-05-20,7,7\n".encode(),
                              query={"kind": "store_days", "dry_run": "true"}, headers={"Content-Type": "text/csv"})
    assert answer.status == 201
    assert late.stale() == [] and late.service.database.sql("select 1 from decision_stale") == []


# ---- reading, and what the database guards ----


def test_reading(late):
    provider, _ = certified(late)
    other = late.in_trial()
    decision = late.decision_of(provider, "2023-05-01")
    where = f"/v1/decisions/{decision['decision_id']}"
    etag = late.client.get(where).etag
    assert late.client.get(where, headers={"If-None-Match": etag}).status == 304
    late.facts(provider, "2023-05", count=2)
    late.reviewed(decision)
    assert late.client.get(where, headers={"If-None-Match": etag}).status == 200, "what happened to it is shown with it"
    correction = late.correct(decision)
    own = late.service.client(late.service.new_key("partner", provider))
    foreign = late.service.client(late.service.new_key("partner", other))
    one = f"/v1/corrections/{correction['correction_id']}"
    assert own.get(one).json == correction and foreign.get(one).status == 404
    assert [c["correction_id"] for c in own.all("/v1/corrections")] == [correction["correction_id"]] and foreign.all("/v1/corrections") == []
    assert [d["decision_id"] for d in own.all("/v1/decisions", {"stale": "true"})] == [decision["decision_id"]]
    assert foreign.all("/v1/decisions", {"stale": "true"}) == []
    for query, there in (({"status": "proposed"}, 1), ({"status": "lapsed"}, 0), ({"decision_id": decision["decision_id"]}, 1),
                         ({"provider_id": other}, 0), ({"provider_id": provider, "status": "proposed"}, 1)):
        assert len(late.client.all("/v1/corrections", query)) == there, query
    assert late.stale(outcome="not_met") == [] and len(late.stale(outcome="met", provider_id=provider, period_id=decision["period_id"])) == 1
    assert late.client.get("/v1/decisions", query={"stale": "false"}, check=False).faults == {"stale": "invalid_value"}
    assert late.client.get("/v1/corrections/cor_00").status == 404
    assert late.client.post("/v1/corrections/cor_00/confirm").status == 404
    assert late.client.post("/v1/corrections/cor_00/reject", {"reason": "x"}).status == 404
    for role in ("partner", "feed", "auditor"):
        caller = late.service.client(late.service.new_key(role))
        assert late.correct(decision, caller, ok=False).status == 403
        assert late.confirm(correction, caller, ok=False).status == 403
    assert late.confirm(correction, ok=False, json={"sha256": "x", "more": 1}, check=False).faults == {"/sha256": "wrong_format", "/more": "unknown_member"}


def test_what_the_database_guards(late):
    provider = revoked(late)
    decision = late.decision_of(provider, "2023-05-01")
    late.facts(provider, "2023-05")
    correction = late.correct(decision)
    sql = late.service.database.sql
    with pytest.raises(Exception, match="cannot go from revoked to certified"):
        sql(f"update provider set status = 'certified' where provider_id = '{provider}'")
    for change in ("document = '{}'", "outcome = 'not_met'", "proposed_by = 'me'", "evaluation_sha256 = sha256"):
        with pytest.raises(Exception, match="never changes"):
            sql(f"update correction set {change}")
    with pytest.raises(Exception, match="by the decision that it proposed|correction_two_people|violates"):
        sql(f"""update correction set status = 'confirmed', decided_by = 'me', decided_on = '2023-06-01', consequence = 'restored',
            superseding_id = '{decision["decision_id"]}', confirmed_in = pg_current_xact_id()""")
    late.confirm(correction)
    with pytest.raises(Exception, match="cannot go from certified to trial"):
        sql(f"update provider set status = 'trial' where provider_id = '{provider}'")
    for statement in ("delete from correction", "update correction set note = 'x'", "delete from decision_stale", "truncate decision_void",
                      "update decision_stale set first_day = '2020-01-01'"):
        with pytest.raises(Exception, match="never changes|append-only"):
            sql(statement)
    late.verify()


def test_verify_finds_what_is_not_marked(late):
    provider, store = certified(late)
    late.load("store_days", [{"store_id": store, "day": "2023-05-20", "orders": 7, "gmv_fen": 7}])
    late.reviewed(late.decision_of(provider, "2023-05-01"))
    late.verify()
    sql = late.service.database.sql
    sql("delete from decision_review")
    assert "today's facts give another decision, and it is not marked" in late.service.command("verify", ok=False)
