"""deploy/walk.py, the story that deploy/try.sh tells to newcomers, on the demo retailer that they get."""

import os
import subprocess

import pytest

from support import ROOT
from support.holdfast import Holdfast, binary

WITHIN_S = 60
BASKET = {"HEADLAMP-300": 2, "MUG-ENAMEL": 1}
STORE = "berlin-mitte"


@pytest.fixture(scope="module")
def shop(new_database, work_directory):
    """An instance with the demo retailer in it."""
    instance = Holdfast(new_database(), work_directory, "walk").start()
    for kind in ("locations", "products", "stock"):
        instance.run("import", kind, ROOT / "deploy" / "demo" / f"{kind}.csv", check=0)
    yield instance
    instance.stop()


def walk(shop, **variables):
    environment = {**shop.environment(), "API": shop.url, "PATH": f"{binary().parent}:{os.environ['PATH']}", **variables}
    return subprocess.run([str(ROOT / "deploy" / "walk.py")], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=WITHIN_S)


def on_hand(shop, sku):
    rows = shop.client().get(f"/v1/inventory/{sku}", expect=200).json()["locations"]
    return next(row["on_hand"] for row in rows if row["location"] == STORE)


def test_every_step_is_answered_as_expected_and_the_units_have_left(shop):
    before = {sku: on_hand(shop, sku) for sku in BASKET}
    done = walk(shop)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {sku: before[sku] - on_hand(shop, sku) for sku in BASKET} == BASKET
    shop.assert_audit_clean()


def test_it_can_be_walked_again_with_an_empty_shelf(shop):
    items = [{"location": STORE, "sku": sku, "on_hand": 0, "reason": "count"} for sku in BASKET]
    shop.client().post("/v1/inventory/adjustments/batch", {"items": items}, expect=207)
    done = walk(shop)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_output_has_no_colours_when_nobody_looks(shop):
    assert "\033" not in walk(shop).stdout


def test_a_surprise_ends_it_with_1_and_says_what_was_expected(shop):
    items = [{"location": STORE, "sku": sku, "on_hand": 100, "reason": "count"} for sku in BASKET]
    shop.client().post("/v1/inventory/adjustments/batch", {"items": items}, expect=207)
    shop.client().put(f"/v1/locations/{STORE}", {"name": STORE, "kind": "store", "time_zone": "Europe/Berlin", "country": "DE",
                                                 "latitude": 52.52, "longitude": 13.40, "capabilities": ["ship"]}, expect=200)
    done = walk(shop)
    assert done.returncode == 1
    assert "This was not expected: POST /v1/orders answered 422, not 201." in done.stdout


def test_a_service_that_does_not_answer_is_no_reason_for_a_trace(shop):
    done = walk(shop, API="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "does not answer" in done.stdout and not done.stderr
