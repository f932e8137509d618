"""The ledger under crowds and crashes: many clients at once pay, deduct, reverse, ask, approve, settle, fail and retry, with fresh
and with repeated keys, and more of them only pay, so that payments go together, while the service is killed again and again. Afterwards every account balances, nothing went negative,
every external reference counts once, and the balances are what the answers said."""

import http.client
import json
import os
import random
import threading
import time

import pytest

from support.together import lane
from support.world import World

PROVIDERS, CLIENTS, PAYERS, KILLS = 3, 8, 16, 4
SECONDS = float(os.environ.get("LEDGER_SECONDS", "12"))
UNANSWERED = (408, 429, 500, 503)
GIVE_UP_SECONDS = 60


class Crowd:
    """What its clients share. A reference comes up again and again; of each only one entry may come about."""

    def __init__(self, service, seed):
        self.service = service
        self.keys = [service.admin_key, service.new_key("operator"), service.new_key("operator")]
        self.world = World(service.client())
        self.providers = [self.world.register()["provider_id"] for _ in range(PROVIDERS)]
        self.seed = seed
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.deductions, self.refunds = [], []  # (provider, id)
        self.payments = []  # what payers sent last: another sends it at the same time
        self.batches = 0
        self.answers = {}  # (key, idempotency key) -> status and body; every answer under it must be this
        self.statuses = {}
        self.failed = None

    def send(self, key, path, body, idempotency_key):
        """Retried until it is answered: across crashes, and while the same request is still running."""
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                client = self.service.client(key)
                answer = client.post(path, body, idempotency_key=idempotency_key)
                client.close()
                if answer.status not in UNANSWERED and answer.code not in ("idempotency_in_flight", "conflict"):
                    return answer
            except (OSError, http.client.HTTPException):
                pass
            assert time.monotonic() < give_up, f"{path} was not answered"
            time.sleep(0.02)

    def note(self, key, idempotency_key, answer, kind):
        with self.lock:
            said = self.answers.setdefault((key, idempotency_key), (answer.status, answer.body))
            assert said == (answer.status, answer.body), f"{idempotency_key} was answered twice: {said} and {answer}"
            self.statuses.setdefault(kind, {}).setdefault(answer.code or answer.status, 0)
            self.statuses[kind][answer.code or answer.status] += 1


class Member(threading.Thread):
    def __init__(self, crowd, number):
        super().__init__()
        self.crowd = crowd
        self.random = random.Random(f"{crowd.seed}-{number}")
        self.number = number
        self.sent = []

    def run(self):
        try:
            while not self.crowd.stop.is_set():
                self.step()
        except BaseException as error:  # noqa: BLE001 - raised in the test
            self.crowd.failed = self.crowd.failed or error
            self.crowd.stop.set()

    def step(self):
        if self.sent and self.random.random() < 0.2:
            self.send(*self.random.choice(self.sent))  # as a client does that has not seen the answer
            return
        make = self.random.choice([self.pay, self.pay, self.pay, self.deduct, self.deduct, self.reverse, self.ask, self.ask,
                                   self.approve, self.approve, self.approve, self.settle, self.settle, self.fail, self.close])  # fmt: skip
        made = make()
        if made:
            key = self.random.choice(self.crowd.keys)
            request = (make.__name__, key, *made, f"{self.number}-{len(self.sent)}")
            self.sent.append(request)
            self.send(*request)

    def send(self, kind, key, path, body, idempotency_key):
        answer = self.crowd.send(key, path, body, idempotency_key)
        self.crowd.note(key, idempotency_key, answer, kind)
        if answer.status == 201:
            provider = answer.json["provider_id"]
            with self.crowd.lock:
                if kind == "deduct":
                    self.crowd.deductions.append((provider, answer.json["entry_id"]))
                elif kind == "ask":
                    self.crowd.refunds.append((provider, answer.json["refund_id"]))

    # ---- what there is to do: path and body, or None ----

    def entries(self, provider=None):
        return f"/v1/providers/{provider or self.random.choice(self.crowd.providers)}/deposit/entries"

    def some(self, things):
        with self.crowd.lock:
            return self.random.choice(things[-6:]) if things else None

    def pay(self):
        kind = self.random.choice(["payment", "top_up"])
        return self.entries(), {"kind": kind, "amount_fen": self.random.randint(1, 900), "external_reference": f"bank-{self.random.randint(1, 2000)}"}

    def deduct(self):
        body = {"kind": "deduction", "amount_fen": self.random.randint(1, 900), "reason": "r", "reference": "v"}
        if self.random.random() < 0.5:
            body["external_reference"] = f"case-{self.random.randint(1, 60)}"
        return self.entries(), body

    def reverse(self):
        deduction = self.some(self.crowd.deductions)
        return deduction and (self.entries(deduction[0]), {"kind": "deduction_reversal", "reverses": deduction[1]})

    def close(self):
        deduction = self.some(self.crowd.deductions)
        return deduction and (f"{self.entries(deduction[0])}/{deduction[1]}/close", {})

    def ask(self):
        body = {"reason": "r"} if self.random.random() < 0.1 else {"reason": "r", "amount_fen": self.random.randint(1, 600)}
        return f"/v1/providers/{self.random.choice(self.crowd.providers)}/deposit/refunds", body

    def approve(self):
        refund = self.some(self.crowd.refunds)
        if not refund:
            return None
        body = {"amount_fen": self.random.randint(1, 600)} if self.random.random() < 0.2 else {}
        return f"/v1/refunds/{refund[1]}/approve", body

    def settle(self):
        refund = self.some(self.crowd.refunds)
        return refund and (f"/v1/refunds/{refund[1]}/settle", {"external_reference": f"out-{self.random.randint(1, 200)}"})

    def fail(self):
        refund = self.some(self.crowd.refunds)
        return refund and (f"/v1/refunds/{refund[1]}/fail", {})


