"""holdfast relay while it and the database die: no event is lost, repeats have equal ids, and the order stays."""

import json
import random
import signal

import pytest

from support.database import Database
from support.relay import Receiver, Relay
from support.retailer import Retailer
from support.waiting import eventually

EVENTS, KILLS, CUTS = 20000, 25, 15


@pytest.fixture
def house(services, url):
    return services(url)


def trade(house, database, n):
    """Orders of a new retailer; the log as (sequence, id) once all is published."""
    shop = Retailer(house.client(), on_hand=10000).create()
    for _ in range(n):
        shop.order()
    eventually(lambda: database.count("events_due") == 0, 60, "all is published")
    return log(database)


def fill(database):
    """A long log, so that a relay is killed in the middle of it."""
    head = database.value("select revision from revisions where topic = 'events'")
    database.execute("insert into event_log (position, id, type, subject_kind, subject_id, version, occurred_at, published_at, data)"
                     " select n, gen_random_uuid(), 'pickup.reminder', 'fulfillments', n::text, 1, now(), now(), '{\"version\": 1}'"
                     " from generate_series(%s, %s) as n", head + 1, head + EVENTS)
    database.execute("update revisions set revision = %s where topic = 'events'", head + EVENTS)
    return log(database)


def log(database):
    return [(f"{row['position']:020}", row["id"])
            for row in database.rows("select position, id::text from event_log order by position")]


def marks(events):
    return [(event["sequence"], event["id"]) for event in events]


def assert_copied(runs, expected):
    """The runs together have every event; each is in order without gaps, and none begins behind a gap."""
    places, reached = {mark: n for n, mark in enumerate(expected)}, 0
    for run in runs:
        places_of_run = [places[mark] for mark in run]
        assert places_of_run == list(range(places_of_run[0], places_of_run[0] + len(run))) if run else True
        assert not run or places_of_run[0] <= reached, "events are missing before this run"
        reached = max([reached, *(place + 1 for place in places_of_run)])
    assert reached == len(expected)


def test_a_killed_relay_loses_no_line(house, database):
    expected, dice, runs, kills = fill(database), random.Random(8), [], 0
    for _ in range(KILLS):
        running = Relay(house, "killed", "--batch", dice.randint(1, 9))
        running.wait_for_lines(dice.randint(1, 12))
        kills += running.end(signal.SIGKILL) == -signal.SIGKILL
        runs.append(marks(running.events()))
        running.discard()
    assert kills == KILLS
    last = Relay(house, "killed", "--once")
    assert last.end() == 0
    runs.append(marks(last.events()))
    last.discard()
    assert_copied(runs, expected)
    assert len(runs[-1]) < len(expected) and any(len(run) > 12 for run in runs), "the runs were killed at work"


def test_a_killed_relay_loses_no_batch(house, database):
    expected, dice, receiver = fill(database), random.Random(9), Receiver()
    try:
        for _ in range(KILLS):
            running = Relay(house, "killed", "--batch", dice.randint(1, 9), to=("http", receiver.url))
            wanted = len(receiver.taken) + dice.randint(1, 12)
            eventually(lambda: len(receiver.taken) >= wanted or len(receiver.taken) >= len(expected), 60, "it has posted")
            running.end(signal.SIGKILL)
            running.discard()
        last = Relay(house, "killed", "--once", to=("http", receiver.url))
        assert last.end() == 0
        last.discard()
        bodies = [marks(map(json.loads, body.splitlines())) for _, _, body in receiver.requests]
        assert_copied(bodies, expected)
    finally:
        receiver.close()


def test_a_relay_goes_on_when_the_database_is_back(house, database, power_cut):
    running = Relay(house, "patient", "--batch", 5)
    for _ in range(3):
        before = len(trade(house, database, 5))
        running.wait_for_lines(before)
        power_cut()
        eventually(house.is_ready, 60, "the service is back")
    expected = trade(house, database, 5)
    eventually(lambda: {mark for mark in marks(running.events())} >= set(expected), 60, "all is copied")
    running.stop()
    assert "the database cannot be used, and is tried again" in running.error() and "the database is back" in running.error()
    seen = marks(running.events())
    assert list(dict.fromkeys(seen)) == expected
    running.discard()


def test_a_cut_connection_is_no_stale_cursor(house, database, url):
    """Of a commit without an outcome, the relay finds out whether it counts."""
    expected = trade(house, database, 40)
    running = Relay(house, "cut", "--batch", 1)
    with Database(url) as other:
        for n in range(CUTS):
            running.wait_for_lines(3 * (n + 1))
            other.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast relay'")
    eventually(lambda: {mark for mark in marks(running.events())} >= set(expected), 60, "all is copied")
    running.stop()
    assert list(dict.fromkeys(marks(running.events()))) == expected
    running.discard()
