"""What callers are told of a running period right after an import: what is true now; and while others wait for that to be computed,
what was computed last, marked so."""

import concurrent.futures
import time

import psycopg2
import pytest

from support.world import World, spread

WAITING = 'assay_workers_waiting{pool="answers"}'


@pytest.fixture
def trial(new_service):
    """A trial with figures of April, computed; its service has one thread for such answers."""
    service = new_service(env={"ASSAY_WORKERS": "1"})
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


def waiting(service):
    for line in service.client("").get("/metrics").body.decode().splitlines():
        if line.startswith(WAITING):
            return int(line.split()[-1])
    raise AssertionError("no such metric")


def ask(service, provider_id):
    return World(service.client()).qualification(provider_id)


def test_who_asks_while_others_wait_gets_what_was_computed_last(trial):
    service, world, before = trial
    provider_id = before["provider_id"]
    assert not before["data"]["progress_pending"]
    other = psycopg2.connect(service.database.url)
    with other.cursor() as cursor, concurrent.futures.ThreadPoolExecutor(8) as callers:
        cursor.execute("select pg_advisory_lock(4245, 1)")  # the background's: what the import makes stale stays so
        world.load("store_days", spread("s-1", "2023-05-01", "2023-05-15", 150, 50_000), complete_through="2023-05-15")
        # Whoever holds the period keeps its progress from being stored: the one thread waits for that, and callers for the thread.
        cursor.execute("select from period where provider_id = %s for update", (provider_id,))
        asked = [callers.submit(ask, service, provider_id) for _ in range(5)]
        give_up = time.monotonic() + 30
        while waiting(service) < 4:
            assert time.monotonic() < give_up, "no caller waits"
            time.sleep(0.02)
        told = ask(service, provider_id)
        other.commit()
        answers = [a.result() for a in asked]
    other.close()
    assert told["data"]["progress_pending"] and told["data"]["watermark"] == "2023-05-15"
    assert orders(told) == orders(before)
    assert told["requirements"]["eventually_due"] == before["requirements"]["eventually_due"]
    after = world.qualification(provider_id)
    assert not after["data"]["progress_pending"] and orders(after) == [300, 150, 0]
    assert all(answer == after for answer in answers)
