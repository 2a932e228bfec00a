"""Goods that a customer has, and brings back: for tests of returns."""

import uuid


class Bought:
    """An order of the retailer, paid, and in the customer's hands; three of the first product and one of the second by default."""

    def __init__(self, retailer, lines=None, method="pickup", location=None, hand_over=True, api=None, **fields):
        self.retailer, self.api = retailer, api or retailer.api
        fields.setdefault("payment", {"status": "captured", "reference": "psp-1"})
        if method == "ship":
            fields.setdefault("ship_to", {"name": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115",
                                          "country": "DE"})
        lines = lines or {retailer.skus[0]: 3, retailer.skus[1]: 1}
        self.order = retailer.order(lines, method=method, location=location, **fields).json()
        self.id = self.order["id"]
        self.location = location or retailer.store
        for fulfillment in self.order["fulfillments"] if hand_over else []:
            self.deliver(fulfillment, method)

    def deliver(self, fulfillment, method="pickup"):
        path = f"/v1/fulfillments/{fulfillment['id']}"
        lines = [{"order_line_id": line["order_line_id"], "quantity": line["quantity"]} for line in fulfillment["lines"]]
        self.api.post(f"{path}/pick", {"lines": lines}, expect=200)
        if method == "ship":
            self.api.post(f"{path}/ship", {"packages": [{"carrier": "DHL", "tracking_number": "1"}]}, expect=200)
            return
        self.api.post(f"{path}/ready", {}, expect=200)
        code = self.api.get(path, expect=200).json()["pickup_code"]
        self.api.post(f"{path}/handover", {"proof": {"method": "code", "value": code}}, expect=200, key=str(uuid.uuid4()))

    def line(self, n=0):
        return self.order["lines"][n]["id"]

    def item(self, quantity=1, n=0, condition="sellable", **fields):
        item = {"order_line_id": self.line(n), "quantity": quantity, "reason": "too small", **fields}
        return {**item, "condition": condition} if condition else item

    def body(self, *items, location=None, **fields):
        return {"order_id": self.id, "location": location or self.location, "lines": list(items or [self.item()]), **fields}

    def bring(self, *items, expect=201, api=None, key=None, **fields):
        """Bring items back, one sellable unit of the first line when nothing is said."""
        return (api or self.api).post("/v1/returns", self.body(*items, **fields), expect=expect, key=key or str(uuid.uuid4()))

    def send(self, *quantities, expect=201, **fields):
        """Announce units of the lines, one of the first when nothing is said."""
        items = [self.item(quantity, n, condition=None) for n, quantity in enumerate(quantities or [1]) if quantity]
        return self.bring(*items, expect=expect, **fields)

    def quote(self, *items, expect=200, **fields):
        return self.api.post("/v1/returns/quote", self.body(*items, **fields), expect=expect)

    def now(self):
        return self.api.get(f"/v1/orders/{self.id}", expect=200).json()

    def returned(self):
        return [line["returned"] for line in self.now()["lines"]]

    def events(self):
        told = self.api.get(f"/v1/orders/{self.id}/timeline", expect=200).json()["data"]
        return [event["type"] for event in told if event["type"].startswith("return.")]

    def act(self, made, verb, body=None, expect=200, api=None, **options):
        reply = (api or self.api).post(f"/v1/returns/{made['id']}/{verb}", body, expect=expect, **options)
        if expect == 200:
            assert reply.headers["ETag"] == f'"{reply.json()["version"]}"'
        return reply


def movements(database, made):
    """What a return has written into the ledger: (sku's place, reason, on hand, unsellable)."""
    rows = database.rows("select sku, reason, on_hand_change, unsellable_change from ledger where document = %s"
                         " order by sku, number", f"return/{made['id']}")
    return [(row["reason"], row["on_hand_change"], row["unsellable_change"]) for row in rows]


def states(made):
    """(quantity, reception, acceptance, bucket) of each line."""
    return [(line["quantity"], line["reception"], line["acceptance"], line["bucket"]) for line in made["lines"]]
