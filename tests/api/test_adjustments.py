"""Adjustments of stock, item by item or all at once, and the promises that a loss of stock ends."""

import uuid

import pytest

from support.retailer import Retailer
from support.shelf import Shelf
from support.waiting import eventually, together

PATH = "/v1/inventory/adjustments/batch"


@pytest.fixture
def empty(api):
    """A retailer without stock."""
    return Retailer(api, on_hand=0, n_products=2).create()


@pytest.fixture
def item(retailer):
    """An item about the first product in the first store."""
    return lambda reason, **fields: {"location": retailer.store, "sku": retailer.sku, "reason": reason, **fields}


def adjust(api, *items, **options):
    return api.post(PATH, {"items": list(items)}, **{"expect": 207, **options})


def one(api, item):
    """The result of a single item."""
    result, = adjust(api, item).json()["results"]
    return result


def codes(problem):
    return [(error["pointer"], error["code"]) for error in problem["errors"]]


# The effect of each reason

@pytest.mark.parametrize("reason, delta, on_hand, unsellable", [
    ("receipt", 5, 15, 0), ("return", 5, 15, 0), ("found", 5, 15, 0), ("correction", 5, 15, 0),
    ("count", 5, 15, 0), ("sale", -4, 6, 0), ("theft", -4, 6, 0), ("correction", -4, 6, 0), ("count", -4, 6, 0),
    ("damage", -4, 10, 4), ("damage", 4, 10, 4)])
def test_a_delta_moves_units(api, retailer, item, reason, delta, on_hand, unsellable):
    result = one(api, item(reason, delta=delta, reference="slip 7"))
    assert uuid.UUID(result.pop("id"))
    assert result == {"index": 0, "ref": "slip 7", "status": 201, "location": retailer.store, "sku": retailer.sku,
                      "on_hand": on_hand, "unsellable": unsellable, "reserved": 0, "safety_stock": 0,
                      "available": on_hand - unsellable}


@pytest.mark.parametrize("reason", ["count", "correction", "theft"])
def test_a_counted_figure_goes_through_the_ledger(api, retailer, item, reason, database):
    assert one(api, item(reason, on_hand=7))["on_hand"] == 7
    row = database.rows("select * from ledger where location = %s and sku = %s order by number desc limit 1",
                        retailer.store, retailer.sku)[0]
    assert (row["reason"], row["on_hand_change"], row["on_hand_after"]) == (reason, -3, 7)


def test_a_count_of_the_known_figure_leaves_no_trace(api, retailer, item, database):
    before = database.count("ledger", "location = %s", retailer.store)
    result = one(api, item("count", on_hand=10))
    assert (result["status"], result["on_hand"], "id" in result) == (200, 10, False)
    assert database.count("ledger", "location = %s", retailer.store) == before


def test_a_count_may_say_how_many_are_unsellable(api, item):
    one(api, item("damage", delta=-4))
    assert one(api, item("count", on_hand=6))["unsellable"] == 4
    written_off = one(api, item("count", on_hand=6, unsellable=0))
    assert (written_off["unsellable"], written_off["available"]) == (0, 6)
    assert one(api, item("count", on_hand=3, unsellable=2))["available"] == 1


def test_goods_make_a_row_when_they_first_come(api, empty):
    result = one(api, {"location": empty.store, "sku": empty.sku, "delta": 5, "reason": "receipt"})
    assert (result["status"], result["on_hand"]) == (201, 5)


# Refusals

