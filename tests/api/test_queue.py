"""The queue of a location: its cards, their order, and the promise of its tag."""

import json
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from support import stream as support_stream
from support.waiting import eventually
from support.work import Work, code_of, faults

WAIT = {"Prefer": "wait=25"}


def queue(retailer, api=None, expect=200, headers=None, location=None, **params):
    path = f"/v1/locations/{location or retailer.store}/queue"
    return (api or retailer.api).get(path, expect=expect, headers=headers, params=params or None)


def shown(retailer, **params):
    """The orders of the cards, in order."""
    return [card["order_id"] for card in queue(retailer, **params).json()["data"]]


@pytest.fixture
def work(retailer, database):
    return lambda **fields: Work(retailer, database, **fields)


# Members of a card

def test_a_new_order_is_in_the_very_next_read(retailer, work):
    assert queue(retailer).json()["data"] == []

    it = work()

    card, = queue(retailer).json()["data"]
    assert card["fulfillment_id"] == it.id and card["order_number"] == it.order["order_number"]
    assert card["status"] == "allocated" and card["sla"] == "on_time" and card["customer_name"] == "Ada Lovelace"
    assert [(line["sku"], line["title"], line["quantity"], line["picked"], line["remaining"]) for line in card["lines"]] == [
        (retailer.skus[0], "Product 1", 3, 0, 3), (retailer.skus[1], "Product 2", 1, 0, 1)]
    assert card["promised_at"] == it.order["fulfillments"][0]["promised_at"]
    assert card["version"] == 1 and card["check_in"] is None


def test_a_card_shows_the_gtin_and_picture_its_product_has_now(retailer, work):
    work()
    tag = queue(retailer).headers["ETag"]
    retailer.api.put(f"/v1/products/{retailer.sku}", {
        "title": "Product 1", "gtin": "4006381333931", "image_url": "https://example.com/1.jpg"}, expect=200)

    card, = queue(retailer, headers={"If-None-Match": tag}).json()["data"]
    assert card["lines"][0]["gtin"] == "04006381333931"
    assert card["lines"][0]["image_url"] == "https://example.com/1.jpg"


def test_a_line_without_units_shows_what_its_product_has_now(retailer, work):
    """All units of the line are gone: short, cancelled, or handed over; the card is still there."""
    short, cancelled, collected = work(), work(), work()
    short.act("short", {"lines": [{"order_line_id": short.line(), "quantity": 3}], "reason": "customer_request"})
    cancelled.api.post(f"/v1/orders/{cancelled.order['id']}/cancel", {
        "reason": "too many", "lines": [{"order_line_id": cancelled.line(), "quantity": 3}]}, key=str(uuid.uuid4()), expect=200)
    collected.make_ready()
    collected.hand_over(lines=[{"order_line_id": collected.line(), "quantity": 3}])
    assert retailer.figures()["reserved"] == 0
    for gtin in ("04006381333931", "06291041500213"):
        tag = queue(retailer).headers["ETag"]
        retailer.api.put(f"/v1/products/{retailer.sku}", {"title": "Product 1", "gtin": gtin}, expect=200)
        cards = queue(retailer, expect=200, headers={"If-None-Match": tag}).json()["data"]
        assert [card["lines"][0]["gtin"] for card in cards] == [gtin] * 3


def test_a_queue_is_not_changed_by_members_of_a_product_that_no_card_shows(retailer, work):
    work()
    tag = queue(retailer).headers["ETag"]
    retailer.api.put(f"/v1/products/{retailer.sku}", {"title": "Product 1", "description": "Long"}, expect=200)
    retailer.create_product(f"new-{retailer.tag}")
    queue(retailer, expect=304, headers={"If-None-Match": tag})


