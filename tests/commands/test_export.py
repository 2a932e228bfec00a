"""holdfast export: each kind, its options, its refusals, and that an import takes an export back unchanged."""

import json
import re
import signal
import subprocess
import threading
from decimal import Decimal
from functools import partial

import pytest

from support import ROOT
from support.database import Database
from support.exporting import BAD_CONFIG, INCOMPLETE, NO_DATABASE, OK, WRONG_USAGE, Exporter
from support.holdfast import Holdfast
from support.importing import Importer
from support.person import Person, live_through
from support.ports import free_port
from support.retailer import Retailer
from support.returning import Bought
from support.waiting import eventually
from support.work import Work

NASTY = ['plain', 'a "quoted" word', "two\nlines", "carriage\r\nreturn", "comma, semicolon; tab\there", "=1+1", "+49 30", "-3", "-x", "@x",
         "Grüße, Ærø, 茶, 🍵", "\\N", "\\.", "'quote", "''", '"', '""', ",", "a'; drop table products; --", "NULL", "{a}", "x" * 300]


@pytest.fixture(scope="module")
def house(new_database, work_directory):
    """A separate instance, because an export holds all rows of a database."""
    instance = Holdfast(new_database(), work_directory, "exports").start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def shop(house):
    """A retailer with one product for each nasty text."""
    api = house.client()
    retailer = Retailer(api, on_hand=100).create()
    for n, text in enumerate(NASTY):
        api.put(f"/v1/products/nasty-{n:02}", {"title": text, "description": text if n % 2 else None}, expect=201)
    for sku, amount, currency in (("yen", 1200, "JPY"), ("dinar", 12345, "KWD"), ("cent", 1, "EUR"), ("free", 0, "USD"),
                                  ("much", 9007199254740991, "KWD")):
        api.put(f"/v1/products/price-{sku}", {"title": sku, "price": {"amount": amount, "currency": currency}}, expect=201)
    api.put("/v1/products/full", {"title": "Full", "gtin": "4006381333931", "image_url": "https://img.example/a,b.png"}, expect=201)
    hours = [{"day": "mon", "opens": "09:00", "closes": "12:30"}, {"day": "mon", "opens": "14:00", "closes": "24:00"}]
    retailer.create_location("strand", name='Strand, "Ecke"', time_zone="Europe/London", country="GB", latitude=51.5074, longitude=-0.1,
                             capabilities=["pickup"], opening_hours=hours,
                             closures=[{"date": "2030-12-24", "opens": "09:00", "closes": "13:00"}, {"date": "2030-12-25"}],
                             pickup={"lead_time": "PT90M", "hold_for": "P3D",
                                     "slots": [{"day": "mon", "from": "10:00", "to": "12:00", "capacity": 8}]})
    retailer.create_location("bare", capabilities=[], opening_hours=[], latitude=None, longitude=None,
                             pickup={"lead_time": "PT0S", "hold_for": "PT36H"})
    retailer.stock({("strand", "nasty-00"): 7, ("strand", retailer.sku): 3})
    return retailer


@pytest.fixture
def exporter(house, shop):
    return Exporter(house)


@pytest.fixture
def elsewhere(new_database, work_directory):
    """An empty market."""
    instance = Holdfast(new_database(), work_directory, "elsewhere")
    yield instance


# columns and values

def test_products_have_the_columns_and_the_price_that_import_reads(exporter):
    made = exporter.run("products")

    assert made.header == ["sku", "title", "gtin", "price", "currency", "description", "image_url"]
    prices = {row["sku"]: (row["price"], row["currency"]) for row in made.rows if row["sku"].startswith("price-")}
    assert prices == {"price-yen": ("1200", "JPY"), "price-dinar": ("12.345", "KWD"), "price-cent": ("0.01", "EUR"),
                      "price-free": ("0.00", "USD"), "price-much": ("9007199254740.991", "KWD")}
    nasty = {row["sku"]: row for row in made.rows if row["sku"].startswith("nasty-")}
    assert [nasty[f"nasty-{n:02}"]["title"] for n in range(len(NASTY))] == NASTY
    assert nasty["nasty-01"]["description"] == NASTY[1] and nasty["nasty-00"]["description"] == ""


