"""How goods that wait get to their customer: check-in, and what it tells the store."""

from support.work import code_of, faults

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
    kept = it.database.rows("select data::text from events where fulfillment_id = %s", it.id)
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


def test_nobody_checks_in_for_what_is_over(work):
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


def test_a_shop_front_may_check_in_and_nothing_else(work, service):
    it = work()
    front = service.client(scope="orders:write")
    assert it.act("check-in", {"state": "on_the_way"}, api=front).json()["allowed_actions"] == ["check-in"]
    assert code_of(it.act("check-in", {"state": "arrived"}, 403, api=service.client(scope="orders:read"))) \
        == "insufficient-scope"
    it.act("cancel", {"reason": "the shopper called"}, 403, api=front)


# ---- what may be done now ----

def test_each_step_tells_what_may_follow(work, service):
    it = work()
    assert it.now()["allowed_actions"] == ["assign", "cancel", "check-in", "pick", "reject", "short"]
    assert it.pick_all()["allowed_actions"] == ["assign", "cancel", "check-in", "ready", "reject"]
    assert it.act("ready").json()["allowed_actions"] == ["assign", "cancel", "check-in", "handover"]
    assert it.hand_over().json()["allowed_actions"] == []
    reader = service.client(scope="fulfillment:read")
    assert reader.get(work().path, expect=200).json()["allowed_actions"] == []
