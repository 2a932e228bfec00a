"""Collecting ready goods: check-in, proof, alternate pickup person, and the end of the hold."""

import uuid
from datetime import datetime, timedelta, timezone

from support import ROOT
from support.database import Database
from support.retailer import Retailer
from support.shelf import let_lapse
from support.waiting import eventually
from support.work import Work, code_of, faults

CAR = {"make": "Volvo", "color": "red", "plate": "B-XY 12"}


# ---- check-in ----

def test_a_customer_sets_out_and_arrives_at_the_curb(work):
    it = work(method="curbside")
    it.make_ready()
    way = it.act("check-in", {"state": "on_the_way", "eta_minutes": 12}).json()
    assert way["status"] == "on_the_way" == it.order_now()["fulfillments"][0]["status"]
    assert way["check_in"]["on_the_way_at"] is not None
    assert (way["check_in"]["eta_minutes"], way["check_in"]["arrived_at"]) == (12, None)

    there = it.act("check-in", {"state": "arrived", "bay": "4", "vehicle": CAR}).json()
    assert there["status"] == "arrived"
    assert (there["check_in"]["state"], there["check_in"]["bay"], there["check_in"]["vehicle"]) == ("arrived", "4", CAR)
    assert there["waited_s"] is None
    assert it.now() == {**there, "pickup_code": it.code()}

    it.database.execute("update fulfillments set arrived_at = arrived_at - interval '90 seconds' where id = %s", it.id)
    done = it.hand_over().json()
    assert done["status"] == "handed_over" and 90 <= done["waited_s"] < 150
    told = {event["type"]: event["data"] for event in it.told()}
    assert told["fulfillment.handed_over"]["waited_s"] == done["waited_s"]
    assert [kind for kind in it.happened() if kind.startswith("pickup.")] == [
        "pickup.customer_on_the_way", "pickup.customer_arrived"]
    assert it.told()[-3]["location"] == it.retailer.store


def test_a_check_in_before_it_is_ready_shows_later(work):
    it = work()
    early = it.act("check-in", {"state": "arrived"}).json()
    assert (early["status"], early["check_in"]["state"]) == ("allocated", "arrived")
    it.pick_all()
    assert it.now()["status"] == "picking"
    assert it.act("ready").json()["status"] == "arrived"


def test_bay_and_vehicle_are_not_told_to_the_world(work, service):
    it = work()
    it.act("check-in", {"state": "arrived", "bay": "bay seventeen", "vehicle": CAR})
    kept = it.database.rows("select data::text from events where subject_id = %s", it.id)
    for text in (str(kept), service.log_path.read_text()):
        assert "seventeen" not in text and "Volvo" not in text and "B-XY 12" not in text


def test_a_check_in_needs_a_state_and_knows_no_coordinates(work):
    it = work()
    cases = [
        ({}, {"#/state": "required"}),
        ({"state": "lost"}, {"#/state": "not-allowed"}),
        ({"state": "on_the_way", "eta_minutes": -1}, {"#/eta_minutes": "out-of-range"}),
        ({"state": "on_the_way", "eta_minutes": 1441}, {"#/eta_minutes": "out-of-range"}),
        ({"state": "arrived", "bay": "x" * 51}, {"#/bay": "too-long"}),
        ({"state": "arrived", "vehicle": {"make": "Volvo"}}, {"#/vehicle/color": "required"}),
        ({"state": "arrived", "vehicle": {**CAR, "plate": "x" * 21}}, {"#/vehicle/plate": "too-long"}),
        ({"state": "arrived", "latitude": 52.5}, {"#/latitude": "unknown-member"}),
    ]
    for body, expected in cases:
        reply = it.act("check-in", body, 422)
        assert (code_of(reply), faults(reply)) == ("validation-failed", expected), body
    assert it.now()["check_in"] is None


def test_a_finished_fulfillment_takes_no_check_in(work):
    parcel = work(method="ship")
    assert code_of(parcel.act("check-in", {"state": "arrived"}, 409)) == "invalid-transition"
    it = work()
    it.act("cancel", {"reason": "the shopper called"})
    refused = it.act("check-in", {"state": "arrived"}, 409).json()
    assert (refused["code"], refused["current_status"]) == ("invalid-transition", "cancelled")