def test_rows_are_ordered_and_counted_and_the_moment_is_named(exporter, house):
    made = exporter.run("products")
    skus = [row["sku"] for row in made.rows]

    assert skus == sorted(skus) and len(skus) > len(NASTY)
    n, as_of = made.named_rows
    assert n == len(skus) and as_of.endswith("Z")
    assert exporter.run("products").bytes == made.bytes


def test_json_lines_hold_the_same_as_csv(exporter, lives):
    def as_text(value):
        return "" if value is None else {True: "t", False: "f"}[value] if isinstance(value, bool) else str(value)

    for kind in KINDS:
        rows = exporter.run(kind).rows
        objects = exporter.run(kind, "--format", "jsonl").objects
        if kind == "events":
            assert [json.loads(row.pop("data")) for row in rows] == [each.pop("data") for each in objects]
        assert [{name: as_text(value) for name, value in each.items()} for each in objects] == rows
    assert exporter.run("stock", "--format", "jsonl").objects[0]["on_hand"] == int(exporter.run("stock").rows[0]["on_hand"])


def test_locations_have_their_lists_and_durations_as_import_reads_them(exporter):
    rows = {row["code"]: row for row in exporter.run("locations").rows}

    assert rows["strand"] == {
        "code": "strand", "name": 'Strand, "Ecke"', "kind": "store", "latitude": "51.5074", "longitude": "-0.1",
        "time_zone": "Europe/London", "country": "GB", "capabilities": "pickup", "lead_time": "PT90M", "hold_for": "P3D",
        "opening_hours": "mon 09:00-12:30; mon 14:00-24:00", "closures": "2030-12-24 09:00-13:00; 2030-12-25", "slots": "mon 10:00-12:00 x 8"}
    assert (rows["bare"]["lead_time"], rows["bare"]["hold_for"], rows["bare"]["opening_hours"]) == ("PT0S", "PT36H", "")


def test_stock_of_one_location_is_that_location_alone(exporter, shop):
    every = exporter.run("stock").rows
    strand = exporter.run("stock", "--location", "strand").rows

    assert strand == [row for row in every if row["location"] == "strand"] and len(strand) == 2
    assert {"location": "strand", "sku": "nasty-00", "on_hand": "7"} in strand
    assert [(row["location"], row["sku"]) for row in every] == sorted((row["location"], row["sku"]) for row in every)
    assert [row["code"] for row in exporter.run("locations", "--location", "bare").rows] == ["bare"]


# round trips

def test_an_import_of_an_export_changes_nothing(exporter, house, tmp_path):
    importer = Importer(house, tmp_path)
    for kind in ("locations", "products", "stock"):
        made = exporter.run(kind)
        path = tmp_path / f"{kind}.csv"
        path.write_bytes(made.bytes)

        done = importer.run(kind, path, expect=OK)

        assert done["unchanged"] == done["lines read"] == len(made.rows), done.stdout + done.stderr
        assert exporter.run(kind).bytes == made.bytes


def test_a_market_that_imports_an_export_exports_the_same_bytes(exporter, elsewhere, tmp_path):
    importer, again = Importer(elsewhere, tmp_path), Exporter(elsewhere)
    for kind in ("locations", "products", "stock"):
        made = exporter.run(kind)
        path = tmp_path / f"{kind}.csv"
        path.write_bytes(made.bytes)

        done = importer.run(kind, path, expect=OK)

        assert done["refused"] == 0, done.stderr
        assert again.run(kind).bytes == made.bytes


# orders and their documents

TIMED = {"orders": "InvoiceDate", "order-lines": "placed_at", "payments": "created_at", "refunds": "created_at", "returns": "created_at",
         "ledger": "recorded_at", "events": "published_at"}
