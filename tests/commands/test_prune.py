"""holdfast prune: deletes closed records past their retention period; open, young and undated records stay."""

import re

import pytest

from support import ROOT
from support.database import Database
from support.holdfast import Holdfast
from support.person import Person, hear_of, live_through, settle_refunds
from support.retailer import Retailer
from support.waiting import eventually
from support.work import Work

ALL = {"retention_events": "P30D", "retention_notifications": "P30D", "retention_personal_data": "P30D", "retention_reservations": "P30D"}
OLD = "interval '31 days'"


@pytest.fixture
def house(services):
    """A separate instance without scheduled work, so that only the command prunes."""
    return services(sweeper=0)


@pytest.fixture
def shop(house):
    retailer = Retailer(house.client(), on_hand=100).create()
    with Database(house.database_url) as database:
        yield lambda lines=None, method="pickup", **fields: Work(retailer, database, lines, method, **fields)


@pytest.fixture
def database(house):
    with Database(house.database_url) as database:
        yield database


def prune(house, *arguments, expect=0, **settings):
    """{kind: (how many, the words)}"""
    pruner = Holdfast(house.database_url, ".", **settings)
    lines = pruner.run("prune", *arguments, check=expect).stdout.splitlines()
    return {line[:22].strip(): (re.sub(r"^-$", "0", line[22:].split(None, 1)[0]), line[22:].split(None, 1)[1]) for line in lines}


def counts(house, *arguments, **settings):
    return {what: int(n) for what, (n, _) in prune(house, *arguments, **{**ALL, **settings}).items() if what}


def let_age(database, by=OLD):
    """Every row becomes older by so much, also by the time in its id."""
    database.execute(f"""
        create or replace function older(id uuid) returns uuid language sql as $$
            select (lpad(to_hex((('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint
                    - (extract(epoch from {by}) * 1000)::bigint)), 12, '0') || substr(replace(id::text, '-', ''), 13))::uuid $$""")
    database.execute(f"update orders set placed_at = placed_at - {by}, updated_at = updated_at - {by}")
    database.execute(f"update order_places set placed_at = placed_at - {by}, updated_at = updated_at - {by}")
    database.execute(f"update event_log set published_at = published_at - {by}, id = older(id)")
    database.execute("update events_due set ids = array(select older(id) from unnest(ids) as id)")
    database.execute(f"update events set id = older(id), occurred_at = occurred_at - {by}")
    database.execute("update reservation_lines set reservation_id = older(reservation_id)")
    database.execute("update orders set reservation_id = older(reservation_id)")
    database.execute(f"update reservations set id = older(id), created_at = created_at - {by}, updated_at = updated_at - {by}")
    database.execute(f"update notifications set created_at = created_at - {by}")
    database.execute(f"update idempotency set created_at = created_at - {by}")


def wait_published(database):
    """The instance gives every event its position in the log."""
    eventually(lambda: database.count("events_due") == 0, what="all published")


def fill_part(database):
    """The newest partition of the log is full."""
    last = database.value("select max(last) from event_log_parts")
    database.execute("insert into event_log (position, id, type, subject_kind, subject_id, occurred_at, published_at, data)"
                     " values (%s, gen_random_uuid(), 'old', 'orders', 'x', now(), now(), '{}')", last)
    database.execute("update revisions set revision = %s where topic = 'events'", last)
    database.execute("select event_log_extend(10000)")


def hand_over(work):
    work.make_ready()
    work.hand_over()
    return work


def test_by_default_only_used_keys_and_the_event_log_are_pruned(house, shop, database):
    hand_over(shop())
    wait_published(database)
    fill_part(database)
    let_age(database, "interval '10 years'")
    before = {table: database.count(table) for table in ("events", "reservations", "orders")}

    told = prune(house)

    for what, setting in (("events", "EVENTS"), ("reservations", "RESERVATIONS"), ("customers of orders", "PERSONAL_DATA")):
        assert told[what][1] == f"kept: HOLDFAST_RETENTION_{setting} is not set"
    assert int(told["idempotency records"][0]) > 0 and int(told["event log"][0]) > 0
    assert (database.count("idempotency"), database.count("event_log")) == (0, 0)
    assert before == {table: database.count(table) for table in before}


