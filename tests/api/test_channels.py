"""The business policy of a channel: whether and how far missing units are re-sourced, and how long an order may stay unpaid."""

import uuid
from datetime import datetime, timedelta

import pytest
from support.database import Database
from support.retailer import Retailer
from support.waiting import eventually
from support.work import Work

WEB = {"name": "Web shop", "kind": "web"}
HAMBURG = {"latitude": 53.55, "longitude": 9.99}
STATED = [
    {"resourcing": {"enabled": True, "radius_km": 50}, "unpaid_ttl": "PT2H"},
    {"resourcing": {"enabled": False}, "unpaid_ttl": "never"},
    {"resourcing": {"radius_km": 0}, "unpaid_ttl": None},
    {"resourcing": None, "unpaid_ttl": "P366D"},
]


def state(retailer, **policy):
    """The channel of the retailer states this policy, and no other."""
    return retailer.api.put(f"/v1/channels/{retailer.channel}", {**WEB, **policy}, expect=200).json()


def order_now(retailer, order):
    return retailer.api.get(f"/v1/orders/{order['id']}", expect=200).json()


def due_after(order):
    """The time from the placing of the order to its deadline; None without one."""
    placed, due = (order[member] and datetime.fromisoformat(order[member].replace("Z", "+00:00"))
                   for member in ("placed_at", "payment_due_at"))
    return due and due - placed


@pytest.fixture
def path():
    """Of a channel that nobody else has."""
    return f"/v1/channels/c-{uuid.uuid4().hex[:12]}"


# ---- messages to customers ----

MESSAGES = {"from": "shop@example.org", "reply_to": "help@example.org", "locale": "de-AT", "kinds": ["ready", "cancelled"]}


@pytest.mark.parametrize("messages", [MESSAGES, {"from": "a@b", "locale": "en", "kinds": []}, None])
def test_a_channel_shows_how_it_writes_to_customers(api, path, messages):
    made = api.put(path, {**WEB, "notifications": messages}, expect=201).json()
    assert made["notifications"] == messages
    assert api.get(path, expect=200).json() == made
    assert api.put(path, {**WEB, "notifications": messages}, expect=200).json()["version"] == 1
    assert api.put(path, {**WEB, "notifications": {**MESSAGES, "kinds": ["shipped"]}}, expect=200).json()["version"] == 2
    assert api.put(path, WEB, expect=200).json()["notifications"] is None


@pytest.mark.parametrize("change, pointer, code", [
    ({"from": "Shop <shop@example.org>"}, "#/notifications/from", "malformed"),
    ({"from": "shop@example.org\r\nBcc: all@example.org"}, "#/notifications/from", "malformed"),
    ({"from": None}, "#/notifications/from", "required"),
    ({"quiet_hours": {"from": "9 pm", "to": "08:00"}}, "#/notifications/quiet_hours/from", "too-short"),
    ({"quiet_hours": {"from": "21:00", "to": "8.00h"}}, "#/notifications/quiet_hours/to", "malformed"),
    ({"quiet_hours": {"from": "21:00"}}, "#/notifications/quiet_hours/to", "required"),
    ({"reply_to": "nobody"}, "#/notifications/reply_to", "malformed"),
    ({"locale": "German"}, "#/notifications/locale", "malformed"),
    ({"locale": "de_AT"}, "#/notifications/locale", "malformed"),
    ({"kinds": None}, "#/notifications/kinds", "required"),
    ({"kinds": ["eaten"]}, "#/notifications/kinds/0", "not-allowed"),
    ({"kinds": ["ready", "ready"]}, "#/notifications/kinds/1", "repeated"),
    ({"to": "ada@example.org"}, "#/notifications/to", "unknown-member"),
])
def test_messages_with_a_fault_are_refused_and_change_nothing(api, path, change, pointer, code):
    before = api.put(path, WEB, expect=201).json()
    refused = api.put(path, {**WEB, "notifications": {**MESSAGES, **change}}, expect=422).json()
    assert [(fault["pointer"], fault["code"]) for fault in refused["errors"]] == [(pointer, code)]
    assert api.get(path, expect=200).json() == before


# ---- the document ----

