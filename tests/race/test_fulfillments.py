"""Staff, shopper and shop front at the same fulfillment at the same moment, at two instances."""

import uuid
from collections import Counter

import pytest

from support.crowd import rush, shoppers
from support.retailer import Retailer
from support.waiting import eventually

ROUNDS = 10
STAFF = 20


@pytest.fixture
def retailer(pair):
    return Retailer(pair[0].client(), on_hand=1000).create()


class Work:
    """An order and the first of its fulfillments; all are ready for the shopper unless they are to stay allocated."""

    def __init__(self, retailer, lines=None, ready=True, body=None, **fields):
        self.api = retailer.api
        body = body or retailer.order_body(lines or {retailer.sku: 2}, **fields)
        self.order = self.api.post("/v1/orders", body, expect=201).json()
        self.paths = [f"/v1/fulfillments/{one['id']}" for one in self.order["fulfillments"]]
        self.path = self.paths[0]
        for path, one in zip(self.paths, self.order["fulfillments"]):
            if ready:
                lines = [{"order_line_id": line["order_line_id"], "quantity": line["quantity"]} for line in one["lines"]]
                self.api.post(f"{path}/pick", {"lines": lines}, expect=200)
                self.api.post(f"{path}/ready", {}, expect=200)

    def proof(self, n=0):
        code = self.api.get(self.paths[n], expect=200).json()["pickup_code"]
        return {"proof": {"method": "code", "value": code}}

    def now(self):
        return self.api.get(self.path, expect=200).json()

    def events(self, database):
        return Counter(row["type"] for row in database.rows(
            "select type from events where order_id = %s", self.order["id"]))

    def movements(self, database):
        return database.rows("select on_hand_change from ledger where document = any(%s)",
                             [path.replace("/v1/fulfillments", "fulfillment") for path in self.paths])


def ask(verb, body, key=None):
    """An action for `rush`: everybody asks the same."""
    return lambda shopper, i: shopper.ask("POST", verb, body, key or str(uuid.uuid4()))


def assert_books_balance(database, retailer):
    wrong = database.rows("""
        select s.location, s.sku, s.on_hand, s.reserved, moved.units, held.units as held
          from stock s
         cross join lateral (select sum(on_hand_change)::bigint as units from ledger l
                              where l.location = s.location and l.sku = s.sku) as moved
         cross join lateral (select coalesce(sum(reserved), 0)::bigint as units from fulfillment_lines l
                              where l.location = s.location and l.sku = s.sku) as held
         where s.sku = any(%s) and (s.on_hand <> moved.units or s.reserved <> held.units)""", retailer.skus)
    assert wrong == []


