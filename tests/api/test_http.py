"""Requests that no decent client sends: each is answered with a problem, or the connection ends; nothing else breaks.

What libmicrohttpd's parser refuses before it reaches us has a body of its own; these cases stand together at the end,
as in docs/http.md.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections import Counter
from contextlib import ExitStack

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.crowd import rush, shoppers
from support.database import Database
from support.holdfast import JWT_SECRET, Holdfast, make_token
from support.raw import RawConnection, exchange
from support.shelf import Shelf
from support.waiting import eventually

UNKNOWN = f"/v1/reservations/{uuid.UUID(int=0x0190 << 112 | 7 << 76 | 8 << 60)}"
LIMIT = 1024 * 1024
DROPPED_LIMIT = 4 * LIMIT
BODIES_LIMIT = 64 * LIMIT
HEADERS_LIMIT = 16 * 1024


@pytest.fixture(scope="module")
def token():
    return make_token()


@pytest.fixture(scope="module")
def hasty(new_database, work_directory):
    """An instance that gives a request one second to come in."""
    instance = Holdfast(new_database(), work_directory, "hasty", request_timeout="PT1S").start()
    yield instance
    instance.stop() if instance.is_running() else None
    instance.discard()


@pytest.fixture
def shelf(database):
    return Shelf(database, units=100)


@pytest.fixture
def send(service, token):
    """send(target, method=..., headers=[...], body=...): one raw request, its reply."""
    def send(target=UNKNOWN, **parts):
        return exchange(service.address, request(target, token=token, **parts), parts.get("method", "GET"))
    return send


@pytest.fixture
def post(send):
    """post(body, **changes): a POST of a reservation with a fresh key."""
    def post(body, headers=(), key=None, **parts):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = ["Content-Type: application/json", f"Idempotency-Key: {key or uuid.uuid4()}", *headers]
        return send("/v1/reservations", method="POST", headers=more, body=content, **parts)
    return post


def request(target, method="GET", token=None, headers=(), body=None, version="HTTP/1.1", host="holdfast"):
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    lines += headers
    if body is not None and not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def assert_told_or_closed(connection):
    """The connection ends; a client whose request line has come gets the reason, unless it closed first."""
    end = connection.everything()
    assert end == b"" or end.startswith(b"HTTP/1.1 408 ") and b'"request-timeout"' in end, end


def assert_problem(reply, status, code):
    assert reply.status == status, reply
    assert reply.header("content-type") == "application/problem+json"
    problem = json.loads(reply.body)
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert problem["type"].endswith(f"/{code}") and problem["title"]
    assert problem["instance"] == f"urn:uuid:{reply.header('x-request-id')}"


def violations(reply):
    return {(each["pointer"], each["code"]) for each in json.loads(reply.body)["errors"]}


# ---- bodies ----

@pytest.mark.parametrize("body", [
    b"", b"{", b"[1,]", b"{}{}", b"nul", b'{"a":01}', b'{"a":+1}', b"{'a':1}", b'\xef\xbb\xbf{}', b'{"a":NaN}',
    b'{"location":"a","location":"b","lines":[]}',
    b'{"a":{"b":1,"b":2}}',
    b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\\ud800"}', b'{"a":"\\udc00\\ud800"}',
    b'{"a":"\n"}', b"[" * 33 + b"]" * 33, b'{"a":' * 33 + b"1" + b"}" * 33, b"[" * 100_000,
], ids=lambda body: repr(body[:40]))
def test_malformed_json_is_refused(post, body):
    assert_problem(post(body), 400, "malformed-json")


@pytest.mark.parametrize("body, pointer, code", [
    ({"lines": [{"sku": "a", "quantity": 0}]}, "#/lines/0/quantity", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": -1}]}, "#/lines/0/quantity", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": 1_000_001}]}, "#/lines/0/quantity", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": 2 ** 63}]}, "#/lines/0/quantity", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": -2 ** 63 - 1}]}, "#/lines/0/quantity", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": 1e308}]}, "#/lines/0/quantity", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": 1.5}]}, "#/lines/0/quantity", "wrong-type"),
    ({"lines": [{"sku": "a", "quantity": "1"}]}, "#/lines/0/quantity", "wrong-type"),
    ({"lines": [{"sku": "a", "quantity": True}]}, "#/lines/0/quantity", "wrong-type"),
    ({"lines": [{"sku": "a", "quantity": None}]}, "#/lines/0/quantity", "required"),
    ({"lines": [{"sku": "a", "quantity": 1, "colour": "red"}]}, "#/lines/0/colour", "unknown-member"),
    ({"lines": [{"sku": "a", "quantity": 1}], "a/b~c": 1}, "#/a~1b~0c", "unknown-member"),
    ({"lines": [{"sku": "a", "quantity": 1}], "a\u0000b": 1}, "#", "nul-not-allowed"),
    ({"lines": [{"quantity": 1}]}, "#/lines/0/sku", "required"),
    ({"lines": [{"sku": "", "quantity": 1}]}, "#/lines/0/sku", None),
    ({"lines": [{"sku": "a\u0000", "quantity": 1}]}, "#/lines/0/sku", None),
    ({"lines": [{"sku": "a" * 100_000, "quantity": 1}]}, "#/lines/0/sku", None),
    ({"lines": []}, "#/lines", None),
    ({"lines": [{"sku": f"s{n}", "quantity": 1} for n in range(101)]}, "#/lines", None),
    ({"lines": {}}, "#/lines", "wrong-type"),
    ({"lines": [{"sku": "a", "quantity": 1}], "ttl": "10 minutes"}, "#/ttl", None),
    ({"lines": [{"sku": "a", "quantity": 1}], "ttl": "PT0S"}, "#/ttl", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": 1}], "ttl": "PT4H1S"}, "#/ttl", "out-of-range"),
    ({"lines": [{"sku": "a", "quantity": 1}], "reference": "x" * 201}, "#/reference", None),
    ({"lines": [{"sku": "a", "quantity": 1}], "reference": "\u0000"}, "#/reference", None),
])
def test_a_well_formed_but_invalid_value_is_named(post, body, pointer, code):
    reply = post({"location": "store", **body})
    assert_problem(reply, 422, "validation-failed")
    found = violations(reply)
    assert pointer in {where for where, _ in found}, found
    assert code is None or (pointer, code) in found, found


def test_every_violation_is_named_at_once(post):
    reply = post({"lines": [{"sku": "a", "quantity": 0}, {"quantity": 1}], "extra": 1})
    assert {where for where, _ in violations(reply)} == {
        "#/location", "#/lines/0/quantity", "#/lines/1/sku", "#/extra"}


def test_a_whole_number_may_be_written_with_a_fraction(post, shelf):
    body = f'{{"location":"{shelf.location}","lines":[{{"sku":"{shelf.sku}","quantity":2.0}}]}}'
    assert post(body.encode()).status == 201
    assert shelf.row()["reserved"] == 2


def test_text_is_counted_in_code_points(post, shelf):
    lines = [{"sku": shelf.sku, "quantity": 1}]
    reply = post({"location": shelf.location, "lines": lines, "reference": "\U0001f455" * 200})
    assert reply.status == 201
    assert json.loads(reply.body)["reference"] == "\U0001f455" * 200
    assert_problem(post({"location": shelf.location, "lines": lines, "reference": "\U0001f455" * 201}), 422,
                   "validation-failed")


def test_a_body_may_be_nested_up_to_the_limit(post):
    assert_problem(post(b'{"a":' * 31 + b"1" + b"}" * 31), 422, "validation-failed")


@pytest.mark.parametrize("kind", ["text/plain", "application/jsonp", "application/xml", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x", ""])
def test_a_body_of_another_type_is_refused(send, kind):
    assert_problem(send("/v1/reservations", method="POST", body=b"{}", headers=[
        f"Content-Type: {kind}", "Idempotency-Key: a"]), 415, "unsupported-media-type")


def test_a_body_without_a_type_is_refused(send):
    assert_problem(send("/v1/reservations", method="POST", body=b"{}", headers=["Idempotency-Key: a"]), 415,
                   "unsupported-media-type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"])
def test_the_type_may_have_parameters(send, kind):
    assert_problem(send("/v1/reservations", method="POST", body=b"{}", headers=[
        f"Content-Type: {kind}", "Idempotency-Key: a"]), 422, "validation-failed")


@pytest.mark.parametrize("method, target", [("GET", UNKNOWN), ("DELETE", UNKNOWN)])
def test_a_body_where_none_is_taken_is_refused(send, method, target):
    assert_problem(send(target, method=method, body=b"{}"), 422, "validation-failed")


# ---- sizes ----

@pytest.mark.parametrize("size", [LIMIT + 1, 3_000_000, DROPPED_LIMIT])
@pytest.mark.parametrize("method, target", [("POST", "/v1/reservations"), ("PUT", "/v1/channels/x")])
def test_a_body_that_is_too_large_is_read_so_that_its_client_reads_the_answer(service, token, method, target, size):
    """One that sends all before it reads saw nothing but a broken pipe."""
    whole = request(target, method, token, ["Content-Type: application/json", "Idempotency-Key: a"], b" " * size)
    with RawConnection(service.address) as connection:
        for _ in range(2):
            connection.send(whole)
            assert_problem(connection.reply(method), 413, "content-too-large")


def test_a_body_announced_as_too_large_to_be_dropped_is_refused_unread(service, token):
    head = request("/v1/reservations", "POST", token, [
        "Content-Type: application/json", "Idempotency-Key: a", f"Content-Length: {DROPPED_LIMIT + 1}"])
    with RawConnection(service.address) as connection:
        connection.send(head)
        assert_problem(connection.reply(), 413, "content-too-large")
        connection.assert_closed()


def test_a_body_that_grows_too_large_is_refused(post):
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    reply = post(chunk * 17 + b"0\r\n\r\n", headers=["Transfer-Encoding: chunked"])
    assert_problem(reply, 413, "content-too-large")


def test_a_body_up_to_the_limit_is_read(post, shelf):
    body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
    assert post(body + b" " * (LIMIT - len(body))).status == 201


def test_all_bodies_together_are_bounded(service, token, post, shelf):
    """Each of them is within its limit; together they would fill the machine."""
    small = {"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}
    begun = request("/v1/reservations", "POST", token, [
        "Content-Type: application/json", "Idempotency-Key: a", f"Content-Length: {LIMIT}"]) + b" "
    with ExitStack() as stack:
        for _ in range(BODIES_LIMIT // LIMIT):
            stack.enter_context(RawConnection(service.address)).send(begun)
        eventually(lambda: post(small).status == 503, 30, "there is no room")
        refused = post(small)
        assert_problem(refused, 503, "overloaded")
        assert int(refused.header("retry-after")) >= 1
    eventually(lambda: post(small).status == 201, 30, "there is room again")


def test_a_refused_request_is_answered_after_its_body_so_that_the_connection_goes_on(service, token):
    wrong = request("/v1/nothing", "POST", token, ["Content-Type: application/json"], b"x" * 500_000)
    with RawConnection(service.address) as connection:
        for _ in range(2):
            connection.send(wrong)
            assert_problem(connection.reply(), 404, "not-found")


@pytest.mark.parametrize("target", ["/v1/" + "a" * 9000, UNKNOWN + "?" + "a" * 9000])
def test_a_long_target_is_refused(send, target):
    assert_problem(send(target), 414, "uri-too-long")


@pytest.mark.parametrize("n_fields", [1, 20])
def test_headers_up_to_the_limit_are_read_and_longer_ones_refused(send, token, n_fields):
    def headers(size):
        """So many more fields, all headers having this size together: name, colon, blank, value, line end."""
        size -= len("Host: holdfast\r\n") + len(f"Authorization: Bearer {token}\r\n")
        sizes = [size // n_fields] * (n_fields - 1)
        sizes.append(size - sum(sizes))
        return [f"X-{n:02}: ".ljust(each - len("\r\n"), "a") for n, each in enumerate(sizes)]

    assert_problem(send(headers=headers(HEADERS_LIMIT)), 404, "not-found")
    assert_problem(send(headers=headers(HEADERS_LIMIT + 1)), 431, "headers-too-large")
    assert_problem(send(headers=headers(HEADERS_LIMIT + 250)), 431, "headers-too-large")


# ---- chunks, expectations, pipelines, versions ----

def test_a_chunked_body_is_read(post, shelf):
    body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
    chunks = b"".join(b"%x;note=1\r\n%c\r\n" % (1, byte) for byte in body) + b"0\r\nX-Trailer: 1\r\n\r\n"
    for coding in "chunked", "Chunked":
        assert post(chunks, headers=[f"Transfer-Encoding: {coding}"]).status == 201


def test_a_client_that_waits_for_100_continue_is_asked_for_its_body(service, token, shelf):
    body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
    head = request("/v1/reservations", "POST", token, [
        "Content-Type: application/json", f"Idempotency-Key: {uuid.uuid4()}", "Expect: 100-continue",
        f"Content-Length: {len(body)}"])
    with RawConnection(service.address) as connection:
        connection.send(head)
        connection.wait_for_interim()
        connection.send(body)
        assert connection.reply().status == 201


def test_a_client_that_waits_for_100_continue_is_refused_without_its_body(service):
    head = request("/v1/reservations", "POST", None, [
        "Content-Type: application/json", "Idempotency-Key: a", "Expect: 100-continue", "Content-Length: 1000"])
    with RawConnection(service.address) as connection:
        connection.send(head)
        assert_problem(connection.reply(), 401, "unauthenticated")
        connection.assert_closed()


def test_pipelined_requests_are_answered_in_order(service, token, shelf):
    made = [request("/v1/reservations", "POST", token, ["Content-Type: application/json", f"Idempotency-Key: {shelf.tag}-{n}"],
                    json.dumps({"location": shelf.location, "reference": str(n),
                                "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()) for n in range(10)]
    with RawConnection(service.address) as connection:
        connection.send(b"".join(made) + request("/nothing", token=token) + request(UNKNOWN, token=token))
        replies = [connection.reply() for _ in range(12)]
    assert [reply.status for reply in replies] == [201] * 10 + [404] * 2
    assert [json.loads(reply.body)["reference"] for reply in replies[:10]] == [str(n) for n in range(10)]


def test_http_1_0_is_answered_and_closed(service, token):
    with RawConnection(service.address) as connection:
        connection.send(request(UNKNOWN, token=token, version="HTTP/1.0", host=None))
        assert_problem(connection.reply(), 404, "not-found")
        connection.assert_closed()


def test_a_client_may_ask_to_close(service, token):
    with RawConnection(service.address) as connection:
        connection.send(request(UNKNOWN, token=token, headers=["Connection: close"]))
        assert connection.reply().header("connection") == "close"
        connection.assert_closed()


@pytest.mark.parametrize("cut", [3, 60, 300, 1020])
def test_a_request_that_breaks_off_has_no_effect(hasty, token, cut):
    """It is no request, however much of it has come; libmicrohttpd may overlook the end, our deadline does not."""
    database = Database(hasty.database_url)
    shelf = Shelf(database, units=1)
    body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
    whole = request("/v1/reservations", "POST", token, ["Content-Type: application/json", "Idempotency-Key: broken"], body)
    with RawConnection(hasty.address) as connection:
        connection.send(whole[:min(cut, len(whole) - 1)])
        connection.finish_sending()
        assert_told_or_closed(connection)
    with database:
        assert shelf.reservations() == 0


# ---- replies without a body ----

def unchanged_path(service, token, shelf, kind):
    """The path of a GET that has an ETag."""
    if kind == "reservation":
        body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
        headers = ["Content-Type: application/json", f"Idempotency-Key: {uuid.uuid4()}"]
        return exchange(service.address, request("/v1/reservations", "POST", token, headers, body)).header("location")
    return {"openapi": "/openapi.json", "docs": "/docs", "product": f"/v1/products/{shelf.sku}",
            "location": f"/v1/locations/{shelf.location}", "queue": f"/v1/locations/{shelf.location}/queue",
            "counts": f"/v1/locations/{shelf.location}/queue/counts"}[kind]


@pytest.mark.parametrize("wait", [(), ("Prefer: wait=1",)], ids=["at-once", "wait"])
@pytest.mark.parametrize("kind", ["product", "location", "reservation", "queue", "counts", "openapi", "docs"])
def test_a_304_names_no_length_and_the_next_reply_follows_at_once(service, token, shelf, kind, wait):
    """An old parser reads as many bytes as Content-Length says, whatever the status."""
    path = unchanged_path(service, token, shelf, kind)
    full = exchange(service.address, request(path, token=token))
    known = [f"If-None-Match: {full.header('etag')}", *wait]
    with RawConnection(service.address) as connection:
        connection.send(request(path, token=token, headers=known) + request(path, "HEAD", token, known) +
                        request(path, "HEAD", token) + request(path, token=token))
        for method in ("GET", "HEAD"):
            unchanged = connection.reply(method)
            assert (unchanged.status, unchanged.header("etag")) == (304, full.header("etag"))
            for name in ("content-length", "transfer-encoding", "content-type", "connection"):
                assert unchanged.header(name) is None, name
        assert connection.reply("HEAD").header("content-length") == full.header("content-length") == str(len(full.body))
        assert connection.reply().body == full.body


def test_many_304s_at_once_are_each_a_whole_reply(service, token):
    """The status line of a 304 is sent by itself, before the rest."""
    etag = exchange(service.address, request("/openapi.json", token=token)).header("etag")
    with RawConnection(service.address) as connection:
        connection.send(request("/openapi.json", token=token, headers=[f"If-None-Match: {etag}"]) * 500)
        replies = [connection.reply() for _ in range(500)]
    assert {(reply.status, reply.header("etag")) for reply in replies} == {(304, etag)}
    assert len({reply.header("x-request-id") for reply in replies}) == 500


@pytest.mark.parametrize("version, keeps", [("HTTP/1.1", True), ("HTTP/1.0", False)])
def test_a_304_keeps_the_connection_as_its_version_says(service, token, shelf, version, keeps):
    path = f"/v1/products/{shelf.sku}"
    etag = exchange(service.address, request(path, token=token)).header("etag")
    with RawConnection(service.address) as connection:
        for _ in range(2 if keeps else 1):
            connection.send(request(path, token=token, headers=[f"If-None-Match: {etag}"], version=version))
            assert connection.reply().status == 304
        if not keeps:
            connection.assert_closed()


def test_head_of_a_stream_is_its_head_and_then_the_connection_ends(service, token, shelf):
    with RawConnection(service.address) as connection:
        connection.send(request(f"/v1/locations/{shelf.location}/events", "HEAD", token))
        reply = connection.reply("HEAD")
        assert (reply.status, reply.header("content-type"), reply.header("connection")) == (200, "text/event-stream", "close")
        assert reply.header("content-length") is None and reply.header("transfer-encoding") is None
        connection.assert_closed()


# ---- framing ----

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("headers", [
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ["Content-Length: 0", f"Content-Length: {len(SMUGGLED)}"],
    [f"Content-Length: {len(SMUGGLED)}", "Content-Length: 0"],
    ["Content-Length: 0", "Content-Length: 0"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: gzip"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding: chunked, identity"],
    ["Host: other"],
])
def test_framing_in_doubt_is_refused_and_the_connection_ends(service, token, method, headers):
    target = "/v1/reservations" if method == "POST" else UNKNOWN
    with RawConnection(service.address) as connection:
        connection.send(request(target, method, token, headers) + b"0\r\n\r\n" + SMUGGLED)
        assert_problem(connection.reply(), 400, "malformed-request")
        connection.assert_closed()


@pytest.mark.parametrize("name, value", [
    ("Authorization", "Bearer x"), ("Content-Type", "text/plain"), ("Idempotency-Key", "b"), ("If-Match", '"2"')])
def test_a_header_that_may_stand_once_may_not_stand_twice(send, name, value):
    reply = send("/v1/reservations", method="POST", body=b"{}", headers=[
        "Content-Type: application/json", "Idempotency-Key: a", 'If-Match: "1"', f"{name}: {value}"])
    assert_problem(reply, 400, "malformed-request")


# ---- targets and methods ----

@pytest.mark.parametrize("target", [
    "/v1/reservations/%00", UNKNOWN + "%00", "/v1%2Freservations", "/v1/reservations%2f", "/v1/reservations/%zz",
    "/v1/reservations/%", "/v1/%ff", "/v1/%c0%af", "/v1/%ed%a0%80", "*", "v1/reservations", "/v1/products/a%2Fb"])
def test_an_escape_never_changes_which_path_is_meant(send, target):
    assert_problem(send(target), 400, "malformed-request")


@pytest.mark.parametrize("target", [
    "/", "//", "/v1", "/v1/", "/v2/reservations", "/v1/reservations/", UNKNOWN + "/", "//v1/reservations",
    "/v1//reservations", "/v1/./reservations", "/v1/nothing/../reservations", "/V1/reservations", "/v1/a/b/c/d/e/f/g/h/i/j"])
def test_an_unknown_path_is_not_found(send, target):
    assert_problem(send(target), 404, "not-found")


def test_the_absolute_form_of_a_target_is_accepted(send):
    assert_problem(send("http://elsewhere" + UNKNOWN), 404, "not-found")
    assert_problem(send("HTTP://elsewhere"), 404, "not-found")


@pytest.mark.parametrize("id", ["x", "0190", "0190000000007000800000000000000", "{id}", "01900000-0000-7000-8000-00000000000g",
                                "%2e%2e", "'%20or%201=1--"])
def test_an_id_that_is_none_is_refused(send, id):
    assert_problem(send(f"/v1/reservations/{id}"), 400, "invalid-parameter")


@pytest.mark.parametrize("query", ["x", "x=1", "limit=1", "%78=1"])
def test_an_unknown_query_parameter_is_refused(send, query):
    assert_problem(send(f"{UNKNOWN}?{query}"), 400, "unknown-parameter")


@pytest.mark.parametrize("method", ["PATCH", "BREW", "get", "TRACE", "PROPFIND", "PUT", "POST"])
def test_a_reply_to_an_unsupported_method_lists_the_allowed_ones(send, method):
    reply = send(UNKNOWN, method=method, body=b"")
    assert_problem(reply, 405, "method-not-allowed")
    assert reply.header("allow") == "DELETE, GET, HEAD"


def test_options_without_a_known_origin_is_just_another_method(send):
    reply = send(UNKNOWN, method="OPTIONS", headers=["Origin: http://a", "Access-Control-Request-Method: GET"])
    assert_problem(reply, 405, "method-not-allowed")


def test_head_answers_like_get_without_the_body(service, token, shelf, send, post):
    made = post({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]})
    for target in made.header("location"), UNKNOWN, "/v1/reservations", "/nothing":
        got, head = send(target), send(target, method="HEAD")
        varying = {"date", "traceparent", "x-request-id"}
        assert head.status == got.status
        assert [each for each in head.headers if each[0] not in varying] == [
            each for each in got.headers if each[0] not in varying]
        assert head.body == b""
    with RawConnection(service.address) as connection:  # nothing is left on the connection
        connection.send(request(made.header("location"), "HEAD", token) * 2)
        assert [connection.reply("HEAD").status for _ in range(2)] == [200, 200]


# ---- keys ----

@pytest.mark.parametrize("key", ["", '""', "a b", "\t", "ä", "a" * 256, '"' + "a" * 256 + '"', "a\x7f"])
def test_a_key_that_is_none_is_refused(send, key):
    assert_problem(send("/v1/reservations", method="POST", body=b"{}", headers=[
        "Content-Type: application/json", f"Idempotency-Key: {key}"]), 400, "idempotency-key-invalid")


def test_a_key_is_required_where_something_is_made(send):
    assert_problem(send("/v1/reservations", method="POST", body=b"{}", headers=["Content-Type: application/json"]), 400,
                   "idempotency-key-missing")


def test_a_key_may_stand_in_quotes_or_not(post, shelf):
    body = {"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}
    key = "k" * 255
    bare, quoted = post(body, key=key), post(body, key=f'"{key}"')
    assert (bare.status, quoted.status) == (201, 201)
    assert quoted.header("idempotent-replayed") == "true" and quoted.body == bare.body
    assert [name for name, _ in quoted.headers if name in ("location", "etag")] == ["etag", "location"]


# ---- tokens ----

def encode(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims(**changes):
    return {"sub": "a", "scope": "reservations:write", "exp": int(time.time()) + 600, **changes}


def forged(**changes):
    return jwt.encode(claims(**changes), JWT_SECRET, algorithm="HS256", headers={"typ": "at+jwt"})


def hs256(signed, secret):
    return base64.urlsafe_b64encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()


def signed_by_hand(payload, secret=JWT_SECRET.encode(), **header):
    signed = f'{encode({"alg": "HS256", "typ": "at+jwt", **header})}.{encode(payload)}'
    return f"{signed}.{hs256(signed, secret)}"


def other_last_character(token):
    """The same signature bytes, spelled with other unused bits; a lenient decoder would accept them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


