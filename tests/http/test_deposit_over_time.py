"""What is owed (4.1) over time: shortfalls and their days, the requests that nobody decides, and trials that lose their deposit."""

import json
import pathlib

import pytest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "policy-antiques-art.json"


@pytest.fixture
def sandbox(new_service, tmp_path):
    """A sandbox whose policy gives ten days for a shortfall and five for a request, or what `make` is told."""
    from support.world import World

    def make(**admission):
        policy = json.loads(EXAMPLE.read_text(encoding="utf-8"))
        policy["version"], policy["effective_from"] = "2020-01-01", "2020-01-01"
        policy["admission"].update({"deposit_due_days": 10, "refund_request_days": 5, **admission})
        path = tmp_path / "policy.json"
        path.write_text(json.dumps(policy), encoding="utf-8")
        service = new_service(start=False)
        service.command("migrate")
        service.command("policy", "publish", str(path))
        world = World(service.start().client())
        world.service = service
        return world

    return make


def deduct(world, provider_id, amount_fen, **more):
    body = {"kind": "deduction", "amount_fen": amount_fen, "reason": "r", "reference": "v", **more}
    answer = world.client.post(f"/v1/providers/{provider_id}/deposit/entries", body)
    assert answer.status == 201, answer
    return answer.json


def ask(world, provider_id, amount_fen):
    answer = world.client.post(f"/v1/providers/{provider_id}/deposit/refunds", {"amount_fen": amount_fen, "reason": "r"})
    assert answer.status == 201, answer
    return answer.json


def deposit(world, provider_id):
    return world.client.get(f"/v1/providers/{provider_id}/deposit").json


def reason_codes(world, provider_id):
    return [r["code"] for r in world.qualification(provider_id)["reasons"]]


def certified(world):
    """Certified on 2023-05-10 by early conversion."""
    world.advance("2023-03-20")
    provider = world.admit()
    stores = [f"s-{i}" for i in range(10)]
    world.load("stores", [world.store(s) for s in stores])
    world.load("bindings", [world.binding(provider["credit_code"], s, "2023-04-02") for s in stores])
    world.load("exam_passes", [{"credit_code": provider["credit_code"], "person_id": p, "passed_on": "2023-04-10"} for p in "ab"])
    world.load("store_days", [{"store_id": s, "day": "2023-04-05", "orders": 1, "gmv_fen": 500000} for s in stores], complete_through="2023-05-09")
    world.advance("2023-05-10")
    answer = world.client.post(f"/v1/providers/{provider['provider_id']}/early-conversion")
    assert answer.status == 201, answer
    return provider["provider_id"]


def test_a_certified_provider_with_an_overdue_shortfall_is_not_qualified(sandbox):
    world = sandbox()
    provider = certified(world)
    deduct(world, provider, 1)
    assert [deposit(world, provider)[k] for k in ("shortfall_fen", "due_on", "overdue")] == [1, "2023-05-20", False]
    answer = world.qualification(provider)
    assert answer["qualified"] is True and answer["deposit"]["due_on"] == "2023-05-20"
    assert [(d["code"], d["missing"], d["by"]) for d in answer["requirements"]["currently_due"]] == [("deposit_short", 1, "2023-05-20")]
    assert ("qualification_suspended", "2023-05-21") in [(e["code"], e["on"]) for e in answer["next_events"]]
    world.advance("2023-05-15")
    deduct(world, provider, 1)  # a shortfall that grows keeps its day
    assert deposit(world, provider)["due_on"] == "2023-05-20"
    world.advance("2023-05-20")
    assert world.qualification(provider)["qualified"] is True, "the last day"
    world.advance("2023-05-21")
    answer = world.qualification(provider)
    assert (answer["qualified"], answer["status"], answer["deposit"]["overdue"]) == (False, "certified", True)
    assert "deposit_shortfall_overdue" in reason_codes(world, provider)
    assert deposit(world, provider)["overdue"] is True
    world.pay(provider, 1)
    assert world.qualification(provider)["qualified"] is False
    world.pay(provider, 1)
    answer = world.qualification(provider)
    assert (answer["qualified"], answer["deposit"]["due_on"]) == (True, None)
    deduct(world, provider, 1)  # a new shortfall has days of its own
    assert (deposit(world, provider)["due_on"], world.qualification(provider)["qualified"]) == ("2023-05-31", True)


