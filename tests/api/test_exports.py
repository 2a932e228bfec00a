"""GET /v1/exports/{kind}: the rows of `holdfast export`, streamed, as far as the token allows."""

import csv
import io
import socket
import threading
import time

import pytest

from support.database import Database
from support.exporting import Exporter
from support.holdfast import Holdfast
from support.retailer import Retailer
from support.returning import Bought
from support.waiting import eventually, together

READER = "exports:read"
KINDS = ["events", "journal", "ledger", "listings", "locations", "order-lines", "orders", "payments", "products", "refunds", "returns", "stock"]
AT_ONCE = 2
MANY = 60_000


@pytest.fixture(scope="module")
def market(new_database, work_directory):
    instance = Holdfast(new_database(), work_directory, "export-market", request_timeout="PT3S").start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def shops(market):
    """Two retailers of one market, with orders, returns and refunds; and so many products that no buffer holds them."""
    both = [Retailer(market.client(), on_hand=100).create() for _ in range(2)]
    for shop in both:
        bought = Bought(shop)
        bought.bring()
        shop.api.post(f"/v1/orders/{bought.id}/refunds", {"to": "original", "reason": "late"}, expect=201)
        Bought(shop, location=shop.other_store, hand_over=False)
        shop.api.put(f"/v1/channels/{shop.channel}/listings/{shop.sku}", {"title": "Tea", "published": True}, expect=201)
    with Database(market.database_url) as database:
        database.execute("insert into products (sku, title, returnable, attributes, created_at, updated_at)"
                         " select 'many-' || n, repeat('x', 200), true, '{}', now(), now() from generate_series(1, %s) as n", MANY)
        eventually(lambda: database.count("events_due") == 0)
    return both


@pytest.fixture
def reader(market, shops):
    return market.client(scope=READER)


def rows_of(reply):
    return list(csv.DictReader(io.StringIO(reply.text, newline="")))


def snapshots(market):
    with Database(market.database_url) as database:
        return database.value("select count(*) from pg_stat_activity where datname = current_database()"
                              " and application_name = 'holdfast export' and xact_start is not null")


