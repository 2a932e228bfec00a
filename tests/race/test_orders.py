"""Everybody orders, claims and cancels at the same moment, at two instances."""

import uuid
from collections import Counter

import pytest

from support.crowd import crowd, rush, shoppers
from support.retailer import Retailer
from support.shelf import assert_adds_up, let_lapse

BUYERS = 400
UNITS = 100
PLENTY = 10_000
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
PAID = {"payment": {"status": "captured"}}


@pytest.fixture
def shop(pair, database):
    """A retailer with so many units of each product everywhere; at the end its books must balance."""
    made = []

    def make(on_hand, **fields):
        made.append(Retailer(pair[0].client(), on_hand=on_hand, **fields).create())
        return made[-1]
    yield make
    for retailer in made:
        assert_whole(pair, database, retailer)


@pytest.fixture
def people(pair, token):
    return lambda n: shoppers(n, *pair, token=token)


def place(shopper, body, key=None):
    return shopper.ask("POST", "/v1/orders", body, key or str(uuid.uuid4()))


def cancel(shopper, order, lines=None, reason="changed her mind"):
    body = {"reason": reason}
    if lines is not None:
        body["lines"] = [{"order_line_id": order["lines"][n]["id"], "quantity": units} for n, units in lines.items()]
    return shopper.ask("POST", f"/v1/orders/{order['id']}/cancel", body, str(uuid.uuid4()))


def reserve(people, retailer, lines):
    answer, = crowd(people(1)[0].reserve(retailer.store, lines))
    assert answer.status == 201
    return answer.json()["id"]


def outcomes(answers):
    return Counter((answer.status, answer.code) for answer in answers)


def stock(database, retailer):
    """{(sku, location): (on_hand, reserved)}"""
    return {(row["sku"], row["location"]): (row["on_hand"], row["reserved"]) for row in database.rows(
        "select sku, location, on_hand, reserved from stock where sku = any(%s)", retailer.skus)}


def events(database, order_ids):
    return Counter(row["type"] for row in database.rows(
        "select type from events where order_id = any(%s::uuid[])", list(order_ids)))


def assert_whole(pair, database, retailer):
    """Stock, ledger and documents agree, and each order follows from its lines."""
    assert_adds_up(database, *retailer.locations)
    assert database.rows(_WRONG_ORDERS, retailer.channel) == []
    pair[0].assert_audit_clean()


_WRONG_ORDERS = """
    select o.*, l.open, l.cancelled, l.fulfilled, f.allocated, told.created
      from orders o
     cross join lateral (select sum(quantity - cancelled - fulfilled) as open, sum(cancelled) as cancelled,
                                sum(fulfilled) as fulfilled
                           from order_lines where order_id = o.id) as l
     cross join lateral (select sum(reserved) as allocated from fulfillment_lines where order_id = o.id) as f
     cross join lateral (select count(*) as created
                           from events where order_id = o.id and type = 'order.created') as told
     where o.channel = %s
       and (l.open <> f.allocated or told.created <> 1 or o.refund_due > o.total
            or o.status <> case when l.open > 0 and l.fulfilled > 0 then 'partially_fulfilled'
                                when l.open > 0 then 'open'
                                when l.fulfilled > 0 then 'fulfilled'
                                else 'cancelled' end)"""


# Placing


