#!/usr/bin/python3
"""Holdfast against plain SQL and against libmicrohttpd alone, on this machine, in one run.

A durable PostgreSQL of its own, the release build, loopback, wrk as the driver. For each number of clients the references are measured
first, then every case:

  naive hot, naive spread   pgbench: BEGIN; SELECT FOR UPDATE; UPDATE; INSERT; COMMIT over prepared statements
  ceiling                   libmicrohttpd alone, answering a constant (tests/bench/ceiling.c)

Every answer must have the status it should have; afterwards every acknowledged request must be a row, and the audit clean.
Results go to build/bench/: results.json and results.svg.

Other programs stand beside this one: tests/bench/run.sh pressure --help.
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from plot import plot  # noqa: E402
from stage import HERE, Stage, answers, children_of, cpu_of, cpu_of_database, read_wrk, resident_mib  # noqa: E402
from support import ROOT  # noqa: E402
from support.database import Database  # noqa: E402
from support.ports import free_port  # noqa: E402
from support.waiting import eventually  # noqa: E402

CLIENTS = (1, 16, 64, 256)
SECONDS, SECONDS_QUICK = 10, 2
DIRECTORY = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Reference:
    name: str
    clients_max: int  # more would only be slower; cases with more clients are held against this many


@dataclass(frozen=True)
class Case:
    name: str  # as requests.lua knows it
    what: str
    route: str  # as /metrics knows it
    status: int  # of every answer
    reference: str
    table: str = None  # gets a row for each request
    units: int = 0  # reserved by each request


REFERENCES = [
    Reference("naive hot", 64),
    Reference("naive spread", 64),
    Reference("ceiling", 256),
]

CASES = [
    Case("hot", "reservations, one hot row", "/v1/reservations", 201, "naive hot", "reservations", 1),
    Case("spread", "reservations, 10,000 rows", "/v1/reservations", 201, "naive spread", "reservations", 1),
    Case("orders", "orders of two lines", "/v1/orders", 201, "naive spread", "orders", 2),
    Case("availability", "availability, 20 SKUs in 8 stores", "/v1/availability/query", 200, "ceiling"),
    Case("lookup", "one stock look-up", "/v1/inventory/{sku}", 200, "ceiling"),
    Case("unchanged", "304 for a product", "/v1/products/{sku}", 304, "ceiling"),
]

# (case, clients): requests a second must be at least so many times the reference's of the same round.
BARS = {
    ("hot", 64): 10.0,
    ("hot", 256): 20.0,
    ("spread", 64): 1.5,
    ("spread", 256): 2.5,
    ("orders", 64): 0.5,
    ("lookup", 64): 0.25,
}
PROFILES = [["--no-children", "--sort", "comm,dso", "--percent-limit", "0.3"],
            ["--no-children", "--sort", "comm,dso,symbol", "--percent-limit", "0.3"],
            ["--children", "--sort", "comm,symbol", "--percent-limit", "1"]]
LONE_BAR = 2.5  # p50 of a lone reservation against the average of a lone reference
MEMORY_CLIENTS, MEMORY_BAR_MIB = 256, 64


class Bench:
    def __init__(self, stage, seconds):
        self.stage, self.seconds = stage, seconds
        self.url = stage.database_url
        self.run = uuid.uuid4().hex[:8]
        self.results = []
        port = free_port()
        self.ceiling = subprocess.Popen([stage.build_directory / "tests" / "ceiling", str(port)])
        self.ceiling_url = f"http://127.0.0.1:{port}"
        eventually(lambda: answers(self.ceiling_url), 10, "the ceiling answers")

    def close(self):
        self.ceiling.terminate()
        self.ceiling.wait()

    # One figure after the other

    def measure(self, cases, all_clients):
        for clients in all_clients:
            for reference in REFERENCES:
                if any(case.reference == reference.name for case in cases):
                    self.measure_reference(reference, clients)
            for case in cases:
                self.measure_case(case, clients)

    def measure_reference(self, reference, round_clients):
        clients = min(round_clients, reference.clients_max)
        if reference.name == "ceiling":
            result = self._timed(self.ceiling.pid, self.stage.wrk_command(
                self.ceiling_url, "constant", clients, self.seconds, self.run), read_wrk)
        else:
            result = self._timed(None, [
                "pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(clients, 2)}",
                f"--time={self.seconds}", "--file", HERE / f"{reference.name.replace(' ', '_')}.sql", self.url], read_pgbench)
        self._keep(reference.name, clients, {**result, "round": round_clients})

    def measure_case(self, case, clients):
        service = self.stage.service
        before = self._answered(case)
        result = self._timed(service.process.pid, *self._drive(case, clients))
        answered = self._answered(case) - before
        assert not result["refused"] and not result["broken"], f"{case.name} with {clients}: {result}"
        # Drivers leave without the answers that are under way.
        assert result["requests"] <= answered <= result["requests"] + clients, (
            f"{case.name} with {clients}: {result['requests']} answers, {answered} of them {case.status}")
        result["resident_mib"] = resident_mib(service.process.pid)
        self._keep(case.name, clients, {**result, "round": clients})

    def _drive(self, case, clients):
        """The driver's command, and how to read its output."""
        return self.stage.wrk_command(
            self.stage.service.url, case.name, clients, self.seconds, f"{self.run}-{len(self.results)}"), read_wrk

    def _answered(self, case):
        return int(self.stage.service.figure("holdfast_http_request_duration_seconds_count", route=case.route, code=case.status))

    def _timed(self, server, command, read):
        """Run the driver; its output, and the processor time of driver, server and database meanwhile."""
        before = self._cpu(server)
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as process:
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, output
        eventually(self._references_have_left, what="sessions of pgbench end, and their time is known")
        after = self._cpu(server)
        result = read(output)
        micros = 1e6 / max(1, result["requests"])
        result["service_us"] = (after[0] - before[0]) * micros
        result["database_us"] = (after[1] - before[1]) * micros
        result["driver_cpu"] = (usage.ru_utime + usage.ru_stime) / (after[2] - before[2])
        return result

    def _references_have_left(self):
        with Database(self.url) as database:
            return database.value("select count(*) from pg_stat_activity where application_name = 'pgbench'") == 0

    def _cpu(self, server):
        return cpu_of(server) if server else 0, cpu_of_database(self.stage.postmaster), time.monotonic()

    def _keep(self, name, clients, result):
        self.results.append({"name": name, "clients": clients, **result})
        show(self.results[-1])

    # Results

    def result(self, name, round_clients):
        return next(each for each in self.results if (each["name"], each["round"]) == (name, round_clients))

    def ratios(self, cases):
        for case in cases:
            for clients in CLIENTS:
                reference = self.result(case.reference, clients)
                ratio = self.result(case.name, clients)["per_second"] / reference["per_second"]
                yield judged(f"{case.what}, {clients} clients, against {case.reference}, {reference['clients']}", ratio,
                             BARS.get((case.name, clients)))

    def verdicts(self):
        """The ratios of throughput, and the bars of another kind."""
        lone = self.result("hot", 1)["p50_ms"] / self.result("naive hot", 1)["average_ms"]
        memory = max(each.get("resident_mib", 0) for each in self.results if each["clients"] == MEMORY_CLIENTS)
        return [*self.ratios(CASES),
                judged("a lone reservation, p50, against the average of a lone naive hot", lone, LONE_BAR, at_most=True),
                judged(f"resident memory with {MEMORY_CLIENTS} clients, MiB", memory, MEMORY_BAR_MIB, at_most=True)]

    def verify(self):
        """Every acknowledged request is a row, its units are reserved, its reply is kept under its key."""
        acknowledged, unsure = {}, {}
        for case in CASES:
            for result in self.results:
                if case.table and result["name"] == case.name:
                    acknowledged[case.table] = acknowledged.get(case.table, 0) + result["requests"]
                    unsure[case.table] = unsure.get(case.table, 0) + result["clients"]
        with Database(self.url) as database:
            rows = {table: database.count(table) for table in acknowledged}
            reserved = database.value("select sum(reserved)::bigint from stock")
            records = database.count("idempotency")
        units = {case.table: case.units for case in CASES if case.table}
        assert sum(n * units[table] for table, n in rows.items()) == reserved, f"{rows}, but {reserved} units are reserved"
        assert sum(rows.values()) == records, f"{rows}, but {records} records"
        for table, n in rows.items():
            assert acknowledged[table] <= n <= acknowledged[table] + unsure[table], f"{n} {table}, {acknowledged[table]} promised"
        self.stage.service.assert_audit_clean()
        found = [f"{acknowledged[table]:,} {table} acknowledged, {n:,} there" for table, n in rows.items()]
        print("\n" + ", ".join([*found, "audit clean"]))

    def profile(self, case, clients):
        """Where service and database spend their time, in profile.txt: by thread, by function, with its callees."""
        record = DIRECTORY / "perf.data"
        pids = ",".join(map(str, [self.stage.service.process.pid, *children_of(self.stage.postmaster)]))
        perf = subprocess.Popen(["perf", "record", "-q", "-g", "-F", "999", "-o", record, "-p", pids])
        try:
            self.measure_case(case, clients)
        finally:
            perf.send_signal(signal.SIGINT)
            perf.wait()
        reports = [subprocess.run(["perf", "report", "-i", record, "--stdio", "-g", "none", *how], capture_output=True,
                                  text=True, check=True).stdout for how in PROFILES]
        path = DIRECTORY / "profile.txt"
        path.write_text("\n".join(reports))
        print(f"profile of {case.name} with {clients} clients: {path}")


