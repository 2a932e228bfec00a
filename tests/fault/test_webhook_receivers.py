"""Receivers and resolvers that misbehave, and a host with as many endpoints as a market may have."""

import socket
import ssl
import struct
import subprocess
import threading

import pytest

from support.database import Database
from support.holdfast import Holdfast, binary
from support.receiver import Receiver
from support.retailer import Retailer
from support.waiting import eventually

SCOPE = "webhooks:manage"
TRADE = ["order.*", "fulfillment.*"]
WITHIN_S = 60
RESOLVER = "127.77.0.1"  # port 53 of an address of this machine that no other resolver has
ENDPOINTS = 1000
IDLE_TICKS = 3


class Elsewhere(Holdfast):
    """An instance for which some files of the system have other content: files={path: content}."""

    def __init__(self, *arguments, files, **settings):
        super().__init__(*arguments, **settings)
        self.files = files

    def program(self):
        directory = self.log_path.parent
        script = directory / f"{self.log_path.stem}.sh"
        binds = []
        for n, (path, content) in enumerate(self.files.items()):
            (directory / f"{self.log_path.stem}-{n}").write_text(content)
            binds.append(f"mount --bind {directory / f'{self.log_path.stem}-{n}'} {path}")
        script.write_text(f"#!/bin/sh\nexec unshare --mount sh -c '{' && '.join(binds)} && exec \"$0\" \"$@\"' {binary()} \"$@\"\n")
        script.chmod(0o755)
        return script


class Shop:
    """A retailer at an instance, and a client that manages endpoints."""

    def __init__(self, instance):
        self.manager = instance.client(scope=SCOPE)
        self.retailer = Retailer(instance.client(), on_hand=10000, n_products=2).create()

    def webhook(self, url, **members):
        return self.manager.post("/v1/webhooks", {"url": url, "types": TRADE, **members}, expect=201).json()

    def order(self):
        return self.retailer.order().json()

    def attempts(self, webhook, **params):
        return self.manager.get(f"/v1/webhooks/{webhook['id']}/attempts", params=params, expect=200).json()["data"]

    def error_of(self, webhook):
        return eventually(lambda: self.attempts(webhook, result="failed"), WITHIN_S, "a failure is stored")[-1]["error"]


@pytest.fixture
def elsewhere(new_database, work_directory, request):
    started = []

    def start(database_url=None, **settings):
        name = f"{request.node.name[:50]}-{len(started)}"
        started.append(Elsewhere(database_url or new_database(), work_directory, name, **settings).start())
        return started[-1]

    yield start
    for instance in started:
        if instance.is_running():
            instance.stop()
        instance.discard()


# TLS

@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that no authority has signed, and its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=receiver",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    return paths


class SecureReceiver(Receiver):
    def __init__(self, certificate, **options):
        super().__init__(**options)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = self.url.replace("http:", "https:")


def test_a_receiver_behind_a_trusted_certificate_gets_events_and_one_behind_another_none(elsewhere, services, certificate):
    with SecureReceiver(certificate) as trusted:
        shop = Shop(elsewhere(files={"/etc/ssl/certs/ca-certificates.crt": certificate[0].read_text()}, webhook_allow_cidrs="127.0.0.0/8"))
        webhook = shop.webhook(trusted.url)
        shop.order()
        assert trusted.wait_for(2, within=WITHIN_S)[0].is_signed_by(webhook["secret"])
    with SecureReceiver(certificate) as unknown:
        shop = Shop(services(webhook_allow_cidrs="127.0.0.0/8"))
        webhook = shop.webhook(unknown.url)
        shop.order()
        assert shop.error_of(webhook) == "the certificate is not valid"
        assert unknown.requests == []


# A resolver that changes its answer

