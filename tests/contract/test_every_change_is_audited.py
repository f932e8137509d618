"""Every operation that changes anything leaves an entry in the audit log that names its request and who asked, and nothing in
the log is said of nobody. The story is that of test_every_answer.py, so that an operation that is new is asked for here too."""

import pytest
import test_every_answer as story

from support import openapi_check
from support.audit import check_chain
from support.client import Client

# They compute, and keep nothing but an answer under an idempotency key.
KEEP_NOTHING = {"evaluate", "replayDecision", "whatIf"}


@pytest.fixture(scope="module")
def lived(service, client, world, keys):
    """(operationId, request id, key, status) of everything but reads that was asked for."""
    asked, plain = [], Client.request

    def request(self, method, path, **more):
        answer = plain(self, method, path, **more)
        template = openapi_check.contract().find(path)
        if method not in ("GET", "HEAD") and not answer.headers["Idempotency-Replayed"]:
            operation = openapi_check.contract().document["paths"][template][method.lower()]["operationId"]
            assert not (more.get("query") or {}).get("dry_run")
            asked.append((operation, answer.headers["X-Request-Id"], self.key, answer.status))
        return answer

    Client.request = request
    try:
        story.test_every_operation(service, client, world, keys)
    finally:
        Client.request = plain
    return asked


@pytest.fixture(scope="module")
def changes(lived):
    """(operationId, request id, key) of what was answered with success."""
    return [one[:3] for one in lived if one[3] < 300 and one[0] not in KEEP_NOTHING]


@pytest.fixture(scope="module")
def log(lived, client):
    return client.all("/v1/audit")


def test_every_operation_that_changes_anything_was_among_them(changes):
    every = {o["operationId"] for method, _, o in openapi_check.contract().operations() if method != "GET"} - KEEP_NOTHING
    assert {operation for operation, _, _ in changes} == every


def test_each_has_an_entry_that_names_its_request_and_who_asked(changes, log, database):
    of_request = {}
    for entry in log:
        of_request.setdefault(entry["request_id"], []).append(entry)
    without = [(operation, request_id) for operation, request_id, _ in changes if request_id not in of_request]
    assert not without
    names = dict(database.sql("select key_id, name from api_key"))
    prefixes = dict(database.sql("select key_id, prefix from api_key"))
    for operation, request_id, key in changes:
        for entry in of_request[request_id]:
            assert entry["actor_name"] == names[entry["actor_id"]], (operation, entry)
            assert key.startswith(prefixes[entry["actor_id"]]), (operation, entry)


def test_each_entry_says_what(log):
    for entry in log:
        assert entry["before"] is not None or entry["after"] is not None, entry
        assert entry["before"] != entry["after"], entry
        assert entry["actor_name"] and entry["subject"], entry


def test_nothing_is_said_of_nobody(log, lived):
    """What the service does by itself says so: the daily job, and the start."""
    asked = {one[1] for one in lived}
    for entry in log:
        if entry["request_id"] not in asked:
            assert entry["actor_id"] == "system", entry
            assert entry["request_id"].startswith(("daily-", "command-line")), entry


def test_the_chain_of_it_all_comes_out_by_hand(client, lived):
    seen = client.get("/v1/audit/verify").json
    assert seen["ok"] and seen["complete"]
    head = check_chain(client.all("/v1/audit"))
    assert head == f"{seen['head']['position']}:{seen['head']['sha256']}"


# ---- and the other way round: every row that was written, by a transaction that left an entry ----

# Rows that may have been written without one: of which table, and of these which.
BOOKKEEPING = {
    "audit": "true", "audit_chain": "true", "audit_seal": "true", "event": "true",
    "idempotency_key": "true",  # answers, kept to be repeated
    "api_key": "t.last_used_at is not null",  # when it was used last
    "period": "t.progress is not null and t.status in ('open', 'awaiting_data')",  # what it comes to so far, computed again
    "simulation_result": "true",  # the report itself, chunk by chunk; its beginning and its end have their entries
    "decision_review": "t.reviewed > 0",  # what today's facts would make of a marked decision, computed again
    "assessment_run_result": "t.outcome = 'awaiting_data'",  # what a run found, and left as it was
}  # fmt: skip


def test_no_row_was_written_without_an_entry(database, lived):
    """Told by when the transactions were committed: to the microsecond, so no two are the same."""
    tables = [row[0] for row in database.sql("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")]
    silent = {}
    for table in sorted(tables):
        rows = database.sql(f"""with entry as (select pg_xact_commit_timestamp(xmin) as at from audit)
            select t::text from {table} t where pg_xact_commit_timestamp(t.xmin) > (select min(at) from entry) -- after the migration
            and pg_xact_commit_timestamp(t.xmin) not in (select at from entry) and not ({BOOKKEEPING.get(table, "false")})""")
        if rows:
            silent[table] = (len(rows), rows[0][0][:300])
    assert not silent
    assert len(tables) > 30
