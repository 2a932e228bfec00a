"""deploy/debezium: its files on a real PostgreSQL, as far as that goes without Kafka."""

import json
import re
import struct
import subprocess
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from support import ROOT
from support.cluster import Cluster
from support.database import Database
from support.holdfast import Holdfast, migrate
from support.retailer import Retailer
from support.waiting import eventually

FOLDER = ROOT / "deploy" / "debezium"
CONNECTOR = json.loads((FOLDER / "connector.json").read_text())["config"]
SETTINGS = dict(re.findall(r"^(\w+) = (\S+)$", (FOLDER / "postgresql.conf").read_text(), re.MULTILINE))
LIMIT_MB = 32
PASSWORD = "for-this-test-alone"
LOG = "holdfast.event_log"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A PostgreSQL with the settings of the folder and a small limit, at whose database publication.sql has run; its URL."""
    settings = {**SETTINGS, "max_slot_wal_keep_size": f"{LIMIT_MB}MB", "max_wal_size": f"{LIMIT_MB}MB", "min_wal_size": f"{LIMIT_MB}MB"}
    # Durable, because a slot sends only flushed commits.
    cluster = Cluster(tmp_path_factory.mktemp("logical") / "cluster", durable=True, settings=[f"{name}={value}" for name, value in settings.items()])
    try:
        cluster.start()
        migrate(cluster.url())
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-v", f"password={PASSWORD}", "-f", FOLDER / "publication.sql",
                        cluster.url(superuser=True)], check=True)
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def root(server):
    with Database(server.url(superuser=True)) as database:
        yield database


@pytest.fixture
def slot(root):
    root.rows("select pg_create_logical_replication_slot(%s, %s)", CONNECTOR["slot.name"], CONNECTOR["plugin.name"])
    yield CONNECTOR["slot.name"]
    root.rows("select pg_drop_replication_slot(%s)", CONNECTOR["slot.name"])


@pytest.fixture
def connector(server):
    """A session with the role of the connector."""
    url = urlsplit(server.url())
    place = url.netloc.rpartition("@")[2]
    connection = psycopg2.connect(urlunsplit(url._replace(netloc=f"debezium:{PASSWORD}@{place}")))
    connection.autocommit = True
    yield connection.cursor()
    connection.close()


def inserts(root, slot):
    """(table, {column: text}) of each insert that the slot sends (protocol of logical replication, version 1)."""
    tables, found = {}, []
    for row in root.rows("select data from pg_logical_slot_get_binary_changes(%s, null, null, 'proto_version', '1', 'publication_names', %s)",
                         slot, CONNECTOR["publication.name"]):
        message = bytes(row["data"])
        if message[:1] == b"R":
            number, rest = struct.unpack("!I", message[1:5])[0], message[5:]
            schema, name, rest = rest.split(b"\0", 2)
            columns, rest = [], rest[3:]
            while rest:
                column, rest = rest[1:].split(b"\0", 1)
                columns.append(column.decode())
                rest = rest[8:]
            tables[number] = f"{schema.decode()}.{name.decode()}", columns
        elif message[:1] == b"I":
            table, columns = tables[struct.unpack("!I", message[1:5])[0]]
            values, rest = [], message[8:]
            while rest:
                if rest[:1] == b"n":
                    values, rest = [*values, None], rest[1:]
                else:
                    size = struct.unpack("!I", rest[1:5])[0]
                    values, rest = [*values, rest[5:5 + size].decode()], rest[5 + size:]
            found.append((table, dict(zip(columns, values))))
    return found


def write_wal(root, mebibytes):
    """As other work on the server would."""
    for _ in range(mebibytes):
        root.rows("select pg_logical_emit_message(false, 'test', repeat('x', 1024 * 1024))")
    root.execute("checkpoint")


def test_events_of_the_service_arrive_as_rows_of_the_log(server, root, slot, tmp_path):
    house = Holdfast(server.url(), tmp_path).start()
    try:
        Retailer(house.client()).create().order()
        eventually(lambda: root.count("holdfast.events_due") == 0, 30, "all is published")
    finally:
        house.stop()
    logged = root.rows("select l.position::text, l.id::text, l.type, l.subject_id, l.data from holdfast.event_log l order by l.position")
    sent = inserts(root, slot)
    assert {table for table, _ in sent} == {LOG}
    assert [row["position"] for _, row in sent] == [row["position"] for row in logged]
    assert [(row["id"], row["type"], row["subject_id"], json.loads(row["data"])) for _, row in sent] == [
        (row["id"], row["type"], row["subject_id"], row["data"]) for row in logged]


def fill_partition(owner):
    """Events at the last position of a partition and at the first one of the next; the former."""
    last = owner.value("select max(last) from event_log_parts")
    owner.execute("update revisions set revision = %s where topic = 'events'", last)
    owner.rows("select event_log_extend(10000)")
    for position in (last, last + 1):
        owner.execute("insert into event_log (position, id, type, subject_kind, subject_id, version, occurred_at, published_at, data)"
                      " values (%s, gen_random_uuid(), 'pickup.reminder', 'fulfillments', 'x', 1, now(), now(), '{\"version\": 1}')", position)
    assert len({row["place"] for row in owner.rows("select tableoid::regclass::text as place from event_log where position >= %s", last)}) == 2
    return last


def test_a_new_partition_is_sent_as_the_same_table(server, root, slot):
    with Database(server.url()) as owner:
        last = fill_partition(owner)
    assert [(table, row["position"]) for table, row in inserts(root, slot)] == [(LOG, str(last)), (LOG, str(last + 1))]


def test_the_connector_reads_the_log_and_nothing_else(connector):
    connector.execute("select count(*) from holdfast.event_log")
    for table in ("orders", "events", "consumers", "secrets"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            connector.execute(f"select * from holdfast.{table} limit 1")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        connector.execute("delete from holdfast.event_log")


def test_the_heartbeat_moves_the_slot_on(connector, root, slot):
    before = root.value("select confirmed_flush_lsn from pg_replication_slots where slot_name = %s", slot)
    for _ in range(2):
        connector.execute(CONNECTOR["heartbeat.action.query"])
    inserts(root, slot)
    assert root.value("select confirmed_flush_lsn > %s::pg_lsn from pg_replication_slots where slot_name = %s", before, slot)


def test_a_stalled_slot_is_given_up_at_the_limit(root):
    name = "stalled"
    root.rows("select pg_create_logical_replication_slot(%s, 'pgoutput')", name)
    state = "select wal_status from pg_replication_slots where slot_name = %s"
    assert root.value(state, name) == "reserved"
    write_wal(root, 3 * LIMIT_MB)
    assert root.value(state, name) == "lost"
    write_wal(root, LIMIT_MB)
    assert root.value("select sum(size)::bigint from pg_ls_waldir()") < 5 * LIMIT_MB * 2**20, "its WAL is gone"
    root.rows("select pg_drop_replication_slot(%s)", name)


def test_the_connector_names_tables_and_columns_that_exist(root):
    """Tables, columns and publication of connector.json stand in the database."""
    columns = {row["attname"] for row in root.rows("select attname from pg_attribute where attrelid = %s::regclass and attnum > 0", LOG)}
    named = {CONNECTOR[f"transforms.outbox.table.field.event.{what}"] for what in ("id", "key", "type", "payload")}
    named |= {CONNECTOR["transforms.outbox.route.by.field"]}
    placed = [part.split(":") for part in CONNECTOR["transforms.outbox.table.fields.additional.placement"].split(",")]
    assert all(len(part) == 3 and part[1] == "header" for part in placed)
    assert named | {part[0] for part in placed} <= columns
    tables = {f"{row['schemaname']}.{row['tablename']}" for row in root.rows(
        "select schemaname, tablename from pg_publication_tables where pubname = %s", CONNECTOR["publication.name"])}
    assert tables == set(CONNECTOR["table.include.list"].split(","))
    assert {table.split(".")[0] for table in tables} == set(CONNECTOR["schema.include.list"].split(","))
    assert re.fullmatch(CONNECTOR["predicates.is_event.pattern"], f"{CONNECTOR['topic.prefix']}.{LOG}")


def test_the_readme_lists_the_headers():
    page = (FOLDER / "README.md").read_text()
    for part in CONNECTOR["transforms.outbox.table.fields.additional.placement"].split(","):
        assert f"`{part.split(':')[2]}`" in page


def test_doctor_warns_of_a_slot_without_a_limit(server, root, slot):
    house = Holdfast(server.url(), ".")
    assert re.search(r"^ok +slots ", house.run("doctor", check=0).stdout, re.MULTILINE)
    root.execute("alter system set max_slot_wal_keep_size = -1")
    root.rows("select pg_reload_conf()")
    try:
        eventually(lambda: re.search(r"^warn +slots .*max_slot_wal_keep_size", house.run("doctor", check=0).stdout, re.MULTILINE), 30, "doctor warns")
    finally:
        root.execute("alter system reset max_slot_wal_keep_size")
        root.rows("select pg_reload_conf()")
