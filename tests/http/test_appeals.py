"""Appeals: a provider's objection to a decision, within its days, answered by another person within a stated time: the decision stands, or
the correction that took its place."""

import json

import pytest

from support.at_once import at_once
from support.short_life import ShortLife

DOCUMENT = {"kind": "binding_contract", "name": "合同 张三.pdf", "sha256": "cd" * 32, "uri": "https://files.example/contract.pdf"}


class Appealing(ShortLife):
    """A provider that was revoked on 2023-06-01, and its partner's key; 30 days to appeal and 10 for the answer."""

    def begin(self, folder):
        self.advance("2023-03-20")
        policy = {**self.client.get("/v1/policies/calligraphy@1").json, "policy_id": "appealing", "industry": "appealing",
                  "decisions": {"appeal_days": 30, "appeal_answer_days": 10}}
        (folder / "appealing.json").write_text(json.dumps(policy))
        self.service.command("policy", "publish", str(folder / "appealing.json"))
        self.industry = "appealing"
        self.id = self.in_trial()
        self.complete("2023-05-31")
        self.advance("2023-06-01")
        self.partner = self.service.client(self.service.new_key("partner", self.id))
        (self.decision,) = self.client.all("/v1/decisions", {"provider_id": self.id, "outcome": "not_met"})
        return self

    def submit(self, client=None, ok=True, **over):
        body = {"reason": "五月的店铺绑定未录入", "documents": [DOCUMENT], **over}
        answer = (client or self.partner).post(f"/v1/decisions/{self.decision['decision_id']}/appeals", {k: v for k, v in body.items() if v is not ...})
        assert not ok or answer.status == 201, answer
        return answer.json if ok else answer

    def act(self, appeal, verb, body=None, client=None, **more):
        return (client or self.client).post(f"/v1/appeals/{appeal['appeal_id']}/{verb}", body, **more)

    def shown(self):
        return self.client.get(f"/v1/decisions/{self.decision['decision_id']}").json["appeals"]

    def met_after_all(self):
        """A store of May that the platform had not told of."""
        code = self.provider(self.id)["credit_code"]
        self.load("stores", [self.store("forgotten", industry=self.industry, category=self.industry)])
        self.load("bindings", [self.binding(code, "forgotten", "2023-05-05")])


@pytest.fixture
def appealing(new_service, tmp_path):
    service = new_service()
    made = Appealing(service.client(), service, tmp_path)
    made.second = service.client(service.new_key("operator"))
    return made.begin(tmp_path)


def test_answered_that_the_decision_stands(appealing):
    appeal = appealing.submit()
    assert (appeal["status"], appeal["decision_id"], appeal["provider_id"]) == ("open", appealing.decision["decision_id"], appealing.id)
    assert (appeal["submitted_on"], appeal["due_on"], appeal["overdue"], appeal["documents"]) == ("2023-06-01", "2023-06-11", False, [DOCUMENT])
    assert appealing.shown() == [{"appeal_id": appeal["appeal_id"], "status": "open", "due_on": "2023-06-11", "overdue": False}]
    assert appealing.provider(appealing.id)["status"] == "revoked", "it changes nothing until it is answered"
    refused = appealing.submit(ok=False)
    assert (refused.status, refused.code) == (409, "wrong_state"), "one at a time"
    done = appealing.act(appeal, "confirm", {"reason": "数据核对无误"})
    assert (done.json["status"], done.json["answer"], done.json["answered_on"], done.json["correction_id"]) == ("confirmed", "数据核对无误", "2023-06-01", None)
    assert appealing.shown()[0]["status"] == "confirmed"
    for verb, body in (("confirm", {"reason": "x"}), ("correct", {"correction_id": "cor_00"}), ("withdraw", {})):
        assert appealing.act(appeal, verb, body).code == "wrong_state"
    assert appealing.submit()["status"] == "open", "another one, within its days"


