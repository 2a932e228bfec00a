"""Channels, locations, products and listings over HTTP."""

import base64
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.database import Database

BERLIN = {"latitude": 52.52, "longitude": 13.405}
STORE = {"name": "Mitte", "kind": "store", "time_zone": "Europe/Berlin", "country": "DE"}
KETTLE = {"title": "Kettle"}
WEB = {"name": "Web shop", "kind": "web"}

GTIN = "6291041500213"  # GTIN-13; its check digit is 3


@pytest.fixture
def tag():
    """Codes nobody else has."""
    return uuid.uuid4().hex[:12]


@pytest.fixture
def channel(api, tag):
    code = f"web-{tag}"
    api.put(f"/v1/channels/{code}", WEB, expect=201)
    return code


@pytest.fixture
def sku(api, tag):
    code = f"SKU-{tag}"
    api.put(f"/v1/products/{code}", KETTLE, expect=201)
    return code


def faults(reply, status=422, code="validation-failed"):
    """{pointer: code} of a refusal."""
    assert reply.status_code == status, reply.text
    assert reply.json()["code"] == code
    return {fault["pointer"]: fault["code"] for fault in reply.json().get("errors", [])}


def pages(api, path, limit, **params):
    """Every page of a list, by its cursors."""
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = api.get(path, params={"limit": limit, **params, **more}, expect=200).json()
        yield page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


# ---- every kind: made, read, replaced ----

def cases(tag):
    """(path, first body, second body) of each kind; parents are made by the caller."""
    return [
        (f"/v1/channels/c-{tag}", WEB, {"name": "App", "kind": "app"}),
        (f"/v1/locations/l-{tag}", STORE, {**STORE, "name": "Spandau"}),
        (f"/v1/products/p-{tag}", KETTLE, {"title": "Kettle, red"}),
        (f"/v1/channels/c-{tag}/listings/p-{tag}", {}, {"title": "The kettle"}),
    ]


def test_a_put_creates_then_replaces(api, tag):
    for path, first, second in cases(tag):
        made = api.put(path, first, expect=201)
        assert made.headers["ETag"] == '"1"' and made.json()["version"] == 1
        replaced = api.put(path, second, expect=200)
        assert replaced.headers["ETag"] == '"2"'
        assert {**replaced.json(), **second} == replaced.json()
        shown = api.get(path, expect=200)
        assert shown.json() == replaced.json() and shown.headers["ETag"] == '"2"'
        assert shown.json()["created_at"] == made.json()["created_at"]


def test_a_put_of_the_same_document_changes_nothing(api, tag):
    for path, first, _ in cases(tag):
        made = api.put(path, first, expect=201).json()
        assert api.put(path, first, expect=200).json() == made
        assert api.get(path, expect=200).json() == made


def test_a_put_that_names_an_old_version_is_refused_with_the_current_one(api, tag):
    for path, first, second in cases(tag):
        api.put(path, first, expect=201)
        api.put(path, second, headers={"If-Match": '"1"'}, expect=200)
        refused = api.put(path, first, headers={"If-Match": '"1"'}, expect=412)
        assert refused.headers["ETag"] == '"2"' and refused.json()["code"] == "precondition-failed"
        assert api.get(path, expect=200).json()["version"] == 2


def test_a_put_with_if_match_never_creates(api, tag, channel, sku):
    for path, body in ((f"/v1/channels/no-{tag}", WEB), (f"/v1/locations/no-{tag}", STORE),
                       (f"/v1/products/no-{tag}", KETTLE), (f"/v1/channels/{channel}/listings/{sku}", {})):
        for tag_named in ('"1"', "*"):
            assert api.put(path, body, headers={"If-Match": tag_named}, expect=412).headers.get("ETag") is None
        api.get(path, expect=404)


def test_a_put_with_if_none_match_never_replaces(api, tag):
    for path, first, second in cases(tag):
        api.put(path, first, headers={"If-None-Match": "*"}, expect=201)
        refused = api.put(path, second, headers={"If-None-Match": "*"}, expect=412)
        assert refused.headers["ETag"] == '"1"'


def test_a_get_answers_304_to_the_current_etag(api, tag):
    for path, first, _ in cases(tag):
        etag = api.put(path, first, expect=201).headers["ETag"]
        assert api.get(path, headers={"If-None-Match": etag}, expect=304).content == b""
        api.get(path, headers={"If-None-Match": '"77"'}, expect=200)


