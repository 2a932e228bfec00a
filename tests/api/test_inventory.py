"""Stock figures by product, by location and near a place; the ledger; the safety stock."""

import pytest

from support.retailer import Retailer

PLACES = {"berlin": (52.52, 13.405), "potsdam": (52.4, 13.06), "munich": (48.137, 11.576)}


@pytest.fixture
def empty(api):
    """A retailer without stock."""
    return Retailer(api, on_hand=0).create()


def adjust(api, *items):
    return api.post("/v1/inventory/adjustments/batch", {"items": list(items)}, expect=207).json()["results"]


def availability(api, expect=200, **body):
    reply = api.post("/v1/availability/query", body, key=None, expect=expect).json()
    return reply["data"] if expect == 200 else reply


# One product everywhere

def test_figures_of_a_product_everywhere(api, retailer):
    retailer.reserve({retailer.sku: 3})
    adjust(api, {"location": retailer.store, "sku": retailer.sku, "delta": -2, "reason": "damage"})
    api.put(f"/v1/locations/{retailer.store}/inventory/{retailer.sku}", {"safety_stock": 1}, expect=200)

    reply = api.get(f"/v1/inventory/{retailer.sku}", expect=200).json()

    assert reply["sku"] == retailer.sku
    assert [row["location"] for row in reply["locations"]] == sorted(retailer.locations)
    assert retailer.figures() == {"location": retailer.store, "on_hand": 10, "unsellable": 2, "reserved": 3,
                                  "safety_stock": 1, "available": 4}


def test_a_product_that_lies_nowhere_has_no_locations(api, empty):
    assert api.get(f"/v1/inventory/{empty.sku}", expect=200).json() == {"sku": empty.sku, "locations": []}


def test_a_product_nobody_knows(api):
    assert api.get("/v1/inventory/NO-SUCH-SKU", expect=404).json()["code"] == "not-found"


def test_only_locations_of_the_token_are_shown(service, retailer):
    for locations in ([retailer.store], [retailer.store, retailer.warehouse], []):
        reply = service.client(locations=locations).get(f"/v1/inventory/{retailer.sku}", expect=200).json()
        assert [row["location"] for row in reply["locations"]] == sorted(locations)


def test_reading_stock_needs_its_scope(service, retailer):
    client = service.client(scope="orders:read inventory:write")
    paths = (f"/v1/inventory/{retailer.sku}", f"/v1/locations/{retailer.store}/inventory",
             f"/v1/locations/{retailer.store}/inventory/{retailer.sku}",
             f"/v1/locations/{retailer.store}/inventory/{retailer.sku}/ledger")
    for path in paths:
        assert client.get(path, expect=403).json()["code"] == "insufficient-scope"
    client.post("/v1/availability/query", {"skus": [retailer.sku]}, expect=403)


# One location

def test_the_stock_of_a_location_comes_in_pages(api, retailer):
    path = f"/v1/locations/{retailer.store}/inventory"
    seen, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        reply = api.get(path, params=params, expect=200)
        seen += [row["sku"] for row in reply.json()["data"]]
        cursor = reply.json()["next_cursor"]
        if not cursor:
            break
        assert 'rel="next"' in reply.headers["Link"]
    assert seen == sorted(retailer.skus)
    assert api.get(path, expect=200).json()["data"][0] == {
        "sku": retailer.sku, "on_hand": 10, "unsellable": 0, "reserved": 0, "safety_stock": 0, "available": 10}


def test_a_cursor_is_good_for_its_own_list_only(api, retailer):
    reply = api.get(f"/v1/locations/{retailer.store}/inventory", params={"limit": 1}, expect=200).json()
    foreign = api.get(f"/v1/locations/{retailer.other_store}/inventory", params={"cursor": reply["next_cursor"]}, expect=400)
    assert foreign.json()["code"] == "invalid-cursor"


def test_an_empty_location_and_one_nobody_knows(api, empty):
    assert api.get(f"/v1/locations/{empty.store}/inventory", expect=200).json() == {"data": [], "next_cursor": None}
    api.get("/v1/locations/no-such-store/inventory", expect=404)


