"""The service or the database dies in the middle of the work: each acknowledged effect is there, and once."""

import threading
import uuid

import pytest

from support.crowd import Started, crowd, reservation, shoppers
from support.retailer import Retailer
from support.shelf import assert_adds_up
from support.waiting import eventually

SHOPPERS = 24
ENOUGH = 150
WAIT_S = 60


class Load:
    """Shoppers that reserve one unit after the other, each with its own key, and insist on an answer."""

    def __init__(self, instance, token, shelf):
        self.shelf = shelf
        self.told = {}  # key -> answer
        self._enough = threading.Event()
        self._started = Started(*(self._shop(shopper) for shopper in shoppers(SHOPPERS, instance, token=token)))

    async def _shop(self, shopper):
        while not self._enough.is_set():
            key = str(uuid.uuid4())
            self.told[key] = await shopper.insist(*reservation(self.shelf.location, {self.shelf.sku: 1}, key))

    def wait_for_more(self):
        """Until so many more are acknowledged."""
        wanted = len(self.told) + ENOUGH
        eventually(lambda: len(self.told) >= wanted, WAIT_S, f"{ENOUGH} more acknowledged")

    def end(self):
        """Let every client finish its requests."""
        self._enough.set()
        self._started.answers()

    def assert_kept(self):
        """Every request has an answer, so the database holds exactly the promised units."""
        assert {answer.status for answer in self.told.values()} == {201}
        promised = [answer.json()["id"] for answer in self.told.values()]
        found = self.shelf.database.rows("select id::text from reservations where location = %s", self.shelf.location)
        assert sorted(promised) == sorted(row["id"] for row in found)
        assert self.shelf.row()["reserved"] == len(promised)
        self.shelf.assert_adds_up()

    def assert_remembered(self, instance, token):
        """A repeated request gets the same answer."""
        sample = list(self.told.items())[:40]
        again = crowd(*(shopper.insist(*reservation(self.shelf.location, {self.shelf.sku: 1}, key))
                        for shopper, (key, _) in zip(shoppers(len(sample), instance, token=token), sample)))
        assert [(answer.body, answer.replayed) for answer in again] == [(answer.body, True) for _, answer in sample]


def test_a_killed_service_has_kept_every_promise(instance, token, shelf):
    load = Load(instance, token, shelf)
    for _ in range(3):
        load.wait_for_more()
        instance.kill()
        instance.start_again()
    load.wait_for_more()
    load.end()

    load.assert_kept()
    load.assert_remembered(instance, token)


def test_a_crashed_database_has_kept_every_promise(instance, token, shelf, power_cut):
    """As after a power cut of its host: sessions cut, no check-point, recovery from the log."""
    load = Load(instance, token, shelf)
    for _ in range(2):
        load.wait_for_more()
        power_cut()
    load.wait_for_more()
    load.end()

    load.assert_kept()
    load.assert_remembered(instance, token)
    assert instance.is_running()


def test_the_log_tells_of_an_outage_and_of_its_end(instance, token, shelf, cluster):
    shopper, = shoppers(1, instance, token=token)
    cluster.stop("immediate")
    refused, = crowd(shopper.reserve(shelf.location, {shelf.sku: 1}))
    assert refused.status == 503
    eventually(lambda: instance.probe("/readyz") == 503, WAIT_S, "it lasts")
    cluster.start_again()
    made, = crowd(shopper.insist(*reservation(shelf.location, {shelf.sku: 1})))
    assert made.status == 201

    told = [event["message"] for event in instance.log_events() if event["message"].startswith("database connection")]
    assert "database connection restored" in told
    assert told.count("database connection lost") >= told.count("database connection restored")
    eventually(lambda: instance.log_events("change notifications resumed"), WAIT_S, "its end is told")
    assert len(instance.log_events("change notifications delayed")) == 1, "however long it lasts"


def test_both_may_die_at_once(instance, token, shelf, power_cut):
    load = Load(instance, token, shelf)
    load.wait_for_more()
    instance.kill()
    power_cut()
    instance.start_again()
    load.wait_for_more()
    load.end()

    load.assert_kept()


def test_sessions_cut_again_and_again_are_noticed_by_nobody(instance, token, shelf, database):
    """As a failover behind one address does it; no shopper sees more than a wait."""
    load = Load(instance, token, shelf)
    for _ in range(10):
        load.wait_for_more()
        assert database.cut_other_sessions() > 0
    load.end()

    load.assert_kept()


