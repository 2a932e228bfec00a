"""The work of a location on one order, for tests: its commands and their effects."""

import uuid


class Work:
    """One fulfillment of a new order, three units of the first product and one of the second by default."""

    def __init__(self, retailer, database, lines=None, method="pickup", **fields):
        self.retailer, self.database, self.api = retailer, database, retailer.api
        fields.setdefault("payment", {"status": "captured"})
        if method == "ship":
            fields.setdefault("ship_to", {"name": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115",
                                          "country": "DE"})
        lines = lines or {retailer.skus[0]: 3, retailer.skus[1]: 1}
        self.order = retailer.order(lines, method=method, **fields).json()
        self.id = self.order["fulfillments"][0]["id"]
        self.path = f"/v1/fulfillments/{self.id}"

    def now(self, **options):
        return self.api.get(self.path, expect=200, **options).json()

    def act(self, verb, body=None, expect=200, api=None, **options):
        reply = (api or self.api).post(f"{self.path}/{verb}", body, expect=expect, **options)
        if expect == 200:
            assert reply.headers["ETag"] == f'"{reply.json()["version"]}"'
        return reply

    def order_now(self):
        return self.api.get(f"/v1/orders/{self.order['id']}", expect=200).json()

    def line(self, n=0):
        return self.order["lines"][n]["id"]

    def pick_all(self):
        return self.act("pick", {"lines": [{"order_line_id": line["id"], "quantity": line["quantity"]}
                                           for line in self.order["lines"]]}).json()

    def make_ready(self):
        self.pick_all()
        return self.act("ready").json()

    def code(self):
        return self.now()["pickup_code"]

    def hand_over(self, expect=200, code=None, key=None, **fields):
        body = {"proof": {"method": "code", "value": code or self.code()}, **fields}
        return self.act("handover", body, expect, key=key or str(uuid.uuid4()))

    def figures(self, n=0):
        """(on_hand, unsellable, reserved) of the n-th product at the store."""
        row = self.retailer.figures(self.retailer.skus[n])
        return row["on_hand"], row["unsellable"], row["reserved"]

    def ledger(self):
        """The fulfillment's ledger entries there: (sku, reason, on hand, unsellable), by the products' names."""
        rows = self.database.rows(
            "select sku, reason, on_hand_change, unsellable_change from ledger where document = %s order by sku, number",
            f"fulfillment/{self.id}")
        return [(row["sku"], row["reason"], row["on_hand_change"], row["unsellable_change"]) for row in rows]

    def events(self):
        """The types of its order's events, oldest first."""
        return [event["type"] for event in self.told()]

    def happened(self):
        """The same since it was placed."""
        placing = ("order.created", "fulfillment.allocated", "payment.captured")
        return [kind for kind in self.events() if kind not in placing]

    def told(self):
        return self.api.get(f"/v1/orders/{self.order['id']}/timeline", expect=200).json()["data"]


def faults(reply):
    """{pointer: code} of a refusal."""
    return {fault["pointer"]: fault["code"] for fault in reply.json().get("errors", [])}


def code_of(reply):
    return reply.json()["code"]