def test_an_unknown_document_is_not_found(api, tag, channel, sku):
    for path in (f"/v1/channels/{tag}", f"/v1/locations/{tag}", f"/v1/products/{tag}", f"/v1/channels/{tag}/listings",
                 f"/v1/channels/{channel}/listings/{sku}", f"/v1/channels/{tag}/listings/{sku}"):
        assert api.get(path, expect=404).json()["code"] == "not-found"


def test_a_code_in_a_path_must_be_one(api):
    for path in ("/v1/channels/a%20b", "/v1/locations/-a", "/v1/products/" + "x" * 65, "/v1/channels/ok/listings/%C3%A9"):
        assert api.get(path, expect=400).json()["code"] == "invalid-parameter"


def test_many_puts_of_one_new_record_make_it_once(api, tag):
    path = f"/v1/products/p-{tag}"
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda n: api.put(path, {"title": f"Kettle {n}"}, expect={200, 201}), range(40)))
    assert [reply.status_code for reply in replies].count(201) == 1
    assert sorted(reply.json()["version"] for reply in replies) == list(range(1, 41))
    assert api.get(path, expect=200).json()["version"] == 40


def test_of_many_puts_with_one_version_one_wins(api, sku):
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda n: api.put(f"/v1/products/{sku}", {"title": f"Kettle {n}"},
                                                  headers={"If-Match": '"1"'}, expect={200, 412}), range(20)))
    assert [reply.status_code for reply in replies].count(200) == 1


# ---- bodies ----

