"""deploy/walk.py, the story that deploy/try.sh tells to newcomers, on the demo retailer that they get."""

import os
import smtplib
import socket
import subprocess

import pytest

from support import ROOT
from support.holdfast import Holdfast, binary
from support.mail import Catcher
from support.ports import free_port
from support.waiting import eventually

WITHIN_S = 60
BASKET = {"HEADLAMP-300": 2, "MUG-ENAMEL": 1}
STORE = "berlin-mitte"


def demo(instance):
    """The instance with the demo retailer in it."""
    for kind in ("locations", "products", "stock"):
        instance.run("import", kind, ROOT / "deploy" / "demo" / f"{kind}.csv", check=0)
    return instance


@pytest.fixture(scope="module")
def shop(new_database, work_directory):
    """An instance with the demo retailer in it."""
    instance = demo(Holdfast(new_database(), work_directory, "walk").start())
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


def test_it_shows_the_mails_of_the_order_if_there_is_a_mail_server(services):
    with Catcher() as server:
        shop = demo(services(smtp_url=server.url))
        done = walk(shop)
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"kind": "ready"' in done.stdout and len(server.taken("ada@example.com")) >= 2


@pytest.fixture
def catcher(tmp_path):
    """deploy/mails.py, the mail server of deploy/try.sh: its port, and the directory of its mails."""
    port = free_port()
    process = subprocess.Popen([str(ROOT / "deploy" / "mails.py"), str(port), str(tmp_path)])
    yield port, tmp_path
    process.kill()
    process.wait()


def test_the_mail_catcher_of_a_trial_keeps_each_mail_as_a_file(catcher):
    port, directory = catcher
    eventually(lambda: accepts(port), what="it listens")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as sender:
        for text in ("one\n.\n..two", "again"):
            sender.sendmail("shop@example.org", ["ada@example.com"], f"Subject: Hello\n\n{text}\n")
    assert [file.name for file in sorted(directory.glob("*.eml"))] == ["0001.eml", "0002.eml"]
    assert (directory / "0001.eml").read_bytes() == b"Subject: Hello\r\n\r\none\r\n.\r\n..two\r\n"


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


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
