"""The service dies while stores reject work: each unit moves to the other store whole, or not at all, and once."""

import threading
import uuid

from support.crowd import Started, shoppers
from support.retailer import Retailer
from support.waiting import eventually

CLERKS = 8
UNITS = 2000
ENOUGH = 20
WAIT_S = 60


class Clerks:
    """Each places order after order and rejects it, under its own keys, and insists on an answer."""

    def __init__(self, instance, token, retailer):
        self.retailer = retailer
        self.rejected = {}  # order -> answer
        self._enough = threading.Event()
        self._started = Started(*(self._work(shopper) for shopper in shoppers(CLERKS, instance, token=token)))

    async def _work(self, shopper):
        while not self._enough.is_set():
            body = self.retailer.order_body({self.retailer.sku: 1})
            order = (await shopper.insist("POST", "/v1/orders", body, str(uuid.uuid4()))).json()
            path = f"/v1/fulfillments/{order['fulfillments'][0]['id']}/reject"
            self.rejected[order["id"]] = await shopper.insist("POST", path, {"reason": "closed"}, str(uuid.uuid4()))

    def wait_for_more(self):
        wanted = len(self.rejected) + ENOUGH
        eventually(lambda: len(self.rejected) >= wanted, WAIT_S, f"{ENOUGH} more acknowledged")

    def end(self):
        self._enough.set()
        self._started.answers()


def test_a_killed_service_has_moved_each_rejected_unit_once(instance, token, database):
    retailer = Retailer(instance.client(), on_hand=UNITS).create()
    retailer.stock({(retailer.other_store, retailer.sku): UNITS})
    clerks = Clerks(instance, token, retailer)
    for _ in range(3):
        clerks.wait_for_more()
        instance.kill()
        instance.start_again()
    clerks.wait_for_more()
    clerks.end()

    assert {answer.status for answer in clerks.rejected.values()} == {200}
    moved = database.rows("select order_id::text, location from fulfillments where status = 'allocated'")
    assert sorted(row["order_id"] for row in moved) == sorted(clerks.rejected)
    assert {row["location"] for row in moved} == {retailer.other_store}
    assert database.count("fulfillments") == 2 * len(moved)
    assert retailer.figures(location=retailer.other_store)["reserved"] == len(moved)
    assert retailer.figures()["reserved"] == 0
    instance.assert_audit_clean()
