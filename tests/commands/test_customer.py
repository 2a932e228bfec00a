"""holdfast customer: all that is kept of one person is handed out, or erased so that nothing of it is left anywhere."""

import json
import subprocess

import pytest

from support.database import Database
from support.holdfast import Holdfast, binary
from support.person import Person, live_through, settle_refunds
from support.retailer import Retailer
from support.waiting import eventually
from support.work import Work

OK, FAILED, WRONG_USAGE, NO_DATABASE = 0, 1, 2, 69


@pytest.fixture(scope="module")
def house(new_database, work_directory):
    """A separate instance, whose database is searched as a whole."""
    instance = Holdfast(new_database(), work_directory, "customers").start()
    yield instance
    instance.stop()


@pytest.fixture
def shop(house):
    retailer = Retailer(house.client(), on_hand=100).create()
    with Database(house.database_url) as database:
        yield lambda lines=None, method="pickup", **fields: Work(retailer, database, lines, method, **fields)

# Every column that takes words. A new one is sorted in here: columns that may identify the customer are erased (src/privacy/erasure.c,
# src/privacy/redact.c) and filled by tests/support/person.py.
TELL_OF_A_CUSTOMER = """
    events: data
    fulfillments: handover link_digest packages reason recipient vehicle_color vehicle_make vehicle_plate
    idempotency: body
    notifications: answer recipient
    order_discounts: reason
    order_search: words
    orders: cancel_reason customer payment_reference ship_to
    payments: reference
    refunds: reason reference
    return_lines: note reason
    returns: cancel_reason unexpected
"""
TELL_OF_NO_CUSTOMER = """
    channels: code kind name notifications return_policy
    consumers: name types
    event_log: channel data location subject_id subject_kind type
    events: actor channel location subject_id subject_kind type
    events_due: ids loose
    fulfillment_lines: location sku
    fulfillments: assignee bay check_in location method moved_by staging_location status
    idempotency: etag fingerprint location
    ledger: actor document location reason reference sku
    listings: channel external_sku price_currency sku title
    locations: address capabilities closures code country cut_offs handover_methods kind name opening_hours slots time_zone
    notification_templates: html kind locale medium subject text
    notifications: actor channel kind locale medium message_id state
    order_lines: sku title
    order_places: channel location status
    order_search: slices
    order_search_due: orders
    orders: actor channel currency external_ref open_for order_number payment_status status
    payment_events: content event_id type
    payments: actor opened provider status
    products: attributes description gtin image_url price_currency return_policy sku title
    refunds: actor destination status
    reservation_lines: location sku
    reservations: actor channel location reason reference status
    return_lines: acceptance bucket condition disposition location reception sku terms
    returns: actor channel exchange location moved_by refund_to return_number status
    revisions: topic
    schema_migration: digest name
    secrets: name value
    slots: location
    stock: location sku
    webhook_attempts: answer error
    webhook_replays: types
    webhooks: actor channels description locations mode secret secret_hint secret_previous state types url
"""


def columns(text):
    return {f"{table.strip()}.{column}" for table, names in (line.split(":") for line in text.strip().splitlines())
            for column in names.split()}


def test_every_column_that_takes_words_is_known(house):
    with Database(house.database_url) as database:
        found = {row["name"] for row in database.rows(
            "select table_name || '.' || column_name as name from information_schema.columns"
            " where table_schema = 'holdfast' and data_type in ('text', 'jsonb', 'bytea', 'ARRAY')"
            "   and not (table_schema || '.' || table_name)::regclass = any(select inhrelid from pg_inherits)")}
    known = columns(TELL_OF_A_CUSTOMER) | columns(TELL_OF_NO_CUSTOMER)
    assert found - known == set(), "does it tell of a customer? Then it is erased with them"
    assert known - found == set()


def exported(house, *selector):
    return json.loads(house.run("customer", "export", *selector, check=OK).stdout)["orders"]


def sums(done):
    """The counts, by name."""
    return {line[:22].strip(): int(line[22:]) for line in done.stdout.splitlines()}


# export

