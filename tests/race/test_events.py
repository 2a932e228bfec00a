"""The log of events while publishers die: no event is lost, none is there twice, and readers see them in one order."""

import asyncio
import uuid

from support.crowd import Lost, Refused, crowd, shoppers
from support.database import Database
from support.event_log import assert_log_is_whole
from support.holdfast import Holdfast, make_token
from support.retailer import Retailer
from support.waiting import eventually

BUYERS, ORDERS, KILLS = 12, 8, 6


class Follower:
    """A reader that goes on page by page at any instance, and keeps what it was given."""

    def __init__(self, instances, token, query=""):
        self.shoppers = shoppers(len(instances), *instances, token=token)
        self.query, self.after, self.seen = query, "oldest", []

    async def page(self, turn, wait=2):
        answer = await self.shoppers[turn % len(self.shoppers)].ask(
            "GET", f"/v1/events?after={self.after}&limit=7{self.query}", headers={"Prefer": f"wait={wait}"})
        if answer.status != 200:
            return False
        page = answer.json()
        self.seen += [(event["sequence"], event["id"], event["subject"], event["data"]["version"]) for event in page["data"]]
        self.after = page["next_cursor"]
        return page["has_more"]

    async def follow(self, closed):
        turn = 0
        while not closed.is_set():
            turn += 1
            try:
                await self.page(turn)
            except (Lost, Refused):
                await asyncio.sleep(0.05)

    async def finish(self):
        for shopper in self.shoppers:
            shopper.leave()
        while await self.page(0, wait=0):
            pass


async def trade(shopper, shop):
    """Orders that are placed, assigned and cancelled, whatever instance is up."""
    for _ in range(ORDERS):
        order = (await shopper.insist("POST", "/v1/orders", shop.order_body(payment={"status": "authorized"}), str(uuid.uuid4()))).json()
        fulfillment = order["fulfillments"][0]["id"]
        for path, body in ((f"/v1/fulfillments/{fulfillment}/assign", {"assignee": "ana"}),
                           (f"/v1/orders/{order['id']}/cancel", {"reason": "no"})):
            answer = await shopper.insist("POST", path, body, str(uuid.uuid4()))
            assert answer.status == 200, answer


def test_no_event_is_lost_or_there_twice_while_publishers_die(new_database, work_directory):
    url, token = new_database(), make_token()
    instances = [Holdfast(url, work_directory, f"publisher-{n}").start() for n in (1, 2)]
    shop = Retailer(instances[0].client(), on_hand=10000).create()
    everything, fulfillments = Follower(instances, token), Follower(instances, token, "&types=fulfillment.*")

    kills = 0

    async def interrupt():
        nonlocal kills
        for n in range(KILLS):
            goal = len(everything.seen) + 40  # in the middle of it
            while len(everything.seen) < goal:
                await asyncio.sleep(0.02)
            await asyncio.to_thread(instances[n % 2].kill)
            kills += 1
            await asyncio.to_thread(instances[n % 2].start_again)

    async def whole():
        closed = asyncio.Event()
        following = [asyncio.create_task(each.follow(closed)) for each in (everything, fulfillments)]
        buyers = shoppers(BUYERS, *instances, token=token)
        killing = asyncio.create_task(interrupt())
        await asyncio.gather(*(trade(each, shop) for each in buyers))
        killing.cancel()
        closed.set()
        for result in await asyncio.gather(killing, *following, return_exceptions=True):
            if isinstance(result, Exception):  # a cancelled task is none
                raise result
        assert kills, "no publisher was killed"
        for instance in instances:
            if not instance.is_running():
                await asyncio.to_thread(instance.start_again)
        with Database(url) as database:
            await asyncio.to_thread(eventually, lambda: database.count("events_due") == 0, 60, "all is published")
        for each in (everything, fulfillments):
            await each.finish()

    try:
        asyncio.run(whole())
        with Database(url) as database:
            assert_log_is_whole(database)
            log = [(f"{row['position']:020}", row["id"], f"{row['subject_kind']}/{row['subject_id']}", row["version"], row["type"])
                   for row in database.rows("select position, id::text, subject_kind, subject_id, version, type from event_log order by position")]
            assert database.count("event_log", "type = 'order.created'") == BUYERS * ORDERS
            assert database.count("event_log", "type = 'order.cancelled'") == BUYERS * ORDERS
        assert everything.seen == [row[:4] for row in log]
        assert fulfillments.seen == [row[:4] for row in log if row[4].startswith("fulfillment.")]
        instances[0].assert_audit_clean()
        for instance in instances:
            instance.stop()
    finally:
        for instance in instances:
            instance.discard()


def test_of_many_calls_that_make_a_consumer_at_two_instances_one_does(pair, token):
    people = shoppers(20, *pair, token=token)
    for _ in range(10):
        path = f"/v1/consumers/{uuid.uuid4().hex}"
        answers = crowd(*(each.ask("PUT", path, {}, headers={"If-None-Match": "*"}) for each in people))
        assert sorted(answer.status for answer in answers) == [201] + [412] * 19
        assert crowd(people[0].ask("GET", path))[0].json()["version"] == 1


def test_calls_that_make_and_delete_a_consumer_leave_one_or_none(pair, token):
    """A delete answers 200 once for each 201. A call that meets a rival twice changes nothing and is asked to come back."""
    people = shoppers(24, *pair, token=token)
    for n in range(10):
        path = f"/v1/consumers/{uuid.uuid4().hex}"
        answers = crowd(*(each.ask(*(("PUT", path, {}) if (i + n) % 3 else ("DELETE", path))) for i, each in enumerate(people)))
        statuses = [answer.status for answer in answers]
        assert set(statuses) <= {200, 201, 404, 503}
        made = statuses.count(201)
        deleted = sum(answer.status == 200 for i, answer in enumerate(answers) if not (i + n) % 3)
        left = crowd(people[0].ask("GET", path))[0].status
        assert made - deleted == (left == 200)
