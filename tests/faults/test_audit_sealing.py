"""The chain stays one: however many seal at once, wherever one is killed, whoever is still writing, and in another cluster."""

import os
import random
import re
import subprocess
import threading
import time

import psycopg2
import pytest

from support.at_once import eventually
from support.audit import FIRST, link_sha256
from support.postgres import Cluster, programs
from support.service import Service

WRITE = """select audit_add('{"request_id": "r", "key_id": "key_1", "key_name": "someone"}', 'thing.made', 'prv_1', null, '{"n": 1}')"""
SEAL = "select sealed, more from audit_seal_more(%s, %s)"


def connect(database, role="assay"):
    connection = psycopg2.connect(database.cluster.url(database.name, role))
    connection.autocommit = True
    return connection


def run(connection, statement, args=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, args)
        return cursor.fetchall() if cursor.description else None


def seal_all(connection, most=1000):
    while run(connection, SEAL, (most, True))[0][1]:
        pass


def check(database):
    """Every entry is sealed, once, and the chain is one; how many there are."""
    rows = database.sql("select position, c.sha256, audit_sha256(a) from audit a full join audit_chain c using (audit_id) order by position")
    last = FIRST
    for i, (position, link, row) in enumerate(rows):
        assert position == i + 1 and row is not None
        last = link_sha256(last, bytes(row))
        assert last == bytes(link)
    assert database.sql("select position, sha256 from audit_seal")[0][0] == len(rows)
    return len(rows)


def test_by_itself_within_moments(new_service):
    service = new_service()
    client = service.client()
    eventually(lambda: all(e["sealed"] for e in client.all("/v1/audit")), 10)
    check(service.database)
    assert '"audit sealed"' in service.log()


def test_who_still_writes_holds_nobody_up(new_database):
    """An entry that another transaction has not committed yet neither waits for the sealer nor makes it wait, and is sealed later."""
    database = new_database()
    late, other, sealer = (connect(database) for _ in range(3))
    late.autocommit = False
    run(late, WRITE)
    run(other, WRITE)
    seal_all(sealer)
    assert database.sql("select count(*) from audit_chain") == database.sql("select count(*) from audit")
    before = check(database)
    run(other, WRITE)
    late.commit()
    seal_all(sealer)
    assert check(database) == before + 2


def test_a_rolled_back_entry_leaves_no_trace(new_database):
    database = new_database()
    writer = connect(database)
    writer.autocommit = False
    run(writer, WRITE)
    run(writer, "savepoint a")
    run(writer, WRITE)
    run(writer, "rollback to a")
    run(writer, WRITE)
    writer.commit()
    run(writer, WRITE)
    writer.rollback()
    seal_all(connect(database))
    check(database)


def test_large_transactions_are_sealed_whole_and_others_in_pieces(new_database):
    database = new_database()
    writer, sealer = connect(database), connect(database)
    run(writer, f"do $$ begin for i in 1..500 loop perform ({WRITE}); end loop; end $$")
    for _ in range(25):
        run(writer, WRITE)
    pieces = []
    while True:
        sealed, more = run(sealer, SEAL, (10, True))[0]
        pieces.append(sealed)
        if not more:
            break
    assert max(pieces) >= 500 and len(pieces) >= 3 and all(p <= 511 for p in pieces)
    check(database)


