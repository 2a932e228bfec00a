"""Messages to the service manager: one datagram a word, to the socket that NOTIFY_SOCKET names."""

import os
import signal
import socket
import time
import uuid

import pytest

from support.database import Database
from support.holdfast import Holdfast

HEARD_WITHIN_S = 60
WATCHDOG_S = 2


class Manager:
    """The manager's end of the socket."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(HEARD_WITHIN_S)
        self.heard = []  # (when, {name: value})

    def hear(self):
        text = self.socket.recv(4096).decode()
        message = dict(line.split("=", 1) for line in text.splitlines())
        self.heard.append((time.monotonic(), message))
        return message

    def hear_until(self, name):
        """The next message with that word; earlier messages are kept, too."""
        while True:
            message = self.hear()
            if name in message:
                return message

    def has_heard(self, name):
        return any(name in message for _, message in self.heard)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # short enough for an address
    manager = Manager("notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield manager
    manager.socket.close()


@pytest.fixture
def instance(manager, new_database, tmp_path):
    """Not started yet."""
    instance = Holdfast(new_database(), tmp_path, "managed")
    yield instance
    instance.discard()


def test_it_is_ready_when_it_serves_and_says_so_when_it_stops(instance, manager):
    instance.start(wait=False)
    manager.hear_until("READY")
    assert instance.is_ready()
    instance.terminate()
    assert manager.hear_until("STOPPING")["STATUS"] == "Finishing running requests."
    instance.wait_stopped()
    assert not manager.has_heard("WATCHDOG"), "nobody asked for it"


def test_it_is_not_ready_before_the_database_is(instance, manager):
    name = f"late_{uuid.uuid4().hex[:8]}"
    there, _, original = instance.database_url.rpartition("/")
    instance.settings["DATABASE_URL"] = f"{there}/{name}"
    instance.start(wait=False)
    assert manager.hear() == {"STATUS": "Not ready: see /readyz."}
    with Database(f"{there}/holdfast") as database:
        database.execute(f'create database "{name}" template "{original}"')
    assert manager.hear() == {"READY": "1", "STATUS": "Serving."}
    instance.stop()


def test_hangup_is_a_reload_that_ends(instance, manager):
    instance.start(wait=False)
    manager.hear_until("READY")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    instance.process.send_signal(signal.SIGHUP)
    reloading = manager.hear_until("RELOADING")
    assert before <= int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    manager.hear_until("READY")
    instance.stop()


def test_the_watchdog_hears_from_it_until_the_loop_stands_still(instance, manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", str(WATCHDOG_S * 1000000))
    instance.start(wait=False)
    manager.hear_until("READY")
    for _ in range(3):
        manager.hear_until("WATCHDOG")
    instance.process.send_signal(signal.SIGSTOP)  # whatever the reason, the loop does not turn
    manager.socket.settimeout(2 * WATCHDOG_S)
    with pytest.raises(TimeoutError):
        while True:  # what was on its way
            manager.hear()
    instance.process.send_signal(signal.SIGCONT)
    manager.socket.settimeout(HEARD_WITHIN_S)
    manager.hear_until("WATCHDOG")
    instance.stop()


def test_the_watchdog_of_another_process_is_left_alone(instance, manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    instance.start(wait=False)
    manager.hear_until("READY")
    instance.terminate()
    manager.hear_until("STOPPING")
    instance.wait_stopped()
    assert not manager.has_heard("WATCHDOG")


def test_an_abstract_socket_gets_the_messages_as_well(new_database, tmp_path, monkeypatch):
    name = f"holdfast-test-{uuid.uuid4().hex}"
    manager = Manager(f"\0{name}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    instance = Holdfast(new_database(), tmp_path, "managed").start(wait=False)
    manager.hear_until("READY")
    instance.stop()
    manager.socket.close()


@pytest.mark.parametrize("address", ["", "@", "/", "relative", "/nobody/listens/here", "/" + "x" * 200, "vsock:2:1"])
def test_a_manager_that_cannot_be_told_does_not_matter(address, new_database, tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "not a number")
    instance = Holdfast(new_database(), tmp_path, "managed").start()
    instance.stop()
