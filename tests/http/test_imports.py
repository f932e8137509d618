"""Imports over HTTP: every kind in both formats, both modes, what can be wrong with a row, corrections, repeats, streaming."""

import gzip
import itertools
import json
import os
import socket
import subprocess
import threading
import time

import pytest

from support.world import COLUMNS, csv, new_credit_code

CSV = {"Content-Type": "text/csv"}
NDJSON = {"Content-Type": "application/x-ndjson"}
MAX = 9007199254740991
_numbers = itertools.count(1)


def ndjson(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def new_store_id():
    return f"st-{next(_numbers)}"


@pytest.fixture(scope="module")
def load(client):
    """Sends a body and checks the answer's form; load(kind, body, ...) with csv unless told otherwise."""

    def send(kind, body, mode=None, through=None, dry_run=False, headers=CSV, status=201, **more):
        query = {"kind": kind}
        if mode:
            query["mode"] = mode
        if through:
            query["complete_through"] = through
        if dry_run:
            query["dry_run"] = "true"
        answer = client.post("/v1/imports", body=body, query=query, headers=headers, **more)
        assert answer.status == status, answer
        return answer

    return send


@pytest.fixture
def stores(world, load):
    """Makes known stores: stores(3) gives their ids."""

    def make(n=1, **over):
        ids = [new_store_id() for _ in range(n)]
        load("stores", csv("stores", [world.store(i, **over) for i in ids]))
        return ids

    return make


@pytest.fixture
def provider(world):
    return world.register()


def counts(answer):
    rows = answer.json["rows"]
    return tuple(rows[k] for k in ("received", "inserted", "changed", "unchanged", "rejected"))


def errors(answer):
    return [(e["line"], e["column"], e["code"]) for e in answer.json["errors"]]


def day_row(store_id, day="2023-04-01", orders=1, gmv_fen=100):
    return {"store_id": store_id, "day": day, "orders": orders, "gmv_fen": gmv_fen}


# ---- every kind, in both formats ----


def rows_of(kind, world, stores, provider):
    known = stores(2)
    code = provider["credit_code"]
    return {
        "stores": [world.store(new_store_id(), name='A, "b" 店'), world.store(new_store_id(), ship_from_regions=[])],
        "bindings": [world.binding(code, known[0], "2023-04-01"), world.binding(code, known[1], "2023-04-01", "2023-05-01")],
        "store_days": [day_row(known[0]), day_row(known[1], "2023-05-31", 0, MAX)],
        "exam_passes": [{"credit_code": code, "person_id": p, "passed_on": "2023-04-20"} for p in ("p-1", "王")],
    }[kind]


@pytest.mark.parametrize("form", ["csv", "csv crlf", "csv gzip", "ndjson", "ndjson gzip"])
@pytest.mark.parametrize("kind", list(COLUMNS))
def test_kinds_and_formats(kind, form, world, load, stores, provider):
    rows = rows_of(kind, world, stores, provider)
    body = csv(kind, rows) if "csv" in form else ndjson(rows)
    if "crlf" in form:
        body = body.replace(b"\n", b"\r\n")
    headers = dict(CSV if "csv" in form else NDJSON)
    if "gzip" in form:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    answer = load(kind, body, headers=headers)
    assert counts(answer) == (2, 2, 0, 0, 0)
    assert answer.json["status"] == "applied" and answer.json["bytes_received"] == len(body)
    assert answer.headers["Location"] == "/v1/imports/" + answer.json["import_id"]
    again = load(kind, body, headers=headers)
    assert counts(again) == (2, 0, 0, 2, 0)
    assert again.json["import_id"] != answer.json["import_id"]


def test_values_arrive_as_sent(world, client, load):
    row = world.store(new_store_id(), name='Tea, "old" 店', ship_from_regions=["420100", "440000"], status="suspended")
    load("stores", csv("stores", [row]))
    got = client.get(f"/v1/stores/{row['store_id']}").json
    assert got["name"] == row["name"] and got["ship_from_regions"] == row["ship_from_regions"]
    assert got["status"] == "suspended" and got["registered_region"] == "420106"


def test_columns_in_any_order_and_a_byte_order_mark(load, stores):
    (store,) = stores()
    body = f"\ufeffgmv_fen,day,store_id,orders\n7,2023-04-01,{store},3\n".encode()
    assert counts(load("store_days", body)) == (1, 1, 0, 0, 0)
    assert counts(load("store_days", csv("store_days", [day_row(store, orders=3, gmv_fen=7)]))) == (1, 0, 0, 1, 0)


def test_gzip_is_found_by_its_first_bytes(load, stores):
    (store,) = stores()
    assert counts(load("store_days", gzip.compress(csv("store_days", [day_row(store)])))) == (1, 1, 0, 0, 0)


def test_gzip_of_several_members(load, stores):
    a, b = stores(2)
    body = gzip.compress(csv("store_days", [day_row(a)])) + gzip.compress(f"{b},2023-04-02,1,1\n".encode())
    assert counts(load("store_days", body)) == (2, 2, 0, 0, 0)


@pytest.mark.parametrize("body", [gzip.compress(b"store_id,day,orders,gmv_fen\n")[:-4], b"\x1f\x8bnothing of the kind", b""])
def test_damaged_gzip(body, load, client):
    answer = load("store_days", body, headers={**CSV, "Content-Encoding": "gzip"}, status=400)
    assert answer.code == "invalid_gzip"
    assert client.get("/v1/imports", query={"limit": 1}).json["data"][0]["status"] == "failed"


def test_chunked_upload(load, stores):
    ids = stores(3)
    body = csv("store_days", [day_row(i, f"2023-04-{d:02}") for i in ids for d in range(1, 31)])
    pieces = (body[i : i + 7] for i in range(0, len(body), 7))
    assert counts(load("store_days", pieces)) == (90, 90, 0, 0, 0)


def test_no_rows_at_all(load):
    assert counts(load("store_days", b"store_id,day,orders,gmv_fen\n")) == (0, 0, 0, 0, 0)
    assert counts(load("store_days", b"", headers=NDJSON)) == (0, 0, 0, 0, 0)


# ---- what can be wrong ----

STORE = "st-known"


def bad(kind, column, value, code):
    return pytest.param(kind, column, value, code, id=f"{kind}-{column}-{code}-{str(value)[:20]}")


BAD_VALUES = [
    bad("stores", "store_id", "", "missing"),
    bad("stores", "store_id", "x" * 65, "too_long"),
    bad("stores", "store_id", "a\tb", "wrong_format"),
    bad("stores", "name", "", "missing"),
    bad("stores", "name", "名" * 201, "too_long"),
    bad("stores", "registered_region", "42010", "wrong_format"),
    bad("stores", "registered_region", "020100", "wrong_format"),
    bad("stores", "ship_from_regions", ["420100", "x"], "wrong_format"),
    bad("stores", "ship_from_regions", ["420100"] * 101, "too_long"),
    bad("stores", "industry", "Antiques", "wrong_format"),
    bad("stores", "category", "a" * 65, "wrong_format"),
    bad("stores", "status", "open", "invalid_value"),
    bad("stores", "valid_from", "2023-02-29", "invalid_day"),
    bad("stores", "valid_from", "1989-12-31", "invalid_day"),
    bad("bindings", "credit_code", "91420106", "wrong_format"),
    bad("bindings", "credit_code", "91420106000000019U", "bad_check_character"),
    bad("bindings", "store_id", "st-unknown", "unknown_store"),
    bad("bindings", "bound_on", "2023/04/01", "invalid_day"),
    bad("bindings", "bound_on", "", "missing"),
    bad("bindings", "unbound_on", "2023-03-31", "must_be_before"),
    bad("bindings", "unbound_on", "never", "invalid_day"),
    bad("store_days", "store_id", "st-unknown", "unknown_store"),
    bad("store_days", "day", "2023-4-1", "invalid_day"),
    bad("store_days", "orders", "", "missing"),
    bad("store_days", "orders", "1.0", "wrong_type"),
    bad("store_days", "orders", "007", "wrong_type"),
    bad("store_days", "orders", " 7", "wrong_type"),
    bad("store_days", "orders", "-1", "number_out_of_range"),
    bad("store_days", "gmv_fen", str(MAX + 1), "number_out_of_range"),
    bad("store_days", "gmv_fen", "9" * 40, "number_out_of_range"),
    bad("exam_passes", "person_id", "", "missing"),
    bad("exam_passes", "person_id", "p" * 65, "too_long"),
    bad("exam_passes", "passed_on", "20230401", "invalid_day"),
]


@pytest.fixture(scope="module")
def good_rows(world):
    """One good row of each kind, and the provider and store that they name."""
    code = world.register()["credit_code"]
    world.load("stores", [world.store(STORE)])
    return {
        "stores": world.store("st-new"),
        "bindings": world.binding(code, STORE, "2023-04-01"),
        "store_days": day_row(STORE),
        "exam_passes": {"credit_code": code, "person_id": "p-1", "passed_on": "2023-04-20"},
    }


@pytest.mark.parametrize(("kind", "column", "value", "code"), BAD_VALUES)
def test_a_bad_value_in_csv(kind, column, value, code, load, good_rows):
    if code == "bad_check_character" and value == good_rows["bindings"]["credit_code"]:
        value = value[:-1] + "0"
    rows = [good_rows[kind], {**good_rows[kind], column: value}]
    answer = load(kind, csv(kind, rows), dry_run=True, status=422)
    assert errors(answer) == [(3, column, code)]
    assert answer.faults == {f"/3/{column}": code}
    assert counts(answer) == (2, 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("kind", "column", "value", "code"),
    [
        bad("store_days", "orders", "7", "wrong_type"),
        bad("store_days", "orders", 7.0, "wrong_type"),
        bad("store_days", "orders", None, "wrong_type"),
        bad("store_days", "orders", True, "wrong_type"),
        bad("store_days", "orders", -1, "number_out_of_range"),
        bad("store_days", "gmv_fen", MAX + 1, "number_out_of_range"),
        bad("store_days", "day", 20230401, "wrong_type"),
        bad("store_days", "store_id", 1, "wrong_type"),
        bad("store_days", "store_id", None, "wrong_type"),
        bad("store_days", "colour", 1, "unknown_member"),
        bad("stores", "ship_from_regions", "420100;440000", "wrong_type"),
        bad("stores", "ship_from_regions", [420100], "wrong_type"),
        bad("bindings", "unbound_on", "", "invalid_day"),
    ],
)
def test_a_bad_member_in_ndjson(kind, column, value, code, load, good_rows):
    answer = load(kind, ndjson([{**good_rows[kind], column: value}]), headers=NDJSON, dry_run=True, status=422)
    assert errors(answer) == [(1, column, code)]


def test_a_missing_member_and_lines_that_are_no_rows(load, good_rows):
    good = json.dumps(good_rows["store_days"])
    row = {k: v for k, v in good_rows["store_days"].items() if k != "orders"}
    body = "\n".join(["", json.dumps(row), "[1]", "{", good[:-1] + ', "day": "2023-04-01"}', good]).encode()
    answer = load("store_days", body, headers=NDJSON, dry_run=True, status=422)
    assert [(line, code) for line, _, code in errors(answer)] == [
        (2, "missing"), (3, "wrong_type"), (4, "wrong_format"), (5, "duplicate_member")]  # fmt: skip
    assert counts(answer) == (5, 0, 0, 0, 4)


def test_an_unknown_provider(load, good_rows):
    for kind in ("bindings", "exam_passes"):
        answer = load(kind, csv(kind, [{**good_rows[kind], "credit_code": new_credit_code()}]), dry_run=True, status=422)
        assert errors(answer) == [(2, "credit_code", "unknown_provider")]


def test_rows_that_are_no_csv(load):
    lines = [
        "store_id,day,orders,gmv_fen",
        f"{STORE},2023-04-01,1",
        f"{STORE},2023-04-01,1,1,1",
        f'{STORE},2023-04-01,1"1,1',
        f"{STORE},2023-04-01,1\r1,1",
        "x" * 70000,
        f"{STORE},2023-04-01,1,1",
        f'{STORE},"2023-04-01,1,1',
    ]
    body = "\n".join(lines).encode() + b"\n"
    answer = load("store_days", body, dry_run=True, status=422)
    assert [(line, code) for line, _, code in errors(answer)] == [
        (2, "too_few_columns"), (3, "too_many_columns"), (4, "stray_quote"), (5, "stray_return"), (6, "row_too_long"),
        (8, "unclosed_quote")]  # fmt: skip
    assert counts(answer) == (7, 0, 0, 0, 6)


def test_lines_are_counted_as_an_editor_does(load, good_rows, world):
    rows = [world.store("st-new", name="two\nlines"), world.store("", name="x")]
    answer = load("stores", b"\n" + csv("stores", rows), dry_run=True, status=422)
    assert errors(answer) == [(3, "name", "wrong_format"), (5, "store_id", "missing")]


def test_text_that_is_no_utf8(load):
    body = b"store_id,day,orders,gmv_fen\n\xff,2023-04-01,1,1\na\0b,2023-04-01,1,1\n"
    answer = load("store_days", body, dry_run=True, status=422)
    assert errors(answer) == [(2, "store_id", "bad_encoding"), (3, "store_id", "bad_encoding")]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("store_id,day,orders", [("gmv_fen", "missing_column")]),
        ("store_id,day,orders,gmv_fen,note", [("note", "unknown_column")]),
        ("store_id,day,orders,gmv_fen,day", [("day", "duplicate_column")]),
        ("Store_id,day,orders,gmv_fen", [("Store_id", "unknown_column"), ("store_id", "missing_column")]),
        ("", [(c, "missing_column") for c in COLUMNS["store_days"]]),
    ],
)
@pytest.mark.parametrize("mode", ["atomic", "per_row"])
def test_a_bad_header_refuses_the_whole_file(header, expected, mode, load, good_rows):
    answer = load("store_days", f"{header}\n".encode() if header else b"", mode=mode, status=422)
    assert answer.code == "import_rejected"
    assert errors(answer) == [(1, column, code) for column, code in expected]
    assert counts(answer) == (0, 0, 0, 0, 0)


