"""A refused call has no effect: every command of the API on documents in random states, all tables compared."""

import os
import random
import re
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from support.client import contract
from support.database import Database
from support.retailer import Retailer
from support.waiting import eventually

ROUNDS = 8  # each sends every command once
STEPS = 14  # of the life of orders, before each round
NOBODY = "01931f00-0000-7000-8000-000000000000"
PROVIDER_EVENTS = ["authorized", "captured", "failed", "voided", "refund_failed", "refund_issued", "refund_settled"]

# Replies under their keys; partitions, whose rows are in their table; events that wait for the log.
NOT_COMPARED = re.compile("event_log_.*|events_due|idempotency|schema_migration")


def dump(database):
    """Every row of every table that is compared, as text, once all events are published."""
    eventually(lambda: database.count("events_due") == 0, 30, "all is published")
    tables = [row["name"] for row in database.rows(
        "select tablename as name from pg_tables where schemaname = 'holdfast' order by tablename")]
    return {table: {row["row"] for row in database.rows(f"select t::text as row from {table} as t")}
            for table in tables if not NOT_COMPARED.fullmatch(table)}


def difference(before, after):
    return {table: {"gone": sorted(before[table] - after[table]), "new": sorted(after[table] - before[table])}
            for table in before if before[table] != after[table]}