LONG = "x" * 201
BAD_BODIES = [
    ("channels", {}, {"#/kind": "required", "#/name": "required"}),
    ("channels", {**WEB, "kind": "fax"}, {"#/kind": "not-allowed"}),
    ("channels", {**WEB, "name": ""}, {"#/name": "too-short"}),
    ("channels", {**WEB, "name": LONG}, {"#/name": "too-long"}),
    ("channels", {**WEB, "name": 5}, {"#/name": "wrong-type"}),
    ("channels", {**WEB, "colour": "red"}, {"#/colour": "unknown-member"}),
    ("channels", {**WEB, "name": "a\0b"}, {"#/name": "nul-not-allowed"}),
    ("locations", {}, {"#/country": "required", "#/kind": "required", "#/name": "required", "#/time_zone": "required"}),
    ("locations", {**STORE, "time_zone": "Europe/Atlantis"}, {"#/time_zone": "unknown-time-zone"}),
    ("locations", {**STORE, "time_zone": "posix/Europe/Berlin"}, {"#/time_zone": "unknown-time-zone"}),
    ("locations", {**STORE, "time_zone": "europe/berlin"}, {"#/time_zone": "unknown-time-zone"}),
    ("locations", {**STORE, "time_zone": "'; drop table x"}, {"#/time_zone": "unknown-time-zone"}),
    ("locations", {**STORE, "country": "XX"}, {"#/country": "malformed"}),
    ("locations", {**STORE, "country": "de"}, {"#/country": "malformed"}),
    ("locations", {**STORE, "latitude": 1}, {"#/longitude": "required"}),
    ("locations", {**STORE, "longitude": 1}, {"#/latitude": "required"}),
    ("locations", {**STORE, "latitude": 90.1, "longitude": 180.1},
     {"#/latitude": "out-of-range", "#/longitude": "out-of-range"}),
    ("locations", {**STORE, "latitude": "1", "longitude": 1}, {"#/latitude": "wrong-type"}),
    ("locations", {**STORE, "capabilities": ["pickup", "ship", "pickup"]}, {"#/capabilities/2": "repeated"}),
    ("locations", {**STORE, "capabilities": ["teleport"]}, {"#/capabilities/0": "not-allowed"}),
    ("locations", {**STORE, "opening_hours": [{"day": "someday", "opens": "09:00", "closes": "18:00"}]},
     {"#/opening_hours/0/day": "not-allowed"}),
    ("locations", {**STORE, "opening_hours": [{"day": "mon", "opens": "24:00", "closes": "25:00"}]},
     {"#/opening_hours/0/opens": "malformed", "#/opening_hours/0/closes": "malformed"}),
    ("locations", {**STORE, "opening_hours": [{"day": "mon", "opens": "09:00", "closes": "13:00"},
                                              {"day": "mon", "opens": "12:00", "closes": "18:00"}]},
     {"#/opening_hours/1": "overlap"}),
    ("locations", {**STORE, "opening_hours": [{"day": "mon", "opens": "09:00", "closes": "10:00"}] * 51},
     {"#/opening_hours": "too-many"}),
    ("locations", {**STORE, "closures": [{"date": "2026-02-29"}]}, {"#/closures/0/date": "malformed"}),
    ("locations", {**STORE, "closures": [{"date": "2026-12-24", "opens": "09:00"}]}, {"#/closures/0/closes": "required"}),
    ("locations", {**STORE, "closures": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]}, {"#/closures/1": "overlap"}),
    ("locations", {**STORE, "pickup": {"lead_time": "P31D", "hold_for": "PT59M"}},
     {"#/pickup/lead_time": "out-of-range", "#/pickup/hold_for": "out-of-range"}),
    ("locations", {**STORE, "pickup": {"handover_methods": []}}, {"#/pickup/handover_methods": "too-few"}),
    ("locations", {**STORE, "pickup": {"handover_methods": ["none"]}}, {"#/pickup/handover_methods/0": "not-allowed"}),
    ("locations", {**STORE, "pickup": {"handover_methods": ["code", "code"]}},
     {"#/pickup/handover_methods/1": "repeated"}),
    ("locations", {**STORE, "pickup": {"lead_time": "2 hours"}}, {"#/pickup/lead_time": "malformed"}),
    ("locations", {**STORE, "pickup": {"cut_off": "24:00"}}, {"#/pickup/cut_off": "malformed"}),
    ("locations", {**STORE, "pickup": {"cut_off": "4 pm"}}, {"#/pickup/cut_off": "malformed"}),
    ("locations", {**STORE, "pickup": {"cut_offs": {"fri": "24:00"}}}, {"#/pickup/cut_offs/fri": "malformed"}),
    ("locations", {**STORE, "pickup": {"cut_offs": {"friday": "14:00"}}}, {"#/pickup/cut_offs/friday": "unknown-member"}),
    ("products", {}, {"#/title": "required"}),
    ("products", {"title": "x" * 301}, {"#/title": "too-long"}),
    ("products", {**KETTLE, "gtin": "6291041500214"}, {"#/gtin": "check-digit"}),
    ("products", {**KETTLE, "gtin": "629104150021"}, {"#/gtin": "check-digit"}),
    ("products", {**KETTLE, "gtin": "62910416"}, {"#/gtin": "check-digit"}),
    ("products", {**KETTLE, "gtin": "629104150"}, {"#/gtin": "malformed"}),
    ("products", {**KETTLE, "gtin": "629104150021X"}, {"#/gtin": "malformed"}),
    ("products", {**KETTLE, "gtin": ""}, {"#/gtin": "malformed"}),
    ("products", {**KETTLE, "gtin": "https://id.example/01/09521234543214"}, {"#/gtin": "check-digit"}),
    ("products", {**KETTLE, "price": {"amount": 1, "currency": "XXX"}}, {"#/price/currency": "malformed"}),
    ("products", {**KETTLE, "price": {"amount": -1, "currency": "EUR"}}, {"#/price/amount": "out-of-range"}),
    ("products", {**KETTLE, "price": {"amount": 2**53, "currency": "EUR"}}, {"#/price/amount": "out-of-range"}),
    ("products", {**KETTLE, "price": {"amount": 2**63, "currency": "EUR"}}, {"#/price/amount": "out-of-range"}),
    ("products", {**KETTLE, "price": {"amount": 1.5, "currency": "EUR"}}, {"#/price/amount": "wrong-type"}),
    ("products", {**KETTLE, "price": {"amount": 1, "currency": "JPY", "exponent": 2}}, {"#/price/exponent": "not-allowed"}),
    ("products", {**KETTLE, "price": {"amount": 1}}, {"#/price/currency": "required"}),
    ("products", {**KETTLE, "image_url": "ftp://example.com/a.png"}, {"#/image_url": "malformed"}),
    ("products", {**KETTLE, "image_url": "https:///a.png"}, {"#/image_url": "malformed"}),
    ("products", {**KETTLE, "image_url": "https://example.com/a b"}, {"#/image_url": "malformed"}),
    ("products", {**KETTLE, "image_url": "https://example.com/" + "a" * 2029}, {"#/image_url": "too-long"}),
    ("products", {**KETTLE, "description": "x" * 10001}, {"#/description": "too-long"}),
    ("products", {**KETTLE, "attributes": []}, {"#/attributes": "wrong-type"}),
    ("products", {**KETTLE, "attributes": {"a": "x" * (16 * 1024)}}, {"#/attributes": "too-long"}),
    ("products", {**KETTLE, "attributes": {"a": [1e308] * 2000}}, {"#/attributes": "too-long"}),
    ("products", {**KETTLE, "attributes": {"a": [1, 2**63]}}, {"#/attributes/a/1": "out-of-range"}),
    ("products", {**KETTLE, "attributes": {"a": {"b": "\0"}}}, {"#/attributes/a/b": "nul-not-allowed"}),
    ("products", {**KETTLE, "returnable": "yes"}, {"#/returnable": "wrong-type"}),
]


