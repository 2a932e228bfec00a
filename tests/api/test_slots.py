"""Pickup slots: capacity, free places, and that a place is taken once and given back."""

import uuid
from datetime import datetime, timedelta, timezone

import pytest


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def errors(reply):
    return {(error["pointer"], error["code"]) for error in reply.json().get("errors", [])}


def collect(retailer, slot, method="pickup", expect=201, **fields):
    choice = {"method": method, "location": retailer.store, "slot": slot}
    return retailer.order(fulfillment=choice, expect=expect, **fields)


def left(api, retailer):
    found, = api.get(f"/v1/locations/{retailer.store}/slots", expect=200).json()["data"]
    return found["left"]


def act(api, order, action, body, n=0):
    fulfillment = order["fulfillments"][n]
    return api.post(f"/v1/fulfillments/{fulfillment['id']}/{action}", body, expect=200).json()


def test_a_location_says_which_slots_it_has(api, retailer):
    slots = [{"day": "sat", "from": "12:00", "to": "14:00", "capacity": 3},
             {"day": "mon", "from": "22:00", "to": "24:00", "capacity": 1}]
    code = f"slots-{retailer.tag}"
    made = retailer.create_location(code, pickup={"slots": slots})
    assert made["pickup"]["slots"] == slots[::-1]
    assert api.get(f"/v1/locations/{code}", expect=200).json()["pickup"] == made["pickup"]
    assert "slots" not in api.get(f"/v1/locations/{retailer.store}", expect=200).json()["pickup"]
    assert api.get(f"/v1/locations/{retailer.store}/slots", expect=200).json() == {"data": []}


@pytest.mark.parametrize("slots, expected", [
    ([{"day": "mon", "from": "12:00", "to": "12:00", "capacity": 1}], ("#/pickup/slots/0/to", "out-of-range")),
    ([{"day": "mon", "from": "24:00", "to": "24:00", "capacity": 1}], ("#/pickup/slots/0/from", "malformed")),
    ([{"day": "mon", "from": "12:00", "to": "13:00", "capacity": 0}], ("#/pickup/slots/0/capacity", "out-of-range")),
    ([{"day": "mon", "from": "12:00", "to": "13:00", "capacity": 10001}], ("#/pickup/slots/0/capacity", "out-of-range")),
    ([{"day": "mon", "from": "12:00", "to": "13:00", "capacity": 1},
      {"day": "mon", "from": "12:00", "to": "14:00", "capacity": 1}], ("#/pickup/slots/1/from", "repeated")),
    ([{"day": "mon", "from": "12:00", "to": "13:00", "capacity": 1}] * 201, ("#/pickup/slots", "too-many")),
])
def test_slots_that_are_none_are_refused(api, retailer, slots, expected):
    body = {"name": "Store", "kind": "store", "time_zone": "Europe/Berlin", "country": "DE", "pickup": {"slots": slots}}
    assert expected in errors(api.put(f"/v1/locations/bad-{retailer.tag}", body, expect=422))


def test_an_order_takes_a_place_and_is_promised_for_when_its_slot_begins(api, retailer):
    slot = retailer.offer_slot(capacity=2)

    fulfillment, = collect(retailer, slot).json()["fulfillments"]

    assert fulfillment["slot"] == fulfillment["promised_at"] == slot
    assert left(api, retailer) == 1


def test_a_full_slot_is_refused_and_named(api, retailer):
    slot = retailer.offer_slot(capacity=1)
    collect(retailer, slot)

    reply = collect(retailer, slot, method="curbside", expect=409)

    assert reply.json()["code"] == "slot-full"
    assert errors(reply) == {("#/fulfillment/slot", "slot-full")}
    assert left(api, retailer) == 0 and retailer.figures()["reserved"] == 1


def test_two_fulfillments_of_one_order_take_a_place_each(api, retailer):
    slot = retailer.offer_slot(capacity=1)
    lines = [{"sku": retailer.sku, "quantity": 1, "fulfillment": {"method": method, "location": retailer.store, "slot": slot}}
             for method in ("pickup", "curbside")]

    reply = retailer.order(lines, expect=409)

    assert errors(reply) == {("#/lines/1/fulfillment/slot", "slot-full")}


