"""The work of a location over HTTP: from the shelf to the shopper's hands, with the stock figures after each step."""

import uuid
from datetime import datetime, timedelta

import pytest
from support.database import Database
from support.holdfast import SCOPES, make_token
from support.retailer import Retailer
from support.work import Work, code_of, faults

GTIN = "6291041500213"  # its check digit is 3
OTHER_GTIN = "4006381333931"
ACTIONS = {
    "assign": {"assignee": "ana"},
    "cancel": {"reason": "the shopper called"},
    "check-in": {"state": "arrived"},
    "deliver": {},
    "extend-hold": {"until": "2099-01-01T00:00:00Z"},
    "handover": {"proof": {"method": "id_check"}},
    "link": {},
    "pick": {"lines": [{"sku": "SKU-1", "quantity": 1}]},
    "ready": {},
    "recipient": {"name": "Grace Hopper"},
    "reinstate": {},
    "reject": {"reason": "closed"},
    "ship": {"packages": [{"carrier": "DHL", "tracking_number": "0034"}]},
    "short": {"lines": [{"order_line_id": str(uuid.uuid4()), "quantity": 1}], "reason": "closed"},
}


# ---- the whole way ----

def test_a_pickup_from_shelf_to_hands(work, retailer):
    it = work()
    assert it.now()["status"] == "allocated"
    assert it.figures() == (10, 0, 3)

    it.act("assign", {"assignee": "ben"})
    picked = it.act("pick", {"lines": [{"sku": retailer.sku, "quantity": 2}]}).json()
    assert picked["status"] == "picking"
    assert [line["remaining"] for line in picked["lines"]] == [1, 1]
    assert it.act("pick", {"lines": [{"sku": retailer.sku, "quantity": 1},
                                     {"order_line_id": it.line(1), "quantity": 1}]}).json()["status"] == "picking"
    ready = it.act("ready", {"staging_location": "shelf C3"}).json()
    assert (ready["status"], ready["staging_location"]) == ("ready", "shelf C3")
    assert ready["hold_until"] is not None
    assert it.figures() == (10, 0, 3) and it.ledger() == []

    done = it.hand_over(recipient={"name": "Ada Lovelace", "relation": "self"}).json()
    assert (done["status"], done["handover"]["method"], done["handover"]["verified"]) == ("handed_over", "code", True)
    assert done["handover"]["recipient"] == {"name": "Ada Lovelace", "relation": "self"}
    assert [line["fulfilled"] for line in done["lines"]] == [3, 1]
    assert it.figures() == (7, 0, 0) and it.figures(1) == (9, 0, 0)
    assert it.ledger() == [(retailer.skus[0], "sale", -3, 0), (retailer.skus[1], "sale", -1, 0)]
    assert it.order_now()["status"] == "fulfilled"
    assert it.happened() == [
        "fulfillment.assigned", "fulfillment.picking", "fulfillment.picked", "fulfillment.picked", "fulfillment.ready",
        "fulfillment.handed_over", "order.fulfilled"]


def test_curbside_goes_the_way_of_pickup(work):
    it = work(method="curbside")
    it.make_ready()
    assert it.hand_over().json()["status"] == "handed_over"


def test_a_parcel_from_shelf_to_door(work, retailer):
    it = work(method="ship")
    assert it.pick_all()["status"] == "packed"
    shipped = it.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": "0034"}]}).json()
    assert shipped["status"] == "shipped"
    assert [(one["carrier"], one["tracking_number"]) for one in shipped["packages"]] == [("DHL", "0034")]
    assert it.figures() == (7, 0, 0)
    assert it.ledger() == [(retailer.skus[0], "sale", -3, 0), (retailer.skus[1], "sale", -1, 0)]
    assert it.act("deliver").json()["status"] == "delivered"
    assert it.order_now()["status"] == "fulfilled"
    assert it.happened() == [
        "fulfillment.picking", "fulfillment.picked", "fulfillment.packed", "fulfillment.shipped", "order.fulfilled",
        "fulfillment.delivered"]


# ---- reading ----

def test_a_fulfillment_is_read_with_its_tag(work):
    it = work()
    reply = it.api.get(it.path, expect=200)
    assert reply.headers["ETag"] == '"1"' and reply.json()["order_id"] == it.order["id"]
    it.api.get(it.path, headers={"If-None-Match": '"1"'}, expect=304)
    it.act("assign", {"assignee": "ben"})
    assert it.api.get(it.path, headers={"If-None-Match": '"1"'}, expect=200).headers["ETag"] == '"2"'
    it.api.head(it.path, expect=200)


def test_pickup_codes_are_shown_to_clients_that_may_place_orders(work, service):
    it = work()
    staff = service.client(scope="fulfillment:read fulfillment:write")
    assert len(it.code()) == 8
    assert "pickup_code" not in staff.get(it.path, expect=200).json()
    assert "pickup_code" not in work(method="ship").now()


def test_no_reply_of_an_action_shows_the_code(work, database):
    """They are kept for replays, and a code is never stored."""
    it = work()
    code = it.code()
    for reply in (it.act("assign", {"assignee": "ben"}), it.hand_over(expect=409, code=code)):
        assert code not in reply.text
    assert database.count("idempotency", "strpos(body, %s) > 0", code) == 0
    assert database.count("events", "strpos(data::text, %s) > 0", code) == 0


