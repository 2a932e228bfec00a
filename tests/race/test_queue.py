"""The queue on two instances: a change at one is shown, streamed and woken for at the other."""

import asyncio
import uuid

import pytest

from support.crowd import Lost, Refused, Started, crowd, shoppers
from support.database import Database
from support.event_log import assert_log_is_whole
from support.holdfast import Holdfast, make_token
from support.retailer import Retailer
from support.waiting import eventually

WAITING = "holdfast_waiting_requests"


@pytest.fixture
def shop(pair):
    return Retailer(pair[0].client(), on_hand=1000).create()


def path_of(shop, what="queue"):
    return f"/v1/locations/{shop.store}/{what}"


async def place(shopper, shop):
    answer = await shopper.ask("POST", "/v1/orders", shop.order_body(), str(uuid.uuid4()))
    assert answer.status == 201, answer
    return answer.json()


async def act(shopper, fulfillment, verb, body):
    answer = await shopper.ask("POST", f"/v1/fulfillments/{fulfillment}/{verb}", body, str(uuid.uuid4()))
    assert answer.status == 200, answer
    return answer.json()


async def look(shopper, shop, tag=None, wait=0):
    headers = {"If-None-Match": tag} if tag else {}
    if wait:
        headers["Prefer"] = f"wait={wait}"
    answer = await shopper.ask("GET", path_of(shop), headers=headers)
    assert answer.status in (200, 304), answer
    return answer


def test_an_order_placed_at_one_instance_is_in_the_next_read_of_the_other(pair, shop, token):
    async def story():
        here, there = shoppers(2, *pair, token=token)
        tag = None
        for n in range(30):
            order = await place(here, shop)
            seen = await look(there, shop, tag)
            assert seen.status == 200, "a tag of before was said to hold"
            assert order["id"] in [card["order_id"] for card in seen.json()["data"]]
            assert len(seen.json()["data"]) == n + 1
            tag = seen.headers["etag"]
            assert (await look(there, shop, tag)).status == 304
            here, there = there, here

    crowd(story())


def test_a_request_that_waits_at_one_instance_wakes_for_a_change_at_the_other(pair, shop, token):
    tag = crowd(look(shoppers(1, pair[1], token=token)[0], shop))[0].headers["etag"]
    many = shoppers(50, pair[1], token=token)
    started = Started(*(look(each, shop, tag, wait=30) for each in many))
    eventually(lambda: pair[1].figure(WAITING) == 50, 60, "all wait")
    order, = crowd(place(shoppers(1, pair[0], token=token)[0], shop))
    answers = started.answers()
    assert {answer.status for answer in answers} == {200}
    assert {answer.body for answer in answers} == {answers[0].body}
    assert [card["order_id"] for card in answers[0].json()["data"]] == [order["id"]]


def test_an_event_without_a_notice_is_found_by_polling(pair, shop, token, database):
    """An instance may die after its commit and before it has told anybody."""
    async def story():
        here, there = shoppers(2, *pair, token=token)
        order = await place(here, shop)
        events = there.follow(path_of(shop, "events"), 0)
        assert (await anext(events))[1] == "fulfillment.allocated"
        await asyncio.to_thread(
            database.execute,
            "with next as (update revisions set revision = revision + 1 where topic = 'events' returning revision),"
            " here as (update revisions r set revision = next.revision from next where r.topic = 'events/' || %s returning 1),"
            " told as (insert into events (id, type, subject_kind, subject_id, version, order_id, location, actor, data, occurred_at)"
            "          select gen_random_uuid(), type, subject_kind, subject_id, version, order_id, location, actor, data, occurred_at"
            "            from events where subject_id = %s returning *)"
            " insert into event_log (position, id, type, subject_kind, subject_id, version, order_id, location, occurred_at, published_at, data)"
            " select next.revision, t.id, t.type, t.subject_kind, t.subject_id, t.version, t.order_id, t.location, t.occurred_at, now(), t.data"
            "   from told t cross join next cross join here",
            shop.store, order["fulfillments"][0]["id"])
        assert (await anext(events))[1] == "fulfillment.allocated"
        await events.aclose()

    crowd(story())


