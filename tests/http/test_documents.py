"""A decision is a document that stands alone: what is downloaded has the hash that the decision states, and evaluates to itself on a
machine that has nothing else; what was changed in it is found."""

import hashlib
import json

import pytest

from support.world import World, spread

MONTHS = [("2023-04-03", "2023-04-30"), ("2023-05-01", "2023-05-31"), ("2023-06-01", "2023-06-30")]
ANSWER = ["outcome", "final", "stage", "period", "as_of", "evaluated_on", "policies"]
NOWHERE = {"ASSAY_DATABASE_URL": "host=/nonexistent", "ASSAY_HOME": "/nonexistent"}


class Sandbox(World):
    def __init__(self, service):
        super().__init__(service.client())
        self.service = service
        self.imports = {}

    def take(self, name, kind, rows, **more):
        """An import whose id and hash are remembered."""
        done = self.load(kind, rows, **more)
        self.imports[name] = {"import_id": done["import_id"], "sha256": done["sha256"]}
        return done

    def live(self, gmv_fen=500_000):
        """A provider with eleven stores, one of them bound from a 1st, and their figures in an import a month."""
        provider = self.admit()
        code = provider["credit_code"]
        ids = [f"s-{i}" for i in range(11)]
        self.take("stores", "stores", [self.store(s) for s in ids])
        self.take("bindings", "bindings", [self.binding(code, s, "2023-04-01" if s == "s-10" else "2023-04-03") for s in ids])
        self.take("exams", "exam_passes", [{"credit_code": code, "person_id": f"p{i}", "passed_on": "2023-04-10"} for i in range(2)])
        for first, last in MONTHS:
            rows = [row for s in ids for row in spread(s, first, last, 1000, gmv_fen)]
            self.take(first[:7], "store_days", rows, complete_through=last)
        return provider

    def decision(self, provider):
        (summary,) = self.client.all("/v1/decisions", {"provider_id": provider["provider_id"]})
        return self.client.get(f"/v1/decisions/{summary['decision_id']}")

    def evidence(self, decision):
        return self.client.get(f"/v1/decisions/{decision['decision_id']}/evidence")

    def elsewhere(self, text, *options, ok=None):
        """assayd evaluate, where there is no database."""
        before, self.service.more_env = self.service.more_env, NOWHERE
        try:
            return self.service.command("evaluate", *options, "-", stdin=text, ok=ok)
        finally:
            self.service.more_env = before

    def evaluate(self, body, **more):
        return self.client.post("/v1/evaluations", body=body, headers={"Content-Type": "application/json"}, **more)


@pytest.fixture(scope="module")
def box(service):
    made = Sandbox(service)
    made.advance("2023-03-20")
    made.provider_ = made.live()
    made.advance("2023-07-01")
    return made


@pytest.fixture(scope="module")
def decided(box):
    return box.decision(box.provider_)


@pytest.fixture(scope="module")
def evidence(box, decided):
    return box.evidence(decided.json)


def test_the_download_has_the_hash_that_the_decision_states(box, decided, evidence):
    stated = decided.json["sha256"]
    assert hashlib.sha256(evidence.body).hexdigest() == stated
    assert evidence.etag == f'"{stated}"'
    assert decided.json["decision_id"] in evidence.headers["Content-Disposition"]
    body = decided.body.decode()
    assert body[body.index('"document":') + len('"document":') : body.rindex(',"sha256":')].encode() == evidence.body
    assert box.client.get(f"/v1/decisions/{decided.json['decision_id']}", headers={"If-None-Match": decided.etag}).status == 304


def test_it_evaluates_to_itself_anywhere(box, decided, evidence):
    text = evidence.body.decode()
    assert box.elsewhere(text, ok=True) == text
    assert box.evaluate(evidence.body).body == evidence.body
    assert box.evaluate(json.dumps(evidence.json, indent=1).encode()).body == evidence.body, "however it is laid out"
    for key in ("replay-1", "replay-1", ""):
        replayed = box.client.post(f"/v1/decisions/{decided.json['decision_id']}/replay", idempotency_key=key)
        assert replayed.status == 200
        assert (replayed.json["identical"], replayed.json["sha256"]) == (True, decided.json["sha256"])
    for path in ("", "/evidence"):
        assert box.client.get(f"/v1/decisions/dec_00{path}").status == 404
    assert box.client.post("/v1/decisions/dec_00/replay").status == 404


