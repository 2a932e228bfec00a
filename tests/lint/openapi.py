#!/usr/bin/python3
"""api/openapi is sound: references and schemas hold, every value has a bound, every body an example, every operation a
description, and the checks of replies find the members that they rely on. The importer keeps each member of the bodies that it
sends."""

import re
import sys

import jsonschema
from sources import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from support.contract import METHODS, PROBLEM, Contract, examples_of, follow, load_document  # noqa: E402
from support.formats import FORMATS  # noqa: E402

HEALTH = "application/health+json"  # a probe reads its status
# Keywords that bound a value of a type, and keywords that bound it instead of all of these.
BOUNDS = {"string": {"maxLength"}, "integer": {"minimum", "maximum"}, "number": {"minimum", "maximum"}, "array": {"maxItems"}}
BOUNDED = {"string": {"enum", "const", "pattern", "format"}, "integer": {"enum", "const"}, "number": {"enum", "const"}}
# A detail quotes the request; the lists have a row for each location of the retailer, or each that took units over.
UNBOUNDED = {"#/components/schemas/Availability/data", "#/components/schemas/Fulfillment/replaced_by",
             "#/components/schemas/Problem/detail", "#/components/schemas/ProductStock/locations",
             "#/components/schemas/Violation/detail"}


def problems():
    """(slug, status) of every problem of the program."""
    header = (ROOT / "src" / "base" / "problem.h").read_text(encoding="utf-8")
    for status, slug in re.findall(r'X\([A-Z_]+, (\d{3}), "([a-z-]+)"', header):
        yield slug, int(status)


def kept_members():
    """(schema, members) of each kind of document that the importer reads and puts back; it drops all other members."""
    source = (ROOT / "src" / "importing" / "catalog.c").read_text(encoding="utf-8")
    found = re.findall(r"(\w+)_members\[\] = \{(.*?), NULL", source, re.DOTALL)
    assert {kind for kind, _ in found} == {"location", "product"}, "the importer's lists have other names"
    for kind, members in found:
        yield f"{kind.capitalize()}Body", set(re.findall(r'"(\w+)"', members))


