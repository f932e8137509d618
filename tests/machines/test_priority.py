"""Bulk work gives way: its threads, and the processes of PostgreSQL that work for it, have a lower priority than those that callers
wait for."""

import concurrent.futures
import contextlib
import os
import pathlib
import time

import psycopg2
import pytest

from support.at_once import eventually
from support.crowd import BULK
from support.metrics import metric
from support.raw import Raw, head
from support.world import World, spread

LOWERED = 5


def niceness(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)


def backends(database):
    """Of the service's connections: name and niceness of each process."""
    rows = database.sql("select application_name, pid from pg_stat_activity where application_name like 'assay%'")
    return [(name, niceness(pid)) for name, pid in rows]


@pytest.fixture
def busy(new_service):
    """A service that has answered, written, imported, and done what follows in the background."""
    service = new_service()
    world = World(service.client())
    world.advance("2023-05-01")
    made = world.admit()
    world.load("stores", [world.store("s-1")])
    world.load("store_days", spread("s-1", "2023-04-01", "2023-04-30", 300, 100_000), complete_through="2023-04-30")
    assert world.qualification(made["provider_id"])
    return service


def test_bulk_work_gives_way(busy):
    own = niceness(0)
    found = eventually(lambda: (b := backends(busy.database)) and any(n > own for _, n in b) and b, what="nothing gives way")
    assert {nice for name, nice in found if name in ("assay reads", "assay writes")} == {own}, found
    assert {nice for name, nice in found if name == "assay worker"} == {own, own + LOWERED}, found  # who answers a caller does not
    threads = [int(t.name) for t in pathlib.Path(f"/proc/{busy.process.pid}/task").iterdir()]
    assert {niceness(t) for t in threads} == {own, own + LOWERED}
    assert niceness(busy.process.pid) == own


def test_where_sessions_share_the_processor_it_is_the_session_that_gives_way(busy):
    if not pathlib.Path("/proc/self/autogroup").exists():
        pytest.skip("this kernel has no autogroups")
    own = niceness(0)

    def groups():
        rows = busy.database.sql("select pid from pg_stat_activity where application_name = 'assay worker'")
        return [(niceness(pid), pathlib.Path(f"/proc/{pid}/autogroup").read_text().split()[-1]) for (pid,) in rows]

    lowered = eventually(lambda: [group for nice, group in groups() if nice == own + LOWERED], what="nothing gives way")
    assert set(lowered) == {str(own + LOWERED)}


CROWD = 8  # requests at once in a loop


def test_one_connection_closes_where_callers_crowd(new_service):
    """The closing's helper comes when they are gone. What is closed is held, so that it takes as long as somebody looks."""
    service = new_service(env={"ASSAY_LOOPS": "1"})
    World(service.client()).advance("2023-06-30")
    service.database.sql(BULK.format(n=1000))
    service.database.sql("analyze")
    held = ("select count(*) from pg_locks l join pg_stat_activity a using (pid) where not l.granted and l.relation = 'decision'::regclass"
            " and a.datname = current_database()")  # fmt: skip
    holder = psycopg2.connect(service.database.cluster.url(service.database.name, "postgres"))
    with concurrent.futures.ThreadPoolExecutor(1) as pool, contextlib.closing(holder) as other:
        with contextlib.ExitStack() as crowd:
            for _ in range(CROWD):  # each has sent a head, and no body yet
                raw = crowd.enter_context(Raw(service.port))
                raw.send(head("POST", "/v1/providers", service.admin_key, [("Content-Type", "application/json"), ("Content-Length", "2")]))
            eventually(lambda: metric(service, "assay_requests_active") > CROWD, what="no crowd")
            other.cursor().execute("lock table decision in share row exclusive mode")
            run = pool.submit(service.client().post, "/v1/assessment-runs", {"as_of": "2023-06-30"})  # answered after a while
            eventually(lambda: service.database.sql(held) == [(1,)], what="nobody closes")
            until = time.monotonic() + 1
            while time.monotonic() < until:
                assert service.database.sql(held) == [(1,)]
        eventually(lambda: service.database.sql(held) == [(2,)], what="no helper comes")
    World(service.client()).finished(f"/v1/assessment-runs/{run.result().json['run_id']}")
    assert service.database.sql("select count(*) from decision") == [(1000,)]
