"""holdfast import --dry-run: the same checks and sums as an import, and nothing stored."""

import pytest

from support.database import Database
from support.holdfast import Holdfast
from support.importing import OK, SOME_REFUSED, WRONG_USAGE, Importer
from support.retailer import Retailer
from support.waiting import eventually


@pytest.fixture(scope="module")
def shop(new_database, work_directory):
    """An instance by itself, whose database is compared as a whole."""
    instance = Holdfast(new_database(), work_directory, "trial").start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def retailer(shop):
    return Retailer(shop.client()).create()


@pytest.fixture
def database(shop):
    with Database(shop.database_url) as database:
        yield database


def counts(database):
    """Rows of each table, and all figures of stock, once the instance has no work left of what happened before."""
    for due in ("events_due", "order_search_due"):
        eventually(lambda due=due: database.count(due) == 0, 30, f"{due} is empty")
    names = [row["name"] for row in database.rows(
        "select tablename as name from pg_tables where schemaname = current_schema() order by 1")]
    return {name: database.count(name) for name in names} | {
        "figures": database.value("select sum(on_hand)::bigint from stock")}


def files(retailer):
    sku, other = retailer.sku, retailer.skus[1]
    return {"products": ["sku,title,price,currency", f"new-{retailer.tag},T,1,EUR", f"{sku},Other title,1,EUR", "_A,T,1,EUR", f"x-{retailer.tag},T,1.999,EUR"],
            "locations": ["code,name,kind,time_zone,country", f"l-{retailer.tag},L,store,Europe/Berlin,DE", "m,M,shop,Europe/Berlin,DE"],
            "stock": ["location,sku,on_hand", f"{retailer.store},{sku},77", f"{retailer.store},nothing,1", f"{retailer.store},{other},many"],
            "orders": ["InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID", f"7,{sku},2,2010-12-01 08:26,2.55,1",
                       "7,nothing,2,2010-12-01 08:26,2.55,1", f"8,{other},1,2010-12-01 08:26,2.55,1"]}


@pytest.mark.parametrize("kind, extra", [("products", ()), ("locations", ()), ("stock", ()), ("orders", ()), ("orders", ("--open",))])
def test_a_dry_run_tells_the_sums_of_an_import_and_stores_nothing(shop, retailer, database, tmp_path, kind, extra):
    importer = Importer(shop, tmp_path)
    options = ("--channel", retailer.channel, "--location", retailer.store, "--currency", "EUR", *extra) if kind == "orders" else ()
    path = importer.write(f"{kind}.csv", *(line.replace("7,", "9,").replace("8,", "6,") if extra else line
                                            for line in files(retailer)[kind]))
    before = counts(database)

    tried = importer.run(kind, path, *options, "--dry-run", expect=SOME_REFUSED)

    assert counts(database) == before
    assert tried.stdout.splitlines()[0] == "dry run, nothing is stored"
    real = importer.run(kind, path, *options, expect=SOME_REFUSED)
    assert (tried.sums, tried.refusals) == (real.sums, real.refusals)
    assert tried["taken"] and tried["refused"] and counts(database) != before
    shop.assert_audit_clean()


def test_returned_goods_are_not_tried_and_say_so(shop, retailer, tmp_path):
    importer = Importer(shop, tmp_path)
    options = ("--channel", retailer.channel, "--location", retailer.store, "--currency", "EUR")
    path = importer.write("r.csv", "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID",
                          f"70,{retailer.sku},2,2010-12-01 08:26,2.55,5", f"C71,{retailer.sku},-1,2010-12-02 08:26,2.55,5")
    done = importer.run("orders", path, *options, "--dry-run", expect=OK)
    assert (done["taken"], done["not reached"]) == (1, 1) and "1 lines of returned goods are not tried" in done.stderr
    assert importer.run("orders", path, *options, expect=OK).lines == (2, 0, 0)


def test_a_dry_run_creates_no_products(shop):
    done = shop.run("import", "orders", "--channel", "c", "--location", "l", "--create-products", "--dry-run", "x.csv", check=WRONG_USAGE)
    assert "--dry-run creates no products" in done.stderr
