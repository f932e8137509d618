"""A provider's life through HTTP, status by status: what its qualification says, which days everything falls on."""

import datetime

import pytest

from support.world import World, spread

QUARTER = 50_000_00  # fen, what metric 1 asks for


def last_day(month_start, months):
    day = datetime.date.fromisoformat(month_start)
    for _ in range(months):
        day = (day.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    return (day - datetime.timedelta(days=1)).isoformat()


def day_after(day, n=1):
    return (datetime.date.fromisoformat(day) + datetime.timedelta(days=n)).isoformat()


class Life(World):
    """One provider in a sandbox of its own."""

    def born(self, day):
        self.advance(day)
        self.made = self.register()
        self.id = self.made["provider_id"]
        self.code = self.made["credit_code"]
        self.bound = 0
        return self

    @property
    def status(self):
        return self.provider(self.id)["status"]

    def said(self):
        """The qualification, whose status always is the provider's."""
        q = self.qualification(self.id)
        assert (q["status"], q["since"]) == tuple(self.provider(self.id)[k] for k in ("status", "since"))
        assert q["qualified"] == (q["status"] == "certified")
        return q

    def reasons(self):
        return [r["code"] for r in self.said()["reasons"]]

    def events(self):
        return [(e["code"], e["on"]) for e in self.said()["next_events"]]

    def periods(self):
        return sorted((p["stage"], p["number"], p["start"], p["end"], p["status"]) for p in self.client.all(f"/v1/providers/{self.id}/periods"))

    def entered(self):
        """Applied, approved and paid, all today."""
        self.approve(self.apply(self.id)["application_id"])
        self.pay(self.id)
        return self

    def stores(self, first, last, gmv_fen=QUARTER, count=10, complete=True):
        """New stores for a period, that bring in gmv_fen together; the figures are complete through its end."""
        ids = [f"life-{self.id[-6:]}-{self.bound + i}" for i in range(count)]
        self.bound += count
        self.load("stores", [self.store(s) for s in ids])
        self.load("bindings", [self.binding(self.code, s, first) for s in ids])
        rows = [r for i, s in enumerate(ids) for r in spread(s, first, last, 3, gmv_fen * (i + 1) // count - gmv_fen * i // count)]
        self.load("store_days", rows, complete_through=last if complete else None)

    def exams(self, on):
        self.load("exam_passes", [{"credit_code": self.code, "person_id": p, "passed_on": on} for p in ("p1", "p2")])


@pytest.fixture
def life(new_service):
    service = new_service()
    made = Life(service.client())
    made.service = service
    return made


def test_a_whole_life(life):
    """registered, applied, admitted, trial, certified, revoked after a failed period, applied again after 180 days."""
    life.born("2023-03-10")
    assert life.reasons() == ["not_applied"]
    application = life.apply(life.id)
    assert (life.status, life.reasons()) == ("applied", ["under_review"])
    life.approve(application["application_id"])
    assert (life.status, life.reasons()) == ("admitted", ["trial_not_begun", "deposit_short"])
    assert "deposit_short" in [r["code"] for r in life.said()["requirements"]["currently_due"]]
    life.pay(life.id, 1999999)
    assert life.said()["deposit"]["shortfall_fen"] == 1 and life.periods() == []
    life.pay(life.id, 1)
    assert life.said()["deposit"]["shortfall_fen"] == 0
    assert life.periods() == [("trial", 1, "2023-04-01", "2023-06-30", "scheduled")]
    assert life.events() == [("trial_begins", "2023-04-01")]

    life.advance("2023-03-31")
    assert life.status == "admitted"
    life.advance("2023-04-01")
    assert (life.status, life.said()["since"], life.reasons()) == ("trial", "2023-04-01", ["trial_running"])
    assert life.events() == [("trial_failed", "2023-07-01")], "if nothing changes"
    life.stores("2023-04-03", "2023-06-30")
    life.advance("2023-05-01")
    due = [(r["what"], r["missing"]) for r in life.said()["requirements"]["eventually_due"] if r["alternative"] is None]
    assert due == [("exam_passes", 2)]
    life.exams("2023-05-02")
    life.advance("2023-06-30")
    assert life.status == "trial" and ("certified", "2023-07-01") in life.events()

    life.advance("2023-07-01")
    assert (life.status, life.said()["since"], life.reasons()) == ("certified", "2023-07-01", ["certified"])
    assert life.periods()[0] == ("regular", 1, "2023-07-01", "2023-09-30", "open")
    life.stores("2023-07-10", "2023-09-30")
    life.advance("2023-10-01")
    assert life.periods()[:2] == [("regular", 1, "2023-07-01", "2023-09-30", "passed"), ("regular", 2, "2023-10-01", "2023-12-31", "open")]
    life.stores("2023-10-10", "2023-12-31", gmv_fen=QUARTER - 1)

    life.advance("2024-01-01")
    assert (life.status, life.said()["since"], life.reasons()[0]) == ("revoked", "2024-01-01", "certification_cancelled")
    assert life.periods()[1] == ("regular", 2, "2023-10-01", "2023-12-31", "failed")
    assert life.provider(life.id)["revoked_on"] == "2024-01-01"
    back = day_after("2024-01-01", 180)
    assert back == "2024-06-29" == life.said()["reapply_from"] == life.provider(life.id)["reapply_from"]
    assert ("application_possible", back) in life.events()

    for day in ("2024-01-01", day_after("2024-01-01", 179)):
        life.advance(day)
        refused = life.client.post(f"/v1/providers/{life.id}/applications", {"documents": life.documents()})
        assert (refused.status, refused.code) == (409, "admission_refused"), (day, refused)
        cooldown = next(c for c in refused.json["checks"] if c["code"] == "cooldown")
        assert (cooldown["met"], cooldown["clause"]) == (False, "5") and back in cooldown["detail"]
    life.advance(back)
    again = life.apply(life.id)
    assert life.status == "applied"
    life.approve(again["application_id"])
    assert life.provider(life.id)["reapply_from"] is None
    # The deposit is still there: the trial begins on the next 1st.
    assert ("trial", 1, "2024-07-01", "2024-09-30", "scheduled") in life.periods()
    life.advance("2024-07-01")
    assert life.status == "trial"
    assert [r[1] for r in life.service.database.sql(f"select seq, status from provider_status where provider_id = '{life.id}' order by seq")] == [
        "registered", "applied", "admitted", "trial", "certified", "revoked", "applied", "admitted", "trial"]


def test_a_trial_that_fails_may_apply_at_once(life):
    life.born("2023-03-10").entered()
    life.load("store_days", [], complete_through="2023-06-30")
    life.advance("2023-07-01")
    assert (life.status, life.said()["since"]) == ("trial_failed", "2023-07-01")
    assert life.reasons()[0] == "trial_not_met"
    assert (life.provider(life.id)["reapply_from"], life.provider(life.id)["revoked_on"]) == (None, None)
    life.approve(life.apply(life.id)["application_id"])
    assert life.status == "trial", "paid long ago, approved on a 1st: it begins at once"
    assert life.periods()[1] == ("trial", 1, "2023-07-01", "2023-09-30", "open")


def test_figures_late(life):
    """Ended, and the platform's figures are not there: it waits, and keeps its status."""
    life.born("2023-03-10").entered()
    life.advance("2023-08-15")
    assert life.periods() == [("trial", 1, "2023-04-01", "2023-06-30", "awaiting_data")]
    assert life.status == "trial" and life.said()["data"]["watermark"] is None
    life.stores("2023-04-01", "2023-06-30")
    life.exams("2023-06-30")
    run = life.client.post("/v1/assessment-runs", {"as_of": "2023-08-15"})
    assert run.status == 201
    assert (life.status, life.said()["since"]) == ("certified", "2023-07-01")
    assert life.periods()[0] == ("regular", 1, "2023-07-01", "2023-09-30", "open")


@pytest.mark.parametrize("today, start", [
    ("2023-03-31", "2023-04-01"), ("2023-04-01", "2023-04-01"), ("2023-04-02", "2023-05-01"), ("2023-01-31", "2023-02-01"), ("2023-12-31", "2024-01-01"),
    ("2023-12-02", "2024-01-01"), ("2024-02-29", "2024-03-01"), ("2023-02-28", "2023-03-01"), ("2023-11-30", "2023-12-01"),
])  # fmt: skip
def test_the_trial_begins_on_the_first_1st(life, today, start):
    life.born(today).entered()
    assert life.periods() == [("trial", 1, start, last_day(start, 3), "open" if today == start else "scheduled")]
    assert life.status == ("trial" if today == start else "admitted")
    life.advance(start)
    assert (life.status, life.said()["since"]) == ("trial", start)


@pytest.mark.parametrize("approved, paid, effective, start", [
    ("2023-03-31", "2023-04-01", None, "2023-04-01"),          # paid on the 1st: at once
    ("2023-03-31", "2023-04-02", None, "2023-05-01"),          # a day late: a month later
    ("2023-03-31", "2023-04-10", "2023-04-01", "2023-04-01"),  # recorded late, had been there on the 1st
    ("2023-03-31", "2023-04-10", "2023-03-20", "2023-04-01"),  # paid before it was approved
    ("2023-04-02", "2023-04-02", "2023-03-20", "2023-05-01"),  # approved after the 1st
    ("2023-04-01", "2023-06-20", "2023-05-02", "2023-06-01"),  # begun already when it is recorded
])  # fmt: skip
def test_approval_and_deposit_both(life, approved, paid, effective, start):
    life.born("2023-03-01")
    application = life.apply(life.id)
    life.advance(approved)
    life.approve(application["application_id"])
    assert life.periods() == []
    life.advance(paid)
    life.pay(life.id, **({"effective_on": effective} if effective else {}))
    assert [p[2] for p in life.periods()] == [start]
    assert life.status == ("trial" if start <= paid else "admitted")


def test_an_earlier_day_posted_later_moves_a_trial_that_has_not_begun(life):
    life.born("2023-03-01")
    life.approve(life.apply(life.id)["application_id"])
    life.advance("2023-04-10")
    life.pay(life.id, 2000000)
    assert [p[2] for p in life.periods()] == ["2023-05-01"]
    life.pay(life.id, 2000000, effective_on="2023-03-15")
    assert (life.periods()[0][2], life.status) == ("2023-04-01", "trial")


def test_paid_in_parts(life):
    """The day on which the sum was reached is what counts."""
    life.born("2023-03-01")
    life.approve(life.apply(life.id)["application_id"])
    life.advance("2023-06-10")
    life.pay(life.id, 1500000, effective_on="2023-03-02")
    assert life.periods() == []
    life.pay(life.id, 500000, effective_on="2023-05-20", kind="top_up")
    assert life.periods() == [("trial", 1, "2023-06-01", "2023-08-31", "open")]


@pytest.mark.parametrize("start, end", [("2023-12-01", "2024-02-29"), ("2022-12-01", "2023-02-28"), ("2023-08-01", "2023-10-31"), ("2023-11-01", "2024-01-31")])
def test_periods_end_with_their_third_month(life, start, end):
    life.born(start).entered()
    life.stores(start, end)
    life.exams(start)
    life.advance(end)
    assert life.status == "trial"
    life.advance(day_after(end))
    assert (life.status, life.said()["since"]) == ("certified", day_after(end))
    assert life.periods()[0][:4] == ("regular", 1, day_after(end), last_day(day_after(end), 3))


def test_converted_early(life):
    """Asked for and met: the trial ends that day, the first regular period begins on the next 1st (3.2)."""
    life.born("2023-04-01").entered()
    refused = life.client.post(f"/v1/providers/{life.id}/early-conversion", {})
    assert (refused.status, refused.code) == (409, "no_watermark"), refused
    life.stores("2023-04-02", "2023-05-14")
    life.advance("2023-05-15")
    refused = life.client.post(f"/v1/providers/{life.id}/early-conversion", {})
    assert (refused.status, refused.code) == (409, "not_met"), refused
    life.exams("2023-05-10")
    answer = life.client.post(f"/v1/providers/{life.id}/early-conversion", {})
    assert answer.status in (200, 201), answer
    assert (life.status, life.said()["since"]) == ("certified", "2023-05-15")
    assert life.periods() == [("regular", 1, "2023-06-01", "2023-08-31", "scheduled"), ("trial", 1, "2023-04-01", "2023-05-15", "converted")]
    again = life.client.post(f"/v1/providers/{life.id}/early-conversion", {})
    assert (again.status, again.code) == (409, "wrong_state")
    life.advance("2023-06-01")
    assert life.periods()[0][4] == "open"


def test_the_transition_table_is_the_rules(life):
    """rules.md's life of a provider, and nothing else."""
    wanted = """registered>applied applied>admitted applied>rejected applied>withdrawn admitted>trial admitted>withdrawn trial>certified trial>trial_failed
        certified>revoked certified>exited revoked>applied revoked>exited rejected>applied withdrawn>applied trial_failed>applied exited>applied"""
    rows = life.service.database.sql("select from_status || '>' || to_status from lifecycle_transition")
    assert sorted(r[0] for r in rows) == sorted(wanted.split())


@pytest.mark.parametrize("status", ["admitted", "trial", "certified"])
def test_no_application_in_between(life, status):
    life.born("2023-03-10").entered()
    life.stores("2023-04-01", "2023-06-30")
    life.exams("2023-04-01")
    life.advance({"admitted": "2023-03-10", "trial": "2023-04-01", "certified": "2023-07-01"}[status])
    assert life.status == status
    answer = life.client.post(f"/v1/providers/{life.id}/applications", {"documents": life.documents()})
    assert (answer.status, answer.code) == (409, "wrong_state"), answer
    answer = life.client.post(f"/v1/applications/{life.client.all(f'/v1/providers/{life.id}/applications')[0]['application_id']}/withdraw", {})
    assert answer.status == (200 if status == "admitted" else 409), answer
