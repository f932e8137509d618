"""The story of two providers through every operation there is: each answers as openapi.yaml says. The client holds every answer
against it; at the end each operation's success must have been among them."""

import hashlib
import json
import pathlib

from support import openapi_check
from support.world import csv, spread


def load(client, kind, rows, status=201, **query):
    answer = client.post("/v1/imports", body=csv(kind, rows), query={"kind": kind, **query}, headers={"Content-Type": "text/csv"})
    assert answer.status == status, answer
    return answer.json


def feed(client, world, code, gmv_fen, stores):
    """Ten stores that meet metric 1 from April on when gmv_fen is 500,000 each."""
    load(client, "stores", [world.store(s) for s in stores])
    load(client, "bindings", [world.binding(code, s, "2023-04-02") for s in stores])
    load(client, "exam_passes", [{"credit_code": code, "person_id": p, "passed_on": "2023-04-10"} for p in ("p-1", "p-2")])
    load(client, "store_days", [day for s in stores for day in spread(s, "2023-04-02", "2023-05-10", 900, gmv_fen)])


def register_and_apply(client, world):
    provider = world.register()
    where = f"/v1/providers/{provider['provider_id']}"
    etag = client.get(where).etag
    assert client.get(where, headers={"If-None-Match": etag}).status == 304
    assert client.patch(where, {"contact": {"name": "张三"}}, headers={"If-Match": etag}).status == 200
    application = world.apply(provider["provider_id"])
    assert client.get(f"/v1/applications/{application['application_id']}").status == 200
    return provider, application


def waived(service, client, world):
    """One whose trial failed under a policy with a cool-down for that: it is waived, and the waiver taken back."""
    policy = client.get("/v1/policies/antiques-art@2023-04-26").json
    policy.update(policy_id="cooling", version="1", industry="cooling")
    policy["admission"]["trial_failed_cooldown_days"] = 90
    path = pathlib.Path(service.home) / "cooling.json"
    path.write_text(json.dumps(policy))
    service.command("policy", "publish", str(path))
    provider_id = world.admit(industry="cooling", main_category="cooling")["provider_id"]
    load(client, "store_days", [], complete_through="2023-12-31")
    world.advance("2023-11-01")
    assert world.provider(provider_id)["reapply_cause"] == "trial_failed"
    waiver = {"kind": "cooldown", "reason": "hardship", "expires_on": "2023-12-31"}
    proposed = client.post(f"/v1/providers/{provider_id}/waivers", waiver)
    assert proposed.status == 201
    where = proposed.headers["Location"]
    assert service.client(service.new_key("admin")).post(f"{where}/confirm").status == 200
    assert client.get(where).json["status"] == "active"
    assert client.get(f"/v1/providers/{provider_id}/waivers").status == 200
    assert client.post(f"{where}/revoke", {"reason": "withdrawn"}).status == 200


def policies(client):
    """One is drafted, mended, looked at and published; another is dropped."""
    policy = client.get("/v1/policies/antiques-art@2023-04-26").json
    policy.update(version="next", effective_from="2030-01-01")
    draft = client.post("/v1/policies", policy)
    where = draft.headers["Location"]
    policy["admission"]["deposit_fen"] = None
    assert client.put(where, policy, headers={"If-Match": draft.etag}).status == 200
    differences = client.get(f"{where}/compare", query={"with": "2023-04-26"}).json["differences"]
    assert [d["pointer"] for d in differences] == ["/effective_from", "/admission/deposit_fen"]
    assert client.get(f"{where}/validate").json["publishable"] is True
    assert client.post(f"{where}/publish").status == 200
    policy["version"] = "dropped"
    assert client.delete(client.post("/v1/policies", policy).headers["Location"]).status == 204


def deposits_and_refunds(client, second_person, deposit):
    assert client.post(f"{deposit}/entries", {"kind": "payment", "amount_fen": 1000, "external_reference": "b"}).status == 201
    deduction = client.post(f"{deposit}/entries", {"kind": "deduction", "amount_fen": 10, "reason": "r", "reference": "v"}).json
    assert client.post(f"{deposit}/entries/{deduction['entry_id']}/close").json["deduction_status"] == "closed"
    for end in ("settle", "fail"):
        refund = client.post(f"{deposit}/refunds", {"amount_fen": 100, "reason": "r"}).json
        where = f"/v1/refunds/{refund['refund_id']}"
        assert second_person.post(f"{where}/approve").json["status"] == "approved"
        assert client.post(f"{where}/{end}").status == 200
        assert client.get(where).status == 200
    assert client.get(f"{deposit}/refunds").status == 200
    assert client.get(f"{deposit}/statement").body.count(b"\n") == 7


