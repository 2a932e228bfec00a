"""Short units of one location come from another one, or are cancelled and their refund is due."""

import uuid
from datetime import datetime, timedelta

import pytest
from support.database import Database
from support.retailer import Retailer
from support.work import Work

HAMBURG = {"latitude": 53.55, "longitude": 9.99}
POTSDAM = {"latitude": 52.39, "longitude": 13.06}
REASONS = ["capacity", "closed", "damaged", "not_found", "theft"]


def address(**place):
    return {"name": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115", "country": "DE", **place}


def fall_short(it, quantity=2, reason="not_found", n=0, **options):
    return it.act("short", {"lines": [{"order_line_id": it.line(n), "quantity": quantity}], "reason": reason}, **options).json()


def replacements(it):
    """(location, status, {sku: units}) of each fulfillment that replaces it, as its order shows them."""
    return [(one["location"], one["status"], {line["sku"]: line["quantity"] for line in one["lines"]})
            for one in it.order_now()["fulfillments"] if one["replaces"] == it.id]


def reserved(retailer, location, sku=None):
    return retailer.figures(sku, location)["reserved"]


# ---- the location that takes over ----

@pytest.mark.parametrize("reason", REASONS)
def test_another_store_takes_over_short_units(work, retailer, service, reason):
    it = work()
    short = fall_short(it, reason=reason)

    assert (short["lines"][0]["short"], short["lines"][0]["resourced"]) == (2, 2)
    assert (short["status"], short["replaces"]) == ("allocated", None)
    [taken] = short["replaced_by"]
    assert (taken["location"], taken["lines"]) == (retailer.other_store, [{"order_line_id": it.line(), "quantity": 2}])
    other = it.api.get(f"/v1/fulfillments/{taken['fulfillment_id']}", expect=200).json()
    assert (other["method"], other["location"], other["status"]) == ("pickup", retailer.other_store, "allocated")
    assert (other["replaces"], other["replaced_by"], other["version"]) == (it.id, [], 1)
    assert other["promised_at"] is not None and other["pickup_code"] != it.code()
    assert [(line["sku"], line["quantity"], line["remaining"]) for line in other["lines"]] == [(retailer.sku, 2, 2)]
    assert (it.figures()[2], reserved(retailer, retailer.other_store)) == (1, 2)
    service.assert_audit_clean()


def everything(database, retailer, it):
    """All that a replacement would write."""
    return {table: database.rows(f"select * from {table} where {where} order by 1, 2, 3", value) for table, where, value in [
        ("fulfillments", "order_id = %s", it.order["id"]), ("fulfillment_lines", "order_id = %s", it.order["id"]),
        ("orders", "id = %s", it.order["id"]), ("order_lines", "order_id = %s", it.order["id"]),
        ("order_places", "order_id = %s", it.order["id"]), ("events", "order_id = %s", it.order["id"]),
        ("stock", "sku = any(%s)", retailer.skus), ("ledger", "sku = any(%s)", retailer.skus)]}


def test_a_refused_short_makes_no_replacement_elsewhere(work, retailer, service, database):
    """Another store has the units; each request is refused for another reason, the first line of each could be moved."""
    it = work()
    good, one = {"order_line_id": it.line(), "quantity": 2}, {"order_line_id": it.line(1), "quantity": 1}
    elsewhere = service.client(scope="fulfillment:write", locations=[retailer.other_store])

    def refused(status, lines, api=None, **headers):
        before = everything(database, retailer, it)
        it.act("short", {"lines": lines, "reason": "not_found"}, status, api=api, **headers)
        assert everything(database, retailer, it) == before, lines

    for status, second in ((409, {**one, "quantity": 2}), (422, {**one, "order_line_id": str(uuid.uuid4())}), (422, good),
                           (422, {**one, "quantity": 0})):
        refused(status, [good, second])
    refused(409, [{**good, "quantity": 4}])
    refused(412, [good, one], headers={"If-Match": '"7"'})
    refused(403, [good, one], api=elsewhere)
    it.act("pick", {"lines": [good]})
    refused(409, [good])  # they are picked
    it.act("pick", {"lines": [{**good, "quantity": 1}, one]})
    it.act("ready")
    refused(409, [good])
    assert replacements(it) == [] and reserved(retailer, retailer.other_store) == 0
    service.assert_audit_clean()


def test_the_order_goes_on_and_an_event_tells_the_customer(work, retailer):
    it = work()
    fall_short(it)

    order = it.order_now()
    assert (order["status"], order["lines"][0]["cancelled"], order["totals"]["refund_due"]["amount"]) == ("open", 0, 0)
    assert len(order["fulfillments"]) == 2
    assert it.happened() == ["fulfillment.short_picked", "fulfillment.resourced"]
    told = next(event for event in it.told() if event["type"] == "fulfillment.resourced")
    other = order["fulfillments"][1]["id"]
    assert (told["fulfillment_id"], told["location"]) == (it.id, retailer.store)
    assert told["data"] == {"from": retailer.store, "to": retailer.other_store, "replaced_by": other, "version": 2,
                            "lines": [{"order_line_id": it.line(), "quantity": 2}]}
    allocated = [event for event in it.told() if event["type"] == "fulfillment.allocated"]
    assert (allocated[-1]["fulfillment_id"], allocated[-1]["location"]) == (other, retailer.other_store)


def test_a_rejection_moves_everything_to_one_store(work, retailer, service):
    it = work()
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 1}]})
    rejected = it.act("reject", {"reason": "closed"}).json()

    assert (rejected["status"], rejected["reason"]) == ("rejected", "closed")
    assert replacements(it) == [
        (retailer.other_store, "allocated", {retailer.skus[0]: 3, retailer.skus[1]: 1})]
    assert it.happened()[-2:] == ["fulfillment.rejected", "fulfillment.resourced"]
    assert it.figures() == (10, 0, 0)
    again = it.act("reject", {"reason": "closed"}).json()
    assert (again["version"], again["replaced_by"]) == (rejected["version"], rejected["replaced_by"])
    assert len(it.order_now()["fulfillments"]) == 2
    service.assert_audit_clean()


