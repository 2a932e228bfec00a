"""The lanes: which calls wait for which, their order, and a full lane."""

import asyncio
import resource
import uuid
from collections import Counter

import pytest

from support.crowd import Started, crowd, rush, shoppers
from support.database import Database
from support.holdfast import Holdfast
from support.lone import WAIT_S, Lone, holding, lock_waiters
from support.shelf import place_of
from support.waiting import eventually

WORKERS = 4
HELPERS = WORKERS - 1
WORKERS_MAX = 16  # LANE_WORKERS_MAX
QUEUE = 16
BURST = 2000


@pytest.fixture(scope="module")
def sharded_instance(new_database, work_directory):
    instance = Holdfast(new_database(), work_directory, "sharded", sweeper=0, write_workers=WORKERS).start()
    yield instance
    try:
        instance.stop() if instance.is_running() else None
    finally:
        instance.discard()


@pytest.fixture
def sharded(sharded_instance, token):
    """An instance with several workers, alone with its database."""
    with Database(sharded_instance.database_url) as database:
        yield Lone(sharded_instance, database, token)


def two_shelves(lone, same_worker, **stock):
    """Two locations whose calls meet the same worker, or different ones, while the lane is spread over all but the first."""
    first = lone.shelf(**stock)
    while True:
        second = lone.shelf(**stock)
        if (place_of(first.location) % HELPERS == place_of(second.location) % HELPERS) == same_worker:
            return first, second


def outcomes(answers):
    return [201 if answer.status == 201 else answer.code for answer in answers]


# Calls that a stuck row delays

def test_a_stuck_row_of_one_location_does_not_hold_up_another(sharded):
    stuck, free = two_shelves(sharded, same_worker=False, units=100)
    unlucky, *others = sharded.shoppers(9)
    finished = []

    async def finish(name, action):
        answer = await action
        finished.append(name)
        return answer

    with holding(stuck):
        first = Started(finish("stuck", unlucky.reserve(stuck.location, {stuck.sku: 1})))
        eventually(lambda: lock_waiters(sharded.database) == 1, WAIT_S, "the worker waits for the row")
        answers = crowd(*(finish("free", shopper.reserve(free.location, {free.sku: 1})) for shopper in others))
        released = crowd(*(finish("free", shopper.ask("DELETE", f"/v1/reservations/{answer.json()['id']}"))
                           for shopper, answer in zip(others, answers)))
        assert sharded.lane("spread") == 1
        stuck_answer, = first.answers()
    eventually(lambda: sharded.lane("spread") == 0, WAIT_S, "one worker does it all again")

    assert Counter(answer.status for answer in answers) == {201: 8}
    assert Counter(answer.status for answer in released) == {200: 8}
    assert finished == ["free"] * 16 + ["stuck"]
    assert (stuck_answer.status, stuck_answer.headers["retry-after"]) == (503, "1")
    free.assert_adds_up()


def test_a_row_that_is_known_to_be_stuck_is_not_waited_for_again(lone):
    """Calls of the same worker lose time once, not with every attempt."""
    stuck, shelf = lone.shelf(units=10), lone.shelf(units=10)
    shopper, neighbour = lone.shoppers(2)

    async def timed(action):
        begin = asyncio.get_running_loop().time()
        return await action, asyncio.get_running_loop().time() - begin

    with holding(stuck):
        (first, first_took), = crowd(timed(shopper.reserve(stuck.location, {stuck.sku: 1})))
        begin = lone.lane("batches_total")
        again, other = crowd(timed(shopper.reserve(stuck.location, {stuck.sku: 1})),
                             timed(neighbour.reserve(shelf.location, {shelf.sku: 1})))
    assert (first.status, again[0].status, other[0].status) == (503, 503, 201)
    assert lone.lane("batches_total") > begin
    assert max(again[1], other[1]) < first_took / 2

    after, = crowd(shopper.reserve(stuck.location, {stuck.sku: 1}))
    assert after.status == 201


def test_while_a_row_drags_on_each_location_keeps_to_its_worker(sharded):
    """A call that meets the row again waits with its like, although the first worker is idle."""
    slow, free = two_shelves(sharded, same_worker=False, units=100)
    unlucky, again, *others = sharded.shoppers(6)
    with holding(slow):
        first = Started(unlucky.reserve(slow.location, {slow.sku: 1}))
        eventually(lambda: lock_waiters(sharded.database) == 1, WAIT_S, "the first worker meets the row")
        crowd(*(other.reserve(free.location, {free.sku: 1}) for other in others))
        assert sharded.lane("spread") == 1
        second = Started(again.reserve(slow.location, {slow.sku: 1}))
        assert outcomes(first.answers()) == ["overloaded"]
        assert outcomes(second.answers()) == ["overloaded"]
        assert sharded.lane("spread") == 1


