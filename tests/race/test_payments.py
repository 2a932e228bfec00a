"""Money at two instances at once: never more goes back than was paid, and each word of the provider counts once."""

import uuid
from collections import Counter

import pytest

from support.crowd import crowd, rush, shoppers
from support.retailer import Retailer
from support.shelf import assert_adds_up

UNITS = 10
PRICE = 1000
TOTAL = UNITS * PRICE


@pytest.fixture
def shop(pair, database):
    retailer = Retailer(pair[0].client(), on_hand=1000).create()
    yield retailer
    assert_adds_up(database, *retailer.locations)
    pair[0].assert_audit_clean()


@pytest.fixture
def people(pair, token):
    return lambda n: shoppers(n, *pair, token=token)


def placed(people, retailer, **fields):
    body = retailer.order_body([{"sku": retailer.sku, "quantity": UNITS,
                                 "unit_price": {"amount": PRICE, "currency": "EUR"}}], **fields)
    answer, = crowd(people(1)[0].ask("POST", "/v1/orders", body, str(uuid.uuid4())))
    assert answer.status == 201
    return answer.json()


def refund(shopper, order, amount=None):
    body = {"to": "original", "reason": "late", **({"amount": amount} if amount else {})}
    return shopper.ask("POST", f"/v1/orders/{order['id']}/refunds", body, str(uuid.uuid4()))


def tell(shopper, order, event_id, type, **fields):
    path = f"/v1/payments/{order['payments'][0]['id']}/events"
    return shopper.ask("POST", path, {"event_id": event_id, "type": type, **fields}, str(uuid.uuid4()))


def cancel(shopper, order, units=None):
    body = {"reason": "changed her mind"}
    if units:
        body["lines"] = [{"order_line_id": order["lines"][0]["id"], "quantity": units}]
    return shopper.ask("POST", f"/v1/orders/{order['id']}/cancel", body, str(uuid.uuid4()))


def outcomes(answers):
    return Counter((answer.status, answer.code) for answer in answers)


def money(database, order):
    """Of the order and of its payment, as they are kept."""
    row, = database.rows(
        "select o.total, o.credited, o.paid, o.refunded, o.refund_due, o.payment_status, p.status, p.captured, p.capture_due,"
        " p.refunded as given_back from orders o join payments p on p.order_id = o.id where o.id = %s", order["id"])
    return row


@pytest.mark.parametrize("attempt", range(3))
def test_refunds_at_once_never_exceed_the_paid_amount(people, shop, database, attempt):
    order = placed(people, shop, payment={"status": "captured"})

    answers = rush(people(24), lambda shopper, i: refund(shopper, order, 1500))

    assert outcomes(answers) == {(201, None): TOTAL // 1500, (409, "over-refund"): 24 - TOTAL // 1500}
    row = money(database, order)
    assert (row["refunded"], row["given_back"], row["credited"]) == (9000, 9000, 9000)
    assert row["payment_status"] == "partially_refunded"


def test_an_amount_due_is_refunded_once(people, shop, database):
    order = placed(people, shop, payment={"status": "captured"})
    crowd(cancel(people(1)[0], order, 4))

    answers = rush(people(16), lambda shopper, i: refund(shopper, order))

    assert outcomes(answers) == {(201, None): 1, (409, "over-refund"): 15}
    row = money(database, order)
    assert (row["refunded"], row["refund_due"]) == (4 * PRICE, 0)


def test_one_event_told_by_many_is_taken_in_once(people, shop, database):
    order = placed(people, shop, payment={"status": "authorized"})

    answers = rush(people(16), lambda shopper, i: tell(shopper, order, "evt-1", "captured", amount=2500))

    assert outcomes(answers) == {(200, None): 16}
    assert money(database, order)["captured"] == 2500
    assert database.count("payment_events", "payment_id = %s", order["payments"][0]["id"]) == 1


def test_one_event_id_told_with_two_contents_means_the_first(people, shop, database):
    order = placed(people, shop, payment={"status": "authorized"})

    answers = rush(people(16), lambda shopper, i: tell(shopper, order, "evt-1", "captured", amount=100 + i % 2))

    assert set(outcomes(answers)) == {(200, None), (422, "event-id-reused")}
    assert len({answer.json()["captured"]["amount"] for answer in answers if answer.status == 200}) == 1
    assert money(database, order)["captured"] in (100, 101)


def test_captures_at_once_never_exceed_the_authorized_amount(people, shop, database):
    order = placed(people, shop, payment={"status": "authorized"})

    answers = rush(people(16), lambda shopper, i: tell(shopper, order, f"evt-{i}", "captured", amount=1500))

    assert outcomes(answers) == {(200, None): 6, (409, "over-capture"): 10}
    assert money(database, order)["captured"] == 9000


@pytest.mark.parametrize("attempt", range(6))
def test_a_capture_and_a_cancel_meet(people, shop, database, attempt):
    """Whichever is first: the whole captured amount is due as a refund."""
    order = placed(people, shop, payment={"status": "authorized"})

    answers = rush(people(2), lambda shopper, i: cancel(shopper, order) if i else tell(shopper, order, "e", "captured"))

    assert outcomes(answers) == {(200, None): 2}
    row = money(database, order)
    assert (row["status"], row["captured"], row["refund_due"], row["credited"]) == ("captured", TOTAL, TOTAL, TOTAL)


def test_cancels_captures_and_refunds_of_one_order_leave_no_cent_behind(people, shop, database):
    order = placed(people, shop, payment={"status": "authorized"})

    def act(shopper, i):
        if i % 3 == 0:
            return cancel(shopper, order, 1)
        if i % 3 == 1:
            return tell(shopper, order, f"evt-{i}", "captured", amount=1000)
        return refund(shopper, order, None if i % 2 else 700)
    answers = rush(people(45), act)

    assert {answer.status for answer in answers} <= {200, 201, 409}
    row = money(database, order)
    assert row["refunded"] == row["given_back"] <= row["paid"] == row["captured"] <= TOTAL
    assert row["refund_due"] == max(0, row["paid"] - row["refunded"] - (row["total"] - row["credited"]))
