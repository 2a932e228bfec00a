"""Old rows are pruned, and customers are erased, by several commands at once and while both instances trade."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.crowd import rush, shoppers
from support.holdfast import Holdfast
from support.person import Person
from support.retailer import Retailer
from support.shelf import assert_adds_up

ORDERS = 30
ERASERS = 2
OLD = 3000  # of each kind; several batches


@pytest.fixture
def retailer(pair, database):
    made = Retailer(pair[0].client(), on_hand=1000, n_products=5).create()
    yield made
    assert_adds_up(database, *made.locations)
    pair[0].assert_audit_clean()


def make_ready(retailer, person):
    order = retailer.order({retailer.skus[0]: 2, retailer.skus[1]: 1}, customer=person.customer,
                           payment={"status": "captured", "reference": person.word}).json()
    path = f"/v1/fulfillments/{order['fulfillments'][0]['id']}"
    lines = [{"order_line_id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
    retailer.api.post(f"{path}/pick", {"lines": lines}, expect=200)
    retailer.api.post(f"{path}/ready", {}, expect=200)
    code = retailer.api.get(path, expect=200).json()["pickup_code"]
    return order["id"], path, {"proof": {"method": "code", "value": code}, "recipient": {"name": f"Bob {person.word}"}}


def erased(done):
    """How many; none when nobody is known by it any more."""
    return next((int(line[22:]) for line in done.stdout.splitlines() if line.startswith("orders erased")), 0)


def test_customers_are_erased_while_their_orders_are_handed_over(pair, token, retailer, database):
    """Each order is handed over once and erased once in either order, and no personal data is written again."""
    person = Person()
    orders = [make_ready(retailer, person) for _ in range(ORDERS)]
    selector = ("customer", "erase", "--email", person.email)

    def erase_again_and_again(instance):
        return [instance.run(*selector) for _ in range(4)]

    with ThreadPoolExecutor(ERASERS) as pool:
        erasers = [pool.submit(erase_again_and_again, instance) for instance in pair]
        answers = rush(shoppers(ORDERS, *pair, token=token), lambda shopper, i: shopper.ask(
            "POST", f"{orders[i][1]}/handover", orders[i][2], str(uuid.uuid4())))
        runs = [done for eraser in erasers for done in eraser.result()]

    assert Counter(answer.status for answer in answers) == {200: ORDERS}
    assert {done.returncode for done in runs} <= {0, 1}
    last = pair[0].run(*selector)
    assert sum(map(erased, runs)) + erased(last) == ORDERS
    told = Counter(row["type"] for row in database.rows(
        "select type from events where order_id = any(%s::uuid[])", [order for order, _, _ in orders]))
    assert told["fulfillment.handed_over"] == told["order.customer_erased"] == told["order.fulfilled"] == ORDERS
    assert person.traces_in(pair[0].database_url) == []


def plant_old(database, location, sku):
    database.execute("insert into events (id, type, subject_kind, subject_id, actor, data, occurred_at)"
                     " select (lpad(to_hex(n), 12, '0') || '7000' || replace(gen_random_uuid()::text, '-', ''))::char(32)::uuid,"
                     " 'old', 'orders', n::text, 'test', '{}', now() - interval '40 days' from generate_series(1, %s) as n", OLD)
    database.execute("create temporary table old as select"
                     " (lpad(to_hex(n), 12, '0') || '7000' || replace(gen_random_uuid()::text, '-', ''))::char(32)::uuid as id"
                     " from generate_series(1, %s) as n", OLD)
    database.execute("insert into reservations (id, location, status, expires_at, actor, created_at, updated_at)"
                     " select id, %s, 'expired', moment, 'old', moment, moment from old, (select now() - interval '40 days') as past (moment)", location)
    database.execute("insert into reservation_lines (reservation_id, line, location, sku, quantity, held, expires_at)"
                     " select id, 0, %s, %s, 1, false, now() - interval '40 days' from old", location, sku)
    database.execute("drop table old")


def pruned(done, what):
    return next(int(line[22:].split()[0]) for line in done.stdout.splitlines() if line.startswith(what))


def test_old_rows_go_once_while_both_instances_trade(pair, token, retailer, database):
    plant_old(database, retailer.store, retailer.sku)
    before = database.count("events", "type <> 'old'")
    settings = {"retention_events": "P30D", "retention_reservations": "P30D", "retention_personal_data": "P30D"}
    pruners = [Holdfast(pair[0].database_url, ".", **settings) for _ in range(3)]
    bodies = [retailer.order_body({retailer.sku: 1}) for _ in range(ORDERS)]

    async def trade(shopper, i):
        held = await shopper.reserve(retailer.store, {retailer.sku: 1})
        placed = await shopper.ask("POST", "/v1/orders", {**bodies[i], "reservation_id": held.json()["id"]}, str(uuid.uuid4()))
        return await shopper.ask("POST", f"/v1/orders/{placed.json()['id']}/cancel", {"reason": "changed"}, str(uuid.uuid4()))

    with ThreadPoolExecutor(len(pruners)) as pool:
        running = [pool.submit(lambda pruner: pruner.run("prune", check=0), pruner) for pruner in pruners]
        answers = rush(shoppers(ORDERS, *pair, token=token), trade)
        runs = [each.result() for each in running]

    assert Counter(answer.status for answer in answers) == {200: ORDERS}
    for what in ("events", "reservations"):
        assert sum(pruned(done, what) for done in runs) == OLD
    assert database.count("events", "type = 'old'") == database.count("reservations", "actor = 'old'") == 0
    assert database.count("events", "type <> 'old'") > before
