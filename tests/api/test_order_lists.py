"""GET /v1/orders and the timeline."""

from support.shelf import Shelf


def placed_order(retailer, **fields):
    return retailer.order(**fields).json()


def references(reply):
    return [order["external_ref"] for order in reply.json()["data"]]



def all_pages(api, limit, **params):
    found, cursor = [], None
    while True:
        reply = api.get("/v1/orders", params={**params, "limit": limit, **({"cursor": cursor} if cursor else {})})
        found += references(reply)
        cursor = reply.json()["next_cursor"]
        if not cursor:
            return found


def test_the_newest_orders_come_first_page_by_page(api, retailer):
    placed = [placed_order(retailer)["external_ref"] for _ in range(5)]

    assert all_pages(api, 2, channel=retailer.channel)[:5] == placed[::-1]


def test_large_orders_end_a_page_before_it_grows_too_large(api, retailer, database):
    shelf = Shelf(database, units=10, n_skus=1000)
    lines = [{"sku": sku, "quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}} for sku in shelf.skus]
    placed = [placed_order(retailer, lines=lines, location=shelf.location)["external_ref"] for _ in range(6)]

    first = api.get("/v1/orders", params={"channel": retailer.channel, "limit": 200}, expect=200)

    assert 0 < len(references(first)) < 6 and first.json()["next_cursor"]
    assert all_pages(api, 200, channel=retailer.channel) == placed[::-1]


def test_orders_are_found_by_their_own_numbers(api, retailer):
    order = placed_order(retailer)
    placed_order(retailer)

    by_number = api.get("/v1/orders", params={"order_number": order["order_number"]})
    by_reference = api.get("/v1/orders", params={"external_ref": order["external_ref"], "channel": retailer.channel})

    assert references(by_number) == references(by_reference) == [order["external_ref"]]


def test_words_find_customers_and_mean_nothing_to_sql(api, retailer):
    placed_order(retailer, customer={"name": "Zoë 100%_Quux", "email": "zoe@example.com"})

    assert len(references(api.get("/v1/orders", params={"q": "100%_quux"}))) == 1
    assert references(api.get("/v1/orders", params={"q": "100%%quux"})) == []


def test_states_filter_together_with_or(api, retailer):
    kept, cancelled = placed_order(retailer), placed_order(retailer)
    api.post(f"/v1/orders/{cancelled['id']}/cancel", {"reason": "changed her mind"}, expect=200)

    found = references(api.get("/v1/orders", params={"channel": retailer.channel, "status": "cancelled"}))
    both = references(api.get("/v1/orders", params={"channel": retailer.channel, "status": "cancelled,open"}))

    assert cancelled["external_ref"] in found and kept["external_ref"] not in found
    assert {kept["external_ref"], cancelled["external_ref"]} <= set(both)


def test_changes_since_a_moment_come_in_the_order_in_which_they_happened(api, retailer):
    first, second = placed_order(retailer), placed_order(retailer)
    api.post(f"/v1/orders/{first['id']}/cancel", {"reason": "changed her mind"}, expect=200)

    changed = all_pages(api, 1, updated_since=first["placed_at"], channel=retailer.channel)

    assert changed == [second["external_ref"], first["external_ref"]]


def test_a_store_sees_only_orders_that_touch_it(service, retailer):
    here = placed_order(retailer, location=retailer.store)
    there = placed_order(retailer, location=retailer.other_store)
    store = service.client(scope="orders:read", locations=[retailer.store])

    found = all_pages(store, 50, channel=retailer.channel)

    assert here["external_ref"] in found and there["external_ref"] not in found


def test_a_cursor_of_other_filters_is_refused(api, retailer):
    for _ in range(2):
        placed_order(retailer)
    cursor = api.get("/v1/orders", params={"limit": 1, "channel": retailer.channel}).json()["next_cursor"]

    refused = api.get("/v1/orders", params={"limit": 1, "cursor": cursor}, expect=400)

    assert refused.json()["code"] == "invalid-cursor"


def test_the_timeline_tells_a_life_in_order(api, retailer):
    order = placed_order(retailer)
    api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed her mind"}, expect=200)

    events = api.get(f"/v1/orders/{order['id']}/timeline").json()["data"]

    assert [event["type"] for event in events] == [
        "order.created",
        "fulfillment.allocated",
        "fulfillment.cancelled",
        "order.units_cancelled",
        "payment.voided",
        "order.cancelled",
    ]
    assert events[-1]["data"]["reason"] == "changed her mind"