class Resolver:
    """Answers every question for an IPv4 address with `address`, and has no others."""

    def __init__(self, address):
        self.address, self.asked = address, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((RESOLVER, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(512)
            except OSError:
                return
            end = question.index(b"\0", 12) + 5
            is_ipv4 = question[end - 4:end - 2] == b"\0\1"
            self.asked += is_ipv4
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.address) if is_ipv4 else b""
            self.socket.sendto(question[:2] + b"\x81\x80" + struct.pack("!4H", 1, int(is_ipv4), 0, 0) + question[12:end] + answer, peer)

    def close(self):
        self.socket.close()


@pytest.fixture
def resolver():
    resolver = Resolver("127.1.0.1")
    yield resolver
    resolver.close()


def test_a_name_that_moves_to_an_address_which_is_not_allowed_is_connected_to_no_more(elsewhere, resolver):
    """The first instance connects; after the move another one does not, although nothing else has changed."""
    settings = {"files": {"/etc/resolv.conf": f"nameserver {RESOLVER}\n", "/etc/nsswitch.conf": "hosts: dns\n"},
                "webhook_allow_cidrs": "127.1.0.0/16"}
    with Receiver(address="0.0.0.0") as receiver:
        port = receiver.server.server_port
        first = elsewhere(**settings)
        shop = Shop(first)
        webhook = shop.webhook(f"http://receiver.example:{port}/")
        shop.order()
        receiver.wait_for(2, within=WITHIN_S)
        assert resolver.asked
        first.stop()
        resolver.address = "127.0.0.1"
        moved = Shop(elsewhere(first.database_url, **settings))
        moved.order()
        assert moved.error_of(webhook) == "the address is not allowed"
        assert len(receiver.requests) == 2


# Receivers that are slow, talkative or odd

class RawServer:
    """Accepts connections and gives each to `serve(connection)` in a thread."""

    def __init__(self, serve):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        self.serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=[connection], daemon=True).start()

    def _serve_one(self, connection):
        with connection:
            try:
                connection.recv(65536)
                self.serve(connection)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def drip(connection):
    """One byte of a head that never ends, until the other side hangs up."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        threading.Event().wait(0.5)


def flood(connection):
    """An answer without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + 65536 * b"x" + b"\r\n")


def nonsense(connection):
    connection.sendall(b"\0\1\2\3 this is no HTTP\r\n\r\n")


def test_a_receiver_that_drips_is_given_up_in_time_and_delays_no_other(services):
    shop = Shop(services(webhook_allow_cidrs="127.0.0.0/8"))
    with RawServer(drip) as slow, Receiver() as healthy:
        webhook = shop.webhook(slow.url)
        shop.webhook(healthy.url)
        orders = [shop.order() for _ in range(10)]
        healthy.wait_for(20, within=WITHIN_S)
        assert {one.event["data"]["order_id"] for one in healthy.taken() if one.event["type"] == "order.created"} == {
            order["id"] for order in orders}
        assert shop.error_of(webhook) == "no answer in time"
        assert 14_000 <= shop.attempts(webhook, result="failed")[-1]["ms"] < 20_000


def test_an_endless_answer_is_cut_off_and_counts_by_its_status(services):
    shop = Shop(services(webhook_allow_cidrs="127.0.0.0/8"))
    with RawServer(flood) as talkative:
        webhook = shop.webhook(talkative.url)
        shop.order()
        kept = eventually(lambda: shop.attempts(webhook, result="ok"), WITHIN_S, "it is stored")[-1]
        assert kept["status"] == 200 and kept["answer"] == 1024 * "x"


def test_an_answer_that_is_no_http_is_a_failure(services):
    shop = Shop(services(webhook_allow_cidrs="127.0.0.0/8"))
    with RawServer(nonsense) as odd:
        webhook = shop.webhook(odd.url)
        shop.order()
        assert shop.error_of(webhook) == "the connection was lost"


# Many endpoints

def transactions_in(database, ticks):
    """Transactions while the instance ticks so often, without those of this question."""
    committed = "select xact_commit from pg_stat_database where datname = current_database()"
    before, seen, asked = database.value(committed), set(), []

    def ticked():
        asked.append(1)
        seen.add(database.value("select max(seen_at)::text from webhook_deliverers"))
        return len(seen) > ticks
    eventually(ticked, WITHIN_S, "the instance ticks")
    return database.value(committed) - before - len(asked)


def test_a_thousand_idle_endpoints_cost_no_query_each_and_more_are_refused(services):
    """Transactions in a second do not grow with the endpoints."""
    instance = services(webhook_allow_cidrs="127.0.0.0/8")
    shop = Shop(instance)
    with Database(instance.database_url) as database:
        few = transactions_in(database, IDLE_TICKS)
        database.execute("insert into webhooks (id, url, types, mode, max_in_flight, state, secret, secret_hint, actor, created_at, updated_at)"
                         " select gen_random_uuid(), 'http://127.0.0.1:9/', 'order.*', 'ordered', 8, 'active', 'p' || repeat('A', 43), 'h', 'x',"
                         " now(), now() from generate_series(1, %s)", ENDPOINTS)
        database.execute("insert into webhook_progress (webhook_id, cursor) select w.id, coalesce((select revision from revisions"
                         " where topic = 'events'), 0) from webhooks w")
        eventually(lambda: database.count("webhook_progress", "leased_until > now()") == ENDPOINTS, WITHIN_S, "all are leased")
        many = transactions_in(database, IDLE_TICKS)
        assert many < few + ENDPOINTS / 10, f"{many} transactions while idle, {few} without endpoints"
        refused = shop.manager.post("/v1/webhooks", {"url": "https://erp.example/", "types": TRADE}, expect=422)
        assert refused.json()["code"] == "too-many"