def appealed_and_corrected(client, second_person, world, decision, store):
    """An appeal that is answered, one that is withdrawn, and one that a correction answers; a correction that is taken back before."""
    where = f"/v1/decisions/{decision['decision_id']}"

    def appeal():
        made = client.post(f"{where}/appeals", {"reason": "the orders of May", "documents": world.documents()})
        assert made.status == 201
        return made.headers["Location"]

    assert second_person.post(f"{appeal()}/confirm", {"reason": "they are right"}).json["status"] == "confirmed"
    assert client.post(f"{appeal()}/withdraw").json["status"] == "withdrawn"
    last = appeal()
    assert client.get(last).json["status"] == "open" and len(client.all("/v1/appeals", limit=1)) == 3
    load(client, "store_days", spread(store, "2023-05-09", "2023-05-09", 1234, 1234))
    assert client.get(where).json["stale"]
    assert client.post(client.post(f"{where}/correct", {"reason": "r"}).headers["Location"] + "/reject", {"reason": "r"}).json["status"] == "withdrawn"
    correction = client.post(f"{where}/correct", {"reason": "the orders of May"})
    assert second_person.post(correction.headers["Location"] + "/confirm").json["consequence"] == "none"
    assert client.get(correction.headers["Location"]).json["status"] == "confirmed"
    assert len(client.all("/v1/corrections", limit=1)) == 2
    assert second_person.post(f"{last}/correct", {"correction_id": correction.json["correction_id"]}).json["status"] == "corrected"


