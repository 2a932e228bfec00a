"""Tills at two instances with the same receipt: each unit comes back once, and once only."""

import uuid
from collections import Counter

import pytest

from support.crowd import rush, shoppers
from support.retailer import Retailer
from support.returning import Bought

TILLS = 24
BOUGHT = 5


@pytest.fixture
def retailer(pair):
    return Retailer(pair[0].client(), on_hand=1000).create()


def ask(path, body, key=None):
    """An action for `rush`: all clients send the same, each under a separate key."""
    return lambda shopper, i: shopper.ask("POST", path, body(i) if callable(body) else body, key or str(uuid.uuid4()))


def assert_the_whole_truth(it, database, units):
    """Rows, ledger, documents and events all tell of so many units that came back."""
    line = database.rows("select fulfilled, returned from order_lines where order_id = %s", it.id)
    assert [row["returned"] for row in line] == [units]
    accepted = database.value("select coalesce(sum(quantity), 0)::bigint from return_lines where order_id = %s"
                              " and acceptance = 'accepted'", it.id)
    moved = database.value("select coalesce(sum(on_hand_change), 0)::bigint from ledger where document in"
                           " (select 'return/' || id from returns where order_id = %s)", it.id)
    assert (accepted, moved) == (units, units)
    stock = database.rows("select s.on_hand, (select sum(l.on_hand_change) from ledger l where l.location = s.location"
                          " and l.sku = s.sku)::bigint as moved from stock s where s.sku = %s", it.retailer.sku)
    assert all(row["on_hand"] == row["moved"] for row in stock)


def events(it, database):
    return Counter(row["type"] for row in database.rows("select type from events where order_id = %s", it.id))


