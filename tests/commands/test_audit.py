"""holdfast audit: clean on documents of the service, and each kind of corruption is found."""

import json
import os
import re
import subprocess
import time

import pytest

from support import ROOT
from support.database import Database
from support.holdfast import Holdfast
from support.ports import free_port
from support.retailer import Retailer
from support.returning import Bought

GONE = "no such row: the test would plant nothing"


@pytest.fixture(scope="module")
def house(new_database, work_directory):
    """A separate instance without scheduled work, with stock, movements, reservations and an order; planted faults are
    taken back after each test."""
    instance = Holdfast(new_database(), work_directory, "audited", sweeper=0).start()
    retailer = Retailer(instance.client()).create()
    retailer.reserve({retailer.sku: 1, retailer.skus[1]: 2})
    claimed = retailer.reserve({retailer.sku: 2}).json()["id"]
    slot = retailer.offer_slot(capacity=5)
    retailer.order({retailer.sku: 2}, reservation_id=claimed,
                   fulfillment={"method": "pickup", "location": retailer.store, "slot": slot},
                   payment={"status": "captured"}, shipping={"amount": 500, "currency": "EUR"})
    retailer.api.post("/v1/inventory/adjustments/batch", {"items": [
        {"location": retailer.store, "sku": retailer.sku, "delta": -2, "reason": "damage"}]}, expect=207)
    it = Bought(retailer, {retailer.skus[2]: 3}, location=retailer.other_store)
    it.bring(it.item(1), it.item(1, condition="damaged"))
    give_back_some(retailer)
    yield instance
    instance.stop()


def give_back_some(retailer):
    """Of 20.00 and 5.00 shipping, all captured, 3.00 are an appeasement."""
    order = next(one for one in retailer.api.get("/v1/orders", expect=200).json()["data"]
                 if one["totals"]["shipping"]["amount"])
    retailer.api.post(f"/v1/orders/{order['id']}/refunds", {"to": "original", "reason": "late", "amount": 300}, expect=201)


def written_columns(database, table):
    """All but those that PostgreSQL generates."""
    return database.value("select string_agg(column_name, ', ') from information_schema.columns"
                          " where table_schema = current_schema() and table_name = %s and is_generated = 'NEVER'", table)


@pytest.fixture
def planted(house):
    """A function that plants a fault; everything is as before afterwards."""
    with Database(house.database_url) as database:
        tables = ("slots", "stock", "ledger", "reservations", "reservation_lines", "order_lines", "fulfillments", "fulfillment_lines",
                  "returns", "return_lines", "orders", "payments", "refunds", "order_places", "order_search", "order_search_due", "events")
        for table in tables:
            database.execute(f"create table kept_{table} as table {table}")
        database.execute("alter table stock drop constraint stock_is_not_oversold")

        def plant(statement):
            assert database.execute(statement), GONE
            return audit(house)
        yield plant
        for table in tables:
            database.execute(f"truncate {table}")
            columns = written_columns(database, table)
            database.execute(f"insert into {table} ({columns}) select {columns} from kept_{table}")
            database.execute(f"drop table kept_{table}")
        database.execute("alter table stock add constraint stock_is_not_oversold check (reserved >= 0 and unsellable >= 0"
                         " and safety_stock >= 0 and reserved + unsellable <= on_hand)")