@pytest.mark.parametrize("policy", STATED)
def test_a_channel_shows_the_policy_that_it_states(api, path, policy, service):
    made = api.put(path, {**WEB, **policy}, expect=201).json()

    assert {name: made[name] for name in policy} == policy
    assert api.get(path, expect=200).json() == made
    assert service.client(channel=made["code"]).get("/v1/channels", expect=200).json()["data"] == [made]
    assert api.put(path, {**WEB, **policy}, expect=200).json()["version"] == 1


def test_the_settings_of_the_service_are_not_copied_into_a_channel(services, path):
    api = services(resourcing="off", resourcing_radius_km=7, unpaid_ttl="PT30M").client()

    for silent in ({}, {"resourcing": {}}):
        shown = api.put(path, {**WEB, **silent}).json()
        assert (shown["resourcing"], shown["unpaid_ttl"]) == (None, None)
    api.put(path, {**WEB, **STATED[0]}, expect=200)
    bare = api.put(path, WEB, expect=200).json()
    assert (bare["resourcing"], bare["unpaid_ttl"], bare["version"]) == (None, None, 3)


@pytest.mark.parametrize("policy, pointer, code", [
    ({"unpaid_ttl": "PT0S"}, "#/unpaid_ttl", "out-of-range"),
    ({"unpaid_ttl": "P367D"}, "#/unpaid_ttl", "out-of-range"),
    ({"unpaid_ttl": "two hours"}, "#/unpaid_ttl", "malformed"),
    ({"unpaid_ttl": ""}, "#/unpaid_ttl", "too-short"),
    ({"unpaid_ttl": 7200}, "#/unpaid_ttl", "wrong-type"),
    ({"resourcing": {"radius_km": -1}}, "#/resourcing/radius_km", "out-of-range"),
    ({"resourcing": {"radius_km": 20001}}, "#/resourcing/radius_km", "out-of-range"),
    ({"resourcing": {"enabled": "yes"}}, "#/resourcing/enabled", "wrong-type"),
    ({"resourcing": {"radius": 1}}, "#/resourcing/radius", "unknown-member"),
    ({"resourcing": True}, "#/resourcing", "wrong-type"),
])
def test_a_policy_beyond_its_limits_is_refused_and_changes_nothing(api, path, policy, pointer, code):
    before = api.put(path, WEB, expect=201).json()
    problem = api.put(path, {**WEB, **policy}, expect=422).json()

    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [(pointer, code)]
    assert api.get(path, expect=200).json() == before


# ---- unpaid orders ----

def test_each_order_stays_unpaid_as_long_as_its_channel_says(services):
    api = services(unpaid_ttl="PT30M").client()
    silent, short, never = (Retailer(api).create() for _ in range(3))
    state(short, unpaid_ttl="PT2H")
    state(never, unpaid_ttl="never")

    assert [due_after(retailer.order().json()) for retailer in (silent, short, never)] == [timedelta(minutes=30), timedelta(hours=2), None]
    for retailer, expected in ((silent, timedelta(minutes=30)), (short, timedelta(hours=2)), (never, None)):
        listed, = api.get("/v1/orders", params={"channel": retailer.channel}, expect=200).json()["data"]
        assert due_after(listed) == expected


def test_unpaid_orders_of_two_channels_are_cancelled_each_at_its_time(retailer, api, service):
    patient = Retailer(api).create()
    state(retailer, unpaid_ttl="PT1S")
    state(patient, unpaid_ttl="P1D")
    hasty, other = retailer.order().json(), patient.order().json()
    named = retailer.order(payment={"status": "pending", "due_at": "2100-01-01T00:00:00Z"}).json()
    paid = retailer.order(payment={"status": "authorized", "reference": "psp"}).json()

    eventually(lambda: order_now(retailer, hasty)["status"] == "cancelled", what="cancelled by the sweeper")

    assert order_now(retailer, hasty)["cancel_reason"] == "unpaid"
    assert [order_now(retailer, one)["status"] for one in (other, named, paid)] == ["open"] * 3
    assert order_now(retailer, named)["payment_due_at"] == "2100-01-01T00:00:00.000Z"
    service.assert_audit_clean()


