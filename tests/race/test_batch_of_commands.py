"""Commands of one batch on one document: each sees what those before it left, and a refused one leaves nothing."""

import uuid

import pytest

from support.retailer import Retailer
from support.work import Work

PICKS = 48  # fewer than a batch takes


@pytest.fixture
def retailer(lone):
    return Retailer(lone.instance.client(), on_hand=1000).create()


def ask(lone, path, bodies):
    """A call for each body, to be run at once."""
    return [shopper.ask("POST", path, body, str(uuid.uuid4()))
            for shopper, body in zip(lone.shoppers(len(bodies)), bodies)]


def versions(api, order_id, kind):
    told = api.get(f"/v1/orders/{order_id}/timeline", expect=200).json()["data"]
    return [event["data"]["version"] for event in told if event["type"] == kind]


def test_each_event_tells_the_version_that_its_own_command_left(lone, retailer):
    work = Work(retailer, lone.database, {retailer.sku: PICKS})
    one = {"lines": [{"order_line_id": work.line(), "quantity": 1}]}

    answers = lone.in_one_batch(ask(lone, f"{work.path}/pick", [one] * PICKS))

    assert {answer.status for answer in answers} == {200}
    expected = list(range(2, 2 + PICKS))
    assert sorted(answer.json()["version"] for answer in answers) == expected
    assert versions(retailer.api, work.order["id"], "fulfillment.picked") == expected
    assert versions(retailer.api, work.order["id"], "fulfillment.picking") == [2]
    assert work.now()["version"] == expected[-1]


def test_a_refused_command_leaves_nothing_to_those_beside_it(lone, retailer):
    """Every second one names more units than are left."""
    work = Work(retailer, lone.database, {retailer.sku: PICKS})
    lines = [{"lines": [{"order_line_id": work.line(), "quantity": 1 if n % 2 else PICKS + 1}], "reason": "closed"}
             for n in range(PICKS)]

    answers = lone.in_one_batch(ask(lone, f"{work.path}/short", lines))

    assert sorted(answer.status for answer in answers) == [200] * (PICKS // 2) + [409] * (PICKS // 2)
    assert work.figures() == (1000, 0, PICKS // 2)
    assert versions(retailer.api, work.order["id"], "fulfillment.short_picked") == list(range(2, 2 + PICKS // 2))
    lone.instance.assert_audit_clean()


def test_money_of_refused_commands_is_as_before(lone, retailer):
    work = Work(retailer, lone.database, {retailer.sku: PICKS})
    path = f"/v1/orders/{work.order['id']}/refunds"
    amounts = [10 if n % 2 else 99_999_999 for n in range(PICKS)]
    bodies = [{"amount": amount, "to": "store_credit", "reason": "goodwill"} for amount in amounts]

    answers = lone.in_one_batch(ask(lone, path, bodies))

    assert sorted(answer.status for answer in answers) == [201] * (PICKS // 2) + [409] * (PICKS // 2)
    totals = work.order_now()["totals"]
    assert totals["refunded"]["amount"] == 10 * (PICKS // 2)
    assert lone.database.count("refunds", "order_id = %s", work.order["id"]) == PICKS // 2
    lone.instance.assert_audit_clean()
