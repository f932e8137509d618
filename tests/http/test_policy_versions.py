"""Policies as they are published over time: what a value left open holds up, and what a later version changes for those under way."""

import copy
import json

import pytest

from support.world import World


class Rules(World):
    """A sandbox with an industry of its own, whose policy the test publishes version by version."""

    def __init__(self, client, service, folder):
        super().__init__(client)
        self.service = service
        self.folder = folder
        self.example = client.get("/v1/policies/antiques-art@2023-04-26").json

    def publish(self, policy_id, version, effective_from, ok=True, **admission):
        policy = copy.deepcopy(self.example)
        policy.update(policy_id=policy_id, version=version, effective_from=effective_from, industry=policy_id)  # one word for both
        policy["admission"].update(admission)
        path = self.folder / f"{policy_id}-{version}.json"
        path.write_text(json.dumps(policy))
        return self.service.command("policy", "publish", str(path), ok=ok)

    def registered(self, industry):
        return self.register(industry=industry, main_category=industry)["provider_id"]

    def admitted(self, industry):
        provider_id = self.registered(industry)
        self.approve(self.apply(provider_id)["application_id"])
        return provider_id

    def periods(self, provider_id):
        return self.client.all(f"/v1/providers/{provider_id}/periods")


@pytest.fixture(scope="module")
def rules(client, service, tmp_path_factory):
    made = Rules(client, service, tmp_path_factory.mktemp("policies"))
    made.advance("2023-03-20")
    return made


def test_unset_documents_hold_up_applications(rules):
    rules.publish("furniture", "1", "2023-01-01", documents=None)
    provider_id = rules.registered("furniture")
    answer = rules.client.post(f"/v1/providers/{provider_id}/applications", {"documents": rules.documents()})
    assert (answer.status, answer.code) == (409, "not_configured")
    due = rules.qualification(provider_id)["requirements"]["currently_due"]
    assert ("documents", "not_configured") in [(d["what"], d["code"]) for d in due]


def test_an_unset_deposit_holds_up_the_trial_until_a_version_says_it(rules):
    rules.publish("ceramics", "1", "2023-01-01", deposit_fen=None)
    provider_id = rules.admitted("ceramics")
    before = rules.qualification(provider_id)
    assert before["deposit"]["required_fen"] is None and before["deposit"]["shortfall_fen"] is None
    assert "deposit_not_configured" in [r["code"] for r in before["reasons"]]
    rules.pay(provider_id, 100)
    assert rules.periods(provider_id) == []

    rules.publish("ceramics", "2", "2023-02-01", deposit_fen=100)
    deposit = rules.client.get(f"/v1/providers/{provider_id}/deposit").json
    assert (deposit["required_fen"], deposit["shortfall_fen"], deposit["policy"]) == (100, 0, "ceramics@2")
    assert [(p["start"], p["status"]) for p in rules.periods(provider_id)] == [("2023-04-01", "scheduled")]


def test_the_policy_of_an_application_is_the_one_in_force_else_the_next(rules):
    rules.publish("tea", "late", "2023-06-01")
    assert rules.apply(rules.registered("tea"))["policy"] == "tea@late"  # none is in force yet
    rules.publish("tea", "later", "2023-08-01")
    assert rules.apply(rules.registered("tea"))["policy"] == "tea@late"
    rules.publish("tea", "old", "2023-01-01")
    rules.publish("tea", "now", "2023-03-20")
    assert rules.apply(rules.registered("tea"))["policy"] == "tea@now"
    assert rules.apply(rules.registered("tea"), policy="tea@old")["policy"] == "tea@old"


def test_a_policy_of_another_industry_or_none_is_refused(rules):
    provider_id = rules.registered("nobody_covers_this")
    where = f"/v1/providers/{provider_id}/applications"
    assert rules.client.post(where, {"documents": []}).code == "no_policy"
    answer = rules.client.post(where, {"documents": [], "policy": "antiques-art@2023-04-26"})
    assert (answer.status, answer.faults) == (422, {"/policy": "other_industry"})
    answer = rules.client.post(where, {"documents": [], "policy": "antiques-art@1999"})
    assert (answer.status, answer.faults) == (422, {"/policy": "unknown_policy"})


def test_a_trial_is_judged_by_every_version_that_takes_effect_within_it(rules):
    """Preamble: begun before a version took effect, by either."""
    rules.publish("jade", "1", "2023-01-01")
    rules.publish("jade", "2", "2023-05-01")
    provider_id = rules.admitted("jade")
    rules.pay(provider_id)
    assert rules.periods(provider_id)[0]["policies"] == ["jade@1", "jade@2"]
    rules.publish("jade", "3", "2023-04-01")  # in force on the first day: takes the place of 1
    assert rules.periods(provider_id)[0]["policies"] == ["jade@3", "jade@2"]
    rules.publish("jade", "4", "2023-06-30")  # its last day
    rules.publish("jade", "5", "2023-07-01")  # the day after
    assert rules.periods(provider_id)[0]["policies"] == ["jade@3", "jade@2", "jade@4"]


def test_a_published_version_never_changes(rules):
    rules.publish("lacquer", "1", "2023-01-01")
    first = rules.client.get("/v1/policies/lacquer@1")
    rules.publish("lacquer", "1", "2023-01-01")  # the same again: nothing to do
    rules.publish("lacquer", "1", "2023-01-01", ok=False, deposit_fen=1)
    rules.publish("lacquer", "2", "2023-01-01", ok=False)  # two versions on one day
    again = rules.client.get("/v1/policies/lacquer@1")
    assert (again.body, again.etag) == (first.body, first.etag)
    assert rules.client.get("/v1/policies/lacquer@2").status == 404