def test_the_nearest_store_takes_over(work, retailer):
    near = f"near-{retailer.tag}"
    retailer.create_location(near, **{**POTSDAM, "pickup": {"lead_time": "P1D", "hold_for": "P7D"}})
    retailer.stock({(near, retailer.sku): 5})
    retailer.api.put(f"/v1/locations/{retailer.other_store}", {
        "name": "far", "kind": "store", **HAMBURG, "time_zone": "Europe/Berlin", "country": "DE",
        "capabilities": ["pickup"]}, expect=200)
    it = work()
    fall_short(it)

    assert replacements(it) == [(near, "allocated", {retailer.sku: 2})]
    taken = it.order_now()["fulfillments"][1]
    promised, made = (datetime.fromisoformat(taken[name]) for name in ("promised_at", "created_at"))
    assert promised - made == timedelta(days=1)


@pytest.mark.parametrize("method", ["pickup", "curbside", "ship"])
def test_no_customer_is_sent_to_another_city(work, retailer, method):
    far = f"far-{retailer.tag}"
    retailer.create_location(far, **HAMBURG)
    retailer.stock({**{(location, retailer.sku): 0 for location in (retailer.other_store, retailer.warehouse)},
                    (far, retailer.sku): 5})
    it = work(method=method, lines={retailer.sku: 2})
    fall_short(it)

    assert replacements(it) == ([(far, "allocated", {retailer.sku: 2})] if method == "ship" else [])
    assert it.order_now()["lines"][0]["cancelled"] == (0 if method == "ship" else 2)


def test_a_retailer_says_how_far_a_customer_may_be_sent(services):
    for radius, sent in (("0", True), ("300", True), ("200", False)):
        service = services(resourcing_radius_km=radius)
        retailer = Retailer(service.client()).create()
        far = f"far-{retailer.tag}"
        retailer.create_location(far, **HAMBURG)
        retailer.stock({(retailer.other_store, retailer.sku): 0, (far, retailer.sku): 5})
        with Database(service.database_url) as database:
            it = Work(retailer, database)
            fall_short(it)
        assert replacements(it) == ([(far, "allocated", {retailer.sku: 2})] if sent else [])


def test_a_parcel_comes_from_the_nearest_to_its_address(work, retailer):
    near, far = f"a-near-{retailer.tag}", f"b-far-{retailer.tag}"
    for code, place in ((near, POTSDAM), (far, HAMBURG)):
        retailer.create_location(code, **place)
        retailer.stock({(code, retailer.sku): 5})
    retailer.stock({(location, retailer.sku): 0 for location in (retailer.other_store, retailer.warehouse)})
    it = work(method="ship", lines={retailer.sku: 2}, ship_to=address(latitude=53.5, longitude=10.1))
    without = work(method="ship", lines={retailer.sku: 2}, ship_to=address())
    fall_short(it)
    fall_short(without)

    assert replacements(it) == [(far, "allocated", {retailer.sku: 2})]
    assert replacements(without) == [(near, "allocated", {retailer.sku: 2})]