@pytest.mark.parametrize("sale", range(3))
def test_four_hundred_buyers_get_exactly_the_hundred_units(people, shop, database, sale):
    retailer = shop(UNITS)
    bodies = [retailer.order_body() for _ in range(BUYERS)]
    keys = [str(uuid.uuid4()) for _ in range(BUYERS)]

    answers = rush(people(BUYERS), lambda shopper, i: place(shopper, bodies[i], keys[i]))

    assert outcomes(answers) == {(201, None): UNITS, (409, "insufficient-stock"): BUYERS - UNITS}
    orders = {answer.json()["id"]: answer.json() for answer in answers if answer.status == 201}
    rows = database.rows("select id::text, order_number, external_ref from orders where channel = %s", retailer.channel)
    assert {(row["id"], row["order_number"], row["external_ref"]) for row in rows} == {
        (order["id"], order["order_number"], order["external_ref"]) for order in orders.values()}
    assert len(rows) == len({row["order_number"] for row in rows}) == UNITS
    for table in ("order_lines", "fulfillments", "fulfillment_lines"):
        assert database.count(table, "order_id = any(%s::uuid[])", list(orders)) == UNITS
    assert events(database, orders) == {"order.created": UNITS, "fulfillment.allocated": UNITS}
    assert stock(database, retailer)[retailer.sku, retailer.store] == (UNITS, UNITS)
    assert database.count("ledger", "sku = %s and location = %s", retailer.sku, retailer.store) == 1

    # A repeated request at the other instance gets the same answer and has no second effect.
    again = rush([*people(BUYERS + 1)[1:]], lambda shopper, i: place(shopper, bodies[i], keys[i]))
    assert [(answer.status, answer.body) for answer in again] == [(answer.status, answer.body) for answer in answers]
    assert all(answer.replayed for answer in again)
    assert database.count("orders", "channel = %s", retailer.channel) == UNITS


def test_an_order_that_does_not_fit_lets_smaller_ones_pass(people, shop):
    retailer = shop(10)
    bodies = [retailer.order_body({retailer.sku: 11 if i % 2 else 1}) for i in range(20)]

    answers = rush(people(20), lambda shopper, i: place(shopper, bodies[i]))

    assert [answer.status for answer in answers] == [201, 409] * 10


def test_crossing_baskets_never_lock_each_other_out(people, shop, database):
    """Every order takes each product at two stores, in a different order."""
    retailer, n, rounds = shop(PLENTY), 40, 4
    places = [(sku, location) for sku in retailer.skus for location in (retailer.store, retailer.other_store)]
    before = database.value(DEADLOCKS)

    def basket(i):
        turned = places[i % 6:] + places[:i % 6]
        return [{"sku": sku, "quantity": 1, "fulfillment": {"method": "pickup", "location": location}}
                for sku, location in (turned if i % 2 else reversed(turned))]

    async def buy(shopper, i):
        return [await place(shopper, retailer.order_body(basket(i))) for _ in range(rounds)]

    answers = [answer for each in rush(people(n), buy) for answer in each]

    assert outcomes(answers) == {(201, None): n * rounds}
    assert database.value(DEADLOCKS) == before
    figures = stock(database, retailer)
    assert [figures[place] for place in places] == [(PLENTY, n * rounds)] * 6
    assert events(database, (answer.json()["id"] for answer in answers)) == {
        "order.created": n * rounds, "fulfillment.allocated": 2 * n * rounds}


def test_orders_reservations_and_cancellations_of_crossing_baskets_meet_without_deadlock(people, shop, database):
    retailer = shop(PLENTY)
    before = database.value(DEADLOCKS)

    async def act(shopper, i):
        lines = {sku: 1 for sku in (retailer.skus if i % 2 else reversed(retailer.skus))}
        for _ in range(3):
            held = (await shopper.reserve(retailer.store, lines)).json()["id"] if i % 3 == 0 else None
            placed = await place(shopper, retailer.order_body(lines, **({"reservation_id": held} if held else {})))
            assert placed.status == 201
            cancelled = await cancel(shopper, placed.json(), {i % 3: 1} if i % 5 == 0 else None)
            assert cancelled.status == 200

    rush(people(40), act)

    assert database.value(DEADLOCKS) == before
    kept = database.value(
        "select sum(quantity - cancelled)::bigint from order_lines"
        " where order_id in (select id from orders where channel = %s)", retailer.channel)
    assert kept == 8 * 3 * 2  # every fifth shopper keeps two of three lines
    assert sum(reserved for _, reserved in stock(database, retailer).values()) == kept


