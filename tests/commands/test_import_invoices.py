"""The real invoices of a retailer: taken and refused lines, compared with the file itself."""

import csv
import re
from collections import Counter, defaultdict
from datetime import datetime

import pytest

from support.importing import SOME_REFUSED, Importer, real_invoices

NO_GOODS = {"POST", "D", "M", "DOT", "C2", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS"}
DAY = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d:\d\d)")


class Expected:
    """The figures of the file, by nothing but the file."""

    def __init__(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.read = len(rows)
        self.not_goods = {n for n, row in enumerate(rows, start=2) if self.no_goods(row)}
        self.returns = {n: row for n, row in enumerate(rows, start=2)
                        if row["InvoiceNo"].startswith("C") and n not in self.not_goods}
        self.write_offs = {n for n, row in enumerate(rows, start=2)
                           if int(row["Quantity"]) < 0 and n not in self.not_goods and n not in self.returns}
        self.refused = self.write_offs | self.not_goods
        self.orders = defaultdict(list)
        for n, row in enumerate(rows, start=2):
            if n not in self.refused and n not in self.returns:
                self.orders[row["InvoiceNo"]].append(row)
        self.bought = sum(map(len, self.orders.values()))
        self.match()
        self.skus = {row["StockCode"] for lines in self.orders.values() for row in lines}

    def match(self):
        """Which units come back from which invoice: {(C invoice, invoice, sku): units}; lines that match none, or in part."""
        purchases = defaultdict(list)
        for rows in self.orders.values():
            for row in rows:
                if row["CustomerID"]:
                    purchases[row["CustomerID"], row["StockCode"]].append(
                        {"time": self.time(row), "price": row["UnitPrice"], "left": int(row["Quantity"]), "row": row})
        self.back, self.unmatched, self.partly = Counter(), set(), set()
        for n, row in sorted(self.returns.items(), key=lambda item: (self.time(item[1]), item[0])):
            left = wanted = -int(row["Quantity"])
            for purchase in sorted(purchases[row["CustomerID"], row["StockCode"]], reverse=True,
                                   key=lambda one: (one["price"] == row["UnitPrice"], one["time"])):
                units = min(left, purchase["left"]) if purchase["time"] < self.time(row) else 0
                if units:
                    purchase["left"] -= units
                    left -= units
                    self.back[row["InvoiceNo"], purchase["row"]["InvoiceNo"], row["StockCode"]] += units
            if left:
                (self.unmatched if left == wanted else self.partly).add(n)

    @staticmethod
    def time(row):
        return datetime.strptime(row["InvoiceDate"], "%d/%m/%Y %H:%M")

    @staticmethod
    def no_goods(row):
        return row["StockCode"].upper() in NO_GOODS

    @staticmethod
    def pence(row):
        pounds, _, rest = row["UnitPrice"].partition(".")
        return int(pounds) * 100 + int((rest + "00")[:2])

    def total(self, invoice):
        return sum(int(row["Quantity"]) * self.pence(row) for row in self.orders[invoice])


_BACK = """
    select l.reason as back, o.external_ref, l.sku, sum(l.quantity)::bigint as units
      from return_lines l join orders o on o.id = l.order_id
     where o.channel = %s
     group by 1, 2, 3"""


@pytest.fixture(scope="module")
def path():
    found = real_invoices()
    if not found:
        pytest.skip("the real invoices are not here; HOLDFAST_TEST_INVOICES names the file")
    return found


@pytest.fixture(scope="module")
def expected(path):
    return Expected(path)


@pytest.fixture
def importer(service, tmp_path):
    return Importer(service, tmp_path)


def import_all(importer, retailer, path, location, *options):
    return importer.run("orders", path, "--channel", retailer.channel, "--location", location,
                        "--currency", "GBP", "--dates", "dmy", *options,
                        expect=SOME_REFUSED)


def test_the_whole_file_is_taken_and_every_other_line_named(importer, retailer, api, database, service, path, expected):
    location = f"london-{retailer.tag}"
    retailer.create_location(location, time_zone="Europe/London", country="GB")

    outcome = import_all(importer, retailer, path, location, "--create-products")

    assert outcome["lines read"] == expected.read
    came_back = len(expected.returns) - len(expected.unmatched)
    assert outcome.lines == (expected.bought + came_back, 0, len(expected.refused))
    assert (outcome["write-offs"], outcome["not goods"]) == (len(expected.write_offs), len(expected.not_goods))
    assert (outcome["unmatched"], outcome["partly matched"]) == (len(expected.unmatched), len(expected.partly))
    assert outcome["orders made"] == len(expected.orders)
    assert outcome["returns made"] == len({(back, order) for back, order, _ in expected.back})
    assert set(outcome.refusals) == expected.refused | expected.unmatched | expected.partly
    assert {line for line, reason in outcome.refusals.items()
            if "has bought no" in reason or "without a customer" in reason} == expected.unmatched
    assert {(row["back"], row["external_ref"], row["sku"]): row["units"]
            for row in database.rows(_BACK, retailer.channel)} == expected.back
    refunded = database.value("select sum(refunded)::bigint from orders where channel = %s", retailer.channel)
    assert refunded == database.value("select sum(l.refund)::bigint from return_lines l join orders o on o.id = l.order_id"
                                      " where channel = %s", retailer.channel) > 0

    stored = {row["external_ref"]: row for row in database.rows(
        "select external_ref, status, payment_status, total, placed_at::text, count(l.line) as lines"
        " from orders o join order_lines l on l.order_id = o.id where channel = %s group by o.id", retailer.channel)}
    assert set(stored) == set(expected.orders)
    for invoice, rows in expected.orders.items():
        order = stored[invoice]
        day, month, year, time = DAY.fullmatch(rows[0]["InvoiceDate"]).groups()
        assert (order["lines"], order["total"]) == (len(rows), expected.total(invoice)), invoice
        assert order["placed_at"].startswith(f"{year}-{month}-{day} {time}:00+00"), invoice  # London, in December
        came = any(order_of == invoice for _, order_of, _ in expected.back)
        assert order["status"] == "fulfilled" and (order["payment_status"] != "captured") == came
    assert database.count("stock", "location = %s", location) == 0
    assert expected.skus == {row["sku"] for row in database.rows(
        "select distinct sku from order_lines l join orders o on o.id = l.order_id where channel = %s", retailer.channel)}

    again = import_all(importer, retailer, path, location, "--create-products")

    assert again.lines == (0, expected.bought + came_back, len(expected.refused))
    assert again["unmatched"] == len(expected.unmatched)
    assert again["orders made"] == again["products made"] == again["returns made"] == 0
    service.assert_audit_clean()


def test_as_open_orders_the_same_lines_hold_stock(importer, retailer, database, service, path, expected):
    import_all(importer, retailer, path, retailer.store, "--create-products")  # for the products
    wanted = Counter()
    for lines in expected.orders.values():
        for row in lines:
            wanted[row["StockCode"]] += int(row["Quantity"])
    stock = importer.write("stock.csv", "location,sku,on_hand", *(f"{retailer.other_store},{sku},{units}"
                                                                  for sku, units in wanted.items()))
    importer.run("stock", stock, expect=0)
    retailer.api.put(f"/v1/channels/open-{retailer.tag}", {"name": "Open", "kind": "web"}, expect=201)
    retailer.channel = f"open-{retailer.tag}"

    outcome = import_all(importer, retailer, path, retailer.other_store, "--open")

    assert outcome.lines == (expected.bought, 0, len(expected.refused) + len(expected.returns))
    assert outcome["returns"] == len(expected.returns)
    assert outcome["orders made"] == len(expected.orders)
    left = database.value("select sum(on_hand - reserved)::bigint from stock where location = %s and sku = any(%s)",
                          retailer.other_store, list(wanted))
    assert left == 0
    service.assert_audit_clean()
