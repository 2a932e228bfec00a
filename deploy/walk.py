#!/usr/bin/python3 -B
"""Walk one click-and-collect order through a running Holdfast and show every request and answer.

The service has the demo retailer (deploy/demo) in it. The settings of `holdfast` and API, the address of the service,
come from the environment, and the program is on the PATH; deploy/try.sh sees to all of that.
Exit 0 only if every step had the answer that is expected of it.
"""

import csv
import http.client
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

PRODUCTS = Path(__file__).resolve().parent / "demo" / "products.csv"
TIMEOUT_S = 15
TOKEN_TTL_S = 900
MAILS_WITHIN_S, POLL_S = 15, 0.1
WIDTH = 110  # columns of a piece of JSON before it is spread over lines
LITTLE = 50  # columns of an object that may share a line with others
INDENT = "    "

STORE = "berlin-mitte"
NEAR_STORE = {"latitude": 52.52, "longitude": 13.40, "radius_km": 50}
LAMP, MUG = "HEADLAMP-300", "MUG-ENAMEL"
BASKET = {LAMP: 2, MUG: 1}
DELIVERY = 20  # units that arrive if earlier walks have emptied the shelf


class Surprise(Exception):
    """The service has given another answer than the story expects."""


class Actor:
    """A person with a token: its subject, scopes and locations."""

    def __init__(self, subject, scope, *bounds):
        command = ["holdfast", "token", "--subject", subject, "--scope", scope, "--ttl", str(TOKEN_TTL_S), *bounds]
        self.subject = subject
        self.token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Reply:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body
        self.json = json.loads(body) if body else None


class Shown:
    """Output for the reader; in colour only on a terminal."""

    def __init__(self):
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
        self._codes = {"bold": 1, "dim": 2, "good": 32, "bad": 31, "name": 36} if coloured else {}
        self._steps = 0
        sys.stdout.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)

    def paint(self, text, style):
        return f"\033[{self._codes[style]}m{text}\033[0m" if style in self._codes else text

    def step(self, sentence):
        self._steps += 1
        print("\n" + self.paint(f"{self._steps}. {sentence}", "bold"))

    def request(self, actor, method, path, headers, body):
        print(f"\n{INDENT}{self.paint('>', 'dim')} {self.paint(f'{method} {path}', 'name')}   {self.paint(f'as {actor.subject}', 'dim')}")
        self._rest(">", headers, body)

    def reply(self, reply, as_expected, known=None):
        status = self.paint(f"{reply.status} {reply.reason}", "good" if as_expected else "bad")
        print(f"{INDENT}{self.paint('<', 'dim')} {status}")
        shown = ("Location", "ETag", "Retry-After", "Idempotent-Replayed")
        headers = {name: reply.headers[name] for name in shown if name in reply.headers}
        self._rest("<", headers, "... every byte as before ..." if known and reply.body == known.body else reply.json)

    def _rest(self, mark, headers, body):
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines += (body if isinstance(body, str) else pretty(body)).split("\n")
        for line in lines:
            print(f"{INDENT}{self.paint(mark, 'dim')} {line}")

    def conclusion(self, text, good):
        print("\n" + self.paint(text, "good" if good else "bad"))

    def end(self):
        self.conclusion(f"{self._steps} steps, and every answer was the expected one.", good=True)


