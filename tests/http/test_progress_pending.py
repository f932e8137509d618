"""What callers are told of a running period right after an import: what is true now; and where many call, or the period is held, what
was computed last, marked so."""

import concurrent.futures
import contextlib

import psycopg2
import pytest

from support.at_once import at_once, eventually
from support.metrics import metric
from support.raw import Raw, head
from support.world import World, spread

CROWD = 8  # requests at once in a loop


@pytest.fixture
def trial(new_service):
    """A trial with figures of April, computed; its service has one loop."""
    service = new_service(env={"ASSAY_LOOPS": "1"})
    world = World(service.client())
    world.advance("2023-03-15")
    made = world.admit()
    world.advance("2023-05-16")
    world.load("stores", [world.store("s-1")])
    world.load("bindings", [world.binding(made["credit_code"], "s-1", "2023-04-01")])
    world.load("store_days", spread("s-1", "2023-04-01", "2023-04-30", 300, 100_000), complete_through="2023-04-30")
    told = world.qualification(made["provider_id"])
    assert told["period"]["progress"]["policies"][0]["measures"]["monthly_orders"][0] == 300
    return service, world, told


def orders(told):
    return told["period"]["progress"]["policies"][0]["measures"]["monthly_orders"]


def ask(service, provider_id):
    return World(service.client()).qualification(provider_id)


def active(service):
    return metric(service, "assay_requests_active") - 1  # itself


@pytest.fixture
def stale(trial):
    """The same, with an import of May that nobody has computed anything of yet; the background does not."""
    service, world, before = trial
    assert not before["data"]["progress_pending"]
    with contextlib.closing(psycopg2.connect(service.database.url)) as other, other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(4245, 1)")  # the background's
        world.load("store_days", spread("s-1", "2023-05-01", "2023-05-15", 150, 50_000), complete_through="2023-05-15")
        yield service, before, other


def assert_pending(told, before):
    assert told["data"]["progress_pending"] and told["data"]["watermark"] == "2023-05-15"
    assert orders(told) == orders(before)
    assert told["requirements"]["eventually_due"] == before["requirements"]["eventually_due"]


def assert_fresh(told):
    assert not told["data"]["progress_pending"] and orders(told) == [300, 150, 0]


def test_who_asks_alone_is_told_what_is_true_now(stale):
    service, before, _ = stale
    assert_fresh(ask(service, before["provider_id"]))


def test_who_asks_in_a_crowd_gets_what_was_computed_last(stale):
    service, before, _ = stale
    provider_id = before["provider_id"]
    with contextlib.ExitStack() as crowd:
        for _ in range(CROWD):  # each has sent a head, and no body yet
            raw = crowd.enter_context(Raw(service.port))
            raw.send(head("POST", "/v1/providers", service.admin_key, [("Content-Type", "application/json"), ("Content-Length", "2")]))
        eventually(lambda: active(service) >= CROWD, what="no crowd")
        told = ask(service, provider_id)
        assert_pending(told, before)
    eventually(lambda: not ask(service, provider_id)["data"]["progress_pending"], what="the crowd is gone, and it is still pending")
    assert_fresh(ask(service, provider_id))


def test_who_asks_for_a_period_that_somebody_holds_does_not_wait_for_the_end(stale):
    service, before, other = stale
    provider_id = before["provider_id"]
    with other.cursor() as cursor:
        cursor.execute("select from period where provider_id = %s for update", (provider_id,))
        for told in at_once(4, lambda _: ask(service, provider_id)):
            assert_pending(told, before)
    other.commit()
    assert_fresh(ask(service, provider_id))


def test_who_asks_while_workers_are_busy_for_two_gets_what_was_computed_last(stale):
    """The two wait for a period of somebody else's; this one nobody holds, so that it could be computed."""
    service, before, other = stale
    world = World(service.client())
    held = world.admit()["provider_id"]
    world.advance("2023-07-02")
    period = service.client().get(f"/v1/providers/{held}/periods").json["data"][0]["period_id"]
    provider_id = before["provider_id"]
    service.database.sql("update period set progress_version = facts_version - 1")
    with other.cursor() as cursor, concurrent.futures.ThreadPoolExecutor(2) as callers:
        cursor.execute("select from period where period_id = %s for update", (period,))
        waiting = [callers.submit(service.client().get, f"/v1/periods/{period}") for _ in range(2)]
        eventually(lambda: metric(service, 'assay_workers_running{pool="answers"}') >= 2, what="no worker is busy")
        assert ask(service, provider_id)["data"]["progress_pending"]
        other.commit()
        assert all(w.result().status == 200 for w in waiting)
    assert not ask(service, provider_id)["data"]["progress_pending"]
