"""Idempotency-Key and dry_run: what was done once is not done again, and what was only tried was not done."""

import threading

import pytest

from support.at_once import at_once, eventually
from support.raw import exchange, head
from support.world import World, csv

TABLES = ("provider", "provider_status", "application", "ledger_entry", "refund", "api_key", "period", "decision", "store", "store_version", "binding",
          "import", "assessment_run", "audit", "event", "idempotency_key", "clock", "job_day", "watermark_history", "policy")


def counts(database):
    """What every table holds, but for when keys were last used."""
    return {t: database.sql(f"select count(*), coalesce(md5(string_agg(to_jsonb(t)::text, '' order by to_jsonb(t)::text)), '') from "
                            f"(select {'*' if t != 'api_key' else 'key_id, revoked_at, provider_id'} from {t}) t") for t in TABLES}


@pytest.fixture(scope="module", autouse=True)
def today(world):
    world.advance("2023-05-10")


@pytest.fixture
def entries(world):
    return f"/v1/providers/{world.register()['provider_id']}/deposit/entries"


def payment(reference="bank-1", amount_fen=100):
    return {"kind": "payment", "amount_fen": amount_fen, "external_reference": reference}


def replayed(answer):
    return answer.headers["Idempotency-Replayed"] == "true"


def same(first, second):
    """The same answer byte for byte, with its status and the headers that belong to it."""
    assert (second.status, second.body) == (first.status, first.body)
    for name in ("Content-Type", "Location", "ETag", "Content-Language"):
        assert second.headers[name] == first.headers[name], name
    assert not replayed(first) and replayed(second)


def test_a_replay_is_byte_for_byte(client, world):
    body = world.provider_body()
    first = client.post("/v1/providers", body, idempotency_key="replay-1")
    assert first.status == 201 and not replayed(first)
    client.patch(first.headers["Location"], {"name": "inzwischen"}, headers={"If-Match": "*"})
    second = client.post("/v1/providers", body, idempotency_key="replay-1")
    same(first, second)
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_refusals_are_replayed_too(client, world, entries):
    """Also when by now it would be accepted; in the language that it was told in."""
    world.pay(entries.split("/")[3], 100, external_reference="taken")
    first = client.post(entries, payment("taken"), idempotency_key="refused-1", headers={"Accept-Language": "zh-CN"})
    assert (first.status, first.code) == (409, "external_reference_taken")
    second = client.post(entries, payment("taken"), idempotency_key="refused-1", headers={"Accept-Language": "en"})
    same(first, second)
    assert second.json["request_id"] == first.headers["X-Request-Id"]


def test_refusals_decided_outside_the_database_are_replayed_too(client, world):
    provider = world.register(service_categories=["mall"])
    path = f"/v1/providers/{provider['provider_id']}/applications"
    first = client.post(path, {"documents": []}, idempotency_key="refused-2")
    assert first.code == "admission_refused"
    client.patch(f"/v1/providers/{provider['provider_id']}", {"service_categories": ["practical_assistance"]}, headers={"If-Match": "*"})
    same(first, client.post(path, {"documents": []}, idempotency_key="refused-2"))


def test_faults_found_in_the_database_are_replayed_too(client, entries):
    body = {**payment(), "effective_on": "2023-05-11"}
    first = client.post(entries, body, idempotency_key="refused-3")
    assert first.faults == {"/effective_on": "day_in_future"}
    same(first, client.post(entries, body, idempotency_key="refused-3"))


@pytest.mark.parametrize("other", ["body", "path", "query", "blank"])
def test_another_request_under_the_same_key(client, entries, world, other):
    key = f"reused-{other}"
    assert client.post(entries, payment(), idempotency_key=key).status == 201
    elsewhere = f"/v1/providers/{world.register()['provider_id']}/deposit/entries"
    again = {
        "body": lambda: client.post(entries, payment(amount_fen=101), idempotency_key=key),
        "path": lambda: client.post(elsewhere, payment(), idempotency_key=key),
        "query": lambda: client.post(entries, payment(), idempotency_key=key, query={"dry_run": "false"}),
        "blank": lambda: client.post(entries, body=b'{"kind":"payment","amount_fen":100,"external_reference":"bank-1"}',
                                     headers={"Content-Type": "application/json"}, idempotency_key=key),
    }[other]()
    assert (again.status, again.code) == (422, "idempotency_key_reused"), again
    assert len(client.all(entries)) == 1 and client.all(elsewhere) == []


