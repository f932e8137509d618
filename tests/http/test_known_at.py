"""?known_at=INSTANT answers what was answered at that instant."""

import random

import psycopg2.errors
import pytest

from support.world import World, new_credit_code, spread

ASKED = 15  # of what was looked at, about each instant


def now(database):
    """The database's clock, as every instant here is told."""
    return database.sql("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")[0][0]


def paths(history):
    """Everything that can be asked about then, of what the history made."""
    for provider in history.providers:
        yield f"/v1/providers/{provider}/qualification"
        yield f"/v1/providers/{provider}/periods"
        yield f"/v1/providers/{provider}/stores"
    for store in history.stores:
        yield f"/v1/stores/{store}"
        yield f"/v1/stores/{store}/days?limit=200"
    for period in sorted(history.periods):
        yield f"/v1/periods/{period}"


def ask(client, path, known_at=None):
    """Status and content; without the instant itself, which a live answer does not name."""
    path, _, query = path.partition("?")
    query = dict(pair.split("=") for pair in query.split("&") if pair)
    answer = client.get(path, query={**query, **({"known_at": known_at} if known_at else {})})
    body = answer.json
    if answer.status == 404:
        return 404, None
    assert answer.status == 200, answer
    if known_at:
        assert body.pop("known_at") == known_at
    assert "known_at" not in body
    return 200, body


