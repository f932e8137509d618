"""However it is closed, and in whatever order the facts came, the decisions are the same, byte for byte. Each way starts from a copy
of one database, so that whatever differs comes of the way. Ids of decisions and of the periods that they open are made anew each
time, and are the only things that may differ."""

import json
import random
import subprocess
import time

import psycopg2
import pytest
from test_gathering import History, policies  # noqa: F401 (a fixture)

from support.fixtures import Database
from support.service import Service, binary
from support.world import World

CLOSE = ["close", "--as-of", "2023-06-30"]
PROVIDERS = 24


class Copies:
    """Databases as one of them is now."""

    def __init__(self, cluster, of):
        self.cluster, self.of, self.made = cluster, of, []

    def one(self):
        self.made.append(Database(self.cluster, self.cluster.create_database(self.of.name)))
        return self.made[-1]

    def drop(self):
        for database in self.made:
            database.drop()

    def drop_but_one(self):
        """Those that came out the same need not be replayed each."""
        for database in self.made[1:]:
            self.cluster.drop_database(database.name)
        self.made[0].drop()


@pytest.fixture(scope="module")
def admitted(cluster, migrated, policies, tmp_path_factory):  # noqa: F811
    """Providers whose trial begins on 2023-04-01; no facts yet."""
    database = Database(cluster, cluster.create_database(migrated))
    service = Service(database.url)
    for policy in policies:
        policy["trial"]["requires"] = {"any": [{"measure": "new_stores", "at_least": 1, "clause": "3.2"},
                                               {"measure": "exam_passes", "at_least": 2, "clause": "3.2"}]}
        path = tmp_path_factory.mktemp("policies") / f"{policy['version']}.json"
        path.write_text(json.dumps(policy), encoding="utf-8")
        service.command("policy", "publish", str(path))
    service.start()
    world = World(service.client())
    world.advance("2023-03-20")
    providers = [world.admit() for _ in range(PROVIDERS)]
    service.stop()
    copies = Copies(cluster, database)
    yield copies, providers
    copies.drop()
    database.drop()


def deliver(history, world, providers, rng):
    """The same facts each time; which import has which of them, their order, and what is corrected on the way, as `rng` has it."""
    code = {p["provider_id"]: p["credit_code"] for p in providers}
    facts = {
        "stores": [v for versions in history.stores.values() for v in versions.values()],
        "bindings": [world.binding(code[p], s, *span) for (p, s), spans in history.bindings.items() for span in spans],
        "store_days": [{"store_id": s, "day": d, "orders": o, "gmv_fen": g} for s, f in history.days.items() for d, (o, g) in f.items()],
        "exam_passes": [{"credit_code": code[p], "person_id": n, "passed_on": d} for p, l in history.passes.items() for n, d in l],
    }
    wrong = {"stores": {"status": "closed", "registered_region": "110105"}, "bindings": {"unbound_on": None},
             "store_days": {"orders": 7, "gmv_fen": 7}}
    world.load("stores", facts["stores"])  # the others need them
    imports = []
    for kind, rows in facts.items():
        rng.shuffle(rows)
        at = 0
        while at < len(rows):
            n = rng.randrange(1, len(rows) + 1)
            some = [row for row in rows[at:at + n] if kind != "bindings" or rng.random() < 0.5]
            if kind in wrong and some and rng.random() < 0.6:
                imports.append((kind, [{**row, **wrong[kind]} for row in some], "per_row"))
            imports.append((kind, rows[at:at + n], "per_row"))
            at += n
    rng.shuffle(imports)
    for kind, rows, mode in imports:
        world.load(kind, rows, mode=mode)
    for kind, rows in facts.items():  # what was corrected into something wrong, and what a wrong binding kept out
        world.load(kind, rows)
    world.load("store_days", [], complete_through="2023-07-31")


def loaded(database, providers, seed):
    service = Service(database.url).start()
    history = History(random.Random(7), World(service.client()), providers)
    deliver(history, World(service.client()), providers, random.Random(seed))
    World(service.client()).advance("2023-06-30")
    service.stop()


