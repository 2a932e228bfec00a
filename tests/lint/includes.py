#!/usr/bin/python3
"""Includes go down only: main, commands -> rooms -> engine -> auth -> db -> base; http is known to commands alone.

A room sees only the rooms to its left, and no room sees the wire. Libraries have one home each. Each .c file of a room is of a
known kind; those that decide are pure, and so is each header that they reach. The routes of a room stand in its routes.c, which
has nothing else, and those of its scheduled work in jobs.c.
"""

import re
from pathlib import Path

from sources import ROOT, c_files, code_lines, report

SOURCE = ROOT / "src"

# From left to right; events is below them all.
ROOMS = ["events", "catalog", "inventory", "sourcing", "reservations", "payments", "orders", "fulfillment", "queue", "adjustments", "returns", "webhooks", "notifications", "privacy"]

# Includes that the other folders may have.
FOLDERS = {"base": {"base"},
           "db": {"base", "db"},
           "auth": {"base", "auth"},
           "engine": {"base", "db", "auth", "events", "engine"},
           "http": {"base", "db", "auth", "engine", "http"},
           "exporting": {"base", "db", "auth", "engine", "exporting"},
           "importing": {"base", "db", "auth", "engine", "importing", *ROOMS},
           "commands": {"base", "db", "auth", "engine", "http", "exporting", "importing", "commands", *ROOMS}}

# The importer makes its calls through the door of every client.
DOORS = {("importing", "http/intake.h"), ("importing", "http/router.h")}

# The files that may know a library, as patterns of paths under src/. None is a room's: no room sees the wire.
LIBRARIES = [
    (r"curl/.*", r"(auth/(jwks_fetch|key_source)|commands/(doctor|relay_http)|engine/(delivery|smtp|transfers))\.[ch]"),
    (r"jwt.*", r"auth/issue\.c"),
    (r"(libpq|postgres).*", r"db/.*"),
    (r"qrencode.*", r"base/qr\.c"),
    (r"microhttpd.*", r"http/server\w*\.[ch]"),
]

# The files of a room by name: the folders that they may include beyond the rooms, and whether they are pure.
ROOM_FILES = [
    (r"(routes|commands\w*)\.[ch]", {"base", "auth", "engine"}, False),
    (r"jobs\.[ch]", {"base", "db", "engine"}, False),
    (r"(columns|store\w*)\.[ch]", {"base", "db"}, False),
    (r"(rules|json)\w*\.[ch]", {"base"}, True),
    (r"\w+\.h", {"base"}, False),
]

# Pure files that no pattern names, sorted. A pure file does no input or output, reads no clock, and has no database.
PURE = [
    "catalog/hours.c",
    "catalog/messages.c",
    "catalog/policy.c",
    "events/types.c",
    "orders/customer.c",
    "orders/lifecycles.c",
    "orders/number.c",
    "orders/snapshot.c",
    "payments/lifecycles.c",
    "payments/snapshot.c",
    "privacy/redact.c",
    "returns/lifecycles.c",
    "returns/snapshot.c",
]

# Other files of rooms: the folders that they may include, and the reason why they are neither pure nor of a kind above.
OTHERS = {
    "notifications/mailer.c": ({"base", "db", "engine"}, "runs a thread: it leases, sends and records"),
    "webhooks/deliverer.c": ({"base", "db", "engine"}, "runs a thread, with the files below"),
    "webhooks/deliverer_again.c": ({"base", "db", "engine"}, "sends test events and reads replays, for that thread"),
    "webhooks/deliverer_leases.c": ({"base", "db", "engine"}, "leases endpoints, for that thread"),
    "webhooks/deliverer_log.c": ({"base", "db", "engine"}, "reads the log, for that thread"),
    "webhooks/deliverer_progress.c": ({"base", "db", "engine"}, "records outcomes, for that thread"),
    "webhooks/deliverer_sending.c": ({"base", "db", "engine"}, "sends, for that thread"),
    "webhooks/deliverer_state.c": ({"base", "db", "engine"}, "what the files of that thread share"),
    "webhooks/endpoint.c": ({"base", "engine"}, "keeps the endpoints of that thread in memory, and makes their requests"),
    "privacy/erasure.c": ({"base", "db"}, "runs a separate transaction for each batch of orders, for the commands"),
}

