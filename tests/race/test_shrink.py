"""Stock is lost while shoppers claim their reservations, staff pick it and others cancel, at two instances.

Whatever comes first: no promise stays that has no unit, no unit gives way that need not, and no picked one ever does.
"""

import uuid
from collections import Counter

import pytest

from support.crowd import Started, rush, shoppers
from support.lone import WAIT_S, lock_waiters
from support.retailer import Retailer
from support.waiting import eventually

ROUNDS = 10
ADJUSTMENTS = "/v1/inventory/adjustments/batch"
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


@pytest.fixture
def store_of(pair):
    return lambda units, n_products=1: Retailer(pair[0].client(), n_products=n_products, on_hand=units).create()


@pytest.fixture
def deadlock_free(database):
    before = database.value(DEADLOCKS)
    yield
    assert database.value(DEADLOCKS) == before


def ask(shopper, path, body):
    return shopper.ask("POST", path, body, str(uuid.uuid4()))


def loss(retailer, units, sku=None):
    return {"location": retailer.store, "sku": sku or retailer.sku, "delta": -units, "reason": "theft"}


async def lose(shopper, *items, atomic=False):
    """Batches may start over so often that they give up and ask to be sent again."""
    path = ADJUSTMENTS + ("?atomic=true" if atomic else "")
    return await shopper.insist("POST", path, {"items": list(items)}, str(uuid.uuid4()))


def taken(answer):
    """The units that an answer says are lost, by SKU."""
    results = answer.json()["results"] if answer.status in (200, 207) else []
    assert {result["status"] for result in results} <= {201, 409}
    return [result for result in results if result["status"] == 201]


def claim(shopper, retailer, reservation, lines):
    return ask(shopper, "/v1/orders", {**retailer.order_body(lines), "reservation_id": reservation})


def pick(shopper, fulfillment, sku, units=1):
    return ask(shopper, f"/v1/fulfillments/{fulfillment}/pick", {"lines": [{"sku": sku, "quantity": units}]})


def fulfillment_of(order):
    return order["fulfillments"][0]["id"]


def in_the_house(database, retailer, sku=None):
    """Units that orders still hold: (all of them, those that are picked)."""
    row, = database.rows(
        "select coalesce(sum(quantity - short - cancelled - fulfilled), 0)::bigint as open,"
        "       coalesce(sum(picked - fulfilled) filter (where quantity > short + cancelled + fulfilled), 0)::bigint as picked"
        "  from fulfillment_lines where location = %s and sku = %s", retailer.store, sku or retailer.sku)
    return row["open"], row["picked"]


def told(database, retailer, kind):
    eventually(lambda: database.count("events_due") == 0, 30, "all is published")
    return database.count(
        "event_log", "location = %s and type = %s and data ->> 'reason' = 'stock_lost'", retailer.store, kind)


def assert_only_picked_units_are_safe(retailer, database, sku):
    """Everything but the picked units can still be lost, and not one unit more."""
    _, picked = in_the_house(database, retailer, sku)
    rest = retailer.figures(sku)["on_hand"] - picked

    def statuses(units):
        reply = retailer.api.post(ADJUSTMENTS, {"items": [loss(retailer, units, sku)]}, expect=207).json()
        return [result["status"] for result in reply["results"]]
    assert statuses(rest + 1) == [409]
    assert not rest or statuses(rest) == [201]
    figures = retailer.figures(sku)
    assert (figures["on_hand"], figures["reserved"]) == (picked, picked)


# Deterministic: changes between the choice of documents and their locks

class Gate:
    """No session gets the row while it is held; the others queue in their order of arrival."""

    def __init__(self, database, retailer):
        self.database = database
        self.retailer = retailer
        self.started = []

    def run(self, *actions):
        with self.database.transaction() as rows:
            rows("select from stock where location = %s and sku = %s for update", self.retailer.store, self.retailer.sku)
            for n, action in enumerate(actions, start=1):
                self.started.append(Started(action))
                eventually(lambda: lock_waiters(self.database) == n, WAIT_S, f"{n} wait")
        return [each.answers()[0] for each in self.started]


@pytest.fixture
def retries(pair):
    """How often the second instance has started a batch of adjustments over, so far."""
    return lambda: pair[1].figure("holdfast_lane_retries_total", lane="catalog")


