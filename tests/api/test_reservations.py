"""Reservations: units held for a shopper for a while."""

import uuid

import pytest


def lapse(database, reservation):
    """Let its time be up, as if it had been made ten minutes ago."""
    for table, column in (("reservations", "id"), ("reservation_lines", "reservation_id")):
        database.execute(f"update {table} set expires_at = now() - interval '1 second' where {column} = %s",
                         reservation["id"])


def test_a_reservation_holds_its_units_at_once(retailer):
    reply = retailer.reserve({retailer.sku: 3})

    reservation = reply.json()
    assert reservation["status"] == "active" and reservation["version"] == 1
    assert reservation["lines"] == [{"sku": retailer.sku, "quantity": 3}]
    assert reply.headers["Location"] == f"/v1/reservations/{reservation['id']}" and reply.headers["ETag"] == '"1"'
    assert retailer.available() == 7


def test_lines_that_name_the_same_product_are_added_up_first(api, retailer):
    lines = [{"sku": retailer.sku, "quantity": 6}, {"sku": retailer.sku, "quantity": 6}]

    refused = api.post("/v1/reservations", {"location": retailer.store, "lines": lines}, expect=409).json()

    assert refused["code"] == "insufficient-stock"
    assert refused["errors"][0]["pointer"] == "#/lines/0/quantity" and refused["errors"][0]["available"] == 10
    assert retailer.available() == 10


def test_all_lines_are_granted_or_none_and_each_short_one_is_named(retailer):
    refused = retailer.reserve({retailer.skus[0]: 1, retailer.skus[1]: 11, retailer.skus[2]: 12}, expect=409).json()

    assert [error["pointer"] for error in refused["errors"]] == ["#/lines/1/quantity", "#/lines/2/quantity"]
    assert [retailer.available(sku) for sku in retailer.skus] == [10, 10, 10]


@pytest.mark.parametrize("change, pointer, code", [
    ({"location": "nowhere"}, "#/location", "unknown-location"),
    ({"lines": [{"sku": "nothing", "quantity": 1}]}, "#/lines/0/sku", "unknown-sku"),
    ({"channel": "no-channel"}, "#/channel", "unknown-channel"),
    ({"lines": []}, "#/lines", "too-few"),
    ({"ttl": "PT5H"}, "#/ttl", "out-of-range"),
    ({"ttl": "PT0S"}, "#/ttl", "out-of-range"),
    ({"ttl": "ten minutes"}, "#/ttl", "malformed"),
    ({"reference": ""}, "#/reference", "too-short"),
    ({"colour": "red"}, "#/colour", "unknown-member"),
])
def test_each_fault_is_named_and_nothing_is_held(api, retailer, change, pointer, code):
    body = {"location": retailer.store, "lines": [{"sku": retailer.sku, "quantity": 1}], **change}

    refused = api.post("/v1/reservations", body, expect=422).json()

    assert (refused["errors"][0]["pointer"], refused["errors"][0]["code"]) == (pointer, code)
    assert retailer.available() == 10


def test_it_lives_ten_minutes_unless_told_otherwise(retailer, database):
    usual = retailer.reserve().json()
    short = retailer.reserve(ttl="PT30S").json()

    lives = "select extract(epoch from expires_at - created_at)::int from reservations where id = %s"
    assert database.value(lives, usual["id"]) == 600
    assert database.value(lives, short["id"]) == 30


def test_releasing_gives_the_units_back_and_may_be_repeated(api, retailer):
    reservation = retailer.reserve({retailer.sku: 4}).json()

    released = api.delete(f"/v1/reservations/{reservation['id']}", expect=200).json()
    again = api.delete(f"/v1/reservations/{reservation['id']}", expect=200).json()

    assert released["status"] == again["status"] == "released"
    assert released["version"] == again["version"] == 2
    assert retailer.available() == 10


def test_a_release_that_names_another_version_changes_nothing(api, retailer):
    reservation = retailer.reserve().json()

    refused = api.delete(f"/v1/reservations/{reservation['id']}", headers={"If-Match": '"7"'}, expect=412)

    assert refused.json()["code"] == "precondition-failed" and refused.headers["ETag"] == '"1"'
    assert retailer.available() == 9


def test_extending_counts_from_now(api, retailer, database):
    reservation = retailer.reserve(ttl="PT30S").json()

    extended = api.post(f"/v1/reservations/{reservation['id']}/extend", {"ttl": "PT2H"}, expect=200).json()

    assert extended["version"] == 2 and extended["expires_at"] > reservation["expires_at"]
    lines = "select count(*) from reservation_lines where reservation_id = %s and expires_at > now() + interval '1 hour'"
    assert database.value(lines, reservation["id"]) == 1


