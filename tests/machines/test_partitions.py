"""The months of day facts: made ahead by the daily job, put away by a command that refuses what anybody could still need, and kept."""

import datetime

import pytest

from support.at_once import eventually
from support.crowd import BULK
from support.world import World, spread


def listed(service):
    lines = service.command("partitions").splitlines()
    assert lines[0].split("\t") == ["month", "table", "state", "rows", "bytes", "kept because"]
    return {line.split("\t")[0]: dict(zip(("table", "state", "rows", "bytes", "because"), line.split("\t")[1:])) for line in lines[1:]}


def states(service):
    return {month: one["state"] for month, one in listed(service).items()}


def month_after(month, n):
    index = int(month[:4]) * 12 + int(month[5:7]) - 1 + n
    return f"{index // 12:04}-{index % 12 + 1:02}"


@pytest.fixture
def old(new_service):
    """A sandbox on 2026-05-20 with a store's figures of the months from 2022-11 to 2023-06, complete through 2026-04-30."""
    service = new_service()
    world = World(service.client())
    world.advance("2026-05-20")
    world.load("stores", [world.store("s-1")])
    world.load("store_days", spread("s-1", "2022-11-01", "2023-06-30", 2400, 240000), complete_through="2026-04-30")
    return service


def test_the_daily_job_makes_them_ahead(new_service):
    service = new_service()
    world = World(service.client())
    world.advance("2026-05-20")
    world.admit()
    assert states(service) == {}
    world.advance("2026-06-01")  # its trial begins: the job has something to do
    assert set(states(service)) == {"2026-06", "2026-07", "2026-08", "2026-09"}
    assert service.command("partitions", "--ahead", "5").count("attached") == 6
    assert set(states(service)) == {month_after("2026-06", i) for i in range(6)}


def test_outside_a_sandbox_too(new_service):
    service = new_service(sandbox=False)
    this = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime("%Y-%m")
    eventually(lambda: {month_after(this, i) for i in range(4)} <= set(states(service)), what="no partitions were made ahead")


def test_old_months_are_put_away_and_kept(old):
    client, world = old.client(), World(old.client())
    out = old.command("partitions", "--detach-before", "2023-02")
    assert out.count("detached") == 3
    assert [m for m, s in states(old).items() if s == "detached"] == ["2022-11", "2022-12", "2023-01"]
    months = listed(old)
    assert months["2022-12"]["rows"] == "31"
    assert months["2023-05"]["because"] == "it is one of the last 36 whole months"
    assert months["2023-04"]["because"] == ""
    # As a table of its own it has everything, and store_day has nothing of it.
    database = old.database
    assert database.sql("select count(*), sum(orders) from store_day_202212") == [(31, database.sql("select orders from store_month where month = '2022-12-01'")[0][0])]
    assert database.sql("select count(*) from store_day where day < '2023-02-01'") == [(0,)]
    assert database.sql("select count(*) from store_day where day >= '2023-02-01'") == [(150,)]
    # What comes in for it is refused, row by row, and the rest is taken.
    late = world.load("store_days", spread("s-1", "2023-01-31", "2023-02-01", 2, 200), mode="per_row")
    assert (late["rows"]["rejected"], late["rows"]["changed"]) == (1, 1), late
    errors = client.get(f"/v1/imports/{late['import_id']}/errors").json["data"]
    assert [(e["line"], e["column"], e["code"]) for e in errors] == [(2, "day", "day_put_away")]
    assert "2023-02-01" in errors[0]["detail"]
    refused = world.load("store_days", spread("s-1", "2019-01-01", "2019-01-02", 2, 200), ok=False)
    assert refused["code"] == "import_rejected", "older ones are refused as well"
    assert old.command("verify").count("wrong") == 0
    actions = [e["subject"] for e in client.get("/v1/audit", query={"action": "store_days.detached"}).json["data"]]
    assert sorted(actions) == ["store_day_202211", "store_day_202212", "store_day_202301"]


