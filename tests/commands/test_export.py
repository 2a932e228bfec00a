"""holdfast export: each kind, its options, its refusals, and that an import takes an export back unchanged."""

import signal
import subprocess

import pytest

from support.database import Database
from support.exporting import BAD_CONFIG, INCOMPLETE, NO_DATABASE, OK, WRONG_USAGE, Exporter
from support.holdfast import Holdfast
from support.importing import Importer
from support.ports import free_port
from support.retailer import Retailer
from support.waiting import eventually

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
    retailer = Retailer(api).create()
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


def test_json_lines_hold_the_same_as_csv(exporter):
    for kind in ("products", "locations", "stock"):
        rows = exporter.run(kind).rows
        objects = exporter.run(kind, "--format", "jsonl").objects

        def as_text(value):
            return "" if value is None else str(value)
        assert [{name: as_text(value) for name, value in each.items()} for each in objects] == rows
    assert objects[0]["on_hand"] == int(rows[0]["on_hand"])


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