def test_calls_without_a_key_happen_once(instance, token, shelf, database):
    """The service has given them its own key, so that it may repeat them itself."""
    people = shoppers(8, instance, token=token)
    made = [answer.json()["id"] for answer in crowd(
        *(shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in people))]
    enough = threading.Event()
    done = {each: 0 for each in made}

    async def extend(shopper, each):
        while not enough.is_set():
            answer = await shopper.ask("POST", f"/v1/reservations/{each}/extend", {"ttl": "PT1H"})
            assert answer.status == 200, answer
            done[each] += 1
            assert answer.json()["version"] == 1 + done[each]

    started = Started(*map(extend, people, made))
    for _ in range(10):
        wanted = sum(done.values()) + 50
        eventually(lambda: sum(done.values()) >= wanted, WAIT_S, "more extensions")
        assert database.cut_other_sessions() > 0
    enough.set()
    started.answers()

    versions = {row["id"]: row["version"] for row in database.rows("select id::text, version from reservations")}
    assert versions == {each: 1 + n for each, n in done.items()}


def test_a_change_of_an_order_happens_whole_and_once(instance, token, database):
    """Each moves units to the other store, takes one back and adds one, and gets the event of each change once."""
    retailer, n = Retailer(instance.client(), on_hand=1000).create(), 8
    people = shoppers(n, instance, token=token)
    orders = [retailer.order({retailer.sku: 3}).json() for _ in range(n)]
    enough = threading.Event()
    done = [0] * n

    async def change(shopper, i):
        line = {"order_line_id": orders[i]["lines"][0]["id"]}
        while not enough.is_set():
            there = retailer.other_store if done[i] % 2 else retailer.store
            lines = [{**line, "quantity": 3 + done[i] % 2, "fulfillment": {"method": "pickup", "location": there}}]
            answer = await shopper.ask("POST", f"/v1/orders/{orders[i]['id']}/change", {"reason": "r", "lines": lines},
                                       version=1 + max(0, done[i] - 1))
            assert answer.status == 200, answer
            done[i] += 1
            assert answer.json()["version"] == max(1, done[i])  # the first one changes nothing

    started = Started(*(change(shopper, i) for i, shopper in enumerate(people)))
    for _ in range(10):
        wanted = sum(done) + 40
        eventually(lambda: sum(done) >= wanted, WAIT_S, "more changes")
        assert database.cut_other_sessions() > 0
    enough.set()
    started.answers()

    told = {row["id"]: row["n"] for row in database.rows(
        "select order_id::text as id, count(*) as n from events where type = 'order.changed' group by order_id")}
    assert told == {order["id"]: done[i] - 1 for i, order in enumerate(orders)}
    assert_adds_up(database, *retailer.locations)
    instance.assert_audit_clean()


@pytest.mark.parametrize("keyed", [True, False])
def test_a_commit_whose_answer_is_lost_is_found_again(behind_proxy, proxy, token, shelf, keyed):
    """The database commits and the connection breaks before it can say so."""
    shopper, other = shoppers(2, behind_proxy, token=token)
    made, = crowd(other.reserve(shelf.location, {shelf.sku: 1}))
    path = f"/v1/reservations/{made.json()['id']}"

    proxy.swallow_answers_after(b"\0commit\0")
    if keyed:
        started = Started(shopper.reserve(shelf.location, {shelf.sku: 1}, str(uuid.uuid4())))
        eventually(lambda: shelf.reservations() == 2, WAIT_S, "the database has committed")
    else:
        started = Started(shopper.ask("POST", f"{path}/extend", {"ttl": "PT2H"}))
        eventually(lambda: shelf.database.value("select max(version) from reservations") == 2, WAIT_S, "it has committed")
    proxy.cut()
    proxy.resume()
    answer, = started.answers()

    assert answer.status == (201 if keyed else 200)
    assert answer.json()["version"] == (1 if keyed else 2)
    assert shelf.reservations() == (2 if keyed else 1)
    assert shelf.database.value("select max(version) from reservations") == (1 if keyed else 2)
    assert behind_proxy.figure("holdfast_lane_reconnects_total", lane="write") == 1
    shelf.assert_adds_up()
