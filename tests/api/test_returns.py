"""Goods come back: to any location that takes them, never more than left, and where their condition puts them."""

import uuid
from datetime import datetime, timedelta, timezone

import pytest
from support.returning import Bought, movements, states
from support.work import code_of, faults

NOWHERE = "01910000-0000-7000-8000-000000000000"


@pytest.fixture
def bought(retailer):
    return lambda *arguments, **fields: Bought(retailer, *arguments, **fields)


def figures(retailer, n=0, location=None):
    row = retailer.figures(retailer.skus[n], location)
    return row["on_hand"], row["unsellable"], row["available"]


def set_policy(retailer, n=None, returnable=True, **policy):
    """On the n-th product, or on the channel."""
    if n is None:
        retailer.api.put(f"/v1/channels/{retailer.channel}", {"name": "Web shop", "kind": "web", "return_policy": policy}, expect=200)
        return
    sku = retailer.skus[n]
    retailer.api.put(f"/v1/products/{sku}", {"title": sku, "price": {"amount": 1000 * (n + 1), "currency": "EUR"},
                                             "returnable": returnable, "return_policy": policy or None}, expect=200)


def days_ago(database, it, days):
    """As if the goods had left so many days ago."""
    database.execute("update events set occurred_at = occurred_at - %s * interval '1 day' where order_id = %s"
                     " and subject_kind = 'fulfillments'", days, it.id)


# ---- at the counter ----

def test_a_unit_comes_back_and_is_available_at_once(bought, retailer, database, service):
    it = bought()
    assert figures(retailer) == (7, 0, 7)
    reply = it.bring()
    made = reply.json()

    assert reply.headers["Location"] == f"/v1/returns/{made['id']}"
    assert reply.headers["ETag"] == '"1"'
    assert (made["status"], made["order_id"], made["order_number"]) == ("received", it.id, it.order["order_number"])
    assert (made["by_post"], made["overridden"], made["location"]) == (False, False, retailer.store)
    assert states(made) == [(1, "received", "accepted", "sellable")]
    [line] = made["lines"]
    assert (line["order_line_id"], line["condition"], line["disposition"], line["location"]) == (
        it.line(), "sellable", "restock", retailer.store)
    assert line["refund"] == made["refund"] == {"amount": 1000, "currency": "EUR"}
    assert figures(retailer) == (8, 0, 8)
    assert movements(database, made) == [("return", 1, 0)]
    assert it.returned() == [1, 0]
    assert it.events() == ["return.authorized", "return.received"]
    assert it.api.get(f"/v1/returns/{made['id']}", expect=200).json() == made
    service.assert_audit_clean()


def test_it_comes_back_to_another_store_that_never_had_the_product(bought, retailer, database, service):
    there = f"new-{retailer.tag}"
    retailer.create_location(there)
    it = bought()
    made = it.bring(location=there).json()

    assert figures(retailer, location=there) == (1, 0, 1)
    assert figures(retailer) == (7, 0, 7)
    assert made["location"] == made["lines"][0]["location"] == there
    service.assert_audit_clean()


@pytest.mark.parametrize(("condition", "disposition", "stock", "ledger", "bucket"), [
    ("sellable", "restock", (8, 0, 8), [("return", 1, 0)], "sellable"),
    ("sellable", "vendor", (8, 1, 7), [("return", 1, 1)], "unsellable"),
    ("damaged", "damaged", (8, 1, 7), [("return", 1, 1)], "unsellable"),
    ("damaged", "destroy", (7, 0, 7), [("return", 1, 0), ("destroy", -1, 0)], "gone"),
    ("quarantine", "quarantine", (8, 1, 7), [("return", 1, 1)], "unsellable"),
])
def test_the_disposition_decides_where_the_goods_count(
        bought, retailer, database, service, condition, disposition, stock, ledger, bucket):
    it = bought()
    told = it.bring(it.item(condition=condition, disposition=disposition)).json()

    assert figures(retailer) == stock
    assert movements(database, told) == ledger
    assert states(told) == [(1, "received", "accepted", bucket)]
    if disposition == {"sellable": "restock"}.get(condition, condition):
        assert it.bring(it.item(condition=condition)).json()["lines"][0]["disposition"] == disposition
    service.assert_audit_clean()


def test_unsellable_goods_do_not_go_back_to_the_shelf(bought):
    it = bought()
    for condition in ("damaged", "quarantine"):
        reply = it.bring(it.item(condition=condition, disposition="restock"), expect=422)
        assert faults(reply) == {"#/lines/0/disposition": "not-allowed"}
    reply = it.bring(it.item(condition=None, disposition="damaged"), expect=422)
    assert faults(reply) == {"#/lines/0/disposition": "not-allowed"}
    assert it.returned() == [0, 0]


@pytest.mark.parametrize("method", ["pickup", "curbside", "ship"])
def test_whatever_way_it_left_it_comes_back(bought, method):
    it = bought(method=method)
    assert it.bring(it.item(3), it.item(1, 1)).json()["status"] == "received"
    assert it.returned() == [3, 1]


def test_an_order_is_found_by_its_number(bought):
    it = bought()
    body = it.body(order_number=it.order["order_number"])
    del body["order_id"]
    assert it.api.post("/v1/returns", body, expect=201, key=str(uuid.uuid4())).json()["order_id"] == it.id
    body["order_number"] = "NOT-THE-ONE"
    assert code_of(it.api.post("/v1/returns", body, expect=404, key=str(uuid.uuid4()))) == "not-found"


@pytest.mark.parametrize("both", [True, False])
def test_an_order_is_named_in_one_way(bought, both):
    it = bought()
    body = it.body(order_number=it.order["order_number"]) if both else {**it.body(), "order_id": None}
    assert faults(it.api.post("/v1/returns", body, expect=422, key=str(uuid.uuid4()))) == {"#": "one-of"}


def test_a_return_needs_a_key_and_is_replayed_under_it(bought):
    it = bought()
    assert code_of(it.api.post("/v1/returns", it.body(), expect=400, key=None)) == "idempotency-key-missing"
    key = str(uuid.uuid4())
    first, again = it.bring(key=key), it.bring(key=key)
    assert first.json() == again.json()
    assert it.returned() == [1, 0]


# ---- never too much ----

def test_no_more_comes_back_than_left(bought, service):
    it = bought()
    it.bring(it.item(2))
    reply = it.bring(it.item(2), it.item(1, 1), expect=409)

    assert code_of(reply) == "over-return"
    [fault] = reply.json()["errors"]
    assert (fault["pointer"], fault["code"], fault["available"]) == ("#/lines/0/quantity", "over-return", 1)
    assert it.returned() == [2, 0]
    service.assert_audit_clean()


def test_lines_of_one_request_are_added_up(bought):
    it = bought()
    reply = it.bring(it.item(2), it.item(2, condition="damaged"), expect=409)
    assert [(fault["pointer"], fault["available"]) for fault in reply.json()["errors"]] == [("#/lines/1/quantity", 1)]
    made = it.bring(it.item(2), it.item(1, condition="damaged")).json()
    assert states(made) == [(2, "received", "accepted", "sellable"), (1, "received", "accepted", "unsellable")]


def test_units_that_have_not_left_cannot_come_back(bought):
    it = bought(hand_over=False)
    assert code_of(it.bring(expect=409)) == "over-return"


def test_announced_units_count_as_well(bought):
    it = bought()
    made = it.send(3).json()
    assert code_of(it.bring(expect=409)) == "over-return"
    it.act(made, "cancel", {"reason": "keeps them"})
    it.bring(it.item(3))


def test_a_line_that_is_not_of_the_order_is_refused(bought):
    it = bought()
    reply = it.bring({**it.item(), "order_line_id": NOWHERE}, expect=422)
    assert faults(reply) == {"#/lines/0/order_line_id": "unknown-line"}


# ---- where ----

def test_only_a_location_that_takes_returns(bought, retailer):
    plain = f"plain-{retailer.tag}"
    retailer.create_location(plain, capabilities=["pickup"])
    it = bought()
    assert faults(it.bring(location=plain, expect=422)) == {"#/location": "not-capable"}
    assert faults(it.bring(location="nowhere", expect=422)) == {"#/location": "unknown-location"}


