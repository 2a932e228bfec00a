"""Placing, reading and cancelling orders over HTTP."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from support.client import contract
from support.database import Database
from support.lone import lock_waiters
from support.retailer import Retailer
from support.shelf import Shelf, assert_adds_up, let_lapse
from support.waiting import eventually

UNKNOWN = "0190a6e2-7b7c-7def-8123-456789abcdef"
HOME = {
    "name": "Ada Lovelace", "line1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}
CODE_LETTERS = set("ABCDEFGHJKMNPQRSTUVWXYZ")


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


def pickup(location):
    return {"method": "pickup", "location": location}


def show(client, order, **options):
    return client.get(f"/v1/orders/{order['id']}", **options)


def cancel(client, order, lines=None, expect=200, **options):
    body = {"reason": "changed her mind"}
    if lines is not None:
        body["lines"] = [{"order_line_id": order["lines"][n]["id"], "quantity": units} for n, units in lines.items()]
    return client.post(f"/v1/orders/{order['id']}/cancel", body, expect=expect, **options)


def errors(reply):
    """{(pointer, code)} of a problem."""
    return {(error["pointer"], error["code"]) for error in reply.json().get("errors", [])}


def reserved(retailer, sku=None, location=None):
    return retailer.figures(sku, location)["reserved"]


@pytest.fixture
def mixed(retailer):
    """The body of an order to be collected in two stores, one of them at the kerb, and shipped from the warehouse."""
    first, second, third = retailer.skus
    return retailer.order_body(ship_to=HOME, lines=[
        {"sku": first, "quantity": 2},
        {"sku": second, "quantity": 1, "fulfillment": pickup(retailer.other_store)},
        {"sku": third, "quantity": 3, "fulfillment": {"method": "ship", "location": retailer.warehouse}},
        {"sku": first, "quantity": 1, "fulfillment": {"method": "ship", "location": retailer.warehouse}},
        {"sku": second, "quantity": 1},
        {"sku": first, "quantity": 1, "fulfillment": {"method": "curbside", "location": retailer.store}}])


@pytest.fixture
def two_of_each(retailer):
    """A placed order of two of each product, collected at the store."""
    return retailer.order({sku: 2 for sku in retailer.skus}).json()


# Placing


def test_an_order_holds_its_units_from_the_moment_it_is_placed(retailer, database):
    reply = retailer.order({retailer.skus[0]: 3, retailer.skus[1]: 2},
                           payment={"status": "authorized", "reference": "p-7"})
    order = reply.json()

    assert reply.headers["Location"] == f"/v1/orders/{order['id']}"
    assert reply.headers["ETag"] == '"1"'
    assert (order["status"], order["payment_status"], order["version"]) == ("open", "authorized", 1)
    assert (order["channel"], order["payment_reference"]) == (retailer.channel, "p-7")
    assert order["customer"] == {"name": "Ada Lovelace", "email": "ada@example.com", "phone": None, "customer_id": None}
    nothing_yet = {"tax": euros(0), "cancelled": 0, "cancelled_value": euros(0), "cancelled_tax": euros(0),
                   "fulfilled": 0, "returned": 0}
    assert [{**line, "id": None} for line in order["lines"]] == [
        {"id": None, "sku": retailer.skus[0], "title": "Product 1", "quantity": 3, "unit_price": euros(1000),
         "total": euros(3000), "value": euros(3000), **nothing_yet},
        {"id": None, "sku": retailer.skus[1], "title": "Product 2", "quantity": 2, "unit_price": euros(2000),
         "total": euros(4000), "value": euros(4000), **nothing_yet}]
    assert [reserved(retailer, sku) for sku in retailer.skus] == [3, 2, 0]
    assert_adds_up(database, *retailer.locations)


def test_a_mixed_basket_is_one_order_and_a_fulfillment_for_each_place_and_method(api, retailer, mixed, database):
    order = api.post("/v1/orders", mixed, expect=201).json()

    ids = [line["id"] for line in order["lines"]]
    assert [(f["method"], f["location"], f["status"], [(ids.index(line["order_line_id"]), line["quantity"])
                                                       for line in f["lines"]]) for f in order["fulfillments"]] == [
        ("pickup", retailer.store, "allocated", [(0, 2), (4, 1)]),
        ("pickup", retailer.other_store, "allocated", [(1, 1)]),
        ("ship", retailer.warehouse, "allocated", [(2, 3), (3, 1)]),
        ("curbside", retailer.store, "allocated", [(5, 1)])]
    first, second, third = retailer.skus
    assert reserved(retailer, first) == 3 and reserved(retailer, second) == 1
    assert reserved(retailer, second, retailer.other_store) == 1
    assert reserved(retailer, third, retailer.warehouse) == 3 and reserved(retailer, first, retailer.warehouse) == 1
    assert order["ship_to"] == {**HOME, "line2": None}
    assert_adds_up(database, *retailer.locations)
    assert show(api, order, expect=200).json()["lines"] == order["lines"]


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def place_at_new(retailer, expect=201, **location):
    """Order one unit from a location made for it."""
    code = f"{retailer.tag}-{uuid.uuid4().hex[:6]}"
    retailer.create_location(code, **location)
    retailer.stock({(code, retailer.sku): 1})
    return retailer.order(location=code, expect=expect)


def promised(reply):
    """When the order was placed, and for when its only fulfillment is promised."""
    order = reply.json()
    return instant(order["placed_at"]), instant(order["fulfillments"][0]["promised_at"])


def zone_at_noon():
    """A zone in which it is some minutes before or after twelve, and its clocks' distance from UTC."""
    ahead = 12 - datetime.now(timezone.utc).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT", timedelta(hours=ahead)


def test_an_order_is_promised_after_the_lead_time_of_its_location(retailer):
    placed_at, promised_at = promised(place_at_new(retailer, pickup={"lead_time": "P1D", "hold_for": "P7D"}))

    assert promised_at - placed_at == timedelta(days=1)