def test_a_put_without_a_body_wipes_nothing(api, channel, sku):
    path = f"/v1/channels/{channel}/listings/{sku}"
    made = api.put(path, {"title": "The kettle", "published": False}, expect=201).json()
    for options in {}, {"content": b""}:
        assert api.put(path, **options, expect=400).json()["code"] == "malformed-json"
    assert api.get(path, expect=200).json() == made


@pytest.mark.parametrize("kind, body, expected", BAD_BODIES)
def test_a_body_that_breaks_a_rule_is_refused_by_name_and_changes_nothing(api, tag, kind, body, expected):
    path = f"/v1/{kind}/bad-{tag}"
    assert faults(api.put(path, body)) == expected
    api.get(path, expect=404)


def test_a_listing_that_breaks_a_rule_is_refused(api, channel, sku):
    path = f"/v1/channels/{channel}/listings/{sku}"
    body = {"title": "", "price": {"amount": -1, "currency": "EUR"}, "external_sku": "x" * 101, "published": 1, "sku": sku}
    assert faults(api.put(path, body)) == {
        "#/title": "too-short", "#/price/amount": "out-of-range", "#/external_sku": "too-long",
        "#/published": "wrong-type", "#/sku": "unknown-member"}
    api.get(path, expect=404)


@pytest.mark.parametrize("content", [
    b'{"title":"\\ud800"}', b'{"title":"\xff"}', b'{"title":"a","title":"b"}', b'{"title":', b"", b"[" * 40,
    b'{"title":"a","attributes":' + b'{"a":' * 32 + b"1" + b"}" * 33,
])
def test_a_body_that_is_not_json_is_refused(api, tag, content):
    reply = api.put(f"/v1/products/{tag}", content=content, expect=400)
    assert reply.json()["code"] == "malformed-json"
    api.get(f"/v1/products/{tag}", expect=404)


def test_length_counts_code_points(api, tag):
    title = "\N{BICYCLE}" * 300
    assert api.put(f"/v1/products/{tag}", {"title": title}, expect=201).json()["title"] == title


def test_a_gtin_is_stored_with_fourteen_digits(api, tag):
    for gtin in ("96385074", "614141000036", GTIN, "10614141000415"):
        made = api.put(f"/v1/products/p-{gtin}-{tag}", {**KETTLE, "gtin": gtin}, expect=201).json()
        assert made["gtin"] == gtin.zfill(14)


def test_a_product_answers_the_values_of_the_put(api, tag):
    body = {"title": "Kettle", "gtin": GTIN, "price": {"amount": 1999, "currency": "EUR"}, "description": "Boils.",
            "image_url": "https://img.example.com/kettle.png?w=1", "returnable": False,
            "attributes": {"litres": 1.7, "colours": ["red", None], "n": 9007199254740993, "ok": True}}
    made = api.put(f"/v1/products/{tag}", body, expect=201).json()
    assert {name: made[name] for name in body} == {**body, "gtin": GTIN.zfill(14)}
    least = api.put(f"/v1/products/{tag}", KETTLE, expect=200).json()
    assert (least["gtin"], least["price"], least["returnable"], least["attributes"]) == (None, None, True, {})


def test_attributes_written_another_way_are_the_same_attributes(api, tag):
    path = f"/v1/products/{tag}"
    api.put(path, content=b'{"title":"Kettle","attributes":{"b":1e2,"a":{"y":1,"x":2}}}', expect=201)
    again = api.put(path, content=b'{"attributes":{ "a":{"x":2,"y":1}, "b":100.0 },"title":"Kettle"}', expect=200)
    assert again.json()["version"] == 1
    assert api.put(path, {**KETTLE, "attributes": {"b": 100}}, expect=200).json()["version"] == 2


