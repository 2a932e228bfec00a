#!/usr/bin/env python3
"""Turn sql/queries/*.sql and sql/migrations/*.sql into C.

    embed.py FOLDER FILE.sql...

Each query file makes one header of the same name: sql/queries/orders.sql makes FOLDER/orders.h, which declares
`extern const struct statement sql_orders_lock;` for the statement orders_lock. A new statement so rebuilds the files
that include its header. FOLDER/statements.c holds the texts of all statements and migrations.

A query file holds named statements:

    -- :name stock_lock            pinned plan: only an index may serve it (the rule)
    -- :name orders_page free      the planner decides: for lists and reports
    -- :name stock_save of stock   its columns are those of the record "stock", a table of src/db/columns.h

A comment below the name says what it is for; the statement ends at the next name or at the end of the file.
Statements of a file share text by parts, which end as statements do:

    -- :part order_walk            text for statements and parts further down; {time} in it is a gap
    -- :use order_walk time="placed_at"
                                   the text of that part, or of a statement further up, with its gaps filled. A gap that
                                   a part leaves open is filled where that part is used

A migration is `NNNN_words.sql`; its number is its place in the order. Its first line may be

    -- :compatible                 programs that know nothing of it may go on working beside it

(docs/operations.md says when that is true). The line is no part of the text whose digest is recorded.
"""
import pathlib
import re
import sys

UNNEST = re.compile(r"\bunnest\((?P<casts>\$1::[^)]*)\)\s*(?:with ordinality\s*)?as \w+\s*\((?P<names>[^)]*)\)")
CAST = re.compile(r"\$(?P<number>\d+)::(?P<type>\w+)\[\]")
NAME = re.compile(r"^-- :name (?P<name>[a-z][a-z0-9_]*)(?: of (?P<record>[a-z_]+))?(?: (?P<plan>free))?$")
PART = re.compile(r"^-- :part (?P<name>[a-z][a-z0-9_]*)$")
USE = re.compile(r'^-- :use (?P<name>[a-z][a-z0-9_]*)(?P<values>(?: [a-z]+="[^"]*")*)$')
VALUE = re.compile(r'([a-z]+)="([^"]*)"')
GAP = re.compile(r"\{([a-z]+)\}")


def fail(message):
    sys.exit(f"embed.py: {message}")


def part_lines(texts, name, values, at):
    """The lines of a part with its gaps filled; blank lines at its end only keep it apart from the next part."""
    if name not in texts:
        fail(f"{at}: there is no part {name} further up")
    text = "\n".join(texts[name]).rstrip()
    for gap in values:
        if "{" + gap + "}" not in text:
            fail(f"{at}: {name} has no gap {gap}")
    return GAP.sub(lambda found: values.get(found[1], found[0]), text).split("\n")


def read_statements(path):
    statements, texts, unused, lines = [], {}, {}, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        at = f"{path.name}:{number}"
        name, part, use = NAME.match(line), PART.match(line), USE.match(line.strip())
        if name or part:
            defined = (name or part)["name"]
            if defined in texts:
                fail(f"{at}: {defined} is defined twice")
            lines = texts[defined] = []
            if part:
                unused[defined] = at
            else:
                statements.append({"name": name["name"], "record": name["record"], "pinned": not name["plan"],
                                   "lines": lines, "at": at})
        elif use:
            unused.pop(use["name"], None)
            lines += part_lines(texts, use["name"], dict(VALUE.findall(use["values"])), at)
        elif line.lstrip().startswith("-- :"):
            fail(f"{at}: neither a name, nor a part, nor the use of one: {line}")
        elif lines is None and line.strip() and not line.startswith("--"):
            fail(f"{at}: SQL before the first -- :name")
        elif lines is not None and not line.lstrip().startswith("--"):
            lines.append(line.rstrip())
    for part, at in unused.items():
        fail(f"{at}: nothing uses the part {part}")
    for statement in statements:
        statement["sql"] = "\n".join(statement["lines"]).strip().rstrip(";").strip()
        if not statement["sql"]:
            fail(f"{statement['at']}: {statement['name']} is empty")
        if GAP.search(statement["sql"]):
            fail(f"{statement['at']}: {statement['name']} leaves {GAP.search(statement['sql'])[0]} open")
        if ";" in statement["sql"]:
            fail(f"{statement['at']}: {statement['name']} holds more than one statement")
    return statements