def test_an_unknown_fulfillment_is_not_found(api):
    path = f"/v1/fulfillments/{uuid.uuid4()}"
    api.get(path, expect=404)
    for verb, body in ACTIONS.items():
        assert code_of(api.post(f"{path}/{verb}", body, expect=404)) == "not-found"


def test_an_id_is_a_uuid(api):
    api.get("/v1/fulfillments/17", expect=400)
    for verb, body in ACTIONS.items():
        api.post(f"/v1/fulfillments/17/{verb}", body, expect=400)


# ---- permissions ----

def test_without_a_token_nothing_is_answered(work, api):
    it = work()
    stranger = api.with_token(None)
    stranger.get(it.path, expect=401)
    for verb, body in ACTIONS.items():
        stranger.post(f"{it.path}/{verb}", body, expect=401)


def test_scopes_keep_readers_from_acting(work, service):
    it = work()
    reader = service.client(scope="fulfillment:read orders:read")
    reader.get(it.path, expect=200)
    for verb, body in ACTIONS.items():
        assert code_of(reader.post(f"{it.path}/{verb}", body, expect=403)) == "insufficient-scope"
    service.client(scope="orders:read").get(it.path, expect=403)
    assert it.now()["version"] == 1


def test_a_store_acts_on_its_own_work_only(work, service, retailer):
    it = work()
    other = service.client(locations=[retailer.other_store])
    assert code_of(other.get(it.path, expect=403)) == "store-not-allowed"
    for verb, body in ACTIONS.items():
        assert code_of(other.post(f"{it.path}/{verb}", body, expect=403)) == "store-not-allowed"
    own = service.client(locations=[retailer.store])
    own.post(f"{it.path}/assign", {"assignee": "ben"}, expect=200)


def test_a_channel_does_not_see_the_orders_of_another(work, service, retailer):
    it = work()
    other = service.client(channel="another-channel")
    other.get(it.path, expect=404)
    for verb, body in ACTIONS.items():
        other.post(f"{it.path}/{verb}", body, expect=404)
    service.client(channel=retailer.channel).get(it.path, expect=200)


# ---- versions, keys, bodies ----

def test_every_action_heeds_if_match(work):
    it = work()
    for verb, body in ACTIONS.items():
        reply = it.act(verb, body, 412, headers={"If-Match": '"7"'})
        assert reply.headers["ETag"] == '"1"'
    it.act("assign", {"assignee": "ben"}, headers={"If-Match": '"1"'})


def test_an_action_with_a_key_happens_once(work, retailer):
    it = work()
    key = str(uuid.uuid4())
    body = {"lines": [{"sku": retailer.sku, "quantity": 1}]}
    first, again = it.act("pick", body, key=key), it.act("pick", body, key=key)
    assert again.headers["Idempotent-Replayed"] == "true" and again.text == first.text
    assert it.now()["lines"][0]["picked"] == 1
    other = {"lines": [{"sku": retailer.sku, "quantity": 2}]}
    assert code_of(it.act("pick", other, 422, key=key)) == "idempotency-key-reused"


def test_only_a_hand_over_needs_a_key(work):
    it = work()
    assert code_of(it.act("handover", ACTIONS["handover"], 400, key=None)) == "idempotency-key-missing"
    it.act("assign", {"assignee": "ben"}, key=None)
    assert code_of(it.act("assign", {"assignee": "ben"}, 400, key="a key")) == "idempotency-key-invalid"


def test_bodies_are_checked(work):
    it = work()
    line = {"order_line_id": it.line(), "quantity": 1}
    cases = [
        ("assign", {}, {"#/assignee": "required"}),
        ("assign", {"assignee": ""}, {"#/assignee": "too-short"}),
        ("cancel", {"reason": "x" * 201}, {"#/reason": "too-long"}),
        ("deliver", {"when": "now"}, {"#/when": "unknown-member"}),
        ("extend-hold", {}, {"#/until": "required"}),
        ("extend-hold", {"until": "tomorrow"}, {"#/until": "malformed"}),
        ("handover", {"proof": {"method": "code"}}, {"#/proof/value": "required"}),
        ("handover", {"proof": {"method": "face"}}, {"#/proof/method": "not-allowed"}),
        ("handover", {"proof": {"method": "id_check"}, "recipient": {"relation": "cat"}},
         {"#/recipient/relation": "not-allowed"}),
        ("handover", {"proof": {"method": "id_check"}, "lines": []}, {"#/lines": "too-few"}),
        ("pick", {}, {"#": "one-of"}),
        ("pick", {"lines": [line], "scans": [{"code": "1", "quantity": 1}]}, {"#": "one-of"}),
        ("pick", {"lines": [{"quantity": 1}]}, {"#/lines/0": "one-of"}),
        ("pick", {"lines": [{"sku": "SKU-1", **line}]}, {"#/lines/0": "one-of"}),
        ("pick", {"lines": [{**line, "quantity": 0}]}, {"#/lines/0/quantity": "out-of-range"}),
        ("pick", {"scans": [{"code": "", "quantity": 1}]}, {"#/scans/0/code": "too-short"}),
        ("pick", {"undo": 1, "lines": [line]}, {"#/undo": "wrong-type"}),
        ("recipient", {"relation": "friend"}, {"#/name": "required"}),
        ("reinstate", {"hold_until": "tomorrow"}, {"#/hold_until": "malformed"}),
        ("reinstate", {"until": "2099-01-01T00:00:00Z"}, {"#/until": "unknown-member"}),
        ("recipient", {"name": "x" * 201, "relation": "cat"},
         {"#/name": "too-long", "#/relation": "not-allowed"}),
        ("reject", {"reason": "no idea"}, {"#/reason": "not-allowed"}),
        ("ship", {"packages": []}, {"#/packages": "too-few"}),
        ("ship", {"packages": [{"carrier": "DHL"}]}, {"#/packages/0/tracking_number": "required"}),
        ("short", {"lines": [line], "reason": "no idea"}, {"#/reason": "not-allowed"}),
    ]
    for verb, body, expected in cases:
        reply = it.act(verb, body, 422)
        assert (code_of(reply), faults(reply)) == ("validation-failed", expected), (verb, body)
    for verb in ACTIONS:
        it.api.post(f"{it.path}/{verb}", content=b"{", expect=400)
        it.api.post(f"{it.path}/{verb}", content=b"{}", headers={"Content-Type": "text/plain"}, expect=415)
    assert it.now()["version"] == 1


