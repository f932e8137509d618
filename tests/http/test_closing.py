"""Closing: the rule's story through the API, runs, early conversion, decisions and their evidence."""

import concurrent.futures
import hashlib
import json
import time

import pytest

from support.world import World, spread

MONTHS = [("2023-04-03", "2023-04-30"), ("2023-05-01", "2023-05-31"), ("2023-06-01", "2023-06-30")]
GMV_FEN = 500_000  # a store and a period: ten of them are exactly what metric 1 asks for


def stores_of(provider, first, count=10):
    return [f"{provider['provider_id'][-10:]}-{first}-{i}" for i in range(count)]


class Story(World):
    """A sandbox whose providers live through 2023."""

    def begin(self):
        self.advance("2023-03-20")
        return self

    def bind_new(self, provider, bound_on, count=10, **over):
        """Ten fresh stores, bound from that day."""
        ids = stores_of(provider, bound_on, count)
        self.load("stores", [self.store(s, **over) for s in ids])
        self.load("bindings", [self.binding(provider["credit_code"], s, bound_on) for s in ids])
        return ids

    def facts(self, stores, months, orders, gmv_fen=GMV_FEN, complete_through=None):
        """Totals of each store a month: orders[k] of all stores together, the store's GMV spread over the months."""
        rows = []
        for k, (first, last) in enumerate(months):
            for i, store in enumerate(stores):
                share = orders[k] * (i + 1) // len(stores) - orders[k] * i // len(stores)
                money = gmv_fen * (k + 1) // len(months) - gmv_fen * k // len(months)
                rows += spread(store, first, last, share, money)
        return self.load("store_days", rows, complete_through=complete_through)

    def exams(self, provider, count=2, on="2023-04-10"):
        self.load("exam_passes", [{"credit_code": provider["credit_code"], "person_id": f"p{i}", "passed_on": on} for i in range(count)])

    def trial(self, orders=(10000, 11000, 12100), gmv_fen=GMV_FEN, stores=10, exams=2, complete_through="2023-06-30"):
        """A provider whose trial is 2023-04 to 06, with these figures. Today is 2023-04-01 after it."""
        provider = self.admit()
        ids = self.bind_new(provider, "2023-04-03", stores)
        self.facts(ids, MONTHS, orders, gmv_fen, complete_through)
        self.exams(provider, exams)
        return {**provider, "stores": ids}

    def periods(self, provider):
        return self.client.all(f"/v1/providers/{provider['provider_id']}/periods")

    def decisions(self, provider):
        return self.client.all("/v1/decisions", {"provider_id": provider["provider_id"]})

    def run(self, as_of, dry_run=False, **more):
        answer = self.client.post("/v1/assessment-runs", {"as_of": as_of, "dry_run": dry_run}, **more)
        assert answer.status == 201, answer
        return answer.json

    def results(self, run, **query):
        return self.client.all(f"/v1/assessment-runs/{run['run_id']}/results", query)


@pytest.fixture
def story(new_service):
    service = new_service()
    made = Story(service.client()).begin()
    made.service = service
    return made


def measures(decision):
    return decision["document"]["policies"][0]["measures"]


def test_the_story_from_trial_to_revocation(story):
    """Worked case 1, on to a regular period that passes and one that fails (3.2, 3.3, 5)."""
    provider = story.trial(orders=(10000, 11000, 12099))  # metric 2 misses by one order: metric 1 decides
    story.advance("2023-04-01")
    assert story.provider(provider["provider_id"])["status"] == "trial"

    story.advance("2023-06-30")
    assert story.provider(provider["provider_id"])["status"] == "trial", "the period's last day is not over yet"
    story.advance("2023-07-01")
    now = story.provider(provider["provider_id"])
    assert (now["status"], now["since"]) == ("certified", "2023-07-01")

    second = story.bind_new(provider, "2023-07-05")
    july_on = [("2023-07-01", "2023-07-31"), ("2023-08-01", "2023-08-31"), ("2023-09-01", "2023-09-30")]
    story.facts(second, july_on, (100, 100, 100), complete_through="2023-12-31")
    story.advance("2023-10-01")
    story.advance("2024-01-01")
    now = story.provider(provider["provider_id"])
    assert (now["status"], now["since"]) == ("revoked", "2024-01-01")
    assert (now["revoked_on"], now["reapply_from"]) == ("2024-01-01", "2024-06-29"), "180 days (5)"

    periods = sorted(story.periods(provider), key=lambda p: p["start"])
    assert [(p["stage"], p["number"], p["start"], p["end"], p["status"]) for p in periods] == [
        ("trial", 1, "2023-04-01", "2023-06-30", "passed"),
        ("regular", 1, "2023-07-01", "2023-09-30", "passed"),
        ("regular", 2, "2023-10-01", "2023-12-31", "failed")]
    made = [story.client.get(f"/v1/decisions/{p['decision_id']}").json for p in periods]
    assert [d["outcome"] for d in made] == ["met", "met", "not_met"]
    assert measures(made[0]) == {"new_stores": 10, "new_store_gmv_fen": 5_000_000, "monthly_orders": [10000, 11000, 12099],
                                 "exam_passes": 2}
    assert measures(made[1])["new_stores"] == 10, "only what began in the period is new (3.4)"
    assert measures(made[2])["new_stores"] == 0
    assert all(d["document"]["final"] for d in made)
    assert story.client.get(f"/v1/providers/{provider['provider_id']}/qualification").json["qualified"] is False


