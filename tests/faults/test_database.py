"""The database stops, starts, forgets its connections, holds locks: requests are told so, and the service comes back by itself."""

import concurrent.futures
import signal

import psycopg2
import pytest

from support.at_once import eventually
from support.load import Load
from support.postgres import Cluster
from support.world import World


@pytest.fixture
def own_cluster():
    """A PostgreSQL that may be stopped, and that keeps what it has committed."""
    made = type("Keeping", (Cluster,), {"SETTINGS": {**Cluster.SETTINGS, "synchronous_commit": "on"}})()
    yield made
    made.remove()


@pytest.fixture
def on_own(own_cluster, new_service):
    from support.fixtures import Database

    return new_service(Database(own_cluster, own_cluster.create_database()))


@pytest.mark.tsan
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "crash"])
def test_stopped_and_started_under_load(own_cluster, on_own, how):
    with Load(on_own) as load:
        load.seen("read", 200, 20)
        load.seen("write", 201, 20)
        for _ in range(2):
            own_cluster.stop(how)
            load.seen("read", 503)
            load.seen("write", 503)
            anyone = on_own.client("")
            eventually(lambda: anyone.get("/readyz").status == 503)
            assert anyone.get("/healthz").status == 200
            assert anyone.get("/metrics").status == 200 and b"assay_ready 0" in anyone.get("/metrics").body
            own_cluster.start()
            load.seen("read", 200, 20)
            load.seen("write", 201, 20)
            eventually(lambda: anyone.get("/readyz").status == 200)
    load.settle()


@pytest.mark.tsan
def test_connections_terminated_under_load(new_service):
    """All of them, again and again, in the midst of statements."""
    service = new_service()
    with Load(service) as load:
        load.seen("write", 201, 10)
        for _ in range(8):
            service.database.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{service.database.name}' and pid <> pg_backend_pid()")
            load.seen("read", 200, 5)
            load.seen("write", 201, 5)
    load.settle()
    assert service.client().get("/readyz").status == 200


def test_a_start_waits_for_nobody(own_cluster, new_service):
    """Without a database there is no service; it says why, and exits."""
    from support.fixtures import Database

    database = Database(own_cluster, own_cluster.create_database())
    own_cluster.stop()
    service = new_service(database, start=False)
    with pytest.raises(RuntimeError, match="exit status [1-9]"):
        service.start()
    own_cluster.start()
    service.start()


def test_stopped_while_the_database_is_gone(own_cluster, on_own):
    """A graceful stop needs no database."""
    own_cluster.stop()
    eventually(lambda: on_own.client("").get("/readyz").status == 503)
    on_own.stop()
    own_cluster.start()


def test_read_only_for_a_while(new_service):
    """A server that turned read-only (a standby after a failover): writes are told 503, reads go on, and both recover."""
    service = new_service()
    world = World(service.client())
    provider = world.register()
    path = f"/v1/providers/{provider['provider_id']}"
    database = service.database
    terminate = f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.name}' and pid <> pg_backend_pid()"
    database.sql(f"alter database {database.name} set default_transaction_read_only = on")
    database.sql(terminate)
    eventually(lambda: world.client.get(path).status == 200)
    refused = eventually(lambda: (a := world.client.patch(path, {"name": "RO"}, headers={"If-Match": "*"})).status and a)
    assert (refused.status, refused.code) == (503, "database_unavailable"), refused
    database.cluster.sql(f"alter database {database.name} reset default_transaction_read_only")
    database.cluster.sql(terminate.replace("and pid <> pg_backend_pid()", ""))
    eventually(lambda: world.client.patch(path, {"name": "RW"}, headers={"If-Match": "*"}).status == 200)


# ---- locks and slow statements ----


class Held:
    """A row of provider, locked by somebody else."""

    def __init__(self, database, provider_id):
        self.connection = psycopg2.connect(database.cluster.url(database.name, "postgres"))
        self.connection.cursor().execute(f"select from provider where provider_id = '{provider_id}' for update")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.rollback()
        self.connection.close()


@pytest.mark.tsan
def test_a_row_held_longer_than_we_wait(new_service):
    """503 with Retry-After, and nothing done; other requests are answered all the while; released, it works."""
    service = new_service(env={"ASSAY_LOOPS": "1"})
    world = World(service.client())
    held, other = world.register(), world.register()
    path, other_path = (f"/v1/providers/{p['provider_id']}" for p in (held, other))
    with Held(service.database, held["provider_id"]), concurrent.futures.ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(service.client().patch, path, {"name": f"N{i}"}, headers={"If-Match": "*"}) for i in range(3)]
        eventually(lambda: service.database.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")[0][0] >= 1)
        served = 0
        while not all(w.done() for w in waiting):
            assert world.client.get(path).json["name"] == held["name"]
            assert world.client.patch(other_path, {"name": f"M{served}"}, headers={"If-Match": "*"}).status == 200
            served += 1
        for w in waiting:
            answer = w.result()
            assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "overloaded", "1"), answer
        assert served > 10
        refused = world.client.post("/v1/providers", {})
        assert refused.status == 422
    assert world.client.get(path).etag == '"v1"'
    assert world.client.patch(path, {"name": "Free"}, headers={"If-Match": "*"}).status == 200