def test_a_header_of_too_many_columns(load):
    answer = load("store_days", (",".join(f"c{i}" for i in range(65)) + "\n").encode(), status=422)
    assert answer.code == "import_rejected"
    assert (1, "column_limit") in [(line, code) for line, _, code in errors(answer)], answer


def test_every_fault_of_a_row_and_of_the_file_is_reported(load, good_rows):
    body = b"store_id,day,orders,gmv_fen\n,2023-04-31,-1,x\n" + f"{STORE},2023-04-01,1,1\nst-unknown,2023-04-01,1,1\n".encode()
    answer = load("store_days", body, dry_run=True, status=422)
    assert errors(answer) == [
        (2, "store_id", "missing"), (2, "day", "invalid_day"), (2, "orders", "number_out_of_range"), (2, "gmv_fen", "wrong_type"),
        (4, "store_id", "unknown_store")]  # fmt: skip
    assert counts(answer) == (3, 0, 0, 0, 2)


def test_many_bad_rows(load, client, good_rows):
    n = 1500
    body = "store_id,day,orders,gmv_fen\n" + f"{STORE},2023-04-01,x,1\n" * n
    answer = load("store_days", body.encode(), status=422)
    assert counts(answer) == (n, 0, 0, 0, n)
    assert [e["line"] for e in answer.json["errors"]] == list(range(2, 102))
    kept = client.all(f"/v1/imports/{answer.json['import_id']}/errors")
    assert [e["line"] for e in kept] == list(range(2, 1002))
    assert kept[:100] == answer.json["errors"]
    chinese = client.get(f"/v1/imports/{answer.json['import_id']}/errors", headers={"Accept-Language": "zh-CN"}, query={"limit": 1})
    assert chinese.json["data"][0]["detail"] != kept[0]["detail"] and chinese.json["data"][0]["code"] == "wrong_type"


