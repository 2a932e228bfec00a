#!/usr/bin/python3
"""The log of events on this machine: lag, speed of reading, and the cost of an order with its events.

  orders    orders of two lines by wrk; the processor time of service and database for each. With --before REVISION, the program of
            that revision takes turns with this one, each on its own database: the bar is at most 5 % more
  pull      GET /v1/events, pages of 1,000, one connection, over the events of these orders; the same with a type that none has,
            and the same by holdfast relay
  soon      1,000 events a second (adjustments of 20 products); from the reply to the change until a request that waits shows it
  idle      1,000 webhook endpoints without events: memory of the service, and transactions of the database for them
  deliver   webhooks to 5 healthy endpoints, while one refuses connections and one answers after seconds: 440 events a second for
            each; the lag is the time from the change (`time` of the event) to its arrival
"""

import argparse
import asyncio
import datetime
import http.client
import json
import multiprocessing
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import judged, machine, show_verdict  # noqa: E402
from stage import HERE, Stage, cpu_of, cpu_of_database, quantile, read_wrk, resident_mib  # noqa: E402
from support import ROOT  # noqa: E402
from support.database import Database  # noqa: E402
from support.event_log import assert_log_is_whole  # noqa: E402
from support.holdfast import Holdfast  # noqa: E402
from support.ports import free_port  # noqa: E402
from support.waiting import eventually  # noqa: E402

DIRECTORY = ROOT / "build" / "bench-events"
SCOPES = "events:read inventory:write orders:read orders:write webhooks:manage"
CLIENTS = 64
PAGE = 1000
RATE, ITEMS, SKUS = 1000, 20, 1000
EVENTS_MIN = 50_000
SOON_BAR_MS, PULL_BAR, COST_BAR = 200, 50_000, 1.05
TURNS = 3
IDLE, IDLE_S, IDLE_BAR_MIB = 1000, 20, 64
HEALTHY, DELIVER_RATE, SLOW_S = 5, 440, 3
DELIVERED_BAR, DELIVER_LAG_BAR_MS = 2000, 1000
PARTS = ("orders", "pull", "soon", "idle", "deliver")