def test_young_rows_are_kept(house, shop, database):
    retailer = hand_over(shop()).retailer
    retailer.api.delete(f"/v1/reservations/{retailer.reserve().json()['id']}", expect=200)
    wait_published(database)
    let_age(database, "interval '23 hours'")
    assert set(counts(house).values()) == {0}


def test_an_order_that_a_newer_program_keeps_open_is_not_over(house, shop, database):
    closed = returned_and_refunded(shop)
    wait_published(database)
    let_age(database)
    assert database.execute("update orders set open_for = 'sideways' where id = %s", closed.order["id"]) == 1
    before = database.count("events", "order_id = %s", closed.order["id"])

    counts(house)
    refused = house.run("customer", "erase", "--order", closed.order["order_number"])

    assert database.count("events", "order_id = %s", closed.order["id"]) == before
    assert database.value("select customer ->> 'erased_at' from orders where id = %s", closed.order["id"]) is None
    assert "this program does not know why" in refused.stdout + refused.stderr


def returned_and_refunded(shop):
    """An order that is over, with goods that came back and money that went back."""
    closed = hand_over(shop())
    made = closed.api.post("/v1/returns", {
        "order_id": closed.order["id"], "location": closed.order["fulfillments"][0]["location"], "lines": [
            {"order_line_id": closed.line(0), "quantity": 1, "reason": "too small", "condition": "sellable"}]}, expect=201)
    closed.api.post(f"/v1/returns/{made.json()['id']}/refund", {"to": "original"}, expect=200)
    settle_refunds(closed)
    return closed


def test_events_of_closed_orders_go_and_those_of_open_ones_stay(house, shop, database):
    closed, waiting = hand_over(shop()), shop()
    wait_published(database)
    let_age(database)

    n = counts(house)["events"]

    assert n > 5
    assert database.count("events", "order_id = %s", waiting.order["id"]) > 0
    assert database.rows("select type from events where order_id = %s", closed.order["id"]) == [
        {"type": "order.customer_erased"}]
    assert closed.api.get(f"/v1/orders/{closed.order['id']}", expect=200).json()["status"] == "fulfilled"


def test_events_stay_while_money_or_goods_are_under_way(house, shop, database):
    capture, refund, goods = hand_over(shop(payment={"status": "authorized"})), shop(), hand_over(shop())
    refund.api.post(f"/v1/orders/{refund.order['id']}/cancel", {"reason": "no more"}, expect=200)
    refund.api.post(f"/v1/orders/{refund.order['id']}/refunds", {"to": "original", "reason": "no more"}, expect=201)
    goods.api.post("/v1/returns", {"order_id": goods.order["id"], "location": goods.order["fulfillments"][0]["location"], "by_post": True,
                                   "lines": [{"order_line_id": goods.line(), "quantity": 1, "reason": "too small"}]}, expect=201)
    wait_published(database)
    let_age(database)
    before = {it.order["id"]: database.count("events", "order_id = %s", it.order["id"]) for it in (capture, refund, goods)}

    counts(house)

    assert before == {order: database.count("events", "order_id = %s", order) for order in before}

    capture.api.post(f"/v1/payments/{capture.order['payments'][0]['id']}/events", {"event_id": "e", "type": "captured"}, expect=200)
    settle_refunds(refund)
    made = goods.api.get(f"/v1/returns?order_id={goods.order['id']}", expect=200).json()["data"][0]
    goods.api.post(f"/v1/returns/{made['id']}/cancel", {"reason": "kept"}, expect=200)
    wait_published(database)
    let_age(database)
    counts(house)
    assert database.rows("select distinct type from events") == [{"type": "order.customer_erased"}]


def test_an_event_that_waits_to_be_published_stays(house, shop, database):
    hand_over(shop())
    wait_published(database)
    house.stop()
    database.execute("insert into events_due (ids) select array[id] from events where type = 'fulfillment.handed_over'")
    let_age(database)
    counts(house)
    assert [row["type"] for row in database.rows("select type from events order by id")] == [
        "fulfillment.handed_over", "order.customer_erased"]