def test_an_order_is_promised_for_when_its_location_is_open(retailer):
    zone = ZoneInfo("America/New_York")
    opening_day = datetime.now(zone).date() + timedelta(days=3)
    hours = [{"day": opening_day.strftime("%a").lower(), "opens": "10:00", "closes": "12:00"}]

    _, promised_at = promised(place_at_new(
        retailer, time_zone="America/New_York", opening_hours=hours, pickup={"lead_time": "PT90M"}))
    _, in_a_week = promised(place_at_new(
        retailer, time_zone="America/New_York", opening_hours=hours, closures=[{"date": str(opening_day)}],
        pickup={"lead_time": "PT90M"}))

    assert promised_at == datetime(opening_day.year, opening_day.month, opening_day.day, 11, 30, tzinfo=zone)
    assert in_a_week.astimezone(zone).date() == opening_day + timedelta(days=7)


def test_an_order_after_the_cut_off_is_promised_as_if_placed_tomorrow(retailer):
    zone, ahead = zone_at_noon()

    placed_at, promised_at = promised(place_at_new(
        retailer, time_zone=zone, pickup={"lead_time": "PT1H", "cut_off": "18:00"}))
    assert promised_at == placed_at + timedelta(hours=1)
    placed_at, promised_at = promised(place_at_new(
        retailer, time_zone=zone, pickup={"lead_time": "PT1H", "cut_off": "06:00"}))
    tomorrow = (placed_at + ahead).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert promised_at == tomorrow - ahead + timedelta(hours=1)


def test_a_location_that_is_not_open_long_enough_takes_no_orders(retailer):
    hours = [{"day": "mon", "opens": "10:00", "closes": "10:01"}]

    reply = place_at_new(retailer, opening_hours=hours, pickup={"lead_time": "PT1H"}, expect=422)

    assert reply.json()["code"] == "validation-failed"
    assert errors(reply) == {("#/fulfillment/location", "closed")}


def test_a_location_that_moves_to_another_zone_promises_by_its_new_clocks(api, retailer):
    """The zone was asked for before, so that it is one this instance keeps."""
    zone, ahead = zone_at_noon()
    code = f"moving-{retailer.tag}"
    fields = {"pickup": {"lead_time": "PT1H", "cut_off": "06:00"}}
    made = retailer.create_location(code, time_zone="Etc/UTC", **fields)
    retailer.stock({(code, retailer.sku): 2})
    retailer.order(location=code)
    body = {name: value for name, value in made.items() if name not in ("code", "version", "created_at", "updated_at")}

    api.put(f"/v1/locations/{code}", {**body, "time_zone": zone}, expect=200)
    placed_at, promised_at = promised(retailer.order(location=code))

    tomorrow = (placed_at + ahead).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert promised_at == tomorrow - ahead + timedelta(hours=1)


def test_the_totals_add_up_lines_discounts_shipping_and_tax(retailer):
    order = retailer.order(
        {retailer.skus[0]: 3, retailer.skus[1]: 1}, shipping=euros(490), tax={"amount": 912, "included": False},
        discounts=[{"amount": 300, "line": 0, "reason": "welcome"}, {"amount": 200}]).json()

    assert order["totals"] == {
        "subtotal": euros(5000), "discount": euros(500), "shipping": euros(490), "tax": euros(912),
        "tax_included": False, "total": euros(5902), "credited": euros(0), "creditable": euros(5902),
        "credited_tax": euros(0), "shipping_tax": euros(0), "paid": euros(0), "refunded": euros(0),
        "balance": euros(5902), "refund_due": euros(0)}
    assert order["discounts"] == [
        {"amount": 300, "line": 0, "reason": "welcome"}, {"amount": 200, "reason": None}]


def test_a_tax_is_included_unless_it_says_otherwise(retailer):
    totals = retailer.order(tax={"amount": 160}).json()["totals"]

    assert (totals["tax_included"], totals["tax"], totals["total"]) == (True, euros(160), euros(1000))


def test_a_price_is_the_clients_else_the_channels_else_the_products(api, retailer):
    first, second, third = retailer.skus
    api.put(f"/v1/channels/{retailer.channel}/listings/{second}",
            {"title": "Only here", "price": euros(1500), "published": True}, expect=201)
    body = retailer.order_body(lines={first: 1, second: 1, third: 1})
    body["lines"][0]["unit_price"] = euros(1)

    lines = api.post("/v1/orders", body, expect=201).json()["lines"]

    assert [(line["title"], line["unit_price"]["amount"]) for line in lines] == [
        ("Product 1", 1), ("Only here", 1500), ("Product 3", 3000)]


@pytest.mark.parametrize("currency, price, total", [("JPY", 1980, 3960), ("KWD", 12345, 24690)])
def test_currencies_without_cents_or_with_mils_are_sold_alike(api, retailer, currency, price, total):
    sku = f"{currency}-{retailer.tag}"
    retailer.create_product(sku, price={"amount": price, "currency": currency})
    retailer.stock({(retailer.store, sku): 5})

    order = retailer.order({sku: 2}, currency=currency, shipping={"amount": 1, "currency": currency},
                           payment={"status": "captured"}).json()

    assert order["currency"] == currency
    assert order["totals"]["total"] == {"amount": total + 1, "currency": currency}
    assert cancel(api, order, {0: 1}).json()["totals"]["refund_due"] == {"amount": price, "currency": currency}


def test_a_payment_that_is_pending_may_fall_due(retailer):
    order = retailer.order(payment={"status": "pending", "due_at": "2100-01-01T12:00:00+02:00"}).json()

    assert order["payment_due_at"] == "2100-01-01T10:00:00.000Z"
    assert retailer.order().json()["payment_due_at"] is None


def test_unpaid_orders_fall_due_after_the_time_that_is_set(services):
    retailer = Retailer(services(unpaid_ttl="PT30M").client()).create()

    pending, paid = retailer.order().json(), retailer.order(payment={"status": "captured"}).json()
    named = retailer.order(payment={"status": "pending", "due_at": "2100-01-01T00:00:00Z"}).json()

    placed, due = (datetime.fromisoformat(pending[member].replace("Z", "+00:00"))
                   for member in ("placed_at", "payment_due_at"))
    assert due - placed == timedelta(minutes=30)
    assert paid["payment_due_at"] is None
    assert named["payment_due_at"] == "2100-01-01T00:00:00.000Z"


