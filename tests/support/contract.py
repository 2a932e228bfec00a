"""api/openapi as a judge of replies.

For a documented operation the status must be documented, and for that status the content type, the schema of the body
and the required headers. A request that was accepted must have been a documented one. Problems follow RFC 9457 and
the conventions of this API everywhere, also where the path is none of ours.
"""

import json
import re
import sys
from collections import defaultdict

import jsonschema
import yaml

from support import ROOT
from support.formats import FORMATS

sys.path.insert(0, str(ROOT / "api"))

from merge import merge  # noqa: E402

PROBLEM = "application/problem+json"
ERRORS_SHOWN = 5
# Replies of guards and limits that many routes share; other tests see them.
COMMON_STATUSES = {"401", "403", "404", "413", "414", "429", "431", "500", "503", "504"}
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


class ContractBroken(AssertionError):
    """A reply, or an accepted request, that the document does not allow."""


class _Loader(yaml.CSafeLoader):
    """YAML as OpenAPI means it: NO is a country, 2026-11-21 a text, and a name stands once."""

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(key) for key, _ in node.value]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ContractBroken(f"{node.start_mark}: {', '.join(map(str, repeated))} repeated")
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), "tf")


def load_yaml(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, _Loader)


def load_document(directory):
    """The whole document of a checkout's api/ folder, merged; older checkouts have it in one file."""
    if (directory / "openapi.yaml").exists():
        return load_yaml(directory / "openapi.yaml")
    return merge(directory / "openapi", load_yaml)


class _Resolver(jsonschema.RefResolver):
    """Only references within the document, each looked up once."""

    def __init__(self, document):
        super().__init__("", document)
        self.found = {}

    def resolve(self, ref):
        if ref not in self.found:
            self.found[ref] = follow(self.referrer, ref)
        return "", self.found[ref]


