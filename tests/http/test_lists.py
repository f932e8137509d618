"""Lists: limits, cursors, links, filters, and that pages stay as they were while others insert."""

import base64
import subprocess
import threading
import urllib.parse

import pytest

from support.service import binary
from support.world import World

LISTS = [r[1] for r in (line.split("\t") for line in subprocess.run([binary(), "routes"], capture_output=True, text=True, timeout=60, check=True)
                        .stdout.splitlines()) if r[0] == "GET" and "cursor" in r[6].split()]


@pytest.fixture(scope="module")
def story(world, client):
    """Something in every list; ids by the path that they fill."""
    world.advance("2023-03-15")
    provider = world.register()
    provider_id = provider["provider_id"]
    for _ in range(3):
        application = world.apply(provider_id)
        assert client.post(f"/v1/applications/{application['application_id']}/reject", {"reason": "Not now."}).status == 200
    world.approve(world.apply(provider_id)["application_id"])
    for _ in range(7):
        world.pay(provider_id, 1000000)
    stores = [world.store(f"list-{i}") for i in range(7)]
    world.load("stores", stores)
    world.load("bindings", [world.binding(provider["credit_code"], s["store_id"], "2023-04-02") for s in stores])
    bad = world.load("stores", [world.store(f"list-bad-{i}", status="sleeping", valid_from="never") for i in range(5)], mode="atomic", ok=False)
    world.load("store_days", [{"store_id": "list-1", "day": "2023-06-30", "orders": 1, "gmv_fen": 1}], complete_through="2023-09-30")
    world.advance("2023-07-01")
    run = client.post("/v1/assessment-runs", {"as_of": "2023-07-01"})
    assert run.status == 201, run
    for role in ("feed", "auditor", "operator"):
        assert client.post("/v1/keys", {"name": role, "role": role}).status == 201
    (period,) = client.all(f"/v1/providers/{provider_id}/periods")
    less = {"from": "2023-04-01", "through": "2023-06-30", "changes": [{"pointer": "/trial/requires", "value": {"measure": "new_stores", "at_least": 0, "clause": "3.2"}}]}
    simulation = client.post("/v1/policies/antiques-art@2023-04-26/simulate", less).json
    assert world.finished(f"/v1/simulations/{simulation['simulation_id']}")["status"] == "done"
    assert client.get("/v1/audit/verify").json["ok"]  # seals the entries: nothing changes any more
    return {"/v1/imports/{id}/errors": bad["import_id"], "/v1/assessment-runs/{id}/results": run.json["run_id"],
            "/v1/stores/{id}/days": "list-1", "/v1/periods/{id}/missing-days": period["period_id"],
            "/v1/simulations/{id}/results": simulation["simulation_id"], "provider": provider_id}


def at(path, story):
    return path.replace("{id}", story.get(path, story["provider"]))


@pytest.mark.parametrize("path", LISTS)
def test_every_list_pages(client, story, path):
    """One at a time, three at a time, all at once: the same items in the same order; each Link leads to the next page."""
    path = at(path, story)
    whole = client.all(path)
    for limit in (1, 3):
        items, target = [], f"{path}?limit={limit}"
        while target:
            page = client.get(target)
            assert page.status == 200, page
            assert set(page.json) == {"data", "next_cursor"}
            assert len(page.json["data"]) <= limit
            items += page.json["data"]
            link = page.headers["Link"]
            assert (link is None) == (page.json["next_cursor"] is None)
            if link:
                assert len(page.json["data"]) == limit
                target, rel = link.split("; ")
                assert rel == 'rel="next"' and target[0] == "<" and target[-1] == ">"
                target = target[1:-1]
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
                assert query == {"limit": [str(limit)], "cursor": [page.json["next_cursor"]]}
            else:
                target = None
        assert items == whole


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["1", "200", "0", "201", "x", "1e1", ""])
def test_limits(client, story, path, limit):
    answer = client.get(f"{at(path, story)}?limit={limit}")
    if limit in ("1", "200"):
        assert answer.status == 200
    else:
        assert (answer.status, answer.faults) == (422, {"limit": "number_out_of_range"})


BAD_CURSORS = ["*", "a", "=", "%00", "QQ==", "", base64.urlsafe_b64encode(b"a\x00b").decode().rstrip("="), base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
               "A" * 1000, "QUJD%20"]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_cursors_that_are_none(client, story, path):
    for cursor in BAD_CURSORS:
        answer = client.get(f"{at(path, story)}?cursor={cursor}")
        assert answer.status == 422 and answer.faults["cursor"] in ("wrong_format", "bad_encoding"), (cursor, answer)