# ---- the request itself ----


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ({}, {"kind": "missing"}),
        ({"kind": "shops"}, {"kind": "invalid_value"}),
        ({"kind": "stores", "mode": "some"}, {"mode": "invalid_value"}),
        ({"kind": "store_days", "complete_through": "2023-02-30"}, {"complete_through": "invalid_day"}),
        ({"kind": "stores", "complete_through": "2023-02-20"}, {"complete_through": "unknown_parameter"}),
        ({"kind": "stores", "colour": "red"}, {"colour": "unknown_parameter"}),
    ],
)
def test_bad_queries(query, faults, client):
    answer = client.post("/v1/imports", body=b"x", query=query, headers=CSV)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.faults == faults


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "text/csv; header=absent", "text/csv; charset=gbk", None])
def test_media_types_that_are_refused(kind, client):
    answer = client.post("/v1/imports", body=b"", query={"kind": "stores"}, headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["text/csv; charset=utf-8", 'Text/CSV;charset="UTF-8";header=present', "text/csv ; x=y"])
def test_media_types_with_parameters(kind, load):
    load("store_days", b"store_id,day,orders,gmv_fen\n", headers={"Content-Type": kind})


def test_an_unknown_content_encoding(client):
    answer = client.post("/v1/imports", body=b"", query={"kind": "stores"}, headers={**CSV, "Content-Encoding": "br"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_only_the_feed_and_admins_import(role, client, keys):
    other = client.with_key(keys[role])
    assert other.post("/v1/imports", body=b"", query={"kind": "stores"}, headers=CSV).code == "forbidden"
    assert other.get("/v1/imports").status == 200
    feed = client.with_key(keys["feed"])
    assert feed.post("/v1/imports", body=b"", query={"kind": "stores"}, headers=NDJSON).status == 201


def test_what_is_not_there(client):
    for path in ("/v1/imports/imp_00", "/v1/imports/imp_00/errors"):
        assert client.get(path).code == "not_found"


# ---- modes ----


def test_atomic_applies_nothing_when_one_row_is_bad(load, stores, client):
    a, b = stores(2)
    body = csv("store_days", [day_row(a), day_row(b, orders="x")])
    answer = load("store_days", body, through="2019-01-01", status=422)
    assert answer.code == "import_rejected" and answer.json["import_status"] == "rejected"
    assert counts(answer) == (2, 0, 0, 0, 1)
    assert counts(load("store_days", csv("store_days", [day_row(a)]))) == (1, 1, 0, 0, 0)
    stored = client.get(f"/v1/imports/{answer.json['import_id']}").json
    assert stored["status"] == "rejected" and stored["rows"] == answer.json["rows"] and stored["finished_at"]


def test_per_row_applies_the_good_rows(load, stores, client):
    a, b = stores(2)
    body = csv("store_days", [day_row(a), day_row(b, orders="x"), day_row("st-unknown"), day_row(b)])
    answer = load("store_days", body, mode="per_row")
    assert counts(answer) == (4, 2, 0, 0, 2)
    found = client.all(f"/v1/imports/{answer.json['import_id']}/errors")
    assert [(e["line"], e["column"], e["code"]) for e in found] == [(3, "orders", "wrong_type"), (4, "store_id", "unknown_store")]


def test_dry_run_keeps_nothing(load, stores, client, database):
    (store,) = stores()
    before = client.get("/v1/imports", query={"limit": 1}).json["data"][0]["import_id"]
    events = database.sql("select count(*) from event")
    answer = load("store_days", csv("store_days", [day_row(store, "2024-02-29")]), through="2024-02-29", dry_run=True)
    assert counts(answer) == (1, 1, 0, 0, 0) and answer.json["watermark"] == "2024-02-29"
    assert "Location" not in answer.headers
    assert client.get("/v1/imports", query={"limit": 1}).json["data"][0]["import_id"] == before
    assert client.get(f"/v1/imports/{answer.json['import_id']}").code == "not_found"
    assert database.sql("select count(*) from event") == events
    assert counts(load("store_days", csv("store_days", [day_row(store, "2024-02-29")]))) == (1, 1, 0, 0, 0)


# ---- the same key twice in a file ----


@pytest.mark.parametrize("kind", ["stores", "bindings", "store_days"])
def test_a_key_twice_in_one_file(kind, load, world, stores, provider):
    (store,) = stores()
    first, column, other = {
        "stores": (world.store(new_store_id()), "name", "another"),
        "bindings": (world.binding(provider["credit_code"], store, "2023-04-01"), "unbound_on", "2023-05-01"),
        "store_days": (day_row(store), "orders", 99),
    }[kind]
    answer = load(kind, csv(kind, [first, {**first, column: other}]), status=422)
    assert errors(answer) == [(3, None, "duplicate_row")]
    answer = load(kind, csv(kind, [first, first, {**first, column: other}, first]), mode="per_row")
    assert counts(answer) == (4, 1, 0, 2, 1)
    assert counts(load(kind, csv(kind, [first]))) == (1, 0, 0, 1, 0)


def test_an_exam_pass_twice_is_one(load, provider):
    row = {"credit_code": provider["credit_code"], "person_id": "p", "passed_on": "2023-04-01"}
    assert counts(load("exam_passes", csv("exam_passes", [row, row]))) == (2, 1, 0, 1, 0)


# ---- corrections ----


def test_a_corrected_day_keeps_its_earlier_value(load, stores, database):
    a, b, c = stores(3)
    first = load("store_days", csv("store_days", [day_row(a, orders=5), day_row(b)])).json["import_id"]
    second = load("store_days", csv("store_days", [day_row(c), day_row(b), day_row(a, orders=7)]))
    assert counts(second) == (3, 1, 1, 1, 0)
    history = database.sql(
        "select h.orders, h.gmv_fen, was.import_id, now.import_id from store_day_history h join import_ref was on was.seq = h.import_seq"
        f" join import_ref now on now.seq = h.replaced_by where h.store_id = '{a}'")
    assert history == [(5, 100, first, second.json["import_id"])]
    assert database.sql(f"select orders from store_day where store_id = '{a}'") == [(7,)]


@pytest.mark.parametrize("days", [("2021-01-05", "2023-02-05"), ("2023-02-05", "2023-02-06")])
def test_few_corrections_far_apart_and_close_by(days, load, stores, database):
    """Facts are found one by one by their key, or all of their days together: the counts are the same."""
    ids = stores(4)
    first = [day_row(i, d, orders=n) for n, i in enumerate(ids) for d in days]
    assert counts(load("store_days", csv("store_days", first))) == (8, 8, 0, 0, 0)
    second = [{**first[0], "orders": 50}, first[1], {**first[7], "gmv_fen": 60}, day_row(ids[0], "2022-03-01")]
    assert counts(load("store_days", csv("store_days", second))) == (4, 1, 2, 1, 0)
    third = [{**row, "orders": row["orders"] + 1} for row in second]
    assert counts(load("store_days", csv("store_days", third))) == (4, 0, 4, 0, 0)
    now = database.sql(f"select sum(orders), sum(gmv_fen), count(*) from store_day where store_id in {tuple(ids)}")
    assert now == [(12 + 50 + 4 + 1, 760 + 100, 9)]
    assert database.sql(f"select count(*) from store_day_history where store_id in {tuple(ids)}") == [(6,)]


def test_a_corrected_store_and_a_later_version(load, world, client, database):
    row = world.store(new_store_id())
    load("stores", csv("stores", [row]))
    changed = load("stores", csv("stores", [{**row, "status": "suspended"}, {**row, "status": "closed", "valid_from": "2021-01-01"}]))
    assert counts(changed) == (2, 1, 1, 0, 0)
    assert database.sql(f"select status, replaced_by from store_version_history where store_id = '{row['store_id']}'") == [
        ("normal", changed.json["import_id"])]
    assert client.get(f"/v1/stores/{row['store_id']}").json["status"] == "closed"


def test_a_binding_that_ends(load, world, stores, provider, database):
    (store,) = stores()
    row = world.binding(provider["credit_code"], store, "2023-04-01")
    load("bindings", csv("bindings", [row]))
    ended = load("bindings", csv("bindings", [{**row, "unbound_on": "2023-06-01"}]))
    assert counts(ended) == (1, 0, 1, 0, 0)
    assert database.sql(f"select unbound_on, replaced_by from binding_history where store_id = '{store}'") == [
        (None, ended.json["import_id"])]


# ---- bindings do not overlap ----


def test_a_binding_that_overlaps_one_that_stands(load, world, stores, provider):
    (store,) = stores()
    code = provider["credit_code"]
    load("bindings", csv("bindings", [world.binding(code, store, "2023-04-01")]))
    answer = load("bindings", csv("bindings", [world.binding(code, store, "2023-06-01", "2023-07-01")]), status=422)
    assert errors(answer) == [(2, "bound_on", "overlaps")]
    assert "2023-04-01/.." in answer.json["errors"][0]["detail"]


def test_bindings_of_one_file_that_overlap(load, world, stores, provider):
    (store,) = stores()
    code = provider["credit_code"]
    rows = [world.binding(code, store, "2023-05-01", "2023-07-01"), world.binding(code, store, "2023-04-01", "2023-05-02")]
    assert errors(load("bindings", csv("bindings", rows), status=422)) == [(3, "bound_on", "overlaps")]
    assert counts(load("bindings", csv("bindings", rows), mode="per_row")) == (2, 1, 0, 0, 1)


def test_what_counts_is_how_it_is_after_the_file(load, world, stores, provider):
    """A later binding and the end of the one before it, in either order."""
    (store,) = stores()
    code = provider["credit_code"]
    load("bindings", csv("bindings", [world.binding(code, store, "2023-04-01")]))
    rows = [world.binding(code, store, "2023-06-01"), world.binding(code, store, "2023-04-01", "2023-06-01")]
    assert counts(load("bindings", csv("bindings", rows))) == (2, 1, 1, 0, 0)


def test_a_refused_end_leaves_its_binding_in_the_way(load, world, stores, provider):
    """Per row: the change on line 3 clashes with line 2; without it, line 2 clashes with the binding as it stands."""
    (store,) = stores()
    code = provider["credit_code"]
    load("bindings", csv("bindings", [world.binding(code, store, "2023-04-01")]))
    rows = [world.binding(code, store, "2023-06-01", "2023-07-01"), world.binding(code, store, "2023-04-01", "2023-06-02")]
    assert counts(load("bindings", csv("bindings", rows), mode="per_row")) == (2, 0, 0, 0, 2)


def test_a_binding_of_no_length_and_other_providers_do_not_overlap(load, world, stores, provider):
    (store,) = stores()
    code, other = provider["credit_code"], world.register()["credit_code"]
    rows = [world.binding(code, store, "2023-04-01"), world.binding(code, store, "2023-05-01", "2023-05-01"),
            world.binding(other, store, "2023-04-01")]  # fmt: skip
    assert counts(load("bindings", csv("bindings", rows))) == (3, 3, 0, 0, 0)


# ---- idempotency ----


@pytest.mark.parametrize("value", [1, "x"])
def test_the_same_key_gives_the_same_answer(value, load, stores, client):
    (store,) = stores()
    body = csv("store_days", [day_row(store, orders=value)])
    status = 201 if value == 1 else 422
    key = f"replay-{store}"
    first = load("store_days", body, idempotency_key=key, status=status)
    again = load("store_days", body, idempotency_key=key, status=status, headers={**CSV, "Accept-Language": "zh-CN"})
    assert again.body == first.body and again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"]
    other = load("store_days", body + b"\n", idempotency_key=key, status=422)
    assert other.code == "idempotency_key_reused"
    other = load("store_days", body, idempotency_key=key, mode="per_row", status=422)
    assert other.code == "idempotency_key_reused"


def test_the_same_key_at_the_same_time(service, client, stores):
    (store,) = stores()
    body = csv("store_days", [day_row(store)])
    with Upload(service, "/v1/imports?kind=store_days", {**CSV, "Idempotency-Key": f"both-{store}"}) as upload:
        upload.send(body[:10])
        wait_for(lambda: client.get("/v1/imports", query={"status": "running"}).json["data"])
        second = client.post("/v1/imports", body=body, query={"kind": "store_days"}, headers=CSV, idempotency_key=f"both-{store}")
        assert (second.status, second.code) == (409, "idempotency_in_flight")
        upload.send(body[10:])
        assert upload.finish().startswith("HTTP/1.1 201")
    replayed = client.post("/v1/imports", body=body, query={"kind": "store_days"}, headers=CSV, idempotency_key=f"both-{store}")
    assert replayed.headers["Idempotency-Replayed"] == "true"


# ---- while it runs, and two at once ----


class Upload:
    """A POST whose body is sent by hand, chunked."""

    def __init__(self, service, target, headers):
        self.socket = socket.create_connection(("127.0.0.1", service.port), timeout=60)
        lines = [f"POST {target} HTTP/1.1", "Host: x", f"Authorization: Bearer {service.admin_key}", "Transfer-Encoding: chunked",
                 *(f"{k}: {v}" for k, v in headers.items())]  # fmt: skip
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, piece):
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))

    def finish(self):
        self.socket.sendall(b"0\r\n\r\n")
        return self.socket.recv(65536).decode()