def test_the_longest_texts_come_back_as_they_went_in(api, retailer):
    emoji, quotes = "\U0001f6d2" * 200, '"\\\u0001' * 60
    body = retailer.order_body(
        external_ref="\u00e4" * 100, customer={"name": emoji, "email": "a@" + "\u00fc" * 252, "phone": "+" * 40,
                                               "customer_id": quotes[:100]},
        ship_to={**HOME, "name": emoji, "line1": quotes, "line2": emoji, "city": "x" * 100, "postal_code": "9" * 20,
                 "latitude": 52.520008, "longitude": -0.0000001},
        discounts=[{"amount": 0, "reason": emoji}], payment={"status": "pending", "reference": emoji})

    order = api.post("/v1/orders", body, expect=201).json()

    assert show(api, order, expect=200).json() == {**order, "fulfillments": show(api, order).json()["fulfillments"]}
    assert (order["external_ref"], order["customer"], order["ship_to"]) == (
        body["external_ref"], body["customer"], body["ship_to"])
    assert (order["discounts"][0]["reason"], order["payment_reference"]) == (emoji, emoji)


def test_the_largest_order_is_placed_read_and_cancelled(api, retailer, database):
    shelf = Shelf(database, units=1, n_skus=1000)
    body = retailer.order_body(
        location=shelf.location, payment={"status": "captured"},
        discounts=[{"amount": 1, "line": n} for n in range(100)],
        lines=[{"sku": sku, "quantity": 1, "unit_price": euros(1)} for sku in shelf.skus])

    order = api.post("/v1/orders", body, expect=201).json()

    assert [line["sku"] for line in order["lines"]] == shelf.skus
    assert show(api, order, expect=200).json()["lines"] == order["lines"]
    done = cancel(api, order, {n: 1 for n in range(1000)}).json()
    assert (done["status"], done["totals"]["refund_due"]) == ("cancelled", euros(900))
    shelf.assert_adds_up()


# Reservations


def reserve(retailer, lines, **fields):
    return retailer.reserve(lines, **fields).json()["id"]


@pytest.mark.parametrize("units", [3, 7, 9])
def test_an_order_takes_over_a_reservation_that_covers_it_in_part_exactly_or_more(api, retailer, database, units):
    reservation = reserve(retailer, {retailer.skus[0]: 7, retailer.skus[1]: 2})

    order = retailer.order({retailer.skus[0]: units}, reservation_id=reservation).json()

    assert [reserved(retailer, sku) for sku in retailer.skus] == [units, 0, 0]
    assert api.get(f"/v1/reservations/{reservation}", expect=200).json()["status"] == "claimed"
    assert database.value("select order_id::text from reservations where id = %s", reservation) == order["id"]
    assert_adds_up(database, *retailer.locations)


def test_units_that_an_order_has_reserved_are_not_taken_by_others(retailer):
    reservation = reserve(retailer, {retailer.sku: 10})

    retailer.order({retailer.sku: 1}, expect=409)
    retailer.order({retailer.sku: 10}, reservation_id=reservation)

    assert retailer.available() == 0


def test_a_reservation_that_does_not_suffice_stays(api, retailer, database):
    reservation = reserve(retailer, {retailer.sku: 7})

    refused = retailer.order({retailer.sku: 11}, reservation_id=reservation, expect=409).json()

    assert refused["code"] == "insufficient-stock"
    assert refused["errors"][0]["available"] == 10
    assert api.get(f"/v1/reservations/{reservation}").json()["status"] == "active"
    assert reserved(retailer) == 7
    assert_adds_up(database, *retailer.locations)


def test_a_reservation_is_claimed_once(retailer):
    reservation = reserve(retailer, {retailer.sku: 1})
    retailer.order(reservation_id=reservation)

    refused = retailer.order(reservation_id=reservation, expect=409).json()

    assert (refused["code"], refused["current_status"]) == ("reservation-expired", "claimed")
    assert reserved(retailer) == 1


def test_a_reservation_whose_time_is_up_is_not_claimed(api, retailer, database):
    reservation = reserve(retailer, {retailer.sku: 10})
    let_lapse(database, reservation)

    refused = retailer.order(reservation_id=reservation, expect=409).json()

    assert (refused["code"], refused["current_status"]) == ("reservation-expired", "expired")
    retailer.order({retailer.sku: 10})
    assert_adds_up(database, *retailer.locations)


def test_a_reservation_that_was_released_is_not_claimed(api, retailer):
    reservation = reserve(retailer, {retailer.sku: 1})
    api.delete(f"/v1/reservations/{reservation}", expect=200)

    refused = retailer.order(reservation_id=reservation, expect=409).json()

    assert (refused["code"], refused["current_status"]) == ("reservation-expired", "released")


def test_a_reservation_of_another_channel_is_as_good_as_unknown(api, retailer):
    api.put(f"/v1/channels/app-{retailer.tag}", {"name": "App", "kind": "app"}, expect=201)
    reservation = reserve(retailer, {retailer.sku: 1}, channel=f"app-{retailer.tag}")

    for name in (reservation, UNKNOWN):
        refused = retailer.order(reservation_id=name, expect=422)
        assert errors(refused) == {("#/reservation_id", "unknown-reservation")}


def test_only_a_client_of_its_location_claims_a_reservation(service, retailer, database):
    reservation = reserve(retailer, {retailer.sku: 4}, location=retailer.other_store)
    store = service.client(locations=[retailer.store])

    refused = store.post("/v1/orders", retailer.order_body(reservation_id=reservation), expect=403).json()

    assert refused["code"] == "store-not-allowed"
    assert reserved(retailer, location=retailer.other_store) == 4
    assert database.count("orders", "channel = %s", retailer.channel) == 0


# Refusals