@pytest.mark.parametrize("fields, pointer, code", [
    ({"reason": "receipt"}, "", "either-or"),
    ({"reason": "correction", "delta": 1, "on_hand": 1}, "/on_hand", "either-or"),
    ({"reason": "receipt", "delta": -1}, "/delta", "out-of-range"),
    ({"reason": "found", "delta": -1}, "/delta", "out-of-range"),
    ({"reason": "return", "delta": -1}, "/delta", "out-of-range"),
    ({"reason": "sale", "delta": 1}, "/delta", "out-of-range"),
    ({"reason": "theft", "delta": 1}, "/delta", "out-of-range"),
    ({"reason": "correction", "delta": 0}, "/delta", "out-of-range"),
    ({"reason": "damage", "on_hand": 1}, "/on_hand", "not-allowed"),
    ({"reason": "correction", "delta": 1, "unsellable": 1}, "/unsellable", "not-allowed"),
    ({"reason": "count", "on_hand": 1, "unsellable": 2}, "/unsellable", "out-of-range"),
    ({"reason": "found", "delta": 1_000_000_000}, "/delta", "out-of-range"),
])
def test_an_item_that_breaks_a_rule_is_refused_alone(api, retailer, fields, pointer, code):
    bad = {"location": retailer.store, "sku": retailer.sku, **fields}
    good = {"location": retailer.store, "sku": retailer.skus[1], "delta": 1, "reason": "receipt"}

    reply = adjust(api, good, bad).json()

    assert reply["summary"] == {"ok": 1, "failed": 1}
    assert reply["results"][1]["status"] == 422
    assert reply["results"][1]["problem"]["code"] == "validation-failed"
    assert codes(reply["results"][1]["problem"]) == [(f"#/items/1{pointer}", code)]
    assert (retailer.available(retailer.skus[1]), retailer.available()) == (11, 10)


def test_an_adjustment_cannot_take_more_than_is_on_hand(api, retailer, item):
    one(api, item("damage", delta=-3))
    for reason in ("sale", "theft", "damage", "correction"):
        result = one(api, item(reason, delta=-8))
        assert (result["status"], result["problem"]["code"]) == (409, "insufficient-stock")
        assert result["problem"]["errors"][0]["available"] == 7
    assert retailer.figures()["on_hand"] == 10


def test_unknown_places_and_products_are_named(api, retailer, item):
    reply = adjust(api, item("receipt", delta=1, location="no-store"), item("receipt", delta=1, sku="NO-SKU"),
                   item("count", on_hand=0, sku="NO-SKU")).json()
    assert [result["status"] for result in reply["results"]] == [422, 422, 422]
    assert [codes(result["problem"]) for result in reply["results"]] == [
        [("#/items/0/location", "unknown-location")], [("#/items/1/sku", "unknown-sku")], [("#/items/2/sku", "unknown-sku")]]


def test_each_item_must_be_at_a_location_of_the_token(service, retailer):
    client = service.client(locations=[retailer.store])
    items = [{"location": location, "sku": retailer.sku, "delta": 1, "reason": "receipt"}
             for location in (retailer.store, retailer.warehouse)]
    results = adjust(client, *items).json()["results"]
    assert [result["status"] for result in results] == [201, 403]
    assert results[1]["problem"]["code"] == "store-not-allowed"
    refused = adjust(client, *items, params={"atomic": "true"}, expect=403).json()
    assert (refused["code"], codes(refused)) == ("store-not-allowed", [("#/items/1/location", "store-not-allowed")])
    assert retailer.figures()["on_hand"] == 11


@pytest.mark.parametrize("items", [
    [], [{}] * 501, [{"location": "L", "sku": "S", "delta": 1, "reason": "gift"}],
    [{"location": "L", "sku": "S", "delta": 1}], [{"location": "L", "delta": 1, "reason": "receipt"}],
    [{"location": "L", "sku": "S", "delta": 1.5, "reason": "receipt"}],
    [{"location": "L", "sku": "S", "delta": 10**10, "reason": "receipt"}],
    [{"location": "L", "sku": "S", "on_hand": -1, "reason": "count"}],
    [{"location": "L", "sku": "S", "delta": 1, "reason": "receipt", "note": "x"}],
    [{"location": "L", "sku": "S", "delta": 1, "reason": "receipt", "reference": "x" * 201}]])
def test_a_batch_that_cannot_be_read_is_refused_whole(api, items):
    assert adjust(api, *items, expect=422).json()["code"] == "validation-failed"


def test_adjusting_needs_its_scope_and_a_key(service, api, item):
    adjust(service.client(scope="inventory:read orders:write"), item("receipt", delta=1), expect=403)
    missing = adjust(api, item("receipt", delta=1), key=None, expect=400)
    assert missing.json()["code"] == "idempotency-key-missing"


# Several items