@pytest.mark.parametrize("figures, outcome", [
    ({}, "met"),                                                        # metrics 1 and 2
    ({"gmv_fen": GMV_FEN - 1}, "met"),                                  # metric 2 alone, growth met exactly
    ({"gmv_fen": GMV_FEN - 1, "orders": (10000, 11000, 12099)}, "not_met"),
    ({"orders": (0, 0, 0)}, "met"),                                     # metric 1 alone
    ({"stores": 9, "gmv_fen": 10 * GMV_FEN}, "not_met"),
    ({"exams": 1}, "not_met"),
])
def test_thresholds_of_a_trial(story, figures, outcome):
    provider = story.trial(**figures)
    story.advance("2023-07-01")
    assert [d["outcome"] for d in story.decisions(provider)] == [outcome]
    assert story.provider(provider["provider_id"])["status"] == ("certified" if outcome == "met" else "trial_failed")


def test_no_figures_is_no_failure(story):
    """Figures that are incomplete make it wait, with the missing days; never fail. They come, and it is decided."""
    provider = story.trial(complete_through="2023-05-15")
    story.advance("2023-07-10")
    assert [p["status"] for p in story.periods(provider)] == ["awaiting_data"]
    assert story.provider(provider["provider_id"])["status"] == "trial"
    run = story.run("2023-07-10")
    assert (run["status"], run["progress"], run["outcomes"]) == (
        "done", {"done": 1, "total": 1}, {"met": 0, "not_met": 0, "awaiting_data": 1})
    (result,) = story.results(run)
    assert (result["outcome"], result["decision_id"], result["example"]) == ("awaiting_data", None, True)
    assert result["missing_days"] == {"from": "2023-05-16", "through": "2023-06-30"}

    story.load("store_days", [], complete_through="2023-06-30")
    run = story.run("2023-07-10")
    assert run["outcomes"] == {"met": 1, "not_met": 0, "awaiting_data": 0}
    assert story.results(run, outcome="awaiting_data") == []
    (result,) = story.results(run, outcome="met")
    decision = story.client.get(f"/v1/decisions/{result['decision_id']}").json
    assert (decision["run_id"], decision["decided_on"]) == (run["run_id"], "2023-07-10")
    assert story.provider(provider["provider_id"])["since"] == "2023-07-01", "from the day after the period, whenever decided"
    assert [(p["start"], p["status"]) for p in story.periods(provider) if p["stage"] == "regular"] == [("2023-07-01", "open")]


def test_dry_runs_decide_nothing(story):
    provider = story.trial()
    story.advance("2023-06-30")
    events = len(story.service.database.sql("select 1 from event"))
    run = story.run("2023-06-30", query={"dry_run": "true"})
    assert (run["status"], run["progress"]["total"]) == ("queued", 1)
    assert story.client.get(f"/v1/assessment-runs/{run['run_id']}").status == 404, "?dry_run=true stores nothing at all"
    assert len(story.service.database.sql("select 1 from event")) == events

    run = story.run("2023-06-30", dry_run=True)
    assert (run["dry_run"], run["status"], run["outcomes"]["met"]) == (True, "done", 1)
    (result,) = story.results(run)
    assert (result["outcome"], result["decision_id"]) == ("met", None)
    assert story.decisions(provider) == [] and story.provider(provider["provider_id"])["status"] == "trial"

    run = story.run("2023-06-30")
    assert run["outcomes"]["met"] == 1, "ended on as_of: closed"
    assert [(p["status"], p["start"]) for p in story.periods(provider) if p["stage"] == "regular"] == [("scheduled", "2023-07-01")]
    story.advance("2023-07-01")
    assert [p["status"] for p in story.periods(provider) if p["stage"] == "regular"] == ["open"]