# ---- assigning ----

def test_work_is_taken_over_by_force_only(work):
    it = work()
    assert it.act("assign", {"assignee": "ben"}).json()["assignee"] == "ben"
    again = it.act("assign", {"assignee": "ben"}).json()
    assert again["version"] == 2
    refused = it.act("assign", {"assignee": "cleo"}, 409)
    assert code_of(refused) == "invalid-transition" and "ben" in refused.json()["detail"]
    assert it.act("assign", {"assignee": "cleo", "force": True}).json()["assignee"] == "cleo"
    assert it.events().count("fulfillment.assigned") == 2
    it.act("cancel", {"reason": "the shopper called"})
    assert code_of(it.act("assign", {"assignee": "ben", "force": True}, 409)) == "invalid-transition"


# ---- picking ----

def test_a_scanner_may_read_an_sku_a_gtin_or_a_link(work, retailer, api):
    sku, other = f"S-{retailer.tag}", f"T-{retailer.tag}"
    retailer.create_product(sku, gtin=GTIN, price={"amount": 100, "currency": "EUR"})
    retailer.create_product(other, gtin=OTHER_GTIN, price={"amount": 100, "currency": "EUR"})
    retailer.stock({(retailer.store, sku): 10, (retailer.store, other): 10})
    it = work({sku: 4, other: 1})
    picked = it.act("pick", {"scans": [
        {"code": GTIN, "quantity": 1}, {"code": sku, "quantity": 1},
        {"code": f"https://shop.example/01/0{GTIN}?10=AB", "quantity": 1}]}).json()
    assert [line["picked"] for line in picked["lines"]] == [3, 0]
    picked = it.act("pick", {"scans": [{"code": OTHER_GTIN, "quantity": 1}]}).json()
    assert [line["remaining"] for line in picked["lines"]] == [1, 0]
    refused = it.act("pick", {"scans": [{"code": GTIN, "quantity": 2}]}, 409)
    assert (code_of(refused), faults(refused)) == ("over-pick", {"#/scans/0/quantity": "over-pick"})
    assert refused.json()["errors"][0]["available"] == 1


def test_an_sku_in_several_lines_fills_them_in_order(retailer, database):
    body = retailer.order_body()
    body["lines"] = [{"sku": retailer.sku, "quantity": 1}, {"sku": retailer.sku, "quantity": 2}]
    order = retailer.api.post("/v1/orders", body, expect=201).json()
    path = f"/v1/fulfillments/{order['fulfillments'][0]['id']}"
    picked = retailer.api.post(
        f"{path}/pick", {"lines": [{"sku": retailer.sku, "quantity": 2}]}, expect=200).json()
    assert [line["picked"] for line in picked["lines"]] == [1, 1]


def test_a_pick_with_a_foreign_item_is_refused_whole(work, retailer):
    it = work()
    refused = it.act("pick", {"lines": [{"sku": retailer.sku, "quantity": 1},
                                        {"sku": retailer.skus[2], "quantity": 1}]}, 422)
    assert (code_of(refused), faults(refused)) == ("validation-failed", {"#/lines/1/sku": "foreign-item"})
    refused = it.act("pick", {"scans": [{"code": OTHER_GTIN, "quantity": 1}]}, 422)
    assert faults(refused) == {"#/scans/0/code": "foreign-item"}
    refused = it.act("pick", {"lines": [{"order_line_id": str(uuid.uuid4()), "quantity": 1}]}, 422)
    assert faults(refused) == {"#/lines/0/order_line_id": "foreign-item"}
    assert it.now()["version"] == 1


def test_more_than_remains_is_refused_whole(work, retailer):
    it = work()
    refused = it.act("pick", {"lines": [{"sku": retailer.skus[1], "quantity": 1},
                                        {"sku": retailer.sku, "quantity": 4}]}, 409)
    assert (code_of(refused), faults(refused)) == ("over-pick", {"#/lines/1/quantity": "over-pick"})
    assert it.now()["version"] == 1


