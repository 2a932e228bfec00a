"""An instance freezes with a transaction open: PostgreSQL ends that transaction, the others go on, and the thawed one recovers."""

import asyncio
import os
import signal
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager

import pytest

from support.crowd import Started, crowd, reservation, shoppers
from support.lone import holding, lock_waiters
from support.waiting import eventually

WAIT_S = 60
SILENCE_S = 3  # that clients of the other instance may notice
GATE = 20261201  # an advisory lock that nothing else takes
HELD_S = 8     # a row, by an instance that freezes in the middle of a trip: 2 s of silence, a turn of the jobs, the rival's retry
SHOPPERS = 12
CALLS = 20


@pytest.fixture
def pair(services, url):
    """Two instances of one market; a frozen one is thawed at the end, so that it can stop."""
    instances = [services(url), services(url)]
    yield instances
    for instance in instances:
        instance.process.send_signal(signal.SIGCONT)


def frozen_sessions(database):
    """How many transactions of the service have waited for their client for some time."""
    return database.value(
        "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'holdfast%%'"
        " and (state = 'idle in transaction' or (state = 'active' and wait_event_type = 'Client'))"
        " and state_change < clock_timestamp() - interval '300 ms'")


def sessions_waiting_for_client(database, wait):
    """The names of sessions that are `active` and wait for their client to send, or to read."""
    return {row["name"] for row in database.rows(
        "select application_name as name from pg_stat_activity where datname = current_database() and application_name like 'holdfast%%'"
        " and state = 'active' and wait_event = %s", wait)}


class Market:
    """Shoppers that reserve one unit after the other at an instance; it notes when each was acknowledged."""

    def __init__(self, instance, token, shelf):
        self.shelf = shelf
        self.told = {}  # key -> id
        self.acknowledged = []
        self._enough = threading.Event()
        self._started = Started(*(self._shop(shopper) for shopper in shoppers(SHOPPERS, instance, token=token)))

    async def _shop(self, shopper):
        while not self._enough.is_set():
            key = str(uuid.uuid4())
            answer = await shopper.insist(*reservation(self.shelf.location, {self.shelf.sku: 1}, key))
            assert answer.status == 201, answer
            self.told[key] = answer.json()["id"]
            self.acknowledged.append(time.monotonic())
            await asyncio.sleep(0.002)

    def wait_for_more(self, n=150):
        wanted = len(self.told) + n
        eventually(lambda: len(self.told) >= wanted, WAIT_S, f"{n} more acknowledged")

    def longest_silence(self, since, until):
        """The longest time without an acknowledgement between two instants, in seconds."""
        instants = [since, *(each for each in self.acknowledged if since < each < until), until]
        return max(later - earlier for earlier, later in zip(instants, instants[1:]))

    def end(self):
        self._enough.set()
        self._started.answers()


def assert_whole(shelf, healthy, ids):
    """Each acknowledged reservation is there, once, and nothing else is."""
    found = [row["id"] for row in shelf.database.rows(
        "select id::text from reservations where location = %s", shelf.location)]
    assert sorted(found) == sorted(ids)
    assert shelf.row()["reserved"] == len(ids)
    shelf.assert_adds_up()
    healthy.assert_audit_clean()


