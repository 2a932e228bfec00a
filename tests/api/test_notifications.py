"""Templates of notifications, and the messages that they make of orders."""

import itertools

import pytest

from support.retailer import Retailer
from support.work import Work, code_of, faults

KINDS = ["cancelled", "collected", "delayed", "delivered", "order_placed", "ready", "refunded", "reminder", "return_received", "shipped"]
MAIL = {"subject": "Order {{order.order_number}}", "text": "Hello {{customer.name}}", "html": "<p>Hello {{customer.name}}</p>"}

_locales = (f"{first}{second}{third}" for first, second, third in itertools.product("xyz", "abcdefghijklmnopqrstuvwxyz", "abcdefgh"))


def path_of(kind="ready", medium="email", locale="en"):
    return f"/v1/notification-templates/{kind}/{medium}/{locale}"


@pytest.fixture
def free():
    """The path of a template in a locale that no other test uses; the program has none for it."""
    return path_of(locale=next(_locales))


@pytest.fixture
def retailer(api):
    return Retailer(api).create()


def preview(api, order, expect=200, **key):
    return api.post(path_of(**key) + "/preview", {"order_id": order["id"]}, expect=expect)


# ---- templates ----

@pytest.mark.parametrize("kind", KINDS)
def test_the_program_has_a_template_of_every_kind(api, kind):
    for locale, medium in itertools.product(("en", "de", "de-AT"), ("email", "sms")):
        found = api.get(path_of(kind, medium, locale), expect=200)
        shown = found.json()
        assert (shown["kind"], shown["medium"], shown["locale"], shown["is_default"]) == (kind, medium, locale, True)
        assert shown["text"] and bool(shown["subject"]) == bool(shown["html"]) == (medium == "email")
        assert "version" not in shown
        api.get(path_of(kind, medium, locale), headers={"If-None-Match": found.headers["etag"]}, expect=304)
    assert api.get(path_of(kind, locale="de-AT")).json()["text"] == api.get(path_of(kind, locale="de")).json()["text"]
    api.get(path_of(kind, locale="fr"), expect=404)


def test_a_template_is_put_replaced_and_deleted(api, free):
    api.get(free, expect=404)
    made = api.put(free, MAIL, expect=201)
    assert (made.json()["version"], made.json()["is_default"], made.headers["etag"]) == (1, False, '"1"')
    assert api.get(free, expect=200).json() == made.json()
    same = api.put(free, MAIL, expect=200)
    assert same.json() == made.json()
    changed = api.put(free, {**MAIL, "html": None}, expect=200).json()
    assert (changed["version"], changed["html"]) == (2, None)
    api.put(free, MAIL, headers={"If-Match": '"1"'}, expect=412)
    api.put(free, MAIL, headers={"If-None-Match": "*"}, expect=412)
    api.delete(free, headers={"If-Match": '"1"'}, expect=412)
    assert api.delete(free, headers={"If-Match": '"2"'}, expect=200).json() == changed
    api.get(free, expect=404)
    api.delete(free, expect=404)


def test_after_a_delete_the_template_of_the_program_is_in_force(api):
    path = path_of("delayed", "sms", "de-LI")
    before = api.get(path, expect=200).json()
    assert before["is_default"]
    api.put(path, {"text": "Geduld: {{order.order_number}}"}, expect=201)
    assert api.get(path).json()["text"] == "Geduld: {{order.order_number}}"
    api.delete(path, expect=200)
    assert api.get(path).json() == before


@pytest.mark.parametrize("part, text, place", [
    ("subject", "{{#a}}", "Line 1, column 4: the section has no end tag."),
    ("text", "one\n  {{order", "Line 2, column 3: the tag has no end."),
    ("html", "<p>\n{{/a}}", "Line 2, column 1: the end tag has no section."),
    ("text", "{{> other}}", "Line 1, column 1: partials and blocks are not supported."),
])
def test_a_template_that_does_not_parse_is_refused_with_its_place(api, free, part, text, place):
    refused = api.put(free, {**MAIL, part: text}, expect=422)
    assert faults(refused) == {f"#/{part}": "malformed"}
    assert refused.json()["errors"][0]["detail"] == place
    api.get(free, expect=404)


