"""A closing of thousands: it answers before it is over, shows its progress, survives a kill in its midst, and two share it."""

import concurrent.futures
import time

import pytest

from support.world import World

MANY = 4000
BULK = """
insert into provider (provider_id, credit_code, name, service_categories, region, industry, main_category, since)
	select 'prv_' || to_hex(i), '914201' || lpad(i::text, 12, '0'), 'Bulk ' || i, '{{practical_assistance}}', '420000', 'antiques_art',
		'antiques_art', '2023-03-01' from generate_series(1, {n}) i;
insert into application (application_id, provider_id, status, policy_id, policy_version, documents, deposit_fen, deposit_policy, example,
		checks, submitted_on, decided_on)
	select 'app_' || to_hex(i), 'prv_' || to_hex(i), 'approved', 'antiques-art', '2023-04-26', '[]', 2000000, 'antiques-art@2023-04-26', true,
		'[]', '2023-03-01', '2023-03-05' from generate_series(1, {n}) i;
update provider set status = 'applied', application_id = replace(provider_id, 'prv', 'app');
update provider set status = 'admitted';
update provider set status = 'trial', since = '2023-04-01';
insert into provider_status (provider_id, seq, status, since) select provider_id, 1, status, since from provider;
insert into period (period_id, provider_id, application_id, stage, number, start_day, end_day, scheduled_end, status, policies)
	select 'prd_' || to_hex(i), 'prv_' || to_hex(i), 'app_' || to_hex(i), 'trial', 1, '2023-04-01', '2023-06-30', '2023-06-30', 'open',
		'{{antiques-art@2023-04-26}}' from generate_series(1, {n}) i;
insert into store select 's-' || i || '-' || k from generate_series(1, {n}, 2) i, generate_series(1, 10) k;
insert into store_version (store_id, valid_from, name, registered_region, ship_from_regions, industry, category, status, import_id)
	select store_id, '2023-01-01', store_id, '420106', '{{420100}}', 'antiques_art', 'antiques_art', 'normal', 'imp_00' from store;
insert into binding (provider_id, store_id, bound_on, import_id)
	select 'prv_' || to_hex(split_part(store_id, '-', 2)::integer), store_id, '2023-04-01', 'imp_00' from store;
insert into store_month select store_id, m, 100, 500000 from store, unnest(array['2023-04-01', '2023-05-01', '2023-06-01']::date[]) m;
insert into exam_pass select 'prv_' || to_hex(i), 'p-' || k, '2023-04-20', 'imp_00' from generate_series(1, {n}) i, generate_series(1, 2) k;
update watermark set day = '2023-06-30';
"""


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
    return service.database.sql("select md5(string_agg(document, '' order by period_id)) from decision")[0][0]


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
