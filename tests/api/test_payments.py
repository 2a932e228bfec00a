"""Payments of an order: provider events, captures and refunds."""

import itertools
import uuid

import pytest

from support.waiting import eventually

NOBODY = "01931f00-0000-7000-8000-000000000000"
_numbers = itertools.count()


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


def split(*parts):
    return [{"status": status, "amount": amount} for status, amount in parts]


def code(reply):
    return reply.json()["code"]


def error(reply, pointer):
    """The code of the fault there."""
    return next(one["code"] for one in reply.json()["errors"] if one["pointer"] == pointer)


def now(api, order):
    return api.get(f"/v1/orders/{order['id']}", expect=200).json()


def tell(api, payment, type, expect=200, **fields):
    body = {"event_id": f"evt-{next(_numbers)}", "type": type, **fields}
    return api.post(f"/v1/payments/{payment['id']}/events", body, expect=expect)


def refund(api, order, expect=201, **fields):
    body = {"to": "original", "reason": "it was late", **fields}
    return api.post(f"/v1/orders/{order['id']}/refunds", body, expect=expect)


def cancel(api, order, units=None):
    body = {"reason": "changed her mind"}
    if units:
        body["lines"] = [{"order_line_id": order["lines"][0]["id"], "quantity": units}]
    return api.post(f"/v1/orders/{order['id']}/cancel", body, expect=200).json()


