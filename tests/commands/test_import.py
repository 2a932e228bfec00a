"""holdfast import: each kind, its refusals and their report, and that running it again changes nothing."""

import os
import pty
import subprocess

import pytest

from support.importing import BAD_CONFIG, NO_DATABASE, OK, SOME_REFUSED, WRONG_USAGE, Importer
from support.ports import free_port
from support.waiting import eventually, together

PRODUCTS = "sku,title,gtin,price,currency,description,image_url"
LOCATIONS = "code,name,kind,latitude,longitude,time_zone,country,capabilities,lead_time,hold_for"
STOCK = "location,sku,on_hand"
ORDERS = ("--currency", "GBP", "--dates", "dmy")  # of the files below
INVOICES = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


@pytest.fixture
def importer(service, tmp_path):
    return Importer(service, tmp_path)


# products

def test_products_are_taken_as_the_api_would_take_them(importer, retailer, api):
    sku = f"imported-{retailer.tag}"
    path = importer.write("products.csv", PRODUCTS,
                          f'{sku},"Tea, ""green""",4006381333931,12.9,EUR,"two\nlines",https://img.example/tea.png',
                          f"{sku}-yen,Yen,,1200,JPY,,")

    assert importer.run("products", path, expect=OK).lines == (2, 0, 0)

    product = api.get(f"/v1/products/{sku}", expect=200).json()
    assert product["title"] == 'Tea, "green"' and product["description"] == "two\nlines"
    assert product["gtin"] == "04006381333931" and product["image_url"] == "https://img.example/tea.png"
    assert (product["price"]["amount"], product["price"]["currency"]) == (1290, "EUR")
    assert api.get(f"/v1/products/{sku}-yen", expect=200).json()["price"]["amount"] == 1200


def test_importing_products_again_changes_nothing(importer, retailer, api):
    path = importer.write("products.csv", PRODUCTS, f"{retailer.sku},Tea,4006381333931,12.90,EUR,,")
    importer.run("products", path, expect=OK)
    before = api.get(f"/v1/products/{retailer.sku}", expect=200).json()

    assert importer.run("products", path, expect=OK).lines == (0, 1, 0)
    assert api.get(f"/v1/products/{retailer.sku}", expect=200).json() == before


def test_members_without_a_column_stay_unchanged(importer, retailer, api):
    api.put(f"/v1/products/{retailer.sku}", {"title": "Old", "attributes": {"colour": "red"}, "returnable": False,
                                             "description": "stays", "return_policy": {"window_days": 60}}, expect=200)
    path = importer.write("products.csv", "price,currency,title,sku", f"1,EUR,New,{retailer.sku}")

    importer.run("products", path, expect=OK)

    product = api.get(f"/v1/products/{retailer.sku}", expect=200).json()
    assert (product["title"], product["description"], product["returnable"]) == ("New", "stays", False)
    assert product["attributes"] == {"colour": "red"}
    assert product["return_policy"]["window_days"] == 60


def test_an_empty_cell_removes_the_value(importer, retailer, api):
    path = importer.write("products.csv", PRODUCTS, f"{retailer.sku},Tea,,,,,")
    importer.run("products", path, expect=OK)
    assert api.get(f"/v1/products/{retailer.sku}", expect=200).json()["price"] is None


def test_products_that_cannot_be_taken_are_named_and_the_others_taken(importer, retailer, api):
    tag = retailer.tag
    path = importer.write("products.csv", PRODUCTS, f"{tag}-1,Good,,1,EUR,,", f"{tag}-2,Check digit,4006381333932,1,EUR,,",
                          f"{tag}-3,Decimals,,1.999,EUR,,", "no code!,Code,,1,EUR,,", f"{tag}-5,,,1,EUR,,",
                          f"{tag}-6,Currency,,1,XXX,,", f"{tag}-1,Again,,2,EUR,,", f"{tag}-8,Good,,1,EUR,,",
                          f"{tag}-9,Columns,,1,EUR")

    outcome = importer.run("products", path, expect=SOME_REFUSED)

    assert outcome.lines == (2, 0, 7)
    assert f"{path}:3: 422 validation-failed: gtin: " in outcome.stderr
    reasons = {3: "gtin", 4: "price", 5: "no code", 6: "title", 7: "currency", 8: "line 2", 10: "columns"}
    assert {line: word for line, word in reasons.items() if word in outcome.refusals[line]} == reasons
    assert api.get(f"/v1/products/{tag}-1", expect=200).json()["title"] == "Good"
    api.get(f"/v1/products/{tag}-8", expect=200)
    api.get(f"/v1/products/{tag}-2", expect=404)


