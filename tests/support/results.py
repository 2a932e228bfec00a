"""Counting tests of any program."""

import re
import xml.etree.ElementTree as ElementTree

# Characters that XML 1.0 does not know, which a failing test may well print.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Result:
    """How the tests of a suite ended."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failures = []  # (name, text)
        self.skip_reasons = []
        self.seconds = 0.0

    @property
    def failed(self):
        return len(self.failures)

    @property
    def skipped(self):
        return len(self.skip_reasons)

    def fail(self, name, text):
        self.failures.append((name, text))

    def merge(self, other):
        self.passed += other.passed
        self.failures += other.failures
        self.skip_reasons += other.skip_reasons

    def add(self, other, finished_well, what, output):
        """Take over the result of one program. `other` None: it left no report. `output()` is the text that it printed."""
        if other is not None:
            self.merge(other)
        if other is None or (not finished_well and not other.failures):
            self.fail(f"{what} did not finish well", output())

    def line(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"

    def summary(self):
        return self.line() if self.passed or self.failed or self.skipped else "no tests"


def read_junit(path, prefix=None):
    """The result in a JUnit file of pytest or criterion; None when there is none that can be read."""
    try:
        root = ElementTree.fromstring(_NOT_XML.sub("?", path.read_text(errors="replace")))
    except (OSError, ElementTree.ParseError):
        return None
    result = Result(path.stem)
    for suite in root.iter("testsuite"):
        for case in suite.iter("testcase"):
            _take(result, case, "::".join(filter(None, (prefix, case.get("classname") or suite.get("name")))))
    return result


def _take(result, case, group):
    name = f"{group}::{case.get('name')}"
    bad = [child for child in case if child.tag in ("failure", "error")]
    skipped = case.find("skipped")
    if bad or case.get("status") in ("FAILED", "ERRORED"):
        result.fail(name, "\n".join(_text(child) for child in bad))
    elif skipped is not None:
        result.skip_reasons.append(f"{name}: {skipped.get('message') or (skipped.text or '').strip()}")
    else:
        result.passed += 1


def _text(child):
    text = (child.text or "").strip()
    message = child.get("message") or ""
    return text if text and len(text) > len(message) else f"{message}\n{text}".strip()