def test_items_naming_the_same_row_are_applied_in_order(api, item):
    results = adjust(api, item("sale", delta=-10), item("sale", delta=-1), item("receipt", delta=3), item("sale", delta=-3),
                     item("count", on_hand=5), item("theft", delta=-5)).json()["results"]
    assert [result["status"] for result in results] == [201, 409, 201, 201, 201, 201]
    assert [result.get("on_hand") for result in results] == [0, None, 3, 0, 5, 0]


def test_five_hundred_items_in_one_batch(api, item, retailer):
    reply = adjust(api, *(item("receipt", delta=1, reference=f"r{n}") for n in range(500))).json()
    assert reply["summary"] == {"ok": 500, "failed": 0}
    assert [result["on_hand"] for result in reply["results"]] == list(range(11, 511))
    assert [result["ref"] for result in reply["results"]] == [f"r{n}" for n in range(500)]
    assert len({result["id"] for result in reply["results"]}) == 500


def test_atomic_takes_all(api, item, retailer):
    reply = adjust(api, item("receipt", delta=1), item("sale", delta=-2), params={"atomic": "true"}, expect=200).json()
    assert reply["summary"] == {"ok": 2, "failed": 0}
    assert retailer.figures()["on_hand"] == 9


def test_atomic_takes_none_when_one_fails(api, item, retailer, database):
    before = database.count("ledger", "location = %s", retailer.store)
    short = adjust(api, item("receipt", delta=1), item("sale", delta=-12), item("sale", delta=-1),
                   params={"atomic": "true"}, expect=409).json()
    assert (short["code"], codes(short)) == ("insufficient-stock", [("#/items/1/delta", "insufficient-stock")])
    assert short["errors"][0]["available"] == 11
    wrong = adjust(api, item("sale", delta=-12), item("sale", delta=1), params={"atomic": "true"}, expect=422).json()
    assert codes(wrong) == [("#/items/0/delta", "insufficient-stock"), ("#/items/1/delta", "out-of-range")]
    assert retailer.figures()["on_hand"] == 10
    assert database.count("ledger", "location = %s", retailer.store) == before


def test_atomic_and_its_neighbours_do_not_touch_each_other(api, item, retailer, service):
    """Several batches at once may share a transaction; one that fails as a whole undoes only itself."""
    failing = [item("receipt", delta=100), item("sale", delta=-1000)]
    replies = together(
        [lambda: adjust(api, item("receipt", delta=1)) for _ in range(10)]
        + [lambda: adjust(api, *failing, params={"atomic": "true"}, expect=409) for _ in range(10)])
    assert len(replies) == 20
    assert retailer.figures()["on_hand"] == 20
    service.assert_audit_clean()