def test_many_tills_with_one_receipt_take_the_sold_units_and_no_more(pair, token, retailer, database):
    it = Bought(retailer, {retailer.sku: BOUGHT})
    places = [retailer.store, retailer.other_store]
    before = [retailer.figures(location=place)["on_hand"] for place in places]

    answers = rush(shoppers(TILLS, *pair, token=token), ask("/v1/returns", lambda i: it.body(location=places[i // 2 % 2])))

    assert Counter((answer.status, answer.code) for answer in answers) == {
        (201, None): BOUGHT, (409, "over-return"): TILLS - BOUGHT}
    assert_the_whole_truth(it, database, BOUGHT)
    after = [retailer.figures(location=place)["on_hand"] for place in places]
    assert sum(after) - sum(before) == BOUGHT
    told = events(it, database)
    assert (told["return.authorized"], told["return.received"]) == (BOUGHT, BOUGHT)
    assert len({answer.json()["return_number"] for answer in answers if answer.status == 201}) == BOUGHT


def test_announcing_and_bringing_meet_at_the_same_units(pair, token, retailer, database):
    it = Bought(retailer, {retailer.sku: BOUGHT})

    answers = rush(shoppers(TILLS, *pair, token=token), ask(
        "/v1/returns", lambda i: it.body(it.item(2, condition="sellable" if i // 2 % 2 else None))))

    taken = [answer.json() for answer in answers if answer.status == 201]
    assert len(taken) == BOUGHT // 2
    assert {answer.code for answer in answers if answer.status != 201} == {"over-return"}
    here = sum(one["lines"][0]["quantity"] for one in taken if one["status"] == "received")
    assert_the_whole_truth(it, database, here)


def test_one_request_sent_by_many_under_one_key_is_one_return(pair, token, retailer, database):
    it = Bought(retailer, {retailer.sku: BOUGHT})
    key = str(uuid.uuid4())

    answers = rush(shoppers(TILLS, *pair, token=token), ask("/v1/returns", it.body(), key))

    assert {answer.status for answer in answers} <= {201, 409}
    assert {answer.code for answer in answers if answer.status == 409} <= {"idempotency-in-progress"}
    assert len({answer.json()["id"] for answer in answers if answer.status == 201}) == 1
    assert_the_whole_truth(it, database, 1)


def test_many_exchange_for_the_last_unit(pair, token, retailer, database):
    last = f"last-{retailer.tag}"
    retailer.create_product(last, price={"amount": 700, "currency": "EUR"})
    retailer.stock({(retailer.store, last): 1})
    bought = [Bought(retailer, {retailer.sku: 1}) for _ in range(8)]
    exchange = {"lines": [{"sku": last, "quantity": 1, "fulfillment": {"method": "pickup", "location": retailer.store}}]}

    answers = rush(shoppers(len(bought), *pair, token=token), lambda shopper, i: shopper.ask(
        "POST", "/v1/returns", bought[i].body(exchange=exchange), str(uuid.uuid4())))

    assert Counter((answer.status, answer.code) for answer in answers) == {
        (201, None): 1, (409, "insufficient-stock"): len(bought) - 1}
    for answer, it in zip(answers, bought):
        won = answer.status == 201
        assert len(it.now()["lines"]) == 1 + won
        assert it.now()["lines"][0]["returned"] == won
        assert events(it, database)["return.authorized"] == won
    assert retailer.figures(last)["reserved"] == 1


def test_a_return_is_refunded_once_by_any_number_of_tills(pair, token, retailer, database):
    it = Bought(retailer, {retailer.sku: BOUGHT})
    made = it.bring(it.item(3)).json()
    part = {"to": "original", "amount": {"amount": 700, "currency": "EUR"}}

    answers = rush(shoppers(TILLS, *pair, token=token), ask(f"/v1/returns/{made['id']}/refund", part))

    assert Counter((answer.status, answer.code) for answer in answers) == {(200, None): 4, (409, "over-refund"): TILLS - 4}
    assert database.value("select sum(amount)::bigint from refunds where order_id = %s", it.id) == 2800
    totals = it.now()["totals"]
    assert (totals["refunded"]["amount"], totals["refund_due"]["amount"]) == (2800, 200)
    assert events(it, database)["return.refunded"] == 4


def test_a_parcel_that_many_receive_is_received_once(pair, token, retailer, database):
    it = Bought(retailer, {retailer.sku: BOUGHT})
    made = it.send(BOUGHT, location=retailer.warehouse).json()

    answers = rush(shoppers(TILLS, *pair, token=token), ask(f"/v1/returns/{made['id']}/receive", {}))

    assert {answer.status for answer in answers} == {200}  # the same person says so again
    assert_the_whole_truth(it, database, BOUGHT)
    assert events(it, database)["return.received"] == 1


def test_parts_of_a_parcel_add_up(pair, token, retailer, database):
    it = Bought(retailer, {retailer.sku: TILLS})
    made = it.send(TILLS // 2).json()
    one = {"lines": [{"order_line_id": it.line(), "quantity": 1, "condition": "sellable"}]}

    answers = rush(shoppers(TILLS, *pair, token=token), ask(f"/v1/returns/{made['id']}/receive", one))

    assert {answer.status for answer in answers} == {200}
    assert it.returned() == [TILLS]  # those that were not announced join
    assert_the_whole_truth(it, database, TILLS)


def test_either_it_is_received_or_it_is_called_off(pair, token, retailer, database):
    bought = [Bought(retailer, {retailer.sku: 1}) for _ in range(8)]
    made = [it.send(1).json() for it in bought]

    async def action(shopper, i):
        path = f"/v1/returns/{made[i // 2]['id']}"
        if i % 2:
            return await shopper.ask("POST", f"{path}/receive", {}, str(uuid.uuid4()))
        return await shopper.ask("POST", f"{path}/cancel", {"reason": "keeps it"}, str(uuid.uuid4()))

    answers = rush(shoppers(2 * len(bought), *pair, token=token), action)

    for off, here, it in zip(answers[::2], answers[1::2], bought):
        assert {off.status, here.status} == {200, 409}
        assert_the_whole_truth(it, database, int(here.status == 200))
        told = events(it, database)
        assert told["return.received"] + told["return.cancelled"] == 1


def test_set_aside_units_get_another_disposition_once(pair, token, retailer, database):
    it = Bought(retailer, {retailer.sku: BOUGHT})
    made = it.bring(it.item(BOUGHT, condition="quarantine")).json()
    one = {"disposition": "restock", "lines": [{"id": made["lines"][0]["id"], "quantity": 1}]}

    answers = rush(shoppers(TILLS, *pair, token=token), ask(f"/v1/returns/{made['id']}/dispose", one))

    assert {answer.status for answer in answers} <= {200, 409}
    row = retailer.figures()
    assert row["unsellable"] == 0 and row["available"] == row["on_hand"]
    restocked = database.value("select sum(-unsellable_change)::bigint from ledger where document = %s and reason = 'restock'",
                               f"return/{made['id']}")
    assert restocked == BOUGHT
