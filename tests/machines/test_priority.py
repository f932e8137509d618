"""Bulk work gives way: its threads, and the processes of PostgreSQL that work for it, have a lower priority than those that callers
wait for."""

import os
import pathlib

import pytest

from support.at_once import eventually
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