def test_reservations_that_are_over_go_with_their_lines(house, shop, database):
    retailer = shop().retailer
    over, active, claimed = (retailer.reserve({retailer.sku: 1, retailer.skus[1]: 1}).json()["id"] for _ in range(3))
    retailer.api.delete(f"/v1/reservations/{over}", expect=200)
    retailer.order({retailer.sku: 1, retailer.skus[1]: 1}, reservation_id=claimed)
    database.execute("update reservations set expires_at = '2100-01-01'")
    database.execute("update reservation_lines set expires_at = '2100-01-01'")
    let_age(database)
    house.assert_audit_clean()

    assert counts(house)["reservations"] == 2

    assert database.count("reservations") == 1 and database.value("select status from reservations") == "active"
    assert database.count("reservation_lines") == 2
    house.assert_audit_clean()
    assert active


def give_up_deliveries(database):
    """Two deliveries that a webhook gave up long ago, one of late, and one that is still tried."""
    for position, died in enumerate(("now() - interval '31 days'", "now() - interval '32 days'", "now() - interval '29 days'", "null")):
        database.execute("insert into webhook_failures (webhook_id, position, event_id, attempts, died_at)"
                         f" values (gen_random_uuid(), %s, gen_random_uuid(), 10, {died})", position)


def test_deliveries_that_were_given_up_a_month_ago_go(house, database):
    give_up_deliveries(database)
    assert counts(house)["given up deliveries"] == 2
    assert [row["position"] for row in database.rows("select position from webhook_failures order by position")] == [2, 3]


def test_messages_to_customers_go_by_their_age(house, shop, database):
    work = shop()
    for _ in range(3):
        hear_of(work, Person())
    database.execute("update notifications set created_at = now() - interval '29 days' where id = (select id from notifications limit 1)")
    assert counts(house)["notifications"] == 0
    let_age(database, "interval '2 days'")
    assert counts(house)["notifications"] == 1 and database.count("notifications") == 2


def deliver(database):
    """Two single deliveries of more than a week ago, and one of this week."""
    database.execute("insert into webhook_attempts (webhook_id, event_id, at, position, attempt, is_ok, status, ms)"
                     " select gen_random_uuid(), gen_random_uuid(), now() - interval '1 day' * age, 1, 1, true, 200, 1"
                     " from unnest(array[6, 8, 9]) as age")


def test_single_deliveries_of_last_week_go(house, database):
    deliver(database)
    assert counts(house)["deliveries"] == 2
    assert database.count("webhook_attempts", "at > now() - interval '7 days'") == database.count("webhook_attempts") == 1


def test_past_slots_that_nobody_holds_go(house, shop, database):
    retailer = shop().retailer
    slot = retailer.offer_slot(capacity=5)
    retailer.order({retailer.sku: 1}, fulfillment={"method": "pickup", "location": retailer.store, "slot": slot})
    database.execute("update slots set starts_at = starts_at - interval '30 days'")
    database.execute("update fulfillments set slot_at = slot_at - interval '30 days' where slot_at is not null")
    database.execute("insert into slots select location, starts_at - interval '1 hour', 0 from slots")
    database.execute("insert into slots select code, now() - interval '1 hour', 0 from locations limit 1")

    assert counts(house)["past slots"] == 1

    assert sorted(row["booked"] for row in database.rows("select booked from slots")) == [0, 1]
    house.assert_audit_clean()


def test_customers_go_from_closed_orders_alone(house, shop, database):
    person = Person()
    live_through(shop, person)
    waiting = shop(customer=person.customer)
    kept = waiting.order_now()
    wait_published(database)
    let_age(database)

    told = prune(house, **ALL)

    assert told["customers of orders"] == ("5", "erased")
    assert database.rows("select distinct o.customer ->> 'name' as name, count(*) from orders o group by 1 order by 1") == [
        {"name": kept["customer"]["name"], "count": 1}, {"name": "erased", "count": 5}]
    assert waiting.order_now()["customer"] == person.customer
    left = person.traces_in(house.database_url)
    assert {line.split()[2] for line in left} == {"holdfast.orders"} and len(left) == 1
    house.assert_audit_clean()


def test_an_order_with_a_refund_due_is_kept_and_told(house, shop, database):
    due = shop()
    due.api.post(f"/v1/orders/{due.order['id']}/cancel", {"reason": "no more"}, expect=200)
    let_age(database)
    told = prune(house, **ALL)
    assert told["customers of orders"] == ("0", "erased")
    assert told[""] == ("1", "kept: their orders are still open")


