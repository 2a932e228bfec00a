"""On which schema a program works: its own, and a newer one that says it is compatible."""

import re

import pytest

from support.database import Database
from support.holdfast import Holdfast
from support.waiting import eventually

FAILED, TRY_LATER = 1, 75
SEEN_WITHIN_S = 20


def leave_a_step_of_tomorrow(url, compatible):
    with Database(url) as database:
        head = database.value("select max(version) from schema_migration")
        database.execute("insert into schema_migration (version, name, digest, compatible) values (%s, 'tomorrow', 'x', %s)",
                         head + 1, compatible)
        return head + 1


@pytest.fixture
def url(new_database):
    return new_database()


@pytest.fixture
def program(url, tmp_path):
    return Holdfast(url, tmp_path)


def test_markets_of_one_database_share_the_extension_of_the_search(url, services, tmp_path):
    Holdfast(url, tmp_path, "other", schema="another_market").run("migrate", check=0)
    with Database(url) as database:
        assert database.value("select count(*) from pg_extension where extname = 'pg_trgm'") == 1
        assert database.value("select count(*) from pg_indexes where indexname = 'order_search_words'") == 2
        database.execute("drop schema another_market cascade")
        assert database.value("select count(*) from pg_indexes where indexname = 'order_search_words'") == 1


def test_a_newer_schema_that_is_compatible_is_served(url, services, program):
    instance = services(url)
    version = leave_a_step_of_tomorrow(url, compatible=True)
    done = program.run("migrate", check=0)
    assert done.stdout == f"migrate: schema holdfast is at version {version}, which is newer and on which this program may work\n"
    with Database(url) as database:
        database.cut_other_sessions()  # whoever connects again looks again
    instance.client(scope="admin").put("/v1/channels/web", {"name": "Web", "kind": "web"}, expect=201)
    eventually(instance.is_ready, SEEN_WITHIN_S, "it is ready")
    services(url).client().get("/v1/channels/web", expect=200)
    program.run("audit", check=0)


@pytest.mark.parametrize("command", ["serve", "migrate", "audit", "doctor"])
def test_a_newer_schema_that_is_not_compatible_is_refused(url, program, command):
    version = leave_a_step_of_tomorrow(url, compatible=False)
    done = program.run(command, check=FAILED)
    assert re.search("use (that version|the program that migrated it,) or a newer one", done.stdout + done.stderr)
    if command == "serve":
        assert done.stderr == (f"holdfast: schema holdfast is at version {version}, which needs a program of version {version} or newer,"
                               f" and this one is of {version - 1}: use the program that migrated it, or a newer one\n")


def test_who_meets_such_a_schema_when_it_connects_again_writes_nothing(url, services):
    instance = services(url)
    admin = instance.client(scope="admin")
    leave_a_step_of_tomorrow(url, compatible=False)
    with Database(url) as database:
        database.cut_other_sessions()
        eventually(lambda: instance.probe("/readyz") == 503, SEEN_WITHIN_S, "it is not ready")
        refused = admin.put("/v1/channels/web", {"name": "Web", "kind": "web"}, expect=503)
        assert refused.json()["code"] == "database-unavailable"
        assert database.count("channels") == 0
    reasons = [event["reason"] for event in instance.log_events("database connection lost")]
    assert any("use the program that migrated it" in reason for reason in reasons)


def test_a_step_that_is_not_compatible_waits_for_nobody_at_work(url, services, program):
    instance = services(url)
    with Database(url) as database:
        steps = database.rows("delete from schema_migration returning version, name, digest, compatible")
        done = program.run("migrate", check=TRY_LATER)  # as if the first step were still to come
        assert done.stderr == (
            "holdfast: 0001_stock cannot run beside programs that work on the schema: stop holdfast everywhere,"
            " migrate, start it again\n")
        assert database.count("schema_migration") == 0
        for step in steps:
            database.execute("insert into schema_migration (version, name, digest, compatible) values (%s, %s, %s, %s)",
                             step["version"], step["name"], step["digest"], step["compatible"])
    eventually(instance.is_ready, SEEN_WITHIN_S, "it is ready again")
    admin = instance.client(scope="admin")
    channel = {"name": "Web", "kind": "web"}  # each lane connects again by itself, so the first call may still answer 503
    eventually(lambda: admin.put("/v1/channels/web", channel, expect=(200, 201, 503)).status_code != 503, SEEN_WITHIN_S,
               "the lane works again")
