"""openapi.yaml by itself: valid OpenAPI 3.1, complete in what every operation must say, and its examples are what it promises."""

import json
import pathlib
import re
import sys

import pytest
from jsonschema import Draft202012Validator

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support import openapi_check  # noqa: E402

CONTRACT = openapi_check.contract()
DOCUMENT = CONTRACT.document
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {operation["operationId"]: (method, path, operation) for method, path, operation in CONTRACT.operations()}
EVERY = pytest.mark.parametrize("name", sorted(OPERATIONS))


def resolve(node):
    return CONTRACT.resolve(node)


def parameters(operation):
    return {(p["in"], p["name"]): p for p in map(resolve, operation.get("parameters", []))}


def walk(node, where=""):
    yield where, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f"{where}/{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from walk(value, f"{where}/{i}")


def test_valid_openapi_3_1():
    schema = json.loads((ROOT / "tests/contract/oas/schema-3.1.json").read_text())
    errors = [f"/{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in Draft202012Validator(schema).iter_errors(DOCUMENT)]
    assert not errors, "\n".join(errors[:5])


def test_valid_schemas():
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema(schema)
        assert re.fullmatch("[A-Z][A-Za-z0-9]+", name)


def test_no_description_was_eaten_by_yaml():
    """In a flow mapping an unquoted comma ends the text, and what follows becomes a member without a value."""
    for where, node in walk({k: v for k, v in DOCUMENT.items() if k != "components"} | {"schemas": SCHEMAS}):
        if isinstance(node, dict) and "/examples" not in where:
            assert None not in node.values(), f"{where}: {node}"


def test_references_resolve_and_every_component_is_used():
    used = set()
    for where, node in walk(DOCUMENT):
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            assert node["$ref"].startswith("#/components/"), f"{where}: {node['$ref']}"
            CONTRACT.resolver.resolve(node["$ref"])
            used.add(node["$ref"])
    there = {f"#/components/{kind}/{name}" for kind, items in DOCUMENT["components"].items() for name in items}
    there -= {f"#/components/securitySchemes/{name}" for name in DOCUMENT["components"]["securitySchemes"]}
    unused = there - used - {"#/components/responses/MethodNotAllowed"}  # of every path, so of no operation
    assert not unused


def test_operation_ids():
    names = [operation["operationId"] for _, _, operation in CONTRACT.operations()]
    assert len(names) == len(set(names))
    for name in names:
        assert re.fullmatch("[a-z]+([A-Z][a-z]*)*", name)


@EVERY
def test_says_what_and_who(name):
    _, _, operation = OPERATIONS[name]
    assert operation["summary"] and len(operation["tags"]) == 1
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    roles = operation["x-roles"]
    assert set(roles) <= set(SCHEMAS["Role"]["enum"])
    assert (roles == []) == (operation.get("security") == []), "no role exactly where no key is needed"
    assert not roles or "admin" in roles
    assert ("unauthenticated" in operation["x-codes"]) == bool(roles)


@EVERY
def test_path_parameters(name):
    _, path, operation = OPERATIONS[name]
    declared = {n for where, n in parameters(operation) if where == "path"}
    assert declared == set(re.findall(r"\{([^}]+)\}", path))


@EVERY
def test_conventions(name):
    method, _, operation = OPERATIONS[name]
    given = parameters(operation)
    assert ("header", "Accept-Language") in given and ("header", "X-Request-Id") in given
    if method == "POST":
        assert ("query", "dry_run") in given and ("header", "Idempotency-Key") in given
        assert {"idempotency_in_flight", "idempotency_key_reused", "idempotency_key_invalid"} <= set(operation["x-codes"])
        required = given["header", "Idempotency-Key"].get("required", False)
        assert required == ("idempotency_key_required" in operation["x-codes"])
    else:
        assert ("query", "dry_run") not in given and ("header", "Idempotency-Key") not in given
    if method in ("PATCH", "PUT"):
        assert given["header", "If-Match"]["required"]
        assert {"version_stale", "precondition_required"} <= set(operation["x-codes"])
    if "304" in operation["responses"]:
        assert ("header", "If-None-Match") in given
        assert resolve(operation["responses"]["200"]["headers"]["ETag"])["required"]
    if operation["operationId"].startswith("list"):
        assert ("query", "limit") in given and ("query", "cursor") in given
        page = resolve(operation["responses"]["200"]["content"]["application/json"]["schema"])
        assert {"data", "next_cursor"} == set(page["required"])
        known_at = {"known_at"} if ("query", "known_at") in given else set()
        assert set(page["properties"]) == {"data", "next_cursor"} | known_at
        assert "Link" in operation["responses"]["200"]["headers"]


@EVERY
def test_responses(name):
    """Each status that a code has is documented, and none beside; every one with its headers and a schema."""
    method, _, operation = OPERATIONS[name]
    answers = {status: resolve(response) for status, response in operation["responses"].items()}
    refusals = {status for status in answers if int(status) >= 400}
    assert refusals == {str(CONTRACT.statuses[code]) for code in operation["x-codes"]}
    assert operation["x-codes"] == [c for c in SCHEMAS["Code"]["enum"] if c in operation["x-codes"]], "in the order of Code"
    for status, response in answers.items():
        headers = {header: resolve(value) for header, value in response["headers"].items()}
        assert headers["X-Request-Id"]["required"]
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"]
        elif status not in ("204", "304"):
            assert len(response["content"]) == 1
        if status in ("429", "503"):
            assert headers["Retry-After"]["required"]
        if method == "POST" and int(status) in (200, 201, 400, 404, 409, 422):
            assert "Idempotency-Replayed" in headers
        if status == "201":
            assert "Location" in headers


@EVERY
def test_every_body_has_examples_that_hold(name):
    _, _, operation = OPERATIONS[name]
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += [resolve(response) for response in operation["responses"].values()]
    for body in bodies:
        for media, content in body.get("content", {}).items():
            assert content["examples"], f"{media}: no example"
            for key, example in content["examples"].items():
                value = resolve(example)["value"]
                CONTRACT.check(f"example {key}", ("example", json.dumps(content["schema"])), content["schema"], value)
                if media == "application/problem+json":
                    assert CONTRACT.statuses[value["code"]] == value["status"]


def test_examples_inside_schemas_hold():
    for where, node in walk(SCHEMAS):
        if isinstance(node, dict) and isinstance(node.get("examples"), list) and not where.endswith("/properties"):
            for value in node["examples"]:
                CONTRACT.check(where, ("inner", where), node, value)


def test_answers_are_closed():
    """A member that is not documented must fail the check of an answer, so every object that we answer is closed."""
    open_objects = []

    def visit(node, where, closed_around, seen):
        if not isinstance(node, dict):
            return
        ref = node.get("$ref")
        if isinstance(ref, str):
            if ref not in seen:
                visit(resolve(node), ref, closed_around, seen | {ref})
            return
        closed = node.get("additionalProperties") is False or node.get("unevaluatedProperties") is False
        types = node.get("type", [])
        if ("properties" in node or types == "object" or "object" in types) and not closed and not closed_around:
            open_objects.append(where)
        for key in ("allOf", "anyOf", "oneOf"):
            for i, part in enumerate(node.get(key, [])):
                visit(part, f"{where}/{key}/{i}", node.get("unevaluatedProperties") is False, seen)
        for key, part in node.get("properties", {}).items():
            visit(part, f"{where}/{key}", False, seen)
        visit(node.get("items"), f"{where}/items", False, seen)

    for name, (_, _, operation) in OPERATIONS.items():
        for status, response in operation["responses"].items():
            for content in resolve(response).get("content", {}).values():
                visit(content["schema"], f"{name} {status}", False, frozenset())
        for content in operation.get("requestBody", {}).get("content", {}).values():
            visit(content["schema"], f"{name} request", False, frozenset())
    assert not open_objects


def test_required_members_exist():
    for where, node in walk(SCHEMAS):
        if isinstance(node, dict) and isinstance(node.get("required"), list) and isinstance(node.get("properties"), dict):
            assert set(node["required"]) <= set(node["properties"]) | set(members_of(node.get("allOf", []))), where


def members_of(parts):
    for part in map(resolve, parts):
        yield from part.get("properties", {})


def test_every_code_is_somewhere_and_has_one_status():
    codes = SCHEMAS["Code"]["enum"]
    assert sorted(CONTRACT.statuses) == sorted(codes)
    assert sum(len(c) for c in SCHEMAS["Code"]["x-status"].values()) == len(codes)
    used = {"method_not_allowed"}.union(*(operation["x-codes"] for _, _, operation in OPERATIONS.values()))
    assert used == set(codes)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("policy*.json")), ids=lambda p: p.name)
def test_example_policies_are_policies(path):
    policy = json.loads(path.read_text(encoding="utf-8"))
    CONTRACT.check(path.name, "policy", {"$ref": "#/components/schemas/Policy"}, policy)
    assert policy["example"] is True