def test_only_a_location_with_the_capability_takes_over(work, retailer):
    retailer.stock({(retailer.other_store, retailer.sku): 0})
    pickup, parcel = work(lines={retailer.sku: 3}), work(lines={retailer.sku: 3}, method="ship")
    fall_short(pickup)
    fall_short(parcel)

    assert replacements(pickup) == []
    assert pickup.order_now()["lines"][0]["cancelled"] == 2
    assert replacements(parcel) == [(retailer.warehouse, "allocated", {retailer.sku: 2})]


# ---- parts ----

def test_units_that_no_location_has_are_cancelled_and_their_refund_is_due(work, retailer, service):
    retailer.stock({(retailer.other_store, retailer.sku): 1})
    it = work()
    short = fall_short(it, 3)

    assert (short["lines"][0]["short"], short["lines"][0]["resourced"]) == (3, 1)
    assert replacements(it) == [(retailer.other_store, "allocated", {retailer.sku: 1})]
    order = it.order_now()
    assert (order["status"], order["lines"][0]["cancelled"], order["totals"]["refund_due"]["amount"]) == ("open", 2, 2000)
    assert it.happened() == ["fulfillment.short_picked", "fulfillment.resourced", "order.units_cancelled", "refund.due"]
    service.assert_audit_clean()


def test_missing_units_are_split_over_a_few_stores(work, retailer, service):
    stores = [f"part-{n}-{retailer.tag}" for n in range(4)]
    for store in stores:
        retailer.create_location(store)
    retailer.stock({(retailer.other_store, retailer.sku): 0, **{(store, retailer.sku): 1 for store in stores}})
    it = work(lines={retailer.sku: 5})
    short = fall_short(it, 5)

    assert short["status"] == "cancelled"
    assert [location for location, _, _ in replacements(it)] == stores[:3]
    order = it.order_now()
    assert (order["status"], order["lines"][0]["cancelled"]) == ("open", 2)
    assert reserved(retailer, stores[3]) == 0
    service.assert_audit_clean()


def test_units_that_the_customer_does_not_want_are_not_resourced(work, retailer):
    it = work()
    short = fall_short(it, reason="customer_request")

    assert (short["lines"][0]["short"], short["lines"][0]["resourced"], replacements(it)) == (2, 0, [])
    assert it.order_now()["totals"]["refund_due"]["amount"] == 2000
    assert reserved(retailer, retailer.other_store) == 0


def test_units_that_are_kept_or_reserved_elsewhere_stay_there(work, retailer):
    retailer.stock({(retailer.other_store, retailer.sku): 5})
    retailer.api.put(f"/v1/locations/{retailer.other_store}/inventory/{retailer.sku}", {"safety_stock": 2}, expect=200)
    retailer.reserve({retailer.sku: 2}, location=retailer.other_store)
    it = work()
    fall_short(it)

    assert replacements(it) == [(retailer.other_store, "allocated", {retailer.sku: 1})]


# ---- how it goes on ----