def test_a_refusal_names_the_status_that_is_shown(work):
    it = work()
    it.make_ready()
    it.act("check-in", {"state": "arrived"})
    refused = it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 1}]}, 409).json()
    assert refused["current_status"] == "arrived"


def test_a_web_shop_may_do_everything_that_its_customer_may(work, service):
    it = work()
    front = service.client(scope="orders:write")
    assert it.act("check-in", {"state": "on_the_way"}, api=front).json()["allowed_actions"] == ["check-in", "link", "recipient"]
    assert code_of(it.act("check-in", {"state": "arrived"}, 403, api=service.client(scope="orders:read"))) \
        == "insufficient-scope"
    it.act("cancel", {"reason": "the shopper called"}, 403, api=front)


# ---- allowed actions ----

def test_each_step_lists_the_next_actions(work, service):
    it = work()
    assert it.now()["allowed_actions"] == ["assign", "cancel", "check-in", "link", "pick", "recipient", "reject", "short"]
    assert it.pick_all()["allowed_actions"] == [
        "assign", "cancel", "check-in", "link", "ready", "recipient", "reject", "undo-pick"]
    assert it.act("ready").json()["allowed_actions"] == [
        "assign", "cancel", "check-in", "extend-hold", "handover", "link", "recipient"]
    assert it.hand_over().json()["allowed_actions"] == []
    reader = service.client(scope="fulfillment:read")
    assert reader.get(work().path, expect=200).json()["allowed_actions"] == []


def test_a_supervisor_is_offered_the_supervisor_actions(work, service):
    it = work()
    boss = service.client(scope="admin")
    assert "reissue-code" in boss.get(it.path, expect=200).json()["allowed_actions"]
    it.make_ready()
    it.hand_over(422, code="ABCDEFGH")
    assert "unlock" in boss.get(it.path, expect=200).json()["allowed_actions"]


# ---- the customer's link ----

class Link:
    """A customer with a link, and the requests that it opens."""

    def __init__(self, it, api=None):
        reply = it.act("link", {}, api=api, expect=None)
        assert reply.status_code == 200
        self.token, self.path = reply.json()["token"], it.path
        self.api = it.api.with_token(self.token)

    def status(self, expect=200, path=None):
        return self.api.get(f"{path or self.path}/status", expect=expect)

    def check_in(self, body, expect=200, path=None, **options):
        return self.api.post(f"{path or self.path}/check-in", body, expect=expect, **options)


def test_a_link_opens_status_and_check_in(work, retailer):
    it = work(method="curbside")
    link = Link(it)
    seen = link.status().json()
    assert seen == {
        "id": it.id, "order_number": it.order["order_number"], "customer_name": "Ada L.", "method": "curbside",
        "location": retailer.store, "status": "allocated", "promised_at": it.now()["promised_at"], "hold_until": None,
        "check_in": None, "version": 2}
    it.make_ready()
    there = link.check_in({"state": "arrived", "bay": "4", "vehicle": CAR}).json()
    assert (there["status"], there["check_in"]["bay"]) == ("arrived", "4")
    assert "Volvo" not in str(there) and "Lovelace" not in str(there)
    assert it.now()["check_in"]["vehicle"] == CAR
    told = it.told()[-1]
    assert (told["type"], told["actor"], told["location"]) == ("pickup.customer_arrived", "customer", retailer.store)


def test_a_link_opens_nothing_else(work, service):
    it, other = work(), work()
    link = Link(it)
    for path in (f"/v1/orders/{it.order['id']}", it.path, f"/v1/locations/{it.retailer.store}/queue", "/v1/products"):
        assert code_of(link.api.get(path, expect=401)) == "unauthenticated"
    for verb in ("pick", "handover", "link", "extend-hold", "recipient", "unlock"):
        link.api.post(f"{it.path}/{verb}", {}, expect=401)
    assert link.status(401, path=other.path).json()["code"] == "unauthenticated"
    link.check_in({"state": "arrived"}, 401, path=other.path)
    assert other.now()["check_in"] is None