def test_everything_of_a_person_is_handed_out(house, shop):
    person = Person()
    numbers = live_through(shop, person)
    shop(customer={"name": "Somebody Else", "email": "else@shop.example"})

    orders = exported(house, "--email", person.email.upper())

    assert [order["order_number"] for order in orders] == numbers
    assert all(order["customer"] == person.customer for order in orders)
    assert orders[1]["ship_to"]["line1"] == person.address["line1"]
    assert orders[0]["fulfillments"][0]["handover"]["recipient"]["name"] == f"Bob {person.word}"
    assert orders[0]["payment_reference"] == f"pay-{person.word}"
    assert [message["to"] for message in orders[0]["notifications"]] == [person.email]
    types = [event["type"] for event in orders[0]["timeline"]]
    assert types[0] == "order.created" and "fulfillment.handed_over" in types and "order.fulfilled" in types


def test_a_person_is_known_by_each_of_their_marks_and_by_nothing_else(house, shop):
    person = Person()
    number = shop(customer=person.customer).order["order_number"]
    for selector in (["--email", person.email], ["--customer-id", person.customer_id], ["--order", number],
                     ["--phone", person.phone.replace(" ", "-")], ["--phone", person.phone.replace("+", "00")],
                     ["--order", number.replace("-", "").lower()], ["--order", number.lower()]):
        assert [order["order_number"] for order in exported(house, *selector)] == [number]
    for selector in (["--email", person.email[1:]], ["--customer-id", "%"], ["--customer-id", person.customer_id[:-1]],
                     ["--phone", person.phone[:-1]], ["--email", "_" + person.email[1:]]):
        for verb in ("export", "erase"):
            done = house.run("customer", verb, *selector, check=FAILED)
            assert done.stdout == "" and done.stderr.startswith("holdfast: no order found for this customer")
            assert person.word not in done.stderr


def test_an_export_that_cannot_be_written_says_so(house, shop):
    person = Person()
    shop(customer=person.customer)
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([str(binary()), "customer", "export", "--email", person.email], env=house.environment(), stdout=full,
                              stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stderr) == (FAILED, "holdfast: the export could not be written in full\n")


# erase

def test_nothing_of_a_person_is_left_anywhere(house, shop):
    """Not in orders, not in timelines and streams, not in the replies that are kept for repeats."""
    person = Person()
    numbers = live_through(shop, person)
    assert {"INSERT INTO holdfast.orders", "INSERT INTO holdfast.fulfillments", "INSERT INTO holdfast.events",
            "INSERT INTO holdfast.idempotency", "INSERT INTO holdfast.notifications", "INSERT INTO holdfast.order_discounts", "INSERT INTO holdfast.payments",
            "INSERT INTO holdfast.refunds"} <= {
        line.partition(" VALUES")[0] for line in person.traces_in(house.database_url)}

    done = house.run("customer", "erase", "--customer-id", person.customer_id, check=OK)

    assert person.traces_in(house.database_url) == []
    assert done.stderr == "" and person.word not in done.stdout
    assert sums(done)["orders erased"] == len(numbers)
    assert sums(done)["kept replies erased"] > len(numbers)
    house.assert_audit_clean()


def test_a_sweeper_that_read_an_order_before_its_erasure_does_not_bring_the_customer_back(house, shop):
    person = Person()
    shopping = shop(customer=person.customer, payment={"status": "authorized", "reference": "pay-1"})
    order = shopping.order
    shopping.api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed"}, expect=200)
    with Database(house.database_url) as database:
        eventually(lambda: database.count("order_search_due") == 0, what="the order is searchable")
        database.execute("delete from order_search where order_id = %s", order["id"])
        with database.transaction() as sweeper:
            sweeper("insert into order_search (order_id, version, placed_at, words, slices) select o.id, o.version, o.placed_at,"
                    " order_words(o.customer, o.order_number, o.external_ref), order_slices(o.placed_at)"
                    " from orders o where o.id = %s returning 1", order["id"])
            erasing = subprocess.Popen([str(binary()), "customer", "erase", "--customer-id", person.customer_id],
                                       env=house.environment(), stdout=subprocess.DEVNULL)
            eventually(lambda: erasing.poll() is not None or database.value(
                "select count(*) from pg_locks where relation = 'order_search'::regclass and not granted") > 0, what="it erases or waits")
            sweeper("commit")
    assert erasing.wait(60) == OK
    assert person.traces_in(house.database_url) == []