def test_a_reservation_claimed_at_this_moment_is_shorted_as_an_order(pair, token, store_of, database, retries):
    retailer = store_of(units=4)
    reservation = retailer.reserve({retailer.sku: 4}).json()["id"]
    shopper, thief = shoppers(2, *pair, token=token)
    before = retries()

    claimed, lost = Gate(database, retailer).run(
        claim(shopper, retailer, reservation, {retailer.sku: 4}), lose(thief, loss(retailer, 3)))

    assert claimed.status == 201 and len(taken(lost)) == 1
    assert retries() > before
    line, = retailer.api.get(f"/v1/orders/{claimed.json()['id']}", expect=200).json()["lines"]
    assert line["cancelled"] == 3
    assert retailer.api.get(f"/v1/reservations/{reservation}", expect=200).json()["status"] == "claimed"
    pair[0].assert_audit_clean()


def test_units_that_are_picked_at_this_moment_stay(pair, token, store_of, database, retries):
    retailer = store_of(units=4)
    older, newer = (retailer.order({retailer.sku: 2}).json() for _ in range(2))
    staff, thief = shoppers(2, *pair, token=token)

    picked, lost = Gate(database, retailer).run(
        pick(staff, fulfillment_of(newer), retailer.sku, 2), lose(thief, loss(retailer, 2)))

    assert picked.status == 200 and len(taken(lost)) == 1
    cancelled = [retailer.api.get(f"/v1/orders/{order['id']}", expect=200).json()["lines"][0]["cancelled"]
                 for order in (older, newer)]
    assert cancelled == [2, 0]
    pair[0].assert_audit_clean()


def test_an_order_keeps_units_that_a_new_reservation_can_give(pair, token, store_of, database, retries):
    retailer = store_of(units=5)
    order = retailer.order({retailer.sku: 4}).json()
    shopper, thief = shoppers(2, *pair, token=token)
    before = retries()

    reserved, lost = Gate(database, retailer).run(
        shopper.reserve(retailer.store, {retailer.sku: 1}), lose(thief, loss(retailer, 2)))

    assert reserved.status == 201 and len(taken(lost)) == 1
    assert retries() > before
    end = retailer.api.get(f"/v1/reservations/{reserved.json()['id']}", expect=200).json()
    assert (end["status"], end["reason"]) == ("released", "stock_lost")
    assert retailer.api.get(f"/v1/orders/{order['id']}", expect=200).json()["lines"][0]["cancelled"] == 1
    pair[0].assert_audit_clean()


# As it comes

