"""Simulations: what a policy would have made of decided periods. Real histories through the API, and a crowd to kill and share."""

import concurrent.futures
import copy
import time

import psycopg2
import pytest
from test_closing_many import BULK

from support.world import World, spread

NEW_STORES = "/trial/requires/all/0/any/0/all/0/at_least"
GMV = "/trial/requires/all/0/any/0/all/1/at_least"
EXAMS = "/trial/requires/all/1/at_least"
POLICY = "/v1/policies/antiques-art@2023-04-26"
SPAN = {"from": "2023-06-01", "through": "2023-07-31"}


def simulate(client, body=None, at=POLICY, **change):
    answer = client.post(f"{at}/simulate", {**SPAN, **(body or {}), **change})
    assert answer.status == 201, answer
    assert answer.json["status"] == "queued" and answer.headers["Location"] == f"/v1/simulations/{answer.json['simulation_id']}"
    return answer.json


def finished(client, simulation, seconds=120):
    where, give_up, seen = f"/v1/simulations/{simulation['simulation_id']}", time.monotonic() + seconds, []
    while True:
        now = client.get(where).json
        seen.append(now["progress"]["done"])
        if now["status"] in ("done", "failed"):
            assert seen == sorted(seen)
            return now
        assert time.monotonic() < give_up, now
        time.sleep(0.05)


def results(client, simulation, **query):
    return client.all(f"/v1/simulations/{simulation['simulation_id']}/results", query, limit=100)


def change(pointer, value):
    return {"changes": [{"pointer": pointer, "value": value}]}


