"""The database is down, silent or not there yet: clients get 503, and nothing needs a restart afterwards."""

import uuid

import pytest

from support.crowd import Started, crowd, reservation, shoppers
from support.waiting import eventually

WAIT_S = 60


def assert_turned_away(answer):
    assert (answer.status, answer.code) in {
        (503, "database-unavailable"), (503, "overloaded"), (504, "timeout")}, answer
    assert answer.status == 504 or int(answer.headers["retry-after"]) >= 1


def is_unready_but_alive(instance):
    return instance.probe("/readyz") == 503 and instance.probe("/livez") == 200


def test_a_database_that_is_down_is_reported_and_found_again(instance, token, shelf, database, cluster):
    key = str(uuid.uuid4())
    people = shoppers(3, instance, token=token)
    made, = crowd(people[0].reserve(shelf.location, {shelf.sku: 1}))

    cluster.stop()
    database.close()
    eventually(lambda: is_unready_but_alive(instance), WAIT_S, "unready but alive")
    answers = crowd(people[0].ask("GET", f"/v1/reservations/{made.json()['id']}"),
                    people[1].ask("DELETE", f"/v1/reservations/{made.json()['id']}"),
                    people[2].ask(*reservation(shelf.location, {shelf.sku: 1}, key)))
    for answer in answers:
        assert (answer.status, answer.code) == (503, "database-unavailable")
        assert int(answer.headers["retry-after"]) >= 1

    cluster.start_again()
    done, = crowd(people[0].insist(*reservation(shelf.location, {shelf.sku: 1}, key)))
    assert (done.status, done.replayed) == (201, False)
    eventually(instance.is_ready, WAIT_S, "ready again")
    assert shelf.reservations() == 2


def test_an_instance_starts_before_its_database_does(services, url, token, shelf, cluster):
    cluster.stop()
    instance = services(url, wait=False)
    assert is_unready_but_alive(instance)
    answer, = crowd(shoppers(1, instance, token=token)[0].reserve(shelf.location, {shelf.sku: 1}))
    assert_turned_away(answer)

    cluster.start_again()
    eventually(instance.is_ready, WAIT_S, "ready")
    answer, = crowd(shoppers(1, instance, token=token)[0].insist(*reservation(shelf.location, {shelf.sku: 1})))
    assert answer.status == 201


@pytest.mark.parametrize("comes_back", ["as it was", "with its connections broken"])
def test_a_silent_database_host_is_given_up(behind_proxy, proxy, token, shelf, comes_back):
    """It takes every byte and says nothing: nobody may wait for it for ever."""
    key = str(uuid.uuid4())
    people = shoppers(12, behind_proxy, token=token)
    made, = crowd(people[0].reserve(shelf.location, {shelf.sku: 1}))

    proxy.silence()
    answers = crowd(people[0].ask("GET", f"/v1/reservations/{made.json()['id']}"),
                    people[1].ask(*reservation(shelf.location, {shelf.sku: 1}, key)),
                    *(shopper.reserve(shelf.location, {shelf.sku: 1}) for shopper in people[2:]))
    for answer in answers:
        assert_turned_away(answer)
    assert is_unready_but_alive(behind_proxy)

    proxy.resume()
    if comes_back != "as it was":
        proxy.cut()
    done, = crowd(people[0].insist(*reservation(shelf.location, {shelf.sku: 1}, key)))
    assert done.status == 201
    eventually(behind_proxy.is_ready, WAIT_S, "ready again")
    assert shelf.database.count("reservations", "id = %s", done.json()["id"]) == 1
    shelf.assert_adds_up()


def test_a_host_that_is_silent_from_the_first_moment_is_found_later(services, proxy, token, shelf):
    proxy.silence()
    instance = services(proxy.url, wait=False)
    answer, = crowd(shoppers(1, instance, token=token)[0].reserve(shelf.location, {shelf.sku: 1}))
    assert_turned_away(answer)
    assert is_unready_but_alive(instance)

    proxy.resume()
    eventually(instance.is_ready, WAIT_S, "ready")


def test_a_silent_database_does_not_hold_up_the_end(behind_proxy, proxy, token, shelf):
    proxy.silence()
    started = Started(*(shopper.reserve(shelf.location, {shelf.sku: 1})
                        for shopper in shoppers(4, behind_proxy, token=token)))
    eventually(lambda: behind_proxy.probe("/readyz") == 503, WAIT_S, "it has noticed")
    behind_proxy.stop()

    for answer in started.answers():
        assert_turned_away(answer)