class History:
    """Makes random steps in a service's life and remembers what was answered after each of them."""

    def __init__(self, service, world, seed):
        self.random = random.Random(seed)
        self.service, self.world, self.client = service, world, world.client
        self.day, self.providers, self.stores, self.periods = 10, [], [], set()
        self.codes, self.bound, self.loaded, self.refunds, self.waivers = {}, {}, {}, [], []
        self.seen = []  # (instant, {path: answer})

    def today(self):
        month, day = divmod(self.day, 28)
        return f"2023-{3 + month:02d}-{day + 1:02d}"

    def some_day(self):
        at = self.random.randrange(28, max(self.day, 29))
        month, day = divmod(at, 28)
        return f"2023-{3 + month:02d}-{day + 1:02d}"

    # ---- steps: each does one thing, or refuses to (which is as good) ----

    def register(self):
        code = new_credit_code()
        provider = self.world.register(credit_code=code)
        self.providers.append(provider["provider_id"])
        self.codes[provider["provider_id"]] = code
        if self.random.random() < 0.8:
            application = self.world.apply(provider["provider_id"])
            self.world.approve(application["application_id"])
            self.world.pay(provider["provider_id"])

    def add_stores(self):
        new = [f"s{len(self.stores) + i:03d}" for i in range(self.random.randrange(3, 12))]
        self.world.load("stores", [self.world.store(s, valid_from="2023-01-01") for s in new])
        self.stores += new

    def change_stores(self):
        some = self.random.sample(self.stores, min(3, len(self.stores)))
        self.world.load("stores", [self.world.store(s, status=self.random.choice(["normal", "suspended", "closed"]),
                                                    registered_region=self.random.choice(["420106", "440100"]),
                                                    ship_from_regions=[self.random.choice(["420100", "440100"])],
                                                    valid_from=self.random.choice(["2023-01-01", self.some_day()])) for s in some])

    def bind(self):
        rows = []
        for store in self.random.sample(self.stores, min(6, len(self.stores))):
            provider = self.random.choice(self.providers)
            if (provider, store) not in self.bound:
                self.bound[provider, store] = self.some_day()
                rows.append(self.world.binding(self.codes[provider], store, self.bound[provider, store]))
        if rows:
            self.world.load("bindings", rows)

    def unbind(self):
        some = self.random.sample(sorted(self.bound), min(2, len(self.bound)))
        self.world.load("bindings", [self.world.binding(self.codes[p], s, self.bound[p, s],
                                                        self.random.choice([None, max(self.some_day(), self.bound[p, s])])) for p, s in some])

    def figures(self):
        """New ones, corrections of old ones, or both."""
        rows = []
        for store in self.random.sample(self.stores, min(8, len(self.stores))):
            first = self.some_day()
            last = max(first, self.some_day())
            rows += spread(store, first, last, self.random.randrange(0, 40000), self.random.randrange(0, 4000000))
        self.world.load("store_days", rows, complete_through=self.random.choice([None, self.today(), self.some_day()]))

    def passes(self):
        code = self.codes[self.random.choice(self.providers)]
        self.world.load("exam_passes", [{"credit_code": code, "person_id": f"p{self.random.randrange(4)}", "passed_on": self.some_day()}])

    def advance(self):
        self.day += self.random.choice([1, 3, 11, 28])
        self.world.advance(self.today())

    def money(self):
        provider = self.random.choice(self.providers)
        kind = self.random.choice(["payment", "deduction", "refund"])
        if kind == "payment":
            self.world.pay(provider, self.random.choice([1, 500000, 2000000]))
        elif kind == "deduction":
            self.client.post(f"/v1/providers/{provider}/deposit/entries", {"kind": "deduction", "amount_fen": self.random.choice([1, 700000]),
                                                                           "reason": "violation", "reference": "v-1"})
        else:
            self.client.post(f"/v1/providers/{provider}/deposit/refunds", {"amount_fen": 300000, "reason": "asked for"})

    def waive(self):
        provider = self.random.choice(self.providers)
        answer = self.client.post(f"/v1/providers/{provider}/waivers", {"kind": "cooldown", "reason": "good cause", "expires_on": "2023-12-31"})
        if answer.status == 201:
            waiver = answer.json["waiver_id"]
            other = self.service.client(self.service.new_key("admin"))
            assert other.post(f"/v1/waivers/{waiver}/confirm", {}).status == 200
            self.waivers.append(waiver)
        elif self.waivers and self.random.random() < 0.5:
            assert self.client.post(f"/v1/waivers/{self.waivers.pop()}/revoke", {"reason": "no longer"}).status in (200, 409)

    def move_on(self):
        provider = self.random.choice(self.providers)
        what = self.random.choice(["exit", "early-conversion", "applications", "patch"])
        if what == "patch":
            etag = self.client.get(f"/v1/providers/{provider}").headers["ETag"]
            self.client.patch(f"/v1/providers/{provider}", {"region": self.random.choice(["420000", "440000"])}, headers={"If-Match": etag})
        else:
            self.client.post(f"/v1/providers/{provider}/{what}", {"documents": self.world.documents()} if what == "applications" else {})

    def step(self):
        self.random.choice([self.register, self.add_stores, self.change_stores, self.bind, self.bind, self.unbind, self.figures, self.figures,
                            self.passes, self.advance, self.advance, self.money, self.waive, self.move_on])()

    def begin(self):
        self.world.advance(self.today())
        self.add_stores()
        self.register()
        self.bind()
        self.advance()

    def look(self):
        before = now(self.service.database)
        for provider in self.providers:
            for period in self.client.all(f"/v1/providers/{provider}/periods"):
                self.periods.add(period["period_id"])
        answers = {path: ask(self.client, path) for path in paths(self)}
        self.seen.append((before, now(self.service.database), answers))


@pytest.mark.parametrize("seed", range(5))
def test_what_was_answered_at_an_instant_is_answered_about_it(new_service, seed):
    service = new_service()
    history = History(service, World(service.client()), seed)
    history.begin()
    for _ in range(25):
        history.step()
        if history.random.random() < 0.4:
            history.look()
    history.look()
    client = service.client()
    told = 0
    for before, after, answers in history.seen:
        for path in history.random.sample(sorted(answers), min(ASKED, len(answers))):
            assert ask(client, path, history.random.choice([before, after])) == answers[path], (seed, before, after, path)
            told += answers[path][0] == 200
        for path in sorted(set(paths(history)) - set(answers))[:3]:  # what came later was not there yet
            assert ask(client, path, before)[0] == 404, (seed, before, path)
    assert told > 40