def test_answered_by_a_correction(appealing):
    appeal = appealing.submit()
    appealing.met_after_all()
    where = f"/v1/decisions/{appealing.decision['decision_id']}/correct"
    correction = appealing.client.post(where, {"reason": appeal["appeal_id"]}).json
    proposed = {"correction_id": correction["correction_id"], "reason": "已更正"}
    refused = appealing.act(appeal, "correct", proposed)
    assert (refused.status, refused.code) == (409, "wrong_state"), "not confirmed yet"
    assert appealing.second.post(f"/v1/corrections/{correction['correction_id']}/confirm").json["consequence"] == "restored"
    assert appealing.act(appeal, "confirm", {"reason": "x"}).code == "wrong_state", "it does not stand any more"
    assert appealing.act(appeal, "correct", {"correction_id": "cor_00"}).faults == {"/correction_id": "unknown_id"}
    done = appealing.act(appeal, "correct", proposed)
    assert (done.json["status"], done.json["correction_id"], done.json["answer"]) == ("corrected", correction["correction_id"], "已更正")
    assert appealing.provider(appealing.id)["status"] == "certified"
    refused = appealing.submit(ok=False)
    assert refused.code == "wrong_state" and "superseded" in refused.json["detail"]
    assert "WRONG" not in appealing.service.command("verify")


@pytest.mark.parametrize("today, status", [("2023-06-30", 201), ("2023-07-01", 201), ("2023-07-02", 409)])
def test_within_its_days(appealing, today, status):
    """Decided on June 1st: 30 days later is July 1st."""
    appealing.advance(today)
    answer = appealing.submit(ok=False)
    assert answer.status == status
    if status == 409:
        assert answer.code == "appeal_too_late" and "2023-07-01" in answer.json["detail"]


def test_overdue(appealing):
    first = appealing.submit()
    for today, overdue in (("2023-06-11", False), ("2023-06-12", True)):
        appealing.advance(today)
        seen = appealing.client.get(f"/v1/appeals/{first['appeal_id']}")
        assert seen.json["overdue"] is overdue and appealing.shown()[0]["overdue"] is overdue
        listed = appealing.client.all("/v1/appeals", {"status": "open", "overdue": "true"})
        assert [a["appeal_id"] for a in listed] == ([first["appeal_id"]] if overdue else [])
        assert len(appealing.client.all("/v1/appeals", {"overdue": "false"})) == (0 if overdue else 1)
    late = appealing.act(first, "confirm", {"reason": "late, but answered"})
    assert late.status == 200 and late.json["overdue"] is False
    assert appealing.client.all("/v1/appeals", {"overdue": "true"}) == []


def test_no_days_where_the_policy_sets_none(appealing):
    appealing.industry = "calligraphy"
    other = appealing.in_trial()
    appealing.complete("2023-08-31")
    appealing.advance("2023-09-01")
    (decision,) = appealing.client.all("/v1/decisions", {"provider_id": other, "outcome": "not_met"})
    appealing.advance("2025-01-01")
    answer = appealing.client.post(f"/v1/decisions/{decision['decision_id']}/appeals", {"reason": "late"})
    assert (answer.status, answer.json["due_on"], answer.json["overdue"], answer.json["documents"]) == (201, None, False, [])


def test_not_answered_by_whoever_submitted_it(appealing):
    appeal = appealing.submit(appealing.second)
    assert appealing.act(appeal, "confirm", {"reason": "x"}, appealing.second).code == "same_actor"
    assert appealing.act(appeal, "correct", {"correction_id": "cor_00"}, appealing.second).code == "same_actor"
    withdrawn = appealing.act(appeal, "withdraw", {"note": "a mistake"}, appealing.second)
    assert (withdrawn.json["status"], withdrawn.json["answer"]) == ("withdrawn", "a mistake")
    own = appealing.submit()
    assert appealing.act(own, "withdraw", None, appealing.partner).json["status"] == "withdrawn"