def audit(house):
    """The rules that `audit --json` finds broken, by subject."""
    done = house.run("audit", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == (1 if found["findings"] else 0)
    assert found["clean"] == (not found["findings"])
    assert found["n_findings"] == len(found["findings"])
    return {(finding["rule"], finding["stated"], finding["proved"]) for finding in found["findings"]}


ONE_ROW = "(select location || sku from ledger where reason = 'damage')"
ONE = f"where location || sku = {ONE_ROW}"


def test_documents_of_the_service_are_clean(house):
    done = house.run("audit", check=0)
    assert done.stdout == "audit: 9 stock rows, 13 movements, 2 reservations, 2 order lines, 1 slots, 2 return lines, 2 payments, 1 refunds, 16 events; everything agrees\n"
    found = json.loads(house.run("audit", "--json", check=0).stdout)
    assert found["checked"] == {"stock_rows": 9, "movements": 13, "reservations": 2, "order_lines": 2, "slots": 1,
                                "return_lines": 2, "payments": 2, "refunds": 1, "events": 16}


@pytest.mark.parametrize("statement, finding", [
    (f"update stock set on_hand = 11 {ONE}", ("on_hand", 11, 10)),
    (f"update stock set unsellable = 1 {ONE}", ("unsellable", 1, 2)),
    (f"update stock set reserved = 4 {ONE}", ("reserved", 4, 3)),
    (f"update stock set reserved = 2 {ONE}", ("reserved", 2, 3)),
    (f"update stock set movements = 7 {ONE}", ("movements", 7, 2)),
    (f"update stock set reserved = 9 {ONE}", ("oversold", 1, 0)),
    (f"delete from stock {ONE}", ("on_hand", 0, 10)),
    (f"delete from ledger {ONE} and number = 1", ("last_movement", 2, 1)),
    (f"delete from ledger {ONE} and number = 1", ("number", 2, 1)),
    (f"delete from ledger {ONE} and number = 2", ("movements", 2, 1)),
    (f"update ledger set on_hand_after = 12 {ONE} and number = 1", ("on_hand_after", 12, 10)),
    (f"update ledger set unsellable_after = 1 {ONE} and number = 2", ("unsellable_after", 1, 2)),
    (f"update ledger set on_hand_change = 9 {ONE} and number = 1", ("on_hand", 10, 9)),
    (f"update ledger set number = 5 {ONE} and number = 2", ("last_movement", 5, 2)),
    ("insert into ledger select location, sku || '-x', number, reason, on_hand_change, unsellable_change, on_hand_after,"
     " unsellable_after, document, reference, actor, recorded_at from ledger where reason = 'damage'", ("unsellable", 0, 2)),
    ("delete from reservation_lines where held and quantity = 2", ("reserved", 2, 0)),
    ("delete from reservation_lines where held", ("no_lines", 0, 1)),
    ("delete from reservations where status = 'active'", ("lines_without_reservation", 2, 0)),
    ("update reservations set status = 'released' where status = 'active'", ("held_though_over", 2, 0)),
    ("update reservation_lines set held = false where held and quantity = 2", ("let_go_too_early", 1, 0)),
    ("update reservation_lines set location = location || '-x' where quantity = 2 and held", ("lines_elsewhere", 1, 0)),
    ("update reservation_lines set expires_at = expires_at + interval '1 s' where held", ("lines_expire_otherwise", 2, 0)),
    ("update reservations set order_id = null where status = 'claimed'", ("claim_without_order", 1, 0)),
    ("update fulfillment_lines set quantity = 3, reserved = 3 where fulfilled = 0", ("reserved", 3, 4)),
    ("update fulfillment_lines set quantity = 3, reserved = 3 where fulfilled = 0", ("allocated", 2, 3)),
    ("update order_lines set cancelled = 1 where fulfilled = 0", ("cancelled", 1, 0)),
    ("update order_lines set fulfilled = 1 where fulfilled = 0", ("fulfilled", 1, 0)),
    ("update fulfillments set status = 'cancelled'", ("held_by_what_is_over", 2, 0)),
    ("delete from fulfillments", ("held_by_what_is_over", 2, 0)),
    ("delete from fulfillments", ("booked", 1, 0)),
    ("update fulfillments set slot_at = null", ("booked", 1, 0)),
    ("update slots set booked = 2", ("booked", 2, 1)),
    ("delete from slots", ("booked", 0, 1)),
    ("update fulfillments set status = 'expired'", ("booked_by_what_is_over", 1, 0)),
    ("update order_lines set returned = 1 where returned = 2", ("returned", 1, 2)),
    ("delete from return_lines where bucket = 'sellable'", ("returned", 2, 1)),
    ("delete from return_lines where bucket = 'sellable'", ("returned_on_hand", 1, 2)),
    ("update return_lines set bucket = 'gone' where bucket = 'unsellable'", ("returned_unsellable", 0, 1)),
    ("update return_lines set quantity = 3 where bucket = 'sellable'", ("over_returned", 1, 0)),
    ("update orders set total = total + 1 where shipping = 500", ("total", 2501, 2500)),
    ("update order_lines set value = 1999 where quantity = 2", ("total", 2500, 2499)),
    ("update orders set credited = 301 where shipping = 500", ("credited", 301, 300)),
    ("update orders set adjusted = 0 where shipping = 500", ("credited", 300, 0)),
    ("update order_lines set cancelled = 1 where quantity = 2", ("credited", 300, 1300)),
    ("update order_lines set returned = 1, fulfilled = 1 where quantity = 2", ("credited", 300, 1300)),
    ("update orders set credited = 2501 where shipping = 500", ("credited_beyond_total", 1, 0)),
    ("update orders set paid = 2499 where shipping = 500", ("paid", 2499, 2500)),
    ("update payments set captured = 2499 where amount = 2500", ("paid", 2500, 2499)),
    ("update payments set captured = 2499 where amount = 2500", ("held_by_closed_payment", 1, 0)),
    ("update orders set refunded = 299 where shipping = 500", ("refunded", 299, 300)),
    ("update refunds set status = 'failed' where amount = 300", ("refunded", 300, 0)),
    ("update refunds set status = 'failed' where amount = 300", ("refund_due", 0, 300)),
    ("update refunds set amount = 2501 where amount = 300", ("refunded_beyond_authorized", 1, 0)),
    ("update refunds set amount = 299 where amount = 300", ("refunded_to", 300, 299)),
    ("update orders set refund_due = 1 where shipping = 500", ("refund_due", 1, 0)),
    ("update payments set refunded = 299 where amount = 2500", ("refunded_to", 299, 300)),
    ("update payments set status = 'authorized' where amount = 2500", ("captured_though_not", 2500, 0)),
    ("update payments set captured = 2400, voided = 100 where amount = 2500", ("voided_though_nobody_told", 100, 0)),
    ("update payments set captured = 2400, failed = 100 where amount = 2500", ("failed_though_nobody_told", 100, 0)),
    ("update order_lines set tax = 1 where quantity = 2", ("tax_of_lines", 1, 0)),
    ("update refunds set tax = 1 where amount = 300", ("refunded_tax_beyond_tax", 1, 0)),
    ("update order_lines set cancelled = 1 where fulfilled = 0", ("cancelled_untold", 1, 0)),
    ("update order_lines set fulfilled = 1 where fulfilled = 0", ("fulfilled_untold", 1, 0)),
    ("delete from events where type = 'fulfillment.handed_over'", ("fulfilled_untold", 3, 0)),
    ("update events set data = jsonb_set(data, '{lines,0,quantity}', '2') where type = 'fulfillment.handed_over'",
     ("fulfilled_untold", 3, 2)),
    ("update payments set version = version + 1, updated_at = clock_timestamp() where amount = 2500", ("changed_untold", 1, 0)),
    ("update refunds set status = 'issued', updated_at = clock_timestamp() where amount = 300", ("changed_untold", 1, 0)),
    ("delete from payments where amount = 2500", ("paid", 2500, 0)),
    ("delete from refunds where amount = 300", ("refunded", 300, 0)),
    ("delete from orders where shipping = 500", ("lines_of_no_order", 1, 0)),
    ("delete from order_places where location in (select location from fulfillments where slot_at is not null)",
     ("listed_otherwise", 1, 0)),
    ("update order_places set status = 'cancelled'", ("listed_otherwise", 1, 0)),
    ("update order_places set updated_at = placed_at - interval '1 s'", ("listed_otherwise", 1, 0)),
    ("delete from fulfillments where slot_at is not null", ("listed_otherwise", 1, 0)),
    ("delete from order_search_due", ("not_searchable", 1, 0)),
    ("update orders set open_for = null where open_for = 'units'", ("open_otherwise", 1, 0)),
    ("update orders set open_for = 'refund' where open_for = 'units'", ("open_otherwise", 1, 0)),
    ("update orders set returns_awaited = 1 where shipping = 500", ("returns_awaited", 1, 0)),
    ("update returns set status = 'authorized'", ("returns_awaited", 0, 1)),
    ("update fulfillments set status = 'cancelled'", ("open_otherwise", 1, 0)),
    ("delete from orders where shipping = 500", ("listed_otherwise", 1, 0)),
])
def test_each_kind_of_corruption_is_found(planted, statement, finding):
    assert finding in planted(statement)


@pytest.mark.parametrize("statement", [
    "delete from events where type = 'order.created'",
    "update events set data = data || '{\"source\":\"import\"}' where type = 'order.created'",
])
def test_orders_with_pruned_events_and_imported_ones_need_no_event(planted, statement):
    assert planted(statement) == set()
    assert planted("update payments set updated_at = clock_timestamp()") == set()


def test_findings_are_readable(planted, house):
    planted(f"update stock set on_hand = 11 {ONE}")
    done = house.run("audit", check=1)
    finding, summary = done.stdout.splitlines()
    assert finding.endswith(": on_hand is 11, by its ledger 10") and "/SKU-" in finding
    assert summary.endswith("2 order lines, 1 slots, 2 return lines, 2 payments, 1 refunds, 16 events; 1 findings")
    planted("update order_lines set tax = 1 where quantity = 2")
    assert any(line.endswith(": tax of its lines: 1, tax of the order: 0") for line in house.run("audit", check=1).stdout.splitlines())


def test_each_rule_has_words_for_its_finding():
    statements = (ROOT / "sql" / "queries" / "audit.sql").read_text()
    rules = set(re.findall(r"(?:values|^) +\('(\w+)'|'(?=\w+' as rule)(\w+)'|, '(\w+)', 1, 0$", statements, re.MULTILINE))
    table = re.search(r"meanings\[\] = \{(.*?)^\};", (ROOT / "src" / "commands" / "audit.c").read_text(), re.DOTALL | re.MULTILINE)
    worded = re.findall(r'^ +\{ "(\w+)"', table[1], re.MULTILINE)
    assert worded == sorted({"".join(groups) for groups in rules})


def test_a_fault_beyond_the_last_location_is_found(planted, house):
    """The last range has no end."""
    with Database(house.database_url) as database:
        last = database.value("select max(code) from locations")
    findings = planted(
        "insert into reservation_lines select gen_random_uuid(), 0, 'zzz', 'SKU', 1, true, now() + interval '1 h'")
    assert last < "zzz" and {("reserved", 0, 1), ("lines_without_reservation", 1, 0)} <= findings


def test_wrong_usage_and_no_database(house, services):
    assert house.run("audit", "--quick").returncode == 2
    settings, house.settings = house.settings, {**house.settings, "DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    try:
        assert house.run("audit").returncode == 69
    finally:
        house.settings = settings


# Metrics of the audit

def textfile(path):
    return dict(line.split() for line in path.read_text().splitlines() if not line.startswith("#"))


def test_the_outcome_is_written_for_prometheus(house, tmp_path):
    file = tmp_path / "holdfast.prom"
    before = time.time()
    house.run("audit", "--textfile", file, check=0)
    told = textfile(file)
    assert set(told) == {"holdfast_audit_duration_seconds", "holdfast_audit_findings", "holdfast_audit_timestamp_seconds"}
    assert float(told["holdfast_audit_findings"]) == 0
    assert before - 1 <= float(told["holdfast_audit_timestamp_seconds"]) <= time.time() + 1
    assert [path.name for path in tmp_path.iterdir()] == ["holdfast.prom"]
    done = subprocess.run(["promtool", "check", "metrics"], input=file.read_text(), capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_prometheus_may_read_it_whatever_the_umask(house, tmp_path):
    umask = os.umask(0o077)
    try:
        house.run("audit", "--textfile", tmp_path / "holdfast.prom", check=0)
    finally:
        os.umask(umask)
    assert (tmp_path / "holdfast.prom").stat().st_mode & 0o777 == 0o644


def test_findings_are_written_for_prometheus(house, planted, tmp_path):
    planted("update stock set reserved = reserved + 1 where reserved > 0")
    house.run("audit", "--textfile", tmp_path / "holdfast.prom", check=1)
    assert float(textfile(tmp_path / "holdfast.prom")["holdfast_audit_findings"]) > 0


def test_an_audit_that_was_not_finished_says_so(house, tmp_path):
    away = Holdfast(f"postgresql://nobody@127.0.0.1:{free_port()}/shop", tmp_path)
    away.run("audit", "--textfile", tmp_path / "holdfast.prom", check=69)
    assert float(textfile(tmp_path / "holdfast.prom")["holdfast_audit_findings"]) == -1


def test_a_file_that_cannot_be_written_is_a_failure(house, tmp_path):
    done = house.run("audit", "--textfile", tmp_path / "nowhere" / "holdfast.prom", check=1)
    assert "cannot be written: No such file or directory" in done.stderr