def test_large_orders_are_not_all_put_into_one_batch(lone):
    """Six thousand lines at once would keep everybody waiting for the last of them.

    To cancel them is less work, but the replies are more than the database takes in one statement.
    """
    retailer, shelf, n = Retailer(lone.instance.client(), on_hand=0).create(), lone.shelf(units=32, n_skus=200), 32
    lone.database.execute("update products set title = repeat(%s, 300) where sku = any(%s)", "\U0001f6d2", shelf.skus)
    lines = [{"sku": sku, "quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}} for sku in shelf.skus]
    bodies = [retailer.order_body(lines, location=shelf.location) for _ in range(n)]
    before, splits = lone.lane("batches_total"), lone.lane("splits_total")

    placed = lone.in_one_batch([place(shopper, body) for shopper, body in zip(lone.shoppers(n), bodies)])

    assert outcomes(placed) == {(201, None): n}
    assert lone.lane("batches_total") == before + 3  # one is that of the call behind which they gather
    cancelled = lone.in_one_batch([cancel(shopper, answer.json()) for shopper, answer in zip(lone.shoppers(n), placed)])
    assert {(answer.status, answer.json()["status"]) for answer in cancelled} == {(200, "cancelled")}
    assert sum(len(answer.body) for answer in cancelled) > 2 ** 24
    assert lone.lane("batches_total") == before + 5
    assert lone.lane("splits_total") == splits
    shelf.assert_adds_up()


# One reference


@pytest.mark.parametrize("attempt", range(6))
def test_a_reference_makes_one_order_however_many_try(people, shop, database, attempt):
    retailer, n = shop(PLENTY), 20
    body = retailer.order_body()

    answers = rush(people(n), lambda shopper, i: place(shopper, body))

    assert outcomes(answers) == {(201, None): 1, (409, "duplicate-external-ref"): n - 1}
    order, = [answer.json() for answer in answers if answer.status == 201]
    assert {answer.json()["existing"] for answer in answers if answer.status == 409} == {f"/v1/orders/{order['id']}"}
    assert database.count("orders", "channel = %s", retailer.channel) == 1
    assert stock(database, retailer)[retailer.sku, retailer.store] == (PLENTY, 1)
    assert events(database, [order["id"]]) == {"order.created": 1, "fulfillment.allocated": 1}


def test_many_references_at_once_make_one_order_each(people, shop, database):
    """Rivals meet in the unique index while the rest of their batch has nothing to do with it."""
    retailer, n = shop(PLENTY), 60
    bodies = [retailer.order_body() for _ in range(n // 4)]

    answers = rush(people(n), lambda shopper, i: place(shopper, bodies[i // 4]))

    assert outcomes(answers) == {(201, None): n // 4, (409, "duplicate-external-ref"): n - n // 4}
    for i in range(n // 4):
        placed, = [answer.json()["id"] for answer in answers[4 * i:4 * i + 4] if answer.status == 201]
        assert {answer.json()["existing"] for answer in answers[4 * i:4 * i + 4] if answer.status == 409} == {
            f"/v1/orders/{placed}"}
    assert database.count("orders", "channel = %s", retailer.channel) == n // 4


# Claims


@pytest.mark.parametrize("attempt", range(4))
def test_a_reservation_is_claimed_by_one_of_many(people, shop, database, attempt):
    retailer, n = shop(10), 20
    reservation = reserve(people, retailer, {retailer.skus[0]: 10, retailer.skus[1]: 10})
    bodies = [retailer.order_body({retailer.skus[0]: 10, retailer.skus[1]: 5}, reservation_id=reservation)
              for _ in range(n)]

    answers = rush(people(n), lambda shopper, i: place(shopper, bodies[i]))

    assert outcomes(answers) == {(201, None): 1, (409, "reservation-expired"): n - 1}
    assert {answer.json()["current_status"] for answer in answers if answer.status == 409} == {"claimed"}
    order, = [answer.json()["id"] for answer in answers if answer.status == 201]
    row, = database.rows("select status, order_id::text from reservations where id = %s", reservation)
    assert row == {"status": "claimed", "order_id": order}
    assert database.count("reservation_lines", "reservation_id = %s and held", reservation) == 0
    figures = stock(database, retailer)
    assert [figures[sku, retailer.store][1] for sku in retailer.skus] == [10, 5, 0]


def test_a_reservation_is_claimed_or_released_but_not_both(people, shop, database):
    retailer, n = shop(10), 10
    held = [reserve(people, retailer, {sku: 1 for sku in retailer.skus}) for _ in range(n)]
    bodies = [retailer.order_body({sku: 1 for sku in retailer.skus}, reservation_id=held[i]) for i in range(n)]

    answers = rush(people(2 * n), lambda shopper, i: (
        place(shopper, bodies[i // 2]) if i % 2 else shopper.ask("DELETE", f"/v1/reservations/{held[i // 2]}")))

    kept = 0
    for released, placed in zip(answers[::2], answers[1::2]):
        assert (released.status, placed.status) in {(200, 409), (409, 201)}
        kept += placed.status == 201
    assert [reserved for (_, location), (_, reserved) in stock(database, retailer).items()
            if location == retailer.store] == [kept] * 3


def basket_of_all(people, retailer):
    """A reservation of all units of all products at the store."""
    return reserve(people, retailer, {sku: 10 for sku in retailer.skus})


def test_a_lapsed_reservation_is_not_claimed_and_costs_no_sale(people, shop, database):
    retailer = shop(10)
    reservation = basket_of_all(people, retailer)
    claims = [retailer.order_body({sku: 10 for sku in retailer.skus}, reservation_id=reservation) for _ in range(10)]
    sales = [retailer.order_body({retailer.skus[i % 3]: 5}) for i in range(20)]
    let_lapse(database, reservation)

    answers = rush(people(30), lambda shopper, i: place(shopper, claims[i] if i < 10 else sales[i - 10]))

    assert outcomes(answers[:10]) == {(409, "reservation-expired"): 10}
    assert {answer.json()["current_status"] for answer in answers[:10]} == {"expired"}
    assert outcomes(answers[10:]) == {(201, None): 6, (409, "insufficient-stock"): 14}
    assert [reserved for (_, location), (_, reserved) in stock(database, retailer).items()
            if location == retailer.store] == [10, 10, 10]


@pytest.mark.parametrize("milliseconds", range(8, 32, 2))
def test_claiming_a_lapsing_reservation_against_commands_on_its_rows(people, shop, database, milliseconds):
    """Either one order takes all lines over, or it is over and others may have its rows: nothing in between."""
    retailer = shop(10)
    reservation = basket_of_all(people, retailer)
    let_lapse(database, reservation, f"clock_timestamp() + interval '{milliseconds} milliseconds'")

    async def act(shopper, i):
        answers = []
        for _ in range(5):
            body = retailer.order_body({retailer.skus[i % 3]: 10})
            if i < 4:
                body = retailer.order_body({sku: 10 for sku in retailer.skus}, reservation_id=reservation)
            answers.append(await place(shopper, body))
        return answers

    results = rush(people(16), act)

    claims = [answer for each in results[:4] for answer in each]
    sales = [answer for each in results[4:] for answer in each]
    claimed = sum(answer.status == 201 for answer in claims)
    sold = Counter(line["sku"] for answer in sales if answer.status == 201 for line in answer.json()["lines"])
    assert {(answer.status, answer.code) for answer in claims} <= {(201, None), (409, "reservation-expired")}
    assert {(answer.status, answer.code) for answer in sales} <= {(201, None), (409, "insufficient-stock")}
    assert claimed <= 1 and set(sold.values()) <= {1}
    assert not (claimed and sold)
    ends = {answer.json()["current_status"] for answer in claims if answer.status == 409}
    assert ends <= ({"claimed"} if claimed else {"expired"})
    held = {row["sku"] for row in database.rows(
        "select sku from reservation_lines where reservation_id = %s and held", reservation)}
    assert held == (set() if claimed else set(retailer.skus) - set(sold))


# Cancelling


def placed(people, retailer, lines, **fields):
    answer, = crowd(place(people(1)[0], retailer.order_body(lines, **fields)))
    assert answer.status == 201
    return answer.json()


@pytest.mark.parametrize("attempt", range(4))
def test_every_unit_is_cancelled_once(people, shop, database, attempt):
    retailer, n = shop(10), 20
    order = placed(people, retailer, {retailer.sku: 10}, shipping={"amount": 77, "currency": "EUR"},
                   discounts=[{"amount": 333}], **PAID)

    answers = rush(people(n), lambda shopper, i: cancel(shopper, order, {0: 1}))

    assert outcomes(answers) == {(200, None): 10, (409, "invalid-transition"): n - 10}
    done = [answer.json() for answer in answers if answer.status == 200]
    assert sorted(one["lines"][0]["cancelled"] for one in done) == list(range(1, 11))
    assert sorted(one["version"] for one in done) == list(range(2, 12))
    last = max(done, key=lambda one: one["version"])
    assert last["status"] == "cancelled"
    assert last["totals"]["refund_due"] == last["totals"]["total"]
    assert stock(database, retailer)[retailer.sku, retailer.store] == (10, 0)
    assert events(database, [order["id"]]) == {
        "order.created": 1, "payment.captured": 1, "fulfillment.allocated": 1, "refund.due": 10,
        "fulfillment.units_cancelled": 9, "order.units_cancelled": 10, "fulfillment.cancelled": 1, "order.cancelled": 1}


def test_an_order_is_cancelled_once_however_many_ask(people, shop, database):
    retailer, n = shop(10), 20
    order = placed(people, retailer, {sku: 3 for sku in retailer.skus}, **PAID)

    answers = rush(people(n), lambda shopper, i: cancel(shopper, order))

    assert {(answer.status, answer.json()["status"], answer.json()["version"]) for answer in answers} == {
        (200, "cancelled", 2)}
    assert len({answer.body for answer in answers}) == 1
    assert events(database, [order["id"]])["refund.due"] == 1
    assert {reserved for _, reserved in stock(database, retailer).values()} == {0}


def test_cancelling_all_and_cancelling_parts_never_give_a_unit_back_twice(people, shop, database):
    retailer, n = shop(10), 24
    order = placed(people, retailer, {sku: 4 for sku in retailer.skus}, **PAID)

    answers = rush(people(n), lambda shopper, i: cancel(shopper, order, {i % 3: 1} if i % 8 else None))

    assert {(answer.status, answer.code) for answer in answers} <= {(200, None), (409, "invalid-transition")}
    assert [answer.status for answer in answers[::8]] == [200] * 3
    row, = database.rows("select status, refund_due, total from orders where id = %s", order["id"])
    assert row == {"status": "cancelled", "refund_due": 24000, "total": 24000}
    assert {reserved for _, reserved in stock(database, retailer).values()} == {0}


def test_units_that_are_cancelled_are_sold_again_at_once(people, shop, database):
    """Ten units, which every holder releases and another client takes: never more than ten are promised."""
    retailer, n = shop(10), 20

    async def buy_and_return(shopper, i):
        bought = 0
        for _ in range(5):
            answer = await place(shopper, retailer.order_body())
            if answer.status == 201:
                bought += 1
                assert (await cancel(shopper, answer.json())).status == 200
        return bought

    bought = sum(rush(people(n), buy_and_return))

    assert bought >= 10
    assert database.count("orders", "channel = %s and status = 'cancelled'", retailer.channel) == bought
    assert stock(database, retailer)[retailer.sku, retailer.store] == (10, 0)