def test_every_operation(service, client, world, keys):
    world.advance("2023-03-20")
    assert client.get("/v1/providers").status == 200

    # One withdraws, is rejected, and comes back.
    first, application = register_and_apply(client, world)
    assert client.post(f"/v1/applications/{application['application_id']}/withdraw", {"note": "later"}).status == 200
    application = world.apply(first["provider_id"])
    assert client.post(f"/v1/applications/{application['application_id']}/reject", {"reason": "illegible"}).status == 200
    assert len(client.all(f"/v1/providers/{first['provider_id']}/applications", limit=1)) == 2
    application = world.apply(first["provider_id"])
    world.approve(application["application_id"])
    world.pay(first["provider_id"])
    assert client.get(f"/v1/providers/{first['provider_id']}/deposit/entries").status == 200
    assert client.get(f"/v1/providers/{first['provider_id']}/deposit").json["shortfall_fen"] == 0
    deposits_and_refunds(client, client.with_key(keys["operator"]), f"/v1/providers/{world.register()['provider_id']}/deposit")
    second = world.admit()

    feed(client, world, first["credit_code"], 500000, [f"a-{i}" for i in range(10)])
    feed(client, world, second["credit_code"], 100, [f"b-{i}" for i in range(10)])
    load(client, "bindings", [world.binding(first["credit_code"], "nowhere", "2023-04-02")], status=422)
    partly = load(client, "bindings", [world.binding(first["credit_code"], "nowhere", "2023-04-02")], mode="per_row")
    assert partly["rows"]["rejected"] == 1
    assert client.get(f"/v1/imports/{partly['import_id']}").status == 200
    assert len(client.all(f"/v1/imports/{partly['import_id']}/errors")) == 1
    load(client, "store_days", spread("a-0", "2023-05-11", "2023-05-11", 1, 1), complete_through="2023-05-11")
    assert client.get("/v1/imports").status == 200

    # The first converts early.
    world.advance("2023-05-12")
    for provider in (first, second):
        assert world.qualification(provider["provider_id"])["status"] == "trial"
    assert client.get("/v1/stores/a-1").status == 200
    assert len(client.all("/v1/stores/a-1/days", limit=20)) == 39
    assert len(client.all(f"/v1/providers/{first['provider_id']}/stores", limit=3)) == 10
    assert client.post(f"/v1/providers/{second['provider_id']}/early-conversion").code == "not_met"
    decision = client.post(f"/v1/providers/{first['provider_id']}/early-conversion")
    assert decision.status == 201
    assert world.qualification(first["provider_id"])["qualified"]
    period = client.get(f"/v1/providers/{first['provider_id']}/periods").json["data"][-1]
    assert client.get(f"/v1/periods/{period['period_id']}").json["status"] == "converted"

    # What was decided comes out of its evidence again.
    where = decision.headers["Location"]
    evidence = client.get(where + "/evidence")
    assert evidence.etag.strip('"') == hashlib.sha256(evidence.body).hexdigest()
    again = client.post("/v1/evaluations", body=evidence.body, headers={"Content-Type": "application/json"})
    assert hashlib.sha256(again.body).hexdigest() == client.get(where).json["sha256"]
    assert client.post(where + "/replay").json["identical"] is True

    # The second fails its trial, once the figures are there.
    world.advance("2023-07-02")
    assert world.finished("/v1/assessment-runs/" + client.post("/v1/assessment-runs", {"as_of": "2023-06-30"}).json["run_id"])["outcomes"]["awaiting_data"] == 1
    waiting = client.get(f"/v1/providers/{second['provider_id']}/periods").json["data"][-1]
    assert client.get(f"/v1/periods/{waiting['period_id']}/missing-days").json["data"]
    assert second["provider_id"] in [one["provider_id"] for one in client.all("/v1/at-risk")]
    load(client, "store_days", spread("a-0", "2023-05-12", "2023-06-30", 1, 1), complete_through="2023-07-01")
    run = world.finished("/v1/assessment-runs/" + client.post("/v1/assessment-runs", {"as_of": "2023-06-30"}).json["run_id"])
    assert (run["status"], run["outcomes"]["not_met"]) == ("done", 1)
    assert client.get("/v1/assessment-runs").status == 200
    assert client.get(f"/v1/assessment-runs/{run['run_id']}/results").json["data"][0]["outcome"] == "not_met"
    assert world.provider(second["provider_id"])["status"] == "trial_failed"
    assert {d["outcome"] for d in client.all("/v1/decisions", limit=1)} == {"met", "not_met"}

    # What if it had taken a hundred stores?
    higher = {"from": "2023-05-01", "through": "2023-06-30", "changes": [{"pointer": "/trial/requires/all/0/any/0/all/0/at_least", "value": 100}]}
    simulation = client.post("/v1/policies/antiques-art@2023-04-26/simulate", higher).json
    assert world.finished(f"/v1/simulations/{simulation['simulation_id']}")["totals"]["would_fail"] == 1
    assert client.get(f"/v1/simulations/{simulation['simulation_id']}/results").json["data"][0]["provider_id"] == first["provider_id"]
    assert client.get("/v1/simulations").status == 200
    answer = client.post(f"/v1/providers/{first['provider_id']}/what-if", {"period_id": period["period_id"], "stores": [{"store_id": "a-0", "bindings": []}]})
    assert answer.json["changed"]["outcome"] is True
    (failed,) = client.all("/v1/decisions", {"provider_id": second["provider_id"]})
    appealed_and_corrected(client, client.with_key(keys["operator"]), world, failed, "b-0")

    # Certified, the first exits.
    gone = client.post(f"/v1/providers/{first['provider_id']}/exit", {"reason": "moving"})
    assert gone.status == 200 and gone.json["refund"]["status"] == "requested"
    waived(service, client, world)

    policies(client)
    assert client.get("/v1/policies").status == 200
    assert client.get("/v1/policies/antiques-art@2023-04-26").status == 200
    key = client.post("/v1/keys", {"name": "feed", "role": "feed"}).json
    assert client.get("/v1/keys").status == 200
    assert client.get(f"/v1/keys/{key['key_id']}").json["role"] == "feed"
    assert client.post(f"/v1/keys/{key['key_id']}/rotate", {}).status == 201
    assert client.delete(f"/v1/keys/{key['key_id']}").status == 204
    assert client.get("/v1/audit", query={"provider_id": first["provider_id"], "action": "provider.exited"}).json["data"]
    assert client.get("/v1/audit/verify").json["ok"] is True
    anyone = service.client("")
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.yaml", "/docs", "/docs/redoc.js"):
        assert anyone.get(path).status == 200

    answered = {operation for operation, status in openapi_check.seen if status < 300}
    missing = {operation["operationId"] for _, _, operation in openapi_check.contract().operations()} - answered
    assert not missing, "no success of these was seen"
