"""Policies over HTTP: drafted, replaced, deleted, compared, validated, published; and what publishing changes for whom."""

import copy

import psycopg2
import pytest

from support.at_once import at_once
from support.world import World, spread


class Policies(World):
    """A sandbox in which every test has an industry of its own."""

    def __init__(self, client):
        super().__init__(client)
        self.example = client.get("/v1/policies/antiques-art@2023-04-26").json

    def policy(self, policy_id, version="1", effective_from="2023-01-01", **over):
        policy = copy.deepcopy(self.example)
        policy.update(policy_id=policy_id, version=version, effective_from=effective_from, industry=policy_id)
        policy["admission"].update(over.pop("admission", {}))
        policy.update(over)
        return policy

    def draft(self, *args, **over):
        answer = self.client.post("/v1/policies", self.policy(*args, **over))
        assert answer.status == 201, answer
        return answer

    def publish(self, *args, day=None, **over):
        where = self.draft(*args, **over).headers["Location"]
        answer = self.client.post(f"{where}/publish", {"effective_from": day} if day else {})
        assert answer.status == 200, answer
        return answer

    def trial(self, industry):
        """A provider whose trial begins on the next 1st."""
        return self.admit(industry=industry, main_category=industry)

    def periods(self, provider):
        return self.client.all(f"/v1/providers/{provider['provider_id']}/periods")


@pytest.fixture(scope="module")
def rules(client):
    made = Policies(client)
    made.advance("2023-03-20")
    return made


# ---- drafts ----


def test_a_draft_decides_nothing_and_is_read_back(rules):
    made = rules.draft("draft-only", industry="draft_only")
    assert made.headers["Location"] == "/v1/policies/draft-only@1"
    read = rules.client.get("/v1/policies/draft-only@1")
    assert (read.body, read.etag, read.headers["Policy-Status"]) == (made.body, made.etag, "draft")
    assert rules.client.get("/v1/policies/draft-only@1", headers={"If-None-Match": read.etag}).status == 304
    assert read.json == rules.policy("draft-only", industry="draft_only"), "the example is in its canonical form already"
    provider_id = rules.register(industry="draft_only", main_category="draft_only")["provider_id"]
    where = f"/v1/providers/{provider_id}/applications"
    assert rules.client.post(where, {"documents": rules.documents()}).code == "no_policy"
    answer = rules.client.post(where, {"documents": rules.documents(), "policy": "draft-only@1"})
    assert answer.faults == {"/policy": "unknown_policy"}
    entry = rules.client.all("/v1/audit", {"subject": "draft-only@1"})[0]
    assert (entry["action"], entry["before"], entry["after"]) == ("policy.drafted", None, read.json)


def test_every_problem_of_a_draft_is_told_at_once_and_nothing_kept(rules):
    policy = rules.policy("wrong")
    policy.update(version="a b", effective_from="2023-02-30", surprise=1, industry="No")
    policy["admission"].update(deposit_fen=-1, documents=["a", "a"])
    policy["counting"]["repeat_scope"] = "mine"
    policy["trial"]["months"] = 13
    policy["regular"]["requires"]["any"][0]["all"][0]["at_least"] = 1.5
    policy["regular"]["requires"]["any"][1]["all"][1]["measure"] = "likes"
    for query in (None, {"dry_run": "true"}):
        answer = rules.client.post("/v1/policies", policy, query=query)
        assert (answer.status, answer.code) == (422, "invalid_request")
        assert answer.faults == {
            "/version": "wrong_format", "/effective_from": "invalid_day", "/surprise": "unknown_member", "/industry": "wrong_format",
            "/admission/deposit_fen": "number_out_of_range", "/admission/documents/1": "duplicate", "/counting/repeat_scope": "invalid_value",
            "/trial/months": "number_out_of_range", "/regular/requires/any/0/all/0/at_least": "wrong_type",
            "/regular/requires/any/1/all/1/measure": "invalid_value",
        }  # fmt: skip
    dry = rules.client.post("/v1/policies", rules.policy("wrong"), query={"dry_run": "true"})
    assert dry.status == 201 and "Location" not in dry.headers
    assert rules.client.get("/v1/policies/wrong@1").status == 404