def test_an_expired_one_says_so_at_once_and_never_costs_a_sale(api, retailer, database):
    reservation = retailer.reserve({retailer.sku: 10}).json()
    lapse(database, reservation)

    shown = api.get(f"/v1/reservations/{reservation['id']}", expect=200).json()
    refused = api.post(f"/v1/reservations/{reservation['id']}/extend", {"ttl": "PT1M"}, expect=409).json()
    retailer.reserve({retailer.sku: 10})

    assert shown["status"] == "expired"
    assert refused["code"] == "reservation-expired"


def test_a_claimed_one_can_neither_be_released_nor_extended(api, retailer):
    reservation = retailer.reserve().json()
    retailer.order(reservation_id=reservation["id"])

    for refused in (api.delete(f"/v1/reservations/{reservation['id']}", expect=409),
                    api.post(f"/v1/reservations/{reservation['id']}/extend", {"ttl": "PT1M"}, expect=409)):
        assert refused.json()["code"] == "invalid-transition"
        assert refused.json()["current_status"] == "claimed"


def test_a_claimed_one_cannot_be_claimed_again(retailer):
    reservation = retailer.reserve().json()
    retailer.order(reservation_id=reservation["id"])

    refused = retailer.order(reservation_id=reservation["id"], expect=409).json()

    assert refused["code"] == "reservation-expired" and refused["current_status"] == "claimed"


def test_an_unknown_reservation_is_not_found(api):
    unknown = f"/v1/reservations/{uuid.uuid4()}"

    for refused in (api.get(unknown, expect=404), api.delete(unknown, expect=404),
                    api.post(f"{unknown}/extend", {"ttl": "PT1M"}, expect=404)):
        assert refused.json()["code"] == "not-found"


def test_a_token_acts_at_its_own_locations_only(service, retailer):
    elsewhere = service.client(scope="reservations:write", locations=[retailer.other_store])
    reservation = retailer.reserve().json()

    body = {"location": retailer.store, "lines": [{"sku": retailer.sku, "quantity": 1}]}
    for refused in (elsewhere.post("/v1/reservations", body, expect=403),
                    elsewhere.get(f"/v1/reservations/{reservation['id']}", expect=403),
                    elsewhere.delete(f"/v1/reservations/{reservation['id']}", expect=403)):
        assert refused.json()["code"] == "store-not-allowed"


def test_a_shop_front_reserves_for_its_own_channel_only(service, retailer, api):
    api.put(f"/v1/channels/other-{retailer.tag}", {"name": "Other", "kind": "app"}, expect=201)
    front = service.client(scope="reservations:write", channel=retailer.channel)
    body = {"location": retailer.store, "lines": [{"sku": retailer.sku, "quantity": 1}]}

    mine = front.post("/v1/reservations", body, expect=201).json()
    refused = front.post("/v1/reservations", {**body, "channel": f"other-{retailer.tag}"}, expect=403).json()

    assert mine["channel"] == retailer.channel
    assert refused["code"] == "channel-not-allowed"


def test_a_repeated_key_gets_the_same_answer_and_takes_nothing_more(retailer):
    first = retailer.reserve({retailer.sku: 2}, key="once")
    again = retailer.reserve({retailer.sku: 2}, key='"once"')
    reused = retailer.reserve({retailer.sku: 3}, key="once", expect=422)

    assert again.content == first.content and again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"] and again.headers["ETag"] == first.headers["ETag"]
    assert reused.json()["code"] == "idempotency-key-reused"
    assert retailer.available() == 8


def test_a_refusal_for_stock_is_replayed_too(retailer):
    first = retailer.reserve({retailer.sku: 11}, key="too-many", expect=409)
    retailer.stock({(retailer.store, retailer.sku): 20})
    again = retailer.reserve({retailer.sku: 11}, key="too-many", expect=409)

    assert again.content == first.content and again.headers["Idempotent-Replayed"] == "true"


def test_without_a_key_nothing_is_reserved(api, retailer):
    body = {"location": retailer.store, "lines": [{"sku": retailer.sku, "quantity": 1}]}

    refused = api.post("/v1/reservations", body, key=None, expect=400)

    assert refused.json()["code"] == "idempotency-key-missing"
    assert retailer.available() == 10