def test_a_wrong_one_goes_back_to_the_shelf(work, retailer):
    it = work()
    it.pick_all()
    back = it.act("pick", {"undo": True, "lines": [{"sku": retailer.sku, "quantity": 2}]}).json()
    assert [line["picked"] for line in back["lines"]] == [1, 1]
    assert it.figures() == (10, 0, 3)
    told = it.told()[-1]
    assert (told["type"], told["location"]) == ("fulfillment.pick_undone", retailer.store)
    assert told["data"]["lines"] == [{"order_line_id": it.line(), "quantity": 2}]
    reply = it.act("pick", {"undo": True, "scans": [{"code": retailer.sku, "quantity": 2}]}, 409)
    assert (code_of(reply), faults(reply)) == ("invalid-transition", {"#/scans/0/quantity": "not-picked"})
    reply = it.act("pick", {"undo": True, "scans": [{"code": "else", "quantity": 1}]}, 422)
    assert faults(reply) == {"#/scans/0/code": "foreign-item"}
    assert "undo-pick" in it.now()["allowed_actions"]


def test_a_packed_parcel_is_opened_again(work):
    it = work(method="ship")
    assert it.pick_all()["status"] == "packed"
    line = {"order_line_id": it.line(), "quantity": 1}
    assert it.act("pick", {"undo": True, "lines": [line]}).json()["status"] == "picking"
    assert it.act("pick", {"lines": [line]}).json()["status"] == "packed"


def test_nothing_is_picked_twice_over(work):
    it = work()
    it.make_ready()
    refused = it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 1}]}, 409)
    assert (code_of(refused), refused.json()["current_status"]) == ("invalid-transition", "ready")


# ---- short units ----

@pytest.mark.parametrize("reason, figures, ledger", [
    ("not_found", (8, 0, 1), ("correction", -2, 0)),
    ("theft", (8, 0, 1), ("theft", -2, 0)),
    ("damaged", (10, 2, 1), ("damage", 0, 2)),
    ("customer_request", (10, 0, 1), None),
    ("closed", (10, 0, 1), None),
    ("capacity", (10, 0, 1), None),
])
def test_short_units_leave_the_shelf_by_their_reason(work, retailer, reason, figures, ledger):
    if reason != "customer_request":
        retailer.only_here()
    it = work()
    short = it.act("short", {"lines": [{"order_line_id": it.line(), "quantity": 2}], "reason": reason}).json()
    assert (short["lines"][0]["short"], short["lines"][0]["remaining"]) == (2, 1)
    assert (short["lines"][0]["resourced"], short["replaced_by"]) == (0, [])
    assert it.figures() == figures
    assert it.ledger() == ([(retailer.sku, *ledger)] if ledger else [])
    assert it.order_now()["lines"][0]["cancelled"] == 2
    told = next(event for event in it.told() if event["type"] == "fulfillment.short_picked")
    assert told["data"] == {"reason": reason, "lines": [{"order_line_id": it.line(), "quantity": 2}], "version": 2}
    refund = next(event for event in it.told() if event["type"] == "refund.due")
    assert refund["data"] == {"amount": 2000, "currency": "EUR", "version": 2}


def test_everything_short_is_cancelled(work, retailer):
    retailer.only_here()
    it = work()
    short = it.act("short", {"reason": "not_found", "lines": [
        {"order_line_id": it.line(), "quantity": 3}, {"order_line_id": it.line(1), "quantity": 1}]}).json()
    assert (short["status"], short["reason"]) == ("cancelled", "not_found")
    assert it.figures() == (7, 0, 0)
    order = it.order_now()
    assert (order["status"], order["cancel_reason"]) == ("cancelled", "not_found")
    assert order["totals"]["refund_due"]["amount"] == 5000


def test_the_rest_of_a_parcel_is_packed(work):
    it = work(method="ship")
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 3}]})
    short = it.act("short", {"lines": [{"order_line_id": it.line(1), "quantity": 1}], "reason": "damaged"}).json()
    assert short["status"] == "packed"


def test_a_parcel_is_packed_when_the_shopper_no_longer_wants_the_rest(work):
    it = work(method="ship")
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 3}]})
    it.api.post(f"/v1/orders/{it.order['id']}/cancel",
                {"reason": "changed her mind", "lines": [{"order_line_id": it.line(1), "quantity": 1}]}, expect=200)
    assert it.now()["status"] == "packed"


def test_only_unpicked_units_can_be_short(work):
    it = work()
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 2}]})
    refused = it.act("short", {"lines": [{"order_line_id": it.line(), "quantity": 2}], "reason": "theft"}, 409)
    assert (code_of(refused), faults(refused)) == ("over-pick", {"#/lines/0/quantity": "over-pick"})
    twice = [{"order_line_id": it.line(), "quantity": 1}] * 2
    refused = it.act("short", {"lines": twice, "reason": "theft"}, 422)
    assert faults(refused) == {"#/lines/1/order_line_id": "repeated"}
    refused = it.act("short", {"lines": [{"order_line_id": str(uuid.uuid4()), "quantity": 1}], "reason": "theft"}, 422)
    assert faults(refused) == {"#/lines/0/order_line_id": "foreign-item"}
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 1}, {"order_line_id": it.line(1), "quantity": 1}]})
    it.act("ready")
    refused = it.act("short", {"lines": [{"order_line_id": it.line(), "quantity": 1}], "reason": "theft"}, 409)
    assert code_of(refused) == "invalid-transition"
    assert it.figures() == (10, 0, 3) and it.ledger() == []