def test_runs_are_listed_found_and_checked(story):
    story.trial()
    story.advance("2023-07-05")
    runs = [story.run(d) for d in ("2023-05-31", "2023-06-30", "2023-07-05")]
    assert [r["run_id"] for r in story.client.all("/v1/assessment-runs", limit=2)] == [r["run_id"] for r in reversed(runs)]
    assert story.client.all("/v1/assessment-runs", {"status": "failed"}) == []
    assert story.client.get(f"/v1/assessment-runs/{runs[0]['run_id']}").json == runs[0]
    refused = story.client.post("/v1/assessment-runs", {"as_of": "2023-07-06"})
    assert (refused.status, refused.faults) == (422, {"/as_of": "day_in_future"})
    refused = story.client.post("/v1/assessment-runs", {"as_of": "2023-02-30", "dry_run": 1, "more": 1}, check=False)
    assert refused.faults == {"/as_of": "invalid_day", "/dry_run": "wrong_type", "/more": "unknown_member"}
    assert story.client.get("/v1/assessment-runs/run_00").status == 404
    assert story.client.get("/v1/assessment-runs/run_00/results").status == 404
    assert story.client.get("/v1/assessment-runs", query={"status": "gone"}, check=False).status == 422


def test_a_run_is_answered_once_under_its_key(story):
    story.trial()
    story.advance("2023-06-30")
    first = story.client.post("/v1/assessment-runs", {"as_of": "2023-06-30"}, idempotency_key="close-june")
    again = story.client.post("/v1/assessment-runs", {"as_of": "2023-06-30"}, idempotency_key="close-june")
    assert (again.status, again.body, again.headers["Location"]) == (201, first.body, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(story.client.all("/v1/assessment-runs")) == 1
    other = story.client.post("/v1/assessment-runs", {"as_of": "2023-05-31"}, idempotency_key="close-june")
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_many_closings_at_once_decide_each_period_once(story, new_service):
    """Two instances, several runs each, on one database."""
    providers = [story.trial(orders=(100, 100, 100), complete_through=None) for _ in range(12)]
    story.load("store_days", [], complete_through="2023-06-30")
    story.advance("2023-06-30")
    other = Story(new_service(database=story.service.database).client())
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        runs = list(pool.map(lambda i: (story, other)[i % 2].run("2023-06-30"), range(6)))
    assert all(r["status"] == "done" for r in runs)
    assert sum(r["outcomes"]["met"] for r in runs) == len(providers)
    for provider in providers:
        assert len(story.decisions(provider)) == 1
        assert sorted(p["status"] for p in story.periods(provider)) == ["passed", "scheduled"]
    assert story.service.command("verify")


def test_killed_at_any_moment_it_resumes(story):
    """kill -9 while runs are under way, again and again: everything is decided once, with the bytes it would have had."""
    providers = [story.trial(orders=(100, 100, 100), complete_through=None) for _ in range(8)]
    story.load("store_days", [], complete_through="2023-06-30")
    story.advance("2023-06-30")
    dry = story.run("2023-06-30", dry_run=True)
    for pause in (0.0, 0.005, 0.02, 0.05):
        client = story.service.client()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.post, "/v1/assessment-runs", {"as_of": "2023-06-30"})
            time.sleep(pause)
            story.service.kill()
            assert asked.exception() or asked.result().status in (201, 503)
        story.service.start()
        story.client = story.service.client()
    story.run("2023-06-30")
    assert story.client.get(f"/v1/assessment-runs/{dry['run_id']}").json == dry, "what was finished stays as it was"
    for provider in providers:
        (decision,) = story.decisions(provider)
        assert decision["outcome"] == "met"
        assert sorted(p["status"] for p in story.periods(provider)) == ["passed", "scheduled"]
    sql = story.service.database.sql
    assert sql("select count(*) from event where type = 'provider.certified'") == [(len(providers),)]
    assert sql("select count(*) from event where type = 'decision.made'") == [(len(providers),)]
    give_up = time.monotonic() + 30
    while sql("select 1 from assessment_run where status in ('queued', 'running')") and time.monotonic() < give_up:
        time.sleep(0.2)
    assert all(r["status"] == "done" for r in story.client.all("/v1/assessment-runs"))
    assert "WRONG" not in story.service.command("verify")