def test_the_token_covers_where_the_goods_come_in(bought, retailer, service):
    it = bought()
    clerk = service.client(scope="returns:write", locations=[retailer.other_store])
    assert code_of(it.bring(api=clerk, expect=403)) == "store-not-allowed"
    made = it.bring(location=retailer.other_store, api=clerk).json()
    assert clerk.get(f"/v1/returns/{made['id']}", expect=200).json() == made
    third = service.client(scope="returns:write", locations=[retailer.warehouse])
    assert code_of(third.get(f"/v1/returns/{made['id']}", expect=403)) == "store-not-allowed"


def test_a_channel_sees_its_own_returns_only(bought, retailer, service):
    made = bought().bring().json()
    other = service.client(channel="another")
    assert code_of(other.get(f"/v1/returns/{made['id']}", expect=404)) == "not-found"
    assert other.get(f"/v1/returns?order_id={made['order_id']}", expect=200).json()["data"] == []


def test_without_the_scope_nothing_is_answered(bought, service):
    it = bought()
    made = it.bring().json()
    weak = service.client(scope="orders:read orders:write fulfillment:write")
    assert code_of(weak.get(f"/v1/returns/{made['id']}", expect=403)) == "insufficient-scope"
    assert code_of(it.bring(api=weak, expect=403)) == "insufficient-scope"


# ---- by post ----

def test_a_parcel_is_announced_and_received_in_parts(bought, retailer, database, service):
    it = bought()
    made = it.send(3, 1, location=retailer.warehouse, by_post=True).json()
    assert (made["status"], made["by_post"], made["refund"]["amount"]) == ("authorized", True, 5000)
    assert states(made) == [(3, "awaiting", "pending", "none"), (1, "awaiting", "pending", "none")]
    assert it.returned() == [0, 0] and movements(database, made) == []

    part = it.act(made, "receive", {"lines": [
        {"id": made["lines"][0]["id"], "quantity": 1, "condition": "sellable"},
        {"order_line_id": it.line(0), "quantity": 1, "condition": "damaged"}]}).json()
    assert part["status"] == "partially_received"
    assert states(part) == [(1, "awaiting", "pending", "none"), (1, "awaiting", "pending", "none"),
                            (1, "received", "accepted", "sellable"), (1, "received", "accepted", "unsellable")]
    assert part["lines"][0]["id"] == made["lines"][0]["id"]
    assert it.returned() == [2, 0]

    whole = it.act(made, "receive").json()
    assert (whole["status"], it.returned()) == ("received", [3, 1])
    assert figures(retailer, location=retailer.warehouse) == (13, 1, 12)
    assert [line["disposition"] for line in whole["lines"]] == ["restock", "restock", "restock", "damaged"]
    assert it.events() == ["return.authorized", "return.received", "return.received"]
    service.assert_audit_clean()


def test_it_may_arrive_elsewhere(bought, retailer):
    it = bought()
    made = it.send(1, location=retailer.warehouse).json()
    here = it.act(made, "receive", {"location": retailer.store}).json()
    assert (here["location"], here["lines"][0]["location"]) == (retailer.warehouse, retailer.store)
    assert figures(retailer) == (8, 0, 8)


def test_receiving_twice_changes_nothing(bought, retailer, service):
    it = bought()
    made = it.send(2).json()
    lines, key = {"lines": [{"sku": retailer.sku, "quantity": 2, "condition": "sellable"}]}, str(uuid.uuid4())
    first = it.act(made, "receive", lines, key=key).json()
    assert it.act(made, "receive", lines, key=key).json() == first
    assert it.act(made, "receive").json() == first
    other = service.client(subject="somebody-else")
    refused = it.act(made, "receive", expect=409, api=other)
    assert (code_of(refused), refused.json()["current_status"]) == ("invalid-transition", "received")
    assert it.returned() == [2, 0]


def test_units_scanned_one_by_one_count_one_by_one(bought, retailer, service):
    it = bought(lines={retailer.sku: 5})
    made = it.send(1).json()
    one = {"lines": [{"sku": retailer.sku, "quantity": 1, "condition": "sellable"}]}
    for _ in range(3):
        got = it.act(made, "receive", one).json()
    assert [line["announced"] for line in got["lines"]] == [True, False, False]
    assert (it.returned(), figures(retailer), got["refund"]["amount"]) == ([3], (8, 0, 8), 3000)
    more = {"lines": [{"id": made["lines"][0]["id"], "quantity": 3, "condition": "sellable"}]}
    refused = it.act(made, "receive", more, expect=409)
    assert (code_of(refused), refused.json()["errors"][0]["available"]) == ("over-return", 2)
    service.assert_audit_clean()


def test_unannounced_units_join_the_return(bought, retailer, database, service):
    it = bought()
    made = it.send(1).json()
    got = it.act(made, "receive", {"lines": [
        {"sku": retailer.sku, "quantity": 2, "condition": "sellable"},
        {"order_line_id": it.line(1), "quantity": 1, "condition": "damaged", "reason": "was in the box"}]}).json()
    assert [(line["sku"], line["quantity"], line["announced"], line["reason"]) for line in got["lines"]] == [
        (retailer.sku, 1, True, "too small"), (retailer.sku, 1, False, "unannounced"),
        (retailer.skus[1], 1, False, "was in the box")]
    assert it.returned() == [2, 1]
    service.assert_audit_clean()


def test_goods_that_are_not_of_the_order_are_only_noted(bought, retailer, database, service):
    it = bought(lines={retailer.sku: 1})
    made = it.send(1).json()
    got = it.act(made, "receive", {"lines": [
        {"sku": retailer.sku, "quantity": 3, "condition": "sellable"},
        {"sku": "SOMETHING-ELSE", "quantity": 1, "condition": "damaged"}]}).json()
    assert [(one["sku"], one["quantity"], one["condition"]) for one in got["unexpected"]] == [
        (retailer.sku, 2, "sellable"), ("SOMETHING-ELSE", 1, "damaged")]
    assert got["unexpected"][0]["location"] == retailer.store
    assert (got["refund"]["amount"], it.returned()) == (1000, [1])
    assert movements(database, got) == [("return", 1, 0)]
    service.assert_audit_clean()


def test_units_beyond_those_that_left_are_refused_by_their_line(bought):
    it = bought()
    made = it.send(1).json()
    for name in ({"order_line_id": it.line()}, {"id": made["lines"][0]["id"]}):
        reply = it.act(made, "receive", {"lines": [{**name, "quantity": 4, "condition": "sellable"}]}, expect=409)
        assert (code_of(reply), reply.json()["errors"][0]["available"]) == ("over-return", 3)
    assert it.returned() == [0, 0]


def test_rejected_goods_go_back_and_may_come_again(bought, retailer, database, service):
    it = bought(lines={retailer.sku: 1})
    made = it.send(1).json()
    got = it.act(made, "receive", {"lines": [
        {"sku": retailer.sku, "quantity": 1, "condition": "damaged", "acceptance": "rejected", "reason": "worn"}]}).json()
    assert states(got) == [(1, "received", "rejected", "none")]
    assert (got["lines"][0]["note"], got["refund"]["amount"]) == ("worn", 0)
    assert it.returned() == [0] and movements(database, got) == []
    it.bring()
    service.assert_audit_clean()


def test_a_lost_parcel_is_not_awaited_and_may_turn_up(bought, service):
    it = bought()
    made = it.send(2).json()
    part = it.act(made, "lost", {"lines": [{"order_line_id": it.line(), "quantity": 1}]}).json()
    assert states(part) == [(1, "awaiting", "pending", "none"), (1, "lost", "pending", "none")]
    gone = it.act(made, "lost").json()
    assert (gone["status"], gone["refund"]["amount"]) == ("lost", 0)
    assert it.act(made, "lost").json() == gone
    assert code_of(it.act(made, "receive", expect=409)) == "invalid-transition"
    found = it.act(made, "receive", {"lines": [{"order_line_id": it.line(), "quantity": 1, "condition": "sellable"}]}).json()
    assert found["status"] == "received"
    assert it.returned() == [1, 0]
    assert it.events() == ["return.authorized", "return.lost", "return.lost", "return.received"]
    service.assert_audit_clean()