class History(World):
    """Trials from April, decided on 07-01: by name, how many stores, their GMV in all, and how many passed the exam."""

    TRIALS = {"ample": (12, 9000000, 3), "exact": (10, 5000000, 2), "eight": (8, 6000000, 2), "one_exam": (10, 6000000, 1)}

    def __init__(self, client):
        super().__init__(client)
        self.advance("2023-03-20")
        self.providers = {name: self.admit() for name in self.TRIALS}
        for name, (stores, gmv_fen, passes) in self.TRIALS.items():
            self.feed(name, stores, gmv_fen, passes)
        self.load("store_days", [], complete_through="2023-06-30")
        self.advance("2023-07-01")

    def feed(self, name, stores, gmv_fen, passes):
        code, ids = self.providers[name]["credit_code"], [f"{name}-{i}" for i in range(stores)]
        self.load("stores", [self.store(s) for s in ids])
        self.load("bindings", [self.binding(code, s, "2023-04-03") for s in ids])
        self.load("exam_passes", [{"credit_code": code, "person_id": f"{name}-{i}", "passed_on": "2023-04-20"} for i in range(passes)])
        share = [gmv_fen * (i + 1) // stores - gmv_fen * i // stores for i in range(stores)]
        self.load("store_days", [d for s, fen in zip(ids, share) for d in spread(s, "2023-04-03", "2023-06-30", 90, fen)])

    def name_of(self, provider_id):
        return next(name for name, p in self.providers.items() if p["provider_id"] == provider_id)

    def differences(self, simulation):
        return {self.name_of(r["provider_id"]): r["difference"] for r in results(self.client, simulation)}


@pytest.fixture(scope="module")
def history(client):
    made = History(client)
    assert {n: made.provider(p["provider_id"])["status"] for n, p in made.providers.items()} == {
        "ample": "certified", "exact": "certified", "eight": "trial_failed", "one_exam": "trial_failed"}  # fmt: skip
    return made


def test_as_it_is_nothing_changes(history, client):
    done = finished(client, simulate(client))
    assert (done["status"], done["progress"], done["example"]) == ("done", {"done": 4, "total": 4}, True)
    assert done["totals"] == {"unchanged": {"met": 2, "not_met": 2}, "would_pass": 0, "would_fail": 0, "not_judged": 0, "undecided": 0}
    assert (done["measures"], done["changes"], done["tried"]) == ([], None, client.get(POLICY).json)
    assert results(client, done) == []


def test_a_lower_threshold_passes_who_failed_on_it(history, client):
    done = finished(client, simulate(client, change(NEW_STORES, 8)))
    assert done["tried"]["trial"]["requires"]["all"][0]["any"][0]["all"][0]["at_least"] == 8
    assert done["totals"]["unchanged"] == {"met": 2, "not_met": 1} and done["totals"]["would_pass"] == 1
    assert done["measures"] == [{"measure": "new_stores", "would_pass": 1, "would_fail": 0}]
    (one,) = results(client, done)
    assert history.name_of(one["provider_id"]) == "eight" and one["example"] is True
    assert (one["was"], one["difference"], one["figures_differ"], one["stage"], one["end"]) == ("not_met", "would_pass", False, "trial", "2023-06-30")
    decision = client.get(f"/v1/decisions/{one['decision_id']}").json
    assert (decision["outcome"], decision["period_id"]) == ("not_met", one["period_id"])
    turned = [(c["alternative"], c["measure"], c["at_least"], c["gap"]) for c in one["criteria"] if c["turned"]]
    assert turned == [("metric_1", "new_stores", 10, 2)]
    assert {c["alternative"] for c in one["criteria"] if not c["turned"]} == {"metric_2"}


def test_a_higher_threshold_fails_who_passed_and_names_it(history, client):
    done = finished(client, simulate(client, change(GMV, 5000001)))
    assert history.differences(done) == {"exact": "would_fail"}
    assert done["measures"] == [{"measure": "new_store_gmv_fen", "would_pass": 0, "would_fail": 1}]
    (one,) = results(client, done, difference="would_fail")
    assert [(c["measure"], c["clause"], c["at_least"], c["gap"]) for c in one["criteria"] if c["turned"]] == [("new_store_gmv_fen", "3.2", 5000001, 1)]
    assert results(client, done, difference="would_pass") == []


def test_a_draft_both_ways_at_once(history, client):
    policy = copy.deepcopy(client.get(POLICY).json)
    policy.update(version="both-ways", effective_from="2024-01-01")
    policy["trial"]["requires"]["all"][1]["at_least"] = 1
    policy["trial"]["requires"]["all"][0]["any"][0]["all"][0]["at_least"] = 11
    client.post("/v1/policies", policy)
    done = finished(client, simulate(client, at="/v1/policies/antiques-art@both-ways"))
    assert history.differences(done) == {"exact": "would_fail"}  # one_exam has ten stores: no more than before
    policy["trial"]["requires"]["all"][0]["any"][0]["all"][0]["at_least"] = 10
    done = finished(client, simulate(client, {"policy": policy}))
    assert history.differences(done) == {"one_exam": "would_pass"}
    assert done["measures"] == [{"measure": "exam_passes", "would_pass": 1, "would_fail": 0}]
    assert (done["policy"], done["tried"]["version"], done["changes"]) == ("antiques-art@2023-04-26", "both-ways", None)


def test_another_shape_of_the_tree(history, client):
    """Both metrics are needed, where either sufficed: nothing in them turned, so all that is missing did."""
    policy = client.get(POLICY).json
    metrics = policy["trial"]["requires"]["all"][0]
    metrics["all"] = metrics.pop("any")
    done = finished(client, simulate(client, {"policy": policy}))
    assert history.differences(done) == {"ample": "would_fail", "exact": "would_fail"}
    assert all(c["measure"] != "new_stores" for r in results(client, done) for c in r["criteria"] if c["turned"])


def test_another_length_is_judged_over_its_own_months(history, client):
    policy = client.get(POLICY).json
    policy["trial"]["months"] = 2
    done = finished(client, simulate(client, {"policy": policy}))
    # By the end of May two thirds of the GMV were there: exact fails, ample passes, and nobody else does.
    assert history.differences(done) == {"exact": "would_fail"}
    (one,) = results(client, done)
    assert one["figures_differ"] is None and {c["turned"] for c in one["criteria"]} == {None}
    assert {"measure": "new_store_gmv_fen", "would_pass": 0, "would_fail": 1} in done["measures"]
    policy["trial"]["months"] = 6  # would not have ended by the watermark
    done = finished(client, simulate(client, {"policy": policy}))
    assert done["totals"]["not_judged"] == 4 and {r["reason"] for r in results(client, done)} == {"awaiting_data"}


def test_span_and_stages(history, client):
    assert finished(client, simulate(client, {"from": "2023-07-01"}))["progress"]["total"] == 0
    assert finished(client, simulate(client, {"from": "2023-06-30", "through": "2023-06-30"}))["progress"]["total"] == 4
    assert finished(client, simulate(client, {"stages": ["regular"]}))["progress"]["total"] == 0
    other = client.get(POLICY).json
    other.update(policy_id="nobody", version="1", industry="nobody")
    client.post("/v1/policies", other)
    assert finished(client, simulate(client, at="/v1/policies/nobody@1"))["progress"]["total"] == 0


def test_it_leaves_everything_as_it_is(history, client, database):
    def state():
        return [database.sql(f"select md5(string_agg(t::text, '' order by t::text)) from {table} t")
                for table in ("provider", "period", "decision", "provider_status", "store_day", "policy", "assessment_run")]  # fmt: skip

    before = state()
    done = finished(client, simulate(client, change(NEW_STORES, 1)))
    assert state() == before
    actions = [e["action"] for e in client.all("/v1/audit", {"subject": done["simulation_id"]})]
    assert actions == ["simulation.finished", "simulation.created"]
    assert client.post(f"{POLICY}/simulate", SPAN, query={"dry_run": "true"}).json["progress"]["total"] == 4
    listed = client.all("/v1/simulations", {"status": "done"}, limit=3)
    assert listed[0] == done and client.get(f"/v1/simulations/{done['simulation_id']}").json == done


def test_figures_that_changed_since_are_told_apart(history, client):
    """A correction after the decision: the same policy, today, would decide otherwise."""
    history.load("store_days", [{"store_id": "exact-0", "day": "2023-04-03", "orders": 1, "gmv_fen": 0}])
    done = finished(client, simulate(client))
    (one,) = results(client, done)
    assert (history.name_of(one["provider_id"]), one["difference"], one["figures_differ"]) == ("exact", "would_fail", True)


def test_an_early_conversion_is_judged_as_of_its_day(history, client):
    quick = history.admit()
    history.providers["quick"] = quick
    code, ids = quick["credit_code"], [f"quick-{i}" for i in range(10)]
    history.load("stores", [history.store(s) for s in ids])
    history.load("bindings", [history.binding(code, s, "2023-07-01") for s in ids])
    history.load("exam_passes", [{"credit_code": code, "person_id": p, "passed_on": "2023-07-01"} for p in ("q-1", "q-2")])
    history.load("store_days", [d for s in ids for d in spread(s, "2023-07-01", "2023-07-10", 10, 500000)], complete_through="2023-07-10")
    history.advance("2023-07-11")
    assert client.post(f"/v1/providers/{quick['provider_id']}/early-conversion").status == 201
    history.load("store_days", [d for s in ids for d in spread(s, "2023-07-11", "2023-07-20", 10, 500000)], complete_through="2023-07-20")
    history.advance("2023-07-21")
    july = {"from": "2023-07-01", "through": "2023-07-31"}
    assert finished(client, simulate(client, july))["totals"]["unchanged"] == {"met": 1, "not_met": 0}
    done = finished(client, simulate(client, {**july, **change(GMV, 5000001)}))
    assert history.differences(done) == {"quick": "would_fail"}, "what came after the day of its conversion does not count"


def test_every_problem_by_its_pointer(history, client):
    answer = client.post(f"{POLICY}/simulate", {"from": "2023-13-01", "stages": ["trial", "trial", "x"], "changes": [], "surprise": 1})
    assert answer.faults == {"/from": "invalid_day", "/through": "missing", "/stages": "too_long", "/changes": "too_short", "/surprise": "unknown_member"}
    answer = client.post(f"{POLICY}/simulate", {"from": "2023-07-01", "through": "2023-06-30", "stages": ["trial", "trial"]})
    assert answer.faults == {"/from": "must_be_before", "/stages/1": "duplicate"}
    wrong = [(NEW_STORES, -1), ("/trial/months", "3"), ("/counting/store_statuses", ["normal", "open"]), ("/nothing/here", 1), ("nothing", 1),
             ("/admission/likes", 1), ("/trial/requires/all/7", {}), ("/a~b", 1)]  # fmt: skip
    body = {**SPAN, "changes": [{"pointer": p, "value": v} for p, v in wrong] + [{"pointer": "/industry"}]}
    assert client.post(f"{POLICY}/simulate", body).faults == {"/changes/8/value": "missing"}
    body["changes"] = body["changes"][:8]
    assert client.post(f"{POLICY}/simulate", body).faults == {
        "/changes/3/pointer": "unknown_member", "/changes/4/pointer": "wrong_format", "/changes/6/pointer": "unknown_member", "/changes/7/pointer": "wrong_format"}  # fmt: skip
    body["changes"] = [c for i, c in enumerate(body["changes"]) if i in (0, 1, 2, 5)]
    assert client.post(f"{POLICY}/simulate", body).faults == {
        "/changes/0/value": "number_out_of_range", "/changes/1/value": "wrong_type", "/changes/2/value/1": "invalid_value", "/changes/3/value": "unknown_member"}  # fmt: skip
    policy = client.get(POLICY).json
    policy["trial"]["months"] = 0
    assert client.post(f"{POLICY}/simulate", {**SPAN, "policy": policy}).faults == {"/policy/trial/months": "number_out_of_range"}
    assert client.post(f"{POLICY}/simulate", {**SPAN, "policy": policy, **change(NEW_STORES, 1)}).faults == {"/changes": "given_twice"}
    assert client.post("/v1/policies/antiques-art@none/simulate", SPAN).status == 404
    assert client.get("/v1/simulations/sim_0/results").status == 404 == client.get("/v1/simulations/sim_0").status


def test_who_may(history, client, keys):
    done = finished(client, simulate(client.with_key(keys["operator"])))
    for role in ("partner", "feed", "auditor"):
        assert client.with_key(keys[role]).post(f"{POLICY}/simulate", SPAN).status == 403
    for role, status in (("operator", 200), ("auditor", 200), ("partner", 403), ("feed", 403)):
        for path in ("", f"/{done['simulation_id']}", f"/{done['simulation_id']}/results"):
            assert client.with_key(keys[role]).get(f"/v1/simulations{path}").status == status


def test_the_database_keeps_what_was_found(history, client, database, cluster):
    finished(client, simulate(client, change(NEW_STORES, 8)))
    for statement in ("update simulation set would_pass = 9", "delete from simulation", "update simulation_result set difference = 'would_fail'",
                      "delete from simulation_result", "truncate simulation_result"):  # fmt: skip
        with pytest.raises(psycopg2.Error):
            cluster.sql(statement, database.name, role="assay")


def test_what_is_not_decided_is_counted_apart(history, client):
    history.advance("2023-10-01")  # the regular periods of ample and exact have ended, without figures
    done = finished(client, simulate(client, {"from": "2023-06-01", "through": "2023-12-31"}))
    assert (done["totals"]["undecided"], done["progress"]["total"]) == (2, 5)


# ---- many ----

MANY = 2000
CROWD = {"from": "2023-06-30", "through": "2023-06-30"}
EXPECTED = {"unchanged": {"met": 0, "not_met": MANY // 2}, "would_pass": 0, "would_fail": MANY // 2, "not_judged": 0, "undecided": 0}


@pytest.fixture
def crowd(new_service):
    """Every other provider has ten stores that meet metric 1; the others have none. All are decided."""
    service = new_service()
    World(service.client()).advance("2023-06-30")
    service.database.sql(BULK.format(n=MANY))
    service.database.sql("analyze")
    service.command("close", "--as-of", "2023-06-30")
    return service


def test_killed_in_its_midst_it_goes_on_from_there(crowd):
    client = crowd.client()
    simulation = simulate(client, {**CROWD, **change(NEW_STORES, 11)})
    hold = psycopg2.connect(crowd.database.cluster.url(crowd.database.name, "postgres"))
    while client.get(f"/v1/simulations/{simulation['simulation_id']}").json["progress"]["done"] == 0:
        time.sleep(0.01)
    with hold.cursor() as cursor:
        cursor.execute("lock table simulation_result in exclusive mode")  # it waits in the middle of a chunk
    crowd.kill()
    hold.rollback()
    hold.close()
    done = crowd.database.sql("select done, total, status from simulation")[0]
    assert 0 < done[0] < done[1] == MANY and done[2] == "running", "not killed in its midst"
    client = crowd.start().client()
    over = finished(client, simulation)
    assert (over["status"], over["totals"], over["progress"]) == ("done", EXPECTED, {"done": MANY, "total": MANY})
    found = results(client, simulation)
    assert len({r["period_id"] for r in found}) == len(found) == MANY // 2


def test_instances_share_them_and_each_is_worked_on_by_one(crowd, new_service):
    other = new_service(database=crowd.database)
    clients = [crowd.client(), other.client(), crowd.client()]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        asked = list(pool.map(lambda c: simulate(c, {**CROWD, **change(NEW_STORES, 11)}), clients))
    for one in asked:
        over = finished(other.client(), one)
        assert (over["status"], over["totals"]) == ("done", EXPECTED)
    assert crowd.database.sql("select count(*), count(distinct (simulation_id, period_id)) from simulation_result")[0] == (3 * MANY // 2,) * 2
