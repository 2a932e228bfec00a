"""An order changes after it was placed: all that is asked for at once, or nothing."""

import uuid

import pytest

HOME = {"name": "Ada Lovelace", "line1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}
UNKNOWN = "0190a6e2-7b7c-7def-8123-456789abcdef"


def pickup(location, **more):
    return {"method": "pickup", "location": location, **more}


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


def change(client, order, lines=None, expect=200, key=None, if_match=None, **members):
    body = {"reason": "the customer called", **members}
    if lines is not None:
        body["lines"] = lines
    headers = {"If-Match": if_match} if if_match else None
    options = {"headers": headers} if headers else {}
    if key:
        options["key"] = key
    return client.post(f"/v1/orders/{order['id']}/change", body, expect=expect, **options)


def line(order, n=0, **members):
    return {"order_line_id": order["lines"][n]["id"], **members}


def show(client, order):
    return client.get(f"/v1/orders/{order['id']}", expect=200).json()


def errors(reply):
    return {(error["pointer"], error["code"]) for error in reply.json().get("errors", [])}


def events(client, order, kind):
    data = client.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"]
    return [entry["data"] for entry in data if entry["type"] == kind]


@pytest.fixture
def order(retailer):
    """Three of the first product and two of the second, collected at the store, paid."""
    return retailer.order({retailer.skus[0]: 3, retailer.skus[1]: 2}, payment={"status": "captured"}, ship_to=HOME).json()


@pytest.fixture(autouse=True)
def books(service):
    yield
    service.assert_audit_clean()


def reserved(retailer, sku=None, location=None):
    return retailer.figures(sku, location)["reserved"]


# Lines


def test_several_changes_are_one(api, retailer, order):
    changed = change(api, order, [
        line(order, 0, quantity=5), line(order, 1, quantity=1),
        {"sku": retailer.skus[2], "quantity": 2, "fulfillment": {"method": "ship", "location": retailer.warehouse}}])
    now = changed.json()

    assert changed.headers["ETag"] == '"2"' and now["version"] == 2
    assert [(one["quantity"], one["cancelled"]) for one in now["lines"]] == [(5, 0), (2, 1), (2, 0)]
    assert now["totals"]["total"] == euros(5 * 1000 + 2 * 2000 + 2 * 3000)
    assert [(one["method"], one["location"], one["status"]) for one in now["fulfillments"]] == [
        ("pickup", retailer.store, "allocated"), ("ship", retailer.warehouse, "allocated")]
    assert [reserved(retailer, sku) for sku in retailer.skus[:2]] == [5, 1]
    assert reserved(retailer, retailer.skus[2], retailer.warehouse) == 2
    assert show(api, order)["lines"] == now["lines"]


def test_the_timeline_keeps_the_old_and_the_new_values(api, retailer, order):
    change(api, order, [line(order, 0, quantity=1)], ship_to={**HOME, "line1": "Elsewhere 2"})

    told, = events(api, order, "order.changed")
    assert (told["reason"], told["members"]) == ("the customer called", ["lines", "ship_to"])
    held = {"method": "pickup", "location": retailer.store}
    assert told["before"]["lines"] == [{"order_line_id": order["lines"][0]["id"], "sku": retailer.sku, "quantity": 3,
                                        "held": [{**held, "quantity": 3}]}]
    assert told["after"]["lines"] == [{"order_line_id": order["lines"][0]["id"], "sku": retailer.sku, "quantity": 1,
                                       "held": [{**held, "quantity": 1}]}]
    assert "Elsewhere" not in str(api.get(f"/v1/orders/{order['id']}/timeline").json())
    assert show(api, order)["ship_to"]["line1"] == "Elsewhere 2"


def test_a_line_moves_to_another_store_and_its_queue_follows(api, retailer, order):
    queues = {at: api.get(f"/v1/locations/{at}/queue").headers["ETag"] for at in (retailer.store, retailer.other_store)}
    now = change(api, order, [line(order, n, fulfillment=pickup(retailer.other_store)) for n in (0, 1)]).json()

    assert [(one["location"], one["status"]) for one in now["fulfillments"]] == [
        (retailer.store, "cancelled"), (retailer.other_store, "allocated")]
    assert [one["moved"] for one in now["fulfillments"][0]["lines"]] == [3, 2]
    assert [one["cancelled"] for one in now["lines"]] == [0, 0]
    assert (now["status"], now["totals"]["refund_due"]["amount"]) == ("open", 0)
    assert reserved(retailer) == 0 and reserved(retailer, None, retailer.other_store) == 3
    for at, tag in queues.items():
        assert api.get(f"/v1/locations/{at}/queue").headers["ETag"] != tag
    assert api.get(f"/v1/locations/{retailer.store}/queue").json()["data"] == []
    card, = api.get(f"/v1/locations/{retailer.other_store}/queue").json()["data"]
    assert sum(one["quantity"] for one in card["lines"]) == 5


def test_moved_units_can_be_picked_and_collected(api, retailer, order):
    now = change(api, order, [line(order, n, fulfillment=pickup(retailer.other_store)) for n in (0, 1)]).json()
    it = f"/v1/fulfillments/{now['fulfillments'][1]['id']}"
    api.post(f"{it}/pick", {"lines": [{"order_line_id": one["id"], "quantity": one["quantity"]} for one in now["lines"]]}, expect=200)
    api.post(f"{it}/ready", {}, expect=200)
    code = next(one["pickup_code"] for one in show(api, order)["fulfillments"] if one["location"] == retailer.other_store)
    api.post(f"{it}/handover", {"proof": {"method": "code", "value": code}}, key=str(uuid.uuid4()), expect=200)

    assert show(api, order)["status"] == "fulfilled"
    refused = change(api, order, [line(order, 0, quantity=1)], expect=409)
    assert (refused.json()["code"], refused.json()["status"]) == ("invalid-transition", 409)


def test_units_may_move_there_and_back(api, retailer, order):
    change(api, order, [line(order, 0, fulfillment=pickup(retailer.other_store))])
    now = change(api, order, [line(order, 0, fulfillment=pickup(retailer.store))]).json()

    assert reserved(retailer) == 3 and reserved(retailer, None, retailer.other_store) == 0
    first = now["fulfillments"][0]["lines"][0]
    assert (first["quantity"], first["moved"], first["remaining"]) == (6, 3, 3)


def test_removing_all_lines_cancels_the_order(api, retailer, order):
    now = change(api, order, [line(order, 0, remove=True), line(order, 1, remove=True)]).json()

    assert (now["status"], now["cancel_reason"]) == ("cancelled", "the customer called")
    assert now["totals"]["refund_due"] == now["totals"]["total"]
    assert change(api, order, [line(order, 0, quantity=1)], expect=409).json()["code"] == "invalid-transition"


def test_a_change_to_the_current_values_changes_nothing(api, order):
    reply = change(api, order, [line(order, 0, quantity=3)])

    assert reply.headers["ETag"] == '"1"' and events(api, order, "order.changed") == []


def test_a_slot_is_booked_and_the_one_before_given_back(api, retailer, database):
    slot = retailer.offer_slot(1)
    order = retailer.order({retailer.sku: 1}, fulfillment=pickup(retailer.store, slot=slot)).json()

    # The slot is full, and another order does not get it by being changed.
    other = retailer.order({retailer.sku: 1}).json()
    refused = change(api, other, [line(other, 0, fulfillment=pickup(retailer.store, slot=slot))], expect=409)
    assert (refused.json()["code"], errors(refused)) == ("slot-full", {("#/lines/0/fulfillment/slot", "slot-full")})

    change(api, order, [line(order, 0, fulfillment=pickup(retailer.other_store))])
    assert database.value("select booked from slots where location = %s", retailer.store) == 0
    now = change(api, other, [line(other, 0, fulfillment=pickup(retailer.store, slot=slot))]).json()
    assert now["fulfillments"][1]["promised_at"] == slot
    assert database.value("select booked from slots where location = %s", retailer.store) == 1


# Amounts


def test_amounts_change_for_the_remaining_units(api, retailer):
    order = retailer.order({retailer.skus[0]: 3, retailer.skus[1]: 2}, payment={"status": "captured"},
                           discounts=[{"amount": 700}], shipping=euros(490)).json()
    credited = change(api, order, [line(order, 0, quantity=2)]).json()["totals"]["refund_due"]["amount"]
    now = change(api, order, discounts=[{"amount": 1000, "reason": "sorry"}], shipping=euros(0)).json()

    assert credited == 900
    assert now["totals"]["total"] == euros(7000 - 1000) and now["totals"]["discount"] == euros(1000)
    assert now["discounts"] == [{"amount": 1000, "reason": "sorry"}]


def test_discounts_above_the_remaining_value_are_refused(api, retailer, order):
    refused = change(api, order, [line(order, 0, remove=True)], discounts=[{"amount": 4001}], expect=422)

    assert errors(refused) == {("#/discounts", "too-large")}
    assert show(api, order)["version"] == 1


def test_a_line_that_is_added_may_have_a_discount(api, retailer, order):
    now = change(api, order, [{"sku": retailer.skus[2], "quantity": 1, "fulfillment": pickup(retailer.store)}],
                 discounts=[{"amount": 500, "line": 2}]).json()

    assert now["totals"]["total"] == euros(7000 + 3000 - 500)
    assert errors(change(api, order, discounts=[{"amount": 1, "line": 3}], expect=422)) == {
        ("#/discounts/0/line", "out-of-range")}


# People


def test_customer_and_alternate_pickup_person_are_replaced(api, retailer, order):
    now = change(api, order, customer={"name": "Bob", "phone": "030 1"}, recipient={"name": "Eve", "relation": "friend"}).json()

    assert (now["customer"]["name"], now["customer"]["email"]) == ("Bob", None)
    card, = api.get(f"/v1/locations/{retailer.store}/queue").json()["data"]
    assert card["recipient"] == {"name": "Eve", "relation": "friend"}


# Refusals


def test_a_change_is_refused_whole_and_every_part_is_named(api, retailer, order):
    before = show(api, order)
    refused = change(api, order, [
        line(order, 0, quantity=1),
        {"sku": f"{retailer.sku}-none", "quantity": 1, "fulfillment": pickup(retailer.store)},
        {"sku": retailer.sku, "quantity": 1, "fulfillment": pickup("nowhere-at-all")},
        {"order_line_id": UNKNOWN, "quantity": 1}], expect=422)

    assert refused.json()["code"] == "validation-failed"
    assert errors(refused) == {("#/lines/1/sku", "unknown-sku"), ("#/lines/2/fulfillment/location", "unknown-location"),
                               ("#/lines/3/order_line_id", "unknown-line")}
    assert show(api, order) == before and reserved(retailer) == 3


def test_each_short_line_is_named_with_its_available_units(api, retailer, order):
    refused = change(api, order, [line(order, 0, quantity=11), line(order, 1, quantity=20)], expect=409)

    assert refused.json()["code"] == "insufficient-stock"
    assert {(error["pointer"], error["available"]) for error in refused.json()["errors"]} == {
        ("#/lines/0/quantity", 7), ("#/lines/1/quantity", 8)}


def test_picked_units_do_not_move(api, retailer, order):
    api.post(f"/v1/fulfillments/{order['fulfillments'][0]['id']}/pick",
             {"lines": [{"order_line_id": order["lines"][0]["id"], "quantity": 1}]}, expect=200)
    refused = change(api, order, [line(order, 0, fulfillment=pickup(retailer.other_store)), line(order, 1, quantity=1)], expect=409)

    assert (refused.json()["code"], errors(refused)) == ("invalid-transition", {("#/lines/0/fulfillment", "already-picked")})
    assert show(api, order)["lines"][1]["cancelled"] == 0


@pytest.mark.parametrize("body, at", [
    ({}, ("#", "required")),
    ({"lines": [{"quantity": 1}]}, ("#/lines/0/order_line_id", "required")),
    ({"lines": [{"sku": "A", "quantity": 1}]}, ("#/lines/0/fulfillment", "required")),
    ({"lines": [{"order_line_id": UNKNOWN}]}, ("#/lines/0/quantity", "required")),
    ({"lines": [{"order_line_id": UNKNOWN, "remove": True, "quantity": 1}]}, ("#/lines/0/remove", "conflict")),
    ({"lines": [{"order_line_id": UNKNOWN, "quantity": 1}] * 2}, ("#/lines/1/order_line_id", "repeated")),
    ({"lines": []}, ("#/lines", "too-few")),
    ({"lines": [{"order_line_id": UNKNOWN, "quantity": 1}] * 51}, ("#/lines", "too-many")),
    ({"customer": {"name": "Ada", "email": "ada"}}, ("#/customer/email", "malformed")),
    ({"ship_to": {**HOME, "country": "XX"}}, ("#/ship_to/country", "malformed")),
    ({"colour": "red", "shipping": {"amount": 1, "currency": "EUR"}}, ("#/colour", "unknown-member"))])
def test_each_invalid_value_is_named(api, order, body, at):
    refused = api.post(f"/v1/orders/{order['id']}/change", {"reason": "r", **body}, expect=422)

    assert refused.json()["code"] == "validation-failed" and at in errors(refused)


def test_a_shipping_in_another_currency_is_refused(api, order):
    refused = change(api, order, shipping={"amount": 1, "currency": "USD"}, expect=422)

    assert errors(refused) == {("#/shipping/currency", "currency-mismatch")}


# Permissions and versions


def test_a_change_acts_where_the_units_are_and_where_they_go(service, retailer, order):
    here = service.client(locations=[retailer.store])
    there = service.client(locations=[retailer.other_store])

    assert change(here, order, [line(order, 0, fulfillment=pickup(retailer.other_store))], expect=403).json()["code"] == "store-not-allowed"
    assert change(there, order, [line(order, 0, quantity=1)], expect=403).json()["code"] == "store-not-allowed"
    change(here, order, [line(order, 0, quantity=1)])


def test_a_change_of_the_whole_order_needs_every_location_that_holds_it(service, retailer, order, api):
    change(api, order, [line(order, 0, fulfillment=pickup(retailer.other_store))])
    here = service.client(locations=[retailer.store])

    assert change(here, order, customer={"name": "Bob"}, expect=403).json()["code"] == "store-not-allowed"


def test_an_old_version_is_refused(api, order):
    change(api, order, [line(order, 0, quantity=2)], if_match='"1"')
    assert change(api, order, [line(order, 0, quantity=1)], if_match='"1"', expect=412).json()["code"] == "precondition-failed"


def test_a_change_is_replayed_as_it_was(api, order, database):
    key = str(uuid.uuid4())
    first = change(api, order, [line(order, 0, quantity=5)], key=key)
    again = change(api, order, [line(order, 0, quantity=5)], key=key)

    assert again.content == first.content and again.headers["Idempotent-Replayed"] == "true"
    assert len(events(api, order, "order.changed")) == 1


def test_an_order_nobody_knows_is_not_found(api):
    body = {"reason": "r", "customer": {"name": "Bob"}}
    assert api.post(f"/v1/orders/{UNKNOWN}/change", body, expect=404).json()["code"] == "not-found"


def test_the_scope_is_needed(service, order):
    reader = service.client(scope="orders:read")
    assert change(reader, order, customer={"name": "Bob"}, expect=403).json()["code"] == "insufficient-scope"
