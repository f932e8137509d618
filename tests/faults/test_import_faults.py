"""Imports that are cut off: by a kill, by the caller, by the database. Nothing half done, nothing lost, nothing doubled."""

import socket
import threading
import time

import pytest

from support.world import World, csv

CSV = {"Content-Type": "text/csv"}


class Upload:
    """A POST whose body is sent by hand, chunked."""

    def __init__(self, service, target, key):
        self.socket = socket.create_connection(("127.0.0.1", service.port), timeout=60)
        lines = [f"POST {target} HTTP/1.1", "Host: x", f"Authorization: Bearer {service.admin_key}", "Transfer-Encoding: chunked",
                 "Content-Type: text/csv", f"Idempotency-Key: {key}"]  # fmt: skip
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def send(self, piece):
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))

    def close(self):
        self.socket.close()


def wait_for(condition, seconds=60):
    give_up = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < give_up
        time.sleep(0.05)


def status_of(database, import_id):
    return database.sql(f"select status from import where import_id = '{import_id}'")[0][0]


def running(database):
    return database.sql("select import_id from import where status in ('receiving', 'applying')")


def left_behind(database):
    """Temporary tables of imports, in any session."""
    return database.sql("select c.relname from pg_class c where c.relpersistence = 't' and c.relname like 'import%' and c.relkind = 'r'")


@pytest.fixture
def loaded(new_service):
    """A service with 500 known stores, and rows of 40 days for them."""
    service = new_service()
    world = World(service.client())
    world.load("stores", [world.store(f"s-{i:03}") for i in range(500)])
    service.rows = [{"store_id": f"s-{i:03}", "day": f"2023-{4 + d // 30:02}-{1 + d % 30:02}", "orders": i + d, "gmv_fen": i * d}
                    for d in range(40) for i in range(500)]  # fmt: skip
    return service


def totals(database):
    return database.sql("select count(*), coalesce(sum(orders), 0), coalesce(sum(gmv_fen), 0) from store_day")[0]


def expected(rows):
    return (len(rows), sum(r["orders"] for r in rows), sum(r["gmv_fen"] for r in rows))