def test_links_that_open_nothing_are_all_alike(work):
    """Another order's, a replaced one, one that never was, one whose goods are gone, and one for nothing at all."""
    it, gone = work(), work()
    old = Link(it)
    new = Link(it)
    stranger = Link(it)
    stranger.api = it.api.with_token("A" * 43)
    over = Link(gone)
    gone.act("cancel", {"reason": "the shopper called"})
    late = Link(work())
    late_id = late.path.rsplit("/", 1)[1]
    it.database.execute("update fulfillments set link_expires_at = now() where id = %s", late_id)

    nowhere = "/v1/fulfillments/0190a6e2-7b7c-7def-8123-456789abcdef"
    refusals = [old.status(401), new.status(401), stranger.status(401), over.status(401), late.status(401),
                Link(work()).status(401, path=it.path), stranger.status(401, path=nowhere)]
    said = [{name: value for name, value in refusal.json().items() if name not in ("instance", "trace_id")}
            for refusal in refusals]
    assert all(one == said[0] for one in said)
    assert len({refusal.headers["WWW-Authenticate"] for refusal in refusals}) == 1


def test_a_link_token_appears_in_one_reply_only(work, database, service):
    it = work()
    key = "0190a6e2-link"
    first, second = (it.act("link", {}, key=key, expect=None).json()["token"] for _ in range(2))
    assert first != second
    for table in ("idempotency", "fulfillments", "events"):
        kept = str(database.rows(f"select t::text from {table} t"))
        assert first not in kept and second not in kept
    Link(it).status()
    log = service.log_path.read_text()
    assert first not in log and second not in log


def test_only_clients_that_may_act_create_a_link(work, service):
    it = work()
    assert Link(it, api=service.client(scope="orders:write")).status().json()["id"] == it.id
    assert code_of(it.act("link", {}, 403, api=service.client(scope="orders:read"))) == "insufficient-scope"
    assert code_of(it.act("link", {}, 403, api=service.client(locations=["elsewhere"]))) == "store-not-allowed"
    parcel = work(method="ship")
    assert code_of(parcel.act("link", {}, 409)) == "invalid-transition"
    service.client(scope="orders:read").get(f"{it.path}/status", expect=200)
    service.client(scope="catalog:read").get(f"{it.path}/status", expect=403)


def test_a_customers_tap_too_many_happens_once(work):
    it = work()
    link = Link(it)
    bodies = {link.check_in({"state": "arrived"}, key="tap").text for _ in range(2)}
    assert len(bodies) == 1
    assert it.events().count("pickup.customer_arrived") == 1
    assert faults(link.check_in({"state": "arrived", "latitude": 52.5}, 422)) == {"#/latitude": "unknown-member"}


def test_links_are_counted_against_the_limit(services, new_database):
    """Each link has its own quota, like every bearer."""
    with Database(new_database()) as database:
        service = services(database.url, rate_limit=1000)
        it = Work(Retailer(service.client()).create(), database)
        reply = Link(it).status()
        assert reply.headers["RateLimit-Policy"] == '"client";q=1000;w=60'
        assert 'r=999' in reply.headers["RateLimit"]


# ---- alternate pickup person ----

def test_an_alternate_pickup_person_may_collect(work):
    it = work()
    named = it.act("recipient", {"name": "Grace Hopper", "relation": "friend"}).json()
    assert named["recipient"] == {"name": "Grace Hopper", "relation": "friend"} == it.now()["recipient"]
    assert it.act("recipient", {"name": "Joan Clarke"}).json()["recipient"] == {"name": "Joan Clarke"}
    told = [event for event in it.told() if event["type"] == "fulfillment.recipient_named"]
    assert len(told) == 2 and "Grace" not in str(told)
    it.act("cancel", {"reason": "the shopper called"})
    assert code_of(it.act("recipient", {"name": "Joan Clarke"}, 409)) == "invalid-transition"


def test_a_location_takes_the_proofs_it_has_chosen(work, retailer, admin):
    store = f"strict-{retailer.tag}"
    retailer.create_location(store, pickup={"handover_methods": ["code"]})
    retailer.stock({(store, sku): 10 for sku in retailer.skus})
    it = work(location=store)
    it.make_ready()
    reply = it.act("handover", {"proof": {"method": "id_check", "value": "passport"}}, 422)
    assert (code_of(reply), faults(reply)) == ("validation-failed", {"#/proof/method": "not-allowed"})
    assert it.now()["status"] == "ready"
    assert it.hand_over().json()["status"] == "handed_over"


def test_a_supervisor_needs_no_proof_anywhere(work, retailer, admin):
    store = f"strict-{retailer.tag}"
    retailer.create_location(store, pickup={"handover_methods": ["code"]})
    retailer.stock({(store, sku): 10 for sku in retailer.skus})
    it = work(location=store)
    it.make_ready()
    assert it.act("handover", {"proof": {"method": "none"}}, api=admin).json()["status"] == "handed_over"


