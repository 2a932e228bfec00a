"""Backups of a cluster by pgBackRest, with the configuration that deploy/backup ships."""

import json
import os
import subprocess
import time
from pathlib import Path

from support import ROOT

CONFIGURATION = ROOT / "deploy" / "backup" / "pgbackrest.conf"
STANZA = "holdfast"
WITHIN_S = 300


def as_owner(*command, **options):
    """As the user who owns the cluster's files: deploy/cluster.sh starts it as postgres for root."""
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.getuid() == 0 else []
    done = subprocess.run([*drop, *map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WITHIN_S, cwd="/", **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


class Backup:
    """The repository stands beside the cluster's data, so that it goes when the cluster is removed."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.home = Path((cluster.directory / "home").read_text().strip())
        self.data = self.home / "data"
        self.place = self.home / "backup"
        as_owner("mkdir", "-p", self.place / "log", self.place / "lock")
        places = f"[global]\nlock-path={self.place}/lock\nlog-path={self.place}/log\n"  # they are no options of every command
        (self.place / "pgbackrest.conf").write_text(CONFIGURATION.read_text().replace("[global]\n", places, 1))
        (self.place / "pgbackrest.conf").chmod(0o644)

    @property
    def command(self):
        """pgbackrest with the places of this cluster instead of those of a host."""
        return (f"pgbackrest --config={self.place}/pgbackrest.conf --stanza={STANZA} --pg1-path={self.data}"
                f" --repo1-path={self.place}/repository")

    def run(self, *arguments, connects=True):
        """Run one of its commands; how long it took in seconds."""
        read = lambda name: (self.cluster.directory / name).read_text().strip()  # noqa: E731
        connection = [f"--pg1-port={read('port')}", f"--pg1-socket-path={read('sockets')}", "--pg1-user=postgres"]
        begin = time.monotonic()
        as_owner(*self.command.split(), *(connection if connects else []), *arguments,
                 env={**os.environ, "PGPASSWORD": read("password")})
        return time.monotonic() - begin

    def stopped_at(self):
        """When the last backup was whole, in whole seconds since the epoch: only later moments can be restored from it."""
        told = as_owner(*self.command.replace(f" --pg1-path={self.data}", "").split(), "--output=json", "--log-level-console=off", "info")
        return json.loads(told)[0]["backup"][-1]["timestamp"]["stop"]
