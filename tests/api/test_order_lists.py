"""GET /v1/orders and the timeline."""

import itertools
from uuid import uuid4

import pytest

from support.shelf import Shelf
from support.waiting import eventually


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


@pytest.mark.parametrize("part", ["RISS", "IRISSA QU", "essa@exam", "30 98", "REF"])
def test_each_searchable_part_of_an_order_finds_it(api, retailer, database, part):
    """Before the sweeper has come to it, and afterwards."""
    order = placed_order(retailer, external_ref=f"ref-{uuid4()}", customer={
        "name": "Kirissa Quux", "email": "Vanessa@example.com", "phone": "+49 30 98765"})
    words = order["external_ref"][4:20].upper() if part == "REF" else part

    def found():
        return references(api.get("/v1/orders", params={"q": words, "channel": retailer.channel}))

    assert found() == [order["external_ref"]]
    eventually(lambda: is_searchable(database, order), what="the sweeper has come to it")
    assert found() == [order["external_ref"]]


def test_an_order_is_found_by_its_number_in_any_spelling(api, retailer, database):
    order, another = placed_order(retailer, customer={"name": "Numa Number"}), placed_order(retailer)
    number = order["order_number"]
    spellings = [number, number.lower(), number.replace("-", ""), number.replace("-", " "), number.replace("-", "").lower()]

    def found(**params):
        return references(api.get("/v1/orders", params={**params, "channel": retailer.channel}))

    def assert_found():
        for spelling in spellings:
            assert found(q=spelling) == [order["external_ref"]], spelling
            assert found(q=spelling, updated_since=order["placed_at"]) == [order["external_ref"]], spelling
            assert found(q=spelling, status="cancelled") == [], spelling
            assert found(q=spelling, external_ref=order["external_ref"]) == [order["external_ref"]], spelling
            assert found(q=spelling, external_ref=another["external_ref"]) == [], spelling
            assert found(order_number=spelling) == [order["external_ref"]], spelling

    assert_found()
    eventually(lambda: is_searchable(database, order), what="the sweeper has come to it")
    assert_found()


@pytest.mark.parametrize("stored, spellings", [
    ("+49 30 987 65-{n}", ["+493098765{n}", "0049 30 98765 {n}", "+49 (0)30 98765{n}"]),
    ("0049/30/98765{n}", ["+49 30 98765{n}", "004930 98765{n}", "0049 (0) 30-98765{n}"]),
    ("030 98765{n}", ["03098765{n}", "(030) 987 65 {n}", "+49 30 98765{n}", "0049 30 98765{n}", "+49 (0)30 98765{n}"]),
    ("+49 (0)30 98765{n}", ["+493098765{n}", "0049-30-98765{n}", "+49 (0) 30 98765 {n}"])])
def test_an_order_is_found_by_its_phone_in_other_spellings(api, retailer, stored, spellings):
    n = uuid4().int % 10**6
    order = placed_order(retailer, customer={"name": "Fona", "phone": stored.format(n=n)})
    placed_order(retailer, customer={"name": "Fona", "phone": stored.format(n=n + 10**6)})

    for spelling in spellings:
        words = spelling.format(n=n)
        for more in ({}, {"updated_since": order["placed_at"]}, {"status": "open"}, {"external_ref": order["external_ref"]}):
            params = {"q": words, "channel": retailer.channel, **more}
            assert references(api.get("/v1/orders", params=params)) == [order["external_ref"]], params
            params["phone"] = params.pop("q")
            assert references(api.get("/v1/orders", params=params)) == [order["external_ref"]], params
        for name in ("q", "phone"):
            assert references(api.get("/v1/orders", params={name: words, "status": "cancelled"})) == []


def test_the_orders_of_one_phone_come_page_by_page(api, retailer):
    phone = f"+49 30 {uuid4().int % 10**9}"
    placed = [placed_order(retailer, customer={"name": "Fona", "phone": phone})["external_ref"] for _ in range(5)]

    assert all_pages(api, 2, q=phone.replace("+", "00").replace(" ", "-"), channel=retailer.channel) == placed[::-1]
    placed += [placed_order(retailer, customer={"name": "Fona", "phone": phone.replace(" 30", one)})["external_ref"] for one in (" (0)30", "30")]
    assert all_pages(api, 2, phone=phone.replace("+", "00"), channel=retailer.channel) == placed[::-1]


def is_searchable(database, order):
    return database.value("select count(*) from order_search where order_id = %s", order["id"]) == 1