def test_every_step_shows_in_the_next_read_until_it_has_left(retailer, work):
    it = work()
    it.pick_all()
    assert queue(retailer).json()["data"][0]["status"] == "picking"
    it.act("ready", {"staging_location": "shelf 7"})
    card, = queue(retailer).json()["data"]
    assert card["status"] == "ready" and card["staging_location"] == "shelf 7" and card["hold_until"]
    it.act("check-in", {"state": "arrived", "bay": "4"})
    card, = queue(retailer).json()["data"]
    assert card["status"] == "arrived" and card["check_in"]["bay"] == "4"
    it.hand_over()
    assert queue(retailer).json()["data"] == []


def test_a_rejected_or_cancelled_fulfillment_is_gone_from_the_queue(retailer, work):
    rejected, cancelled = work(), work()
    rejected.act("reject", {"reason": "customer_request"})
    cancelled.act("cancel", {"reason": "changed their mind"})
    assert queue(retailer).json()["data"] == []


def test_a_card_lists_the_actions_of_its_bearer(retailer, work, service):
    it = work()
    assert "pick" in queue(retailer).json()["data"][0]["allowed_actions"]
    reader = service.client(scope="fulfillment:read")
    assert queue(retailer, api=reader).json()["data"][0]["allowed_actions"] == []
    it.pick_all()
    allowed = queue(retailer).json()["data"][0]["allowed_actions"]
    assert "ready" in allowed and "pick" not in allowed


# Order, filters, search

def test_arrived_customers_come_first_then_the_earliest_promise(retailer, work):
    first, second, third = work(lines={retailer.sku: 1}), work(lines={retailer.sku: 1}), work(lines={retailer.sku: 1})
    third.act("check-in", {"state": "arrived"})

    assert shown(retailer) == [third.order["id"], first.order["id"], second.order["id"]]
    assert shown(retailer, sort="-promised_at") == [third.order["id"], second.order["id"], first.order["id"]]
    assert shown(retailer, sort="-created_at") == [third.order["id"], second.order["id"], first.order["id"]]


def test_a_card_names_the_alternate_pickup_person(retailer, work):
    it = work(lines={retailer.sku: 1})
    it.act("recipient", {"name": "Grace Hopper", "relation": "friend"})
    card, = queue(retailer, q="hopper").json()["data"]
    assert card["recipient"]["name"] == "Grace Hopper" and card["slot"] is None and card["replaces"] is None


