"""The service dies while tills take goods back: each return is there whole, or not at all, and once."""

import threading
import uuid

from support.crowd import Started, shoppers
from support.retailer import Retailer
from support.returning import Bought
from support.waiting import eventually

TILLS = 12
UNITS = 400
ENOUGH = 40
WAIT_S = 60


class Tills:
    """Each brings unit after unit of one order back, under its own keys, and insists on an answer."""

    def __init__(self, instance, token, it):
        self.it = it
        self.told = {}  # key -> answer
        self._enough = threading.Event()
        self._started = Started(*(self._take(shopper) for shopper in shoppers(TILLS, instance, token=token)))

    async def _take(self, shopper):
        while not self._enough.is_set():
            key = str(uuid.uuid4())
            self.told[key] = await shopper.insist("POST", "/v1/returns", self.it.body(), key)

    def wait_for_more(self):
        wanted = len(self.told) + ENOUGH
        eventually(lambda: len(self.told) >= wanted, WAIT_S, f"{ENOUGH} more acknowledged")

    def end(self):
        self._enough.set()
        self._started.answers()


def test_a_killed_service_has_taken_back_what_it_said(instance, token, database):
    retailer = Retailer(instance.client(), on_hand=UNITS).create()
    it = Bought(retailer, {retailer.sku: UNITS})
    tills = Tills(instance, token, it)
    for _ in range(3):
        tills.wait_for_more()
        instance.kill()
        instance.start_again()
    tills.wait_for_more()
    tills.end()

    taken = [answer.json()["id"] for answer in tills.told.values() if answer.status == 201]
    assert {answer.status for answer in tills.told.values()} <= {201, 409}
    found = database.rows("select id::text from returns where order_id = %s", it.id)
    assert sorted(taken) == sorted(row["id"] for row in found)
    returned = database.value("select returned from order_lines where order_id = %s", it.id)
    moved = database.value("select sum(on_hand_change)::bigint from ledger where document like 'return/%%' and sku = %s", retailer.sku)
    assert returned == moved == len(taken)
    instance.assert_audit_clean()
