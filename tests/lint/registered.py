#!/usr/bin/python3
"""Every C source and test is in a meson.build, and every fuzz target has a corpus: a file that is not compiled tests nothing."""

import re

from sources import ROOT, report

BUILD = ROOT / "tests" / "meson.build"
TESTS = ROOT / "tests"
NAME = re.compile(r"'([^']+)'")


def listed(text, name):
    """The names between the brackets behind `name = `, in their order; none when there is no such list."""
    found = re.search(rf"^{name} = \[(.*?)\]", text, re.DOTALL | re.MULTILINE)
    return NAME.findall(found[1]) if found else []


def rooms(text):
    """Room -> names of its unit tests."""
    found = re.search(r"^unit_tests = \{(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    return {room: NAME.findall(names) for room, names in re.findall(r"'([^']+)': \[(.*?)\]", found[1], re.DOTALL)} if found else {}


def names_in(folder, ending):
    return {path.name.removesuffix(ending) for path in (TESTS / folder).glob(f"*{ending}")}


def unit_faults(text):
    named = rooms(text)
    all_names = [name for names in named.values() for name in names]
    for missing in sorted(names_in("unit", "_test.c") - set(all_names)):
        yield BUILD, 1, f"no room of unit_tests has '{missing}' (tests/unit/{missing}_test.c)"
    for name in sorted({name for name in all_names if all_names.count(name) > 1}):
        yield BUILD, 1, f"unit_tests has '{name}' twice"
    for what, names in [("unit_tests", list(named)), *named.items()]:
        if names != sorted(names):
            yield BUILD, 1, f"{what} is not sorted"


def store_faults(text):
    named = listed(text, "store_tests")
    for missing in sorted(names_in("store", "_test.c") - set(named)):
        yield BUILD, 1, f"store_tests lacks '{missing}' (tests/store/{missing}_test.c)"
    if named != sorted(named):
        yield BUILD, 1, "store_tests is not sorted"


COLUMNS = re.compile(r"^const struct columns (\w+) =", re.MULTILINE)


def columns_faults():
    """A table of columns that statements_test.c does not name is compared with no statement."""
    test = TESTS / "store" / "statements_test.c"
    named = set(re.findall(r"&(\w+_columns)\b", test.read_text(encoding="utf-8")))
    for path in sorted((ROOT / "src").rglob("*.c")):
        for name in COLUMNS.findall(path.read_text(encoding="utf-8")):
            if name not in named:
                yield path, 1, f"tests/store/statements_test.c lacks &{name}"


def fuzz_faults():
    build = TESTS / "fuzz" / "meson.build"
    named = listed(build.read_text(encoding="utf-8"), "fuzz_targets")
    for missing in sorted(names_in("fuzz", "_fuzz.c") - set(named)):
        yield build, 1, f"fuzz_targets lacks '{missing}' (tests/fuzz/{missing}_fuzz.c)"
    if named != sorted(named):
        yield build, 1, "fuzz_targets is not sorted"
    corpora = {path.parent.name for path in (TESTS / "fuzz" / "corpus").glob("*/*")}
    for name in sorted(set(named) - corpora):
        yield build, 1, f"'{name}' has no seeds in tests/fuzz/corpus/{name}"
    for name in sorted(corpora - set(named)):
        yield TESTS / "fuzz" / "corpus" / name, 1, "is the corpus of no target"


def helper_faults():
    """Helpers are named by their path under tests/."""
    text = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("meson.build"))
    for path in sorted(TESTS.rglob("*.c")):
        if not path.name.endswith(("_test.c", "_fuzz.c")) and not re.search(rf"['/]{re.escape(path.name)}'", text):
            yield BUILD, 1, f"nothing compiles {path.relative_to(ROOT)}"


def source_faults():
    build = ROOT / "meson.build"
    text = build.read_text(encoding="utf-8") + "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("meson.build"))
    for path in sorted((ROOT / "src").rglob("*.c")):
        if not re.search(rf"['/]{re.escape(path.name)}'", text):
            yield path, 1, "is in no meson.build"


if __name__ == "__main__":
    tests = BUILD.read_text(encoding="utf-8")
    report([*unit_faults(tests), *store_faults(tests), *columns_faults(), *fuzz_faults(), *helper_faults(), *source_faults()])