BAD_TOKENS = {
    "nothing": "",
    "no token": "x",
    "expired": forged(exp=int(time.time()) - 3600),
    "not yet valid": forged(nbf=int(time.time()) + 3600),
    "without exp": jwt.encode({"sub": "a", "scope": "admin"}, JWT_SECRET, algorithm="HS256"),
    "without sub": jwt.encode({"scope": "admin", "exp": int(time.time()) + 600}, JWT_SECRET, algorithm="HS256"),
    "foreign": jwt.encode(claims(), "another-secret-of-32-bytes-or-more--", algorithm="HS256"),
    "alg none": f'{encode({"alg": "none", "typ": "at+jwt"})}.{encode(claims())}.',
    "alg None": f'{encode({"alg": "None", "typ": "at+jwt"})}.{encode(claims())}.',
    "signature of alg none": f'{encode({"alg": "none"})}.{encode(claims())}.{forged().split(".")[2]}',
    "alg HS512": jwt.encode(claims(), JWT_SECRET, algorithm="HS512"),
    "trailing =": forged() + "=",
    "trailing !": forged() + "!",
    "trailing A": forged() + "A",
    "a fourth part": forged() + ".a",
    "another last character": other_last_character(forged()),
    "without signature": forged().rpartition(".")[0] + ".",
    "another payload": ".".join([forged().split(".")[0], encode(claims(sub="b")), forged().split(".")[2]]),
    "crit": jwt.encode(claims(), JWT_SECRET, algorithm="HS256", headers={"crit": ["x"], "x": 1}),
    "an id token": jwt.encode(claims(), JWT_SECRET, algorithm="HS256", headers={"typ": "id+jwt"}),
    "exp as text": signed_by_hand(claims(exp="9999999999")),
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_token_that_proves_nothing_is_refused(service, kind):
    reply = exchange(service.address, request(UNKNOWN, token=BAD_TOKENS[kind]))
    assert_problem(reply, 401, "unauthenticated")
    assert reply.header("www-authenticate") == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("headers", [[], ["Authorization: Basic YTpi"], ["Authorization: bearer"], ["Authorization: "],
                                     ["X-Authorization: Bearer x"]])
def test_a_missing_token_has_a_challenge_without_error(service, headers):
    reply = exchange(service.address, request(UNKNOWN, headers=headers))
    assert_problem(reply, 401, "unauthenticated")
    assert reply.header("www-authenticate") == "Bearer"


def test_a_public_key_is_no_secret(services, tmp_path):
    """HS256 signed with a public key: the key decides on its algorithm, never the token."""
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.public_key().public_numbers()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def base64url(number):
        return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()

    jwks = {"keys": [{"kty": "RSA", "kid": "a", "alg": "RS256", "use": "sig",
                      "n": base64url(numbers.n), "e": base64url(numbers.e)}]}
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(jwks))
    service = services(jwt_secret=None, jwt_jwks_file=path)
    good = jwt.encode(claims(), key, algorithm="RS256", headers={"typ": "at+jwt", "kid": "a"})
    assert exchange(service.address, request(UNKNOWN, token=good)).status == 404

    for secret in public, public.strip(), jwks["keys"][0]["n"].encode():
        token = signed_by_hand(claims(), secret, kid="a")
        assert_problem(exchange(service.address, request(UNKNOWN, token=token)), 401, "unauthenticated")
    assert_problem(exchange(service.address, request(UNKNOWN, token=forged())), 401, "unauthenticated")


