"""Upgrade a shop that is open from an older program to this one; see upgrade.sh, which builds both."""

import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections import Counter
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx  # noqa: E402

from support.client import Client  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.contract import Contract  # noqa: E402
from support.crowd import Lost, Refused, Shopper, Started  # noqa: E402
from support.database import Database  # noqa: E402
from support.holdfast import Holdfast, make_token  # noqa: E402
from support.retailer import Retailer  # noqa: E402
from support.waiting import eventually  # noqa: E402

OK, FAILED, TRY_LATER = 0, 1, 75
CUSTOMERS = 6
UNITS = 1_000_000
STEADY_ORDERS = 60  # each way in which an order can go, before the next thing happens
WITHIN_S = 60
PAUSE_S = 0.05


_made = []  # instances, none of which may outlive the test


class Newer(Holdfast):
    """An instance of this program."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        _made.append(self)


class Older(Newer):
    """An instance of the program from before the newest migration."""

    @staticmethod
    def program():
        return os.environ["HOLDFAST_OLDER_BINARY"]


class OlderClient(Client):
    """The older program keeps to the contract of its time."""

    @staticmethod
    @lru_cache(maxsize=1)
    def contract():
        return Contract.load(Path(Older.program()).parents[1] / "api")


class Shop:
    """Customers order, staff do the work, and the balancer sends each request to any of `balance`."""

    def __init__(self, retailer, balance):
        self.retailer = retailer
        self.balance = list(balance)
        self.token = make_token()
        self.done = Counter()  # how many orders went which way
        self.troubles = []  # answers that nobody should have got
        self.left = []  # orders of which the work is left for another day
        self.open = True
        self.started = Started(*(self._customer(list(WAYS)[n % len(WAYS)]) for n in range(CUSTOMERS)))

    async def _customer(self, way):
        shoppers = {}
        while self.open:
            await WAYS[way](self, shoppers)
            self.done[way] += 1

    async def ask(self, shoppers, method, path, body=None, expect=200):
        """One answer, of any instance; repeated with its key while an instance goes away or asks for it."""
        key = str(uuid.uuid4()) if method == "POST" else None
        while True:
            instance = random.choice(self.balance)
            shopper = shoppers.setdefault(instance, Shopper(instance, self.token))
            try:
                answer = await shopper.ask(method, path, body, key)
                if answer.code != "idempotency-in-progress":
                    break
            except (Lost, Refused):  # it is being stopped
                pass
            await asyncio.sleep(PAUSE_S)
        if answer.status != expect:
            self.troubles.append(f"{method} {path} at {instance.name}: {answer!r}")
            raise AssertionError(self.troubles[-1])
        return answer.json()

    async def place(self, shoppers, **fields):
        order = await self.ask(shoppers, "POST", "/v1/orders", self.retailer.order_body({self.retailer.sku: 2}, **fields), expect=201)
        return order, f"/v1/fulfillments/{order['fulfillments'][0]['id']}"

    async def collect(self, shoppers):
        """Placed, found in the queue, picked, ready, handed over."""
        order, path = await self.place(shoppers, payment={"status": "captured"})
        await self.ask(shoppers, "GET", f"/v1/locations/{self.retailer.store}/queue?limit=5")
        await self.finish(shoppers, order, path)

    async def finish(self, shoppers, order, path):
        lines = [{"order_line_id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
        await self.ask(shoppers, "POST", f"{path}/pick", {"lines": lines})
        await self.ask(shoppers, "POST", f"{path}/ready", {})
        code = (await self.ask(shoppers, "GET", path))["pickup_code"]
        await self.ask(shoppers, "POST", f"{path}/handover", {"proof": {"method": "code", "value": code}})
        assert (await self.ask(shoppers, "GET", f"/v1/orders/{order['id']}"))["status"] == "fulfilled"

    async def cancel(self, shoppers):
        order, _ = await self.place(shoppers, payment={"status": "captured"})
        await self.ask(shoppers, "POST", f"/v1/orders/{order['id']}/cancel", {"reason": "not wanted"})

    async def reserve(self, shoppers):
        """Reserved first, then ordered; the work is left."""
        body = {"location": self.retailer.store, "lines": [{"sku": self.retailer.sku, "quantity": 2}]}
        held = await self.ask(shoppers, "POST", "/v1/reservations", body, expect=201)
        self.left.append(await self.place(shoppers, reservation_id=held["id"], payment={"status": "captured"}))

    def wait_steady(self):
        """Until orders have gone each way, begun and ended after now."""
        before = Counter(self.done)
        wanted = STEADY_ORDERS // len(WAYS)
        eventually(lambda: self.troubles or all(self.done[way] >= before[way] + wanted for way in WAYS), WITHIN_S, "orders go every way")
        assert not self.troubles, "\n".join(self.troubles[:5])

    def close(self):
        self.open = False
        self.started.answers()
        assert not self.troubles, "\n".join(self.troubles[:5])


WAYS = {"collected": Shop.collect, "cancelled": Shop.cancel, "reserved first": Shop.reserve}


def say(text):
    print(f"passed: {text}", flush=True)


def version_of(url):
    with Database(url) as database:
        return database.value("select max(version) from schema_migration")


def finish_what_was_left(shop):
    """All work that is left from before is done by the program that serves now."""
    async def work():
        shoppers = {}
        for order, path in shop.left:
            await shop.finish(shoppers, order, path)
    asyncio.run(work())
    return len(shop.left)


def upgrade_beside(older, newer, shop):
    """The steps are compatible."""
    newer.run("migrate", check=OK)
    shop.wait_steady()
    say("the schema is migrated while the older program serves, and no request fails")
    newer.start()
    shop.balance.append(newer)
    shop.wait_steady()
    say("both serve together, each goes on with the orders of the other")
    older.run("audit", check=OK)
    newer.run("audit", check=OK)
    say("the audit of either is clean while both serve")
    shop.balance.remove(older)
    older.stop()
    shop.wait_steady()
    older.run("migrate", check=OK)
    older.start()
    shop.balance.append(older)
    shop.wait_steady()
    say("the older program can be taken back: its migrate has nothing to do, and it serves again")
    shop.balance.remove(older)
    older.stop()


def upgrade_with_a_stop(url, older, newer, shop, directory, cluster):
    """A step is not compatible."""
    before = version_of(url)
    refused = newer.run("migrate", check=TRY_LATER)
    assert "stop holdfast everywhere" in refused.stderr, refused.stderr
    shop.wait_steady()
    assert older.is_ready()
    say(f"migrate does not run beside the older program: {refused.stderr.strip()}")
    shop.close()
    older.stop()
    assert version_of(url) == before
    newer.run("migrate", check=OK)
    refused = older.run("serve", check=FAILED)
    assert "use the program that migrated it, or a newer one" in refused.stderr, refused.stderr
    say(f"once it is migrated the older program refuses to serve: {refused.stderr.strip()}")
    older.run("migrate", check=FAILED)
    check_who_was_cut_off(url, directory, cluster)
    newer.start()


def check_who_was_cut_off(url, directory, cluster):
    """An older instance that lived on without its database finds one that was migrated meanwhile."""
    late = Older(cluster.url("late"), directory, "late").start(wait=False)
    with Database(cluster.url()) as database:
        database.execute(f'create database late template "{url.rpartition("/")[2]}"')
    eventually(lambda: schema_check(late) == "fail", WITHIN_S, "it has looked at the schema")
    reply = OlderClient(late.url, make_token(scope="admin")).put("/v1/channels/late", {"name": "Late", "kind": "web"}, expect=503)
    assert reply.json()["code"] == "database-unavailable"
    with Database(cluster.url("late")) as database:
        assert database.count("channels", "code = 'late'") == 0
    assert not late.is_ready()
    late.stop()
    say("an older instance that lived on without its database is not ready and writes nothing")


def schema_check(instance):
    """What /readyz says about the schema; None while the database does not answer."""
    reply = httpx.get(instance.admin_url + "/readyz", trust_env=False)
    return reply.json()["checks"].get("schema", [{}])[0].get("status")


def what_is_to_come(directory, cluster, before):
    """The version the newer program needs, and the steps to it that are not compatible."""
    url = cluster.create_database()
    Newer(url, directory, "empty").run("migrate", check=OK)
    with Database(url) as database:
        steps = database.rows("select name, compatible from schema_migration where version > %s order by version", before)
    assert steps, f"both programs are of version {before}: nothing to upgrade"
    return before + len(steps), [step["name"] for step in steps if not step["compatible"]]


def upgrade(directory, cluster):
    url = cluster.create_database()
    older, newer = Older(url, directory, "older"), Newer(url, directory, "newer")
    older.run("migrate", check=OK)
    before = version_of(url)
    after, blocking = what_is_to_come(directory, cluster, before)
    print(f"schema {before} -> {after}: {'not compatible: ' + ', '.join(blocking) if blocking else 'compatible'}", flush=True)
    older.start()
    retailer = Retailer(OlderClient(older.url, make_token()), on_hand=0).create()
    retailer.stock({(retailer.store, retailer.sku): UNITS})
    shops = [Shop(retailer, [older])]
    shops[0].wait_steady()
    if blocking:
        upgrade_with_a_stop(url, older, newer, shops[0], directory, cluster)
        shops.append(Shop(retailer, [newer]))
        shops[1].wait_steady()
    else:
        upgrade_beside(older, newer, shops[0])
    shops[-1].close()
    shops[0].balance = [newer]
    finished = finish_what_was_left(shops[0])
    newer.run("audit", check=OK)
    newer.stop()
    say(f"{sum(sum(shop.done.values()) for shop in shops)} orders, {finished} of them begun before and finished by the newer program;"
        " the audit is clean")


def main():
    directory = Path(tempfile.mkdtemp(prefix="holdfast-upgrade-"))
    cluster = Cluster(directory / "cluster").start()
    begin = time.monotonic()
    try:
        upgrade(directory, cluster)
    except BaseException:
        print(f"FAILED; the logs stay in {directory}", flush=True)
        raise
    finally:
        for instance in _made:
            instance.discard()
        cluster.remove()
    shutil.rmtree(directory, ignore_errors=True)
    print(f"all passed in {time.monotonic() - begin:.0f} s")


main()