def test_it_has_all_that_it_takes(box, decided, evidence):
    document = evidence.json
    assert list(document) == [*ANSWER, "sentences", "clock", "imports", "engine", "format", "request"]
    assert document["clock"] == {"decided_on": "2023-07-01", "watermark": "2023-06-30"}
    assert document["engine"] == decided.json["engine"]
    assert [p["policy_id"] for p in document["request"]["policies"]] == ["antiques-art"], "whole"
    stores = {s["store_id"]: s for s in document["request"]["stores"]}
    assert len(stores) == 11
    assert [len(s["months"]) for s in stores.values()].count(2) == 10, "April has the binding's edge: by day; else by month"
    assert (len(stores["s-10"]["months"]), stores["s-10"]["days"]) == (3, [])
    plain = box.evaluate(json.dumps(document["request"]).encode())
    assert plain.json == {k: document[k] for k in ANSWER}
    assert evidence.body.startswith(plain.body[:-1] + b",")


def test_its_sentences_point_at_its_criteria(evidence):
    document = evidence.json
    whole, *criteria = document["sentences"]
    assert whole["at"] == "" and whole["en"].endswith(": met.") and whole["zh"].endswith("已达标。")

    def at(pointer):
        found = document
        for step in pointer[1:].split("/"):
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found

    found = [at(s["at"]) for s in criteria]
    assert [c["measure"] for c in found] == ["new_stores", "new_store_gmv_fen", "new_stores", "first_month_orders",
                                             "monthly_order_growth", "exam_passes"]
    for criterion, sentence in zip(found, criteria):
        assert criterion["clause"] in sentence["en"] and criterion["clause"] in sentence["zh"]
        assert sentence["en"].endswith(": met.") == criterion["met"], sentence
        assert sentence["zh"].endswith(":已达标。") == criterion["met"], sentence
    assert criteria[0]["en"] == "New stores: 11; clause 3.2 asks for at least 10: met."


def test_it_names_the_imports_that_its_facts_came_from(box, evidence):
    took = box.imports
    assert evidence.json["imports"] == {
        "stores": [took["stores"]], "bindings": [took["bindings"]], "exam_passes": [took["exams"]],
        "store_days": [took["2023-04"]], "store_months": [took["2023-05"], took["2023-06"]]}


@pytest.mark.parametrize("path, value, pointer", [
    (["outcome"], "not_met", "/outcome"),
    (["final"], False, "/final"),
    (["policies", 0, "measures", "new_stores"], 12, "/policies/0/measures/new_stores"),
    (["policies", 0, "stores", 3, "reason"], "repeat_binding", "/policies/0/stores/3/reason"),
    (["policies", 0, "requirement", "all", 1, "met"], False, "/policies/0/requirement/all/1/met"),
    (["sentences", 1, "en"], "New stores: 1", "/sentences/1/en"),
    (["sentences", 0], None, "/sentences/0"),
    (["policies", 0, "extra"], 1, "/policies/0/extra"),
    (["request", "exam_passes"], [], "/policies/0/measures/exam_passes"),
    (["request", "stores", 0, "status"], "closed", "/policies/0/measures/new_stores"),
])
def test_what_was_changed_is_found(box, evidence, path, value, pointer):
    document = json.loads(evidence.body)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    text = json.dumps(document)
    refused = box.evaluate(text.encode())
    assert (refused.status, refused.code) == (422, "invalid_request")
    assert refused.faults[pointer] == "document_differs"
    printed = box.elsewhere(text)
    assert (printed.returncode, printed.stdout) == (1, "")
    assert f"{pointer}: The document says " in printed.stderr


@pytest.mark.parametrize("path, value, faults", [
    (["format"], "assay-decision/2", {"/format": "unknown_edition"}),
    (["engine"], "assay-evaluator/2", {"/engine": "unknown_edition"}),
    (["engine"], None, {"/engine": "wrong_type"}),
    (["request", "stage"], "final", {"/request/stage": "invalid_value"}),
    (["request", "policies", 0], "antiques-art@2023-04-26", {"/request/policies/0": "unknown_policy"}),
    (["clock", "decided_on"], "2023-02-30", {"/clock/decided_on": "invalid_day"}),
    (["imports", "stores"], {}, {"/imports/stores": "wrong_type"}),
    (["imports", "bindings", 0, "sha256"], 7, {"/imports/bindings/0/sha256": "wrong_type"}),
    (["extra"], 1, {"/extra": "unknown_member"}),
])
def test_what_cannot_be_read_is_refused(box, evidence, path, value, faults):
    document = json.loads(evidence.body)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    refused = box.client.request("POST", "/v1/evaluations", body=json.dumps(document).encode(),
                                 headers={"Content-Type": "application/json"}, check=False)
    assert (refused.status, refused.faults) == (422, faults)
    del document["request"]
    assert box.elsewhere(json.dumps(document)).returncode == 1


