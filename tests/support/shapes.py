"""Comparison of the routes' shapes (`holdfast openapi --shapes`) with api/openapi.

The rules: the same members; the same required ones, and `null` allowed for the others, because it counts as absent;
the same bounds, none missing. A text with a pattern may be narrower in the document, because rules check it after its
shape. A text that only rules read (a cursor) has a bound in the document alone.
"""

import re

MONEY_MAXIMUM = 2 ** 53 - 1
EXPONENT_MAX = 4  # of ISO 4217
UNBOUNDED = 2 ** 63 - 1
CODE = "^[A-Za-z0-9][A-Za-z0-9._~:+@-]{0,63}$"
SECONDS = {"W": 604800, "D": 86400, "H": 3600, "M": 60, "S": 1}


def body_faults(contract, operation, shape):
    """Differences between a route's body and the request body of the operation, as text."""
    body = contract.deref(operation.node.get("requestBody"))
    if body is None or shape is None:
        if body is not None or shape is not None:
            yield "a body stands on one side only"
        return
    compared = Comparison(contract)
    needed = any(member["required"] for member in shape)
    if needed and not body.get("required"):
        yield "the body is required"
    compared.members(shape, body["content"]["application/json"]["schema"], "#")
    yield from compared.faults


def query_faults(contract, operation, shape):
    """Differences between a route's query parameters and those of the operation, as text."""
    parameters = {one["name"]: one for one in map(contract.deref, operation.parameters) if one["in"] == "query"}
    members = {member["name"]: member for member in shape or []}
    for name in sorted(parameters.keys() ^ members.keys()):
        yield f"query parameter {name} stands on one side only"
    compared = Comparison(contract)
    for name in sorted(parameters.keys() & members.keys()):
        if bool(parameters[name].get("required")) != members[name]["required"]:
            yield f"query parameter {name} is required on one side only"
        compared.value(members[name], parameters[name]["schema"], name)
    yield from compared.faults


def path_faults(contract, operation, parameters):
    """Differences between a route's path parameters, in order, and those of the operation, as text."""
    documented = {one["name"]: one for one in map(contract.deref, operation.parameters) if one["in"] == "path"}
    names = [parameter["name"] for parameter in parameters]
    if names != re.findall(r"\{([^}]*)\}", operation.template) or set(names) != documented.keys():
        yield f"the program reads the path parameters {names}"
        return
    compared = Comparison(contract)
    for parameter in parameters:
        compared.value(parameter, documented[parameter["name"]]["schema"], parameter["name"])
    yield from compared.faults