def line(shop):
    return {"sku": shop.sku, "quantity": 1}


# A change of a valid body (None leaves the member out), and the fault that it causes.
WRONG = {
    "no channel": lambda shop: ({"channel": None}, {("#/channel", "required")}),
    "a channel nobody knows": lambda shop: ({"channel": "nowhere"}, {("#/channel", "unknown-channel")}),
    "an unknown member": lambda shop: ({"colour": "red"}, {("#/colour", "unknown-member")}),
    "no lines": lambda shop: ({"lines": []}, {("#/lines", "too-few")}),
    "too many lines": lambda shop: ({"lines": [line(shop)] * 1001}, {("#/lines", "too-many")}),
    "no units": lambda shop: ({"lines": [{**line(shop), "quantity": 0}]}, {("#/lines/0/quantity", "out-of-range")}),
    "too many units": lambda shop: ({"lines": [{**line(shop), "quantity": 1000001}]},
        {("#/lines/0/quantity", "out-of-range")}),
    "half a unit": lambda shop: ({"lines": [{**line(shop), "quantity": 0.5}]}, {("#/lines/0/quantity", "wrong-type")}),
    "a price below nothing": lambda shop: ({"lines": [{**line(shop), "unit_price": euros(-1)}]},
        {("#/lines/0/unit_price/amount", "out-of-range")}),
    "a price in another currency": lambda shop: (
        {"lines": [{**line(shop), "unit_price": {"amount": 1, "currency": "USD"}}]},
        {("#/lines/0/unit_price/currency", "currency-mismatch")}),
    "no currency of today": lambda shop: ({"currency": "DEM"}, {("#/currency", "malformed")}),
    "another currency than the prices": lambda shop: ({"currency": "USD"},
        {("#/lines/0/unit_price", "currency-mismatch")}),
    "a product nobody knows": lambda shop: ({"lines": [{"sku": "nothing", "quantity": 1}]},
        {("#/lines/0/sku", "unknown-sku")}),
    "a location nobody knows": lambda shop: ({"fulfillment": pickup("nowhere")},
        {("#/fulfillment/location", "unknown-location")}),
    "no method": lambda shop: ({"fulfillment": None}, {("#/lines/0/fulfillment", "required")}),
    "no location": lambda shop: ({"fulfillment": {"method": "pickup"}},
        {("#/fulfillment/location", "required")}),
    "a method nobody knows": lambda shop: ({"fulfillment": {"method": "drone", "location": shop.store}},
        {("#/fulfillment/method", "not-allowed")}),
    "a location that cannot do it": lambda shop: ({"fulfillment": pickup(shop.warehouse)},
        {("#/fulfillment/method", "not-capable")}),
    "a parcel without address": lambda shop: ({"fulfillment": {"method": "ship", "location": shop.store}},
        {("#/ship_to", "required")}),
    "a country that does not exist": lambda shop: ({"ship_to": {**HOME, "country": "XX"}},
        {("#/ship_to/country", "malformed")}),
    "half a place": lambda shop: ({"ship_to": {**HOME, "latitude": 52.5}}, {("#/ship_to", "required")}),
    "no address of e-mail": lambda shop: ({"customer": {"name": "Ada", "email": "ada"}},
        {("#/customer/email", "malformed")}),
    "a discount of a line that is not there": lambda shop: ({"discounts": [{"amount": 1, "line": 1}]},
        {("#/discounts/0/line", "out-of-range")}),
    "discounts above the price": lambda shop: ({"discounts": [{"amount": 1001}]}, {("#/discounts", "too-large")}),
    "more tax included than paid": lambda shop: ({"tax": {"amount": 1001}}, {("#/tax/amount", "too-large")}),
    "more than can be counted": lambda shop: (
        {"lines": [{**line(shop), "quantity": 2, "unit_price": euros(2 ** 53 - 1)}]},
        {("#/lines", "out-of-range")}),
    "shipping in another currency": lambda shop: ({"shipping": {"amount": 1, "currency": "USD"}},
        {("#/shipping/currency", "currency-mismatch")}),
    "a payment of another kind": lambda shop: ({"payment": {"status": "refunded"}},
        {("#/payment/status", "not-allowed")}),
    "a paid payment that falls due": lambda shop: (
        {"payment": {"status": "captured", "due_at": "2100-01-01T00:00:00Z"}},
        {("#/payment/due_at", "not-allowed")}),
    "a payment that was due before": lambda shop: (
        {"payment": {"status": "pending", "due_at": "2020-01-01T00:00:00Z"}}, {("#/payment/due_at", "out-of-range")}),
    "a default that names an unknown location": lambda shop: (
        {"lines": [{"sku": shop.sku, "quantity": 1}, {"sku": shop.skus[1], "quantity": 1}],
         "fulfillment": {"method": "pickup", "location": "nowhere"}}, {("#/fulfillment/location", "unknown-location")}),
    "a default without a location": lambda shop: (
        {"lines": [{"sku": shop.sku, "quantity": 1}, {"sku": shop.skus[1], "quantity": 1}],
         "fulfillment": {"method": "pickup"}}, {("#/fulfillment/location", "required")}),
    "no id of a reservation": lambda shop: ({"reservation_id": "7"}, {("#/reservation_id", "malformed")}),
}


@pytest.fixture(scope="module")
def shop(suite_service):
    """A retailer that sells nothing, whatever is asked for."""
    return Retailer(suite_service.client()).create()


@pytest.mark.parametrize("wrong", WRONG)
def test_each_invalid_value_is_named_and_nothing_changes(api, shop, database, wrong):
    changes, expected = WRONG[wrong](shop)
    body = {**shop.order_body(), **changes}

    refused = api.post("/v1/orders", {name: value for name, value in body.items() if value is not None}, expect=422)

    assert refused.json()["code"] == "validation-failed"
    assert errors(refused) == expected
    assert database.count("orders", "channel = %s", shop.channel) == 0
    assert [reserved(shop, sku) for sku in shop.skus] == [0, 0, 0]


