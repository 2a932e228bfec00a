"""A row that a session held for too long and releases: later calls get it as before."""

import threading
from collections import Counter

from support.crowd import Started, rush, shoppers
from support.lone import WAIT_S, holding
from support.waiting import eventually


def test_a_row_that_was_stuck_is_sold_as_before_when_it_is_free(pair, token, shelf_of):
    """Both instances remember that it was stuck, and both want it: their own short locks must not keep that alive."""
    shelf = shelf_of(units=1_000_000)
    ended, turned_away = threading.Event(), []

    async def shop(shopper):
        while not ended.is_set():
            answer = await shopper.reserve(shelf.location, {shelf.sku: 1})
            if answer.status == 503:
                turned_away.append(answer)

    with holding(shelf):
        crowd = Started(*map(shop, shoppers(100, *pair, token=token)))
        eventually(lambda: len(turned_away) >= 50, WAIT_S, "both know that it is stuck")
    answers = [answer for _ in range(10) for answer in rush(
        shoppers(50, *pair, token=token), lambda shopper, i: shopper.reserve(shelf.location, {shelf.sku: 1}))]
    ended.set()
    crowd.answers()

    assert Counter(answer.status for answer in answers) == {201: 500}
    shelf.assert_adds_up()
