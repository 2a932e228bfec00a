"""Each member of a catalogue body makes a new version when it alone changes, and replies show it.

The members come from api/openapi, so a new one without another value here fails. A member that the comparison of its record
forgets (location_equal and its like in src/catalog/rules.c) would answer a PUT as unchanged, and never be saved.
"""

import copy
import uuid

import pytest

from support.client import contract
from support.contract import follow

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TERMS = {"accepted": True, "refund_per_mille": 500}
POLICY = {"window_days": 30, "restocking_fee_per_mille": 100, "refund_shipping": "full_return",
          "conditions": {"damaged": TERMS, "quarantine": TERMS, "sellable": TERMS}}
PRICE = {"amount": 1999, "currency": "EUR"}

MESSAGES = {"from": "shop@example.org", "reply_to": "help@example.org", "locale": "de", "kinds": ["ready"], "quiet_hours": {"from": "21:00", "to": "08:00"}}
CHANNEL = {"name": "Web shop", "kind": "web", "return_policy": POLICY, "resourcing": {"enabled": True, "radius_km": 50},
           "unpaid_ttl": "PT2H", "notifications": MESSAGES}
LOCATION = {"name": "Mitte", "kind": "store", "address": "Alexanderplatz 1\n10178 Berlin",
            "latitude": 52.5, "longitude": 13.5, "time_zone": "Europe/Berlin", "country": "DE",
            "capabilities": ["pickup"], "opening_hours": [{"day": "mon", "opens": "10:00", "closes": "20:00"}],
            "closures": [{"date": "2040-12-24", "opens": "10:00", "closes": "14:00"}],
            "pickup": {"lead_time": "PT2H", "cut_off": "18:00", "cut_offs": dict.fromkeys(DAYS, "16:00"), "hold_for": "P7D",
                       "slots": [{"day": "mon", "from": "10:00", "to": "12:00", "capacity": 20}], "handover_methods": ["code"]}}
PRODUCT = {"title": "Kettle", "gtin": "6291041500213", "price": PRICE, "description": "Boils water.",
           "image_url": "https://shop.example/kettle.jpg", "returnable": True, "return_policy": POLICY,
           "attributes": {"color": "blue"}}
LISTING = {"title": "The kettle", "price": PRICE, "external_sku": "K-1", "published": True}
SAFETY_STOCK = {"safety_stock": 2}
WEBHOOK = {"url": "https://erp.example/a", "types": ["order.*"], "locations": ["a"], "channels": ["b"], "mode": "ordered",
           "max_in_flight": 4, "description": "ERP"}
TEMPLATE = {"subject": "Ready", "text": "It is ready.", "html": "<p>It is ready.</p>"}
TEMPLATE_KEY = {"kind": "ready", "medium": "email", "locale": "qv"}

BODIES = {"/v1/channels/{code}": CHANNEL, "/v1/locations/{code}": LOCATION, "/v1/products/{sku}": PRODUCT,
          "/v1/channels/{code}/listings/{sku}": LISTING, "/v1/locations/{code}/inventory/{sku}": SAFETY_STOCK,
          "/v1/notification-templates/{kind}/{medium}/{locale}": TEMPLATE, "/v1/webhooks/{id}": WEBHOOK}

# Another value of a member by its name; numbers go up by one, and truth values turn round.
OTHERS = {"address": "Jungfernstieg 1", "attributes": {"color": "red"}, "capabilities": ["pickup", "ship"], "closes": "15:00",
          "country": "AT",
          "currency": "USD", "cut_off": "19:00", "date": "2040-12-31", "day": "tue", "description": "Whistles.",
          "external_sku": "K-2", "from": {"10:00": "11:00", "21:00": "22:00", "shop@example.org": "sales@example.org"}, "gtin": "96385074",
          "handover_methods": ["code", "id_check"],
          "hold_for": "P8D", "html": "<p>Come.</p>", "image_url": "https://shop.example/red.jpg", "kind": {"web": "app", "store": "warehouse"},
          "kinds": ["ready", "shipped"],
          "lead_time": "PT3H", "locale": "en", "name": "Another", "opens": "11:00", "refund_shipping": "never",
          "reply_to": "sales@example.org", "subject": "Come", "text": "Come.", "time_zone": "Europe/London",
          "title": "Another kettle", "to": "13:00", "unpaid_ttl": "never", "types": ["return.*"],
          "locations": ["c"], "channels": ["d"], "mode": "parallel", "url": "https://erp.example/b", **dict.fromkeys(DAYS, "17:00")}