# ---- and by hand ----


@pytest.fixture(scope="module")
def told(database, client, world):
    """A provider in trial, with one thing known after the other; {name: instant after it}."""
    at = {"nothing": now(database)}
    world.advance("2023-03-20")
    provider = world.admit()
    at["admitted"] = now(database)
    at["provider"], at["code"] = provider["provider_id"], provider["credit_code"]
    world.advance("2023-04-20")
    at["trial"] = now(database)
    world.load("stores", [world.store("t1", valid_from="2023-01-01"), world.store("t2", valid_from="2023-01-01")])
    world.load("bindings", [world.binding(provider["credit_code"], s, "2023-04-03") for s in ("t1", "t2")])
    at["bound"] = now(database)
    world.load("store_days", spread("t1", "2023-04-01", "2023-04-10", 100, 1000), complete_through="2023-04-19")
    at["figures"] = now(database)
    at["corrected by"] = world.load("store_days", spread("t1", "2023-04-04", "2023-04-05", 2000, 20000))["import_id"]
    at["corrected"] = now(database)
    world.load("stores", [world.store("t1", status="closed", valid_from="2023-01-01")])
    at["closed"] = now(database)
    return at


def test_before_a_provider_was_there_it_is_not_found(client, told):
    for path in ("qualification", "periods", "stores"):
        assert client.get(f"/v1/providers/{told['provider']}/{path}", query={"known_at": told["nothing"]}).status == 404
    assert client.get("/v1/stores/t1", query={"known_at": told["trial"]}).status == 404
    assert client.get("/v1/stores/t1/days", query={"known_at": told["trial"]}).status == 404


def test_a_trial_that_had_not_begun(client, told):
    answer = client.get(f"/v1/providers/{told['provider']}/qualification", query={"known_at": told["admitted"]}).json
    assert (answer["status"], answer["as_of"], answer["period"]["status"]) == ("admitted", "2023-03-20", "scheduled")
    assert answer["deposit"]["balance_fen"] == 2000000
    [period] = client.get(f"/v1/providers/{told['provider']}/periods", query={"known_at": told["trial"]}).json["data"]
    assert (period["status"], period["progress"]["as_of"]) == ("open", "2023-04-20")


def measures(client, told, when):
    period = client.get(f"/v1/providers/{told['provider']}/qualification", query={"known_at": told[when]}).json["period"]
    return period["progress"]["policies"][0]["measures"]


def test_measures_are_of_the_figures_known_then(client, told):
    assert [measures(client, told, when)["new_stores"] for when in ("trial", "bound", "closed")] == [0, 2, 1]
    assert [measures(client, told, when)["new_store_gmv_fen"] for when in ("bound", "figures", "corrected", "closed")] == [0, 1000, 20800, 0]
    assert measures(client, told, "corrected")["monthly_orders"][0] == 60 + 2000  # bound since the third, two days corrected


def test_a_store_and_its_days(client, told):
    assert client.get("/v1/stores/t1", query={"known_at": told["corrected"]}).json["status"] == "normal"
    assert client.get("/v1/stores/t1").json["status"] == "closed"
    then = client.get("/v1/stores/t1/days", query={"known_at": told["figures"], "from": "2023-04-04", "through": "2023-04-06"}).json
    assert [(d["day"], d["orders"]) for d in then["data"]] == [("2023-04-06", 10), ("2023-04-05", 10), ("2023-04-04", 10)]
    assert then["known_at"] == told["figures"]
    days = client.get("/v1/stores/t1/days", query={"from": "2023-04-04", "through": "2023-04-06"}).json["data"]
    assert [(d["orders"], d["import_id"] == told["corrected by"]) for d in days] == [(10, False), (1000, True), (1000, True)]
    assert told["figures"] < days[1]["recorded_at"] + "Z" and days[1]["recorded_at"] < told["corrected"]