def test_no_more_is_lost_than_awaited(bought):
    it = bought()
    made = it.send(1).json()
    body = {"lines": [{"order_line_id": it.line(), "quantity": 2}]}
    assert code_of(it.act(made, "lost", body, expect=409)) == "invalid-transition"


def test_units_not_received_can_be_cancelled(bought):
    it = bought()
    made = it.send(2).json()
    it.act(made, "receive", {"lines": [{"order_line_id": it.line(), "quantity": 1, "condition": "sellable"}]})
    off = it.act(made, "cancel", {"reason": "keeps one"}).json()
    assert (off["status"], off["cancel_reason"]) == ("received", "keeps one")
    assert states(off) == [(1, "cancelled", "pending", "none"), (1, "received", "accepted", "sellable")]
    assert code_of(it.act(made, "cancel", {"reason": "keeps one"}, expect=409)) == "invalid-transition"
    other = it.send(1).json()
    gone = it.act(other, "cancel", {"reason": "no"}).json()
    assert gone["status"] == "cancelled"
    assert it.act(other, "cancel", {"reason": "no"}).json() == gone
    assert code_of(it.act(other, "cancel", {"reason": "another"}, expect=409)) == "invalid-transition"


def test_goods_by_post_have_no_condition_yet(bought):
    it = bought()
    assert faults(it.bring(it.item(), by_post=True, expect=422)) == {"#/lines/0/condition": "not-allowed"}


@pytest.mark.parametrize("verb", ["receive", "lost"])
def test_a_line_is_named_in_one_way(bought, verb):
    it = bought()
    made = it.send(1).json()
    more = {"condition": "sellable"} if verb == "receive" else {}
    for name in ({}, {"sku": "A", "order_line_id": it.line()}):
        reply = it.act(made, verb, {"lines": [{**name, "quantity": 1, **more}]}, expect=422)
        assert faults(reply) == {"#/lines/0": "one-of"}


def test_an_old_version_is_refused(bought):
    it = bought()
    made = it.send(2).json()
    it.act(made, "receive", {"lines": [{"order_line_id": it.line(), "quantity": 1, "condition": "sellable"}]})
    reply = it.act(made, "receive", expect=412, headers={"If-Match": '"1"'})
    assert code_of(reply) == "precondition-failed"


@pytest.mark.parametrize(("verb", "body"), [
    ("receive", {}), ("lost", {}), ("cancel", {"reason": "no"}),
    ("dispose", {"disposition": "damaged", "lines": [{"id": NOWHERE}]})])
def test_an_unknown_return_is_not_found(bought, verb, body):
    it = bought()
    assert code_of(it.act({"id": NOWHERE}, verb, body, expect=404)) == "not-found"
    assert code_of(it.api.get(f"/v1/returns/{NOWHERE}", expect=404)) == "not-found"


def test_each_command_acts_at_a_location_of_the_token(bought, retailer, service):
    it = bought()
    clerk = service.client(scope="returns:write", locations=[retailer.other_store])
    made = it.send(1).json()
    for verb, body in (("receive", {}), ("lost", {}), ("cancel", {"reason": "no"})):
        assert code_of(it.act(made, verb, body, expect=403, api=clerk)) == "store-not-allowed"
    aside = it.bring(it.item(condition="damaged")).json()
    body = {"disposition": "destroy", "lines": [{"id": aside["lines"][0]["id"]}]}
    assert code_of(it.act(aside, "dispose", body, expect=403, api=clerk)) == "store-not-allowed"


# ---- moving on ----

@pytest.mark.parametrize(("disposition", "stock", "ledger", "bucket"), [
    ("restock", (10, 1, 9), ("restock", 0, -2), "sellable"),
    ("vendor", (8, 1, 7), ("vendor", -2, -2), "gone"),
    ("destroy", (8, 1, 7), ("destroy", -2, -2), "gone"),
])
def test_set_aside_units_get_another_disposition(bought, retailer, database, service, disposition, stock, ledger, bucket):
    it = bought()
    made = it.bring(it.item(3, condition="quarantine")).json()
    [line] = made["lines"]
    moved = it.act(made, "dispose", {"disposition": disposition, "lines": [{"id": line["id"], "quantity": 2}]}).json()
    assert states(moved) == [(1, "received", "accepted", "unsellable"), (2, "received", "accepted", bucket)]
    assert [one["disposition"] for one in moved["lines"]] == ["quarantine", disposition]
    assert sum(one["refund"]["amount"] for one in moved["lines"]) == moved["refund"]["amount"] == 3000
    assert figures(retailer) == stock
    assert movements(database, made) == [("return", 3, 3), ledger]
    service.assert_audit_clean()


def test_another_head_moves_no_stock(bought, retailer, database, service):
    it = bought()
    made = it.bring(it.item(condition="quarantine")).json()
    moves = [{"id": made["lines"][0]["id"]}]
    moved = it.act(made, "dispose", {"disposition": "damaged", "lines": moves}).json()
    assert moved["lines"][0]["disposition"] == "damaged" and len(movements(database, made)) == 1
    gone = it.act(made, "dispose", {"disposition": "vendor", "lines": moves}).json()
    assert it.act(made, "dispose", {"disposition": "vendor", "lines": moves}).json() == gone
    refused = it.act(made, "dispose", {"disposition": "restock", "lines": moves}, expect=409)
    assert (code_of(refused), refused.json()["current_status"]) == ("invalid-transition", "gone")
    assert figures(retailer) == (7, 0, 7)
    service.assert_audit_clean()


def test_no_more_goes_on_than_lies_there(bought, retailer, service):
    it = bought()
    made = it.bring(it.item(2, condition="damaged")).json()
    move = {"id": made["lines"][0]["id"], "quantity": 3}
    reply = it.act(made, "dispose", {"disposition": "destroy", "lines": [move]}, expect=409)
    assert (code_of(reply), reply.json()["errors"][0]["available"]) == ("insufficient-stock", 2)
    retailer.stock({(retailer.store, retailer.sku): 1})
    reply = it.act(made, "dispose", {"disposition": "destroy", "lines": [{"id": move["id"]}]}, expect=409)
    assert (code_of(reply), reply.json()["errors"][0]["available"]) == ("insufficient-stock", 1)


def test_restocked_units_are_not_the_returns_any_more(bought):
    it = bought()
    made = it.bring().json()
    lines = [{"id": made["lines"][0]["id"]}]
    refused = it.act(made, "dispose", {"disposition": "damaged", "lines": lines}, expect=409)
    assert (code_of(refused), refused.json()["current_status"]) == ("invalid-transition", "sellable")
    lines = [{"id": NOWHERE}]
    assert faults(it.act(made, "dispose", {"disposition": "damaged", "lines": lines}, expect=422)) == {"#/lines/0/id": "unknown-line"}


# ---- policy ----

def test_a_product_that_is_not_returnable(bought, retailer):
    it = bought()
    set_policy(retailer, n=0, returnable=False)
    reply = it.bring(it.item(), it.item(1, 1), expect=422)
    assert (code_of(reply), faults(reply)) == ("return-refused", {"#/lines/0": "not-returnable"})
    it.bring(it.item(1, 1))


