"""E-mails while instances die: each message is sent at least once, and all mails about one event have one Message-ID."""

import asyncio
import itertools
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from support.crowd import shoppers
from support.database import Database
from support.event_log import assert_log_is_whole
from support.holdfast import Holdfast, make_token
from support.mail import TAKEN, Catcher
from support.retailer import Retailer
from support.waiting import eventually

BUYERS, ORDERS, KILLS = 8, 12, 5
KINDS = ["order_placed", "cancelled"]


async def place_and_cancel(shopper, shop):
    for _ in range(ORDERS):
        order = (await shopper.insist("POST", "/v1/orders", shop.order_body(payment={"status": "authorized"}), str(uuid.uuid4()))).json()
        answer = await shopper.insist("POST", f"/v1/orders/{order['id']}/cancel", {"reason": "no"}, str(uuid.uuid4()))
        assert answer.status == 200, answer


def hurry(database):
    """Pauses between attempts end, and leases that are ten seconds old: their instance is dead, or slow."""
    database.execute("update notifications set due_at = now() where state = 'queued' and due_at > now()"
                     " and (leased_by is null or due_at < now() + interval '110 seconds')")


async def trade(shop, instances, token):
    await asyncio.gather(*(place_and_cancel(each, shop) for each in shoppers(BUYERS, *instances, token=token)))


def interrupt(instances, server, database):
    """Kill one instance after another while mails are sent."""
    for n in range(KILLS):
        goal = len(server.mails) + 12
        eventually(lambda goal=goal: hurry(database) or len(server.mails) >= goal, 60, "mails are sent")
        instances[n % 2].kill()
        instances[n % 2].start_again()


def test_each_message_is_sent_with_one_id_while_instances_die(new_database, work_directory):
    url, token = new_database(), make_token()
    turns = itertools.count(1)
    with Catcher(answer=lambda mail: "451 4.7.1 later" if next(turns) % 7 == 0 else TAKEN) as server:
        instances = [Holdfast(url, work_directory, f"mailer-{n}", smtp_url=server.url).start() for n in (1, 2)]
        shop = Retailer(instances[0].client(), on_hand=10000).create()
        messages = {"from": "shop@example.org", "locale": "en", "kinds": KINDS}
        shop.api.put(f"/v1/channels/{shop.channel}", {"name": "Web shop", "kind": "web", "notifications": messages}, expect=200)
        try:
            with Database(url) as database, ThreadPoolExecutor(1) as pool:
                trading = pool.submit(asyncio.run, trade(shop, instances, token))
                interrupt(instances, server, database)
                trading.result()
                n = BUYERS * ORDERS * len(KINDS)

                def all_sent():
                    hurry(database)
                    return database.count("notifications", "state = 'sent'") == n

                eventually(all_sent, 120, "every message is sent")
                assert database.count("notifications") == n
                assert database.value("select count(distinct (order_id, kind)) from notifications") == n
                eventually(lambda: database.count("events_due") == 0, 60, "all is published")
                assert_log_is_whole(database)
                assert database.count("event_log", "type = 'notification.sent'") == n
                ids = {f"<{row['message_id']}>" for row in database.rows("select message_id from notifications")}
            by_transition = defaultdict(set)
            for mail in server.taken():
                by_transition[mail.subject].add(mail.id)
            assert len(by_transition) == n, "each order has its own number, each kind its own words"
            assert {len(same) for same in by_transition.values()} == {1}
            assert set().union(*by_transition.values()) == ids
            instances[0].assert_audit_clean()
            for instance in instances:
                instance.stop()
        finally:
            for instance in instances:
                instance.discard()