class Comparison:
    def __init__(self, contract):
        self.contract = contract
        self.faults = []

    def members(self, shape, schema, where):
        schema, _ = self.unwrap(schema)
        if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
            self.fault(where, "is no closed object in the document")
            return
        documented = schema.get("properties", {})
        members = {member["name"]: member for member in shape}
        for name in sorted(documented.keys() ^ members.keys()):
            self.fault(f"{where}/{name}", f"only the {'document' if name in documented else 'program'} has it")
        for name in sorted(documented.keys() & members.keys()):
            self.member(members[name], documented[name], name in schema.get("required", []), f"{where}/{name}")

    def member(self, member, schema, required, where):
        _, nullable = self.unwrap(schema)
        if member["required"] != required:
            self.fault(where, f"is required only in the {'document' if required else 'program'}")
        elif nullable == required:
            self.fault(where, "null counts as absent: allowed exactly for optional members")
        self.value(member, schema, where)

    def value(self, member, schema, where):
        schema, _ = self.unwrap(schema)
        getattr(self, f"_{member['kind']}")(member, schema, where)

    def unwrap(self, schema):
        """The schema without its null, and whether it had one."""
        schema = self.contract.deref(schema)
        if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
            return self.contract.deref(next(one for one in schema["anyOf"] if one != {"type": "null"})), True
        kinds = schema.get("type")
        if isinstance(kinds, list) and "null" in kinds:
            inner = {**schema, "type": next(kind for kind in kinds if kind != "null")}
            if "enum" in inner:
                inner["enum"] = [value for value in inner["enum"] if value is not None]
            return inner, True
        return schema, False

    # One for each kind of base/shape

    def _boolean(self, _, schema, where):
        self.expect(where, "type", schema.get("type"), "boolean")

    def _code(self, _, schema, where):
        self.expect(where, "pattern", schema.get("pattern"), CODE)

    def _duration(self, member, schema, where):
        self.expect(where, "format", schema.get("format"), "duration")
        self.expect(where, "x-minimum", microseconds(schema.get("x-minimum")), member["minimum"])
        self.expect(where, "x-maximum", microseconds(schema.get("x-maximum")), member["maximum"])

    def _enum(self, member, schema, where):
        self.expect(where, "values", set(schema.get("enum", [])), set(member["names"]))

    def _integer(self, member, schema, where):
        self.expect(where, "type", schema.get("type"), "integer")
        self.range(member, schema, where, "minimum", "maximum")

    def _list(self, member, schema, where):
        self.expect(where, "type", schema.get("type"), "array")
        self.range(member, schema, where, "minItems", "maxItems")
        self.members(member["shape"], schema.get("items", {}), f"{where}/0")

    def _money(self, member, schema, where):
        amount = schema.get("properties", {}).get("amount", {})
        clamped = {"minimum": max(member["minimum"], -MONEY_MAXIMUM), "maximum": min(member["maximum"], MONEY_MAXIMUM)}
        self.expect(where, "members", set(schema.get("properties", {})), {"amount", "currency", "exponent"})
        self.range(clamped, amount, f"{where}/amount", "minimum", "maximum")
        exponent = schema.get("properties", {}).get("exponent", {})
        self.range({"minimum": 0, "maximum": EXPONENT_MAX}, exponent, f"{where}/exponent", "minimum", "maximum")

    def _number(self, member, schema, where):
        self.expect(where, "type", schema.get("type"), "number")
        self.range(member, schema, where, "minimum", "maximum")

    def _object(self, member, schema, where):
        self.members(member["shape"], schema, where)

    def _raw(self, member, schema, where):
        self.expect(where, "type", schema.get("type"), "object")
        self.expect(where, "x-maximum-bytes", schema.get("x-maximum-bytes"), member["maximum"])

    def _text(self, member, schema, where):
        self.expect(where, "type", schema.get("type"), "string")
        if "maxLength" not in schema:
            self.fault(where, "maxLength is missing in the document")
        elif member["maximum"] == UNBOUNDED:
            return  # opaque: rules read it
        elif "pattern" not in schema and schema.get("format") != "date":
            self.range(member, schema, where, "minLength", "maxLength")
        elif schema["maxLength"] > member["maximum"]:
            self.expect(where, "maxLength", schema["maxLength"], member["maximum"])

    def _texts(self, member, schema, where):
        self.expect(where, "type", schema.get("type"), "array")
        self.range(member, schema, where, "minItems", "maxItems")
        items = self.contract.deref(schema.get("items", {}))
        if "names" in member:
            self.expect(where, "values", set(items.get("enum", [])), set(member["names"]))
        else:
            self.expect(where, "pattern", items.get("pattern"), CODE)

    def _text_list(self, member, schema, where):
        self.expect(where, "type", schema.get("type"), "array")
        self.range(member, schema, where, "minItems", "maxItems")
        items = self.contract.deref(schema.get("items", {}))
        self.expect(where, "lengths", (items.get("type"), items.get("minLength"), items.get("maxLength")), ("string", 1, 100))

    def _time(self, _, schema, where):
        self.expect(where, "format", schema.get("format"), "date-time")

    def _uuid(self, _, schema, where):
        self.expect(where, "format", schema.get("format"), "uuid")

    # Inside

    def range(self, member, schema, where, least, most):
        self.expect(where, least, schema.get(least, None if least == "minimum" else 0), member["minimum"])
        self.expect(where, most, schema.get(most), member["maximum"])

    def expect(self, where, what, documented, enforced):
        if documented != enforced:
            self.fault(where, f"{what} is {documented} in the document, {enforced} in the program")

    def fault(self, where, text):
        self.faults.append(f"{where}: {text}")


def microseconds(text):
    """An ISO 8601 duration as the program counts it; None for none."""
    if text is None:
        return None
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)([WDHMS])", text)) * 1_000_000
