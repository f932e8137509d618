"""Several instances on one database: each thing that is due happens once, a retry may go to any of them, and one that dies is no loss."""

import concurrent.futures
import re
import threading

import pytest

from support.at_once import at_once, eventually
from support.crowd import BULK
from support.fixtures import Database
from support.world import World, csv, spread

CROWD = 600


@pytest.fixture
def three(new_service):
    """Three sandboxes on one database, and a client of each with the same key."""
    first = new_service()
    services = [first, new_service(first.database), new_service(first.database)]
    for s in services:
        s.same = s.client(first.admin_key)
    return services


def test_started_at_once_on_an_empty_database(cluster, new_service):
    """Each wants to make the schema, the example policy and the pepper; one of each comes about."""
    database = Database(cluster, cluster.create_database())
    services = [new_service(database, start=False) for _ in range(3)]
    at_once(3, lambda i: services[i].start())
    for s in services:
        assert s.client().get("/readyz").status == 200
        assert len(s.client().get("/v1/policies").json["data"]) == 1
        assert s.client(services[0].admin_key).get("/v1/providers").status == 200
    assert database.sql("select count(*) from policy") == [(1,)]


def test_a_key_counts_at_every_instance(three):
    """The same requests, at all instances at the same moment: each has its effect once, and its answer at every one of them after."""
    provider = World(three[0].same).register()
    where = f"/v1/providers/{provider['provider_id']}"
    rows = csv("stores", [World(None).store("s-1")])
    requests = [
        ("/v1/providers", {"json": World(None).provider_body(name="once")}),
        (f"{where}/deposit/entries", {"json": {"kind": "payment", "amount_fen": 100, "external_reference": "once"}}),
        (f"{where}/applications", {"json": {"documents": World(None).documents()}}),
        ("/v1/imports", {"body": rows, "query": {"kind": "stores"}, "headers": {"Content-Type": "text/csv"}}),
        ("/v1/assessment-runs", {"json": {"as_of": "2023-01-31", "dry_run": True}}),
        ("/v1/test-clock", {"json": {"today": "2023-03-01"}}),
    ]
    World(three[0].same).advance("2023-02-20")
    for n, (path, more) in enumerate(requests):
        barrier = threading.Barrier(12)

        def send(i, path=path, more=more, n=n, barrier=barrier):
            barrier.wait()
            return three[i % 3].same.post(path, idempotency_key=f"once-{n}", **more)

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(send, range(12)))
        told = [a for a in answers if a.status in (200, 201, 202)]
        assert told and len({a.body for a in told}) == 1, answers
        assert {a.code for a in answers if a not in told} <= {"idempotency_in_flight"}, answers
        for s in three:
            again = s.same.post(path, idempotency_key=f"once-{n}", **more)
            assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (told[0].status, told[0].body, "true")
        other = three[n % 3].same.post(path, idempotency_key=f"once-{n}", json={"something": "else"})
        assert other.status == 422 or path == "/v1/imports", other
    sql = three[0].database.sql
    assert sql("select count(*) from provider where name = 'once'") == [(1,)]
    assert sql("select count(*) from ledger_entry") == [(1,)] and sql("select balance_fen from provider where balance_fen > 0") == [(100,)]
    assert sql("select count(*) from application") == [(1,)] and sql("select count(*) from import") == [(1,)]
    assert sql("select count(*) from assessment_run") == [(1,)]


def test_a_key_that_is_revoked_at_one_instance_ends_at_all(three):
    made = three[0].same.post("/v1/keys", {"name": "to go", "role": "auditor"}).json
    clients = [s.client(made["key"]) for s in three]
    assert all(c.get("/v1/providers").status == 200 for c in clients)
    assert three[1].same.delete(f"/v1/keys/{made['key_id']}").status in (200, 204)
    for c in clients:
        eventually(lambda c=c: c.get("/v1/providers").status == 401, seconds=10)