def test_a_location_answers_the_values_of_the_put_and_the_defaults(api, tag):
    body = {**STORE, **BERLIN, "capabilities": ["ship", "pickup"], "pickup": {"lead_time": "PT30M"},
            "opening_hours": [{"day": "tue", "opens": "20:00", "closes": "02:00"},
                              {"day": "mon", "opens": "09:00", "closes": "24:00"}],
            "closures": [{"date": "2026-12-25"}, {"date": "2026-12-24", "opens": "09:00", "closes": "13:00"}]}
    made = api.put(f"/v1/locations/{tag}", body, expect=201).json()
    assert made["opening_hours"] == body["opening_hours"][::-1] and made["closures"] == body["closures"][::-1]
    assert sorted(made["capabilities"]) == ["pickup", "ship"]
    assert made["pickup"] == {"lead_time": "PT30M", "hold_for": "P7D", "handover_methods": ["code", "id_check"]}
    assert (made["latitude"], made["longitude"]) == (52.52, 13.405)
    least = api.put(f"/v1/locations/{tag}", {**STORE, "kind": "warehouse"}, expect=200).json()
    assert (least["latitude"], least["opening_hours"], least["closures"], least["capabilities"]) == (None, [], [], [])
    assert least["pickup"] == {"lead_time": "PT2H", "hold_for": "P7D", "handover_methods": ["code", "id_check"]}
    strict = api.put(f"/v1/locations/{tag}", {**STORE, "pickup": {"handover_methods": ["id_check"]}}, expect=200).json()
    assert strict["pickup"]["handover_methods"] == ["id_check"]
    assert api.get(f"/v1/locations/{tag}", expect=200).json() == strict


def test_cut_offs_of_weekdays_are_kept_until_they_are_left_out(api, tag):
    path = f"/v1/locations/{tag}"
    of_days = {"fri": "14:00", "mon": "00:00"}
    made = api.put(path, {**STORE, "pickup": {"cut_off": "16:00", "cut_offs": of_days}}, expect=201).json()
    assert made["pickup"]["cut_offs"] == of_days and made["pickup"]["cut_off"] == "16:00"
    assert api.get(path, expect=200).json()["pickup"] == made["pickup"]
    assert api.put(path, {**STORE, "pickup": {"cut_off": "16:00", "cut_offs": {**of_days, "sun": None}}}, expect=200).json()["version"] == 1
    moved = api.put(path, {**STORE, "pickup": {"cut_off": "16:00", "cut_offs": {"fri": "15:00"}}}, expect=200).json()
    assert (moved["pickup"]["cut_offs"], moved["version"]) == ({"fri": "15:00"}, 2)
    assert "cut_offs" not in api.put(path, {**STORE, "pickup": {"cut_offs": {}}}, expect=200).json()["pickup"]


def test_a_cut_off_is_kept_until_it_is_left_out(api, tag):
    path = f"/v1/locations/{tag}"
    made = api.put(path, {**STORE, "pickup": {"cut_off": "16:00"}}, expect=201).json()
    assert made["pickup"] == {
        "lead_time": "PT2H", "hold_for": "P7D", "cut_off": "16:00", "handover_methods": ["code", "id_check"]}
    assert api.get(path, expect=200).json()["pickup"]["cut_off"] == "16:00"
    assert api.put(path, {**STORE, "pickup": {"cut_off": "16:00"}}, expect=200).json()["version"] == 1
    again = api.put(path, {**STORE, "pickup": {"cut_off": None}}, expect=200).json()
    assert "cut_off" not in again["pickup"] and again["version"] == 2


def test_a_location_may_move_to_another_zone_and_back(api, tag):
    for zone in ("Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Europe/Berlin"):
        assert api.put(f"/v1/locations/{tag}", {**STORE, "time_zone": zone}, expect={200, 201}).json()["time_zone"] == zone


def test_a_listing_needs_its_channel_and_its_product(api, tag, channel, sku):
    assert "channel" in api.put(f"/v1/channels/{tag}/listings/{sku}", {}, expect=404).json()["detail"]
    assert "product" in api.put(f"/v1/channels/{channel}/listings/{tag}", {}, expect=404).json()["detail"]


def test_a_listing_answers_the_values_of_its_channel(api, channel, sku):
    body = {"title": "Kettle, special", "price": {"amount": 0, "currency": "EUR"}, "external_sku": "EXT-1",
            "published": False}
    made = api.put(f"/v1/channels/{channel}/listings/{sku}", body, expect=201).json()
    assert {name: made[name] for name in body} == body and (made["channel"], made["sku"]) == (channel, sku)
    least = api.put(f"/v1/channels/{channel}/listings/{sku}", {}, expect=200).json()
    assert (least["title"], least["price"], least["external_sku"], least["published"]) == (None, None, None, True)


