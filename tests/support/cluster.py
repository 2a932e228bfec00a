"""A private PostgreSQL cluster, by deploy/cluster.sh."""

import itertools
import os
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from support import ROOT
from support.database import Database
from support.ports import free_port
from support.waiting import eventually

SCRIPT = ROOT / "deploy" / "cluster.sh"
TIMEOUT_S = 120
PROGRAMS = Path(os.environ.get("POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))


def as_owner(*command):
    """The words of a command that runs as the user who owns the servers: never root."""
    who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []
    return [*who, *map(str, command)]


class Cluster:
    """One PostgreSQL server with any number of databases, all owned by the role of the service."""

    def __init__(self, directory, durable=False, settings=()):
        self.directory = directory
        self.durable = durable
        self.settings = settings  # NAME=VALUE
        self._numbers = itertools.count(1)

    def start(self):
        self._script("remove")
        options = [] if self.durable else ["--fast-tests"]
        for setting in self.settings:
            options += ["--set", setting]
        self._script("start", *options)
        return self

    def start_again(self, *options):
        """After stop(): same data, same port."""
        self._script("start", *options)

    def stop(self, mode="fast"):
        """mode "immediate" is as good as a crash: no check-point, sessions cut."""
        self._script("stop", mode)

    def remove(self):
        self._script("remove")

    def url(self, database="holdfast", superuser=False):
        return self._script("url", "--database", database, *(["--superuser"] if superuser else []))

    def create_database(self, template="template1"):
        """A new database, a copy of the template (which nobody may be using); its URL."""
        name = f"test_{next(self._numbers)}"
        with Database(self.url("holdfast")) as database:
            database.execute(f'create database "{name}" template "{template}"')
        return self.url(name)

    def data(self):
        """Where the server keeps its files."""
        return Path((self.directory / "home").read_text().strip()) / "data"

    @contextmanager
    def standby(self, database="holdfast"):
        """A hot standby that follows this server; yields the URL of the database there."""
        port = free_port()
        with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
            subprocess.run(["chmod", "777", place], check=True)
            data = Path(place) / "data"
            done = subprocess.run(
                as_owner(PROGRAMS / "pg_basebackup", "--dbname", self.url("postgres", superuser=True) + "?application_name=follower",
                         "--pgdata", data, "--checkpoint=fast", "--no-sync", "--write-recovery-conf"),
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)
            assert done.returncode == 0, done.stderr
            server = subprocess.Popen(
                as_owner(PROGRAMS / "postgres", "-D", data, "-p", port, "-c", f"unix_socket_directories={place}"),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                url = urlsplit(self.url(database))
                url = urlunsplit(url._replace(netloc=url.netloc.rpartition(":")[0] + f":{port}"))
                eventually(lambda: _answers(url), what="the standby answers")
                yield url
            finally:
                server.send_signal(signal.SIGQUIT)
                server.wait()

    def _script(self, command, *arguments):
        done = subprocess.run(
            [str(SCRIPT), command, str(self.directory), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)
        assert done.returncode == 0, f"cluster.sh {command}: {done.stderr.strip()}"
        return done.stdout.strip()


def _answers(url):
    try:
        with Database(url) as database:
            return database.value("select pg_is_in_recovery()")
    except psycopg2.OperationalError:
        return False