def test_an_instance_that_freezes_with_a_locked_row_holds_up_the_market_for_less_than_three_seconds(pair, token, shelf):
    frozen, healthy = pair
    keys = [str(uuid.uuid4()) for _ in range(CALLS)]
    market = Market(healthy, token, shelf)
    market.wait_for_more()
    began = time.monotonic()
    market.wait_for_more()
    usual = market.longest_silence(began, time.monotonic())  # of this machine, with nothing frozen

    with holding(shelf):
        stuck = Started(*(shopper.insist(*reservation(shelf.location, {shelf.sku: 1}, key))
                          for shopper, key in zip(shoppers(CALLS, frozen, token=token), keys)))
        eventually(lambda: lock_waiters(shelf.database) >= 2, WAIT_S, "both instances wait for the row")
        frozen.process.send_signal(signal.SIGSTOP)
        released = time.monotonic()
    market.wait_for_more(2 * SHOPPERS)
    went_on = time.monotonic()
    assert market.longest_silence(released, went_on) < SILENCE_S + usual
    eventually(lambda: frozen_sessions(shelf.database) == 0, WAIT_S, "no transaction of the frozen instance is left")

    again = crowd(*(shopper.insist(*reservation(shelf.location, {shelf.sku: 1}, key))
                    for shopper, key in zip(shoppers(CALLS // 2, healthy, token=token), keys)))
    frozen.process.send_signal(signal.SIGCONT)
    answers = stuck.answers()
    market.end()
    assert {answer.status for answer in answers} == {201}
    assert [answer.body for answer in answers[:CALLS // 2]] == [answer.body for answer in again]
    assert_whole(shelf, healthy, [*market.told.values(), *(answer.json()["id"] for answer in answers)])
    eventually(frozen.is_ready, WAIT_S, "the thawed instance is ready")


def test_an_instance_that_freezes_again_and_again_doubles_and_loses_nothing(pair, token, shelf):
    """At any moment of a batch: before its locks, with them, and while its commit is under way."""
    frozen, healthy = pair
    markets = [Market(frozen, token, shelf), Market(healthy, token, shelf)]
    for _ in range(5):
        for market in markets:
            market.wait_for_more()
        frozen.process.send_signal(signal.SIGSTOP)
        eventually(lambda: frozen_sessions(shelf.database) == 0, WAIT_S, "no frozen transaction is left")
        markets[1].wait_for_more()
        frozen.process.send_signal(signal.SIGCONT)
    for market in markets:
        market.end()
    assert_whole(shelf, healthy, [each for market in markets for each in market.told.values()])


def test_an_instance_that_freezes_in_the_middle_of_a_trip_gives_its_rows_back(services, url, proxy, token, shelf):
    """The server waits for the rest of the trip: no transaction is idle, no statement runs, and the row stays locked."""
    frozen, healthy = services(proxy.url), services(url)
    keys = [str(uuid.uuid4()) for _ in range(3)]
    mine, rival = shoppers(1, frozen, token=token)[0], shoppers(1, healthy, token=token)[0]

    def reserve(shopper, key):
        return shopper.insist(*reservation(shelf.location, {shelf.sku: 1}, key))

    first = crowd(reserve(mine, keys[0]))
    proxy.hold_back_behind("stock_lock")
    stuck = Started(reserve(mine, keys[1]))
    eventually(lambda: sessions_waiting_for_client(shelf.database, "ClientRead"), WAIT_S, "the server waits for the rest")
    frozen.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        got = crowd(reserve(rival, keys[2]))
        took = time.monotonic() - began
        assert sessions_waiting_for_client(shelf.database, "ClientRead") == set()
    finally:
        frozen.process.send_signal(signal.SIGCONT)
    answers = [*first, *stuck.answers(), *got]
    assert {answer.status for answer in answers} == {201}
    assert took < HELD_S
    assert_whole(shelf, healthy, [answer.json()["id"] for answer in answers])
    assert healthy.figure("holdfast_sweep_taken_total", job="end_silent_sessions") == 1


@contextmanager
def reader(url, name, *statements):
    """A session of the service whose client stops before the server answers: it waits for a lock until then."""
    text = "; ".join(["begin", f"select pg_advisory_xact_lock_shared({GATE})", *statements, "commit"])
    process = subprocess.Popen(["psql", "-X", "-q", "-c", text, url], env={**os.environ, "PGAPPNAME": name}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_client_that_does_not_read_loses_locked_rows_but_not_a_long_list(instance, url, shelf):
    database, much = shelf.database, "select repeat('x', 10000) from generate_series(1, 20000)"
    lock = f"select 1 from {database.schema}.stock where location = '{shelf.location}' for update"
    with database.transaction() as gate:
        gate(f"select pg_advisory_xact_lock({GATE})")
        with reader(url, "holdfast list", much) as lists, reader(url, "holdfast write", lock, much) as locks:
            eventually(lambda: lock_waiters(database) == 2, WAIT_S, "both wait for the gate")
            for process in (lists, locks):
                process.send_signal(signal.SIGSTOP)
            gate("rollback")
            eventually(lambda: instance.figure("holdfast_sweep_taken_total", job="end_silent_sessions") == 1, WAIT_S, "one is ended")
            swept = instance.figure("holdfast_sweep_duration_seconds_count", thread="tidying")
            eventually(lambda: instance.figure("holdfast_sweep_duration_seconds_count", thread="tidying") > swept + 2, WAIT_S, "two more turns")
            assert sessions_waiting_for_client(database, "ClientWrite") == {"holdfast list"}
            for process in (lists, locks):
                process.send_signal(signal.SIGCONT)
            assert lists.wait(WAIT_S) == 0 and locks.wait(WAIT_S) != 0