def test_a_refusal_for_a_missing_scope_names_the_scope(service):
    reply = exchange(service.address, request(UNKNOWN, token=make_token("orders:read reservations")))
    assert_problem(reply, 403, "insufficient-scope")
    assert reply.header("www-authenticate") == 'Bearer error="insufficient_scope", scope="reservations:write"'


@pytest.mark.parametrize("locations", [[], ["elsewhere"]])
def test_a_token_of_another_location_does_nothing_here(service, shelf, locations):
    def as_bearer(bearer, method, target, body=None):
        headers = ["Content-Type: application/json", f"Idempotency-Key: {uuid.uuid4()}"] if body else []
        return exchange(service.address, request(target, method, bearer, headers, json.dumps(body).encode() if body else None))

    body = {"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}
    made = as_bearer(make_token(), "POST", "/v1/reservations", body)
    stranger = make_token(locations=locations)
    path = made.header("location")
    for method, target, content in (("POST", "/v1/reservations", body), ("GET", path, None), ("DELETE", path, None),
                                    ("POST", f"{path}/extend", {"ttl": "PT1H"})):
        assert_problem(as_bearer(stranger, method, target, content), 403, "store-not-allowed")
    assert shelf.row()["reserved"] == 1


def test_a_token_of_another_channel_does_not_see_the_reservation(service, shelf):
    body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
    headers = ["Content-Type: application/json", f"Idempotency-Key: {uuid.uuid4()}"]
    made = exchange(service.address, request("/v1/reservations", "POST", make_token(channel="web"), headers, body))
    assert json.loads(made.body)["channel"] == "web"
    assert_problem(exchange(service.address, request(made.header("location"), token=make_token(channel="app"))), 404, "not-found")
    assert exchange(service.address, request(made.header("location"), token=make_token(channel="web"))).status == 200


def test_a_replay_never_crosses_subjects(service, shelf):
    body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
    headers = ["Content-Type: application/json", f"Idempotency-Key: {uuid.uuid4()}"]
    ids = {json.loads(exchange(service.address, request(
        "/v1/reservations", "POST", make_token(subject=subject), headers, body)).body)["id"] for subject in ("a", "b", "a")}
    assert len(ids) == 2 and shelf.reservations() == 2


# ---- slow and many ----

@pytest.mark.parametrize("where", ["request line", "headers", "body", "chunks"])
def test_a_drip_is_cut_off(hasty, token, where):
    """A byte now and then keeps no connection; the time limit is for the whole request."""
    post = ["Content-Type: application/json", "Idempotency-Key: a"]
    sent, dripped = {
        "request line": (b"", b"GET /v1/" + b"a" * 200),
        "headers": (request(UNKNOWN, token=token)[:-2] + b"X: ", b"a" * 200),
        "body": (request("/v1/reservations", "POST", token, [*post, "Content-Length: 200"]), b" " * 200),
        "chunks": (request("/v1/reservations", "POST", token, [*post, "Transfer-Encoding: chunked"]), b"1\r\n \r\n" * 40),
    }[where]
    with RawConnection(hasty.address) as connection:
        connection.send(sent)
        connection.drip(dripped, every=0.1, give_up=60.0)
        assert_told_or_closed(connection)


def test_a_body_that_never_ends_is_answered_408(hasty, token):
    head = request("/v1/reservations", "POST", token, ["Content-Type: application/json", "Idempotency-Key: a", "Content-Length: 200"])
    with RawConnection(hasty.address) as connection:
        connection.send(head + b"{")

        assert_problem(connection.reply(), 408, "request-timeout")
        connection.assert_closed()


@pytest.mark.parametrize("name", ["Content-Length ", "X\tY", "X(Y)"])
def test_a_header_name_that_is_no_token_is_refused_and_ends_the_connection(service, token, name):
    sent = request(UNKNOWN, token=token, headers=[f"{name}: 5"]) + b"GET /"
    with RawConnection(service.address) as connection:
        connection.send(sent)

        assert connection.reply().status == 400
        connection.assert_closed()


@pytest.mark.parametrize("folded", [
    "Idempotency: abcdefgh\r\n -Key", "Transfer: chunked\r\n -Encoding", "Transfer-Encoding:\r\n chunked",
    "Content-Length: 2\r\n 7", "X-Anything: a\r\n\tb",
])
def test_a_folded_header_forges_nothing(service, token, folded):
    with RawConnection(service.address) as connection:
        connection.send(request(UNKNOWN, token=token, headers=[folded]))

        assert connection.reply().status == 400
        connection.assert_closed()


def test_a_nul_in_the_target_is_refused(service, token):
    with RawConnection(service.address) as connection:
        connection.send(request("/v1/reservations\0x", token=token))

        assert connection.reply().status == 400
        connection.assert_closed()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("field", [
    "X: a\0b", "X: a\0", "X: \0", "Cookie: a\0b", 'If-None-Match: "1"\0', "Accept: */*\0\r\n",  "X: a\0\0\0\0\0b"])
def test_a_nul_in_the_value_of_a_header_is_refused(service, token, field, first):
    """libmicrohttpd ends the value there, and a proxy in front of it may read on."""
    others = ["X-Other: a"]
    with RawConnection(service.address) as connection:
        connection.send(request(UNKNOWN, token=token, headers=[field, *others] if first else [*others, field]) + SMUGGLED)

        assert_problem(connection.reply(), 400, "malformed-request")
        connection.assert_closed()


@pytest.mark.parametrize("field", [": a", ":", " : a"])
def test_a_header_without_a_name_is_refused(service, token, field):
    with RawConnection(service.address) as connection:
        connection.send(request(UNKNOWN, token=token, headers=[field]) + SMUGGLED)

        assert connection.first_status() == 400
        assert b"/smuggled" not in connection.everything()


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("fields", [["X: a  ", "Y:", "Z:  "], ["X:a\tb\t", "Y: b"], []])
def test_blanks_about_a_value_and_bare_line_ends_are_accepted(service, token, fields, end):
    lines = [f"GET {UNKNOWN} HTTP/1.1", "Host: a", f"Authorization: Bearer {token}", *fields, "", ""]
    with RawConnection(service.address) as connection:
        for _ in range(2):
            connection.send(end.join(lines))
            assert_problem(connection.reply(), 404, "not-found")


@pytest.mark.parametrize("charset, status", [("utf-8", 422), ('"UTF-8"', 422), ("latin1", 415), ("utf-16", 415)])
def test_json_is_utf_8(send, charset, status):
    headers = [f"Content-Type: application/json; charset={charset}", "Idempotency-Key: a"]

    assert send("/v1/reservations", method="POST", headers=headers, body=b"{}").status == status


def test_a_silent_connection_is_closed(hasty):
    with RawConnection(hasty.address) as connection:
        connection.assert_closed(within=60.0)


def test_five_hundred_at_once_are_all_answered(service, token, shelf):
    answers = rush(shoppers(500, service, token=token),
                   lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: 1}))
    assert Counter(answer.status for answer in answers) == {201: 100, 409: 400}
    shelf.assert_adds_up()


