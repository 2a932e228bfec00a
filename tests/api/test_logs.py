"""The log: a line a request that can be found again, and never a secret. The end of every run looks through all logs
(support/discretion.py); here it is seen to look well."""

import json
import re
import uuid

import pytest

from support.database import Database
from support.discretion import Discretion
from support.retailer import Retailer
from support.waiting import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])")


# Found again

def line_of(service, **members):
    """The line of a request by members of it."""
    return eventually(lambda: next((line for line in service.log_events("request")
                                    if members.items() <= line.items()), None), what="its line")


@pytest.mark.parametrize("flags", ["00", "01", "03"])
def test_a_trace_goes_on_with_the_reply(service, api, flags):
    trace = uuid.uuid4().hex
    reply = api.get("/v1/products/NOTHING", expect=404, headers={"traceparent": f"00-{trace}-{PARENT}-{flags}"})

    found, parent, sampled = TRACEPARENT.fullmatch(reply.headers["traceparent"]).groups()
    assert found == trace and parent not in (PARENT, "0" * 16) and sampled == str(int(flags) & 1)
    line = line_of(service, trace_id=trace)
    assert line["request_id"] == reply.headers["x-request-id"]
    assert line["request_id"].replace("-", "").endswith(parent), "the parent is the request"
    assert reply.json()["trace_id"] == trace


@pytest.mark.parametrize("sent", [None, "", "nonsense", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01",
                                  f"ff-{TRACE}-{PARENT}-01"])
def test_without_one_a_trace_begins(service, api, sent):
    reply = api.get("/v1/products/NOTHING", expect=404, headers={"traceparent": sent})
    found, _, sampled = TRACEPARENT.fullmatch(reply.headers["traceparent"]).groups()
    assert found not in (TRACE, "0" * 32) and sampled == "0"
    assert line_of(service, request_id=reply.headers["x-request-id"])["trace_id"] == found


# Never a secret

def test_database_messages_about_a_row_are_not_logged(services, new_database):
    """Its details quote the row, and a row of an order holds its customer."""
    instance = services(new_database())
    shop = Retailer(instance.client()).create()
    with Database(instance.database_url) as database:
        database.execute("alter table orders add constraint nobody_is_called_so check (customer ->> 'name' <> 'Winifred Quillfeather')")

    shop.order(expect=500, customer={"name": "Winifred Quillfeather", "email": "winifred@quillfeather.example"})

    refusal, = instance.log_events("transaction failed")
    assert "nobody_is_called_so" in refusal["reason"] and refusal["sqlstate"] == "23514"
    assert "Quillfeather" not in instance.log_path.read_text()
    assert instance.figure("holdfast_guard_violations_total") == 1


@pytest.fixture
def kept(tmp_path):
    """A separate discretion, and a function that writes a log and names the people found in it."""
    discretion, log = Discretion(), tmp_path / "service.log"
    discretion.watch(log)

    def told(*lines):
        log.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        return {what for _, what, _ in discretion.leaks()}

    return discretion, told


def test_tokens_codes_links_and_settings_are_found(kept):
    discretion, told = kept
    discretion.keep("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "a token")
    discretion.keep_settings({"PICKUP_SECRET": "hush-this-is-32-bytes-or-even-more", "LISTEN": "127.0.0.1:1"})
    discretion.keep_body(json.dumps({"pickup_code": "QWERTYAS", "link": {"token": "b-_c0ffee"}}))
    discretion.keep_body(json.dumps({"proof": {"method": "code", "value": "ZXCVBNMA"}}))
    discretion.keep_body(b"\xff no JSON")

    assert told({"message": "request", "sub": "tester", "trace_id": TRACE}) == set()
    assert told({"message": "refused Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"}) == {"a token"}
    assert told("hush-this-is-32-bytes-or-even-more", "[]") == {"the setting PICKUP_SECRET"}
    assert told({"message": "a", "reason": "wrong code QWERTYAS"}) == {"the member pickup_code"}
    assert told({"message": "a", "target": "/v1/links?t=b-_c0ffee"}) == {"the member token"}
    assert told({"message": "ZXCVBNMA"}) == {"a pickup code"}


def test_people_are_found_and_products_are_none(kept):
    discretion, told = kept
    discretion.keep_body(json.dumps({
        "name": "Web shop", "customer": {"name": "Ada", "email": "ada@example.com", "phone": "+49 30 1234"},
        "fulfillment": {"ship_to": {"line1": "Street 1", "city": "Potsdam"}}, "lines": [{"title": "Kettle"}]}))

    assert told({"message": "Web shop sells Kettle", "location": "Adalbert-1"}) == set()
    assert told({"message": "for Ada"}) == {"the member name"}
    assert told({"reason": "(ada@example.com, +49 30 1234)"}) == {"the member email", "the member phone"}
    assert told({"reason": "Street 1, Potsdam"}) == {"the member line1", "the member city"}