# A PUT of a consumer moves it: the same body makes another version, as its position is new (test_consumers.py).
MOVED = ("/v1/consumers/{name}",)

# Members that a body may repeat but not change.
IMPLIED = {"exponent": "the currency says it"}


def resolved(schema):
    """The schema of a value: without its reference, and without null beside it."""
    while "$ref" in schema or "anyOf" in schema:
        schema = follow(contract().document, schema["$ref"]) if "$ref" in schema else schema["anyOf"][0]
    return schema


def members(schema, path=()):
    """The path of each member that holds no further members; of a list of objects, those of its first element."""
    schema = resolved(schema)
    if "items" in schema and "properties" in resolved(schema["items"]):
        yield from members(schema["items"], (*path, 0))
    elif "properties" in schema:
        for name, inner in schema["properties"].items():
            if name not in IMPLIED:
                yield from members(inner, (*path, name))
    else:
        yield path


def puts():
    """(template, path of the member) of every PUT in the document."""
    for operation in contract().operations:
        if operation.method == "PUT" and operation.template not in MOVED:
            schema = operation.node["requestBody"]["content"]["application/json"]["schema"]
            for path in members(schema):
                yield pytest.param(operation.template, path, id=f"{operation.name}-{'.'.join(map(str, path))}")


def changed(body, path):
    """The body with another value of one member."""
    body = copy.deepcopy(body)
    at = body
    for step in path[:-1]:
        at = at[step]
    value = at[path[-1]]
    if isinstance(value, bool):
        at[path[-1]] = not value
    elif isinstance(value, (int, float)):
        at[path[-1]] = value + 1
    else:
        other = OTHERS[path[-1]]
        at[path[-1]] = other[value] if path[-1] in ("from", "kind") else other
    return body


@pytest.fixture
def codes(api):
    """The codes of the paths; each document exists."""
    tag = uuid.uuid4().hex[:12]
    for path, body in ((f"channels/{tag}", CHANNEL), (f"locations/{tag}", LOCATION), (f"products/{tag}", PRODUCT),
                       (f"channels/{tag}/listings/{tag}", LISTING), (f"locations/{tag}/inventory/{tag}", SAFETY_STOCK)):
        api.put(f"/v1/{path}", body, expect=201)
    api.put("/v1/notification-templates/{kind}/{medium}/{locale}".format(**TEMPLATE_KEY), TEMPLATE, expect=(200, 201))
    webhook = api.post("/v1/webhooks", WEBHOOK, expect=201).json()["id"]
    yield {"code": tag, "sku": tag, "id": webhook, **TEMPLATE_KEY}
    api.delete(f"/v1/webhooks/{webhook}", expect=200)


def version(reply):
    """That of the document, without figures or progress that its tag may have besides."""
    return reply.headers["ETag"].strip('"').split("-")[0]


@pytest.mark.parametrize("template, path", puts())
def test_a_member_that_changes_alone_makes_a_new_version(api, codes, template, path):
    url, body = template.format(**codes), BODIES[template]
    before = api.put(url, body, expect=200)
    assert version(api.put(url, body, expect=200)) == version(before)
    after = api.put(url, changed(body, path), expect=200)
    assert version(after) != version(before)
    kept = [{**reply.json(), "version": None, "updated_at": None} for reply in (before, api.get(url, expect=200))]
    assert kept[0] != kept[1], "the reply does not show the member"