def test_changes_that_meet_are_all_counted(pair, shop, token, database):
    people = shoppers(20, *pair, token=token)
    revision = "select revision from revisions where topic = 'queue/' || %s"
    crowd(*(place(each, shop) for each in people))
    seen = crowd(look(shoppers(1, pair[0], token=token)[0], shop))[0]
    assert len(seen.json()["data"]) == 20
    assert f"-{database.value(revision, shop.store)}-" in seen.headers["etag"]


def test_two_instances_publish_each_event_once_and_in_order(pair, shop, token, database):
    """Both publish committed events of either; the positions have no gap and follow the order of each document's changes."""
    async def trade(shopper):
        for _ in range(5):
            fulfillment = (await place(shopper, shop))["fulfillments"][0]["id"]
            for assignee in ("ana", "bob", "cleo"):
                await act(shopper, fulfillment, "assign", {"assignee": assignee, "force": True})

    crowd(*(trade(each) for each in shoppers(12, *pair, token=token)))
    n = 12 * 5 * 4
    here = "location = %s and subject_kind = 'fulfillments'"
    eventually(lambda: database.count("event_log", here, shop.store) == n, 60, "published")
    rows = database.rows(
        "select position, subject_id as fulfillment, version from event_log"
        " where location = %s and subject_kind = 'fulfillments' order by position", shop.store)
    assert len(rows) == n
    assert_log_is_whole(database)
    versions = {}
    for row in rows:
        assert row["version"] == versions.get(row["fulfillment"], 0) + 1, row
        versions[row["fulfillment"]] = row["version"]
    assert database.value("select revision from revisions where topic = 'events/' || %s", shop.store) == rows[-1]["position"]
    assert database.count("events", here, shop.store) == n


def test_delayed_events_are_published_in_commit_order(pair, shop, token, database):
    here, = shoppers(1, pair[0], token=token)
    fulfillment = crowd(place(here, shop))[0]["fulfillments"][0]["id"]
    published = "select count(*) from event_log where location = %s and subject_kind = 'fulfillments'"
    eventually(lambda: database.value(published, shop.store) == 1, 60, "the first is published")

    async def assign():
        for n in range(5):
            await act(here, fulfillment, "assign", {"assignee": f"associate-{n}", "force": True})

    with database.transaction() as rows:
        rows("select from revisions where topic = 'events' for update")
        crowd(assign())
        assert database.value(published, shop.store) == 1
    eventually(lambda: database.value(published, shop.store) == 6, 60, "the others are")
    versions = [version for _, _, _, version in stream_of(database, shop.store)]
    assert versions == [1, 2, 3, 4, 5, 6]


# A day in the stores

STORES, DEVICES, ORDERS = 8, 40, 12


class Screen:
    """A device that follows the stream of its store, wherever it can, and keeps the events."""

    def __init__(self, store, instances, token):
        self.store, self.seen, self.last = store, [], 0
        self.shoppers = shoppers(len(instances), *instances, token=token)

    async def watch(self, closed):
        turn = 0
        while not closed.is_set():
            turn += 1
            try:
                async for position, kind, data in self.shoppers[turn % len(self.shoppers)].follow(
                        f"/v1/locations/{self.store}/events", self.last):
                    assert kind != "resync"
                    self.seen.append((position, kind, data["fulfillment_id"], data["version"]))
                    self.last = position
            except (Lost, Refused):
                pass
            await asyncio.sleep(0.05)


class Device:
    """A device that waits for changes of its queue, or asks again and again, and notes each state it is shown."""

    def __init__(self, store, instances, token, wait):
        self.store, self.wait, self.states, self.tag = store, wait, [], None
        self.shoppers = shoppers(len(instances), *instances, token=token)

    async def look(self, shopper, wait):
        headers = {"If-None-Match": self.tag} if self.tag else {}
        if wait:
            headers["Prefer"] = f"wait={wait}"
        answer = await shopper.ask("GET", f"/v1/locations/{self.store}/queue?limit=200", headers=headers)
        if answer.status == 200:
            self.tag = answer.headers["etag"]
            cards = {card["fulfillment_id"]: card["version"] for card in answer.json()["data"]}
            self.states.append((int(self.tag.split("-")[-4]), cards))
        return answer.status

    async def watch(self, closed):
        turn = 0
        while not closed.is_set():
            turn += 1
            try:
                await self.look(self.shoppers[turn % len(self.shoppers)], self.wait)
            except (Lost, Refused):
                pass
            await asyncio.sleep(0.02)


