"""The program and api/openapi agree: routes, scopes, keys, accepted requests, and the document itself."""

import json
import re
import subprocess

import pytest

from support import ROOT
from support.client import contract
from support.contract import load_document
from support.holdfast import binary
from support.shapes import body_faults, path_faults, query_faults

SCHEME = "bearer"


def printed(*options):
    return subprocess.run([str(binary()), "openapi", *options], capture_output=True, text=True, check=True).stdout


def routes():
    """{(method, path): (scopes, key)} of the program; any of the scopes opens it."""
    rows = [line.split(" ") for line in printed("--routes").splitlines()]
    assert len({tuple(row[:2]) for row in rows}) == len(rows), "a route stands twice"
    return {(method, path): (scope, key) for method, path, scope, key in rows}


def operations():
    return {(operation.method, operation.template): operation for operation in contract().operations}


def documented_scope(operation):
    security = operation.node.get("security", contract().document.get("security"))
    if security == []:
        return "-"
    assert all(len(way.get(SCHEME, [])) == 1 for way in security), f"{operation.name} has no one scope for each way in"
    return ",".join(way[SCHEME][0] for way in security)


def documented_key(operation):
    for parameter in map(contract().deref, operation.parameters):
        if parameter["in"] == "header" and parameter["name"] == "Idempotency-Key":
            return "required" if parameter.get("required") else "optional"
    return "none"


def test_every_route_is_documented():
    assert sorted(routes().keys() - operations().keys()) == []


def test_every_documented_operation_is_a_route():
    assert sorted(operations().keys() - routes().keys()) == []


def test_scopes_and_keys_agree():
    there = operations()
    wrong = [f"{method} {path}: {said} in the document, {done} in the program"
             for (method, path), done in sorted(routes().items()) if (method, path) in there
             for said in [(documented_scope(there[method, path]), documented_key(there[method, path]))] if said != done]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("part, faults_of", [("body", body_faults), ("parameters", path_faults), ("query", query_faults)])
def test_accepted_requests_agree(part, faults_of):
    there = operations()
    wrong = [f"{route['method']} {route['path']}: {fault}"
             for route in json.loads(printed("--shapes")) if (route["method"], route["path"]) in there
             for fault in faults_of(contract(), there[route["method"], route["path"]], route[part])]
    assert not wrong, "\n".join(wrong)


def bounds_of(schema, deref, seen):
    """Each (schema, keyword) that bounds a value of a request, once."""
    schema = deref(schema)
    if id(schema) in seen:
        return
    seen.add(id(schema))
    yield from ((schema, keyword) for keyword in ("maxLength", "minimum", "maximum", "maxItems") if keyword in schema)
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *filter(None, [schema.get("items")])]
    for part in inner:
        yield from bounds_of(part, deref, seen)


def without(schema, keyword, faults):
    """The faults that appear while the schema lacks the keyword."""
    value = schema.pop(keyword)
    try:
        return list(faults())
    finally:
        schema[keyword] = value


def test_every_bound_of_a_body_is_compared_with_the_program():
    """Each bound is taken out of the document in turn; the comparison misses it, unless a pattern or format takes its place."""
    there, unnoticed, compared = operations(), [], 0
    for route in json.loads(printed("--shapes")):
        operation = there[route["method"], route["path"]]
        body = contract().deref(operation.node.get("requestBody"))
        for schema, keyword in bounds_of(body["content"]["application/json"]["schema"], contract().deref, set()) if body else []:
            found = without(schema, keyword, lambda: body_faults(contract(), operation, route["body"]))
            compared += 1
            if not found and not (keyword == "maxLength" and {"pattern", "format"} & schema.keys()):
                unnoticed.append(f"{route['method']} {route['path']}: {keyword} of {schema}")
    assert compared > 200
    assert not unnoticed, "\n".join(unnoticed)


def test_the_document_is_the_file():
    assert json.loads(printed()) == load_document(ROOT / "api")


def test_a_reply_names_the_next_version_of_the_document(service):
    nobody = service.client(token=None)
    reply = nobody.get("/openapi.json", expect=200)
    assert reply.json() == json.loads(printed())
    assert reply.headers["content-type"] == "application/json"
    again = nobody.get("/openapi.json", headers={"If-None-Match": reply.headers["etag"]}, expect=304)
    assert again.headers["etag"] == reply.headers["etag"]
    nobody.get("/openapi.json", headers={"If-None-Match": '"another"'}, expect=200)


def test_the_codes_of_errors_are_those_of_the_page():
    page = printed("--problems").partition("## Entries of")[2]
    codes = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    schema = json.loads(printed())["components"]["schemas"]["Violation"]
    assert codes == sorted(codes) == schema["properties"]["code"]["enum"]


@pytest.mark.parametrize("option, page", [
    ("--asyncapi", "api/asyncapi.yaml"), ("--events", "docs/events.md"), ("--lifecycles", "docs/lifecycles.md"),
    ("--notifications", "docs/notifications.md"), ("--problems", "docs/problems.md")])
def test_printed_pages_are_those_in_docs(option, page):
    assert printed(option) == (ROOT / page).read_text(encoding="utf-8"), f"print it again: holdfast openapi {option} > {page}"


def test_every_lifecycle_is_printed():
    page = printed("--lifecycles")
    for source in sorted((ROOT / "src").rglob("*.c")):
        text = source.read_text(encoding="utf-8")
        for part in text.split("const struct lifecycle ")[1:]:
            if "_lifecycle = {" in part[:60]:
                name = part.split('.name = "')[1].split('"')[0]
                assert f"## The life of a {name}\n" in page, f"{name} of {source} is not printed"


def test_unknown_options_are_refused():
    done = subprocess.run([str(binary()), "openapi", "--nonsense"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: holdfast openapi" in done.stderr