def wait_for(condition, seconds=30):
    give_up = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_progress_is_visible_while_it_runs(service, client, stores):
    (store,) = stores()
    with Upload(service, "/v1/imports?kind=store_days&complete_through=2019-01-01", CSV) as upload:
        upload.send(b"store_id,day,orders,gmv_fen\n" + f"{store},2023-04-01,1,1\n".encode() + b"bad,2023-04-01,x,1\n")
        (running,) = wait_for(lambda: client.get("/v1/imports", query={"status": "running", "kind": "store_days"}).json["data"])
        time.sleep(1.2)
        upload.send(f"{store},2023-04-02,1,1\n".encode())
        path = f"/v1/imports/{running['import_id']}"
        seen = wait_for(lambda: (lambda i: i if i["rows"]["received"] else None)(client.get(path).json))
        assert seen["status"] == "running" and seen["finished_at"] is None and seen["sha256"] is None
        assert seen["rows"]["received"] == 3 and seen["rows"]["rejected"] == 1 and seen["bytes_received"] > 70
        assert upload.finish().startswith("HTTP/1.1 422")
    assert client.get(path).json["status"] == "rejected"


@pytest.mark.tsan
def test_two_imports_of_the_same_rows_at_once(client, stores, database):
    ids = stores(200)
    bodies = [csv("store_days", [day_row(i, f"2024-03-{d:02}", orders=n) for i in ids for d in range(1, 11)]) for n in (1, 2, 1, 2)]
    answers = [None] * len(bodies)

    def send(n):
        answers[n] = client.post("/v1/imports", body=bodies[n], query={"kind": "store_days"}, headers=CSV)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status for a in answers] == [201] * 4
    assert sum(a.json["rows"]["inserted"] for a in answers) == 2000  # whoever came first
    assert all(counts(a)[1:4] in {(2000, 0, 0), (0, 2000, 0), (0, 0, 2000)} for a in answers)
    assert len(database.sql("select distinct orders from store_day where day between '2024-03-01' and '2024-03-10'")) == 1


