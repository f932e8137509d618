"""Admission: applications with their checks (2, 5), and what becomes of them."""

import datetime
import json

import pytest

from support.at_once import at_once
from support.service import ROOT
from support.world import World

EXAMPLE = "antiques-art@2023-04-26"
CHECKS = ("service_category", "cooldown", "documents", "open_application")


@pytest.fixture(scope="module", autouse=True)
def today(world):
    world.advance("2023-05-10")


def checks(answer):
    return {c["code"]: c["met"] for c in answer["checks"]}


def submit(client, provider, **body):
    return client.post(f"/v1/providers/{provider['provider_id']}/applications", body)


def test_submit(client, world):
    provider = world.register()
    answer = submit(client, provider, documents=world.documents())
    assert answer.status == 201
    made = answer.json
    assert answer.headers["Location"] == f"/v1/applications/{made['application_id']}"
    assert (made["status"], made["policy"], made["example"], made["submitted_on"], made["decided_on"]) == ("submitted", EXAMPLE, True, "2023-05-10", None)
    assert made["documents"] == world.documents()
    assert list(checks(made)) == list(CHECKS) and all(checks(made).values())
    assert client.get(answer.headers["Location"]).body == answer.body
    assert world.provider(provider["provider_id"])["status"] == "applied"
    assert client.all(f"/v1/providers/{provider['provider_id']}/applications") == [made]


def test_all_unmet_checks_at_once(client, world):
    """Not the first: all of them, met or not, each with its clause; and nothing is stored."""
    provider = world.register(service_categories=["mall"])
    for language, word in (("en", "business_license"), ("zh-CN", "缺少资料")):
        answer = client.post(f"/v1/providers/{provider['provider_id']}/applications", {"documents": []}, headers={"Accept-Language": language})
        assert (answer.status, answer.code) == (409, "admission_refused"), answer
        assert checks(answer.json) == {"service_category": False, "cooldown": True, "documents": False, "open_application": True}
        assert {c["code"]: c["clause"] for c in answer.json["checks"]} == {"service_category": "2", "cooldown": "5", "documents": "2", "open_application": "2"}
        assert word in next(c for c in answer.json["checks"] if c["code"] == "documents")["detail"]
    assert world.provider(provider["provider_id"])["status"] == "registered"
    assert client.all(f"/v1/providers/{provider['provider_id']}/applications") == []


@pytest.mark.parametrize("categories, met", [(["practical_assistance"], True), (["practical_assistance", "mall"], True), (["mall"], False)])
def test_service_category(client, world, categories, met):
    answer = submit(client, world.register(service_categories=categories), documents=world.documents())
    assert answer.status == (201 if met else 409)
    assert checks(answer.json)["service_category"] is met


def test_no_other_open_application(client, world):
    provider = world.register()
    first = world.apply(provider["provider_id"])
    again = submit(client, provider, documents=[])
    assert (again.status, again.code) == (409, "admission_refused")
    assert checks(again.json) == {"service_category": True, "cooldown": True, "documents": False, "open_application": False}
    assert first["application_id"] in next(c for c in again.json["checks"] if c["code"] == "open_application")["detail"]


@pytest.mark.tsan
def test_two_applications_at_once(service, client, world):
    provider = world.register()
    answers = at_once(10, lambda i: submit(service.client(), provider, documents=world.documents()))
    assert sorted(a.status for a in answers) == [201] + [409] * 9
    assert {a.code for a in answers if a.status == 409} == {"admission_refused"}
    assert len(client.all(f"/v1/providers/{provider['provider_id']}/applications")) == 1


DOCUMENT = {"kind": "business_license", "name": "a", "sha256": "ab" * 32, "uri": "https://x"}


@pytest.mark.parametrize("body, faults", [
    ({}, {"/documents": "missing"}), ({"documents": {}}, {"/documents": "wrong_type"}), ({"documents": [1]}, {"/documents/0": "wrong_type"}),
    ({"documents": [{}]}, {"/documents/0/kind": "missing", "/documents/0/name": "missing", "/documents/0/sha256": "missing", "/documents/0/uri": "missing"}),
    ({"documents": [{**DOCUMENT, "sha256": "AB" * 32}]}, {"/documents/0/sha256": "wrong_format"}),
    ({"documents": [{**DOCUMENT, "sha256": "ab"}]}, {"/documents/0/sha256": "wrong_format"}),
    ({"documents": [{**DOCUMENT, "kind": "Business"}]}, {"/documents/0/kind": "wrong_format"}),
    ({"documents": [{**DOCUMENT, "name": ""}, {**DOCUMENT, "uri": "x" * 2001}]}, {"/documents/0/name": "too_short", "/documents/1/uri": "too_long"}),
    ({"documents": [{**DOCUMENT, "size": 1}]}, {"/documents/0/size": "unknown_member"}),
    ({"documents": [DOCUMENT] * 51}, {"/documents": "too_long"}),
    ({"documents": [], "policy": "x"}, {"/policy": "wrong_format"}), ({"documents": [], "policy": 1}, {"/policy": "wrong_type"}),
    ({"documents": [], "policy": "nothing@2020"}, {"/policy": "unknown_policy"}), ({"documents": [], "note": "x"}, {"/note": "unknown_member"}),
])  # fmt: skip
def test_strict(client, world, body, faults):
    answer = submit(client, world.register(), **body)
    assert (answer.status, answer.code, answer.faults) == (422, "invalid_request", faults), answer


