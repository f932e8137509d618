"""What-if: one provider's period with some facts, or some of its policy, changed inline."""

import pytest

from support.world import World, spread


class Trial(World):
    """A trial from April with nine stores that count, one that is closed, and one pass of the exam; figures through May 10."""

    def __init__(self, client):
        super().__init__(client)
        self.advance("2023-03-20")
        self.provider_id, self.code = self._admit()
        self.load("stores", [self.store(f"w-{i}") for i in range(9)] + [self.store("w-shut", status="closed")])
        self.load("bindings", [self.binding(self.code, s, "2023-04-03") for s in [f"w-{i}" for i in range(9)] + ["w-shut"]])
        self.load("exam_passes", [{"credit_code": self.code, "person_id": "p-1", "passed_on": "2023-04-10"}])
        self.load("store_days", [d for i in range(9) for d in spread(f"w-{i}", "2023-04-03", "2023-05-10", 100, 500000)], complete_through="2023-05-10")
        self.advance("2023-05-11")

    def _admit(self):
        provider = self.admit()
        return provider["provider_id"], provider["credit_code"]

    def ask(self, body, client=None, **more):
        return (client or self.client).post(f"/v1/providers/{self.provider_id}/what-if", body, **more)

    def what_if(self, **body):
        answer = self.ask(body)
        assert answer.status == 200, answer
        return answer.json

    def whole_store(self, store_id, **over):
        row = self.store(store_id)
        store = {k: row[k] for k in ("store_id", "registered_region", "ship_from_regions", "industry", "category", "status")}
        return {**store, "bindings": [{"bound_on": "2023-05-02"}], "days": [{"day": "2023-05-02", "orders": 5, "gmv_fen": 700000}], **over}


@pytest.fixture(scope="module")
def trial(client):
    return Trial(client)


def measures(answer):
    return {m["measure"]: (m["from"], m["to"]) for m in answer["changed"]["measures"]}


def stores(answer):
    return {s["store_id"]: (s["from"] and (s["from"]["counted"], s["from"]["reason"]), (s["to"]["counted"], s["to"]["reason"])) for s in answer["changed"]["stores"]}


def test_with_nothing_changed_it_is_the_periods_progress(trial, client):
    answer = trial.what_if()
    period = client.get(f"/v1/providers/{trial.provider_id}/periods").json["data"][0]
    assert answer["period_id"] == period["period_id"]
    assert answer["as_is"] == answer["as_would_be"] == period["progress"]
    assert answer["changed"] == {"outcome": False, "measures": [], "stores": []}


def test_a_store_more_and_a_pass_more_meet_it(trial):
    answer = trial.what_if(stores=[trial.whole_store("w-new")], exam_passes=[{"person_id": "p-2", "passed_on": "2023-05-09"}])
    assert (answer["as_is"]["outcome"], answer["as_would_be"]["outcome"], answer["changed"]["outcome"]) == ("not_met", "met", True)
    assert measures(answer) == {"new_stores": (9, 10), "new_store_gmv_fen": (4500000, 5200000), "monthly_orders/1": (243, 248), "exam_passes": (1, 2)}
    assert stores(answer) == {"w-new": (None, (True, None))}
    assert answer["as_would_be"]["policies"][0]["example"] is True


def test_what_is_given_takes_the_place_of_what_is(trial):
    opened = trial.what_if(stores=[{"store_id": "w-shut", "status": "normal"}])
    assert stores(opened) == {"w-shut": ((False, "status_not_normal"), (True, None))}
    moved = trial.what_if(stores=[{"store_id": "w-0", "registered_region": "440100", "ship_from_regions": ["440100"]}])
    assert stores(moved) == {"w-0": ((True, None), (False, "region_mismatch"))}
    assert measures(moved)["new_store_gmv_fen"] == (4500000, 4000000)
    left = trial.what_if(stores=[{"store_id": "w-0", "bindings": [{"bound_on": "2023-04-03", "unbound_on": "2023-05-01"}]}])
    assert stores(left) == {"w-0": ((True, None), (False, "not_bound_at_evaluation"))}
    none = trial.what_if(stores=[{"store_id": "w-0", "bindings": []}])
    assert stores(none) == {"w-0": ((True, None), (False, "not_new_in_period"))}
    day = trial.what_if(stores=[{"store_id": "w-0", "days": [{"day": "2023-04-03", "orders": 0, "gmv_fen": 1000000}]}])
    assert day["changed"]["stores"][0]["to"]["gmv_fen"] == 500000 - 500000 // 38 + 1000000
    again = trial.what_if(stores=[{"store_id": "w-0", "days": []}, {"store_id": "w-1"}])
    assert again["changed"] == {"outcome": False, "measures": [], "stores": []}


def test_some_of_the_policy_changed(trial, client):
    answer = trial.what_if(changes=[{"pointer": "/trial/requires/all/1/at_least", "value": 1}, {"pointer": "/counting/store_statuses", "value": ["normal", "closed"]},
                                    {"pointer": "/trial/requires/all/0/any/0/all/1/at_least", "value": 4500000}])  # fmt: skip
    assert answer["changed"]["outcome"] is True and stores(answer) == {"w-shut": ((False, "status_not_normal"), (True, None))}
    assert len(answer["as_would_be"]["policies"]) == 1
    policy = client.get("/v1/policies/antiques-art@2023-04-26").json
    policy["counting"]["repeat_scope"] = "any"
    assert trial.what_if(policy=policy)["changed"]["outcome"] is False
    policy["trial"]["months"] = 2
    assert trial.ask({"policy": policy}).faults == {"/policy": "months_differ"}
    assert trial.ask({"changes": [{"pointer": "/trial/months", "value": 4}]}).faults == {"/changes": "months_differ"}