def test_a_caller_that_goes_away(loaded):
    body = csv("store_days", loaded.rows)
    upload = Upload(loaded, "/v1/imports?kind=store_days", "gone")
    upload.send(body[: len(body) // 2])
    ((import_id,),) = wait_for(lambda: running(loaded.database))
    upload.close()
    wait_for(lambda: status_of(loaded.database, import_id) == "failed")
    assert totals(loaded.database) == (0, 0, 0)
    wait_for(lambda: not left_behind(loaded.database))
    answer = loaded.client().post("/v1/imports", body=body, query={"kind": "store_days"}, headers=CSV, idempotency_key="gone")
    assert answer.status == 201 and "Idempotency-Replayed" not in answer.headers
    assert totals(loaded.database) == expected(loaded.rows)


def test_a_kill_while_the_body_arrives(loaded):
    body = csv("store_days", loaded.rows)
    upload = Upload(loaded, "/v1/imports?kind=store_days&complete_through=2023-05-10", "killed")
    upload.send(body[: len(body) // 2])
    ((import_id,),) = wait_for(lambda: running(loaded.database))
    loaded.kill()
    upload.close()
    assert totals(loaded.database) == (0, 0, 0)
    loaded.start()
    wait_for(lambda: status_of(loaded.database, import_id) == "failed")
    assert not left_behind(loaded.database)
    answer = loaded.client().post("/v1/imports", body=body, query={"kind": "store_days", "complete_through": "2023-05-10"}, headers=CSV,
                                  idempotency_key="killed")  # fmt: skip
    assert answer.status == 201 and answer.json["rows"]["inserted"] == len(loaded.rows)


@pytest.mark.parametrize("after_ms", [0, 10, 25, 50, 75, 100, 150, 250, 400])
def test_a_kill_at_any_moment_and_a_retry_with_the_same_key(loaded, after_ms):
    body = csv("store_days", loaded.rows)
    query = {"kind": "store_days", "complete_through": "2023-05-10"}

    def send():
        try:
            loaded.client().post("/v1/imports", body=body, query=query, headers=CSV, idempotency_key="once")
        except OSError:
            pass  # that is the point

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(after_ms / 1000)
    loaded.kill()
    sender.join()
    wait_for(lambda: not loaded.database.sql(
        "select 1 from pg_stat_activity where datname = current_database() and application_name like 'assay%'"))
    assert totals(loaded.database) in [(0, 0, 0), expected(loaded.rows)]  # all or nothing
    loaded.start()
    answer = loaded.client().post("/v1/imports", body=body, query=query, headers=CSV, idempotency_key="once")
    assert answer.status == 201 and answer.json["rows"]["inserted"] == len(loaded.rows) and answer.json["watermark"] == "2023-05-10"
    assert totals(loaded.database) == expected(loaded.rows)
    assert loaded.database.sql("select count(*) from import where kind = 'store_days' and status = 'applied'") == [(1,)]
    assert loaded.database.sql("select count(*) from event where type = 'watermark.moved'") == [(1,)]
    april = [r for r in loaded.rows if r["day"] < "2023-05"]
    assert loaded.database.sql("select count(*), sum(orders) from store_month") == [(500, sum(r["orders"] for r in april))]
    wait_for(lambda: not running(loaded.database))


@pytest.mark.parametrize("which", ["assay worker", "all"])
def test_a_database_that_drops_its_sessions(loaded, which):
    body = csv("store_days", loaded.rows)
    upload = Upload(loaded, "/v1/imports?kind=store_days", "dropped")
    upload.send(body[: len(body) // 2])
    ((import_id,),) = wait_for(lambda: running(loaded.database))
    of = "" if which == "all" else f" and application_name = '{which}'"
    loaded.database.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()" + of)
    upload.send(body[len(body) // 2 :])
    upload.socket.sendall(b"0\r\n\r\n")
    answer = upload.socket.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 503") and "database_unavailable" in answer
    upload.close()
    assert totals(loaded.database) == (0, 0, 0)
    wait_for(lambda: status_of(loaded.database, import_id) == "failed")

    def again():
        """503 as often as there are workers that have not noticed yet that their session is gone."""
        answer = loaded.client().post("/v1/imports", body=body, query={"kind": "store_days"}, headers=CSV, idempotency_key="dropped")
        assert answer.status in (201, 503)
        return answer if answer.status == 201 else None

    retry = wait_for(again)
    assert retry.json["rows"]["inserted"] == len(loaded.rows)


def test_a_slow_sender_cannot_hold_up_the_stop(loaded):
    loaded.stop()
    loaded.more_env["ASSAY_STOP_SECONDS"] = "2"
    loaded.start()
    upload = Upload(loaded, "/v1/imports?kind=store_days", "slow")
    upload.send(b"store_id,day,orders,gmv_fen\n")
    ((import_id,),) = wait_for(lambda: running(loaded.database))
    loaded.stop()
    upload.close()
    assert status_of(loaded.database, import_id) == "failed"


def test_an_import_waits_for_another_and_for_what_decides(loaded):
    """The facts lock, held elsewhere: the import is received meanwhile, and applied once it is free."""
    import psycopg2

    other = psycopg2.connect(loaded.database.url)
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(4242, 1)")
        done = []
        sender = threading.Thread(target=lambda: done.append(World(loaded.client()).load("store_days", loaded.rows)))
        sender.start()
        wait_for(lambda: loaded.database.sql("select 1 from import where status = 'applying'"))
        time.sleep(0.3)
        assert not done and totals(loaded.database) == (0, 0, 0)
        cursor.execute("select pg_advisory_unlock_shared(4242, 1)")
        sender.join(60)
    other.close()
    assert done[0]["rows"]["inserted"] == len(loaded.rows)


def test_stopping_does_not_wait_for_a_lock(loaded):
    import psycopg2

    other = psycopg2.connect(loaded.database.url)
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(4242, 1)")

        def send():
            try:
                answer = loaded.client().post("/v1/imports", body=csv("store_days", loaded.rows), query={"kind": "store_days"}, headers=CSV)
                assert answer.code == "stopping"
            except OSError:
                pass

        sender = threading.Thread(target=send)
        sender.start()
        wait_for(lambda: loaded.database.sql("select 1 from import where status = 'applying'"))
        loaded.stop()
        sender.join(60)
    other.close()
    assert totals(loaded.database) == (0, 0, 0) and not running(loaded.database)


def test_facts_that_came_in_by_another_way(loaded):
    """Rows that no import brought: what is known of loaded days does not know them. They are compared all the same."""
    loaded.database.sql("select ensure_store_day_partition('2023-04-01')")
    loaded.database.sql("insert into store_day select store_id, '2023-04-01', 0, 0, 0 from store")
    answer = World(loaded.client()).load("store_days", loaded.rows)
    assert answer["rows"] == {"received": 20000, "inserted": 19500, "changed": 499, "unchanged": 1, "rejected": 0}
    assert totals(loaded.database) == expected(loaded.rows)