# ---- the roll-up, the watermark, what becomes stale ----


def roll_up_is_right(database):
    """Every month that ended within the watermark is there, and says what its days say; no other month is."""
    return not database.sql(
        "select * from (select store_id, date_trunc('month', day)::date as month, sum(orders)::bigint as orders, sum(gmv_fen)::bigint as gmv"
        " from store_day where date_trunc('month', day) + interval '1 month' - interval '1 day' <= (select day from watermark)"
        " group by 1, 2) d full join store_month m using (store_id, month)"
        " where d.orders is distinct from m.orders or d.gmv is distinct from m.gmv_fen")


def test_the_watermark_and_the_roll_up(new_service):
    service = new_service()
    client, database = service.client(), service.database
    from support.world import World

    world = World(client)
    world.load("stores", [world.store("a"), world.store("b")])

    def load(rows, through=None, mode=None):
        answer = world.load("store_days", rows, complete_through=through, mode=mode)
        assert roll_up_is_right(database)
        return answer

    assert load([day_row("a", "2023-04-01"), day_row("b", "2023-05-31")])["watermark"] is None
    assert load([day_row("a", "2023-04-30", 2)], "2023-04-29")["watermark"] == "2023-04-29"
    assert database.sql("select count(*) from store_month") == [(0,)]
    assert load([], "2023-04-30")["watermark"] == "2023-04-30"
    assert database.sql("select store_id, month, orders, gmv_fen from store_month") == [("a", __import__("datetime").date(2023, 4, 1), 3, 200)]
    assert load([day_row("a", "2023-04-01", 5), day_row("b", "2023-04-02", 7)], "2023-03-01")["watermark"] == "2023-04-30"
    assert load([day_row("b", "2023-06-30", 7)], "2023-06-30")["watermark"] == "2023-06-30"
    assert load([day_row("b", "2023-06-29", 7), {**day_row("b", "2023-06-28"), "orders": "x"}], "2023-07-31", "per_row")["watermark"] \
        == "2023-06-30"  # rows were refused: the figures are not complete
    moved = database.sql("select data->>'from', data->>'to' from event where type = 'watermark.moved' order by event_id")
    assert moved == [(None, "2023-04-29"), ("2023-04-29", "2023-04-30"), ("2023-04-30", "2023-06-30")]


