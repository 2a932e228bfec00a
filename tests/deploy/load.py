#!/usr/bin/python3 -B
"""Shoppers that do not give up: they place orders at a Holdfast while something happens to it.

Each order has a key and is asked for with that key until it is acknowledged, as the contract tells clients to. Once
some stand, the command behind `--` runs, which must end with 0; they go on all the while and until as many again are
acknowledged. On standard output, one JSON object: how many requests had no answer or a 5xx one, how many orders were
acknowledged in all and while the command ran, and each order's id by its reference. Exit 0 only if every order that
was asked for was acknowledged.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from urllib.parse import urlsplit

LOCATION, SKU = "berlin-mitte", "MUG-ENAMEL"
ORDERS_MAX = 50000  # of one run
TIMEOUT_S = 15  # of one request
PATIENCE_S = 120  # of one shopper with one order
PAUSE_S = 0.1  # before asking again, where the answer does not say


class Client:
    """Requests over a connection that is made anew after each failure."""

    def __init__(self, url, token):
        self._host = urlsplit(url).netloc
        self._token = token
        self._connection = None

    def post(self, path, body, key):
        """(status, headers, json), or None when there was no whole answer."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", "Idempotency-Key": key}
        try:
            if not self._connection:
                self._connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
            self._connection.request("POST", path, json.dumps(body), headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        if response.will_close:
            self.close()
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, response.headers, json.loads(content) if is_json else None

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None


class Load:
    """The requests, and their results."""

    def __init__(self, settings, token):
        self.settings, self.token = settings, token
        self.lock = threading.Lock()
        self.asked = 0
        self.placed = {}
        self.enough = settings.orders  # acknowledged, for what comes next
        self.has_enough = threading.Event()
        self.over = False
        self.failed_requests = 0
        self.complaints = []

    def take(self):
        with self.lock:
            if self.over or self.asked == ORDERS_MAX:
                return None
            self.asked += 1
        return f"{self.settings.prefix}-{uuid.uuid4().hex[:12].upper()}"

    def note(self, reference, order):
        with self.lock:
            self.placed[reference] = order["id"]
            if len(self.placed) >= self.enough:
                self.has_enough.set()

    def wait_for_more(self):
        with self.lock:
            self.enough = len(self.placed) + self.settings.orders
            self.has_enough.clear()
        self.has_enough.wait(PATIENCE_S)
        return len(self.placed)

    def complain(self, sentence):
        with self.lock:
            self.complaints.append(sentence)
            self.over = True
            self.has_enough.set()

    def shop(self):
        client = Client(self.settings.url, self.token)
        while reference := self.take():
            self.place(client, reference)
        client.close()

    def place(self, client, reference):
        """Ask until there is an answer; the same key says that it is the same order."""
        body = {"channel": "web", "external_ref": reference, "currency": "EUR", "customer": {"name": "Ada Lovelace"},
                "lines": [{"sku": SKU, "quantity": 1}], "fulfillment": {"method": "pickup", "location": LOCATION},
                "payment": {"status": "captured"}}
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            answer = client.post("/v1/orders", body, reference)
            if answer and answer[0] == 201:
                return self.note(reference, answer[2])
            if answer and answer[0] not in (409, 429, 500, 502, 503, 504):
                return self.complain(f"{reference}: {answer[0]} {answer[2]}")
            if answer and answer[0] == 409 and answer[2]["code"] != "idempotency-in-progress":
                return self.complain(f"{reference}: {answer[2]}")
            if not answer or answer[0] >= 500:
                with self.lock:
                    self.failed_requests += 1
            time.sleep(float(answer[1].get("Retry-After", PAUSE_S)) if answer else PAUSE_S)
        return self.complain(f"{reference}: no answer within {PATIENCE_S} s")

    def stock_up(self):
        """A mug for each order."""
        client = Client(self.settings.url, self.token)
        items = [{"location": LOCATION, "sku": SKU, "delta": ORDERS_MAX, "reason": "receipt"}]
        answer = client.post("/v1/inventory/adjustments/batch", {"items": items}, str(uuid.uuid4()))
        client.close()
        if not answer or answer[0] != 207 or answer[2]["summary"]["failed"]:
            sys.exit(f"no goods: {answer and answer[::2]}")

    def run(self):
        """How many orders were acknowledged while the command ran."""
        self.stock_up()
        shoppers = [threading.Thread(target=self.shop) for _ in range(self.settings.shoppers)]
        for shopper in shoppers:
            shopper.start()
        before = self.wait_for_more()
        if subprocess.run(self.settings.command, check=False, stdout=sys.stderr).returncode:
            self.complain(f"this failed: {' '.join(self.settings.command)}")
        meanwhile = len(self.placed) - before
        self.wait_for_more()
        self.over = True
        for shopper in shoppers:
            shopper.join()
        return meanwhile


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example: TOKEN=... tests/deploy/load.py http://127.0.0.1:8080 --prefix KILLED -- docker kill ...")
    parser.add_argument("url")
    parser.add_argument("--prefix", required=True, help="of the orders' references")
    parser.add_argument("--orders", type=int, default=200, help="before the command and after it")
    parser.add_argument("--shoppers", type=int, default=8)
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    settings = parser.parse_args(sys.argv[1:end])
    settings.command = sys.argv[end + 1:] or ["true"]
    load = Load(settings, os.environ["TOKEN"])
    meanwhile = load.run()
    print(json.dumps({"failed_requests": load.failed_requests, "acknowledged": len(load.placed), "meanwhile": meanwhile,
                      "orders": load.placed}))
    for complaint in load.complaints[:5]:
        print(complaint, file=sys.stderr)
    sys.exit(1 if load.complaints or load.asked != len(load.placed) or len(load.placed) < 2 * settings.orders else 0)


if __name__ == "__main__":
    main()