def test_a_draft_is_replaced_under_if_match(rules):
    first = rules.draft("replaced")
    where, better = first.headers["Location"], rules.policy("replaced", admission={"deposit_fen": 5})
    assert rules.client.put(where, better).code == "precondition_required"
    stale = rules.client.put(where, better, headers={"If-Match": '"draft-x"'})
    assert (stale.code, stale.etag) == ("version_stale", first.etag)
    second = rules.client.put(where, better, headers={"If-Match": first.etag})
    assert (second.status, second.json["admission"]["deposit_fen"]) == (200, 5)
    assert second.etag != first.etag
    # An answer that was lost: the same again is the same, although the tag is old by now.
    assert rules.client.put(where, better, headers={"If-Match": first.etag}).etag == second.etag
    answer = rules.client.put(where, rules.policy("other", "2", trial={}), headers={"If-Match": second.etag})
    assert answer.faults == {"/policy_id": "invalid_value", "/version": "invalid_value", "/trial/requires": "missing"}
    assert rules.client.put("/v1/policies/replaced@2", rules.policy("replaced", "2"), headers={"If-Match": "*"}).status == 404
    assert rules.client.put(where, better, headers={"If-Match": "v1"}).faults == {"If-Match": "wrong_format"}


def test_a_name_is_given_once(rules):
    rules.draft("named")
    again = rules.client.post("/v1/policies", rules.policy("named"))
    assert (again.status, again.code) == (409, "wrong_state") and "draft" in again.json["detail"]
    rules.publish("named", "2", "2023-02-01")
    assert "published" in rules.client.post("/v1/policies", rules.policy("named", "2")).json["detail"]


def test_a_draft_is_deleted_a_published_version_is_not(rules):
    draft = rules.draft("deleted")
    where = draft.headers["Location"]
    assert rules.client.delete(where, headers={"If-Match": '"draft-x"'}).code == "version_stale"
    assert rules.client.delete(where, headers={"If-Match": draft.etag}).status == 204
    assert rules.client.get(where).status == 404 == rules.client.delete(where).status
    rules.publish("deleted")
    for answer in (
        rules.client.delete(where),
        rules.client.put(where, rules.policy("deleted", admission={"deposit_fen": 1}), headers={"If-Match": "*"}),
        rules.client.post(f"{where}/publish"),
    ):
        assert (answer.status, answer.code) == (409, "wrong_state")
    actions = [e["action"] for e in rules.client.all("/v1/audit", {"subject": "deleted@1"})]
    assert actions == ["policy.published", "policy.drafted", "policy.deleted", "policy.drafted"]


def test_what_is_published_is_one_of_what_was_drafted(rules):
    """A draft is replaced, published and deleted at the same moment: each is answered as if they had come one after the other."""
    for n in range(12):
        draft = rules.draft(f"raced-{n}", industry=f"raced_{n}")
        where, better = draft.headers["Location"], rules.policy(f"raced-{n}", industry=f"raced_{n}", admission={"deposit_fen": 5})
        calls = [
            lambda: rules.client.put(where, better, headers={"If-Match": "*"}),  # noqa: B023 - called within the round
            lambda: rules.client.post(f"{where}/publish", {}),  # noqa: B023
            lambda: rules.client.delete(where, headers={"If-Match": draft.etag}),  # noqa: B023
        ]
        put, published, deleted = at_once(3, lambda i: calls[i]())  # noqa: B023
        # What may stand in a call's way is who was sooner: published (409), replaced (412), deleted (404).
        assert put.status in (200, 404, 409) and published.status in (200, 404) and deleted.status in (204, 404, 409, 412)
        assert (published.status == 200) != (deleted.status == 204), "either there is something to publish, or it was deleted"
        kept = rules.client.get(where)
        if published.status == 200:
            assert (kept.status, kept.headers["Policy-Status"]) == (200, "published")
            assert kept.json["admission"]["deposit_fen"] == (5 if put.status == 200 else draft.json["admission"]["deposit_fen"])
        else:
            assert kept.status == 404
        actions = [e["action"] for e in reversed(rules.client.all("/v1/audit", {"subject": f"raced-{n}@1"}))]
        assert actions[0] == "policy.drafted" and actions.count("policy.published") == (published.status == 200)
        assert actions[-1] == ("policy.published" if published.status == 200 else "policy.deleted")