def follow(document, ref):
    """The node that "#/components/..." points to; KeyError if there is none."""
    if not ref.startswith("#/"):
        raise KeyError(f"{ref} is no reference within the document")
    node = document
    for part in ref[2:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def examples_of(contract, media):
    """The examples of a body: those of its media type, else those of its schema, or of each of its alternatives."""
    if "example" in media:
        return [media["example"]]
    if "examples" in media:
        return [contract.deref(example)["value"] for example in media["examples"].values()]
    schema = contract.deref(media.get("schema", {}))
    alternatives = [contract.deref(one).get("examples", []) for one in schema.get("anyOf", [])]
    return schema.get("examples") or [example for examples in alternatives for example in examples]


def request_examples(contract, operation):
    body = contract.deref(operation.node.get("requestBody"))
    return examples_of(contract, body["content"]["application/json"]) if body else []


class Operation:
    def __init__(self, method, template, path_item, node):
        self.method = method
        self.template = template
        self.node = node
        self.name = node.get("operationId", f"{method} {template}")
        self.parameters = path_item.get("parameters", []) + node.get("parameters", [])
        self.responses = {str(status): response for status, response in node.get("responses", {}).items()}


class Contract:
    def __init__(self, document):
        self.document = document
        self.resolver = _Resolver(document)
        self.seen = defaultdict(set)  # (name of the operation, status) -> codes of problems; what the tests reached
        self._validators = {}
        self._paths = [(self._pattern(template), template, self.deref(item))
                       for template, item in document.get("paths", {}).items()]
        # A literal segment wins over a parameter.
        self._paths.sort(key=lambda path: [part.startswith("{") for part in path[1].split("/")])
        self.operations = [
            Operation(method.upper(), template, item, node)
            for _, template, item in self._paths for method, node in item.items() if method in METHODS]
        self._by_name = {(op.template, op.method): op for op in self.operations}

    @classmethod
    def load(cls, directory):
        return cls(load_document(directory))

    def deref(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    # The judgement

    def check(self, request, reply):
        """Raise ContractBroken, with everything that is wrong, unless the document allows this reply (httpx's)."""
        faults = list(self._faults(request, reply))
        if faults:
            sent = f"\n  sent: {request.content[:1000].decode(errors='replace')}" if request.content else ""
            raise ContractBroken(
                f"{request.method} {request.url.raw_path.decode()} answered {reply.status_code} against the contract:\n"
                + "\n".join(f"  - {fault}" for fault in faults)
                + f"{sent}\n  got:  {reply.headers.get('content-type')} {reply.text[:1000]}")

    def _faults(self, request, reply):
        yield from self._wire_faults(request, reply)
        path = request.url.raw_path.decode().split("?")[0]
        item, template = self._find_path(path)
        if item is None:
            if reply.status_code < 400:
                yield f"the path {path} is not documented"
            return
        operation = self._find_operation(template, request.method)
        if operation is None:
            if reply.status_code not in (405, 501):
                yield f"{request.method} is not documented for {template}; it can only be answered 405 or 501"
            return
        yield from self._reply_faults(operation, request, reply)
        if reply.status_code < 300:
            yield from self._request_faults(operation, request)

    def _wire_faults(self, request, reply):
        status = reply.status_code
        has_body = bool(reply.content)
        if request.method == "HEAD" or status in (204, 304):
            if has_body:
                yield "there must be no body"
            return
        for problem_status, header in ((401, "WWW-Authenticate"), (405, "Allow"), (429, "Retry-After"), (503, "Retry-After")):
            if status == problem_status and header not in reply.headers:
                yield f"a {status} carries {header}"
        if status >= 400:
            yield from self._problem_faults(reply)

    def _problem_faults(self, reply):
        if media_type(reply) != PROBLEM:
            yield f"a {reply.status_code} is {PROBLEM}"
            return
        problem = parse(reply)
        if not isinstance(problem, dict):
            yield "a problem is a JSON object"
            return
        if problem.get("status") != reply.status_code:
            yield f"the problem's member status is {problem.get('status')!r}"
        for member in ("type", "title", "code"):
            if not isinstance(problem.get(member), str):
                yield f"the problem has no text in member {member}"
        if not re.match(r"https?://.+", str(problem.get("type"))):
            yield "the problem's type is no absolute address"
        if not str(problem.get("type")).endswith(str(problem.get("code"))):
            yield "the problem's type does not end with its code"

    def _reply_faults(self, operation, request, reply):
        response, documented = self._find_response(operation, reply.status_code)
        if response is None:
            yield f"{operation.name} does not document {reply.status_code}, only {' '.join(sorted(operation.responses))}"
            return
        code = (parse(reply) or {}).get("code") if reply.status_code >= 400 and reply.content else None
        self.seen[operation.name, documented].add(code)
        codes = response.get("x-codes") or operation.node.get("x-codes")
        if code is not None and codes is not None and code not in codes:
            yield f"{operation.name} does not document the code {code} here, only {' '.join(codes)}"
        yield from self._header_faults(response, reply)
        if request.method != "HEAD" and reply.status_code not in (204, 304):
            yield from self._body_faults(response, reply)

    def _header_faults(self, response, reply):
        for name, header in response.get("headers", {}).items():
            header = self.deref(header)
            if name not in reply.headers:
                if header.get("required"):
                    yield f"the required header {name} is missing"
                continue
            schema = header.get("schema")
            if schema is not None:
                yield from self._schema_faults(schema, self._typed(schema, reply.headers[name]), f"header {name}")

    def _body_faults(self, response, reply):
        content = response.get("content", {})
        if not content:
            if reply.content:
                yield "the document has no body here"
            return
        media = content.get(media_type(reply))
        if media is None:
            yield f"content type {media_type(reply)} is not documented, only {' '.join(content)}"
            return
        if "schema" in media and media_type(reply).endswith("json"):
            body = parse(reply)
            if body is None and reply.content.strip() != b"null":
                yield "the body is not JSON"
                return
            yield from self._schema_faults(media["schema"], body, "body")

    def _request_faults(self, operation, request):
        """An accepted request must be documented, else the document is narrower than the service."""
        known = {(parameter["in"], parameter["name"]) for parameter in map(self.deref, operation.parameters)}
        for name in request.url.params:
            if ("query", name) not in known:
                yield f"accepted the query parameter {name}, which is not documented"
        body = self.deref(operation.node.get("requestBody"))
        media = (body or {}).get("content", {}).get("application/json", {})
        if request.content and "schema" in media:
            yield from self._schema_faults(media["schema"], json.loads(request.content), "accepted request")

    def _schema_faults(self, schema, value, what):
        if id(schema) not in self._validators:
            self._validators[id(schema)] = jsonschema.Draft202012Validator(
                schema, resolver=self.resolver, format_checker=FORMATS)
        errors = self._validators[id(schema)].iter_errors(value)
        for error in sorted(map(_deepest, errors), key=lambda error: error.json_path)[:ERRORS_SHOWN]:
            yield f"{what} {error.json_path}: {error.message[:300]}"

    # Looking things up

    @staticmethod
    def _pattern(template):
        return re.compile("".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", template)))

    def _find_path(self, path):
        for pattern, template, item in self._paths:
            if pattern.fullmatch(path):
                return item, template
        return None, None

    def _find_operation(self, template, method):
        found = self._by_name.get((template, method))
        return found or (self._by_name.get((template, "GET")) if method == "HEAD" else None)

    def _find_response(self, operation, status):
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in operation.responses:
                return self.deref(operation.responses[name]), name
        return None, None

    def _typed(self, schema, text):
        kind = self.deref(schema).get("type")
        if kind == "integer" and re.fullmatch("-?[0-9]+", text):
            return int(text)
        if kind == "boolean" and text in ("true", "false"):
            return text == "true"
        return text

    # Replies that the tests reached

    def own_replies(self):
        """Documented (operation, status) pairs that are the operation's own: each needs a test that sees it."""
        return [(operation.name, status) for operation in self.operations for status in operation.responses
                if status not in COMMON_STATUSES]

    def unseen(self):
        """Documented (operation, status) pairs that no reply had yet."""
        return [(operation.name, status) for operation in self.operations for status in operation.responses
                if (operation.name, status) not in self.seen]


def media_type(reply):
    return reply.headers.get("content-type", "").split(";")[0].strip().lower()


def parse(reply):
    try:
        return json.loads(reply.content)
    except ValueError:
        return None


def _deepest(error):
    """Of the alternatives of an anyOf or oneOf, the complaint that got furthest: the one a reader needs."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error
