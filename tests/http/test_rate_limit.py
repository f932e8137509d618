"""How many requests a second a key may send: on average its rate, and twice as many at once."""

import re
import time

import pytest

from support.at_once import at_once, eventually

PATH = "/v1/policies?limit=1"


@pytest.fixture
def new_limited(service, client):
    """new_limited(rate): a client with a fresh key; its `id` is the key's."""

    def make(rate, role="auditor"):
        made = client.post("/v1/keys", {"name": f"{rate} a second", "role": role, "requests_per_second": rate})
        assert (made.status, made.json["requests_per_second"]) == (201, rate), made
        limited = service.client(made.json["key"])
        limited.id = made.json["key_id"]
        return limited

    return make


def statuses(client, n):
    """What n requests are answered, and how many a key of `rate` may have been let in at most."""
    began = time.monotonic()
    got = [client.get(PATH) for _ in range(n)]
    seconds = time.monotonic() - began
    assert {a.status for a in got} <= {200, 429}
    assert all(a.code == "too_many_requests" and int(a.headers["Retry-After"]) >= 1 for a in got if a.status == 429)
    return [a.status for a in got], lambda rate: 2 * rate + int(rate * seconds) + 1


def test_a_burst_and_no_more(new_limited):
    limited = new_limited(3)
    got, most = statuses(limited, 40)
    assert got[:6] == [200] * 6, "twice the rate at once"
    assert got.count(200) <= most(3)
    assert 429 in got


def test_retry_after_is_true(new_limited):
    limited = new_limited(1)
    got, _ = statuses(limited, 8)
    assert got[:2] == [200, 200] and got[-1] == 429
    answer = limited.get(PATH)
    time.sleep(int(answer.headers["Retry-After"]))
    assert limited.get(PATH).status == 200


def test_it_flows(new_limited):
    """Over some seconds: the rate."""
    limited, rate = new_limited(20), 20
    while limited.get(PATH).status == 200:
        pass
    began, let_in = time.monotonic(), 0
    while time.monotonic() - began < 3:
        let_in += limited.get(PATH).status == 200
        time.sleep(0.005)
    seconds = time.monotonic() - began
    assert rate * seconds * 0.7 - 2 <= let_in <= rate * seconds + 2


def test_without_a_rate_there_is_no_limit(new_limited, client):
    made = client.post("/v1/keys", {"name": "free", "role": "auditor"}).json
    assert made["requests_per_second"] is None
    assert {client.with_key(made["key"]).get(PATH).status for _ in range(300)} == {200}


@pytest.mark.tsan
def test_all_loops_share_it(new_service):
    """Many connections, which the kernel spreads over the loops."""
    service = new_service(env={"ASSAY_LOOPS": "4"})
    rate = 10
    key = service.client().post("/v1/keys", {"name": "shared", "role": "auditor", "requests_per_second": rate}).json["key"]
    clients = [service.client(key) for _ in range(24)]
    began = time.monotonic()
    got = sum((at_once(len(clients), lambda i: clients[i].get(PATH).status) for _ in range(6)), [])
    seconds = time.monotonic() - began
    assert set(got) == {200, 429}
    assert 2 * rate <= got.count(200) <= 2 * rate + rate * seconds + 1


def test_each_key_has_its_own(new_limited):
    one, other = new_limited(1), new_limited(1)
    statuses(one, 6)
    assert one.get(PATH).status == 429
    assert other.get(PATH).status == 200


def test_a_key_and_its_successor_share_theirs(new_limited, client):
    old = new_limited(1)
    made = client.post(f"/v1/keys/{old.id}/rotate", {}).json
    assert made["requests_per_second"] == 1
    new = client.with_key(made["key"])
    got = [c.get(PATH).status for _ in range(4) for c in (old, new)]
    assert got[:2] == [200, 200] and 429 in got[2:4]


def test_refusals_count_too(new_limited):
    limited = new_limited(1, "feed")
    got = [limited.get(PATH).status for _ in range(6)]
    assert got[:2] == [403, 403] and 429 in got


def test_what_was_refused_was_not_done(new_limited, world, database):
    """And may be sent again under the same idempotency key."""
    limited, body = new_limited(1, "admin"), world.provider_body()
    statuses(limited, 6)
    refused = limited.post("/v1/providers", body, idempotency_key="limited")
    assert (refused.status, refused.code) == (429, "too_many_requests")
    assert database.sql(f"select count(*) from provider where credit_code = '{body['credit_code']}'") == [(0,)]
    made = eventually(lambda: (a := limited.post("/v1/providers", body, idempotency_key="limited")).status == 201 and a, seconds=30)
    assert "Idempotency-Replayed" not in made.headers


def test_public_paths_have_none(new_limited):
    limited = new_limited(1)
    assert {limited.get("/healthz").status for _ in range(10)} == {200}


def test_metrics(new_limited, service):
    def counted():
        return int(re.search(rb"^assay_rate_limited_total (\d+)$", service.client("").get("/metrics").body, re.M)[1])

    before = counted()
    got, _ = statuses(new_limited(1), 10)
    assert counted() - before == got.count(429) > 0


@pytest.mark.parametrize("rate, fault", [(0, "number_out_of_range"), (10001, "number_out_of_range"), (-1, "number_out_of_range"), (1.5, "wrong_type"),
                                         ("5", "wrong_type"), (True, "wrong_type")])  # fmt: skip
def test_bounds(client, rate, fault):
    answer = client.post("/v1/keys", {"name": "x", "role": "feed", "requests_per_second": rate})
    assert (answer.status, answer.faults) == (422, {"/requests_per_second": fault})


@pytest.mark.parametrize("rate", [1, 10000, None])
def test_at_the_bounds(client, rate):
    assert client.post("/v1/keys", {"name": "x", "role": "feed", "requests_per_second": rate}).json["requests_per_second"] == rate