def test_bought_products_and_amounts_stay(house, shop):
    person = Person()
    live_through(shop, person)
    before = exported(house, "--customer-id", person.customer_id)

    house.run("customer", "erase", "--customer-id", person.customer_id, check=OK)

    for order in before:
        after = house.client().get(f"/v1/orders/{order['id']}", expect=200).json()
        assert after["customer"].pop("erased_at")
        assert after["customer"] == {"name": "erased", "email": None, "phone": None, "customer_id": None}
        assert (after["ship_to"], after["payment_reference"]) == (None, None)
        assert after["version"] == order["version"] + 1
        for kept in ("lines", "totals", "status", "placed_at", "external_ref", "payment_status"):
            assert after[kept] == order[kept]
        for was, now in zip(order["fulfillments"], after["fulfillments"]):
            assert (now["version"], now["updated_at"]) == (was["version"] + 1, was["updated_at"])
        told = house.client().get(f"/v1/orders/{order['id']}/timeline", expect=200).json()["data"]
        assert [event["type"] for event in told] == [event["type"] for event in order["timeline"]] + ["order.customer_erased"]
        assert told[-1]["data"] == {"cause": "request", "version": after["version"]}
        assert told[-1]["actor"] == "erasure"


def test_a_repeated_request_of_the_person_still_has_no_second_effect(house, shop):
    person = Person()
    it = shop(customer=person.customer)
    path = f"/v1/orders/{it.order['id']}/cancel"
    first = it.api.post(path, {"reason": f"{person.word} has moved"}, key="once", expect=200)
    settle_refunds(it)
    house.run("customer", "erase", "--email", person.email, check=OK)

    again = it.api.post(path, {"reason": f"{person.word} has moved"}, key="once", expect=200)

    assert again.json()["version"] == first.json()["version"] and person.word not in again.text
    assert again.headers["idempotent-replayed"] == "true"


def test_open_orders_are_named_and_left_as_they_are(house, shop):
    person = Person()
    waiting = shop(customer=person.customer)
    waiting.make_ready()
    gone = shop(customer=person.customer)
    gone.make_ready()
    gone.hand_over()
    due = shop(customer=person.customer)
    due.api.post(f"/v1/orders/{due.order['id']}/cancel", {"reason": "no more"}, expect=200)
    before = waiting.order_now()

    done = house.run("customer", "erase", "--email", person.email, check=FAILED)

    assert sums(done) == {"orders erased": 1, "erased before": 0, "kept replies erased": 4, "orders still open": 2}
    assert sorted(done.stderr.splitlines()[:2]) == sorted([
        f"{waiting.order['order_number']} is unchanged: a location holds units of it: hand over, ship or cancel them",
        f"{due.order['order_number']} is unchanged: a refund is due: POST /v1/orders/{{id}}/refunds"])
    assert waiting.order_now() == before
    assert gone.order_now()["customer"]["name"] == "erased"

    waiting.hand_over()
    settle_refunds(due)
    done = house.run("customer", "erase", "--email", person.email, check=OK)
    assert sums(done)["orders erased"] == 2
    assert person.traces_in(house.database_url) == []


def refused_to_erase(house, work):
    """Why an order is not erased."""
    done = house.run("customer", "erase", "--order", work.order["order_number"], check=FAILED)
    return done.stderr.splitlines()[0].partition(" is unchanged: ")[2]


