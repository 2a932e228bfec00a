"""The log of events: pages, filters, waits and the stream."""

import json
import threading

import jsonschema
import pytest
import yaml

from support import ROOT
from support.contract import load_yaml
from support.database import Database
from support.retailer import Retailer
from support.stream import Stream
from support.waiting import eventually
from support.work import code_of

ATTRIBUTES = {"specversion", "id", "source", "type", "time", "timestamp", "subject", "sequence", "datacontenttype", "data"}
READER = "events:read"


@pytest.fixture
def reader(service):
    return service.client(scope=READER)


def page(reader, expect=200, headers=None, **params):
    return reader.get("/v1/events", expect=expect, params=params, headers=headers or {}).json()


def published(database):
    eventually(lambda: database.count("events_due") == 0, 30, "all is published")


def now(reader, database):
    """The end of the log once all that happened before is published."""
    published(database)
    return page(reader, after="now")["next_cursor"]


def everything(reader, after="oldest", limit=1000, **filters):
    """All events after the cursor, page by page."""
    found = []
    while True:
        got = page(reader, after=after, limit=limit, **filters)
        found += got["data"]
        after = got["next_cursor"]
        if not got["has_more"]:
            return found


def types(events):
    return [event["type"] for event in events]


# One event

def test_an_order_gives_cloud_events_in_the_order_of_its_changes(retailer, reader, database):
    after = now(reader, database)
    order = retailer.order(payment={"status": "captured", "reference": "pay-secret"}).json()
    published(database)
    events = everything(reader, after=after)
    assert types(events) == ["order.created", "fulfillment.allocated", "payment.captured"]
    assert all(event.keys() == ATTRIBUTES for event in events)
    created, allocated, captured = events
    assert created["subject"] == f"orders/{order['id']}" and created["data"]["version"] == 1
    assert created["data"]["order_number"] == order["order_number"] and created["data"]["channel"] == retailer.channel
    assert allocated["subject"] == f"fulfillments/{order['fulfillments'][0]['id']}"
    assert allocated["data"] == {"order_id": order["id"], "location": retailer.store, "channel": retailer.channel, "version": 1}
    assert captured["subject"].startswith("payments/") and captured["data"]["payment_id"] in captured["subject"]
    assert {event["specversion"] for event in events} == {"1.0"}
    assert {event["time"] == event["timestamp"] for event in events} == {True}
    sequence = [event["sequence"] for event in events]
    assert sequence == sorted(sequence) and {len(each) for each in sequence} == {20}
    assert [int(each) for each in sequence] == list(range(int(sequence[0]), int(sequence[0]) + 3))


def test_free_text_names_and_references_stay_in_the_timeline(work, reader, database, api):
    after = now(reader, database)
    it = work(customer={"name": "Ada Lovelace", "email": "ada@shop.example"}, payment={"status": "captured", "reference": "pay-secret"})
    it.act("assign", {"assignee": "ana-the-associate"})
    api.post(f"/v1/orders/{it.order['id']}/cancel", {"reason": "Ada changed her mind"}, expect=200)
    published(database)
    events = json.dumps(everything(reader, after=after))
    for secret in ("Lovelace", "ada@", "pay-secret", "ana-the-associate", "changed her mind"):
        assert secret not in events
    told = json.dumps(api.get(f"/v1/orders/{it.order['id']}/timeline", expect=200).json())
    for kept in ("pay-secret", "ana-the-associate", "changed her mind"):
        assert kept in told


def test_every_event_fits_its_schema_of_asyncapi(reader, work, retailer, database):
    document = load_yaml(ROOT / "api" / "asyncapi.yaml")
    work().make_ready()
    retailer.api.delete(f"/v1/reservations/{retailer.reserve().json()['id']}", expect=200)
    published(database)
    events, resolver = everything(reader), jsonschema.RefResolver("", document)
    judges = {name: jsonschema.Draft202012Validator(schema, resolver=resolver) for name, schema in document["components"]["schemas"].items()}
    faults = {f"{event['type']}: {error.message}" for event in events if event["subject"] != "fulfillments/x"
              for error in judges[event["type"]].iter_errors(event)}
    assert not faults, "\n".join(sorted(faults))
    assert {"fulfillment.ready", "inventory.changed", "location.created", "order.created", "reservation.released"} <= set(types(events))
    assert set(document["channels"]["events"]["messages"]) == set(judges) - {"Event"}


