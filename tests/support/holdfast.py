"""The service under test as a process."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import jwt

from support import ROOT
from support.client import Client
from support.discretion import discretion
from support.ports import free_port
from support.waiting import eventually

READY_WITHIN_S = 60  # an instrumented build on a busy machine
STOP_WITHIN_S = 60  # calls in flight may take 25 s
COMMAND_WITHIN_S = 120
START_ATTEMPTS = 3
LOG_TAIL_LINES = 40

JWT_SECRET = "a-secret-for-tests-of-32-bytes-or-more"
PICKUP_SECRET = "another-secret-for-tests-32-bytes-long"

# Every scope a client may hold but "admin", which overrides the rules that tests are about.
SCOPES = (
    "catalog:read catalog:write customers:read customers:write events:read exports:read fulfillment:read fulfillment:write"
    " inventory:read inventory:write orders:read orders:write reports:read reservations:write returns:write"
    " webhooks:manage")


def binary():
    return Path(os.environ.get("HOLDFAST_BINARY") or ROOT / "build" / "asan" / "holdfast")


def make_token(scope=SCOPES, subject="tester", locations=None, channel=None, ttl=3600, secret=JWT_SECRET, **claims):
    """A development token. `locations` None leaves the claim out: all of them; further claims as named."""
    now = int(time.time())
    payload = {"sub": subject, "scope": scope, "iat": now, "exp": now + ttl}
    if locations is not None:
        payload["locations"] = list(locations)
    if channel is not None:
        payload["channel"] = channel
    token = jwt.encode({**payload, **claims}, secret, algorithm="HS256", headers={"typ": "at+jwt"})
    discretion.keep(token, "a token")
    return token


class Holdfast:
    """One instance. `settings` are its variables without the prefix: Holdfast(url, dir, rate_limit=60).

    A value of None takes a variable away. Unless told otherwise, it drains without a grace, so that tests end soon. Its standard output and error go to NAME.log and NAME.err in `directory`.
    """

    def __init__(self, database_url, directory, name="holdfast", **settings):
        self.database_url = database_url
        self.name = name
        self.log_path = Path(directory) / f"{name}.log"
        self.error_path = Path(directory) / f"{name}.err"
        self.settings = {"DATABASE_URL": database_url, "JWT_SECRET": JWT_SECRET, "PICKUP_SECRET": PICKUP_SECRET,
                         "DRAIN_GRACE": "PT0S"}
        self.settings.update({key.upper(): value for key, value in settings.items()})
        self.process = None
        self._clients = []

    @staticmethod
    def program():
        return binary()

    # Life

    def start(self, wait=True):
        """Start it on free ports and wait until it is ready. wait=False: until it is alive only."""
        for attempt in range(1, START_ATTEMPTS + 1):
            self._choose_ports()
            if self._launch(wait):
                return self
            if attempt == START_ATTEMPTS or "in use" not in self.tail():
                raise AssertionError(f"{self.name} ended with {self.process.returncode} at its start\n{self.tail()}")
        return self

    def start_again(self, wait=True):
        """After stop() or kill(): on the same ports, so that clients find it again."""
        if not self._launch(wait):
            raise AssertionError(f"{self.name} ended with {self.process.returncode} at its start\n{self.tail()}")
        return self

    def stop(self):
        """SIGTERM; it must end with 0 in time, and no sanitizer may have complained."""
        self.terminate()
        self.wait_stopped()

    def terminate(self):
        """Send SIGTERM and return at once."""
        self.process.send_signal(signal.SIGTERM)

    def wait_stopped(self):
        try:
            code = self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {STOP_WITHIN_S} s\n{self.tail()}")
        finally:
            self._close_clients()
        assert code == 0, f"{self.name} ended with {code} instead of 0\n{self.tail()}"
        assert "runtime error:" not in self.error_path.read_text(), self.tail()

    def kill(self):
        """SIGKILL, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def discard(self):
        """Whatever its state, leave nothing running; for the end of a test that has failed."""
        if self.is_running():
            self.kill()
        self._close_clients()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    # Questions

    def is_ready(self):
        return self.probe("/readyz") == 200

    def probe(self, path):
        """The status of a path on the admin listener; None when nobody answers."""
        try:
            with urllib.request.urlopen(self.admin_url + path, timeout=5) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def figure(self, name, **labels):
        """One figure of /metrics, as in figure("holdfast_lane_waiting", lane="write"); 0 when it is not there yet."""
        with urllib.request.urlopen(self.admin_url + "/metrics", timeout=5) as reply:
            lines = reply.read().decode().splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        values = [float(line.rpartition(" ")[2]) for line in lines
                  if re.match(rf"{name}[{{ ]", line) and all(label in line for label in wanted)]
        assert len(values) <= 1, f"{name} {labels} names {len(values)} figures"
        return values[0] if values else 0

    def log_events(self, message=None):
        """The lines of its log as dicts, all or those with this message; every line must be JSON."""
        lines = [line for line in self.log_path.read_text().splitlines() if line]
        events = [json.loads(line) for line in lines]
        return [event for event in events if message in (None, event.get("message"))]

    def tail(self):
        """The end of its log and errors, for messages."""
        parts = []
        for path in (self.log_path, self.error_path):
            lines = path.read_text(errors="replace").splitlines() if path.exists() else []
            parts.append(f"--- {path}\n" + "\n".join(lines[-LOG_TAIL_LINES:]))
        return "\n".join(parts)

    # Use

    def client(self, scope=SCOPES, **claims):
        """A client with its own token; claims as for make_token, token=None for none at all."""
        token = claims.pop("token") if "token" in claims else make_token(scope, **claims)
        client = Client(self.url, token)
        self._clients.append(client)
        return client

    def run(self, *arguments, input=None, check=None):
        """Run a command of the binary with this instance's settings; check=0 asserts the exit code."""
        done = subprocess.run(
            [str(self.program()), *map(str, arguments)], env=self.environment(), input=input,
            stdin=subprocess.DEVNULL if input is None else None, capture_output=True, text=True,
            timeout=COMMAND_WITHIN_S)
        assert check is None or done.returncode == check, (
            f"holdfast {' '.join(map(str, arguments))} ended with {done.returncode}, not {check}\n"
            f"{done.stdout}{done.stderr}")
        return done

    def assert_audit_clean(self):
        """`holdfast audit` finds every stock invariant true."""
        self.run("audit", check=0)

    def environment(self):
        """Only the settings of this instance; no HOLDFAST_ or PG variable of the caller gets through."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HOLDFAST_", "PG"))}
        told = {f"HOLDFAST_{key}": str(value) for key, value in self.settings.items() if value is not None}
        return {**kept, **told}

    # Inside

    def _choose_ports(self):
        self.address = ("127.0.0.1", free_port())
        self.admin_address = ("127.0.0.1", free_port())
        self.url = "http://%s:%d" % self.address
        self.admin_url = "http://%s:%d" % self.admin_address
        self.settings["LISTEN"] = "%s:%d" % self.address
        self.settings["ADMIN_LISTEN"] = "%s:%d" % self.admin_address

    def _launch(self, wait):
        discretion.watch(self.log_path, self.error_path)
        discretion.keep_settings(self.settings)
        with open(self.log_path, "ab") as log, open(self.error_path, "ab") as errors:
            self.process = subprocess.Popen(
                [str(self.program()), "serve"], env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=errors)
        path = "/readyz" if wait else "/livez"
        try:
            eventually(lambda: not self.is_running() or self.probe(path) == 200, READY_WITHIN_S, f"{self.name} {path}")
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self.tail()}")
        return self.is_running()

    def _close_clients(self):
        for client in self._clients:
            client.close()
        self._clients.clear()


def migrate(database_url, **settings):
    """Bring the schema of a database to head with the binary under test."""
    Holdfast(database_url, ".", **settings).run("migrate", check=0)