def test_the_window_counts_days_and_the_product_goes_first(bought, retailer, database):
    it = bought()
    set_policy(retailer, window_days=14)
    days_ago(database, it, 14)
    it.bring()
    days_ago(database, it, 1)
    reply = it.bring(expect=422)
    assert (code_of(reply), faults(reply)) == ("return-refused", {"#/lines/0": "outside-return-window"})
    set_policy(retailer, n=0, window_days=30)
    it.bring()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_days_are_those_of_the_location(bought, retailer, database, zone):
    """Handed over a minute before the last midnight there: yesterday; a window of 0 days is over, wherever the server is."""
    there = f"zone-{retailer.tag}"
    retailer.create_location(there, time_zone=zone)
    it = bought()
    set_policy(retailer, window_days=0)
    for minutes, expect in ((-1, 422), (0, 201)):
        database.execute("""update events set occurred_at = date_trunc('day', now() at time zone %s) at time zone %s
                              + %s * interval '1 minute' where order_id = %s and subject_kind = 'fulfillments'""",
                         zone, zone, minutes, it.id)
        it.bring(location=there, expect=expect)


def test_fee_and_condition_lower_the_refund(bought, retailer):
    it = bought()
    set_policy(retailer, restocking_fee_per_mille=100, conditions={"damaged": {"refund_per_mille": 500}})
    made = it.bring(it.item(), it.item(condition="damaged")).json()
    assert [(line["value"]["amount"], line["fee"]["amount"], line["refund"]["amount"]) for line in made["lines"]] == [
        (1000, 100, 900), (1000, 50, 450)]
    assert made["refund"]["amount"] == 1350


def test_goods_in_a_condition_that_is_not_accepted(bought, retailer):
    it = bought()
    set_policy(retailer, conditions={"damaged": {"accepted": False}})
    assert faults(it.bring(it.item(condition="damaged"), expect=422)) == {"#/lines/0": "condition-not-accepted"}
    made = it.send(1).json()
    lines = [{"sku": retailer.sku, "quantity": 1, "condition": "damaged"}]
    assert code_of(it.act(made, "receive", {"lines": lines}, expect=422)) == "return-refused"
    got = it.act(made, "receive", {"lines": [{**lines[0], "acceptance": "rejected"}]}).json()
    assert got["lines"][0]["acceptance"] == "rejected"


def test_the_policy_is_the_one_of_the_day_it_was_announced(bought, retailer):
    it = bought()
    made = it.send(1).json()
    set_policy(retailer, restocking_fee_per_mille=500, window_days=0, conditions={"sellable": {"accepted": False}})
    assert it.act(made, "receive").json()["refund"]["amount"] == 1000


def test_a_supervisor_passes_over_the_policy(bought, retailer, admin, service):
    it = bought()
    set_policy(retailer, n=0, returnable=False)
    assert code_of(it.bring(override=True, expect=403)) == "insufficient-scope"
    made = it.bring(override=True, api=admin).json()
    assert (made["overridden"], made["status"]) == (True, "received")
    assert code_of(it.bring(it.item(3), override=True, api=admin, expect=409)) == "over-return"
    told = it.api.get(f"/v1/orders/{it.id}/timeline", expect=200).json()["data"]
    assert [event["data"].get("overridden_by") for event in told if event["type"] == "return.authorized"] == ["supervisor"]


def test_the_shipping_goes_back_with_the_last_of_it(bought, retailer):
    set_policy(retailer, refund_shipping="full_return")
    it = bought(method="ship", shipping={"amount": 499, "currency": "EUR"})
    first = it.bring(it.item(3)).json()
    assert (first["shipping"]["amount"], first["refund"]["amount"]) == (0, 3000)
    assert it.quote(it.item(1, 1)).json()["shipping"]["amount"] == 499
    last = it.bring(it.item(1, 1)).json()
    assert (last["shipping"]["amount"], last["refund"]["amount"]) == (499, 2499)


def test_the_shipping_stays_unless_the_policy_gives_it_back(bought):
    it = bought(method="ship", shipping={"amount": 499, "currency": "EUR"})
    assert it.bring(it.item(3), it.item(1, 1)).json()["refund"]["amount"] == 5000


def test_refunds_of_any_split_add_up_to_the_paid_amount(bought, retailer):
    it = bought(lines={retailer.sku: 3}, discounts=[{"amount": 100}])
    assert sum(it.bring().json()["refund"]["amount"] for _ in range(3)) == 2900


@pytest.mark.parametrize("where", ["channels", "products"])
def test_a_policy_is_kept_and_given_back(retailer, where):
    policy = {"window_days": 30, "restocking_fee_per_mille": 15, "refund_shipping": "full_return",
              "conditions": {"damaged": {"refund_per_mille": 500}, "sellable": {"accepted": True}}}
    path, body = {"channels": (f"/v1/channels/{retailer.channel}", {"name": "Web shop", "kind": "web"}),
                  "products": (f"/v1/products/{retailer.sku}", {"title": "A"})}[where]
    first = retailer.api.put(path, {**body, "return_policy": policy}, expect=200).json()
    assert first["return_policy"] == policy == retailer.api.get(path, expect=200).json()["return_policy"]
    again = retailer.api.put(path, {**body, "return_policy": policy}, expect=200).json()
    assert again["version"] == first["version"]
    assert retailer.api.put(path, body, expect=200).json()["return_policy"] is None


@pytest.mark.parametrize("policy", [
    {"window_days": -1}, {"window_days": 3651}, {"restocking_fee_per_mille": 1001}, {"refund_shipping": "sometimes"},
    {"conditions": {"damaged": {"refund_per_mille": 1001}}}, {"conditions": {"burnt": {}}}, {"other": 1}])
def test_an_invalid_policy_is_refused(retailer, policy):
    body = {"name": "Web shop", "kind": "web", "return_policy": policy}
    assert code_of(retailer.api.put(f"/v1/channels/{retailer.channel}", body, expect=422)) == "validation-failed"


# ---- quotes ----

def test_a_quote_explains_every_line_and_changes_nothing(bought, retailer, database):
    it = bought()
    set_policy(retailer, window_days=1, restocking_fee_per_mille=100)
    days_ago(database, it, 3)
    set_policy(retailer, n=1, window_days=9)
    set_policy(retailer, n=0, returnable=False)
    quote = it.quote(it.item(4), it.item(1, 1)).json()
    assert (quote["allowed"], quote["order_number"], quote["location"]) == (False, it.order["order_number"], retailer.store)
    first, second = quote["lines"]
    assert (first["allowed"], first["refused_by"], first["returnable"], first["refund"]["amount"]) == (
        False, ["not-returnable", "over-return", "outside-return-window"], 3, 0)
    assert (second["allowed"], second["refused_by"]) == (True, [])
    assert (second["value"]["amount"], second["fee"]["amount"], second["refund"]["amount"]) == (2000, 200, 1800)
    assert (quote["fee"]["amount"], quote["refund"]["amount"], quote["shipping"]["amount"]) == (200, 1800, 0)
    assert it.returned() == [0, 0] and it.events() == []
    assert it.api.get(f"/v1/returns?order_id={it.id}", expect=200).json()["data"] == []


def test_a_quote_equals_the_return_that_follows(bought):
    it = bought(discounts=[{"amount": 101}])
    items = it.item(2), it.item(1, 1, condition="damaged")
    assert it.quote(*items).json()["refund"] == it.bring(*items).json()["refund"]


def test_a_quote_for_a_supervisor_equals_the_return_that_follows(bought, retailer, admin, service):
    set_policy(retailer, 0, returnable=False, refund_shipping="full_return")
    it = bought(lines={retailer.sku: 1}, method="ship", shipping={"amount": 499, "currency": "EUR"})
    clerk = service.client(scope="returns:write")
    assert code_of(clerk.post("/v1/returns/quote", it.body(override=True), expect=403)) == "insufficient-scope"
    plain, passed = (admin.post("/v1/returns/quote", it.body(override=word), expect=200).json() for word in (False, True))
    assert (plain["allowed"], plain["lines"][0]["refused_by"], plain["refund"]["amount"]) == (False, ["not-returnable"], 0)
    assert (passed["allowed"], passed["lines"][0]["refused_by"]) == (True, [])
    too_many = admin.post("/v1/returns/quote", it.body(it.item(2), override=True), expect=200).json()
    assert (too_many["allowed"], too_many["lines"][0]["refused_by"]) == (False, ["over-return"])
    made = it.bring(override=True, api=admin).json()
    assert (passed["refund"], passed["shipping"], passed["lines"][0]["refund"]) == (
        made["refund"], made["shipping"], made["lines"][0]["refund"])