# ---- giving back, calling off ----

@pytest.mark.parametrize("reason, figures, other, ledger", [
    ("not_found", (7, 0, 0), (9, 0, 0), [("correction", -3, 0), ("correction", -1, 0)]),
    ("theft", (7, 0, 0), (9, 0, 0), [("theft", -3, 0), ("theft", -1, 0)]),
    ("damaged", (10, 3, 0), (10, 1, 0), [("damage", 0, 3), ("damage", 0, 1)]),
    ("customer_request", (10, 0, 0), (10, 0, 0), []),
    ("closed", (10, 0, 0), (10, 0, 0), []),
    ("capacity", (10, 0, 0), (10, 0, 0), []),
])
def test_a_location_gives_the_work_back(work, retailer, reason, figures, other, ledger):
    if reason != "customer_request":
        retailer.only_here()
    it = work()
    rejected = it.act("reject", {"reason": reason}).json()
    assert (rejected["status"], rejected["reason"]) == ("rejected", reason)
    assert it.figures() == figures and it.figures(1) == other
    assert [row[1:] for row in it.ledger()] == ledger
    order = it.order_now()
    assert (order["status"], order["totals"]["refund_due"]["amount"]) == ("cancelled", 5000)
    assert it.happened() == [
        "fulfillment.rejected", "order.units_cancelled", "refund.due", "order.cancelled"]
    assert it.act("reject", {"reason": reason}).json()["version"] == rejected["version"]
    assert it.figures() == figures


def test_rejecting_as_not_found_puts_picked_units_back(work):
    it = work()
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 2}]})
    it.act("reject", {"reason": "not_found"})
    assert it.figures() == (9, 0, 0)


def test_a_ready_fulfillment_is_not_rejected(work):
    it = work()
    it.make_ready()
    assert code_of(it.act("reject", {"reason": "closed"}, 409)) == "invalid-transition"


def test_a_cancelled_fulfillment_frees_its_units(work):
    it = work()
    it.make_ready()
    cancelled = it.act("cancel", {"reason": "the shopper called"}).json()
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "the shopper called")
    assert it.figures() == (10, 0, 0) and it.ledger() == []
    assert it.act("cancel", {"reason": "the shopper called"}).json()["version"] == cancelled["version"]
    assert code_of(it.act("cancel", {"reason": "another"}, 409)) == "invalid-transition"
    order = it.order_now()
    assert (order["status"], order["cancel_reason"]) == ("cancelled", "the shopper called")


def test_an_order_goes_on_without_one_of_its_fulfillments(retailer):
    body = retailer.order_body(payment={"status": "captured"})
    body["lines"] = [{"sku": retailer.sku, "quantity": 1},
                     {"sku": retailer.sku, "quantity": 2,
                      "fulfillment": {"method": "pickup", "location": retailer.other_store}}]
    order = retailer.api.post("/v1/orders", body, expect=201).json()
    gone, kept = (one["id"] for one in order["fulfillments"])
    retailer.api.post(f"/v1/fulfillments/{gone}/reject", {"reason": "customer_request"}, expect=200)
    order = retailer.api.get(f"/v1/orders/{order['id']}", expect=200).json()
    assert order["status"] == "open"
    assert {one["id"]: one["status"] for one in order["fulfillments"]} == {gone: "rejected", kept: "allocated"}


def test_handed_over_units_are_not_cancelled(work):
    it = work()
    it.make_ready()
    it.hand_over()
    refused = it.act("cancel", {"reason": "too late"}, 409)
    assert (code_of(refused), refused.json()["current_status"]) == ("invalid-transition", "handed_over")


# ---- ready ----

def test_nothing_is_ready_before_every_unit_is_picked_or_short(work):
    it = work()
    assert code_of(it.act("ready", {}, 409)) == "invalid-transition"
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 3}]})
    assert code_of(it.act("ready", {}, 409)) == "invalid-transition"
    it.act("short", {"lines": [{"order_line_id": it.line(1), "quantity": 1}], "reason": "not_found"})
    ready = it.act("ready", {"staging_location": "A1"}).json()
    assert it.act("ready", {"staging_location": "A1"}).json() == ready
    assert it.act("ready").json() == ready
    assert it.events().count("fulfillment.ready") == 1


def test_a_ready_fulfillment_may_be_staged_elsewhere(work):
    it = work()
    ready = it.make_ready()
    moved = it.act("ready", {"staging_location": "B2"}, api=it.api.with_token(make_token(subject="cleo"))).json()
    assert (moved["status"], moved["staging_location"], moved["version"]) == ("ready", "B2", ready["version"] + 1)
    assert moved["hold_until"] == ready["hold_until"]
    told = it.told()[-1]
    assert (told["type"], told["actor"], told["data"]["staging_location"]) == ("fulfillment.staged", "cleo", "B2")


# ---- the same again ----

