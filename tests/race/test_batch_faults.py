"""Refusals of the database: by SQLSTATE, each call of a batch gets its own answer, and no call pays for another."""

import hashlib
import json
import uuid
from collections import Counter

import pytest

from support.crowd import Started, crowd
from support.lone import WAIT_S, holding, lock_waiters
from support.waiting import eventually

NEIGHBOURS = 12


def run_beside_neighbours(lone, shelf, action):
    """One call in the middle of a batch of calls that have nothing to do with it: (its answer, theirs)."""
    people = lone.shoppers(NEIGHBOURS + 1)
    calls = [shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in people[1:]]
    half = NEIGHBOURS // 2
    answers = lone.in_one_batch(calls[:half], [action(people[0])], calls[half:])
    return answers[half], answers[:half] + answers[half + 1:]


def poisoned(shelf, key=None):
    return lambda shopper: shopper.reserve(shelf.location, {shelf.sku: 1}, key, reference="poison")


def assert_neighbours_are_fine(neighbours, shelf, extra=0):
    assert Counter(answer.status for answer in neighbours) == {201: NEIGHBOURS}
    assert shelf.row()["reserved"] == shelf.reservations() == NEIGHBOURS + extra
    shelf.assert_adds_up()


@pytest.mark.parametrize("sqlstate, status, code", [
    ("22003", 500, "internal"),
    ("22P02", 500, "internal"),
    ("23514", 500, "internal"),
    ("23503", 503, "overloaded"),
    ("23505", 503, "overloaded"),
    ("40001", 503, "overloaded"),
    ("40P01", 503, "overloaded"),
    ("55P03", 503, "overloaded"),
    ("XX000", 500, "internal"),
])
def test_one_poisoned_call_does_not_fail_its_neighbours(lone, sqlstate, status, code):
    shelf = lone.shelf(units=100)
    key = str(uuid.uuid4())

    with lone.poison(sqlstate):
        answer, neighbours = run_beside_neighbours(lone, shelf, poisoned(shelf, key))
    assert (answer.status, answer.code) == (status, code)
    assert ("retry-after" in answer.headers) == (status == 503)
    assert_neighbours_are_fine(neighbours, shelf)

    # Our own failures are not remembered: with the cause gone, the same key does it.
    again, = crowd(poisoned(shelf, key)(lone.shoppers(1)[0]))
    assert (again.status, again.replayed) == (201, False)
    assert_neighbours_are_fine(neighbours, shelf, extra=1)


def test_a_row_with_an_unknown_word_does_not_fail_the_neighbours_of_its_call(lone):
    shelf = lone.shelf(units=100)
    lone.database.execute("insert into channels (code, name, kind, created_at, updated_at)"
                          " values (%s, 'Channel', 'sideways', now(), now())", shelf.tag)

    answer, neighbours = run_beside_neighbours(
        lone, shelf, lambda shopper: shopper.reserve(shelf.location, {shelf.sku: 1}, channel=shelf.tag))

    assert (answer.status, answer.code) == (500, "internal")
    assert_neighbours_are_fine(neighbours, shelf)


@pytest.mark.parametrize("sqlstate, times, fault", [
    ("40001", 3, "retries"),
    ("40P01", 3, "retries"),
    ("23505", 1, "retries"),
    ("23503", 1, "retries"),
    ("08006", 3, "reconnects"),
    ("57P01", 3, "reconnects"),
    ("57P03", 1, "reconnects"),
    ("25P03", 1, "reconnects"),
    ("26000", 1, "reconnects"),
    ("0A000", 1, "reconnects"),
    ("25006", 1, "reconnects"),
])
def test_a_passing_fault_is_retried_unseen_by_the_client(lone, sqlstate, times, fault):
    shelf = lone.shelf(units=100)
    before, splits = lone.lane(f"{fault}_total"), lone.lane("splits_total")
    granted = lone.instance.figure("holdfast_reservations_total", result="granted")

    with lone.poison(sqlstate, times):
        answer, neighbours = run_beside_neighbours(lone, shelf, poisoned(shelf))

    assert answer.status == 201
    assert_neighbours_are_fine(neighbours, shelf, extra=1)
    assert lone.lane(f"{fault}_total") == before + times
    assert lone.lane("splits_total") == splits
    gate = 1  # the call that held up the worker until the batch was complete
    assert lone.instance.figure("holdfast_reservations_total", result="granted") == granted + NEIGHBOURS + 1 + gate


@pytest.mark.parametrize("sqlstate", ["57014", "53100", "53200"])
def test_a_database_at_its_limits_is_not_pressed_again(lone, sqlstate):
    """All calls of the batch get 503, none has an effect, and their keys still work."""
    shelf = lone.shelf(units=100)
    keys = [str(uuid.uuid4()) for _ in range(5)]
    people = lone.shoppers(5)
    retries, splits = lone.lane("retries_total"), lone.lane("splits_total")

    with lone.poison(sqlstate, times=1):
        answers = lone.in_one_batch([shopper.reserve(shelf.location, {shelf.sku: 1}, key, reference="poison")
                                     for shopper, key in zip(people, keys)])
    assert {(answer.status, answer.code, answer.headers["retry-after"]) for answer in answers} == {(503, "overloaded", "1")}
    assert (lone.lane("retries_total"), lone.lane("splits_total")) == (retries, splits)
    assert shelf.row()["reserved"] == shelf.reservations() == 0

    again = crowd(*(shopper.reserve(shelf.location, {shelf.sku: 1}, key, reference="poison")
                    for shopper, key in zip(people, keys)))
    assert Counter(answer.status for answer in again) == {201: 5}
    assert shelf.row()["reserved"] == shelf.reservations() == 5