def test_a_repeated_batch_is_answered_again_and_has_one_effect(api, item, retailer):
    key = str(uuid.uuid4())
    first = adjust(api, item("sale", delta=-1), item("sale", delta=-100), key=key)
    again = adjust(api, item("sale", delta=-1), item("sale", delta=-100), key=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert retailer.figures()["on_hand"] == 9
    other = adjust(api, item("sale", delta=-2), key=key, expect=422)
    assert other.json()["code"] == "idempotency-key-reused"
    adjust(api, item("sale", delta=-1), item("sale", delta=-100), key=key, params={"atomic": "true"}, expect=422)


# Shrink

def status(api, reservation):
    return api.get(f"/v1/reservations/{reservation}", expect=200).json()


def reserve(retailer, lines):
    return retailer.reserve(lines).json()["id"]


@pytest.mark.parametrize("fields", [
    {"reason": "count", "on_hand": 4}, {"reason": "theft", "delta": -6}, {"reason": "sale", "delta": -6},
    {"reason": "damage", "delta": -6}, {"reason": "correction", "delta": -6}, {"reason": "correction", "on_hand": 4},
    {"reason": "count", "on_hand": 10, "unsellable": 6}])
def test_a_loss_of_stock_releases_the_newest_reservations(api, retailer, item, fields, service, database):
    reservations = [reserve(retailer, {retailer.sku: 3}) for _ in range(3)]

    result = one(api, item(**fields))

    assert result["status"] == 201
    assert (result["reserved"], result["available"]) == (3, 1)
    ends = [status(api, reservation) for reservation in reservations]
    assert [(end["status"], end["reason"]) for end in ends] == [
        ("active", None), ("released", "stock_lost"), ("released", "stock_lost")]
    eventually(lambda: database.count("event_log", "subject_id = %s", reservations[2]) == 1, what="published")
    assert database.rows("select type, data from event_log where subject_id = %s", reservations[2]) == [
        {"type": "reservation.released", "data": {"reason": "stock_lost", "version": 2}}]
    service.assert_audit_clean()


def test_a_loss_of_stock_releases_a_reservation_whole(api, retailer, item):
    first, second, other = retailer.skus
    reservation = reserve(retailer, {first: 4, second: 5, other: 1})
    one(api, item("count", on_hand=3))
    assert status(api, reservation)["status"] == "released"
    assert [retailer.available(sku) for sku in retailer.skus] == [3, 10, 10]


def test_units_freed_by_one_loss_cover_the_next_one(api, retailer, item, service):
    """Both rows fall short, and the same reservation is released for both; the older one keeps its units."""
    first, second, _ = retailer.skus
    older = reserve(retailer, {first: 5, second: 5})
    newer = reserve(retailer, {first: 5, second: 5})
    adjust(api, item("count", on_hand=5), item("count", on_hand=5, sku=second))
    assert [status(api, reservation)["status"] for reservation in (older, newer)] == ["active", "released"]
    service.assert_audit_clean()


def test_safety_stock_is_sold_before_promises_are_broken(api, retailer, item):
    api.put(f"/v1/locations/{retailer.store}/inventory/{retailer.sku}", {"safety_stock": 5}, expect=200)
    reservation = reserve(retailer, {retailer.sku: 5})
    result = one(api, item("sale", delta=-5))
    assert (result["on_hand"], result["reserved"], result["available"]) == (5, 5, 0)
    assert status(api, reservation)["status"] == "active"
    one(api, item("sale", delta=-1))
    assert status(api, reservation)["status"] == "released"


def test_lapsed_reservations_cost_nobody_his_units(api, retailer, item, database):
    lapsed = reserve(retailer, {retailer.sku: 5})
    kept = reserve(retailer, {retailer.sku: 5})
    for table, column in (("reservation_lines", "reservation_id"), ("reservations", "id")):
        database.execute(f"update {table} set expires_at = clock_timestamp() - interval '1 second' where {column} = %s", lapsed)
    result = one(api, item("count", on_hand=5))
    assert (result["status"], result["reserved"]) == (201, 5)
    assert [status(api, reservation)["status"] for reservation in (lapsed, kept)] == ["expired", "active"]


def test_an_atomic_batch_that_fails_breaks_no_promise(api, retailer, item, service):
    reservation = reserve(retailer, {retailer.sku: 8})
    adjust(api, item("count", on_hand=1), item("sale", delta=-2), params={"atomic": "true"}, expect=409)
    assert status(api, reservation)["status"] == "active"
    assert retailer.figures()["reserved"] == 8
    service.assert_audit_clean()


def test_one_loss_releases_many_reservations(api, database, service):
    shelf = Shelf(database, units=60)
    body = {"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}
    for _ in range(50):
        api.post("/v1/reservations", body, expect=201)
    result = one(api, {"location": shelf.location, "sku": shelf.sku, "on_hand": 12, "reason": "count"})
    assert (result["reserved"], result["available"]) == (12, 0)
    assert database.count("reservations", "location = %s and status = 'released'", shelf.location) == 38
    service.assert_audit_clean()


def test_losses_and_reservations_at_the_same_moment(api, retailer, item, service):
    """Whatever the order, nothing is promised that is not there."""
    together([lambda: retailer.reserve({retailer.sku: 1}, expect=(201, 409)) for _ in range(20)]
             + [lambda: adjust(api, item("theft", delta=-1)) for _ in range(6)])
    figures = retailer.figures()
    assert figures["on_hand"] == 4 and figures["reserved"] == 4
    service.assert_audit_clean()


# Shrink: units of orders

def order(retailer, units, method="pickup", **fields):
    """An order of the first product: (its id, its fulfillment's id)."""
    reply = retailer.order({retailer.sku: units}, method=method, **fields).json()
    return reply["id"], reply["fulfillments"][0]["id"]


def pick(api, fulfillment, sku, units):
    api.post(f"/v1/fulfillments/{fulfillment}/pick", {"lines": [{"sku": sku, "quantity": units}]}, expect=200)


def document(api, order_id):
    return api.get(f"/v1/orders/{order_id}", expect=200).json()


def test_a_loss_releases_reservations_before_it_shorts_orders(api, retailer, item):
    placed, _ = order(retailer, 4)
    reservation = reserve(retailer, {retailer.sku: 3})
    one(api, item("count", on_hand=4))
    assert status(api, reservation)["status"] == "released"
    assert document(api, placed)["lines"][0]["cancelled"] == 0


def test_the_newest_units_of_orders_are_short(api, retailer, item, service, database):
    older, _ = order(retailer, 4)
    newer, fulfillment = order(retailer, 5, payment={"status": "captured"})

    result = one(api, item("theft", delta=-3))

    assert (result["status"], result["on_hand"], result["reserved"], result["available"]) == (201, 7, 7, 0)
    assert document(api, older)["lines"][0]["cancelled"] == 0
    after = document(api, newer)
    assert after["status"] == "open" and after["lines"][0]["cancelled"] == 2
    assert after["fulfillments"][0]["lines"][0]["short"] == 2
    told = database.rows("select type, data from events where order_id = %s and data ->> 'reason' = 'stock_lost'", newer)
    assert told == [{"type": "fulfillment.short_picked", "data": {
        "reason": "stock_lost", "lines": [{"order_line_id": after["lines"][0]["id"], "quantity": 2}], "version": 2}}]
    due = database.value("select data from events where order_id = %s and type = 'refund.due'", newer)
    assert due == {"amount": 2000, "currency": "EUR", "version": 2}
    assert database.value("select location from events where subject_id = %s and type = 'fulfillment.short_picked'",
                          fulfillment) == retailer.store
    service.assert_audit_clean()


def test_an_order_that_loses_all_its_units_is_cancelled(api, retailer, item, service):
    placed, _ = order(retailer, 4)
    one(api, item("count", on_hand=0))
    after = document(api, placed)
    assert (after["status"], after["fulfillments"][0]["status"]) == ("cancelled", "cancelled")
    service.assert_audit_clean()


def test_a_loss_never_takes_picked_units(api, retailer, item, service):
    placed, fulfillment = order(retailer, 6)
    pick(api, fulfillment, retailer.sku, 4)

    refused = one(api, item("count", on_hand=3))
    assert (refused["status"], refused["problem"]["code"]) == (409, "insufficient-stock")
    sold = one(api, item("sale", delta=-7))
    assert (sold["status"], sold["problem"]["errors"][0]["available"]) == (409, 6)
    assert document(api, placed)["lines"][0]["cancelled"] == 0

    one(api, item("sale", delta=-6))
    assert document(api, placed)["fulfillments"][0]["lines"][0] == {
        **document(api, placed)["fulfillments"][0]["lines"][0], "picked": 4, "short": 2}
    service.assert_audit_clean()


def test_a_shipment_is_packed_when_its_last_unpicked_units_are_lost(api, retailer, item, service):
    ship_to = {"name": "Ada Lovelace", "line1": "Street 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
    placed, fulfillment = order(retailer, 5, method="ship", ship_to=ship_to)
    pick(api, fulfillment, retailer.sku, 3)
    one(api, item("damage", delta=-7))
    assert document(api, placed)["fulfillments"][0]["status"] == "packed"
    service.assert_audit_clean()


def test_losses_of_one_batch_meet_in_the_same_order(api, retailer, item, service, database):
    """Two products of a paid order at one store and one at another: each loss has an event, and the last one ends the order."""
    first, second, _ = retailer.skus
    body = retailer.order_body(payment={"status": "captured"}, shipping={"amount": 490, "currency": "EUR"})
    body["lines"] = [{"sku": sku, "quantity": units, "fulfillment": {"method": "pickup", "location": location}}
                     for sku, units, location in ((first, 2, retailer.store), (second, 1, retailer.store),
                                                  (first, 1, retailer.other_store))]
    placed = api.post("/v1/orders", body, expect=201).json()["id"]

    nothing_left = [item("count", on_hand=0), item("count", on_hand=0, sku=second),
                    item("count", on_hand=0, location=retailer.other_store)]
    replies = adjust(api, item("count", on_hand=1), *nothing_left).json()["results"]

    assert [(reply["status"], reply["on_hand"], reply["reserved"]) for reply in replies] == [
        (201, 1, 1), (201, 0, 0), (201, 0, 0), (201, 0, 0)]
    after = document(api, placed)
    assert (after["status"], after["cancel_reason"]) == ("cancelled", "stock_lost")
    assert {one["status"] for one in after["fulfillments"]} == {"cancelled"}
    assert [line["cancelled"] for line in after["lines"]] == [2, 1, 1]
    told = database.rows("select type, data -> 'amount' as amount from events where order_id = %s"
                         " and type in ('order.cancelled', 'refund.due') order by id", placed)
    assert [event["amount"] for event in told if event["type"] == "refund.due"] == [1000, 1000, 2000, 1490]
    assert [event["type"] for event in told].count("order.cancelled") == 1
    assert after["totals"]["refund_due"]["amount"] == after["totals"]["total"]["amount"] == 5490
    service.assert_audit_clean()


def test_an_atomic_batch_that_fails_takes_nothing_off_an_order(api, retailer, item, service, database):
    placed, _ = order(retailer, 8, payment={"status": "captured"})
    reservation = reserve(retailer, {retailer.sku: 2, retailer.skus[1]: 9})
    before = document(api, placed), status(api, reservation), database.count("events", "location = %s", retailer.store)
    failing = [item("count", on_hand=1), item("count", on_hand=3, sku=retailer.skus[1]), item("sale", delta=-2)]
    adjust(api, *failing, params={"atomic": "true"}, expect=409)
    assert (document(api, placed), status(api, reservation),
            database.count("events", "location = %s", retailer.store)) == before
    assert [retailer.figures(sku)["reserved"] for sku in retailer.skus] == [10, 9, 0]
    adjust(api, *failing[:2], params={"atomic": "true"}, expect=200)
    assert document(api, placed)["lines"][0]["cancelled"] == 7
    service.assert_audit_clean()


@pytest.mark.parametrize("state", ["pending", "authorized", "captured"])
def test_an_atomic_batch_that_fails_leaves_the_money_of_an_order_alone(
        api, retailer, item, service, database, state):
    """The first item cancels the whole order, which lets its payment go; the second one is refused."""
    placed, _ = order(retailer, 3, payment={"status": state})
    payments = "select to_jsonb(p) as row from payments p where order_id = %s"
    before = document(api, placed), database.rows(payments, placed), database.count("events", "order_id = %s", placed)
    failing = [item("count", on_hand=0), item("sale", delta=-99, sku=retailer.skus[1])]
    adjust(api, *failing, params={"atomic": "true"}, expect=409)
    assert (document(api, placed), database.rows(payments, placed),
            database.count("events", "order_id = %s", placed)) == before
    adjust(api, failing[0], params={"atomic": "true"}, expect=200)
    assert document(api, placed)["status"] == "cancelled"
    service.assert_audit_clean()


def test_losses_orders_picks_and_cancellations_at_the_same_moment(api, service):
    """Whatever the order, nothing is promised or picked that is not there, and the papers agree."""
    retailer = Retailer(api, n_products=2, on_hand=20).create()
    pairs = [order(retailer, 2) for _ in range(6)]

    def lose():
        return adjust(api, {"location": retailer.store, "sku": retailer.sku, "delta": -2, "reason": "theft"})

    def pick_some():
        lines = {"lines": [{"sku": retailer.sku, "quantity": 1}]}
        return [api.post(f"/v1/fulfillments/{fulfillment}/pick", lines, expect=(200, 409)) for _, fulfillment in pairs[:3]]

    together([lose] * 8 + [pick_some] * 2
             + [lambda: retailer.order({retailer.sku: 1, retailer.skus[1]: 1}, expect=(201, 409))] * 8
             + [lambda: retailer.reserve({retailer.sku: 2, retailer.skus[1]: 1}, expect=(201, 409))] * 4
             + [lambda: api.post(f"/v1/orders/{pairs[4][0]}/cancel", {"reason": "changed my mind"}, expect=(200, 409))])
    service.assert_audit_clean()


# A count of another time

def moved_before(database, retailer, seconds, sku=None):
    """Let all movements of a row so far be older by so many seconds."""
    database.execute("update ledger set recorded_at = recorded_at - make_interval(secs => %s) where location = %s and sku = %s",
                     seconds, retailer.store, sku or retailer.sku)


def time_of(database, seconds_ago):
    return database.value("select to_char(clock_timestamp() at time zone 'UTC' - make_interval(secs => %s),"
                          " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", seconds_ago)


def test_a_count_of_another_time_keeps_later_movements(api, item, retailer, database, service):
    moved_before(database, retailer, 7200)
    adjust(api, item("sale", delta=-3), item("receipt", delta=5), item("damage", delta=1))
    counted = {"counted_at": time_of(database, 3600), "on_hand": 9}

    result = one(api, item("count", **counted))

    assert (result["status"], result["on_hand"], result["unsellable"]) == (201, 11, 1)
    assert one(api, item("count", **counted))["status"] == 200  # the count itself is no movement
    assert one(api, item("count", **{**counted, "on_hand": 20}))["on_hand"] == 22
    service.assert_audit_clean()


def test_a_count_of_another_time_sees_the_items_before_it(api, item, retailer, database):
    moved_before(database, retailer, 7200)
    counted = item("count", on_hand=9, counted_at=time_of(database, 3600))
    results = adjust(api, item("sale", delta=-2), counted, item("sale", delta=-1), counted).json()["results"]
    assert [result["on_hand"] for result in results] == [8, 7, 6, 6]
    refused = api.post(f"{PATH}?atomic=true", {"items": [item("sale", delta=-1), item("sale", delta=-100)]}, expect=409)
    assert refused and one(api, counted)["on_hand"] == 6


def test_a_count_of_another_time_is_a_count_of_the_past(api, item, retailer, database):
    for fields, code in (({"reason": "count", "on_hand": 1, "counted_at": time_of(database, -3600)}, "out-of-range"),
                         ({"reason": "correction", "on_hand": 1, "counted_at": time_of(database, 1)}, "not-allowed"),
                         ({"reason": "count", "delta": 1, "counted_at": time_of(database, 1)}, "not-allowed")):
        assert codes(one(api, {**item(**fields)})["problem"]) == [("#/items/0/counted_at", code)]
    moved_before(database, retailer, 7200)
    adjust(api, item("sale", delta=-8))
    refused = one(api, item("count", on_hand=7, counted_at=time_of(database, 3600)))
    assert codes(refused["problem"]) == [("#/items/0/on_hand", "out-of-range")] and retailer.figures()["on_hand"] == 2


def test_movements_before_a_count_cost_it_nothing(retailer, database):
    """The newest movement before the count is found from the newest backwards, by the ledger's key."""
    database.execute("insert into ledger select %s, %s, n + 100, 'sale', -1, 0, 0, 0, null, null, 'test',"
                     " clock_timestamp() - interval '1 day' from generate_series(1, 20000) n", retailer.warehouse, retailer.sku)
    text = "\n".join(str(row) for row in database.rows(
        "explain (analyze, costs off, timing off, buffers) select l.number from ledger l where l.location = %s and l.sku = %s"
        " and l.recorded_at <= clock_timestamp() - interval '1 hour' order by l.number desc limit 1",
        retailer.warehouse, retailer.sku))
    database.execute("delete from ledger where location = %s and sku = %s and actor = 'test'", retailer.warehouse, retailer.sku)
    assert "Index Scan Backward" in text and "Rows Removed" not in text, text


def test_a_shrink_says_how_many_promised_units_it_took_away(api, item, retailer, service):
    retailer.reserve([{"sku": retailer.sku, "quantity": 4}])
    retailer.order([{"sku": retailer.sku, "quantity": 3}])
    assert "stock_lost" not in one(api, item("count", on_hand=8))
    assert one(api, item("count", on_hand=6))["stock_lost"] == 4  # a reservation goes whole
    assert one(api, item("count", on_hand=1))["stock_lost"] == 2
    service.assert_audit_clean()