def test_all_write_lanes_held(new_service):
    """More writes wait than there are lanes: they queue, each is answered in the end, and reads never wait for them."""
    service = new_service(env={"ASSAY_LOOPS": "1", "ASSAY_WRITE_LANES": "2"})
    world = World(service.client())
    provider = world.register()
    path = f"/v1/providers/{provider['provider_id']}"
    with Held(service.database, provider["provider_id"]), concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(service.client().patch, path, {"name": f"N{i}"}, headers={"If-Match": "*"}) for i in range(8)]
        while not all(w.done() for w in waiting):
            assert world.client.get(path).status == 200
        assert {w.result().status for w in waiting} == {503}
    assert world.client.patch(path, {"name": "Free"}, headers={"If-Match": "*"}).status == 200


def test_the_write_queue_is_bounded(new_service):
    """Past its length the answer is 503 at once, not a longer queue."""
    service = new_service(env={"ASSAY_LOOPS": "1", "ASSAY_WRITE_LANES": "1"})
    world = World(service.client())
    provider = world.register()
    path = f"/v1/providers/{provider['provider_id']}"
    from support.raw import Raw, head

    body = b'{"name": "Q"}'
    sent = head("PATCH", path, service.admin_key, [("Content-Type", "application/json"), ("Content-Length", len(body)), ("If-Match", "*")]).encode() + body
    with Held(service.database, provider["provider_id"]):
        queued = [Raw(service.port).send(sent) for _ in range(600)]
        # 512 fit (and one runs); of the others each is told at once, long before those ahead of it have had their time.
        for connection in queued[-20:]:
            answer = connection.answer()
            assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "overloaded", "1")
        assert world.client.get(path).status == 200
    last = [connection.answer() for connection in queued[1:500]]
    assert {a.status for a in last} <= {200, 503} and sum(a.status == 200 for a in last) > 400
    for connection in queued:
        connection.close()


@pytest.mark.tsan
def test_a_slow_statement_holds_up_no_point_read(new_service):
    """A list whose statement takes long (here: until it is let go) runs elsewhere than reads by key."""
    service = new_service(env={"ASSAY_LOOPS": "1"})
    world = World(service.client())
    provider = world.register()
    path = f"/v1/providers/{provider['provider_id']}"
    # Lists of providers, and nothing else, now wait for an advisory lock.
    service.database.sql("alter function provider_list(text, integer, text, text, text, text, text) rename to provider_list_at_once")
    service.database.sql("""create function provider_list(after text, n integer, whose text, s text, r text, i text, q text)
        returns table (cursor text, body text) language plpgsql volatile as $$ begin
        perform pg_advisory_lock_shared(77); perform pg_advisory_unlock_shared(77);
        return query select * from provider_list_at_once(after, n, whose, s, r, i, q); end $$""")
    holder = psycopg2.connect(service.database.cluster.url(service.database.name, "postgres"))
    holder.cursor().execute("select pg_advisory_lock(77)")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        lists = [pool.submit(service.client().get, "/v1/providers") for _ in range(2)]
        eventually(lambda: service.database.sql("select count(*) from pg_stat_activity where wait_event = 'advisory'") == [(2,)])
        for _ in range(50):
            assert world.client.get(path).status == 200
            assert world.client.get(f"{path}/qualification").status == 200
        assert not any(w.done() for w in lists) or {w.result().status for w in lists if w.done()} == {503}
        holder.close()
        assert {w.result().status for w in lists} <= {200, 503}


def test_a_deadlock_is_tried_again(new_service):
    """PostgreSQL breaks it by failing one of two; the caller never hears of it."""
    service = new_service()
    world = World(service.client())
    provider = world.register()
    path = f"/v1/providers/{provider['provider_id']}"
    service.database.sql("create sequence fails; grant all on fails to assay")
    service.database.sql("""create function fail_once() returns trigger language plpgsql as $$ begin
        if nextval('fails') < 3 then raise exception 'as if' using errcode = 'deadlock_detected'; end if; return new; end $$""")
    service.database.sql("create trigger fail_once before update on provider for each row execute function fail_once()")
    answer = world.client.patch(path, {"name": "Third time"}, headers={"If-Match": "*"})
    assert (answer.status, answer.json["name"]) == (200, "Third time")
    assert service.database.sql("select last_value from fails") == [(3,)]


@pytest.fixture
def gathering(new_service):
    """A service, and what asks it for a qualification that has to be gathered first."""
    service = new_service()
    world = World(service.client())
    world.advance("2023-03-20")
    provider = world.admit()["provider_id"]
    world.advance("2023-04-20")
    assert world.qualification(provider)["status"] == "trial"

    def ask():
        service.database.sql("update period set facts_version = facts_version + 1")
        return service.client().get(f"/v1/providers/{provider}/qualification")

    return service, ask


@pytest.mark.tsan
@pytest.mark.parametrize("table", ["store_month", "store_version", "exam_pass"])
def test_one_of_several_sent_at_once_fails(gathering, table):
    """Whichever it is, the caller is told, and the connection does what comes next."""
    service, ask = gathering
    for _ in range(6):  # more than there are connections
        assert ask().status == 200
        service.database.sql(f"alter table {table} rename to away")
        assert ask().code == "internal"
        service.database.sql(f"alter table away rename to {table}")
    assert ask().status == 200


def test_the_connection_is_lost_while_several_are_under_way(gathering):
    service, ask = gathering
    assert ask().status == 200
    holder = psycopg2.connect(service.database.cluster.url(service.database.name, "postgres"))
    holder.cursor().execute("lock table exam_pass in access exclusive mode")
    waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%exam_pass%' and datname = current_database()"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask)
        pid = eventually(lambda: service.database.sql(waiting))[0][0]
        service.database.sql(f"select pg_terminate_backend({pid})")
        assert answer.result().code == "database_unavailable"
    holder.close()
    assert ask().status == 200