def test_lists_by_status_and_name(rules):
    rules.publish("listed", "1", "2023-01-01")
    rules.draft("listed", "3", "2023-03-01")
    rules.draft("listed", "2", "2023-03-01")

    def names(**query):
        return [(p["policy"], p["status"]) for p in rules.client.all("/v1/policies", query, limit=1)]

    assert names(policy_id="listed") == [("listed@3", "draft"), ("listed@2", "draft"), ("listed@1", "published")]
    assert names(policy_id="listed", status="draft") == [("listed@3", "draft"), ("listed@2", "draft")]
    assert names(industry="listed", status="published") == [("listed@1", "published")]
    assert rules.client.get("/v1/policies", query={"status": "x", "policy_id": "A"}).faults == {"status": "invalid_value", "policy_id": "wrong_format"}


def test_a_partner_knows_of_no_draft(rules, keys):
    partner = rules.client.with_key(keys["partner"])
    rules.publish("seen", "1")
    rules.draft("seen", "2", "2023-02-01")
    assert partner.get("/v1/policies/seen@1").status == 200
    assert partner.get("/v1/policies/seen@2").status == 404
    assert [p["policy"] for p in partner.all("/v1/policies", {"policy_id": "seen"})] == ["seen@1"]
    assert partner.all("/v1/policies", {"policy_id": "seen", "status": "draft"}) == []
    assert partner.get("/v1/policies/seen@2/compare", query={"with": "1"}).status == 404
    assert partner.get("/v1/policies/seen@1/compare", query={"with": "2"}).faults == {"with": "unknown_id"}
    for role in ("operator", "auditor"):
        assert rules.client.with_key(keys[role]).get("/v1/policies/seen@2").status == 200


# ---- compare and validate ----


def test_two_versions_are_compared_in_the_callers_language(rules):
    rules.publish("compared", "1")
    policy = rules.policy("compared", "2", "2023-07-01", admission={"deposit_fen": None})
    policy["regular"]["requires"]["any"][0]["all"][0]["at_least"] = 8
    rules.client.post("/v1/policies", policy)
    answer = rules.client.get("/v1/policies/compared@2/compare", query={"with": "1"})
    assert (answer.json["policy"], answer.json["with"], answer.json["same"]) == ("compared@2", "compared@1", False)
    assert [(d["pointer"], d["from"], d["to"]) for d in answer.json["differences"]] == [
        ("/effective_from", "2023-01-01", "2023-07-01"), ("/admission/deposit_fen", 2000000, None),
        ("/regular/requires/any/0/all/0/at_least", 10, 8)]  # fmt: skip
    assert answer.json["differences"][2]["detail"] == "regular period / metric_1 / new stores: at least 8, where it was 10."
    chinese = rules.client.get("/v1/policies/compared@2/compare", query={"with": "compared@1"}, headers={"Accept-Language": "zh-CN"})
    assert chinese.json["differences"][2]["detail"] == "常规考核期 / metric_1 / 新增店铺数:至少 8(原为 10)。"
    assert rules.client.get("/v1/policies/compared@2/compare", query={"with": "2"}).json["same"] is True
    assert rules.client.get("/v1/policies/compared@9/compare", query={"with": "1"}).status == 404
    for query, code in ((None, "missing"), ({"with": "9"}, "unknown_id"), ({"with": "a b"}, "wrong_format")):
        assert rules.client.get("/v1/policies/compared@2/compare", query=query).faults == {"with": code}


