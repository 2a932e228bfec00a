"""Goods that came back, from a file of invoices: set against the purchases of their customer in it."""

import signal
import subprocess

import pytest

from support.importing import OK, SOME_REFUSED, Importer
from support.waiting import eventually

ORDERS = ("--currency", "GBP", "--dates", "dmy")  # of the files below
INVOICES = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


@pytest.fixture
def importer(service, tmp_path):
    return Importer(service, tmp_path)


@pytest.fixture(autouse=True)
def books(service):
    yield
    service.assert_audit_clean()


@pytest.fixture
def take(importer, retailer):
    def take(*lines, expect=OK, name="orders.csv"):
        path = importer.write(name, INVOICES, *lines)
        return importer.run("orders", path, "--channel", retailer.channel, "--location", retailer.store, *ORDERS, expect=expect)
    return take


def invoice(number, sku, units, time="01/12/2010 08:26", price="2.50", customer="17850"):
    return f"{number},{sku},X,{units},{time},{price},{customer},France"


def order_of(api, retailer, external_ref):
    found = api.get("/v1/orders", params={"channel": retailer.channel, "external_ref": external_ref}, expect=200).json()
    return api.get(f"/v1/orders/{found['data'][0]['id']}", expect=200).json()


def returned(api, retailer, external_ref):
    return [line["returned"] for line in order_of(api, retailer, external_ref)["lines"]]


def test_goods_come_back_to_the_purchase_they_are_of(take, api, retailer):
    before = retailer.figures()
    outcome = take(invoice("1", retailer.sku, 6), invoice("C2", retailer.sku, -2, "05/12/2010 09:00"))

    assert outcome.lines == (2, 0, 0) and (outcome["orders made"], outcome["returns made"]) == (1, 1)
    order = order_of(api, retailer, "1")
    assert [line["returned"] for line in order["lines"]] == [2]
    assert (order["status"], order["payment_status"]) == ("fulfilled", "partially_refunded")
    assert (order["totals"]["refunded"]["amount"], order["totals"]["refund_due"]["amount"]) == (500, 0)
    made, = api.get(f"/v1/returns?order_id={order['id']}", expect=200).json()["data"]
    made = api.get(f"/v1/returns/{made['id']}", expect=200).json()
    assert (made["status"], made["location"]) == ("received", retailer.store)
    line, = made["lines"]
    assert (line["quantity"], line["reception"], line["disposition"], line["bucket"]) == (2, "received", "restock", "gone")
    told = api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"]
    assert {(event["type"], event["occurred_at"]) for event in told if "re" in event["type"][:2]} == {
        ("return.received", "2010-12-05T08:00:00.000Z"), ("refund.settled", "2010-12-05T08:00:00.000Z")}
    assert "refund.requested" not in {event["type"] for event in told}
    assert retailer.figures() == before


def test_the_same_price_then_the_newest_purchase_comes_back(take, api, retailer):
    take(invoice("1", retailer.sku, 5, "01/12/2010 08:00"), invoice("2", retailer.sku, 5, "02/12/2010 08:00"),
         invoice("3", retailer.sku, 5, "03/12/2010 08:00", price="2.00"), invoice("4", retailer.sku, 5, "09/12/2010 08:00"),
         invoice("C5", retailer.sku, -7, "05/12/2010 08:00"), invoice("C6", retailer.sku, -4, "06/12/2010 08:00"))

    assert [returned(api, retailer, number) for number in "1234"] == [[5], [5], [1], [0]]


def test_lines_that_say_the_same_come_back_one_after_the_other(take, api, retailer):
    outcome = take(*[invoice("1", retailer.sku, 3)] * 2, invoice("C2", retailer.sku, -5, "02/12/2010 08:00"))

    assert outcome.lines == (3, 0, 0) and outcome["returns made"] == 1
    assert sorted(returned(api, retailer, "1")) == [2, 3]


