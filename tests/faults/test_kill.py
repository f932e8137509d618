"""kill -9 in the midst of writes, and stopping in their midst: sent again under the same key, nothing is lost and nothing doubled."""

import concurrent.futures
import http.client
import random
import signal
import threading

import psycopg2
import pytest

from support.at_once import eventually
from support.raw import Raw, head
from support.world import World

WRITERS = 6


class Writers:
    """Payments, registrations and applications, each remembered before it is sent. A connection that breaks is expected."""

    def __init__(self, service, provider_id):
        self.service = service
        self.provider_id = provider_id
        self.sent = []
        self.answered = {}
        self.broken = 0
        self.stopping = threading.Event()
        self.world = World(None)

    def request(self, i, n):
        if n % 3:
            return (f"/v1/providers/{self.provider_id}/deposit/entries", {"kind": "payment", "amount_fen": 7, "external_reference": f"r-{i}-{n}"}, f"pay-{i}-{n}")
        return "/v1/providers", self.world.provider_body(name=f"w-{i}-{n}"), f"reg-{i}-{n}"

    def run(self, i):
        client, n = self.service.client(), 0
        while not self.stopping.is_set():
            one = self.request(i, n)
            self.sent.append(one)
            n += 1
            try:
                answer = client.post(one[0], one[1], idempotency_key=one[2])
            except (OSError, http.client.HTTPException):
                self.broken += 1
                return
            if answer.status == 201:
                self.answered[one[2]] = answer.body
            else:
                assert answer.status == 503, answer

    def check(self, client):
        """Sends everything again; then all of it is there once, and what was answered before is answered the same."""
        for path, body, key in self.sent:
            answer = client.post(path, body, idempotency_key=key)
            assert answer.status == 201, answer
            if key in self.answered:
                assert answer.body == self.answered[key] and answer.headers["Idempotency-Replayed"] == "true"
        payments = [body["external_reference"] for _, body, key in self.sent if key.startswith("pay")]
        entries = client.all(f"/v1/providers/{self.provider_id}/deposit/entries")
        assert sorted(e["external_reference"] for e in entries) == sorted(payments)
        assert client.get(f"/v1/providers/{self.provider_id}/deposit").json["balance_fen"] == 7 * len(payments)
        names = sorted(body["name"] for _, body, key in self.sent if key.startswith("reg"))
        assert sorted(p["name"] for p in client.all("/v1/providers", {"q": "w-"})) == names


@pytest.mark.parametrize("round_", range(3))
def test_killed_while_writing(new_service, round_):
    service = new_service()
    provider_id = World(service.client()).register()["provider_id"]
    writers = Writers(service, provider_id)
    for again in range(2):
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            running = [pool.submit(writers.run, again * WRITERS + i) for i in range(WRITERS)]
            enough = len(writers.answered) + random.randint(1, 60)
            eventually(lambda enough=enough: len(writers.answered) >= enough)
            service.kill()
            for one in running:
                one.result()
        service.start()
    assert writers.broken
    writers.check(service.client())


@pytest.mark.tsan
def test_stopped_under_load(new_service):
    """Every request under way is answered; the exit status is 0; what was answered was done."""
    service = new_service(env={"ASSAY_LOOPS": "2"})
    provider_id = World(service.client()).register()["provider_id"]
    writers = Writers(service, provider_id)
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        running = [pool.submit(writers.run, i) for i in range(WRITERS)]
        eventually(lambda: len(writers.answered) >= 100)
        service.stop()
        writers.stopping.set()
        for one in running:
            one.result()
    service.start()
    writers.check(service.client())


@pytest.mark.tsan
def test_requests_under_way_are_finished(new_service):
    """Those that wait for the database, and those whose body is still arriving, get their answer when it stops."""
    service = new_service(env={"ASSAY_LOOPS": "2"})
    world = World(service.client())
    provider_id = world.register()["provider_id"]
    path = f"/v1/providers/{provider_id}"
    holder = psycopg2.connect(service.database.cluster.url(service.database.name, "postgres"))
    holder.cursor().execute(f"select from provider where provider_id = '{provider_id}' for update")
    n = 6
    waiting = []
    for i in range(n):
        body = f'{{"kind": "payment", "amount_fen": 1, "external_reference": "s{i}"}}'.encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", len(body)), ("Idempotency-Key", f"s{i}")]
        waiting.append(Raw(service.port).send(head("POST", f"{path}/deposit/entries", service.admin_key, headers).encode() + body))
    body = b'{"name": 7}'
    arriving = Raw(service.port).send(head("PATCH", path, service.admin_key, [("Content-Type", "application/json"), ("Content-Length", len(body)),
                                                                            ("If-Match", "*")]).encode() + body[:5])
    eventually(lambda: b"\nassay_requests_active 8" in service.client("").get("/metrics").body)  # these seven, and this one itself
    service.process.send_signal(signal.SIGTERM)
    eventually(lambda: "Stopping" in service.log())
    assert service.process.poll() is None
    holder.close()
    assert [w.answer().status for w in waiting] == [201] * n
    assert arriving.send(body[5:]).answer().status == 422
    service.stop()
    service.start()
    assert len(service.client().all(f"{path}/deposit/entries")) == n


def test_what_cannot_be_finished_in_time_is_told(new_service):
    """Longer than ASSAY_STOP_SECONDS nobody waits: 503, and out."""
    service = new_service(env={"ASSAY_STOP_SECONDS": "1", "ASSAY_LOOPS": "1"})
    world = World(service.client())
    provider_id = world.register()["provider_id"]
    holder = psycopg2.connect(service.database.cluster.url(service.database.name, "postgres"))
    holder.cursor().execute(f"select from provider where provider_id = '{provider_id}' for update")
    body = b'{"name": "never"}'
    waiting = Raw(service.port).send(head("PATCH", f"/v1/providers/{provider_id}", service.admin_key, [
        ("Content-Type", "application/json"), ("Content-Length", len(body)), ("If-Match", "*")]).encode() + body)
    eventually(lambda: service.database.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == [(1,)])
    service.process.send_signal(signal.SIGTERM)
    answer = waiting.answer()
    assert answer.status == 503 and answer.code in ("stopping", "overloaded"), answer
    service.stop()
    holder.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_stops_at_once(new_service, how):
    service = new_service()
    kept = Raw(service.port)
    assert kept.send(head("GET", "/healthz")).answer().status == 200
    service.stop(how)
    assert kept.rest() == b""


def test_two_instances_on_one_database(new_service):
    """Nothing that matters lives in one process: keys and effects are the same through either; one is killed, the other goes on."""
    first = new_service()
    second = new_service(first.database)
    second_client = second.client(first.admin_key)
    provider_id = World(first.client()).register()["provider_id"]
    path = f"/v1/providers/{provider_id}/deposit/entries"
    body = {"kind": "payment", "amount_fen": 5, "external_reference": "both"}
    clients = [first.client(), second_client] * 6
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda c: c.with_key(first.admin_key).post(path, body, idempotency_key="both"), clients))
    assert {a.status for a in answers} <= {201, 409} and {a.code for a in answers if a.status == 409} <= {"idempotency_in_flight"}
    assert len({a.body for a in answers if a.status == 201}) == 1
    first.kill()
    answer = second_client.post(path, body, idempotency_key="both")
    assert (answer.status, answer.headers["Idempotency-Replayed"]) == (201, "true")
    assert len(second_client.all(path)) == 1
