#!/usr/bin/python3
"""The queue of a store: what it costs to ask again, to look in full, and to wait.

unchanged  304s of an unchanged queue at 64 connections, beside libmicrohttpd alone, by the same driver in turns.
full       a queue of 200 cards read whole, at 16 connections.
parked     ten thousand requests that wait at one instance; its memory; then orders come in at another instance for a location
           where a thousand of them wait, and each is timed from the answer of that order to its own.

A durable PostgreSQL of its own, the release build, two instances, loopback. Results go to build/bench-queue/results.json.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stage import Stage, answers, cpu_of, cpu_of_database, quantile, read_wrk, resident_mib  # noqa: E402
from support import ROOT  # noqa: E402
from support.holdfast import Holdfast  # noqa: E402
from support.ports import free_port  # noqa: E402
from support.waiting import eventually  # noqa: E402

DIRECTORY = ROOT / "build" / "bench-queue"
CARDS = 200
TURNS = 3  # of the 304s and the ceiling
PARKED, AT_ONE_LOCATION, PER_SUBJECT = 10_000, 1000, 200
CONNECT_AT_ONCE = 200
LOCATIONS = [f"bench-{n:02}" for n in range(1, 11)]

UNCHANGED_BAR = 0.4  # of the ceiling
FULL_BAR_MS = 50
MEMORY_BAR_MIB = 300
WAKE_BAR_MS = 250


def path_of(location):
    return f"/v1/locations/{location}/queue?limit=200"


def request(stage, method, url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/json",
                                               **{name.replace("_", "-"): value for name, value in headers.items()}}, method=method)
    with urllib.request.urlopen(asked, timeout=30) as reply:
        return dict(reply.headers), json.loads(reply.read())


def place(stage, service, location):
    body = {"channel": "bench", "external_ref": uuid.uuid4().hex, "currency": "EUR", "customer": {"name": "Ada Byron"},
            "fulfillment": {"method": "pickup", "location": location},
            "lines": [{"sku": f"bench-{n:04}", "quantity": 1, "unit_price": {"amount": 1999, "currency": "EUR"}} for n in (1, 2)]}
    return request(stage, "POST", service.url + "/v1/orders", body, Idempotency_Key=uuid.uuid4().hex)


def driven(stage, command, service_pid):
    before = cpu_of(service_pid), cpu_of_database(stage.postmaster)
    output = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
    return output, cpu_of(service_pid) - before[0], cpu_of_database(stage.postmaster) - before[1]


# 304s

def unchanged(stage, seconds):
    port = free_port()
    ceiling = subprocess.Popen([stage.build_directory / "tests" / "ceiling", str(port)])
    turns = []
    try:
        eventually(lambda: answers(f"http://127.0.0.1:{port}/"), 10, "the ceiling answers")
        headers, _ = request(stage, "GET", stage.service.url + path_of(LOCATIONS[0]))
        for _ in range(TURNS):
            output, _, _ = driven(stage, stage.wrk_command(
                f"http://127.0.0.1:{port}", "constant", 64, seconds, "ceiling"), ceiling.pid)
            alone = read_wrk(output)
            output, service_s, database_s = driven(stage, stage.wrk_command(
                stage.service.url, "view", 64, seconds, "unchanged", path_of(LOCATIONS[0]), headers["ETag"]),
                stage.service.process.pid)
            asked = read_wrk(output)
            assert not asked["refused"] and not asked["broken"], asked
            turns.append({"ceiling": alone, "unchanged": asked, "ratio": asked["per_second"] / alone["per_second"],
                          "service_us": 1e6 * service_s / asked["requests"], "database_us": 1e6 * database_s / asked["requests"]})
            print(f"ceiling {alone['per_second']:>9,.0f}/s   304 {asked['per_second']:>9,.0f}/s   ratio {turns[-1]['ratio']:.2f}   "
                  f"p99 {asked['p99_ms']:.2f} ms   service {turns[-1]['service_us']:.1f} us   "
                  f"database {turns[-1]['database_us']:.1f} us", flush=True)
    finally:
        ceiling.terminate()
        ceiling.wait()
    return sorted(turns, key=lambda turn: turn["ratio"])[len(turns) // 2]


# Full reads

def full(stage, seconds):
    for _ in range(CARDS):
        place(stage, stage.service, LOCATIONS[0])
    _, body = request(stage, "GET", stage.service.url + path_of(LOCATIONS[0]))
    assert len(body["data"]) == CARDS, len(body["data"])
    output, service_s, database_s = driven(
        stage, stage.wrk_command(stage.service.url, "queue", 16, seconds, "full"), stage.service.process.pid)
    result = read_wrk(output)
    assert not result["refused"] and not result["broken"], result
    result.update(service_us=1e6 * service_s / result["requests"], database_us=1e6 * database_s / result["requests"],
                  bytes=len(json.dumps(body)))
    print(f"full    {result['per_second']:>9,.0f}/s of {CARDS} cards   p50 {result['p50_ms']:.1f} ms   p99 {result['p99_ms']:.1f} ms   "
          f"service {result['service_us']:.0f} us   database {result['database_us']:.0f} us", flush=True)
    return result


# Waiting

class Waiter(asyncio.Protocol):
    """A connection that waits for a change, again and again."""

    def __init__(self, token, location):
        self.head = (f"GET /v1/locations/{location}/queue?limit=1 HTTP/1.1\r\nHost: bench\r\nPrefer: wait=30\r\n"
                     f"Authorization: Bearer {token}\r\nIf-None-Match: ")
        self.tag, self.text, self.got = '"none"', b"", None

    def connection_made(self, transport):
        self.transport = transport

    def ask(self):
        self.got = None
        self.transport.write(f"{self.head}{self.tag}\r\n\r\n".encode())

    def data_received(self, data):
        self.text += data
        end = self.text.find(b"\r\n\r\n")
        if end < 0:
            return
        fields = dict(line.lower().split(b": ", 1) for line in self.text[:end].split(b"\r\n")[1:])
        status = int(self.text[9:12])
        if status == 200 and len(self.text) < end + 4 + int(fields[b"content-length"]):
            return
        assert status in (200, 304), self.text[:300]
        self.got = time.monotonic(), status
        self.text = b""
        self.tag = fields[b"etag"].decode().replace('w/', 'W/')
        if status == 304:
            self.ask()


async def until(condition, what):
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within a minute: {what}")


def parked_now(service):
    return service.figure("holdfast_waiting_requests")


async def connect(stage, n):
    loop, waiters = asyncio.get_running_loop(), []
    tokens = [stage.service.run("token", "--subject", f"device-{k}", "--scope", "fulfillment:read", "--ttl", "86400",
                                check=0).stdout.strip() for k in range(-(-n // PER_SUBJECT))]
    for begin in range(0, n, CONNECT_AT_ONCE):
        made = await asyncio.gather(*(
            loop.create_connection(lambda k=k: Waiter(tokens[k // PER_SUBJECT], LOCATIONS[k // AT_ONE_LOCATION % len(LOCATIONS)]),
                                   *stage.service.address) for k in range(begin, min(n, begin + CONNECT_AT_ONCE))))
        some = [waiter for _, waiter in made]
        for waiter in some:
            waiter.ask()
        await until(lambda: all(waiter.got for waiter in some), "the first look")
        for waiter in some:
            waiter.ask()
        waiters += some
    return waiters


async def waiting(stage, other, rounds):
    before = resident_mib(stage.service.process.pid)
    waiters = await connect(stage, PARKED)
    loop = asyncio.get_running_loop()
    await until(lambda: parked_now(stage.service) == PARKED, "all are parked")
    memory = resident_mib(stage.service.process.pid)
    print(f"parked  {PARKED:,} requests: {memory:.0f} MiB in all, {1024 * (memory - before) / PARKED:.1f} KiB each", flush=True)
    took, crowd = [], waiters[:AT_ONE_LOCATION]
    for _ in range(rounds):
        await loop.run_in_executor(None, place, stage, other, LOCATIONS[0])
        placed = time.monotonic()
        await until(lambda: all(waiter.got and waiter.got[1] == 200 for waiter in crowd), "everybody woke")
        took += [max(0, waiter.got[0] - placed) for waiter in crowd]
        for waiter in crowd:
            waiter.ask()
        await until(lambda: parked_now(stage.service) == PARKED, "all are parked again")
    took.sort()
    result = {"memory_mib": memory, "memory_peak_mib": resident_mib(stage.service.process.pid),
              "kib_each": 1024 * (memory - before) / PARKED, "wake_p50_ms": 1e3 * quantile(took, 0.5),
              "wake_p99_ms": 1e3 * quantile(took, 0.99), "wake_max_ms": 1e3 * took[-1], "woken": len(took)}
    print(f"wake    {AT_ONE_LOCATION:,} at one location, {rounds} times, changed at the other instance: p50 {result['wake_p50_ms']:.1f} ms   "
          f"p99 {result['wake_p99_ms']:.1f} ms   longest {result['wake_max_ms']:.1f} ms", flush=True)
    for waiter in waiters:
        waiter.transport.abort()
    return result


# All together

def judged(what, reached, bar, at_most=True):
    passed = reached <= bar if at_most else reached >= bar
    print(f"{what:<58}{reached:>9.2f}   {'at most ' if at_most else 'at least'}{bar:>7.2f}   {'passed' if passed else 'MISSED'}")
    return {"what": what, "reached": reached, "bar": bar, "passed": passed}


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh queue", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seconds each and three wakes instead of ten")
    options = parser.parse_args()
    seconds, rounds = (2, 3) if options.quick else (8, 10)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with Stage(DIRECTORY, "tests/ceiling") as stage:
        other = Holdfast(stage.database_url, DIRECTORY, "other", log_level="warning").start()
        try:
            results = {"unchanged": unchanged(stage, seconds), "full": full(stage, seconds),
                       "waiting": asyncio.run(waiting(stage, other, rounds))}
            stage.service.assert_audit_clean()
        finally:
            other.stop()
    print()
    verdicts = [
        judged("304 of an unchanged queue / libmicrohttpd, 64 connections", results["unchanged"]["ratio"], UNCHANGED_BAR, at_most=False),
        judged("a full queue of 200 cards, 16 connections, p99 in ms", results["full"]["p99_ms"], FULL_BAR_MS),
        judged("10,000 parked requests, MiB in all", results["waiting"]["memory_peak_mib"], MEMORY_BAR_MIB),
        judged("commit to wake at another instance, p99 of 1,000 in ms", results["waiting"]["wake_p99_ms"], WAKE_BAR_MS)]
    (DIRECTORY / "results.json").write_text(json.dumps({"results": results, "verdicts": verdicts}, indent=1))
    sys.exit(0 if all(verdict["passed"] for verdict in verdicts) else 1)


if __name__ == "__main__":
    main()