KINDS = [*TIMED, "journal", "products", "locations", "stock", "listings"]


@pytest.fixture(scope="module")
def lives(house, shop):
    """Orders of two channels in every state, some with returns and refunds, in three currencies."""
    with Database(house.database_url) as database:
        for retailer in (shop, Retailer(shop.api, on_hand=100).create()):
            work = partial(Work, retailer, database)
            person = Person()
            live_through(work, person)
            work({retailer.sku: 2}, discounts=[{"amount": 100}, {"amount": 50, "line": 0}], shipping={"amount": 490, "currency": "EUR"},
                 tax={"amount": 77, "included": True})
            for currency, price in (("JPY", 1200), ("KWD", 12345)):
                work([{"sku": retailer.sku, "quantity": 3, "unit_price": {"amount": price, "currency": currency}}], currency=currency,
                     payment={"status": "authorized"})
            bought = Bought(retailer, discounts=[{"amount": 33}])
            bought.bring(bought.item(1), bought.item(1, condition="damaged"))
            shop.api.put(f"/v1/channels/{retailer.channel}/listings/{retailer.sku}",
                         {"title": "=Listing", "price": {"amount": 999, "currency": "EUR"}, "external_sku": "A-1", "published": True}, expect=201)
        eventually(lambda: database.value("select count(*) from events_due") == 0)
    return shop


def of_document(row):
    """The document that a row belongs to, and its place."""
    return row.get("order_number") or row.get("InvoiceNo") or row.get("position") or (row["location"], row["sku"], row["number"])


