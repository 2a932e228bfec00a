"""One OpenAPI document out of api/openapi/*.yaml.

common.yaml has the head, the components that several rooms use, and nothing of one room. A room's file has its paths and
the schemas that are its own. Merging adds the standard replies, those that a class of operations has in common, so that an
operation says only what is particular about it; a reply that the operation gives itself stays as it is.
"""
import pathlib

METHODS = ("delete", "get", "patch", "post", "put")


def _reply(name):
    return {"$ref": f"#/components/responses/{name}"}


def _parameters(item, operation):
    """The names of the shared parameters, as in components/parameters."""
    return {parameter["$ref"].rsplit("/", 1)[1] for parameter in item.get("parameters", []) + operation.get("parameters", [])
            if "$ref" in parameter}


def _bad_request(parameters, has_body):
    """The name of the standard 400."""
    if "IdempotencyKey" in parameters:
        return "BadKeyedCommand"
    if "OptionalIdempotencyKey" in parameters:
        return "BadCommand"
    if has_body:
        return "BadBody"
    return "BadList" if "Cursor" in parameters else "BadRead"


def standard_replies(path, item, method, operation):
    """The replies by status that every operation of this class can give."""
    parameters = _parameters(item, operation)
    has_body = "requestBody" in operation
    is_command = bool(parameters & {"IdempotencyKey", "OptionalIdempotencyKey"})
    replies = {
        "400": _bad_request(parameters, has_body),
        "413": "ContentTooLarge",
        "414": "UriTooLong",
        "422": "InvalidCommand" if is_command else "Invalid",
        "431": "HeadersTooLarge",
    }
    if operation.get("security") != []:
        replies |= {"401": "Unauthenticated", "403": "Forbidden", "429": "QuotaExceeded", "500": "Internal", "503": "Unavailable",
                    "504": "Timeout"}
    if has_body:
        replies["415"] = "UnsupportedMediaType"
    if "IfMatch" in parameters:
        replies["412"] = "PreconditionFailed"
    if "{" in path and method != "put":
        replies["404"] = "NotFound"
    return {status: _reply(name) for status, name in sorted(replies.items())}


def merge(directory, load_yaml):
    """The whole document; ValueError when two files say the same thing."""
    directory = pathlib.Path(directory)
    document = load_yaml(directory / "common.yaml")
    document["paths"] = {}
    for path in sorted(directory.glob("*.yaml")):
        if path.name == "common.yaml":
            continue
        room = load_yaml(path)
        _add(document["paths"], room.get("paths", {}), path)
        for kind, components in room.get("components", {}).items():
            _add(document["components"].setdefault(kind, {}), components, path)
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and "Cursor" in _parameters(item, item[method]):
                item[method]["responses"]["200"].setdefault("headers", {})["Holdfast-Cursor"] = {
                    "$ref": "#/components/headers/HoldfastCursor"}
            if method in item:
                item[method]["responses"] = dict(sorted(
                    (standard_replies(path, item, method, item[method]) | item[method]["responses"]).items()))
    return document


def _add(known, new, path):
    for name, node in new.items():
        if name in known:
            raise ValueError(f"{path}: {name} stands in another file already")
        known[name] = node