def test_both_parts_are_collected_and_the_order_is_fulfilled(work, retailer, service):
    it = work(lines={retailer.sku: 3})
    [taken] = fall_short(it)["replaced_by"]
    it.act("pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]})
    it.act("ready")
    it.hand_over()
    assert it.order_now()["status"] == "partially_fulfilled"

    path = f"/v1/fulfillments/{taken['fulfillment_id']}"
    it.api.post(f"{path}/pick", {"lines": [{"sku": retailer.sku, "quantity": 2}]}, expect=200)
    it.api.post(f"{path}/ready", {}, expect=200)
    proof = {"method": "code", "value": it.api.get(path, expect=200).json()["pickup_code"]}
    it.api.post(f"{path}/handover", {"proof": proof}, key=str(uuid.uuid4()), expect=200)

    order = it.order_now()
    assert (order["status"], order["lines"][0]["fulfilled"], order["lines"][0]["cancelled"]) == ("fulfilled", 3, 0)
    assert retailer.figures(location=retailer.other_store)["on_hand"] == 8
    service.assert_audit_clean()


def test_the_alternate_pickup_person_may_collect_at_the_other_store(work):
    it = work()
    it.act("recipient", {"name": "Grace Hopper", "relation": "friend"})
    [taken] = fall_short(it)["replaced_by"]

    other = it.api.get(f"/v1/fulfillments/{taken['fulfillment_id']}", expect=200).json()
    assert other["recipient"] == it.now()["recipient"] == {"name": "Grace Hopper", "relation": "friend"}


def test_cancelling_the_order_frees_resourced_units(work, retailer, service):
    it = work()
    fall_short(it)
    it.api.post(f"/v1/orders/{it.order['id']}/cancel", {"reason": "changed her mind"}, expect=200)

    order = it.order_now()
    assert {one["status"] for one in order["fulfillments"]} == {"cancelled"}
    assert (order["status"], order["totals"]["refund_due"]["amount"]) == ("cancelled", 5000)
    assert (it.figures()[2], reserved(retailer, retailer.other_store)) == (0, 0)
    service.assert_audit_clean()


def test_part_of_a_line_is_cancelled_where_it_was_taken_over(work, retailer, service):
    it = work()
    fall_short(it)
    it.api.post(f"/v1/orders/{it.order['id']}/cancel",
                {"reason": "fewer", "lines": [{"order_line_id": it.line(), "quantity": 1}]}, expect=200)

    assert (it.figures()[2], reserved(retailer, retailer.other_store)) == (1, 1)
    assert it.order_now()["lines"][0]["cancelled"] == 1
    service.assert_audit_clean()


def test_units_short_again_go_to_a_third_store_and_never_back(work, retailer, service):
    third = f"third-{retailer.tag}"
    retailer.create_location(third)
    retailer.stock({(third, retailer.sku): 1})
    it = work()
    [taken] = fall_short(it)["replaced_by"]
    second = it.api.post(f"/v1/fulfillments/{taken['fulfillment_id']}/reject", {"reason": "capacity"}, expect=200).json()

    assert [one["location"] for one in second["replaced_by"]] == [third]
    assert (second["lines"][0]["short"], second["lines"][0]["resourced"]) == (2, 1)
    assert it.order_now()["lines"][0]["cancelled"] == 1
    assert [reserved(retailer, store) for store in (retailer.store, retailer.other_store, third)] == [1, 0, 1]
    service.assert_audit_clean()


def test_a_repeated_request_moves_once(work, retailer):
    it = work()
    body = {"lines": [{"order_line_id": it.line(), "quantity": 2}], "reason": "damaged"}
    first, again = (it.act("short", body, key="the-same-key") for _ in range(2))

    assert first.json() == again.json() and again.headers["Idempotent-Replayed"] == "true"
    assert len(it.order_now()["fulfillments"]) == 2


# ---- permissions ----

def test_the_staff_of_one_store_pass_work_on_to_a_store_they_may_not_act_at(work, retailer, service):
    it = work()
    here, there = (service.client(locations=[store]) for store in (retailer.store, retailer.other_store))
    assert there.get(it.path, expect=403).json()["code"] == "store-not-allowed"
    [taken] = fall_short(it, api=here)["replaced_by"]

    path = f"/v1/fulfillments/{taken['fulfillment_id']}"
    assert here.get(path, expect=403).json()["code"] == "store-not-allowed"
    there.post(f"{path}/pick", {"lines": [{"sku": retailer.sku, "quantity": 2}]}, expect=200)
    assert there.get(f"/v1/orders/{it.order['id']}", expect=200).json()["status"] == "open"
    cancel = {"reason": "fewer", "lines": [{"order_line_id": it.line(), "quantity": 1}]}
    assert there.post(f"/v1/orders/{it.order['id']}/cancel", cancel, expect=403).json()["code"] == "store-not-allowed"


def test_a_retailer_may_keep_orders_where_they_are(services):
    service = services(resourcing="off")
    retailer = Retailer(service.client()).create()
    with Database(service.database_url) as database:
        it = Work(retailer, database)
        short = fall_short(it)
        rejected = it.act("reject", {"reason": "closed"}).json()

    assert (short["lines"][0]["resourced"], rejected["replaced_by"]) == (0, [])
    order = it.order_now()
    assert (order["status"], order["totals"]["refund_due"]["amount"]) == ("cancelled", 5000)
    service.assert_audit_clean()
