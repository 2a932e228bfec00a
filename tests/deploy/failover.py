"""Lose the database's primary in several ways while orders are placed; see failover.sh, which starts it in separate namespaces."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import ROOT  # noqa: E402
from support.client import Client  # noqa: E402
from support.crowd import Lost, Refused, Shopper, Started  # noqa: E402
from support.database import Database  # noqa: E402
from support.holdfast import Holdfast, make_token, migrate  # noqa: E402
from support.retailer import Retailer  # noqa: E402
from support.waiting import eventually  # noqa: E402

HA = ROOT / "deploy" / "ha"
SCENARIOS = ("crash", "node", "partition")
NODES = (1, 2, 3)
CLUSTER_WITHIN_S = 120
WRITES_WITHIN_S = 30  # the promise
GIVE_UP_AFTER_S = 90
STEADY_ORDERS = 40  # through each instance, before the primary is lost and after writes have resumed
CUSTOMERS = 8
ASK_TIMEOUT_S = 60
PAUSE_S = 0.05
LOOK_EVERY_S = 0.2  # no oftener: Patroni has better things to do
UNITS = 1_000_000

# The start of a node: no process of the boot before lives, so its lock file is void.
BOOT = r"""
set -eu
mount --bind "$1/run" /run/postgresql
mount --bind "$1/postgresql" /var/lib/postgresql
mount --bind "$1/etcd" /var/lib/etcd
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip link set lo up
ip address add "$2/24" dev eth0
ip link set eth0 up
rm -f /var/lib/postgresql/15/holdfast/postmaster.pid
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
(set -a && . "$1/etcd.env" && as_postgres etcd >>"$1/etcd.log" 2>&1) &
(set -a && . "$1/node.env" && as_postgres /usr/bin/patroni "$3" >>"$1/patroni.log" 2>&1) &
wait
"""


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL)


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Node:
    """One machine: a separate network, processes and mounts."""

    def __init__(self, number, directory, passwords):
        self.number = number
        self.name = f"db{number}"
        self.address = f"10.0.0.1{number}"
        self.directory = directory / self.name
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/var/lib/postgresql"}
        self.process = None
        for name in ("run", "postgresql/15", "etcd"):
            (self.directory / name).mkdir(parents=True)
        self._write_settings("etcd.env", {})
        self._write_settings("node.env", passwords)
        run("chown", "-R", "postgres:postgres", self.directory)

    def _write_settings(self, name, passwords):
        """A file of deploy/ha, which is that of the first node, as it is on this one: each program gets its own settings and no more."""
        lines = (HA / name).read_text().splitlines()
        pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        assert {key for key, value in pairs.items() if not value} == passwords.keys(), "what is to be filled in"
        told = {key: value if "," in value else value.replace("10.0.0.11", self.address).replace("db1", self.name)
                for key, value in {**pairs, **passwords}.items()}
        (self.directory / name).write_text("".join(f"{key}={value}\n" for key, value in told.items()))

    def switch_on(self):
        self.process = subprocess.Popen(
            ["unshare", "--net", "--pid", "--ipc", "--mount", "--mount-proc", "--fork", "--kill-child",
             "bash", "-c", BOOT, "node", self.directory, self.address, HA / "patroni.yml"],
            env=self.environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._has_network, 10, f"{self.name} has a network of its own")
        run("ip", "link", "add", f"port{self.number}", "type", "veth", "peer", "name", "eth0", "netns", self._first())
        run("ip", "link", "set", f"port{self.number}", "master", "switch", "up")
        self.environment["ETCD_INITIAL_CLUSTER_STATE"] = "existing"

    def _first(self):
        """Its first process, whose end is the end of all of them."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def _has_network(self):
        first = self._first()
        return first and os.readlink(f"/proc/{first}/ns/net") != os.readlink("/proc/self/ns/net")

    def power_cut(self):
        os.kill(self._first(), signal.SIGKILL)
        self.process.wait()
        subprocess.run(["ip", "link", "del", f"port{self.number}"], check=False, stderr=subprocess.DEVNULL)

    def kill_postgresql(self):
        run("nsenter", f"--target={self._first()}", "--pid", "--mount",
            "sh", "-c", "kill -9 $(head -n 1 /var/lib/postgresql/15/holdfast/postmaster.pid)")

    def cut_off(self):
        run("ip", "link", "set", f"port{self.number}", "down")

    def connect(self):
        run("ip", "link", "set", f"port{self.number}", "up")

    def leads(self):
        """The timeline it is the primary of; None when it is not, or cannot be asked."""
        return self._asked("primary").get("timeline")

    def asks_who_it_is(self):
        """Whether Patroni refuses every change without a password."""
        try:
            urllib.request.urlopen(f"http://{self.address}:8008/reload", data=b"", timeout=1)
        except urllib.error.HTTPError as error:
            return error.code == 401
        return False

    def may_succeed(self):
        """Whether Patroni has written down that it has all that was acknowledged. PostgreSQL knows it a little earlier."""
        return self._asked("synchronous") != {}

    def _asked(self, role):
        try:
            with urllib.request.urlopen(f"http://{self.address}:8008/{role}", timeout=1) as reply:
                return json.load(reply)
        except OSError:
            return {}

    def tail(self):
        return "\n".join(f"--- {log}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                         for log in (self.directory / "patroni.log", self.directory / "etcd.log") if log.exists())


class Cluster:
    def __init__(self, directory):
        self.directory = directory
        self.passwords = {f"PATRONI_{role}_PASSWORD": secrets.token_hex(16) for role in ("RESTAPI", "SUPERUSER", "REPLICATION", "REWIND")}
        self.role_password = secrets.token_hex(16)
        self.nodes = [Node(n, directory, self.passwords) for n in NODES]

    def start(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "switch", "type", "bridge")
        run("ip", "address", "add", "10.0.0.1/24", "dev", "switch")
        run("ip", "link", "set", "switch", "up")
        for node in self.nodes:
            node.switch_on()
        self.wait_whole()
        assert all(node.asks_who_it_is() for node in self.nodes), "Patroni obeys anybody"
        run("haproxy", "-D", "-f", HA / "haproxy.cfg")
        with Database(self.url("postgres", "postgres", self.passwords["PATRONI_SUPERUSER_PASSWORD"])) as database:
            database.execute(f"create role holdfast login password '{self.role_password}'")
            database.execute("create database holdfast owner holdfast")
        # libpq tries no other host after one that knows neither the role nor the database yet.
        eventually(lambda: all(self._knows_us(node) for node in self.nodes), CLUSTER_WITHIN_S, "all nodes know the database")

    def _knows_us(self, node):
        url = self.url(hosts=f"{node.address}:5432").replace("read-write", "any")
        try:
            with Database(url) as database:
                return database.value("select 1") == 1
        except psycopg2.OperationalError:
            return False

    def url(self, role="holdfast", database="holdfast", password=None, hosts=None):
        hosts = hosts or ",".join(f"{node.address}:5432" for node in self.nodes)
        return f"postgresql://{role}:{password or self.role_password}@{hosts}/{database}?target_session_attrs=read-write"

    def primary(self, after=0):
        """The node that leads a timeline later than that one; a promotion begins a new timeline."""
        return next((node for node in self.nodes if (node.leads() or 0) > after), None)

    def is_whole(self):
        """A primary, and two replicas that follow it, one of which is in step with every commit and known to be."""
        if not self.primary() or not any(node.may_succeed() for node in self.nodes):
            return False
        url = self.url("postgres", "postgres", self.passwords["PATRONI_SUPERUSER_PASSWORD"])
        try:
            with Database(url) as database:
                states = database.rows("select state, sync_state from pg_stat_replication")
        except psycopg2.Error:
            return False
        return (len(states) == 2 and all(row["state"] == "streaming" for row in states)
                and any(row["sync_state"] == "sync" for row in states))

    def wait_whole(self):
        try:
            eventually(self.is_whole, CLUSTER_WITHIN_S, "the cluster is whole")
        except AssertionError:
            for node in self.nodes:
                print(node.tail())
            raise


class Trade:
    """Customers who place one order after the other and repeat each until it is acknowledged, at either instance."""

    def __init__(self, retailer, instances):
        self.instances = instances
        self.acknowledged = []  # (when, instance, body, key, order id)
        self.open = True
        token = make_token()
        self.started = Started(*(self._customer(n, retailer, token) for n in range(CUSTOMERS)))

    async def _customer(self, number, retailer, token):
        shoppers = [Shopper(instance, token) for instance in self.instances]
        turn = number
        while self.open:
            body, key = retailer.order_body(), str(uuid.uuid4())
            since = time.monotonic()
            while True:
                answer = await self._ask(shoppers[turn % len(shoppers)], body, key)
                if answer and answer.status == 201:
                    break
                retryable = answer is None or answer.status in (503, 504) or answer.code == "idempotency-in-progress"
                assert retryable, f"an order was refused: {answer!r}"
                assert time.monotonic() - since < GIVE_UP_AFTER_S, f"no answer for {GIVE_UP_AFTER_S} s; the last: {answer!r}"
                turn += 1
                await asyncio.sleep(PAUSE_S)
            instance = self.instances[turn % len(shoppers)]
            self.acknowledged.append((time.monotonic(), instance, body, key, answer.json()["id"]))
            turn += 1

    @staticmethod
    async def _ask(shopper, body, key):
        try:
            return await asyncio.wait_for(shopper.ask("POST", "/v1/orders", body, key), ASK_TIMEOUT_S)
        except (Lost, Refused, asyncio.TimeoutError):
            shopper.leave()
            return None

    def since(self, moment, instance):
        return [when for when, where, *_ in self.acknowledged if where is instance and when >= moment]

    def wait_steady(self, moment, within):
        eventually(lambda: all(len(self.since(moment, instance)) >= STEADY_ORDERS for instance in self.instances), within,
                   "orders go through both instances")

    def gap(self, instance, moment):
        """The longest time between two acknowledgements around the moment."""
        times = sorted(when for when, where, *_ in self.acknowledged if where is instance)
        return max((b - a for a, b in zip(times, times[1:]) if b >= moment), default=0.0)

    def stop(self):
        self.open = False
        self.started.answers()


def strike(scenario, node):
    {"crash": node.kill_postgresql, "node": node.power_cut, "partition": node.cut_off}[scenario]()


def heal(scenario, node):
    if scenario == "node":
        node.switch_on()
    if scenario == "partition":
        node.connect()


def check_orders(cluster, trade, instances):
    """Each acknowledged order is there once, under the acknowledged id, and a repeated request gets it again."""
    with Database(cluster.url()) as database:
        there = {}
        for row in database.rows("select external_ref, id::text from orders"):
            there.setdefault(row["external_ref"], []).append(row["id"])
    for _, _, body, _, order in trade.acknowledged:
        assert there.get(body["external_ref"]) == [order], f"acknowledged as {order}, there: {there.get(body['external_ref'])}"

    async def repeat():
        token = make_token()
        shoppers = {instance: Shopper(instance, token) for instance in instances}
        for _, instance, body, key, order in trade.acknowledged:
            other = next(one for one in instances if one is not instance)
            answer = await shoppers[other].ask("POST", "/v1/orders", body, key)
            assert answer.status == 201 and answer.replayed and answer.json()["id"] == order, answer
    asyncio.run(repeat())
    return len(there)


def play(scenario, cluster, retailer, instances):
    cluster.wait_whole()
    before = cluster.primary()
    timeline = before.leads()
    pids = [instance.process.pid for instance in instances]
    trade = Trade(retailer, instances)
    trade.wait_steady(time.monotonic(), GIVE_UP_AFTER_S)
    struck = time.monotonic()
    strike(scenario, before)
    eventually(lambda: time.sleep(LOOK_EVERY_S) or cluster.primary(after=timeline), GIVE_UP_AFTER_S, "a primary is elected")
    elected = time.monotonic() - struck
    trade.wait_steady(time.monotonic(), GIVE_UP_AFTER_S)
    outages = [trade.gap(instance, struck) for instance in instances]
    heal(scenario, before)
    cluster.wait_whole()
    trade.wait_steady(time.monotonic(), GIVE_UP_AFTER_S)
    trade.stop()
    assert [instance.process.pid for instance in instances if instance.is_running()] == pids, "an instance was lost"
    there = check_orders(cluster, trade, instances)
    for instance in instances:
        instance.assert_audit_clean()
        assert instance.is_ready(), instance.tail()
    assert max(outages) <= WRITES_WITHIN_S, f"writes resumed after {outages} s"
    told = ", ".join(f"{instance.name} {outage:.1f} s" for instance, outage in zip(instances, outages))
    say(f"passed: {scenario}: {before.name} lost, {cluster.primary().name} leads; elected after {elected:.1f} s, no acknowledgement"
        f" for {told}; {len(trade.acknowledged)} acknowledged, none lost or doubled, {there} there")


def main(scenarios):
    directory = Path(tempfile.mkdtemp(prefix="holdfast-failover-", dir="/var/tmp"))
    directory.chmod(0o755)
    begin = time.monotonic()
    try:
        cluster = Cluster(directory)
        cluster.start()
        say(f"the cluster is whole after {time.monotonic() - begin:.0f} s; {cluster.primary().name} leads")
        urls = {"haproxy": cluster.url(hosts="127.0.0.1:5000"), "hosts": cluster.url()}
        migrate(urls["hosts"])
        instances = [Holdfast(url, directory, name).start() for name, url in urls.items()]
        retailer = Retailer(Client(instances[0].url, make_token()), on_hand=0).create()
        retailer.stock({(retailer.store, retailer.sku): UNITS})
        for scenario in scenarios:
            play(scenario, cluster, retailer, instances)
        for instance in instances:
            instance.stop()
        for node in cluster.nodes:
            node.power_cut()
        say(f"all passed in {time.monotonic() - begin:.0f} s")
    except BaseException:
        say(f"FAILED; the logs stay in {directory}")
        raise
    shutil.rmtree(directory, ignore_errors=True)


main(sys.argv[1:] or SCENARIOS)