@pytest.mark.parametrize("verb, body, other, status", [
    ("reject", {"reason": "closed"}, {"reason": "capacity"}, "rejected"),
    ("cancel", {"reason": "the shopper called"}, {"reason": "another"}, "cancelled"),
    ("handover", {"proof": {"method": "id_check", "value": "passport"}},
     {"proof": {"method": "id_check", "value": "passport"}, "recipient": {"name": "Cleo"}}, "handed_over"),
    ("ship", {"packages": [{"carrier": "DHL", "tracking_number": "1"}]},
     {"packages": [{"carrier": "DHL", "tracking_number": "2"}]}, "shipped"),
    ("deliver", {}, None, "delivered"),
])
def test_an_action_succeeds_again_when_the_same_person_says_the_same(work, verb, body, other, status):
    """Anything else used to be told that it was done, and was lost."""
    it = work(method="ship" if verb in ("ship", "deliver") else "pickup")
    if verb in ("ship", "deliver"):
        it.pick_all()
    if verb == "deliver":
        it.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": "1"}]})
    if verb == "handover":
        it.make_ready()
    done = it.act(verb, body).json()
    assert done["status"] == status
    assert it.act(verb, body).json() == done
    cleo = it.api.with_token(make_token(subject="cleo"))
    refusals = [it.act(verb, body, 409, api=cleo)]
    if other:
        refusals.append(it.act(verb, other, 409))
    for refused in refusals:
        assert (code_of(refused), refused.json()["current_status"]) == ("invalid-transition", status)
    assert it.now()["version"] == done["version"]


def test_a_wrong_code_is_never_told_that_it_was_right(work):
    it = work()
    it.make_ready()
    code = it.code()
    it.hand_over(code=code)
    it.hand_over(code=code)
    wrong = {"proof": {"method": "code", "value": "WRONGCOD"}}
    assert code_of(it.act("handover", wrong, 422)) == "handover-proof-invalid"
    cleo = it.api.with_token(make_token(subject="cleo"))
    assert code_of(it.act("handover", wrong, 409, api=cleo)) == "invalid-transition"


def test_the_hold_is_the_locations(work, retailer):
    store = f"short-hold-{retailer.tag}"
    retailer.create_location(store, pickup={"lead_time": "PT1H", "hold_for": "P2D"})
    retailer.stock({(store, retailer.sku): 5})
    it = work({retailer.sku: 1}, location=store)
    ready = it.make_ready()
    held = datetime.fromisoformat(ready["hold_until"][:-1]) - datetime.fromisoformat(ready["updated_at"][:-1])
    assert held == timedelta(days=2)


def test_methods_do_not_mix(work):
    parcel, pickup = work(method="ship"), work()
    parcel.pick_all()
    assert code_of(parcel.act("ready", {}, 409)) == "invalid-transition"
    assert code_of(parcel.act("handover", ACTIONS["handover"], 409)) == "invalid-transition"
    pickup.pick_all()
    assert code_of(pickup.act("ship", ACTIONS["ship"], 409)) == "invalid-transition"
    assert code_of(pickup.act("deliver", {}, 409)) == "invalid-transition"


# ---- handing over ----

def test_a_code_may_be_said_in_many_ways(work):
    it = work()
    it.make_ready()
    code = it.code()
    it.hand_over(code=f"{code[:4].lower()}-{code[4:]} ".replace("-", " - "))


def test_a_wrong_code_is_counted_once_however_often_it_is_sent(work, database):
    it = work()
    it.make_ready()
    key = str(uuid.uuid4())
    for _ in range(7):
        assert code_of(it.hand_over(422, code="ZZZZZZZZ", key=key)) == "handover-proof-invalid"
    assert database.value("select wrong_codes from fulfillments where id = %s", it.id) == 1
    assert it.figures() == (10, 0, 3)
    it.hand_over()


def test_five_wrong_codes_lock_out_the_right_one(work, database, admin):
    it = work()
    it.make_ready()
    version = it.now()["version"]
    code = it.code()
    for _ in range(5):
        assert code_of(it.hand_over(422, code="ZZZZZZZZ")) == "handover-proof-invalid"
    locked = it.hand_over(429, code=code)
    assert code_of(locked) == "handover-locked" and 880 < int(locked.headers["Retry-After"]) <= 900
    assert code_of(it.act("handover", {"proof": {"method": "id_check"}}, 429)) == "handover-locked"
    assert it.now()["version"] == version + 5

    database.execute("update fulfillments set locked_until = now() - interval '1 second' where id = %s", it.id)
    assert code_of(it.hand_over(422, code="ZZZZZZZZ")) == "handover-proof-invalid"
    it.hand_over(code=code)
    assert it.events().count("fulfillment.handover_locked") == 1


def test_a_supervisor_needs_no_proof(work, admin):
    it = work()
    it.make_ready()
    body = {"proof": {"method": "none"}}
    refused = it.act("handover", body, 403)
    assert code_of(refused) == "insufficient-scope" and 'scope="admin"' in refused.headers["WWW-Authenticate"]
    for _ in range(5):
        it.hand_over(422, code="ZZZZZZZZ")
    done = it.act("handover", body, api=admin).json()
    assert (done["status"], done["handover"]["verified"], done["handover"]["actor"]) == (
        "handed_over", False, "supervisor")


