"""A channel changes its policy while two instances work on its orders."""

import uuid

import pytest

from support.crowd import Started, shoppers
from support.database import Database
from support.lone import WAIT_S, lock_waiters
from support.retailer import Retailer
from support.shelf import assert_adds_up
from support.waiting import eventually

ORDERS = 24
WEB = {"name": "Web shop", "kind": "web"}


@pytest.fixture
def sweeping(services):
    """Two instances that cancel unpaid orders, on one database."""
    first = services()
    return first, services(database_url=first.database_url)


@pytest.mark.parametrize("attempt", range(3))
def test_an_order_is_paid_or_cancelled_when_the_policy_ends_with_its_payment(sweeping, token, attempt):
    """The provider authorizes each payment while all its orders become overdue: both wait for the rows, and one comes first."""
    api = sweeping[0].client()
    retailer = Retailer(api, on_hand=100).create()
    path = f"/v1/channels/{retailer.channel}"
    api.put(path, {**WEB, "unpaid_ttl": "never"}, expect=200)
    orders = [retailer.order(payment={"status": "pending", "reference": "psp"}).json() for _ in range(ORDERS)]

    def authorize(shopper, order):
        payment = order["payments"][0]["id"]
        return shopper.insist("POST", f"/v1/payments/{payment}/events", {"event_id": payment, "type": "authorized"}, str(uuid.uuid4()))

    with Database(sweeping[0].database_url) as database:
        database.execute("update orders set unpaid_since = unpaid_since - interval '1 minute' where channel = %s", retailer.channel)
        with database.transaction() as rows:
            rows("select from orders where channel = %s for update", retailer.channel)
            api.put(path, {**WEB, "unpaid_ttl": "PT1S"}, expect=200)
            started = Started(*(authorize(*pair) for pair in zip(shoppers(ORDERS, *sweeping, token=token), orders)))
            eventually(lambda: lock_waiters(database) >= 2, WAIT_S, "payments and jobs wait for the orders")
        answers = started.answers()

    assert {answer.status for answer in answers} == {200}
    with Database(sweeping[0].database_url) as database:
        eventually(lambda: not database.count("orders", "payment_status = 'pending'"), what="each order is paid or cancelled")
        cancelled = [order["id"] for order in orders if now(api, order)["status"] == "cancelled"]
        for order in orders:
            told = [event["type"] for event in api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"]]
            assert told.count("order.cancelled") == (order["id"] in cancelled)
            assert (now(api, order)["cancel_reason"] == "unpaid") == (order["id"] in cancelled)
        assert retailer.figures()["reserved"] == ORDERS - len(cancelled)
        assert_adds_up(database, *retailer.locations)
    sweeping[0].assert_audit_clean()


def now(api, order):
    return api.get(f"/v1/orders/{order['id']}", expect=200).json()
