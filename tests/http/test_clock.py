"""The clock: the sandbox's days, each with its job, once; and outside a sandbox the job that runs by itself."""

import concurrent.futures
import datetime
import time

from support.world import World, days

BY_ITSELF_SECONDS = 60


def at(client, day, **more):
    return client.post("/v1/test-clock", {"today": day}, **more)


def test_forward_only(new_service):
    client = new_service().client()
    assert at(client, "2023-05-05").json == {"today": "2023-05-05"}, "the first call may set any day"
    assert at(client, "2023-05-05").status == 200, "the same day changes nothing"
    back = at(client, "2023-05-04")
    assert (back.status, back.code) == (409, "clock_moves_forward") and "2023-05-05" in back.json["detail"]
    assert at(client, "2023-05-06", query={"dry_run": "true"}).json == {"today": "2023-05-06"}
    assert at(client, "2023-05-04", query={"dry_run": "true"}).status == 409
    assert at(client, "2023-05-05").status == 200, "the dry run moved nothing"
    assert at(client, "2023-02-30", check=False).faults == {"/today": "invalid_day"}
    assert client.post("/v1/test-clock", {}, check=False).faults == {"/today": "missing"}


def test_only_in_a_sandbox(new_service):
    client = new_service(sandbox=False).client()
    assert at(client, "2030-01-01").status == 404


def test_only_for_admins(client, keys):
    assert at(client.with_key(keys["operator"]), "2023-05-05").status == 403


def test_a_key_moves_it_once(new_service):
    client = new_service().client()
    at(client, "2023-05-05")
    first = at(client, "2023-06-01", idempotency_key="june")
    assert at(client, "2023-07-01").status == 200
    again = at(client, "2023-06-01", idempotency_key="june")
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert at(client, "2023-08-01", idempotency_key="june").code == "idempotency_key_reused"
    assert at(client, "2023-07-01").status == 200, "and the clock stayed where it was"


def test_many_at_once(new_service):
    """Two instances, moves of all lengths: each day's job once, and the clock ends at the latest day."""
    one = new_service()
    other = new_service(database=one.database)
    clients = [one.client(), other.client()]
    at(clients[0], "2023-03-20")
    provider = World(clients[0]).admit()
    targets = ["2023-03-25", "2023-04-01", "2023-04-02", "2023-05-01", "2023-07-01", "2023-07-02"] * 2
    with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
        answers = list(pool.map(lambda i: at(clients[i % 2], targets[i]), range(len(targets))))
    assert {a.status for a in answers} <= {200, 409}
    assert all(a.code == "clock_moves_forward" for a in answers if a.status == 409)
    assert at(clients[0], "2023-07-02").status == 200
    done = [str(row[0]) for row in one.database.sql("select day from job_day order by day")]
    assert done == list(days("2023-03-20", "2023-07-02"))
    began = one.database.sql(f"select count(*) from event where type = 'provider.trial_began' and provider_id = '{provider['provider_id']}'")
    assert began == [(1,)]


def test_thousands_of_days_are_quick(new_service):
    client = new_service().client()
    at(client, "2023-03-20")
    World(client).admit()
    began = time.monotonic()
    assert at(client, "2053-03-20").status == 200
    assert time.monotonic() - began < 20
    assert at(client, "2199-12-31").status == 200


def test_progress_follows_the_clock(new_service):
    """Where the figures go further than today, measures are as of today."""
    world = World(new_service().client())
    world.advance("2023-03-20")
    provider = world.admit()
    world.load("stores", [world.store("s-1")])
    world.load("bindings", [world.binding(provider["credit_code"], "s-1", "2023-04-01")])
    world.load("store_days", [{"store_id": "s-1", "day": d, "orders": 10, "gmv_fen": 100} for d in days("2023-04-01", "2023-04-30")],
               complete_through="2023-04-30")

    def progress():
        (period,) = world.client.all(f"/v1/providers/{provider['provider_id']}/periods")
        return period["progress"]

    assert progress() is None, "scheduled"
    for day, orders in (("2023-04-01", 10), ("2023-04-10", 100), ("2023-05-03", 300)):
        world.advance(day)
        assert progress()["policies"][0]["measures"]["monthly_orders"] == [orders, 0, 0]
        assert progress()["as_of"] == min(day, "2023-04-30")


def backdate_trial(service, provider, start, end):
    """As if the trial had begun in the past: the system clock cannot be moved."""
    sql = service.database.sql
    sql(f"update period set start_day = '{start}', end_day = '{end}', scheduled_end = '{end}', status = 'open'"
        f" where provider_id = '{provider['provider_id']}'")
    sql(f"update provider set status = 'trial', since = '{start}' where provider_id = '{provider['provider_id']}'")


def wait_for(what, seconds=BY_ITSELF_SECONDS):
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if what():
            return True
        time.sleep(0.2)
    return False


def test_outside_a_sandbox_it_closes_by_itself(new_service):
    """After midnight, and again when the watermark moves; the next period opens."""
    service = new_service(sandbox=False)
    world = World(service.client())
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
    end = today.replace(day=1) - datetime.timedelta(days=1)
    start = (end - datetime.timedelta(days=63)).replace(day=1)
    start = start if (end.year - start.year) * 12 + end.month - start.month == 2 else (end - datetime.timedelta(days=58)).replace(day=1)
    provider = world.admit()
    backdate_trial(service, provider, start, end)

    def status(kind="trial"):
        return [p["status"] for p in world.client.all(f"/v1/providers/{provider['provider_id']}/periods") if p["stage"] == kind]

    assert wait_for(lambda: status() == ["awaiting_data"]), status()
    assert world.provider(provider["provider_id"])["status"] == "trial"
    world.load("store_days", [], complete_through=end.isoformat())
    assert wait_for(lambda: status() == ["failed"]), status()
    now = world.provider(provider["provider_id"])
    assert (now["status"], now["since"]) == ("trial_failed", (end + datetime.timedelta(days=1)).isoformat())
    assert service.database.sql(f"select count(*) from job_day where day = '{today}'") == [(1,)]


def test_a_run_is_taken_up_after_a_crash(new_service):
    """What a killed service left running goes on when one is there again."""
    service = new_service()
    world = World(service.client())
    world.advance("2023-03-20")
    provider = world.admit()
    world.load("store_days", [], complete_through="2023-06-30")
    world.advance("2023-06-30")
    service.kill()
    service.database.sql("insert into assessment_run (run_id, as_of, dry_run, status, created_by)"
                         " values ('run_00000000000000000000000000ff', '2023-06-30', false, 'running', 'key_gone')")
    service.start()
    world = World(service.client())
    run = "/v1/assessment-runs/run_00000000000000000000000000ff"
    assert wait_for(lambda: world.client.get(run).json["status"] == "done"), world.client.get(run)
    assert world.client.get(run).json["outcomes"] == {"met": 0, "not_met": 1, "awaiting_data": 0}
    assert world.provider(provider["provider_id"])["status"] == "trial_failed"