def test_a_request_as_a_document(box, evidence):
    request = json.dumps(evidence.json["request"]).encode()
    made = box.evaluate(request, query={"form": "document"})
    assert made.json["clock"] == {"decided_on": None, "watermark": None} and made.json["imports"] is None
    assert {k: made.json[k] for k in (*ANSWER, "sentences", "request")} == {k: evidence.json[k] for k in (*ANSWER, "sentences", "request")}
    assert box.evaluate(made.body).body == made.body
    assert box.elsewhere(request.decode(), "--document", ok=True).encode() == made.body
    assert box.evaluate(request, query={"form": "answer"}, check=False).faults == {"form": "invalid_value"}


def test_an_early_conversion_writes_the_same(box):
    provider = box.admit()
    code = provider["credit_code"]
    ids = [f"e-{i}" for i in range(10)]
    box.take("e-stores", "stores", [box.store(s) for s in ids])
    box.take("e-bindings", "bindings", [box.binding(code, s, "2023-07-03") for s in ids])
    box.take("e-exams", "exam_passes", [{"credit_code": code, "person_id": f"p{i}", "passed_on": "2023-04-10"} for i in range(2)])
    box.take("e-days", "store_days", [row for s in ids for row in spread(s, "2023-07-03", "2023-07-20", 10, 500_000)],
             complete_through="2023-07-20")
    box.advance("2023-07-21")
    converted = box.client.post(f"/v1/providers/{provider['provider_id']}/early-conversion")
    assert converted.status == 201
    evidence = box.evidence(converted.json)
    assert hashlib.sha256(evidence.body).hexdigest() == converted.json["sha256"]
    assert evidence.json["clock"] == {"decided_on": "2023-07-21", "watermark": "2023-07-20"}
    assert evidence.json["imports"] == {"stores": [box.imports["e-stores"]], "bindings": [box.imports["e-bindings"]],
                                        "exam_passes": [box.imports["e-exams"]], "store_days": [box.imports["e-days"]],
                                        "store_months": []}
    assert box.elsewhere(evidence.body.decode(), ok=True).encode() == evidence.body


def test_decisions_made_before_documents_stood_alone(box, database, decided, evidence):
    """Two texts: the answer, and the request beside it. They download, replay and verify as they always did."""
    request = box.evaluate(json.dumps(evidence.json["request"]).encode()).body.decode()  # the answer alone
    old = evidence.body.decode()
    inside = old[old.index('"request":') + len('"request":') : -1]
    document = f"$doc${request}$doc$"
    database.sql(
        "insert into decision (decision_id, provider_id, period_id, outcome, decided_on, document, evidence, sha256, engine, supersedes)"
        f" select 'dec_0000000000000000', provider_id, period_id, outcome, decided_on, {document}, $doc${inside}$doc$,"
        f" encode(sha256(convert_to({document}, 'UTF8')), 'hex'), engine, decision_id from decision"
        f" where decision_id = '{decided.json['decision_id']}'")
    made = box.client.get("/v1/decisions/dec_0000000000000000").json
    assert list(made["document"]) == ANSWER
    got = box.client.get("/v1/decisions/dec_0000000000000000/evidence")
    assert got.body.decode() == inside and got.etag == f'"{hashlib.sha256(got.body).hexdigest()}"'
    assert hashlib.sha256(box.evaluate(got.body).body).hexdigest() == made["sha256"]
    replayed = box.client.post("/v1/decisions/dec_0000000000000000/replay").json
    assert (replayed["identical"], replayed["sha256"]) == (True, made["sha256"])
    database.decisions_falsified = True  # this one superseded another without a correction
    ((made_so_far,),) = database.sql("select count(*) from decision")
    assert f"ok     {made_so_far} decisions replay" in box.service.command("verify", ok=False)
