"""SIGTERM: accepted requests are answered, /readyz answers 503, and the exit code is 0."""

import threading
import uuid

import pytest

from support.crowd import Lost, Refused, Started, crowd, reservation, shoppers
from support.lone import holding, lock_waiters
from support.raw import RawConnection
from support.waiting import eventually

SHOPPERS = 40
WAIT_S = 60
LATECOMERS = 100  # more than come between two looks of the service at its connections


@pytest.fixture
def instance(services, url):
    """With the grace that a service has by default."""
    return services(url, drain_grace=None)


def test_a_grace_is_kept_though_nobody_is_connected(services, url, token, shelf):
    """A balancer that has not looked yet sends on: connections come and go, and each of them is served."""
    instance = services(url, drain_grace="PT20S")
    instance.terminate()
    eventually(lambda: instance.probe("/readyz") == 503, WAIT_S, "it drains")
    for _ in range(LATECOMERS):
        answer, = crowd(shoppers(1, instance, token=token)[0].reserve(shelf.location, {shelf.sku: 1}))
        assert (answer.status, answer.closes) == (201, True)
        assert instance.probe("/readyz") == 503
    instance.kill()


def test_no_accepted_request_is_dropped(instance, token, shelf, database):
    """Keep-alive clients that never pause: each request gets its answer; where there is none, nothing was taken on."""
    told, unanswered = {}, {}
    gone = threading.Event()

    async def shop(shopper):
        while True:
            key = str(uuid.uuid4())
            try:
                told[key] = await shopper.ask(*reservation(shelf.location, {shelf.sku: 1}, key))
            except Refused:
                if gone.is_set():
                    return
            except Lost as error:
                unanswered[key] = error

    started = Started(*map(shop, shoppers(SHOPPERS, instance, token=token)))
    eventually(lambda: len(told) >= 200, WAIT_S, "a load")
    instance.terminate()
    eventually(lambda: instance.probe("/readyz") == 503, WAIT_S, "balancers see it")
    instance.wait_stopped()
    gone.set()
    started.answers()

    assert {answer.status for answer in told.values()} == {201}
    assert any(answer.closes for answer in told.values()), "clients are asked to leave"
    promised = {answer.json()["id"] for answer in told.values()}
    found = {row["id"] for row in database.rows("select id::text from reservations")}
    assert promised == found
    assert not unanswered
    shelf.assert_adds_up()


def test_a_call_in_flight_is_answered_before_the_end(instance, token, shelf, database):
    shopper, = shoppers(1, instance, token=token)
    with holding(shelf):
        started = Started(shopper.reserve(shelf.location, {shelf.sku: 1}))
        eventually(lambda: lock_waiters(database) == 1, WAIT_S, "the call waits for a row")
        instance.terminate()
        eventually(lambda: instance.probe("/readyz") == 503, WAIT_S, "it drains")
        assert instance.is_running()
    answer, = started.answers()
    instance.wait_stopped()

    assert (answer.status, answer.closes) == (201, True)
    assert shelf.reservations() == 1


def test_a_client_during_the_drain_is_served_and_asked_to_close_or_refused(instance, token, shelf):
    instance.terminate()
    eventually(lambda: instance.probe("/readyz") != 200, WAIT_S, "it drains")
    answer, = crowd(shoppers(1, instance, token=token)[0].reserve(shelf.location, {shelf.sku: 1}))
    instance.wait_stopped()

    assert isinstance(answer, Refused) or (answer.status, answer.closes) == (201, True)
    assert shelf.reservations() == (0 if isinstance(answer, Refused) else 1)


def test_idle_and_dawdling_connections_do_not_hold_up_the_end(instance, token):
    request = f"GET /v1/reservations/{uuid.uuid4()} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    with RawConnection(instance.address) as idle, RawConnection(instance.address) as silent, \
            RawConnection(instance.address) as dawdling:
        idle.send(request)
        assert idle.reply().status == 404
        dawdling.send(request[:40])
        instance.stop()
        for connection in idle, silent, dawdling:
            connection.assert_closed()