class Payer(Member):
    """Pays and pays; what it sends is often what another is sending, under the same key or under one of its own."""

    def step(self):
        with self.crowd.lock:
            others = list(self.crowd.payments)
        copy = self.random.choice(others) if others and self.random.random() < 0.3 else None
        if copy and self.random.random() < 0.7:
            self.send(*copy)
            return
        path, body = copy[2:4] if copy else self.pay()
        if self.random.random() < 0.05:
            path = self.entries("prv_nobody")
        request = ("pay", self.random.choice(self.crowd.keys), path, body, f"{self.number}-{len(self.sent)}")
        self.sent.append(request)
        with self.crowd.lock:
            self.crowd.payments = [*self.crowd.payments[-4:], request]
        self.send(*request)


def kill_again_and_again(crowd):
    pauses = random.Random(crowd.seed)
    for _ in range(KILLS):
        if crowd.stop.wait(SECONDS / (KILLS + 1) * pauses.uniform(0.5, 1.5)):
            return
        crowd.batches += lane(crowd.service, "batches_total")
        crowd.service.kill()
        crowd.service.start()
    crowd.stop.wait(SECONDS / (KILLS + 1))
    crowd.batches += lane(crowd.service, "batches_total")


def test_crowds_and_crashes(new_service):
    crowd = Crowd(new_service(), seed=random.randrange(1 << 32))
    members = [Member(crowd, n) for n in range(CLIENTS)] + [Payer(crowd, CLIENTS + n) for n in range(PAYERS)]
    print(f"seed {crowd.seed}")
    for member in members:
        member.start()
    try:
        kill_again_and_again(crowd)
    finally:
        crowd.stop.set()
        for member in members:
            member.join()
    if crowd.failed:
        raise crowd.failed
    print(crowd.statuses, crowd.batches)
    assert crowd.batches > 10, "payments did not go together"
    for kind, ok in (("pay", 201), ("deduct", 201), ("reverse", 201), ("ask", 201), ("approve", 200), ("settle", 200), ("fail", 200)):
        assert crowd.statuses[kind].get(ok, 0) > 0, f"nothing ever came of {kind}: {crowd.statuses}"
    for provider in crowd.providers:
        check_account(crowd, provider)
    check_database(crowd.service)


