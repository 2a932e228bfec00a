"""The formats of JSON Schema that Debian's jsonschema checks only with further packages, or too leniently."""

import datetime
import re

import jsonschema

FORMATS = jsonschema.FormatChecker(formats=[])


def _pattern(name, pattern):
    expression = re.compile(pattern)
    FORMATS.checks(name)(lambda value: not isinstance(value, str) or expression.fullmatch(value) is not None)


_pattern("duration", r"P(?!$)(\d+W|(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)")
_pattern("email", r"[^@\s]+@[^@\s]+")
_pattern("uri", r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_pattern("uri-reference", r"[!-~]*")
_pattern("uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # canonical: lower case (conventions of the API)


@FORMATS.checks("date", raises=ValueError)
def _date(value):
    return not isinstance(value, str) or bool(datetime.datetime.strptime(value, "%Y-%m-%d"))


@FORMATS.checks("date-time", raises=ValueError)
def _date_time(value):
    """RFC 3339 in UTC with "Z", which is what this API emits; fractions as they come."""
    if not isinstance(value, str):
        return True
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", value)
    return found is not None and bool(datetime.datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S"))
