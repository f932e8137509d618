"""What a running period comes to at its present pace, who is at risk, and which figures of which stores a period waits for."""

import pytest

from support.world import World, spread


class Sandbox(World):
    def __init__(self, service):
        super().__init__(service.client())
        self.service = service

    def bind(self, provider, spans):
        """Stores with their spans: {store_id: [(bound_on, unbound_on), ...]}."""
        self.load("stores", [self.store(s) for s in spans])
        self.load("bindings", [self.binding(provider["credit_code"], s, *span) for s, list_ in spans.items() for span in list_])

    def period(self, provider):
        (found,) = [p for p in self.client.all(f"/v1/providers/{provider['provider_id']}/periods")
                    if p["status"] in ("open", "awaiting_data", "scheduled")]
        assert self.client.get(f"/v1/periods/{found['period_id']}").json == found
        return found

    def missing(self, period, **more):
        return self.client.all(f"/v1/periods/{period['period_id']}/missing-days", **more)


@pytest.fixture
def box(new_service):
    made = Sandbox(new_service())
    made.advance("2023-03-20")
    return made


def span(first, last):
    return {"from": first, "through": last}


def test_the_map_of_missing_store_days(box):
    """Which stores, which days: those on which each was bound and that the watermark has not reached. Never failed for them."""
    provider, other = box.admit(), box.admit()
    box.bind(provider, {
        "whole": [("2023-04-03", None)],
        "left": [("2023-04-03", "2023-05-20")],                           # before the watermark: nothing is missing
        "leaves": [("2023-04-03", "2023-06-10")],                         # its last day is June 9th
        "comes": [("2023-06-20", None)],
        "twice": [("2023-04-03", "2023-06-05"), ("2023-06-11", None)],
        "touches": [("2023-04-03", "2023-06-15"), ("2023-06-15", None)],  # one span of days
        "never": [("2023-06-12", "2023-06-12")],                          # of no days
        "after": [("2023-07-01", None)],
    })
    box.bind(other, {"others": [("2023-04-03", None)]})
    box.load("store_days", [], complete_through="2023-05-31")
    box.advance("2023-06-03")
    period = box.period(provider)
    assert period["data"] == {"watermark": "2023-05-31", "missing_days": span("2023-06-01", "2023-06-02"), "missing_store_days": 8}
    assert {m["store_id"] for m in box.missing(period)} == {"whole", "leaves", "twice", "touches"}

    box.advance("2023-07-10")
    period = box.period(provider)
    assert period["status"] == "awaiting_data"
    expected = {
        "comes": (11, [span("2023-06-20", "2023-06-30")]),
        "leaves": (9, [span("2023-06-01", "2023-06-09")]),
        "touches": (30, [span("2023-06-01", "2023-06-30")]),
        "twice": (24, [span("2023-06-01", "2023-06-04"), span("2023-06-11", "2023-06-30")]),
        "whole": (30, [span("2023-06-01", "2023-06-30")]),
    }
    assert box.missing(period) == [{"store_id": s, "store_days": n, "days": d} for s, (n, d) in expected.items()]
    assert box.missing(period, limit=2) == box.missing(period), "page by page"
    total = sum(n for n, _ in expected.values())
    assert period["data"] == {"watermark": "2023-05-31", "missing_days": span("2023-06-01", "2023-06-30"), "missing_store_days": total}
    qualification = box.qualification(provider["provider_id"])
    pending = qualification["data"].pop("progress_pending")
    assert not pending and qualification["data"] == period["data"] and "data" not in qualification["period"]

    run = box.client.post("/v1/assessment-runs", {"as_of": "2023-07-10"}).json
    assert run["outcomes"] == {"met": 0, "not_met": 0, "awaiting_data": 2}
    results = {r["provider_id"]: r for r in box.client.all(f"/v1/assessment-runs/{run['run_id']}/results")}
    mine = results[provider["provider_id"]]
    assert (mine["outcome"], mine["decision_id"]) == ("awaiting_data", None)
    assert (mine["missing_days"], mine["missing_store_days"]) == (span("2023-06-01", "2023-06-30"), total)
    assert box.provider(provider["provider_id"])["status"] == "trial"

    box.load("store_days", [], complete_through="2023-06-29")
    assert [(m["store_id"], m["days"]) for m in box.missing(period)] == [
        (s, [span("2023-06-30", "2023-06-30")]) for s in ("comes", "touches", "twice", "whole")]
    box.load("store_days", [], complete_through="2023-06-30")
    run = box.client.post("/v1/assessment-runs", {"as_of": "2023-07-10"}).json
    assert run["outcomes"] == {"met": 0, "not_met": 2, "awaiting_data": 0}
    assert box.missing(period) == []
    decided = box.client.get(f"/v1/periods/{period['period_id']}").json
    assert (decided["status"], decided["data"], decided["forecast"]) == ("failed", None, None)
    results = box.client.all(f"/v1/assessment-runs/{run['run_id']}/results")
    assert all(r["missing_days"] is None and r["missing_store_days"] is None for r in results)
    assert box.client.get("/v1/periods/prd_00/missing-days").status == 404


def test_no_figures_at_all(box):
    """Without a watermark every day since the start is missing; a period that has not begun misses none."""
    provider = box.admit()
    box.bind(provider, {"a": [("2023-03-01", None)]})
    box.advance("2023-03-31")
    period = box.period(provider)
    assert (period["status"], period["data"], period["forecast"], box.missing(period)) == ("scheduled", None, None, [])
    box.advance("2023-04-01")
    period = box.period(provider)
    assert period["data"] == {"watermark": None, "missing_days": None, "missing_store_days": 0}, "yesterday was not of the period"
    box.advance("2023-04-03")
    period = box.period(provider)
    assert period["data"] == {"watermark": None, "missing_days": span("2023-04-01", "2023-04-02"), "missing_store_days": 2}


