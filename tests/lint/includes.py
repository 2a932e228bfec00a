#!/usr/bin/python3
"""Includes go down only: main, commands -> rooms -> engine -> auth -> db -> base; http is known to commands alone.

A room sees only the rooms to its left, and no room sees the wire. Libraries have one home each.
"""

import re

from sources import ROOT, c_files, report

SOURCE = ROOT / "src"

# From left to right; events is below them all.
ROOMS = ["events", "catalog", "inventory", "reservations", "payments", "orders", "fulfillment", "queue", "adjustments", "returns", "privacy"]

# Includes that the other folders may have.
FOLDERS = {"base": {"base"},
           "db": {"base", "db"},
           "auth": {"base", "auth"},
           "engine": {"base", "db", "auth", "events", "engine"},
           "http": {"base", "db", "auth", "engine", "http"},
           "importing": {"base", "db", "auth", "engine", "importing", *ROOMS},
           "commands": {"base", "db", "auth", "engine", "http", "importing", "commands", *ROOMS}}

# The importer makes its calls through the door of every client.
DOORS = {("importing", "http/intake.h"), ("importing", "http/router.h")}

# Includes that stand and are to be cut: this list only gets shorter.
OWED = [("payments", "orders")]

# The files that may know a library, as patterns of paths under src/.
LIBRARIES = {
    "jwt.h": r"auth/issue\.c",
    "libpq-fe.h": r"db/.*",
    "microhttpd.h": r"http/server\w*\.[ch]",
}

# Includes that the furniture of a room may have beyond the rooms.
ROOM_FILES = [
    (r"(routes|commands\w*)\.[ch]", {"base", "auth", "engine"}, set()),
    (r"jobs\w*\.[ch]", {"base", "db", "engine"}, set()),
    (r"rules\w*\.[ch]", {"base"}, set()),
    (r".*\.c", {"base", "db"}, set()),
    (r".*\.h", {"base", "db"}, set()),
]

# Made by the build, so they stand in no folder of src/. The statements of one room are "sql/<room>.h".
GENERATED = {"version.h"}
STATEMENTS = "sql"

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def faults():
    for path in c_files("src"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            found = INCLUDE.match(line)
            if found:
                fault = library_fault(path, found[2]) if found[1] == "<" else own_fault(path, found[2])
                if fault:
                    yield path, number, fault


def library_fault(path, header):
    allowed = LIBRARIES.get(header)
    if allowed and not re.fullmatch(allowed, str(path.relative_to(SOURCE))):
        return f"<{header}> is for src/{allowed} only"
    return None


def own_fault(path, header):
    folder = path.relative_to(SOURCE).parts[0]
    if path.parent == SOURCE:
        return None  # main and its commands see everything
    if header in GENERATED:
        return None
    if "/" not in header:
        return f'write "{header}" with its folder'
    target = header.split("/")[0]
    if target == STATEMENTS:
        if path.suffix == ".h":
            return f"{header} would rebuild all files that include this header; include it in a .c file"
        target = "db"
    if folder in FOLDERS:
        return None if target in FOLDERS[folder] or (folder, header) in DOORS else f"{folder} may not see {header}"
    if folder in ROOMS:
        return room_fault(path, folder, target, header)
    return f"src/{folder} has no place in the order of includes (tests/lint/includes.py)"


def room_fault(path, room, target, header):
    if (room, target) in OWED:
        return None
    if target in ROOMS:
        return None if ROOMS.index(target) <= ROOMS.index(room) else f"{room} may not see {target}, which is to its right"
    for pattern, folders, headers in ROOM_FILES:
        if re.fullmatch(pattern, path.name):
            return None if target in folders or header in headers else f"{room}/{path.name} may not see {header}"
    return None


if __name__ == "__main__":
    report(faults())
