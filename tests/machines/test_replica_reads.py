"""Reads on a streaming replica: they go there, and whatever it does, none is wrong and none fails."""

import concurrent.futures
import signal
import time

import pytest
import test_every_answer as story

from support.at_once import eventually
from support.load import Load
from support.machines import Metrics, usable
from support.postgres import Cluster
from support.world import World

PAUSE, RESUME = "select pg_wal_replay_pause()", "select pg_wal_replay_resume() where pg_is_in_recovery()"


def rename(client, provider, name):
    answer = client.patch(f"/v1/providers/{provider['provider_id']}", {"name": name}, headers={"If-Match": "*"})
    assert answer.status == 200, answer
    return answer.headers["Assay-Position"]


def name_of(client, provider, position=None):
    answer = client.get(f"/v1/providers/{provider['provider_id']}", headers={"Assay-Position": position})
    assert answer.status == 200, answer
    return answer.json["name"]


@pytest.fixture
def scene(pair, reading):
    """A service (and a second instance), its provider as the replica shows it, the writer's client and another caller's, and the
    replica stands still."""

    class Scene:
        def __init__(self, second=False, **more):
            self.service = reading(**more)
            self.second = reading(self.service.database, **more) if second else None
            self.writer = self.service.client()
            self.other = self.service.client(self.service.new_key("operator"))
            self.provider = World(self.writer).register(name="before")
            pair.caught_up()
            eventually(lambda: name_of(self.other, self.provider) == "before" and Metrics(self.service).reads > 0)
            pair.replica.sql(PAUSE)

    yield Scene
    pair.replica.sql(RESUME)


def test_reads_go_to_the_replica(pair, reading):
    service = reading()
    client = service.client()
    provider = World(client).register()
    path = f"/v1/providers/{provider['provider_id']}"
    pair.caught_up()
    eventually(lambda: (a := Metrics(service).reads, client.get(path), Metrics(service).reads > a)[-1], what="the replica answers nothing")
    before = Metrics(service)
    for _ in range(200):
        assert client.get(path).json == provider
        assert client.get("/v1/providers").status == 200
        assert client.get(f"{path}/qualification").status == 200
    after = Metrics(service)
    assert after.reads - before.reads >= 600, "some fell back"
    assert after["assay_replica_lag_bound_seconds"] == 60 and 0 <= after["assay_replica_lag_seconds"] < 60
    assert after["assay_replica_usable"] == 1


@pytest.mark.tsan
def test_a_caller_reads_their_own_writes(scene, pair):
    """While the replica stands still, who wrote reads the primary, and everybody else what was a moment ago."""
    s = scene()
    for i in range(5):
        position = rename(s.writer, s.provider, f"after {i}")
        assert name_of(s.writer, s.provider) == f"after {i}"
        assert s.writer.get("/v1/providers", query={"q": f"after {i}"}).json["data"], "lists too"
        assert name_of(s.other, s.provider) == "before", "it was not read on the replica"
        assert name_of(s.other, s.provider, position) == f"after {i}", "who says the position sees what was written"
    assert Metrics(s.service).declined("behind") >= 15
    pair.replica.sql(RESUME)
    pair.caught_up()
    eventually(lambda: name_of(s.other, s.provider) == "after 4")
    reads = Metrics(s.service).reads
    eventually(lambda: name_of(s.writer, s.provider) == "after 4" and Metrics(s.service).reads > reads, what="the writer stays on the primary for ever")


def test_a_position_holds_at_every_instance(scene):
    s = scene(second=True)
    elsewhere = s.second.client(s.service.admin_key)
    position = rename(s.writer, s.provider, "after")
    assert name_of(elsewhere, s.provider) == "before"
    assert name_of(elsewhere, s.provider, position) == "after"
    assert name_of(elsewhere, s.provider, "FFFF/FFFFFFFF") == "after", "a position that is still to come is the primary's to answer"


@pytest.mark.parametrize("position", ["", "0", "0/", "/0", "0/0/0", "x/y", "123456789/0", "0/123456789", "80000000/0", "0/-1", " 0/0x1"])
def test_a_position_is_read_strictly(reading, position):
    refused = reading().client().get("/v1/providers", headers={"Assay-Position": position}, check=False)
    assert (refused.status, refused.code) == (400, "bad_request")