def test_a_return_without_a_purchase_is_named_and_is_no_failure(take, retailer):
    outcome = take(invoice("1", retailer.skus[0], 2), invoice("C2", retailer.skus[1], -1, "02/12/2010 08:00"),
                   invoice("C3", retailer.skus[0], -1, "02/12/2010 08:00", customer="1"),
                   invoice("C4", retailer.skus[0], -1, "02/12/2010 08:00", customer=""),
                   invoice("C5", retailer.skus[0], -1, "01/12/2010 08:00"))

    assert outcome.lines == (1, 0, 0) and outcome["unmatched"] == 4 and outcome["returns made"] == 0
    assert set(outcome.refusals) == {3, 4, 5, 6}
    assert "customer 17850 has bought no" in outcome.refusals[3] and "without a customer" in outcome.refusals[5]


def test_never_more_comes_back_than_was_bought(take, api, retailer):
    outcome = take(invoice("1", retailer.sku, 3), invoice("C2", retailer.sku, -2, "02/12/2010 08:00"),
                   invoice("C3", retailer.sku, -2, "03/12/2010 08:00"), invoice("C4", retailer.sku, -1, "04/12/2010 08:00"))

    assert outcome.lines == (3, 0, 0) and (outcome["partly matched"], outcome["unmatched"]) == (1, 1)
    assert "of 2 units that come back 1 match" in outcome.refusals[4]
    assert returned(api, retailer, "1") == [3]
    assert order_of(api, retailer, "1")["payment_status"] == "refunded"


def test_importing_again_doubles_nothing(take, api, retailer, database):
    lines = [invoice("1", retailer.sku, 6), invoice("2", retailer.sku, 2, "02/12/2010 08:00"),
             invoice("C3", retailer.sku, -5, "03/12/2010 08:00"), invoice("C3", retailer.skus[1], -5, "03/12/2010 08:00")]
    assert take(*lines)["returns made"] == 2
    before = database.rows("select * from orders where channel = %s order by id", retailer.channel)

    again = take(*lines)

    assert again.lines == (0, 3, 0) and (again["returns made"], again["unmatched"]) == (0, 1)
    assert database.rows("select * from orders where channel = %s order by id", retailer.channel) == before


def test_units_returned_at_a_till_meanwhile_do_not_come_back_twice(take, api, retailer):
    take(invoice("1", retailer.sku, 2))
    order = order_of(api, retailer, "1")
    api.post("/v1/returns", {"order_id": order["id"], "location": retailer.store, "lines": [
        {"order_line_id": order["lines"][0]["id"], "quantity": 1, "reason": "too small", "condition": "sellable"}]}, expect=201)

    outcome = take(invoice("1", retailer.sku, 2), invoice("C2", retailer.sku, -2, "02/12/2010 08:00"), expect=SOME_REFUSED)

    assert outcome.lines == (0, 1, 1) and "over-return" in outcome.refusals[3]
    assert returned(api, retailer, "1") == [1]


def test_a_killed_import_of_returns_is_finished_by_running_it_again(importer, retailer, database, service):
    lines = [invoice(f"{n}", retailer.sku, 2, customer=f"{n}") for n in range(3000)]
    lines += [invoice(f"C{n}", retailer.sku, -1, "02/12/2010 08:00", customer=f"{n}") for n in range(3000)]
    path = importer.write("orders.csv", INVOICES, *lines)
    command = importer.command("orders", path, "--channel", retailer.channel, "--location", retailer.store, *ORDERS)
    process = subprocess.Popen(command, env=service.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def made():
        return database.value("select count(*) from returns r join orders o on o.id = r.order_id where o.channel = %s",
                              retailer.channel)
    eventually(made, what="the first return")
    process.send_signal(signal.SIGKILL)
    process.wait()

    outcome = importer.run("orders", path, "--channel", retailer.channel, "--location", retailer.store, *ORDERS, expect=OK)

    assert made() == 3000 and outcome["taken"] + outcome["unchanged"] == 6000
    assert database.value("select sum(returned)::bigint from order_lines l join orders o on o.id = l.order_id"
                          " where channel = %s", retailer.channel) == 3000