def test_types_may_have_a_prefix(services, new_database):
    url = new_database()
    house = services(url, event_type_prefix="com.example.shop", sweeper=0)
    reader = house.client(scope=READER)
    with Database(url) as database:
        order = Retailer(house.client()).create().order().json()
        published(database)
        assert set(row["type"] for row in database.rows("select type from event_log where order_id = %s", order["id"])) == {
            "order.created", "fulfillment.allocated"}
    told = everything(reader, types="order.*,com.example.shop.fulfillment.allocated")
    assert types(told) == ["com.example.shop.order.created", "com.example.shop.fulfillment.allocated"]
    assert everything(reader, types="com.example.shop.*") == everything(reader) == everything(reader, types="*")
    assert code_of(reader.get("/v1/events", expect=400, params={"types": "com.example.order.*"})) == "invalid-parameter"
    given, kept = ["com.example.shop.order.*", "return.received"], ["order.*", "return.received"]
    assert reader.put("/v1/consumers/erp", {"types": given}, expect=201).json()["types"] == kept
    hooks = house.client(scope="webhooks:manage")
    hook = hooks.post("/v1/webhooks", {"url": "https://erp.example/", "types": given}, expect=201).json()
    assert hook["types"] == kept
    for refused in (reader.put("/v1/consumers/erp", {"types": ["com.example.order.*"]}, expect=422),
                    hooks.post("/v1/webhooks", {"url": "https://erp.example/", "types": ["com.example.order.*"]}, expect=422)):
        assert refused.json()["errors"][0]["pointer"] == "#/types/0"
    stream = Stream(house, "/v1/events/stream?after=oldest&types=com.example.shop.order.created", scope=READER)
    assert stream.event()[1:] == ("com.example.shop.order.created", told[0])
    stream.close()
    document = yaml.safe_load(house.run("openapi", "--asyncapi", check=0).stdout)
    jsonschema.Draft202012Validator(document["components"]["schemas"]["order.created"],
                                    resolver=jsonschema.RefResolver("", document)).validate(told[0])
    assert document["components"]["messages"]["order.created"]["name"] == "com.example.shop.order.created"


# Pages

def test_pages_of_any_size_have_the_same_events_as_one(retailer, reader, database):
    after = now(reader, database)
    for _ in range(5):
        retailer.order()
    published(database)
    whole = everything(reader, after=after)
    assert len(whole) >= 10
    for limit in (1, 3, 7):
        assert everything(reader, after=after, limit=limit) == whole
    assert [event["id"] for event in everything(reader)][-len(whole):] == [event["id"] for event in whole]


def test_a_cursor_holds_for_every_filter(retailer, reader, database):
    after = page(reader, after="now", types="order.created")["next_cursor"]
    order = retailer.order().json()
    published(database)
    assert types(everything(reader, after=after, subject=f"orders/{order['id']}")) == ["order.created"]


@pytest.mark.parametrize("patterns, expected", [
    ("order.created", {"order.created"}), ("order.*", {"order.created", "order.cancelled", "order.units_cancelled"}),
    ("order.cancelled,fulfillment.*", {"order.cancelled", "fulfillment.allocated", "fulfillment.cancelled"})])
def test_types_are_filtered_by_patterns(retailer, reader, database, patterns, expected):
    after = now(reader, database)
    order = retailer.order().json()
    retailer.api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "no"}, expect=200)
    published(database)
    assert set(types(everything(reader, after=after, types=patterns))) == expected


def test_a_location_has_its_events_alone(retailer, reader, database):
    after = now(reader, database)
    here = retailer.order().json()
    there = retailer.order(location=retailer.other_store).json()
    published(database)
    events = everything(reader, after=after, location=retailer.store)
    assert {event["data"]["location"] for event in events} == {retailer.store}
    assert f"fulfillments/{here['fulfillments'][0]['id']}" in [event["subject"] for event in events]
    assert f"fulfillments/{there['fulfillments'][0]['id']}" not in [event["subject"] for event in events]
    assert everything(reader, after=after, location=retailer.store, limit=1) == events
    assert everything(reader, after=after, location=retailer.store, types="fulfillment.*") == events


def test_a_channel_has_its_events_alone(retailer, reader, database):
    after = now(reader, database)
    retailer.order()
    published(database)
    assert types(everything(reader, after=after, channel=retailer.channel))[0] == "order.created"
    assert everything(reader, after=after, channel="another-channel") == []