def test_nothing_is_not_found_for_the_replicas_sake(scene):
    s = scene()
    made = World(s.writer).register(name="new")
    assert name_of(s.other, made) == "new"
    assert [p["name"] for p in s.other.get("/v1/providers", query={"q": "new"}).json["data"]] == ["new"]
    assert Metrics(s.service).declined("empty") >= 2


def test_money_and_keys_are_the_primarys(scene):
    s = scene()
    path = f"/v1/providers/{s.provider['provider_id']}"
    World(s.writer).pay(s.provider["provider_id"], 1000)
    auditor = s.service.client(s.service.new_key("auditor"))
    for client in (s.other, auditor):
        assert client.get(f"{path}/deposit").json["balance_fen"] == 1000
        assert len(client.get(f"{path}/deposit/entries").json["data"]) == 1
        assert b"1000" in client.get(f"{path}/deposit/statement").body
    made = s.writer.post("/v1/keys", {"name": "fresh", "role": "auditor"}).json
    fresh = s.service.client(made["key"])
    assert fresh.get("/v1/providers").status == 200, "a key works at once"
    assert auditor.get(f"/v1/keys/{made['key_id']}").json["name"] == "fresh"
    assert s.writer.delete(f"/v1/keys/{made['key_id']}").status in (200, 204)
    eventually(lambda: fresh.get("/v1/providers").status == 401, seconds=10, what="a revoked key works on")


def test_a_replica_that_lags_is_not_read(scene, pair):
    s = scene(lag_ms=2000, env={"ASSAY_LOOPS": "1"})
    rename(s.writer, s.provider, "after")
    usable(s.service, False)
    for _ in range(20):
        assert name_of(s.other, s.provider) == "after"
    told = s.service.client("").get("/readyz").json["replica"]
    assert told["lag_ms"] > told["lag_bound_ms"] == 2000
    assert Metrics(s.service)["assay_replica_usable"] == 0 and Metrics(s.service).declined("lagging") > 0
    pair.replica.sql(RESUME)
    usable(s.service)
    reads = Metrics(s.service).reads
    eventually(lambda: name_of(s.other, s.provider) == "after" and Metrics(s.service).reads > reads)


@pytest.mark.tsan
def test_a_replica_that_goes_and_comes_makes_no_read_fail(pair, reading):
    service = reading()
    with Load(service) as load:
        for how in (signal.SIGQUIT, signal.SIGINT):
            reads = Metrics(service).reads
            eventually(lambda reads=reads: Metrics(service).reads > reads + 20)
            pair.replica.stop(how)
            load.seen("read", 200, 50)
            load.seen("write", 201, 20)
            pair.replica.start()
            usable(service)
        for _ in range(10):
            pair.replica.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'assay replica reads'")
            load.seen("read", 200, 20)
    assert set(load.statuses["read"]) == {200} and set(load.statuses["write"]) == {201}
    load.settle()


def test_a_replica_that_hangs_keeps_nobody_waiting_for_long(pair, reading):
    """It neither answers nor breaks its connections. What it was given goes to the primary; then nothing is given to it."""
    service = reading(lag_ms=1000)
    client = service.client()
    provider = World(client).register(name="here")
    pair.caught_up()
    eventually(lambda: name_of(client, provider) == "here" and Metrics(service).reads > 0)
    pair.replica.signal_all(signal.SIGSTOP)
    try:
        for _ in range(20):
            assert name_of(client, provider) == "here"
            assert client.get("/v1/providers").status == 200
        usable(service, False)
    finally:
        pair.replica.signal_all(signal.SIGCONT)
    usable(service)