def read_pgbench(output):
    found = re.search(r"actually processed: (\d+).*latency average = ([\d.]+) ms.*tps = ([\d.]+)", output, re.DOTALL)
    assert found, output
    return {"requests": int(found[1]), "average_ms": float(found[2]), "per_second": float(found[3])}


def judged(what, reached, bar, at_most=False):
    passed = None if bar is None else reached <= bar if at_most else reached >= bar
    return {"what": what, "reached": reached, "bar": bar, "passed": passed}


# For the reader

def head():
    print(f"{'what':<14}{'clients':>8}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'service us':>12}{'database us':>12}"
          f"{'MiB':>6}{'driver':>8}")


def show(result):
    p50 = result.get("p50_ms", result.get("average_ms"))
    p99 = f"{result['p99_ms']:9.2f}" if "p99_ms" in result else f"{'(avg)':>9}"
    memory = f"{result['resident_mib']:6.0f}" if "resident_mib" in result else " " * 6
    print(f"{result['name']:<14}{result['clients']:>8}{result['per_second']:>12,.0f}{p50:>9.2f}{p99}"
          f"{result['service_us']:>12.1f}{result['database_us']:>12.1f}{memory}{result['driver_cpu']:>8.0%}", flush=True)


def show_verdict(verdict):
    verdict_text = "" if verdict["bar"] is None else f"   bar {verdict['bar']:>6.2f}   {'passed' if verdict['passed'] else 'MISSED'}"
    print(f"{verdict['what']:<78}{verdict['reached']:>8.2f}{verdict_text}")


