"""Everybody wants the same pickup slot, at two instances."""

import uuid
from collections import Counter

import pytest

from support.crowd import rush, shoppers
from support.retailer import Retailer
from support.shelf import assert_adds_up

BUYERS = 200
PLACES = 20
PLENTY = 10_000
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


@pytest.fixture
def retailer(pair, database):
    """So many products that buyers meet at the slot and not at a shelf; at the end the books must balance."""
    made = Retailer(pair[0].client(), on_hand=PLENTY, n_products=20).create()
    yield made
    assert_adds_up(database, *made.locations)
    pair[0].assert_audit_clean()


@pytest.fixture
def people(pair, token):
    return lambda n: shoppers(n, *pair, token=token)


def body_of(retailer, i, **slots):
    """An order to be collected from each location in its slot."""
    return retailer.order_body([
        {"sku": retailer.skus[i % 20], "quantity": 1, "fulfillment": {"method": "pickup", "location": location, "slot": slot}}
        for location, slot in slots.items()])


def place(shopper, body):
    return shopper.ask("POST", "/v1/orders", body, str(uuid.uuid4()))


def cancel(shopper, order):
    return shopper.ask("POST", f"/v1/orders/{order['id']}/cancel", {"reason": "changed"}, str(uuid.uuid4()))


def booked(database, location):
    return database.value("select sum(booked)::bigint from slots where location = %s", location)


@pytest.mark.parametrize("round_number", range(3))
def test_a_slot_is_never_overbooked(people, retailer, database, round_number):
    slot = retailer.offer_slot(PLACES)
    bodies = [body_of(retailer, i, **{retailer.store: slot}) for i in range(BUYERS)]

    answers = rush(people(BUYERS), lambda shopper, i: place(shopper, bodies[i]))

    assert Counter((answer.status, answer.code) for answer in answers) == {
        (201, None): PLACES, (409, "slot-full"): BUYERS - PLACES}
    assert booked(database, retailer.store) == PLACES


def test_crossing_slots_are_taken_and_given_back_without_deadlock(people, retailer, database):
    slots = {location: retailer.offer_slot(PLENTY, location) for location in (retailer.store, retailer.other_store)}
    turned = dict(reversed(slots.items()))
    before = database.value(DEADLOCKS)

    async def act(shopper, i):
        for n in range(3):
            placed = await place(shopper, body_of(retailer, i + n, **(slots if i % 2 else turned)))
            assert placed.status == 201
            if n:
                assert (await cancel(shopper, placed.json())).status == 200

    rush(people(40), act)

    assert database.value(DEADLOCKS) == before
    assert [booked(database, location) for location in slots] == [40, 40]


def test_places_that_are_given_back_are_taken_again_and_not_more(people, retailer, database):
    """Half of the buyers cancel at once; a refused buyer asks again."""
    slot = retailer.offer_slot(5)

    async def act(shopper, i):
        for n in range(6):
            placed = await place(shopper, body_of(retailer, i + n, **{retailer.store: slot}))
            if placed.status == 201:
                assert (await cancel(shopper, placed.json())).status == 200
            else:
                assert placed.code == "slot-full"

    rush(people(30), act)

    assert booked(database, retailer.store) == 0
    answers = rush(people(10), lambda shopper, i: place(shopper, body_of(retailer, i, **{retailer.store: slot})))
    assert sorted(answer.status for answer in answers) == [201] * 5 + [409] * 5