# ---- permissions ----

def test_scopes_are_asked_for(service, tag, channel, sku):
    reader, writer = service.client(scope="catalog:read"), service.client(scope="catalog:write")
    for path, body in ((f"/v1/channels/{channel}", WEB), (f"/v1/locations/{tag}", STORE), (f"/v1/products/{sku}", KETTLE),
                       (f"/v1/channels/{channel}/listings/{sku}", {})):
        assert reader.put(path, body, expect=403).json()["code"] == "insufficient-scope"
        assert writer.get(path, expect=403).json()["code"] == "insufficient-scope"
        service.client(token=None).get(path, expect=401)
    for path in ("/v1/channels", "/v1/locations", "/v1/products", f"/v1/channels/{channel}/listings"):
        writer.get(path, expect=403)
        reader.get(path, expect=200)


def test_a_token_with_locations_writes_and_reads_only_these(service, api, tag):
    mine, other, new = f"mine-{tag}", f"other-{tag}", f"new-{tag}"
    for code in (mine, other):
        api.put(f"/v1/locations/{code}", STORE, expect=201)
    bound = service.client(locations=[mine, new])
    bound.put(f"/v1/locations/{mine}", {**STORE, "name": "Here"}, expect=200)
    bound.put(f"/v1/locations/{new}", STORE, expect=201)
    assert bound.put(f"/v1/locations/{other}", STORE, expect=403).json()["code"] == "store-not-allowed"
    assert bound.get(f"/v1/locations/{other}", expect=403).json()["code"] == "store-not-allowed"
    assert [row["code"] for row in bound.get("/v1/locations", expect=200).json()["data"]] == [mine, new]
    assert service.client(locations=[]).get("/v1/locations", expect=200).json() == {"data": [], "next_cursor": None}


def test_a_token_of_a_channel_knows_no_other(service, api, tag, channel, sku):
    other = f"other-{tag}"
    api.put(f"/v1/channels/{other}", WEB, expect=201)
    api.put(f"/v1/channels/{other}/listings/{sku}", {}, expect=201)
    bound = service.client(channel=channel)
    bound.put(f"/v1/channels/{channel}/listings/{sku}", {}, expect=201)
    for path, body in ((f"/v1/channels/{other}", WEB), (f"/v1/channels/{other}/listings/{sku}", {})):
        assert bound.put(path, body, expect=403).json()["code"] == "channel-not-allowed"
        bound.get(path, expect=404)
    bound.get(f"/v1/channels/{other}/listings", expect=404)
    assert [row["code"] for row in bound.get("/v1/channels", expect=200).json()["data"]] == [channel]


# ---- lists ----

def test_a_list_comes_in_pages_without_gap_or_repeat(api, tag):
    made = [f"{tag}-{n:02}" for n in range(7)]
    for code in reversed(made):
        api.put(f"/v1/products/{code}", {"title": f"Thing {tag}"}, expect=201)
    found = list(pages(api, "/v1/products", 3, q=tag))
    assert [len(page) for page in found] == [3, 3, 1]
    assert [row["sku"] for page in found for row in page] == made
    assert [len(page) for page in pages(api, "/v1/products", 7, q=tag)] == [7]
    assert found[0][0] == api.get(f"/v1/products/{made[0]}", expect=200).json()


def test_rows_that_come_meanwhile_neither_repeat_nor_hide_others(api, tag):
    for n in range(0, 10, 2):
        api.put(f"/v1/products/{tag}-{n}", KETTLE, expect=201)
    seen = []
    for page in pages(api, "/v1/products", 2, q=tag):
        seen += [row["sku"] for row in page]
        for n in (1, 3, 5):
            api.put(f"/v1/products/{tag}-{n}", KETTLE, expect={200, 201})
    assert seen == [f"{tag}-{n}" for n in (0, 2, 3, 4, 5, 6, 8)]


def test_the_link_header_leads_through_the_list(api, tag):
    for n in range(5):
        api.put(f"/v1/locations/{tag}-{n}", STORE, expect=201)
    path, seen = f"/v1/locations?kind=store&limit=2&q={tag}", []
    while path:
        reply = api.get(path, expect=200)
        seen += [row["code"] for row in reply.json()["data"]]
        link = reply.headers.get("Link")
        assert (link is None) == (reply.json()["next_cursor"] is None)
        path = link and link.removeprefix("<").removesuffix('>; rel="next"')
    assert seen == [f"{tag}-{n}" for n in range(5)]