def test_outside_a_sandbox_days_are_past(new_service):
    service = new_service(sandbox=False)
    client = service.client()
    (today,) = service.database.sql("select assay_today()::text, (assay_today() + 1)::text, (assay_today() - 1)::text")
    today, tomorrow, yesterday = today

    def send(day, through=None):
        query = {"kind": "store_days", **({"complete_through": through} if through else {})}
        return client.post("/v1/imports", body=csv("store_days", [day_row("a", day)]), query=query, headers=CSV)

    row = {"store_id": "a", "name": "a", "registered_region": "420106", "ship_from_regions": [], "industry": "antiques_art",
           "category": "antiques_art", "status": "normal", "valid_from": "2020-01-01"}  # fmt: skip
    assert client.post("/v1/imports", body=csv("stores", [row]), query={"kind": "stores"}, headers=CSV).status == 201
    assert errors(send(tomorrow)) == [(2, "day", "day_in_future")]
    assert send(today).status == 201
    assert send(today, through=today).faults == {"complete_through": "must_be_before"}
    assert send(yesterday, through=yesterday).json["watermark"] == yesterday


def test_periods_whose_figures_changed_are_stale(new_service):
    from support.world import World

    service = new_service()
    world, database = World(service.client()), service.database
    world.advance("2023-03-20")
    ours, others = world.admit(), world.admit()
    world.advance("2023-04-10")
    world.load("stores", [world.store("ours"), world.store("theirs")])
    world.load("bindings", [world.binding(ours["credit_code"], "ours", "2023-04-02"), world.binding(others["credit_code"], "theirs", "2023-04-02")])

    def versions():
        rows = database.sql("select provider_id, facts_version from period")
        return [dict(rows)[p["provider_id"]] for p in (ours, others)]

    def grew(kind, rows, **more):
        before = versions()
        world.load(kind, rows, **more)
        return [b > a for a, b in zip(before, versions())]

    assert grew("store_days", [day_row("ours", "2023-04-05")]) == [True, False]
    assert grew("store_days", [day_row("ours", "2023-04-05")]) == [False, False]
    assert grew("store_days", [day_row("ours", "2022-04-05")]) == [False, False]
    assert grew("store_days", [day_row("theirs", "2023-04-05", 3)], complete_through="2023-04-09") == [True, True]
    assert grew("store_days", [day_row("theirs", "2023-04-05", 4)], complete_through="2023-04-09") == [False, True]
    assert grew("stores", [world.store("theirs", status="closed", valid_from="2023-04-06")]) == [False, True]
    assert grew("exam_passes", [{"credit_code": ours["credit_code"], "person_id": "p", "passed_on": "2023-04-06"}]) == [True, False]
    assert grew("bindings", [world.binding(ours["credit_code"], "ours", "2023-04-02", "2023-04-08")]) == [True, False]