def test_a_row_is_not_lost_to_a_refused_one_about_the_same_thing(importer, retailer, api):
    sku = f"twice-{retailer.tag}"
    path = importer.write("products.csv", PRODUCTS, f"{sku},Wrong,4006381333932,1,EUR,,", f"{sku},Right,,1,EUR,,")

    assert importer.run("products", path, expect=SOME_REFUSED).lines == (1, 0, 1)
    assert api.get(f"/v1/products/{sku}", expect=200).json()["title"] == "Right"


# locations

def test_locations_are_taken(importer, retailer, api):
    code = f"strand-{retailer.tag}"
    path = importer.write("locations.csv", LOCATIONS,
                          f"{code},Strand,store,51.51,-0.12,Europe/London,GB,pickup; ship,PT30M,P3D",
                          f"{code}-2,Depot,warehouse,,,Europe/London,GB,,,")

    assert importer.run("locations", path, expect=OK).lines == (2, 0, 0)
    assert importer.run("locations", path, expect=OK).lines == (0, 2, 0)

    location = api.get(f"/v1/locations/{code}", expect=200).json()
    assert (location["latitude"], location["longitude"], location["time_zone"]) == (51.51, -0.12, "Europe/London")
    assert sorted(location["capabilities"]) == ["pickup", "ship"]
    assert location["pickup"] == {"lead_time": "PT30M", "hold_for": "P3D", "handover_methods": ["code", "id_check"]}
    assert api.get(f"/v1/locations/{code}-2", expect=200).json()["capabilities"] == []


def test_importing_a_location_keeps_its_opening_hours(importer, retailer, api):
    before = api.get(f"/v1/locations/{retailer.store}", expect=200).json()
    assert before["opening_hours"]
    path = importer.write("locations.csv", "code,name,kind,time_zone,country,lead_time",
                          f"{retailer.store},Renamed,store,Europe/Berlin,DE,PT3H")

    importer.run("locations", path, expect=OK)

    after = api.get(f"/v1/locations/{retailer.store}", expect=200).json()
    assert after["name"] == "Renamed" and after["pickup"] == {**before["pickup"], "lead_time": "PT3H"}
    for member in ("opening_hours", "closures", "capabilities", "latitude", "longitude"):
        assert after[member] == before[member]


def test_locations_are_taken_with_their_hours_closures_and_slots(importer, retailer, api):
    code = f"strand-{retailer.tag}"
    header = f"{LOCATIONS},opening_hours,closures,slots"
    row = f"{code},Strand,store,51.51,-0.12,Europe/London,GB,pickup,PT30M,P3D"
    path = importer.write("hours.csv", header, f"{row},mon-tue 09:00-18:00; sat 10:00-14:00;,2026-12-25; 2026-12-24 09:00-13:00,"
                                               "sat 10:00-12:00 x 8")

    done = importer.run("locations", path, expect=OK)
    assert done.lines == (1, 0, 0) and not done.refusals
    assert importer.run("locations", path, expect=OK).lines == (0, 1, 0)

    location = api.get(f"/v1/locations/{code}", expect=200).json()
    assert location["opening_hours"] == [{"day": "mon", "opens": "09:00", "closes": "18:00"},
                                         {"day": "tue", "opens": "09:00", "closes": "18:00"},
                                         {"day": "sat", "opens": "10:00", "closes": "14:00"}]
    assert [closure["date"] for closure in location["closures"]] == ["2026-12-24", "2026-12-25"]
    assert location["pickup"]["slots"] == [{"day": "sat", "from": "10:00", "to": "12:00", "capacity": 8}]

    importer.run("locations", importer.write("hours.csv", header, f"{row},,,"), expect=OK)
    bare = api.get(f"/v1/locations/{code}", expect=200).json()
    assert (bare["opening_hours"], bare["closures"], "slots" in bare["pickup"]) == ([], [], False)


