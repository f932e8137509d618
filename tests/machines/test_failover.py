"""The primary goes and its replica takes over, under load: with synchronous replication nothing that was acknowledged is lost, and
the service finds the new primary by itself."""

import os
import signal
import socket

import pytest

from support.at_once import eventually
from support.load import Load


def connected(cluster, database):
    return cluster.sql(f"select count(*) from pg_stat_activity where datname = '{database}' and application_name like 'assay %'")[0][0]


@pytest.mark.tsan
@pytest.mark.parametrize("more", ["", "&target_session_attrs=read-write", "&target_session_attrs=primary"])
def test_the_replica_is_promoted_under_load(pair, new_service, more):
    service = new_service(pair.database(more))
    pair.synchronous()
    with Load(service) as load:
        load.seen("read", 200, 20)
        load.seen("write", 201, 20)
        pair.primary.stop(signal.SIGQUIT)
        load.seen("read", 503)
        load.seen("write", 503)
        pair.replica.promote()
        load.seen("read", 200, 20)
        load.seen("write", 201, 20)
    load.settle()
    eventually(lambda: service.client("").get("/readyz").status == 200)


def test_a_switchover_leaves_no_connection_behind(pair, new_service):
    """The primary is made read-only and goes on running, and the replica takes over. Nothing breaks the connections to the old one:
    it is left because it refuses writes, by those that only read as well. Nothing it says is stale."""
    service = new_service(pair.database())
    pair.synchronous()
    name = service.database.name
    with Load(service) as load:
        load.seen("write", 201, 20)
        pair.primary.configure("default_transaction_read_only", "on")
        load.seen("write", 503)
        pair.caught_up()
        pair.replica.promote()
        load.seen("write", 201, 20)
        load.seen("read", 200, 20)
        eventually(lambda: connected(pair.primary, name) == 0, what="a connection stays with the old primary")
    load.settle()
    provider = load.providers[0]["provider_id"]
    client = service.client()
    changed = client.patch(f"/v1/providers/{provider}", {"name": "after the switchover"}, headers={"If-Match": "*"})
    assert changed.status == 200
    for _ in range(20):
        assert client.get(f"/v1/providers/{provider}").json["name"] == "after the switchover"


def test_a_host_that_does_not_even_refuse_is_passed_over(pair, new_service):
    """The first host of the list takes connections and says nothing, as one that is cut off may."""
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(f"{pair.primary.dir}/.s.PGSQL.6000")
    silent.listen(128)
    os.chmod(f"{pair.primary.dir}/.s.PGSQL.6000", 0o777)
    database = pair.database()
    database.url = f"postgresql://assay@/{database.name}?host={pair.primary.dir},{pair.primary.dir}&port=6000,5432&connect_timeout=2"
    service = new_service(database)
    client = service.client()
    assert client.get("/v1/providers").status == 200
    # Every connection is broken at once: the lanes come back, past the silent one.
    database.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.name}' and pid <> pg_backend_pid()")
    eventually(lambda: client.get("/v1/providers").status == 200 and client.get("/readyz").status == 200)
    silent.close()