def test_events_and_audit(load, stores, database, client):
    (store,) = stores()
    applied = load("store_days", csv("store_days", [day_row(store)])).json["import_id"]
    rejected = load("store_days", csv("store_days", [day_row(store, orders="x")]), status=422).json["import_id"]
    assert database.sql(f"select type from event where subject in ('{applied}', '{rejected}') order by event_id") == [
        ("import.applied",), ("import.rejected",)]
    assert database.sql(f"select action, actor_id like 'key%' from audit where subject in ('{applied}', '{rejected}') order by audit_id") == [
        ("import.applied", True), ("import.rejected", True)]


# ---- lists ----


def test_list_newest_first_with_filters(load, client):
    a = load("stores", b"", headers=NDJSON).json["import_id"]
    b = load("exam_passes", b"", headers=NDJSON).json["import_id"]
    first = client.get("/v1/imports", query={"limit": 1})
    assert [i["import_id"] for i in first.json["data"]] == [b] and first.headers["Link"]
    second = client.get("/v1/imports", query={"limit": 1, "cursor": first.json["next_cursor"]})
    assert [i["import_id"] for i in second.json["data"]] == [a]
    assert client.get("/v1/imports", query={"kind": "stores", "limit": 1}).json["data"][0]["import_id"] == a
    assert {i["status"] for i in client.all("/v1/imports", {"status": "rejected"})} <= {"rejected"}
    assert client.get("/v1/imports", query={"status": "gone"}).faults == {"status": "invalid_value"}


# ---- memory ----


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.mark.skipif("asan" in os.environ.get("ASSAYD", "asan"), reason="a sanitizer keeps freed memory")
def test_memory_does_not_grow_with_the_body(new_service):
    service = new_service()
    client = service.client()
    peak = [0]

    def send(n):
        def pieces():
            yield b"store_id,day,orders,gmv_fen\n"
            for i in range(0, n, 5000):
                yield b"".join(b"nobody-%d,2023-04-01,1,1\n" % k for k in range(i, i + 5000))
                peak[0] = max(peak[0], resident_kib(service.process.pid))

        answer = client.post("/v1/imports", body=pieces(), query={"kind": "store_days"}, headers=CSV)
        assert answer.status == 422 and answer.json["rows"]["rejected"] == n
        return peak[0]

    small = send(10_000)
    assert send(600_000) - small < 16 * 1024