@pytest.mark.parametrize("cells, told", [
    ("monday 09:00-18:00,,", 'opening_hours: "monday 09:00-18:00" is not written like mon-fri 09:00-18:00'),
    ("mon 09:00 - 18:00,,", "opening_hours: "), ("fri-mon 09:00-18:00,,", "opening_hours: "), ("mon 9-18,,", "opening_hours/0/opens: A time of day looks like 09:30"),
    ("mon 09:00-18:00 and later,,", "opening_hours: "), (",25.12.2026,", "closures: "), (",2026-12-25 closed,", "closures: "),
    (",,sat 10:00-12:00", "slots: "), (",,sat 10:00-12:00 x many", "slots: "),
    ("mon 09:00-12:00; mon 11:00-18:00,,", "opening_hours/1: This overlaps with an earlier opening."),
    ("mon 09:00-25:00,,", "opening_hours/0/closes: "), (",2026-02-30,", "closures/0/date: "), (",,sat 10:00-12:00 x 0", "slots/0/capacity: "),
])
def test_hours_that_cannot_be_read_are_refused_with_an_example(importer, retailer, cells, told):
    path = importer.write("hours.csv", f"{LOCATIONS},opening_hours,closures,slots",
                          f"strand-{retailer.tag},Strand,store,51.51,-0.12,Europe/London,GB,pickup,PT30M,P3D,{cells}")
    assert told in importer.run("locations", path, expect=SOME_REFUSED).refusals[2]


def test_locations_that_offer_pickup_without_hours_are_named(importer, retailer):
    path = importer.write("locations.csv", LOCATIONS,
                          f"strand-{retailer.tag},Strand,store,51.51,-0.12,Europe/London,GB,curbside,PT30M,P3D",
                          f"depot-{retailer.tag},Depot,warehouse,51.51,-0.12,Europe/London,GB,ship,PT30M,P3D")
    done = importer.run("locations", path, expect=OK)
    assert done.lines == (2, 0, 0)
    assert list(done.refusals) == [2] and "no opening_hours" in done.refusals[2]
    assert importer.run("locations", path, expect=OK).refusals.keys() == {2}, "as long as they have none"


def test_locations_that_cannot_be_taken_are_named_with_all_that_is_wrong(importer, retailer):
    path = importer.write("locations.csv", LOCATIONS, f"x-{retailer.tag},X,shop,91,east,Europe/Nowhere,GB,fly,soon,P7D")

    reason = importer.run("locations", path, expect=SOME_REFUSED).refusals[2]

    for column in ("kind", "latitude", "longitude", "capabilities", " lead_time"):
        assert f"{column}" in reason


# stock

def test_stock_is_set_through_the_ledger(importer, retailer, api, database):
    path = importer.write("stock.csv", STOCK, f"{retailer.store},{retailer.sku},25",
                          f"{retailer.other_store},{retailer.sku},0")

    assert importer.run("stock", path, expect=OK).lines == (2, 0, 0)

    assert retailer.figures()["on_hand"] == 25 and retailer.figures(location=retailer.other_store)["on_hand"] == 0
    movements = api.get(f"/v1/locations/{retailer.store}/inventory/{retailer.sku}/ledger", expect=200).json()["data"]
    assert (movements[0]["reason"], movements[0]["reference"], movements[0]["actor"]) == ("count", "import", "import")
    assert importer.run("stock", path, expect=OK).lines == (0, 2, 0)
    assert database.count("ledger", "location = %s and reference = 'import'", retailer.store) == 1


def test_stock_that_cannot_be_set_is_named_and_the_rest_is_set(importer, retailer, service):
    path = importer.write("stock.csv", STOCK, f"{retailer.store},nothing-{retailer.tag},1", f"nowhere,{retailer.sku},1",
                          f"{retailer.store},{retailer.sku},-1", f"{retailer.store},{retailer.skus[1]},99999999999",
                          f"{retailer.store},{retailer.sku},7", f"{retailer.store},{retailer.sku},8")

    outcome = importer.run("stock", path, expect=SOME_REFUSED)

    assert outcome.lines == (1, 0, 5)
    reasons = {2: "sku: There is no such product", 3: "location: There is no such location", 4: "on_hand", 5: "on_hand",
               7: "line 6"}
    assert {line: word for line, word in reasons.items() if word in outcome.refusals[line]} == reasons
    assert retailer.figures()["on_hand"] == 7
    service.assert_audit_clean()