@pytest.mark.parametrize("who", ["staff", "shopper"])
def test_either_it_is_cancelled_or_it_is_handed_over(pair, token, retailer, database, who):
    works = [Work(retailer, payment={"status": "captured"}) for _ in range(ROUNDS)]
    proofs = [work.proof() for work in works]
    before = retailer.figures()

    async def action(shopper, i):
        work = works[i // 2]
        if i % 2:
            return await shopper.ask("POST", f"{work.path}/handover", proofs[i // 2], str(uuid.uuid4()))
        path = f"{work.path}/cancel" if who == "staff" else f"/v1/orders/{work.order['id']}/cancel"
        return await shopper.ask("POST", path, {"reason": "not wanted"}, str(uuid.uuid4()))

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), action)

    handed_over = 0
    for cancelled, taken, work in zip(answers[::2], answers[1::2], works):
        assert {cancelled.status, taken.status} == {200, 409}
        loser = cancelled if cancelled.status == 409 else taken
        assert loser.code == "invalid-transition"
        status = work.now()["status"]
        assert status == ("handed_over" if taken.status == 200 else "cancelled")
        events = work.events(database)
        assert events["fulfillment.handed_over"] + events["fulfillment.cancelled"] == 1
        assert events["refund.due"] == (status == "cancelled")
        handed_over += status == "handed_over"
    after = retailer.figures()
    assert (after["on_hand"], after["reserved"]) == (before["on_hand"] - 2 * handed_over, 0)
    assert_books_balance(database, retailer)


def test_the_work_is_given_to_one_of_many_associates(pair, token, retailer, database):
    work = Work(retailer, ready=False)

    answers = rush(shoppers(STAFF, *pair, token=token), lambda shopper, i: shopper.ask(
        "POST", f"{work.path}/assign", {"assignee": f"associate-{i}"}, str(uuid.uuid4())))

    assert Counter((answer.status, answer.code) for answer in answers) == {
        (200, None): 1, (409, "invalid-transition"): STAFF - 1}
    assert work.events(database)["fulfillment.assigned"] == 1
    winner = next(answer for answer in answers if answer.status == 200)
    assert work.now()["assignee"] == winner.json()["assignee"]


def test_what_one_picks_and_another_puts_back_adds_up(pair, token, retailer, database):
    """Ten units are picked; as many associates pick one more as put one back."""
    work = Work(retailer, {retailer.sku: STAFF}, ready=False)
    one = {"lines": [{"sku": retailer.sku, "quantity": 1}]}
    work.api.post(f"{work.path}/pick", {"lines": [{"sku": retailer.sku, "quantity": STAFF // 2}]}, expect=200)

    answers = rush(shoppers(STAFF, *pair, token=token), lambda shopper, i: shopper.ask(
        "POST", f"{work.path}/pick", {**one, "undo": i % 2 == 1}, str(uuid.uuid4())))

    assert {answer.status for answer in answers} == {200}
    assert work.now()["lines"][0]["picked"] == STAFF // 2
    events = work.events(database)
    assert (events["fulfillment.picked"], events["fulfillment.pick_undone"]) == (1 + STAFF // 2, STAFF // 2)


@pytest.fixture
def sweepers(pair, services):
    """Two instances that sweep the same database, beside the two that do not."""
    return [services(pair[0].database_url, sweeper=1) for _ in range(2)]


def let_holds_end(database, works):
    """Within the next second, while both instances sweep."""
    for n, work in enumerate(works):
        database.execute("update fulfillments set hold_until = clock_timestamp() + %s * interval '1 millisecond'"
                         " where id = %s", 1000 * n // len(works), work.path.rsplit("/", 1)[1])


def has_ended(work):
    return work.now()["status"] in ("expired", "handed_over")


def test_either_it_is_handed_over_or_it_expires(pair, sweepers, token, retailer, database):
    works = [Work(retailer, payment={"status": "captured"}) for _ in range(2 * ROUNDS)]
    proofs = [work.proof() for work in works]
    before = retailer.figures()
    let_holds_end(database, works)

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), lambda shopper, i: shopper.ask(
        "POST", f"{works[i].path}/handover", proofs[i], str(uuid.uuid4())))

    handed_over = 0
    for answer, work in zip(answers, works):
        eventually(lambda: has_ended(work), what="an end by either")
        status = work.now()["status"]
        assert (answer.status, status) in {(200, "handed_over"), (409, "expired")}
        events = work.events(database)
        assert (events["fulfillment.handed_over"], events["fulfillment.expired"], events["refund.due"]) == (
            (1, 0, 0) if status == "handed_over" else (0, 1, 1))
        handed_over += status == "handed_over"
    after = retailer.figures()
    assert (after["on_hand"], after["reserved"]) == (before["on_hand"] - 2 * handed_over, 0)
    assert_books_balance(database, retailer)


def test_either_the_customer_arrives_or_it_expires(pair, sweepers, token, retailer, database):
    works = [Work(retailer, method="curbside") for _ in range(2 * ROUNDS)]
    let_holds_end(database, works)

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), lambda shopper, i: shopper.ask(
        "POST", f"{works[i].path}/check-in", {"state": "arrived"}, str(uuid.uuid4())))

    last = Work(retailer)
    let_holds_end(database, [last])
    eventually(lambda: has_ended(last), what="a sweep after all holds")
    for answer, work in zip(answers, works):
        status = work.now()["status"]
        assert (answer.status, status) in {(200, "arrived"), (409, "expired")}
        assert work.events(database)["fulfillment.expired"] == (status == "expired")
    assert_books_balance(database, retailer)


def test_two_sweepers_expire_each_once(pair, sweepers, retailer, database):
    works = [Work(retailer, payment={"status": "captured"}) for _ in range(4 * ROUNDS)]
    before = retailer.figures()
    database.execute("update fulfillments set hold_until = now() - interval '1 second' where location = %s",
                     retailer.store)

    for work in works:
        eventually(lambda: has_ended(work), what="expired by one of the two")
        events = work.events(database)
        assert (events["fulfillment.expired"], events["refund.due"], events["order.cancelled"]) == (1, 1, 1)
    after = retailer.figures()
    assert (after["on_hand"], after["reserved"]) == (before["on_hand"], 0)
    assert_books_balance(database, retailer)


def test_the_last_units_go_to_the_returning_customer_or_to_a_rival_order(pair, sweepers, token, retailer, database):
    """Two units are left of each product: the expired fulfillment wants both, and so does the rival."""
    skus = retailer.skus[:1]
    works = [Work(retailer, {sku: 2}, payment={"status": "captured"}) for sku in skus for _ in range(ROUNDS)]
    let_holds_end(database, works)
    for work in works:
        eventually(lambda: has_ended(work), what="expired")
    database.execute("update stock set safety_stock = on_hand - 2 where location = %s", retailer.store)
    rivals = [retailer.order_body({sku: 2}) for sku in skus for _ in range(ROUNDS)]

    async def act(shopper, i):
        if i % 2:
            return await shopper.ask("POST", "/v1/orders", rivals[i // 2], str(uuid.uuid4()))
        return await shopper.ask("POST", f"{works[i // 2].path}/reinstate", {}, str(uuid.uuid4()))
    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), act)

    won = [i for i, answer in enumerate(answers) if answer.status in (200, 201)]
    assert len(won) == 1, answers
    for i, answer in enumerate(answers):
        assert i in won or (answer.status, answer.code) == (409, "insufficient-stock"), answer
    for i, work in enumerate(works):
        back = 2 * i in won
        assert work.now()["status"] == ("ready" if back else "expired")
        assert (work.events(database)["fulfillment.reinstated"], work.events(database)["order.reopened"]) == (back, back)
    assert retailer.figures()["reserved"] == 2
    assert_books_balance(database, retailer)


def test_a_fulfillment_is_reinstated_once_however_many_ask(pair, sweepers, token, retailer, database):
    work = Work(retailer, payment={"status": "captured"})
    let_holds_end(database, [work])
    eventually(lambda: has_ended(work), what="expired")
    answers = rush(shoppers(STAFF, *pair, token=token), ask(f"{work.path}/reinstate", {}))
    assert {answer.status for answer in answers} == {200}
    assert work.events(database)["fulfillment.reinstated"] == 1
    assert retailer.figures()["reserved"] == 2
    assert_books_balance(database, retailer)


def test_the_last_unit_is_picked_by_one_associate(pair, token, retailer, database):
    work = Work(retailer, {retailer.sku: 3}, ready=False)
    work.api.post(f"{work.path}/pick", {"lines": [{"sku": retailer.sku, "quantity": 2}]}, expect=200)

    answers = rush(shoppers(STAFF, *pair, token=token),
                   ask(f"{work.path}/pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]}))

    assert Counter((answer.status, answer.code) for answer in answers) == {(200, None): 1, (409, "over-pick"): STAFF - 1}
    assert work.now()["lines"][0]["picked"] == 3


def test_every_unit_is_picked_once(pair, token, retailer):
    work = Work(retailer, {retailer.sku: STAFF}, ready=False)

    answers = rush(shoppers(STAFF, *pair, token=token),
                   ask(f"{work.path}/pick", {"scans": [{"code": retailer.sku, "quantity": 1}]}))

    assert {answer.status for answer in answers} == {200}
    assert sorted(answer.json()["lines"][0]["picked"] for answer in answers) == list(range(1, STAFF + 1))
    assert work.now()["version"] == STAFF + 1


def test_handing_over_at_once_is_one_movement(pair, token, retailer, database):
    work = Work(retailer)

    answers = rush(shoppers(STAFF, *pair, token=token), ask(f"{work.path}/handover", work.proof()))

    assert {(answer.status, answer.json()["version"]) for answer in answers} == {(200, 4)}
    assert [row["on_hand_change"] for row in work.movements(database)] == [-2]
    assert work.events(database)["fulfillment.handed_over"] == 1
    assert_books_balance(database, retailer)


def test_a_key_used_at_once_hands_over_once(pair, token, retailer, database):
    work = Work(retailer)
    part = {**work.proof(), "lines": [{"order_line_id": work.order["lines"][0]["id"], "quantity": 1}]}

    answers = rush(shoppers(STAFF, *pair, token=token), ask(f"{work.path}/handover", part, str(uuid.uuid4())))

    assert {answer.status for answer in answers} <= {200, 409}
    assert {answer.code for answer in answers if answer.status == 409} <= {"idempotency-in-progress"}
    assert len({answer.body for answer in answers if answer.status == 200}) == 1
    assert [row["on_hand_change"] for row in work.movements(database)] == [-1]
    assert work.now()["status"] == "ready"


def test_guessing_at_once_gets_five_guesses(pair, token, retailer, database):
    work = Work(retailer)
    wrong = {"proof": {"method": "code", "value": "ZZZZZZZZ"}}

    answers = rush(shoppers(STAFF, *pair, token=token), ask(f"{work.path}/handover", wrong))

    assert Counter(answer.code for answer in answers) == {"handover-proof-invalid": 5, "handover-locked": STAFF - 5}
    assert work.now()["status"] == "ready"
    assert work.movements(database) == []


def test_an_order_is_fulfilled_once_however_its_parts_leave(pair, token, retailer, database):
    works = []
    for _ in range(ROUNDS):
        body = retailer.order_body()
        body["lines"] = [{"sku": sku, "quantity": 1, "fulfillment": {"method": "pickup", "location": location}}
                         for sku in retailer.skus[:2] for location in (retailer.store, retailer.other_store)]
        works.append(Work(retailer, body=body))
    proofs = [[work.proof(n) for n in range(2)] for work in works]

    answers = rush(shoppers(2 * ROUNDS, *pair, token=token), lambda shopper, i: shopper.ask(
        "POST", f"{works[i // 2].paths[i % 2]}/handover", proofs[i // 2][i % 2], str(uuid.uuid4())))

    assert {answer.status for answer in answers} == {200}
    for work in works:
        events = work.events(database)
        assert (events["order.partially_fulfilled"], events["order.fulfilled"]) == (1, 1)
        assert work.api.get(f"/v1/orders/{work.order['id']}", expect=200).json()["status"] == "fulfilled"
    assert_books_balance(database, retailer)