def test_the_queue_is_filtered_by_status_method_assignee_and_time(retailer, work):
    pickup, ship = work(lines={retailer.sku: 1}), work(lines={retailer.sku: 1}, method="ship")
    curb = work(lines={retailer.sku: 1}, method="curbside")
    pickup.act("assign", {"assignee": "ana"})
    curb.act("pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]})
    curb.act("ready")
    curb.act("check-in", {"state": "on_the_way"})

    assert shown(retailer, method="ship") == [ship.order["id"]]
    assert set(shown(retailer, method="pickup,ship")) == {pickup.order["id"], ship.order["id"]}
    assert shown(retailer, assignee="ana") == [pickup.order["id"]]
    assert shown(retailer, status="on_the_way") == [curb.order["id"]]
    assert shown(retailer, status="ready") == []
    assert set(shown(retailer, status="allocated,on_the_way")) == {each.order["id"] for each in (pickup, ship, curb)}
    long_ago = "2020-01-01T00:00:00Z"
    assert shown(retailer, promised_before=long_ago) == []


@pytest.mark.parametrize("words", ["Lovelace", "lOVe", "4711", "3 47-11", "number", "plain number"])
def test_a_card_is_found_by_name_phone_and_number(retailer, work, words):
    it = work(lines={retailer.sku: 1}, customer={"name": "Ada Lovelace", "phone": "+49 30 1234711"})
    work(lines={retailer.sku: 1}, customer={"name": "Grace Hopper", "phone": "+1 202 5550100"})
    number = it.order["order_number"]
    wanted = {"number": number[2:9].lower(), "plain number": number.replace("-", "")[1:8]}.get(words, words)

    assert shown(retailer, q=wanted) == [it.order["id"]]


def test_pattern_characters_are_searched_literally(retailer, work):
    work(lines={retailer.sku: 1}, customer={"name": "Ada Lovelace"})
    assert shown(retailer, q="%") == [] and shown(retailer, q="A_a") == [] and shown(retailer, q="\\") == []


def test_pages_follow_each_other_without_a_gap_or_a_repeat(retailer, work):
    made = [work(lines={retailer.sku: 1}) for _ in range(5)]
    made[3].act("check-in", {"state": "arrived"})
    seen, cursor = [], None
    for _ in range(5):
        page = queue(retailer, limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [card["order_id"] for card in page["data"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == [made[n].order["id"] for n in (3, 0, 1, 2, 4)]


def test_a_cursor_is_good_for_its_own_list_only(retailer, work):
    for _ in range(2):
        work(lines={retailer.sku: 1})
    cursor = queue(retailer, limit=1).json()["next_cursor"]
    assert code_of(queue(retailer, expect=400, limit=1, cursor=cursor, status="ready")) == "invalid-cursor"
    assert code_of(queue(retailer, expect=400, cursor=cursor[:-2] + "xx")) == "invalid-cursor"


@pytest.mark.parametrize("params, code", [
    ({"status": "handed_over"}, "invalid-parameter"), ({"status": "lost"}, "invalid-parameter"),
    ({"method": "pigeon"}, "invalid-parameter"), ({"sort": "name"}, "invalid-parameter"),
    ({"colour": "red"}, "unknown-parameter"), ({"limit": "0"}, "invalid-parameter"),
    ({"promised_before": "tomorrow"}, "invalid-parameter"), ({"q": ""}, "invalid-parameter")])
def test_an_unknown_filter_is_refused(retailer, params, code):
    assert code_of(queue(retailer, expect=400, **params)) == code


def test_the_queue_of_an_unknown_location_is_not_found(retailer):
    assert code_of(queue(retailer, expect=404, location="nowhere-" + retailer.tag)) == "not-found"


def test_a_location_outside_the_token_is_refused(retailer, service):
    other = service.client(locations=[retailer.other_store])
    for path in ("queue", "queue/counts", "events"):
        reply = other.get(f"/v1/locations/{retailer.store}/{path}", expect=403)
        assert code_of(reply) == "store-not-allowed"
    reply = other.post(f"/v1/locations/{retailer.store}/scan", {"code": "X"}, expect=403, key=None)
    assert code_of(reply) == "store-not-allowed"


# The tag

def test_an_unchanged_queue_costs_a_304(retailer, work):
    work()
    first = queue(retailer)
    assert first.headers["Cache-Control"] == "private, no-cache" and first.headers["Vary"].startswith("Authorization")
    again = queue(retailer, expect=304, headers={"If-None-Match": first.headers["ETag"]})
    assert again.headers["ETag"] == first.headers["ETag"] and again.content == b""
    assert queue(retailer, expect=304, headers={"If-None-Match": f'"x", {first.headers["ETag"]}'}).content == b""


@pytest.mark.parametrize("change", ["assign", "pick", "check-in", "cancel", "order"])
def test_each_change_makes_another_tag(retailer, work, change):
    it = work()
    tag = queue(retailer).headers["ETag"]
    if change == "order":
        work()
    else:
        it.act(change, {"assign": {"assignee": "ana"}, "pick": {"lines": [{"sku": retailer.sku, "quantity": 1}]},
                        "check-in": {"state": "arrived"}, "cancel": {"reason": "no"}}[change])
    changed = queue(retailer, headers={"If-None-Match": tag})
    assert changed.headers["ETag"] != tag


def test_a_change_elsewhere_leaves_the_tag_alone(retailer, work):
    work()
    tag = queue(retailer).headers["ETag"]
    retailer.order(location=retailer.other_store)
    queue(retailer, expect=304, headers={"If-None-Match": tag})


def test_a_tag_belongs_to_its_filters_and_its_bearers_permissions(retailer, work, service):
    work()
    tag = queue(retailer).headers["ETag"]
    queue(retailer, expect=200, headers={"If-None-Match": tag}, status="allocated")
    queue(retailer, api=service.client(scope="fulfillment:read"), expect=200, headers={"If-None-Match": tag})


def test_a_tag_ends_when_time_changes_the_queue(retailer, work, database):
    """The promise comes closer without anybody changing anything."""
    it = work()
    until = lambda reply: int(reply.headers["ETag"].split("-")[-1].strip('"'))  # noqa: E731
    promised = datetime.fromisoformat(it.order["fulfillments"][0]["promised_at"].replace("Z", "+00:00"))
    assert abs(until(queue(retailer)) / 1e6 - (promised - timedelta(minutes=30)).timestamp()) < 1

    def promise(delta):
        database.execute("update fulfillments set promised_at = now() + %s where id = %s", delta, it.id)
        reply = queue(retailer)
        return reply.json()["data"][0]["sla"], reply

    sla, reply = promise(timedelta(minutes=10))
    assert sla == "at_risk" and until(reply) > time.time() * 1e6
    stale = reply.headers["ETag"].replace(str(until(reply)), str(int((time.time() - 1) * 1e6)))
    queue(retailer, expect=200, headers={"If-None-Match": stale})
    sla, reply = promise(-timedelta(minutes=1))
    assert sla == "overdue" and until(reply) == 0


def test_head_answers_as_get_does(retailer, work):
    work()
    full = queue(retailer)
    head = retailer.api.head(f"/v1/locations/{retailer.store}/queue", expect=200)
    assert head.headers["ETag"] == full.headers["ETag"] and head.headers["Content-Length"] == full.headers["Content-Length"]


def test_counts_tell_how_much_there_is_to_do(retailer, work, database):
    its = [work(lines={retailer.sku: 1}) for _ in range(3)]
    its[0].act("pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]})
    its[1].act("pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]})
    its[1].act("ready")
    its[1].act("check-in", {"state": "arrived"})
    path = f"/v1/locations/{retailer.store}/queue/counts"
    reply = retailer.api.get(path, expect=200)
    assert reply.json() == {"allocated": 1, "arrived": 1, "on_the_way": 0, "packed": 0, "picking": 1, "ready": 0, "overdue": 0}
    assert retailer.api.get(path, expect=304, headers={"If-None-Match": reply.headers["ETag"]}).content == b""

    database.execute("update fulfillments set promised_at = now() - interval '1 minute' where id = %s", its[2].id)
    assert retailer.api.get(path, expect=200).json()["overdue"] == 1


# Waiting

class Waiting:
    """A request that may take a while, on a separate connection and thread."""

    def __init__(self, retailer, service, tag, headers=None, path=None, **claims):
        self.client = service.client(**claims)
        self.reply = None
        self.thread = threading.Thread(target=self._ask, daemon=True, args=(
            path or f"/v1/locations/{retailer.store}/queue", {"If-None-Match": tag, **WAIT, **(headers or {})}))
        self.thread.start()

    def _ask(self, path, headers):
        self.reply = self.client.get(path, headers=headers)

    def answer(self):
        self.thread.join(60)
        assert self.reply is not None, "it was not answered"
        return self.reply


def parked(service, n):
    eventually(lambda: service.figure("holdfast_waiting_requests") == n, 30, f"{n} requests wait")


def test_a_waiting_poll_wakes_with_the_change(retailer, work, service):
    tag = queue(retailer).headers["ETag"]
    waiting = Waiting(retailer, service, tag)
    parked(service, 1)
    it = work()

    reply = waiting.answer()
    assert reply.status_code == 200 and reply.headers["Preference-Applied"] == "wait=25"
    assert [card["fulfillment_id"] for card in reply.json()["data"]] == [it.id]
    parked(service, 0)


def test_a_wait_that_ends_in_vain_is_answered_304(retailer, service):
    tag = queue(retailer).headers["ETag"]
    reply = queue(retailer, expect=304, headers={"If-None-Match": tag, "Prefer": "respond-async, wait=1"})
    assert reply.headers["Preference-Applied"] == "wait=1" and reply.headers["ETag"] == tag


@pytest.mark.parametrize("preference, applied", [
    ("wait = 1", "wait=1"), ("respond-async, WAIT=1; x=y", "wait=1"), ("wait=1.5", None), ("wait=1x", None), ("wait=", None),
    ("waiting=1", None), ("wait=-1", None), ("wait=0", None), ("wait", None), ("", None)])
def test_a_preference_is_read_as_its_standard_says(retailer, preference, applied):
    tag = queue(retailer).headers["ETag"]
    reply = queue(retailer, expect=304, headers={"If-None-Match": tag, "Prefer": preference})
    assert reply.headers.get("Preference-Applied") == applied


def test_a_client_without_the_newest_state_need_not_wait(retailer, work):
    tag = queue(retailer).headers["ETag"]
    work()
    reply = queue(retailer, headers={"If-None-Match": tag, **WAIT})
    assert len(reply.json()["data"]) == 1


def test_without_a_tag_there_is_nothing_to_wait_for(retailer):
    assert "Preference-Applied" not in queue(retailer, headers=WAIT).headers


def test_a_change_elsewhere_wakes_nobody(retailer, work, service):
    tag = queue(retailer).headers["ETag"]
    waiting = Waiting(retailer, service, tag)
    parked(service, 1)
    retailer.order(location=retailer.other_store)
    work()
    assert [card["order_id"] for card in waiting.answer().json()["data"]] == shown(retailer)


def test_many_waiting_clients_wake_to_the_same_queue(retailer, work, service):
    tag = queue(retailer).headers["ETag"]
    many = [Waiting(retailer, service, tag) for _ in range(20)]
    parked(service, 20)
    before = service.figure("holdfast_lane_calls_total", lane="read")
    work()
    bodies = {each.answer().content for each in many}
    assert len(bodies) == 1
    assert service.figure("holdfast_lane_calls_total", lane="read") - before < 10, "each asked for itself"


def test_a_client_with_fewer_permissions_wakes_to_its_own_view(retailer, work, service):
    readers = {"scope": "fulfillment:read"}
    full = queue(retailer).headers["ETag"]
    less = queue(retailer, api=service.client(**readers)).headers["ETag"]
    both = Waiting(retailer, service, full), Waiting(retailer, service, less, **readers)
    parked(service, 2)
    work()
    actions = [each.answer().json()["data"][0]["allowed_actions"] for each in both]
    assert "pick" in actions[0] and actions[1] == []


def test_counts_wait_as_well(retailer, work, service):
    path = f"/v1/locations/{retailer.store}/queue/counts"
    tag = retailer.api.get(path, expect=200).headers["ETag"]
    waiting = Waiting(retailer, service, tag, path=path)
    parked(service, 1)
    work()
    assert waiting.answer().json()["allocated"] == 1


def test_a_client_that_hangs_up_leaves_no_trace(retailer, service):
    import socket
    tag = queue(retailer).headers["ETag"]
    with socket.create_connection(service.address) as client:
        client.sendall((f"GET /v1/locations/{retailer.store}/queue HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\n"
                        f"If-None-Match: {tag}\r\nAuthorization: Bearer {retailer.api.token}\r\n\r\n").encode())
        parked(service, 1)
    parked(service, 0)


def test_one_bearer_may_not_wait_without_bound(retailer, service):
    import socket
    tag = queue(retailer).headers["ETag"]
    token = service.client(subject="crowd").token
    request = (f"GET /v1/locations/{retailer.store}/queue HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\n"
               f"If-None-Match: {tag}\r\nAuthorization: Bearer {token}\r\n\r\n").encode()
    sockets = [socket.create_connection(service.address) for _ in range(200)]
    try:
        for each in sockets:
            each.sendall(request)
        parked(service, 200)
        reply = service.client(token=token).get(
            f"/v1/locations/{retailer.store}/queue", expect=429, headers={"If-None-Match": tag, **WAIT})
        assert code_of(reply) == "quota-exceeded" and reply.headers["Retry-After"] == "1"
        queue(retailer, expect=304, headers={"If-None-Match": tag, "Prefer": "wait=1"})
    finally:
        for each in sockets:
            each.close()
    parked(service, 0)


def test_waiting_polls_are_answered_when_the_instance_stops(retailer, work, services, service):
    instance = services(service.database_url)
    tag = queue(retailer).headers["ETag"]
    waiting = Waiting(retailer, instance, tag)
    parked(instance, 1)
    instance.terminate()
    assert waiting.answer().status_code == 304
    instance.wait_stopped()


# The stream

class Stream(support_stream.Stream):
    """A reader of a location's stream."""

    def __init__(self, retailer, service, last=None, **claims):
        claims.setdefault("scope", "fulfillment:read")
        super().__init__(service, f"/v1/locations/{retailer.store}/events", last, **claims)

    def event(self):
        position, kind, data = super().event()
        return int(position), kind, data


@pytest.fixture
def stream(retailer, service):
    opened = []

    def open_one(*args, **claims):
        opened.append(Stream(retailer, service, *args, **claims))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def test_the_stream_sends_every_event_at_once_and_in_order(work, stream, retailer):
    follower = stream()
    assert follower.status == 200 and follower.headers["content-type"] == "text/event-stream"
    assert follower.headers["cache-control"] == "no-store" and follower.headers["x-accel-buffering"] == "no"
    assert follower.block() == "retry: 3000"
    it = work()
    it.pick_all()
    it.act("ready")
    events = [follower.event() for _ in range(3)]
    assert [kind for _, kind, _ in events][0] == "fulfillment.allocated"
    positions = [position for position, _, _ in events]
    assert positions == sorted(set(positions))
    assert {data["fulfillment_id"] for _, _, data in events} == {it.id}
    versions = [data["version"] for _, _, data in events]
    assert versions == sorted(versions)
    assert all(data["location"] == retailer.store for _, _, data in events)


def test_a_reconnected_client_misses_no_event_and_gets_none_twice(work, stream):
    follower = stream()
    it = work()
    position, _, _ = follower.event()
    follower.close()
    it.act("assign", {"assignee": "ana"})
    it.act("assign", {"assignee": "bob", "force": True})
    again = stream(position)
    told = [again.event(), again.event()]
    assert [data["assignee"] for _, _, data in told] == ["ana", "bob"]
    assert position < told[0][0] < told[1][0]


def test_a_position_outside_the_log_gets_a_resync(work, stream, database, retailer):
    work(lines={retailer.sku: 1})
    work(lines={retailer.sku: 1})
    positions = places(database, retailer, 2)
    head, first = database.value("select revision from revisions where topic = 'events'"), database.value("select min(first) from event_log_parts")
    assert stream(head + 99).event()[1] == "resync"
    assert stream(first - 1).event()[:2] == (positions[0], "fulfillment.allocated")
    assert stream(positions[0]).event()[:2] == (positions[1], "fulfillment.allocated")


def places(database, retailer, n):
    """The positions of the events of the store, once there are n."""
    rows = "select position from event_log where location = %s and subject_kind = 'fulfillments' order by position"
    eventually(lambda: len(database.rows(rows, retailer.store)) == n, 30, "published")
    return [row["position"] for row in database.rows(rows, retailer.store)]


def test_a_client_that_missed_more_than_one_read_gets_every_event(work, stream, database, retailer):
    it = work(lines={retailer.sku: 1})
    position, = places(database, retailer, 1)
    database.execute("with more as (insert into events (id, type, subject_kind, subject_id, version, order_id, location, actor, data, occurred_at)"
                     "              select gen_random_uuid(), 'fulfillment.packed', subject_kind, subject_id, version, order_id, location,"
                     "                     actor, data, occurred_at"
                     "                from events, generate_series(2, 1203) where subject_id = %s returning id)"
                     " insert into events_due (ids) select array_agg(id) from (select id, row_number() over () / 200 as n from more) as each"
                     "  group by n", it.id)
    places(database, retailer, 1203)
    follower = stream(position - 1)
    seen = [follower.event()[0] for _ in range(1203)]
    assert seen == places(database, retailer, 1203)


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "99999999999999999999"])
def test_an_id_that_no_stream_gives_is_refused(retailer, last):
    reply = retailer.api.get(f"/v1/locations/{retailer.store}/events", expect=400, headers={"Last-Event-ID": last})
    assert code_of(reply) == "invalid-parameter"


def test_a_stream_of_an_unknown_location_is_not_found(retailer):
    retailer.api.get(f"/v1/locations/no-{retailer.tag}/events", expect=404)


def test_a_stream_ends_with_its_token(stream):
    """The leeway of clocks counts: a token that expired almost a minute ago lives for some seconds."""
    follower = stream(ttl=-57)
    assert follower.status == 200
    assert follower.block() == "retry: 3000"
    while (block := follower.block()) is not None:
        assert block == ":"


def test_streams_end_when_the_instance_stops(retailer, services, service):
    instance = services(service.database_url)
    follower = Stream(retailer, instance)
    assert follower.block() == "retry: 3000"
    instance.terminate()
    assert follower.block() is None
    follower.close()
    instance.wait_stopped()


def test_a_follower_that_leaves_is_noticed(stream, service):
    follower = stream()
    follower.block()
    parked(service, 1)
    follower.close()
    parked(service, 0)


# Scanning

def scan(retailer, code, expect=200, api=None):
    return (api or retailer.api).post(f"/v1/locations/{retailer.store}/scan", {"code": code}, expect=expect, key=None)


def test_one_box_knows_orders_codes_fulfillments_and_products(retailer, work):
    it = work()
    retailer.api.put(f"/v1/products/{retailer.sku}", {"title": "Mug", "gtin": "4006381333931"}, expect=200)
    number = it.order["order_number"]
    for code, kind in ((number, "order"), (number.replace("-", "").lower(), "order"), (it.id, "fulfillment"), (it.id.upper(), "fulfillment"),
                       (it.code(), "pickup_code"), (it.code().lower(), "pickup_code")):
        found = scan(retailer, code).json()
        assert found["kind"] == kind and [card["fulfillment_id"] for card in found["matches"]] == [it.id], code
        assert found["matches"][0]["customer_name"] == "Ada Lovelace"
    for code in (retailer.sku, "4006381333931", "04006381333931", "https://id.example/01/04006381333931?10=AB"):
        found = scan(retailer, code).json()
        assert found["kind"] == "product"
        assert retailer.sku in [product["sku"] for product in found["matches"]], code


def test_a_code_of_another_store_matches_nothing(retailer, database):
    other = retailer.order(location=retailer.other_store).json()
    for code in (other["order_number"], other["fulfillments"][0]["id"], "ZZZZZZZZ", str(uuid.uuid4()), "what?"):
        assert scan(retailer, code).json() == {"kind": None, "matches": []}


@pytest.mark.parametrize("code", ["x" * 5000, ""])
def test_a_scan_of_nothing_or_of_5000_characters_is_refused(retailer, code):
    reply = scan(retailer, code, expect=422)
    assert code_of(reply) == "validation-failed" and "#/code" in faults(reply)