def test_a_stuck_row_fails_only_the_calls_that_need_it(lone):
    """A full batch whose first call meets a row that another session holds for ever: the others are served in time."""
    stuck, shelf = lone.shelf(units=10), lone.shelf(units=1000)
    unlucky, *others = lone.shoppers(100)

    with holding(stuck):
        answers = lone.in_one_batch(
            [unlucky.reserve(stuck.location, {stuck.sku: 1})],
            [shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in others])

    assert (answers[0].status, answers[0].code, answers[0].headers["retry-after"]) == (503, "overloaded", "1")
    assert Counter(answer.status for answer in answers[1:]) == {201: 99}
    assert (stuck.row()["reserved"], shelf.row()["reserved"]) == (0, 99)


def test_several_stuck_rows_fail_only_the_calls_that_need_them(lone):
    stuck = lone.shelf(units=10, n_skus=4)
    shelf = lone.shelf(units=1000)
    people = lone.shoppers(64)
    actions = [shopper.reserve(stuck.location, {stuck.skus[i // 16]: 1}) if i % 16 == 0
               else shopper.reserve(shelf.location, {shelf.sku: 1}) for i, shopper in enumerate(people)]

    with lone.database.transaction() as rows:
        rows("select from stock where location = %s for update", stuck.location)
        answers = lone.in_one_batch(actions)

    assert Counter(answer.status for answer in answers) == {503: 4, 201: 60}
    assert shelf.row()["reserved"] == 60
    later, = crowd(lone.shoppers(1)[0].reserve(stuck.location, {sku: 10 for sku in stuck.skus}))
    assert later.status == 201


def test_sessions_cut_in_the_middle_of_a_batch_cost_nobody_anything(lone):
    """pg_terminate_backend, as a failover does it, while the batch waits for a row."""
    shelf, busy = lone.shelf(units=100), lone.shelf(units=100)
    reconnects = lone.lane("reconnects_total")

    with holding(busy):
        started = Started(*(shopper.reserve(location.location, {location.sku: 1})
                            for location in (shelf, busy) for shopper in lone.shoppers(8)))
        eventually(lambda: lock_waiters(lone.database) == 1, WAIT_S, "the batch waits for the row")
        assert lone.database.cut_other_sessions() > 0
    answers = started.answers()

    assert Counter(answer.status for answer in answers) == {201: 16}
    assert lone.lane("reconnects_total") > reconnects
    for each in shelf, busy:
        assert each.row()["reserved"] == each.reservations() == 8


def test_a_rival_that_commits_the_same_key_first_is_found(lone):
    """Its record is invisible until it commits, so ours runs into it: then the batch runs again and replays it."""
    shelf = lone.shelf(units=100)
    key = str(uuid.uuid4())
    record = hashlib.sha256(b"".join(part.encode() + b"\0" for part in ("tester", "POST", "/v1/reservations", key)))
    body = '{"lines":"as the rival had them"}'
    shopper, neighbour = lone.shoppers(2)

    with lone.database.transaction() as rows:
        rows("insert into idempotency (id, fingerprint, status, body, created_at) values (%s, %s, 201, %s, now())",
             str(uuid.UUID(bytes=record.digest()[:16])), fingerprint(shelf), body)
        answers = Started(shopper.ask("POST", "/v1/reservations", basket(shelf), key),
                          neighbour.reserve(shelf.location, {shelf.sku: 1}))
        eventually(lambda: lock_waiters(lone.database) == 1, WAIT_S, "the batch waits for the rival's commit")
        rows("commit")
    mine, other = answers.answers()

    assert (mine.status, mine.body.decode(), mine.replayed) == (201, body, True)
    assert (other.status, other.replayed) == (201, False)
    assert shelf.row()["reserved"] == shelf.reservations() == 1


def basket(shelf):
    return {"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}


def fingerprint(shelf):
    parts = (b"POST", b"/v1/reservations", json.dumps(basket(shelf)).encode())
    return hashlib.sha256(b"".join(part + b"\0" for part in parts)).digest()


def test_a_prepared_statement_whose_answer_has_changed_is_prepared_again(lone):
    """As after a migration under a running instance."""
    shelf = lone.shelf(units=1)
    shopper, = lone.shoppers(1)
    taken, = crowd(shopper.reserve(shelf.location, {shelf.sku: 1}, reference="a"))
    path = f"/v1/reservations/{taken.json()['id']}"

    lone.database.execute("alter table reservations alter column reference type varchar(200)")
    try:
        shown, released = crowd(*(each.ask(method, path) for method, each in zip(("GET", "DELETE"), lone.shoppers(2))))
    finally:
        lone.database.execute("alter table reservations alter column reference type text")

    assert (shown.status, released.status) == (200, 200)
    assert shown.json()["reference"] == released.json()["reference"] == "a"