def test_a_location_outside_the_token_is_refused(service, retailer):
    client = service.client(locations=[retailer.other_store])
    for path in ("", f"/{retailer.sku}", f"/{retailer.sku}/ledger"):
        reply = client.get(f"/v1/locations/{retailer.store}/inventory{path}", expect=403)
        assert reply.json()["code"] == "store-not-allowed"
    client.get(f"/v1/locations/{retailer.other_store}/inventory", expect=200)


# Availability

def test_availability_everywhere(api, retailer):
    retailer.reserve({retailer.sku: 4})
    rows = availability(api, skus=retailer.skus[:2])
    assert {(row["sku"], row["location"]): row["available"] for row in rows} == {
        (sku, location): 6 if (sku, location) == (retailer.sku, retailer.store) else 10
        for sku in retailer.skus[:2] for location in retailer.locations}
    assert all("distance_km" not in row for row in rows)


def test_availability_at_named_locations_names_each_of_them(api, empty):
    empty.stock({(empty.store, empty.sku): 5})
    rows = availability(api, skus=[empty.skus[1], empty.sku], locations=[empty.warehouse, empty.store, empty.warehouse])
    assert rows == [{"sku": sku, "location": location, "available": 5 if (sku, location) == (empty.sku, empty.store) else 0}
                    for sku in (empty.skus[1], empty.sku) for location in (empty.warehouse, empty.store)]


@pytest.fixture
def spread(empty):
    """Stores in three towns and one nowhere, with one unit each."""
    for town, (latitude, longitude) in PLACES.items():
        empty.create_location(f"{town}-{empty.tag}", latitude=latitude, longitude=longitude)
    empty.create_location(f"nowhere-{empty.tag}", latitude=None, longitude=None)
    towns = {town: f"{town}-{empty.tag}" for town in (*PLACES, "nowhere")}
    empty.stock({(location, empty.sku): 1 for location in towns.values()})
    empty.towns = towns
    return empty


def test_availability_near_a_place_comes_by_distance(api, spread):
    near = {"latitude": PLACES["potsdam"][0], "longitude": PLACES["potsdam"][1], "radius_km": 20000}
    rows = availability(api, skus=[spread.sku], near=near)
    assert [row["location"] for row in rows] == [spread.towns[town] for town in ("potsdam", "berlin", "munich")]
    assert rows[0]["distance_km"] == 0
    assert 26 < rows[1]["distance_km"] < 28
    assert 480 < rows[2]["distance_km"] < 490


def test_availability_near_a_place_ends_at_the_radius(api, spread):
    near = {"latitude": PLACES["berlin"][0], "longitude": PLACES["berlin"][1], "radius_km": 100}
    rows = availability(api, skus=[spread.sku], near=near)
    assert [row["location"] for row in rows] == [spread.towns["berlin"], spread.towns["potsdam"]]
    named = availability(api, skus=[spread.sku], locations=[spread.towns[t] for t in ("munich", "berlin", "nowhere")],
                         near=near)
    assert [row["location"] for row in named] == [spread.towns["berlin"]]


def test_availability_is_filtered_by_the_token(service, retailer):
    client = service.client(locations=[retailer.store])
    assert [row["location"] for row in availability(client, skus=[retailer.sku])] == [retailer.store]
    refused = client.post("/v1/availability/query",
                          {"skus": [retailer.sku], "locations": [retailer.store, retailer.warehouse]}, expect=403)
    assert refused.json()["code"] == "store-not-allowed"


def test_availability_for_a_channel(service, api, retailer):
    assert availability(api, skus=[retailer.sku], channel=retailer.channel)
    bound = service.client(channel="another-channel")
    reply = bound.post("/v1/availability/query", {"skus": [retailer.sku], "channel": retailer.channel}, expect=403)
    assert reply.json()["code"] == "channel-not-allowed"


def test_availability_names_everything_that_does_not_exist(api, retailer):
    problem = availability(api, expect=422, skus=[retailer.sku, "NO-SKU"], locations=["no-store", retailer.store],
                           channel="no-channel")
    assert problem["code"] == "validation-failed"
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("#/skus/1", "unknown-sku"), ("#/locations/0", "unknown-location"), ("#/channel", "unknown-channel")]