@pytest.fixture
def widest(services, token):
    """An instance with as many workers as a lane may have."""
    instance = services(sweeper=0, write_workers=WORKERS_MAX, read_workers=WORKERS_MAX)
    with Database(instance.database_url) as database:
        yield Lone(instance, database, token)


def shelf_of_helper(lone, helper, **stock):
    while True:
        shelf = lone.shelf(**stock)
        if place_of(shelf.location) % (WORKERS_MAX - 1) == helper:
            return shelf


def test_every_worker_of_the_widest_lane_serves_its_locations(widest):
    """Beside a stuck row, each of the other helpers has the calls of another location."""
    stuck, *free = [shelf_of_helper(widest, helper, units=10) for helper in range(WORKERS_MAX - 1)]
    unlucky, *others = widest.shoppers(len(free) + 1)
    for lane in ("read", "write"):
        eventually(lambda: widest.sessions(lane) == WORKERS_MAX, WAIT_S, f"all workers of {lane} are connected")

    with holding(stuck):
        first = Started(unlucky.reserve(stuck.location, {stuck.sku: 1}))
        eventually(lambda: lock_waiters(widest.database) == 1, WAIT_S, "the first worker meets the row")
        answers = crowd(*(other.reserve(shelf.location, {shelf.sku: 1}) for other, shelf in zip(others, free)))
        assert widest.lane("spread") == 1
        assert outcomes(first.answers()) == ["overloaded"]

    assert outcomes(answers) == [201] * len(free)
    for shelf in free:
        shelf.assert_adds_up()


def test_ids_lead_to_the_worker_of_their_location(sharded):
    shelf = sharded.shelf(units=10)
    shopper, = sharded.shoppers(1)

    made, = crowd(shopper.reserve(shelf.location, {shelf.sku: 1}))

    assert int(made.json()["id"][-4:], 16) == place_of(shelf.location)


# First come, first served

def test_the_last_unit_goes_to_the_first_request(lone):
    shelf = lone.shelf(units=1)

    answers = lone.in_one_batch(*([shopper.reserve(shelf.location, {shelf.sku: 1})] for shopper in lone.shoppers(6)))

    assert outcomes(answers) == [201] + ["insufficient-stock"] * 5


def test_a_request_for_too_many_units_does_not_block_the_next_ones(lone):
    shelf = lone.shelf(units=10)
    wanted = [8, 10, 1, 3, 1, 1]

    answers = lone.in_one_batch(*([shopper.reserve(shelf.location, {shelf.sku: units})]
                                  for shopper, units in zip(lone.shoppers(len(wanted)), wanted)))

    assert outcomes(answers) == [201, "insufficient-stock", 201, "insufficient-stock", 201, "insufficient-stock"]
    shelf.assert_adds_up()


def test_every_call_of_a_batch_keeps_its_own_outcome(lone):
    shelf = lone.shelf(units=5)
    key = str(uuid.uuid4())
    people = lone.shoppers(7)
    earlier, = crowd(people[0].reserve(shelf.location, {shelf.sku: 1}, key))
    batches = lone.lane("batches_total")

    answers = lone.in_one_batch([
        people[0].reserve(shelf.location, {shelf.sku: 1}, key),
        people[1].reserve(shelf.location, {shelf.sku: 2}, key),
        people[2].reserve(shelf.location, {shelf.sku: 9}),
        people[3].reserve(shelf.location, {shelf.sku: 2}),
        people[4].reserve("nowhere", {shelf.sku: 1}),
        people[5].reserve(shelf.location, {"nothing": 1}),
        people[6].reserve(shelf.location, {shelf.sku: 2}),
    ])

    assert lone.lane("batches_total") == batches + 2, "the call that held up the worker, and the batch"
    assert (answers[0].status, answers[0].body, answers[0].replayed) == (201, earlier.body, True)
    assert [answer.code for answer in answers[1:3]] == ["idempotency-key-reused", "insufficient-stock"]
    assert [answers[3].status, answers[6].status] == [201, 201]
    assert [answer.status for answer in answers[4:6]] == [422, 422]
    assert shelf.row()["reserved"] == 5
    shelf.assert_adds_up()