def test_many_faults_are_listed_as_far_as_a_hundred(api, retailer):
    body = retailer.order_body(lines={f"nothing-{n}": 1 for n in range(150)})

    assert len(api.post("/v1/orders", body, expect=422).json()["errors"]) == 100


def test_a_channel_does_not_sell_unpublished_products(api, retailer):
    api.put(f"/v1/channels/{retailer.channel}/listings/{retailer.sku}", {"published": False}, expect=201)

    assert errors(retailer.order(expect=422)) == {("#/lines/0/sku", "not-published")}


def test_a_product_without_a_price_needs_one_in_the_order(api, retailer):
    sku = f"free-{retailer.tag}"
    retailer.create_product(sku)
    retailer.stock({(retailer.store, sku): 1})

    assert errors(retailer.order({sku: 1}, expect=422)) == {("#/lines/0/unit_price", "price-missing")}
    body = retailer.order_body({sku: 1})
    body["lines"][0]["unit_price"] = euros(0)
    api.post("/v1/orders", body, expect=201)


def test_an_order_is_granted_whole_or_not_at_all(api, retailer, database):
    first, second, third = retailer.skus
    body = retailer.order_body(lines=[
        {"sku": first, "quantity": 6}, {"sku": second, "quantity": 11},
        {"sku": first, "quantity": 5, "fulfillment": {"method": "curbside", "location": retailer.store}},
        {"sku": third, "quantity": 10}])

    refused = api.post("/v1/orders", body, expect=409).json()

    assert refused["code"] == "insufficient-stock"
    assert [(error["pointer"], error["code"], error["available"]) for error in refused["errors"]] == [
        ("#/lines/0/quantity", "insufficient-stock", 10), ("#/lines/1/quantity", "insufficient-stock", 10)]
    assert [reserved(retailer, sku) for sku in retailer.skus] == [0, 0, 0]
    assert database.count("orders", "channel = %s", retailer.channel) == 0


def test_safety_stock_is_not_sold(api, retailer):
    api.put(f"/v1/locations/{retailer.store}/inventory/{retailer.sku}", {"safety_stock": 4}, expect=200)

    assert retailer.order({retailer.sku: 7}, expect=409).json()["errors"][0]["available"] == 6
    retailer.order({retailer.sku: 6})


def test_a_reference_is_used_once_by_a_channel(api, retailer):
    other_channel = f"app-{retailer.tag}"
    api.put(f"/v1/channels/{other_channel}", {"name": "App", "kind": "app"}, expect=201)
    first = retailer.order(external_ref="W-1").json()

    refused = retailer.order({retailer.skus[1]: 1}, external_ref="W-1", expect=409)

    assert refused.json()["code"] == "duplicate-external-ref"
    assert refused.json()["existing"] == f"/v1/orders/{first['id']}"
    assert refused.headers["Link"] == f'</v1/orders/{first["id"]}>; rel="related"'
    assert api.get(refused.json()["existing"], expect=200).json()["external_ref"] == "W-1"
    assert reserved(retailer, retailer.skus[1]) == 0
    retailer.order(external_ref="W-1", channel=other_channel)


def test_the_reference_of_a_refused_order_is_free(retailer):
    retailer.order({retailer.sku: 11}, external_ref="W-1", expect=409)

    retailer.order({retailer.sku: 10}, external_ref="W-1")


# Keys


def test_the_same_request_again_gets_the_same_bytes_and_no_second_order(api, retailer, database):
    body, key = retailer.order_body(), str(uuid.uuid4())

    first = api.post("/v1/orders", body, key=key, expect=201)
    again = api.post("/v1/orders", body, key=key, expect=201)

    assert again.content == first.content
    assert all(again.headers[name] == first.headers[name] for name in ("ETag", "Location"))
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    assert database.count("orders", "channel = %s", retailer.channel) == 1
    assert reserved(retailer) == 1


def test_a_refusal_is_replayed_though_the_stock_has_come(api, retailer):
    body, key = retailer.order_body({retailer.sku: 11}), str(uuid.uuid4())
    first = api.post("/v1/orders", body, key=key, expect=409)
    retailer.stock({(retailer.store, retailer.sku): 20})

    again = api.post("/v1/orders", body, key=key, expect=409)

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    api.post("/v1/orders", body, expect=201)


def test_a_request_that_was_wrong_may_come_again_mended(api, retailer):
    """An unknown SKU is found by looking it up, but it is a fault of the request as any other."""
    key = str(uuid.uuid4())
    wrong, mended = retailer.order_body({f"N-{retailer.tag}": 1}), retailer.order_body()

    for _ in range(2):
        refused = api.post("/v1/orders", wrong, key=key, expect=422)
        assert refused.json()["code"] == "validation-failed" and "Idempotent-Replayed" not in refused.headers
    api.post("/v1/orders", mended, key=key, expect=201)


def test_an_old_version_may_be_mended_under_the_same_key(api, two_of_each):
    key = str(uuid.uuid4())

    for _ in range(2):
        refused = cancel(api, two_of_each, {0: 1}, key=key, expect=412, headers={"If-Match": '"9"'})
        assert "Idempotent-Replayed" not in refused.headers
    cancel(api, two_of_each, {0: 1}, key=key, headers={"If-Match": '"1"'})
    assert show(api, two_of_each).json()["lines"][0]["cancelled"] == 1


def test_a_cancellation_is_replayed_as_it_was(api, two_of_each):
    key = str(uuid.uuid4())

    first = cancel(api, two_of_each, {0: 1}, key=key)
    again = cancel(api, two_of_each, {0: 1}, key=key)

    assert again.content == first.content and again.headers["Idempotent-Replayed"] == "true"
    assert show(api, two_of_each).json()["lines"][0]["cancelled"] == 1


def test_a_key_belongs_to_one_request(api, retailer):
    key = str(uuid.uuid4())
    retailer.order(key=key)

    assert retailer.order(key=key, expect=422).json()["code"] == "idempotency-key-reused"