def test_without_days_a_shortfall_is_due_at_once(sandbox):
    world = sandbox(deposit_due_days=None)
    provider = certified(world)
    taken = deduct(world, provider, 1)
    assert [deposit(world, provider)[k] for k in ("due_on", "overdue")] == ["2023-05-10", True]
    assert world.qualification(provider)["qualified"] is False
    world.client.post(f"/v1/providers/{provider}/deposit/entries", {"kind": "deduction_reversal", "reverses": taken["entry_id"]})
    assert world.qualification(provider)["qualified"] is True


def test_what_a_refund_holds_is_not_there(sandbox):
    world = sandbox(deposit_due_days=None)
    provider = certified(world)
    refund = ask(world, provider, 1)
    assert "deposit_shortfall_overdue" in reason_codes(world, provider)
    world.client.post(f"/v1/refunds/{refund['refund_id']}/fail")
    assert world.qualification(provider)["qualified"] is True


def test_what_was_owed_on_another_day(sandbox):
    world = sandbox()
    provider = certified(world)
    path = f"/v1/providers/{provider}/deposit"
    before, during = (world.client.get(path, query={"as_of": day}).json for day in ("2023-03-19", "2023-05-01"))
    assert (before["required_fen"], before["policy"], before["shortfall_fen"]) == (None, None, None)
    assert (during["required_fen"], during["policy"], during["balance_fen"]) == (2000000, "antiques-art@2020-01-01", 2000000)


def test_a_request_that_nobody_decides_expires(sandbox):
    world = sandbox()
    world.advance("2023-03-20")
    provider = world.admit()["provider_id"]
    world.advance("2023-04-02")
    one, other = ask(world, provider, 100), ask(world, provider, 200)
    assert one["expires_on"] == "2023-04-07"
    second = world.client.with_key(world.service.new_key("operator"))
    assert second.post(f"/v1/refunds/{other['refund_id']}/approve").status == 200

    def statuses():
        return [world.client.get(f"/v1/refunds/{r['refund_id']}").json["status"] for r in (one, other)]

    world.advance("2023-04-07")
    assert statuses() == ["requested", "approved"], "the last day"
    world.advance("2023-04-08")
    assert statuses() == ["expired", "approved"], "what was decided does not expire"
    assert (deposit(world, provider)["balance_fen"], deposit(world, provider)["held_fen"]) == (2000000, 200)
    expired = world.client.get(f"/v1/refunds/{one['refund_id']}").json
    assert expired["ended_on"] == "2023-04-08"
    assert second.post(f"/v1/refunds/{one['refund_id']}/approve").code == "wrong_state"


def test_expiry_on_its_own_day_however_far_the_clock_moves(sandbox):
    world = sandbox()
    world.advance("2023-03-20")
    provider = world.admit()["provider_id"]
    refund = ask(world, provider, 100)
    world.advance("2023-06-20")
    assert world.client.get(f"/v1/refunds/{refund['refund_id']}").json["ended_on"] == "2023-03-26"


def test_without_days_a_request_never_expires(sandbox):
    world = sandbox(refund_request_days=None)
    world.advance("2023-03-20")
    provider = world.admit()["provider_id"]
    refund = ask(world, provider, 100)
    world.advance("2023-12-31")
    assert world.client.get(f"/v1/refunds/{refund['refund_id']}").json["status"] == "requested"


def test_a_trial_that_loses_its_deposit_before_it_begins(sandbox):
    """The trial is dropped, and set again when the deposit is there again."""
    world = sandbox(refund_request_days=None)
    world.advance("2023-03-20")
    provider = world.admit()["provider_id"]
    periods = f"/v1/providers/{provider}/periods"
    assert [p["start"] for p in world.client.all(periods)] == ["2023-04-01"]
    refund = ask(world, provider, 1)
    assert world.client.all(periods) == []
    world.advance("2023-04-02")
    assert world.provider(provider)["status"] == "admitted"
    world.client.post(f"/v1/refunds/{refund['refund_id']}/fail")
    assert [p["start"] for p in world.client.all(periods)] == ["2023-05-01"]
    deduct(world, provider, 1)
    assert world.client.all(periods) == []
    world.pay(provider, 1)
    assert [p["start"] for p in world.client.all(periods)] == ["2023-05-01"]