@pytest.mark.parametrize("body, pointer", [
    ({}, "#/skus"),
    ({"skus": []}, "#/skus"),
    ({"skus": ["S"] * 101}, "#/skus"),
    ({"skus": ["not a code"]}, "#/skus/0"),
    ({"skus": ["S"], "locations": []}, "#/locations"),
    ({"skus": ["S"], "locations": ["L"] * 101}, "#/locations"),
    ({"skus": ["S"], "near": {"latitude": 91, "longitude": 0, "radius_km": 1}}, "#/near/latitude"),
    ({"skus": ["S"], "near": {"latitude": 0, "longitude": -181, "radius_km": 1}}, "#/near/longitude"),
    ({"skus": ["S"], "near": {"latitude": 0, "longitude": 0, "radius_km": 20001}}, "#/near/radius_km"),
    ({"skus": ["S"], "near": {"latitude": 0, "longitude": 0}}, "#/near/radius_km"),
    ({"skus": ["S"], "quantity": 1}, "#/quantity"),
])
def test_availability_refuses_an_invalid_query(api, body, pointer):
    problem = api.post("/v1/availability/query", body, expect=422).json()
    assert pointer in [error["pointer"] for error in problem["errors"]]


# The ledger

def test_the_ledger_tells_every_movement_newest_first(api, empty):
    adjust(api, {"location": empty.store, "sku": empty.sku, "delta": 8, "reason": "receipt", "reference": "GR-1"},
           {"location": empty.store, "sku": empty.sku, "delta": -3, "reason": "damage"})
    counted, = adjust(api, {"location": empty.store, "sku": empty.sku, "on_hand": 6, "reason": "count"})

    rows = api.get(f"/v1/locations/{empty.store}/inventory/{empty.sku}/ledger", expect=200).json()["data"]

    assert [(row["number"], row["reason"], row["on_hand_change"], row["unsellable_change"], row["on_hand_after"],
             row["unsellable_after"]) for row in rows] == [
        (3, "count", -2, 0, 6, 3), (2, "damage", 0, 3, 8, 3), (1, "receipt", 8, 0, 8, 0)]
    assert rows[0]["document"] == f"adjustment/{counted['id']}"
    assert rows[2]["reference"] == "GR-1" and rows[1]["reference"] is None
    assert {row["actor"] for row in rows} == {"tester"}


