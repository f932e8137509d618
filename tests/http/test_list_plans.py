"""Every list is read from an index, from the cursor on: the plans that PostgreSQL made for the service's own statements, over a
database in which each of them has many rows (bench/lists.sql), read neither a whole table nor many rows that they do not show."""

import json
import os
import re
from urllib.parse import parse_qsl

import psycopg2
import pytest
import yaml

from support.openapi_check import OPENAPI
from support.service import ROOT

ROWS = 30000
PASSED_OVER = 400  # rows that a page may read and not show: others of one provider, or of a filter that leaves out few
SMALL = {"policy", "clock", "watermark"}
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ UTC \[\d+\] (\S+) LOG:  duration: [\d.]+ ms  plan:\n((?:\t.*\n)+)", re.M)


def bench_file(name):
    with open(os.path.join(ROOT, "bench", name), encoding="utf-8") as f:
        return f.read()


LISTS = [tuple(line.split("\t")) for line in bench_file("lists.tsv").splitlines()]


@pytest.fixture(scope="module")
def crowded(cluster, database, service):
    name = database.name
    database.decisions_falsified = True  # rows to be listed, no decisions
    service.stop()
    made, vacuum = bench_file("lists.sql").replace(":n", str(ROWS)).split("commit;")
    connection = psycopg2.connect(cluster.url(name, "postgres"))
    with connection, connection.cursor() as cursor:
        cursor.execute(made.replace("begin;", ""))
    connection.close()
    cluster.sql(vacuum, name)
    for setting in ("session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0", "auto_explain.log_analyze = on",
                    "auto_explain.log_timing = off", "auto_explain.log_nested_statements = on", "auto_explain.log_format = 'json'"):
        cluster.sql(f"alter database {name} set {setting}")
    service.start()
    return service


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def plans_since(cluster, name, offset):
    with open(cluster.log_path, encoding="utf-8", errors="replace") as log:
        log.seek(offset)
        text = log.read()
    return [json.loads(body.replace("\n\t", "\n")) for database, body in ENTRY.findall(text) if database == name]


def faults(plan):
    for node in nodes(plan["Plan"]):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in SMALL:
            yield f"reads all of {node['Relation Name']}"
        removed = max(node.get(f"Rows Removed by {how}", 0) for how in ("Filter", "Index Recheck", "Join Filter"))
        if removed * node["Actual Loops"] > PASSED_OVER:
            yield f"passes over {removed * node['Actual Loops']:.0f} rows of {node.get('Relation Name', node['Node Type'])}"


def read(service, cluster, name, path, query):
    """The answer; and what is wrong with the plans of its statements, after whether there were any."""
    offset = os.path.getsize(cluster.log_path)
    answer = service.client().get(path, query=query)
    assert answer.status == 200, answer
    plans = [p for p in plans_since(cluster, name, offset) if p["Query Text"].lstrip().startswith("select")  # the schedule's are others
             and ("list" in p["Query Text"] or "limit" in p["Query Text"]) and "facts_version" not in p["Query Text"]]
    assert plans, "no plan was logged"
    return answer.json, [(fault, p["Query Text"]) for p in plans for fault in faults(p)]


@pytest.mark.parametrize(("path", "query"), LISTS, ids=["?".join(one).rstrip("?") for one in LISTS])
def test_a_page_costs_what_it_shows(crowded, cluster, database, path, query):
    asked = dict(parse_qsl(query))
    first, wrong = read(crowded, cluster, database.name, path, asked)
    assert not wrong
    deep = crowded.client().get(path, query={**asked, "limit": 200}).json
    if deep["next_cursor"]:
        later, wrong = read(crowded, cluster, database.name, path, {**asked, "cursor": deep["next_cursor"]})
        assert not wrong
        assert not {json.dumps(x) for x in first["data"]} & {json.dumps(x) for x in later["data"]}


def test_each_list_of_the_service_is_among_them():
    document = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
    lists = {path for path, item in document["paths"].items() if "/Cursor\"" in json.dumps(item.get("get", {}).get("parameters", []))}
    tried = {re.sub(r"/[a-z]+[_-][0-9a-f]{10}(?=/)", "/{id}", path) for path, _ in LISTS}
    assert tried == {re.sub(r"\{[a-z_]+\}", "{id}", path) for path in lists}