def read_migration(path):
    first, _, rest = path.read_text().partition("\n")
    compatible = first == "-- :compatible"
    sql = (rest if compatible else path.read_text()).strip()
    if all(not line.strip() or line.lstrip().startswith("--") for line in sql.splitlines()):
        fail(f"{path.name}: it holds no statement")
    if "-- :" in sql:
        fail(f"{path.name}: the only word about a migration is -- :compatible, on its first line")
    return {"number": int(path.name[:4]), "name": path.stem, "compatible": compatible, "sql": sql}


def c_text(sql):
    lines = sql.replace("\\", "\\\\").replace('"', '\\"').split("\n")
    return "\n".join(f'\t\t"{line}\\n"' for line in lines)


def write(path, text):
    """An equal file keeps its time, so that nothing is built again."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def write_header(path, statements):
    names = "\n".join(f"extern const struct statement sql_{s['name']};" for s in statements)
    write(
        path,
        f"/* Generated by sql/embed.py from sql/queries/{path.stem}.sql. */\n#pragma once\n\n"
        f'#include "db/sql.h"\n\n{names}\n',
    )


def parameters_of(statement):
    """Name and type of each array of an unnest list that starts with $1 and goes on in order."""
    found = UNNEST.search(statement["sql"])
    if not found:
        return []
    casts = [(int(cast["number"]), cast["type"]) for cast in CAST.finditer(found["casts"])]
    names = [name.strip() for name in found["names"].split(",")]
    if [number for number, _ in casts] != list(range(1, len(casts) + 1)):
        return []
    if len(names) < len(casts):
        fail(f"{statement['at']}: {statement['name']} names fewer columns than arrays")
    return [(name, kind) for name, (_, kind) in zip(names, casts)]


def statement_text(index, statement):
    name, pinned, parameters = statement["name"], "true" if statement["pinned"] else "false", parameters_of(statement)
    record = f'"{statement["record"]}"' if statement["record"] else "NULL"
    table = "".join(f'\t{{ "{column}", "{kind}" }},\n' for column, kind in parameters)
    return (
        (f"static const struct statement_parameter {name}_parameters[] = {{\n{table}}};\n" if parameters else "")
        + f'const struct statement sql_{name} = {{ "{name}", {record}, {pinned}, {index},\n{c_text(statement["sql"])}'
        + (f",\n\t{name}_parameters, {len(parameters)} }};\n" if parameters else ",\n\tNULL, 0 };\n")
    )


def write_source(path, rooms, migrations):
    statements = [s for room in rooms.values() for s in room]
    includes = "".join(f'#include "sql/{name}.h"\n' for name in rooms)
    texts = "\n".join(statement_text(index, s) for index, s in enumerate(statements))
    names = "\n".join(f"\t&sql_{s['name']}," for s in statements)
    steps = "\n".join(
        f"\t{{ {m['number']}, \"{m['name']}\", {'true' if m['compatible'] else 'false'},\n{c_text(m['sql'])} }},"
        for m in map(read_migration, migrations)
    )
    write(
        path,
        "/* Generated by sql/embed.py from sql/queries and sql/migrations. */\n"
        f"{includes}\n{texts}\n"
        f"const struct statement *const statements[] = {{\n{names}\n}};\n"
        "const size_t statement_count = sizeof(statements) / sizeof(statements[0]);\n"
        '_Static_assert(sizeof(statements) / sizeof(statements[0]) <= STATEMENTS_MAX, "raise STATEMENTS_MAX");\n\n'
        f"const struct migration migrations[] = {{\n{steps}\n}};\n"
        "const size_t migration_count = sizeof(migrations) / sizeof(migrations[0]);\n",
    )


def main():
    folder, *files = map(pathlib.Path, sys.argv[1:])
    migrations = sorted(f for f in files if f.parent.name == "migrations")
    rooms = {f.stem: read_statements(f) for f in sorted(files) if f.parent.name == "queries"}
    names = [s["name"] for room in rooms.values() for s in room]
    for name in {n for n in names if names.count(n) > 1}:
        fail(f"{name} is defined twice")
    for expected, migration in enumerate(migrations, 1):
        if not re.fullmatch(rf"{expected:04d}_[a-z0-9_]+", migration.stem):
            fail(f"{migration.name} should be number {expected:04d}")
    for room, statements in rooms.items():
        write_header(folder / f"{room}.h", statements)
    write_source(folder / "statements.c", rooms, migrations)


main()
