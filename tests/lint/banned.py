#!/usr/bin/python3
"""Calls that nobody makes: without a bound, without a report of errors, or bound to the machine's time zone or speed."""

import re

from sources import ROOT, c_files, code_lines, report

IN_C = {
    "alloca": "an arena",
    "asctime": "timestamp_format",
    "atof": "text_to_number",
    "atoi": "text_to_integer",
    "atol": "text_to_integer",
    "atoll": "text_to_integer",
    "ctime": "timestamp_format",
    "gets": "a bounded read",
    "gmtime": "base/clock",
    "gmtime_r": "base/clock",
    "localtime": "base/clock",
    "localtime_r": "base/clock",
    "mktime": "base/clock",
    "rand": "a generator that is named and seeded, or the system's",
    "sprintf": "arena_format or buffer_append_format",
    "srand": "a generator that is named and seeded, or the system's",
    "strcat": "buffer_append",
    "strcpy": "arena_text",
    "strdupa": "arena_text",
    "strncat": "buffer_append",
    "strncpy": "arena_text or memcpy",
    "strtok": "strcspn and strspn",
    "system": "nothing: no shell",
    "vsprintf": "arena_format or buffer_append_format",
}
IN_C_TESTS = {"nanosleep": "a condition", "sleep": "a condition", "usleep": "a condition"}
C_CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")

# base/enum_column alone turns words of the database into values of an enum, and refuses those it does not know.
ENUM_CAST = re.compile(r"\(enum (?!problem)\w+\)(?!\s*(?:row_enum|row_enum_or|kind_take)\b)")

PYTHON_SLEEP = re.compile(r"\btime\.sleep\s*\(|\bfrom time import .*\bsleep\b")


def c_faults():
    for path in c_files("src", "tests"):
        banned = {**IN_C, **(IN_C_TESTS if "tests" in path.relative_to(ROOT).parts else {})}
        for number, line in code_lines(path):
            for name in C_CALL.findall(line):
                if name in banned:
                    yield path, number, f"{name} is banned; use {banned[name]}"


def enum_faults():
    """A room reads an enum column with row_enum (db/rows.h) alone."""
    for path in c_files("src"):
        name = str(path.relative_to(ROOT / "src"))
        for number, line in code_lines(path):
            if "lifecycle_state(" in line and not name.startswith(("base/enum_column.", "base/lifecycle.")):
                yield path, number, "lifecycle_state is for base/enum_column; read the column with row_enum"
            if path.name.startswith("store") and ENUM_CAST.search(line):
                yield path, number, "a store makes an enum of a column with row_enum alone"


# The pointer of a list's element, or of a member of it; "#/packages/%zu/lines" is a list in a list.
ELEMENT_POINTER = re.compile(r'"(?:#|%s)/[^"]*%(?:zu|"\s*PRI\w64)(?!/lines")')


def pointer_faults():
    """violation_at and violation_beyond alone name an element of a list in the request."""
    for path in c_files("src"):
        if path.name == "problem.c":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if ELEMENT_POINTER.search(line):
                yield path, number, "violation_at or violation_beyond makes this pointer (base/problem.h)"


IMPORTER_PRINTS = re.compile(r"\b(?:v?f?printf|f?puts|putc|putchar|perror|write)\s*\(")
PRINTING = {"rejects.c", "report.c"}  # a file that the caller names, and the one place that makes text printable


def importer_faults():
    """Text of a file is printed by import_report alone, which lets nothing through that controls a terminal."""
    for path in c_files("src"):
        if path.parent.name == "importing" and path.name not in PRINTING:
            for number, line in code_lines(path):
                if IMPORTER_PRINTS.search(line):
                    yield path, number, "the importer prints with import_complain, import_refuse and import_note alone"


def python_faults():
    """Tests wait for what they wait for (support.waiting), never for a time to pass."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if PYTHON_SLEEP.search(line):
                yield path, number, "time.sleep is banned in tests; use support.waiting.eventually"


if __name__ == "__main__":
    report([*c_faults(), *enum_faults(), *pointer_faults(), *importer_faults(), *python_faults()])
