#!/usr/bin/python3
"""What becomes of the service under more than it can carry, and under connections that ask for nothing.

overload  A slow disk is made up: each transaction that reserves sleeps, so that the database is the limit and not the
          machine, and the generator has room. Requests come at fixed rates, whether the ones before are answered or
          not; goodput must stay above nine tenths of its peak at twice that rate, and who is refused must learn it at once.
          Then the same without the sleep and with a closed loop of wrk: all the machine can do, at few and at many clients.
idle      Ten thousand keep-alive connections that have all asked once; memory of the service, alone and beside a load.
"""

import argparse
import asyncio
import resource
import socket
import statistics
import subprocess
import sys
import uuid
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stage import Stage, quantile, read_wrk, resident_mib  # noqa: E402
from support import ROOT  # noqa: E402
from support.database import Database  # noqa: E402

SLEEP_S = 0.05
CONNECTIONS = 4000
RATES = (0.5, 1, 2, 2, 2, 4)  # of the peak as it was found just before
TICK_S = 0.002
WARM_S = 2
IDLE = 10_000
ASK_AT_ONCE = 100
MEMORY_BAR_MIB = 200

_SLOW = f"""
    create function holdfast.slow() returns trigger language plpgsql as
        $$ begin perform pg_sleep({SLEEP_S}); return null; end $$;
    create trigger slow after insert on holdfast.reservations execute function holdfast.slow()"""


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, crowd):
        self.crowd = crowd
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport
        self.crowd.idle.append(self)

    def connection_lost(self, error):
        self.crowd.lost += 1

    def ask(self, data):
        self.began = self.crowd.loop.time()
        self.transport.write(data)

    def data_received(self, data):
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.received.find(b"Content-Length: ") + 16
        if len(self.received) < end + 4 + int(self.received[at:self.received.index(b"\r", at)]):
            return
        status, self.received = int(self.received[9:12]), b""
        self.crowd.answered(status, self.crowd.loop.time() - self.began)
        self.crowd.idle.append(self)