def test_more_rows_than_one_call_takes_are_all_set(importer, retailer, database):
    tag = retailer.tag
    products = importer.write("products.csv", PRODUCTS, *(f"{tag}-{n},Product {n},,,,," for n in range(1201)))
    importer.run("products", products, expect=OK)
    path = importer.write("stock.csv", STOCK, *(f"{retailer.store},{tag}-{n},{n}" for n in range(1201)))

    assert importer.run("stock", path, expect=OK).lines == (1200, 1, 0)  # none of it there, and none said
    assert database.value("select sum(on_hand)::bigint from stock where location = %s and sku like %s", retailer.store,
                          f"{tag}-%") == 1200 * 1201 // 2


# orders

def orders(importer, retailer, path, *options, location=None, **keywords):
    return importer.run("orders", path, "--channel", retailer.channel, "--location", location or retailer.store,
                        *ORDERS, *options, **keywords)


def find_order(api, retailer, external_ref):
    found = api.get("/v1/orders", params={"channel": retailer.channel, "external_ref": external_ref}, expect=200).json()
    assert len(found["data"]) == 1, found
    return api.get(f"/v1/orders/{found['data'][0]['id']}", expect=200).json()


def test_an_invoice_becomes_an_order_of_the_past(importer, retailer, api, service):
    first, second, third = retailer.skus
    path = importer.write("orders.csv", INVOICES,
                          f"536365,{first},WHITE HEART,6,01/12/2010 08:26,2.55,17850,United Kingdom",
                          f"536365,{second},,2,01/12/2010 08:27,0,17850,United Kingdom",
                          f"536365,{first},WHITE HEART,6,01/12/2010 08:26,2.55,17850,United Kingdom",
                          f"536366,{third},GUEST,1,01/07/2010 8:05,1.125,,France")
    before = retailer.figures()

    outcome = orders(importer, retailer, path, expect=OK)

    assert outcome.lines == (4, 0, 0) and outcome["orders made"] == 2 and outcome["prices rounded"] == 1
    order = find_order(api, retailer, "536365")
    assert (order["status"], order["payment_status"], order["placed_at"]) == (
        "fulfilled", "captured", "2010-12-01T07:26:00.000Z")  # Berlin is an hour ahead
    assert [(line["sku"], line["title"], line["quantity"], line["unit_price"]["amount"], line["fulfilled"])
            for line in order["lines"]] == [
        (first, "WHITE HEART", 6, 255, 6), (second, "Product 2", 2, 0, 2), (first, "WHITE HEART", 6, 255, 6)]
    assert order["totals"]["total"] == {"amount": 3060, "currency": "GBP"} | order["totals"]["total"]
    assert order["customer"]["name"] == "Customer 17850" and order["customer"]["customer_id"] == "17850"
    (fulfillment,) = order["fulfillments"]
    assert (fulfillment["method"], fulfillment["status"], fulfillment["location"]) == ("ship", "delivered", retailer.store)
    assert find_order(api, retailer, "536366")["customer"]["name"] == "Guest"
    assert find_order(api, retailer, "536366")["placed_at"] == "2010-07-01T06:05:00.000Z"  # in summer two
    assert find_order(api, retailer, "536366")["lines"][0]["unit_price"]["amount"] == 112
    assert retailer.figures() == before
    service.assert_audit_clean()


def test_the_timeline_of_history_has_the_time_of_the_file(importer, retailer, api):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,1,01/12/2010 08:26,2.55,,France")
    orders(importer, retailer, path, expect=OK)

    order = find_order(api, retailer, "1")
    events = api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"]

    assert [(event["type"], event["occurred_at"], event["actor"]) for event in events] == [
        ("order.created", "2010-12-01T07:26:00.000Z", "import"), ("order.fulfilled", "2010-12-01T07:26:00.000Z", "import")]
    assert events[0]["data"]["country"] == "France"


