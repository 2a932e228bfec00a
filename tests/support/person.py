"""A customer whose every field holds a word that nobody else has, so that it can be looked for everywhere."""

import subprocess
import uuid

PG_DUMP = "/usr/lib/postgresql/15/bin/pg_dump"


class Person:
    def __init__(self, word=None):
        self.word = word or "Q" + uuid.uuid4().hex[:12]  # no word of the trade, and no number of ours
        self.email = f"{self.word}@shop.example"
        self.customer_id = f"c-{self.word}"
        self.phone = "+49 30 " + str(uuid.uuid4().int)[:12]
        self.customer = {"name": f"Ada {self.word}", "email": self.email, "phone": self.phone,
                         "customer_id": self.customer_id}
        self.address = {"name": f"Ada {self.word}", "line1": f"{self.word} Street 1", "line2": f"at {self.word}",
                        "city": f"{self.word}ton", "postal_code": "10117", "country": "DE"}

    def traces_in(self, database_url):
        """The lines of a dump of the whole database that tell of the person."""
        dump = subprocess.run([PG_DUMP, "--inserts", database_url], capture_output=True, text=True, check=True, timeout=60)
        return [line for line in dump.stdout.splitlines() if self.word.lower() in line.lower() or self.phone in line]


def hear_of(work, person):
    """A message that the customer got, and the server's answer."""
    work.database.execute(
        "insert into notifications (id, order_id, event_id, kind, medium, state, channel, locale, recipient, answer, actor, created_at,"
        " updated_at, sent_at) values (gen_random_uuid(), %s, gen_random_uuid(), 'collected', 'email', 'sent', 'web', 'en', %s, %s, 'tester',"
        " now(), now(), now())", work.order["id"], person.email, f"250 {person.email} has it")


def live_through(work, person):
    """Orders of a person in which every place that takes words of or about people has got some; all are closed.

    Returns their order numbers.
    """
    word = person.word
    common = {"customer": person.customer, "payment": {"status": "captured", "reference": f"pay-{word}"}}
    discounts = [{"amount": 100, "reason": f"good friend of {word}"}]
    collected = work(method="curbside", discounts=discounts, **common)
    collected.act("recipient", {"name": f"Bob {word}", "relation": "friend"})
    collected.pick_all()
    collected.act("ready", {"staging_location": "shelf 4"})
    collected.act("check-in", {"state": "arrived", "bay": "4", "vehicle": {
        "make": f"Make{word}", "color": f"Color{word}", "plate": f"B-{word}"}})
    collected.hand_over(recipient={"name": f"Cy {word}", "relation": "friend"},
                        lines=[{"order_line_id": collected.line(0), "quantity": 1}])
    collected.hand_over(recipient={"name": f"Bob {word}", "relation": "friend"})

    collected.api.post("/v1/returns", {"order_id": collected.order["id"], "location": collected.order["fulfillments"][0]["location"], "lines": [
        {"order_line_id": collected.line(0), "quantity": 1, "reason": f"too small for {word}", "condition": "sellable"}]}, expect=201)

    shipped = work(method="ship", ship_to=person.address, **common)
    shipped.pick_all()
    shipped.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": f"track-{word}"}]})

    unpaid = {**common, "payment": {"status": "authorized", "reference": f"pay-{word}"}}
    cancelled = work(**unpaid)
    cancelled.api.post(f"/v1/orders/{cancelled.order['id']}/cancel", {"reason": f"{word} has moved"}, expect=200)
    dropped = work(**unpaid)
    dropped.act("cancel", {"reason": f"{word} does not come"})
    refunded = work(**common)
    refunded.api.post(f"/v1/orders/{refunded.order['id']}/cancel", {"reason": "changed"}, expect=200)
    for each in (collected, refunded):
        settle_refunds(each, word)
    hear_of(collected, person)
    return [each.order["order_number"] for each in (collected, shipped, cancelled, dropped, refunded)]


def settle_refunds(work, word="sorry"):
    """All that is due to the customer has been asked for, and the provider has told that it was paid back."""
    path = f"/v1/orders/{work.order['id']}/refunds"
    if work.order_now()["totals"]["refund_due"]["amount"] > 0:
        work.api.post(path, {"to": "original", "reason": f"{word} was unhappy"}, expect=201)
    for refund in work.order_now()["refunds"]:
        if refund["status"] in ("pending", "issued"):
            work.api.post(f"/v1/payments/{refund['payment_id']}/events", {
                "event_id": f"evt-{uuid.uuid4()}", "type": "refund_settled", "refund_id": refund["id"], "reference": word}, expect=200)