def test_releases_share_a_transaction(lone):
    shelf = lone.shelf(units=20)
    people = lone.shoppers(20)
    made = crowd(*(shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in people))
    batches = lone.lane("batches_total")

    answers = lone.in_one_batch([shopper.ask("DELETE", f"/v1/reservations/{answer.json()['id']}")
                                 for shopper, answer in zip(people, made)])

    assert Counter((answer.status, answer.json()["status"]) for answer in answers) == {(200, "released"): 20}
    assert lone.lane("batches_total") == batches + 2, "the call that held up the worker, and the batch"
    assert shelf.row()["reserved"] == 0


@pytest.mark.parametrize("ask", ["show", "query"])
def test_waiting_reads_share_their_statements_and_each_gets_its_own_part(lone, ask):
    shelves = [lone.shelf(units=units) for units in range(1, 9)]
    first, *people = lone.shoppers(1 + 2 * len(shelves))
    read_lane = lambda figure: lone.instance.figure(f"holdfast_lane_{figure}", lane="read")

    def units_at(shopper, shelf):
        if ask == "show":
            return shopper.ask("GET", f"/v1/inventory/{shelf.sku}")
        return shopper.ask("POST", "/v1/availability/query", {"skus": [shelf.sku], "locations": [shelf.location]})

    batches = read_lane("batches_total")
    with lone.database.transaction() as rows:
        rows("lock table stock in access exclusive mode")
        started = [Started(units_at(first, shelves[0]))]
        eventually(lambda: lock_waiters(lone.database) == 1, WAIT_S, "the worker waits for the table")
        started.append(Started(*(units_at(shopper, shelf) for shopper, shelf in zip(people, 2 * shelves))))
        eventually(lambda: read_lane("waiting") == len(people), WAIT_S, "the others wait")
    answers = [answer for each in started for answer in each.answers()]

    assert Counter(answer.status for answer in answers) == {200: 1 + len(people)}
    for answer, shelf in zip(answers, [shelves[0], *shelves, *shelves]):
        assert told(answer.json()) == [(shelf.sku, shelf.location, shelf.row()["on_hand"])]
    assert read_lane("batches_total") == batches + 2, "the call that held up the worker, and all the others"


def told(body):
    """The rows of either reply: (SKU, location, available units)."""
    places = body["data"] if "data" in body else [{"sku": body["sku"], **place} for place in body["locations"]]
    return [(place["sku"], place["location"], place["available"]) for place in places]


# Too many

@pytest.fixture
def narrow(services, token):
    """An instance whose only worker lets few calls wait."""
    instance = services(sweeper=0, write_workers=1, lane_queue=QUEUE)
    with Database(instance.database_url) as database:
        yield Lone(instance, database, token)


def test_a_full_lane_refuses_at_once_and_serves_accepted_calls(narrow):
    shelf = narrow.shelf(units=100)
    first, *people = narrow.shoppers(1 + QUEUE)
    late = narrow.shoppers(10)

    with holding(shelf):
        started = [Started(first.reserve(shelf.location, {shelf.sku: 1}))]
        eventually(lambda: lock_waiters(narrow.database) == 1, WAIT_S, "the worker waits for the row")
        started.append(Started(*(shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in people)))
        eventually(lambda: narrow.lane("waiting") == QUEUE, WAIT_S, "the queue is full")
        refused = crowd(*(shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in late))
        assert lock_waiters(narrow.database) == 1, "they were answered while the others still wait"
    served = [answer for each in started for answer in each.answers()]

    assert {(answer.status, answer.code, answer.headers["retry-after"]) for answer in refused} == {(503, "overloaded", "1")}
    assert narrow.lane("refused_total") == len(late)
    assert Counter(answer.status for answer in served) == {201: 1 + QUEUE}
    assert shelf.row()["reserved"] == shelf.reservations() == 1 + QUEUE

    again = crowd(*(shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in late))
    assert Counter(answer.status for answer in again) == {201: len(late)}


def test_a_burst_of_connections_is_taken(sharded):
    """All come at one moment, for one hot row; nobody is turned away, at the door or at the lane."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    shelf = sharded.shelf(units=BURST // 2)
    try:
        answers = rush(sharded.shoppers(BURST), lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: 1}))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert Counter(getattr(answer, "status", repr(answer)) for answer in answers) == {201: BURST // 2, 409: BURST // 2}
    assert shelf.row()["reserved"] == BURST // 2
    shelf.assert_adds_up()