def test_the_forecast(box):
    """On May 15th, 45 of the 91 days have passed: 5 x 91 / 45 = 10.1 new stores; 2,000,000 fen go on to 4,044,444."""
    provider = box.admit()
    ids = [f"f-{i}" for i in range(5)]
    box.bind(provider, {s: [("2023-04-03", None)] for s in ids})
    rows = spread(ids[0], "2023-04-03", "2023-04-30", 9000, 1_000_000) + spread(ids[0], "2023-05-01", "2023-05-15", 5000, 1_000_000)
    box.load("exam_passes", [{"credit_code": provider["credit_code"], "person_id": f"p{i}", "passed_on": "2023-04-10"} for i in range(2)])
    box.load("store_days", rows, complete_through="2023-05-15")
    box.advance("2023-05-16")
    forecast = box.period(provider)["forecast"]
    assert (forecast["as_of"], forecast["policy"]) == ("2023-05-15", "antiques-art@2023-04-26")
    told = [(c["measure"], c["alternative"], c["month"], c["by"], c["needed"], c["projected"], c["missing"], c["met"], c["missing_bps"])
            for c in forecast["criteria"]]
    assert told == [
        ("new_stores", "metric_1", None, "2023-06-30", 10, 10, 5, True, 0),
        ("new_store_gmv_fen", "metric_1", None, "2023-06-30", 5_000_000, 4_044_444, 3_000_000, False, 1912),
        ("new_stores", "metric_2", None, "2023-06-30", 10, 10, 5, True, 0),
        ("first_month_orders", "metric_2", None, "2023-04-30", 10_000, 9000, 1000, False, 1000),
        ("monthly_order_growth", "metric_2", "2023-05", "2023-05-31", 9900, 10_333, 4900, None, 0),
        ("exam_passes", None, None, "2023-06-30", 2, 2, 0, True, 0)]
    assert (forecast["met"], forecast["missing_bps"]) == (False, 1000), "metric 2 is less far off"
    assert box.qualification(provider["provider_id"])["period"]["forecast"] == forecast

    box.load("store_days", spread(ids[1], "2023-05-01", "2023-05-15", 0, 500_000))
    forecast = box.period(provider)["forecast"]
    assert (forecast["met"], forecast["missing_bps"]) == (True, 0), "by metric 1: 5,055,555 fen"
    assert box.client.all("/v1/at-risk") == []


def test_who_is_at_risk(box):
    """By how far off, furthest first or last, page by page; of a region, an industry, a stage; nobody whose pace suffices."""
    regions = {"a": "420000", "b": "420100", "c": "440000", "d": "420106", "e": "420000"}
    providers = {n: box.admit(region=r) for n, r in regions.items()}
    stores = {"a": 1, "b": 5, "c": 3, "d": 3, "e": 10}
    for name, count in stores.items():
        box.load("stores", [box.store(f"{name}-{i}", registered_region="440106" if name == "c" else "420106", ship_from_regions=[])
                            for i in range(count)])
        box.load("bindings", [box.binding(providers[name]["credit_code"], f"{name}-{i}", "2023-04-01") for i in range(count)])
        box.load("exam_passes", [{"credit_code": providers[name]["credit_code"], "person_id": f"p{i}", "passed_on": "2023-04-10"}
                                 for i in range(2)])
    rows = [row for name, count in stores.items() for i in range(count) for row in spread(f"{name}-{i}", "2023-04-01", "2023-06-20", 0, 5_000_000)]
    box.load("store_days", rows, complete_through="2023-06-20")
    box.advance("2023-06-21")
    for name in providers:
        box.period(providers[name])  # as of now
    by_id = {p["provider_id"]: n for n, p in providers.items()}

    def names(**query):
        return [by_id[one["provider_id"]] for one in box.client.all("/v1/at-risk", query, limit=2)]

    # 81 of 91 days: 1, 3 and 5 stores go on to 1, 3 and 5 of 10
    tied = sorted("cd", key=lambda n: box.period(providers[n])["period_id"], reverse=True)
    assert names() == ["a", *tied, "b"] == names(order="furthest")
    assert names(order="nearest") == ["b", *reversed(tied), "a"]
    assert names(region="420000") == ["a", "d", "b"] and names(region="440000") == ["c"] and names(region="420106") == ["d"]
    assert names(stage="regular") == [] and names(industry="jade") == [] and names(industry="antiques_art", stage="trial")[0] == "a"
    first = box.client.get("/v1/at-risk", query={"limit": 1}).json["data"][0]
    assert (first["missing_bps"], first["stage"], first["status"], first["region"]) == (9000, "trial", "trial", "420000")
    assert first["forecast"] == box.period(providers["a"])["forecast"] and first["period_id"] == box.period(providers["a"])["period_id"]
    refused = box.client.get("/v1/at-risk", query={"order": "up", "region": "42", "stage": "final", "industry": "A"}, check=False)
    assert refused.faults == {"order": "invalid_value", "region": "wrong_format", "stage": "invalid_value", "industry": "wrong_format"}
    partner = box.client.with_key(box.service.new_key("partner", providers["a"]["provider_id"]))
    assert partner.get("/v1/at-risk").status == 403

    box.advance("2023-07-02")  # ended, and not decided: still at risk
    assert names()[0] == "a"
    box.load("store_days", [], complete_through="2023-06-30")
    box.client.post("/v1/assessment-runs", {"as_of": "2023-06-30"})
    assert names(stage="trial") == [] and box.provider(providers["e"]["provider_id"])["status"] == "certified"
