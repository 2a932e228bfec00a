"""The examples of api/openapi, and a retailer with the codes that they name.

An example is a fixed text: its ids, order numbers, codes and times are put in place of those of documents that a test has
made. Every other value is sent as it stands.
"""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from support.database import Database
from support.retailer import Retailer
from support.returning import Bought
from support.waiting import eventually
from support.work import Work

WRITTEN_AT = datetime(2026, 11, 21, 10, 15, 30, tzinfo=timezone.utc)  # the "now" of all examples
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
SUCCESSES = (200, 201, 202, 207)
STAFF, SUPERVISOR = "staff", "supervisor"


# ---- member names ----

def names_of(value):
    """The member names of a value as a tree; the items of a list together. None where the value has none."""
    if isinstance(value, dict):
        return {name: names_of(inner) for name, inner in value.items()}
    if isinstance(value, list):
        merged = None
        for item in map(names_of, value):
            merged = merge(merged, item)
        return merged
    return None


def merge(first, second):
    if first is None or second is None:
        return first if second is None else second
    return {name: merge(first.get(name), second.get(name)) for name in first.keys() | second.keys()}


def differences(contract, schema, example, reply, where="#"):
    """Members that only one of the two trees has; an example may have optional members that this reply lacks."""
    properties, required = members_of(contract, schema)
    if example is None or reply is None or not properties:
        return
    for name in sorted(reply.keys() - example.keys()):
        yield f"{where}/{name}: the reply has it, the example does not"
    for name in sorted(example.keys() - reply.keys()):
        if name not in properties or name in required:
            yield f"{where}/{name}: the example has it, the reply does not"
    for name in sorted(example.keys() & reply.keys() & properties.keys()):
        yield from differences(contract, properties[name], example[name], reply[name], f"{where}/{name}")


def members_of(contract, schema):
    """(properties, required) of an object, of the items of a list, or of all alternatives."""
    schema = contract.deref(schema)
    if "items" in schema:
        return members_of(contract, schema["items"])
    properties, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for part in schema.get("allOf", []):
        inner, needed = members_of(contract, part)
        properties |= inner
        required |= needed
    alternatives = [members_of(contract, part) for part in schema.get("anyOf", []) if part != {"type": "null"}]
    for inner, _ in alternatives:
        properties |= inner
    if len(alternatives) == 1:
        required |= alternatives[0][1]
    return properties, required


# ---- sending them ----

@dataclass
class Prepared:
    """A request for an example: values of the path, values in place of the example's by member name, and the sender."""

    path: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    sender: str = STAFF
    params: dict = None


def bound(value, names, shift):
    """The example with the values of this test: members by name, times as far from now as they are from WRITTEN_AT."""
    if isinstance(value, dict):
        return {name: names[name] if name in names else bound(inner, names, shift) for name, inner in value.items()}
    if isinstance(value, list):
        return [bound(item, names, shift) for item in value]
    if isinstance(value, str) and TIME.fullmatch(value):
        moved = datetime.fromisoformat(value.replace("Z", "+00:00")) + shift
        return moved.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


class ExampleRetailer(Retailer):
    """The channel, locations and products that the examples name, made from the examples themselves."""

    def __post_init__(self):
        super().__post_init__()
        self.channel, self.store, self.warehouse, self.other_store = "web", "berlin-mitte", "warehouse-1", "hamburg"
        self.locations = [self.store, self.warehouse, self.other_store]
        self.skus = ["SKU-1", "SKU-2", "SHOE-43"]
        self.sku = self.skus[0]

    def create(self):
        schemas = self.api.contract().document["components"]["schemas"]
        channel, location, product, listing = (
            schemas[name]["examples"][0] for name in ("ChannelBody", "LocationBody", "ProductBody", "ListingBody"))
        self.api.put("/v1/channels/web", channel, expect=201)
        self.api.put("/v1/locations/berlin-mitte", location, expect=201)
        self.create_location("warehouse-1", kind="warehouse", capabilities=["ship", "returns"])
        self.create_location("hamburg")
        self.api.put("/v1/products/SKU-1", product, expect=201)
        self.create_product("SKU-2", title="Wool scarf", gtin="4006381333931", price={"amount": 2500, "currency": "EUR"})
        self.create_product("SHOE-43", title="Running shoe, size 43", price={"amount": 4999, "currency": "EUR"})
        self.api.put("/v1/channels/web/listings/SKU-1", listing, expect=201)
        self.fill_shelves()
        return self

    def fill_shelves(self):
        """Stock for every order; an example of a count leaves twelve."""
        self.stock({(location, sku): 400 for location in self.locations for sku in self.skus})