# ---- the command line ----


def test_the_command(service, database, tmp_path, world):
    store = new_store_id()
    file = tmp_path / "stores.csv"
    file.write_bytes(csv("stores", [world.store(store)]))
    done = service.command("import", "stores", str(file), ok=None)
    assert done.returncode == 0 and json.loads(done.stdout)["rows"]["inserted"] == 1
    assert "1 rows received, 1 inserted" in done.stderr
    days = tmp_path / "days.ndjson"
    days.write_bytes(ndjson([day_row(store), {**day_row(store, "2023-04-02"), "orders": "x"}]))
    done = service.command("import", "store_days", str(days), ok=None)
    assert done.returncode == 1 and f"{days}:2: orders Expected an integer." in done.stderr
    done = service.command("import", "store_days", str(days), "--mode", "per_row", "--complete-through", "2019-02-01", ok=None)
    assert done.returncode == 0 and json.loads(done.stdout)["rows"] == {"received": 2, "inserted": 1, "changed": 0, "unchanged": 0, "rejected": 1}
    done = service.command("import", "store_days", "-", "--format", "csv", "--dry-run", stdin=csv("store_days", [day_row(store)]).decode(), ok=None)
    assert done.returncode == 0 and json.loads(done.stdout)["rows"]["unchanged"] == 1
    zipped = tmp_path / "days.csv.gz"
    zipped.write_bytes(gzip.compress(csv("store_days", [day_row(store)])))
    assert json.loads(service.command("import", "store_days", str(zipped)))["rows"]["unchanged"] == 1


@pytest.mark.parametrize("args", [(), ("shops", "f"), ("stores",), ("stores", "f", "g"), ("stores", "f", "--mode", "x"),
                                  ("stores", "f", "--complete-through", "2023-01-01"), ("store_days", "f", "--complete-through", "x")])  # fmt: skip
def test_the_command_used_wrongly(args, service):
    done = service.command("import", *args, ok=None)
    assert done.returncode == 2 and "Usage" in done.stderr


def test_the_command_on_what_cannot_be_read(service, tmp_path):
    done = service.command("import", "stores", str(tmp_path / "nothing"), ok=None)
    assert done.returncode == 1 and "No such file" in done.stderr
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"x" * 1000)[:-9])
    done = service.command("import", "stores", str(cut), ok=None)
    assert done.returncode == 1 and "not whole, valid gzip" in done.stderr


def test_the_command_shows_a_bar_on_a_terminal(service, tmp_path, world):
    from support.service import binary

    file = tmp_path / "stores.csv"
    file.write_bytes(csv("stores", [world.store(new_store_id())]))
    master, slave = os.openpty()
    done = subprocess.Popen([binary(), "import", "stores", str(file)], env=service.env(), stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end was closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert done.wait(60) == 0
    assert b"[##############################] 100%" in shown and b"rows/s" in shown


# ---- the days that the roll-up keeps beside a month's total ----


def kept_days(database):
    return {(s, m.isoformat()[:7]): n for s, m, n in database.sql(
        "select store_id, month, length(days) / 26 from store_month where days is not null")}


def kept_days_are_right(database):
    return not database.sql("select store_id, month from store_month where days is not null"
                            " and store_month_days_sorted(days) <> store_month_days(store_id, month)")


def test_days_are_kept_where_a_binding_begins_or_ends_within_the_month(new_service):
    service = new_service()
    client, database = service.client(), service.database
    from support.world import World, days

    world = World(client)
    code = world.register()["credit_code"]
    world.load("stores", [world.store(s) for s in "abcd"])
    world.load("bindings", [world.binding(code, "a", "2023-04-10"), world.binding(code, "b", "2023-04-01", "2023-05-02"),
                            world.binding(code, "c", "2023-05-01", "2023-06-01")])
    april = [day_row(s, d, i + 1) for s in "abcd" for i, d in enumerate(days("2023-04-01", "2023-04-30"))]
    april[0]["orders"] = april[0]["gmv_fen"] = 0  # says nothing: not kept
    world.load("store_days", list(reversed(april)), complete_through="2023-04-30")
    assert kept_days(database) == {("a", "2023-04"): 29} and kept_days_are_right(database)

    # a correction of a month that is rolled up: what was kept is dropped, and is there again with the next roll-up, as are the days of
    # a month that a later binding cuts
    world.load("store_days", [day_row("a", "2023-04-20", 500)])
    assert kept_days(database) == {}
    world.load("bindings", [world.binding(code, "d", "2023-04-30")])
    world.load("store_days", [day_row("b", "2023-05-01", 3)], complete_through="2023-05-30")
    assert kept_days(database) == {}, "no month ended"
    world.load("store_days", [day_row("b", "2023-05-31", 3)], complete_through="2023-05-31")
    assert kept_days(database) == {("a", "2023-04"): 29, ("d", "2023-04"): 30, ("b", "2023-05"): 2}
    assert kept_days_are_right(database)
    assert "store-months are the sums of their days" in service.command("verify", ok=None).stdout
    database.sql("update store_month set days = set_byte(days, 9, 77) where store_id = 'd'")
    assert "d 2023-04" in service.command("verify", ok=None).stdout
