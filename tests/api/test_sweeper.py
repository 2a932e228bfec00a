"""Scheduled work: expiry, reminders, pruning. A test ends a deadline in the database."""

import pytest

from support.database import Database
from support.shelf import Shelf
from support.waiting import eventually

OVERDUE = "clock_timestamp() - interval '1 second'"


@pytest.fixture
def shelf(database):
    return Shelf(database, units=10, n_skus=2)


def reserve(api, shelf, units=1):
    body = {"location": shelf.location, "lines": [{"sku": sku, "quantity": units} for sku in shelf.skus]}
    return api.post("/v1/reservations", body, expect=201).json()["id"]


def status(database, reservation):
    return database.value("select status from reservations where id = %s", reservation)


def test_a_lapsed_reservation_is_closed_and_its_units_are_free(api, shelf, database, service):
    reservation = reserve(api, shelf)
    shelf.let_lapse(reservation, OVERDUE)

    eventually(lambda: status(database, reservation) == "expired", what="closed by the sweeper")

    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [0, 0]
    eventually(lambda: database.count("event_log", "subject_id = %s", reservation) == 1, what="published")
    assert database.rows("select type, location from event_log where subject_id = %s", reservation) == [
        {"type": "reservation.expired", "location": shelf.location}]
    assert api.get(f"/v1/reservations/{reservation}", expect=200).json()["status"] == "expired"
    service.assert_audit_clean()


def test_a_line_freed_by_a_buyer_is_not_freed_again(api, shelf, database):
    """A command that locks the stock row frees its lapsed lines; the scheduled job finds the line free already."""
    reservation = reserve(api, shelf, units=10)
    database.execute(f"update reservation_lines set expires_at = {OVERDUE} where reservation_id = %s", reservation)
    api.post("/v1/reservations", {"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 10}]}, expect=201)
    database.execute(f"update reservations set expires_at = {OVERDUE} where id = %s", reservation)

    eventually(lambda: status(database, reservation) == "expired", what="closed by the sweeper")

    assert [shelf.row(sku)["reserved"] for sku in shelf.skus] == [10, 0]
    shelf.assert_adds_up()


def test_active_reservations_are_left_alone(api, shelf, database):
    lapsed, kept = reserve(api, shelf), reserve(api, shelf)
    shelf.let_lapse(lapsed, OVERDUE)

    eventually(lambda: status(database, lapsed) == "expired", what="closed by the sweeper")

    assert status(database, kept) == "active"
    assert shelf.row()["reserved"] == 1


def test_a_locked_reservation_is_skipped(services, new_database):
    url = new_database()
    api = services(url, sweeper=0).client()
    with Database(url) as database:
        shelf = Shelf(database, units=10, n_skus=2)
        locked, free = reserve(api, shelf), reserve(api, shelf)
        shelf.let_lapse(locked, OVERDUE)
        with database.transaction() as rows:
            rows("select 1 from reservations where id = %s for update", locked)
            shelf.let_lapse(free, OVERDUE)
            services(url)

            eventually(lambda: status(database, free) == "expired", what="closed although another one is locked")

            assert status(database, locked) == "active"
        eventually(lambda: status(database, locked) == "expired", what="closed once it is let go")


def test_more_than_one_batch_is_closed(api, shelf, database):
    """Several hundred at once, as after a flash sale."""
    first = reserve(api, shelf)
    database.execute(
        "insert into reservations select gen_random_uuid(), location, channel, reference, status, reason, order_id,"
        f" {OVERDUE}, actor, version, created_at, updated_at from reservations, generate_series(1, 450) where id = %s", first)
    shelf.let_lapse(first, OVERDUE)

    eventually(lambda: database.count("reservations", "location = %s and status = 'active'", shelf.location) == 0,
               what="all closed")

    eventually(lambda: database.count("events_due") == 0, 30, "all is published")
    assert database.count("event_log", "location = %s and type = 'reservation.expired'", shelf.location) == 451
    database.execute("delete from reservations where location = %s and id <> %s", shelf.location, first)


def test_two_instances_close_each_reservation_once(services, new_database):
    url = new_database()
    one, _ = services(url), services(url)
    with Database(url) as database:
        shelf = Shelf(database, units=1000, n_skus=2)
        api = one.client()
        reservations = [reserve(api, shelf) for _ in range(30)]
        database.execute(f"update reservation_lines set expires_at = {OVERDUE}")
        database.execute(f"update reservations set expires_at = {OVERDUE}")

        eventually(lambda: database.count("reservations", "status = 'active'") == 0, what="all closed")

        eventually(lambda: database.count("events_due") == 0, 30, "all is published")
        assert database.count("event_log", "type = 'reservation.expired'") == len(reservations)
        shelf.assert_adds_up()
    one.assert_audit_clean()


def test_replies_are_kept_for_a_day(api, shelf, database):
    reserve(api, shelf)
    old = database.value("update idempotency set created_at = created_at - interval '25 hours'"
                         " where id = (select id from idempotency order by created_at desc limit 1) returning id")
    reserve(api, shelf)
    young = database.value("update idempotency set created_at = created_at - interval '23 hours'"
                           " where id = (select id from idempotency order by created_at desc limit 1) returning id")

    eventually(lambda: database.count("idempotency", "id = %s", old) == 0, what="the old record is pruned")

    assert database.count("idempotency", "id = %s", young) == 1


def test_an_instance_may_leave_sweeping_to_others(services, new_database):
    url = new_database()
    idle = services(url, sweeper=0)
    with Database(url) as database:
        shelf = Shelf(database, units=10)
        reservation = reserve(idle.client(), shelf)
        shelf.let_lapse(reservation, OVERDUE)
        assert "holdfast sweeper" not in sessions(database)

        services(url)

        eventually(lambda: status(database, reservation) == "expired", what="closed by the other instance")
        assert "holdfast sweeper" in sessions(database)


def sessions(database):
    return {row["application_name"] for row in database.rows(
        "select application_name from pg_stat_activity where datname = current_database()")}


def test_full_partitions_of_the_event_log_are_dropped_by_age(services, new_database):
    """A partition whose last event is younger than the limit stays, and so does the one that is not full."""
    url = new_database()
    with Database(url) as database:
        make_parts(database, ages_days=[40, 31, 29])
        first = database.value("select min(first) from event_log_parts")
        services(url)
        kept = "select first from event_log_parts order by first"
        eventually(lambda: len(database.rows(kept)) == 2, what="the old ones are dropped")
        assert database.value("select min(first) from event_log_parts") > first
        assert database.count("event_log") == 1
        assert database.value("select count(*) from pg_inherits where inhparent = 'event_log'::regclass") == 2


def make_parts(database, ages_days):
    """Full partitions of the log, each with its last event alone, and one more that is empty."""
    for days in ages_days:
        last = database.value("select max(last) from event_log_parts")
        database.execute("insert into event_log (position, id, type, subject_kind, subject_id, occurred_at, published_at, data)"
                         " values (%s, gen_random_uuid(), 'old', 'orders', 'x', now(), now() - %s * interval '1 day', '{}')", last, days)
        database.execute("update revisions set revision = %s where topic = 'events'", last)
        database.execute("select event_log_extend(10000)")