def test_every_broken_part_is_named(api, free):
    assert faults(api.put(free, {"text": "{{", "html": "{{a..b}}"}, expect=422)) == {
        "#/subject": "required", "#/text": "malformed", "#/html": "malformed"}


def test_a_text_message_has_text_alone(api, free):
    path = free.replace("/email/", "/sms/")
    assert faults(api.put(path, MAIL, expect=422)) == {"#/subject": "not-allowed", "#/html": "not-allowed"}
    assert api.put(path, {"text": "Ready: {{order.order_number}}"}, expect=201).json()["subject"] is None


@pytest.mark.parametrize("path", [path_of("eaten"), path_of(medium="pigeon"), path_of(locale="EN"), path_of(locale="de-at"),
                                  path_of(locale="de_AT")])
def test_unknown_kinds_media_and_locales_are_refused(api, path):
    for reply in (api.get(path, expect=400), api.put(path, MAIL, expect=400), api.delete(path, expect=400)):
        assert code_of(reply) == "invalid-parameter"


def test_templates_need_the_scopes_of_the_catalogue(service, free):
    reader = service.client(scope="catalog:read")
    reader.get(path_of(), expect=200)
    reader.put(free, MAIL, expect=403)
    reader.delete(free, expect=403)
    service.client(scope="orders:read").get(path_of(), expect=403)


# ---- previews ----

def test_a_preview_shows_the_message_of_an_order(api, database, retailer):
    it = Work(retailer, database)
    it.make_ready()
    shown = preview(api, it.order).json()
    assert shown["subject"] == f"Your order {it.order['order_number']} is ready"
    for text in ("Hello Ada Lovelace,", "  3 x Product 1\n", "  1 x Product 2\n", f"at {retailer.store}", it.code()):
        assert text in shown["text"]
    assert f"<li>3 &times; Product 1</li>" in shown["html"] and it.code() in shown["html"]
    assert preview(api, it.order, medium="sms").json()["html"] is None


def test_amounts_and_times_read_as_in_the_locale(api, retailer):
    order = retailer.order({retailer.sku: 2}).json()
    english, german = (preview(api, order, kind="order_placed", locale=locale).json() for locale in ("en", "de-AT"))
    assert "Total: €20.00" in english["text"] and "Summe: 20,00 €" in german["text"]
    assert german["subject"] == f"Ihre Bestellung {order['order_number']}"
    assert " Uhr" in german["text"] and " Uhr" not in english["text"]


def test_times_are_in_the_zone_of_the_location(api, retailer):
    retailer.create_location(f"tokyo-{retailer.tag}", time_zone="Asia/Tokyo", country="JP")
    retailer.stock({(f"tokyo-{retailer.tag}", retailer.sku): 5})
    path = path_of("order_placed", "sms", "ja")
    api.put(path, {"text": "{{order.placed_at}}"}, expect=201)
    here, there = (preview(api, retailer.order(location=location).json(), kind="order_placed", medium="sms", locale="ja").json()["text"]
                   for location in (retailer.store, f"tokyo-{retailer.tag}"))
    assert len(here) == len(there) == len("2026-11-21 11:15") and here != there
    api.delete(path, expect=200)


def test_a_preview_of_the_retailers_template_escapes_names(api, retailer, free):
    order = retailer.order(customer={"name": "Tom & <b>Jerry</b>\r\nBcc: x@example.org"})
    api.put(free, {**MAIL, "subject": "For {{customer.name}}"}, expect=201)
    shown = api.post(f"{free}/preview", {"order_id": order.json()["id"]}, expect=200).json()
    assert "Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;" in shown["html"]
    assert shown["subject"].startswith("For Tom & <b>Jerry</b>") and "\n" not in shown["subject"] and "\r" not in shown["subject"]
    assert shown["text"].startswith("Hello Tom & <b>Jerry</b>")


