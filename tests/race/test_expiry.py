"""Reservations whose time runs out while others act on them or on their rows.

Time is up because a test says so in the database, never because it has waited.
"""

from collections import Counter

import pytest

from support.crowd import crowd, rush, shoppers
from support.waiting import eventually

SOON = "clock_timestamp() + interval '20 milliseconds'"
# Around the moment in which the crowd arrives, so that some runs see it lapse, some do not and some see it happen.
MOMENTS = [f"clock_timestamp() + interval '{n} milliseconds'" for n in (-1, 2, 5, 8, 12, 16, 24, 32)]


@pytest.fixture
def basket(pair, token, shelf_of):
    """Three products of which one reservation holds all units: (shelf, id)."""
    shelf = shelf_of(units=10, n_skus=3)
    taken, = crowd(shoppers(1, *pair, token=token)[0].reserve(shelf.location, {sku: 10 for sku in shelf.skus}))
    assert taken.status == 201
    return shelf, taken.json()["id"]


def extend(shopper, reservation):
    return shopper.ask("POST", f"/v1/reservations/{reservation}/extend", {"ttl": "PT1H"})


def release(shopper, reservation):
    return shopper.ask("DELETE", f"/v1/reservations/{reservation}")


def test_a_lapsed_reservation_never_costs_a_sale(pair, token, basket):
    shelf, reservation = basket
    shelf.let_lapse(reservation)

    answers = rush(shoppers(20, *pair, token=token),
                   lambda shopper, i: shopper.reserve(shelf.location, {shelf.skus[i % 3]: 5}))

    assert Counter(answer.status for answer in answers) == {201: 6, 409: 14}
    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [10, 10, 10]
    shelf.assert_adds_up()


def test_a_lapsed_reservation_loses_one_row_and_then_ends_whole(pair, token, basket):
    """A command that locks one of its rows frees that line alone; the others are freed when it ends."""
    shelf, reservation = basket
    shelf.let_lapse(reservation)
    one, other = shoppers(2, *pair, token=token)

    taken, = crowd(one.reserve(shelf.location, {shelf.skus[1]: 10}))
    assert taken.status == 201
    assert [shelf.held(sku) for sku in shelf.skus] == [10, 10, 10]
    shelf.assert_adds_up()

    extended, = crowd(extend(other, reservation))
    assert (extended.status, extended.code) == (409, "reservation-expired")
    released, = crowd(release(other, reservation))
    assert (released.status, released.json()["status"]) == (200, "expired")
    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [0, 10, 0]
    shelf.assert_adds_up()


@pytest.mark.parametrize("moment", MOMENTS)
def test_extending_a_lapsing_reservation_against_commands_on_its_rows(pair, token, basket, moment):
    """Either it is extended and keeps every line, or it is over and its rows are free: nothing in between."""
    shelf, reservation = basket
    shelf.let_lapse(reservation, moment)

    async def act(shopper, i):
        answers = []
        for _ in range(6):
            answers.append(await (extend(shopper, reservation) if i < 4
                                  else shopper.reserve(shelf.location, {shelf.skus[i % 3]: 10})))
        return answers

    results = rush(shoppers(16, *pair, token=token), act)

    extensions = [answer for each in results[:4] for answer in each]
    reserved = [answer for each in results[4:] for answer in each]
    kept = any(answer.status == 200 for answer in extensions)
    assert {(answer.status, answer.code) for answer in extensions} <= {(200, None), (409, "reservation-expired")}
    # An hour is longer than this test: once extended, it stays.
    assert Counter(answer.status for answer in reserved)[201] == (0 if kept else 3)
    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [10, 10, 10]
    shelf.assert_adds_up()


@pytest.mark.parametrize("moment", MOMENTS)
def test_releasing_a_lapsing_reservation_against_commands_on_its_rows(pair, token, basket, moment):
    shelf, reservation = basket
    shelf.let_lapse(reservation, moment)

    results = rush(shoppers(10, *pair, token=token), lambda shopper, i: (
        release(shopper, reservation) if i < 4 else shopper.reserve(shelf.location, {shelf.skus[i % 3]: 10})))

    ends = {answer.json()["status"] for answer in results[:4]}
    assert {answer.status for answer in results[:4]} == {200}
    assert len(ends) == 1 and ends <= {"released", "expired"}
    sold = {sku for i, sku in enumerate(shelf.skus) if any(
        answer.status == 201 for place, answer in enumerate(results) if place >= 4 and place % 3 == i)}
    assert {sku for sku in shelf.skus if shelf.row(sku)["reserved"]} == sold
    shelf.assert_adds_up()


def test_all_at_once_on_many_lapsing_reservations(pair, token, shelf_of, services, database):
    """Twelve reservations of two crossing lines each, all lapsing while buyers, extenders, releasers and a sweeper act."""
    sweeping = services(pair[0].database_url)
    shelf = shelf_of(units=8, n_skus=4)
    pairs = [(a, b) for a in shelf.skus for b in shelf.skus if a != b]
    made = crowd(*(shopper.reserve(shelf.location, {a: 1, b: 1})
                   for shopper, (a, b) in zip(shoppers(12, *pair, token=token), pairs)))
    ids = [answer.json()["id"] for answer in made]
    for reservation in ids:
        shelf.let_lapse(reservation, SOON)

    async def act(shopper, i):
        for reservation, (a, b) in zip(ids[i % 12:] + ids[:i % 12], pairs):
            if i % 3 == 0:
                assert (await extend(shopper, reservation)).status in (200, 409)
            elif i % 3 == 1:
                assert (await release(shopper, reservation)).status == 200
            else:
                assert (await shopper.reserve(shelf.location, {b: 1, a: 1}, ttl="PT1S")).status in (201, 409)

    rush(shoppers(24, *pair, sweeping, token=token), act)
    shelf.assert_adds_up()

    # The scheduled job closes the rest, and each end has one event.
    for row in database.rows("select id::text from reservations where location = %s and status = 'active'", shelf.location):
        shelf.let_lapse(row["id"])
    active = "location = %s and status = 'active'"
    eventually(lambda: database.count("reservations", active, shelf.location) == 0, 30, "all are closed")
    eventually(lambda: database.count("events_due") == 0, 30, "all is published")
    told = database.rows(
        "select subject_id, count(*) from event_log where location = %s and type = 'reservation.expired' group by 1",
        shelf.location)
    assert {row["count"] for row in told} == {1}
    assert len(told) == database.count("reservations", "location = %s and status = 'expired'", shelf.location)
    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [0] * 4
    shelf.assert_adds_up()
