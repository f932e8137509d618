"""POST /v1/evaluations and assayd evaluate: the contract's example, what is refused, and bodies that are large."""

import copy
import json
import os
import socket
import threading
import time

import pytest

from support.service import ROOT
from support.world import days

POLICY = "antiques-art@2023-04-26"


def store(store_id="s-1", **over):
    made = {"store_id": store_id, "registered_region": "420106", "ship_from_regions": ["420100"], "industry": "antiques_art",
            "category": "antiques_art", "status": "normal", "bindings": [{"by": "self", "bound_on": "2023-04-03", "unbound_on": None}],
            "days": [{"day": "2023-04-03", "orders": 120, "gmv_fen": 356000}]}
    made.update(over)
    return {k: v for k, v in made.items() if v is not None}


def question(stores=None, **over):
    asked = {"policies": [POLICY], "stage": "trial", "period_start": "2023-04-01", "as_of": "2023-06-30",
             "provider": {"region": "420000", "industry": "antiques_art", "main_category": "antiques_art"},
             "exam_passes": [{"person_id": "p-1", "passed_on": "2023-04-20"}], "stores": stores if stores is not None else [store()]}
    asked.update(over)
    return asked


@pytest.fixture(scope="module")
def example_policy():
    with open(os.path.join(ROOT, "examples", "policy-antiques-art.json"), encoding="utf-8") as f:
        return json.load(f)


def evaluate(client, asked, **more):
    return client.post("/v1/evaluations", asked, **more)


def test_the_contracts_example(client):
    answer = evaluate(client, question(), idempotency_key="")
    assert answer.status == 200, answer
    got = answer.json
    assert (got["outcome"], got["final"], got["period"]) == ("not_met", True, {"start": "2023-04-01", "end": "2023-06-30"})
    (judged,) = got["policies"]
    assert (judged["policy"], judged["example"]) == (POLICY, True)
    assert judged["measures"] == {"new_stores": 1, "new_store_gmv_fen": 356000, "monthly_orders": [120, 0, 0], "exam_passes": 1}
    assert judged["stores"] == [{"store_id": "s-1", "counted": True, "reason": None, "gmv_fen": 356000, "monthly_orders": [120, 0, 0]}]
    metric_1 = judged["requirement"]["all"][0]["any"][0]["all"][0]
    assert metric_1 == {"measure": "new_stores", "clause": "3.2", "at_least": 10, "measured": 1, "gap": 9, "met": False}


def test_a_policy_given_whole_is_the_same(client, example_policy, service):
    by_ref, whole = evaluate(client, question()), evaluate(client, question(policies=[example_policy]))
    assert by_ref.body == whole.body
    nowhere = {"ASSAY_DATABASE_URL": "host=/nonexistent", "ASSAY_HOME": "/nonexistent"}
    before, service.more_env = service.more_env, nowhere
    try:
        printed = service.command("evaluate", "-", stdin=json.dumps(question(policies=[example_policy])))
    finally:
        service.more_env = before
    assert printed.encode() == whole.body, "no database is needed"
    assert service.command("evaluate", "-", stdin=json.dumps(question())).encode() == whole.body, "by reference, from the database"


def test_nothing_is_stored_and_the_same_bytes_come_again(client, database):
    count = "select (select count(*) from decision) + (select count(*) from event) + (select count(*) from audit)"
    before = database.sql(count)
    first, again = (evaluate(client, question(), idempotency_key="same") for _ in range(2))
    assert first.body == again.body and again.headers["Idempotency-Replayed"] == "true"
    other = evaluate(client, question(as_of="2023-05-31"), idempotency_key="same")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert evaluate(client, question(), query={"dry_run": "true"}).body == first.body
    assert database.sql(count) == before


def test_every_fault_at_once(client):
    asked = question(stage="final", as_of="2023-02-30", exam_passes=[{"person_id": "p"}], policies=["no-such@1"])
    asked["stores"] = [store(), store(), store("s-2", status="open"), store("s-3", more=1)]
    refused = evaluate(client, asked, check=False)
    assert refused.status == 422
    assert refused.faults == {"/stage": "invalid_value", "/as_of": "invalid_day", "/exam_passes/0/passed_on": "missing",
                              "/policies/0": "unknown_policy", "/stores/1/store_id": "duplicate", "/stores/2/status": "invalid_value",
                              "/stores/3/more": "unknown_member"}
    assert evaluate(client, None, body=b"{", headers={"Content-Type": "application/json"}, check=False).code == "invalid_json"
    assert evaluate(client, None, body=b"", headers={"Content-Type": "application/json"}, check=False).code == "invalid_json"
    refused = evaluate(client, question(period_start="2023-04-02"))
    assert refused.faults == {"/period_start": "not_a_month_start"}