def test_imports_at_two_instances_at_once(three):
    """One waits for the other; the roll-up is of both."""
    world = World(three[0].same)
    world.advance("2023-05-01")
    world.load("stores", [world.store(f"s-{i}") for i in range(40)])

    halves = [[day for n in range(i, 40, 2) for day in spread(f"s-{n}", "2023-03-01", "2023-04-30", 6100, 610000)] for i in range(2)]
    at_once(2, lambda i: World(three[i].same).load("store_days", halves[i]))
    world.load("store_days", spread("s-0", "2023-04-30", "2023-04-30", 100, 10000), complete_through="2023-04-30")
    sql = three[0].database.sql
    assert sql("select count(*), sum(orders), sum(gmv_fen) from store_day") == [(40 * 61, 40 * 6100, 40 * 610000)]
    assert sql("select sum(orders), sum(gmv_fen) from store_month") == [(40 * 6100, 40 * 610000)]
    at_once(2, lambda i: World(three[i].same).load("store_days", spread(f"s-{i}", "2023-03-01", "2023-04-30", 12200, 1220000)))
    assert sql("select sum(orders), sum(gmv_fen) from store_month") == [(42 * 6100, 42 * 610000)]


# ---- what happens by itself ----


def closed(database):
    return database.sql("select count(*), count(distinct period_id) from decision")[0]


def jobs_done(database):
    return database.sql("select count(*) from audit where action = 'daily_job.done'")[0][0]


@pytest.fixture
def due(new_service):
    """Three instances, not started, of a service that is no sandbox; in their database a crowd whose trials ended long ago."""
    first = new_service(sandbox=False)
    services = [first, new_service(first.database, sandbox=False, start=False), new_service(first.database, sandbox=False, start=False)]
    first.stop()
    first.database.sql(BULK.format(n=CROWD))
    first.database.sql("delete from job_day")
    first.database.sql("analyze")
    return services


@pytest.mark.parametrize("killed", [False, True], ids=["all live", "one is killed"])
def test_the_daily_job_is_done_once(due, killed):
    database = due[0].database
    before = jobs_done(database)  # by the first, when it came so far before it was stopped
    at_once(3, lambda i: due[i].start())
    if killed:
        eventually(lambda: closed(database)[0] > 0, what="nothing is closed")
        due[0].kill()
    eventually(lambda: closed(database)[0] >= CROWD and database.sql("select count(*) from job_day")[0][0], what="the daily job does not end")
    for s in due:
        s.stop()
    assert closed(database) == (CROWD, CROWD)
    assert database.sql("select outcome, count(*) from decision group by 1 order by 1") == [("met", CROWD // 2), ("not_met", CROWD // 2)]
    assert jobs_done(database) == before + 1
    # What follows from a decision followed once for each: a status, a next period, an event, an audit entry.
    assert database.sql("select count(*), count(distinct provider_id) from provider_status where status in ('certified', 'trial_failed')") == [(CROWD, CROWD)]
    assert database.sql("select count(*), count(distinct provider_id) from period where stage = 'regular' and number = 1") == [(CROWD // 2, CROWD // 2)]
    assert database.sql("select count(*) from (select type, subject from event group by 1, 2 having count(*) > 1) twice") == [(0,)]
    out = due[1].command("verify", ok=None).stdout  # the crowd has totals of months, and no days
    assert f"ok     {CROWD} decisions replay" in out and f"ok     {CROWD} providers have the status" in out, out
    assert re.search(r"^ok +[0-9]+ audit entries", out, re.M), out


def test_a_run_goes_on_at_another_instance(new_service):
    first = new_service()
    second = new_service(first.database)
    World(first.client()).advance("2023-06-30")
    first.database.sql(BULK.format(n=CROWD))
    first.database.sql("analyze")
    run = first.client().post("/v1/assessment-runs", {"as_of": "2023-06-30"}).json
    first.kill()
    client = second.client()
    done = eventually(lambda: (r := client.get(f"/v1/assessment-runs/{run['run_id']}").json)["status"] in ("done", "failed") and r, seconds=120)
    assert (done["status"], done["progress"]) == ("done", {"done": CROWD, "total": CROWD})
    assert closed(first.database) == (CROWD, CROWD)
