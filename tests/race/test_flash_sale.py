"""Everybody wants the same things at the same moment, at two instances."""

import uuid
from collections import Counter

import pytest

from support.crowd import crowd, rush, shoppers

BUYERS = 400
UNITS = 100


def statuses(answers):
    return Counter(answer.status for answer in answers)


@pytest.mark.parametrize("sale", range(20))
def test_four_hundred_buyers_get_exactly_the_hundred_units(pair, token, shelf_of, database, sale):
    shelf = shelf_of(UNITS)
    keys = [str(uuid.uuid4()) for _ in range(BUYERS)]
    records_before = database.count("idempotency")

    answers = rush(shoppers(BUYERS, *pair, token=token),
                   lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: 1}, keys[i]))

    assert statuses(answers) == {201: UNITS, 409: BUYERS - UNITS}
    assert {answer.code for answer in answers if answer.status == 409} == {"insufficient-stock"}
    promised = {answer.json()["id"] for answer in answers if answer.status == 201}
    found = {row["id"] for row in database.rows("select id::text from reservations where location = %s", shelf.location)}
    assert promised == found and len(found) == UNITS
    assert shelf.row()["reserved"] == shelf.held() == UNITS
    shelf.assert_adds_up()
    assert database.count("idempotency") == records_before + BUYERS

    # A repeated request at the other instance gets the same answer and no second effect.
    again = rush(shoppers(BUYERS, *reversed(pair), token=token),
                 lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: 1}, keys[i]))
    assert [(answer.status, answer.body) for answer in again] == [(answer.status, answer.body) for answer in answers]
    assert all(answer.replayed for answer in again)
    assert shelf.row()["reserved"] == shelf.reservations() == UNITS
    assert database.count("idempotency") == records_before + BUYERS


def test_an_order_that_does_not_fit_lets_smaller_ones_pass(pair, token, shelf_of):
    shelf = shelf_of(units=10)
    sizes = [11] + [1] * 10 + [11] * 9

    answers = rush(shoppers(len(sizes), *pair, token=token),
                   lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: sizes[i]}))

    assert [answer.status for answer in answers] == [201 if size == 1 else 409 for size in sizes]
    shelf.assert_adds_up()


def test_crossing_baskets_never_lock_each_other_out(pair, token, shelf_of, database):
    shelf = shelf_of(units=10_000, n_skus=6)
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    before = database.value(deadlocks)
    n, rounds = 40, 5

    async def baskets(shopper, i):
        order = shelf.skus if i % 2 else list(reversed(shelf.skus))
        order = order[i % 6:] + order[:i % 6]
        return [await shopper.reserve(shelf.location, {sku: 1 for sku in order}) for _ in range(rounds)]

    answers = [answer for each in rush(shoppers(n, *pair, token=token), baskets) for answer in each]

    assert statuses(answers) == {201: n * rounds}
    assert database.value(deadlocks) == before
    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [n * rounds] * 6
    shelf.assert_adds_up()


def test_takers_and_givers_of_crossing_baskets_meet_without_deadlock(pair, token, shelf_of, database):
    """Releasing locks the document first and then the same rows as reserving does, in the same order."""
    shelf = shelf_of(units=10_000, n_skus=4)
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    before = database.value(deadlocks)

    async def take_and_give(shopper, i):
        lines = {sku: 1 for sku in (shelf.skus if i % 2 else reversed(shelf.skus))}
        for _ in range(4):
            taken = await shopper.reserve(shelf.location, lines)
            assert taken.status == 201
            given = await shopper.ask("DELETE", f"/v1/reservations/{taken.json()['id']}")
            assert (given.status, given.json()["status"]) == (200, "released")

    rush(shoppers(30, *pair, token=token), take_and_give)

    assert database.value(deadlocks) == before
    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [0] * 4
    shelf.assert_adds_up()


def test_a_reservation_is_released_once_however_many_ask(pair, token, shelf_of):
    shelf = shelf_of(units=5)
    people = shoppers(20, *pair, token=token)
    taken, = crowd(people[0].reserve(shelf.location, {shelf.sku: 5}))
    path = f"/v1/reservations/{taken.json()['id']}"

    answers = rush(people, lambda shopper, i: shopper.ask("DELETE", path))

    assert {(answer.status, answer.json()["status"], answer.json()["version"]) for answer in answers} == {
        (200, "released", 2)}
    assert shelf.row()["reserved"] == 0
    shelf.assert_adds_up()
