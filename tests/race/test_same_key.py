"""One effect per Idempotency-Key, wherever and however often it is sent."""

import uuid
from collections import Counter

import pytest

from support.crowd import Started, crowd, rush, shoppers
from support.lone import WAIT_S, holding, lock_waiters
from support.waiting import eventually


@pytest.mark.parametrize("attempt", range(10))
def test_twenty_connections_with_one_key_have_one_effect(pair, token, shelf_of, attempt):
    shelf = shelf_of(units=100)
    key = str(uuid.uuid4())

    answers = rush(shoppers(20, *pair, token=token),
                   lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: 3}, key))

    made = [answer for answer in answers if answer.status == 201]
    others = [answer for answer in answers if answer.status != 201]
    assert len({answer.body for answer in made}) == 1
    assert [answer.replayed for answer in made].count(False) == 1
    assert {(answer.status, answer.code) for answer in others} <= {(409, "idempotency-in-progress")}
    assert all(answer.headers["retry-after"] == "1" and not answer.replayed for answer in others)
    assert (shelf.reservations(), shelf.row()["reserved"]) == (1, 3)


def test_the_same_key_with_another_basket_is_refused_and_takes_nothing(pair, token, shelf_of):
    shelf = shelf_of(units=100)
    key = str(uuid.uuid4())

    answers = rush(shoppers(20, *pair, token=token),
                   lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: 1 + i}, key))

    outcome = Counter((answer.status, None if answer.status == 201 else answer.code) for answer in answers)
    assert outcome[(201, None)] == 1
    assert set(outcome) <= {(201, None), (409, "idempotency-in-progress"), (422, "idempotency-key-reused")}
    won = next(answer for answer in answers if answer.status == 201)
    assert shelf.row()["reserved"] == won.json()["lines"][0]["quantity"]
    assert shelf.reservations() == 1


def test_twins_in_one_batch_get_one_reservation_and_one_reply(lone):
    shelf = lone.shelf(units=10)
    key = str(uuid.uuid4())
    batches, splits = lone.lane("batches_total"), lone.lane("splits_total")

    answers = lone.in_one_batch([shopper.reserve(shelf.location, {shelf.sku: 1}, key) for shopper in lone.shoppers(3)])

    assert [answer.status for answer in answers] == [201] * 3
    assert len({answer.body for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False, True, True]
    assert (shelf.row()["reserved"], shelf.reservations()) == (1, 1)
    assert lone.lane("batches_total") == batches + 2, "the call that held up the worker, and the batch"
    assert lone.lane("splits_total") == splits


def test_twins_with_different_baskets_get_one_reservation_and_one_refusal(lone):
    shelf = lone.shelf(units=10)
    key = str(uuid.uuid4())
    one, other = lone.shoppers(2)

    answers = lone.in_one_batch([one.reserve(shelf.location, {shelf.sku: 1}, key)],
                                [other.reserve(shelf.location, {shelf.sku: 2}, key)])

    assert [answer.status for answer in answers] == [201, 422]
    assert (answers[1].code, answers[1].replayed) == ("idempotency-key-reused", False)
    assert shelf.row()["reserved"] == 1


def test_a_repeat_of_a_command_with_an_old_version_is_refused_as_in_progress(lone):
    """Its own version may be the right one, and the key does not tell the two apart."""
    shelf = lone.shelf(units=10)
    one, other = lone.shoppers(2)
    made, = crowd(one.reserve(shelf.location, {shelf.sku: 1}))
    longer = "POST", f"/v1/reservations/{made.json()['id']}/extend", {"ttl": "PT20M"}, str(uuid.uuid4())

    answers = lone.in_one_batch([one.ask(*longer, version=9)], [other.ask(*longer, version=1)])

    assert [(answer.status, answer.code) for answer in answers] == [
        (412, "precondition-failed"), (409, "idempotency-in-progress")]


def test_a_key_that_another_instance_works_on_is_in_progress(pair, token, shelf_of, database):
    shelf = shelf_of(units=10)
    key = str(uuid.uuid4())
    here, there = shoppers(2, *pair, token=token)

    with holding(shelf):
        first = Started(here.reserve(shelf.location, {shelf.sku: 1}, key))
        eventually(lambda: lock_waiters(database) == 1, WAIT_S, "the first waits for the row")
        second = Started(there.reserve(shelf.location, {shelf.sku: 1}, key))
        eventually(lambda: lock_waiters(database) == 2, WAIT_S, "so does the second, which has looked for a record")
    first, second = *first.answers(), *second.answers()

    assert first.status == 201
    assert (second.status, second.code, second.headers["retry-after"]) == (409, "idempotency-in-progress", "1")
    again, = crowd(there.reserve(shelf.location, {shelf.sku: 1}, key))
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    assert shelf.reservations() == 1


def test_a_replay_beside_a_lapsed_reservation_leaves_the_figures_right(lone):
    """A batch in which every call is answered by its record writes nothing, also not what it found lapsed on the way."""
    shelf = lone.shelf(units=10)
    shopper, = lone.shoppers(1)
    key = str(uuid.uuid4())
    first, = crowd(shopper.reserve(shelf.location, {shelf.sku: 4}, key))
    shelf.let_lapse(first.json()["id"])

    again, = crowd(lone.shoppers(1)[0].reserve(shelf.location, {shelf.sku: 4}, key))

    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    shelf.assert_adds_up()
