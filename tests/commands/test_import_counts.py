"""holdfast import stock: the time of a count, movements that a figure of now overrides, and promises that it takes away."""

import pytest

from support.importing import OK, SOME_REFUSED, WRONG_USAGE, Importer

STOCK = "location,sku,on_hand"


@pytest.fixture
def importer(service, tmp_path):
    return Importer(service, tmp_path)


@pytest.fixture
def take(importer, retailer):
    def take(*figures, options=(), header=STOCK, expect=OK):
        path = importer.write("stock.csv", header, *(f"{retailer.store},{sku},{figure}" for sku, figure in figures))
        return importer.run("stock", path, *options, expect=expect)
    return take


def sell(api, retailer, *units, reason="sale"):
    for one in units:
        api.post("/v1/inventory/adjustments/batch", {"items": [
            {"location": retailer.store, "sku": retailer.sku, "delta": one, "reason": reason}]}, expect=207)


def age(database, retailer, hours):
    database.execute("update ledger set recorded_at = recorded_at - make_interval(hours => %s) where location = %s",
                     hours, retailer.store)


def ago(database, minutes):
    return database.value("select to_char(clock_timestamp() at time zone 'UTC' - make_interval(mins => %s),"
                          " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", minutes)


def test_a_count_keeps_the_movements_after_its_time(take, api, retailer, database):
    """A count in the evening, a sale of 3, the file at night: 7, however often it is imported."""
    take((retailer.sku, 12))
    age(database, retailer, 2)
    sell(api, retailer, -3)
    options = ("--counted-at", ago(database, 60))
    assert take((retailer.sku, 10), options=options).lines == (1, 0, 0)
    assert retailer.figures()["on_hand"] == 7
    outcome = take((retailer.sku, 10), options=options)
    assert outcome.lines == (0, 1, 0) and outcome["movements overridden since the last import"] == 0
    sell(api, retailer, -1)
    take((retailer.sku, 10), options=options)
    assert retailer.figures()["on_hand"] == 6


def test_a_file_that_was_imported_as_of_now_is_mended_by_its_time(take, api, retailer, database):
    take((retailer.sku, 10))
    age(database, retailer, 2)
    sell(api, retailer, -3)
    take((retailer.sku, 10))
    assert retailer.figures()["on_hand"] == 10
    take((retailer.sku, 10), options=("--counted-at", ago(database, 60)))
    assert retailer.figures()["on_hand"] == 7


def test_a_row_may_name_another_time_than_the_file(take, api, retailer, database):
    take((retailer.sku, 10), (retailer.skus[1], 10))
    age(database, retailer, 2)
    sell(api, retailer, -3)
    counted = ago(database, 60)
    outcome = take((retailer.sku, f"9,{counted}"), (retailer.skus[1], "8,"), (retailer.skus[2], "8,yesterday"),
                   header=STOCK + ",counted_at", expect=SOME_REFUSED)
    assert outcome.lines == (2, 0, 1) and "counted_at" in outcome.refusals[4]
    assert retailer.figures()["on_hand"] == 6 and retailer.figures(retailer.skus[1])["on_hand"] == 8


def test_a_figure_of_now_counts_the_movements_that_it_overrides(take, api, retailer):
    name = "movements overridden since the last import"
    assert take((retailer.sku, 20))[name] == 0  # the retailer began with a count
    assert take((retailer.sku, 20))[name] == 0
    sell(api, retailer, -3, -1)
    sell(api, retailer, 5, reason="receipt")
    assert take((retailer.sku, 20))[name] == 3
    assert take((retailer.sku, 20))[name] == 0
    sell(api, retailer, -3)
    assert take((retailer.sku, 17))[name] == 0  # the file knows of it
    assert retailer.figures()["on_hand"] == 17


def test_a_count_by_another_way_is_no_movement_that_is_overridden(take, api, retailer):
    name = "movements overridden since the last import"
    take((retailer.sku, 10))
    retailer.stock({(retailer.store, retailer.sku): 5})
    sell(api, retailer, -2)
    assert retailer.figures()["on_hand"] == 3
    assert take((retailer.sku, 10))[name] == 1
    retailer.stock({(retailer.store, retailer.sku): 5})
    assert take((retailer.sku, 10))[name] == 0


@pytest.mark.parametrize("time, word", [("2999-01-01T00:00:00Z", "yet to come"), ("2026-11-30T18:00:00", "offset"),
                                        ("yesterday", "offset"), ("", "offset")])
def test_a_time_that_cannot_be_is_refused_before_anything_is_taken(take, retailer, time, word):
    outcome = take((retailer.sku, 3), options=("--counted-at", time), expect=WRONG_USAGE)
    assert word in outcome.stderr and retailer.figures()["on_hand"] == 10


def test_more_than_was_counted_cannot_have_left(take, api, retailer, database):
    age(database, retailer, 2)
    sell(api, retailer, -3)
    outcome = take((retailer.sku, 2), options=("--counted-at", ago(database, 60)), expect=SOME_REFUSED)
    assert "2 were counted, and 3 have left since" in outcome.refusals[2] and retailer.figures()["on_hand"] == 7


@pytest.mark.parametrize("timed", [False, True])
def test_the_message_says_how_many_promised_units_a_count_takes_away(take, retailer, database, service, timed):
    retailer.reserve([{"sku": retailer.sku, "quantity": 4}])
    retailer.order([{"sku": retailer.sku, "quantity": 3}])
    age(database, retailer, 2)
    outcome = take((retailer.sku, 2), options=("--counted-at", ago(database, 60)) if timed else ())
    assert outcome["taken"] == 1 and outcome["promised units taken away"] == 5
    assert "takes 5 promised units away" in outcome.refusals[2] and retailer.sku in outcome.refusals[2]
    assert retailer.figures()["reserved"] == 2
    service.assert_audit_clean()
