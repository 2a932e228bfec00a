"""Orders are changed while others cancel, pick, hand over or change them, at two instances."""

import random
import uuid
from collections import Counter

import pytest

from support.crowd import crowd, rush, shoppers
from support.retailer import Retailer
from support.shelf import assert_adds_up

ORDERS = 24
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
HOME = {"name": "Ada", "line1": "Here 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}
EXPECTED = {(200, None), (409, "invalid-transition"), (409, "insufficient-stock"), (409, "over-pick"), (409, "slot-full"),
            (422, "validation-failed")}


@pytest.fixture
def shop(pair, database):
    """A retailer with so many units of each product everywhere; at the end its books must balance."""
    made = []

    def make(on_hand, **fields):
        made.append(Retailer(pair[0].client(), on_hand=on_hand, **fields).create())
        return made[-1]
    yield make
    for retailer in made:
        assert_adds_up(database, *retailer.locations)
        assert database.rows(_WRONG, retailer.channel) == []
    pair[0].assert_audit_clean()


@pytest.fixture
def people(pair, token):
    return lambda n: shoppers(n, *pair, token=token)


_WRONG = """
    select o.*, l.open, f.allocated, l.worth
      from orders o
     cross join lateral (select sum(quantity - cancelled - fulfilled) as open, sum(fulfilled) as fulfilled, sum(value) as worth
                           from order_lines where order_id = o.id) as l
     cross join lateral (select sum(reserved) as allocated from fulfillment_lines where order_id = o.id) as f
     where o.channel = %s
       and (l.open <> f.allocated or l.worth + o.shipping <> o.total or o.credited > o.total
            or o.status <> case when l.open > 0 and l.fulfilled > 0 then 'partially_fulfilled'
                                when l.open > 0 then 'open'
                                when l.fulfilled > 0 then 'fulfilled'
                                else 'cancelled' end)"""


def place(people, retailer, n, lines=None, **fields):
    bodies = [retailer.order_body(lines or {sku: 3 for sku in retailer.skus[:2]}, payment={"status": "captured"},
                                  ship_to=HOME, **fields) for _ in range(n)]
    answers = rush(people(n), lambda shopper, i: shopper.ask("POST", "/v1/orders", bodies[i], str(uuid.uuid4())))
    assert {answer.status for answer in answers} == {201}
    return [answer.json() for answer in answers]


def change(shopper, order, *lines, **members):
    body = {"reason": "the customer called", **({"lines": list(lines)} if lines else {}), **members}
    return shopper.ask("POST", f"/v1/orders/{order['id']}/change", body, str(uuid.uuid4()))


def line(order, n, **members):
    return {"order_line_id": order["lines"][n]["id"], **members}


def pickup(location):
    return {"method": "pickup", "location": location}


def outcomes(answers):
    return Counter((answer.status, answer.code) for answer in answers)


def show(people, order):
    return crowd(people(1)[0].ask("GET", f"/v1/orders/{order['id']}"))[0].json()


def test_the_last_units_go_to_one_of_many_changes(people, shop):
    """Twelve orders want two more of what only ten are left of."""
    retailer = shop(22)
    orders = place(people, retailer, 12, {retailer.sku: 1})

    answers = rush(people(12), lambda shopper, i: change(shopper, orders[i], line(orders[i], 0, quantity=3)))

    assert outcomes(answers) == {(200, None): 5, (409, "insufficient-stock"): 7}


def test_orders_that_change_places_never_lock_each_other_out(people, shop, database):
    """Half move from the first store to the second one, half the other way, all of them at once."""
    retailer = shop(1000)
    before = database.value(DEADLOCKS)
    stores = (retailer.store, retailer.other_store)
    orders = [order for side in (0, 1) for order in place(people, retailer, ORDERS // 2, fulfillment=pickup(stores[side]))]

    answers = rush(people(ORDERS), lambda shopper, i: change(
        shopper, orders[i], *(line(orders[i], n, fulfillment=pickup(stores[i < ORDERS // 2])) for n in (0, 1))))

    assert outcomes(answers) == {(200, None): ORDERS}
    assert database.value(DEADLOCKS) == before
    assert {(row["location"], row["reserved"]) for row in database.rows(
        "select location, reserved from stock where sku = %s and location = any(%s)", retailer.sku, list(stores))} == {
            (store, 3 * ORDERS // 2) for store in stores}


@pytest.mark.parametrize("seed", range(4))
def test_a_change_meets_cancellations_picks_hand_overs_and_other_changes(people, shop, seed):
    retailer = shop(400)
    orders = place(people, retailer, ORDERS)

    async def act(shopper, i):
        dice, order, answers = random.Random(1000 * seed + i), orders[i // 4], []
        fulfillment = order["fulfillments"][0]["id"]
        for _ in range(4):
            n = dice.randrange(2)
            what = i % 4 if dice.random() < 0.7 else dice.randrange(4)
            if what == 0:
                answers.append(await change(shopper, order, line(order, n, quantity=dice.randrange(7)),
                                            {"sku": retailer.skus[2], "quantity": 1, "fulfillment": pickup(retailer.other_store)}))
            elif what == 1:
                body = {"reason": "no", "lines": [line(order, n, quantity=1)]}
                answers.append(await shopper.ask("POST", f"/v1/orders/{order['id']}/cancel", body, str(uuid.uuid4())))
            elif what == 2:
                body = {"lines": [line(order, n, quantity=1)]}
                answers.append(await shopper.ask("POST", f"/v1/fulfillments/{fulfillment}/pick", body, str(uuid.uuid4())))
                await shopper.ask("POST", f"/v1/fulfillments/{fulfillment}/ready", {}, str(uuid.uuid4()))
                await shopper.ask("POST", f"/v1/fulfillments/{fulfillment}/handover",
                                  {"proof": {"method": "id_check"}}, str(uuid.uuid4()))
            else:
                answers.append(await change(shopper, order, line(order, n, fulfillment=pickup(
                    dice.choice((retailer.store, retailer.other_store))))))
        return answers

    answers = [answer for each in rush(people(4 * ORDERS), act) for answer in each]

    assert set(outcomes(answers)) <= EXPECTED
    assert outcomes(answers)[200, None] > ORDERS


def test_two_changes_of_one_version_do_not_both_count(people, shop):
    retailer = shop(1000)
    orders = place(people, retailer, ORDERS)

    answers = rush(people(2 * ORDERS), lambda shopper, i: shopper.ask(
        "POST", f"/v1/orders/{orders[i // 2]['id']}/change",
        {"reason": "r", "lines": [line(orders[i // 2], 0, quantity=4 + i % 2)]}, str(uuid.uuid4()), version=1))

    assert outcomes(answers) == {(200, None): ORDERS, (412, "precondition-failed"): ORDERS}