def timeline(api, order):
    return [entry["type"] for entry in api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"]]


def amounts(payment, *names):
    return tuple(payment[name]["amount"] for name in names)


@pytest.fixture
def order(retailer):
    """Ten units at 9.99, 5.00 shipping: 104.90, authorized."""
    return retailer.order([{"sku": retailer.sku, "quantity": 10, "unit_price": euros(999)}], shipping=euros(500),
                          payment={"status": "authorized", "reference": "p-1"}).json()


# ---- placing ----

def test_one_payment_is_of_the_whole_total(order):
    payment, = order["payments"]

    assert (payment["status"], payment["number"], payment["reference"], payment["version"]) == ("authorized", 1, "p-1", 1)
    assert amounts(payment, "amount", "authorized", "captured") == (10490, 10490, 0)
    assert order["refunds"] == []
    assert (order["totals"]["balance"], order["totals"]["paid"]) == (euros(10490), euros(0))


def test_several_payments_add_up_to_the_total_at_most(retailer, api):
    lines = [{"sku": retailer.sku, "quantity": 1, "unit_price": euros(1000)}]
    order = retailer.order(lines, payments=[
        {"status": "captured", "amount": 300, "provider": "gift_card"}, {"status": "authorized", "amount": 700}]).json()
    assert [one["status"] for one in order["payments"]] == ["captured", "authorized"]
    assert order["payments"][0]["provider"] == "gift_card"
    assert (order["payment_status"], order["totals"]["paid"]) == ("authorized", euros(300))
    assert retailer.order(lines, payments=split(("captured", 300))).json()["payment_status"] == "pending"

    reply = retailer.order(lines, payments=split(("captured", 300), ("pending", 701)), expect=422)
    assert error(reply, "#/payments") == "too-large"
    reply = retailer.order(lines, payments=split(("pending", 1)), payment={"status": "pending"}, expect=422)
    assert error(reply, "#/payments") == "not-allowed"
    retailer.order(lines, payments=[], expect=422)
    retailer.order(lines, payments=split(*[("pending", 1)] * 21), expect=422)
    retailer.order(lines, payments=split(*[("pending", 1)] * 20))


@pytest.mark.parametrize("payment", [{"status": "pending", "due_at": "2099-01-01T00:00:00Z"}, {"status": "authorized"}])
def test_an_order_that_costs_nothing_is_paid_and_never_due(retailer, payment):
    order = retailer.order([{"sku": retailer.sku, "quantity": 1, "unit_price": euros(1000)}],
                           discounts=[{"amount": 1000}], payment=payment).json()
    assert (order["totals"]["total"], order["payment_status"]) == (euros(0), "captured")
    assert order["payment_due_at"] is None


# ---- the provider's words ----

def test_the_provider_authorizes_and_captures_in_parts(retailer, api):
    order = retailer.order({retailer.sku: 1}, payment={"status": "pending"}).json()
    payment, = order["payments"]
    total = order["totals"]["total"]["amount"]

    assert tell(api, payment, "authorized", reference="psp-9").json()["status"] == "authorized"
    after = tell(api, payment, "captured", amount=1, occurred_at="2026-11-27T10:00:00Z")
    assert (after.json()["status"], after.json()["reference"]) == ("partially_captured", "psp-9")
    assert now(api, order)["payment_status"] == "authorized"
    after = tell(api, payment, "captured").json()
    assert (after["status"], *amounts(after, "captured")) == ("captured", total)
    assert api.get(f"/v1/payments/{payment['id']}", expect=200).json() == after
    assert now(api, order)["payment_status"] == "captured"
    assert now(api, order)["totals"]["balance"] == euros(0)


def test_an_event_is_taken_in_once(order, api):
    payment, = order["payments"]
    body = {"event_id": "evt-same", "type": "captured", "amount": 4000}
    path = f"/v1/payments/{payment['id']}/events"

    first = api.post(path, body, expect=200).json()
    assert api.post(path, body, expect=200).json() == first
    assert amounts(first, "captured") == (4000,)
    reply = api.post(path, {**body, "amount": 4001}, expect=422)
    assert code(reply) == "event-id-reused"
    assert timeline(api, order).count("payment.captured") == 1


def test_a_contradicting_event_is_refused_and_changes_nothing(order, api):
    payment, = order["payments"]

    assert code(tell(api, payment, "captured", amount=10491, expect=409)) == "over-capture"
    assert code(tell(api, payment, "authorized", amount=10491, expect=409)) == "over-capture"
    reply = tell(api, payment, "refund_issued", refund_id=NOBODY, expect=422)
    assert error(reply, "#/refund_id") == "unknown-refund"
    assert error(tell(api, payment, "refund_issued", expect=422), "#/refund_id") == "required"
    assert error(tell(api, payment, "captured", refund_id=NOBODY, expect=422), "#/refund_id") == "not-allowed"
    assert error(tell(api, payment, "failed", amount=5, expect=422), "#/amount") == "not-allowed"
    assert tell(api, payment, "lost", expect=422)
    assert tell(api, payment, "captured", amount=0, expect=422)
    assert now(api, order)["version"] == order["version"]
    tell(api, payment, "captured")
    assert code(tell(api, payment, "captured", expect=409)) == "over-capture"


def test_an_event_refused_is_not_remembered(order, api):
    payment, = order["payments"]
    path = f"/v1/payments/{payment['id']}/events"

    api.post(path, {"event_id": "e", "type": "captured", "amount": 99999}, expect=409)
    api.post(path, {"event_id": "e", "type": "captured", "amount": 10490}, expect=200)


def test_payments_and_refunds_of_nobody_are_not_found(api):
    api.get(f"/v1/payments/{NOBODY}", expect=404)
    api.get(f"/v1/refunds/{NOBODY}", expect=404)
    tell(api, {"id": NOBODY}, "captured", expect=404)
    refund(api, {"id": NOBODY}, expect=404)
    api.post(f"/v1/orders/{NOBODY}/payments", {"status": "captured"}, expect=404)


def test_money_needs_its_scope(order, service):
    reader = service.client(scope="orders:read")
    payment, = order["payments"]

    reader.get(f"/v1/payments/{payment['id']}", expect=200)
    tell(reader, payment, "captured", expect=403)
    refund(reader, order, expect=403)
    reader.post(f"/v1/orders/{order['id']}/payments", {"status": "captured"}, expect=403)
    service.client(scope="fulfillment:read").get(f"/v1/payments/{payment['id']}", expect=403)


# ---- captures ----

def test_a_hand_over_requests_the_capture_of_its_units(retailer, service, api):
    order = retailer.order([{"sku": retailer.sku, "quantity": 4, "unit_price": euros(1000)}], method="ship",
                           shipping=euros(500), payment={"status": "authorized"}, ship_to=ADDRESS).json()
    fulfillment = f"/v1/fulfillments/{order['fulfillments'][0]['id']}"
    line = order["lines"][0]["id"]
    payment, = order["payments"]

    api.post(f"{fulfillment}/pick", {"lines": [{"order_line_id": line, "quantity": 4}]}, expect=200)
    ship = {"carrier": "DHL", "tracking_number": "1", "lines": [{"order_line_id": line, "quantity": 1}]}
    api.post(f"{fulfillment}/ship", {"packages": [ship]}, expect=200)
    assert amounts(now(api, order)["payments"][0], "capture_due", "captured") == (1500, 0)
    tell(api, payment, "captured", amount=1500)
    api.post(f"{fulfillment}/ship", {"packages": [{"carrier": "DHL", "tracking_number": "2"}]}, expect=200)
    assert amounts(now(api, order)["payments"][0], "capture_due", "captured") == (3000, 1500)
    asked = [entry["data"] for entry in api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"]
             if entry["type"] == "payment.capture_due"]
    assert [one["amount"] for one in asked] == [1500, 3000]
    assert {one["of_fulfillment"] for one in asked} == {order["fulfillments"][0]["id"]}
    assert {one["payment_id"] for one in asked} == {payment["id"]}


def test_a_cancel_before_the_capture_asks_for_a_void_and_the_provider_tells_of_it(order, api, service):
    after = cancel(api, order)
    assert (after["payment_status"], after["payments"][0]["status"]) == ("voided", "voided")
    assert amounts(after["payments"][0], "void_due", "voided", "failed") == (10490, 0, 0)
    assert timeline(api, order)[-2:] == ["payment.void_due", "order.cancelled"]
    told = tell(api, order["payments"][0], "voided").json()
    assert (told["status"], *amounts(told, "void_due", "voided")) == ("voided", 0, 10490)
    assert timeline(api, order)[-1] == "payment.voided"
    service.assert_audit_clean()


@pytest.mark.parametrize("kind, body", [("voided", {}), ("voided", {"amount": 5}), ("failed", {}), ("authorized", {})])
def test_an_event_after_the_whole_amount_was_captured_is_recorded_and_changes_nothing(retailer, api, service, kind, body):
    order = retailer.order({retailer.sku: 1}, payment={"status": "authorized"}).json()
    payment, = order["payments"]
    captured = tell(api, payment, "captured", occurred_at="2026-11-27T12:00:00Z").json()
    for _ in range(2):  # the second time it is a known event
        after = api.post(f"/v1/payments/{payment['id']}/events",
                         {"event_id": "late", "type": kind, "occurred_at": "2026-11-27T12:05:00Z", **body}, expect=200).json()
        assert (after["status"], *amounts(after, "captured", "voided", "void_due", "failed")) == (
            "captured", *amounts(captured, "captured", "voided", "void_due", "failed"))
    assert now(api, order)["payment_status"] == "captured"
    told = [event for event in api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"] if event["actor"] != "nobody"]
    assert [event["data"]["type"] for event in told if event["type"] == "payment.event_late"] == ([kind] if kind != "authorized" else [])
    service.assert_audit_clean()


def test_an_event_of_the_future_is_refused(retailer, api, service):
    """A provider with a wrong clock would otherwise make a payment that cannot fail until then."""
    order = retailer.order({retailer.sku: 1}, payment={"status": "pending"}).json()
    payment, = order["payments"]
    reply = api.post(f"/v1/payments/{payment['id']}/events",
                     {"event_id": "future", "type": "authorized", "occurred_at": "2099-01-01T00:00:00Z"}, expect=422)
    assert error(reply, "#/occurred_at") == "out-of-range"
    assert now(api, order)["payments"] == order["payments"]
    service.assert_audit_clean()


def test_a_failure_told_late_changes_nothing_and_the_goods_that_leave_are_asked_for(retailer, api, service):
    order = retailer.order({retailer.sku: 1}, payment={"status": "pending"}).json()
    payment, = order["payments"]
    tell(api, payment, "authorized", occurred_at="2026-11-27T12:05:00Z")
    late = tell(api, payment, "failed", occurred_at="2026-11-27T12:00:00Z").json()
    assert (late["status"], *amounts(late, "voided", "void_due", "failed")) == ("authorized", 0, 0, 0)
    assert now(api, order)["payment_status"] == "authorized"
    entry = api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"][-1]
    assert (entry["type"], entry["data"]["type"]) == ("payment.event_late", "failed")
    failed = tell(api, payment, "failed", occurred_at="2026-11-27T12:10:00Z").json()
    assert (failed["status"], *amounts(failed, "failed", "voided")) == ("failed", amounts(payment, "amount")[0], 0)
    service.assert_audit_clean()


def test_a_failure_from_before_the_order_does_not_end_its_authorization(retailer, service, api):
    order = retailer.order({retailer.sku: 1}, payment={"status": "authorized"}).json()
    payment, = order["payments"]
    after = tell(api, payment, "failed", occurred_at="2026-11-27T12:00:00Z").json()
    assert (after["status"], *amounts(after, "failed")) == ("authorized", 0)
    assert now(api, order)["payment_status"] == "authorized"
    entry = api.get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"][-1]
    assert (entry["type"], entry["data"]["type"]) == ("payment.event_late", "failed")
    assert tell(api, payment, "captured", amount=10, occurred_at="2026-11-27T12:01:00Z").json()["captured"] == euros(10)
    assert tell(api, payment, "failed").json()["failed"]["amount"] == payment["amount"]["amount"] - 10
    service.assert_audit_clean()


@pytest.mark.parametrize("arrival", itertools.permutations(range(4)))
def test_events_count_in_the_order_in_which_they_happened(retailer, api, service, arrival):
    order = retailer.order({retailer.sku: 1}, payment={"status": "pending"}).json()
    payment, = order["payments"]
    words = [("authorized", {}), ("captured", {"amount": 10}), ("failed", {}), ("captured", {"amount": 5})]
    for n in arrival:
        body = {"event_id": f"e-{n}", "type": words[n][0], "occurred_at": f"2026-11-27T12:0{n}:00Z", **words[n][1]}
        for _ in range(2):
            api.post(f"/v1/payments/{payment['id']}/events", body, expect=200)
    after = api.get(f"/v1/payments/{payment['id']}", expect=200).json()
    assert (after["status"], *amounts(after, "captured", "failed", "voided")) == ("partially_captured", 15, 0, 0)
    service.assert_audit_clean()


@pytest.mark.parametrize("placed, told, late", [
    ("authorized", [("captured", 6, {"amount": 2000})], ("captured", 5, {})),
    ("pending", [("captured", 6, {"amount": 1500})], ("captured", 3, {})),
    ("authorized", [("captured", 6, {"amount": 300})], ("captured", 5, {"amount": 2000})),
    ("pending", [("captured", 6, {"amount": 1500})], ("authorized", 0, {"amount": 500})),
    ("pending", [("captured", 6, {})], ("authorized", 0, {"amount": 500})),
])
def test_an_earlier_event_told_late_does_not_lower_the_paid_amount(retailer, api, service, placed, told, late):
    order = retailer.order([{"sku": retailer.sku, "quantity": 1, "unit_price": euros(2000)}], payment={"status": placed}).json()
    payment, = order["payments"]
    for type, minute, fields in told:
        tell(api, payment, type, expect=None, occurred_at=f"2026-11-27T12:0{minute}:00Z", **fields)
    before = now(api, order)
    type, minute, fields = late
    assert code(tell(api, payment, type, expect=409, occurred_at=f"2026-11-27T12:0{minute}:00Z", **fields)) == "over-capture"
    assert now(api, order) == before
    assert before["totals"]["paid"]["amount"] == told[0][2].get("amount", 2000)
    service.assert_audit_clean()


def test_a_capture_after_a_cancel_is_due_back_by_itself(order, api):
    cancel(api, order)
    tell(api, order["payments"][0], "captured")
    after = now(api, order)
    assert (after["status"], after["totals"]["refund_due"], after["totals"]["balance"]) == (
        "cancelled", euros(10490), euros(-10490))
    assert timeline(api, order)[-1] == "refund.due"
    assert refund(api, order).json()["amount"] == euros(10490)
    assert now(api, order)["payment_status"] == "refunded"


# ---- refunds ----

@pytest.fixture
def paid(order, api):
    tell(api, order["payments"][0], "captured")
    return now(api, order)


def test_an_amount_due_is_refunded_once(paid, api):
    assert code(refund(api, paid, expect=409)) == "over-refund"
    cancel(api, paid, 3)
    reply = refund(api, paid)
    body = reply.json()
    one, = body["refunds"]
    assert (body["amount"], body["refund_due"]) == (euros(2997), euros(0))
    assert (one["status"], one["payment_id"], one["to"]) == ("pending", paid["payments"][0]["id"], "original")
    assert reply.headers["location"] == f"/v1/refunds/{one['id']}"
    assert api.get(f"/v1/refunds/{one['id']}", expect=200).json() == one
    after = now(api, paid)
    assert after["refunds"] == [one]
    assert (after["payment_status"], after["totals"]["refunded"], after["totals"]["credited"]) == (
        "partially_refunded", euros(2997), euros(2997))
    assert code(refund(api, paid, expect=409)) == "over-refund"


def test_an_appeasement_is_limited_to_the_paid_amount(paid, api):
    assert code(refund(api, paid, amount=10491, expect=409)) == "over-refund"
    refund(api, paid, amount=490)
    assert now(api, paid)["totals"]["balance"] == euros(0)
    assert code(refund(api, paid, amount=10001, expect=409)) == "over-refund"
    refund(api, paid, amount=10000, to="store_credit")
    after = now(api, paid)
    assert [one["status"] for one in after["refunds"]] == ["pending", "settled"]
    assert (after["payment_status"], after["totals"]["credited"]) == ("refunded", euros(10490))
    assert cancel(api, paid)["totals"]["refund_due"] == euros(0)


def test_a_refund_that_fails_is_due_again(paid, api):
    payment = paid["payments"][0]
    cancel(api, paid, 1)
    first = refund(api, paid).json()["refunds"][0]
    tell(api, payment, "refund_issued", refund_id=first["id"], amount=999, reference="psp-r")
    tell(api, payment, "refund_failed", refund_id=first["id"])
    after = now(api, paid)
    assert (after["refunds"][0]["status"], after["refunds"][0]["reference"]) == ("failed", "psp-r")
    assert (after["totals"]["refund_due"], after["totals"]["refunded"]) == (euros(999), euros(0))
    second = refund(api, paid).json()["refunds"][0]
    tell(api, payment, "refund_settled", refund_id=second["id"])
    assert api.get(f"/v1/refunds/{second['id']}", expect=200).json()["status"] == "settled"
    tell(api, payment, "refund_failed", refund_id=second["id"], occurred_at="2020-01-01T00:00:00Z")  # before it was settled
    assert api.get(f"/v1/refunds/{second['id']}", expect=200).json()["status"] == "settled"
    assert timeline(api, paid)[-1] == "payment.event_late" and now(api, paid)["totals"]["refund_due"] == euros(0)
    reply = tell(api, payment, "refund_issued", refund_id=second["id"], amount=998, expect=422)
    assert error(reply, "#/amount") == "mismatch"


def test_a_refund_that_fails_after_it_was_settled_is_due_again(paid, api, service):
    payment = paid["payments"][0]
    cancel(api, paid, 1)
    first = refund(api, paid).json()["refunds"][0]
    tell(api, payment, "refund_settled", refund_id=first["id"])
    assert now(api, paid)["totals"]["refund_due"] == euros(0)
    tell(api, payment, "refund_failed", refund_id=first["id"])
    after = now(api, paid)
    assert after["refunds"][0]["status"] == "failed"
    assert (after["totals"]["refund_due"], after["totals"]["refunded"]) == (euros(999), euros(0))
    assert timeline(api, paid)[-2:] == ["refund.failed", "refund.due"]
    refund(api, paid)
    assert now(api, paid)["totals"]["refund_due"] == euros(0)
    service.assert_audit_clean()


def test_a_refund_needs_a_key_a_reason_and_the_version_it_names(paid, api):
    path = f"/v1/orders/{paid['id']}/refunds"
    body = {"to": "original", "reason": "late", "amount": 5}

    assert code(api.post(path, body, key=None, expect=400)) == "idempotency-key-missing"
    api.post(path, {"to": "original"}, expect=422)
    api.post(path, {"to": "cash", "reason": "late"}, expect=422)
    api.post(path, body, headers={"If-Match": '"1"'}, expect=412)
    key = str(uuid.uuid4())
    first = api.post(path, body, key=key, expect=201).json()
    assert api.post(path, body, key=key, expect=201).json() == first
    assert now(api, paid)["totals"]["refunded"] == euros(5)


# ---- amounts for a credit note ----

@pytest.fixture
def taxed(retailer):
    """Three units of 9.99 and 5.00 shipping, 5.56 of tax included: 34.97, authorized."""
    return retailer.order([{"sku": retailer.sku, "quantity": 3, "unit_price": euros(999)}], shipping=euros(500),
                          tax={"amount": 556, "included": True}, payment={"status": "authorized"}).json()


def quote(api, order, units=None, expect=200, key=None, **options):
    body = {"reason": "changed her mind"}
    if units:
        body["lines"] = [{"order_line_id": order["lines"][0]["id"], "quantity": units}]
    return api.post(f"/v1/orders/{order['id']}/cancel/quote", body, expect=expect, key=key, **options)


def test_an_order_shows_the_value_of_its_lines_and_the_tax_in_them(taxed):
    line, = taxed["lines"]
    assert (line["value"], line["tax"]) == (euros(2997), euros(477))
    assert (taxed["totals"]["shipping_tax"], taxed["totals"]["credited_tax"]) == (euros(79), euros(0))


def test_a_quote_shows_the_effect_of_the_cancellation_and_changes_nothing(taxed, api, service):
    before = now(api, taxed)
    some = quote(api, taxed, 1).json()
    assert [(one["quantity"], one["value"], one["tax"]) for one in some["lines"]] == [(1, euros(999), euros(159))]
    assert (some["amount"], some["tax"], some["shipping"], some["void_due"]) == (euros(999), euros(159), euros(0), euros(0))
    everything = quote(api, taxed).json()
    assert (everything["amount"], everything["tax"], everything["shipping"], everything["shipping_tax"]) == (
        euros(3497), euros(556), euros(500), euros(79))
    assert (everything["void_due"], everything["refund_due"], everything["status"]) == (euros(3497), euros(0), "cancelled")
    assert now(api, taxed) == before

    after = cancel(api, taxed, 1)
    line, = after["lines"]
    assert (line["cancelled_value"], line["cancelled_tax"], after["totals"]["credited_tax"]) == (
        some["lines"][0]["value"], some["lines"][0]["tax"], some["tax"])
    told = next(entry["data"] for entry in api.get(f"/v1/orders/{taxed['id']}/timeline", expect=200).json()["data"]
                if entry["type"] == "order.units_cancelled")
    assert (told["amount"], told["tax"], told["shipping"]) == (999, 159, 0)
    assert told["lines"] == [{"order_line_id": line["id"], "quantity": 1, "value": 999, "tax": 159}]
    service.assert_audit_clean()


def test_a_quote_is_refused_like_the_cancellation(taxed, api, service, retailer):
    for ask in (lambda units: quote(api, taxed, units, expect=409),
                lambda units: api.post(f"/v1/orders/{taxed['id']}/cancel", {"reason": "no", "lines": [
                    {"order_line_id": taxed["lines"][0]["id"], "quantity": units}]}, expect=409)):
        fault, = ask(4).json()["errors"]
        assert (fault["code"], fault["available"]) == ("not-cancellable", 3)
    quote(api, {"id": NOBODY, "lines": []}, expect=404)
    quote(api, taxed, headers={"If-Match": '"99"'}, expect=412)
    quote(service.client(scope="orders:write", locations=[]), taxed, expect=403)


def test_the_refunds_of_cancelled_units_share_the_tax_to_the_cent(taxed, api, service):
    tell(api, taxed["payments"][0], "captured")
    cancel(api, taxed, 1)
    refund(api, taxed, amount=500)
    cancel(api, taxed)
    refund(api, taxed)
    refunds = now(api, taxed)["refunds"]
    assert sum(one["amount"]["amount"] for one in refunds) == 3497
    assert sum(one["tax"]["amount"] for one in refunds) == 556
    service.assert_audit_clean()


def test_a_cancellation_after_an_appeasement_credits_and_tells_the_rest(taxed, api, service):
    tell(api, taxed["payments"][0], "captured")
    refund(api, taxed, amount=1000)
    assert now(api, taxed)["totals"]["creditable"] == euros(2497)
    cancel(api, taxed, 2)
    last = quote(api, taxed).json()
    left = now(api, taxed)["totals"]
    assert (last["amount"], last["lines"][0]["value"], last["shipping"]) == (left["creditable"], euros(499), euros(0))
    assert last["tax"]["amount"] == 556 - left["credited_tax"]["amount"]
    after = cancel(api, taxed)
    assert (after["totals"]["credited"], after["totals"]["creditable"], after["totals"]["credited_tax"]) == (
        euros(3497), euros(0), euros(556))
    assert (after["totals"]["refund_due"], after["status"]) == (last["refund_due"], "cancelled")
    told = [entry["data"] for entry in api.get(f"/v1/orders/{taxed['id']}/timeline", expect=200).json()["data"]
            if entry["type"] == "order.units_cancelled"]
    amounts = sorted((one["amount"], one["tax"], one["shipping"]) for one in told)
    assert amounts[0] == (last["amount"]["amount"], last["tax"]["amount"], 0)
    assert sum(one[0] for one in amounts) == 3497 - 1000
    refund(api, taxed)
    refunds = now(api, taxed)["refunds"]
    assert sum(one["amount"]["amount"] for one in refunds) == 3497
    assert sum(one["tax"]["amount"] for one in refunds) == 556
    service.assert_audit_clean()


# ---- further payments ----

def test_the_balance_is_paid_by_a_further_payment(order, api):
    path = f"/v1/orders/{order['id']}/payments"
    tell(api, order["payments"][0], "voided", amount=490)
    assert now(api, order)["payment_status"] == "pending"
    assert code(api.post(path, {"status": "captured", "amount": 491}, expect=409)) == "over-payment"
    reply = api.post(path, {"status": "captured", "provider": "till"}, expect=201)
    assert (reply.json()["number"], *amounts(reply.json(), "amount", "captured")) == (2, 490, 490)
    assert reply.headers["location"] == f"/v1/payments/{reply.json()['id']}"
    assert now(api, order)["payment_status"] == "authorized"
    assert code(api.post(path, {"status": "pending"}, expect=409)) == "over-payment"


def test_the_twenty_first_payment_of_an_order_is_one_too_many(order, api):
    path = f"/v1/orders/{order['id']}/payments"
    tell(api, order["payments"][0], "failed")
    for _ in range(19):
        api.post(path, {"status": "pending", "amount": 10}, expect=201)
    reply = api.post(path, {"status": "pending", "amount": 10}, expect=422)
    assert (code(reply), error(reply, "#")) == ("too-many", "too-many")
    assert len(now(api, order)["payments"]) == 20


def test_an_amount_that_is_refused_says_how_much_there_is(paid, api):
    for body, available in (({"amount": 10491}, 10490), ({}, 10490)):
        fault, = refund(api, paid, expect=409, **body).json()["errors"]
        assert (fault["pointer"], fault["code"], fault["available"]) == ("#/amount", "over-refund", available)
    fault, = tell(api, paid["payments"][0], "authorized", amount=10491, expect=409).json()["errors"]
    assert (fault["pointer"], fault["code"], fault["available"]) == ("#/amount", "over-capture", 10490)
    fault, = api.post(f"/v1/orders/{paid['id']}/payments", {"status": "captured", "amount": 1}, expect=409).json()["errors"]
    assert (fault["pointer"], fault["code"], fault["available"]) == ("#/amount", "over-payment", 0)
    line = {"order_line_id": paid["lines"][0]["id"], "quantity": 11}
    fault, = api.post(f"/v1/orders/{paid['id']}/cancel", {"reason": "no", "lines": [line]}, expect=409).json()["errors"]
    assert (fault["pointer"], fault["code"], fault["available"]) == ("#/lines/0/quantity", "not-cancellable", 10)


ADDRESS = {"name": "Ada", "line1": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"}


# ---- deadlines ----

def test_an_order_paid_in_part_is_cancelled_at_its_deadline_and_the_payment_is_due_as_a_refund(retailer, api, database, service):
    lines = [{"sku": retailer.sku, "quantity": 1, "unit_price": euros(1000)}]
    in_part, covered = [retailer.order(lines, payments=split(("captured", 300), ("pending", 700))).json() for _ in range(2)]
    for order in (in_part, covered):
        database.execute("update orders set payment_due_at = clock_timestamp() + interval '1 hour' where id = %s", order["id"])
    tell(api, covered["payments"][1], "authorized")
    assert now(api, covered)["payment_due_at"] is None
    database.execute("update orders set payment_due_at = clock_timestamp() - interval '1 second' where id = %s"
                     " and payment_status = 'pending'", in_part["id"])

    eventually(lambda: now(api, in_part)["status"] == "cancelled", what="cancelled by the sweeper")

    after = now(api, in_part)
    assert (after["cancel_reason"], after["totals"]["refund_due"]) == ("unpaid", euros(300))
    assert [one["status"] for one in after["payments"]] == ["captured", "voided"]
    assert now(api, covered)["status"] == "open"
    service.assert_audit_clean()
