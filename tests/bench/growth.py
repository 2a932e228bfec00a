#!/usr/bin/python3
"""Costs of each list and search for a small retailer and a large one: 2,000 stock rows and 4,000 orders beside 1,000,000 of each.

Both are filled by `holdfast import` (nine of ten orders: fulfilled, some came back) and by the API (the rest: open, cancelled,
returned), each on a durable PostgreSQL of its own with the release build. One client asks the two in turn. A figure is the
median. The large retailer stays in build/bench-growth/large with --keep, and the next run with as many orders takes it from there.
"""

import argparse
import csv
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stage import SERVER_SETTINGS, quantile  # noqa: E402
from support import ROOT  # noqa: E402
from support.building import Build  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.database import Database  # noqa: E402
from support.holdfast import Holdfast, make_token, migrate  # noqa: E402
from support.waiting import eventually  # noqa: E402

DIRECTORY = ROOT / "build" / "bench-growth"
CALLS = 41
BAR_MS, WORDS_BAR_MS, FACTOR_BAR = 10, 25, 2
CHANNELS = ["web", "app", "market"]
MAIN_SHARE = 0.3  # of the orders: what the first location has
BY_API = 0.1
BY_API_MAX = 30_000
API_THREADS = 8
INVOICE = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
SYLLABLES = ["ba", "den", "fri", "gor", "hel", "ka", "lin", "mar", "nor", "os", "pet", "ru", "sel", "tho", "ul", "win"]


def name_of(n):
    """4,096 last names and 256 first names that say nothing of each other."""
    pick = random.Random(n).randrange
    return " ".join("".join(SYLLABLES[pick(16)] for _ in range(parts)).capitalize() for parts in (2, 3))