@pytest.mark.parametrize("shift, code", [(timedelta(minutes=1), "unknown-slot"), (timedelta(days=7 * 60), "unknown-slot"),
                                         (timedelta(days=-7), "too-soon")])
def test_a_slot_that_is_none_or_comes_too_soon_is_refused(retailer, shift, code):
    slot = instant(retailer.offer_slot(capacity=1)) + shift

    assert errors(collect(retailer, slot.isoformat(), expect=422)) == {("#/fulfillment/slot", code)}


def test_an_order_that_is_refused_leaves_no_trace_in_the_slots(retailer, database):
    slot = instant(retailer.offer_slot(capacity=1))
    nothing_there = [{"sku": retailer.sku, "quantity": 999999}]

    for shift in (timedelta(days=7 * 60), timedelta(days=7 * 200), timedelta(days=-7)):
        collect(retailer, (slot + shift).isoformat(), expect=422)
    collect(retailer, slot.isoformat(), lines=nothing_there, expect=409)

    assert database.value("select count(*) from slots where location = %s", (retailer.store,)) == 0


def test_a_slot_that_is_listed_may_be_named_and_one_too_far_ahead_is_not_listed(api, retailer):
    retailer.offer_slot(capacity=1)
    edge = datetime.now(timezone.utc) + timedelta(days=366)
    query = {"from": (edge - timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%SZ"),
             "to": (edge + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    listed = [found["slot"] for found in
              api.get(f"/v1/locations/{retailer.store}/slots", params=query, expect=200).json()["data"]]

    assert listed and all(instant(slot) <= edge + timedelta(minutes=5) for slot in listed)
    collect(retailer, listed[-1])
    collect(retailer, (instant(listed[-1]) + timedelta(days=7)).isoformat(), expect=422)
    far = {"from": "2090-01-01T00:00:00Z"}
    assert api.get(f"/v1/locations/{retailer.store}/slots", params=far, expect=200).json() == {"data": []}


def test_a_shipment_has_no_slot_and_a_fulfillment_has_one_slot(retailer):
    slot = retailer.offer_slot(capacity=1)
    home = {"name": "Ada", "line1": "Here 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}
    assert errors(collect(retailer, slot, method="ship", ship_to=home, expect=422)) == {
        ("#/fulfillment/slot", "not-allowed")}
    lines = [{"sku": retailer.sku, "quantity": 1, "fulfillment": {"method": "pickup", "location": retailer.store, **when}}
             for when in ({"slot": slot}, {})]
    assert errors(retailer.order(lines, expect=422)) == {("#/lines/1/fulfillment/slot", "conflict")}


def test_a_cancelled_order_gives_its_place_back(api, retailer):
    slot = retailer.offer_slot(capacity=1)
    order = collect(retailer, slot).json()

    cancelled = api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed her mind"}, expect=200).json()

    assert cancelled["fulfillments"][0]["slot"] is None and left(api, retailer) == 1
    collect(retailer, slot)


def test_a_rejected_fulfillment_gives_its_place_back(api, retailer):
    order = collect(retailer, retailer.offer_slot(capacity=1)).json()

    act(api, order, "reject", {"reason": "closed"})

    assert left(api, retailer) == 1


def test_a_fulfillment_ready_early_is_held_until_its_slot_ends(api, retailer):
    slot = instant(retailer.offer_slot(capacity=1))
    path = f"/v1/locations/{retailer.store}"
    made = api.get(path, expect=200).json()
    body = {name: value for name, value in made.items() if name not in ("code", "version", "created_at", "updated_at")}
    long_slot = {**body["pickup"]["slots"][0], "to": "15:00"}
    api.put(path, {**body, "pickup": {**body["pickup"], "hold_for": "PT1H", "slots": [long_slot]}}, expect=200)
    listed, = api.get(f"{path}/slots", expect=200).json()["data"]
    ends = instant(listed["ends_at"])
    assert ends == slot + timedelta(hours=3)
    order = collect(retailer, listed["slot"]).json()
    act(api, order, "pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]})

    assert instant(act(api, order, "ready", {})["hold_until"]) == ends

    extend = f"/v1/fulfillments/{order['fulfillments'][0]['id']}/extend-hold"
    reply = api.post(extend, {"until": (ends - timedelta(seconds=1)).isoformat()}, expect=422)
    assert errors(reply) == {("#/until", "out-of-range")}
    later = ends + timedelta(hours=5)
    assert instant(act(api, order, "extend-hold", {"until": later.isoformat()})["hold_until"]) == later


def test_a_customer_who_collects_before_the_slot_frees_its_place(api, retailer):
    order = collect(retailer, retailer.offer_slot(capacity=1)).json()
    act(api, order, "pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]})
    act(api, order, "ready", {})
    assert left(api, retailer) == 0
    code = api.get(f"/v1/orders/{order['id']}", expect=200).json()["fulfillments"][0]["pickup_code"]

    act(api, order, "handover", {"proof": {"method": "code", "value": code}})

    assert left(api, retailer) == 1


def test_a_customer_in_the_slot_has_used_its_place(api, retailer, database):
    order = collect(retailer, retailer.offer_slot(capacity=1)).json()
    act(api, order, "pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]})
    act(api, order, "ready", {})
    code = api.get(f"/v1/orders/{order['id']}", expect=200).json()["fulfillments"][0]["pickup_code"]
    for table, column in (("slots", "starts_at"), ("fulfillments", "slot_at")):
        database.execute(f"update {table} set {column} = {column} - interval '7 days' where location = %s", (retailer.store,))

    handed = act(api, order, "handover", {"proof": {"method": "code", "value": code}})

    assert instant(handed["slot"]) < datetime.now(timezone.utc)
    assert database.value("select booked from slots where location = %s", (retailer.store,)) == 1


def test_slots_are_listed_for_as_long_as_asked(api, retailer):
    slot = instant(retailer.offer_slot(capacity=1))
    path = f"/v1/locations/{retailer.store}/slots"

    def listed(**query):
        return [instant(found["slot"]) for found in api.get(path, params={
            name: when.strftime("%Y-%m-%dT%H:%M:%SZ") for name, when in query.items()}, expect=200).json()["data"]]

    assert listed(**{"from": slot}) == [slot]
    assert listed(**{"from": slot, "to": slot + timedelta(days=1)}) == [slot]
    assert listed(**{"from": slot + timedelta(seconds=1), "to": slot + timedelta(days=1)}) == []
    assert len(listed(**{"from": slot, "to": slot + timedelta(days=31)})) == 5


@pytest.mark.parametrize("query", [
    {"to": "2027-01-01T00:00:00Z"}, {"from": "2027-01-02T00:00:00Z", "to": "2027-01-01T00:00:00Z"},
    {"from": "2027-01-01T00:00:00Z", "to": "2027-02-01T00:00:01Z"}, {"from": "tomorrow"}])
def test_a_stretch_that_is_none_is_refused(api, retailer, query):
    assert api.get(f"/v1/locations/{retailer.store}/slots", params=query, expect=400).json()["code"] == "invalid-parameter"


def test_a_closure_takes_the_slots_that_it_closes(api, retailer):
    slot = instant(retailer.offer_slot(capacity=1))
    path = f"/v1/locations/{retailer.store}"
    made = api.get(path, expect=200).json()
    body = {name: value for name, value in made.items() if name not in ("code", "version", "created_at", "updated_at")}

    def slots_with(**hours):
        api.put(path, {**body, "closures": [{"date": str(slot.date()), **hours}]}, expect=200)
        return len(api.get(f"{path}/slots", expect=200).json()["data"])

    assert slots_with() == 0
    assert slots_with(opens="12:30", closes="18:00") == 0
    assert slots_with(opens="10:00", closes="12:59") == 0
    assert slots_with(opens="12:00", closes="13:00") == 1


def test_slots_of_a_place_nobody_knows_or_the_token_does_not_cover(api, retailer):
    api.get(f"/v1/locations/{uuid.uuid4().hex}/slots", expect=404)