def test_importing_orders_again_changes_nothing(importer, retailer, api, database):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,1,01/12/2010 08:26,2.55,,France",
                          f"1,{retailer.sku},X,1,01/12/2010 08:26,2.55,,France",
                          f"2,{retailer.sku},X,3,01/12/2010 08:26,2.55,,France")
    orders(importer, retailer, path, expect=OK)
    before = database.rows("select * from orders where channel = %s order by id", retailer.channel)

    outcome = orders(importer, retailer, path, expect=OK)

    assert outcome.lines == (0, 3, 0) and outcome["orders made"] == 0
    assert database.rows("select * from orders where channel = %s order by id", retailer.channel) == before


def test_a_line_that_an_order_lacks_is_not_passed_over(importer, retailer):
    """A line refused the first time does not count as present the second time."""
    missing = f"late-{retailer.tag}"
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,1,01/12/2010 08:26,2.55,,France",
                          f"1,{missing},Y,1,01/12/2010 08:26,2.55,,France",
                          f"2,{missing},Y,1,01/12/2010 08:26,2.55,,France")
    first = orders(importer, retailer, path, expect=SOME_REFUSED)
    assert first.lines == (1, 0, 2) and "StockCode: There is no such product" in first.refusals[3]

    second = orders(importer, retailer, path, "--create-products", expect=SOME_REFUSED)

    assert second.lines == (1, 1, 1) and second["products made"] == 1
    assert "order 1 is there already, otherwise: without this line" in second.refusals[3]


def test_a_line_of_an_order_answers_for_one_line_of_the_file(importer, retailer):
    line = f"1,{retailer.sku},X,1,01/12/2010 08:26,2.55,,France"
    orders(importer, retailer, importer.write("orders.csv", INVOICES, line), expect=OK)

    outcome = orders(importer, retailer, importer.write("orders.csv", INVOICES, line, line), expect=SOME_REFUSED)

    assert outcome.lines == (0, 1, 1) and "without this line" in outcome.refusals[3]


def test_missing_products_are_made_when_that_is_wished(importer, retailer, api):
    sku = f"new-{retailer.tag}"
    path = importer.write("orders.csv", INVOICES, f"1,{sku},,1,01/12/2010 08:26,0,,France",
                          f"2,{sku},NEW THING ,1,01/12/2010 08:26,0,,France",
                          f"2,{sku},OTHER NAME,1,01/12/2010 08:26,1.25,,France",
                          f"2,{retailer.sku},OTHER NAME,1,01/12/2010 08:26,1.25,,France")
    before = api.get(f"/v1/products/{retailer.sku}", expect=200).json()

    outcome = orders(importer, retailer, path, "--create-products", expect=OK)

    assert outcome.lines == (4, 0, 0) and outcome["products made"] == 1
    product = api.get(f"/v1/products/{sku}", expect=200).json()
    assert (product["title"], product["price"]["amount"], product["price"]["currency"]) == ("NEW THING", 125, "GBP")
    assert api.get(f"/v1/products/{retailer.sku}", expect=200).json() == before


def test_write_offs_and_services_are_named_and_counted_apart(importer, retailer):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,1,01/12/2010 08:26,2.55,,France",
                          "1,POST,POSTAGE,1,01/12/2010 08:26,18,,France", "C2,POST,POSTAGE,-1,01/12/2010 08:26,2.55,,France",
                          f"3,{retailer.sku},damaged,-8,01/12/2010 08:26,0,,France", "1,M,Manual,1,01/12/2010 08:26,1,,France",
                          f"1,{retailer.sku},X,1,32/12/2010 08:26,2.55,,France", f"C2,{retailer.sku},X,1,01/12/2010 08:26,1,7,France")

    outcome = orders(importer, retailer, path, expect=SOME_REFUSED)

    assert outcome.lines == (1, 0, 6) and (outcome["write-offs"], outcome["not goods"]) == (1, 3)
    reasons = {3: "postage", 4: "postage", 5: "-8 units", 6: "manual", 7: "InvoiceDate", 8: "do not come back"}
    assert {line: word for line, word in reasons.items() if word in outcome.refusals[line]} == reasons


def test_open_orders_have_nothing_that_could_come_back(importer, retailer):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,2,01/12/2010 08:26,2.55,7,France",
                          f"C2,{retailer.sku},X,-1,02/12/2010 08:26,2.55,7,France")

    outcome = orders(importer, retailer, path, "--open", expect=SOME_REFUSED)

    assert outcome.lines == (1, 0, 1) and outcome["returns"] == 1 and "open orders" in outcome.refusals[3]