def test_days_come_in_pages_and_a_foreign_cursor_leads_past_the_end(client, told):
    page = client.get("/v1/stores/t1/days", query={"limit": 4, "known_at": told["figures"]})
    seen = [d["day"] for d in page.json["data"]]
    while page.json["next_cursor"]:
        page = client.get("/v1/stores/t1/days", query={"limit": 4, "known_at": told["figures"], "cursor": page.json["next_cursor"]})
        seen += [d["day"] for d in page.json["data"]]
    assert seen == [f"2023-04-{n:02d}" for n in range(10, 0, -1)]
    for cursor in ("MjAyMy0wMi0zMQ", "eA"):  # 2023-02-31, x
        assert client.get("/v1/stores/t1/days", query={"cursor": cursor}).json["data"] == []


def test_a_partner_sees_the_days_on_which_the_store_was_its_own(service, client, told):
    partner = service.client(service.new_key("partner", told["provider"]))
    for query in ({}, {"known_at": told["corrected"]}):
        assert [d["day"] for d in partner.get("/v1/stores/t1/days", query=query).json["data"]][-1] == "2023-04-03"
    assert partner.get("/v1/stores/t1/days", query={"known_at": told["trial"]}).status == 404
    other = service.client(service.new_key("partner", World(client).register()["provider_id"]))
    for path in ("/v1/stores/t1/days", "/v1/stores/t1", f"/v1/providers/{told['provider']}/qualification"):
        assert other.get(path, query={"known_at": told["corrected"]}).status == 404


def every_path(told, client):
    period = client.get(f"/v1/providers/{told['provider']}/periods").json["data"][0]["period_id"]
    yield from (f"/v1/providers/{told['provider']}/{what}" for what in ("qualification", "periods", "stores"))
    yield from (f"/v1/periods/{period}", "/v1/stores/t1", "/v1/stores/t1/days")


def test_the_future_and_what_is_no_instant_are_refused(client, told):
    for path in every_path(told, client):
        for instant, code in (("2199-01-01T00:00:00Z", "instant_in_future"), ("2023-05-01", "wrong_format"), ("x", "wrong_format")):
            answer = client.get(path, query={"known_at": instant})
            assert (answer.status, answer.faults) == (422, {"known_at": code}), path
    answer = client.get("/v1/stores/t1/days", query={"from": "2023-05-02", "through": "2023-05-01", "known_at": "x"})
    assert answer.faults == {"from": "must_be_before", "known_at": "wrong_format"}


def test_a_known_answer_keeps_its_etag(client, told):
    for path in every_path(told, client):
        first = client.get(path, query={"known_at": told["corrected"]})
        if first.etag:
            assert client.get(path, query={"known_at": told["corrected"]}, headers={"If-None-Match": first.etag}).status == 304


def test_what_is_older_than_the_histories_is_refused(new_service):
    """A database that had data before it kept histories."""
    service = new_service()
    provider = World(service.client()).register()["provider_id"]
    began = now(service.database)
    service.database.sql(f"""alter table state_history_began disable trigger append_only; update state_history_began set at = '{began}';
        alter table state_history_began enable trigger append_only""")
    refused = service.client().get(f"/v1/providers/{provider}/qualification", query={"known_at": "2023-01-01T00:00:00Z"})
    assert (refused.status, refused.faults) == (422, {"known_at": "instant_before_history"})
    assert service.client().get(f"/v1/providers/{provider}/qualification", query={"known_at": now(service.database)}).status == 200


def test_what_was_never_changes(database, told):
    for statement in ("delete from state_history", "update state_history set was = '{}'", "update moment set at = now()", "delete from moment",
                      "truncate state_history", "truncate moment", "update state_history_began set at = now()"):
        with pytest.raises(psycopg2.errors.RestrictViolation):
            database.sql(statement)
