"""The stage of every program here: a PostgreSQL that survives power cuts, the release build, one instance of it; and
what its processes cost."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from support import ROOT
from support.building import Build
from support.cluster import Cluster
from support.holdfast import Holdfast, migrate

HERE = Path(__file__).resolve().parent
SERVER_SETTINGS = ["shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=30min"]
SCOPES = "catalog:read fulfillment:read inventory:read orders:read orders:write reservations:write"
TICKS = os.sysconf("SC_CLK_TCK")


def end_well(number, _):
    """Told to end, a program takes its processes with it."""
    sys.exit(128 + number)


def answers(url):
    """Whether a program listens there already."""
    try:
        urllib.request.urlopen(url, timeout=1).read()
        return True
    except OSError:
        return False


class Stage:
    """with Stage(directory) as stage: the service runs on the seed. More programs of the build are named by target."""

    def __init__(self, directory, *programs, **settings):
        self.directory = directory
        self.settings = {"log_level": "warning", **settings}
        signal.signal(signal.SIGTERM, end_well)
        Cluster(directory / "cluster").remove()  # of a run that had no time to do so itself
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        build = Build(ROOT / "build" / "release", "-Dbuildtype=release")
        build.build("holdfast", *programs)
        self.build_directory = build.directory
        os.environ["HOLDFAST_BINARY"] = str(build.directory / "holdfast")
        self.cluster = Cluster(directory / "cluster", durable=True, settings=SERVER_SETTINGS)

    def __enter__(self):
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _open(self):
        self.cluster.start()
        self.database_url = self.cluster.url()
        migrate(self.database_url)
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", HERE / "seed.sql", self.database_url], check=True)
        home = (self.cluster.directory / "home").read_text().strip()
        self.postmaster = int(Path(home, "data", "postmaster.pid").read_text().split()[0])
        self.service = Holdfast(self.database_url, self.directory, "service", **self.settings).start()
        self.token = self.service.run("token", "--subject", "bench", "--scope", SCOPES, "--ttl", "86400", check=0).stdout.strip()

    def __exit__(self, *_):
        if hasattr(self, "service"):
            self.service.stop()
        self.cluster.remove()

    def wrk_command(self, url, case, clients, seconds, run, *more):
        """Closed loop of requests.lua; `more` holds the further arguments of the case."""
        return ["wrk", "--threads=1", f"--connections={clients}", f"--duration={seconds}s", "--timeout=30s", "--script",
                str(HERE / "requests.lua"), url, "--", case, run, self.token, *more]


def read_wrk(output):
    """The summary that requests.lua prints."""
    result = json.loads(output.splitlines()[-1])
    result["per_second"] = result["requests"] / result["seconds"]
    return result


def quantile(ordered, q):
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")


# Time and memory of processes

def stat_of(pid):
    """utime, stime, cutime and cstime in seconds, and the parent; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return [int(field) / TICKS for field in fields[11:15]], int(fields[1])


def cpu_of(pid):
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