class World:
    """A retailer, its documents, and commands on them that a client might send, right or wrong."""

    def __init__(self, instance, dice):
        self.dice = dice
        self.full = instance.client(scope="admin", subject="supervisor")
        self.retailer = Retailer(self.full, on_hand=12).create()
        retailer = self.retailer
        messages = {"from": "shop@example.org", "locale": "en", "kinds": ["ready"]}
        self.full.put(f"/v1/channels/{retailer.channel}", {"name": "Web shop", "kind": "web", "notifications": messages}, expect=200)
        retailer.offer_slot(capacity=1, location=retailer.other_store)
        self.clients = [
            self.full, self.full, self.full, instance.client(), instance.client(locations=[retailer.store]),
            instance.client(locations=[retailer.warehouse]), instance.client(channel=retailer.channel),
            instance.client(channel="nobody")]
        self.orders, self.reservations, self.returns, self.webhooks = [], [], [], [NOBODY]

    # Documents

    def order(self):
        """One of the orders, as it is now."""
        return self.full.get(f"/v1/orders/{self.dice.choice(self.orders[-12:])}", expect=200).json()

    def fulfillment(self, *statuses):
        """A fulfillment, mostly of one of these statuses if a few looks find one."""
        for _ in range(self.dice.choice([1, 4, 8])):
            found = self.dice.choice(self.order()["fulfillments"])
            if not statuses or found["status"] in statuses:
                break
        return found

    def bought(self):
        """An order, mostly one of which units are with the customer."""
        for _ in range(self.dice.choice([1, 4, 8])):
            order = self.order()
            if any(line["fulfilled"] > line["returned"] for line in order["lines"]):
                break
        return order

    def lines(self, lines, name="order_line_id", open_units=None):
        """Some of the lines, each with units that may be too many."""
        chosen = self.dice.sample(lines, self.dice.randint(1, len(lines)))
        named = [{"order_line_id": line[name],
                  "quantity": max(1, self.dice.choice([1, 1, open_units(line) if open_units else 1, line["quantity"], 1, 99]))}
                 for line in chosen]
        if self.dice.random() < 0.1:
            named.append({"order_line_id": self.dice.choice([NOBODY, named[0]["order_line_id"]]), "quantity": 1})
        return named

    def choice(self):
        method = self.dice.choice(["pickup", "curbside", "ship"])
        return {"method": method, "location": self.dice.choice(self.retailer.locations + ["nowhere"])}

    # The life of the documents, so that commands meet them in many states

    def live(self):
        """New orders, new goods, and steps on the way of some orders: a part is picked, handed over, shipped, returned."""
        retailer = self.retailer
        items = [{"location": location, "sku": sku, "delta": 20, "reason": "receipt"}
                 for location in retailer.locations for sku in retailer.skus]
        self.full.post("/v1/inventory/adjustments/batch", {"items": items}, params={"atomic": "true"}, expect=200)
        for method in ("pickup", "ship", self.dice.choice(["pickup", "ship"])):
            fields = {"ship_to": {"name": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}}
            made = retailer.order({retailer.sku: 3, retailer.skus[1]: 2}, method=method,
                                  payment={"status": self.dice.choice(["authorized", "captured"])}, **fields).json()
            self.orders.append(made["id"])
        for _ in range(STEPS):
            order = self.full.get(f"/v1/orders/{self.dice.choice(self.orders[-8:])}", expect=200).json()
            self._step(self.dice.choice(order["fulfillments"]), order)

    def _step(self, fulfillment, order):
        path, lines = f"/v1/fulfillments/{fulfillment['id']}", fulfillment["lines"]
        here = [{"order_line_id": line["order_line_id"], "quantity": line["picked"] - line["fulfilled"]} for line in lines
                if line["picked"] > line["fulfilled"]]
        left = [{"order_line_id": line["order_line_id"], "quantity": line["remaining"]} for line in lines if line["remaining"]]
        gone = [{"order_line_id": line["id"], "quantity": 1, "reason": "too small"} for line in order["lines"]
                if line["fulfilled"] > line["returned"]]
        part = [{**line, "quantity": self.dice.randint(1, line["quantity"])} for line in here[:1]]
        status = fulfillment["status"]
        if left and status in ("allocated", "picking"):
            self.full.post(f"{path}/pick", {"lines": left})
        elif status == "picking" and here:
            self.full.post(f"{path}/ready", {})
        elif status == "ready":
            self.full.post(f"{path}/handover", {"proof": {"method": "id_check"}, "lines": self.dice.choice([here, part])})
        elif status == "packed":
            undo = self.dice.random() < 0.3
            package = {"carrier": "DHL", "tracking_number": "1", "lines": self.dice.choice([here, part, part])}
            self.full.post(f"{path}/pick" if undo else f"{path}/ship", {"lines": part, "undo": True} if undo else {"packages": [package]})
        elif gone and order["status"] == "fulfilled":
            condition = self.dice.choice([{}, {"condition": "sellable"}, {"condition": "damaged"}])
            made = self.full.post("/v1/returns", {"order_id": order["id"], "location": self.retailer.store,
                                                  "lines": [{**line, **condition} for line in gone]})
            self.returns += [made.json()["id"]] if made.status_code == 201 else []

    # Commands by their operationId: each gives (path, body) or (path, body, params)

    def placeOrder(self):
        retailer, dice = self.retailer, self.dice
        lines = {sku: dice.choice([1, 2, 3, 50]) for sku in dice.sample(retailer.skus, dice.randint(1, 3))}
        body = retailer.order_body(lines, method=dice.choice(["pickup", "curbside", "ship"]),
                                   location=dice.choice([retailer.store, retailer.store, retailer.other_store, retailer.warehouse]))
        if body["fulfillment"]["method"] == "ship" or dice.random() < 0.3:
            body["ship_to"] = {"name": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
        if dice.random() < 0.8:
            body["payment"] = {"status": dice.choice(["pending", "authorized", "captured"])}
        if self.reservations and dice.random() < 0.3:
            body["reservation_id"] = dice.choice(self.reservations)
        if dice.random() < 0.2:
            slots = self.full.get(f"/v1/locations/{retailer.other_store}/slots", expect=200).json()["data"]
            body["fulfillment"] = {"method": "pickup", "location": retailer.other_store, "slot": slots[0]["slot"]}
        if self.orders and dice.random() < 0.1:
            body["external_ref"] = self.order()["external_ref"]
        return "/v1/orders", body

    def createReservation(self):
        lines = [{"sku": sku, "quantity": self.dice.choice([1, 2, 50])} for sku in self.dice.sample(self.retailer.skus, 2)]
        return "/v1/reservations", {"location": self.dice.choice(self.retailer.locations + ["nowhere"]), "lines": lines}

    def releaseReservation(self):
        return f"/v1/reservations/{self.dice.choice(self.reservations)}", None

    def extendReservation(self):
        return f"/v1/reservations/{self.dice.choice(self.reservations)}/extend", {"ttl": "PT20M"}

    def cancelOrder(self):
        order, dice = self.order(), self.dice
        body = {"reason": "not wanted"}
        if dice.random() < 0.8:
            body["lines"] = self.lines(order["lines"], "id", lambda line: line["quantity"] - line["cancelled"] - line["fulfilled"])
        return f"/v1/orders/{order['id']}/cancel", body

    def quoteCancellation(self):
        path, body = self.cancelOrder()
        return f"{path}/quote", body

    def changeOrder(self):
        order, dice = self.order(), self.dice
        changes = []
        for line in dice.sample(order["lines"], dice.randint(1, len(order["lines"]))):
            change = {"order_line_id": line["id"]}
            change.update(dice.choice([{"quantity": dice.choice([1, 2, 5, 90])}, {"remove": True}, {"fulfillment": self.choice()}]))
            changes.append(change)
        if dice.random() < 0.3:
            changes.append({"sku": dice.choice(self.retailer.skus), "quantity": 1, "fulfillment": self.choice()})
        body = {"reason": "the customer called", "lines": changes}
        if dice.random() < 0.3:
            body["recipient"] = {"name": "Grace Hopper"}
        if dice.random() < 0.3:
            body["discounts"] = [{"amount": dice.choice([10, 10_000_000])}]
        return f"/v1/orders/{order['id']}/change", body

    def addPayment(self):
        body = {"status": self.dice.choice(["pending", "authorized", "captured"])}
        if self.dice.random() < 0.5:
            body["amount"] = self.dice.choice([1, 100, 99_999_999])
        return f"/v1/orders/{self.order()['id']}/payments", body

    def refundOrder(self):
        body = {"to": self.dice.choice(["original", "store_credit"]), "reason": "goodwill"}
        if self.dice.random() < 0.6:
            body["amount"] = self.dice.choice([1, 100, 99_999_999])
        return f"/v1/orders/{self.order()['id']}/refunds", body

    def tellPaymentEvent(self):
        order, dice = self.order(), self.dice
        kind = dice.choice(PROVIDER_EVENTS)
        payment = dice.choice(order["payments"])["id"] if order.get("payments") else NOBODY
        body = {"event_id": f"evt-{dice.randint(1, 40)}", "type": kind}
        if kind != "failed" and dice.random() < 0.5:
            body["amount"] = dice.choice([1, 500, 99_999_999])
        if kind.startswith("refund"):
            refunds = [one["id"] for one in order.get("refunds", [])] + [NOBODY]
            body["refund_id"] = dice.choice(refunds)
        return f"/v1/payments/{payment}/events", body

    def _of_fulfillment(self, verb, body=None):
        return lambda fulfillment: (f"/v1/fulfillments/{fulfillment['id']}/{verb}", body(fulfillment) if body else {})

    def assignFulfillment(self):
        return self._of_fulfillment("assign", lambda _: {"assignee": self.dice.choice(["ana", "ben"])})(self.fulfillment())

    def pickFulfillment(self):
        def body(fulfillment):
            undo = self.dice.random() < 0.3
            return {"lines": self.lines(fulfillment["lines"], open_units=lambda line: line["remaining"]),
                    **({"undo": True} if undo else {})}
        return self._of_fulfillment("pick", body)(self.fulfillment("allocated", "picking"))

    def shortFulfillment(self):
        return self._of_fulfillment("short", lambda fulfillment: {
            "lines": self.lines(fulfillment["lines"], open_units=lambda line: line["remaining"]),
            "reason": self.dice.choice(["closed", "not_found", "damaged", "theft", "customer_request"])})(self.fulfillment("allocated", "picking"))

    def readyFulfillment(self):
        return self._of_fulfillment("ready", lambda _: {"staging_location": "A1"})(self.fulfillment("picking"))

    def checkInFulfillment(self):
        return self._of_fulfillment("check-in", lambda _: {"state": self.dice.choice(["arrived", "on_the_way"])})(self.fulfillment("ready", "picking", "allocated"))

    def extendHold(self):
        days = self.dice.choice([-1, 3, 30, 400])
        until = (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._of_fulfillment("extend-hold", lambda _: {"until": until})(self.fulfillment("ready"))

    def nameRecipient(self):
        return self._of_fulfillment("recipient", lambda _: {"name": "Grace Hopper"})(self.fulfillment())

    def reinstateFulfillment(self):
        return self._of_fulfillment("reinstate")(self.fulfillment())

    def unlockHandover(self):
        return self._of_fulfillment("unlock")(self.fulfillment("ready"))

    def reissueCode(self):
        return self._of_fulfillment("reissue-code")(self.fulfillment("ready", "picking"))

    def linkFulfillment(self):
        return self._of_fulfillment("link")(self.fulfillment("ready", "allocated"))

    def handOverFulfillment(self):
        def body(fulfillment):
            code = self.dice.choice([fulfillment.get("pickup_code"), "WRONGONE"]) or "WRONGONE"
            proof = self.dice.choice([{"method": "code", "value": code}, {"method": "code", "value": code}, {"method": "id_check"}])
            lines = self.lines(fulfillment["lines"]) if self.dice.random() < 0.4 else None
            return {"proof": proof, **({"lines": lines} if lines else {})}
        return self._of_fulfillment("handover", body)(self.fulfillment("ready"))

    def shipFulfillment(self):
        def body(fulfillment):
            package = {"carrier": "DHL", "tracking_number": str(self.dice.randint(1, 9))}
            if self.dice.random() < 0.6:
                package["lines"] = self.lines(fulfillment["lines"])
            return {"packages": [package]}
        return self._of_fulfillment("ship", body)(self.fulfillment("packed"))

    def deliverFulfillment(self):
        return self._of_fulfillment("deliver")(self.fulfillment("shipped"))

    def rejectFulfillment(self):
        return self._of_fulfillment("reject", lambda _: {"reason": self.dice.choice(["closed", "not_found", "capacity"])})(
            self.fulfillment("allocated", "picking"))

    def cancelFulfillment(self):
        return self._of_fulfillment("cancel", lambda _: {"reason": "not wanted"})(self.fulfillment("allocated", "picking", "packed", "ready"))

    def createReturn(self):
        order, dice = self.bought(), self.dice
        items = [{**line, "reason": "too small", **({"condition": dice.choice(["sellable", "damaged"])} if dice.random() < 0.6 else {})}
                 for line in self.lines(order["lines"], "id", lambda line: line["fulfilled"] - line["returned"])]
        body = {"order_id": order["id"], "location": dice.choice(self.retailer.locations), "lines": items}
        if dice.random() < 0.4:
            body["exchange"] = {"lines": [{"sku": dice.choice(self.retailer.skus), "quantity": dice.choice([1, 90]),
                                           "fulfillment": {"method": "pickup", "location": self.retailer.store}}]}
        return "/v1/returns", body

    def quoteReturn(self):
        return "/v1/returns/quote", self.createReturn()[1]

    def _return(self):
        made = self.dice.choice(self.returns) if self.returns else NOBODY
        if made == NOBODY:
            return made, []
        return made, self.full.get(f"/v1/returns/{made}", expect=200).json()["lines"]

    def cancelReturn(self):
        return f"/v1/returns/{self._return()[0]}/cancel", {"reason": "not sent"}

    def disposeReturn(self):
        made, lines = self._return()
        moves = [{"id": line["id"]} for line in lines[:self.dice.randint(1, 3)]] or [{"id": NOBODY}]
        return f"/v1/returns/{made}/dispose", {"disposition": self.dice.choice(["restock", "refurbish", "dispose"]), "lines": moves}

    def loseReturn(self):
        made, lines = self._return()
        body = {"lines": [{"id": line["id"], "quantity": self.dice.choice([1, 99])} for line in lines[:1]]} if lines else {}
        return f"/v1/returns/{made}/lost", body

    def receiveReturn(self):
        made, lines = self._return()
        named = [{"id": line["id"], "quantity": self.dice.choice([1, 1, 99]), "condition": "sellable"} for line in lines[:2]]
        body = {"location": self.dice.choice(self.retailer.locations)}
        return f"/v1/returns/{made}/receive", {**body, **({"lines": named} if named else {})}

    def refundReturn(self):
        body = {"to": self.dice.choice(["original", "store_credit", "none"])}
        if self.dice.random() < 0.4:
            body["amount"] = {"amount": self.dice.choice([1, 99_999_999]), "currency": "EUR"}
        return f"/v1/returns/{self._return()[0]}/refund", body

    def adjustInventory(self):
        dice, items = self.dice, []
        for _ in range(dice.randint(1, 3)):
            change = dice.choice([{"on_hand": dice.choice([0, 1, 5, 20]), "reason": "count"}, {"delta": -dice.choice([1, 99]), "reason": "sale"},
                                  {"delta": 5, "reason": "receipt"}, {"delta": 1, "reason": "damage"}])
            items.append({"location": dice.choice(self.retailer.locations[:2] + ["nowhere"]) if dice.random() < 0.2 else self.retailer.store,
                          "sku": dice.choice(self.retailer.skus), **change})
        return "/v1/inventory/adjustments/batch", {"items": items}, {"atomic": "true"}

    def queryAvailability(self):
        return "/v1/availability/query", {"skus": self.retailer.skus}

    def scan(self):
        return f"/v1/locations/{self.retailer.store}/scan", {"code": self.retailer.sku}

    def putChannel(self):
        return f"/v1/channels/{self.retailer.channel}", {"name": self.dice.choice(["Web shop", "Shop"]), "kind": "web"}

    def putLocation(self):
        made = self.full.get(f"/v1/locations/{self.retailer.store}", expect=200).json()
        body = {name: value for name, value in made.items() if name not in ("code", "version", "created_at", "updated_at")}
        body["time_zone"] = self.dice.choice([body["time_zone"], "Europe/Nowhere"])
        return f"/v1/locations/{self.retailer.store}", body

    def putProduct(self):
        return f"/v1/products/{self.retailer.sku}", {"title": self.dice.choice(["Shirt", "Blouse"]),
                "price": {"amount": 1000, "currency": "EUR"}, **self.dice.choice([{}, {"gtin": "6291041500214"}])}

    def putListing(self):
        sku = self.dice.choice([self.retailer.skus[2], "nothing"])
        return f"/v1/channels/{self.retailer.channel}/listings/{sku}", {"published": self.dice.random() < 0.5}

    def putSafetyStock(self):
        sku = self.dice.choice([self.retailer.sku, "nothing"])
        return f"/v1/locations/{self.retailer.store}/inventory/{sku}", {"safety_stock": self.dice.choice([0, 1])}

    TEMPLATE = "/v1/notification-templates/ready/email/de"

    def putNotificationTemplate(self):
        return self.TEMPLATE, {"subject": "Bereit", "text": self.dice.choice(["Hallo", "{{#open"])}

    def deleteNotificationTemplate(self):
        return self.TEMPLATE, None

    def previewNotification(self):
        return f"{self.TEMPLATE}/preview", {"order_id": self.dice.choice([self.order()["id"], NOBODY])}

    def sendOrderNotification(self):
        body = {"kind": self.dice.choice(["ready", "order_placed", "eaten"]), **self.dice.choice([{}, {}, {"to": "ada"}])}
        return f"/v1/orders/{self.dice.choice([self.order()['id'], NOBODY])}/notifications", body

    def putConsumer(self):
        return "/v1/consumers/reader", {"after": self.dice.choice(["oldest", "now", "yesterday"])}

    def deleteConsumer(self):
        return f"/v1/consumers/{self.dice.choice(['reader', 'nobody'])}", None

    def commitConsumer(self):
        now = self.full.get("/v1/events", params={"after": "now"}, expect=200).json()["next_cursor"]
        body = {"cursor": self.dice.choice([now, "nothing"]), **self.dice.choice([{}, {"expected": now}])}
        return f"/v1/consumers/{self.dice.choice(['reader', 'nobody'])}/commit", body

    def _webhook_body(self):
        url = self.dice.choice(["https://erp.example/a", "https://erp.example/b", "http://10.0.0.1/", "nothing"])
        return {"url": url, "types": self.dice.choice([["*"], ["order.*"], ["no.such"]])}

    def createWebhook(self):
        return "/v1/webhooks", self._webhook_body()

    def _webhook(self, verb=""):
        return f"/v1/webhooks/{self.dice.choice(self.webhooks[-3:])}{verb}"

    def replaceWebhook(self):
        return self._webhook(), self._webhook_body()

    def deleteWebhook(self):
        return self._webhook(), None

    def pauseWebhook(self):
        return self._webhook("/pause"), {}

    def rotateWebhookSecret(self):
        return self._webhook("/rotate"), {"overlap": self.dice.choice(["PT1H", "P8D"])}

    def testWebhook(self):
        return self._webhook("/test"), {}

    def replayWebhook(self):
        return self._webhook("/replay"), self.dice.choice([{"from": "2020-01-01T00:00:00Z"}, {"from": "nothing"}, {"event_id": NOBODY}])

    def resumeWebhook(self):
        return self._webhook("/resume"), {}

    # Sending

    def send(self, operation):
        path, body, *params = getattr(self, operation.name)()
        headers = {"If-Match": f'"{self.dice.randint(90, 99)}"'} if self.dice.random() < 0.1 else {}
        client = self.dice.choice(self.clients)
        reply = client.request(operation.method, path, body, headers=headers, params=params[0] if params else None)
        made = {"placeOrder": self.orders, "createReservation": self.reservations, "createReturn": self.returns,
                "createWebhook": self.webhooks}
        if reply.status_code == 201 and operation.name in made:
            made[operation.name].append(reply.json()["id"])
        return reply


def commands():
    return [one for one in contract().operations if one.method in ("POST", "PUT", "DELETE")]


def test_every_command_of_the_api_is_among_those_that_are_tried():
    """A new route without a command in World is not proved to leave nothing behind."""
    assert {one.name for one in commands()} - set(dir(World)) == set()


LOCATIONS_OF_AN_ORDER = 3  # of the retailer; order_places repeats the time of the order for each


def told_otherwise(before, after):
    """The changes besides those of a counted wrong code: its fulfillment, its order, the queue, events."""
    changed = difference(before, after)
    for told in ("event_log", "events", "revisions"):
        changed.pop(told, None)
    for table, most in (("fulfillments", 1), ("orders", 1), ("order_places", LOCATIONS_OF_AN_ORDER)):
        rows = changed.pop(table, {"gone": [], "new": []})
        if len(rows["gone"]) != len(rows["new"]) or len(rows["new"]) > most:
            changed[table] = rows
    return changed


def forget_unused_slots(changed):
    """A slot row without taken places says the same as no row, and a command that locks it may delete it."""
    rows = changed.get("slots")
    if rows and not rows["new"] and all(row.endswith(",0)") for row in rows["gone"]):
        del changed["slots"]


@pytest.fixture
def instance(services):
    return services(sweeper=0, smtp_url="smtp://127.0.0.1")  # time changes nothing meanwhile, and no mail is sent


def test_what_is_refused_has_no_effect(instance):
    seed = int(os.environ.get("HOLDFAST_TEST_SEED") or uuid.uuid4().int % 1_000_000)
    print(f"HOLDFAST_TEST_SEED={seed}")
    dice = random.Random(seed)
    world = World(instance, dice)
    named = {one.name: one for one in commands()}
    while len(world.orders) < 8 or len(world.reservations) < 3:
        world.send(named[dice.choice(["placeOrder", "createReservation"])])
    seen = {one.name: set() for one in commands()}

    with Database(instance.database_url) as database:
        for _ in range(ROUNDS):
            world.live()
            before = dump(database)
            for operation in dice.sample(commands(), len(commands())):
                reply = world.send(operation)
                after = dump(database)
                seen[operation.name].add(reply.status_code)
                assert reply.status_code < 500, f"seed {seed}: {operation.name} {reply.text}"
                if reply.status_code >= 400:
                    wrong_code = reply.json()["code"] == "handover-proof-invalid"
                    changed = told_otherwise(before, after) if wrong_code else difference(before, after)
                    forget_unused_slots(changed)
                    assert not changed, f"seed {seed}: {operation.name} was refused with {reply.text}, and changed {changed}"
                before = after
    done = {name for name, statuses in seen.items() if any(status < 300 for status in statuses)}
    refused = {name for name, statuses in seen.items() if any(status >= 400 for status in statuses)}
    # A seed that grants or refuses too little proves too little.
    assert len(done) > len(seen) / 2, f"seed {seed}: only {sorted(done)} were ever granted"
    assert len(refused) > len(seen) / 2, f"seed {seed}: only {sorted(refused)} were ever refused"
    instance.assert_audit_clean()