def test_a_quote_without_a_condition_reckons_with_good_goods(bought):
    it = bought()
    assert it.quote(it.item(2, condition=None)).json()["refund"]["amount"] == 2000


def test_a_quote_refuses_unknown_lines_places_and_orders(bought, retailer):
    it = bought()
    assert faults(it.quote({**it.item(), "order_line_id": NOWHERE}, expect=422)) == {"#/lines/0/order_line_id": "unknown-line"}
    assert faults(it.quote(location="nowhere", expect=422)) == {"#/location": "unknown-location"}
    assert code_of(it.api.post("/v1/returns/quote", {**it.body(), "order_id": NOWHERE}, expect=404)) == "not-found"


# ---- lists ----

def test_returns_are_listed_newest_first_and_by_page(bought, retailer, service):
    it = bought()
    made = [it.bring().json()["id"] for _ in range(2)] + [it.send(1, location=retailer.warehouse).json()["id"]]
    listed = lambda query, api=it.api: [one["id"] for one in api.get(f"/v1/returns?{query}", expect=200).json()["data"]]
    assert listed(f"order_id={it.id}") == made[::-1]
    assert listed(f"order_number={it.order['order_number']}") == made[::-1]
    assert listed(f"location={retailer.warehouse}") == made[2:]
    assert listed(f"location={retailer.store}&status=received,lost") == made[1::-1]
    assert listed(f"order_id={it.id}&status=authorized") == made[2:]
    page = it.api.get(f"/v1/returns?order_id={it.id}&limit=2", expect=200).json()
    assert [one["id"] for one in page["data"]] == made[:0:-1]
    rest = it.api.get(f"/v1/returns?order_id={it.id}&limit=2&cursor={page['next_cursor']}", expect=200).json()
    assert ([one["id"] for one in rest["data"]], rest["next_cursor"]) == (made[:1], None)
    clerk = service.client(scope="returns:write", locations=[retailer.warehouse])
    assert listed(f"order_id={it.id}", clerk) == made[2:]
    assert listed(f"order_number={it.order['order_number']}", clerk) == made[::-1]
    number = it.api.get(f"/v1/returns/{made[0]}", expect=200).json()["return_number"]
    assert listed(f"return_number={number}", clerk) == made[:1]
    tampered = page["next_cursor"][:-1] + ("A" if page["next_cursor"][-1] != "A" else "B")
    assert code_of(it.api.get(f"/v1/returns?order_id={it.id}&limit=2&cursor={tampered}", expect=400)) == "invalid-cursor"


# ---- refunds ----

def refund(it, made, to="original", expect=200, amount=None, key=None, **fields):
    body = {"to": to, **fields}
    if amount is not None:
        body["amount"] = {"amount": amount, "currency": "EUR"}
    return it.act(made, "refund", body, expect=expect, key=key or str(uuid.uuid4()))


def money(order):
    totals = order["totals"]
    return {name: totals[name]["amount"] for name in ("credited", "paid", "refunded", "balance", "refund_due")}


def test_returned_goods_are_owed_to_the_customer_until_the_refund(bought, service):
    it = bought()
    made = it.bring(it.item(2)).json()
    assert (made["refund"]["amount"], made["refunded"]["amount"], made["refundable"]["amount"], made["refund_to"]) == (2000, 0, 2000, None)
    assert money(it.now()) == {"credited": 2000, "paid": 5000, "refunded": 0, "balance": -2000, "refund_due": 2000}

    done = refund(it, made).json()
    assert (done["refunded"]["amount"], done["refundable"]["amount"], done["refund_to"]) == (2000, 0, "original")
    assert [(one["to"], one["amount"]["amount"], one["status"]) for one in done["refunds"]] == [("original", 2000, "pending")]
    order = it.now()
    assert money(order) == {"credited": 2000, "paid": 5000, "refunded": 2000, "balance": 0, "refund_due": 0}
    assert order["payment_status"] == "partially_refunded"
    assert order["refunds"][0]["return_id"] == made["id"]
    assert it.events() == ["return.authorized", "return.received", "return.refunded"]
    service.assert_audit_clean()


def test_a_return_is_refunded_once(bought):
    it = bought()
    made = it.bring().json()
    key = str(uuid.uuid4())
    first = refund(it, made, key=key).json()
    assert refund(it, made, key=key).json() == first
    assert refund(it, made).json() == first  # the same person says so again
    reply = refund(it, made, "store_credit", expect=409)
    assert (code_of(reply), reply.json()["errors"][0]["available"]) == ("over-refund", 0)
    reply = refund(it, made, amount=1, expect=409)
    assert code_of(reply) == "over-refund"


def test_a_refund_in_parts_to_different_places(bought, service):
    it = bought()
    made = it.bring(it.item(3)).json()
    refund(it, made, amount=1200)
    reply = refund(it, made, amount=1801, expect=409)
    assert reply.json()["errors"][0]["available"] == 1800
    last = refund(it, made, "store_credit").json()
    assert [(one["to"], one["amount"]["amount"], one["status"]) for one in last["refunds"]] == [
        ("original", 1200, "pending"), ("store_credit", 1800, "settled")]
    assert money(it.now())["refunded"] == 3000
    service.assert_audit_clean()


def test_a_withheld_amount_is_no_longer_owed(bought, service):
    it = bought()
    made = it.bring(it.item(2)).json()
    refund(it, made, amount=500)
    kept = refund(it, made, "none", reason="a gift").json()
    assert (kept["withheld"]["amount"], kept["refundable"]["amount"], kept["refund_to"]) == (1500, 0, "none")
    assert money(it.now()) == {"credited": 500, "paid": 5000, "refunded": 500, "balance": 0, "refund_due": 0}
    assert refund(it, made, "none").json() == kept
    assert code_of(refund(it, made, amount=1, expect=409)) == "over-refund"
    assert faults(refund(it, made, "none", amount=1, expect=422)) == {"#/amount": "not-allowed"}
    service.assert_audit_clean()


def pay_out(it, expect=201, **body):
    return it.api.post(f"/v1/orders/{it.id}/refunds", {"to": "original", "reason": "as asked", **body}, key=str(uuid.uuid4()), expect=expect)


def test_an_amount_refunded_by_the_order_is_not_withheld(bought, service):
    it = bought()
    made = it.bring(it.item(2)).json()
    pay_out(it)
    paid_out = money(it.now())
    reply = refund(it, made, "none", expect=409)
    assert (code_of(reply), reply.json()["errors"][0]["available"]) == ("over-refund", 0)
    assert money(it.now()) == paid_out == {"credited": 2000, "paid": 5000, "refunded": 2000, "balance": 0, "refund_due": 0}
    service.assert_audit_clean()


def test_refunds_of_the_order_show_on_its_returns_the_oldest_first(bought, service):
    it = bought()
    older, newer = it.bring(it.item(1)).json(), it.bring(it.item(2)).json()
    paid = pay_out(it, amount=1500).json()
    assert [(one["return_id"], one["amount"]["amount"]) for one in paid["refunds"]] == [(older["id"], 1000), (newer["id"], 500)]
    assert figures_of(it, older) == (1000, 0)
    assert figures_of(it, newer) == (500, 1500)
    pay_out(it)
    assert figures_of(it, newer) == (2000, 0)
    assert money(it.now())["refund_due"] == 0
    service.assert_audit_clean()


def test_the_order_pays_out_the_named_return_up_to_its_refund(bought, service):
    it = bought()
    older, newer = it.bring(it.item(1)).json(), it.bring(it.item(2)).json()
    reply = pay_out(it, return_id=newer["id"], amount=2001, expect=409)
    assert (code_of(reply), reply.json()["errors"][0]["available"]) == ("over-refund", 2000)
    assert faults(pay_out(it, return_id=it.id, expect=422)) == {"#/return_id": "unknown-return"}
    pay_out(it, return_id=newer["id"])
    assert (figures_of(it, older), figures_of(it, newer)) == ((0, 1000), (2000, 0))
    service.assert_audit_clean()