@pytest.mark.parametrize("path", LISTS)
def test_cursors_tampered_with(client, story, path):
    """What decodes but is not ours: refused or an ordinary page, never an error of ours."""
    for text in ("zzz", "0", "-1", "1:1", "99999999999999999999999", "1:99999999999999999999999", "1,2", "' or '1'='1", "prv_", "%", "null", "2023-01-01", "ä",
                 "x" * 300, "1\n2", "{}", "[1]"):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        answer = client.get(at(path, story), query={"cursor": cursor})
        assert answer.status in (200, 422), (text, answer)


def test_the_default_is_fifty(client, world):
    while len(client.all("/v1/providers")) < 60:
        world.register()
    page = client.get("/v1/providers")
    assert len(page.json["data"]) == 50 and page.json["next_cursor"]


def test_newest_first(client, world):
    made = [world.register()["provider_id"] for _ in range(3)]
    assert [p["provider_id"] for p in client.get("/v1/providers?limit=3").json["data"]] == made[::-1]


def test_pages_are_stable_under_inserts(client, world, service):
    """While others register, a reader of all pages sees each that was there before once, and none twice."""
    before = {world.register()["provider_id"] for _ in range(20)} | {p["provider_id"] for p in client.all("/v1/providers")}
    stop = threading.Event()

    def insert():
        other = World(service.client())
        while not stop.is_set():
            other.register()

    threads = [threading.Thread(target=insert) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        for _ in range(3):
            seen = [p["provider_id"] for p in client.all("/v1/providers", limit=3)]
            assert len(seen) == len(set(seen))
            assert before <= set(seen)
            assert seen == sorted(seen, reverse=True)
    finally:
        stop.set()
        for t in threads:
            t.join()


def test_filters_are_kept_in_links(client, world):
    for i in range(3):
        world.register(name=f"链接 & 过滤 {i}", region="330000")
    page = client.get("/v1/providers", query={"q": "链接 & 过滤", "region": "330000", "limit": 2})
    target = page.headers["Link"].split(">")[0][1:]
    rest = client.get(target)
    assert [len(page.json["data"]), len(rest.json["data"])] == [2, 1]


def test_filters_of_providers(client, world):
    a = world.register(region="360200", industry="porcelain", main_category="porcelain", name="景德镇_100%")
    b = world.register(region="360203", industry="porcelain", main_category="porcelain", name="昌江 ABC")
    c = world.register(region="360300", industry="tea", main_category="tea", name="abc 萍乡")

    def found(**query):
        ids = {p["provider_id"] for p in client.all("/v1/providers", query)}
        return [name for name, p in (("a", a), ("b", b), ("c", c)) if p["provider_id"] in ids]

    assert found(region="360000") == ["a", "b", "c"]
    assert found(region="360200") == ["a", "b"]
    assert found(region="360203") == ["b"]
    assert found(region="370000") == []
    assert found(industry="porcelain") == ["a", "b"]
    assert found(industry="porcelain", region="360203") == ["b"]
    assert found(status="registered", industry="tea") == ["c"]
    assert found(status="certified", industry="tea") == []
    assert found(q="abc") == ["b", "c"]
    assert found(q="_") == ["a"]
    assert found(q="0%") == ["a"]
    assert found(q="\\") == []
    assert found(q=a["credit_code"][:14]) in (["a", "b", "c"], ["a"]) and "a" in found(q=a["credit_code"].lower())
    assert found(q="'; drop table provider; --") == []


def test_filters_of_the_others(client, story):
    provider = f"/v1/providers/{story['provider']}"
    assert len(client.all(f"{provider}/applications")) == 4
    assert len(client.all(f"{provider}/applications", {"status": "rejected"})) == 3
    assert len(client.all(f"{provider}/deposit/entries", {"kind": "payment"})) == 7
    assert client.all(f"{provider}/deposit/entries", {"kind": "top_up"}) == []
    assert {p["stage"] for p in client.all(f"{provider}/periods", {"stage": "trial"})} == {"trial"}
    assert client.all(f"{provider}/periods", {"status": "converted"}) == []
    assert all(i["kind"] == "stores" for i in client.all("/v1/imports", {"kind": "stores"}))
    assert [i["status"] for i in client.all("/v1/imports", {"status": "rejected"})] == ["rejected"]
    assert client.all("/v1/policies", {"industry": "tea"}) == []
    assert len(client.all("/v1/policies", {"industry": "antiques_art"})) == 1
    assert client.all("/v1/decisions", {"provider_id": "prv_none"}) == []
    for path in ("applications", "deposit/entries", "stores", "periods"):
        assert client.get(f"/v1/providers/prv_none/{path}").status == 404
    assert client.get("/v1/imports/imp_none/errors").status == 404
    assert client.get("/v1/assessment-runs/run_none/results").status == 404
