"""Units fall short at two instances at once, and others want the same units of the next store.

Whatever comes first: each missing unit is taken over once or cancelled once, and nothing stays reserved in vain.
"""

import uuid

import pytest

from support.crowd import Started, rush, shoppers
from support.lone import WAIT_S, lock_waiters
from support.retailer import Retailer
from support.waiting import eventually

ROUNDS = 10
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


@pytest.fixture
def retailer_of(pair):
    """A retailer whose other store has so many units of each product; its own store has plenty."""
    def make(units, n_products=1):
        retailer = Retailer(pair[0].client(), n_products=n_products, on_hand=100).create()
        retailer.stock({(retailer.other_store, sku): units for sku in retailer.skus})
        return retailer
    return make


@pytest.fixture(autouse=True)
def deadlock_free_and_clean(pair, database):
    before = database.value(DEADLOCKS)
    yield
    assert database.value(DEADLOCKS) == before
    pair[0].assert_audit_clean()


def place(retailer, lines, **fields):
    return retailer.order(lines, payment={"status": "captured"}, **fields).json()


def reject(shopper, fulfillment, reason="closed"):
    """Batches may start over so often that they give up and ask to be sent again."""
    return shopper.insist("POST", f"/v1/fulfillments/{fulfillment['id']}/reject", {"reason": reason}, str(uuid.uuid4()))


def short(shopper, order, n=0, units=1):
    fulfillment = order["fulfillments"][0]
    body = {"lines": [{"order_line_id": order["lines"][n]["id"], "quantity": units}], "reason": "not_found"}
    return shopper.insist("POST", f"/v1/fulfillments/{fulfillment['id']}/short", body, str(uuid.uuid4()))


def cancel(shopper, order):
    return shopper.ask("POST", f"/v1/orders/{order['id']}/cancel", {"reason": "changed her mind"}, str(uuid.uuid4()))


def buy(shopper, retailer, sku):
    body = retailer.order_body({sku: 1}, location=retailer.other_store)
    return shopper.ask("POST", "/v1/orders", body, str(uuid.uuid4()))


def resourced(answer):
    assert answer.status == 200, answer
    return sum(line["resourced"] for line in answer.json()["lines"])


def elsewhere(retailer, sku=None):
    return retailer.figures(sku, location=retailer.other_store)


def now(retailer, order):
    return retailer.api.get(f"/v1/orders/{order['id']}", expect=200).json()


def test_two_that_fall_short_at_once_share_the_last_unit_elsewhere(pair, token, retailer_of):
    retailer = retailer_of(units=1, n_products=ROUNDS)
    orders = [place(retailer, {retailer.skus[i // 2]: 1}) for i in range(2 * ROUNDS)]

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), lambda shopper, i: short(shopper, orders[i]))

    for i, sku in enumerate(retailer.skus):
        assert sorted(map(resourced, answers[2 * i:2 * i + 2])) == [0, 1]
        ends = sorted((one["status"], one["totals"]["refund_due"]["amount"]) for one in
                      (now(retailer, order) for order in orders[2 * i:2 * i + 2]))
        assert ends == [("cancelled", 1000 * (i + 1)), ("open", 0)]
        assert elsewhere(retailer, sku)["reserved"] == 1


def test_buyers_and_short_fulfillments_do_not_get_the_same_unit(pair, token, retailer_of):
    retailer = retailer_of(units=ROUNDS)
    orders = [place(retailer, {retailer.sku: 1}) for _ in range(ROUNDS)]

    def action(shopper, i):
        return buy(shopper, retailer, retailer.sku) if i % 2 else short(shopper, orders[i // 2])

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), action)

    moved = sum(map(resourced, answers[::2]))
    assert {answer.status for answer in answers[1::2]} <= {201, 409}
    bought = sum(answer.status == 201 for answer in answers[1::2])
    assert moved + bought == ROUNDS
    assert (elsewhere(retailer)["reserved"], elsewhere(retailer)["available"]) == (ROUNDS, 0)
    assert sum(now(retailer, order)["lines"][0]["cancelled"] for order in orders) == ROUNDS - moved


def test_every_short_fulfillment_finds_a_unit_when_there_are_enough(pair, token, retailer_of, database):
    retailer = retailer_of(units=50, n_products=3)
    orders = [place(retailer, {sku: 1 for sku in retailer.skus}) for _ in range(2 * ROUNDS)]

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token),
                   lambda shopper, i: reject(shopper, orders[i]["fulfillments"][0]))

    assert [resourced(answer) for answer in answers] == [3] * (2 * ROUNDS)
    assert [[one["location"] for one in answer.json()["replaced_by"]] for answer in answers] == [
        [retailer.other_store]] * (2 * ROUNDS)
    assert elsewhere(retailer)["reserved"] == 2 * ROUNDS
    assert database.count("events", "type = 'fulfillment.resourced' and location = %s", retailer.store) == 2 * ROUNDS