def test_of_nobody(client):
    assert client.post("/v1/providers/prv_none/applications", {"documents": []}).status == 404
    assert client.get("/v1/applications/app_none").status == 404
    for verb, body in (("approve", {}), ("withdraw", {}), ("reject", {"reason": "x"})):
        assert client.post(f"/v1/applications/app_none/{verb}", body).code == "not_found"


# ---- which policy ----


def publish(service, tmp_path, policy_id, **over):
    with open(f"{ROOT}/examples/policy-antiques-art.json", encoding="utf-8") as f:
        policy = json.load(f)
    policy.update(policy_id=policy_id, industry=over.pop("industry", policy_id.replace("-", "_")), version=over.pop("version", "v1"),
                  effective_from=over.pop("effective_from", "2023-01-01"))
    policy["admission"].update(over)
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(policy), encoding="utf-8")
    service.command("policy", "publish", str(file))
    return f"{policy_id}@{policy['version']}"


def test_no_policy_for_the_industry(client, world):
    answer = submit(client, world.register(industry="no_such_industry", main_category="x"), documents=world.documents())
    assert (answer.status, answer.code) == (409, "no_policy"), answer


def test_a_policy_of_another_industry(client, world, service, tmp_path):
    tea = publish(service, tmp_path, "tea")
    answer = submit(client, world.register(), documents=world.documents(), policy=tea)
    assert (answer.status, answer.faults) == (422, {"/policy": "other_industry"}), answer


def test_unset_documents_wait(client, world, service, tmp_path):
    """What the platform has not told is never made up: not_configured."""
    ref = publish(service, tmp_path, "silk", documents=None)
    answer = submit(client, world.register(industry="silk", main_category="silk"), documents=world.documents())
    assert (answer.status, answer.code) == (409, "not_configured"), answer
    assert ref in answer.json["detail"]


def test_an_unset_deposit_waits_in_admission(client, world, service, tmp_path):
    publish(service, tmp_path, "jade", deposit_fen=None)
    provider = world.register(industry="jade", main_category="jade")
    provider_id = provider["provider_id"]
    world.approve(world.apply(provider_id)["application_id"])
    world.pay(provider_id, 100)
    assert world.provider(provider_id)["status"] == "admitted"
    deposit = client.get(f"/v1/providers/{provider_id}/deposit").json
    assert (deposit["required_fen"], deposit["shortfall_fen"], deposit["balance_fen"]) == (None, None, 100)
    assert "not_configured" in client.get(f"/v1/providers/{provider_id}/qualification").body.decode()


def test_the_policy_named_or_the_one_in_force(client, world, service, tmp_path):
    old = publish(service, tmp_path, "ink", version="v1", effective_from="2023-01-01", documents=[])
    new = publish(service, tmp_path, "ink", version="v2", effective_from="2023-05-10", documents=[])
    later = publish(service, tmp_path, "ink", version="v3", effective_from="2023-05-11", documents=[])

    def provider():
        return world.register(industry="ink", main_category="ink")

    assert submit(client, provider(), documents=[]).json["policy"] == new
    for ref in (old, later):
        assert submit(client, provider(), documents=[], policy=ref).json["policy"] == ref


# ---- what becomes of one ----


def test_approve(client, world):
    provider = world.register()
    application = world.apply(provider["provider_id"])
    answer = client.post(f"/v1/applications/{application['application_id']}/approve", {"note": "Looks good."})
    assert answer.status == 200
    assert (answer.json["status"], answer.json["note"], answer.json["decided_on"]) == ("approved", "Looks good.", "2023-05-10")
    assert world.provider(provider["provider_id"])["status"] == "admitted"
    assert client.get(f"/v1/applications/{application['application_id']}").body == answer.body


def test_reject_and_apply_again(client, world):
    provider = world.register()
    for _ in range(2):
        application = world.apply(provider["provider_id"])
        answer = client.post(f"/v1/applications/{application['application_id']}/reject", {"reason": "照片不清晰"})
        assert (answer.status, answer.json["status"], answer.json["reason"]) == (200, "rejected", "照片不清晰")
        assert world.provider(provider["provider_id"])["status"] == "rejected"


