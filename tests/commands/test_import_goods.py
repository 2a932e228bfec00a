"""holdfast import orders: a code that means postage or a discount elsewhere is goods where the catalogue has it."""

import pytest

from support.holdfast import Holdfast
from support.importing import OK, SOME_REFUSED, Importer
from support.retailer import Retailer

INVOICES = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
CODES = ["M", "POST", "S", "B", "D", "C2", "DOT", "PADS", "gift_card_holder"]


@pytest.fixture(scope="module")
def shop(new_database, work_directory):
    """An instance by itself: other tests count on a catalogue without these codes."""
    instance = Holdfast(new_database(), work_directory, "goods").start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def shelf(shop):
    retailer = Retailer(shop.client()).create()
    for code in CODES:
        retailer.create_product(code)
        retailer.stock({(retailer.store, code): 5})
    return retailer


def take(shop, shelf, tmp_path, *lines, options=(), expect=OK):
    importer = Importer(shop, tmp_path)
    path = importer.write("orders.csv", INVOICES, *(f"{number},{sku},X,{units},{date},2.55,7,France"
                                                    for number, sku, units, date in lines))
    return importer.run("orders", path, "--channel", shelf.channel, "--location", shelf.store, "--currency", "GBP", *options,
                        expect=expect)


def order_of(shelf, external_ref):
    found = shelf.api.get("/v1/orders", params={"channel": shelf.channel, "external_ref": external_ref}, expect=200).json()["data"]
    return shelf.api.get(f"/v1/orders/{found[0]['id']}", expect=200).json()


@pytest.mark.parametrize("number, options", [("1", ()), ("2", ("--open",))])
def test_what_is_in_the_catalogue_is_goods(shop, shelf, tmp_path, number, options):
    outcome = take(shop, shelf, tmp_path, *((number, code, 1, "2010-12-01 08:26") for code in [*CODES, "CRUK", "m"]),
                   options=options, expect=SOME_REFUSED)
    assert outcome.lines == (len(CODES), 0, 2) and outcome["not goods"] == 2
    assert "a donation" in outcome.refusals[len(CODES) + 2] and "a manual entry" in outcome.refusals[len(CODES) + 3]
    assert [line["sku"] for line in order_of(shelf, number)["lines"]] == CODES


def test_goods_of_the_catalogue_come_back_too(shop, shelf, tmp_path):
    take(shop, shelf, tmp_path, ("3", "M", 2, "2010-12-01 08:26"), ("C4", "M", -1, "2010-12-02 08:26"))
    assert [line["returned"] for line in order_of(shelf, "3")["lines"]] == [1]
    shop.assert_audit_clean()
