"""A body that differs has another tag, and a tag that differs has another body, on every route with an ETag.

A seeded walk sends commands of every room. After each one every document is read by every viewer. A new route with an ETag
fails here until it has an entry in ROUTES.
"""

import json
import os
import random
import threading
import time
import uuid
from collections import Counter

import httpx
import pytest

from support.database import Database
from support.person import settle_refunds
from support.retailer import Retailer
from support.shelf import let_lapse
from support.waiting import eventually
from support.work import Work

SEED = int(os.environ.get("HOLDFAST_TEST_SEED") or random.SystemRandom().randrange(1_000_000))
WALK_S = int(os.environ.get("HOLDFAST_TEST_WALK_S") or 30)
STEPS_MAX = 2000
ORDERS_WATCHED = 3
WAKES_WITHIN_S = 10  # of 25 that it would wait

STATIC = {"/openapi.json", "/docs", "/docs/{asset}"}  # files of the program: their bytes are their tag (test_docs.py)

class World:
    """A retailer with documents of all kinds, and the clients that read them."""

    def __init__(self, instance, database):
        self.instance, self.database = instance, database
        self.api = instance.client()
        self.http = httpx.Client(base_url=instance.url, trust_env=False, timeout=60)
        self.admin = instance.client(scope="admin", subject="supervisor")
        self.retailer = Retailer(self.api, on_hand=200).create()
        self.admin.put("/v1/consumers/tags", {"after": "oldest"}, expect=201)
        self.webhook = self.admin.post("/v1/webhooks", {"url": "https://erp.example/", "types": ["*"]}, expect=201).json()["id"]
        retailer = self.retailer
        self.viewers = {
            "staff": self.api, "supervisor": self.admin,
            "reader": instance.client(scope="orders:read fulfillment:read returns:write catalog:read inventory:read"
                                            " reservations:write", subject="reader"),
            "neighbour": instance.client(subject="neighbour", locations=[retailer.store]),
        }
        self.works, self.reservations = [], []
        self.command, self.answers = "the beginning", Counter()  # (command, code of the problem or status): how often

    def order(self, lines=None, method="pickup", **fields):
        self.works.append(Work(self.retailer, self.database, lines, method, **fields))
        return self.works[-1]

    def watched(self):
        return self.works[-ORDERS_WATCHED:]

    def send(self, path, body, client=None, method="POST"):
        """A refusal is fine: it must not change a body under its tag either."""
        headers = {"Authorization": f"Bearer {(client or self.api).token}", "Idempotency-Key": str(uuid.uuid4())}
        reply = self.http.request(method, path, json=body, headers=headers)
        assert reply.status_code < 500 and reply.status_code != 400, f"{method} {path} {body}: {reply.text}"
        self.answers[self.command, reply.json().get("code", reply.status_code)] += 1

    def look_again(self):
        self._orders = [look(self, self.api, f"/v1/orders/{work.order['id']}").json() for work in self.watched()]

    def order_bodies(self):
        return self._orders

    def returns(self):
        return [made for work in self.watched()
                for made in look(self, self.api, f"/v1/returns?order_id={work.order['id']}").json()["data"]]


# Each route with an ETag, and the paths at which the walk reads it.

def by_order(members):
    return lambda world: [f"/v1/{members}/{one['id']}" for body in world.order_bodies() for one in body[members]]


def of_store(path):
    return lambda world: [path.format(code=code) for code in (world.retailer.store, world.retailer.other_store)]