@pytest.mark.parametrize("words", ["a", "ab", "...", "a-b", "%__", "ü%ü"])
def test_words_that_make_no_trigram_are_refused(api, words):
    refused = api.get("/v1/orders", params={"q": words}, expect=400).json()

    assert refused["code"] == "invalid-parameter"


def test_a_changed_customer_is_found_by_the_new_name_alone(api, retailer, database):
    order = placed_order(retailer, customer={"name": "Bertram Before"})
    eventually(lambda: is_searchable(database, order), what="the sweeper has come to it")
    api.post(f"/v1/orders/{order['id']}/change", {"customer": {"name": "Alwine After"}, "reason": "wed"}, expect=200)

    def found(words):
        return references(api.get("/v1/orders", params={"q": words, "channel": retailer.channel}))

    assert found("alwine") == [order["external_ref"]] and found("bertram") == []
    eventually(lambda: database.value("select words from order_search where order_id = %s", order["id"]).startswith("alwine"),
               what="the sweeper has come to it again")
    assert found("alwine") == [order["external_ref"]] and found("bertram") == []


def test_a_search_goes_on_page_by_page(api, retailer, database):
    """Some that the sweeper has come to and some that it has not, and others between them."""
    placed = []
    for n in range(5):
        placed.append(placed_order(retailer, customer={"name": f"Wanda Walker {n}"}))
        placed_order(retailer, customer={"name": "Somebody Else"}, location=retailer.other_store)
    eventually(lambda: is_searchable(database, placed[-1]), what="the sweeper has come to the last")
    placed += [placed_order(retailer, customer={"name": f"Wanda Walker {n}"}) for n in range(2)]
    expected = [order["external_ref"] for order in placed][::-1]

    assert all_pages(api, 2, q="wanda walk", channel=retailer.channel) == expected
    assert all_pages(api, 3, q="wanda walk", channel=retailer.channel, status="open,cancelled") == expected
    assert all_pages(api, 3, q="wanda walk", channel=retailer.channel, updated_since=placed[0]["placed_at"]) == expected[::-1]
    assert all_pages(api, 3, q="wanda walk", channel=retailer.channel, status="cancelled") == []


def test_every_pair_of_filters_finds_the_orders_that_both_find(api, service, retailer):
    """A filter leads to the orders in one way, and filters another's in another; both agree."""
    orders = [placed_order(retailer, location=[retailer.store, retailer.other_store][n % 2],
                           customer={"name": f"Xaver {'Odd' if n % 2 else 'Even'}", "email": f"x{n % 3}@example.com", "phone": f"+4930{n % 2}77"})
              for n in range(8)]
    for order in orders[:3]:
        api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed her mind"}, expect=200)
    filters = {"status": "cancelled", "q": "xaver odd", "email": "X1@example.com", "phone": "0049 30 177",
               "order_number": orders[1]["order_number"], "external_ref": orders[1]["external_ref"], "updated_since": orders[2]["placed_at"]}
    clients = [api, service.client(scope="orders:read", locations=[retailer.store]),
               service.client(scope="orders:read", locations=[retailer.other_store, retailer.store])]

    for client in clients:
        def found(**params):
            return set(all_pages(client, 3, channel=retailer.channel, **params))

        alone = {name: found(**{name: value}) for name, value in filters.items()}
        assert alone["q"] | alone["status"] <= found() and len(alone["status"]) in (2, 3)
        for (a, b) in itertools.combinations(filters, 2):
            assert found(**{a: filters[a], b: filters[b]}) == alone[a] & alone[b], (a, b)


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


@pytest.mark.parametrize("words", [None, "yolanda yarn"])
def test_a_store_lists_orders_in_order_whether_they_changed_or_not(api, service, retailer, words):
    placed = [placed_order(retailer, location=retailer.store, customer={"name": f"Yolanda Yarn {n}"}) for n in range(7)]
    for order in placed[::2]:
        api.post(f"/v1/orders/{order['id']}/change", {"customer": {"name": "Yolanda Yarn"}, "reason": "wed"}, expect=200)
    store = service.client(scope="orders:read", locations=[retailer.store])
    asked = {"channel": retailer.channel, **({"q": words} if words else {})}

    assert all_pages(store, 2, **asked) == [order["external_ref"] for order in placed[::-1]]
    assert all_pages(store, 2, updated_since=placed[0]["placed_at"], **asked) == [
        order["external_ref"] for order in placed[1::2] + placed[::2]]
    assert all_pages(store, 2, updated_since=placed[2]["placed_at"], **asked) == [
        order["external_ref"] for order in placed[3::2] + placed[::2]]


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