def test_channels_and_listings_are_listed(api, tag, channel):
    skus = [f"{tag}-{n}" for n in range(3)]
    for code in skus:
        api.put(f"/v1/products/{code}", KETTLE, expect=201)
        api.put(f"/v1/channels/{channel}/listings/{code}", {}, expect=201)
    found = [row for page in pages(api, f"/v1/channels/{channel}/listings", 2) for row in page]
    assert [row["sku"] for row in found] == skus
    assert found[0] == api.get(f"/v1/channels/{channel}/listings/{skus[0]}", expect=200).json()
    codes = [row["code"] for page in pages(api, "/v1/channels", 200) for row in page]
    assert channel in codes and codes == sorted(codes)


def test_an_empty_list_is_a_page(api, channel):
    assert api.get(f"/v1/channels/{channel}/listings", expect=200).json() == {"data": [], "next_cursor": None}


def test_products_are_found_by_words_by_sku_and_by_gtin(api, tag):
    red, blue = f"red-{tag}", f"blue-{tag}"
    api.put(f"/v1/products/{red}", {"title": f"Rain Jacket {tag}, l'été's \\ red", "gtin": GTIN}, expect=201)
    api.put(f"/v1/products/{blue}", {"title": f"Rain trousers {tag}"}, expect=201)

    def found(**params):
        return [row["sku"] for page in pages(api, "/v1/products", 200, **params) for row in page
                if row["sku"] in (red, blue)]

    assert found(q=f"rain {tag}") == [blue, red]
    assert found(q=f"JACK {tag}") == [red]
    assert found(q=f"jacket trousers {tag}") == []
    assert found(q=f"l'été's {tag}") == [red]
    assert found(q=red[:-2]) == [red]
    assert found(q="!?") == []
    assert found(q=f"' | !rain:* <-> & {tag} \\") == [blue, red]
    assert found(gtin=GTIN) == found(gtin=GTIN.zfill(14)) == [red]
    assert found(gtin=GTIN, q="trousers") == []


def test_locations_are_found_by_kind_capability_and_name(api, tag):
    api.put(f"/v1/locations/a-{tag}", {**STORE, "name": f"Mitte 100% {tag}", "capabilities": ["pickup"]}, expect=201)
    api.put(f"/v1/locations/b-{tag}", {**STORE, "name": f"Lager {tag}", "kind": "warehouse", "capabilities": ["ship"]},
            expect=201)

    def found(**params):
        return [row["code"] for page in pages(api, "/v1/locations", 200, **{"q": tag, **params}) for row in page]

    assert found() == [f"a-{tag}", f"b-{tag}"]
    assert found(kind="warehouse") == found(capability="ship") == found(q=f"LAGER {tag}") == found(q=f"b-{tag}")
    assert found(q=f"% {tag}") == [f"a-{tag}"] and found(kind="warehouse", capability="pickup") == []


def test_a_page_grows_no_larger_than_a_reply_may(api, tag):
    body = {"title": f"Thing {tag}", "description": "\N{BICYCLE}" * 10000, "attributes": {"a": "\N{BICYCLE}" * 4000}}
    made = [f"{tag}-{n:03}" for n in range(60)]
    for code in made:
        api.put(f"/v1/products/{code}", body, expect=201)
    found = list(pages(api, "/v1/products", 200, q=tag))
    assert len(found) > 1 and [row["sku"] for page in found for row in page] == made