@pytest.mark.parametrize("kind", list(TIMED))
def test_a_span_is_the_rows_of_that_time_alone(lives, exporter, kind):
    every, column = exporter.run(kind).rows, TIMED[kind]
    times = sorted(row[column] for row in every)
    assert times == [row[column] for row in every] and len(times) > 3, "in the order of time"
    low, high = times[len(times) // 3], times[2 * len(times) // 3]

    assert exporter.run(kind, "--since", low).rows == [row for row in every if row[column] >= low]
    assert exporter.run(kind, "--until", high).rows == [row for row in every if row[column] < high]
    assert exporter.run(kind, "--since", low, "--until", high).rows == [row for row in every if low <= row[column] < high]
    assert exporter.run(kind, "--since", "2100-01-01T00:00:00Z").rows == []


@pytest.mark.parametrize("kind", ["orders", "order-lines", "payments", "refunds", "returns", "events", "listings"])
def test_a_channel_is_the_rows_of_that_channel_alone(lives, exporter, kind):
    every = exporter.run(kind).rows
    chosen = exporter.run(kind, "--channel", lives.channel).rows

    assert chosen == [row for row in every if row["channel"] == lives.channel] and 0 < len(chosen) < len(every)


@pytest.mark.parametrize("kind", ["orders", "order-lines", "payments", "refunds", "returns", "ledger", "events"])
def test_a_location_is_the_rows_that_touch_it(lives, exporter, house, kind):
    every = exporter.run(kind).rows
    chosen = exporter.run(kind, "--location", lives.store).rows

    if "location" in every[0]:
        wanted = [row for row in every if row["location"] == lives.store]
    else:
        with Database(house.database_url) as database:
            touching = {row["order_number"] for row in database.rows(
                "select o.order_number from orders o join fulfillments f on f.order_id = o.id where f.location = %s", lives.store)}
        wanted = [row for row in every if row["order_number"] in touching]
    assert chosen == wanted and 0 < len(chosen) < len(every)


def minor(text, currency):
    return int(text.replace(".", "")) if currency != "JPY" else int(text)


def test_amounts_of_orders_are_those_of_the_api_and_stand_once(lives, exporter):
    rows = exporter.run("orders", "--channel", lives.channel).rows
    orders = lives.api.get(f"/v1/orders?channel={lives.channel}&limit=200", expect=200).json()["data"]
    assert len(orders) > 5
    for order in orders:
        lines = [row for row in rows if row["order_number"] == order["order_number"]]
        totals = order["totals"]
        assert [line["StockCode"] for line in lines] == [line["sku"] for line in order["lines"]]
        assert [int(line["Quantity"]) for line in lines] == [line["quantity"] for line in order["lines"]]
        assert [int(line["fulfilled_quantity"]) for line in lines] == [line["fulfilled"] for line in order["lines"]]
        assert [minor(line["UnitPrice"], order["currency"]) for line in lines] == [line["unit_price"]["amount"] for line in order["lines"]]
        for column in ("total", "shipping", "tax", "refunded"):
            assert minor(lines[0][column], order["currency"]) == totals[column]["amount"], (column, order)
            assert not any(line[column] for line in lines[1:])
        discounts = sum(minor(line["line_discount"], order["currency"]) for line in lines) + minor(lines[0]["discount"], order["currency"])
        assert discounts == totals["discount"]["amount"]
        assert (lines[0]["payment"], lines[0]["status"]) == (order["payment_status"], order["status"])
        assert bool(lines[0]["cancelled_at"]) == (order["status"] == "cancelled")


def test_payments_and_refunds_add_up_to_their_orders(lives, exporter):
    assert_sums_agree(exporter.run("orders").rows, exporter.run("payments").rows, exporter.run("refunds").rows)
    values = {}
    for row in exporter.run("order-lines").rows:
        values[row["order_number"]] = values.get(row["order_number"], 0) + Decimal(row["value"])
    for row in exporter.run("orders").rows:
        if row["total"]:
            assert values[row["order_number"]] == Decimal(row["total"]) - Decimal(row["shipping"]), row


def assert_sums_agree(orders, payments, refunds):
    paid, refunded = {}, {}
    for row in payments:
        if row["status"] in ("captured", "partially_captured"):
            paid[row["order_number"]] = paid.get(row["order_number"], 0) + Decimal(row["captured"])
    for row in refunds:
        if row["status"] != "failed":
            refunded[row["order_number"]] = refunded.get(row["order_number"], 0) + Decimal(row["amount"])
    for row in orders:
        if row["total"]:
            assert paid.get(row["order_number"], 0) == Decimal(row["paid"]), row
            assert refunded.get(row["order_number"], 0) >= Decimal(row["refunded"]), row


def test_the_ledger_adds_up_to_the_stock(lives, exporter):
    sums = {}
    for row in exporter.run("ledger").rows:
        key = (row["location"], row["sku"])
        sums[key] = sums.get(key, 0) + int(row["on_hand_change"])
    assert {(row["location"], row["sku"]): int(row["on_hand"]) for row in exporter.run("stock").rows} == sums


def test_refunds_of_imported_orders_stand_in_their_time(exporter, lives, tmp_path, house):
    importer = Importer(house, tmp_path)
    path = importer.write("past.csv", "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
                          f"past-1,{lives.sku},3,2019-05-01T10:00:00Z,2.50,17,Germany", f"C-1,{lives.sku},-1,2019-06-01T10:00:00Z,2.50,17,Germany",
                          f"C1,{lives.sku},-1,2019-06-02T10:00:00Z,2.50,17,Germany")
    importer.run("orders", path, "--channel", lives.channel, "--location", lives.store, "--currency", "EUR")
    span = ("--since", "2019-01-01T00:00:00Z", "--until", "2020-01-01T00:00:00Z")

    orders = exporter.run("orders", *span).rows
    assert [(row["InvoiceNo"], row["InvoiceDate"], row["Country"], row["CustomerID"]) for row in orders] == [
        ("past-1", "2019-05-01T10:00:00.000Z", "Germany", "17")]
    for kind in ("payments", "refunds", "returns"):
        every = exporter.run(kind).rows
        assert exporter.run(kind, *span).rows == [row for row in every if row["created_at"].startswith("2019")], kind
    assert [row["created_at"] for row in exporter.run("refunds", *span).rows] == ["2019-06-02T10:00:00.000Z"]


def test_every_kind_is_documented_with_its_columns_and_its_options(lives, exporter):
    page = (ROOT / "docs" / "export.md").read_text()
    table = {kind: (columns.split(", "), set(options.split()))
             for kind, columns, options in re.findall(r"^\| `([a-z-]+)` \| `(\w+(?:, \w+)+)` \| ?([^|]*) \|$", page, re.MULTILINE)}
    assert set(table) == set(KINDS)
    for kind, (columns, options) in table.items():
        assert exporter.run(kind).header == columns, kind
        for option, value in (("--location", "strand"), ("--channel", lives.channel), ("--since", "2020-01-01T00:00:00Z"),
                              ("--until", "2020-01-01T00:00:00Z")):
            made = exporter.run(kind, option, value, expect=OK if f"`{option}`" in options else WRONG_USAGE)
            assert made.code == OK or made.bytes == b""


@pytest.mark.parametrize("kind", KINDS)
def test_two_exports_of_equal_data_are_equal(lives, exporter, kind):
    assert exporter.run(kind).bytes == exporter.run(kind).bytes


# a snapshot

def test_exports_beside_a_writer_agree_with_themselves(lives, exporter, house):
    """Each file is one moment: the orders of a file have all their lines, and the ledger adds up to the figures in it."""
    shop = Retailer(lives.api, on_hand=100).create()
    stop = threading.Event()

    def write():
        while not stop.is_set():
            bought = Bought(shop, {shop.skus[0]: 1, shop.skus[1]: 1}, shipping={"amount": 490, "currency": "EUR"})
            bought.bring()
            shop.api.post(f"/v1/orders/{bought.id}/refunds", {"to": "original", "reason": "late"}, expect=201)
            shop.stock({(shop.store, sku): 50 for sku in shop.skus})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(6):
            lines = {}
            rows = exporter.run("orders").rows
            for row in rows:
                lines.setdefault(row["order_number"], []).append(row)
            for order in lines.values():
                goods = sum(Decimal(row["UnitPrice"]) * int(row["Quantity"]) - Decimal(row["line_discount"]) for row in order)
                if order[0]["tax_included"] == "t" or Decimal(order[0]["tax"]) == 0:
                    assert goods - Decimal(order[0]["discount"]) + Decimal(order[0]["shipping"]) == Decimal(order[0]["total"])
            owed = sum(int(row["debit"] or 0) - int(row["credit"] or 0) for row in exporter.run("journal", "--channel", shop.channel).rows
                       if row["account"] == "receivables")
            assert owed <= 0, "orders are paid as they are placed, so their payments are of the same moment"
            after = {}
            for row in exporter.run("ledger").rows:
                key = (row["location"], row["sku"])
                after[key] = after.get(key, 0) + int(row["on_hand_change"])
                assert int(row["on_hand_after"]) == after[key], "no movement is missing between two of a row"
    finally:
        stop.set()
        writer.join()


# spreadsheets

def test_a_cell_that_would_be_a_formula_is_text_for_spreadsheets(exporter):
    plain = {row["sku"]: row for row in exporter.run("products").rows}
    guarded = {row["sku"]: row for row in exporter.run("products", "--for-spreadsheets").rows}

    changed = {plain[sku]["title"]: row["title"] for sku, row in guarded.items() if row["title"] != plain[sku]["title"]}
    assert changed == {"=1+1": "'=1+1", "+49 30": "'+49 30", "-x": "'-x", "@x": "'@x"}
    assert guarded["price-cent"] == plain["price-cent"] and guarded["nasty-07"]["title"] == "-3"
    locations = {row["code"]: row for row in exporter.run("locations", "--for-spreadsheets").rows}
    assert locations["strand"]["longitude"] == "-0.1"


# refusals

@pytest.mark.parametrize("arguments, reason", [
    ((), "export takes one kind"),
    (("products", "stock"), "export takes one kind"),
    (("prices",), "there is no such kind to export"),
    (("products", "--location", "strand"), "belong to no location"),
    (("stock", "--channel", "web"), "belong to no channel"),
    (("stock", "--since", "2026-01-01T00:00:00Z"), "neither since nor until"),
    (("stock", "--format", "xml"), "--format is csv or jsonl"),
    (("stock", "--location", "no code!"), "this is no code"),
    (("stock", "--since", "yesterday"), "--since is a time"),
    (("stock", "--format", "jsonl", "--for-spreadsheets"), "only CSV"),
])
def test_wrong_usage_is_named_and_writes_nothing(exporter, arguments, reason):
    made = exporter.run(None, *arguments, expect=WRONG_USAGE)
    assert reason in made.stderr and "usage: holdfast export" in made.stderr and made.bytes == b""


def test_a_location_that_does_not_exist_is_named(exporter):
    made = exporter.run("stock", "--location", "nowhere", expect=INCOMPLETE)
    assert "there is no location nowhere" in made.stderr and made.bytes == b""


def test_without_a_database_nothing_is_written(exporter):
    made = exporter.run("stock", expect=NO_DATABASE, HOLDFAST_DATABASE_URL=f"postgresql://localhost:{free_port()}/none")
    assert made.bytes == b""
    exporter.run("stock", expect=BAD_CONFIG, HOLDFAST_DATABASE_URL="")


# readers that go away, disks that are full, signals

@pytest.fixture(scope="module")
def crowded(new_database, work_directory):
    """So many rows that no pipe holds them."""
    instance = Holdfast(new_database(), work_directory, "crowded")
    with Database(instance.database_url) as database:
        database.execute("insert into products (sku, title, returnable, attributes, created_at, updated_at)"
                         " select 'sku-' || n, repeat('x', 100), true, '{}', now(), now() from generate_series(1, 60000) as n")
    return Exporter(instance)


def snapshots(exporter):
    with Database(exporter.service.database_url) as database:
        return database.value("select count(*) from pg_stat_activity where datname = current_database()"
                              " and pid <> pg_backend_pid() and backend_xmin is not null and application_name like 'holdfast%%'")


def test_a_reader_that_goes_away_ends_the_export_and_its_snapshot(crowded):
    running = crowded.start("products")
    assert running.stdout.read(1000).startswith(b"sku,title")
    running.stdout.close()

    assert running.wait(30) == INCOMPLETE
    assert b"not complete: standard output: Broken pipe" in running.stderr.read()
    eventually(lambda: snapshots(crowded) == 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_an_export_whose_reader_waits(crowded, number):
    running = crowded.start("products")
    running.stdout.read(1000)
    eventually(lambda: snapshots(crowded) == 1)
    running.send_signal(number)

    assert running.wait(30) == 128 + number
    assert b"the export was stopped; the output is not complete" in running.stderr.read()
    eventually(lambda: snapshots(crowded) == 0)


def test_a_full_disk_ends_an_export(crowded):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(crowded.command("products"), env=crowded.service.environment(), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == INCOMPLETE and b"standard output: No space left on device" in done.stderr


def test_a_lost_database_ends_an_export(crowded):
    running = crowded.start("products")
    running.stdout.read(1000)
    eventually(lambda: snapshots(crowded) == 1)
    with Database(crowded.service.database_url) as database:
        database.cut_other_sessions()
    out, errors = running.communicate(timeout=30)

    assert running.returncode == NO_DATABASE and b"not complete" in errors
    assert out.count(b"\n") < 60001


def test_memory_does_not_grow_with_the_rows(crowded, tmp_path):
    few = crowded.measure("locations", path=tmp_path / "few.csv")
    many = crowded.measure("products", path=tmp_path / "many.csv")
    assert many - few < 8 * 1024, f"{few} and {many} KiB"