def test_a_pipe_is_refused_before_it_is_read(importer, retailer):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,2,01/12/2010 08:26,2.55,7,France")
    command = " ".join(importer.command("orders", "/dev/stdin", "--channel", retailer.channel, "--location", retailer.store, *ORDERS))

    done = subprocess.run(["/bin/sh", "-c", f"cat {path} | {command}"], env=importer.service.environment(),
                          capture_output=True, text=True, timeout=60)

    assert done.returncode == SOME_REFUSED and "a regular one" in done.stderr and done.stdout == ""


def test_lines_of_an_invoice_need_not_stand_together(importer, retailer, api):
    lines = [f"{number},{sku},X,{units},01/12/2010 08:26,1,,France" for units, sku in enumerate(retailer.skus, start=1)
             for number in ("a1", "a2", "a3")]
    path = importer.write("orders.csv", INVOICES, *lines)

    outcome = orders(importer, retailer, path, expect=OK)

    assert outcome.lines == (9, 0, 0) and outcome["orders made"] == 3
    for number in ("a1", "a2", "a3"):
        assert [line["quantity"] for line in find_order(api, retailer, number)["lines"]] == [1, 2, 3]


def test_one_bad_line_of_an_invoice_takes_no_other_along(importer, retailer, api):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,99999999999,01/12/2010 08:26,1,,France",
                          f"1,{retailer.sku},X,2,01/12/2010 08:26,1,,France",
                          f"1,unknown-{retailer.tag},X,2,01/12/2010 08:26,1,,France")

    outcome = orders(importer, retailer, path, expect=SOME_REFUSED)

    assert outcome.lines == (1, 0, 2) and "Quantity" in outcome.refusals[2] and "StockCode" in outcome.refusals[4]
    assert [line["quantity"] for line in find_order(api, retailer, "1")["lines"]] == [2]


def test_history_is_not_yet_to_come(importer, retailer):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,1,01/12/2999 08:26,1,,France")
    assert "InvoiceDate" in orders(importer, retailer, path, expect=SOME_REFUSED).refusals[2]


def test_open_orders_hold_stock_and_are_picked_up(importer, retailer, api, service):
    first, second, _ = retailer.skus
    path = importer.write("orders.csv", INVOICES, f"1,{first},X,4,01/12/2010 08:26,2.55,,France",
                          f"1,{second},X,11,01/12/2010 08:26,2.55,,France", f"2,{first},X,6,01/12/2010 08:26,2.55,,France",
                          f"3,{first},X,11,01/12/2010 08:26,2.55,,France")

    outcome = orders(importer, retailer, path, "--open", expect=SOME_REFUSED)

    assert outcome.lines == (2, 0, 2) and outcome["orders made"] == 2
    for line in (3, 5):
        assert outcome.refusals[line].startswith("409 insufficient-stock: Quantity: ")
    assert retailer.figures()["reserved"] == 10 and retailer.figures(second)["reserved"] == 0
    order = find_order(api, retailer, "1")
    assert order["status"] == "open" and [line["sku"] for line in order["lines"]] == [first]
    assert [(part["method"], part["status"]) for part in order["fulfillments"]] == [("pickup", "allocated")]
    assert orders(importer, retailer, path, "--open", expect=SOME_REFUSED).lines == (0, 2, 2)
    assert retailer.figures()["reserved"] == 10
    service.assert_audit_clean()


def test_the_longest_order_has_a_thousand_lines(importer, retailer, api):
    path = importer.write("orders.csv", INVOICES,
                          *(f"long,{retailer.sku},X,{n},01/12/2010 08:26,1,,France" for n in range(1, 1003)))

    outcome = orders(importer, retailer, path, expect=SOME_REFUSED)

    assert outcome.lines == (1000, 0, 2) and sorted(outcome.refusals) == [1002, 1003]
    assert len(find_order(api, retailer, "long")["lines"]) == 1000


def test_two_importers_at_once_make_each_order_once(importer, retailer, database):
    path = importer.write("orders.csv", INVOICES,
                          *(f"{n // 2},{retailer.sku},X,1,01/12/2010 08:26,1,,France" for n in range(2000)))

    outcomes = together([lambda: orders(importer, retailer, path, expect=OK)] * 2)

    assert sum(outcome["orders made"] for outcome in outcomes) == 1000
    for outcome in outcomes:
        assert outcome["taken"] + outcome["unchanged"] == 2000
    assert database.count("orders", "channel = %s", retailer.channel) == 1000


