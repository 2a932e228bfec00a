#!/usr/bin/python3
"""Files out: rows a second and memory of each export, and the time of sales beside a running one.

A retailer with 1,000,000 rows of stock and 600,000 orders is filled by files.sql into a durable PostgreSQL. Each kind is exported to a
file on the disk by the release build. Then one client places orders, alone and beside exports that follow each other without a pause.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stage import HERE, SERVER_SETTINGS, quantile  # noqa: E402
from support import ROOT  # noqa: E402
from support.building import Build  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.holdfast import Holdfast, migrate  # noqa: E402

DIRECTORY = ROOT / "build" / "bench-files"
RATES = {"stock": 200_000, "orders": 60_000}  # rows a second, at least
MEMORY_MIB = 64
SALES_FACTOR = 1.5
KINDS = ["stock", "orders", "products", "ledger", "order-lines", "payments", "journal"]

# A process begins with the peak of the one it was forked from, so a small one has to stand between it and this program.
PEAK = """if True:
    import resource, subprocess, sys
    code = subprocess.call(sys.argv[1:])
    print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
    sys.exit(code)
"""


def export(service, kind, *options):
    """(rows, seconds, MiB) of one export."""
    path = DIRECTORY / "export.out"
    begin = time.monotonic()
    with open(path, "wb") as out:
        done = subprocess.run([sys.executable, "-c", PEAK, str(Holdfast.program()), "export", kind, *options], env=service.environment(),
                              stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    words = done.stderr.split()
    return int(words[1]), time.monotonic() - begin, int(words[-1]) / 1024


def measure_exports(service, kinds):
    missed = 0
    print(f"{'export':<14}{'rows':>12}{'seconds':>10}{'rows/s':>12}{'MiB':>8}")
    for kind in kinds:
        rows, took, memory = export(service, kind)
        slow = rows / took < RATES.get(kind, 0)
        fat = memory > MEMORY_MIB
        missed += slow + fat
        print(f"{kind:<14}{rows:>12,}{took:>10.1f}{rows / took:>12,.0f}{memory:>8.1f}{'   MISSED' if slow or fat else ''}", flush=True)
    return missed


def place_orders(service, seconds):
    """Sorted milliseconds of orders that one client places one after another."""
    client, took, end = service.client(), [], time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        client.post("/v1/orders", {
            "channel": "web", "external_ref": f"bench-{time.monotonic_ns()}", "currency": "EUR", "customer": {"name": "Ada"},
            "fulfillment": {"method": "pickup", "location": "l001"}, "payment": {"status": "captured"},
            "lines": [{"sku": f"sku-{len(took) % 1000:06}", "quantity": 1}]}, expect=201, key=f"bench-{time.monotonic_ns()}")
        took.append(1e3 * (time.perf_counter() - begin))
        time.sleep(0.005)
    return sorted(took)


def measure_sales(service, seconds):
    place_orders(service, 2)
    alone = place_orders(service, seconds)
    stop = threading.Event()

    def export_on():
        while not stop.is_set():
            export(service, "orders")

    exporting = threading.Thread(target=export_on)
    exporting.start()
    beside = place_orders(service, seconds)
    stop.set()
    exporting.join()
    factor = quantile(beside, 0.99) / quantile(alone, 0.99)
    for name, times in (("alone", alone), ("beside", beside)):
        print(f"orders placed {name}: {len(times):,}; p50 {quantile(times, 0.5):.1f} ms, p99 {quantile(times, 0.99):.1f} ms")
    print(f"p99 beside an export: {factor:.2f} times{'   MISSED' if factor > SALES_FACTOR else ''}")
    return factor > SALES_FACTOR


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh files", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stock", type=int, default=1_000_000, help="rows of stock (%(default)s)")
    parser.add_argument("--orders", type=int, default=600_000, help="orders (%(default)s)")
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement of sales (%(default)s)")
    parser.add_argument("--kinds", nargs="+", default=KINDS, help="exports to measure")
    options = parser.parse_args()
    build = Build(ROOT / "build" / "release", "-Dbuildtype=release")
    build.build("holdfast")
    os.environ["HOLDFAST_BINARY"] = str(build.directory / "holdfast")
    subprocess.run(["rm", "-rf", "--", str(DIRECTORY)], check=True)
    DIRECTORY.mkdir(parents=True)
    cluster = Cluster(DIRECTORY / "cluster", durable=True, settings=SERVER_SETTINGS)
    try:
        cluster.start()
        migrate(cluster.url())
        begin = time.monotonic()
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-v", f"stock={options.stock}", "-v", f"orders={options.orders}", "-v", "locations=20",
                        "-f", HERE / "files.sql", cluster.url()], check=True, env={**os.environ, "PGOPTIONS": "-csearch_path=holdfast"})
        print(f"filled in {time.monotonic() - begin:.0f} s", flush=True)
        service = Holdfast(cluster.url(), DIRECTORY, "service", log_level="warning").start()
        missed = measure_exports(service, options.kinds) + measure_sales(service, options.seconds)
        service.stop()
    finally:
        cluster.remove()
    print(f"bars: {', '.join(f'{kind} {rate:,} rows/s' for kind, rate in RATES.items())}; {MEMORY_MIB} MiB; {SALES_FACTOR} times; "
          + (f"{missed} missed" if missed else "all passed"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