def figures_of(it, made):
    now = it.api.get(f"/v1/returns/{made['id']}", expect=200).json()
    return now["refunded"]["amount"], now["refundable"]["amount"]


def test_only_the_amount_beyond_an_appeasement_is_withheld(bought, service):
    it = bought()
    pay_out(it, amount=4500)
    made = it.bring(it.item(2)).json()
    assert made["refundable"]["amount"] == 500
    kept = refund(it, made, "none").json()
    assert (kept["withheld"]["amount"], kept["refundable"]["amount"]) == (500, 0)
    assert refund(it, made, "none").json() == kept  # the same person says so again
    assert money(it.now()) == {"credited": 4500, "paid": 5000, "refunded": 4500, "balance": 0, "refund_due": 0}
    service.assert_audit_clean()


def test_the_payment_of_an_exchange_is_not_withheld(bought, retailer, service):
    it = bought()
    made = it.bring(it.item(2), exchange={"lines": [
        {"sku": retailer.skus[0], "quantity": 2, "fulfillment": {"method": "pickup", "location": retailer.store}}]}).json()
    before = money(it.now())
    assert code_of(refund(it, made, "none", expect=409)) == "over-refund"
    assert money(it.now()) == before
    assert (before["credited"], before["balance"]) == (2000, 0)
    service.assert_audit_clean()


def test_only_accepted_lines_are_refunded(bought):
    it = bought()
    made = it.send(2).json()
    assert (made["refund"]["amount"], made["refundable"]["amount"]) == (2000, 0)
    assert code_of(refund(it, made, expect=409)) == "over-refund"
    it.act(made, "receive", {"lines": [{"order_line_id": it.line(), "quantity": 1, "condition": "sellable"}]})
    assert refund(it, made).json()["refunded"]["amount"] == 1000


def test_fee_and_condition_are_kept(bought, retailer, service):
    set_policy(retailer, restocking_fee_per_mille=100, conditions={"damaged": {"refund_per_mille": 500}})
    it = bought()
    made = it.bring(it.item(), it.item(condition="damaged")).json()
    assert money(it.now())["credited"] == money(it.now())["refund_due"] == 1350
    refund(it, made)
    assert money(it.now()) == {"credited": 1350, "paid": 5000, "refunded": 1350, "balance": 0, "refund_due": 0}
    service.assert_audit_clean()


def test_an_unpaid_order_is_not_refunded(bought, service):
    it = bought(payment={"status": "pending"})
    made = it.bring(it.item(2)).json()
    assert made["refundable"]["amount"] == 0
    assert code_of(refund(it, made, expect=409)) == "over-refund"
    assert money(it.now()) == {"credited": 2000, "paid": 0, "refunded": 0, "balance": 3000, "refund_due": 0}
    service.assert_audit_clean()


def test_everything_comes_back_with_its_shipping(bought, retailer, service):
    set_policy(retailer, refund_shipping="full_return")
    it = bought(method="ship", shipping={"amount": 499, "currency": "EUR"}, discounts=[{"amount": 333}])
    made = [it.bring(it.item(n)).json() for n in (2, 1)] + [it.bring(it.item(1, 1)).json()]
    for one in made:
        refund(it, one)
    order = it.now()
    assert money(order) == {"credited": 5166, "paid": 5166, "refunded": 5166, "balance": 0, "refund_due": 0}
    assert order["payment_status"] == "refunded"
    service.assert_audit_clean()


def test_a_refund_is_in_the_currency_of_its_order(bought):
    it = bought()
    made = it.bring().json()
    reply = it.act(made, "refund", {"to": "original", "amount": {"amount": 1, "currency": "USD"}}, expect=422, key=str(uuid.uuid4()))
    assert faults(reply) == {"#/amount/currency": "currency-mismatch"}


def test_a_refund_needs_a_key_and_a_location_of_the_token(bought, retailer, service):
    it = bought()
    made = it.bring().json()
    assert code_of(it.act(made, "refund", {"to": "original"}, expect=400, key=None)) == "idempotency-key-missing"
    clerk = service.client(scope="returns:write", locations=[retailer.other_store])
    reply = it.act(made, "refund", {"to": "original"}, expect=403, api=clerk, key=str(uuid.uuid4()))
    assert code_of(reply) == "store-not-allowed"
    assert code_of(it.act({"id": NOWHERE}, "refund", {"to": "none"}, expect=404, key=str(uuid.uuid4()))) == "not-found"


def test_cancelled_and_returned_units_share_the_paid_amount(bought, retailer, service):
    """Two of three left, the third is cancelled, all with a discount that does not divide."""
    it = bought(lines=[{"sku": retailer.sku, "quantity": 2, "fulfillment": {"method": "pickup", "location": retailer.store}},
                       {"sku": retailer.sku, "quantity": 1, "fulfillment": {"method": "pickup", "location": retailer.other_store}}],
                hand_over=False, discounts=[{"amount": 100}])
    it.deliver(it.order["fulfillments"][0])
    it.bring()
    it.api.post(f"/v1/orders/{it.id}/cancel", {"reason": "too late"}, expect=200)
    it.bring()
    assert money(it.now())["credited"] == it.order["totals"]["total"]["amount"] == 2900
    service.assert_audit_clean()


def test_store_credit_waits_for_the_capture(bought, service):
    it = bought(payment={"status": "authorized"})
    made = it.bring(it.item(2)).json()
    reply = refund(it, made, "store_credit", expect=409)
    assert (code_of(reply), reply.json()["errors"][0]["available"]) == ("over-refund", 0)
    [payment] = it.now()["payments"]
    it.api.post(f"/v1/payments/{payment['id']}/events", {"event_id": "evt-taken", "type": "captured"}, expect=200)
    done = refund(it, made, "store_credit").json()
    assert [(one["to"], one["amount"]["amount"], one["status"]) for one in done["refunds"]] == [("store_credit", 2000, "settled")]
    service.assert_audit_clean()


def test_goods_that_come_back_before_the_capture_are_refunded_to_the_payment(bought, service):
    it = bought(payment={"status": "authorized"})
    made = it.bring(it.item(2)).json()
    assert code_of(pay_out(it, expect=409)) == "over-refund"  # the order owes nothing before it is paid
    done = refund(it, made).json()
    assert [(one["to"], one["amount"]["amount"], one["status"]) for one in done["refunds"]] == [("original", 2000, "pending")]
    service.assert_audit_clean()


# ---- exchanges ----

def instead(sku, location, quantity=1, method="pickup", **fields):
    return {"lines": [{"sku": sku, "quantity": quantity, "fulfillment": {"method": method, "location": location}, **fields}]}


def test_an_exchange_is_one_transaction_and_the_difference_is_due(bought, retailer, service):
    it = bought()
    made = it.bring(exchange=instead(retailer.skus[2], retailer.other_store)).json()
    order = it.now()
    [added] = order["lines"][2:]
    assert (added["sku"], added["quantity"], added["unit_price"]["amount"]) == (retailer.skus[2], 1, 3000)
    assert made["exchange"] == [{"order_line_id": added["id"], "sku": retailer.skus[2], "quantity": 1}]
    assert retailer.figures(retailer.skus[2], retailer.other_store)["reserved"] == 1
    assert (order["status"], order["totals"]["total"]["amount"]) == ("partially_fulfilled", 8000)
    assert money(order) == {"credited": 1000, "paid": 5000, "refunded": 0, "balance": 2000, "refund_due": 0}
    assert made["refundable"]["amount"] == 0
    assert code_of(refund(it, made, expect=409)) == "over-refund"
    assert figures(retailer) == (8, 0, 8)
    assert it.events() == ["return.exchanged", "return.authorized", "return.received"]
    new = next(one for one in order["fulfillments"] if one["location"] == retailer.other_store)
    assert new["status"] == "allocated"
    service.assert_audit_clean()