class Check:
    def __init__(self, document):
        self.document = document
        self.contract = Contract(document)
        self.resolver = self.contract.resolver
        self.problems = dict(problems())
        self.faults = []

    def fault(self, where, text):
        self.faults.append(f"{where}: {text}")

    def deref(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = follow(self.document, node["$ref"])
        return node

    def run(self):
        if not str(self.document.get("openapi", "")).startswith("3.1."):
            self.fault("openapi", "must be 3.1.x")
        self.references(self.document, "#")
        if self.faults:
            return self.faults  # the rest follows references
        for name, schema in self.document.get("components", {}).get("schemas", {}).items():
            self.schema(schema, f"#/components/schemas/{name}")
            self.examples(schema, f"#/components/schemas/{name}")
            self.bounds(schema, f"#/components/schemas/{name}")
        self.operations()
        self.imports()
        return self.faults

    def references(self, node, where):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                try:
                    follow(self.document, node["$ref"])
                except (KeyError, IndexError, TypeError, ValueError):
                    self.fault(where, f"{node['$ref']} leads nowhere")
            for key, value in node.items():
                self.references(value, f"{where}/{key}")
        elif isinstance(node, list):
            for index, value in enumerate(node):
                self.references(value, f"{where}/{index}")

    def schema(self, schema, where):
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            self.fault(where, f"no valid JSON Schema: {error.message[:200]}")

    def examples(self, schema, where):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver, format_checker=FORMATS)
        for index, example in enumerate(schema.get("examples", [])):
            for error in validator.iter_errors(example):
                self.fault(f"{where} example {index}", f"{error.json_path}: {error.message[:200]}")

    def bounds(self, schema, where):
        """Every string, number and list has a bound; components are looked at under their own name."""
        if not isinstance(schema, dict) or "$ref" in schema:
            return
        kinds = schema.get("type", [])
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            missing = BOUNDS.get(kind, frozenset()) - schema.keys()
            if missing and not BOUNDED.get(kind, frozenset()) & schema.keys() and where not in UNBOUNDED:
                self.fault(where, f"a {kind} without {', '.join(sorted(missing))}")
        for name, member in schema.get("properties", {}).items():
            self.bounds(member, f"{where}/{name}")
        for name in ("items", "additionalProperties"):
            self.bounds(schema.get(name), f"{where}/{name}")
        for name in ("allOf", "anyOf", "oneOf"):
            for index, part in enumerate(schema.get(name, [])):
                self.bounds(part, f"{where}/{name}/{index}")

    def operations(self):
        names = {}
        for template, item in self.document.get("paths", {}).items():
            item = self.deref(item)
            for method in METHODS & item.keys():
                where = f"{method.upper()} {template}"
                name = item[method].get("operationId")
                if not name:
                    self.fault(where, "no operationId")
                elif name in names:
                    self.fault(where, f"operationId {name} is also that of {names[name]}")
                names[name] = where
                self.operation(where, template, item, item[method])

    def operation(self, where, template, item, operation):
        for needed in ("tags", "summary", "description"):
            if not operation.get(needed):
                self.fault(where, f"no {needed}")
        parameters = [self.deref(one) for one in item.get("parameters", []) + operation.get("parameters", [])]
        self.parameters(where, template, parameters)
        body = self.deref(operation.get("requestBody")) or {}
        for media in body.get("content", {}).values():
            self.schema(media.get("schema", {}), f"{where} request")
            self.bounds(media.get("schema", {}), f"{where} request")
            self.request_is_closed(where, media.get("schema", {}))
            self.has_example(f"{where} request", media)
        for status, response in operation.get("responses", {}).items():
            self.response(f"{where} {status}", str(status), self.deref(response))

    def imports(self):
        for name, kept in kept_members():
            for member in sorted(kept ^ set(self.document["components"]["schemas"][name]["properties"])):
                self.fault(name, f"{member} stands only once, here or in the members that src/importing/catalog.c keeps")

    def parameters(self, where, template, parameters):
        in_path = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        for name in set(re.findall(r"\{([^}]*)\}", template)) ^ in_path:
            self.fault(where, f"path parameter {name} stands only once, in the path or in the parameters")
        for parameter in parameters:
            self.bounds(parameter.get("schema", {}), f"{where} parameter {parameter['name']}")
            schema = self.deref(parameter.get("schema", {}))
            if parameter["in"] == "header" and not {"pattern", "enum", "const"} & schema.keys():
                self.fault(where, f"header parameter {parameter['name']} has no pattern")

    def request_is_closed(self, where, schema):
        schema = self.deref(schema)
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False \
                and schema.get("unevaluatedProperties") is not False:
            self.fault(where, "the request allows members that nobody has documented (additionalProperties: false)")

    def response(self, where, status, response):
        content = response.get("content", {})
        if not response.get("description"):
            self.fault(where, "no description")
        if status[0] in "45" and list(content) not in ([PROBLEM], [HEALTH]):
            self.fault(where, f"is not {PROBLEM}")
        if list(content) == [PROBLEM]:
            self.codes(where, int(status), response)
        if status == "201" and not self.is_required(response, "ETag") and not self.is_required(response, "Location"):
            self.fault(where, "neither ETag nor Location is a required header")
        for kind, media in content.items():
            self.schema(media.get("schema", {}), where)
            if kind.endswith("json"):
                self.bounds(media.get("schema", {}), where)
            if status[0] == "2":
                self.has_example(where, media)

    def has_example(self, where, media):
        """A body has an example that its schema allows; tests/api/test_examples.py sends or compares it."""
        examples = examples_of(self.contract, media)
        if not examples:
            self.fault(where, "no example")
        self.examples({**media.get("schema", {}), "examples": examples}, where)

    def codes(self, where, status, response):
        codes = response.get("x-codes", [])
        if not codes or codes != sorted(codes):
            self.fault(where, "x-codes lists the codes of its problems, sorted")
        for code in codes:
            if self.problems.get(code) != status:
                self.fault(where, f"{code} is no problem with this status, see src/base/problem.h")

    def is_required(self, response, name):
        return bool((self.deref(response.get("headers", {}).get(name)) or {}).get("required"))


if __name__ == "__main__":
    found = Check(load_document(ROOT / "api")).run()
    print("\n".join(found))
    sys.exit(1 if found else 0)
