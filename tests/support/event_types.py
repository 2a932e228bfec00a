"""The types of events as docs/events.md lists them; tests/api/test_openapi.py compares the page with the table in C."""

import re
from pathlib import Path

from support.database import Database

PAGE = Path(__file__).resolve().parents[2] / "docs" / "events.md"
PLANTED = "old"  # the type of rows that tests insert, to be pruned
FORMS = {"text": {"string"}, "integer": {"number"}, "id": {"string"}, "time": {"string"}, "texts": {"array"},
         "lines": {"array"}, "object": {"object", "null"}}
# Of an order without payments the order itself is voided.
OF_ANOTHER_SUBJECT = {("payment.voided", "orders")}

USED = """
select e.type, e.subject_kind, m.name, jsonb_typeof(e.data -> m.name) as form, e.is_public, count(*) as n
  from (select type, subject_kind, data, false as is_public from events
         union all
        select type, subject_kind, data, true from event_log) as e
  left join lateral jsonb_object_keys(e.data) as m (name) on true
 where e.type <> %s
 group by 1, 2, 3, 4, 5"""
WITHOUT_VERSION = """
select e.type, e.subject_kind, e.subject_id, e.version, e.data
  from (select type, subject_kind, subject_id, version, data from events
         union all
        select type, subject_kind, subject_id, version, data from event_log) as e
 where e.type <> %s and (e.version is null or e.version < 1 or e.data -> 'version' is distinct from to_jsonb(e.version)
                         or e.subject_id = '')"""


# Neither an older schema nor one that the role may not read.
HAS_SUBJECTS = """
select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
                where n.nspname = 'holdfast' and c.relname = 'event_log' and a.attname = 'subject_kind'
                  and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))"""


def tables():
    """The types by name, each with its subject, its members, and those for the timeline alone, which an erasure may empty; and the
    forms of the members."""
    types, forms = {}, {"version": "integer"}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 5:
            kept = set(re.findall(r"`(\w+)`", cells[4]))
            types[cells[0].strip("`")] = (cells[1], {"version", *re.findall(r"`(\w+)`", cells[3]), *kept}, kept)
        elif line.startswith("| `") and len(cells) == 3:
            forms[cells[0].strip("`")] = cells[1]
    assert types and forms
    return types, forms


def faults(database):
    """Events in this database that are not as the table says, as sentences."""
    types, forms = tables()
    for row in database.rows(USED, PLANTED):
        name, subject = row["type"], row["subject_kind"]
        if name not in types:
            yield f"{name} is no type of event"
        elif subject != types[name][0] and (name, subject) not in OF_ANOTHER_SUBJECT:
            yield f"{name} has a subject of {subject}"
        elif row["name"] not in types[name][1]:
            yield f"{name} has the member {row['name']}"
        elif row["is_public"] and row["name"] in types[name][2]:
            yield f"{name} shows {row['name']} to every reader"
        elif row["form"] not in FORMS[forms[row["name"]]] and not (row["form"] == "null" and row["name"] in types[name][2]):
            yield f"{name}: {row['name']} is {row['form']}, not {forms[row['name']]}"
    for row in database.rows(WITHOUT_VERSION, PLANTED):
        yield f"{row['type']} of {row['subject_kind']}/{row['subject_id']} has the version {row['version']}: {row['data']}"


def assert_known(cluster):
    """Every event that the tests of a run have caused, in whatever database, is as the table says."""
    found = []
    with Database(cluster.url()) as server:
        names = [row["datname"] for row in server.rows("select datname from pg_database where datname like 'test@_%%' escape '@'")]
    for name in names:
        with Database(cluster.url(name)) as database:
            if database.value(HAS_SUBJECTS):
                found += faults(database)
    assert not found, "\n".join(sorted(set(found)))