class Crowd:
    """Writers whose transactions take their time, some of which are rolled back; sealers of small pieces, whom somebody kills."""

    def __init__(self, database, seed):
        self.database = database
        self.random = random.Random(seed)
        self.stop = threading.Event()
        self.raised = []
        self.committed = 0
        self.killed = 0
        self.lock = threading.Lock()

    def write(self, seed):
        rnd, connection = random.Random(seed), connect(self.database)
        connection.autocommit = False
        while not self.stop.is_set():
            n = rnd.randint(1, 6)
            for _ in range(n):
                run(connection, WRITE)
                if rnd.random() < 0.2:
                    time.sleep(rnd.random() * 0.02)
            if rnd.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()
                with self.lock:
                    self.committed += n

    def seal(self, seed):
        rnd, connection = random.Random(seed), None
        while not self.stop.is_set():
            try:
                connection = connection or connect(self.database)
                run(connection, SEAL, (rnd.choice([1, 3, 10, 1000]), rnd.random() < 0.5))
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                connection = None
                with self.lock:
                    self.killed += 1

    def kill(self):
        connection = connect(self.database, "postgres")
        while not self.stop.is_set():
            run(connection, """select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
                and query like '%%audit_seal_more%%' and pid <> pg_backend_pid() and state = 'active'""", ())
            time.sleep(0.02)

    def guard(self, do, *args):
        try:
            do(*args)
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.raised.append(error)

    def run(self, seconds):
        jobs = [(self.write, i) for i in range(6)] + [(self.seal, 100 + i) for i in range(4)] + [(self.kill,)]
        threads = [threading.Thread(target=self.guard, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        assert not self.raised


def test_many_seal_write_and_are_killed(new_database):
    database = new_database()
    before = database.sql("select count(*) from audit")[0][0]
    crowd = Crowd(database, 1)
    crowd.run(6)
    assert crowd.killed > 3 and crowd.committed > 100
    seal_all(connect(database))
    assert check(database) == before + crowd.committed


def test_several_services_killed_again_and_again(new_service):
    first = new_service()
    second = new_service(database=first.database)
    third = new_service(database=first.database)
    written = 0
    for service in (second, third, second, first):
        for one in (first, second, third):
            client = one.client(first.admin_key)
            for _ in range(10):
                assert client.post("/v1/keys", {"name": "k", "role": "feed"}).status == 201
                written += 1
        time.sleep(random.random())
        service.kill()
        service.start()
    seen = first.client().get("/v1/audit/verify").json
    assert seen["ok"] and seen["complete"] and seen["entries"] >= written
    eventually(lambda: first.database.sql("select count(*) from audit") == first.database.sql("select count(*) from audit_chain"), 20)
    check(first.database)


@pytest.fixture
def elsewhere():
    made = Cluster()
    yield made
    made.remove()


def test_a_dump_restored_in_another_cluster(elsewhere, new_database, tmp_path):
    """Transactions are numbered anew there. What was not sealed when it was dumped is sealed, and what comes is found."""
    database = new_database()
    for _ in range(300):  # so that this cluster is ahead
        database.sql("select pg_current_xact_id()")
    service = Service(database.url, home=str(tmp_path))
    head = re.search(r"sealed up to (\S+)", service.command("verify"))[1]
    writer = connect(database)
    for _ in range(3):
        run(writer, WRITE)
    there = elsewhere.create_database()
    dump = subprocess.run([os.path.join(programs(), "pg_dump"), "--format=custom", database.url], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run([os.path.join(programs(), "pg_restore"), "--dbname", elsewhere.url(there, "postgres")], input=dump, check=True)
    assert elsewhere.sql("select pg_snapshot_xmax(pg_current_snapshot()) < (select max(txid) from audit)", there) == [(True,)]

    restored = Service(elsewhere.url(there), home=str(tmp_path))
    restored.command("migrate")
    for _ in range(3):
        elsewhere.sql(WRITE, there, role="assay")
    entries = elsewhere.sql("select count(*) from audit", there)[0][0]
    out = restored.command("verify", "--audit-head", head)
    assert f"ok     {entries} audit entries" in out
    assert elsewhere.sql("select era, count(*) from audit group by 1 order by 1", there) == [(1, entries - 3), (2, 3)]
    assert elsewhere.sql("select count(*) from audit_chain", there) == [(entries,)]
    elsewhere.sql("set session_replication_role = replica; delete from audit where audit_id = 1", there)
    assert "is gone" in restored.command("verify", ok=False)