class Slow:
    """A client that reads as much as a test says."""

    def __init__(self, market, path="/v1/exports/products"):
        self.pace = threading.Event()  # never set
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self.socket.settimeout(60)
        self.socket.connect(market.address)
        token = market.client(scope=READER).token
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        self.head = self.socket.recv(1000)

    def read(self):
        """All that still comes, until the server closes."""
        parts = []
        while part := self.socket.recv(65536):
            parts.append(part)
        return b"".join(parts)

    def read_slowly(self, seconds):
        """The bytes of so many seconds at 640 KB a second, fewer when the server closes."""
        parts, end = [b"x"], time.monotonic() + seconds
        while parts[-1] and time.monotonic() < end:
            parts.append(self.socket.recv(32 * 1024))
            self.pace.wait(0.05)
        return b"".join(parts[1:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


# the rows

@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_are_those_of_the_command(market, reader, kind):
    reply = reader.get(f"/v1/exports/{kind}", expect=200)

    assert reply.headers["Content-Type"].startswith("text/csv") and "Content-Length" not in reply.headers
    assert reply.content == Exporter(market).run(kind).bytes
    lines = reader.get(f"/v1/exports/{kind}?format=jsonl", expect=200)
    assert lines.headers["Content-Type"] == "application/jsonl"
    assert lines.content == Exporter(market).run(kind, "--format", "jsonl").bytes


def test_the_parameters_are_those_of_the_command(market, reader, shops):
    shop = shops[0]
    middle = rows_of(reader.get("/v1/exports/ledger"))[20]["recorded_at"]

    for path, options in (
            (f"orders?location={shop.other_store}", ("orders", "--location", shop.other_store)),
            (f"payments?channel={shop.channel}", ("payments", "--channel", shop.channel)),
            (f"ledger?since={middle}", ("ledger", "--since", middle)),
            (f"ledger?until={middle}", ("ledger", "--until", middle))):
        reply = reader.get(f"/v1/exports/{path}", expect=200)
        assert reply.content == Exporter(market).run(*options).bytes and rows_of(reply)


def test_head_tells_the_type_alone(market, reader):
    reply = reader.head("/v1/exports/stock", expect=200)
    assert reply.headers["Content-Type"].startswith("text/csv") and reply.content == b""


# refusals

@pytest.mark.parametrize("path, status, code", [
    ("prices", 404, "not-found"),
    ("stock?channel=web", 400, "invalid-parameter"),
    ("products?location=a", 400, "invalid-parameter"),
    ("products?since=2026-01-01T00:00:00Z", 400, "invalid-parameter"),
    ("ledger?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 400, "invalid-parameter"),
    ("stock?format=xml", 400, "invalid-parameter"),
    ("stock?since=yesterday", 400, "invalid-parameter"),
    ("stock?limit=5", 400, "unknown-parameter"),
    ("stock?location=nowhere", 404, "not-found"),
    ("orders?channel=nowhere", 404, "not-found"),
])
def test_a_request_that_does_not_fit_is_refused(reader, path, status, code):
    assert reader.get(f"/v1/exports/{path}", expect=status).json()["code"] == code


def test_the_scope_is_needed(market, shops):
    market.client(scope="orders:read reports:read").get("/v1/exports/orders", expect=403)
    market.client(scope="admin").get("/v1/exports/locations", expect=200)


def test_a_token_of_locations_exports_only_their_rows(market, shops):
    shop = shops[0]
    bound = market.client(scope=READER, locations=[shop.other_store])

    for kind in ("stock", "ledger", "events"):
        found = rows_of(bound.get(f"/v1/exports/{kind}", expect=200))
        assert found and {row["location"] for row in found} == {shop.other_store}, kind
    orders = rows_of(bound.get("/v1/exports/orders", expect=200))
    assert orders == rows_of(bound.get(f"/v1/exports/orders?location={shop.other_store}", expect=200))
    assert {row["channel"] for row in orders} == {shop.channel} and len({row["order_number"] for row in orders}) == 1
    assert rows_of(bound.get("/v1/exports/returns", expect=200)) == []
    assert [row["code"] for row in rows_of(bound.get("/v1/exports/locations", expect=200))] == [shop.other_store]
    refused = bound.get(f"/v1/exports/stock?location={shop.store}", expect=403).json()
    assert refused["code"] == "store-not-allowed"
    nowhere = market.client(scope=READER, locations=[])
    for kind in ("stock", "orders", "payments", "refunds", "returns", "ledger", "events", "locations"):
        assert rows_of(nowhere.get(f"/v1/exports/{kind}", expect=200)) == [], kind


def test_a_token_of_a_channel_exports_only_its_rows(market, shops):
    shop, other = shops
    bound = market.client(scope=READER, channel=shop.channel)

    for kind in ("orders", "order-lines", "payments", "refunds", "returns", "listings", "events"):
        found = rows_of(bound.get(f"/v1/exports/{kind}", expect=200))
        assert found and {row["channel"] for row in found} == {shop.channel}, kind
    refused = bound.get(f"/v1/exports/orders?channel={other.channel}", expect=403).json()
    assert refused["code"] == "channel-not-allowed"


# long replies

def test_few_run_at_once_and_the_next_one_has_to_wait(market, reader):
    with Slow(market), Slow(market):
        refused = reader.get("/v1/exports/locations", expect=503)
        assert refused.json()["code"] == "overloaded" and int(refused.headers["Retry-After"]) >= 1
        assert market.figure("holdfast_downloads") == AT_ONCE
        market.client().get("/v1/products?limit=1", expect=200)
    eventually(lambda: reader.get("/v1/exports/locations").status_code == 200)


def test_a_client_that_goes_away_ends_its_snapshot(market, reader):
    with Slow(market):
        eventually(lambda: snapshots(market) == 1)
    eventually(lambda: snapshots(market) == 0)
    for _ in range(3 * AT_ONCE):
        with Slow(market):
            pass
    eventually(lambda: reader.get("/v1/exports/locations").status_code == 200)


def test_a_client_that_reads_nothing_is_cut_off(market):
    with Slow(market) as slow:
        eventually(lambda: snapshots(market) == 1)
        eventually(lambda: snapshots(market) == 0, 30)
        assert not slow.read().endswith(b"\r\n0\r\n\r\n"), "the reply must not look complete"


def test_a_client_that_reads_slowly_gets_all(market, reader):
    """It is slower than the time of a request, but it reads."""
    with Slow(market) as slow:
        parts = [slow.head, slow.read_slowly(4)]
        while not parts[-1].endswith(b"\r\n0\r\n\r\n"):
            parts.append(slow.socket.recv(1024 * 1024))
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    chunks, rest = [], io.BytesIO(body)
    while size := int(rest.readline(), 16):
        chunks.append(rest.read(size))
        rest.readline()
    rows = b"".join(chunks)
    assert b"Transfer-Encoding: chunked" in head and rows.count(b"many-") == MANY and rows.endswith(b"\n")


def test_a_lost_database_cuts_the_reply(market):
    with Slow(market) as slow:
        eventually(lambda: snapshots(market) == 1)
        with Database(market.database_url) as database:
            database.value("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'holdfast export'")
        assert not slow.read().endswith(b"\r\n0\r\n\r\n")
    eventually(lambda: snapshots(market) == 0)


def test_without_a_database_the_answer_is_503(services, market):
    instance = services("postgresql://localhost:1/none", wait=False)
    eventually(lambda: instance.probe("/livez") == 200)
    refused = instance.client(scope=READER).get("/v1/exports/stock", expect=503)
    assert refused.json()["code"] == "database-unavailable"


def test_sales_go_on_beside_exports(market, shops, reader):
    shop = shops[0]

    def sell():
        for _ in range(20):
            shop.order({shop.sku: 1}, location=shop.warehouse, method="ship", ship_to={
                "name": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115", "country": "DE"})
    done = together([sell, sell, lambda: reader.get("/v1/exports/products", expect=200)])
    assert len(rows_of(done[2])) >= MANY


def test_a_stop_ends_an_export_that_takes_longer(services, market, shops):
    instance = services(market.database_url)
    with Slow(instance) as slow:
        eventually(lambda: snapshots(market) == 1)
        instance.terminate()
        assert not slow.read_slowly(60).endswith(b"\r\n0\r\n\r\n"), "the reply must not look complete"
        instance.wait_stopped()
    eventually(lambda: snapshots(market) == 0)