def test_a_change_of_policy_acts_for_orders_that_are_placed_already(retailer, api, service):
    state(retailer, unpaid_ttl="never")
    order = retailer.order().json()
    path = f"/v1/orders/{order['id']}"
    assert due_after(order) is None

    state(retailer, unpaid_ttl="P2D")
    assert due_after(order_now(retailer, order)) == timedelta(days=2)
    state(retailer)
    assert due_after(order_now(retailer, order)) is None, "the service has no default"
    state(retailer, unpaid_ttl="PT1S")
    eventually(lambda: order_now(retailer, order)["status"] == "cancelled", what="cancelled by the sweeper")

    cancelled = api.get(path, expect=200).json()
    assert (cancelled["cancel_reason"], due_after(cancelled)) == ("unpaid", timedelta(seconds=1))
    state(retailer, unpaid_ttl="P2D")
    assert api.get(path, expect=200).json() == cancelled, "its deadline has passed"
    service.assert_audit_clean()


def test_a_policy_spares_an_order_that_was_paid_once(retailer, api):
    state(retailer, unpaid_ttl="never")
    order = retailer.order(payment={"status": "authorized", "reference": "psp"}).json()
    unpaid = retailer.order().json()
    api.post(f"/v1/payments/{order['payments'][0]['id']}/events", {"event_id": order["id"], "type": "voided"}, expect=200)
    state(retailer, unpaid_ttl="PT1S")

    eventually(lambda: order_now(retailer, unpaid)["status"] == "cancelled", what="cancelled by the sweeper")
    assert order_now(retailer, order)["status"] == "open"


def test_another_deadline_has_another_tag_of_the_same_version(retailer, api):
    state(retailer, unpaid_ttl="P1D")
    made = retailer.order()
    path = f"/v1/orders/{made.json()['id']}"
    first = api.get(path, expect=200).headers["ETag"]
    assert made.headers["ETag"] == first
    api.get(path, headers={"If-None-Match": first}, expect=304)

    state(retailer, unpaid_ttl="P2D")
    second = api.get(path, headers={"If-None-Match": first}, expect=200)
    assert second.headers["ETag"] != first and second.json()["version"] == 1
    api.post(f"{path}/cancel", {"reason": "changed her mind"}, headers={"If-Match": second.headers["ETag"]}, expect=200)


# ---- re-sourcing ----

def fall_short(it):
    """Two units fall short; how many of them another location takes over."""
    lines = [{"order_line_id": it.line(), "quantity": 2}]
    return it.act("short", {"lines": lines, "reason": "not_found"}).json()["lines"][0]["resourced"]


@pytest.mark.parametrize("default", ["on", "off"])
def test_missing_units_are_resourced_as_the_channel_of_the_order_says(services, default):
    service = services(resourcing=default)
    silent, on, off = (Retailer(service.client()).create() for _ in range(3))
    state(on, resourcing={"enabled": True})
    state(off, resourcing={"enabled": False})
    with Database(service.database_url) as database:
        assert [fall_short(Work(retailer, database)) for retailer in (silent, on, off)] == [2 if default == "on" else 0, 2, 0]
    service.assert_audit_clean()


def test_a_customer_is_sent_as_far_as_the_channel_of_the_order_says(services):
    service = services(resourcing_radius_km=300)
    silent, near, anywhere = retailers = [Retailer(service.client()).create() for _ in range(3)]
    for retailer in retailers:
        far = f"far-{retailer.tag}"
        retailer.create_location(far, **HAMBURG)
        retailer.stock({(retailer.other_store, retailer.sku): 0, (far, retailer.sku): 5})
    state(near, resourcing={"radius_km": 200})
    state(anywhere, resourcing={"radius_km": 0})
    with Database(service.database_url) as database:
        assert [fall_short(Work(retailer, database)) for retailer in retailers] == [2, 0, 2]


def test_a_change_of_resourcing_acts_for_orders_that_are_placed_already(retailer, database, service):
    before, after = Work(retailer, database), Work(retailer, database)
    assert fall_short(before) == 2
    state(retailer, resourcing={"enabled": False})
    assert fall_short(after) == 0
    rejected = before.act("reject", {"reason": "closed"}).json()
    assert (rejected["status"], rejected["replaced_by"][1:]) == ("rejected", [])
    state(retailer, resourcing={"enabled": True})
    assert fall_short(Work(retailer, database)) == 2
    service.assert_audit_clean()