def test_the_rest_after_an_exchange_is_refunded(bought, retailer, service):
    it = bought()
    made = it.bring(it.item(1, 1), exchange=instead(retailer.sku, retailer.store)).json()
    assert made["refundable"]["amount"] == 1000
    refund(it, made)
    assert money(it.now()) == {"credited": 2000, "paid": 5000, "refunded": 1000, "balance": 0, "refund_due": 0}
    service.assert_audit_clean()


def test_without_the_unit_there_is_no_exchange_and_no_return(bought, retailer, service):
    it = bought()
    before = it.now()
    reply = it.bring(exchange=instead(retailer.skus[2], retailer.store, 11), expect=409)
    assert code_of(reply) == "insufficient-stock"
    assert (reply.json()["errors"][0]["pointer"], reply.json()["errors"][0]["available"]) == ("#/exchange/lines/0/quantity", 10)
    assert it.now() == before and figures(retailer) == (7, 0, 7) and it.events() == []
    service.assert_audit_clean()


def test_exchanged_goods_can_be_returned_as_well(bought, retailer, service):
    it = bought(lines={retailer.sku: 1})
    it.bring(exchange=instead(retailer.skus[1], retailer.store))
    order = it.now()
    it.deliver(order["fulfillments"][-1])
    made = it.bring({**it.item(), "order_line_id": order["lines"][1]["id"]}).json()
    assert (made["refund"]["amount"], it.returned()) == (2000, [1, 1])
    service.assert_audit_clean()


@pytest.mark.parametrize(("line", "pointer", "code"), [
    ({"sku": "NO-SUCH"}, "#/exchange/lines/0/sku", "unknown-sku"),
    ({"fulfillment": {"method": "pickup"}}, "#/exchange/lines/0/fulfillment", "required"),
    ({"fulfillment": {"location": "STORE"}}, "#/exchange/lines/0/fulfillment/method", "required"),
    ({"fulfillment": {"method": "ship", "location": "STORE"}}, "#/exchange/lines/0/fulfillment/method", "address-missing"),
    ({"fulfillment": {"method": "pickup", "location": "nowhere"}}, "#/exchange/lines/0/fulfillment/location", "unknown-location"),
    ({"fulfillment": {"method": "pickup", "location": "STORE", "slot": "2030-01-01T10:00:00Z"}},
     "#/exchange/lines/0/fulfillment", "not-allowed"),
    ({"unit_price": {"amount": 1, "currency": "USD"}}, "#/exchange/lines/0/unit_price/currency", "currency-mismatch"),
])
def test_an_invalid_exchange_is_refused(bought, retailer, line, pointer, code):
    it = bought()
    exchange = instead(retailer.sku, retailer.store)
    exchange["lines"][0].update(line)
    choice = exchange["lines"][0]["fulfillment"]
    if choice.get("location") == "STORE":
        choice["location"] = retailer.store
    assert faults(it.bring(exchange=exchange, expect=422)).get(pointer) == code
    assert it.returned() == [0, 0]


def test_an_exchange_is_held_at_a_location_of_the_token(bought, retailer, service):
    it = bought()
    clerk = service.client(scope="returns:write", locations=[retailer.store])
    reply = it.bring(exchange=instead(retailer.sku, retailer.other_store), api=clerk, expect=403)
    assert code_of(reply) == "store-not-allowed"


def test_a_client_that_takes_returns_does_not_set_the_price_of_an_exchange(bought, retailer, service, admin):
    it = bought()
    free = instead(retailer.skus[2], retailer.store, 3, unit_price={"amount": 0, "currency": "EUR"})
    clerk = service.client(scope="returns:write", locations=[retailer.store])
    for path in ("/v1/returns", "/v1/returns/quote"):
        reply = clerk.post(path, it.body(exchange=free), expect=403, key=str(uuid.uuid4()))
        assert code_of(reply) == "insufficient-scope"
        assert reply.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="orders:write"'
    assert (it.returned(), len(it.now()["lines"])) == ([0, 0], 2)
    assert it.bring(exchange=instead(retailer.skus[2], retailer.store), api=clerk).json()["refundable"]["amount"] == 0
    seller = service.client(scope="returns:write orders:write", locations=[retailer.store])
    for api in (seller, admin):
        it.bring(exchange=instead(retailer.skus[2], retailer.store, unit_price={"amount": 5, "currency": "EUR"}), api=api)
    assert [line["unit_price"]["amount"] for line in it.now()["lines"][2:]] == [3000, 5, 5]
    service.assert_audit_clean()


def test_a_quote_of_an_exchange_tells_the_difference(bought, retailer):
    it = bought()
    quote = it.quote(exchange=instead(retailer.skus[2], retailer.store, 2)).json()
    assert (quote["exchange"]["total"]["amount"], quote["exchange"]["difference"]["amount"]) == (6000, 5000)
    assert it.quote().json()["exchange"] is None
    assert faults(it.quote(exchange=instead("NO-SUCH", retailer.store), expect=422)) == {"#/exchange/lines/0/sku": "unknown-sku"}


ON_TOP = {"tax": {"amount": 1000, "included": False}}


def swap(retailer, quantity=1, n=0, **fields):
    return {"lines": [{"sku": retailer.skus[n], "quantity": quantity,
                       "fulfillment": {"method": "pickup", "location": retailer.store}}], **fields}


def test_an_even_exchange_under_a_tax_on_top_leaves_nothing_to_refund(bought, retailer, service):
    it = bought(**ON_TOP)
    quote = it.quote(exchange=swap(retailer)).json()
    assert (quote["refund"]["amount"], quote["tax"]["amount"], quote["exchange"]["difference"]["amount"]) == (1200, 200, 0)
    made = it.bring(exchange=swap(retailer)).json()
    assert (made["refund"]["amount"], made["tax"]["amount"], made["refundable"]["amount"]) == (1200, 200, 0)
    order = it.now()
    assert (order["totals"]["tax"]["amount"], order["totals"]["total"]["amount"], order["totals"]["balance"]["amount"]) == (1200, 7200, 0)
    assert (order["lines"][-1]["value"]["amount"], order["lines"][-1]["tax"]["amount"]) == (1200, 200)
    service.assert_audit_clean()


def test_an_even_exchange_takes_over_the_discounts(bought, retailer, service):
    it = bought(discounts=[{"amount": 300, "line": 0}, {"amount": 500}], **ON_TOP)
    made = it.bring(it.item(2), exchange=swap(retailer, 2)).json()
    assert made["refundable"]["amount"] == 0
    order = it.now()
    assert order["totals"]["balance"]["amount"] == 0
    assert (order["discounts"][-1]["line"], order["discounts"][-1]["reason"]) == (2, "exchange")
    assert order["lines"][-1]["value"] == made["refund"]
    service.assert_audit_clean()


def test_the_tax_of_an_exchange_can_be_told(bought, retailer, service):
    it = bought(**ON_TOP)
    wrong = swap(retailer, tax={"amount": 50, "included": True})
    assert faults(it.bring(exchange=wrong, expect=422)) == {"#/exchange/tax/included": "mismatch"}
    made = it.bring(exchange=swap(retailer, tax={"amount": 50})).json()
    assert made["refundable"]["amount"] == 150
    service.assert_audit_clean()


def test_refunds_of_a_return_share_its_tax_to_the_cent(bought, service):
    it = bought(tax={"amount": 798, "included": True})
    made = it.bring(it.item(3)).json()
    assert (made["refund"]["amount"], made["tax"]["amount"]) == (3000, 479)
    refund(it, made, amount=1000)
    pay_out(it, amount=500)
    last = refund(it, made).json()
    assert [one["amount"]["amount"] for one in last["refunds"]] == [1000, 500, 1500]
    assert sum(one["tax"]["amount"] for one in last["refunds"]) == 479
    order = it.now()
    assert order["totals"]["credited_tax"]["amount"] == 479
    assert sum(line["tax"]["amount"] for line in order["lines"]) + order["totals"]["shipping_tax"]["amount"] == 798
    service.assert_audit_clean()


