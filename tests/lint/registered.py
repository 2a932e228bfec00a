#!/usr/bin/python3
"""Every C source and test is in its meson.build: a file that is not compiled tests nothing."""

import re

from sources import ROOT, report

KINDS = {"unit_tests": "unit", "store_tests": "store"}


def listed(text, name):
    found = re.search(rf"^{name} = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    return re.findall(r"'([^']+)'", found[1]) if found else []


def test_faults():
    build = ROOT / "tests" / "meson.build"
    text = build.read_text(encoding="utf-8")
    for name, folder in KINDS.items():
        named = listed(text, name)
        there = {path.name.removesuffix("_test.c") for path in (ROOT / "tests" / folder).glob("*_test.c")}
        for missing in sorted(there - set(named)):
            yield build, 1, f"{name} lacks '{missing}' (tests/{folder}/{missing}_test.c)"
        if named != sorted(named):
            yield build, 1, f"{name} is not sorted"
        for path in sorted((ROOT / "tests" / folder).glob("*.c")):
            if not path.name.endswith("_test.c") and f"'{folder}/{path.name}'" not in text:
                yield build, 1, f"{folder}_support lacks '{folder}/{path.name}'"


def source_faults():
    build = ROOT / "meson.build"
    text = build.read_text(encoding="utf-8") + "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("meson.build"))
    for path in sorted((ROOT / "src").rglob("*.c")):
        if not re.search(rf"['/]{re.escape(path.name)}'", text):
            yield path, 1, "is in no meson.build"


if __name__ == "__main__":
    report([*test_faults(), *source_faults()])
