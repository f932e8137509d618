"""What the network does: callers that vanish, never read, come in thousands."""

import concurrent.futures
import os
import random
import socket
import struct
import threading

import psycopg2
import pytest

from support.at_once import eventually
from support.raw import Raw, exchange, head
from support.world import World


def reset(connection):
    """Goes away without a word: an RST."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def active(service):
    line = next(line for line in service.client("").get("/metrics").body.decode().splitlines() if line.startswith("assay_requests_active"))
    return int(line.split()[1])


def descriptors(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def post(service, path, body, length=None, **headers):
    sent = [("Content-Type", "application/json"), ("Content-Length", length or len(body)), *((k.replace("_", "-"), v) for k, v in headers.items())]
    return head("POST", path, service.admin_key, sent).encode() + body


@pytest.fixture
def provider(world):
    return world.register()


@pytest.mark.tsan
@pytest.mark.parametrize("leave", [lambda c: c.close(), reset], ids=["closed", "reset"])
def test_callers_that_vanish_while_the_database_works(service, database, world, provider, leave):
    """Their writes happen all the same, once, and nothing of them stays behind in the service."""
    path = f"/v1/providers/{provider['provider_id']}/deposit/entries"
    n = 20
    holder = psycopg2.connect(database.cluster.url(database.name, "postgres"))
    holder.cursor().execute(f"select from provider where provider_id = '{provider['provider_id']}' for update")
    gone = []
    for i in range(n):
        body = f'{{"kind": "payment", "amount_fen": 1, "external_reference": "v{i}"}}'.encode()
        gone.append(Raw(service.port).send(post(service, path, body, Idempotency_Key=f"{provider['provider_id']}-{i}")))
    eventually(lambda: active(service) >= n)
    for connection in gone:
        leave(connection)
    holder.close()
    client = world.client
    for i in range(n):
        answer = eventually(lambda i=i: (a := client.post(path, {"kind": "payment", "amount_fen": 1, "external_reference": f"v{i}"},
                                                          body=f'{{"kind": "payment", "amount_fen": 1, "external_reference": "v{i}"}}'.encode(),
                                                          idempotency_key=f"{provider['provider_id']}-{i}")).status in (201, 422) and a)
        assert answer.status in (201, 422)
    assert len(client.all(path)) == n
    eventually(lambda: active(service) == 1)


@pytest.mark.tsan
def test_callers_that_vanish_anywhere(service, client):
    """After any byte of a request, while others are served."""
    whole = post(service, "/v1/providers", b"{}") + head("GET", "/v1/providers", service.admin_key).encode()
    rng = random.Random(7)
    for i in range(300):
        connection = Raw(service.port)
        connection.send(whole[: rng.randrange(len(whole))])
        if i % 3 == 0:
            connection.socket.shutdown(socket.SHUT_WR)
        (reset if i % 2 else Raw.close)(connection)
        if i % 50 == 0:
            assert client.get("/v1/providers?limit=1").status == 200
    eventually(lambda: active(service) == 1)


@pytest.mark.tsan
def test_callers_that_vanish_from_an_upload(service, client, database, world):
    """An import cut off in its midst is none."""
    before = database.sql("select count(*) from store")
    rows = b"".join(b"gone-%d,n,420106,420100,antiques_art,antiques_art,normal,2020-01-01\n" % i for i in range(5000))
    header = b"store_id,name,registered_region,ship_from_regions,industry,category,status,valid_from\n"
    for leave in (Raw.close, reset, Raw.close, reset):
        connection = Raw(service.port)
        connection.send(head("POST", "/v1/imports?kind=stores", service.admin_key, [("Content-Type", "text/csv"), ("Content-Length", 10**7)]))
        connection.send(header + rows)
        leave(connection)
    eventually(lambda: active(service) == 1)
    assert database.sql("select count(*) from store") == before
    assert world.load("stores", [world.store("stays")])["status"] == "applied"


@pytest.mark.tsan
def test_thousands_of_short_connections(service, client):
    """Each with one request; no descriptor stays."""
    assert exchange(service.port, head("GET", "/healthz")).status == 200
    before = descriptors(service)

    def one(i):
        path = "/healthz" if i % 2 else "/v1/providers?limit=1"
        return exchange(service.port, head("GET", path, service.admin_key, [("Connection", "close")])).status

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(3000))) == {200}
    eventually(lambda: descriptors(service) <= before + 2)


@pytest.mark.tsan
def test_many_at_once_on_kept_connections(service, world):
    """64 callers, reads of all kinds at once: everyone gets its own answer."""
    providers = [world.register() for _ in range(20)]

    def one(i):
        client = service.client()
        for n in range(15):
            provider = providers[(i + n) % len(providers)]
            path = f"/v1/providers/{provider['provider_id']}"
            assert client.get(path).json == provider
            assert client.get(f"{path}/deposit").json["provider_id"] == provider["provider_id"]
            assert client.get(f"/v1/providers/prv_{i}_{n}").status == 404
            if n % 5 == 0:
                assert client.get(f"{path}/qualification", check=False).json["provider_id"] == provider["provider_id"]
        client.close()
        return True

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert all(pool.map(one, range(64)))


def test_callers_that_never_read(service, client):
    """Large answers to those who do not read them: their loop serves others meanwhile."""
    stuck = []
    for _ in range(20):
        connection = Raw(service.port, receive_buffer=2048)
        connection.send(head("GET", "/docs/redoc.js") * 3)
        stuck.append(connection)
    for _ in range(20):
        assert client.get("/v1/providers?limit=1").status == 200
    for connection in stuck:
        reset(connection)
    eventually(lambda: active(service) == 1)


@pytest.mark.tsan
def test_the_limit_of_connections(new_service):
    """As many as are allowed are served, those above are told 503; when they leave there is room again. Over and over."""
    service = new_service(env={"ASSAY_LOOPS": "1", "ASSAY_CONNECTIONS": "50"})
    for _ in range(3):
        held = [Raw(service.port) for _ in range(50)]
        assert {c.send(head("GET", "/healthz")).answer().status for c in held} == {200}
        assert {exchange(service.port, head("GET", "/healthz")).status for _ in range(30)} == {503}
        assert {c.send(head("GET", "/healthz")).answer().status for c in held} == {200}
        for connection in held:
            reset(connection)
        eventually(lambda: exchange(service.port, head("GET", "/healthz")).status == 200)


def test_far_more_than_the_limit(new_service):
    """Hundreds more than fit, none of whom leaves: those above wait or are told; nobody who was in suffers."""
    service = new_service(env={"ASSAY_LOOPS": "1", "ASSAY_CONNECTIONS": "16"})
    held = [Raw(service.port) for _ in range(16)]
    assert {c.send(head("GET", "/healthz")).answer().status for c in held} == {200}
    crowd = [Raw(service.port).send(head("GET", "/healthz")) for _ in range(300)]
    assert {c.send(head("GET", "/healthz")).answer().status for c in held} == {200}
    assert {c.answer().status for c in crowd} == {503}
    for connection in held + crowd:
        connection.close()
    eventually(lambda: exchange(service.port, head("GET", "/healthz")).status == 200)


@pytest.mark.tsan
def test_stopped_with_everything_under_way(new_service):
    """Idle, half a request line, half a head, half a body, waiting for the database, half an upload, half read: it stops, with 0."""
    service = new_service(env={"ASSAY_STOP_SECONDS": "2"})
    world = World(service.client())
    provider = world.register()
    path = f"/v1/providers/{provider['provider_id']}"
    holder = psycopg2.connect(service.database.cluster.url(service.database.name, "postgres"))
    holder.cursor().execute(f"select from provider where provider_id = '{provider['provider_id']}' for update")
    entry = b'{"kind": "payment", "amount_fen": 1, "external_reference": "w"}'
    begun = [b"", b"GET /v1/prov", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-", post(service, "/v1/providers", b'{"na', 100),
             post(service, f"{path}/deposit/entries", entry, Idempotency_Key="w"),
             head("POST", "/v1/imports?kind=stores", service.admin_key, [("Content-Type", "text/csv"), ("Content-Length", 10**6)]).encode() + b"store_id,na",
             head("POST", "/v1/evaluations", service.admin_key, [("Content-Type", "application/json"), ("Content-Length", 10**6)]).encode() + b"{",
             head("GET", "/docs/redoc.js").encode() * 5]
    left = [Raw(service.port, receive_buffer=2048).send(b) for b in begun for _ in range(3)]
    eventually(lambda: service.database.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")[0][0] >= 1)
    service.stop()
    holder.close()
    for connection in left:
        connection.close()


@pytest.mark.tsan
def test_keys_and_writes_in_a_mix(service, client, world):
    """Makes, uses and revokes keys while others read and write: no answer is another's."""
    stop, wrong = threading.Event(), []

    def guard(act):
        try:
            while not stop.is_set():
                act()
        except BaseException as error:  # noqa: BLE001 - told at the end
            wrong.append(repr(error))

    def own_provider():
        mine = world.register()
        made = client.post("/v1/keys", {"name": "k", "role": "partner", "provider_id": mine["provider_id"]}).json
        partner = service.client(made["key"])
        assert [p["provider_id"] for p in partner.all("/v1/providers")] == [mine["provider_id"]]
        assert client.delete(f"/v1/keys/{made['key_id']}").status == 204
        partner.close()

    def stranger():
        assert service.client("ask_" + "Z" * 43).get("/v1/providers").status == 401

    threads = [threading.Thread(target=guard, args=(act,)) for act in (own_provider, own_provider, own_provider, stranger, stranger)]
    for t in threads:
        t.start()
    eventually(lambda: world.client.get("/v1/providers?limit=200").json["next_cursor"] or wrong)
    stop.set()
    for t in threads:
        t.join()
    assert not wrong, wrong[:2]