def test_a_document_is_kept_by_its_kind_and_never_by_its_number(work, database):
    it = work()
    it.make_ready()
    part = [{"order_line_id": it.line(), "quantity": 1}]
    first = it.act("handover", {"proof": {"method": "id_check", "value": "passport"}, "lines": part}).json()
    assert first["handover"]["id_type"] == "passport"
    last = it.act("handover", {"proof": {"method": "id_check", "value": "L01X00T471"}}).json()
    assert last["status"] == "handed_over" and "id_type" not in last["handover"]
    for table, column in (("fulfillments", "handover::text"), ("events", "data::text"), ("idempotency", "body")):
        assert database.count(table, f"strpos({column}, 'L01X00T471') > 0") == 0


def test_each_partial_hand_over_names_its_recipient(work, service):
    it = work()
    it.make_ready()
    parts = [[{"order_line_id": it.line(), "quantity": units}] for units in (1, 2)]
    first = it.act("handover", {"proof": {"method": "id_check", "value": "passport"}, "lines": parts[0],
                                "recipient": {"name": "Ada Lovelace", "relation": "self"}}).json()["handover"]
    second = it.hand_over(lines=parts[1], recipient={"name": "Grace Hopper", "relation": "friend"}).json()["handover"]
    last = it.hand_over().json()["handover"]

    assert (first["id_type"], first["recipient"]["name"], first["lines"]) == ("passport", "Ada Lovelace", parts[0])
    assert (second["recipient"]["name"], second["lines"], second["earlier"]) == ("Grace Hopper", parts[1], [first])
    assert last["lines"] == [{"order_line_id": it.line(1), "quantity": 1}] and "recipient" not in last
    second.pop("earlier")
    assert last.pop("earlier") == [first, second] == it.now()["handover"]["earlier"]
    assert it.code() not in str(it.now()["handover"])


def test_there_are_so_many_parts_and_then_the_rest(work, retailer):
    retailer.stock({(retailer.store, retailer.sku): 30})
    it = work(lines={retailer.sku: 25})
    it.make_ready()
    one = {"proof": {"method": "id_check"}, "lines": [{"order_line_id": it.line(), "quantity": 1}]}
    for n in range(19):
        it.act("handover", one)
    refused = it.act("handover", one, 422)
    assert (code_of(refused), faults(refused)) == ("validation-failed", {"#/lines": "too-many"})
    assert it.now()["lines"][0]["fulfilled"] == 19
    done = it.act("handover", {"proof": {"method": "id_check"}}).json()
    assert (done["status"], len(done["handover"]["earlier"])) == ("handed_over", 19)


def test_a_part_is_handed_over(work, retailer):
    it = work()
    it.make_ready()
    part = it.hand_over(lines=[{"order_line_id": it.line(), "quantity": 1}]).json()
    assert (part["status"], part["lines"][0]["fulfilled"]) == ("ready", 1)
    assert it.figures() == (9, 0, 2)
    assert it.order_now()["status"] == "partially_fulfilled"
    refused = it.hand_over(409, lines=[{"order_line_id": it.line(), "quantity": 3}])
    assert (code_of(refused), faults(refused)) == ("invalid-transition", {"#/lines/0/quantity": "not-picked"})
    assert it.hand_over().json()["status"] == "handed_over"
    assert it.figures() == (7, 0, 0) and it.order_now()["status"] == "fulfilled"
    assert [row[1:3] for row in it.ledger()] == [("sale", -1), ("sale", -2), ("sale", -1)]


def test_the_rest_of_a_part_may_be_cancelled(work):
    it = work()
    it.make_ready()
    it.hand_over(lines=[{"order_line_id": it.line(), "quantity": 1}])
    done = it.act("cancel", {"reason": "the rest is not wanted"}).json()
    assert done["status"] == "handed_over"
    assert it.figures() == (9, 0, 0)
    assert it.order_now()["totals"]["refund_due"]["amount"] == 4000


def parcel_of_one(it):
    """One of three units has left, the other two were picked for a parcel and lie on the shelf again."""
    it.pick_all()
    package = {"carrier": "DHL", "tracking_number": "1", "lines": [{"order_line_id": it.line(), "quantity": 1}]}
    it.act("ship", {"packages": [package]})
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 2}], "undo": True})
    return it


def cancel_order(it):
    it.api.post(f"/v1/orders/{it.order['id']}/cancel", {"reason": "not wanted"}, expect=200)


def cancel_lines(it):
    body = {"reason": "not wanted", "lines": [{"order_line_id": it.line(), "quantity": 2}]}
    it.api.post(f"/v1/orders/{it.order['id']}/cancel", body, expect=200)


def cancel_fulfillment(it):
    it.act("cancel", {"reason": "not wanted"})


def change_order(it):
    body = {"reason": "not wanted", "lines": [{"order_line_id": it.line(), "quantity": 1}]}
    it.api.post(f"/v1/orders/{it.order['id']}/change", body, expect=200)


def fall_short(it):
    it.act("short", {"reason": "customer_request", "lines": [{"order_line_id": it.line(), "quantity": 2}]})


def reject_rest(it):
    it.act("reject", {"reason": "customer_request"})


def count_one(it):
    it.retailer.stock({(it.retailer.store, it.retailer.sku): 0})


@pytest.mark.parametrize(
    "take_off", [cancel_order, cancel_lines, cancel_fulfillment, change_order, fall_short, reject_rest, count_one])