ROUTES = {
    "/v1/channels/{code}": lambda world: [f"/v1/channels/{world.retailer.channel}"],
    "/v1/channels/{code}/listings/{sku}": lambda world: [f"/v1/channels/{world.retailer.channel}/listings/{world.retailer.sku}"],
    "/v1/consumers/{name}": lambda world: ["/v1/consumers/tags"],
    "/v1/fulfillments/{id}": by_order("fulfillments"),
    "/v1/fulfillments/{id}/status": lambda world: [path + "/status" for path in by_order("fulfillments")(world)],
    "/v1/locations/{code}": of_store("/v1/locations/{code}"),
    "/v1/locations/{code}/inventory/{sku}": lambda world: [f"/v1/locations/{world.retailer.store}/inventory/{world.retailer.sku}"],
    "/v1/locations/{code}/queue": of_store("/v1/locations/{code}/queue"),
    "/v1/locations/{code}/queue/counts": of_store("/v1/locations/{code}/queue/counts"),
    "/v1/notification-templates/{kind}/{medium}/{locale}": lambda world: ["/v1/notification-templates/ready/email/en"],
    "/v1/orders/{id}": lambda world: [f"/v1/orders/{work.order['id']}" for work in world.watched()],
    "/v1/payments/{id}": by_order("payments"),
    "/v1/products/{sku}": lambda world: [f"/v1/products/{world.retailer.sku}"],
    "/v1/refunds/{id}": by_order("refunds"),
    "/v1/reservations/{id}": lambda world: [f"/v1/reservations/{made}" for made in world.reservations[-3:]],
    "/v1/returns/{id}": lambda world: [f"/v1/returns/{made['id']}" for made in world.returns()],
    "/v1/webhooks/{id}": lambda world: [f"/v1/webhooks/{world.webhook}"],
}


def tagged_routes(contract):
    """The GET routes whose 200 carries an ETag, by the document."""
    return {operation.template for operation in contract.operations if operation.method == "GET"
            and "ETag" in contract.deref(operation.responses.get("200", {})).get("headers", {})}


def test_every_route_with_a_tag_is_walked(api):
    assert tagged_routes(api.contract()) - STATIC == set(ROUTES)


def look(world, client, path, tag=None):
    """The same as client.get, without the comparison with the contract, which takes longer than the call."""
    headers = {"Authorization": f"Bearer {client.token}", **({"If-None-Match": tag} if tag else {})}
    return world.http.get(path, headers=headers)


class Watch:
    """Every tag that was ever told, and the body it stood for."""

    def __init__(self, world):
        self.world = world
        self.bodies = {}  # (path, tag): body
        self.last = {}    # (path, viewer): (tag, body)
        self.stale = {}   # path: a tag that no longer holds
        self.changes = Counter()  # (command, route): how often one changed the other

    def read(self, after):
        self.world.look_again()
        for route, paths in ROUTES.items():
            for path in paths(self.world):
                for viewer, client in self.world.viewers.items():
                    self._read_one(after, route, path, viewer, client)

    def _read_one(self, after, route, path, viewer, client):
        reply = look(self.world, client, path)
        if reply.status_code in (403, 404):
            return
        assert reply.status_code == 200, f"{path} for {viewer} after {after}: {reply.text}"
        tag, body = reply.headers["ETag"], reply.json()
        known = self.bodies.setdefault((path, tag), body)
        assert known == body, f"{path} for {viewer} after {after}: the tag {tag} stands for two bodies: {differing(known, body)}"
        before = self.last.get((path, viewer))
        if before and before[0] != tag:
            if not tag.startswith("W/"):
                assert before[1] != body, f"{path} for {viewer} after {after}: {before[0]} became {tag} for the same body"
                if version_of(tag) != version_of(before[0]):  # If-Match compares the version
                    self.stale[path] = before[0]
                self.changes[after.partition(" ")[0], route] += 1
            assert look(self.world, client, path, before[0]).status_code == 200 or before[1] == body
        self.last[path, viewer] = (tag, body)


def version_of(tag):
    return tag.strip('"').partition("-")[0]