def machine():
    """The machine on which the figures were measured."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"processors": os.cpu_count(), "model": model[1] if model else platform.machine(), "kernel": platform.release(),
            "load_before": os.getloadavg()[0],
            "commit": subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True,
                                     text=True).stdout.strip()}


def write_results(bench, on, verdicts):
    results = {"machine": on, "seconds": bench.seconds, "settings": bench.stage.settings, "results": bench.results, "verdicts": verdicts}
    (DIRECTORY / "results.json").write_text(json.dumps(results, indent=1))
    (DIRECTORY / "results.svg").write_text(plot(CASES, CLIENTS, bench.result))
    print(f"\n{DIRECTORY}/results.json and results.svg")


def check(parser, options, by_name):
    """Faults that show before anything is built or deleted."""
    name, _, clients = (options.profile or "hot:1").partition(":")
    for each in [name, *(options.only.split(",") if options.only else [])]:
        if each not in by_name:
            parser.error(f"there is no case {each}; there are {' '.join(by_name)}")
    if not clients.isdigit():
        parser.error("--profile is CASE:CLIENTS, as in hot:64")
    if not all("=" in each for each in options.set):
        parser.error("--set is NAME=VALUE, as in WRITE_WORKERS=1")


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{SECONDS_QUICK} seconds each, under two minutes in all")
    parser.add_argument("--seconds", type=int, help=f"how long each figure is measured (default {SECONDS})")
    parser.add_argument("--only", metavar="CASE,...", help="these cases and their references alone, without a verdict")
    parser.add_argument("--profile", metavar="CASE:CLIENTS", help="no comparison: only this, under perf, as in hot:64")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[],
                        help="a setting of the service without its HOLDFAST_, as in WRITE_WORKERS=1")
    options = parser.parse_args()
    by_name = {case.name: case for case in CASES}
    check(parser, options, by_name)
    on = machine()
    settings = dict(each.split("=", 1) for each in options.set)
    with Stage(DIRECTORY, "tests/ceiling", **settings) as stage:
        bench = Bench(stage, options.seconds or (SECONDS_QUICK if options.quick else SECONDS))
        try:
            head()
            if options.profile:
                name, _, clients = options.profile.partition(":")
                bench.profile(by_name[name], int(clients))
            else:
                bench.measure([by_name[name] for name in options.only.split(",")] if options.only else CASES, CLIENTS)
            bench.verify()
        finally:
            bench.close()
    if options.profile or options.only:
        return
    verdicts = bench.verdicts()
    for verdict in verdicts:
        show_verdict(verdict)
    write_results(bench, on, verdicts)
    sys.exit(1 if any(verdict["passed"] is False for verdict in verdicts) else 0)


if __name__ == "__main__":
    main()