def test_what_replay_cancels_is_asked_of_the_primary(pair, reading):
    """A statement on the replica that stands in replay's way is cancelled by PostgreSQL; nobody hears of it."""
    pair.replica.configure("max_standby_streaming_delay", "0")
    service = reading()
    client = service.client()
    # Lists of providers now hold the table for a while, so that replay meets them.
    service.database.sql("alter function provider_list(text, integer, text, text, text, text, text) rename to provider_list_at_once")
    service.database.sql("""create function provider_list(after text, n integer, whose text, s text, r text, i text, q text)
        returns table (cursor text, body text) language plpgsql volatile as $$ begin
        perform count(*) from provider;
        perform pg_sleep(case when pg_is_in_recovery() then 0.3 else 0 end);
        return query select * from provider_list_at_once(after, n, whose, s, r, i, q); end $$""")
    World(client).register()
    pair.caught_up()

    def cancelled():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.get, "/v1/providers")
            time.sleep(0.1)
            service.database.sql("begin; lock table provider in access exclusive mode; commit")
            answer = waiting.result()
            assert answer.status == 200 and len(answer.json["data"]) == 1, answer
        return Metrics(service).declined("failed") > 0

    eventually(cancelled, what="nothing was cancelled")


def test_a_replica_that_is_promoted_by_itself_is_not_read(scene, pair):
    """It goes its own way from then on: what it says is not so any more."""
    s = scene(env={"ASSAY_LOOPS": "1"})
    pair.replica.sql(RESUME)
    pair.replica.promote()
    pair.replica.sql("update provider set name = 'its own way'", s.service.database.name)
    usable(s.service, False)
    rename(s.writer, s.provider, "after")
    for client in (s.writer, s.other):
        for _ in range(20):
            assert name_of(client, s.provider) == "after"


def test_a_replica_that_was_left_behind_is_not_read(pair, new_service):
    """The primary had sent more to one replica than to the one that took over. Its log is longer, and not the truth."""
    third = Cluster({"synchronous_commit": "on"}, of=pair.primary)
    try:
        database = pair.database()
        service = new_service(database, env={"ASSAY_READ_DATABASE_URL": third.url(database.name), "ASSAY_READ_LAG_MS": "60000"})
        usable(service)
        client, other = service.client(), service.client(service.new_key("operator"))
        provider = World(client).register(name="before")
        pair.caught_up()
        pair.replica.configure("primary_conninfo", "")
        eventually(lambda: len(pair.primary.sql("select pid from pg_stat_replication")) == 1)
        for i in range(50):
            rename(client, provider, f"lost {i}")
        at = pair.primary.position()
        eventually(lambda: third.position() >= at)
        pair.primary.stop(signal.SIGQUIT)
        pair.replica.promote()
        eventually(lambda: client.get("/readyz").status == 200)
        position = eventually(lambda: (a := client.patch(f"/v1/providers/{provider['provider_id']}", {"name": "kept"}, headers={"If-Match": "*"})).status == 200
                              and a.headers["Assay-Position"])  # fmt: skip
        assert third.position() > int(position.split("/")[0], 16) << 32 | int(position.split("/")[1], 16), "else this shows nothing"
        for reader in (client, other):
            for _ in range(50):
                assert name_of(reader, provider, position) == "kept"
        usable(service, False)
    finally:
        third.remove()


def test_every_operation_can_be_read_from_a_replica(pair, reading):
    """The whole story of the contract, told to a service with a replica: no statement is one that a replica refuses."""
    pair.synchronous()
    pair.primary.configure("synchronous_commit", "remote_apply")  # other callers than who wrote see it at once, too
    service = reading()
    client = service.client()

    class Keys(dict):
        def __missing__(self, role):
            self[role] = service.new_key(role)
            return self[role]

    story.test_every_operation(service, client, World(client), Keys())
    after = Metrics(service)
    assert after.reads > 20
    assert after.declined("failed") == 0, service.log()[-4000:]


@pytest.mark.parametrize("database", ["postgres", "other"])
def test_another_database_is_no_replica(pair, new_service, database):
    """A mistaken setting costs nothing but the replica."""
    mine, others = pair.database(), pair.database()
    url = pair.replica.url(others.name if database == "other" else "postgres")
    if database == "other":
        new_service(others).stop()
    service = new_service(mine, env={"ASSAY_READ_DATABASE_URL": url})
    client = service.client()
    made = World(client).register(name="mine")
    for _ in range(20):
        assert name_of(client, made) == "mine"
    usable(service, False)
    assert Metrics(service).reads == 0
