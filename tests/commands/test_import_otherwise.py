"""holdfast import takes nothing for granted: neither the order of dates, nor a currency, nor that an existing order is the same."""

import pytest

from support.importing import BAD_CONFIG, OK, SOME_REFUSED, WRONG_USAGE, Importer

INVOICES = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
GBP = ("--currency", "GBP")


@pytest.fixture
def importer(service, tmp_path):
    return Importer(service, tmp_path)


@pytest.fixture
def take(importer, retailer):
    def take(*lines, options=GBP, header=INVOICES, location=None, expect=OK, **variables):
        path = importer.write("orders.csv", header, *lines)
        return importer.run("orders", path, "--channel", retailer.channel, "--location", location or retailer.store,
                            *options, expect=expect, **variables)
    return take


def line(sku, number="1", quantity=1, date="2010-12-01 08:26", price="2.55", customer="7", country="France", title="X"):
    return f"{number},{sku},{title},{quantity},{date},{price},{customer},{country}"


def order_of(api, retailer, external_ref):
    found = api.get("/v1/orders", params={"channel": retailer.channel, "external_ref": external_ref}, expect=200).json()["data"]
    return api.get(f"/v1/orders/{found[0]['id']}", expect=200).json() if found else None


# dates

def placed(api, retailer, *numbers):
    return [order_of(api, retailer, number)["placed_at"] for number in numbers]


def test_a_day_above_twelve_somewhere_proves_the_order_of_all_dates(take, retailer, api):
    sku = retailer.sku
    take(line(sku, "1", date="12/1/2010 8:26"), line(sku, "2", date="12/13/2010 9:32"))
    take(line(sku, "3", date="12/1/2010 8:26"), line(sku, "4", date="13/12/2010 9:32"))
    assert placed(api, retailer, "1", "2", "3", "4") == [
        "2010-12-01T07:26:00.000Z", "2010-12-13T08:32:00.000Z", "2010-01-12T07:26:00.000Z", "2010-12-13T08:32:00.000Z"]


def test_the_proof_may_stand_in_a_line_that_is_refused(take, retailer, api):
    outcome = take(line(retailer.sku, "1", date="12/1/2010 8:26"), line("POST", "2", date="12/31/2010 9:32"), expect=SOME_REFUSED)
    assert outcome.lines == (1, 0, 1) and placed(api, retailer, "1") == ["2010-12-01T07:26:00.000Z"]


def test_dates_that_could_be_read_both_ways_are_asked_about_and_nothing_is_taken(take, retailer, api):
    outcome = take(line(retailer.sku, "1", date="12/1/2010 8:26"), line(retailer.sku, "2", date="12/12/2010 9:32"),
                   expect=WRONG_USAGE)
    assert 'line 2 has "12/1/2010 8:26"' in outcome.stderr and "--dates dmy" in outcome.stderr
    assert outcome["taken"] == 0 and order_of(api, retailer, "1") is None and order_of(api, retailer, "2") is None
    take(line(retailer.sku, "1", date="12/1/2010 8:26"), options=(*GBP, "--dates", "mdy"))
    take(line(retailer.sku, "2", date="12/1/2010 8:26"), options=(*GBP, "--dates", "dmy"))
    assert placed(api, retailer, "1", "2") == ["2010-12-01T07:26:00.000Z", "2010-01-12T07:26:00.000Z"]


def test_dates_that_contradict_each_other_or_the_option_are_refused_together(take, retailer, api):
    lines = line(retailer.sku, "1", date="13/12/2010 8:26"), line(retailer.sku, "2", date="12/13/2010 8:26")
    for told in ((), ("--dates", "dmy"), ("--dates", "mdy")):
        outcome = take(*lines, options=(*GBP, *told), expect=WRONG_USAGE)
        assert 'line 2 has "13/12/2010 8:26"' in outcome.stderr and 'line 3 has "12/13/2010 8:26"' in outcome.stderr
        assert "--dates" not in outcome.stderr and outcome["taken"] == 0
    assert order_of(api, retailer, "1") is None and order_of(api, retailer, "2") is None
    assert "line 2 has" in take(lines[1], options=(*GBP, "--dates", "dmy"), expect=WRONG_USAGE).stderr
    assert "line 2 has" in take(lines[0], options=(*GBP, "--dates", "iso"), expect=WRONG_USAGE).stderr
    mixed = line(retailer.sku, "3", date="2010-12-01 8:26"), line(retailer.sku, "4", date="2010-12-01T08:26:00Z")
    assert "offset" in take(*mixed, expect=WRONG_USAGE).stderr


def test_iso_dates_with_seconds_and_offsets_are_always_read(take, retailer, api):
    take(line(retailer.sku, "1", date="2010-12-01T08:26:07"), line(retailer.sku, "2", date="2010-06-01 08:26"))
    take(line(retailer.sku, "3", date="2010-12-01T08:26:07Z"), line(retailer.sku, "4", date="2010-12-01 00:26:00+02:00"))
    assert placed(api, retailer, "1", "2", "3", "4") == [
        "2010-12-01T07:26:07.000Z", "2010-06-01T06:26:00.000Z", "2010-12-01T08:26:07.000Z", "2010-11-30T22:26:00.000Z"]