def test_a_page_that_looks_in_vain_goes_on(service, reader, database):
    """One look covers 10,000 positions: the page is empty, and its cursor has moved on."""
    published(database)
    after, head = now(reader, database), database.value("select revision from revisions where topic = 'events'")
    database.execute("insert into event_log (position, id, type, subject_kind, subject_id, version, occurred_at, published_at, data)"
                     " select n, gen_random_uuid(), 'pickup.reminder', 'fulfillments', 'x', 1, now(), now(), '{\"version\": 1}'"
                     " from generate_series(%s, %s) as n", head + 1, head + 10001)
    database.execute("update revisions set revision = %s where topic = 'events'", head + 10001)
    first = page(reader, after=after, types="order.*")
    assert first["data"] == [] and first["has_more"]
    second = page(reader, after=first["next_cursor"], types="order.*")
    assert second["data"] == [] and not second["has_more"]
    assert page(reader, after=after, subject="orders/none") == {"data": [], "next_cursor": second["next_cursor"], "has_more": False}


# Lists

def test_nothing_is_missed_after_the_cursor_of_a_list(retailer, reader, database):
    before = retailer.order().json()
    published(database)
    listed = retailer.api.get("/v1/orders", expect=200, params={"limit": 200})
    assert before["id"] in [order["id"] for order in listed.json()["data"]]
    later = retailer.order().json()
    published(database)
    subjects = [event["subject"] for event in everything(reader, after=listed.headers["Holdfast-Cursor"])]
    assert f"orders/{later['id']}" in subjects and f"orders/{before['id']}" not in subjects


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/returns", "/v1/products", "/v1/locations/{store}/inventory", "/v1/locations/{store}/queue"])
def test_lists_carry_a_cursor(retailer, reader, database, path):
    published(database)
    listed = retailer.api.get(path.format(store=retailer.store), expect=200)
    assert listed.headers["Holdfast-Cursor"] == now(reader, database)


# Refusals

def test_a_reader_needs_the_scope(service):
    assert code_of(service.client(scope="orders:read").get("/v1/events", expect=403)) == "insufficient-scope"
    assert code_of(service.client(scope="orders:read").get("/v1/events/stream", expect=403)) == "insufficient-scope"


@pytest.mark.parametrize("params, code", [
    ({"after": "x"}, "invalid-cursor"), ({"after": "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ"}, "invalid-cursor"),
    ({"types": "order.paid"}, "invalid-parameter"), ({"types": "order"}, "invalid-parameter"), ({"types": "order.*,"}, "invalid-parameter"),
    ({"subject": "orders"}, "invalid-parameter"), ({"subject": "planets/1"}, "invalid-parameter"), ({"subject": "orders/"}, "invalid-parameter"),
    ({"limit": 0}, "invalid-parameter"), ({"limit": 1001}, "invalid-parameter"), ({"aggregate": "x"}, "unknown-parameter")])
def test_a_query_that_means_nothing_is_refused(reader, params, code):
    assert code_of(reader.get("/v1/events", expect=400, params=params)) == code