def test_they_can_be_brought_back(old):
    old.command("partitions", "--detach-before", "2023-01")
    before = old.database.sql("select sum(orders) from store_month where month = '2022-12-01'")
    old.command("partitions", "--attach-newest")
    assert states(old)["2022-12"] == "attached" and states(old)["2022-11"] == "detached"
    assert old.database.sql("select sum(orders) from store_day where day between '2022-12-01' and '2022-12-31'") == before
    again = World(old.client()).load("store_days", spread("s-1", "2022-12-01", "2022-12-01", 7, 700))
    assert again["rows"]["changed"] == 1
    old.command("partitions", "--attach-newest")
    assert "detached" not in states(old).values()
    assert old.command("partitions", "--attach-newest", ok=None).returncode == 1


def test_what_is_needed_stays(old):
    """The last three years; and a month that a running period covers, however old it is."""
    done = old.command("partitions", "--detach-before", "2023-06", ok=None)
    assert done.returncode == 1 and "2023-05 stays: it is one of the last 36 whole months" in done.stderr
    assert states(old)["2023-04"] == "detached" and states(old)["2023-05"] == "attached"


def test_a_running_period_keeps_its_months(new_service):
    service = new_service()
    world = World(service.client())
    world.advance("2022-11-20")
    provider = world.admit()
    world.load("stores", [world.store("s-1")])
    world.load("bindings", [world.binding(provider["credit_code"], "s-1", "2022-11-20")])
    world.load("store_days", spread("s-1", "2022-11-20", "2022-12-31", 420, 42000), complete_through="2022-12-31")
    world.advance("2026-09-01")  # the figures of its trial never came: it waits for them
    stayed = service.command("partitions", "--detach-before", "2023-01", ok=None)
    assert stayed.returncode == 1
    assert "2022-12 stays: period prd_" in stayed.stderr and "is awaiting_data" in stayed.stderr, stayed.stderr
    assert states(service)["2022-11"] == "detached"


def test_figures_that_are_not_complete_stay(new_service):
    service = new_service()
    world = World(service.client())
    world.advance("2026-05-20")
    world.load("stores", [world.store("s-1")])
    world.load("store_days", spread("s-1", "2022-11-01", "2022-11-30", 30, 3000), complete_through="2022-11-29")
    stayed = service.command("partitions", "--detach-before", "2023-01", ok=None)
    assert stayed.returncode == 1 and "2022-11 stays: the figures are not complete up to its end" in stayed.stderr


def test_what_was_put_away_never_counts_as_nothing(old):
    """A period that needs such a month after all (here: put there by hand) is not judged."""
    old.command("partitions", "--detach-before", "2023-05")
    old.database.sql(BULK.format(n=4))
    done = old.command("close", "--as-of", "2023-06-30", ok=None)
    assert done.returncode == 1, done.stderr
    assert old.database.sql("select count(*) from decision") == [(0,)]
    old.command("partitions", "--attach-newest")
    assert old.command("close", "--as-of", "2023-06-30").count("\t") > 0
    assert old.database.sql("select count(*) from decision") == [(4,)]


def test_what_a_correction_needs_stays(old):
    """A decision that today's facts differ from is judged again from the days of its period."""
    old.database.sql(BULK.format(n=1))
    old.command("close", "--as-of", "2023-06-30")
    old.database.sql("insert into decision_review (decision_id, marked_on, differs) select decision_id, '2026-05-20', true from decision"
                     " on conflict (decision_id) do update set differs = true")
    stayed = old.command("partitions", "--detach-before", "2023-06", ok=None)
    assert stayed.returncode == 1 and "may still be corrected" in stayed.stdout + stayed.stderr
    assert states(old)["2023-03"] == "detached" and states(old)["2023-04"] == "attached"


def test_an_import_that_began_before(old):
    """It waits for its turn while a month is put away; then its rows have no place, and it fails without a trace."""
    database = old.database
    with pytest.raises(Exception, match="were put away"):
        old.command("partitions", "--detach-before", "2023-01")
        database.sql("select import_open_store_days('imp_none', array['2022-12-05'::date])")


@pytest.mark.parametrize("arguments", [["--ahead"], ["--ahead", "x"], ["--ahead", "-1"], ["--ahead", "121"], ["--detach-before", "2023"], ["--detach-before", "2023-13"],
                                       ["--detach-before", "2023-01", "--attach-newest"], ["--drop"]])  # fmt: skip
def test_used_wrongly(new_service, arguments):
    done = new_service(start=False).command("partitions", *arguments, ok=None)
    assert done.returncode == 2 and "Usage" in done.stderr