def test_refunds_after_an_appeasement_share_the_tax_to_the_cent(bought, service):
    it = bought(tax={"amount": 798, "included": True})
    pay_out(it, amount=333)
    quoted = it.quote(it.item(3), it.item(1, 1)).json()
    made = it.bring(it.item(3), it.item(1, 1)).json()
    assert (quoted["refund"], quoted["tax"]) == (made["refund"], made["tax"]) == (
        {"amount": 4667, "currency": "EUR"}, {"amount": 798 - 53, "currency": "EUR"})
    assert [(line["value"]["amount"], line["refund"]["amount"]) for line in made["lines"]] == [(3000, 3000), (2000, 1667)]
    done = refund(it, made).json()
    assert (done["refunded"], done["refundable"]["amount"]) == (made["refund"], 0)
    order = it.now()
    assert sum(one["amount"]["amount"] for one in order["refunds"]) == order["totals"]["credited"]["amount"] == 5000
    assert sum(one["tax"]["amount"] for one in order["refunds"]) == order["totals"]["credited_tax"]["amount"] == 798
    service.assert_audit_clean()


def test_an_amount_withheld_after_an_appeasement_leaves_the_tax_of_the_refunds(bought, service):
    it = bought(tax={"amount": 798, "included": True})
    pay_out(it, amount=333)
    refund(it, it.bring(it.item(3), it.item(1, 1)).json(), "none", reason="a gift")
    order = it.now()
    assert order["totals"]["credited"]["amount"] == 333
    assert order["refunds"][0]["tax"] == order["totals"]["credited_tax"]
    service.assert_audit_clean()


def test_an_even_exchange_after_an_appeasement_does_not_change_the_balance(bought, retailer, service):
    it = bought(**ON_TOP)
    pay_out(it, amount=333)
    made = it.bring(exchange=swap(retailer)).json()
    assert made["refundable"]["amount"] == 0
    assert it.now()["totals"]["balance"]["amount"] == 0
    service.assert_audit_clean()


def test_an_exchange_gives_no_shipping_back(bought, retailer):
    set_policy(retailer, refund_shipping="full_return")
    it = bought(lines={retailer.sku: 1}, method="ship", shipping={"amount": 499, "currency": "EUR"})
    assert it.quote(exchange=instead(retailer.sku, retailer.store)).json()["shipping"]["amount"] == 0
    assert it.bring(exchange=instead(retailer.sku, retailer.store)).json()["shipping"]["amount"] == 0


# ---- finding the order ----

def test_a_till_finds_an_order_by_number_address_or_phone(bought, retailer, service):
    email, phone = f"Ada-{retailer.tag}@example.com", f"+49 30 {retailer.tag}"
    it = bought(customer={"name": "Ada", "email": email, "phone": phone})
    clerk = service.client(scope="orders:read returns:write", locations=[retailer.other_store])
    weak = service.client(scope="orders:read", locations=[retailer.other_store])
    for query in (f"order_number={it.order['order_number']}", f"email={email.lower()}", f"phone={phone.replace('+', '%2B')}"):
        assert [one["id"] for one in clerk.get(f"/v1/orders?{query}", expect=200).json()["data"]] == [it.id]
        assert weak.get(f"/v1/orders?{query}", expect=200).json()["data"] == []
    for query in (f"email={retailer.tag}", "phone=%2B49", f"q={retailer.tag}"):
        assert clerk.get(f"/v1/orders?{query}", expect=200).json()["data"] == []


@pytest.mark.parametrize("spelling", ["+49 30 {}", "0049-30/{}", "4930{}", "+49 (30) {}"])
def test_a_phone_is_known_by_its_digits(bought, retailer, service, spelling):
    number = str(uuid.uuid4().int)[:12]
    it = bought(lines={retailer.sku: 1}, hand_over=False, customer={"name": "Cay", "phone": f"+49 30 {number}"})
    bought(lines={retailer.sku: 1}, hand_over=False, customer={"name": "Dan", "phone": "ask at the desk"})
    clerk = service.client(scope="orders:read returns:write", locations=[retailer.other_store])
    found = lambda phone: [one["id"] for one in clerk.get("/v1/orders", params={"phone": phone}, expect=200).json()["data"]]
    assert found(spelling.format(number)) == [it.id]
    assert found(f"030{number}") == found("no digits") == []


def test_a_token_of_no_location_finds_an_order_by_its_number_only(bought, retailer, service):
    email, phone = f"bea-{retailer.tag}@example.com", f"030{retailer.tag}"
    it = bought(customer={"name": "Bea", "email": email, "phone": phone})
    nowhere = service.client(scope="orders:read returns:write", locations=[])
    found = lambda query: [one["id"] for one in nowhere.get(f"/v1/orders?{query}", expect=200).json()["data"]]
    assert found(f"email={email}") == found(f"phone={phone}") == []
    assert found(f"order_number={it.order['order_number']}") == [it.id]


def test_an_order_is_seen_where_its_goods_came_back(bought, retailer, service):
    it = bought()
    clerk = service.client(scope="orders:read", locations=[retailer.other_store])
    assert code_of(clerk.get(f"/v1/orders/{it.id}", expect=403)) == "store-not-allowed"
    it.bring(location=retailer.other_store)
    assert clerk.get(f"/v1/orders/{it.id}", expect=200).json()["id"] == it.id
    assert clerk.get(f"/v1/orders/{it.id}/timeline", expect=200).json()["data"]
    assert [one["id"] for one in clerk.get(f"/v1/orders?external_ref={it.order['external_ref']}", expect=200).json()["data"]] == [it.id]


def test_the_pickup_codes_of_an_order_are_seen_where_it_is_collected_only(bought, retailer, service):
    it = bought()
    it.bring(location=retailer.other_store, exchange=instead(retailer.skus[2], retailer.store))
    codes = lambda *locations: {one["location"] for one in service.client(
        scope="orders:read orders:write", locations=list(locations)).get(f"/v1/orders/{it.id}", expect=200).json()["fulfillments"]
        if "pickup_code" in one}
    assert codes(retailer.other_store) == set()
    assert codes(retailer.store) == codes(retailer.store, retailer.other_store) == {retailer.store}
    it.bring(location=retailer.other_store, exchange=instead(retailer.skus[2], retailer.other_store))
    assert codes(retailer.other_store) == {retailer.other_store}


def test_the_money_of_an_order_is_seen_where_its_goods_came_back(bought, retailer, service):
    it = bought()
    clerk = service.client(scope="orders:read", locations=[retailer.other_store])
    payment = f"/v1/payments/{it.now()['payments'][0]['id']}"
    assert code_of(clerk.get(payment, expect=403)) == "store-not-allowed"
    made = it.bring(location=retailer.other_store).json()
    refund(it, made)
    given = f"/v1/refunds/{it.now()['refunds'][0]['id']}"
    for path in (payment, given):
        assert clerk.get(path, expect=200).json() == it.api.get(path, expect=200).json()


def test_a_receipt_is_scanned_where_the_goods_come_back(bought, retailer, service):
    it = bought()
    fulfillment = it.order["fulfillments"][0]
    scan = lambda code, location, api: api.post(f"/v1/locations/{location}/scan", {"code": code}, expect=200).json()
    clerk = service.client(scope="fulfillment:read returns:write", locations=[retailer.other_store])
    for code in (it.order["order_number"], it.order["order_number"].replace("-", "").lower(), fulfillment["id"]):
        found = scan(code, retailer.other_store, clerk)
        assert [card["fulfillment_id"] for card in found["matches"]] == [fulfillment["id"]]
    code = it.api.get(f"/v1/fulfillments/{fulfillment['id']}", expect=200).json()["pickup_code"]
    here = service.client(scope="fulfillment:read returns:write", locations=[retailer.store])
    found = scan(code, retailer.store, here)
    assert (found["kind"], [card["order_number"] for card in found["matches"]]) == ("pickup_code", [it.order["order_number"]])
    weak = service.client(scope="fulfillment:read", locations=[retailer.store, retailer.other_store])
    assert scan(code, retailer.store, weak)["matches"] == []
    assert scan(it.order["order_number"], retailer.other_store, weak)["matches"] == []