def test_early_conversion(story):
    """3.2: granted as of the watermark; the trial ends that day and the regular periods begin on the next 1st."""
    provider = story.trial(complete_through=None)
    url = f"/v1/providers/{provider['provider_id']}/early-conversion"
    refused = story.client.post(url)
    assert (refused.status, refused.code) == (409, "wrong_state"), "the trial has not begun"
    story.advance("2023-04-20")
    refused = story.client.post(url)
    assert (refused.status, refused.code) == (409, "no_watermark")

    story.load("store_days", [], complete_through="2023-04-18")
    refused = story.client.post(url, idempotency_key="early-1")
    assert (refused.status, refused.code) == (409, "not_met")
    assert refused.json["evaluation"]["as_of"] == "2023-04-18"
    assert refused.json["evaluation"]["policies"][0]["measures"]["new_stores"] == 10

    story.load("store_days", [], complete_through="2023-06-30")
    story.advance("2023-06-20")
    again = story.client.post(url, idempotency_key="early-1")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (refused.body, "true")
    dry = story.client.post(url, query={"dry_run": "true"})
    assert dry.status == 409, "not on the figures of June 20th"
    early = story.client.post(url)
    assert early.code == "not_met" and early.json["evaluation"]["as_of"] == "2023-06-20", "today, when the figures go further"


def test_early_conversion_granted(story):
    provider = story.trial(gmv_fen=10 * GMV_FEN, complete_through="2023-05-10")
    story.advance("2023-05-12")
    url = f"/v1/providers/{provider['provider_id']}/early-conversion"
    dry = story.client.post(url, query={"dry_run": "true"})
    assert dry.status == 201 and story.decisions(provider) == []
    granted = story.client.post(url, {"note": "asked by phone"}, idempotency_key="now")
    assert granted.status == 201, granted
    decision = granted.json
    assert granted.headers["Location"] == f"/v1/decisions/{decision['decision_id']}"
    (made,) = story.client.all("/v1/audit", {"subject": decision["decision_id"]})
    assert (made["action"], made["after"]["note"]) == ("decision.made", "asked by phone")
    assert (decision["outcome"], decision["decided_on"], decision["document"]["as_of"]) == ("met", "2023-05-12", "2023-05-10")
    assert decision["document"]["final"] is False
    now = story.provider(provider["provider_id"])
    assert (now["status"], now["since"]) == ("certified", "2023-05-12")
    trial, regular = sorted(story.periods(provider), key=lambda p: p["start"])
    assert (trial["status"], trial["end"], trial["scheduled_end"]) == ("converted", "2023-05-12", "2023-06-30")
    assert trial["decision_id"] == decision["decision_id"]
    assert (regular["start"], regular["end"], regular["status"]) == ("2023-06-01", "2023-08-31", "scheduled")
    assert story.client.post(url, {"note": "asked by phone"}, idempotency_key="now").body == granted.body
    assert story.client.post(url).code == "wrong_state"
    story.advance("2023-06-01")
    assert [p["status"] for p in story.periods(provider) if p["stage"] == "regular"] == ["open"]


def test_early_conversion_asked_twice_at_once(story):
    provider = story.trial(gmv_fen=10 * GMV_FEN, complete_through="2023-05-10")
    story.advance("2023-05-12")
    url = f"/v1/providers/{provider['provider_id']}/early-conversion"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: story.client.post(url), range(4)))
    assert sorted(a.status for a in answers) == [201, 409, 409, 409]
    assert {a.code for a in answers if a.status == 409} == {"wrong_state"}
    assert len(story.decisions(provider)) == 1


def test_early_conversion_is_not_for_others(story):
    provider = story.trial(gmv_fen=10 * GMV_FEN, complete_through="2023-05-10")
    stranger = story.admit()
    story.advance("2023-05-12")
    own = story.client.with_key(story.service.new_key("partner", provider["provider_id"]))
    other = story.client.with_key(story.service.new_key("partner", stranger["provider_id"]))
    url = f"/v1/providers/{provider['provider_id']}/early-conversion"
    assert other.post(url).status == 404
    assert story.client.post("/v1/providers/prv_00/early-conversion").status == 404
    decision = own.post(url).json["decision_id"]
    assert own.get(f"/v1/decisions/{decision}").status == 200
    for path in ("", "/evidence"):
        assert other.get(f"/v1/decisions/{decision}{path}").status == 404
    assert other.post(f"/v1/decisions/{decision}/replay").status == 404
    assert [d["decision_id"] for d in own.all("/v1/decisions")] == [decision]
    assert other.all("/v1/decisions") == []
    assert other.all("/v1/decisions", {"provider_id": provider["provider_id"]}) == []
    period = own.get(f"/v1/decisions/{decision}").json["period_id"]
    assert [d["decision_id"] for d in own.all("/v1/decisions", {"period_id": period})] == [decision]
    assert other.all("/v1/decisions", {"period_id": period}) == []


