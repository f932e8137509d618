"""Readers and writers that go on whatever happens to the database, and what they were told."""

import threading
import time

from support.at_once import eventually
from support.world import World

DURING = {503}


class Load:
    """Readers and writers at work until stopped. What each of them was told is kept; an answer that is wrong, or a connection
    that breaks, is an error whatever happens to the database."""

    def __init__(self, service, readers=3, writers=3):
        self.service = service
        self.world = World(service.client())
        self.providers = [self.world.register() for _ in range(3)]
        self.stopping = threading.Event()
        self.statuses = {"read": [], "write": []}
        self.times = {"read": [], "write": []}  # (when, status)
        self.sent = []  # (provider, key, reference) of each payment, whatever became of it
        self.paid = set()  # those that were answered 201
        self.wrong = []
        self.threads = [threading.Thread(target=self._guard, args=(self._read, i)) for i in range(readers)]
        self.threads += [threading.Thread(target=self._guard, args=(self._write, i)) for i in range(writers)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for t in self.threads:
            t.join()
        assert not self.wrong, self.wrong[:3]

    def _guard(self, act, i):
        client = self.service.client()
        n = 0
        while not self.stopping.is_set():
            try:
                act(client, i, n)
            except BaseException as error:  # noqa: BLE001 - told at the end
                self.wrong.append(repr(error))
                return
            n += 1

    def _read(self, client, i, n):
        provider = self.providers[n % len(self.providers)]
        answer = client.get(f"/v1/providers/{provider['provider_id']}")
        self._note("read", answer.status)
        if answer.status == 200:
            assert answer.json["credit_code"] == provider["credit_code"], "another's answer"
        else:
            assert answer.status in DURING and answer.code in ("database_unavailable", "overloaded") and answer.headers["Retry-After"], answer
            time.sleep(0.02)

    def _write(self, client, i, n):
        provider = self.providers[(i + n) % len(self.providers)]
        one = (provider["provider_id"], f"key-{i}-{n}", f"ref-{i}-{n}")
        self.sent.append(one)
        answer = pay(client, one)
        self._note("write", answer.status)
        if answer.status == 201:
            self.paid.add(one)
        else:
            assert answer.status in DURING and answer.code in ("database_unavailable", "overloaded") and answer.headers["Retry-After"], answer
            time.sleep(0.02)

    def _note(self, kind, status):
        self.statuses[kind].append(status)
        self.times[kind].append((time.monotonic(), status))

    def seen(self, kind, status, more=1):
        """Waits for that many more answers of that status."""
        already = self.statuses[kind].count(status)
        eventually(lambda: self.statuses[kind].count(status) >= already + more or self.wrong, what=f"no {status} for a {kind}")

    def settle(self):
        """Every payment is sent again under its key: none may be lost, none doubled."""
        client = self.service.client()
        for one in self.sent:
            answer = eventually(lambda one=one: (a := pay(client, one)).status not in DURING and a)
            assert answer.status == 201, answer
            if one in self.paid:
                assert answer.headers["Idempotency-Replayed"] == "true", "it was answered before, so it was kept"
        for provider in self.providers:
            path = f"/v1/providers/{provider['provider_id']}/deposit"
            references = [e["external_reference"] for e in client.all(f"{path}/entries")]
            wanted = [r for p, _, r in self.sent if p == provider["provider_id"]]
            assert sorted(references) == sorted(wanted)
            assert client.get(path).json["balance_fen"] == len(wanted) * 100


def pay(client, one):
    provider_id, key, reference = one
    return client.post(f"/v1/providers/{provider_id}/deposit/entries", {"kind": "payment", "amount_fen": 100, "external_reference": reference},
                       idempotency_key=key)