def test_money_that_is_under_way_keeps_an_order_until_the_provider_has_told(house, shop):
    it = shop(customer=Person().customer, payment={"status": "authorized"})
    events = f"/v1/payments/{it.order['payments'][0]['id']}/events"
    it.make_ready()
    it.hand_over()
    assert refused_to_erase(house, it) == "a payment is not captured yet: report the provider's event by POST /v1/payments/{id}/events"
    it.api.post(events, {"event_id": f"evt-{it.id}", "type": "captured"}, expect=200)

    it.api.post(f"/v1/orders/{it.order['id']}/refunds", {"to": "original", "reason": "late", "amount": 100}, expect=201)
    assert refused_to_erase(house, it) == "a refund is under way: report the provider's event by POST /v1/payments/{id}/events"
    settle_refunds(it)
    assert sums(house.run("customer", "erase", "--order", it.order["order_number"], check=OK))["orders erased"] == 1
    house.assert_audit_clean()


def test_goods_on_their_way_back_keep_an_order_until_they_are_here(house, shop):
    it = shop(customer=Person().customer)
    it.make_ready()
    it.hand_over()
    rma = it.api.post("/v1/returns", {"order_id": it.order["id"], "location": it.order["fulfillments"][0]["location"], "by_post": True,
                                      "lines": [{"order_line_id": it.line(), "quantity": 1, "reason": "too small"}]}, expect=201).json()
    assert refused_to_erase(house, it) == "goods of it are on their way back: POST /v1/returns/{id}/receive or cancel"
    it.api.post(f"/v1/returns/{rma['id']}/cancel", {"reason": "kept"}, expect=200)
    assert sums(house.run("customer", "erase", "--order", it.order["order_number"], check=OK))["orders erased"] == 1


def test_erasing_again_changes_nothing(house, shop):
    person = Person()
    it = shop(method="ship", ship_to=person.address, customer=person.customer)
    it.pick_all()
    it.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": person.word}]})
    house.run("customer", "erase", "--order", it.order["order_number"], check=OK)
    before = it.order_now()

    done = house.run("customer", "erase", "--order", it.order["order_number"], check=OK)

    assert sums(done) == {"orders erased": 0, "erased before": 1, "kept replies erased": 0, "orders still open": 0}
    assert it.order_now() == before
    assert "no order found" in house.run("customer", "erase", "--email", person.email, check=FAILED).stderr


def test_others_are_left_alone(house, shop):
    person, other = Person(), Person()
    kept = shop(customer={**person.customer, "email": other.email, "customer_id": other.customer_id, "phone": other.phone})
    kept.make_ready()
    kept.hand_over()
    before = kept.order_now()
    house.run("customer", "erase", "--email", person.email, check=FAILED)
    assert kept.order_now() == before


def test_an_erased_order_can_still_be_delivered_and_is_erased_again(house, shop):
    """Parcels under way have left: their carrier has the address. Later events of an order are erased, too."""
    person = Person()
    it = shop(method="ship", ship_to=person.address, customer=person.customer)
    it.pick_all()
    it.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": person.word}]})
    house.run("customer", "erase", "--email", person.email, check=OK)
    assert it.act("deliver", {}).json()["status"] == "delivered"
    assert person.traces_in(house.database_url) == []
    house.assert_audit_clean()

    again = [sums(house.run("customer", "erase", "--order", it.order["order_number"], check=OK)) for _ in range(2)]
    assert [(each["orders erased"], each["erased before"]) for each in again] == [(1, 0), (0, 1)]


# usage

@pytest.mark.parametrize("arguments", [
    [], ["export"], ["erase"], ["forget", "--email", "a@b.example"], ["export", "--email"], ["export", "--email", ""],
    ["export", "--email", "a@b.example", "--phone", "1"], ["export", "--phone", "none"], ["erase", "--name", "Ada"],
    ["erase", "a@b.example"], ["erase", "--email", "a" * 255], ["erase", "--email", "\udcff"],
])
def test_wrong_usage_is_refused(house, arguments):
    done = house.run("customer", *arguments)
    assert (done.returncode, done.stdout) == (WRONG_USAGE, "")
    assert done.stderr == "usage: holdfast customer export|erase --customer-id C | --email E | --phone P | --order N\n"


def test_without_a_database_it_says_so(house):
    away = Holdfast("postgresql://127.0.0.1:1/none", ".")
    assert away.run("customer", "export", "--email", "a@b.example").returncode == NO_DATABASE
    assert away.run("prune").returncode == NO_DATABASE
