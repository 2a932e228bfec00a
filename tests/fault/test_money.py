"""The service dies while a provider tells of captures and people give money back: each word counts once, and no cent twice."""

import threading
import uuid

from support.crowd import Started, shoppers
from support.retailer import Retailer
from support.waiting import eventually

TELLERS = 8
ENOUGH = 60
PART = 100
WAIT_S = 60


class Provider:
    """Sends one event after the other, each with its own event id, and insists on an answer; gives half of it back."""

    def __init__(self, instance, token, order):
        self.order = order
        self.captured, self.refunded = [], []
        self._enough = threading.Event()
        self._started = Started(*(self._tell(shopper) for shopper in shoppers(TELLERS, instance, token=token)))

    async def _tell(self, shopper):
        events = f"/v1/payments/{self.order['payments'][0]['id']}/events"
        refunds = f"/v1/orders/{self.order['id']}/refunds"
        while not self._enough.is_set():
            event = {"event_id": str(uuid.uuid4()), "type": "captured", "amount": PART}
            # Another key each time it is sent: what counts it once is the event's id.
            self.captured.append(await shopper.insist("POST", events, event))
            body = {"to": "original", "reason": "late", "amount": PART // 2}
            self.refunded.append(await shopper.insist("POST", refunds, body, str(uuid.uuid4())))

    def wait_for_more(self):
        wanted = len(self.refunded) + ENOUGH
        eventually(lambda: len(self.refunded) >= wanted, WAIT_S, f"{ENOUGH} more acknowledged")

    def end(self):
        self._enough.set()
        self._started.answers()


def test_a_killed_service_has_counted_each_word_and_each_refund_once(instance, token, database):
    retailer = Retailer(instance.client(), on_hand=1000).create()
    order = retailer.order([{"sku": retailer.sku, "quantity": 1, "unit_price": {"amount": 10_000_000, "currency": "EUR"}}],
                           payment={"status": "authorized"}).json()
    provider = Provider(instance, token, order)
    for _ in range(2):
        provider.wait_for_more()
        instance.kill()
        instance.start_again()
    provider.wait_for_more()
    provider.end()

    assert {answer.status for answer in provider.captured} == {200}
    assert {answer.status for answer in provider.refunded} == {201}
    row, = database.rows("select paid, refunded, credited from orders where id = %s", order["id"])
    n = len(provider.captured)
    assert row == {"paid": n * PART, "refunded": n * PART // 2, "credited": n * PART // 2}
    assert database.count("payment_events", "payment_id = %s", order["payments"][0]["id"]) == n
    instance.assert_audit_clean()
