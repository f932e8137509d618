"""openapi.yaml against the service: its route table (`assayd routes`) and its error catalogue (`assayd codes`)."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support import openapi_check  # noqa: E402

CONTRACT = openapi_check.contract()
SCHEMAS = CONTRACT.document["components"]["schemas"]


def assayd():
    named = os.environ.get("ASSAYD")
    if named:
        return named
    found = [p for p in (ROOT / "build" / "assayd", *sorted((ROOT / "build").glob("*/assayd"))) if p.exists()]
    assert found, "no assayd: build it, or name it in ASSAYD"
    return max(found, key=lambda p: p.stat().st_mtime)


def table(command):
    """The rows of a table that assayd prints, tab-separated."""
    result = subprocess.run([str(assayd()), command], capture_output=True, timeout=30, check=False)
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    return [line.split("\t") for line in result.stdout.decode("utf-8").splitlines() if line]


def roles_of(text):
    return frozenset(re.findall("[a-z]+", text)) - {"public", "none"}


@pytest.fixture(scope="module")
def routes():
    rows = [row for row in table("routes") if row[0] in ("GET", "POST", "PATCH", "PUT", "DELETE")]
    assert rows
    return {(row[0], row[1]): row for row in rows}


@pytest.fixture(scope="module")
def codes():
    rows = [row for row in table("codes") if row[0] != "code"]
    assert rows
    return {row[0]: row for row in rows}


@pytest.fixture(scope="module")
def documented():
    return {(method, path): operation for method, path, operation in CONTRACT.operations()}


def test_the_same_operations(routes, documented):
    assert set(routes) == set(documented)
    assert {key: row[2] for key, row in routes.items()} == {key: o["operationId"] for key, o in documented.items()}


def test_the_same_roles(routes, documented):
    """admin may everything that needs a key, whether the route table repeats it or not."""

    def with_admin(roles):
        return roles | {"admin"} if roles else roles

    ours = {key: with_admin(roles_of(row[3])) for key, row in routes.items()}
    assert ours == {key: frozenset(o["x-roles"]) for key, o in documented.items()}


def test_the_same_bodies(routes, documented):
    takes_body = {key: row[4] != "none" for key, row in routes.items()}
    assert takes_body == {key: "requestBody" in o for key, o in documented.items()}


def test_problem_codes(codes):
    ours = {code: int(row[1]) for code, row in codes.items() if row[2] == "problem"}
    assert ours == CONTRACT.statuses


def test_fault_codes(codes):
    assert {code for code, row in codes.items() if row[2] == "fault"} == set(SCHEMAS["FaultCode"]["enum"])


def test_both_languages_say_the_same(codes):
    for code, row in codes.items():
        assert re.fullmatch("[a-z]+(_[a-z0-9]+)*", code)
        _, _, kind, title_en, title_zh, detail_en, detail_zh = row
        texts = (title_en, title_zh, detail_en, detail_zh) if kind == "problem" else (detail_en, detail_zh)
        assert all(text.strip() for text in texts), f"{code}: a text is empty"
        assert re.search("[\u4e00-\u9fff]", detail_zh), f"{code}: the Chinese text is not Chinese"
        assert not re.search("[\u4e00-\u9fff]", detail_en), f"{code}: the English text is not English"
        assert set(re.findall(r"\{\d\}", detail_en)) == set(re.findall(r"\{\d\}", detail_zh)), f"{code}: the arguments differ"