def test_the_ledger_goes_on_where_the_page_before_ended_though_movements_come_in(api, empty):
    def move(n):
        adjust(api, *({"location": empty.store, "sku": empty.sku, "delta": 1, "reason": "receipt"} for _ in range(n)))

    path = f"/v1/locations/{empty.store}/inventory/{empty.sku}/ledger"
    move(5)
    first = api.get(path, params={"limit": 2}, expect=200).json()
    move(3)
    second = api.get(path, params={"limit": 2, "cursor": first["next_cursor"]}, expect=200).json()
    last = api.get(path, params={"limit": 2, "cursor": second["next_cursor"]}, expect=200).json()
    assert [[row["number"] for row in page["data"]] for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
    assert last["next_cursor"] is None


def test_the_ledger_without_movements_is_empty_and_of_an_unknown_product_not_found(api, empty):
    path = f"/v1/locations/{empty.store}/inventory"
    assert api.get(f"{path}/{empty.sku}/ledger", expect=200).json() == {"data": [], "next_cursor": None}
    api.get(f"{path}/NO-SKU/ledger", expect=404)
    api.get(f"/v1/locations/no-store/inventory/{empty.sku}/ledger", expect=404)


# Safety stock

def test_safety_stock_is_never_promised(api, retailer):
    path = f"/v1/locations/{retailer.store}/inventory/{retailer.sku}"
    reply = api.put(path, {"safety_stock": 4}, expect=200)
    assert reply.json() == {"location": retailer.store, "sku": retailer.sku, "on_hand": 10, "unsellable": 0, "reserved": 0,
                            "safety_stock": 4, "available": 6, "version": 2}
    assert reply.headers["ETag"] == '"2-10-0-0"'
    assert retailer.reserve({retailer.sku: 7}, expect=409).json()["errors"][0]["available"] == 6
    retailer.reserve({retailer.sku: 6})
    assert retailer.available() == 0


def test_safety_stock_may_be_set_before_the_goods_come(api, empty):
    path = f"/v1/locations/{empty.store}/inventory/{empty.sku}"
    api.get(path, expect=404)
    created = api.put(path, {"safety_stock": 2}, expect=201)
    assert (created.json()["on_hand"], created.headers["ETag"]) == (0, '"1-0-0-0"')
    adjust(api, {"location": empty.store, "sku": empty.sku, "delta": 5, "reason": "receipt"})
    assert api.get(path, expect=200).json()["available"] == 3


def test_safety_stock_above_the_stock_promises_nothing_and_breaks_no_promise(api, retailer):
    retailer.reserve({retailer.sku: 3})
    reply = api.put(f"/v1/locations/{retailer.store}/inventory/{retailer.sku}", {"safety_stock": 50}, expect=200).json()
    assert (reply["reserved"], reply["available"]) == (3, 0)


def test_the_version_of_the_safety_stock_is_its_own(api, retailer):
    path = f"/v1/locations/{retailer.store}/inventory/{retailer.sku}"
    first = api.get(path, expect=200).json()
    tag = api.get(path, expect=200).headers["ETag"]
    adjust(api, {"location": retailer.store, "sku": retailer.sku, "delta": 1, "reason": "receipt"})
    assert api.get(path, expect=200).json()["version"] == first["version"]

    changed = api.put(path, {"safety_stock": 1}, headers={"If-Match": tag}, expect=200)
    same = api.put(path, {"safety_stock": 1}, expect=200)
    assert same.headers["ETag"] == changed.headers["ETag"] != tag
    stale = api.put(path, {"safety_stock": 2}, headers={"If-Match": tag}, expect=412)
    assert stale.headers["ETag"] == f'"{changed.json()["version"]}"'
    api.put(path, {"safety_stock": 2}, headers={"If-None-Match": "*"}, expect=412)
    api.put(path, {"safety_stock": 2}, headers={"If-Match": stale.headers["ETag"]}, expect=200)


def test_the_tag_of_a_row_changes_whenever_its_figures_do(api, retailer):
    path = f"/v1/locations/{retailer.store}/inventory/{retailer.sku}"
    tags = [api.get(path, expect=200).headers["ETag"]]
    for change in (lambda: retailer.reserve({retailer.sku: 1}),
                   lambda: adjust(api, {"location": retailer.store, "sku": retailer.sku, "delta": 1, "reason": "receipt"}),
                   lambda: adjust(api, {"location": retailer.store, "sku": retailer.sku, "delta": -1, "reason": "damage"}),
                   lambda: api.put(path, {"safety_stock": 1}, expect=200)):
        assert api.get(path, headers={"If-None-Match": tags[-1]}).status_code == 304
        change()
        tags.append(api.get(path, headers={"If-None-Match": tags[-1]}, expect=200).headers["ETag"])
    assert len(set(tags)) == len(tags)


def test_safety_stock_of_an_unknown_product_or_location(service, api, retailer):
    api.put(f"/v1/locations/no-store/inventory/{retailer.sku}", {"safety_stock": 1}, expect=404)
    api.put(f"/v1/locations/{retailer.store}/inventory/NO-SKU", {"safety_stock": 1}, expect=404)
    client = service.client(locations=[retailer.other_store])
    client.put(f"/v1/locations/{retailer.store}/inventory/{retailer.sku}", {"safety_stock": 1}, expect=403)


@pytest.mark.parametrize("body", [{}, {"safety_stock": -1}, {"safety_stock": 1_000_000_001}, {"safety_stock": 1.5},
                                  {"safety_stock": "1"}, {"safety_stock": 1, "on_hand": 5}])
def test_safety_stock_is_one_whole_number(api, retailer, body):
    api.put(f"/v1/locations/{retailer.store}/inventory/{retailer.sku}", body, expect=422)


def test_a_channel_is_offered_nothing_that_it_does_not_sell(api, retailer):
    api.put(f"/v1/channels/{retailer.channel}/listings/{retailer.sku}", {"published": False}, expect=201)
    query = {"skus": retailer.skus[:2], "locations": [retailer.store], "channel": retailer.channel}

    offers = api.post("/v1/availability/query", query, expect=200).json()["data"]

    assert {offer["sku"]: offer["available"] for offer in offers} == {retailer.skus[0]: 0, retailer.skus[1]: 10}