def test_goods_come_back_by_the_second_and_with_offsets(take, retailer, api):
    take(line(retailer.sku, "1", 2, date="2010-12-01T08:26:07Z"), line(retailer.sku, "C2", -1, date="2010-12-01T10:26:08+02:00"))
    assert [one["returned"] for one in order_of(api, retailer, "1")["lines"]] == [1]


# currency

def test_no_currency_is_assumed(take, importer, retailer, api):
    outcome = take(line(retailer.sku), options=(), expect=WRONG_USAGE)
    for way in ("column currency", "--currency", "HOLDFAST_CURRENCY"):
        assert way in outcome.stderr
    assert outcome.stdout == "" and order_of(api, retailer, "1") is None
    path = importer.write("products.csv", "sku,title,price", *(f"p-{retailer.tag}-{n},T,1" for n in range(5)))
    outcome = importer.run("products", path, expect=WRONG_USAGE)
    assert len(outcome.stderr.splitlines()) == 1 and "HOLDFAST_CURRENCY" in outcome.stderr
    api.get(f"/v1/products/p-{retailer.tag}-0", expect=404)


def test_the_column_goes_before_the_option_and_the_option_before_the_setting(take, importer, retailer, api):
    header = INVOICES + ",currency"
    take(line(retailer.sku, "1") + ",JPY", line(retailer.sku, "2") + ",", header=header, HOLDFAST_CURRENCY="EUR")
    take(line(retailer.sku, "3"), options=(), HOLDFAST_CURRENCY="EUR")
    assert [order_of(api, retailer, number)["totals"]["total"]["currency"] for number in "123"] == ["JPY", "GBP", "EUR"]
    path = importer.write("products.csv", "sku,title,price,currency", f"c-{retailer.tag}-1,T,1,JPY", f"c-{retailer.tag}-2,T,1,")
    importer.run("products", path, "--currency", "GBP", expect=OK, HOLDFAST_CURRENCY="EUR")
    assert [api.get(f"/v1/products/c-{retailer.tag}-{n}", expect=200).json()["price"]["currency"] for n in (1, 2)] == ["JPY", "GBP"]


def test_lines_without_a_currency_are_named_once_and_counted(importer, take, retailer):
    path = importer.write("products.csv", "sku,title,price,currency", f"n-{retailer.tag}-0,T,1,EUR",
                          *(f"n-{retailer.tag}-{n},T,1," for n in range(1, 6)), f"n-{retailer.tag}-7,T,,")
    outcome = importer.run("products", path, expect=SOME_REFUSED)
    assert (outcome["taken"], outcome["refused"], outcome["no currency"]) == (2, 5, 5)
    assert list(outcome.refusals) == [3] and "--currency" in outcome.refusals[3]
    assert outcome.refusals[3].startswith("price: ") and f"(n-{retailer.tag}-1)" in outcome.refusals[3]
    outcome = take(*(line(retailer.sku, str(n)) + "," for n in range(5)), header=INVOICES + ",currency", options=(),
                   expect=SOME_REFUSED)
    assert (outcome["refused"], outcome["no currency"], len(outcome.refusals)) == (5, 5, 1)
    assert outcome.refusals[2].startswith("UnitPrice: ") and f"(0: 1 of {retailer.sku})" in outcome.refusals[2]


def test_an_order_has_one_currency(take, retailer, api):
    outcome = take(line(retailer.sku, price="1.00") + ",GBP", line(retailer.sku, price="2.00") + ",EUR",
                   header=INVOICES + ",currency", expect=SOME_REFUSED)
    assert outcome.lines == (1, 0, 1) and "currency" in outcome.refusals[3]
    assert order_of(api, retailer, "1")["totals"]["total"] | {"amount": 100, "currency": "GBP"} == \
        order_of(api, retailer, "1")["totals"]["total"]


@pytest.mark.parametrize("currency, word", [("eur", "capitals: EUR"), ("XXX", "ISO 4217")])
def test_an_unknown_currency_is_refused_with_the_right_spelling(importer, take, retailer, currency, word):
    told = take(line(retailer.sku), options=("--currency", currency), expect=WRONG_USAGE).stderr
    assert word in told and f'--currency "{currency}": ' in told
    assert word in take(line(retailer.sku), options=(), expect=BAD_CONFIG, HOLDFAST_CURRENCY=currency).stderr
    assert word in take(line(retailer.sku) + f",{currency}", header=INVOICES + ",currency", expect=SOME_REFUSED).refusals[2]
    path = importer.write("products.csv", "sku,title,price,currency", f"{retailer.sku},T,1,{currency}")
    assert word in importer.run("products", path, expect=SOME_REFUSED).refusals[2]


# orders that are there already, otherwise