def test_as_of_another_day(trial):
    earlier = trial.what_if(as_of="2023-04-05")
    assert earlier["as_is"]["evaluated_on"] == "2023-04-05" and earlier["as_is"]["policies"][0]["measures"]["exam_passes"] == 0
    end = trial.what_if(as_of="2023-06-30", stores=[{"store_id": "w-0", "days": [{"day": "2023-06-30", "orders": 1, "gmv_fen": 1}]}])
    assert end["as_would_be"]["final"] is True and measures(end) == {"new_store_gmv_fen": (4500000, 4500001), "monthly_orders/2": (0, 1)}
    assert trial.ask({"as_of": "2023-03-31"}).faults == {"/as_of": "must_be_before"}


def test_every_problem_by_its_pointer(trial):
    body = {
        "stores": [
            {"store_id": "w-0", "status": "open", "bindings": [{"bound_on": "2023-05-01", "by": "other"}, {"bound_on": "x"}], "months": []},
            {"store_id": "w-none"},
            {"store_id": "w-1", "days": [{"day": "2023-04-03", "orders": -1, "gmv_fen": 1.5}, {"day": "2023-04-04"}], "colour": "red"},
            {"store_id": "w-2", "bindings": 1, "unlisted": True}, {"store_id": "w-1"}, 7,
        ],
        "exam_passes": [{"person_id": "", "passed_on": "2023-04-10"}, {}],
    }  # fmt: skip
    assert trial.ask(body).faults == {
        "/stores/0/status": "invalid_value", "/stores/0/bindings/0/by": "unknown_member", "/stores/0/bindings/1/bound_on": "invalid_day",
        "/stores/0/months": "unknown_member", "/stores/1/registered_region": "missing", "/stores/1/ship_from_regions": "missing",
        "/stores/1/industry": "missing", "/stores/1/category": "missing", "/stores/1/status": "missing", "/stores/1/bindings": "missing",
        "/stores/2/days/0/orders": "number_out_of_range", "/stores/2/days/0/gmv_fen": "wrong_type", "/stores/2/days/1/orders": "missing",
        "/stores/2/days/1/gmv_fen": "missing", "/stores/2/colour": "unknown_member", "/stores/3/bindings": "wrong_type",
        "/stores/3/unlisted": "unknown_member", "/stores/4/store_id": "duplicate", "/stores/5": "wrong_type",
        "/exam_passes/0/person_id": "too_short", "/exam_passes/1/person_id": "missing", "/exam_passes/1/passed_on": "missing",
    }  # fmt: skip
    assert trial.ask({"as_of": 1, "stores": {}, "x": 1}).faults == {"/as_of": "wrong_type", "/stores": "wrong_type", "/x": "unknown_member"}
    overlapping = [{"bound_on": "2023-04-03"}, {"bound_on": "2023-05-01"}]
    assert trial.ask({"stores": [{"store_id": "w-0", "bindings": overlapping}]}).code == "invalid_request"
    assert trial.ask({"period_id": "prd_0"}).faults == {"/period_id": "unknown_id"}


def test_nothing_is_kept(trial, client, database):
    def state():
        return [database.sql(f"select md5(string_agg(t::text, '' order by t::text)) from {table} t")
                for table in ("provider", "period", "store", "store_version", "binding", "store_day", "exam_pass", "audit", "event")]  # fmt: skip

    before = state()
    body = {"stores": [trial.whole_store("w-new")], "changes": [{"pointer": "/trial/requires/all/1/at_least", "value": 1}]}
    first, again = (trial.ask(body, idempotency_key="what-if") for _ in range(2))
    assert (first.body, again.headers["Idempotency-Replayed"]) == (again.body, "true")
    assert trial.ask(body, query={"dry_run": "true"}).body == first.body
    assert state() == before


def test_who_may(trial, client, service, keys):
    own = client.with_key(service.new_key("partner", trial.provider_id))
    assert trial.ask({}, own).status == 200
    other = client.with_key(service.new_key("partner", trial.register()["provider_id"]))
    assert trial.ask({}, other).status == 404
    for role, status in (("operator", 200), ("auditor", 200), ("feed", 403)):
        assert trial.ask({}, client.with_key(keys[role])).status == status
    assert client.post("/v1/providers/prv_0/what-if").status == 404
    registered = trial.register()["provider_id"]
    answer = client.post(f"/v1/providers/{registered}/what-if")
    assert (answer.status, answer.code) == (409, "wrong_state")


def test_a_period_that_is_decided(trial, client):
    trial.load("store_days", [], complete_through="2023-06-30")
    trial.advance("2023-07-01")
    assert trial.provider(trial.provider_id)["status"] == "trial_failed"
    answer = trial.what_if(stores=[trial.whole_store("w-new")], exam_passes=[{"person_id": "p-2", "passed_on": "2023-06-30"}])
    assert answer["as_is"]["as_of"] == "2023-06-30" and answer["changed"]["outcome"] is True
    period = client.get(f"/v1/providers/{trial.provider_id}/periods").json["data"][0]
    assert trial.what_if(period_id=period["period_id"])["as_is"] == period["progress"]