@pytest.mark.parametrize("round", range(ROUNDS))
def test_losses_against_claims(pair, token, store_of, database, deadlock_free, round):
    """Thirty units are promised to one shopper each; all claim them while eighteen get lost."""
    retailer = store_of(units=30)
    reservations = [retailer.reserve().json()["id"] for _ in range(30)]

    answers = rush(shoppers(36, *pair, token=token), lambda shopper, i: (
        claim(shopper, retailer, reservations[i // 6 * 5 + i % 6], {retailer.sku: 1}) if i % 6 < 5
        else lose(shopper, loss(retailer, 3))))

    claims = [answer for i, answer in enumerate(answers) if i % 6 < 5]
    assert all(len(taken(answer)) == 1 for answer in answers[5::6])
    assert {(answer.status, answer.code) for answer in claims} <= {(201, None), (409, "reservation-expired")}
    figures = retailer.figures()
    assert (figures["on_hand"], figures["reserved"]) == (12, 12)
    orders = [retailer.api.get(f"/v1/orders/{answer.json()['id']}", expect=200).json()
              for answer in claims if answer.status == 201]
    assert Counter(order["status"] for order in orders) == {
        status: n for status, n in (("open", 12), ("cancelled", len(orders) - 12)) if n}
    assert {order["cancel_reason"] for order in orders if order["status"] == "cancelled"} <= {"stock_lost"}
    assert told(database, retailer, "reservation.released") == 30 - len(orders)
    assert told(database, retailer, "fulfillment.short_picked") == len(orders) - 12
    pair[0].assert_audit_clean()


@pytest.mark.parametrize("round", range(ROUNDS))
def test_losses_against_picks_and_cancellations(pair, token, store_of, database, deadlock_free, round):
    """Twelve orders of two units: everybody picks a unit twice, every third is cancelled, and up to ten units get lost."""
    retailer = store_of(units=24)
    orders = [retailer.order({retailer.sku: 2}, payment={"status": "captured"}).json() for _ in range(12)]

    async def act(shopper, i):
        kind, n = divmod(i, 12)
        if kind < 2:
            return await pick(shopper, fulfillment_of(orders[n]), retailer.sku)
        if n % 3 == 0:
            return await ask(shopper, f"/v1/orders/{orders[n]['id']}/cancel", {"reason": "not wanted"})
        return await lose(shopper, loss(retailer, 1)) if n % 3 == 1 else await lose(shopper, loss(retailer, 2))

    answers = rush(shoppers(36, *pair, token=token), act)

    lost = sum(len(taken(answer)) * (1 if n % 3 == 1 else 2) for n, answer in enumerate(answers[24:]) if n % 3)
    assert retailer.figures()["on_hand"] == 24 - lost
    due = {row["id"]: row["refund_due"] for row in database.rows(
        "select id::text, refund_due from orders where channel = %s", retailer.channel)}
    for n, order in enumerate(orders):
        picks = [answer.status for answer in (answers[n], answers[12 + n])]
        assert set(picks) <= {200, 409}
        after = retailer.api.get(f"/v1/orders/{order['id']}", expect=200).json()
        line = after["fulfillments"][0]["lines"][0]
        assert after["lines"][0]["cancelled"] == line["short"] + line["cancelled"]
        assert due[order["id"]] == 1000 * after["lines"][0]["cancelled"]
        if n % 3:
            assert line["picked"] == picks.count(200), "a picked unit gave way"
    assert_only_picked_units_are_safe(retailer, database, retailer.sku)
    pair[0].assert_audit_clean()


@pytest.mark.parametrize("round", range(ROUNDS))
def test_everything_at_once_on_crossing_baskets(pair, token, store_of, database, deadlock_free, round):
    """Reservers, claimers, buyers, pickers, cancellers and losses of one or both products, some all or none."""
    retailer = store_of(units=40, n_products=2)
    first, second = retailer.skus
    baskets = [{first: 1, second: 2}, {second: 1, first: 2}]
    reservations = [retailer.reserve(baskets[n % 2]).json()["id"] for n in range(6)]
    orders = [retailer.order(baskets[n % 2]).json() for n in range(6)]
    lost = Counter()

    async def thief(shopper, i):
        items = [loss(retailer, 1 + i % 3, sku) for sku in (baskets[i % 2])]
        if i % 4 == 0:
            items.append(loss(retailer, 1000))  # cannot be
        answer = await lose(shopper, *items, atomic=i % 4 < 2)
        assert answer.status in (200, 207, 409), answer
        assert not (i % 4 == 0 and answer.status != 409)
        for result in taken(answer):
            lost[result["sku"]] += 1 + i % 3

    async def act(shopper, i):
        kind, n = i % 8, i // 8
        if kind in (0, 1, 2):
            await thief(shopper, n * 3 + kind)
        elif kind == 3:
            answer = await claim(shopper, retailer, reservations[n], baskets[n % 2])
            assert answer.status in (201, 409), answer
        elif kind == 4:
            assert (await pick(shopper, fulfillment_of(orders[n]), first)).status in (200, 409)
        elif kind == 5:
            path = f"/v1/orders/{orders[n]['id']}/cancel"
            assert (await ask(shopper, path, {"reason": "not wanted"})).status in (200, 409)
        elif kind == 6:
            assert (await ask(shopper, "/v1/orders", retailer.order_body(baskets[n % 2]))).status in (201, 409)
        else:
            answer = await shopper.reserve(retailer.store, baskets[n % 2])
            assert answer.status in (201, 409), answer
            if answer.status == 201 and n % 2:
                gone = await shopper.ask("DELETE", f"/v1/reservations/{answer.json()['id']}")
                assert gone.status == 200

    rush(shoppers(48, *pair, token=token), act)

    for sku in retailer.skus:
        figures = retailer.figures(sku)
        held = database.value("select coalesce(sum(quantity), 0)::bigint from reservation_lines"
                              " where location = %s and sku = %s and held", retailer.store, sku)
        assert figures["on_hand"] == 40 - lost[sku]
        assert figures["reserved"] == held + in_the_house(database, retailer, sku)[0] <= figures["on_hand"]
    pair[0].assert_audit_clean()
    for sku in retailer.skus:
        assert_only_picked_units_are_safe(retailer, database, sku)
    pair[0].assert_audit_clean()