def test_a_supervisor_ends_a_lock(work, admin):
    it = work()
    it.make_ready()
    for _ in range(5):
        it.hand_over(422, code="ABCDEFGH")
    it.hand_over(429)
    assert code_of(it.act("unlock", {}, 403)) == "insufficient-scope"
    it.act("unlock", {}, api=admin)
    assert it.hand_over().json()["status"] == "handed_over"
    assert code_of(it.act("unlock", {}, 409, api=admin)) == "invalid-transition"


def test_a_code_that_got_lost_is_replaced(work, admin):
    it = work()
    it.make_ready()
    old = it.code()
    assert code_of(it.act("reissue-code", {}, 403)) == "insufficient-scope"
    assert "pickup_code" not in it.act("reissue-code", {}, api=admin).json()
    assert it.code() != old
    assert code_of(it.hand_over(422, code=old)) == "handover-proof-invalid"
    it.hand_over()
    assert code_of(it.act("reissue-code", {}, 409, api=admin)) == "invalid-transition"


# ---- the hold ----

def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def soon(**span):
    return (datetime.now(timezone.utc) + timedelta(**span)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_hold_is_moved(work, service):
    it = work()
    assert code_of(it.act("extend-hold", {"until": soon(days=9)}, 409)) == "invalid-transition"
    it.make_ready()
    until = soon(days=9)
    moved = it.act("extend-hold", {"until": until}, api=service.client(scope="orders:write")).json()
    assert moved["hold_until"] == until
    assert it.act("extend-hold", {"until": until}).json()["version"] == moved["version"]
    for wrong in (soon(seconds=-1), soon(days=60, minutes=1)):
        reply = it.act("extend-hold", {"until": wrong}, 422)
        assert (code_of(reply), faults(reply)) == ("validation-failed", {"#/until": "out-of-range"})
    assert it.now()["hold_until"] == until
    assert it.happened()[-1] == "fulfillment.hold_extended"


def let_pass(it, what="hold_until"):
    it.database.execute(f"update fulfillments set {what} = now() - interval '1 second' where id = %s", it.id)


def test_units_not_collected_within_the_hold_are_available_again(work, retailer, service):
    it = work()
    it.make_ready()
    let_pass(it)
    eventually(lambda: it.now()["status"] == "expired", what="expired by the sweeper")

    now, order = it.now(), it.order_now()
    assert now["reason"] == "not_collected" and now["allowed_actions"] == ["reinstate"]
    assert (order["status"], order["totals"]["refund_due"]["amount"]) == ("cancelled", order["totals"]["total"]["amount"])
    assert it.figures() == (10, 0, 0) and it.figures(1) == (10, 0, 0) and it.ledger() == []
    assert it.happened()[-4:] == ["fulfillment.expired", "order.units_cancelled", "refund.due", "order.cancelled"]
    told = next(event for event in it.told() if event["type"] == "fulfillment.expired")
    assert (told["actor"], told["location"], told["data"]["reason"]) == ("sweeper", retailer.store, "not_collected")
    assert [line["quantity"] for line in told["data"]["lines"]] == [3, 1]
    assert code_of(it.hand_over(409)) == code_of(it.act("check-in", {"state": "arrived"}, 409)) == "invalid-transition"
    service.assert_audit_clean()


def expire(it):
    let_pass(it)
    eventually(lambda: it.now()["status"] == "expired", what="expired by the sweeper")


def test_a_late_customer_collects_after_the_hold(work, retailer, service):
    it = work()
    it.make_ready()
    code, total = it.code(), it.order_now()["totals"]["total"]
    expire(it)
    version = it.now()["version"]
    back = it.act("reinstate", api=service.client(scope="orders:write")).json()
    assert (back["status"], back["reason"], back["version"]) == ("ready", None, version + 1)
    assert timedelta(days=6) < datetime.fromisoformat(back["hold_until"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
    assert it.figures() == (10, 0, 3) and it.figures(1) == (10, 0, 1) and it.ledger() == []
    order = it.order_now()
    assert (order["status"], order["payment_status"], order["totals"]["refund_due"]["amount"]) == ("open", "captured", 0)
    assert order["totals"]["total"] == total
    assert it.happened()[-2:] == ["fulfillment.reinstated", "order.reopened"]
    told = next(event for event in it.told() if event["type"] == "fulfillment.reinstated")
    assert told["data"]["hold_until"] == back["hold_until"] and [line["quantity"] for line in told["data"]["lines"]] == [3, 1]
    assert {"handover", "extend-hold", "check-in"} < set(it.now()["allowed_actions"])
    cards = it.api.get(f"/v1/locations/{retailer.store}/queue?limit=200", expect=200).json()["data"]
    assert [card["status"] for card in cards if card["fulfillment_id"] == it.id] == ["ready"]
    assert it.code() == code
    it.hand_over(code=code)
    assert it.order_now()["status"] == "fulfilled"
    service.assert_audit_clean()


def test_a_line_sold_meanwhile_is_named_and_nothing_comes_back(work, retailer, service):
    it = work()
    it.make_ready()
    expire(it)
    work(lines={retailer.sku: 8})
    before, order = it.now(), it.order_now()
    refused = it.act("reinstate", {}, 409).json()
    assert refused["code"] == "insufficient-stock"
    assert [(each["pointer"], each["code"], each["available"]) for each in refused["errors"]] == [
        ("#/lines/0/quantity", "insufficient-stock", 2)]
    assert retailer.sku in refused["errors"][0]["detail"] and "3 requested" in refused["errors"][0]["detail"]
    assert it.now() == before and it.order_now() == order
    assert it.figures() == (10, 0, 8) and it.figures(1) == (10, 0, 0)
    service.assert_audit_clean()


def test_units_of_a_lapsed_reservation_come_back_to_the_customer(work, retailer):
    it = work()
    it.make_ready()
    expire(it)
    held = it.api.post("/v1/reservations", {"location": retailer.store, "lines": [{"sku": retailer.sku, "quantity": 10}]},
                       expect=201).json()
    assert code_of(it.act("reinstate", {}, 409)) == "insufficient-stock"
    let_lapse(it.database, held["id"])
    it.act("reinstate")
    assert it.figures() == (10, 0, 3)


def test_a_hold_of_a_reinstated_fulfillment_may_be_named(work):
    it = work()
    it.make_ready()
    expire(it)
    for wrong in (soon(seconds=-1), soon(days=60, minutes=1)):
        reply = it.act("reinstate", {"hold_until": wrong}, 422)
        assert (code_of(reply), faults(reply)) == ("validation-failed", {"#/hold_until": "out-of-range"})
    until = soon(hours=3)
    assert it.act("reinstate", {"hold_until": until}).json()["hold_until"] == until
    assert it.act("reinstate", {"hold_until": until}).json()["version"] == it.now()["version"]
    expire(it)
    assert it.act("reinstate", {"hold_until": until}).json()["status"] == "ready"


def test_a_reinstated_order_owes_the_refund_paid_before(work, service):
    it = work()
    it.make_ready()
    expire(it)
    total = it.order_now()["totals"]["total"]["amount"]
    it.api.post(f"/v1/orders/{it.order['id']}/refunds", {"to": "original", "reason": "not collected"}, key=str(uuid.uuid4()), expect=201)
    it.act("reinstate")
    order = it.order_now()
    assert order["payment_status"] == "pending"
    assert (order["status"], order["totals"]["refunded"]["amount"], order["totals"]["refund_due"]["amount"]) == ("open", total, 0)
    paid = it.api.post(f"/v1/orders/{it.order['id']}/payments", {"status": "captured"}, key=str(uuid.uuid4()), expect=201).json()
    assert paid["amount"]["amount"] == total
    it.hand_over()
    service.assert_audit_clean()


def test_an_unpaid_order_is_pending_again_when_it_is_reinstated(work, service):
    it = work(payment={"status": "pending"})
    it.make_ready()
    expire(it)
    assert it.order_now()["payment_status"] == "voided"
    it.act("reinstate")
    assert it.order_now()["payment_status"] == "pending"
    assert it.happened()[-3:] == ["fulfillment.reinstated", "payment.reopened", "order.reopened"]
    service.assert_audit_clean()


def test_an_order_whose_authorization_was_voided_is_pending_until_it_is_paid_again(work, service):
    it = work(payment={"status": "authorized"})
    it.make_ready()
    expire(it)
    assert it.order_now()["payment_status"] == "voided"
    it.act("reinstate")
    assert it.order_now()["payment_status"] == "pending"
    it.api.post(f"/v1/orders/{it.order['id']}/payments", {"status": "authorized"}, key=str(uuid.uuid4()), expect=201)
    assert it.order_now()["payment_status"] == "authorized"
    service.assert_audit_clean()


def test_a_ready_fulfillment_that_never_expired_needs_no_reinstating(work, retailer, service):
    """An action already in its target state answers 200 with the current state, and changes nothing."""
    it = work()
    ready = it.make_ready()
    assert it.act("reinstate", {}).json() == ready
    assert it.act("reinstate", {"hold_until": ready["hold_until"]}).json() == ready
    assert code_of(it.act("reinstate", {"hold_until": soon(days=3)}, 409)) == "invalid-transition"
    other = service.client(scope="fulfillment:write", subject="somebody else")
    assert code_of(it.act("reinstate", {}, 409, api=other)) == "invalid-transition"
    assert it.now()["version"] == ready["version"] and "fulfillment.reinstated" not in it.happened() and it.figures() == (10, 0, 3)


def test_units_cancelled_before_the_expiry_stay_cancelled(work, service):
    it = work()
    it.make_ready()
    it.api.post(f"/v1/orders/{it.order['id']}/cancel", {"reason": "one too many", "lines": [
        {"order_line_id": it.line(), "quantity": 1}]}, expect=200)
    due = it.order_now()["totals"]["refund_due"]["amount"]
    expire(it)
    assert [line["quantity"] for line in it.act("reinstate").json()["lines"]] == [3, 1]
    assert it.figures() == (10, 0, 2) and it.order_now()["totals"]["refund_due"]["amount"] == due
    service.assert_audit_clean()


def test_a_fulfillment_that_expired_before_the_upgrade_comes_back(work, database):
    """The migration reads from the events how many units of each line expired."""
    it = work()
    it.make_ready()
    expire(it)
    assert database.value("select sum(expired)::int from fulfillment_lines where fulfillment_id = %s", it.id) == 4
    database.execute("update fulfillment_lines set expired = 0 where fulfillment_id = %s", it.id)
    assert code_of(it.act("reinstate", {}, 409)) == "invalid-transition" and it.now()["allowed_actions"] == []
    migration = (ROOT / "sql" / "migrations").glob("*_reinstating.sql")
    update = next(migration).read_text().partition("update fulfillment_lines l")
    # The subject of an event has another column since.
    database.execute((update[1] + update[2]).replace("e.fulfillment_id = f.id", "e.subject_id = f.id::text"))
    it.act("reinstate")


def test_the_hold_does_not_end_for_an_arrived_customer(work):
    waits, other = work(), work()
    for it in (waits, other):
        it.make_ready()
    waits.act("check-in", {"state": "arrived"})
    let_pass(waits)
    let_pass(other)
    eventually(lambda: other.now()["status"] == "expired", what="expired by the sweeper")
    assert waits.now()["status"] == "arrived"
    waits.database.execute("update fulfillments set arrived_at = now() - interval '2 hours' where id = %s", waits.id)
    eventually(lambda: waits.now()["status"] == "expired", what="expired by the sweeper")


def test_a_customer_on_the_way_is_awaited_after_the_hold(work):
    comes, late, other = work(), work(), work()
    for it in (comes, late, other):
        it.make_ready()
    comes.act("check-in", {"state": "on_the_way", "eta_minutes": 30})
    late.act("check-in", {"state": "on_the_way", "eta_minutes": 30})
    late.database.execute(
        "update fulfillments set on_the_way_at = on_the_way_at - interval '91 minutes' where id = %s", late.id)
    for it in (comes, late, other):
        let_pass(it)
    for it in (late, other):
        eventually(lambda: it.now()["status"] == "expired", what="expired by the sweeper")
    seen = comes.now()
    assert seen["status"] == "on_the_way"
    until = instant(seen["check_in"]["on_the_way_at"]) + timedelta(minutes=90)
    assert instant(seen["hold_until"]) == until > datetime.now(timezone.utc)
    assert comes.order_now()["fulfillments"][0]["hold_until"] == seen["hold_until"]
    cards = comes.api.get(f"/v1/locations/{seen['location']}/queue?limit=200", expect=200).json()["data"]
    assert [card["hold_until"] for card in cards if card["fulfillment_id"] == comes.id] == [seen["hold_until"]]
    comes.act("check-in", {"state": "arrived"})
    comes.hand_over()


def test_a_customer_is_reminded_once(work):
    it, other = work(), work()
    for one in (it, other):
        one.make_ready()
    let_pass(it, "remind_at")
    eventually(lambda: "pickup.reminder" in it.events(), what="told by the sweeper")
    assert it.now()["status"] == "ready"
    let_pass(other)
    eventually(lambda: other.now()["status"] == "expired", what="another sweep")
    assert it.events().count("pickup.reminder") == 1
    assert "pickup.reminder" not in other.events()


def test_a_collected_fulfillment_gets_no_reminder_and_does_not_expire(work):
    it, other = work(), work()
    for one in (it, other):
        one.make_ready()
    it.hand_over()
    for what in ("hold_until", "remind_at"):
        let_pass(it, what)
    let_pass(other)
    eventually(lambda: other.now()["status"] == "expired", what="another sweep")
    assert it.now()["status"] == "handed_over"
    assert it.happened()[-2:] == ["fulfillment.handed_over", "order.fulfilled"]


# ---- parts ----

def test_one_fulfillment_never_blocks_another_of_its_order(retailer):
    """Two stores, one order: one is collected in full while the other has not begun, and expires by itself."""
    body = retailer.order_body(payment={"status": "captured"})
    body["lines"] = [{"sku": retailer.sku, "quantity": 1},
                     {"sku": retailer.sku, "quantity": 2,
                      "fulfillment": {"method": "curbside", "location": retailer.other_store}}]
    api = retailer.api
    order = api.post("/v1/orders", body, expect=201).json()
    first, second = (f"/v1/fulfillments/{one['id']}" for one in order["fulfillments"])
    api.post(f"{first}/pick", {"lines": [{"sku": retailer.sku, "quantity": 1}]}, expect=200)
    api.post(f"{first}/ready", {}, expect=200)
    api.post(f"{first}/check-in", {"state": "arrived"}, expect=200)
    api.post(f"{first}/handover", {"proof": {"method": "id_check"}}, key=retailer.reference(), expect=200)
    order = api.get(f"/v1/orders/{order['id']}", expect=200).json()
    assert [one["status"] for one in order["fulfillments"]] == ["handed_over", "allocated"]
    assert order["status"] == "partially_fulfilled"
    assert order["fulfillments"][1]["check_in"] is None
    api.post(f"{second}/pick", {"lines": [{"sku": retailer.sku, "quantity": 2}]}, expect=200)
    assert api.post(f"{second}/ready", {}, expect=200).json()["status"] == "ready"


def test_a_visit_that_took_a_part_is_over(work):
    it = work()
    it.make_ready()
    it.act("check-in", {"state": "arrived", "bay": "4"})
    part = it.hand_over(lines=[{"order_line_id": it.line(), "quantity": 1}]).json()
    assert (part["status"], part["check_in"], part["lines"][0]["fulfilled"]) == ("ready", None, 1)
    assert part["waited_s"] is not None
    assert it.hand_over().json()["status"] == "handed_over"


def test_a_part_is_not_ready_while_units_are_missing(work):
    it = work()
    it.act("pick", {"lines": [{"order_line_id": it.line(), "quantity": 2}]})
    assert code_of(it.act("ready", {}, 409)) == "invalid-transition"
    it.act("short", {"lines": [{"order_line_id": it.line(), "quantity": 1},
                               {"order_line_id": it.line(1), "quantity": 1}], "reason": "not_found"})
    ready = it.act("ready").json()
    assert (ready["status"], ready["lines"][0]["short"], ready["lines"][0]["picked"]) == ("ready", 1, 2)
    assert it.hand_over().json()["status"] == "handed_over"


# ---- every change has an event of the location ----

def test_cancelling_a_part_has_an_event_of_the_location(work, retailer):
    it = work()
    it.api.post(f"/v1/orders/{it.order['id']}/cancel",
                {"reason": "one is enough", "lines": [{"order_line_id": it.line(), "quantity": 2}]}, expect=200)
    told = next(event for event in it.told() if event["type"] == "fulfillment.units_cancelled")
    assert (told["location"], told["fulfillment_id"], told["data"]["version"]) == (retailer.store, it.id, 2)