def test_a_key_that_is_in_use_is_refused_for_the_moment(services, new_database):
    url = new_database()
    one, other = services(url), services(url)
    retailer, key = Retailer(one.client()).create(), str(uuid.uuid4())
    with Database(url) as database, ThreadPoolExecutor(1) as pool:
        with database.transaction() as rows:
            rows("select from stock where location = %s and sku = %s for update", retailer.store, retailer.sku)
            first = pool.submit(lambda: retailer.order(key=key))
            eventually(lambda: lock_waiters(database) == 1, what="the first waits for the row")
            body = retailer.order_body({retailer.skus[1]: 1})  # of another row: it need not wait, too
            refused = other.client().post("/v1/orders", body, key=key, expect=409)
        assert first.result().status_code == 201
    assert refused.json()["code"] == "idempotency-in-progress"
    assert int(refused.headers["Retry-After"]) >= 1


# Refusals of any request


OPERATIONS = {
    "placeOrder": ("POST", "/v1/orders"),
    "getOrder": ("GET", f"/v1/orders/{UNKNOWN}"),
    "cancelOrder": ("POST", f"/v1/orders/{UNKNOWN}/cancel"),
}
operations = pytest.mark.parametrize("operation", OPERATIONS)
commands = pytest.mark.parametrize("operation", ["placeOrder", "cancelOrder"])


def call(operation, client, **options):
    """Call an operation with a body that is valid by its shape."""
    method, path = OPERATIONS[operation]
    bodies = {"placeOrder": Retailer(client).order_body(), "cancelOrder": {"reason": "changed her mind"}}
    body = None if "content" in options else bodies.get(operation)
    return client.request(method, path + options.pop("query", ""), body, **options)


@operations
def test_nobody_comes_in_without_a_token(service, operation):
    assert call(operation, service.client(token=None), expect=401).json()["code"] == "unauthenticated"
    assert call(operation, service.client(token="nonsense"), expect=401).json()["code"] == "unauthenticated"


@operations
def test_the_scope_is_needed(service, operation):
    wrong = "orders:write" if operation == "getOrder" else "orders:read"

    assert call(operation, service.client(scope=wrong), expect=403).json()["code"] == "insufficient-scope"


@operations
def test_query_parameters_that_nobody_knows_are_refused(api, operation):
    assert call(operation, api, query="?colour=red", expect=400).json()["code"] == "unknown-parameter"


@operations
def test_a_target_may_be_too_long(api, operation):
    assert call(operation, api, query="?q=" + "x" * 9000, expect=414).json()["code"] == "uri-too-long"


@operations
def test_a_subject_may_ask_too_often(services, operation):
    client = services(rate_limit=1).client()
    call(operation, client)

    assert call(operation, client, expect=429).json()["code"] == "quota-exceeded"


@commands
@pytest.mark.parametrize("content", [
    b"{", b"", b'{"reason": "a", "reason": "b"}', b'{"reason": "\xff"}', b"[" * 40 + b"]" * 40])
def test_a_body_must_be_json(api, operation, content):
    assert call(operation, api, content=content, expect=400).json()["code"] == "malformed-json"


@commands
def test_a_body_must_be_declared_as_json(api, operation):
    refused = call(operation, api, headers={"Content-Type": "text/plain"}, expect=415)
    assert refused.json()["code"] == "unsupported-media-type"


@commands
@pytest.mark.parametrize("key", ["", "x" * 256, "with space", '"unclosed quote mark and space'])
def test_a_key_must_be_visible_ascii(api, operation, key):
    assert call(operation, api, key=None, headers={"Idempotency-Key": key},
                expect=400).json()["code"] == "idempotency-key-invalid"


def test_placing_needs_a_key(api):
    assert call("placeOrder", api, key=None, expect=400).json()["code"] == "idempotency-key-missing"


@pytest.mark.parametrize("method, tail", [("GET", ""), ("POST", "/cancel")])
@pytest.mark.parametrize("order_id", ["7", UNKNOWN.upper(), UNKNOWN + "0"])
def test_an_id_must_be_a_canonical_uuid(api, method, tail, order_id):
    body = {"reason": "x"} if method == "POST" else None
    assert api.request(method, f"/v1/orders/{order_id}{tail}", body, expect=400).json()["code"] == "invalid-parameter"


def test_an_order_that_does_not_exist_is_not_found(api):
    assert call("getOrder", api, expect=404).json()["code"] == "not-found"
    assert call("cancelOrder", api, expect=404).json()["code"] == "not-found"


# Tokens


def test_a_token_of_a_channel_sells_only_there(service, api, retailer):
    order = retailer.order().json()
    shop = service.client(channel=retailer.channel)
    elsewhere = service.client(channel="elsewhere")

    assert elsewhere.post("/v1/orders", retailer.order_body(), expect=403).json()["code"] == "channel-not-allowed"
    show(elsewhere, order, expect=404)
    cancel(elsewhere, order, expect=404)
    shop.post("/v1/orders", retailer.order_body(), expect=201)
    show(shop, order, expect=200)
    cancel(shop, order)


def test_a_token_of_a_store_sells_only_from_there(service, retailer, mixed):
    store = service.client(locations=[retailer.store])

    store.post("/v1/orders", retailer.order_body(), expect=201)
    for body in (mixed, retailer.order_body(location=retailer.other_store)):
        assert store.post("/v1/orders", body, expect=403).json()["code"] == "store-not-allowed"
    nowhere = service.client(locations=[])
    assert nowhere.post("/v1/orders", retailer.order_body(), expect=403).json()["code"] == "store-not-allowed"


def test_an_order_is_read_by_each_store_that_it_touches(service, api, retailer, mixed):
    order = api.post("/v1/orders", mixed, expect=201).json()
    retailer.create_location(f"third-{retailer.tag}")

    for location in retailer.locations:
        show(service.client(locations=[location]), order, expect=200)
    third = service.client(locations=[f"third-{retailer.tag}"])
    for reply in (show(third, order, expect=403), cancel(third, order, expect=403)):
        assert reply.json()["code"] == "store-not-allowed"


