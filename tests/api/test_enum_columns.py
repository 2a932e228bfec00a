"""A word that an enum column's list does not have, from a newer program or by hand: the row is a fault, never a wrong state.

The columns are read from the schema's CHECKs and from the declarations in src/, so a new one without a case fails here.
"""

import re

import pytest

from support import ROOT
from support.database import Database
from support.holdfast import Holdfast
from support.retailer import Retailer
from support.returning import Bought
from support.waiting import eventually

UNKNOWN = "sideways"
FAULT = "transaction failed"
DECLARED = re.compile(r'struct enum_column \w+ = \{\s*"(\w+)",\s*"(\w+)"')

_CHECKED = """
    select cl.relname as table_name, a.attname as column_name
      from pg_constraint c join pg_class cl on cl.oid = c.conrelid
      join pg_namespace n on n.oid = cl.relnamespace and n.nspname = 'holdfast'
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'c' and cardinality(c.conkey) = 1
       and pg_get_constraintdef(c.oid) like '%= ANY (ARRAY[''%'"""

_CHECKS = """
    select c.conname from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
     where c.contype = 'c' and c.conrelid = %s::regclass and a.attname = %s"""


class World:
    """One document of each kind, in a database whose CHECKs the tests may drop."""

    def __init__(self, instance, database):
        self.instance, self.database, self.api = instance, database, instance.client(scope="admin")
        self.retailer = Retailer(self.api).create()
        self.bought = Bought(self.retailer)
        self.order = self.bought.id
        self.payment = self.bought.order["payments"][0]["id"]
        self.told = {"event_id": "told", "type": "authorized"}
        self.api.post(f"/v1/payments/{self.payment}/events", self.told, expect=200)
        self.fulfillment = self.bought.order["fulfillments"][0]["id"]
        self.rma = self.bought.bring().json()["id"]
        self.api.post(f"/v1/returns/{self.rma}/refund", {"to": "original"}, expect=200)
        self.reservation = self.retailer.reserve().json()["id"]
        self.waiting = self.retailer.order().json()["fulfillments"][0]["id"]
        self.webhook = self.api.post("/v1/webhooks", {"url": "https://erp.example/", "types": ["*"]}, expect=201).json()["id"]
        self.api.post(f"/v1/webhooks/{self.webhook}/pause", {}, expect=200)
        database.execute(
            "insert into notifications (id, order_id, event_id, kind, medium, state, channel, locale, actor, created_at, updated_at)"
            " values (gen_random_uuid(), %s, gen_random_uuid(), 'ready', 'email', 'skipped', 'web', 'en', 'tester', now(), now())", self.order)

    def reserve_for_channel(self):
        return {"location": self.retailer.store, "channel": self.retailer.channel,
                "lines": [{"sku": self.retailer.sku, "quantity": 1}]}


@pytest.fixture(scope="module")
def world(new_database, work_directory, mails):
    instance = Holdfast(new_database(), work_directory, "enum-columns", smtp_url=mails.url).start()
    with Database(instance.database_url) as database:
        yield World(instance, database)
    instance.stop()
    instance.discard()


def order_calls(world):
    return [("GET", f"/v1/orders/{world.order}"), ("GET", "/v1/orders"),
            ("POST", f"/v1/orders/{world.order}/cancel", {"reason": "changed"})]


def payment_event_calls(world):
    return [("POST", f"/v1/payments/{world.payment}/events", world.told)]


def fulfillment_calls(world):
    return [("GET", f"/v1/fulfillments/{world.waiting}"), ("GET", f"/v1/fulfillments/{world.waiting}/status"),
            ("POST", f"/v1/fulfillments/{world.waiting}/assign", {"assignee": "jo"})]


def queue_calls(world):
    return [*fulfillment_calls(world), ("GET", f"/v1/locations/{world.retailer.store}/queue")]


def return_calls(world):
    return [("GET", f"/v1/returns/{world.rma}"), ("GET", "/v1/returns"),
            ("POST", f"/v1/returns/{world.rma}/receive", {}), ("POST", f"/v1/returns/{world.rma}/cancel", {"reason": "no"})]


def location_calls(world):
    return [("GET", f"/v1/locations/{world.retailer.store}"), ("GET", "/v1/locations"),
            ("POST", "/v1/orders", world.retailer.order_body())]


def channel_calls(world):
    return [("GET", f"/v1/channels/{world.retailer.channel}"), ("GET", "/v1/channels"),
            ("POST", "/v1/orders", world.retailer.order_body()), ("POST", "/v1/reservations", world.reserve_for_channel())]


def reservation_calls(world):
    path = f"/v1/reservations/{world.reservation}"
    return [("GET", path), ("POST", f"{path}/extend", {"ttl": "PT20M"}), ("DELETE", path)]


def webhook_calls(world):
    path = f"/v1/webhooks/{world.webhook}"
    return [("GET", path), ("GET", "/v1/webhooks"), ("POST", f"{path}/pause", {})]


