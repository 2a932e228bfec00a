"""A small retailer made through the API, with unique codes, so that tests share a database without meeting."""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

ALWAYS_OPEN = [{"day": day, "opens": "00:00", "closes": "24:00"}
               for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
_BERLIN = {"latitude": 52.52, "longitude": 13.405, "time_zone": "Europe/Berlin", "country": "DE"}


@dataclass
class Retailer:
    """Two stores and a warehouse, a channel, products with the same stock of each everywhere."""

    api: object
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    n_products: int = 3
    on_hand: int = 10

    def __post_init__(self):
        self.channel = f"web-{self.tag}"
        self.store = f"store-{self.tag}"
        self.other_store = f"other-{self.tag}"
        self.warehouse = f"warehouse-{self.tag}"
        self.locations = [self.store, self.other_store, self.warehouse]
        self.skus = [f"SKU-{self.tag}-{n}" for n in range(1, self.n_products + 1)]
        self.sku = self.skus[0]
        self._references = itertools.count(1)

    def create(self):
        self.api.put(f"/v1/channels/{self.channel}", {"name": "Web shop", "kind": "web"}, expect=201)
        for code in (self.store, self.other_store):
            self.create_location(code)
        self.create_location(self.warehouse, kind="warehouse", capabilities=["ship", "returns"])
        for n, sku in enumerate(self.skus, start=1):
            self.create_product(sku, title=f"Product {n}", price={"amount": 1000 * n, "currency": "EUR"})
        if self.on_hand:
            self.stock({(location, sku): self.on_hand for location in self.locations for sku in self.skus})
        return self

    def create_location(self, code, **fields):
        body = {"name": code, "kind": "store", **_BERLIN, "capabilities": ["pickup", "curbside", "ship", "returns"],
                "opening_hours": ALWAYS_OPEN, "pickup": {"lead_time": "PT2H", "hold_for": "P7D"}, **fields}
        return self.api.put(f"/v1/locations/{code}", body, expect=201).json()

    def offer_slot(self, capacity, location=None, days=2):
        """Give the location one pickup slot a week, a few days from now; its beginning."""
        path = f"/v1/locations/{location or self.store}"
        made = self.api.get(path, expect=200).json()
        body = {name: value for name, value in made.items() if name not in ("code", "version", "created_at", "updated_at")}
        day = (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%a").lower()
        body["pickup"] = {**body["pickup"], "slots": [{"day": day, "from": "12:00", "to": "13:00", "capacity": capacity}]}
        self.api.put(path, body, expect=200)
        return self.api.get(f"{path}/slots", expect=200).json()["data"][0]["slot"]

    def create_product(self, sku, **fields):
        return self.api.put(f"/v1/products/{sku}", {"title": sku, **fields}, expect=201).json()

    def stock(self, figures, reason="count"):
        """Set on_hand by {(location, sku): units}; every item must be taken."""
        items = [{"location": location, "sku": sku, "on_hand": units, "reason": reason}
                 for (location, sku), units in figures.items()]
        reply = self.api.post("/v1/inventory/adjustments/batch", {"items": items}, expect=207).json()
        assert reply["summary"]["failed"] == 0, f"not all stock was taken: {reply}"

    def only_here(self):
        """Nobody but the store has anything."""
        self.stock({(location, sku): 0 for location in self.locations if location != self.store for sku in self.skus})

    def figures(self, sku=None, location=None):
        """The stock figures of one product at one location."""
        sku, location = sku or self.sku, location or self.store
        reply = self.api.get(f"/v1/inventory/{sku}", expect=200).json()
        return next(row for row in reply["locations"] if row["location"] == location)

    def available(self, sku=None, location=None):
        return self.figures(sku, location)["available"]

    def reserve(self, lines=None, location=None, expect=201, **fields):
        """Reserve {sku: units} at the store, one unit of the first product when nothing is said."""
        options = {name: fields.pop(name) for name in ("key", "headers") if name in fields}
        body = {"location": location or self.store, "lines": _lines(lines or {self.sku: 1}), **fields}
        return self.api.post("/v1/reservations", body, expect=expect, **options)

    def order_body(self, lines=None, method="pickup", location=None, **fields):
        """An order of {sku: units}, all by one method from one location."""
        return {"channel": self.channel, "external_ref": self.reference(), "currency": "EUR",
                "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
                "lines": _lines(lines or {self.sku: 1}),
                "fulfillment": {"method": method, "location": location or self.store}, **fields}

    def order(self, lines=None, method="pickup", location=None, expect=201, **fields):
        options = {name: fields.pop(name) for name in ("key", "headers") if name in fields}
        return self.api.post("/v1/orders", self.order_body(lines, method, location, **fields), expect=expect, **options)

    def reference(self):
        """An external_ref nobody has used."""
        return f"{self.tag}-{next(self._references)}"


def _lines(lines):
    """{sku: units} as lines; a list is taken as it is."""
    return lines if isinstance(lines, list) else [{"sku": sku, "quantity": units} for sku, units in lines.items()]