class Retailer:
    def __init__(self, name, n_locations, n_products, n_orders):
        self.name, self.n_orders = name, n_orders
        self.directory = DIRECTORY / name
        self.locations = [f"l{n:03}" for n in range(n_locations)]
        self.skus = [f"sku-{n:05}" for n in range(n_products)]
        self.n_api = min(int(n_orders * BY_API), BY_API_MAX)
        self.cluster = Cluster(self.directory / "cluster", durable=True, settings=SERVER_SETTINGS)
        self.mark = self.directory / "filled.json"
        self.connections = {}

    # Filling

    def open(self, keep):
        if keep and self.mark.exists() and json.loads(self.mark.read_text()) == self.size():
            self.cluster.start_again()
            migrate(self.cluster.url())
            self.serve()
            return
        self.cluster.remove()
        subprocess.run(["rm", "-rf", "--", str(self.directory)], check=True)
        self.directory.mkdir(parents=True)
        self.cluster.start()
        migrate(self.cluster.url())
        begin = time.monotonic()
        self.serve()
        self.fill_catalogue()
        self.say("locations, products and stock", begin)
        begin = time.monotonic()
        self.import_orders()
        self.say(f"{self.n_orders - self.n_api:,} orders by import", begin)
        begin = time.monotonic()
        self.place_orders()
        self.say(f"{self.n_api:,} orders by the API", begin)
        self.settle()
        self.mark.write_text(json.dumps(self.size()))

    def size(self):
        return [self.n_orders, len(self.locations), len(self.skus)]

    def say(self, what, begin):
        print(f"{self.name}: {what}: {time.monotonic() - begin:,.0f} s", flush=True)

    def serve(self):
        self.service = Holdfast(self.cluster.url(), self.directory, "service", log_level="warning").start()
        self.tokens = {None: make_token("admin", ttl=86400)}

    def file(self, name, columns, rows):
        path = self.directory / name
        with open(path, "w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(columns)
            writer.writerows(rows)
        return path

    def run_import(self, *arguments):
        done = subprocess.run([str(Holdfast.program()), "import", *map(str, arguments)], env=self.service.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def fill_catalogue(self):
        for channel in CHANNELS:
            self.ask("PUT", f"/v1/channels/{channel}", body={"name": channel, "kind": "web"})
        self.run_import("locations", self.file("locations.csv", ["code", "name", "kind", "time_zone", "country", "capabilities"],
                        ([code, f"Store {code}", "store", "Europe/Berlin", "DE", "pickup;ship"] for code in self.locations)))
        self.run_import("products", self.file("products.csv", ["sku", "title"], (
            [sku, f"{['Rain', 'Sun', 'Snow', 'Wind'][n % 4]} {['jacket', 'shirt', 'hat'][n % 3]} {name_of(n)}"] for n, sku in enumerate(self.skus))))
        self.run_import("stock", self.file("stock.csv", ["location", "sku", "on_hand"],
                                           ([code, sku, 100_000] for code in self.locations for sku in self.skus)))

    def import_orders(self):
        n_import = self.n_orders - self.n_api
        n_main = int(n_import * MAIN_SHARE)
        each, rest = divmod(n_import - n_main, len(self.locations) - 1)
        jobs, first = [], 0
        for place, location in enumerate(self.locations):
            n = n_main if place == 0 else each + (place <= rest)
            jobs.append((place, location, first, n))
            first += n
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda job: self.import_location(*job), jobs))

    def import_location(self, place, location, first, n):
        pick = random.Random(place)

        def rows():
            for number in range(first, first + n):
                sku = self.skus[pick.randrange(len(self.skus))]
                day = f"{pick.randint(1, 28):02}/{pick.randint(1, 12):02}/{pick.randint(2021, 2025)} {pick.randint(8, 19):02}:{pick.randint(0, 59):02}"
                yield [number + 1_000_000, sku, "", pick.randint(1, 3), day, "19.99", number, "Germany"]
                if number % 50 == 0:
                    yield [f"C{number + 1_000_000}", sku, "", -1, "01/06/2026 12:00", "19.99", number, "Germany"]

        path = self.file(f"{location}.csv", INVOICE, rows())
        self.run_import("orders", "--channel", CHANNELS[place % 2], "--location", location, "--currency", "EUR", path)
        path.unlink()

    def order(self, n):
        location = self.locations[0 if n % 10 < 3 else n % len(self.locations)]
        name = name_of(n)
        reply = self.ask("POST", "/v1/orders", body={
            "channel": CHANNELS[n % 2], "external_ref": f"shop-{n}", "currency": "EUR",
            "customer": {"name": name, "email": f"{name.replace(' ', '.').lower()}.{n}@example.com", "phone": f"+49 40 {1_000_000 + n}"},
            "fulfillment": {"method": "pickup", "location": location}, "payment": {"status": "captured"},
            "lines": [{"sku": self.skus[(n * 7) % len(self.skus)], "quantity": 1, "unit_price": {"amount": 1999, "currency": "EUR"}}]})
        if n % 10 == 0:
            self.ask("POST", f"/v1/orders/{reply['id']}/cancel", body={"reason": "changed her mind"})

    def place_orders(self):
        with ThreadPoolExecutor(API_THREADS) as pool:
            list(pool.map(self.order, range(self.n_api)))

    def settle(self):
        """As it is after a quiet hour: all orders searchable, statistics and visibility maps of now."""
        for connection in self.connections.values():
            connection.close()  # idle ones end meanwhile
        self.connections.clear()
        with Database(self.cluster.url()) as database:
            eventually(lambda: database.value("select count(*) from order_search_due") == 0, 7200, "all orders are searchable")
            database.execute("vacuum (analyze)")

    # Asking

    def connection(self):
        key = threading.get_ident()
        if key not in self.connections:
            self.connections[key] = http.client.HTTPConnection(*urlsplit(self.service.url).netloc.split(":"), timeout=120)
        return self.connections[key]

    def token(self, location):
        if location not in self.tokens:
            self.tokens[location] = make_token(locations=[location], ttl=86400)
        return self.tokens[location]

    def ask(self, method, path, location=None, body=None):
        headers = {"Authorization": f"Bearer {self.token(location)}", "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        self.connection().request(method, path, json.dumps(body) if body is not None else None, headers)
        reply = self.connection().getresponse()
        text = reply.read()
        assert reply.status < 300, f"{method} {path}: {reply.status} {text[:500]}"
        return json.loads(text) if text else None

    def last_page(self, path, location=None, pages=10_000):
        """The target of the last page of a list."""
        target = path
        for _ in range(pages):
            cursor = self.ask("GET", target, location)["next_cursor"]
            if not cursor:
                return target
            target = f"{path}&{urlencode({'cursor': cursor})}"
        return target

    def targets(self):
        """Name, target and location of the token of each call. Names that begin with `*` are searches by a part of a name."""
        order = next(order for order in self.ask("GET", "/v1/orders?status=open&limit=200")["data"] if order["fulfillments"][0]["location"] != self.locations[0])
        back = self.ask("GET", "/v1/returns?limit=1")["data"][0]
        small, main = order["fulfillments"][0]["location"], self.locations[0]
        fulfillment, sku = order["fulfillments"][0]["id"], order["lines"][0]["sku"]
        first, last = order["customer"]["name"].split()
        email = order["customer"]["email"]
        orders, returns = "/v1/orders?", "/v1/returns?"

        def q(words, **more):
            return orders + urlencode({"q": words, **more})

        yield "orders, newest", orders + "limit=50", None
        for status in ("open", "fulfilled", "cancelled", "partially_fulfilled", "open,cancelled"):
            yield f"orders, status {status}", orders + f"status={status}", None
        for channel in ("web", "market"):
            yield f"orders, channel {channel}{'' if channel == 'web' else ' (none)'}", orders + f"channel={channel}", None
        yield "orders, channel and rare status", orders + "channel=app&status=cancelled", None
        yield "orders, channel and status (none)", orders + "channel=web&status=partially_fulfilled", None
        for name, location in (("small", small), ("main", main)):
            yield f"orders, token of the {name} location", orders + "limit=50", location
            yield f"orders, {name} location, cancelled", orders + "status=cancelled", location
            yield f"orders, {name} location, status (none)", orders + "status=partially_fulfilled", location
            yield f"orders, {name} location, channel (none)", orders + "channel=market", location
            yield f"orders, {name} location, e-mail", q(email), location
            yield f"* orders, {name} location, part of a name", q(last[1:]), location
        yield "orders, small location, last page", self.last_page(orders + "limit=50", small), small
        yield "orders, cancelled, last page", self.last_page(orders + "status=cancelled&limit=50"), None
        yield "orders, external_ref", orders + urlencode({"external_ref": order["external_ref"]}), None
        yield "orders, external_ref (none)", orders + "external_ref=nothing", None
        yield "orders, order_number", orders + urlencode({"order_number": order["order_number"]}), None
        yield "orders, email", orders + urlencode({"email": email}), None
        yield "orders, email (none)", orders + "email=nobody%40example.com", None
        yield "orders, phone", orders + urlencode({"phone": order["customer"]["phone"]}), None
        yield "orders, q an e-mail address", q(email), None
        yield "orders, q nothing such", q("nothing such"), None
        yield "orders, q what many have", q("example.com"), None
        yield "orders, q an e-mail address, cancelled", q(email, status="cancelled"), None
        yield "* orders, q a part of a last name", q(last[1:]), None
        yield "* orders, q a first name", q(first), None
        yield "* orders, q a whole name", q(f"{first} {last}"), None
        yield "* orders, q a part of a name, cancelled", q(last[1:], status="cancelled"), None
        yield "* orders, q a part of a name, channel", q(last[1:], channel="app"), None
        yield "* orders, q a part of a number", q(order["order_number"][2:9]), None
        yield "* orders, q Customer (nearly all)", q("customer"), None
        yield "orders, changed since just now", orders + urlencode({"updated_since": order["updated_at"]}), None
        yield "orders, changed since ever", orders + "updated_since=2000-01-01T00:00:00Z", None
        yield "orders, changed since ever, cancelled", orders + "updated_since=2000-01-01T00:00:00Z&status=cancelled", None
        yield "orders, changed since ever, small location", orders + "updated_since=2000-01-01T00:00:00Z", small
        yield "* orders, changed since ever, part of a name", q(last[1:], updated_since="2000-01-01T00:00:00Z"), None
        yield "order", f"/v1/orders/{order['id']}", None
        yield "timeline", f"/v1/orders/{order['id']}/timeline", None
        yield "payment", f"/v1/payments/{order['payments'][0]['id']}", None
        yield "returns, newest", returns + "limit=50", None
        yield "returns, received", returns + "status=received", None
        yield "returns, lost (none)", returns + "status=lost", None
        yield "returns, a location", returns + f"location={main}", None
        yield "returns, a location, lost (none)", returns + f"location={main}&status=lost", None
        yield "returns, token of a small location", returns + "limit=50", small
        yield "returns, order_number", returns + urlencode({"order_number": order["order_number"]}), None
        yield "returns, return_number", returns + urlencode({"return_number": back["return_number"]}), None
        yield "returns, a location, last page", self.last_page(returns + f"location={main}&limit=50"), None
        yield "products", "/v1/products?limit=50", None
        yield "products, q a frequent word", "/v1/products?q=rain", None
        yield "products, q two words", "/v1/products?q=rain+hat", None
        yield "products, q nothing such", "/v1/products?q=nothingsuch", None
        yield "products, q a SKU", f"/v1/products?q={sku}", None
        yield "products, gtin (none)", "/v1/products?gtin=6291041500213", None
        yield "stock of a location", f"/v1/locations/{main}/inventory?limit=50", None
        yield "stock of a product at a location", f"/v1/locations/{main}/inventory/{sku}", None
        yield "ledger", f"/v1/locations/{main}/inventory/{sku}/ledger", None
        yield "queue of a small location", f"/v1/locations/{small}/queue?limit=50", None
        yield "queue counts of a small location", f"/v1/locations/{small}/queue/counts", None
        yield "fulfillment", f"/v1/fulfillments/{fulfillment}", None


def measure(small, large, calls):
    """p50 of each call at both retailers, asked in turn; in milliseconds."""
    for (name, target, location), (_, other, elsewhere) in zip(small.targets(), large.targets()):
        took = [[], []]
        for n in range(calls + 3):
            for place, (retailer, path, place_of) in enumerate(((small, target, location), (large, other, elsewhere))):
                begin = time.perf_counter()
                retailer.ask("GET", path, place_of)
                if n >= 3:
                    took[place].append(1e3 * (time.perf_counter() - begin))
        yield name, *(quantile(sorted(times), 0.5) for times in took)


def judge(name, small, large):
    """The missed limits, in a few words; empty if none. A part of a millisecond is no growth."""
    missed = []
    if large > (WORDS_BAR_MS if name.startswith("*") else BAR_MS):
        missed.append("slow")
    if not name.startswith("*") and large > FACTOR_BAR * small and large - small > 1:
        missed.append("grows")
    return " ".join(missed)


def audit(retailer):
    begin = time.monotonic()
    done = subprocess.run([str(Holdfast.program()), "audit"], env=retailer.service.environment(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    return time.monotonic() - begin, done.stdout.strip()


def compare(small, large, calls):
    print(f"\n{'p50, ms':<52}{'small':>9}{'large':>9}{'factor':>9}")
    n_missed = 0
    for name, before, after in measure(small, large, calls):
        missed = judge(name, before, after)
        n_missed += bool(missed)
        print(f"{name:<52}{before:>9.2f}{after:>9.2f}{after / before:>9.1f}{'   MISSED: ' + missed if missed else ''}", flush=True)
    for retailer in (small, large):
        took, said = audit(retailer)
        print(f"{retailer.name}: {said}: {took:,.1f} s")
    print(f"bars: {BAR_MS} ms and {FACTOR_BAR} times the small one's; {WORDS_BAR_MS} ms for a part of a name (*); "
          + (f"{n_missed} missed" if n_missed else "all passed"))
    return n_missed


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000_000, help="of the large retailer (default 1,000,000)")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"for each figure (default {CALLS})")
    parser.add_argument("--keep", action="store_true", help="leave the retailers, and take those that were left")
    options = parser.parse_args()
    build = Build(ROOT / "build" / "release", "-Dbuildtype=release")
    build.build("holdfast")
    os.environ["HOLDFAST_BINARY"] = str(build.directory / "holdfast")
    products = max(100, min(5000, options.orders // 200))
    retailers = [Retailer("small", 20, 100, 4000), Retailer("large", 200, products, options.orders)]
    try:
        for retailer in retailers:
            retailer.open(options.keep)
        n_missed = compare(*retailers, options.calls)
    finally:
        for retailer in retailers:
            if hasattr(retailer, "service") and retailer.service.is_running():
                retailer.service.stop()
            if retailer.directory.exists():
                retailer.cluster.stop() if options.keep else retailer.cluster.remove()
    sys.exit(1 if n_missed else 0)


if __name__ == "__main__":
    main()