def test_keys_are_the_callers_own(service, client, keys, entries):
    operator = service.client(keys["operator"])
    assert client.post(entries, payment("a"), idempotency_key="own").status == 201
    assert operator.post(entries, payment("b"), idempotency_key="own").status == 201
    assert not replayed(operator.post(entries, payment("c"), idempotency_key="own-2"))
    assert len(client.all(entries)) == 3


@pytest.mark.parametrize("key, status", [("x", 201), ("~ !\"#$%&'()*+,-./:;<=>?@[]^_`{|}", 201), ("k" * 255, 201), ("k" * 256, 400), ("", 400), ("ä", 400), ("a\x7f", 400), ("a\tb", 400)])
def test_what_a_key_may_be(service, world, key, status):
    body = str(world.provider_body()).replace("'", '"').encode()
    sent = head("POST", "/v1/providers", service.admin_key, [("Content-Type", "application/json"), ("Content-Length", len(body)), ("Idempotency-Key", key)])
    answer = exchange(service.port, sent.encode() + body)
    assert answer.status == status, answer
    if status == 400:
        assert answer.code == "idempotency_key_invalid"


def test_without_a_key_nothing_is_kept(client, world, database):
    before = database.sql("select count(*) from idempotency_key")
    assert client.post("/v1/providers", world.provider_body(), idempotency_key="").status == 201
    assert database.sql("select count(*) from idempotency_key") == before


def test_what_was_never_understood_is_not_kept(client, world):
    """A request refused before it was one may be mended under the same key."""
    assert client.post("/v1/providers", {"name": ""}, idempotency_key="mended").status == 422
    assert client.post("/v1/providers", world.provider_body(), idempotency_key="mended").status == 201


# ---- the same key at once ----


@pytest.mark.tsan
def test_many_with_one_key_at_once(service, client, entries):
    """Exactly one effect; the others are told that it runs, or get its answer."""
    for round_ in range(5):
        answers = at_once(16, lambda i: service.client().post(entries, payment(f"once-{round_}"), idempotency_key=f"once-{round_}"))
        done = [a for a in answers if a.status == 201]
        assert {a.code for a in answers if a.status != 201} <= {"idempotency_in_flight"}
        assert len({a.body for a in done}) == 1 and sum(not replayed(a) for a in done) == 1
    assert len(client.all(entries)) == 5