@pytest.mark.parametrize("path, code", [
    ("/v1/products?limit=0", "invalid-parameter"), ("/v1/products?limit=201", "invalid-parameter"),
    ("/v1/products?limit=x", "invalid-parameter"), ("/v1/products?limit=9223372036854775808", "invalid-parameter"),
    ("/v1/products?limit=1&limit=2", "invalid-parameter"), ("/v1/products?page=2", "unknown-parameter"),
    ("/v1/products?kind=store", "unknown-parameter"), ("/v1/channels?q=a", "unknown-parameter"),
    ("/v1/products?q=", "invalid-parameter"), ("/v1/products?q=%00", "invalid-parameter"),
    ("/v1/products?q=" + "x" * 101, "invalid-parameter"), ("/v1/products?q=%FF", "invalid-parameter"),
    ("/v1/products?gtin=6291041500214", "invalid-parameter"), ("/v1/products?gtin=1", "invalid-parameter"),
    ("/v1/locations?kind=kiosk", "invalid-parameter"), ("/v1/locations?capability=fly", "invalid-parameter"),
    ("/v1/products?cursor=", "invalid-cursor"), ("/v1/products?cursor=abc", "invalid-cursor"),
    ("/v1/products?cursor=" + "A" * 40, "invalid-cursor"), ("/v1/products?cursor=" + "A" * 3000, "invalid-cursor"),
    ("/v1/products?cursor=%C3%A9", "invalid-cursor"),
])
def test_a_parameter_that_is_not_valid_is_refused(api, path, code):
    assert api.get(path, expect=400).json()["code"] == code


def test_a_refused_gtin_is_named(api):
    assert faults(api.get("/v1/products?gtin=6291041500214"), 400, "invalid-parameter") == {"#/gtin": "check-digit"}


@pytest.fixture
def cursor(api, tag):
    for n in range(3):
        api.put(f"/v1/products/{tag}-{n}", KETTLE, expect=201)
    return api.get(f"/v1/products?limit=1&q={tag}", expect=200).json()["next_cursor"]


def test_an_altered_cursor_is_refused(api, tag, cursor):
    sealed = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert tag.encode() in sealed, "the key is readable, and so worth protecting"
    for place in range(len(sealed)):
        altered = bytes(sealed[:place]) + bytes([sealed[place] ^ 1]) + bytes(sealed[place + 1:])
        altered = base64.urlsafe_b64encode(altered).decode().rstrip("=")
        assert api.get(f"/v1/products?q={tag}&cursor={altered}", expect=400).json()["code"] == "invalid-cursor"
    for altered in (cursor[:-1], cursor + "A", cursor + "=", cursor[1:]):
        api.get(f"/v1/products?q={tag}&cursor={altered}", expect=400)


def test_a_cursor_of_another_list_is_refused(api, tag, cursor, channel):
    for path in ("/v1/products", f"/v1/products?q={tag}x", f"/v1/products?gtin={GTIN}", f"/v1/products?q={tag}&gtin={GTIN}",
                 "/v1/channels", f"/v1/locations?q={tag}", f"/v1/channels/{channel}/listings"):
        joint = "&" if "?" in path else "?"
        assert api.get(f"{path}{joint}cursor={cursor}", expect=400).json()["code"] == "invalid-cursor"


def test_a_cursor_bears_another_limit_order_and_escaping(api, tag, cursor):
    escaped = "".join(f"%{ord(letter):02x}" for letter in tag)
    for query in (f"cursor={cursor}&q={tag}", f"q={tag}&limit=2&cursor={cursor}", f"&&q={escaped}&cursor={cursor}&"):
        reply = api.get(f"/v1/products?{query}", expect=200).json()
        assert [row["sku"] for row in reply["data"]] == [f"{tag}-1", f"{tag}-2"]


def test_a_cursor_is_good_for_every_instance_of_the_service(services, new_database):
    url = new_database()
    first, second = services(url).client(), services(url).client()
    for n in range(3):
        first.put(f"/v1/products/p{n}", KETTLE, expect=201)
    cursor = first.get("/v1/products?limit=1", expect=200).json()["next_cursor"]
    assert [row["sku"] for row in second.get(f"/v1/products?cursor={cursor}", expect=200).json()["data"]] == ["p1", "p2"]
    with Database(url) as database:
        database.execute("update secrets set value = sha256(value) where name = 'cursor'")
    second.get(f"/v1/products?cursor={cursor}", expect=400)


def test_a_list_says_nothing_of_sql(api, tag):
    nasty = "'; select pg_sleep(9) --"
    api.put(f"/v1/products/{tag}", {"title": nasty}, expect=201)
    assert [row["sku"] for row in api.get("/v1/products", params={"q": f"pg_sleep {nasty}"}, expect=200).json()["data"]
            if row["sku"] == tag] == [tag]


def test_a_product_can_be_replaced_while_a_transaction_refers_to_it(database, api, sku, tag):
    api.put(f"/v1/locations/{tag}", STORE, expect=201)
    with database.transaction() as rows:
        rows("insert into stock (location, sku) values (%s, %s)", tag, sku)
        api.put(f"/v1/products/{sku}", {"title": "Kettle, red"}, expect=200)
