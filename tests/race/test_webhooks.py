"""Webhooks while instances die: no event is lost, repeats have equal ids, and each subject keeps its order."""

import pytest

from support.database import Database
from support.holdfast import Holdfast
from support.receiver import Receiver
from support.retailer import Retailer
from support.waiting import eventually, together

DEATHS = 4
ORDERS = 8  # between two deaths
ENDPOINTS = 6
TRADE = ["order.*", "fulfillment.*"]
ROUNDS = 12  # of orders, without deaths
WITHIN_S = 90


@pytest.fixture
def deliverers(new_database, work_directory):
    """Two instances that deliver, on one database."""
    url = new_database()
    instances = [Holdfast(url, work_directory, f"deliverer-{n}", webhook_allow_cidrs="127.0.0.0/8").start() for n in (1, 2)]
    yield instances
    try:
        instances[0].assert_audit_clean()
        for instance in instances:
            instance.stop()
    finally:
        for instance in instances:
            instance.discard()


def fails_at_first(request, seen):
    """A seventh of all events fails once."""
    known = request.id in seen
    seen.add(request.id)
    return 500 if not known and int(request.id[-4:], 16) % 7 == 0 else 200


def rebound(retailer, client):
    """The same retailer, by another instance."""
    other = Retailer.__new__(Retailer)
    other.__dict__.update(retailer.__dict__, api=client)
    return other


def trade(instance, retailer):
    def order_and_cancel(i):
        client = instance.client()
        made = rebound(retailer, client).order().json()
        if i % 2:
            client.post(f"/v1/orders/{made['id']}/cancel", {"reason": "race"}, expect=200)
    together([lambda i=i: order_and_cancel(i) for i in range(ORDERS)])


def end_leases_of_the_dead(database):
    """The other instance need not wait for 28 seconds. One that lives keeps its leases: it may be sending."""
    now = database.value("select now()")
    alive = eventually(lambda: [row["id"] for row in database.rows(
        "select instance::text as id from webhook_deliverers where seen_at > %s", now)], WITHIN_S, "the living instance shows")
    database.execute("update webhook_progress set leased_until = now() where leased_by <> all(%s::uuid[])", alive)


def assert_complete(database, receiver, webhook, after):
    logged = [row["id"] for row in database.rows("select id::text from event_log where subject_kind <> 'webhooks' and position > %s order by position", after)]
    eventually(lambda: {one.id for one in receiver.taken()} == set(logged), WITHIN_S, "every event has arrived")
    first, bodies = {}, {}
    for place, request in enumerate(receiver.taken()):
        first.setdefault(request.id, place)
        assert bodies.setdefault(request.id, request.body) == request.body, "a repeat is equal"
        assert request.is_signed_by(webhook["secret"])
    subjects = {}
    for request in receiver.taken():
        subjects.setdefault(request.event["subject"], {})[request.event["sequence"]] = first[request.id]
    for subject, arrivals in subjects.items():
        in_order = [arrivals[sequence] for sequence in sorted(arrivals)]
        assert in_order == sorted(in_order), f"events of {subject} have overtaken each other"


def test_killed_deliverers_lose_no_event_and_keep_the_order_of_each_subject(deliverers):
    seen = set()
    with Database(deliverers[0].database_url) as database, Receiver(lambda request: fails_at_first(request, seen)) as receiver:
        retailer = Retailer(deliverers[0].client(), on_hand=10000, n_products=2).create()
        webhook = deliverers[0].client(scope="webhooks:manage").post(
            "/v1/webhooks", {"url": receiver.url, "types": ["*"]}, expect=201).json()
        after = database.value("select cursor from webhook_progress")
        for death in range(DEATHS):
            victim, other = deliverers[death % 2], deliverers[1 - death % 2]
            trade(other, retailer)
            victim.kill()
            trade(other, retailer)
            end_leases_of_the_dead(database)
            victim.start_again()
        eventually(lambda: database.count("events_due") == 0, WITHIN_S, "all is published")
        assert_complete(database, receiver, webhook, after)
        head = database.value("select revision from revisions where topic = 'events'")
        eventually(lambda: database.value("select cursor from webhook_progress") == head, WITHIN_S, "the cursor is at the end")
        eventually(lambda: database.count("webhook_failures") == 0, WITHIN_S, "no row is left")


def test_a_deliverer_that_stops_hands_over_at_once(deliverers):
    with Receiver() as receiver:
        retailer = Retailer(deliverers[0].client(), on_hand=100, n_products=2).create()
        deliverers[0].client(scope="webhooks:manage").post("/v1/webhooks", {"url": receiver.url, "types": ["*"]}, expect=201)
        retailer.order()
        receiver.wait_for(2)
        for n, (leaving, staying) in enumerate([deliverers, deliverers[::-1]], start=2):
            leaving.stop()
            rebound(retailer, staying.client()).order()
            receiver.wait_for(2 * n, within=20)
            leaving.start_again()
        assert len({one.id for one in receiver.taken()}) == 6