def test_what_should_be_seen_before_publishing(rules):
    rules.publish("prospect", "1")
    rules.draft("prospect", "2", "2023-01-01", admission={"deposit_fen": None, "documents": None}, example=False)
    seen = rules.client.get("/v1/policies/prospect@2/validate").json
    assert (seen["status"], seen["publishable"]) == ("draft", False)
    assert [(e["pointer"], e["code"]) for e in seen["errors"]] == [("/effective_from", "given_twice")]
    assert [w["code"] for w in seen["warnings"]] == ["effective_in_past", "deposit_unset", "documents_unset"]
    answer = rules.client.post("/v1/policies/prospect@2/publish")
    assert (answer.status, answer.faults) == (422, {"/effective_from": "given_twice"})
    assert rules.client.post("/v1/policies/prospect@2/publish", {"effective_from": "2023-07-01"}).status == 200
    seen = rules.client.get("/v1/policies/prospect@2/validate").json
    assert (seen["status"], seen["publishable"], seen["errors"]) == ("published", False, [])


# ---- publishing ----


def test_publishing_is_of_the_draft_that_was_read(rules, keys):
    draft = rules.draft("published")
    where = draft.headers["Location"]
    for role in ("operator", "partner", "feed", "auditor"):
        assert rules.client.with_key(keys[role]).post(f"{where}/publish").status == 403
    assert rules.client.post(f"{where}/publish", headers={"If-Match": '"draft-x"'}).code == "version_stale"
    assert rules.client.post(f"{where}/publish", {"effective_from": "2023-13-01", "x": 1}).faults == {"/effective_from": "invalid_day", "/x": "unknown_member"}
    assert rules.client.post(f"{where}/publish", query={"dry_run": "true"}).status == 200
    assert rules.client.get(where).headers["Policy-Status"] == "draft"
    done = rules.client.post(f"{where}/publish", {"effective_from": "2023-05-01"}, headers={"If-Match": draft.etag}, idempotency_key="publish")
    assert (done.status, done.json["effective_from"]) == (200, "2023-05-01")
    again = rules.client.post(f"{where}/publish", {"effective_from": "2023-05-01"}, headers={"If-Match": draft.etag}, idempotency_key="publish")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (done.body, "true")
    read = rules.client.get(where)
    assert (read.body, read.headers["Policy-Status"]) == (done.body, "published")
    summary = rules.client.get("/v1/policies", query={"policy_id": "published"}).json["data"][0]
    assert summary["published_by"] == summary["created_by"] and summary["published_at"]


def test_the_database_keeps_a_published_version_from_the_services_own_user(rules, database, cluster):
    rules.publish("kept")
    rules.draft("kept", "2", "2023-02-01")
    for change in (
        "update policy set document = '{}' where policy_id = 'kept' and version = '1'",
        "update policy set status = 'draft', published_at = null where policy_id = 'kept' and version = '1'",
        "delete from policy where policy_id = 'kept' and version = '1'",
        "truncate policy cascade",
        "update policy set version = '3' where policy_id = 'kept' and version = '2'",
        "insert into policy select * from policy where policy_id = 'kept' and version = '1'",
    ):
        with pytest.raises(psycopg2.Error):
            cluster.sql(change, database.name, role="assay")
    assert rules.client.get("/v1/policies/kept@1").json == rules.policy("kept")


def test_a_day_that_is_past_leaves_what_has_begun_as_it_is(rules):
    """A period uses the version that was in force on its first day when it began; trials that run take on what takes effect in them."""
    rules.publish("late", "1", "2023-01-01")
    running = rules.trial("late")
    rules.advance("2023-04-10")
    waiting = rules.trial("late")
    rules.publish("late", "before", "2023-03-15")  # before the running trial's first day: it has begun, under 1
    rules.publish("late", "within", "2023-04-05")  # within it, and past
    assert rules.periods(running)[0]["policies"] == ["late@1", "late@within"]
    assert rules.periods(waiting)[0]["policies"] == ["late@within"], "it begins on 05-01"
    rules.publish("late", "today", "2023-04-10")
    assert rules.periods(running)[0]["policies"] == ["late@1", "late@within", "late@today"]
    assert rules.periods(waiting)[0]["policies"] == ["late@today"]
    rules.publish("late", "longer", "2023-04-09", trial={**rules.example["trial"], "months": 6})
    assert rules.periods(running)[0]["policies"] == ["late@1", "late@within", "late@today"], "of another length: it cannot judge it"