def test_a_ready_mail_shows_the_address_of_the_location(api, retailer):
    code = f"address-{retailer.tag}"
    assert retailer.create_location(code, address="Alexanderplatz 1\n10178 Berlin")["address"] == "Alexanderplatz 1\n10178 Berlin"
    retailer.stock({(code, retailer.sku): 5})
    shown = preview(api, retailer.order(location=code).json()).json()
    assert "\nAlexanderplatz 1\n10178 Berlin\n" in shown["text"] and "Alexanderplatz 1\n10178 Berlin</p>" in shown["html"]
    assert retailer.create_location(retailer.tag)["address"] is None


def test_a_preview_of_a_mail_shows_the_sender_of_the_channel(api, retailer):
    order = retailer.order().json()
    assert (preview(api, order).json()["from"], preview(api, order).json()["reply_to"]) == (None, None)
    messages = {"from": "shop@example.org", "reply_to": "help@example.org", "locale": "en", "kinds": ["ready"]}
    api.put(f"/v1/channels/{retailer.channel}", {"name": "Web shop", "kind": "web", "notifications": messages}, expect=200)
    assert preview(api, order).json()["from"] == "shop@example.org"
    assert preview(api, order).json()["reply_to"] == "help@example.org"
    assert preview(api, order, medium="sms").json()["from"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_previewed(api, database, retailer, kind):
    order = Work(retailer, database, method="ship" if kind in ("shipped", "delivered") else "pickup").order
    for medium, locale in itertools.product(("email", "sms"), ("en", "de")):
        shown = preview(api, order, kind=kind, medium=medium, locale=locale).json()
        assert order["order_number"] in shown["text"] and "{{" not in str(shown)


def test_a_refund_is_shown_with_its_amount(api, retailer):
    order = retailer.order({retailer.sku: 2}, payment={"status": "captured"}).json()
    line = {"order_line_id": order["lines"][0]["id"], "quantity": 1}
    api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed", "lines": [line]}, expect=200)
    assert "refunded an amount" in preview(api, order, kind="refunded").json()["text"]
    api.post(f"/v1/orders/{order['id']}/refunds", {"to": "original", "reason": "cancelled"}, expect=201)
    assert "refunded €10.00" in preview(api, order, kind="refunded").json()["text"]


def test_packages_are_shown_with_their_tracking_numbers(api, database, retailer):
    it = Work(retailer, database, method="ship")
    it.pick_all()
    it.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": "003404"}]})
    assert "DHL: 003404" in preview(api, it.order, kind="shipped").json()["text"]


def test_only_those_who_may_hand_over_see_the_code(api, service, database, retailer):
    it = Work(retailer, database)
    assert "XXXXXXXX" in preview(api, it.order).json()["text"], "it is not ready yet"
    it.make_ready()
    reader = service.client(scope="orders:read")
    shown = preview(reader, it.order).json()
    assert "XXXXXXXX" in shown["text"] and it.code() not in str(shown)
    assert it.code() in preview(service.client(scope="orders:read orders:write"), it.order).json()["text"]


def test_a_preview_needs_an_order_that_the_bearer_sees(api, service, retailer):
    order = retailer.order().json()
    preview(service.client(locations=[retailer.store]), order, expect=200)
    preview(service.client(locations=[retailer.warehouse]), order, expect=403)
    preview(service.client(channel="another"), order, expect=404)
    preview(service.client(scope="catalog:write"), order, expect=403)
    preview(api, {"id": "0195b6a2-7c11-7d20-a1f4-5b0c93ae1102"}, expect=404)
    preview(api, order, expect=404, locale="fr")
    preview(api, order, expect=400, kind="eaten")


def test_a_rendered_message_has_a_limit(api, retailer, free):
    order = retailer.order({sku: 1 for sku in retailer.skus}).json()
    begin, end = "{{#order.lines}}" * 12, "{{/order.lines}}" * 12
    api.put(free, {**MAIL, "text": f"{begin}x{end}"}, expect=201)
    refused = api.post(f"{free}/preview", {"order_id": order["id"]}, expect=422)
    assert code_of(refused) == "validation-failed" and "rendered text" in refused.json()["detail"]