def test_decisions_are_listed(story):
    met, not_met = story.trial(), story.trial(exams=0)
    story.advance("2023-07-01")
    ids = [d["decision_id"] for d in story.client.all("/v1/decisions", limit=1)]
    assert ids == sorted(ids, reverse=True) and len(ids) == 2
    assert [d["provider_id"] for d in story.client.all("/v1/decisions", {"outcome": "met"})] == [met["provider_id"]]
    assert [d["outcome"] for d in story.decisions(not_met)] == ["not_met"]
    period = story.periods(met)[-1]["period_id"]
    assert [d["period_id"] for d in story.client.all("/v1/decisions", {"period_id": period})] == [period]
    assert story.client.all("/v1/decisions", {"period_id": period, "provider_id": not_met["provider_id"]}) == []


def test_the_stores_that_count_are_those_of_the_rule(story):
    """Why a store did not count, in the decision; a store that nothing is known of; another provider's binding does not matter (D)."""
    provider, other = story.trial(stores=10), story.admit()
    extra = {"far": {"registered_region": "440106", "ship_from_regions": ["440100"]}, "wrong": {"industry": "books", "category": "books"},
             "shut": {"status": "closed"}, "left": {}, "old": {}, "shared": {}}
    story.load("stores", [story.store(s, **over) for s, over in extra.items()] + [story.store("late", valid_from="2023-08-01")])
    code = provider["credit_code"]
    story.load("bindings", [story.binding(code, s, "2023-04-15") for s in ("far", "wrong", "shut", "shared", "late")]
               + [story.binding(code, "left", "2023-04-15", "2023-06-30"), story.binding(code, "old", "2023-01-10", "2023-04-05"),
                  story.binding(code, "old", "2023-05-01"), story.binding(other["credit_code"], "shared", "2023-01-01", "2023-04-01")])
    story.advance("2023-07-01")
    (summary,) = story.decisions(provider)
    decision = story.client.get(f"/v1/decisions/{summary['decision_id']}").json
    reasons = {s["store_id"]: s["reason"] for s in decision["document"]["policies"][0]["stores"]}
    assert {s: reasons[s] for s in [*extra, "late"]} == {
        "far": "region_mismatch", "wrong": "category_mismatch", "shut": "status_not_normal", "left": "not_bound_at_evaluation",
        "old": "repeat_binding", "shared": None, "late": "category_mismatch"}
    assert measures(decision)["new_stores"] == 11


def test_the_command_line_closes(story):
    providers = [story.trial(), story.trial(exams=0)]
    story.advance("2023-06-30")
    refused = story.service.command("close", "--as-of", "2023-07-01", ok=None)
    assert refused.returncode == 1 and "after today" in refused.stderr
    assert story.service.command("close", "--as-of", "yesterday", ok=None).returncode == 2
    dry = story.service.command("close", "--as-of", "2023-06-30", "--dry-run", ok=None)
    assert dry.returncode == 0 and "1 met, 1 not met, 0 awaiting data" in dry.stderr
    assert all(story.decisions(p) == [] for p in providers)
    lines = story.service.command("close", "--as-of", "2023-06-30").splitlines()
    assert sorted(line.split("\t")[6] for line in lines) == ["met", "not_met"]
    assert {line.split("\t")[7] for line in lines} == {story.decisions(p)[0]["decision_id"] for p in providers}
    out = story.service.command("verify")
    assert "2 decisions replay" in out and "WRONG" not in out


def test_verify_finds_what_is_wrong(story):
    provider = story.trial()
    story.advance("2023-07-01")
    sql = story.service.database.sql
    story.service.database.decisions_falsified = True
    sql("alter table decision disable trigger append_only")
    sql("update decision set document = replace(document, '\"new_stores\":10', '\"new_stores\":11')")
    sql(f"update provider set balance_fen = balance_fen + 1 where provider_id = '{provider['provider_id']}'")
    sql("delete from lifecycle_transition where from_status = 'revoked' and to_status = 'applied'")
    out = story.service.command("verify", ok=False)
    assert out.count("WRONG") == 3
    assert "evaluates to another document" in out and "not the sum of its entries" in out and "same number of moves" in out
