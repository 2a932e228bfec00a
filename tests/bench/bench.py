#!/usr/bin/python3
"""Holdfast against plain SQL, on this machine, in one run.

A durable PostgreSQL of its own, the release build, loopback. Each figure of the service stands beside the reference
measured just before: pgbench with BEGIN; SELECT FOR UPDATE; UPDATE; INSERT; COMMIT over prepared statements. Afterwards
every acknowledged request must be a row, and the audit clean. Results go to build/bench/ as well.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import ROOT  # noqa: E402
from support.building import Build  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.database import Database  # noqa: E402
from support.holdfast import Holdfast, migrate  # noqa: E402
from support.waiting import eventually  # noqa: E402

HERE = Path(__file__).resolve().parent
CLIENTS = (1, 16, 64, 256)
REFERENCE_CLIENTS = (1, 16, 64)
TICKS = os.sysconf("SC_CLK_TCK")
SERVER_SETTINGS = ["shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=30min"]

# (what, clients, the reference and its clients, bar): the ratio of throughputs must be at least the bar.
BARS = [
    ("hot", 64, ("naive hot", 64), 10.0),
    ("hot", 256, ("naive hot", 64), 20.0),
    ("spread", 64, ("naive spread", 64), 1.5),
    ("spread", 256, ("naive spread", 64), 2.5),
    ("lookup", 64, ("constant", 64), 0.25),
]
LONE_BAR = 2.5  # p50 of a lone reservation against the average of a lone reference
MEMORY_BAR_MIB = 64


# Time and memory of processes

def stat_of(pid):
    """utime, stime, cutime and cstime in seconds, and the parent; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return [int(field) / TICKS for field in fields[11:15]], int(fields[1])


def cpu_of_service(pid):
    return sum(stat_of(pid)[0][:2])


def cpu_of_database(postmaster):
    """The postmaster, the children it has buried, and those that live."""
    living = [stat_of(pid) for pid in children_of(postmaster)]
    return sum(stat_of(postmaster)[0]) + sum(sum(found[0][:2]) for found in living if found)


def children_of(postmaster):
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if (stat_of(pid) or (None, None))[1] == postmaster]


def resident_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


# The things that are measured