def message_calls(world):
    path = f"/v1/orders/{world.order}/notifications"
    return [("GET", path), ("POST", path, {"kind": "ready"})]


def key_of(column, value):
    return lambda world: (column, value(world))


BY_RETURN = (key_of("return_id", lambda world: world.rma), return_calls)
BY_ORDER = (key_of("order_id", lambda world: world.order), order_calls)
MESSAGE = (key_of("order_id", lambda world: world.order), message_calls)
QUEUED = (key_of("id", lambda world: world.waiting), queue_calls)
HOOK = (key_of("id", lambda world: world.webhook), webhook_calls)
STORE = (key_of("code", lambda world: world.retailer.store), location_calls)

# (table, column): how its row is found, and calls that read it.
CASES = {
    ("channels", "kind"): (key_of("code", lambda world: world.retailer.channel), channel_calls),
    ("fulfillments", "check_in"): QUEUED,
    ("fulfillments", "method"): QUEUED,
    ("fulfillments", "status"): (key_of("id", lambda world: world.waiting), fulfillment_calls),
    ("locations", "capabilities"): STORE,
    ("locations", "handover_methods"): STORE,
    ("locations", "kind"): STORE,
    ("notifications", "kind"): MESSAGE,
    ("notifications", "medium"): MESSAGE,
    ("notifications", "state"): MESSAGE,
    ("orders", "payment_status"): (key_of("id", lambda world: world.order), order_calls),
    ("orders", "status"): (key_of("id", lambda world: world.order), order_calls),
    ("payment_events", "type"): (key_of("payment_id", lambda world: world.payment), payment_event_calls),
    ("payments", "opened"): BY_ORDER,
    ("payments", "status"): BY_ORDER,
    ("refunds", "destination"): BY_ORDER,
    ("refunds", "status"): BY_ORDER,
    ("reservations", "status"): (key_of("id", lambda world: world.reservation), reservation_calls),
    ("return_lines", "acceptance"): BY_RETURN,
    ("return_lines", "bucket"): BY_RETURN,
    ("return_lines", "condition"): BY_RETURN,
    ("return_lines", "disposition"): BY_RETURN,
    ("return_lines", "reception"): BY_RETURN,
    ("returns", "refund_to"): (key_of("id", lambda world: world.rma), return_calls),
    ("returns", "status"): (key_of("id", lambda world: world.rma), return_calls),
    ("webhooks", "mode"): HOOK,
    ("webhooks", "state"): HOOK,
}


def declared_columns():
    return {found.groups() for path in (ROOT / "src").rglob("*.c") for found in DECLARED.finditer(path.read_text())}


def checked_columns(database):
    return {(row["table_name"], row["column_name"]) for row in database.rows(_CHECKED)}


def test_every_enum_column_has_a_case(world):
    assert len(checked_columns(world.database)) > 10
    assert declared_columns() | checked_columns(world.database) == set(CASES)


def test_every_column_with_a_list_in_the_schema_is_declared_with_one(world):
    assert checked_columns(world.database) <= declared_columns()


def plant(world, table, column, key, value):
    """Write an unknown word past the CHECKs, and give what was there."""
    for row in world.database.rows(_CHECKS, table, column):
        world.database.execute(f'alter table {table} drop constraint "{row["conname"]}"')
    before = world.database.rows(f"select {column} as word from {table} where {key} = %s limit 1", value)[0]["word"]
    set_word(world, table, column, key, value, [UNKNOWN] if isinstance(before, list) else UNKNOWN)
    return before


def set_word(world, table, column, key, value, word):
    assert world.database.execute(f"update {table} set {column} = %s where {key} = %s", word, value) > 0


def logged(world, table, column):
    return [event for event in world.instance.log_events(FAULT)
            if event["reason"] == f"unknown value in {table}.{column}: {UNKNOWN}"]


@pytest.mark.parametrize("table, column", sorted(CASES), ids=lambda name: name)
def test_an_unknown_word_is_a_fault_of_its_row(world, table, column):
    find, calls = CASES[table, column]
    key, value = find(world)
    rows = f"select t::text as row from {table} t where {key} = %s"
    before = plant(world, table, column, key, value)
    try:
        planted = world.database.rows(rows, value)
        for method, path, *body in calls(world):
            n = len(logged(world, table, column))
            reply = world.api.request(method, path, *body)
            assert (reply.status_code, reply.json()["code"]) == (500, "internal"), f"{method} {path}: {reply.text}"
            eventually(lambda n=n: len(logged(world, table, column)) > n, what=f"a log line that names {table}.{column}")
        assert world.database.rows(rows, value) == planted
    finally:
        set_word(world, table, column, key, value, before)
    for method, path, *body in calls(world)[:1]:
        world.api.request(method, path, *body, expect=200)