def test_the_rest_of_a_parcel_that_was_opened_again_may_be_taken_off(work, retailer, service, take_off):
    it = parcel_of_one(work({retailer.sku: 3}, method="ship"))
    before = it.now()
    assert (before["status"], it.figures()) == ("picking", (9, 0, 2))
    take_off(it)

    done, order = it.now(), it.order_now()
    line, = order["lines"]
    assert (done["status"], done["version"]) == ("shipped", before["version"] + 1)
    assert it.figures() == (0 if take_off is count_one else 9, 0, 0)
    assert (order["status"], line["fulfilled"], line["cancelled"]) == ("fulfilled", 1, 2)
    assert order["totals"]["refund_due"]["amount"] == 2000
    told = it.told()
    assert [one["type"] for one in told].count("fulfillment.shipped") == 1
    assert next(one for one in told if one["type"] == "fulfillment.shipped")["data"]["version"] == done["version"]
    service.assert_audit_clean()


def test_handing_over_twice_is_one_movement(work):
    it = work()
    it.make_ready()
    code, key = it.code(), str(uuid.uuid4())
    first = it.hand_over(code=code, key=key)
    again = it.hand_over(code=code, key=key)
    assert again.headers["Idempotent-Replayed"] == "true" and again.text == first.text
    assert it.hand_over(code=code).json() == first.json()
    assert len(it.ledger()) == 2 and it.figures() == (7, 0, 0)


def test_only_a_ready_fulfillment_is_handed_over(work):
    it = work()
    it.pick_all()
    refused = it.hand_over(409)
    assert (code_of(refused), refused.json()["current_status"]) == ("invalid-transition", "picking")


def test_a_code_of_the_secret_before_still_opens(services, new_database):
    url = new_database()
    before = services(url)
    with Database(url) as database:
        it = Work(Retailer(before.client()).create(), database)
        it.make_ready()
        code = it.code()
        after = services(url, pickup_secret="a newer secret of at least 32 bytes",
                         pickup_secret_previous=before.settings["PICKUP_SECRET"])
        it.api = after.client(SCOPES)
        assert it.code() != code
        it.hand_over(code=code)


# ---- shipping ----

def test_a_part_is_shipped(work):
    it = work(method="ship")
    it.pick_all()
    package = {"carrier": "DHL", "tracking_number": "1", "lines": [{"order_line_id": it.line(), "quantity": 2}]}
    part = it.act("ship", {"packages": [package]}).json()
    assert part["status"] == "packed" and it.figures() == (8, 0, 1)
    assert part["packages"][0]["lines"] == package["lines"]
    rest = it.act("ship", {"packages": [{"carrier": "UPS", "tracking_number": "2"}]}).json()
    assert rest["status"] == "shipped" and it.figures() == (7, 0, 0)
    assert [one["tracking_number"] for one in rest["packages"]] == ["1", "2"]
    assert "fulfillment.partially_shipped" in it.events()


def test_no_unit_is_in_two_packages(work):
    it = work(method="ship")
    it.pick_all()
    packages = [{"carrier": "DHL", "tracking_number": str(n), "lines": [{"order_line_id": it.line(), "quantity": 2}]}
                for n in range(2)]
    refused = it.act("ship", {"packages": packages}, 409)
    assert faults(refused) == {"#/packages/1/lines/0/quantity": "not-picked"}
    packages[1]["lines"] = [{"order_line_id": str(uuid.uuid4()), "quantity": 1}]
    refused = it.act("ship", {"packages": packages}, 422)
    assert faults(refused) == {"#/packages/1/lines/0/order_line_id": "foreign-item"}
    assert it.figures() == (10, 0, 3)


def test_a_parcel_leaves_and_arrives_once(work):
    it = work(method="ship")
    refused = it.act("ship", ACTIONS["ship"], 409)
    assert refused.json()["current_status"] == "allocated"
    it.pick_all()
    assert code_of(it.act("deliver", {}, 409)) == "invalid-transition"
    shipped = it.act("ship", ACTIONS["ship"]).json()
    assert it.act("ship", ACTIONS["ship"]).json() == shipped
    delivered = it.act("deliver").json()
    assert it.act("deliver", {}).json() == delivered
    assert it.figures() == (7, 0, 0) and len(it.ledger()) == 2


def test_the_books_balance(work, database):
    """After all tests of this file: the ledger adds up, and reserved figures equal the units that documents hold."""
    work()
    wrong = database.rows("""
        select s.location, s.sku, s.on_hand, s.unsellable, s.reserved, moved.units, held.units as held
          from stock s
         cross join lateral (select sum(on_hand_change) as units, sum(unsellable_change) as unsellable from ledger l
                              where l.location = s.location and l.sku = s.sku) as moved
         cross join lateral (select coalesce(sum(reserved), 0) as units from fulfillment_lines l
                              where l.location = s.location and l.sku = s.sku) as held
         cross join lateral (select coalesce(sum(quantity), 0) as units from reservation_lines l
                              where l.location = s.location and l.sku = s.sku and l.held) as kept
         where s.on_hand <> moved.units or s.unsellable <> moved.unsellable or s.reserved <> held.units + kept.units""")
    assert wrong == []