def changed(sku, **members):
    return [line(sku, **members), line(sku, **{**members, "quantity": 2})]


@pytest.mark.parametrize("what, members", [
    ("InvoiceDate", {"date": "2010-12-02 08:26"}), ("InvoiceDate", {"date": "2010-12-01 08:27"}), ("CustomerID", {"customer": "8"}),
    ("CustomerID", {"customer": ""}), ("Country", {"country": "Spain"}), ("Country", {"country": ""})])
def test_an_order_that_is_there_otherwise_is_refused_and_stays(take, retailer, api, what, members):
    take(*changed(retailer.sku))
    before = order_of(api, retailer, "1")
    outcome = take(*changed(retailer.sku, **members), expect=SOME_REFUSED)
    assert outcome.lines == (0, 0, 2)
    for refusal in outcome.refusals.values():
        assert f"order 1 is there already, otherwise: {what}" in refusal
    assert order_of(api, retailer, "1") == before
    assert take(*changed(retailer.sku)).lines == (0, 2, 0)


def test_an_order_in_another_currency_is_there_otherwise(take, retailer, api):
    take(line(retailer.sku))
    outcome = take(line(retailer.sku), options=("--currency", "EUR"), expect=SOME_REFUSED)
    assert outcome.lines == (0, 0, 1) and "there already, otherwise: currency" in outcome.refusals[2]
    assert order_of(api, retailer, "1")["totals"]["total"]["currency"] == "GBP"


def test_an_order_of_another_location_is_there_otherwise(take, retailer):
    take(line(retailer.sku))
    outcome = take(line(retailer.sku), location=retailer.other_store, expect=SOME_REFUSED)
    assert "otherwise" in outcome.refusals[2] and "location" in outcome.refusals[2]


def test_lines_that_differ_are_there_otherwise(take, retailer):
    take(line(retailer.sku), line(retailer.skus[1], quantity=4))
    for other in (line(retailer.skus[1], quantity=5), line(retailer.skus[1], quantity=4, price="2.56"),
                  line(retailer.skus[1], quantity=4, title="Y"), line(retailer.skus[2], quantity=4)):
        outcome = take(line(retailer.sku), other, expect=SOME_REFUSED)
        assert outcome.lines == (0, 0, 2) and "otherwise: without this line" in outcome.refusals[3]
        assert "otherwise: lines" in outcome.refusals[2]
    outcome = take(line(retailer.sku), expect=SOME_REFUSED)
    assert outcome.lines == (0, 0, 1) and "otherwise: lines" in outcome.refusals[2]


def test_a_return_that_is_there_otherwise_is_refused(take, retailer, api):
    bought = line(retailer.sku, "1", 3)
    take(bought, line(retailer.sku, "C2", -1, date="2010-12-05 08:26"))
    outcome = take(bought, line(retailer.sku, "C2", -1, date="2010-12-06 08:26"), expect=SOME_REFUSED)
    assert outcome.lines == (0, 1, 1) and "there already, otherwise: InvoiceDate" in outcome.refusals[3]
    outcome = take(bought, line(retailer.sku, "C2", -2, date="2010-12-05 08:26"), expect=SOME_REFUSED)
    assert outcome.lines == (0, 1, 1) and "there already, otherwise" in outcome.refusals[3]
    assert [one["returned"] for one in order_of(api, retailer, "1")["lines"]] == [1]


def test_an_erased_customer_is_no_difference(take, retailer, service):
    take(line(retailer.sku, customer=f"erase-{retailer.tag}"))
    service.run("customer", "erase", "--customer-id", f"erase-{retailer.tag}", check=0)
    assert take(line(retailer.sku, customer=f"erase-{retailer.tag}")).lines == (0, 1, 0)


def test_open_orders_keep_neither_date_nor_country_and_are_compared_by_the_rest(take, retailer, service):
    open_options = (*GBP, "--open")
    take(line(retailer.sku), options=open_options)
    assert take(line(retailer.sku, date="2010-12-02 08:26", country="Spain"), options=open_options).lines == (0, 1, 0)
    for outcome in (take(line(retailer.sku, customer="8"), options=open_options, expect=SOME_REFUSED),
                    take(line(retailer.sku), options=("--currency", "EUR", "--open"), expect=SOME_REFUSED),
                    take(line(retailer.sku), expect=SOME_REFUSED)):
        assert outcome.lines == (0, 0, 1) and "there already, otherwise" in outcome.refusals[2]
    service.assert_audit_clean()


# goods

def test_a_number_may_begin_with_c_when_its_quantities_are_above_zero(take, retailer, api):
    take(line(retailer.sku, "C1001"), line(retailer.skus[1], "C1001", 2))
    assert [one["quantity"] for one in order_of(api, retailer, "C1001")["lines"]] == [1, 2]
    outcome = take(line(retailer.sku, "C1002"), line(retailer.sku, "C1002", -1), expect=SOME_REFUSED)
    assert "do not come back" in outcome.refusals[2] and order_of(api, retailer, "C1002") is None