def test_a_store_cancels_its_own_lines_but_not_those_of_others(service, api, retailer, mixed):
    order = api.post("/v1/orders", mixed, expect=201).json()
    store = service.client(locations=[retailer.store])

    for lines in (None, {1: 1}, {0: 1, 1: 1}):
        assert cancel(store, order, lines, expect=403).json()["code"] == "store-not-allowed"
    cancel(store, order, {0: 2, 4: 1})
    assert reserved(retailer, retailer.skus[1], retailer.other_store) == 1
    cancel(api, order, {1: 1, 2: 3, 3: 1})
    done = cancel(store, order).json()
    assert done["status"] == "cancelled"


# Reading


def undocumented(schema, value, where="#"):
    """Members of a reply that the document does not name."""
    schema = contract().deref(schema)
    parts = [schema, *schema.get("allOf", []), *schema.get("anyOf", [])]
    parts = [part for part in map(contract().deref, parts)]
    parts += [contract().deref(inner) for part in parts for inner in part.get("allOf", [])]
    if isinstance(value, list):
        items = next(part["items"] for part in parts if "items" in part)
        return {found for item in value for found in undocumented(items, item, where + "/*")}
    if not isinstance(value, dict):
        return set()
    named = {name: inner for part in parts for name, inner in part.get("properties", {}).items()}
    return {f"{where}/{name}" for name in value if name not in named} | {
        found for name in value if name in named for found in undocumented(named[name], value[name], f"{where}/{name}")}


def test_every_member_of_an_order_is_documented(api, mixed):
    order = api.post("/v1/orders", {**mixed, "discounts": [{"amount": 1, "line": 0}]}, expect=201).json()
    schema = contract().document["components"]["schemas"]["Order"]

    assert undocumented(schema, show(api, order, expect=200).json()) == set()


def test_an_order_is_read_as_it_was_placed(api, mixed):
    placed = api.post("/v1/orders", mixed, expect=201)

    read = show(api, placed.json(), expect=200)

    shown = read.json()
    for fulfillment in shown["fulfillments"]:
        fulfillment.pop("pickup_code", None)
    assert shown == placed.json()
    assert read.headers["ETag"] == placed.headers["ETag"]
    assert api.head(f"/v1/orders/{shown['id']}", expect=200).headers["ETag"] == read.headers["ETag"]


def test_an_unchanged_order_is_not_sent_again(api, two_of_each):
    show(api, two_of_each, headers={"If-None-Match": '"1"'}, expect=304)
    cancel(api, two_of_each, {0: 1})

    changed = show(api, two_of_each, headers={"If-None-Match": '"1"'}, expect=200)

    assert changed.headers["ETag"] == '"2"'


# Pickup codes


def codes(reply):
    return [fulfillment.get("pickup_code") for fulfillment in reply.json()["fulfillments"]]


def test_get_shows_pickup_codes_to_writers_and_only_of_pickups(service, api, mixed):
    placed = api.post("/v1/orders", mixed, expect=201)
    order = placed.json()

    assert codes(placed) == [None] * 4
    shown = codes(show(api, order, expect=200))
    assert [code is None for code in shown] == [False, False, True, False]
    assert all(len(code) == 8 and set(code) <= CODE_LETTERS for code in shown if code)
    assert len(set(shown)) == 4
    assert codes(show(api, order)) == shown
    assert codes(show(service.client(scope="orders:read"), order, expect=200)) == [None] * 4
    assert codes(show(service.client(scope="admin"), order, expect=200)) == shown
    assert codes(cancel(api, order, {0: 1})) == [None] * 4


def test_codes_are_nowhere_in_the_database_and_in_no_log(service, api, mixed, database):
    key = str(uuid.uuid4())
    order = api.post("/v1/orders", mixed, key=key, expect=201).json()
    shown = [code for code in codes(show(api, order, expect=200)) if code]
    cancel(api, order, {0: 1})
    api.post("/v1/orders", mixed, key=key, expect=201)
    tables = [row["name"] for row in database.rows(
        "select tablename as name from pg_tables where schemaname = 'holdfast'")]

    assert {"events", "fulfillments", "idempotency", "orders"} <= set(tables)
    for code in shown:
        assert [table for table in tables if database.count(f'"{table}" as t', "t::text ilike %s", f"%{code}%")] == []
        assert code not in service.log_path.read_text()


def test_without_a_secret_there_are_no_codes(services):
    retailer = Retailer(services(pickup_secret=None).client()).create()

    assert codes(show(retailer.api, retailer.order().json(), expect=200)) == [None]


# Cancelling


def test_cancelling_frees_the_units_and_ends_the_order(api, retailer, mixed, database):
    body = {**mixed, "shipping": euros(490), "payment": {"status": "captured"}}
    order = api.post("/v1/orders", body, expect=201).json()

    reply = cancel(api, order)

    done = reply.json()
    assert reply.headers["ETag"] == '"2"'
    assert (done["status"], done["version"], done["cancel_reason"]) == ("cancelled", 2, "changed her mind")
    assert [line["cancelled"] for line in done["lines"]] == [line["quantity"] for line in done["lines"]]
    assert {(f["status"], f["reason"], f["version"]) for f in done["fulfillments"]} == {
        ("cancelled", "changed her mind", 2)}
    assert done["totals"]["refund_due"] == done["totals"]["total"]
    assert done["payment_status"] == "captured"
    for location in retailer.locations:
        assert [reserved(retailer, sku, location) for sku in retailer.skus] == [0, 0, 0]
    assert_adds_up(database, *retailer.locations)
    assert show(api, order).json()["status"] == "cancelled"


def test_cancelling_twice_changes_nothing_more(api, two_of_each, database):
    cancel(api, two_of_each)

    again = cancel(api, two_of_each)

    assert again.headers["ETag"] == '"2"'
    assert database.count("events", "order_id = %s and type = 'order.cancelled'", two_of_each["id"]) == 1