def test_who_may_see_and_do_it(appealing):
    appeal = appealing.submit()
    appealing.industry = "calligraphy"
    foreign = appealing.service.client(appealing.service.new_key("partner", appealing.in_trial()))
    unbound = appealing.service.client(appealing.service.new_key("partner"))
    where = f"/v1/appeals/{appeal['appeal_id']}"
    etag = appealing.partner.get(where).etag
    assert appealing.partner.get(where, headers={"If-None-Match": etag}).status == 304
    assert [a["appeal_id"] for a in appealing.partner.all("/v1/appeals")] == [appeal["appeal_id"]]
    for other in (foreign, unbound):
        assert other.get(where).status == 404 and other.all("/v1/appeals") == []
        assert appealing.act(appeal, "withdraw", None, other).status == 404
        assert appealing.submit(other, ok=False).status == 404
    assert appealing.act(appeal, "confirm", {"reason": "x"}, appealing.partner).status == 403
    for role in ("feed", "auditor"):
        assert appealing.submit(appealing.service.client(appealing.service.new_key(role)), ok=False).status == 403
    assert len(appealing.client.all("/v1/appeals", {"decision_id": appeal["decision_id"], "provider_id": appealing.id, "status": "open"})) == 1
    assert appealing.client.all("/v1/appeals", {"status": "withdrawn"}) == []
    for verb in ("confirm", "correct", "withdraw"):
        body = {"confirm": {"reason": "x"}, "correct": {"correction_id": "cor_00"}, "withdraw": {}}[verb]
        assert appealing.client.post(f"/v1/appeals/apl_00/{verb}", body).status == 404
    assert appealing.client.get("/v1/appeals/apl_00").status == 404
    assert appealing.client.post("/v1/decisions/dec_00/appeals", {"reason": "x"}).status == 404


def test_strict(appealing):
    refused = appealing.submit(reason=..., documents=[{**DOCUMENT, "sha256": "x"}, {"kind": "A"}], ok=False)
    assert refused.faults == {"/reason": "missing", "/documents/0/sha256": "wrong_format", "/documents/1/kind": "wrong_format",
                              "/documents/1/name": "missing", "/documents/1/sha256": "missing", "/documents/1/uri": "missing"}
    appeal = appealing.submit()
    assert appealing.act(appeal, "confirm", {}, check=False).faults == {"/reason": "missing"}
    assert appealing.act(appeal, "correct", {"reason": "x"}, check=False).faults == {"/correction_id": "missing"}
    assert appealing.client.get("/v1/appeals", query={"overdue": "yes"}, check=False).faults == {"overdue": "invalid_value"}


def test_submitted_twice_at_once(appealing):
    answers = at_once(4, lambda i: appealing.submit(ok=False))
    assert sorted(a.status for a in answers) == [201, 409, 409, 409]
    one = appealing.submit(ok=False)
    assert one.code == "wrong_state"
    appeal = appealing.shown()[0]
    done = at_once(3, lambda i: appealing.act(appeal, "confirm", {"reason": str(i)}))
    assert sorted(a.status for a in done) == [200, 409, 409]


def test_audited_and_never_rewritten(appealing):
    appeal = appealing.submit()
    dry = appealing.act(appeal, "confirm", {"reason": "x"}, query={"dry_run": "true"})
    assert dry.json["status"] == "confirmed" and appealing.shown()[0]["status"] == "open"
    appealing.act(appeal, "confirm", {"reason": "x"})
    sql = appealing.service.database.sql
    rows = sql(f"select action, before->>'status', after->>'status', after->'documents' from audit where subject = '{appeal['appeal_id']}' order by audit_id")
    assert [r[:3] for r in rows] == [("appeal.submitted", None, "open"), ("appeal.confirmed", "open", "confirmed")]
    assert rows[0][3] == [{"kind": DOCUMENT["kind"], "sha256": DOCUMENT["sha256"]}], "no name of a file: it may name people"
    assert "张三" not in str(sql("select before, after from audit")) + str(sql("select data from event"))
    events = sql(f"select type from event where subject = '{appeal['appeal_id']}' order by event_id")
    assert [e[0] for e in events] == ["appeal.submitted", "appeal.confirmed"]
    for statement in ("update appeal set reason = 'another'", "update appeal set answer = 'another'", "delete from appeal"):
        with pytest.raises(Exception, match="never changes"):
            sql(statement)
