"""Replies that the document gives to many operations: a test of each operation that documents one sees it."""

import httpx
import pytest

from support.client import Client, contract
from support.returning import Bought
from support.waiting import eventually
from support.work import code_of

NO_VERSION = {"If-Match": '"999999"'}
ID = "01900000-0000-7000-8000-00000000000a"


def documenting(status, bodies=None):
    """Operations that document the status; bodies: only those that take a body, or only those that take none."""
    return [pytest.param(operation, id=operation.name) for operation in contract().operations
            if status in operation.responses and bodies in (None, "requestBody" in operation.node)]


def path_of(operation, **values):
    """The path with a value for each parameter: values, else one that no document has."""
    return operation.template.format(**{"id": ID, "code": "nowhere", "sku": "NO-SUCH-SKU", "asset": "initializer.js",
                                     "kind": "ready", "medium": "email", "locale": "fr", "name": "nobody",
                                     **values})


@pytest.fixture
def ask(service, admin):
    """A function that sends a request of an operation to its listener, as an administrator."""
    probes = Client(service.admin_url)

    def send(operation, **options):
        client = probes if "servers" in contract().document["paths"][operation.template] else admin
        return client.request(operation.method, path_of(operation), **options)

    yield send
    probes.close()


@pytest.mark.parametrize("operation", documenting("400"))
def test_an_unknown_parameter_is_refused(ask, operation):
    body = {} if "requestBody" in operation.node else None
    assert code_of(ask(operation, body=body, params={"no_such_parameter": "1"}, expect=400)) == "unknown-parameter"


@pytest.mark.parametrize("operation", documenting("415"))
def test_a_body_that_is_no_json_is_refused(ask, operation):
    refused = ask(operation, content=b"<xml/>", headers={"Content-Type": "text/xml"}, expect=415)
    assert code_of(refused) == "unsupported-media-type"


@pytest.mark.parametrize("operation", documenting("422", bodies=True))
def test_an_unknown_member_is_refused(ask, operation):
    refused = ask(operation, body={"no_such_member": 1}, expect=422)
    assert code_of(refused) == "validation-failed"
    assert "unknown-member" in {fault["code"] for fault in refused.json()["errors"]}


@pytest.mark.parametrize("operation", documenting("422", bodies=False))
def test_a_body_is_refused_where_none_is_taken(ask, operation):
    assert code_of(ask(operation, body={}, expect=422)) == "validation-failed"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_answer_on_the_admin_listener(service, path):
    probes = Client(service.admin_url)
    probes.get(path, expect=200)
    probes.close()


@pytest.mark.parametrize("path", ["/v1/events/stream", "/v1/locations/{store}/events"])
def test_the_head_of_a_stream_is_as_documented(api, retailer, path):
    headers = {"Authorization": f"Bearer {api.token}"}
    with httpx.stream("GET", api.base_url + path.format(store=retailer.store), headers=headers, timeout=60) as reply:
        assert reply.status_code == 200
        contract().check(reply.request, httpx.Response(200, headers=reply.headers))


@pytest.fixture
def documents(admin, api, retailer):
    """Paths of documents that exist, by the first parts of their templates."""
    bought = Bought(retailer)
    made = bought.bring().json()
    bought.act(made, "refund", {"to": "original"})
    order = bought.now()
    return {"orders": order["id"], "payments": order["payments"][0]["id"], "refunds": order["refunds"][0]["id"],
            "returns": made["id"], "reservations": retailer.reserve().json()["id"],
            "fulfillments": order["fulfillments"][0]["id"],
            "webhooks": admin.post("/v1/webhooks", {"url": "https://erp.example/", "types": ["*"]}, expect=201).json()["id"]}


def is_unchanged(client, path):
    """Read it twice; False if it changed in between, as the lag of a webhook does while events are published."""
    etag = client.get(path, expect=200).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": etag}, expect=(200, 304))
    assert (again.status_code == 304) == (again.headers["ETag"] == etag)
    return again.status_code == 304


def test_a_known_etag_answers_304_for_every_document_with_an_id(admin, documents):
    asked = 0
    for operation in contract().operations:
        if "304" in operation.responses and "{id}" in operation.template:
            path = path_of(operation, id=documents[operation.template.split("/")[2]])
            eventually(lambda path=path: is_unchanged(admin, path), 20, f"the tag of {path} holds")
            asked += 1
    assert asked >= len(documents)


def test_a_known_etag_answers_304_for_the_page_of_the_documentation(service):
    client = Client(service.url)
    etag = client.get("/docs", expect=200).headers["ETag"]
    client.get("/docs", headers={"If-None-Match": etag}, expect=304)
    client.close()


# A command under a version that is not the current one

@pytest.mark.parametrize("verb", ["unlock", "reissue-code", "ready", "link"])
def test_commands_on_a_fulfillment_are_refused_under_another_version(work, admin, verb):
    it = work()
    it.make_ready()
    before = it.now()
    assert code_of(it.act(verb, expect=412, api=admin, headers=NO_VERSION)) == "precondition-failed"
    assert it.now() == before


@pytest.mark.parametrize("verb, body", [
    ("cancel", {"reason": "changed_mind"}), ("lost", {}), ("dispose", None), ("receive", {}),
    ("refund", {"to": "original"})])
def test_commands_on_a_return_are_refused_under_another_version(retailer, verb, body):
    bought = Bought(retailer)
    made = bought.send().json()
    if verb == "dispose":
        body = {"disposition": "damaged", "lines": [{"id": made["lines"][0]["id"], "quantity": 1}]}
    assert code_of(bought.act(made, verb, body, expect=412, headers=NO_VERSION)) == "precondition-failed"
    assert bought.api.get(f"/v1/returns/{made['id']}", expect=200).json() == made


def test_a_payment_is_refused_under_another_version_of_its_order(api, retailer):
    path = f"/v1/orders/{retailer.order().json()['id']}"
    before = api.get(path, expect=200).json()
    refused = api.post(f"{path}/payments", {"status": "captured"}, expect=412, headers=NO_VERSION)
    assert code_of(refused) == "precondition-failed"
    assert api.get(path, expect=200).json() == before


def test_a_reservation_is_not_extended_under_another_version(api, retailer):
    made = retailer.reserve().json()
    refused = api.post(f"/v1/reservations/{made['id']}/extend", {"ttl": "PT30M"}, expect=412, headers=NO_VERSION)
    assert code_of(refused) == "precondition-failed"
    assert api.get(f"/v1/reservations/{made['id']}", expect=200).json() == made