class Bench:
    def __init__(self, options):
        self.seconds = options.seconds or (3 if options.quick else 10)
        self.directory = ROOT / "build" / "bench"
        self.run = uuid.uuid4().hex[:8]
        self.results = []
        self.acknowledged = 0
        self.unsure = 0

    def prepare(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        build = Build(ROOT / "build" / "release", "-Dbuildtype=release")
        build.build("holdfast")
        os.environ["HOLDFAST_BINARY"] = str(build.directory / "holdfast")
        self.cluster = Cluster(self.directory / "cluster", durable=True, settings=SERVER_SETTINGS)

    def open(self):
        self.cluster.start()
        self.url = self.cluster.url()
        migrate(self.url)
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", HERE / "seed.sql", self.url], check=True)
        home = (self.cluster.directory / "home").read_text().strip()
        self.postmaster = int(Path(home, "data", "postmaster.pid").read_text().split()[0])
        self.service = Holdfast(self.url, self.directory, "service", log_level="warning").start()
        self.token = self.service.run("token", "--subject", "bench", "--scope", "reservations:write inventory:read",
                                      "--ttl", "86400", check=0).stdout.strip()

    def reference(self, name, clients):
        output = self._timed("reference", name, clients, [
            "pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(clients, 2)}",
            f"--time={self.seconds}", "--file", HERE / f"{name.replace(' ', '_')}.sql", self.url])
        result = self.results[-1]
        result["per_second"] = float(re.search(r"tps = ([\d.]+)", output)[1])
        result["average_ms"] = float(re.search(r"latency average = ([\d.]+)", output)[1])
        result["requests"] = int(re.search(r"actually processed: (\d+)", output)[1])
        self._finish()

    def requests(self, name, clients):
        url = self.service.admin_url if name == "constant" else self.service.url
        output = self._timed("service", name, clients, [
            "wrk", "--threads=1", f"--connections={clients}", f"--duration={self.seconds}s", "--timeout=30s",
            "--script", HERE / "requests.lua", url, "--", name, f"{self.run}-{len(self.results)}", self.token])
        result = self.results[-1]
        result.update(json.loads(output.splitlines()[-1]))
        assert not result["refused"] and not result["broken"], f"{name} with {clients}: {result}"
        result["per_second"] = result["requests"] / result["seconds"]
        result["resident_mib"] = resident_mib(self.service.process.pid)
        if name in ("hot", "spread"):
            self.acknowledged += result["requests"]
            self.unsure += clients  # wrk leaves without the answers that are under way
        self._finish()

    def _timed(self, kind, name, clients, command):
        before = self._cpu()
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as process:
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, output
        eventually(self._references_have_left, what="sessions of pgbench end, and their time is known")
        after = self._cpu()
        self.results.append({"kind": kind, "name": name, "clients": clients, "driver_s": usage.ru_utime + usage.ru_stime,
                             "service_s": after[0] - before[0], "database_s": after[1] - before[1],
                             "wall_s": after[2] - before[2]})
        return output

    def _references_have_left(self):
        with Database(self.url) as database:
            return database.value("select count(*) from pg_stat_activity where application_name = 'pgbench'") == 0

    def _cpu(self):
        return cpu_of_service(self.service.process.pid), cpu_of_database(self.postmaster), time.monotonic()

    def _finish(self):
        """CPU microseconds per request, the driver's share of one core, and a line for the reader."""
        result = self.results[-1]
        for who in "service", "database":
            result[f"{who}_us"] = 1e6 * result[f"{who}_s"] / max(1, result["requests"])
        result["driver_cpu"] = result["driver_s"] / result["wall_s"]
        show(result)

    def result(self, name, clients):
        return next(each for each in self.results if (each["name"], each["clients"]) == (name, clients))

    def measure(self):
        for name in "hot", "spread":
            for clients in CLIENTS:
                if clients in REFERENCE_CLIENTS:
                    self.reference(f"naive {name}", clients)
                self.requests(name, clients)
        for name in "constant", "lookup":
            for clients in 64, 256:
                self.requests(name, clients)

    def profile(self, name, clients):
        """Where service and database spend their time, by function, in profile.txt."""
        record = self.directory / "perf.data"
        pids = ",".join(map(str, [self.service.process.pid, *children_of(self.postmaster)]))
        perf = subprocess.Popen(["perf", "record", "-q", "-g", "-F", "999", "-o", record, "-p", pids])
        try:
            self.requests(name, clients)
        finally:
            perf.send_signal(signal.SIGINT)
            perf.wait()
        report = subprocess.run(["perf", "report", "-i", record, "--stdio", "--no-children", "-g", "none",
                                 "--sort", "comm,dso,symbol", "--percent-limit", "0.3"],
                                capture_output=True, text=True, check=True).stdout
        path = self.directory / "profile.txt"
        path.write_text(report)
        print(f"profile of {name} with {clients} clients: {path}")

    def verify(self):
        """Every acknowledged reservation is a row, and its units are reserved."""
        with Database(self.url) as database:
            rows = database.count("reservations")
            reserved = database.value("select sum(reserved)::bigint from stock")
            records = database.count("idempotency")
        assert rows == reserved == records, f"{rows} reservations, {reserved} units reserved, {records} records"
        assert self.acknowledged <= rows <= self.acknowledged + self.unsure, f"{rows} rows for {self.acknowledged} promises"
        self.service.assert_audit_clean()
        print(f"\n{self.acknowledged} reservations acknowledged, {rows} there, audit clean")

    def ratios(self):
        lines = []
        for name, clients, reference, bar in BARS:
            ratio = self.result(name, clients)["per_second"] / self.result(*reference)["per_second"]
            lines.append((f"{name} {clients} / {reference[0]} {reference[1]}", ratio, bar, ratio >= bar))
        lone = self.result("hot", 1)["p50_ms"] / self.result("naive hot", 1)["average_ms"]
        lines.append(("lone reservation, p50 / lone naive, average", lone, LONE_BAR, lone <= LONE_BAR))
        memory = max(each.get("resident_mib", 0) for each in self.results)
        lines.append(("resident memory, MiB", memory, MEMORY_BAR_MIB, memory <= MEMORY_BAR_MIB))
        return [dict(zip(("what", "reached", "bar", "passed"), line)) for line in lines]

    def close(self):
        if hasattr(self, "service"):
            self.service.stop()
        self.cluster.remove()


def head():
    print(f"{'what':<14}{'clients':>8}{'per second':>12}{'p50 ms':>9}{'p99 ms':>9}{'service us':>12}{'database us':>12}"
          f"{'MiB':>6}{'driver':>8}")


def show(result):
    p50 = result.get("p50_ms", result.get("average_ms"))
    p99 = f"{result['p99_ms']:9.2f}" if "p99_ms" in result else f"{'(avg)':>9}"
    memory = f"{result['resident_mib']:6.0f}" if "resident_mib" in result else " " * 6
    print(f"{result['name']:<14}{result['clients']:>8}{result['per_second']:>12,.0f}{p50:>9.2f}{p99}"
          f"{result['service_us']:>12.1f}{result['database_us']:>12.1f}{memory}{result['driver_cpu']:>8.0%}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three seconds each, under two minutes in all")
    parser.add_argument("--seconds", type=int, help="how long each figure is measured (default 10)")
    parser.add_argument("--profile", metavar="CASE:CLIENTS", help="no comparison: only this, under perf, as in hot:64")
    options = parser.parse_args()
    bench = Bench(options)
    bench.prepare()
    try:
        bench.open()
        head()
        if options.profile:
            name, _, clients = options.profile.partition(":")
            bench.profile(name, int(clients))
        else:
            bench.measure()
        bench.verify()
        ratios = [] if options.profile else bench.ratios()
    finally:
        bench.close()
    print()
    for line in ratios:
        print(f"{line['what']:<48}{line['reached']:>8.2f}   bar {line['bar']:>6.2f}   {'passed' if line['passed'] else 'MISSED'}")
    (bench.directory / "results.json").write_text(json.dumps({"results": bench.results, "ratios": ratios}, indent=1))


if __name__ == "__main__":
    main()
