"""Clients of others in Node.js: the CloudEvents library reads every event, and the AsyncAPI parser accepts the document."""

import json

import pytest

from support import ROOT
from support.event_types import tables
from support.node import run
from support.waiting import eventually

pytestmark = pytest.mark.timeout(900)
ATTRIBUTES = {"specversion", "id", "source", "type", "time", "timestamp", "subject", "sequence", "datacontenttype", "data"}


def test_the_cloudevents_library_reads_every_event(service, retailer, work, database):
    work().make_ready()
    retailer.order(payment={"status": "captured", "reference": "pay-1"})
    eventually(lambda: database.count("events_due") == 0, 30, "all is published")
    reader, events, after, more = service.client(scope="events:read"), [], "oldest", True
    while more:
        page = reader.get("/v1/events", expect=200, params={"after": after, "limit": 1000}).json()
        events, after, more = events + page["data"], page["next_cursor"], page["has_more"]
    read = [json.loads(line) for line in run("cloudevents.mjs", "".join(json.dumps(event) + "\n" for event in events)).splitlines()]
    assert len(read) == len(events) > 10
    for told, understood in zip(events, read):
        assert understood.keys() == ATTRIBUTES
        assert {**told, "time": None, "timestamp": None} == {**understood, "time": None, "timestamp": None}
        assert understood["time"] == told["time"]


def test_the_cloudevents_library_refuses_a_broken_event():
    """So that the test above can fail."""
    with pytest.raises(AssertionError, match="ValidationError|invalid"):
        run("cloudevents.mjs", json.dumps({"specversion": "1.0", "id": "1", "type": "order.created"}) + "\n")


def test_the_asyncapi_parser_accepts_the_document():
    found = json.loads(run("asyncapi.mjs", (ROOT / "api" / "asyncapi.yaml").read_text(encoding="utf-8")))
    assert found["faults"] == [] and found["version"] == "3.0.0" and found["operations"] == ["send"]
    assert sorted(found["messages"]) == sorted(tables()[0])


def test_the_asyncapi_parser_accepts_types_with_a_prefix(services):
    house = services(event_type_prefix="com.example")
    found = json.loads(run("asyncapi.mjs", house.run("openapi", "--asyncapi", check=0).stdout))
    assert found["faults"] == []
    assert sorted(found["messages"]) == sorted(f"com.example.{name}" for name in tables()[0])


def test_the_asyncapi_parser_refuses_a_broken_document():
    document = (ROOT / "api" / "asyncapi.yaml").read_text(encoding="utf-8").replace("action: send", "action: shout")
    assert json.loads(run("asyncapi.mjs", document))["faults"]