def check_account(crowd, provider):
    client = crowd.service.client()
    deposit = client.get(f"/v1/providers/{provider}/deposit").json
    entries = client.all(f"/v1/providers/{provider}/deposit/entries")
    refunds = client.all(f"/v1/providers/{provider}/deposit/refunds")

    # Each account is the sum of its entries, in whatever order they came.
    sign = {"payment": 1, "top_up": 1, "deduction_reversal": 1, "deduction": -1, "refund": -1}
    running = 0
    for entry in reversed(entries):
        running += sign[entry["kind"]] * entry["amount_fen"]
        assert entry["balance_fen"] == running >= 0
    assert deposit["balance_fen"] == running
    assert deposit["held_fen"] == sum(r["amount_fen"] for r in refunds if r["status"] in ("requested", "approved"))
    assert 0 <= deposit["held_fen"] <= deposit["balance_fen"]

    # What was said to be posted is there, once, and nothing else.
    said = {}
    for status, body in crowd.answers.values():
        if status == 201 and b'"entry_id":"ent_' in body and provider.encode() in body and b'"refund_id":"rfd_' not in body:
            made = json.loads(body)
            said[made["entry_id"]] = (made["kind"], made["amount_fen"])
    posted = {e["entry_id"]: (e["kind"], e["amount_fen"]) for e in entries}
    assert len(posted) == len(entries)
    assert {i: e for i, e in posted.items() if e[0] != "refund"} == said
    named = [(e["kind"], e["external_reference"]) for e in entries if e["external_reference"]]
    assert len(named) == len(set(named)), "an external reference counted twice"
    reversed_ = [e["reverses"] for e in entries if e["reverses"]]
    assert len(reversed_) == len(set(reversed_)), "a deduction was reversed twice"

    # Each settled refund was paid once, as two people agreed.
    paid = {e["refund_id"]: e["amount_fen"] for e in entries if e["kind"] == "refund"}
    assert paid == {r["refund_id"]: r["amount_fen"] for r in refunds if r["status"] == "settled"}
    assert all(r["approved_by"] not in (None, r["requested_by"]) for r in refunds if r["status"] == "settled")


def check_database(service):
    sql = service.database.sql
    assert sql("select sum(amount_fen) from ledger_posting")[0][0] == 0
    assert sql("select count(*) from (select from ledger_posting group by provider_id, seq having sum(amount_fen) <> 0) x")[0][0] == 0
    assert sql("select count(*) from provider where held_fen < 0 or balance_fen < held_fen")[0][0] == 0
    out = service.command("verify")
    assert "WRONG" not in out and "ledger entries balance" in out


TAMPERED = {
    "an entry is gone": ("delete from ledger_entry where seq = 2", "an entry before it is missing"),
    "the newest entry is gone": ("delete from ledger_entry where seq = 5", "its balance is not the sum of its entries"),
    "another amount": (
        "update ledger_entry set amount_fen = 101, available_change_fen = 101, platform_change_fen = -101 where seq = 1",
        "the balance after it is not what the entries come to"),
    "another balance": ("update provider set balance_fen = balance_fen + 1 where ledger_seq > 0", "its balance is not the sum of its entries"),
    "another hold": ("update provider set held_fen = held_fen - 1 where ledger_seq > 0", "its balance is not the sum of its entries"),
    "a refund that is over and holds": (
        "update refund set status = 'failed', ended_on = '2023-05-10' where status = 'requested'", "its entries hold something else than it says"),
    "a deduction said to be reversed": (
        "update deduction set status = 'reversed', ended_on = '2023-05-10' where status = 'open'", "its reversal is not what the ledger says"),
    "a debt forgiven": ("update provider set required_fen = 1, obligation = 'x@1' where ledger_seq > 0", "what it owes is not its newest obligation"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_verify_finds_what_a_superuser_did(cluster, new_service, how):
    change, complaint = TAMPERED[how]
    service = new_service()
    world = World(service.client())
    deposit = f"/v1/providers/{world.register()['provider_id']}/deposit"
    for body in ({"kind": "payment", "amount_fen": 100, "external_reference": "a"}, {"kind": "payment", "amount_fen": 50, "external_reference": "b"},
                 {"kind": "deduction", "amount_fen": 10, "reason": "r", "reference": "v"}):  # fmt: skip
        assert service.client().post(f"{deposit}/entries", body).status == 201
    assert service.client().post(f"{deposit}/refunds", {"reason": "r", "amount_fen": 20}).status == 201
    assert service.client().post(f"{deposit}/entries", {"kind": "payment", "amount_fen": 7, "external_reference": "c"}).status == 201
    service.stop()
    assert "WRONG" not in service.command("verify")
    cluster.sql(f"set session_replication_role = replica; {change}", service.database.name)  # no trigger runs
    done = service.command("verify", ok=None)
    assert done.returncode != 0 and complaint in done.stdout, done.stdout