def test_months_in_place_of_days(client):
    """A month's total says the same as its days, where no own binding begins or ends inside it."""
    by_day = store(bindings=[{"by": "self", "bound_on": "2023-04-01"}],
                   days=[{"day": d, "orders": 10, "gmv_fen": 7} for d in days("2023-04-01", "2023-05-31")])
    by_month = copy.deepcopy(by_day)
    by_month["days"] = [d for d in by_day["days"] if d["day"] >= "2023-05-01"]
    by_month["months"] = [{"month": "2023-04", "orders": 300, "gmv_fen": 210}]
    assert evaluate(client, question([by_day])).json == evaluate(client, question([by_month])).json
    inside = copy.deepcopy(by_month)
    inside["bindings"] = [{"by": "self", "bound_on": "2023-04-02"}]
    refused = evaluate(client, question([inside]))
    assert refused.status == 422 and list(refused.faults) == ["/stores/0/months/0"], refused


def test_what_may_be_given_once(client, example_policy):
    other = copy.deepcopy(example_policy)
    other.update(version="v-two-months")
    other["trial"]["months"] = 2
    cases = [
        (question(policies=[POLICY, POLICY]), {"/policies/1": "given_twice"}),
        (question(policies=[POLICY, other]), {"/policies/1": "months_differ"}),
        (question([store(), store()]), {"/stores/1": "duplicate"}),
    ]
    for asked, faults in cases:
        refused = evaluate(client, asked)
        assert refused.status == 422, refused
        assert {(p.removesuffix("/store_id"), c) for p, c in refused.faults.items()} == set(faults.items()), refused


def test_too_large(client):
    size = 16 * 1024 * 1024 + 1
    with socket.create_connection((client.host, client.port), timeout=30) as said:  # refused before any of it was sent
        said.sendall(f"POST /v1/evaluations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.key}\r\n"
                     f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode())
        assert said.recv(65536).startswith(b"HTTP/1.1 413")
    pieces = (b" " * 65536 for _ in range(300))  # chunked: its length is not said before
    refused = evaluate(client, None, body=pieces, headers={"Content-Type": "application/json"}, check=False)
    assert (refused.status, refused.code) == (413, "body_too_large")


def test_who_may(client, keys):
    assert evaluate(client.with_key(keys["auditor"]), question()).status == 200
    assert evaluate(client.with_key(keys["feed"]), question()).status == 403
    assert evaluate(client.with_key(""), question()).status == 401


def test_a_large_one_is_answered_off_the_loop(client):
    """2,000 stores and 180,000 day facts; meanwhile others are answered at once."""
    facts = [{"day": d, "orders": 3, "gmv_fen": 1000} for d in days("2023-04-01", "2023-06-29")]
    body = json.dumps(question([store(f"s-{i}", days=facts) for i in range(2000)]), separators=(",", ":")).encode()
    assert 8_000_000 < len(body) <= 16 * 1024 * 1024
    answers, slowest, done = [], [], threading.Event()

    def others():
        worst = 0.0
        while not done.is_set():
            began = time.monotonic()
            assert client.get("/healthz").status == 200
            worst = max(worst, time.monotonic() - began)
            time.sleep(0.005)
        slowest.append(worst)

    watcher = threading.Thread(target=others)
    watcher.start()
    began = time.monotonic()
    answers.append(client.request("POST", "/v1/evaluations", body=body, headers={"Content-Type": "application/json"}, check=False))
    took = time.monotonic() - began
    done.set()
    watcher.join()
    (answer,) = answers
    assert answer.status == 200, answer
    measures = answer.json["policies"][0]["measures"]
    assert (measures["new_stores"], measures["new_store_gmv_fen"]) == (2000, 2000 * len(facts) * 1000)
    assert slowest[0] < max(took / 2, 1.0), f"a health check waited {slowest[0]:.3f} s of {took:.3f} s"