def test_without_faults_every_event_arrives_once_however_events_are_published_meanwhile(deliverers):
    """Events are published while a deliverer reads the log, many times."""
    with Database(deliverers[0].database_url) as database, Receiver() as receiver:
        retailer = Retailer(deliverers[0].client(), on_hand=10000, n_products=2).create()
        deliverers[0].client(scope="webhooks:manage").post("/v1/webhooks", {"url": receiver.url, "types": ["*"], "max_in_flight": 32},
                                                           expect=201)
        after = database.value("select cursor from webhook_progress")
        for _ in range(ROUNDS):
            trade(deliverers[0], retailer)
        logged = [row["id"] for row in eventually(lambda: database.count("events_due") == 0 and database.rows(
            "select id::text from event_log where subject_kind <> 'webhooks' and position > %s", after), WITHIN_S, "all is published")]
        eventually(lambda: {one.id for one in receiver.taken()} >= set(logged), WITHIN_S, "every event has arrived")
        assert sorted(one.id for one in receiver.taken()) == sorted(logged)


def holders(database):
    """How many endpoints each instance has leased, the fewest first."""
    return sorted(row["n"] for row in database.rows(
        "select count(*) as n from webhook_progress where leased_until > now() group by leased_by"))


def test_instances_share_the_endpoints_and_one_that_dies_hands_over_within_30_seconds(deliverers):
    """Each event reaches each endpoint while the leases move, and nothing but the end of the leases moves them."""
    with Database(deliverers[0].database_url) as database, Receiver() as receiver:
        manager = deliverers[0].client(scope="webhooks:manage")
        retailer = Retailer(deliverers[0].client(), on_hand=10000, n_products=2).create()
        for n in range(ENDPOINTS):
            manager.post("/v1/webhooks", {"url": f"{receiver.url}/{n}", "types": TRADE}, expect=201)
        eventually(lambda: holders(database) == [ENDPOINTS // 2, ENDPOINTS // 2], WITHIN_S, "the endpoints are shared evenly")
        trade(deliverers[0], retailer)
        deliverers[1].kill()
        last = database.value("select max(leased_until) from webhook_progress")
        assert database.value("select %s <= now() + interval '30 seconds'", last), "the leases end in time"
        trade(deliverers[0], retailer)
        eventually(lambda: holders(database) == [ENDPOINTS], WITHIN_S, "one instance has them all")
        deliverers[1].start_again()
        eventually(lambda: holders(database) == [ENDPOINTS // 2, ENDPOINTS // 2], WITHIN_S, "the endpoints are shared again")
        trade(deliverers[1], rebound(retailer, deliverers[1].client()))
        wanted = {row["id"] for row in eventually(lambda: database.count("events_due") == 0 and database.rows(
            "select id::text from event_log where type like 'order.%%' or type like 'fulfillment.%%'"), WITHIN_S, "all is published")}
        for n in range(ENDPOINTS):
            eventually(lambda n=n: {one.id for one in receiver.taken() if one.path == f"/{n}"} == wanted, WITHIN_S, "every event has arrived")


def test_a_replay_goes_on_after_its_instance_was_killed(deliverers):
    """Each event is sent again at least once, whichever instance reads the rest."""
    with Database(deliverers[0].database_url) as database, Receiver() as receiver:
        manager = deliverers[0].client(scope="webhooks:manage")
        retailer = Retailer(deliverers[0].client(), on_hand=10000, n_products=2).create()
        webhook = manager.post("/v1/webhooks", {"url": receiver.url, "types": TRADE}, expect=201).json()
        for _ in range(ROUNDS):
            trade(deliverers[0], retailer)
        eventually(lambda: database.count("events_due") == 0, WITHIN_S, "all is published")
        head = database.value("select revision from revisions where topic = 'events'")
        eventually(lambda: database.value("select cursor from webhook_progress") == head, WITHIN_S, "all is delivered")
        before = len(receiver.taken())
        deliverers[1].client(scope="webhooks:manage").post(f"/v1/webhooks/{webhook['id']}/replay", {"from": webhook["cursor"]}, expect=200)
        eventually(lambda: len(receiver.taken()) > before, WITHIN_S, "the replay has begun")
        for victim in deliverers:
            victim.kill()
            end_leases_of_the_dead(database)
            victim.start_again()
        eventually(lambda: database.count("webhook_replays") == 0 and database.count("webhook_failures") == 0, WITHIN_S, "it has ended")
        assert {one.id for one in receiver.taken()[before:]} == {one.id for one in receiver.taken()[:before]}