@pytest.fixture(scope="module")
def due(cluster, admitted):
    """All that is due on 2023-06-30, and nothing decided."""
    copies, providers = admitted
    database = copies.one()
    loaded(database, providers, 1)
    ready = Copies(cluster, database)
    yield ready
    ready.drop_but_one()


def count(database):
    return database.sql("select count(*) from decision")[0][0]


def decisions(database):
    """What was decided, and what came of it."""
    assert count(database) == PROVIDERS
    return (
        database.sql("select period_id, outcome, decided_on, sha256, document, evidence, engine from decision order by period_id"),
        database.sql("""select provider_id, stage, number, start_day, end_day, scheduled_end, status, policies, progress from period
            order by provider_id, start_day"""),
        database.sql("select provider_id, status, since, revoked_on, reapply_from, reapply_cause from provider order by provider_id"),
    )


@pytest.fixture(scope="module")
def at_once(due):
    """Decided by one closing, in one chunk."""
    database = due.one()
    Service(database.url).command(*CLOSE)
    made = decisions(database)
    assert {row[1] for row in made[0]} == {"met", "not_met"}
    return made


def started(service, *more):
    return subprocess.Popen([binary(), *CLOSE, *more], env=service.env(), cwd=service.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_chunks_of_any_size(due, at_once, chunk):
    database = due.one()
    Service(database.url).command(*CLOSE, "--chunk", str(chunk))
    assert decisions(database) == at_once


@pytest.mark.parametrize("workers, chunk", [(2, 1), (4, 3), (2, 200)])
def test_several_at_once(due, at_once, workers, chunk):
    database = due.one()
    service = Service(database.url)
    for one in [started(service, "--chunk", str(chunk)) for _ in range(workers)]:
        assert one.wait(60) == 0
    assert decisions(database) == at_once


def test_killed_again_and_again(due, at_once):
    database = due.one()
    service = Service(database.url)
    rng, partly = random.Random(3), 0
    while count(database) < PROVIDERS:
        until = count(database) + rng.randrange(1, 4)
        one = started(service, "--chunk", str(rng.choice([1, 2])))
        while one.poll() is None and count(database) < until:
            time.sleep(0.002)
        one.kill()
        one.wait()
        partly += 0 < count(database) < PROVIDERS
    assert partly > 1
    Service(database.url).command(*CLOSE)
    assert decisions(database) == at_once


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order(due, at_once, seed):
    """Closing passes over what others hold and comes back to it: so providers that are held come last."""
    database = due.one()
    rng = random.Random(seed)
    ids = [row[0] for row in database.sql("select provider_id from provider order by 1")]
    held = rng.sample(ids, PROVIDERS // 2)
    blocker = psycopg2.connect(database.url)
    try:
        blocker.cursor().execute("select from provider where provider_id = any(%s) for update", (held,))
        one = started(Service(database.url), "--chunk", str(rng.choice([1, 3, 200])))
        give_up = time.monotonic() + 30
        while count(database) < PROVIDERS - len(held) and time.monotonic() < give_up:
            time.sleep(0.01)
        assert {row[0] for row in database.sql("select provider_id from decision")} == set(ids) - set(held)
    finally:
        blocker.rollback()
        blocker.close()
    assert one.wait(60) == 0
    assert decisions(database) == at_once


def without_imports(made):
    """A document names the imports that its facts came from, by id and hash: they are others when the same facts come in others."""

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k != "imports"}
        return [strip(v) for v in value] if isinstance(value, list) else value

    rows, periods, providers = made
    return [(period, outcome, day, strip(json.loads(document)), evidence and json.loads(evidence))
            for period, outcome, day, _, document, evidence, _ in rows], periods, providers


@pytest.mark.parametrize("seed", [2, 3])
def test_the_same_facts_in_another_order(admitted, at_once, seed):
    copies, providers = admitted
    database = copies.one()
    loaded(database, providers, seed)
    Service(database.url).command(*CLOSE)
    assert without_imports(decisions(database)) == without_imports(at_once)
