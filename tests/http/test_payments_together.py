"""Payments that arrive together are posted together, and each is answered, kept and told of as if it had come by itself."""

import itertools
import re
import shutil

import psycopg2
import pytest

from support.at_once import at_once, eventually
from support.service import Service
from support.together import ONE_LANE, Held, lane
from support.world import World

MOST = 9007199254740991  # 2^53 - 1


@pytest.fixture(scope="module")
def service(database):
    started = Service(database.url, env=ONE_LANE)
    started.database = database
    try:
        yield started.start()
        started.stop()
    finally:
        started.kill()
        shutil.rmtree(started.home, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def today(world):
    world.advance("2023-05-10")


def payment(reference, amount_fen=100, **more):
    return {"kind": "payment", "amount_fen": amount_fen, "external_reference": reference, **more}


def pay(service, provider, body, key="new"):
    client = service.client()
    try:
        return client.post(f"/v1/providers/{provider}/deposit/entries", body, idempotency_key=key)
    finally:
        client.close()


def check_running(client, provider):
    """Every entry says the sum of those up to it; the entries."""
    entries = list(reversed(client.all(f"/v1/providers/{provider}/deposit/entries")))
    assert [e["balance_fen"] for e in entries] == list(itertools.accumulate(e["amount_fen"] for e in entries))
    return entries


class Story:
    """What is asked for, told once of these providers; `ask(name, provider, body, ...)` asks."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.providers = [world.register(name=f"商 {i}")["provider_id"] for i in range(7)]

    def before(self):
        """What was there before: a payment whose key and reference come again; one who is admitted; one who can take no more."""
        client, world = self.world.client, self.world
        self.first = client.post(self.path(0), payment("taken"), idempotency_key=f"{self.name}-seen")
        world.approve(world.apply(self.providers[3])["application_id"])
        client.post(self.path(4), payment("full", MOST - 150))

    def use(self, key):
        """That it was used is noted now, and not among what is sent together."""
        client = self.world.client.with_key(key)
        client.get(self.path(0))
        client.close()

    def path(self, provider):
        return f"/v1/providers/{self.providers[provider] if isinstance(provider, int) else provider}/deposit/entries"

    def asked(self, keys):
        """What is sent at once, and how many batches that is: what was there already, or is twice among them, is not looked for, and
        so fails all of them, which then go one by one."""

        def ask(key, provider, body, who="admin", **more):
            if who != "admin":
                more["who"] = who
            return key and f"{self.name}-{key}", self.path(provider), body, more

        zh = {"headers": {"Accept-Language": "zh-CN"}}
        together = [
            ask("1", 1, payment("a")),
            ask("2", 1, payment("b", 250, reason='"\\ {},\n\t\u4e0a\u6d77 NULL')),
            ask("3", 2, {**payment("a", 7), "kind": "top_up"}, who=keys["operator"]),
            ask("4", 1, {**payment("a", 11), "kind": "top_up"}),  # another kind: another reference
            ask("5", 1, payment("c", 3, effective_on="2023-05-01"), **zh),
            ask("5", 2, payment("d"), who=keys["operator"]),  # another caller's
            ask("6", 1, payment("e", effective_on="2023-05-11"), **zh),
            ask("7", "prv_nobody", payment("f")),
            ask("8", 3, payment("g", 2000000)),  # its trial is scheduled
            ask("9", 4, payment("h", 100)),
            ask("10", 4, payment("i", 100)),  # too much together
            ask("11", 6, payment("j"), query={"dry_run": "true"}),
            ask("12", 5, payment("k", MOST)),
            ask("13", 0, {"kind": "deduction", "amount_fen": 20, "reason": "r", "reference": "v"}),  # goes by itself
            ask("14", 2, payment("l", 5, reason="NULL")),
        ]
        return [
            (1, together),
            (0, [ask("15", 2, payment("m")), ask("5", 1, payment("c", 3, effective_on="2023-05-01"), **zh)]),  # sent again
            (0, [ask("16", 2, payment("n")), ask("5", 1, payment("c", 4))]),  # another request under that key
            (0, [ask("17", 2, payment("o")), ask("18", 1, payment("a"))]),  # its reference was posted before
            (0, [ask("seen", 0, payment("taken")), ask("19", 2, payment("p"))]),
            (0, [ask("20", 2, payment("q")), ask("20", 2, payment("q")), ask("21", 1, payment("r"))]),  # twice at once
            (0, [ask("22", 2, payment("s")), ask("23", 2, payment("s", 3)), ask("24", 1, payment("t"))]),
        ]  # fmt: skip

    def send(self, asked):
        key, path, body, more = asked
        more = dict(more)
        client = self.world.client.with_key(more.pop("who", self.world.client.key))
        answer = client.post(path, body, idempotency_key=key, **more)
        client.close()
        return answer

    def plain(self, text):
        """Without what differs between two tellings."""
        for i, provider in enumerate(self.providers):
            text = text.replace(provider, f"<provider {i}>")
        text = re.sub(rf"\b{self.name}-", "<key> ", text)
        text = re.sub(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "<instant>", text)
        text = re.sub(r'("credit_code": )"\w{18}"', r"\1<code>", text)
        text = re.sub(r"\b[0-9a-f]{64}\b", "<hash>", text)
        return re.sub(r"\b([a-z]{3})_[0-9a-f]{24,28}\b", r"<\1>", text)

    def told(self, answer):
        named = {n: answer.headers[n] for n in ("Content-Type", "Location", "ETag", "Content-Language", "Idempotency-Replayed", "Retry-After")}
        return answer.status, self.plain(str(named)), self.plain(answer.body.decode())

    def left(self, database):
        """Every row that it left, whatever the table, in an order that is the same."""
        whose = ", ".join(f"'{p}'" for p in self.providers)
        rows = {
            "ledger": f"select to_jsonb(e)::text from ledger_entry e where provider_id in ({whose})",
            "audit": "select (to_jsonb(a) - 'audit_id' - 'txid' - 'actor_id')::text || coalesce((select name || role from api_key k where k.key_id = a.actor_id), '')"
                     f" from audit a where provider_id in ({whose})",
            "event": f"select to_jsonb(e)::text from event e where provider_id in ({whose})",
            "key": f"select (to_jsonb(k) - 'caller')::text || (select role from api_key a where a.actor_id = k.caller) from idempotency_key k where key like '{self.name}-%'",
            "provider": f"select (to_jsonb(p) - 'body' - 'application_id' - 'credit_code')::text from provider p where provider_id in ({whose})",
        }  # fmt: skip
        return {what: sorted(self.plain(row) for (row,) in database.sql(query)) for what, query in rows.items()}


@pytest.fixture(scope="module")
def stories(service, world, keys):
    """The same told together and one by one."""
    together, apart = Story(world, "together"), Story(world, "apart")
    for story in (together, apart):
        story.before()
    together.use(keys["operator"])
    together.answers, apart.answers = [], []
    for batches, asked in together.asked(keys):
        with Held(service, world.register()["provider_id"]) as held:
            for one in asked:
                held.send(lambda one=one: together.send(one))
        together.answers += held.sent
        assert held.batches_since == batches, asked
    for _, asked in apart.asked(keys):
        apart.answers += [apart.send(one) for one in asked]
    assert held.batches_since == 0, "one by one is no batch"
    return together, apart


def test_the_answers_are_the_same(stories):
    together, apart = stories
    assert [a.status for a in together.answers] == (
        [201] * 6 + [422, 404, 201, 201, 422, 201, 201, 201, 201]
        + [201, 201] + [201, 422] + [201, 409] + [201, 201] + [201, 201, 201] + [201, 409, 201]
    )  # fmt: skip
    for i, (one, other) in enumerate(zip(together.answers, apart.answers)):
        assert together.told(one) == apart.told(other), i
    assert together.answers[21].body == together.first.body, "a replay is byte for byte"
    assert together.answers[24].body == together.answers[23].body


def test_what_is_left_is_the_same(stories, database):
    left, apart = (story.left(database) for story in stories)
    for what, rows in left.items():
        assert rows == apart[what], what
    answers = stories[0].answers
    entries = {a.json["entry_id"] for a in answers if a.status == 201} - {answers[11].json["entry_id"]}  # the dry run's
    assert len(left["ledger"]) == len(entries) + 1, "and one that was there before"


def test_entries_and_audit_say_the_request(stories, database):
    """Each of a batch is recorded with its own request."""
    together, _ = stories
    for i in (0, 1, 2, 3, 4, 5, 14):
        answer = together.answers[i]
        wanted = [(answer.headers["X-Request-Id"],)]
        assert database.sql(f"select request_id from audit where subject = '{answer.json['entry_id']}'") == wanted
        assert database.sql(f"select data::text::jsonb = '{answer.body.decode()}' from event where subject = '{answer.json['entry_id']}'") == [(True,)]


def test_nobody_waits_for_anothers_provider(service, client, world, database):
    """One of a batch whose provider somebody else is at work on waits by itself; so does one whose key is in use."""
    busy, free, blocker = (world.register()["provider_id"] for _ in range(3))
    other = psycopg2.connect(database.url.replace("assay@", "postgres@"))
    caller = database.sql("select actor_id from api_key where role = 'admin'")[0][0]
    try:
        other.cursor().execute(f"select from provider where provider_id = '{busy}' for update")
        other.cursor().execute(f"select pg_advisory_lock(hashtextextended('{caller}' || chr(1) || 'in-use', 4243))")

        with Held(service, blocker) as held:
            for provider, reference, key in ((busy, "a", "new"), (free, "a", "new"), (free, "b", "in-use"), (free, "c", "new")):
                held.send(lambda p=provider, r=reference, k=key: pay(service, p, payment(r), k))
            held.release()
            eventually(lambda: held.sent[1] and held.sent[3])
            assert held.sent[1].status == held.sent[3].status == 201
            assert held.sent[0] is None
            other.rollback()
    finally:
        other.close()
    assert held.sent[0].status == 201
    assert held.sent[2].code == "idempotency_in_flight"
    assert held.batches_since == 1


def test_what_fails_together_is_done_one_by_one(new_service):
    service = new_service(env=ONE_LANE)
    world = World(service.client())
    providers = [world.register()["provider_id"] for _ in range(3)]
    service.database.sql("alter table idempotency_key add check (key <> 'unlucky') not valid")
    with Held(service, world.register()["provider_id"]) as held:
        for provider, key in zip(providers, ("lucky-1", "unlucky", "lucky-2")):
            held.send(lambda p=provider, k=key: pay(service, p, payment("a"), k))
    assert [(a.status, a.code) for a in held.sent] == [(201, None), (500, "internal"), (201, None)]
    assert [len(world.client.all(f"/v1/providers/{p}/deposit/entries")) for p in providers] == [1, 0, 1]
    assert held.batches_since == 0


def test_a_batch_has_a_size(service, client, world):
    """More than one takes: the rest is the next one."""
    provider = world.register()["provider_id"]
    with Held(service, world.register()["provider_id"]) as held:
        held.send(*(lambda i=i: pay(service, provider, payment(f"many-{i}", i)) for i in range(1, 71)))
    assert [a.status for a in held.sent] == [201] * 70
    assert held.batches_since == 2
    check_running(client, provider)
    assert client.get(f"/v1/providers/{provider}/deposit").json["balance_fen"] == 70 * 71 // 2


def test_a_batch_has_a_weight(service, client, world):
    """So large that no more than a few fit."""
    provider = world.register()["provider_id"]
    reason = "\u4e0a\u6d77\"\\" * 250
    with Held(service, world.register()["provider_id"]) as held:
        held.send(*(lambda i=i: pay(service, provider, payment(f"heavy-{i}", reason=reason)) for i in range(60)))
    assert {a.status for a in held.sent} == {201}
    assert {e["reason"] for e in client.all(f"/v1/providers/{provider}/deposit/entries")} == {reason}
    assert held.batches_since > 1
    check_running(client, provider)


@pytest.mark.tsan
def test_a_crowd(new_service):
    """From many connections to one provider and to several: each answered once, all there, no balance twice."""
    service = new_service()
    world = World(service.client())
    providers = [world.register()["provider_id"] for _ in range(4)]

    def payer(i):
        provider = providers[i % 5 and 1 + i % 3]  # most of one
        return [pay(service, provider, payment(f"{i}-{n}", 1 + i + n)) for n in range(8)]

    answers = [a for some in at_once(40, payer) for a in some]
    assert {a.status for a in answers} == {201}
    for provider in providers:
        entries = check_running(world.client, provider)
        assert sorted(e["entry_id"] for e in entries) == sorted(a.json["entry_id"] for a in answers if a.json["provider_id"] == provider)
    assert lane(service, "batches_total") > 0