def test_preamble_either_version_converts_and_the_decision_shows_both(rules):
    """Trial from 05-01 under a version that asks for ten new stores; one from 06-01 on asks for two."""
    rules.publish("preamble", "old")
    lenient = rules.policy("preamble", "new", "2023-06-01")
    for metric in lenient["trial"]["requires"]["all"][0]["any"]:
        metric["all"][0]["at_least"] = 2
    lenient["trial"]["requires"]["all"][0]["any"][0]["all"][1]["at_least"] = 100
    rules.client.post("/v1/policies", lenient)
    provider = rules.trial("preamble")
    code = provider["credit_code"]
    rules.load("stores", [rules.store(f"pre-{i}", industry="preamble", category="preamble") for i in range(2)])
    rules.load("bindings", [rules.binding(code, f"pre-{i}", "2023-05-02") for i in range(2)])
    rules.load("exam_passes", [{"credit_code": code, "person_id": p, "passed_on": "2023-05-10"} for p in ("p-1", "p-2")])
    rules.load("store_days", [d for i in range(2) for d in spread(f"pre-{i}", "2023-05-02", "2023-05-31", 300, 9000)], complete_through="2023-07-31")
    rules.advance("2023-06-10")
    assert rules.periods(provider)[0]["policies"] == ["preamble@old"]
    assert rules.qualification(provider["provider_id"])["period"]["policies"] == ["preamble@old"]
    rules.client.post("/v1/policies/preamble@new/publish")
    assert rules.periods(provider)[0]["policies"] == ["preamble@old", "preamble@new"]
    rules.advance("2023-08-01")
    qualification = rules.qualification(provider["provider_id"])
    assert (qualification["status"], qualification["since"], qualification["example"]) == ("certified", "2023-08-01", True)
    decision = rules.client.get("/v1/decisions", query={"provider_id": provider["provider_id"]}).json["data"][0]
    document = rules.client.get(f"/v1/decisions/{decision['decision_id']}").json["document"]
    assert document["outcome"] == "met"
    assert [(p["policy"], p["outcome"], p["example"]) for p in document["policies"]] == [("preamble@old", "not_met", True), ("preamble@new", "met", True)]
    trees = [p["requirement"]["all"][0]["any"][0]["all"] for p in document["policies"]]
    assert [[(c["measure"], c["at_least"], c["met"]) for c in t] for t in trees] == [
        [("new_stores", 10, False), ("new_store_gmv_fen", 5000000, False)], [("new_stores", 2, True), ("new_store_gmv_fen", 100, True)]]  # fmt: skip
    assert rules.client.post(f"/v1/decisions/{decision['decision_id']}/replay").json["identical"] is True
    assert rules.periods(provider)[0]["policies"] == ["preamble@new"], "the regular period: the version in force on its first day"
    where = f"/v1/providers/{provider['provider_id']}"
    for path in ("/qualification", "/deposit"):
        assert rules.client.get(where + path).json["example"] is True
    for path in (f"{where}/applications", f"{where}/periods", f"/v1/decisions?provider_id={provider['provider_id']}"):
        assert [one["example"] for one in rules.client.get(path).json["data"]].count(True) >= 1, path


def test_every_answer_of_a_real_policy_says_nothing_of_an_example(rules):
    rules.publish("genuine", example=False)
    provider_id = rules.trial("genuine")["provider_id"]
    assert not rules.qualification(provider_id)["example"] and not rules.client.get(f"/v1/providers/{provider_id}/deposit").json["example"]
    assert [p["example"] for p in rules.client.get(f"/v1/providers/{provider_id}/periods").json["data"]] == [False]