def test_a_part_can_be_cancelled_bit_by_bit(api, retailer, two_of_each, database):
    first = cancel(api, two_of_each, {0: 1, 2: 2}).json()
    assert (first["status"], [line["cancelled"] for line in first["lines"]]) == ("open", [1, 0, 2])
    assert [reserved(retailer, sku) for sku in retailer.skus] == [1, 2, 0]

    last = cancel(api, two_of_each, {0: 1, 1: 2}).json()

    assert (last["status"], last["payment_status"], last["version"]) == ("cancelled", "voided", 3)
    assert [reserved(retailer, sku) for sku in retailer.skus] == [0, 0, 0]
    assert_adds_up(database, *retailer.locations)


def test_refunds_of_parts_add_up_to_the_paid_amount(api, retailer):
    order = retailer.order({retailer.skus[0]: 3, retailer.skus[1]: 2, retailer.skus[2]: 1}, shipping=euros(199),
                           tax={"amount": 1777, "included": False}, payment={"status": "captured"},
                           discounts=[{"amount": 1000}, {"amount": 333, "line": 1}]).json()
    due = []

    for lines in ({0: 1}, {1: 1, 0: 1}, {2: 1}, {0: 1}, {1: 1}):
        due.append(cancel(api, order, lines).json()["totals"]["refund_due"]["amount"])

    assert due == sorted(set(due))
    assert due[-1] == order["totals"]["total"]["amount"] == 10000 - 1333 + 199 + 1777


def test_more_than_is_left_cannot_be_cancelled(api, two_of_each):
    cancel(api, two_of_each, {0: 1})

    refused = cancel(api, two_of_each, {0: 2, 1: 2}, expect=409)

    assert (refused.json()["code"], refused.json()["current_status"]) == ("invalid-transition", "open")
    assert errors(refused) == {("#/lines/0/quantity", "not-cancellable")}
    assert [line["cancelled"] for line in show(api, two_of_each).json()["lines"]] == [1, 0, 0]


def test_unknown_or_repeated_lines_are_refused(api, two_of_each):
    line = two_of_each["lines"][0]["id"]
    path = f"/v1/orders/{two_of_each['id']}/cancel"

    refused = api.post(path, {"reason": "x", "lines": [
        {"order_line_id": line, "quantity": 1}, {"order_line_id": UNKNOWN, "quantity": 1},
        {"order_line_id": line, "quantity": 1}]}, expect=422)

    assert errors(refused) == {("#/lines/1/order_line_id", "unknown-line"), ("#/lines/2/order_line_id", "repeated")}
    for lines in ([], [{"order_line_id": line, "quantity": 0}], [{"order_line_id": "7", "quantity": 1}]):
        assert api.post(path, {"reason": "x", "lines": lines}, expect=422).json()["code"] == "validation-failed"
    for reason in (None, "", "x" * 201):
        assert api.post(path, {"reason": reason}, expect=422).json()["code"] == "validation-failed"
    assert show(api, two_of_each).json()["version"] == 1


def test_a_version_may_be_named(api, two_of_each):
    refused = cancel(api, two_of_each, headers={"If-Match": '"2"'}, expect=412)
    assert (refused.json()["code"], refused.headers["ETag"]) == ("precondition-failed", '"1"')

    cancel(api, two_of_each, {0: 1}, headers={"If-Match": '"1"'})
    cancel(api, two_of_each, {0: 1}, headers={"If-Match": '"1"'}, expect=412)
    cancel(api, two_of_each, {0: 1}, headers={"If-Match": "*"})


def hand_over(api, order):
    """The store picks all of the order's first fulfillment and gives it to the shopper."""
    fulfillment = order["fulfillments"][0]
    path = f"/v1/fulfillments/{fulfillment['id']}"
    api.post(f"{path}/pick", {"lines": [{"order_line_id": line["order_line_id"], "quantity": line["quantity"]}
                                        for line in fulfillment["lines"]]}, expect=200)
    api.post(f"{path}/ready", {}, expect=200)
    api.post(f"{path}/handover", {"proof": {"method": "id_check"}}, expect=200)


def test_handed_over_units_stay_with_the_customer(api, retailer, mixed, database):
    order = api.post("/v1/orders", {**mixed, "payment": {"status": "captured"}}, expect=201).json()
    hand_over(api, order)
    assert show(api, order).json()["status"] == "partially_fulfilled"

    done = cancel(api, order).json()

    assert done["status"] == "fulfilled"
    assert [(line["fulfilled"], line["cancelled"]) for line in done["lines"]] == [
        (2, 0), (0, 1), (0, 3), (0, 1), (1, 0), (0, 1)]
    assert done["totals"]["refund_due"] == euros(2000 + 9000 + 1000 + 1000)
    assert retailer.figures()["on_hand"] == 8
    assert_adds_up(database, *retailer.locations)


def test_an_order_that_has_left_whole_cannot_be_cancelled(api, two_of_each):
    hand_over(api, two_of_each)

    for lines in (None, {0: 1}):
        refused = cancel(api, two_of_each, lines, expect=409).json()
        assert (refused["code"], refused["current_status"]) == ("invalid-transition", "fulfilled")


def test_a_cancelled_order_says_no_more(api, two_of_each):
    cancel(api, two_of_each)

    refused = cancel(api, two_of_each, {0: 1}, expect=409).json()

    assert (refused["code"], refused["current_status"]) == ("invalid-transition", "cancelled")


def test_every_change_has_one_event(api, two_of_each, database):
    cancel(api, two_of_each, {0: 1})
    cancel(api, two_of_each)

    told = database.rows(
        "select type, actor from events where order_id = %s order by occurred_at, id", two_of_each["id"])

    assert [event["type"] for event in told] == [
        "order.created", "fulfillment.allocated", "fulfillment.units_cancelled", "order.units_cancelled", "fulfillment.cancelled",
        "order.units_cancelled", "payment.voided", "order.cancelled"]
    assert {event["actor"] for event in told} == {"tester"}
    data = database.value("select string_agg(data::text, '') from events where order_id = %s", two_of_each["id"])
    assert "Ada" not in data and "example.com" not in data