def differing(before, after, at=""):
    if isinstance(before, dict) and isinstance(after, dict):
        return [place for name in before.keys() | after.keys()
                for place in differing(before.get(name), after.get(name), f"{at}/{name}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [place for n, pair in enumerate(zip(before, after)) for place in differing(*pair, f"{at}/{n}")]
    return [] if before == after else [f"{at}: {json.dumps(before)} -> {json.dumps(after)}"]


class Waiter:
    """A client that waits at a queue and reads it each time it wakes."""

    def __init__(self, world, path):
        self.client, self.path = world.instance.client(subject="waiter"), path
        self.known, self.ended = None, False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self):
        tag = None
        while not self.ended:
            try:
                reply = self.client.get(self.path, headers={"If-None-Match": tag, "Prefer": "wait=25" if tag else None})
            except Exception:  # noqa: the instance has stopped
                return
            if reply.status_code == 200:
                tag, self.known = reply.headers["ETag"], reply.json()

    def assert_knows(self, body, after):
        eventually(lambda: self.known == body, WAKES_WITHIN_S, f"the client that waits at {self.path} wakes after {after}")


# ---- commands: each takes the world and dice, and does something or nothing ----

def some_fulfillment(world, dice, *methods):
    found = [one for body in world.order_bodies() for one in body["fulfillments"] if not methods or one["method"] in methods]
    return dice.choice(found) if found else None


def act(verb, body=lambda world, dice, one: {}, methods=(), admin=False):
    def command(world, dice):
        one = some_fulfillment(world, dice, *methods)
        if one:
            world.send(f"/v1/fulfillments/{one['id']}/{verb}", body(world, dice, one), world.admin if admin else None)
    command.__name__ = f"fulfillment_{verb}"
    return command


def a_line(world, dice, one):
    line = dice.choice(one["lines"])
    return [{"order_line_id": line["order_line_id"], "quantity": dice.randint(1, max(1, line["quantity"]))}]


def all_lines(world, dice, one):
    return [{"order_line_id": line["order_line_id"], "quantity": line["remaining"]} for line in one["lines"]
            if line["remaining"]] or a_line(world, dice, one)


def right_code(world, dice, one):
    code = world.api.get(f"/v1/fulfillments/{one['id']}", expect=200).json()["pickup_code"]
    return {"proof": {"method": "code", "value": code}}


def change(body):
    def command(world, dice):
        work = dice.choice(world.watched())
        world.send(f"/v1/orders/{work.order['id']}/change", {"reason": "the customer called", **body(world, dice, work)})
    command.__name__ = f"change_{body.__name__}"
    return command


def customer_name(world, dice, work):
    return {"customer": {"name": dice.choice(["Ada Lovelace", "Grace Hopper", "Mary Jackson"]), "email": "a@shop.example"}}


def alternate(world, dice, work):
    return {"recipient": {"name": dice.choice(["Bob", "Cy", "Di"]), "relation": "friend"}}


def more_units(world, dice, work):
    line = dice.choice(work.order_now()["lines"])
    return {"lines": [{"order_line_id": line["id"], "quantity": line["quantity"] + 1}]}


def cancel_some(world, dice):
    work = dice.choice(world.watched())
    line = dice.choice(work.order_now()["lines"])
    world.send(f"/v1/orders/{work.order['id']}/cancel", {
        "reason": "changed her mind", "lines": [{"order_line_id": line["id"], "quantity": 1}]})


def place(world, dice):
    method = dice.choice(["pickup", "curbside", "ship"])
    state = dice.choice(["captured", "authorized", "captured", "pending"])
    world.order({sku: dice.randint(1, 3) for sku in world.retailer.skus[:2]}, method, payment={"status": state, "reference": "psp"})


def hand_over_all(world, dice):
    """Pick all remaining units and hand them over: goods that can come back."""
    one = some_fulfillment(world, dice)
    path = f"/v1/fulfillments/{one['id']}"
    world.send(f"{path}/pick", {"lines": all_lines(world, dice, one)})
    if one["method"] == "ship":
        world.send(f"{path}/ship", {"packages": [{"carrier": "DHL", "tracking_number": "1"}]})
        return
    world.send(f"{path}/ready", {})
    world.send(f"{path}/handover", right_code(world, dice, one))


def tell_provider(world, dice):
    work = dice.choice(world.watched())
    body = work.order_now()
    payment = dice.choice(body["payments"])
    kinds = ["captured", "authorized", "failed", "voided"]
    refunds = [refund for refund in body["refunds"] if refund["payment_id"] == payment["id"]]
    kind = dice.choice(kinds + 3 * ["refund_issued", "refund_settled", "refund_failed"] if refunds else kinds)
    event = {"event_id": str(uuid.uuid4()), "type": kind}
    if kind.startswith("refund"):
        event["refund_id"] = dice.choice(refunds)["id"]
    world.send(f"/v1/payments/{payment['id']}/events", event)


def pay_more(world, dice):
    work = dice.choice(world.watched())
    world.send(f"/v1/orders/{work.order['id']}/payments", {
        "amount": dice.choice([100, 1000]), "status": "captured", "reference": "psp-2"})


def refund_order(world, dice):
    work = dice.choice(world.watched())
    body = {"to": dice.choice(["original", "store_credit"]), "reason": "it was late"}
    if dice.random() < 0.5:
        body["amount"] = dice.choice([1, 100, 500])
    world.send(f"/v1/orders/{work.order['id']}/refunds", body, world.admin if dice.random() < 0.3 else None)


def bring_back(world, dice):
    work = dice.choice(world.watched())
    fulfilled = [line for line in work.order_now()["lines"] if line["fulfilled"] > line["returned"]]
    if not fulfilled:
        return
    item = {"order_line_id": dice.choice(fulfilled)["id"], "quantity": 1, "reason": "too small"}
    if dice.random() < 0.5:
        item["condition"] = dice.choice(["sellable", "damaged", "quarantine"])
    body = {"order_id": work.order["id"], "location": world.retailer.store, "lines": [item]}
    if dice.random() < 0.4:
        body["exchange"] = {"lines": [{"sku": world.retailer.skus[2], "quantity": 1,
                                       "fulfillment": {"method": "pickup", "location": world.retailer.store}}]}
    world.send("/v1/returns", body)


def on_return(verb, body):
    def command(world, dice):
        made = world.returns()
        if made:
            one = dice.choice(made)
            world.send(f"/v1/returns/{one['id']}/{verb}", body(dice, one))
    command.__name__ = f"return_{verb}"
    return command


def lines_in(dice, one):
    line = dice.choice(one["lines"])
    return [{"id": line["id"], "quantity": 1}]


def reserve(world, _):
    world.reservations.append(world.retailer.reserve({world.retailer.sku: 1}).json()["id"])


def reservation(verb):
    def command(world, dice):
        if not world.reservations:
            return
        path = f"/v1/reservations/{dice.choice(world.reservations[-3:])}"
        if verb == "extend":
            world.send(f"{path}/extend", {"ttl": "PT20M"})
        elif verb == "release":
            world.send(path, None, method="DELETE")
        elif world.api.get(path, expect=200).json()["status"] == "active":
            let_lapse(world.database, path.rpartition("/")[2])
    command.__name__ = f"reservation_{verb}"
    return command


def lock_ends(world, _):
    world.database.execute("update fulfillments set locked_until = clock_timestamp() - interval '1 second'"
                           " where locked_until is not null")


def put(path, fields):
    """Replace a record by itself, with other values in some fields."""
    def command(world, dice):
        where = path.format(channel=world.retailer.channel, store=world.retailer.store, sku=world.retailer.sku)
        now = world.api.get(where).json()
        kept = {name: value for name, value in now.items()
                if name not in ("code", "sku", "channel", "version", "created_at", "updated_at", "status", "type", "title_",
                                "instance", "trace_id", "detail", "location") and not name.startswith("_")}
        world.send(where, {**(kept if "status" not in now else {}), **fields(world, dice)}, method="PUT")
    command.__name__ = f"put_{path}"
    return command


def safety_stock(world, dice):
    world.send(f"/v1/locations/{world.retailer.store}/inventory/{world.retailer.sku}",
                  {"safety_stock": dice.randint(0, 3)}, method="PUT")


def count_stock(world, dice):
    world.api.post("/v1/inventory/adjustments/batch", {"items": [
        {"location": world.retailer.store, "sku": world.retailer.sku, "delta": dice.choice([1, -1]), "reason": "correction"}]})


def change_webhook(world, dice):
    path = f"/v1/webhooks/{world.webhook}"
    kind = dice.choice(["pause", "resume", "put"])
    if kind == "put":
        world.send(path, {"url": "https://erp.example/", "types": dice.choice([["*"], ["order.*"]])}, world.admin, method="PUT")
    else:
        world.send(f"{path}/{kind}", {}, world.admin)


def erase_customer(world, dice):
    """Only of an order that is over; the others are refused."""
    work = dice.choice(world.watched())
    if dice.random() < 0.5:
        try:
            settle_refunds(work)
        except AssertionError:  # not all of it can be settled
            pass
    world.instance.run("customer", "erase", "--order", work.order["order_number"])


COMMANDS = [
    place, place, place, cancel_some, hand_over_all, hand_over_all, hand_over_all, tell_provider, tell_provider, pay_more, refund_order, refund_order, bring_back,
    bring_back, reserve, safety_stock, count_stock, lock_ends, erase_customer, change_webhook,
    change(customer_name), change(customer_name), change(customer_name), change(alternate), change(more_units), change(more_units),
    act("assign", lambda world, dice, one: {"assignee": dice.choice(["jo", "kim"]), "force": True}),
    act("pick", lambda world, dice, one: {"lines": a_line(world, dice, one)}),
    act("pick", lambda world, dice, one: {"lines": all_lines(world, dice, one)}),
    act("pick", lambda world, dice, one: {"lines": a_line(world, dice, one), "undo": True}),
    act("short", lambda world, dice, one: {"lines": a_line(world, dice, one), "reason": dice.choice(["not_found", "customer_request"])}),
    act("ready", methods=("pickup", "curbside")),
    act("check-in", lambda world, dice, one: {"state": dice.choice(["on_the_way", "arrived"])}, ("pickup", "curbside")),
    act("recipient", lambda world, dice, one: {"name": dice.choice(["Bob", "Cy"]), "relation": "friend"}, ("pickup", "curbside")),
    act("handover", lambda world, dice, one: {"proof": {"method": "code", "value": "AAAAAAAA"}}, ("pickup", "curbside")),
    act("handover", lambda world, dice, one: {"proof": {"method": "code", "value": "AAAAAAAA"}}, ("pickup", "curbside")),
    act("handover", right_code, ("pickup", "curbside")),
    act("unlock", admin=True), act("reissue-code", admin=True),
    act("extend-hold", lambda world, dice, one: {"until": "2031-01-01T00:00:00Z"}, ("pickup", "curbside")),
    act("reject", lambda world, dice, one: {"reason": dice.choice(["not_found", "closed"])}),
    act("cancel", lambda world, dice, one: {"reason": "the shopper called"}),
    act("deliver", methods=("ship",)),
    on_return("receive", lambda dice, one: {}), on_return("receive", lambda dice, one: {}),
    on_return("refund", lambda dice, one: {"to": dice.choice(["original", "store_credit", "none"])}),
    on_return("cancel", lambda dice, one: {"reason": "kept them"}),
    on_return("lost", lambda dice, one: {"lines": lines_in(dice, one)}),
    on_return("dispose", lambda dice, one: {"disposition": dice.choice(["restock", "destroy"]), "lines": lines_in(dice, one)}),
    reservation("extend"), reservation("release"), reservation("lapse"), reservation("lapse"),
    put("/v1/products/{sku}", lambda world, dice: {"title": dice.choice(["Mug", "Cup"]), "gtin": dice.choice(["06291041500213", None])}),
    put("/v1/channels/{channel}", lambda world, dice: {"name": dice.choice(["Web", "Shop"]), "kind": "web",
                                                       "resourcing": dice.choice([None, {"enabled": False}, {"radius_km": 9}]),
                                                       "unpaid_ttl": dice.choice([None, "never", "P1D", "P2D"])}),
    put("/v1/channels/{channel}/listings/{sku}", lambda world, dice: {"title": dice.choice(["A", "B"]), "published": True}),
    put("/v1/locations/{store}", lambda world, dice: {"name": dice.choice(["Mitte", "Store"])}),
]


@pytest.fixture
def world(services):
    """Nothing sweeps, so that the walk sees a lapse before it is written."""
    instance = services(sweeper=0, resourcing="on")
    with Database(instance.database_url) as database:
        yield World(instance, database)


@pytest.fixture
def watch(world):
    world.order()
    watch = Watch(world)
    watch.read("the beginning")
    return watch


def changed(watch, after, *paths):
    """Read all, and hold that these documents have become others for the staff, and that their old tags are refused."""
    before = {path: watch.last[path, "staff"] for path in paths}
    watch.read(after)
    for path in paths:
        assert watch.last[path, "staff"][0] != before[path][0], f"{path} after {after}"
        assert watch.last[path, "staff"][1] != before[path][1], f"{path} after {after}"
    assert_stale_is_refused(watch.world, watch)


def handed_over(world, watch):
    work = world.order({world.retailer.skus[0]: 3, world.retailer.skus[1]: 1})
    work.make_ready()
    work.hand_over()
    watch.read("a hand-over")
    return work


def bring(world, work, quantity=1, condition="sellable", **fields):
    item = {"order_line_id": work.line(0), "quantity": quantity, "reason": "too small"}
    if condition:
        item["condition"] = condition
    made = world.api.post("/v1/returns", {"order_id": work.order["id"], "location": world.retailer.store, "lines": [item], **fields},
                          expect=201).json()
    return f"/v1/returns/{made['id']}"


def test_a_return_changes_with_the_money_of_its_order(world, watch):
    work = handed_over(world, watch)
    brought = bring(world, work)
    announced = bring(world, work, condition=None)
    watch.read("two returns")
    refund = {"to": "original", "reason": "it was late"}

    world.api.post(f"/v1/orders/{work.order['id']}/refunds", {**refund, "amount": 100}, expect=201)
    changed(watch, "a refund by the order", brought)
    another = bring(world, work)
    changed(watch, "another return", announced)
    world.api.post(f"{brought}/refund", {"to": "original"}, expect=200)
    changed(watch, "a refund of another return", brought)
    paid = [one for one in work.order_now()["refunds"] if one["return_id"]][0]
    world.api.post(f"/v1/payments/{paid['payment_id']}/events", {
        "event_id": str(uuid.uuid4()), "type": "refund_failed", "refund_id": paid["id"]}, expect=200)
    changed(watch, "a refund that failed", brought, another)


def test_a_return_changes_when_its_exchange_is_called_off(world, watch):
    work = handed_over(world, watch)
    brought = bring(world, work, exchange={"lines": [{
        "sku": world.retailer.skus[0], "quantity": 1, "fulfillment": {"method": "pickup", "location": world.retailer.store}}]})
    watch.read("an exchange")
    line = work.order_now()["lines"][-1]
    world.api.post(f"/v1/orders/{work.order['id']}/cancel", {
        "reason": "kept the money", "lines": [{"order_line_id": line["id"], "quantity": 1}]}, expect=200)
    changed(watch, "an exchange that is called off", brought)


def test_every_view_of_a_customers_name_changes_with_it(world, watch):
    work, queue = world.works[-1], f"/v1/locations/{world.retailer.store}/queue"
    waiter = Waiter(world, queue)
    for name in ("Grace Hopper", "Mary Jackson"):
        world.api.post(f"/v1/orders/{work.order['id']}/change", {"reason": "married", "customer": {"name": name}}, expect=200)
        changed(watch, "a new name", queue, work.path, f"{work.path}/status", f"/v1/orders/{work.order['id']}")
        waiter.assert_knows(watch.last[queue, "staff"][1], "a new name")
        assert watch.last[queue, "staff"][1]["data"][0]["customer_name"] == name
    world.api.post(f"/v1/orders/{work.order['id']}/change", {"reason": "asked", "recipient": {"name": "Bob", "relation": "friend"}},
                   expect=200)
    changed(watch, "an alternate recipient", queue, work.path)
    waiter.assert_knows(watch.last[queue, "staff"][1], "an alternate recipient")
    waiter.ended = True


def test_an_erased_customer_is_erased_under_new_tags(world, watch):
    work = handed_over(world, watch)
    world.instance.run("customer", "erase", "--order", work.order["order_number"], check=0)
    changed(watch, "an erasure", work.path, f"{work.path}/status", f"/v1/orders/{work.order['id']}")


def test_wrong_codes_the_lock_and_its_end_have_their_tags(world, watch):
    work, queue = world.works[-1], f"/v1/locations/{world.retailer.store}/queue"
    work.make_ready()
    watch.read("ready")
    waiter = Waiter(world, queue)
    for n in range(5):
        work.hand_over(expect=422, code="AAAA-AAAA")
        changed(watch, f"{n + 1} wrong codes", work.path, f"/v1/orders/{work.order['id']}", queue)
    assert "unlock" in watch.last[work.path, "supervisor"][1]["allowed_actions"]
    waiter.assert_knows(watch.last[queue, "staff"][1], "wrong codes")
    work.hand_over(expect=429)
    watch.read("a hand-over while locked")
    lock_ends(world, None)
    watch.read("the end of the lock")
    work.hand_over()
    changed(watch, "a hand-over", work.path, queue)
    waiter.ended = True


def test_a_reservation_that_lapses_is_another_document_and_stays_it_when_it_is_written(world, watch):
    reserve(world, None)
    path = f"/v1/reservations/{world.reservations[-1]}"
    watch.read("a reservation")
    let_lapse(world.database, world.reservations[-1])
    changed(watch, "its end", path)
    tag, body = watch.last[path, "staff"]
    assert (body["status"], tag) == ("expired", '"2"')
    released = world.api.delete(path, headers={"If-Match": tag}, expect=200)
    assert (released.headers["ETag"], released.json()) == (tag, body)
    watch.read("its release")


def test_a_reader_with_fewer_scopes_gets_another_tag(world, watch):
    work = world.works[-1]
    for path in (work.path, f"/v1/orders/{work.order['id']}"):
        tags = {viewer: watch.last[path, viewer][0] for viewer in world.viewers}
        assert tags["staff"] == f'"{watch.last[path, "staff"][1]["version"]}"'
        assert tags["reader"] != tags["staff"]
        assert look(world, world.viewers["reader"], path, tags["staff"]).status_code == 200
        assert look(world, world.viewers["reader"], path, tags["reader"]).status_code == 304
    supervisor = watch.last[work.path, "supervisor"][0]
    work.act("assign", {"assignee": "jo"}, api=world.admin, headers={"If-Match": supervisor})


def assert_stale_is_refused(world, watch):
    """A command that names a tag which no longer holds is refused, and changes nothing."""
    commands = {"fulfillments": ("assign", {"assignee": "nobody", "force": True}), "orders": ("cancel", {"reason": "stale"}),
                "returns": ("cancel", {"reason": "stale"}), "reservations": ("extend", {"ttl": "PT1H"})}
    for path, tag in list(watch.stale.items()):
        room = path.split("/")[2]
        if room in commands and path.count("/") == 3 and (path, "staff") in watch.last and watch.last[path, "staff"][0] != tag:
            verb, body = commands[room]
            world.api.post(f"{path}/{verb}", body, headers={"If-Match": tag}, expect=412)
    watch.stale.clear()


def test_a_body_that_differs_has_another_tag_and_wakes_waiting_clients(world):
    print(f"seed {SEED}; HOLDFAST_TEST_SEED={SEED} repeats the walk")
    dice = random.Random(SEED)
    for _ in range(2):
        place(world, dice)
    reserve(world, dice)
    watch = Watch(world)
    queue = f"/v1/locations/{world.retailer.store}/queue"
    waiter = Waiter(world, queue)
    watch.read("the beginning")
    end, done = time.monotonic() + WALK_S, []
    while time.monotonic() < end and len(done) < STEPS_MAX:
        command = dice.choice(COMMANDS)
        done.append(command.__name__)
        world.command = command.__name__
        command(world, dice)
        after = f"{command.__name__} (seed {SEED}, step {len(done)})"
        watch.read(after)
        waiter.assert_knows(watch.last[queue, "staff"][1], after)
        assert_stale_is_refused(world, watch)
    waiter.ended = True
    print(f"{len(done)} steps")
    for what, counted in (("answers", world.answers), ("changes", watch.changes)):
        print(f"{what} by command: " + ", ".join(f"{name} {key} {n}" for (name, key), n in sorted(counted.items(), key=str)))
    assert watch.changes