async def serve_customer(shopper, shop, store):
    """From the basket to the hands, whatever instance is up."""
    order = (await shopper.insist("POST", "/v1/orders", shop.order_body(location=store), str(uuid.uuid4()))).json()
    path = f"/v1/fulfillments/{order['fulfillments'][0]['id']}"
    for verb, body in (("assign", {"assignee": "ana"}), ("check-in", {"state": "on_the_way", "eta_minutes": 5}),
                       ("pick", {"lines": [{"sku": shop.sku, "quantity": 1}]}), ("ready", {"staging_location": "A1"}),
                       ("check-in", {"state": "arrived", "bay": "2"})):
        answer = await shopper.insist("POST", f"{path}/{verb}", body, str(uuid.uuid4()))
        assert answer.status == 200, answer
    code = (await shopper.insist("GET", path)).json()["pickup_code"]
    answer = await shopper.insist("POST", f"{path}/handover", {"proof": {"method": "code", "value": code}}, str(uuid.uuid4()))
    assert answer.status == 200, answer


def test_a_day_of_trade_is_seen_by_every_device_in_order(new_database, work_directory):
    """Half an hour in eight stores, without its pauses, while one of two instances is killed and comes back."""
    url, token = new_database(), make_token()
    instances = [Holdfast(url, work_directory, f"soak-{n}").start() for n in (1, 2)]
    try:
        day(instances, url, token)
        instances[0].assert_audit_clean()
        for each in instances:
            each.stop()
    finally:
        for each in instances:
            each.discard()


def day(instances, url, token):
    shop = Retailer(instances[0].client(), on_hand=0).create()
    stores = [f"soak-{n}" for n in range(STORES)]
    for store in stores:
        shop.create_location(store)
    shop.stock({(store, shop.sku): 1000 for store in stores})
    tokens = [make_token(subject=f"device-{n}") for n in range(DEVICES)]
    screens = [Screen(stores[n % STORES], instances, tokens[n]) for n in range(0, DEVICES, 2)]
    devices = [Device(stores[n % STORES], instances, tokens[n], wait=10 if n % 4 == 1 else 0) for n in range(1, DEVICES, 2)]

    async def trade(n):
        shopper, = shoppers(1, instances[n % 2], token=token)
        for _ in range(ORDERS):
            await serve_customer(shopper, shop, stores[n % STORES])

    async def interrupt():
        while sum(len(screen.seen) for screen in screens) < 100:  # in the middle of it
            await asyncio.sleep(0.02)
        await asyncio.to_thread(instances[1].kill)
        await asyncio.to_thread(instances[1].start_again)

    async def whole():
        closed = asyncio.Event()
        watching = [asyncio.create_task(each.watch(closed)) for each in screens + devices]
        await asyncio.gather(interrupt(), *(trade(n) for n in range(2 * STORES)))
        with Database(url) as database:
            ends = await asyncio.to_thread(published, database)
        for _ in range(600):
            if all(screen.last == ends[screen.store] for screen in screens):
                break
            await asyncio.sleep(0.1)
        closed.set()
        for task in watching:
            task.cancel()
        for result in await asyncio.gather(*watching, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        for device, shopper in zip(devices, shoppers(len(devices), instances[0], token=token)):
            await device.look(shopper, 0)

    asyncio.run(whole())
    with Database(url) as database:
        for screen in screens:
            assert screen.seen == stream_of(database, screen.store), f"a screen of {screen.store} saw something else"
    for device in devices:
        revisions = [revision for revision, _ in device.states]
        assert revisions == sorted(revisions), "a device was shown an older state after a newer one"
        assert device.states[-1][1] == {}, "all was handed over"
        newest = {}
        for _, cards in device.states:
            assert all(version >= newest.get(fulfillment, 0) for fulfillment, version in cards.items())
            newest.update(cards)


def published(database):
    """The position of the last event of each location once none is due."""
    eventually(lambda: database.count("events_due") == 0, 60, "all is published")
    assert_log_is_whole(database)
    return {row["location"]: row["position"] for row in database.rows(
        "select location, max(position) as position from event_log where subject_kind = 'fulfillments' group by location")}


def stream_of(database, store):
    rows = database.rows(
        "select position, type, subject_id as fulfillment, version from event_log"
        " where location = %s and subject_kind = 'fulfillments' order by position", store)
    return [(row["position"], row["type"], row["fulfillment"], row["version"]) for row in rows]
