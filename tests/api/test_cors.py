"""Browsers of the configured origins may call; replies to other origins have no header that would let them."""

import pytest

from support.raw import exchange

SHOP = "https://shop.example"
TILL = "https://till.example:8443"
UNKNOWN = "/v1/reservations/0190a6e2-7b7c-7def-8123-456789abcdef"


@pytest.fixture
def open_service(services):
    return services(cors_origins=f"{SHOP}, {TILL}")


def preflight(service, origin, path="/v1/reservations"):
    """What a browser sends before a POST with a token (WHATWG Fetch, section 3.2.2)."""
    return exchange(service.address, (
        f"OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nConnection: close\r\n"
        "Access-Control-Request-Method: POST\r\n"
        "Access-Control-Request-Headers: authorization,content-type,idempotency-key\r\n\r\n"), "OPTIONS")


def words(text):
    return {word.strip().lower() for word in text.split(",")}


@pytest.mark.parametrize("origin", [SHOP, TILL])
def test_preflight_of_a_configured_origin_is_granted(open_service, origin):
    reply = preflight(open_service, origin)
    assert reply.status == 204 and reply.body == b""
    assert reply.header("Content-Length") is None and reply.header("Transfer-Encoding") is None
    assert reply.header("Access-Control-Allow-Origin") == origin
    assert words(reply.header("Access-Control-Allow-Methods")) == {"get", "post", "put", "delete"}
    assert words(reply.header("Access-Control-Allow-Headers")) >= {
        "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer"}
    assert int(reply.header("Access-Control-Max-Age")) > 0
    assert reply.header("Access-Control-Allow-Credentials") is None
    assert "origin" in words(reply.header("Vary"))


@pytest.mark.parametrize("origin", [
    "https://evil.example", "http://shop.example", "https://shop.example.evil.example", "https://shop.exampl",
    f"{SHOP}:8443", "https://SHOP.example", "null", "*", "", ","])
def test_preflight_of_another_origin_is_not(open_service, origin):
    reply = preflight(open_service, origin)
    assert reply.status == 405
    assert reply.header("Access-Control-Allow-Origin") is None
    assert "origin" in words(reply.header("Vary"))


def test_replies_to_a_configured_origin_can_be_read(open_service):
    reply = open_service.client().get(UNKNOWN, headers={"Origin": SHOP}, expect=404)
    assert reply.headers["access-control-allow-origin"] == SHOP
    assert words(reply.headers["access-control-expose-headers"]) >= {
        "etag", "idempotent-replayed", "location", "ratelimit", "ratelimit-policy", "retry-after", "traceparent",
        "x-request-id"}
    assert words(reply.headers["vary"]) >= {"origin", "authorization"}


def test_refusals_by_the_doorman_can_be_read_too(open_service):
    reply = open_service.client(token=None).get(UNKNOWN, headers={"Origin": SHOP}, expect=401)
    assert reply.headers["access-control-allow-origin"] == SHOP


def test_replies_to_another_origin_cannot_be_read(open_service):
    reply = open_service.client().get(UNKNOWN, headers={"Origin": "https://evil.example"}, expect=404)
    assert "access-control-allow-origin" not in reply.headers
    assert "origin" in words(reply.headers["vary"])  # a shared cache must not mix them up


def test_requests_without_an_origin_are_served_as_ever(open_service):
    reply = open_service.client().get(UNKNOWN, expect=404)
    assert "access-control-allow-origin" not in reply.headers


def test_without_configuration_no_origin_is_allowed(service):
    assert preflight(service, SHOP).status == 405
    reply = service.client().get(UNKNOWN, headers={"Origin": SHOP}, expect=404)
    assert "access-control-allow-origin" not in reply.headers
