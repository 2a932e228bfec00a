"""Webhooks: endpoints as documents, and the delivery of events to them."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import uuid

import httpx
import pytest

from support import ROOT
from support.database import Database
from support.holdfast import Holdfast
from support.ports import free_port
from support.receiver import Receiver
from support.retailer import Retailer
from support.waiting import eventually, together
from support.work import code_of

SCOPE = "webhooks:manage"
URL = "https://erp.example/events"
TRADE = ["order.*", "fulfillment.*"]
SEALING_KEY = "a-sealing-key-for-tests-of-32-bytes"


@pytest.fixture
def manager(service):
    client = service.client(scope=SCOPE)
    yield client
    for webhook in client.get("/v1/webhooks", params={"limit": 200}, expect=200).json()["data"]:
        client.delete(f"/v1/webhooks/{webhook['id']}", expect=200)


def made(client, expect=201, headers=None, **members):
    return client.post("/v1/webhooks", {"url": URL, "types": ["order.*"], **members}, headers=headers or {}, expect=expect)


def shown(client, webhook):
    return client.get(f"/v1/webhooks/{webhook['id']}", expect=200).json()


# Documents

def test_a_new_endpoint_shows_its_secret_once(manager):
    created = made(manager, types=["order.*", "return.received"], description="ERP")
    webhook = created.json()
    assert created.headers["Location"] == f"/v1/webhooks/{webhook['id']}"
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", webhook["secret"]) and webhook["secret"].startswith(webhook["secret_hint"])
    assert webhook["state"] == "active" and webhook["mode"] == "ordered" and webhook["max_in_flight"] == 8
    assert webhook["types"] == ["order.*", "return.received"] and webhook["lag_events"] == 0
    assert webhook["failing_since"] is None and webhook["last_success_at"] is None
    again = shown(manager, webhook)
    assert "secret" not in again and again == {**again, **{name: webhook[name] for name in again if name not in ("cursor", "lag_events")}}
    assert webhook["secret"] not in json.dumps(manager.get("/v1/webhooks", expect=200).json())
    assert made(manager).json()["secret"] != webhook["secret"]


def test_endpoints_are_listed_page_by_page(manager):
    ids = [made(manager).json()["id"] for _ in range(5)]
    found, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = manager.get("/v1/webhooks", params=params, expect=200).json()
        found += [webhook["id"] for webhook in page["data"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert found == ids


def test_a_replaced_endpoint_keeps_state_and_secret(manager):
    webhook = made(manager).json()
    path = f"/v1/webhooks/{webhook['id']}"
    manager.post(f"{path}/pause", {}, expect=200)
    body = {"url": URL, "types": ["*"], "mode": "parallel", "max_in_flight": 2, "locations": ["a", "b"], "channels": ["web"]}
    replaced = manager.put(path, body, expect=200).json()
    assert {name: replaced[name] for name in body} == body and replaced["state"] == "paused"
    assert replaced["version"] == 3 and replaced["secret_hint"] == webhook["secret_hint"] and "secret" not in replaced
    assert manager.put(path, body, expect=200).json()["version"] == 3


def test_a_put_with_a_stale_version_changes_nothing(manager):
    webhook = made(manager).json()
    path = f"/v1/webhooks/{webhook['id']}"
    stale = manager.get(path, expect=200).headers["ETag"]
    manager.post(f"{path}/pause", {}, headers={"If-Match": stale}, expect=200)
    for send in (lambda: manager.put(path, {"url": URL, "types": ["*"]}, headers={"If-Match": stale}, expect=412),
                 lambda: manager.post(f"{path}/resume", {}, headers={"If-Match": stale}, expect=412),
                 lambda: manager.delete(path, headers={"If-Match": stale}, expect=412)):
        assert code_of(send()) == "precondition-failed"
    assert shown(manager, webhook)["state"] == "paused"


def test_an_equal_tag_answers_not_modified(manager):
    """While the log grows, the lag changes, and with it the tag."""
    path = f"/v1/webhooks/{made(manager).json()['id']}"

    def is_unchanged():
        tag = manager.get(path, expect=200).headers["ETag"]
        return manager.get(path, headers={"If-None-Match": tag}, expect=(200, 304)).status_code == 304
    eventually(is_unchanged, 20, "a tag holds")


def test_pause_and_resume_may_be_repeated(manager):
    webhook = made(manager).json()
    for action, state, version in (("pause", "paused", 2), ("pause", "paused", 2), ("resume", "active", 3), ("resume", "active", 3)):
        answer = manager.post(f"/v1/webhooks/{webhook['id']}/{action}", {}, expect=200).json()
        assert (answer["state"], answer["version"]) == (state, version)


def test_a_disabled_endpoint_is_resumed_but_not_paused(manager, database):
    webhook = made(manager).json()
    database.execute("update webhooks set state = 'disabled' where id = %s", webhook["id"])
    refused = manager.post(f"/v1/webhooks/{webhook['id']}/pause", {}, expect=409)
    assert code_of(refused) == "invalid-transition"
    assert manager.post(f"/v1/webhooks/{webhook['id']}/resume", {}, expect=200).json()["state"] == "active"


def test_a_deleted_endpoint_is_gone(manager, database):
    webhook = made(manager).json()
    path = f"/v1/webhooks/{webhook['id']}"
    assert manager.delete(path, expect=200).json()["id"] == webhook["id"]
    for send in (lambda: manager.get(path, expect=404), lambda: manager.delete(path, expect=404),
                 lambda: manager.put(path, {"url": URL, "types": ["*"]}, expect=404),
                 lambda: manager.post(f"{path}/pause", {}, expect=404)):
        assert code_of(send()) == "not-found"
    assert database.count("webhook_progress", "webhook_id = %s", webhook["id"]) == 0


# Refusals

def test_endpoints_need_the_scope(service):
    other = service.client(scope="events:read orders:write")
    assert code_of(other.get("/v1/webhooks", expect=403)) == "insufficient-scope"
    assert code_of(made(other, expect=403)) == "insufficient-scope"


@pytest.mark.parametrize("url", [
    "http://erp.example/", "https://user:sesame@erp.example/", "https://erp.example:25/", "https://127.0.0.1/", "https://127.1/",
    "https://2130706433/", "https://0x7f.1/", "https://10.0.0.1/", "https://169.254.169.254/", "https://[::1]/",
    "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://localhost/"])
def test_a_url_that_is_plainly_not_public_is_refused(manager, url):
    refused = made(manager, url=url, expect=422)
    assert code_of(refused) == "url-not-allowed" and "sesame" not in refused.text
    assert manager.get("/v1/webhooks", expect=200).json()["data"] == []


@pytest.mark.parametrize("members, pointer, code", [
    ({"url": "erp.example"}, "#/url", "malformed"), ({"url": "https://erp.example/#top"}, "#/url", "malformed"),
    ({"url": "https://"}, "#/url", "malformed"), ({"url": None}, "#/url", "required"), ({"types": []}, "#/types", "too-few"),
    ({"types": ["order.*"] * 51}, "#/types", "too-many"), ({"types": ["order.*", "order.paid"]}, "#/types/1", "not-allowed"),
    ({"types": ["order"]}, "#/types/0", "not-allowed"), ({"types": [""]}, "#/types/0", "too-short"),
    ({"types": [7]}, "#/types/0", "wrong-type"), ({"types": ["x" * 101]}, "#/types/0", "too-long"),
    ({"mode": "fast"}, "#/mode", "not-allowed"), ({"max_in_flight": 33}, "#/max_in_flight", "out-of-range"),
    ({"locations": []}, "#/locations", "too-few"), ({"secret": "whsec_x"}, "#/secret", "unknown-member")])
def test_an_invalid_body_is_refused_with_its_place(manager, members, pointer, code):
    refused = made(manager, expect=422, **members).json()
    assert refused["code"] == "validation-failed"
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in refused["errors"]]


def test_a_bound_token_makes_and_sees_endpoints_of_its_places_alone(service, manager):
    bound = service.client(scope=SCOPE, locations=["berlin", "hamburg"])
    web = service.client(scope=SCOPE, channel="web")
    assert code_of(made(bound, expect=403)) == code_of(made(bound, locations=["berlin", "paris"], expect=403)) == "store-not-allowed"
    assert code_of(made(web, expect=403)) == code_of(made(web, channels=["app"], expect=403)) == "channel-not-allowed"
    mine, everywhere = made(bound, locations=["berlin"]).json(), made(manager).json()
    of_web = made(web, channels=["web"]).json()
    assert [one["id"] for one in bound.get("/v1/webhooks", expect=200).json()["data"]] == [mine["id"]]
    assert [one["id"] for one in web.get("/v1/webhooks", expect=200).json()["data"]] == [of_web["id"]]
    assert code_of(bound.get(f"/v1/webhooks/{everywhere['id']}", expect=404)) == "not-found"
    assert code_of(bound.delete(f"/v1/webhooks/{of_web['id']}", expect=404)) == "not-found"


def test_a_market_has_a_largest_number_of_endpoints(services):
    instance = services()
    client = instance.client(scope=SCOPE)
    with Database(instance.database_url) as database:
        database.execute("insert into webhooks (id, url, types, mode, max_in_flight, state, secret, secret_hint, actor, created_at, updated_at)"
                         " select gen_random_uuid(), 'https://a.example/', '*', 'ordered', 1, 'paused', 'p', 'h', 'x', now(), now()"
                         " from generate_series(1, 999)")
        made(client)
        assert code_of(made(client, expect=422)) == "too-many"
        assert database.count("webhooks") == 1000


# Each command under another version, and while its key is in use

COMMANDS = [("pause", {}), ("resume", {}), ("rotate", {}), ("replay", {"from": "2020-01-01T00:00:00Z"}), ("test", {})]


@pytest.mark.parametrize("verb, body", COMMANDS[:-1])
def test_commands_are_refused_under_another_version(manager, verb, body):
    path = f"/v1/webhooks/{made(manager).json()['id']}"
    before = manager.get(path, expect=200).json()
    refused = manager.post(f"{path}/{verb}", body, headers={"If-Match": '"999999"'}, expect=412)
    assert code_of(refused) == "precondition-failed"
    after = manager.get(path, expect=200).json()
    assert {name: after[name] for name in ("state", "secret_hint", "version", "replay")} == {
        name: before[name] for name in ("state", "secret_hint", "version", "replay")}


@pytest.mark.parametrize("verb, body", [*COMMANDS, (None, {"url": URL, "types": ["*"]})])
def test_a_key_that_is_in_use_is_refused_and_nothing_is_done(manager, database, verb, body):
    """Another session holds the lock of the key, which is a number of its digest."""
    path = f"/v1/webhooks/{made(manager).json()['id']}/{verb}" if verb else "/v1/webhooks"
    key = str(uuid.uuid4())
    digest = hashlib.sha256("\0".join(["tester", "POST", path, key, ""]).encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    database.execute("select pg_advisory_lock(%s)", number)
    try:
        assert code_of(manager.post(path, body, key=key, expect=409)) == "idempotency-in-progress"
    finally:
        database.execute("select pg_advisory_unlock(%s)", number)
    assert manager.post(path, body, key=key, expect=(200, 201, 202)).headers.get("Idempotent-Replayed") is None


# Secrets

def test_secrets_are_sealed_when_there_is_a_key(services):
    instance = services(webhook_sealing_key=SEALING_KEY)
    secret = made(instance.client(scope=SCOPE)).json()["secret"]
    with Database(instance.database_url) as database:
        stored = database.value("select secret from webhooks")
        assert stored.startswith("s") and len(stored) > 80
    assert secret not in instance.log_path.read_text()


def test_the_same_request_under_the_same_key_answers_the_same_secret(service, manager, database):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = made(manager, headers=headers), made(manager, headers=headers)
    assert again.content == first.content and again.headers["Idempotent-Replayed"] == "true"
    assert [again.headers[name] == first.headers[name] for name in ("ETag", "Location")] == [True, True]
    assert [one["id"] for one in manager.get("/v1/webhooks", expect=200).json()["data"]] == [first.json()["id"]]
    assert code_of(made(manager, headers=headers, types=["*"], expect=422)) == "idempotency-key-reused"
    other = made(service.client(scope=SCOPE, subject="another"), headers=headers).json()
    assert other["secret"] != first.json()["secret"]
    kept = [row["body"] for row in database.rows("select body from idempotency where location like '/v1/webhooks/%'")]
    assert kept and not any("whsec" in body or "{" in body for body in kept), "the records are sealed"


def test_concurrent_requests_under_one_key_make_one_endpoint(manager, database):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    answers = together([lambda: made(manager, headers=headers, expect=(201, 409)) for _ in range(8)])
    secrets = {answer.json()["secret"] for answer in answers if answer.status_code == 201}
    assert len(secrets) == 1 and {code_of(one) for one in answers if one.status_code == 409} <= {"idempotency-in-progress"}
    assert len(manager.get("/v1/webhooks", expect=200).json()["data"]) == 1


def test_a_damaged_record_of_a_secret_is_a_fault_and_makes_no_endpoint(manager, database):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    made(manager, headers=headers)
    assert database.execute("update idempotency set body = left(body, 40) where location like '/v1/webhooks/%'")
    made(manager, headers=headers, expect=500)
    assert len(manager.get("/v1/webhooks", expect=200).json()["data"]) == 1
    database.execute("delete from idempotency where location like '/v1/webhooks/%'")


def prefix_of(secret):
    """The part of a sealed secret that tells its key."""
    return secret[:9]


def test_secrets_are_sealed_anew_when_the_key_changes(services):
    """From plain to a key, and to another key; the endpoint keeps its secret and its version."""
    first = services(webhook_allow_cidrs="127.0.0.0/8")
    market = Market(first)
    with Receiver() as receiver, Database(first.database_url) as database:
        webhook = market.webhook(receiver)
        market.manager.post(f"/v1/webhooks/{webhook['id']}/rotate", {}, expect=200)
        secret = market.manager.post(f"/v1/webhooks/{webhook['id']}/rotate", {}, expect=200).json()["secret"]
        before = database.rows("select secret, secret_previous from webhooks")[0]
        assert before["secret"].startswith("p") and before["secret_previous"].startswith("p")
        first.stop()
        prefixes = []
        for key, previous in ((SEALING_KEY, None), ("another-" + SEALING_KEY, SEALING_KEY)):
            instance = services(first.database_url, webhook_allow_cidrs="127.0.0.0/8", webhook_sealing_key=key,
                                webhook_sealing_key_previous=previous)
            eventually(lambda: database.count(
                "webhooks", "secret like 's%%' and left(secret, 9) = left(secret_previous, 9) and left(secret, 9) <> all(%s)", prefixes),
                30, "all are sealed by the key")
            prefixes.append(prefix_of(database.value("select secret from webhooks")))
            moved = Market(instance)
            assert signed_by(moved, receiver, secret).is_signed_by(secret)
            assert shown(moved.manager, webhook)["version"] == 3
            instance.stop()


def test_a_secret_that_no_key_opens_stays_and_its_endpoint_gets_nothing(services):
    first = services(webhook_allow_cidrs="127.0.0.0/8", webhook_sealing_key=SEALING_KEY)
    with Receiver() as receiver, Receiver() as other, Database(first.database_url) as database:
        webhook = Market(first).webhook(receiver)
        first.stop()
        stored = database.value("select secret from webhooks")
        second = services(first.database_url, webhook_allow_cidrs="127.0.0.0/8", webhook_sealing_key="another-" + SEALING_KEY)
        market = Market(second)
        market.webhook(other)
        market.order()
        other.wait_for(2)
        eventually(lambda: second.log_events("webhook secret not readable"), 20, "the log names it")
        assert receiver.requests == [] and database.value("select secret from webhooks where id = %s", webhook["id"]) == stored


# Deliveries

class Market:
    """An instance that may send to loopback, with a shop."""

    def __init__(self, instance):
        self.instance = instance
        self.manager = instance.client(scope=SCOPE)
        self.retailer = Retailer(instance.client(), on_hand=10000, n_products=2).create()

    def webhook(self, receiver, **members):
        return made(self.manager, **{"url": receiver.url if receiver else None, "types": TRADE, **members}).json()

    def order(self):
        return self.retailer.order().json()

    def cancel(self, order):
        self.retailer.api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "test"}, expect=200)


@pytest.fixture(scope="module")
def market_instance(new_database, work_directory):
    instance = Holdfast(new_database(), work_directory, "webhooks", webhook_allow_cidrs="127.0.0.0/8",
                        webhook_sealing_key=SEALING_KEY).start()
    yield instance
    instance.stop() if instance.is_running() else None
    instance.discard()


@pytest.fixture
def market(market_instance):
    market = Market(market_instance)
    yield market
    for webhook in market.manager.get("/v1/webhooks", params={"limit": 200}, expect=200).json()["data"]:
        market.manager.delete(f"/v1/webhooks/{webhook['id']}", expect=200)


def of_order(requests, order):
    return [one.event["type"] for one in requests if one.event["data"].get("order_id") == order["id"]]


def test_an_event_arrives_signed_as_a_cloud_event(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        order = market.order()
        requests = eventually(lambda: len(of_order(taken := receiver.taken(), order)) == 2 and taken, 30, "the events of the order arrive")
        assert sorted(of_order(requests, order)) == ["fulfillment.allocated", "order.created"]
        for request in requests:
            assert request.is_signed_by(webhook["secret"]) and not request.is_signed_by("whsec_" + "A" * 43 + "=")
            assert request.id == request.event["id"] and request.event["specversion"] == "1.0"
            assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
            assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", request.headers["traceparent"])
            assert request.headers["Content-Type"] == "application/cloudevents+json"
        log = market.instance.client(scope="events:read").get("/v1/events", params={"subject": f"orders/{order['id']}"}, expect=200)
        assert log.json()["data"] == [one.event for one in requests if one.event["subject"] == f"orders/{order['id']}"]


def test_progress_shows_the_last_success_and_no_lag(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        market.order()
        receiver.wait_for(2)
        done = eventually(lambda: (now := shown(market.manager, webhook))["lag_events"] == 0 and now, 20, "no lag")
        assert done["last_success_at"] and done["failing_since"] is None and done["cursor"] != webhook["cursor"]


def test_filters_choose_the_events(market):
    with Receiver() as receiver, Receiver() as other, Receiver() as all_of_them:
        market.webhook(receiver, types=["fulfillment.*"], locations=[market.retailer.store], channels=[market.retailer.channel])
        market.webhook(other, types=["fulfillment.*"], locations=["elsewhere"])
        market.webhook(all_of_them)
        market.cancel(market.order())
        everything = all_of_them.wait_for(5)
        expected = [one.event for one in everything if one.event["type"].startswith("fulfillment.")]
        assert len(expected) == 2 and [one.event for one in receiver.wait_for(2)] == expected
        assert other.requests == []


def test_a_new_endpoint_gets_only_later_events(market):
    with Receiver() as receiver:
        before = market.order()
        eventually(lambda: len(market.instance.client(scope="events:read").get(
            "/v1/events", params={"subject": f"orders/{before['id']}"}, expect=200).json()["data"]) == 1, 20, "it is published")
        market.webhook(receiver)
        later = market.order()
        assert of_order(receiver.wait_for(2), before) == [] and len(of_order(receiver.taken(), later)) == 2


def test_a_failed_event_is_sent_again_with_the_same_id_before_later_ones_of_its_subject(market):
    """The first attempt of order.created is answered only when all events of the order are in the log, and then with 500."""
    release, tried = threading.Event(), []

    def answer(request):
        if request.event["type"] != "order.created" or tried:
            return 200
        tried.append(request.id)
        release.wait(60)
        return 500

    with Receiver(answer) as receiver, Receiver() as other:
        webhook, _ = market.webhook(receiver), market.webhook(other)
        order = market.order()
        market.cancel(order)
        everything = [one.event for one in eventually(lambda: complete(other, order), 60, "the other endpoint has them all")]
        of_others = [one for one in everything if one["subject"] != f"orders/{order['id']}"]
        eventually(lambda: len(receiver.taken()) == len(of_others), 60, "events of other subjects do not wait")
        assert {one.id for one in receiver.taken()} == {one["id"] for one in of_others}
        release.set()
        eventually(lambda: len(receiver.taken()) == len(everything), 60, "all have arrived")
        sent = [one for one in receiver.requests if one.event["subject"] == f"orders/{order['id']}"]
        assert [one.event["type"] for one in sent][:2] == ["order.created", "order.created"]
        assert [one.status for one in sent][:2] == [500, 200] and sent[0].id == sent[1].id and sent[0].body == sent[1].body
        assert [one.event["sequence"] for one in sent[1:]] == sorted(one["sequence"] for one in everything if one not in of_others)
        stamps = [int(one.headers["webhook-timestamp"]) for one in sent[:2]]
        assert stamps[1] - stamps[0] >= 4, "the first pause is five seconds, a tenth less at most"
        eventually(lambda: shown(market.manager, webhook)["failing_since"] is None, 20)
    with Database(market.instance.database_url) as database:
        eventually(lambda: database.count("webhook_failures", "webhook_id = %s", webhook["id"]) == 0, 20, "no row is left")


def complete(receiver, order):
    """The requests of a cancelled order, once the last of its events is among them."""
    requests = receiver.taken()
    return requests if any(one.event["type"] == "order.cancelled" and one.event["subject"] == f"orders/{order['id']}"
                           for one in requests) else None


def test_a_rotated_secret_signs_besides_the_new_one_for_a_time(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        path = f"/v1/webhooks/{webhook['id']}"
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        rotated = market.manager.post(f"{path}/rotate", {"overlap": "PT1H"}, headers=headers, expect=200)
        assert market.manager.post(f"{path}/rotate", {"overlap": "PT1H"}, headers=headers, expect=200).content == rotated.content
        new = rotated.json()
        assert new["secret"] != webhook["secret"] and new["secret"].startswith(new["secret_hint"]) and new["version"] == 2
        assert new["previous_secret_until"] > new["updated_at"] and "secret" not in shown(market.manager, webhook)
        request = signed_by(market, receiver, new["secret"])
        assert request.is_signed_by(webhook["secret"]) and len(request.headers["webhook-signature"].split(" ")) == 2
        last = market.manager.post(f"{path}/rotate", {"overlap": "PT0S"}, expect=200).json()
        assert last["previous_secret_until"] is None
        request = signed_by(market, receiver, last["secret"])
        assert not request.is_signed_by(new["secret"]) and len(request.headers["webhook-signature"].split(" ")) == 1


def test_a_secret_that_was_replaced_signs_no_more_after_its_time(market):
    with Receiver() as receiver, Database(market.instance.database_url) as database:
        webhook = market.webhook(receiver)
        new = market.manager.post(f"/v1/webhooks/{webhook['id']}/rotate", {}, expect=200).json()
        database.execute("update webhooks set previous_until = now() - interval '1 second', version = version + 1 where id = %s",
                         webhook["id"])
        eventually(lambda: not signed_by(market, receiver, new["secret"]).is_signed_by(webhook["secret"]), 30, "one signature")


def signed_by(market, receiver, secret):
    """The first request that the secret signs; orders are placed until there is one. Every request before is signed otherwise."""
    def one():
        order = market.order()
        eventually(lambda: len(of_order(receiver.taken(), order)) == 2, 30, "the events of the order")
        return receiver.taken()[-1] if receiver.taken()[-1].is_signed_by(secret) else None
    return eventually(one, 30, "the secret is in use")


# Test events

def ping(market, webhook):
    """Ask for a test event, and give its attempt."""
    sent = market.manager.post(f"/v1/webhooks/{webhook['id']}/test", {}, expect=202).json()
    assert sent["type"] == "webhook.ping"
    return eventually(lambda: attempts(market.manager, webhook, event_id=sent["event_id"]), 20, "the attempt is stored")[0]


def test_a_test_event_is_signed_and_its_attempt_is_listed(market):
    with Receiver(lambda request: (202, {}, b"pong")) as receiver:
        webhook = market.webhook(receiver, types=["order.*"])
        attempt = ping(market, webhook)
        request = receiver.taken(202)[0]
        assert request.id == attempt["event_id"] == request.event["id"] and request.is_signed_by(webhook["secret"])
        assert (request.event["type"], request.event["subject"]) == ("webhook.ping", f"webhooks/{webhook['id']}")
        assert (attempt["status"], attempt["answer"], attempt["attempt"], attempt["next_at"]) == (202, "pong", 1, None)
        assert len(receiver.requests) == 1 and shown(market.manager, webhook)["last_success_at"] is None


@pytest.mark.parametrize("state", ["paused", "disabled"])
def test_a_test_event_goes_to_an_endpoint_in_every_state_and_is_not_repeated(market, state):
    with Receiver(lambda request: 500) as receiver, Database(market.instance.database_url) as database:
        webhook = market.webhook(receiver)
        database.execute("update webhooks set state = %s, version = version + 1 where id = %s", state, webhook["id"])
        assert ping(market, webhook)["status"] == 500 and len(receiver.requests) == 1
        assert ping(market, webhook)["status"] == 500 and len(receiver.requests) == 2
        assert shown(market.manager, webhook)["failing_since"] is None


def test_the_test_events_of_an_endpoint_that_wait_are_limited(services):
    manager = services(sweeper=0).client(scope=SCOPE)
    path = f"/v1/webhooks/{made(manager).json()['id']}/test"
    for _ in range(10):
        manager.post(path, {}, expect=202)
    assert code_of(manager.post(path, {}, expect=422)) == "too-many"


# Replays

def replayed(market, webhook, **body):
    return market.manager.post(f"/v1/webhooks/{webhook['id']}/replay", body, expect=200).json()


def settled(market, webhook):
    """Wait until the endpoint has no lag and no replay."""
    return eventually(lambda: (now := shown(market.manager, webhook))["lag_events"] == 0 and now["replay"] is None and now, 30,
                      "all is delivered")


def ids_of(requests):
    return [one.id for one in requests]


def test_a_replay_sends_the_events_after_a_cursor_once_more_with_the_same_ids(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        market.order()
        receiver.wait_for(2)
        middle = settled(market, webhook)["cursor"]
        for _ in range(2):
            market.order()
        first = ids_of(receiver.wait_for(6))
        settled(market, webhook)
        assert replayed(market, webhook, **{"from": middle})["replay"]["only_failed"] is False
        again = ids_of(receiver.wait_for(10))[6:]
        settled(market, webhook)
        assert sorted(again) == sorted(first[2:])
        assert {one.body for one in receiver.taken()[6:]} <= {one.body for one in receiver.taken()[:6]}


def test_a_replay_ends_at_its_end_and_keeps_to_its_types(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        start = shown(market.manager, webhook)["cursor"]
        order = market.order()
        receiver.wait_for(2)
        middle = settled(market, webhook)["cursor"]
        market.order()
        receiver.wait_for(4)
        settled(market, webhook)
        replayed(market, webhook, **{"from": start, "to": middle, "types": ["order.*"]})
        settled(market, webhook)
        assert [one.event["type"] for one in receiver.wait_for(5)[4:]] == ["order.created"]
        assert receiver.taken()[4].event["data"]["order_id"] == order["id"] and len(receiver.taken()) == 5


def test_a_replay_takes_times_of_publication(market):
    with Receiver() as receiver, Database(market.instance.database_url) as database:
        webhook = market.webhook(receiver)
        orders = [market.order() for _ in range(3)]
        receiver.wait_for(6)
        settled(market, webhook)
        times = [database.value("select to_char(published_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from event_log"
                                " where subject_id = %s and type = 'order.created'", order["id"]) for order in orders]
        replayed(market, webhook, **{"from": times[1], "to": times[2], "types": ["order.created"]})
        settled(market, webhook)
        assert [one.event["data"]["order_id"] for one in receiver.taken()[6:]] == [orders[1]["id"]]
        replayed(market, webhook, **{"from": "2020-01-01T00:00:00Z", "to": times[0]})
        settled(market, webhook)
        sent = [one.event["data"].get("order_id") for one in receiver.taken()[7:]]
        assert not set(sent) & {order["id"] for order in orders}
        assert replayed(market, webhook, **{"from": "2099-01-01T00:00:00Z"})["replay"] is None


def test_one_event_is_sent_once_more(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        market.order()
        wanted = receiver.wait_for(2)[0]
        eventually(lambda: len(attempts(market.manager, webhook)) == 2, 20, "the attempts are stored")
        replayed(market, webhook, event_id=wanted.id)
        settled(market, webhook)
        assert ids_of(receiver.wait_for(3))[2:] == [wanted.id] and receiver.taken()[2].body == wanted.body
        unknown = market.manager.post(f"/v1/webhooks/{webhook['id']}/replay", {"event_id": webhook["id"]}, expect=422)
        assert unknown.json()["errors"][0]["code"] == "unknown-event"


def test_a_replay_of_failed_events_sends_those_that_were_given_up(market):
    with Receiver() as receiver, Database(market.instance.database_url) as database:
        webhook = market.webhook(receiver)
        start = shown(market.manager, webhook)["cursor"]
        market.order()
        first = receiver.wait_for(2)
        settled(market, webhook)
        given_up = first[0]
        database.execute("insert into webhook_failures (webhook_id, position, event_id, attempts, died_at)"
                         " select %s, position, id, 10, now() from event_log where id = %s", webhook["id"], given_up.id)
        replayed(market, webhook, **{"from": start, "only_failed": True})
        assert ids_of(receiver.wait_for(3))[2:] == [given_up.id]
        settled(market, webhook)
        eventually(lambda: database.count("webhook_failures", "webhook_id = %s", webhook["id"]) == 0, 20, "it is delivered after all")


def test_an_endpoint_has_one_replay_at_a_time(market):
    """The endpoint is paused, so the first replay waits."""
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        start = shown(market.manager, webhook)["cursor"]
        market.order()
        receiver.wait_for(2)
        settled(market, webhook)
        path = f"/v1/webhooks/{webhook['id']}"
        market.manager.post(f"{path}/pause", {}, expect=200)
        assert replayed(market, webhook, **{"from": start})["replay"]["types"] is None
        assert code_of(market.manager.post(f"{path}/replay", {"from": start}, expect=409)) == "invalid-transition"
        market.manager.post(f"{path}/resume", {}, expect=200)
        assert sorted(ids_of(receiver.wait_for(4))[2:]) == sorted(ids_of(receiver.taken()[:2]))
        settled(market, webhook)


@pytest.mark.parametrize("body, pointer, code", [
    ({}, "#/from", "either-or"), ({"from": "now", "event_id": str(uuid.uuid4())}, "#/event_id", "either-or"),
    ({"event_id": str(uuid.uuid4()), "only_failed": True}, "#/only_failed", "conflict"),
    ({"event_id": str(uuid.uuid4()), "to": "x"}, "#/to", "conflict"), ({"event_id": str(uuid.uuid4()), "types": ["*"]}, "#/types", "conflict"),
    ({"from": "yesterday"}, "#/from", "malformed"), ({"from": "2020-01-01T00:00:00Z", "to": "x"}, "#/to", "malformed"),
    ({"from": "2020-01-01T00:00:00Z", "types": ["order"]}, "#/types/0", "not-allowed"), ({"from": ""}, "#/from", "too-short")])
def test_an_invalid_replay_is_refused_with_its_place(manager, body, pointer, code):
    refused = manager.post(f"/v1/webhooks/{made(manager).json()['id']}/replay", body, expect=422).json()
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in refused["errors"]]


def test_a_replay_from_a_cursor_that_the_log_no_longer_has_is_refused(services):
    instance = services()
    market = Market(instance)
    webhook = market.webhook(None, url=URL)
    start = shown(market.manager, webhook)["cursor"]
    with Database(instance.database_url) as database:
        market.order()
        head = eventually(lambda: database.value("select revision from revisions where topic = 'events'"), 20, "it is published")
        database.execute("update event_log_parts set first = %s + 5 where first = (select min(first) from event_log_parts where first >= 0)",
                         head)
        refused = market.manager.post(f"/v1/webhooks/{webhook['id']}/replay", {"from": start}, expect=410)
        assert code_of(refused) == "cursor-expired"


# Attempts

def attempts(client, webhook, **params):
    return client.get(f"/v1/webhooks/{webhook['id']}/attempts", params=params, expect=200).json()["data"]


def test_attempts_are_listed_newest_first_with_answer_and_next_time(market):
    """One event fails once and is delivered then; another one is delivered at once."""
    failed = []

    def answer(request):
        if request.event["type"] == "order.created" and not failed:
            failed.append(request.id)
            return 503, {}, b"not \xff\x00 now " + 2000 * b"x"
        return 200, {}, b"thanks"

    with Receiver(answer) as receiver:
        webhook = market.webhook(receiver, mode="parallel")
        market.order()
        receiver.wait_for(2)
        listed = eventually(lambda: len(found := attempts(market.manager, webhook)) == 3 and found, 20, "all are stored")
        assert [one["at"] for one in listed] == sorted((one["at"] for one in listed), reverse=True)
        assert attempts(market.manager, webhook, result="failed") == [one for one in listed if one["status"] == 503]
        assert attempts(market.manager, webhook, result="ok") == [one for one in listed if one["status"] == 200]
        of_event = attempts(market.manager, webhook, event_id=failed[0])
        assert [(one["attempt"], one["result"], one["status"]) for one in of_event] == [(2, "ok", 200), (1, "failed", 503)]
        assert of_event[1]["answer"] == "not \ufffd\ufffd now " + 1013 * "x" and of_event[1]["error"] is None
        assert of_event[1]["next_at"] <= of_event[0]["at"] and of_event[0]["next_at"] is None
        assert of_event[0]["answer"] == "thanks" and all(0 <= one["ms"] < 15000 for one in listed)
        assert attempts(market.manager, webhook, event_id=failed[0], result="ok") == of_event[:1]
        assert attempts(market.manager, webhook, event_id=webhook["id"]) == []


def test_attempts_are_listed_page_by_page(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        for _ in range(3):
            market.order()
        receiver.wait_for(6)
        path = f"/v1/webhooks/{webhook['id']}/attempts"
        eventually(lambda: len(attempts(market.manager, webhook)) == 6, 20, "all are stored")
        for params in ({}, {"result": "ok"}):
            found, cursor = [], None
            while cursor or not found:
                page = market.manager.get(path, params={"limit": 2, **params, **({"cursor": cursor} if cursor else {})}, expect=200).json()
                found, cursor = found + page["data"], page["next_cursor"]
            assert found == attempts(market.manager, webhook)


def test_an_attempt_without_an_answer_tells_why(market):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        webhook = market.webhook(None, url=f"http://127.0.0.1:{closed.getsockname()[1]}/")
        market.order()
        found = eventually(lambda: attempts(market.manager, webhook, result="failed"), 20, "a failure is stored")[-1]
        assert (found["status"], found["answer"], found["error"]) == (None, None, "the connection was refused")


def test_attempts_of_endpoints_of_others_are_not_shown(market):
    webhook = market.webhook(None, url=URL)
    bound = market.instance.client(scope=SCOPE, locations=["berlin"])
    assert code_of(bound.get(f"/v1/webhooks/{webhook['id']}/attempts", expect=404)) == "not-found"


def test_a_410_disables_the_endpoint(market):
    with Receiver(lambda request: 410) as receiver:
        webhook = market.webhook(receiver)
        market.order()
        eventually(lambda: shown(market.manager, webhook)["state"] == "disabled", 20, "it is disabled")
        assert len({one.id for one in receiver.requests}) <= 8
        receiver.answer = lambda request: 200
        market.manager.post(f"/v1/webhooks/{webhook['id']}/resume", {}, expect=200)
        receiver.wait_for(2)


# Events about endpoints

def logged(market, webhook):
    """Type, version and reason of the events about the endpoint."""
    page = market.instance.client(scope="events:read").get("/v1/events", params={"subject": f"webhooks/{webhook['id']}"}, expect=200)
    return [(one["type"], one["data"]["version"], one["data"].get("reason")) for one in page.json()["data"]]


def test_each_change_of_an_endpoint_has_its_event_and_version(market):
    webhook = market.webhook(None, url=URL)
    path = f"/v1/webhooks/{webhook['id']}"
    market.manager.post(f"{path}/pause", {}, expect=200)
    market.manager.post(f"{path}/pause", {}, expect=200)
    market.manager.put(path, {"url": URL, "types": ["*"]}, expect=200)
    market.manager.put(path, {"url": URL, "types": ["*"]}, expect=200)
    market.manager.post(f"{path}/resume", {}, expect=200)
    market.manager.post(f"{path}/rotate", {}, expect=200)
    market.manager.delete(path, expect=200)
    told = ["created", "paused", "changed", "resumed", "secret_rotated", "deleted"]
    expected = [(f"webhook.{name}", version, None) for version, name in enumerate(told, start=1)]
    eventually(lambda: logged(market, webhook) == expected, 20, "all are published")


def disabled_by_failures(market, database, webhook, time):
    """Without a success for the time. The instance may save the progress that it knows at any moment, so this is said again until it acts."""
    def is_disabled():
        database.execute("update webhook_progress set failing_since = now() - %s::interval where webhook_id = %s", time, webhook["id"])
        return shown(market.manager, webhook)["state"] == "disabled"

    eventually(is_disabled, 30, "it is disabled")


def test_an_event_tells_why_an_endpoint_is_disabled(market):
    with Receiver(lambda request: 410) as receiver, Database(market.instance.database_url) as database:
        gone, failing = market.webhook(receiver), market.webhook(None, url=URL, types=["return.*"])
        disabled_by_failures(market, database, failing, "5 days 1 second")
        eventually(lambda: logged(market, failing)[1:] == [("webhook.endpoint_disabled", 2, "failing")], 30, "it is told")
        market.order()
        eventually(lambda: logged(market, gone)[1:] == [("webhook.endpoint_disabled", 2, "gone")], 30, "it is disabled")
        assert {shown(market.manager, webhook)["state"] for webhook in (gone, failing)} == {"disabled"}


def test_an_endpoint_that_is_resumed_after_days_of_failures_is_not_disabled_again(market):
    with Receiver() as receiver, Database(market.instance.database_url) as database:
        webhook = market.webhook(receiver)
        disabled_by_failures(market, database, webhook, "6 days")
        market.manager.post(f"/v1/webhooks/{webhook['id']}/resume", {}, expect=200)
        market.order()
        receiver.wait_for(2)
        settled(market, webhook)
        assert shown(market.manager, webhook)["state"] == "active"


def test_an_event_tells_of_each_delivery_that_was_given_up_but_of_events_about_endpoints(market):
    """Another endpoint gets these events; the one that failed does not."""
    with Receiver() as receiver, Receiver() as watcher, Database(market.instance.database_url) as database:
        webhook = market.webhook(receiver, types=["*"])
        watching = market.webhook(watcher, types=["webhook.delivery_failed"])
        market.order()
        sent = eventually(lambda: len(found := receiver.taken()) >= 3 and found, 30, "events of the order and of the other endpoint")
        settled(market, webhook)
        database.execute("insert into webhook_failures (webhook_id, position, event_id, attempts, died_at)"
                         " select %s, position, id, 10, now() from event_log where id = any(%s::uuid[])",
                         webhook["id"], [one.id for one in sent])
        trade = [one.id for one in sent if not one.event["type"].startswith("webhook.")]
        told = [one.event for one in watcher.wait_for(len(trade))]
        assert sorted(one["data"]["event_id"] for one in told) == sorted(trade)
        assert {(one["subject"], one["data"]["attempts"]) for one in told} == {(f"webhooks/{webhook['id']}", 10)}
        eventually(lambda: database.count("webhook_failures", "not is_told") == 0, 20, "all are told")
        settled(market, webhook)
        settled(market, watching)
        assert not [one for one in receiver.taken() if one.event["subject"] == f"webhooks/{webhook['id']}"]
        assert len(watcher.taken()) == len(trade)


def test_a_paused_endpoint_gets_its_events_when_it_is_resumed(market):
    """A later endpoint is served only after the instance has read all changes before it, so also the pause."""
    with Receiver() as receiver, Receiver() as other:
        webhook = market.webhook(receiver)
        market.manager.post(f"/v1/webhooks/{webhook['id']}/pause", {}, expect=200)
        market.webhook(other)
        before = market.order()
        eventually(lambda: len(of_order(other.taken(), before)) == 2, 30, "the later endpoint is served")
        order = market.order()
        eventually(lambda: len(of_order(other.taken(), order)) == 2, 30, "the later endpoint is served")
        assert of_order(receiver.requests, order) == []
        market.manager.post(f"/v1/webhooks/{webhook['id']}/resume", {}, expect=200)
        eventually(lambda: len(of_order(receiver.taken(), order)) == 2, 30, "the resumed endpoint gets them")
        assert len(of_order(receiver.taken(), before)) == 2


def test_a_changed_url_gets_the_events_that_failed(market):
    with Receiver(lambda request: 503) as broken, Receiver() as receiver:
        webhook = market.webhook(broken)
        order = market.order()
        broken.wait_for(2, status=503)
        market.manager.put(f"/v1/webhooks/{webhook['id']}", {"url": receiver.url, "types": TRADE}, expect=200)
        assert sorted(of_order(receiver.wait_for(2), order)) == ["fulfillment.allocated", "order.created"]


def test_redirects_are_not_followed(market):
    with Receiver() as target:
        with Receiver(lambda request: (302, {"Location": target.url})) as receiver:
            market.webhook(receiver)
            market.order()
            receiver.wait_for(2, status=302)
            assert target.requests == []


def test_a_dead_and_a_slow_endpoint_do_not_delay_others(market):
    release = threading.Event()
    with socket.socket() as silent, Receiver(lambda request: release.wait(30) and 200) as slow, Receiver() as healthy:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        dead = market.webhook(healthy, url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        market.webhook(slow)
        market.webhook(healthy)
        orders = [market.order() for _ in range(10)]
        healthy.wait_for(20, within=10)
        assert {one.event["data"].get("order_id") for one in healthy.taken()} == {order["id"] for order in orders}
        assert shown(market.manager, dead)["last_success_at"] is None
        release.set()
        slow.wait_for(20)


def test_a_name_that_resolves_to_a_private_address_is_not_connected_to(services):
    """The address decides at connect: nothing of the URL tells."""
    instance = services(webhook_allow_cidrs="10.99.0.0/16")
    market = Market(instance)
    name = socket.gethostname()
    with Receiver(address=socket.gethostbyname(name)) as receiver:
        port = receiver.url.rsplit(":", 1)[1]
        webhook = made(market.manager, url=f"http://{name}:{port}/", types=TRADE).json()
        market.order()
        eventually(lambda: shown(market.manager, webhook)["failing_since"], 20, "an attempt has failed")
        assert receiver.requests == []


# Receivers of the documentation

def example_of(language):
    return re.search(rf"```{language}\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text(), re.DOTALL)[1]


@pytest.mark.parametrize("language, program, name", [("js", "node", "receiver.js"), ("python", "python3", "receiver.py")])
def test_the_receivers_of_the_documentation_verify_signatures(market, tmp_path, language, program, name):
    if not shutil.which(program):
        pytest.fail(f"{program} is needed to run the receiver of the documentation")
    (tmp_path / name).write_text(example_of(language))
    port = free_port()
    webhook = market.webhook(None, url=f"http://127.0.0.1:{port}/")
    process = subprocess.Popen([program, tmp_path / name, str(port)], env={**os.environ, "SECRET": webhook["secret"]},
                               stdout=subprocess.PIPE, text=True)
    try:
        eventually(lambda: is_open(port), 20, "the receiver listens")
        assert httpx.post(f"http://127.0.0.1:{port}/", content=b"{}", headers={
            "webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}).status_code == 401
        order = market.order()
        assert process.stdout.readline().split() == ["order.created", f"orders/{order['id']}"]
    finally:
        process.kill()
        process.wait()


VERIFIER = """
const { Webhook } = require("standardwebhooks");
const { secret, headers, body } = JSON.parse(require("fs").readFileSync(0));
try { console.log(new Webhook(secret).verify(body, headers).id); } catch (error) { console.log(error.name); }
"""


def verified(secret, request, **headers):
    """The id of the event by the npm package standardwebhooks, or the name of its error."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    told = {"secret": secret, "body": request.body.decode(), "headers": {**{name: request.headers[name] for name in names}, **headers}}
    done = subprocess.run(["node", "-e", VERIFIER], input=json.dumps(told), capture_output=True, text=True, check=True,
                          env={**os.environ, "NODE_PATH": str(ROOT / "tests" / "support" / "npm")})
    return done.stdout.strip()


def test_the_package_of_standard_webhooks_verifies_signatures_also_while_a_secret_is_replaced(market):
    with Receiver() as receiver:
        webhook = market.webhook(receiver)
        market.order()
        request = receiver.wait_for(2)[0]
        assert verified(webhook["secret"], request) == request.id
        assert verified("whsec_" + "A" * 43 + "=", request) == "WebhookVerificationError"
        assert verified(webhook["secret"], request, **{"webhook-id": str(uuid.uuid4())}) == "WebhookVerificationError"
        new = market.manager.post(f"/v1/webhooks/{webhook['id']}/rotate", {}, expect=200).json()["secret"]
        both = signed_by(market, receiver, new)
        assert verified(new, both) == verified(webhook["secret"], both) == both.id
        old = {"webhook-timestamp": str(int(time.time()) - 400)}
        assert verified(new, both, **old) == "WebhookVerificationError"


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