class Session:
    """One keep-alive connection."""

    def __init__(self, service, token):
        self.connection = http.client.HTTPConnection(*service.address, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path, **headers):
        self.connection.request("GET", path, headers={**self.headers, **headers})
        return self._answer(200)

    def post(self, path, body, expect):
        self.connection.request("POST", path, json.dumps(body), {
            **self.headers, "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())})
        return self._answer(expect)

    def _answer(self, expect):
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == expect, f"{answer.status}: {body[:300]}"
        return body

    def events(self, after, query="", wait=0):
        """A page: its bytes, the cursor behind it, and whether there is more."""
        body = self.get(f"/v1/events?limit={PAGE}&after={after}{query}", **({"Prefer": f"wait={wait}"} if wait else {}))
        tail = json.loads(b"{" + body[body.rindex(b'"next_cursor"'):])
        return body, tail["next_cursor"], tail["has_more"]


def token_of(service):
    return service.run("token", "--subject", "bench", "--scope", SCOPES, "--ttl", "86400", check=0).stdout.strip()


def wait_published(url):
    with Database(url) as database:
        eventually(lambda: database.count("events_due") == 0, 300, "all is published")


# The cost of an order

def orders(stage, service, token, seconds):
    """Microseconds of processor time for an order, of the service and of the database, until its events are published."""
    before = cpu_of(service.process.pid), cpu_of_database(stage.postmaster)
    done = subprocess.run(["wrk", "--threads=1", f"--connections={CLIENTS}", f"--duration={seconds}s", "--timeout=30s", "--script",
                           str(HERE / "requests.lua"), service.url, "--", "orders", uuid.uuid4().hex[:8], token],
                          capture_output=True, text=True, check=True)
    result = read_wrk(done.stdout)
    assert not result["refused"] and not result["broken"], result
    with Database(service.database_url) as database:
        due = "events_due" if database.value("select to_regclass('holdfast.events_due') is not null") else None
        if due:
            eventually(lambda: database.count(due) == 0, 300, "all is published")
    after = cpu_of(service.process.pid), cpu_of_database(stage.postmaster)
    micros = 1e6 / result["requests"]
    return {"per_second": result["per_second"], "service_us": (after[0] - before[0]) * micros, "database_us": (after[1] - before[1]) * micros}


def program_of(revision):
    """The program as it was at that revision."""
    place = DIRECTORY / "before"
    source = place / "source"
    source.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    subprocess.run(["meson", "setup", "--buildtype=release", place / "build", source], check=True, capture_output=True)
    subprocess.run(["ninja", "-C", place / "build", "holdfast"], check=True, capture_output=True)
    return place / "build" / "holdfast"


class Earlier(Holdfast):
    """An instance of another program."""

    path = None

    def program(self):
        return self.path


def earlier_service(stage, revision):
    """An instance of the program before, on a separate seeded database of the same server."""
    path = program_of(revision)
    with Database(stage.cluster.url("postgres", superuser=True)) as root:
        root.execute('create database "before" owner holdfast')
    service = Earlier(stage.cluster.url("before"), stage.directory, "before", log_level="warning")
    service.path = path
    service.run("migrate", check=0)
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", HERE / "seed.sql", service.database_url], check=True)
    return service.start()


def measure_orders(stage, token, revision, seconds):
    services = {"now": stage.service}
    if revision:
        services["before"] = earlier_service(stage, revision)
    found = {name: [] for name in services}
    try:
        for _ in range(TURNS if revision else 1):
            for name, service in services.items():
                found[name].append(orders(stage, service, token, seconds))
                each = found[name][-1]
                print(f"orders, {name:<8}{each['per_second']:>10,.0f}/s   service {each['service_us']:7.1f} us   database"
                      f" {each['database_us']:7.1f} us   both {each['service_us'] + each['database_us']:7.1f} us", flush=True)
    finally:
        if revision:
            services["before"].stop()
    cost = {name: min(each["service_us"] + each["database_us"] for each in turns) for name, turns in found.items()}
    if revision:
        return [judged(f"an order with its events, processor time against {revision}", cost["now"] / cost["before"], COST_BAR, at_most=True)]
    return [judged("an order with its events, us of processor time", cost["now"], None)]


# Reading

def pull(session, query=""):
    """Read the whole log; (events, positions, seconds)."""
    after, n, more, begin = "oldest", 0, True, time.monotonic()
    while more:
        body, after, more = session.events(after, query)
        n += body.count(b'"specversion"')
    return n, time.monotonic() - begin


def fill(stage, token, seconds):
    """Orders until the log is long enough; the number of its events."""
    while True:
        with Database(stage.database_url) as database:
            total = database.count("event_log")
        if total >= EVENTS_MIN:
            return total
        orders(stage, stage.service, token, seconds)


def measure_pull(stage, token, seconds):
    service, session, total = stage.service, Session(stage.service, token), fill(stage, token, seconds)
    pull(session)  # once for the caches
    best, cpu = 0, None
    for _ in range(TURNS):
        before = cpu_of(service.process.pid), cpu_of_database(stage.postmaster)
        n, seconds = pull(session)
        assert n == total, f"{n} of {total} events"
        after = cpu_of(service.process.pid), cpu_of_database(stage.postmaster)
        used = [(b - a) * 1e6 / n for a, b in zip(before, after)]
        print(f"pull{n:>18,} events in {seconds:6.2f} s   {n / seconds:>9,.0f}/s   service {used[0]:5.1f} us   database {used[1]:5.1f} us an event", flush=True)
        if n / seconds > best:
            best, cpu = n / seconds, used
    n, seconds = pull(session, "&types=order.reopened")
    assert n == 0
    print(f"pull, a rare type{total:>10,} positions passed in {seconds:.2f} s   {total / seconds:,.0f}/s", flush=True)
    relayed = relay(service, total)
    return [judged("events a second by GET /v1/events, pages of 1,000, one connection", best, PULL_BAR),
            judged("positions a second for a type that no event has", total / seconds, None),
            judged("events a second by holdfast relay --to stdout", relayed, None)]


def relay(service, total):
    begin = time.monotonic()
    done = subprocess.run([str(service.program()), "relay", "--to", "stdout", "--consumer", f"bench-{uuid.uuid4().hex[:8]}", "--once"],
                          env=service.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    seconds = time.monotonic() - begin
    n = done.stdout.count(b"\n")
    assert n == total, f"{n} of {total} lines"
    print(f"relay{n:>17,} events in {seconds:6.2f} s   {n / seconds:>9,.0f}/s", flush=True)
    return n / seconds


# How soon

class Writer(threading.Thread):
    """Adjustments at a fixed rate; `told` has the time of the reply by subject and version of the movement."""

    def __init__(self, session, seconds, rate=RATE):
        super().__init__()
        self.session, self.rate, self.requests, self.told, self.late = session, rate, int(seconds * rate / ITEMS), {}, 0
        self.begin = None

    def run(self):
        self.begin = time.monotonic()
        versions = {}
        for n in range(self.requests):
            at = self.begin + n * ITEMS / self.rate
            pause = at - time.monotonic()
            self.late = max(self.late, -pause)
            if pause > 0:
                time.sleep(pause)
            skus = [f"bench-{(n * ITEMS + i) % SKUS + 1:04d}" for i in range(ITEMS)]
            reply = json.loads(self.session.post("/v1/inventory/adjustments/batch", {"items": [
                {"location": "bench-01", "sku": sku, "delta": -1, "reason": "sale"} for sku in skus]}, 207))
            now = time.monotonic()
            assert reply["summary"]["failed"] == 0, reply
            for sku in skus:
                versions[sku] = versions.get(sku, 1) + 1
                self.told[f"inventory/bench-01/{sku}", versions[sku]] = now


def measure_soon(stage, token, seconds):
    reader, writer = Session(stage.service, token), Writer(Session(stage.service, token), seconds)
    after, seen = json.loads(reader.get("/v1/events?after=now"))["next_cursor"], {}
    writer.start()
    while len(seen) < writer.requests * ITEMS:
        body, after, _ = reader.events(after, wait=10)
        now = time.monotonic()
        for event in json.loads(body)["data"]:
            seen[event["subject"], event["data"]["version"]] = now
        assert body.count(b'"specversion"') or writer.is_alive(), sorted(writer.told.keys() - seen.keys())[:5]
    writer.join()
    assert seen.keys() == writer.told.keys()
    lags = sorted(max(0.0, seen[mark] - told) * 1000 for mark, told in writer.told.items())
    rate = len(lags) / (max(writer.told.values()) - writer.begin)
    print(f"soon{len(lags):>18,} events at {rate:,.0f}/s   p50 {quantile(lags, 0.5):6.1f} ms   p99 {quantile(lags, 0.99):6.1f} ms   max"
          f" {lags[-1]:6.1f} ms   writer late by {writer.late * 1000:.0f} ms at most", flush=True)
    return [judged(f"events a second while that was measured (wanted: {RATE})", rate, 0.95 * RATE),
            judged("ms from a change to its event in a reply, p99", quantile(lags, 0.99), SOON_BAR_MS, at_most=True)]


# Webhooks

def webhooks_of(session):
    found, cursor = [], ""
    while cursor is not None:
        page = json.loads(session.get(f"/v1/webhooks?limit=200{cursor}"))
        found += page["data"]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    return found


def transactions(url, seconds):
    """Transactions of the database a second."""
    with Database(url) as database:
        counted = "select pg_stat_clear_snapshot(), xact_commit from pg_stat_database where datname = current_database()"
        before = database.rows(counted)[0]["xact_commit"]
        time.sleep(seconds)
        return (database.rows(counted)[0]["xact_commit"] - before) / seconds


def measure_idle(stage, token):
    session, service = Session(stage.service, token), stage.service
    before = resident_mib(service.process.pid), transactions(stage.database_url, IDLE_S)
    for n in range(IDLE):
        session.post("/v1/webhooks", {"url": f"http://127.0.0.1:9/{n}", "types": ["order.reopened"]}, 201)
    with Database(stage.database_url) as database:  # each has looked at the log once
        eventually(lambda: database.count("webhooks") == IDLE, 30, "all endpoints are there")
    session.post("/v1/inventory/adjustments/batch", {"items": [
        {"location": "bench-01", "sku": "bench-0001", "delta": -1, "reason": "sale"}]}, 207)
    time.sleep(IDLE_S)
    after = resident_mib(service.process.pid), transactions(stage.database_url, IDLE_S)
    print(f"idle{IDLE:>18,} endpoints   {before[0]:.0f} MiB before, {after[0]:.0f} MiB after   {before[1]:.1f} and {after[1]:.1f} transactions/s", flush=True)
    for webhook in webhooks_of(session):
        session.connection.request("DELETE", f"/v1/webhooks/{webhook['id']}", headers=session.headers)
        session._answer(200)
    return [judged(f"MiB more with {IDLE} idle endpoints", after[0] - before[0], IDLE_BAR_MIB, at_most=True),
            judged(f"transactions a second more with {IDLE} idle endpoints", after[1] - before[1], IDLE / IDLE_S, at_most=True)]


class Sink(asyncio.Protocol):
    """A receiver that keeps the id and the lag of each event by port."""

    def __init__(self, kept, pause):
        self.kept, self.pause, self.received = kept, pause, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            at = self.received.lower().find(b"content-length: ") + 16
            size = int(self.received[at:self.received.index(b"\r", at)])
            if len(self.received) < end + 4 + size:
                return
            body, self.received = self.received[end + 4:end + 4 + size], self.received[end + 4 + size:]
            event = json.loads(body)
            if event["type"] == "inventory.changed":
                changed = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
                self.kept.append((event["id"], event["subject"], event["data"]["version"], time.time(), time.time() - changed))
            asyncio.get_running_loop().call_later(self.pause, self.transport.write, b"HTTP/1.1 204 No Content\r\n\r\n")


def sink_main(pipe):
    """A process of receivers: HEALTHY quick ones and a slow one. Sends their ports, and at the end what they have kept."""
    async def serve():
        loop, kept = asyncio.get_running_loop(), [[] for _ in range(HEALTHY + 1)]
        servers = [await loop.create_server(lambda each=each, pause=SLOW_S * (n == HEALTHY): Sink(each, pause), "127.0.0.1", 0)
                   for n, each in enumerate(kept)]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        while True:
            wanted = await loop.run_in_executor(None, pipe.recv)
            if wanted == "count":
                pipe.send([len(each) for each in kept])
            else:
                pipe.send(kept)
                return
    asyncio.run(serve())


def measure_deliver(stage, token, seconds):
    session, (here, there) = Session(stage.service, token), multiprocessing.Pipe()
    sink = multiprocessing.Process(target=sink_main, args=(there,))
    sink.start()
    try:
        ports = here.recv()
        for port in [*ports, free_port()]:  # the last one refuses connections
            session.post("/v1/webhooks", {"url": f"http://127.0.0.1:{port}/", "types": ["inventory.changed"]}, 201)
        writer = Writer(Session(stage.service, token), seconds, DELIVER_RATE)
        before = cpu_of(stage.service.process.pid), cpu_of_database(stage.postmaster)
        writer.start()
        writer.join()
        wanted = writer.requests * ITEMS

        def all_there():
            here.send("count")
            return all(n >= wanted for n in here.recv()[:HEALTHY])

        eventually(all_there, 120, "the healthy endpoints have every event")
        used = [now - then for now, then in zip((cpu_of(stage.service.process.pid), cpu_of_database(stage.postmaster)), before)]
        here.send("all")
        kept = here.recv()
    finally:
        sink.terminate()
        sink.join()
    for each in kept[:HEALTHY]:
        assert len({row[0] for row in each}) == wanted, "each event arrives"
        last = {}
        for _, subject, version, _, _ in each:
            assert version >= last.get(subject, 0), f"{subject}: {version} after {last[subject]}"
            last[subject] = version
    arrivals = [row for each in kept[:HEALTHY] for row in each]
    rate = len(arrivals) / (max(row[3] for row in arrivals) - min(row[3] for row in arrivals))
    lags = sorted(row[4] * 1000 for row in arrivals)
    print(f"deliver{len(arrivals):>15,} requests at {rate:,.0f}/s   p50 {quantile(lags, 0.5):6.1f} ms   p99 {quantile(lags, 0.99):6.1f} ms   max"
          f" {lags[-1]:6.1f} ms   to the slow one {len(kept[HEALTHY])}   service {used[0] * 1e6 / len(arrivals):.0f} us   database"
          f" {used[1] * 1e6 / len(arrivals):.0f} us a request, with the changes", flush=True)
    return [judged(f"webhooks delivered a second to {HEALTHY} endpoints, one dead and one slow besides", rate, DELIVERED_BAR),
            judged("ms from a change to its arrival at a healthy endpoint, p99", quantile(lags, 0.99), DELIVER_LAG_BAR_MS, at_most=True)]


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh events", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="how long orders, and changes, are sent (default 10)")
    parser.add_argument("--before", metavar="REVISION", help="compare the cost of an order with the program of this revision")
    parser.add_argument("--only", metavar="PART,...", default=",".join(PARTS), help=f"these parts alone: {', '.join(PARTS)}")
    options = parser.parse_args()
    parts = options.only.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"--only names parts: {', '.join(PARTS)}")
    on = machine()
    print(f"{on['processors']} x {on['model']}, load {on['load_before']:.1f}, {on['commit']}\n")
    with Stage(DIRECTORY, webhook_allow_cidrs="127.0.0.0/8") as stage:
        token, verdicts = token_of(stage.service), []
        if "orders" in parts:
            verdicts += measure_orders(stage, token, options.before, options.seconds)
        if "pull" in parts:
            verdicts += measure_pull(stage, token, options.seconds)
        if "soon" in parts:
            verdicts += measure_soon(stage, token, options.seconds)
        if "idle" in parts:
            verdicts += measure_idle(stage, token)
        if "deliver" in parts:
            verdicts += measure_deliver(stage, token, options.seconds)
        wait_published(stage.database_url)
        with Database(stage.database_url) as database:
            assert_log_is_whole(database)
        stage.service.assert_audit_clean()
    print("\nevery event is in the log once, audit clean\n")
    for verdict in verdicts:
        show_verdict(verdict)
    sys.exit(1 if any(verdict["passed"] is False for verdict in verdicts) else 0)


if __name__ == "__main__":
    main()