def test_a_changed_cursor_is_refused(reader, database):
    cursor = now(reader, database)
    for place in (0, len(cursor) // 2, len(cursor) - 2):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1:]
        assert code_of(reader.get("/v1/events", expect=400, params={"after": changed})) == "invalid-cursor"


def test_a_cursor_of_another_list_is_refused(retailer, reader):
    retailer.order()
    retailer.order()
    other = retailer.api.get("/v1/orders", params={"limit": 1}, expect=200).json()["next_cursor"]
    assert code_of(reader.get("/v1/events", expect=400, params={"after": other})) == "invalid-cursor"


def test_a_token_sees_its_locations_alone(retailer, service, database):
    bound = service.client(scope=READER, locations=[retailer.store])
    other = service.client(scope=READER, locations=["elsewhere"])
    nowhere = service.client(scope=READER, locations=[])
    after = now(bound, database)
    retailer.order()
    published(database)
    assert types(everything(bound, after=after)) == ["fulfillment.allocated"]
    assert everything(other, after=after) == everything(nowhere, after=after) == []
    assert code_of(other.get("/v1/events", expect=403, params={"location": retailer.store})) == "store-not-allowed"


def test_a_token_of_a_channel_sees_its_channel_alone(retailer, service, database):
    bound, other = (service.client(scope=READER, channel=channel) for channel in (retailer.channel, "another-channel"))
    after = now(bound, database)
    retailer.order()
    published(database)
    assert "order.created" in types(everything(bound, after=after))
    assert everything(other, after=after) == []
    assert code_of(other.get("/v1/events", expect=403, params={"channel": retailer.channel})) == "channel-not-allowed"


def test_a_cursor_of_dropped_events_has_expired(services, new_database):
    url = new_database()
    instance = services(url)
    reader = instance.client(scope=READER)
    with Database(url) as database:
        shop = Retailer(instance.client()).create()
        published(database)
        early = now(reader, database)
        reader.put("/v1/consumers/slow", {"after": early}, expect=201)
        shop.order()
        published(database)
        last = database.value("select max(last) from event_log_parts")
        database.execute("insert into event_log (position, id, type, subject_kind, subject_id, version, occurred_at, published_at, data)"
                         " values (%s, gen_random_uuid(), 'order.reopened', 'orders', 'x', 1, now(), now() - interval '31 days', '{\"version\": 1}')", last)
        database.execute("update revisions set revision = %s where topic = 'events'", last)
        database.execute("select event_log_extend(10000)")
        eventually(lambda: database.count("event_log") == 0, 90, "the partition is dropped")
        refused = reader.get("/v1/events", expect=410, params={"after": early})
        assert code_of(refused) == "cursor-expired"
        assert page(reader, after=refused.json()["oldest_cursor"]) == page(reader, after="oldest")
        stream = Stream(instance, "/v1/events/stream", early, scope=READER)
        cursor, kind, _ = stream.event()
        assert kind == "resync" and cursor == now(reader, database)
        stream.close()
        first = database.value("select min(first) from event_log_parts")
        stream = Stream(instance, f"/v1/locations/{shop.store}/events", first - 2)
        assert stream.event()[1] == "resync"
        stream.close()
        shop.order()
        eventually(lambda: reader.get("/v1/consumers/slow", expect=200).json()["lag_s"] > 0, 30, "it is behind what is kept")


# Waiting

class Waiting(threading.Thread):
    """A request that waits for an event."""

    def __init__(self, reader, **params):
        super().__init__()
        self.reader, self.params = reader, params
        self.start()

    def run(self):
        self.reply = page(self.reader, headers={"Prefer": "wait=30"}, **self.params)

    def answer(self):
        self.join(60)
        return self.reply


def test_a_request_waits_for_the_next_event(retailer, service, reader, database):
    published(database)
    after = now(reader, database)
    waiting = [Waiting(service.client(scope=READER), after=after, **filters) for filters in ({}, {}, {"location": retailer.store})]
    eventually(lambda: service.figure("holdfast_waiting_requests") == 3, 30, "all wait")
    retailer.order()
    for each in waiting:
        answer = each.answer()
        assert answer["data"] and answer["next_cursor"] != after


def test_a_wait_passes_over_events_that_do_not_match(retailer, service, reader, database):
    published(database)
    after = now(reader, database)
    waiting = Waiting(service.client(scope=READER), after=after, types="order.cancelled")
    eventually(lambda: service.figure("holdfast_waiting_requests") == 1, 30, "it waits")
    order = retailer.order().json()
    published(database)
    retailer.api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "no"}, expect=200)
    assert types(waiting.answer()["data"]) == ["order.cancelled"]


def test_a_wait_that_runs_out_answers_with_no_event(reader, database):
    published(database)
    after = now(reader, database)
    reply = reader.get("/v1/events", expect=200, params={"after": after}, headers={"Prefer": "wait=1"})
    assert reply.json() == {"data": [], "next_cursor": after, "has_more": False}
    assert reply.headers["Preference-Applied"] == "wait=1"


# The stream

@pytest.fixture
def follow(service):
    opened = []

    def open_one(query="", last=None, **claims):
        claims.setdefault("scope", READER)
        opened.append(Stream(service, f"/v1/events/stream{query}", last, **claims))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def test_the_stream_sends_events_as_the_list_does(retailer, reader, follow, database):
    published(database)
    after = now(reader, database)
    follower, filtered = follow(), follow("?types=fulfillment.*")
    assert follower.status == 200 and follower.headers["content-type"] == "text/event-stream"
    assert follower.block() == filtered.block() == "retry: 3000"
    retailer.order()
    retailer.order()
    published(database)
    listed = everything(reader, after=after)
    seen = [follower.event() for _ in listed]
    assert [event for _, _, event in seen] == listed
    assert [kind for _, kind, _ in seen] == types(listed)
    assert seen[-1][0] == now(reader, database)
    assert [filtered.event()[2] for _ in range(2)] == [event for event in listed if event["type"] == "fulfillment.allocated"]


def test_a_stream_resumes_after_its_last_event(retailer, reader, follow, database):
    published(database)
    after = now(reader, database)
    for _ in range(3):
        retailer.order()
    published(database)
    listed = everything(reader, after=after)
    follower = follow(f"?after={after}")
    cursor = [follower.event() for _ in range(4)][-1][0]
    follower.close()
    again = follow("?after=oldest", last=cursor)
    assert [again.event()[2] for _ in listed[4:]] == listed[4:]


def test_a_stream_after_no_cursor_is_refused(service):
    reply = service.client(scope=READER).get("/v1/events/stream", expect=400, headers={"Last-Event-ID": "x"})
    assert code_of(reply) == "invalid-cursor"
