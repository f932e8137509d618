"""A closing of thousands: it answers before it is over, shows its progress, survives a kill in its midst, and two share it."""

import concurrent.futures
import time

import pytest

from support.crowd import BULK
from support.world import World

MANY = 4000


@pytest.fixture
def crowd(new_service):
    """Every other provider has ten stores that meet metric 1; the others have none."""
    service = new_service()
    World(service.client()).advance("2023-06-30")
    service.database.sql(BULK.format(n=MANY))
    service.database.sql("analyze")
    return service


def outcomes(service):
    return service.database.sql("select outcome, count(*), count(distinct period_id) from decision group by 1 order by 1")


def digest(service):
    return service.database.sql("select md5(string_agg(document || evidence, '' order by period_id)) from decision")[0][0]


def wait_until_done(client, run_id, seconds=120):
    seen, give_up = [], time.monotonic() + seconds
    while time.monotonic() < give_up:
        run = client.get(f"/v1/assessment-runs/{run_id}").json
        seen.append(run["progress"]["done"])
        if run["status"] not in ("queued", "running"):
            return run, seen
        time.sleep(0.05)
    raise AssertionError(f"{run_id} is not over: {run}")


def test_progress_kill_and_resume(crowd):
    client = crowd.client()
    began = time.monotonic()
    run = client.post("/v1/assessment-runs", {"as_of": "2023-06-30"}).json
    assert time.monotonic() - began < 30
    assert run["progress"]["total"] == MANY
    crowd.kill()
    decided = sum(row[1] for row in outcomes(crowd))
    crowd.start()
    client = crowd.client()
    run, seen = wait_until_done(client, run["run_id"])
    assert (run["status"], run["progress"]) == ("done", {"done": MANY, "total": MANY})
    assert seen == sorted(seen) and seen[0] >= decided * (seen[0] < MANY)
    assert run["outcomes"] == {"met": MANY // 2, "not_met": MANY // 2, "awaiting_data": 0}
    assert outcomes(crowd) == [("met", MANY // 2, MANY // 2), ("not_met", MANY // 2, MANY // 2)]
    assert len(client.all(f"/v1/assessment-runs/{run['run_id']}/results", {"outcome": "met"})) == MANY // 2
    out = crowd.command("verify", ok=None).stdout
    assert f"ok     {MANY} decisions replay" in out


def test_two_instances_share_it_and_one_alone_gives_the_same(crowd, new_service):
    other = new_service(database=crowd.database)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda s: s.client().post("/v1/assessment-runs", {"as_of": "2023-06-30"}).json, (crowd, other)))
    runs = [wait_until_done(crowd.client(), a["run_id"])[0] for a in answers]
    assert [r["status"] for r in runs] == ["done", "done"]
    assert sum(r["progress"]["done"] for r in runs) == MANY
    assert all(r["progress"]["done"] > 0 for r in runs), "both did some of it"
    together = digest(crowd)

    alone = new_service()
    World(alone.client()).advance("2023-06-30")
    alone.database.sql(BULK.format(n=MANY))
    assert alone.command("close", "--as-of", "2023-06-30", "--dry-run").count("\tmet\t") == MANY // 2
    assert outcomes(alone) == []
    assert alone.command("close", "--as-of", "2023-06-30").count("\tmet\t") == MANY // 2
    assert digest(alone) == together