@pytest.mark.tsan
def test_in_flight(service, client, entries, database):
    """While the first is at work, the same key is answered 409 with Retry-After; another key waits its turn; then a replay."""
    import psycopg2

    provider_id = entries.split("/")[3]
    answers = {}
    holder = psycopg2.connect(database.cluster.url(database.name, "postgres"))
    try:
        holder.cursor().execute(f"select from provider where provider_id = '{provider_id}' for update")
        first = threading.Thread(target=lambda: answers.update(first=service.client().post(entries, payment("slow"), idempotency_key="slow")))
        first.start()
        eventually(lambda: database.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'assay writes'") == [(1,)])
        second = client.post(entries, payment("slow"), idempotency_key="slow")
        assert (second.status, second.code, second.headers["Retry-After"]) == (409, "idempotency_in_flight", "1"), second
        other = client.post(entries, payment("other"), idempotency_key="slow")
        assert other.code == "idempotency_in_flight", "which request it is is known when the first is done"
    finally:
        holder.rollback()
        holder.close()
    first.join()
    assert answers["first"].status == 201
    same(answers["first"], client.post(entries, payment("slow"), idempotency_key="slow"))


def test_one_transaction(new_service):
    """The effect and its key commit as one: an effect whose key cannot be kept is none."""
    service = new_service()
    world = World(service.client())
    provider_id = world.register()["provider_id"]
    path = f"/v1/providers/{provider_id}/deposit/entries"
    service.database.sql("alter table idempotency_key add check (key <> 'unlucky') not valid")
    answer = world.client.post(path, payment(), idempotency_key="unlucky")
    assert (answer.status, answer.code) == (500, "internal")
    assert world.client.all(path) == []
    assert service.database.sql("select count(*) from event where type = 'deposit.entry_posted'") == [(0,)]
    service.database.sql("alter table idempotency_key drop constraint idempotency_key_key_check1")
    assert world.client.post(path, payment(), idempotency_key="unlucky").status == 201
    assert len(world.client.all(path)) == 1


# ---- dry_run ----


def test_dry_runs_store_nothing(client, world, database):
    """Every POST: the same answer as in earnest but for ids and instants, and not a row more, less or other."""
    registered, applied, admitted = world.register(), world.register(), world.register()
    application = world.apply(applied["provider_id"])
    world.approve(world.apply(admitted["provider_id"])["application_id"])
    world.load("stores", [world.store("dry-0")])
    before = counts(database)
    dry = {"dry_run": "true"}

    def post(path, body, status, **more):
        answer = client.post(path, body, query={**dry, **more})
        assert answer.status == status, (path, answer)
        assert counts(database) == before, path
        return answer

    def load(kind, rows):
        answer = client.post("/v1/imports", body=csv(kind, rows), query={**dry, "kind": kind}, headers={"Content-Type": "text/csv"})
        assert answer.status in (200, 201), answer
        assert counts(database) == before, kind

    made = post("/v1/providers", world.provider_body(), 201)
    assert "Location" not in made.headers
    assert client.get(f"/v1/providers/{made.json['provider_id']}").status == 404
    post("/v1/providers", world.provider_body(credit_code=registered["credit_code"]), 409)
    post(f"/v1/providers/{registered['provider_id']}/applications", {"documents": world.documents()}, 201)
    post(f"/v1/providers/{registered['provider_id']}/applications", {"documents": []}, 409)
    for verb, body in (("approve", {}), ("reject", {"reason": "No."}), ("withdraw", {})):
        post(f"/v1/applications/{application['application_id']}/{verb}", body, 200)
    post(f"/v1/providers/{admitted['provider_id']}/deposit/entries", payment(amount_fen=2000000), 201)
    post(f"/v1/providers/{admitted['provider_id']}/early-conversion", {}, 409)
    post("/v1/assessment-runs", {"as_of": "2023-05-10"}, 201)
    post("/v1/keys", {"name": "dry", "role": "feed"}, 201)
    post("/v1/test-clock", {"today": "2023-05-11"}, 200)
    post("/v1/evaluations", {"policies": []}, 422)
    post("/v1/decisions/dec_none/replay", {}, 404)
    load("stores", [world.store("dry-1")])
    load("bindings", [world.binding(registered["credit_code"], "dry-0", "2023-05-01")])
    load("store_days", [{"store_id": "dry-0", "day": "2023-05-01", "orders": 1, "gmv_fen": 1}])
    load("exam_passes", [{"credit_code": registered["credit_code"], "person_id": "p", "passed_on": "2023-05-01"}])


def test_a_dry_run_does_not_use_up_its_key(client, entries):
    assert client.post(entries, payment(), query={"dry_run": "true"}, idempotency_key="dry-then-wet").status == 201
    answer = client.post(entries, payment(), idempotency_key="dry-then-wet")
    assert answer.status == 201 and not replayed(answer)
    assert len(client.all(entries)) == 1


def test_dry_run_has_the_same_permissions(service, keys, entries):
    answer = service.client(keys["auditor"]).post(entries, payment(), query={"dry_run": "true"})
    assert (answer.status, answer.code) == (403, "forbidden")
    assert service.client("").post(entries, payment(), query={"dry_run": "true"}).status == 401