def test_an_order_that_is_cancelled_while_it_moves_holds_nothing_anywhere(pair, token, retailer_of, database):
    retailer = retailer_of(units=50)
    orders = [place(retailer, {retailer.sku: 2}) for _ in range(ROUNDS)]

    def action(shopper, i):
        order = orders[i // 2]
        return cancel(shopper, order) if i % 2 else reject(shopper, order["fulfillments"][0])

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), action)

    assert {answer.status for answer in answers[1::2]} == {200}
    assert {answer.status for answer in answers[::2]} <= {200, 409}
    for order in orders:
        after = now(retailer, order)
        assert (after["status"], after["totals"]["refund_due"]["amount"]) == ("cancelled", 2000)
        assert {one["status"] for one in after["fulfillments"]} <= {"rejected", "cancelled"}
    assert (retailer.figures()["reserved"], elsewhere(retailer)["reserved"]) == (0, 0)
    assert database.count("fulfillment_lines", "sku = %s and reserved > 0", retailer.sku) == 0


def test_both_parts_of_one_order_move_at_once(pair, token, retailer_of):
    retailer = retailer_of(units=50, n_products=2)
    orders = []
    for _ in range(ROUNDS):
        body = retailer.order_body(payment={"status": "captured"})
        body["lines"] = [
            {"sku": sku, "quantity": 1, "fulfillment": {"method": method, "location": retailer.store}}
            for sku, method in zip(retailer.skus, ("pickup", "curbside"))]
        orders.append(retailer.api.post("/v1/orders", body, expect=201).json())

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token),
                   lambda shopper, i: reject(shopper, orders[i // 2]["fulfillments"][i % 2], "capacity"))

    assert [resourced(answer) for answer in answers] == [1] * (2 * ROUNDS)
    for order in orders:
        after = now(retailer, order)
        assert (after["status"], after["version"], len(after["fulfillments"])) == ("open", 3, 4)
        assert {one["replaces"] for one in after["fulfillments"]} == {None, *(one["id"] for one in order["fulfillments"])}


def test_short_twice_at_once_is_taken_over_unit_by_unit(pair, token, retailer_of):
    retailer = retailer_of(units=50)
    order = place(retailer, {retailer.sku: ROUNDS})

    answers = rush(shoppers(ROUNDS, *pair, token=token), lambda shopper, i: short(shopper, order))

    assert sorted(resourced(answer) for answer in answers) == list(range(1, ROUNDS + 1))
    after = now(retailer, order)
    assert (after["status"], after["lines"][0]["cancelled"]) == ("open", 0)
    assert sorted(one["status"] for one in after["fulfillments"]) == ["allocated"] * ROUNDS + ["cancelled"]
    assert elsewhere(retailer)["reserved"] == ROUNDS


def test_units_that_go_between_the_look_and_the_lock_are_not_counted_on(lone, token):
    """Another session holds the row of the next store when it is to be locked, and empties it."""
    retailer = Retailer(lone.instance.client(), n_products=1, on_hand=100).create()
    retailer.stock({(retailer.other_store, retailer.sku): 1})
    order = place(retailer, {retailer.sku: 1})
    shopper, = lone.shoppers(1)
    retries = lone.lane("retries_total")

    with lone.database.transaction() as rows:
        rows("update stock set safety_stock = 1 where location = %s and sku = %s", retailer.other_store, retailer.sku)
        answer = Started(short(shopper, order))
        eventually(lambda: lock_waiters(lone.database) == 1, WAIT_S, "it waits for the row of the next store")
        rows("commit")
    answer, = answer.answers()

    assert resourced(answer) == 0
    assert now(retailer, order)["status"] == "cancelled"
    assert elsewhere(retailer)["reserved"] == 0
    assert lone.lane("retries_total") == retries + 1
    lone.instance.assert_audit_clean()