class Crowd:
    """Connections that together ask at a fixed rate."""

    def __init__(self, service, token):
        self.service, self.token = service, token
        self.idle = deque()
        self.lost = 0
        self.run, self.n = uuid.uuid4().hex[:8], 0
        self.forget()

    def forget(self):
        self.took = {201: [], 503: []}
        self.sent = 0

    def answered(self, status, seconds):
        self.took[status].append(seconds)

    def request(self):
        self.n += 1
        body = '{"location":"bench-hot","lines":[{"sku":"bench-hot","quantity":1}]}'
        return (f"POST /v1/reservations HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n"
                f"Content-Type: application/json\r\nIdempotency-Key: {self.run}-{self.n}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    async def connect(self, n):
        self.loop = asyncio.get_running_loop()
        for begin in range(0, n, ASK_AT_ONCE):
            await asyncio.gather(*(self.loop.create_connection(lambda: Connection(self), *self.service.address)
                                   for _ in range(begin, min(n, begin + ASK_AT_ONCE))))

    async def offer(self, rate, seconds):
        """So many a second, as long as a connection is free; how many were (sent, served, refused) meanwhile."""
        before = self.sent, *(len(each) for each in self.took.values())
        begin, offered = self.loop.time(), 0
        while (now := self.loop.time()) < begin + seconds:
            for offered in range(offered + 1, int(rate * (now - begin)) + 1):
                if self.idle:
                    self.sent += 1
                    self.idle.popleft().ask(self.request())
            await asyncio.sleep(TICK_S)
        after = self.sent, *(len(each) for each in self.took.values())
        return [(b - a) / seconds for a, b in zip(before, after)]

    async def settle(self):
        while self.sent > sum(map(len, self.took.values())):
            await asyncio.sleep(TICK_S)


def quantile_ms(seconds, q):
    return 1e3 * quantile(sorted(seconds), q)


async def find_peak(crowd, seconds):
    """Served a second: as many as are served when there is always a full batch waiting: a closed loop of 400."""
    crowd.forget()
    end = crowd.loop.time() + seconds
    while crowd.loop.time() < end:
        while crowd.idle and crowd.sent - len(crowd.took[201]) < 400:
            crowd.sent += 1
            crowd.idle.popleft().ask(crowd.request())
        await asyncio.sleep(TICK_S)
    served = len(crowd.took[201])
    await crowd.settle()
    return served / seconds


async def overload(crowd, seconds):
    await crowd.connect(CONNECTIONS)
    await find_peak(crowd, WARM_S)
    print(f"{'offered':>8}{'peak':>9}{'sent':>9}{'served':>9}{'of peak':>9}{'refused':>9}"
          f"{'p50 ms':>9}{'p99 ms':>9}{'refused in ms, p50':>20}{'p99':>9}{'MiB':>6}")
    ratios = []
    for rate in RATES:
        peak = await find_peak(crowd, seconds)
        crowd.forget()
        await crowd.offer(rate * peak, WARM_S)
        sent, served, refused = await crowd.offer(rate * peak, seconds)
        await crowd.settle()
        took, no = crowd.took[201], crowd.took[503]
        ratios += [served / peak] if rate == 2 else []
        print(f"{rate:>7}x{peak:>9,.0f}{sent:>9,.0f}{served:>9,.0f}{served / peak:>9.0%}{refused:>9,.0f}"
              f"{quantile_ms(took, 0.5):>9.1f}{quantile_ms(took, 0.99):>9.1f}{quantile_ms(no, 0.5):>20.1f}{quantile_ms(no, 0.99):>9.1f}"
              f"{resident_mib(crowd.service.process.pid):>6.0f}", flush=True)
    assert crowd.lost == 0, f"{crowd.lost} connections were lost"
    return statistics.median(ratios)


def wrk(stage, clients, seconds):
    command = stage.wrk_command(stage.service.url, "hot", clients, seconds, uuid.uuid4().hex[:8])
    return read_wrk(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


class Idle:
    """Connections that each ask now and then."""

    def __init__(self, service, token, n):
        self.sockets = [socket.create_connection(service.address) for _ in range(n)]
        self.request = (f"GET /v1/inventory/bench-one-0001 HTTP/1.1\r\nHost: bench\r\n"
                        f"Authorization: Bearer {token}\r\n\r\n").encode()

    def ask(self):
        for begin in range(0, len(self.sockets), ASK_AT_ONCE):
            some = self.sockets[begin:begin + ASK_AT_ONCE]
            for each in some:
                each.sendall(self.request)
            for each in some:
                answer = each.recv(65536)
                assert answer.startswith(b"HTTP/1.1 200 "), f"a connection that was idle got {answer[:200]!r}"


def idle(stage, seconds):
    def show(what):
        memory = resident_mib(stage.service.process.pid)
        print(f"{what:<44}{memory:>6.0f} MiB", flush=True)
        return memory

    show("just started")
    wrk(stage, 64, seconds)
    show("after a load of 64 clients")
    crowd = Idle(stage.service, stage.token, IDLE)
    show(f"{IDLE:,} connections that are silent so far")
    crowd.ask()
    show("each of them has asked once")
    result = wrk(stage, 64, seconds)
    memory = show(f"and beside a load of {result['per_second']:,.0f} a second")
    crowd.ask()
    return max(memory, show("each has asked once more, and was answered"))


def run_overload(stage, seconds):
    with Database(stage.database_url) as database:
        database.execute(_SLOW)
        ratio = asyncio.run(overload(Crowd(stage.service, stage.token), seconds))
        database.execute("drop function holdfast.slow cascade")
    few, many = (wrk(stage, clients, seconds) for clients in (256, CONNECTIONS))
    served = [(each["requests"] - each["refused"]) / each["seconds"] for each in (few, many)]
    print(f"\nwithout the sleep, wrk in a closed loop: {served[0]:,.0f} a second with 256 clients, {served[1]:,.0f} with"
          f" {CONNECTIONS:,}, where {many['refused'] / many['seconds']:,.0f} a second are refused")
    stage.service.assert_audit_clean()
    return f"goodput at twice the load: {ratio:.0%} of the peak, bar 90 %", ratio >= 0.9


def run_idle(stage, seconds):
    memory = idle(stage, seconds)
    return f"resident memory: {memory:.0f} MiB, bar {MEMORY_BAR_MIB}", memory <= MEMORY_BAR_MIB


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh pressure", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overload", "idle"])
    parser.add_argument("--seconds", type=int, default=5, help="how long each figure is measured (default 5)")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Stage(ROOT / "build" / "bench" / options.what) as stage:
        text, passed = {"overload": run_overload, "idle": run_idle}[options.what](stage, options.seconds)
    print(f"\n{text}: {'passed' if passed else 'MISSED'}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