def many_orders(importer, retailer, n):
    return importer.write("orders.csv", INVOICES,
                          *(f"{i // 10},{retailer.skus[i % 3]},X,1,01/12/2010 08:26,1,,France" for i in range(n)))


def taken_so_far(database, retailer):
    return database.count("orders", "channel = %s", retailer.channel)


def test_a_killed_import_is_finished_by_running_it_again(importer, retailer, database, service):
    path = many_orders(importer, retailer, 20_000)
    command = importer.command("orders", path, "--channel", retailer.channel, "--location", retailer.store, *ORDERS)
    process = subprocess.Popen(command, env=service.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    eventually(lambda: taken_so_far(database, retailer), what="the first order")
    process.kill()
    process.wait()
    before = eventually(lambda: taken_so_far(database, retailer))

    outcome = orders(importer, retailer, path, expect=OK)

    assert outcome["taken"] + outcome["unchanged"] == 20_000 and outcome["unchanged"] >= 10 * before > 0
    assert taken_so_far(database, retailer) == 2000
    assert database.value("select count(*) from order_lines l join orders o on o.id = l.order_id where channel = %s",
                          retailer.channel) == 20_000


def test_an_import_survives_the_loss_of_its_connection(importer, retailer, database):
    path = many_orders(importer, retailer, 20_000)
    def cut_when_begun():
        eventually(lambda: taken_so_far(database, retailer), what="the first order")
        database.execute("select pg_terminate_backend(pid) from pg_stat_activity"
                         " where datname = current_database() and application_name = 'holdfast import'")

    outcome, _ = together([lambda: orders(importer, retailer, path, expect=OK), cut_when_begun])

    assert outcome["taken"] + outcome["unchanged"] == 20_000
    assert taken_so_far(database, retailer) == 2000


def test_a_product_that_another_client_changes_meanwhile_is_read_again(importer, retailer, api):
    """Two importers put the same products, each with its own word about some of their members."""
    skus = [f"both-{retailer.tag}-{n}" for n in range(300)]
    titles = importer.write("titles.csv", "sku,title", *(f"{sku},Title" for sku in skus))
    notes = importer.write("notes.csv", "sku,title,description", *(f"{sku},Title,Note" for sku in skus))

    for outcome in together([lambda path=path: importer.run("products", path, expect=OK) for path in (titles, notes)]):
        assert outcome["refused"] == 0
    for sku in (skus[0], skus[-1]):
        assert api.get(f"/v1/products/{sku}", expect=200).json()["description"] == "Note"


def test_a_reason_is_one_line_whatever_the_file_holds(importer, retailer):
    path = importer.write("products.csv", PRODUCTS, '"bad\ncode\x1b[2J",Title,,1,EUR,,', f"{retailer.sku},Tea,,1,EUR,,")
    outcome = importer.run("products", path, expect=SOME_REFUSED)
    assert outcome.lines == (1, 0, 1) and len(outcome.stderr.splitlines()) == 1 and "\x1b" not in outcome.stderr


def test_a_file_without_rows_is_no_failure(importer):
    assert importer.run("stock", importer.write("stock.csv", STOCK), expect=OK).lines == (0, 0, 0)


def test_orders_name_a_channel_and_a_location_that_exist(importer, retailer):
    path = importer.write("orders.csv", INVOICES, f"1,{retailer.sku},X,1,01/12/2010 08:26,1,,France")

    for channel, location, word in (("nowhere", retailer.store, "--channel"), (retailer.channel, "nowhere", "--location")):
        done = importer.run("orders", path, "--channel", channel, "--location", location, *ORDERS, expect=SOME_REFUSED)
        assert word in done.stderr and done.stdout == ""
    done = orders(importer, retailer, path, "--open", location=retailer.warehouse, expect=SOME_REFUSED)
    assert "picked up" in done.stderr and done.stdout == ""


# files

@pytest.mark.parametrize("header, word", [("sku,name", 'lacks the column "title"; 1 unknown column: "name"'), ("title,gtin", 'lacks the column "sku"'),
                                          ("sku,title,sku", 'twice the column "sku"'), ("", "missing")])
def test_a_header_that_is_not_of_the_kind_is_refused_with_the_one_that_is(importer, header, word):
    path = importer.write("products.csv", header)
    done = importer.run("products", path, expect=WRONG_USAGE)
    assert word in done.stderr and "sku,title,gtin (optional),price (optional)" in done.stderr and done.stdout == ""


def test_bytes_that_are_not_utf8_are_refused_unless_they_are_said_to_be_latin1(importer, retailer, api):
    sku = f"latin-{retailer.tag}"
    path = importer.write("products.csv", PRODUCTS, f"{sku},Café,,1,EUR,,", encoding="latin-1")

    assert "--encoding windows-1252" in importer.run("products", path, expect=SOME_REFUSED).refusals[2]
    assert importer.run("products", path, "--encoding", "latin1", expect=OK).lines == (1, 0, 0)
    assert api.get(f"/v1/products/{sku}", expect=200).json()["title"] == "Café"


def test_windows_line_ends_and_a_byte_order_mark_are_read(importer, retailer, api):
    path = importer.directory / "stock.csv"
    path.write_bytes(f"\ufeff{STOCK}\r\n{retailer.store},{retailer.sku},3\r\n".encode())
    assert importer.run("stock", path, expect=OK).lines == (1, 0, 0)
    assert retailer.figures()["on_hand"] == 3


@pytest.mark.parametrize("arguments", [
    [], ["products"], ["things", "x.csv"], ["orders", "x.csv"], ["orders", "--channel", "web", "x.csv"],
    ["products", "--open", "x.csv"], ["products", "--encoding", "ebcdic", "x.csv"], ["products", "--nonsense", "x.csv"],
    ["orders", "--channel", "web", "--location", "x", "--currency", "XXX", "x.csv"], ["stock", "x.csv", "y.csv"],
    ["products", "/nowhere/at/all.csv"]])
def test_wrong_usage_prints_the_right_one(service, arguments):
    done = service.run("import", *arguments, check=WRONG_USAGE)
    assert done.stdout == "" and ("usage: holdfast import" in done.stderr or "No such file" in done.stderr)


def test_without_a_database_nothing_is_read(importer, retailer, service):
    path = importer.write("stock.csv", STOCK, f"{retailer.store},{retailer.sku},3")
    away = f"postgresql://127.0.0.1:{free_port()}/nothing"
    assert "database" in importer.run("stock", path, expect=NO_DATABASE, HOLDFAST_DATABASE_URL=away).stderr
    assert importer.run("stock", path, expect=BAD_CONFIG, HOLDFAST_DATABASE_URL="").stdout == ""


def test_progress_is_for_terminals(importer, retailer):
    """On a pipe standard error has nothing but refused lines; on a terminal it shows how far the import is."""
    path = importer.write("stock.csv", STOCK, f"{retailer.store},{retailer.sku},3")
    assert importer.run("stock", path, expect=OK).stderr == ""

    ours, theirs = pty.openpty()
    process = subprocess.Popen(importer.command("stock", path), env=importer.service.environment(), stderr=theirs,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.close(theirs)
    assert process.wait(60) == OK
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert "stock: " in shown and " lines" in shown


def test_memory_does_not_grow_with_the_file(importer, retailer):
    """A hundred thousand lines, of which the import remembers 24 bytes each."""
    title = "SOMETHING OR OTHER " * 6

    def peak(n):
        path = importer.write(f"orders-{n}.csv", INVOICES,
                              *(f"{n}-{i // 20},{retailer.skus[i % 3]},{title},1,01/12/2010 08:26,2.55,17850,France"
                                for i in range(n)))
        # Memory that a sanitizer keeps to find faults does not count.
        options = os.environ.get("ASAN_OPTIONS", "") + (
            ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0:detect_leaks=0")
        outcome = importer.measure("orders", path, "--channel", retailer.channel, "--location", retailer.store, *ORDERS, expect=OK,
                                   ASAN_OPTIONS=options)
        assert outcome.lines == (n, 0, 0)
        return outcome["peak"]

    small, large = peak(10_000), peak(100_000)
    assert large < small + 8 * 1024, f"{small} KiB for 10,000 lines, {large} KiB for 100,000"