# ---- replies of libmicrohttpd itself: a status, the end of the connection, and no effect ----

@pytest.mark.parametrize("sent, status", [
    (b"GET /\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\ngarbage\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX\0Y: a\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
    (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 3000 + b"\r\n", 431),
], ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value))
def test_a_refusal_of_the_library_ends_the_connection(service, sent, status):
    with RawConnection(service.address) as connection:
        connection.send(sent + SMUGGLED)
        assert connection.first_status() == status
        assert b"/smuggled" not in connection.everything()


def test_chunks_that_make_no_sense_end_the_connection(service, token, shelf):
    for chunks in b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n":
        with RawConnection(service.address) as connection:
            connection.send(request("/v1/reservations", "POST", token, [
                "Content-Type: application/json", "Idempotency-Key: a", "Transfer-Encoding: chunked"]) + chunks)
            assert connection.first_status() in (400, 413)
            connection.everything()
    assert shelf.reservations() == 0


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100, b"   ", b"\0" * 1000, b"\xff" * 1000],
                         ids=["TLS", "spaces", "zeros", "ones"])
def test_bytes_that_are_not_http_end_the_connection(hasty, sent):
    with RawConnection(hasty.address) as connection:
        connection.send(sent + b"\r\n\r\n")
        connection.everything()