# A pure file must not include these, nor through a header, and must not make these calls.
IMPURE_FOLDERS = {"auth", "db", "engine", "exporting", "http", "importing", "sql"}
IMPURE_HEADERS = {"base/config.h", "base/log.h", "pthread.h", "time.h", "unistd.h"}
IMPURE_CALLS = re.compile(r"\b(clock_(?:wall|monotonic|gettime)|time|gettimeofday|(?:config|counter|database|log)_\w+|getenv"
                          r"|f?open|read|write|send|recv|poll|f?v?printf|f?puts|putc|putchar)\s*\(")

# Made by the build, so they stand in no folder of src/. The statements of one room are "sql/<room>.h".
GENERATED = {"version.h"}
STATEMENTS = "sql"

# A row or a table of routes; and the beginning of a function's body.
ROUTES = re.compile(r"\bstruct route \w+\s*(\[\w*\]\s*)?=")
FUNCTION = re.compile(r"^\w.*\) *\{$")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def includes(path):
    """(line, whether it is of a library, header) of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        found = INCLUDE.match(line)
        if found:
            yield number, found[1] == "<", found[2]


def name_of(path):
    return str(path.relative_to(SOURCE))


def faults():
    yield from list_faults()
    for path in c_files("src"):
        for number, is_library, header in includes(path):
            fault = library_fault(path, header) if is_library else own_fault(path, header)
            if fault:
                yield path, number, fault
        if path.parent.name in ROOMS:
            yield from route_faults(path)
        if is_pure(path):
            yield from purity_faults(path)
        elif path.parent.name in ROOMS and path.suffix == ".c" and not kind_of(path):
            yield path, 1, ("is no known kind of a room's files: name it routes, commands*, jobs, columns, store*, rules* or json*,"
                            " or list it in PURE or, with a reason, in OTHERS of tests/lint/includes.py")


def route_faults(path):
    for number, line in code_lines(path):
        if ROUTES.search(line) and path.name not in ("routes.c", "jobs.c"):
            yield path, number, f"has routes: move the table to {path.parent.name}/routes.c, or to jobs.c if no client calls them"
        elif FUNCTION.search(line) and path.name == "routes.c":
            yield path, number, "has a function, but routes.c is a table of routes and nothing else"


def list_faults():
    """A listed file exists, is listed once, and needs it."""
    me = Path(__file__).resolve()
    if PURE != sorted(PURE):
        yield me, 1, "PURE is not sorted"
    for name in [*PURE, *OTHERS]:
        path = SOURCE / name
        if not path.exists():
            yield me, 1, f"lists src/{name}, which does not exist: has it been renamed? Then rename or remove it here"
        elif [*PURE, *OTHERS].count(name) > 1 or pattern_of(path):
            yield me, 1, f"lists src/{name}, whose kind is known without that"


def pattern_of(path):
    """(folders that it may include, whether it is pure) by the name of a room's file; None for others."""
    for pattern, folders, pure in ROOM_FILES:
        if path.parent.name in ROOMS and re.fullmatch(pattern, path.name):
            return folders, pure
    return None


def kind_of(path):
    """The same, also of the files that are listed."""
    if name_of(path) in PURE:
        return {"base"}, True
    if name_of(path) in OTHERS:
        return OTHERS[name_of(path)][0], False
    return pattern_of(path)


def is_pure(path):
    kind = kind_of(path)
    return path.suffix == ".c" and kind is not None and kind[1]


def purity_faults(path):
    for header, way in reached(path, (), {}).items():
        if is_impure(header) and not any(is_impure(before) for before in way):
            yield path, 1, f"is pure, but includes {' > '.join([*way, header])}"
    for number, line in code_lines(path):
        for called in IMPURE_CALLS.findall(line):
            yield path, number, f"is pure, but calls {called}"


def is_impure(header):
    return header.split("/")[0] in IMPURE_FOLDERS or header in IMPURE_HEADERS


def reached(path, way, found):
    """header -> the headers through which the file includes it."""
    for _, _, header in includes(path):
        if header in found:
            continue
        found[header] = way
        if (SOURCE / header).exists():
            reached(SOURCE / header, (*way, header), found)
    return found


def library_fault(path, header):
    for pattern, allowed in LIBRARIES:
        if re.fullmatch(pattern, header) and not re.fullmatch(allowed, name_of(path)):
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
    if target in ROOMS:
        return None if ROOMS.index(target) <= ROOMS.index(room) else f"{room} may not see {target}, which is to its right"
    kind = kind_of(path)
    return None if not kind or target in kind[0] else f"{room}/{path.name} may not see {header}"


if __name__ == "__main__":
    report(faults())