def test_the_migration_gives_each_older_order_its_reason(house, shop, database):
    live_through(shop, Person())
    capture, refund, goods = hand_over(shop(payment={"status": "authorized"})), shop(), hand_over(shop())
    refund.api.post(f"/v1/orders/{refund.order['id']}/cancel", {"reason": "no more"}, expect=200)
    goods.api.post("/v1/returns", {"order_id": goods.order["id"], "location": goods.order["fulfillments"][0]["location"], "by_post": True,
                                   "lines": [{"order_line_id": goods.line(), "quantity": 1, "reason": "too small"}]}, expect=201)
    assert shop() and capture
    reasons = "select open_for, returns_awaited, count(*) as n from orders group by 1, 2 order by 1, 2"
    before = database.rows(reasons)
    assert {row["open_for"] for row in before} == {None, "capture", "goods", "refund_due", "units"}
    house.stop()

    database.execute("alter table orders drop column open_for, drop column returns_awaited")
    [migration] = (ROOT / "sql/migrations").glob("*_open_for.sql")
    for statement in migration.read_text().split(";\n")[:-1]:
        database.execute(statement)

    assert database.rows(reasons) == before
    house.assert_audit_clean()


def test_a_dry_run_counts_the_same_and_changes_nothing(house, shop, database):
    person = Person()
    live_through(shop, person)
    retailer = shop().retailer
    for _ in range(3):
        retailer.api.delete(f"/v1/reservations/{retailer.reserve().json()['id']}", expect=200)
    database.execute("insert into slots select code, now() - interval '2 days', 0 from locations")
    give_up_deliveries(database)
    deliver(database)
    wait_published(database)
    fill_part(database)
    let_age(database)
    before = person.traces_in(house.database_url)
    sizes = {table: database.count(table) for table in (
        "event_log", "events", "idempotency", "notifications", "reservations", "slots", "webhook_failures")}

    would = counts(house, "--dry-run")

    assert person.traces_in(house.database_url) == before
    assert sizes == {table: database.count(table) for table in sizes}
    assert all(would.values()), f"something had nothing to prune: {would}"
    assert counts(house) == would
    assert set(counts(house).values()) == {0}


def test_more_than_one_batch_goes(house, shop, database):
    hand_over(shop())
    let_age(database)
    database.execute("insert into events (id, type, subject_kind, subject_id, actor, data, occurred_at) select"
                     " ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'old', 'orders', n::text, 'test', '{}', now() - interval '40 days'"
                     " from generate_series(1, 2500) as n")
    database.execute("insert into idempotency select gen_random_uuid(), '', 200, null, null, '', now() - interval '2 days'"
                     " from generate_series(1, 2500)")
    records = database.count("idempotency")

    would, gone = counts(house, "--dry-run"), counts(house)

    assert would == gone and gone["idempotency records"] == records and gone["events"] >= 2500


def test_the_age_of_records_is_a_setting(house, shop, database):
    shop()
    let_age(database, "interval '2 days'")
    assert counts(house, retention_idempotency="P3D")["idempotency records"] == 0
    assert counts(house)["idempotency records"] > 0


def test_the_sweeper_keeps_to_the_setting_too(services, new_database):
    url = new_database()
    with Database(url) as database:
        database.execute("insert into idempotency select gen_random_uuid(), '', 200, null, null, '', now() - n * interval '36 hours'"
                         " from generate_series(1, 2) as n")
        instance = services(url, retention_idempotency="P2D")
        eventually(lambda: database.count("idempotency") == 1, what="the older one gone")
        assert instance.is_running()


def test_wrong_usage_and_settings(house):
    assert house.run("prune", "--all").returncode == 2
    assert house.run("prune", "--dry-run", "now").returncode == 2
    for setting, value in (("retention_events", "P1D"), ("retention_idempotency", "PT23H"), ("retention_personal_data", "never")):
        done = Holdfast(house.database_url, ".", **{setting: value}).run("prune")
        assert (done.returncode, done.stdout) == (78, "") and setting.upper() in done.stderr