# ---- the log ----

def test_each_request_is_a_line_of_the_log(service, token, shelf):
    def line_of(method, target, body=None):
        trace = uuid.uuid4().hex
        headers = [f"traceparent: 00-{trace}-00f067aa0ba902b7-01"]
        if body is not None:
            headers += ["Content-Type: application/json", f"Idempotency-Key: {uuid.uuid4()}"]
        exchange(service.address, request(target, method, token, headers, body), method)
        return eventually(lambda: next((line for line in service.log_events("request") if line["trace_id"] == trace), None),
                          30, "its line")

    body = json.dumps({"location": shelf.location, "lines": [{"sku": shelf.sku, "quantity": 1}]}).encode()
    made = line_of("POST", "/v1/reservations", body)
    assert {name: made[name] for name in ("method", "route", "status", "sub", "location")} == {
        "method": "POST", "route": "/v1/reservations", "status": 201, "sub": "tester", "location": shelf.location}
    assert isinstance(made["duration_ms"], float) and made["duration_ms"] > 0
    listed = line_of("HEAD", f"/v1/locations/{shelf.location}/inventory")
    assert (listed["method"], listed["location"]) == ("HEAD", shelf.location)
    lost = line_of("GET", "/v1/nothing")
    assert (lost["method"], lost["status"]) == ("GET", 404) and "route" not in lost and "location" not in lost
    assert line_of("BREW", "/v1/nothing")["method"] == "other"