class Scene:
    """One instance with the retailer of the examples, and for each operation a document that its example can act on."""

    def __init__(self, service):
        self.service = service
        self.api = service.client()
        self.admin = service.client(scope="admin", subject="supervisor")
        self.retailer = ExampleRetailer(self.api).create()
        self.database = Database(service.database_url).__enter__()

    def close(self):
        self.database.__exit__(None, None, None)

    def send(self, operation, example=None, media=None):
        """The reply to the example, or to a request without a body; it must be a success. media: the content type wanted."""
        self.media = media
        self.retailer.fill_shelves()
        prepared = getattr(self, operation.name, self.elsewhere)(operation, example or {})
        path = operation.template.format(**{"code": self.code_for(operation), "sku": self.retailer.sku, **prepared.path})
        body = None if example is None else bound(example, prepared.names, datetime.now(timezone.utc) - WRITTEN_AT)
        client = self.admin if prepared.sender == SUPERVISOR else self.api
        probes = "servers" in self.api.contract().document["paths"][operation.template]
        key = str(uuid.uuid4()) if operation.method == "POST" else None
        return client.request(operation.method, (self.service.admin_url if probes else "") + path, body,
                              expect=SUCCESSES, key=key, params=prepared.params)

    @staticmethod
    def code_for(operation):
        return "web" if operation.template.startswith("/v1/channels") else "berlin-mitte"

    def elsewhere(self, operation, example):
        """Operations that need no document."""
        return Prepared()

    def getDocsAsset(self, operation, example):
        page = self.api.get("/docs", expect=200).text
        ending = {"text/css": ".css"}.get(self.media, ".js")
        return Prepared({"asset": next(name for name in re.findall(r'"docs/([^"]+)"', page)
                                       if name.endswith(ending) and "bundle" not in name)})

    def exportRows(self, *_):
        return Prepared({"kind": "stock"}, params={"format": "jsonl" if self.media == "application/jsonl" else "csv"})

    # Reservations

    def reserved(self, *_):
        return Prepared({"id": self.retailer.reserve(lines={"SKU-1": 2}, channel="web", reference="basket-77").json()["id"]})

    getReservation = releaseReservation = extendReservation = reserved

    # Webhooks

    def registered(self, *_):
        """An endpoint whose name never has an address (RFC 2606)."""
        made = self.api.post("/v1/webhooks", {"url": "https://erp.example/holdfast", "types": ["order.*"]}, expect=201).json()
        return Prepared({"id": made["id"]})

    getWebhook = replaceWebhook = deleteWebhook = pauseWebhook = resumeWebhook = rotateWebhookSecret = listWebhookAttempts = \
        testWebhook = replayWebhook = registered

    def listWebhooks(self, *_):
        self.registered()
        return Prepared()

    # Messages

    def messaged(self, *_):
        """An order with a message that is sent."""
        order = self.ordered()
        self.api.post(f"/v1/orders/{order['id']}/notifications", {"kind": "ready"}, expect=201)
        return Prepared({"id": order["id"]})

    listOrderNotifications = sendOrderNotification = messaged

    # Orders and payments

    def ordered(self, **fields):
        return self.retailer.order({"SKU-1": 3, "SKU-2": 1}, **{"payment": {"status": "captured", "reference": "pay-77"}, **fields}).json()

    def an_order(self, operation, example):
        order = self.ordered()
        return Prepared({"id": order["id"]}, {"order_line_id": order["lines"][0]["id"]})

    cancelOrder = quoteCancellation = changeOrder = listOrderTimeline = an_order

    def putConsumer(self, *_):
        return Prepared({"name": "warehouse"})

    def consumer(self, *_):
        made = self.api.put("/v1/consumers/warehouse", {"after": "oldest", "types": ["order.*"]}, expect=SUCCESSES).json()
        return Prepared({"name": "warehouse"}, {"cursor": made["cursor"]})

    getConsumer = commitConsumer = deleteConsumer = consumer

    def listConsumers(self, *_):
        self.consumer()
        return Prepared()

    def listEvents(self, *_):
        order = self.ordered()
        eventually(lambda: self.database.count("event_log", "subject_id = %s", order["id"]) > 0, what="published")
        return Prepared(params={"subject": f"orders/{order['id']}", "types": "order.created"})

    def placeOrder(self, *_):
        return Prepared(names={"external_ref": self.retailer.reference()})

    def listOrders(self, *_):
        self.ordered()
        return Prepared()

    def getOrder(self, *_):
        """The order of the example, under another number."""
        body = self.api.contract().document["components"]["schemas"]["OrderBody"]["examples"][0]
        made = self.api.post("/v1/orders", {**body, "external_ref": self.retailer.reference()}, expect=201).json()
        return Prepared({"id": made["id"]})

    def addPayment(self, *_):
        return Prepared({"id": self.ordered(payment=None)["id"]})

    def refunding(self, *_):
        order = self.ordered()
        line = {"order_line_id": order["lines"][0]["id"], "quantity": 1}
        self.api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed her mind", "lines": [line]}, expect=200)
        return Prepared({"id": order["id"]})

    refundOrder = refunding

    def getRefund(self, *_):
        id = self.refunding().path["id"]
        made = self.api.post(f"/v1/orders/{id}/refunds", {"to": "original", "reason": "cancelled in part"}, expect=201).json()
        return Prepared({"id": made["refunds"][0]["id"]})

    def getPayment(self, *_):
        return Prepared({"id": self.ordered(payment={"status": "authorized", "reference": "pay-77"})["payments"][0]["id"]})

    tellPaymentEvent = getPayment

    # Notifications

    def a_template(self, *_):
        """A locale that no other example has, so that the program has the template alone."""
        return Prepared({"kind": "ready", "medium": "email", "locale": "de"})

    putNotificationTemplate = a_template

    def replaced_template(self, operation, example):
        body = self.api.contract().document["components"]["schemas"]["NotificationTemplateBody"]["examples"][0]
        self.api.put("/v1/notification-templates/ready/email/en", body, expect=(200, 201))
        return Prepared({"kind": "ready", "medium": "email", "locale": "en"})

    getNotificationTemplate = deleteNotificationTemplate = replaced_template

    def previewNotification(self, *_):
        path = self.replaced_template(None, None).path
        return Prepared(path, {"order_id": self.ordered()["id"]})

    # Fulfillments

    def work(self, method="pickup"):
        return Work(self.retailer, self.database, {"SKU-1": 2, "SKU-2": 1}, method)

    def allocated(self, operation, example):
        it = self.work()
        return Prepared({"id": it.id}, {"order_line_id": it.line()})

    assignFulfillment = pickFulfillment = shortFulfillment = checkInFulfillment = nameRecipient = allocated
    linkFulfillment = rejectFulfillment = cancelFulfillment = statusOfFulfillment = allocated

    def listQueue(self, *_):
        self.work()
        return Prepared()

    countQueue = listQueue

    def readyFulfillment(self, *_):
        it = self.work()
        it.pick_all()
        return Prepared({"id": it.id})

    def waiting(self, *_):
        it = self.work()
        it.make_ready()
        return Prepared({"id": it.id}, {"value": it.code()})

    handOverFulfillment = extendHold = waiting

    def getFulfillment(self, *_):
        prepared = self.waiting()
        path = f"/v1/fulfillments/{prepared.path['id']}"
        self.api.post(f"{path}/recipient", {"name": "Grace Hopper", "relation": "friend"}, expect=200)
        self.api.post(f"{path}/check-in", {"state": "on_the_way", "eta_minutes": 12}, expect=200)
        return prepared

    def supervised(self, *_):
        return Prepared(self.waiting().path, sender=SUPERVISOR)

    unlockHandover = reissueCode = supervised

    def reinstateFulfillment(self, *_):
        it = self.work()
        it.make_ready()
        self.database.execute("update fulfillments set hold_until = now() - interval '1 second' where id = %s", it.id)
        eventually(lambda: it.now()["status"] == "expired", what="expired by the scheduled job")
        return Prepared({"id": it.id})

    def shipFulfillment(self, *_):
        it = self.work("ship")
        it.pick_all()
        return Prepared({"id": it.id})

    def deliverFulfillment(self, *_):
        prepared = self.shipFulfillment()
        package = {"carrier": "DHL", "tracking_number": "00340434161094000000"}
        self.api.post(f"/v1/fulfillments/{prepared.path['id']}/ship", {"packages": [package]}, expect=200)
        return prepared

    # Returns

    def bought(self):
        return Bought(self.retailer, {"SKU-1": 3, "SKU-2": 1})

    def returning(self, *_):
        it = self.bought()
        return Prepared(names={"order_number": it.order["order_number"], "order_line_id": it.line()})

    createReturn = quoteReturn = returning

    def brought(self, *_):
        it = self.bought()
        made = it.bring(it.item(2, condition="quarantine")).json()
        return Prepared({"id": made["id"]}, {"id": made["lines"][0]["id"]})

    getReturn = disposeReturn = refundReturn = brought

    def listReturns(self, *_):
        self.brought()
        return Prepared()

    def announced(self, *_):
        it = self.bought()
        made = it.send(2).json()
        return Prepared({"id": made["id"]}, {"order_line_id": it.line()})

    cancelReturn = loseReturn = receiveReturn = announced