def test_withdraw_until_the_trial_begins(client, world):
    provider = world.register()
    application = world.apply(provider["provider_id"])
    assert client.post(f"/v1/applications/{application['application_id']}/withdraw", {"note": "Later."}).json["status"] == "withdrawn"
    assert world.provider(provider["provider_id"])["status"] == "withdrawn"
    application = world.apply(provider["provider_id"])
    world.approve(application["application_id"])
    world.pay(provider["provider_id"])
    assert [p["status"] for p in client.all(f"/v1/providers/{provider['provider_id']}/periods")] == ["scheduled"]
    assert client.post(f"/v1/applications/{application['application_id']}/withdraw", {}).status == 200
    assert client.all(f"/v1/providers/{provider['provider_id']}/periods") == []
    assert world.provider(provider["provider_id"])["status"] == "withdrawn"


def test_the_withdrawn_deposit_counts_for_the_next_application(client, world):
    provider = world.register()
    world.pay(provider["provider_id"])
    world.approve(world.apply(provider["provider_id"])["application_id"])
    assert [p["start"] for p in client.all(f"/v1/providers/{provider['provider_id']}/periods")] == ["2023-06-01"]


@pytest.mark.parametrize("first", ["approve", "reject", "withdraw"])
@pytest.mark.parametrize("then", ["approve", "reject", "withdraw"])
def test_decided_once(client, world, first, then):
    application = world.apply(world.register()["provider_id"])["application_id"]
    bodies = {"approve": {}, "reject": {"reason": "No."}, "withdraw": {}}
    assert client.post(f"/v1/applications/{application}/{first}", bodies[first]).status == 200
    answer = client.post(f"/v1/applications/{application}/{then}", bodies[then])
    if (first, then) == ("approve", "withdraw"):
        assert answer.status == 200
    else:
        assert (answer.status, answer.code) == (409, "wrong_state"), answer


@pytest.mark.parametrize("verb, body, faults", [
    ("reject", {}, {"/reason": "missing"}), ("reject", {"reason": ""}, {"/reason": "too_short"}), ("reject", {"reason": "x" * 1001}, {"/reason": "too_long"}),
    ("reject", {"reason": None}, {"/reason": "wrong_type"}), ("approve", {"reason": "x"}, {"/reason": "unknown_member"}),
    ("approve", {"note": 1}, {"/note": "wrong_type"}), ("withdraw", {"note": ""}, {"/note": "too_short"}),
])  # fmt: skip
def test_strict_decisions(client, world, verb, body, faults):
    application = world.apply(world.register()["provider_id"])["application_id"]
    answer = client.post(f"/v1/applications/{application}/{verb}", body)
    assert (answer.status, answer.faults) == (422, faults), answer


def test_bodies_may_be_left_out(client, world):
    application = world.apply(world.register()["provider_id"])["application_id"]
    assert client.request("POST", f"/v1/applications/{application}/approve").status == 200


@pytest.mark.tsan
def test_two_approvals_at_once(service, client, world, database):
    provider = world.register()
    application = world.apply(provider["provider_id"])["application_id"]
    answers = at_once(8, lambda i: service.client().post(f"/v1/applications/{application}/approve", {}))
    assert sorted(a.status for a in answers) == [200] + [409] * 7
    assert {a.code for a in answers if a.status == 409} == {"wrong_state"}
    assert database.sql(f"select count(*) from provider_status where provider_id = '{provider['provider_id']}' and status = 'admitted'") == [(1,)]


def test_approve_and_withdraw_at_once(service, world):
    provider = world.register()
    application = world.apply(provider["provider_id"])["application_id"]
    verbs = ["approve", "reject", "withdraw"] * 2
    bodies = {"approve": {}, "reject": {"reason": "No."}, "withdraw": {}}
    answers = at_once(6, lambda i: service.client().post(f"/v1/applications/{application}/{verbs[i]}", bodies[verbs[i]]))
    status = world.provider(provider["provider_id"])["status"]
    done = sorted(v for v, a in zip(verbs, answers) if a.status == 200)
    assert (status, done) in (("admitted", ["approve"]), ("rejected", ["reject"]), ("withdrawn", ["withdraw"]), ("withdrawn", ["approve", "withdraw"]))


def test_checks_are_made_again_on_approval(new_service):
    """What was met on submission and is met no more refuses the approval, with all checks."""
    service = new_service()
    world = World(service.client())
    world.advance("2023-05-10")
    provider = world.register()
    application = world.apply(provider["provider_id"])
    service.database.sql(f"update provider set reapply_from = '2023-05-11', reapply_cause = 'revoked' where provider_id = '{provider['provider_id']}'")
    answer = world.client.post(f"/v1/applications/{application['application_id']}/approve", {})
    assert (answer.status, answer.code) == (409, "admission_refused"), answer
    assert checks(answer.json) == {"service_category": True, "cooldown": False, "documents": True, "open_application": True}
    assert world.client.get(f"/v1/applications/{application['application_id']}").json["status"] == "submitted"
    world.advance("2023-05-11")
    assert world.approve(application["application_id"])["status"] == "approved"


def test_days_are_the_clocks(client, world):
    application = world.apply(world.register()["provider_id"])
    assert application["submitted_on"] == "2023-05-10"
    assert abs(datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(application["created_at"].replace("Z", "+00:00"))).days == 0
