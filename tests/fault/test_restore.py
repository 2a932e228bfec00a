"""The backup is restored as docs/operations.md says: after the loss of the disk to the latest moment, after a mistake to a
moment before it. The service runs all the while and is not restarted.
"""

import threading
import uuid

import pytest

from support.backup import Backup, as_owner
from support.cluster import Cluster
from support.crowd import Lost, Refused, Started, shoppers
from support.database import Database
from support.holdfast import Holdfast, migrate
from support.retailer import Retailer
from support.waiting import eventually

SHOPPERS = 16
SOME = 150
WAIT_S = 60
TEST_WITHIN_S = 400

SETTINGS = ("archive_mode=on", "archive_timeout=60s")  # as deploy/backup/archiving.conf


class Buyers:
    """Shoppers that place one order after the other until the test stops them, or until no instance answers any more."""

    def __init__(self, instances, token, retailer):
        self.retailer = retailer
        self.begun = set()  # external_refs
        self.told = {}  # external_ref -> id of the order that was acknowledged
        self._enough = threading.Event()
        self._started = Started(*(self._buy(shopper) for shopper in shoppers(SHOPPERS, *instances, token=token)))

    async def _buy(self, shopper):
        while not self._enough.is_set():
            body = self.retailer.order_body({self.retailer.sku: 1})
            self.begun.add(body["external_ref"])
            try:
                answer = await shopper.ask("POST", "/v1/orders", body, str(uuid.uuid4()))
            except (Lost, Refused):
                return
            if answer.status != 201:
                assert answer.status in (503, 504), answer
                return
            self.told[body["external_ref"]] = answer.json()["id"]

    def wait_for_more(self):
        wanted = len(self.told) + SOME
        eventually(lambda: len(self.told) >= wanted, WAIT_S, f"{SOME} more acknowledged")

    def end(self):
        self._enough.set()
        self._started.answers()


@pytest.fixture
def archived(work_directory):
    """A separate cluster with an archived log, and its backup."""
    cluster = Cluster(work_directory / "archived", durable=True)
    try:
        cluster.start()
        backup = Backup(cluster)
        cluster.stop()
        settings = (*SETTINGS, f"archive_command={backup.command} archive-push %p")
        cluster.start_again(*(word for setting in settings for word in ("--set", setting)))
        backup.run("stanza-create")
        backup.run("check")
        yield backup
    finally:
        cluster.remove()


@pytest.fixture
def house(archived, work_directory):
    url = archived.cluster.url()
    migrate(url)
    instances = [Holdfast(url, work_directory, f"restored-{n}").start() for n in (1, 2)]
    yield instances
    for instance in instances:
        instance.discard()


@pytest.fixture
def retailer(house):
    return Retailer(house[0].client(), on_hand=1_000_000).create()


def archive_what_is_written(database):
    """As happens by itself with every full segment, and at the latest after archive_timeout."""
    segment = database.value("select pg_walfile_name(pg_switch_wal())")
    eventually(lambda: (database.value("select last_archived_wal from pg_stat_archiver") or "") >= segment, WAIT_S, "archived")


def restore(backup, *options):
    """Restore and start; returns when the database takes writes."""
    took = backup.run(*options, "restore", connects=False)
    backup.cluster.start_again()
    with Database(backup.cluster.url()) as database:
        eventually(lambda: not database.value("select pg_is_in_recovery()"), WAIT_S, "recovered")
    return took


def assert_serves(instances, retailer, token):
    """Without a restart, and with books that balance."""
    for instance in instances:
        eventually(instance.is_ready, WAIT_S, "ready again")
    assert "fail" not in instances[0].run("doctor", check=0).stdout
    instances[0].assert_audit_clean()
    retailer.order({retailer.sku: 1})


def orders_in(database, retailer):
    """{external_ref: id}, and each once."""
    rows = database.rows("select external_ref, id::text from orders where channel = %s", retailer.channel)
    return {row["external_ref"]: row["id"] for row in rows}


def tell(directory, figures):
    (directory / "restore.txt").write_text("".join(
        f"{name}: {figure if isinstance(figure, int) else f'{figure:.1f} s'}\n" for name, figure in figures.items()))


@pytest.mark.timeout(TEST_WITHIN_S)
def test_what_was_acknowledged_comes_back(archived, house, retailer, token, work_directory):
    buyers = Buyers(house, token, retailer)
    with Database(archived.cluster.url(superuser=True)) as database:
        buyers.wait_for_more()
        figures = {"backup under load": archived.run("--type=full", "backup")}
        buyers.wait_for_more()
        eventually(lambda: database.value("select extract(epoch from clock_timestamp())") > archived.stopped_at() + 1, WAIT_S,
                   "a moment after the backup")
        told_before = dict(buyers.told)
        moment = database.value("select clock_timestamp()::text")
        begun_before = set(buyers.begun)
        buyers.wait_for_more()
        told_and_archived = dict(buyers.told)
        archive_what_is_written(database)
        buyers.wait_for_more()

    # The disk is lost in the middle of the trade.
    archived.cluster.stop("immediate")
    as_owner("rm", "-rf", "--", archived.data)
    buyers.end()
    figures["restore to the latest"] = restore(archived, "--type=default")
    assert_serves(house, retailer, token)

    with Database(archived.cluster.url()) as database:
        found = orders_in(database, retailer)
        assert told_and_archived.items() <= found.items()
        assert len(told_and_archived) > len(told_before)
        lost = [ref for ref in buyers.told if ref not in found]
        assert not any(ref in told_and_archived for ref in lost)

        # An operator drops the wrong table.
        after = Buyers(house, token, retailer)
        after.wait_for_more()
        after.end()
        database.execute("drop table orders cascade")
    archived.cluster.stop()
    figures["restore to a moment"] = restore(archived, "--type=time", f"--target={moment}", "--target-action=promote")
    assert_serves(house, retailer, token)

    with Database(archived.cluster.url()) as database:
        found = orders_in(database, retailer)
    assert told_before.items() <= found.items()
    assert not [ref for ref in buyers.told if ref not in begun_before and ref in found]
    assert not after.told.keys() & found.keys()
    tell(work_directory, {**figures, "orders acknowledged": len(buyers.told), "of them not archived, and lost": len(lost)})