def pretty(value, depth=0):
    """JSON for people: as much on a line as fits; larger parts get separate lines."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or len(flat) + 2 * depth <= WIDTH:
        return flat
    left, right = "{}" if isinstance(value, dict) else "[]"
    pad = "\n" + "  " * (depth + 1)
    return left + pad + ("," + pad).join(filled(members(value, depth + 1), depth + 1)) + "\n" + "  " * depth + right


def members(value, depth):
    if isinstance(value, list):
        return [pretty(item, depth) for item in value]
    return [f"{json.dumps(name)}: {pretty(item, depth)}" for name, item in value.items()]


def filled(pieces, depth):
    """Pieces joined to lines; larger objects and lists stay alone."""
    lines = []
    for piece in pieces:
        alone = [line for line in [piece, *lines[-1:]] if line.endswith(("}", "]")) and len(piece) > LITTLE]
        if lines and not alone and "\n" not in lines[-1] and len(lines[-1]) + len(piece) + 2 * depth < WIDTH:
            lines[-1] += f", {piece}"
        else:
            lines.append(piece)
    return lines


class Service:
    """The API over one connection; every exchange is shown."""

    def __init__(self, url, shown):
        self._shown = shown
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_S)

    def call(self, actor, method, path, body=None, *, expect, key=None, known=None, headers=None):
        """`known`: an earlier answer; it is not shown again."""
        headers = {**(headers or {}), **({"Idempotency-Key": key} if key else {})}
        self._shown.request(actor, method, path, headers, body)
        reply = self._exchange(actor, method, path, headers, body)
        expected = expect if isinstance(expect, tuple) else (expect,)
        self._shown.reply(reply, reply.status in expected, known)
        if reply.status not in expected:
            raise Surprise(f"{method} {path} answered {reply.status}, not {' or '.join(map(str, expected))}")
        return reply

    def ask(self, actor, path):
        """A GET that is not shown."""
        return self._exchange(actor, "GET", path, {}, None)

    def _exchange(self, actor, method, path, headers, body):
        headers = {**headers, "Authorization": f"Bearer {actor.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        return Reply(response.status, response.reason, response.headers, response.read())


def gtins():
    """{sku: gtin} of the demo retailer, as a scanner reads them off the boxes."""
    with open(PRODUCTS, newline="", encoding="utf-8") as file:
        return {row["sku"]: row["gtin"] for row in csv.DictReader(file)}


def expect(holds, sentence):
    if not holds:
        raise Surprise(f"it does not hold that {sentence}")


class Story:
    """One order from the shelf to the customer, told in order; each method is a chapter."""

    def __init__(self, service, shown):
        self.service = service
        self.step = shown.step
        self.gtins = gtins()
        self.reference = f"WEB-{uuid.uuid4().hex[:8].upper()}"
        self.office = Actor("head-office", "catalog:write inventory:write")
        self.shop = Actor("web-shop", "inventory:read reservations:write orders:read orders:write", "--channel", "web")
        self.ana = Actor("ana", "inventory:read fulfillment:read fulfillment:write", "--location", STORE)

    def tell(self):
        self.open_channels()
        self.look()
        self.reserve()
        self.order()
        self.order_again()
        self.watch_the_queue()
        self.pick()
        self.make_ready()
        if os.environ.get("HOLDFAST_SMTP_URL"):
            self.read_mails()
        self.refuse_a_wrong_code()
        self.hand_over()
        self.look_back()
        self.count()

    def figures(self):
        """The stock of the basket at the store, as the associate sees it: {sku: figures}."""
        replies = [self.service.call(self.ana, "GET", f"/v1/inventory/{sku}", expect=200) for sku in BASKET]
        return {reply.json["sku"]: next(row for row in reply.json["locations"] if row["location"] == STORE) for reply in replies}

    def open_channels(self):
        self.step("The retailer sells in a web shop and at its tills: two channels on one stock.")
        messages = {"from": "shop@holdfast.example", "locale": "en", "kinds": ["order_placed", "ready", "collected"]}
        web = {"name": "Web shop", "kind": "web", "notifications": messages}
        self.service.call(self.office, "PUT", "/v1/channels/web", web, expect=(200, 201))
        self.service.call(self.office, "PUT", "/v1/channels/pos", {"name": "Tills", "kind": "pos"}, expect=(200, 201))

    def look(self):
        self.step("Ada, in Berlin, would like to collect two headlamps and a mug today: the shop asks which stores near her have them.")
        query = {"skus": list(BASKET), "channel": "web", "near": NEAR_STORE}
        found = self.service.call(self.shop, "POST", "/v1/availability/query", query, expect=200).json["data"]
        self.step("The stock of the store before the order.")
        self.before = self.figures()
        if any(self.before[sku]["available"] < units for sku, units in BASKET.items()):
            self.receive_goods()
            self.before = self.figures()
        seen = {row["sku"]: row["available"] for row in found if row["location"] == STORE}
        expect(seen.keys() == BASKET.keys(), "both products are sold near Berlin")

    def receive_goods(self):
        self.step("Earlier customers have emptied the shelf; goods arrive.")
        items = [{"location": STORE, "sku": sku, "delta": DELIVERY, "reason": "receipt"} for sku in BASKET]
        self.service.call(self.office, "POST", "/v1/inventory/adjustments/batch", {"items": items}, key=str(uuid.uuid4()), expect=207)

    def reserve(self):
        self.step("While she pays, the shop holds the units for ten minutes: nobody else can have them now.")
        body = {"location": STORE, "lines": [{"sku": sku, "quantity": units} for sku, units in BASKET.items()],
                "ttl": "PT10M", "channel": "web", "reference": self.reference}
        reply = self.service.call(self.shop, "POST", "/v1/reservations", body, key=str(uuid.uuid4()), expect=201)
        self.reservation = reply.json["id"]
        expect(reply.json["status"] == "active", "the reservation is active")

    def order(self):
        self.step("She has paid: the order claims the reserved units. No unit is reserved twice, and none is lost on the way.")
        self.order_body = {
            "channel": "web", "external_ref": self.reference, "currency": "EUR",
            "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
            "lines": [{"sku": sku, "quantity": units} for sku, units in BASKET.items()],
            "fulfillment": {"method": "pickup", "location": STORE},
            "reservation_id": self.reservation,
            "payment": {"status": "captured", "reference": f"pay-{self.reference}"},
        }
        self.order_key = str(uuid.uuid4())
        self.placed = self.service.call(self.shop, "POST", "/v1/orders", self.order_body, key=self.order_key, expect=201)
        self.order_id = self.placed.json["id"]
        self.fulfillment = self.placed.json["fulfillments"][0]["id"]
        expect(self.placed.json["status"] == "open", "the order is open")

    def order_again(self):
        self.step("The shop's connection breaks, so it sends the same again with the same key: the same answer, and no second order.")
        again = self.service.call(self.shop, "POST", "/v1/orders", self.order_body, key=self.order_key,
                                  known=self.placed, expect=201)
        expect(again.headers.get("Idempotent-Replayed") == "true", "the second answer is a replay")
        expect(again.body == self.placed.body, "both answers are the same")

    def act(self, action, body, expected=200, **options):
        return self.service.call(self.ana, "POST", f"/v1/fulfillments/{self.fulfillment}/{action}", body, expect=expected, **options)

    def queue(self, tag=None, expected=200):
        headers = {"If-None-Match": tag} if tag else {}
        return self.service.call(self.ana, "GET", f"/v1/locations/{STORE}/queue?q={self.placed.json['order_number']}",
                                 headers=headers, expect=expected)

    def watch_the_queue(self):
        self.step("In the store the order is in the queue at once, as a complete card.")
        seen = self.queue()
        expect([card["fulfillment_id"] for card in seen.json["data"]] == [self.fulfillment], "the order is in the queue")
        self.step("A device that has this queue already gets a 304 of a few bytes. (With Prefer: wait=25 it would wait for the next change.)")
        self.queue(seen.headers["ETag"], 304)

    def pick(self):
        self.step("Ana takes it on and scans the units as she takes them off the shelf.")
        self.act("assign", {"assignee": "ana"})
        self.act("pick", {"scans": [{"code": self.gtins[LAMP], "quantity": 1}]})
        scans = [{"code": self.gtins[LAMP], "quantity": 1}, {"code": self.gtins[MUG], "quantity": 1}]
        picked = self.act("pick", {"scans": scans}).json
        expect(all(line["remaining"] == 0 for line in picked["lines"]), "nothing remains to be picked")

    def make_ready(self):
        self.step("It is complete and waits on shelf C3. From now on the shop can show Ada her pickup code.")
        expect(self.act("ready", {"staging_location": "C3"}).json["status"] == "ready", "the fulfillment is ready")
        order = self.service.call(self.shop, "GET", f"/v1/orders/{self.order_id}", expect=200).json
        self.code = order["fulfillments"][0]["pickup_code"]
        expect(len(self.code) == 8, "the pickup code has eight letters")

    def refuse_a_wrong_code(self):
        self.step("A person with a wrong code gets nothing.")
        wrong = self.code[::-1] if self.code[::-1] != self.code else self.code[1:] + self.code[0]
        refused = self.act("handover", {"proof": {"method": "code", "value": wrong}}, 422, key=str(uuid.uuid4()))
        expect(refused.json["code"] == "handover-proof-invalid", "the proof is refused as such")

    def hand_over(self):
        self.step("Ada reports her arrival, and her card is first in the queue.")
        self.act("check-in", {"state": "arrived"})
        expect(self.queue().json["data"][0]["status"] == "arrived", "the queue shows that she has arrived")
        self.step("She has the right code. In the same moment the units leave the store's stock.")
        body = {"proof": {"method": "code", "value": self.code}, "recipient": {"name": "Ada Lovelace", "relation": "self"}}
        handed_over = self.act("handover", body, key=str(uuid.uuid4()))
        expect(handed_over.json["status"] == "handed_over", "the fulfillment is handed over")

    def read_mails(self):
        self.step("Ada gets two e-mails: her order, and that it is ready, with the code. The mail server has taken both.")
        path, end = f"/v1/orders/{self.order_id}/notifications", time.monotonic() + MAILS_WITHIN_S
        while [mail["state"] for mail in self.service.ask(self.shop, path).json["data"]] != ["sent", "sent"]:
            expect(time.monotonic() < end, "the mail server takes the mails soon")
            time.sleep(POLL_S)
        mails = self.service.call(self.shop, "GET", path, expect=200).json["data"]
        expect([mail["kind"] for mail in mails] == ["ready", "order_placed"], "the newest mail says that the order is ready")

    def look_back(self):
        self.step("The timeline shows each event, its time and its actor.")
        timeline = self.service.call(self.shop, "GET", f"/v1/orders/{self.order_id}/timeline", expect=200).json["data"]
        types = [entry["type"] for entry in timeline]
        expect(types[0] == "order.created" and "fulfillment.handed_over" in types, "the timeline goes from the order to the hand-over")

    def count(self):
        self.step("The stock of the store is lower by exactly these units, and none is reserved for Ada any more.")
        after = self.figures()
        for sku, units in BASKET.items():
            before = self.before[sku]
            expect(after[sku]["on_hand"] == before["on_hand"] - units, f"{sku} is {units} fewer on hand")
            expect(after[sku]["reserved"] == before["reserved"], f"no {sku} is reserved any more")


def main():
    shown = Shown()
    try:
        Story(Service(os.environ["API"], shown), shown).tell()
    except Surprise as surprise:
        shown.conclusion(f"This was not expected: {surprise}.", good=False)
        return 1
    except subprocess.CalledProcessError as error:
        shown.conclusion(f"There is no token: {error.stderr.strip()}", good=False)
        return 1
    except (http.client.HTTPException, OSError) as error:
        shown.conclusion(f"The service at {os.environ.get('API')} does not answer: {error}.", good=False)
        return 1
    shown.end()
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1 or "API" not in os.environ:
        sys.exit(__doc__)
    sys.exit(main())
