"""holdfast doctor: each thing that usually goes wrong is found, with a remedy."""

import os
import re
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.cluster import PROGRAMS, Cluster, as_owner
from support.database import Database
from support.holdfast import Holdfast, binary, migrate
from support.mail import Catcher
from support.ports import free_port
from support.retailer import Retailer
from support.waiting import eventually

OK, FAILED = 0, 1
PGBOUNCER = "/usr/sbin/pgbouncer"


def run(*arguments, **settings):
    """A command with these settings alone, names without their prefix."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HOLDFAST_", "PG"))}
    told = {f"HOLDFAST_{key.upper()}": str(value) for key, value in settings.items()}
    return subprocess.run([str(binary()), *arguments], env={**kept, **told}, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


def checks_of(done):
    """{check: (verdict, text)}; every line is one."""
    found = {}
    for line in done.stdout.splitlines():
        match = re.fullmatch(r"(ok|warn|fail) +([a-z]+(?: [a-z]+)*)  +(\S.*)", line)
        assert match, f"not a line of doctor: {line!r}"
        found[match[2]] = (match[1], match[3])
    return found


def verdicts_of(done):
    return {check: verdict for check, (verdict, _) in checks_of(done).items()}


def test_doctor_finds_a_working_service_well(service):
    done = service.run("doctor", check=OK)
    verdicts = verdicts_of(done)
    assert "fail" not in verdicts.values()
    for check in ("configuration", "pickup secret", "database", "version", "role", "clock", "connections", "schema"):
        assert verdicts[check] == "ok", done.stdout
    assert verdicts["keys"] == "warn", "development mode is worth a word"


def test_doctor_needs_no_running_service(new_database, tmp_path):
    Holdfast(new_database(), tmp_path).run("doctor", check=OK)


def test_doctor_asks_for_migrate_on_an_empty_schema(service):
    done = run("doctor", **{key.lower(): value for key, value in service.settings.items()}, schema="empty")
    assert done.returncode == FAILED
    verdict, text = checks_of(done)["schema"]
    assert verdict == "fail" and "holdfast migrate" in text


def test_doctor_says_that_the_database_is_away():
    done = run("doctor", database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/shop", jwt_secret="x" * 32)
    assert done.returncode == FAILED
    assert verdicts_of(done)["database"] == "fail"
    assert "schema" not in checks_of(done), "what cannot be asked is not judged"


@pytest.mark.parametrize("settings, verdict", [({}, "warn"), ({"webhook_sealing_key": "short"}, "fail"),
                                               ({"webhook_sealing_key": "k" * 32}, "ok")])
def test_doctor_looks_at_the_key_that_seals_secrets(settings, verdict):
    done = run("doctor", database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/shop", jwt_secret="x" * 32, **settings)
    assert verdicts_of(done)["sealing key"] == verdict


def smtp_check(**settings):
    done = run("doctor", database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/shop", jwt_secret="x" * 32, **settings)
    return checks_of(done)["mail server"]


def test_doctor_connects_to_the_mail_server_and_sends_no_mail():
    with Catcher() as server:
        assert smtp_check(smtp_url=server.url) == ("ok", "it can be reached")
        assert server.mails == []
    verdict, text = smtp_check(smtp_url=server.url)
    assert verdict == "fail" and "refused the connection" in text


def test_doctor_says_that_customers_get_no_mails():
    assert smtp_check() == ("ok", "not set, so customers get no e-mails")


@pytest.mark.parametrize("settings, text", [
    ({"smtp_url": "http://mail.example"}, "must begin with smtp:// or smtps://"),
    ({"smtp_url": "smtp://shop:secret@mail.example", "smtp_tls": "off"}, "password"),
])
def test_doctor_knows_a_faulty_mail_server(settings, text):
    verdict, said = smtp_check(**settings)
    assert verdict == "fail" and text in said and "secret" not in said


@pytest.mark.parametrize("settings, text", [
    ({}, "0 sources"),
    ({"jwt_secret": "short"}, "32 to 4096 bytes"),
    ({"jwt_secret": "x" * 32, "jwt_jwks_file": "/dev/null"}, "2 sources"),
    ({"jwt_jwks_file": "/nowhere/at/all"}, ""),
    ({"jwt_jwks_url": "http://127.0.0.1:1/jwks"}, ""),
])
def test_doctor_finds_fault_with_keys(settings, text):
    done = run("doctor", **settings)
    verdict, found = checks_of(done)["keys"]
    assert done.returncode == FAILED and verdict == "fail" and text in found


def test_doctor_reads_keys_of_an_identity_provider(tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text('{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one",'
                    '"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}')
    assert checks_of(run("doctor", jwt_jwks_file=file))["keys"] == ("ok", "1 can be used")


def test_doctor_finds_settings_that_forbid_serving():
    done = run("doctor", database_url="postgresql:///x", jwt_secret="x" * 32, listen="0.0.0.0:8080")
    verdict, text = checks_of(done)["configuration"]
    assert done.returncode == FAILED and verdict == "fail" and "loopback" in text


def test_doctor_stops_at_settings_that_cannot_be_read():
    done = run("doctor", rate_limit="many")
    assert done.returncode == FAILED
    assert list(checks_of(done)) == ["configuration"]


def test_doctor_warns_of_an_unknown_setting(service):
    done = run("doctor", **{key.lower(): value for key, value in service.settings.items()}, lisen="x")
    assert done.returncode == OK
    verdict, text = checks_of(done)["configuration"]
    assert verdict == "warn" and "HOLDFAST_LISEN" in text


# Secrets and tokens

@pytest.mark.parametrize("mode, verdict", [(0o600, "ok"), (0o640, "ok"), (0o644, "warn"), (0o444, "warn")])
def test_doctor_finds_secrets_that_everybody_may_read(tmp_path, mode, verdict):
    file = tmp_path / "secret"
    file.write_text("x" * 32)
    file.chmod(mode)
    found = checks_of(run("doctor", jwt_secret="x" * 32, pickup_secret_file=file))["secret files"]
    assert found[0] == verdict
    assert verdict == "ok" or "the file of HOLDFAST_PICKUP_SECRET_FILE; chmod o-r" in found[1]


@pytest.mark.parametrize("settings, verdict", [
    ({}, "warn"),
    ({"jwt_issuer": "https://id.shop.example"}, "warn"),
    ({"jwt_issuer": "https://id.shop.example", "jwt_audience": "holdfast"}, "ok"),
])
def test_doctor_warns_of_tokens_made_for_others(settings, verdict):
    assert checks_of(run("doctor", jwt_jwks_file="/dev/null", **settings))["tokens"][0] == verdict


def test_doctor_warns_of_few_descriptors():
    done = subprocess.run(["prlimit", "--nofile=1024:1024", str(binary()), "doctor"], capture_output=True, text=True,
                          env={"HOLDFAST_JWT_SECRET": "x" * 32, "PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL)
    assert checks_of(done)["descriptors"][0] == "warn"


# The database

@pytest.fixture
def fresh(new_database, tmp_path):
    """An instance on a separate database that is not started, and a look into the database."""
    instance = Holdfast(new_database(), tmp_path)
    with Database(instance.database_url) as database:
        yield instance, database


def found_by(instance, check, code=OK):
    """The result of one check; `code` None: with any exit code."""
    return checks_of(instance.run("doctor", check=code))[check]


def name_of(url):
    return urlsplit(url).path[1:]


def test_doctor_finds_a_database_in_another_encoding(cluster, tmp_path):
    with Database(cluster.url()) as database:
        database.execute("create database latin template template0 encoding 'LATIN1' locale 'C'")
    verdict, text = found_by(Holdfast(cluster.url("latin"), tmp_path), "encoding", FAILED)
    assert verdict == "fail" and "LATIN1" in text


def test_doctor_finds_a_database_that_is_read_only(cluster, fresh):
    instance, database = fresh
    database.execute(f'alter database "{name_of(instance.database_url)}" set default_transaction_read_only = on')
    verdict, text = found_by(instance, "role", FAILED)
    assert verdict == "fail" and "default_transaction_read_only" in text


def test_doctor_finds_tables_of_another_role(cluster, fresh):
    instance, database = fresh
    assert found_by(instance, "privileges")[0] == "ok"
    with Database(cluster.url(name_of(instance.database_url), superuser=True)) as superuser:
        superuser.execute("alter table orders owner to postgres")
        assert found_by(instance, "privileges", FAILED) == (
            "fail", "1 tables may not be read or written; make the role their owner (reassign owned)")
        superuser.execute("grant all on orders to holdfast")
        verdict, text = found_by(instance, "privileges")
        assert verdict == "warn" and "holdfast migrate cannot change them" in text


def test_doctor_finds_indexes_that_are_missing_or_invalid(cluster, fresh):
    instance, database = fresh
    assert found_by(instance, "indexes") == ("ok", "all are there and valid")
    with Database(cluster.url(name_of(instance.database_url), superuser=True)) as superuser:
        superuser.execute("update pg_index set indisvalid = false where indexrelid = 'orders_by_state'::regclass")
        verdict, text = found_by(instance, "indexes", FAILED)
        assert verdict == "fail" and text.startswith("1 are invalid, such as orders_by_state") and "reindex" in text
    database.execute("drop index orders_by_email")
    verdict, text = found_by(instance, "indexes", FAILED)
    assert verdict == "fail" and text.startswith("missing: 1, such as orders_by_email")


def test_doctor_finds_that_the_extension_of_the_search_is_missing(fresh):
    instance, database = fresh
    database.execute("drop extension pg_trgm cascade")
    verdict, text = found_by(instance, "indexes", FAILED)
    assert verdict == "fail" and "order_search_words, and the extension pg_trgm" in text


def test_doctor_finds_a_role_that_may_not_make_the_schema(cluster, tmp_path):
    with Database(cluster.url(superuser=True)) as superuser:
        superuser.execute("create database of_another_role")
        superuser.execute("revoke create on database of_another_role from public")
    verdict, text = found_by(Holdfast(cluster.url("of_another_role"), tmp_path), "privileges", FAILED)
    assert verdict == "fail" and "grant create" in text


def test_doctor_finds_a_schema_that_may_not_be_looked_into(cluster, fresh):
    instance, database = fresh
    with Database(cluster.url(name_of(instance.database_url), superuser=True)) as superuser:
        superuser.execute("alter schema holdfast owner to postgres")
        superuser.execute("revoke all on schema holdfast from public, holdfast")
    assert found_by(instance, "schema", FAILED)[0] == "fail"


def test_doctor_finds_a_schema_that_migrate_would_refuse(fresh):
    instance, database = fresh
    assert found_by(instance, "schema")[0] == "ok"
    database.execute("update schema_migration set digest = repeat('0', 64) where version = 1")
    verdict, text = found_by(instance, "schema", FAILED)
    assert verdict == "fail" and "another text" in text and "use the program that migrated it" in text
    assert instance.run("migrate").returncode == FAILED


def test_doctor_finds_time_zones_that_the_server_does_not_know(fresh):
    instance, database = fresh
    assert found_by(instance, "time zones")[0] == "ok"
    Retailer(instance.start().client()).create()
    instance.stop()
    database.execute("update locations set time_zone = 'Mars/Olympus_Mons' where kind = 'warehouse'")
    verdict, text = found_by(instance, "time zones", FAILED)
    assert verdict == "fail" and "Mars/Olympus_Mons" in text and "tzdata" in text


def test_doctor_names_locations_that_offer_pickup_without_opening_hours(fresh):
    instance, database = fresh
    assert found_by(instance, "opening hours")[0] == "ok"
    retailer = Retailer(instance.start().client()).create()
    instance.stop()
    assert found_by(instance, "opening hours")[0] == "ok"
    database.execute("update locations set opening_hours = '[]' where code = %s or kind = 'warehouse'", retailer.store)
    verdict, text = found_by(instance, "opening hours")
    assert verdict == "warn" and retailer.store in text and retailer.other_store not in text


def test_doctor_warns_of_webhooks_that_are_disabled_or_fail(fresh):
    instance, database = fresh
    assert found_by(instance, "webhooks") == ("ok", "0")
    for state, failing in (("disabled", None), ("paused", "2 days"), ("active", "2 hours"), ("active", "5 minutes"), ("active", None)):
        database.execute("with made as (insert into webhooks (id, url, types, mode, max_in_flight, state, secret, secret_hint, actor,"
                         " created_at, updated_at) values (gen_random_uuid(), 'https://a.example/', '*', 'ordered', 1, %s, 'p', 'h', 'x',"
                         " now(), now()) returning id) insert into webhook_progress (webhook_id, cursor, failing_since)"
                         " select id, 0, now() - %s::interval from made", state, failing)
    verdict, text = found_by(instance, "webhooks")
    assert verdict == "warn" and "1 of 5 are disabled, 1 have failed" in text


def test_doctor_counts_the_connections_an_instance_takes(services, new_database):
    """Its report equals the facts."""
    url = new_database()
    text = found_by(services(url), "connections")[1]
    with Database(url) as database:
        sessions = "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'holdfast %'"
        eventually(lambda: f"an instance takes {database.value(sessions)}" in text, what=text)


def test_doctor_finds_too_few_connections(fresh):
    instance, _ = fresh
    instance.settings.update(READ_WORKERS=16, WRITE_WORKERS=16)
    with Database(instance.database_url) as database:
        most = database.value("select current_setting('max_connections')::int")
        busy = [Database(instance.database_url) for _ in range(most - 37)]
        try:
            for each in busy:
                each.value("select 1")
            assert found_by(instance, "connections", FAILED)[0] == "fail"
        finally:
            for each in busy:
                each.close()


def test_doctor_warns_of_a_replica_that_is_none(fresh):
    instance, _ = fresh
    instance.settings["DATABASE_READ_URL"] = instance.database_url
    verdicts = checks_of(instance.run("doctor", check=OK))
    assert verdicts["read database"][0] == "ok"
    assert verdicts["replica"][0] == "warn" and "primary" in verdicts["replica"][1]


# A server that is kept badly, each fault for itself

@contextmanager
def server(directory, **settings):
    """A separate server at the schema's head, and an instance that is not started."""
    own = Cluster(directory / "cluster", durable=True, settings=[f"{name}={value}" for name, value in settings.items()])
    try:
        own.start()
        migrate(own.url())
        yield own, Holdfast(own.url(), directory)
    finally:
        own.remove()


def test_doctor_finds_a_well_kept_server_well(tmp_path):
    with server(tmp_path, archive_mode="on", archive_command="/bin/true") as (_, instance):
        found = checks_of(instance.run("doctor", check=OK))
        for check in ("role", "encoding", "durability", "disk", "backup", "standbys", "statistics", "connections", "pooler",
                      "privileges"):
            assert found[check][0] == "ok", found[check]


def test_doctor_finds_a_badly_kept_server_out(tmp_path):
    faults = dict(full_page_writes="off", autovacuum="off", archive_mode="on", archive_command="/bin/false")
    with server(tmp_path, **faults) as (own, instance):
        assert found_by(instance, "durability") == (
            "warn", "fsync is on, full_page_writes is off, synchronous_commit is on: a crash may lose acknowledged orders;"
                    " set them on, except for tests")
        assert found_by(instance, "disk") == ("warn", "autovacuum is off: tables grow for ever; set autovacuum on")
        with Database(own.url(superuser=True)) as superuser:
            superuser.value("select pg_switch_wal() is not null")
            eventually(lambda: superuser.value("select failed_count > 0 from pg_stat_archiver"), what="the archiver fails")
            assert found_by(instance, "backup", FAILED)[0] == "fail"

            superuser.execute("alter system set synchronous_standby_names = 'nobody'")
            superuser.execute("alter system set synchronous_commit = 'on'")
            superuser.value("select pg_reload_conf()")
            eventually(lambda: found_by(instance, "standbys", None)[0] == "fail", what="commits that wait for nobody")
            assert "waits for 1 synchronous standbys, and 0 of these are connected" in found_by(instance, "standbys", FAILED)[1]

            superuser.execute("alter system set archive_command = ''")
            superuser.value("select pg_reload_conf()")
            eventually(lambda: "archive_mode is on without a command" in found_by(instance, "backup", None)[1], what="no command")
            assert found_by(instance, "backup", FAILED)[0] == "fail"


def test_doctor_finds_a_server_without_checksums_and_a_standby(tmp_path):
    with server(tmp_path) as (own, instance):
        assert found_by(instance, "backup")[0] == "warn"
        own.stop()
        subprocess.run(as_owner(PROGRAMS / "pg_checksums", "--disable", "--pgdata", own.data()), check=True,
                       capture_output=True)
        subprocess.run(as_owner("touch", own.data() / "standby.signal"), check=True)
        own.start_again()
        found = checks_of(instance.run("doctor", check=FAILED))
        assert found["disk"][0] == "warn" and "pg_checksums --enable" in found["disk"][1]
        assert found["role"][0] == "fail" and "target_session_attrs" in found["role"][1]


def test_doctor_and_metrics_name_the_standbys(tmp_path):
    with server(tmp_path) as (own, instance):
        with own.standby() as url, Database(url) as standby, Database(own.url()) as primary:
            instance.settings["DATABASE_READ_URL"] = url
            eventually(lambda: found_by(instance, "standbys")[1].startswith("1 connected, the last one "), what="it has told of itself")
            found = checks_of(instance.run("doctor", check=OK))
            assert found["standbys"][0] == "ok"
            assert found["replica"][0] == "ok" and found["replica"][1].startswith("a standby, ")

            with Database(own.url(superuser=True)) as superuser:
                superuser.execute("revoke pg_monitor from holdfast")
                for check in ("standbys", "statistics"):
                    verdict, text = found_by(instance, check)
                    assert verdict == "warn" and "grant pg_read_all_stats to the role" in text
                superuser.execute("grant pg_read_all_stats to holdfast")
            hold_back(standby, url)
            primary.execute("create table news (n int)")
            instance.start()
            eventually(lambda: instance.figure("holdfast_db_replication_lag_bytes", standby="follower") > 0, what="it lags")
            assert instance.figure("holdfast_db_standbys") == 1
            instance.stop()


def test_a_standby_that_commits_do_not_wait_for_lets_nobody_commit(tmp_path):
    with server(tmp_path) as (own, instance), own.standby(), Database(own.url(superuser=True)) as superuser:
        def wait_for(names):
            superuser.execute(f"alter system set synchronous_standby_names = '{names}'")
            superuser.value("select pg_reload_conf()")
            eventually(lambda: superuser.value("select current_setting('synchronous_standby_names')") == names, what="it is read")

        superuser.execute("set synchronous_commit = local")
        for names, verdict in (("another", "fail"), ("follower", "ok"), ("ANY 2 (another, follower)", "fail"), ("another, follower", "ok")):
            wait_for(names)
            eventually(lambda: found_by(instance, "standbys", None)[0] == verdict, what=f"{verdict} for {names}")


def test_standbys_of_one_name_are_one_series_and_no_other_reader_of_the_log_is_one(tmp_path):
    with server(tmp_path) as (own, instance):
        with own.standby(), own.standby() as far, Database(far) as slow, Database(own.url()) as primary:
            hold_back(slow, far)
            primary.execute("create table news (n int)")
            with archiving(own):
                eventually(lambda: primary.value("select count(*) from pg_stat_replication") == 3, what="three read the log")
                eventually(lambda: found_by(instance, "standbys")[1].startswith("2 connected, "), what="both have told of themselves")
                instance.start()
                eventually(lambda: instance.figure("holdfast_db_replication_lag_bytes", standby="follower") > 0, what="it lags")
                assert instance.figure("holdfast_db_standbys") == 2
                instance.stop()


@contextmanager
def archiving(own):
    """pg_receivewal reads the log of a server."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        subprocess.run(["chmod", "777", place], check=True)
        receiver = subprocess.Popen(
            as_owner(PROGRAMS / "pg_receivewal", "--dbname", own.url("postgres", superuser=True), "--directory", place, "--no-loop"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            receiver.terminate()
            receiver.wait()


def hold_back(standby, url):
    """The standby receives and does not replay."""
    with Database(url.replace("//holdfast:", "//postgres:")) as superuser:
        superuser.value("select pg_wal_replay_pause() is not null")
    eventually(lambda: standby.value("select pg_get_wal_replay_pause_state()") == "paused", what="it stands still")


# A pooler in between

@contextmanager
def pooler(url, mode, **settings):
    """PgBouncer before the database of `url`; yields the URL through it."""
    server, port = urlsplit(url), free_port()
    options = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "any",
               "pool_mode": mode, **settings}
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "pgbouncer.ini"
        file.write_text(
            f"[databases]\n{name_of(url)} = host={server.hostname} port={server.port} user={server.username}"
            f" password={server.password}\n[pgbouncer]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
        subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
        process = subprocess.Popen(as_owner(PGBOUNCER, file), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            through = f"postgresql://holdfast@127.0.0.1:{port}/{name_of(url)}"
            eventually(lambda: answers(port), what="PgBouncer answers")
            yield through
        finally:
            process.terminate()
            process.wait()


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


@pytest.mark.parametrize("mode, settings, verdict, words", [
    ("session", {}, "ok", "keeps its session"),
    ("transaction", {}, "fail", "pool_mode = session"),
    ("transaction", {"server_round_robin": 1}, "fail", "pool_mode = session"),
])
def test_doctor_tells_how_a_pooler_pools(fresh, mode, settings, verdict, words):
    instance, _ = fresh
    assert found_by(instance, "pooler") == ("ok", "none: this is the server's own session")
    with pooler(instance.database_url, mode, **settings) as through:
        instance.settings["DATABASE_URL"] = through
        found = found_by(instance, "pooler", None)
        assert found[0] == verdict and words in found[1]


def test_doctor_finds_a_pooler_with_a_single_session(fresh):
    instance, _ = fresh
    with pooler(instance.database_url, "session", default_pool_size=1, query_wait_timeout=1) as through:
        instance.settings["DATABASE_URL"] = through
        verdict, text = found_by(instance, "pooler", FAILED)
        assert verdict == "fail" and "one connection only" in text


# Events

def test_doctor_sees_events_that_wait_for_their_position(new_database, tmp_path):
    house = Holdfast(new_database(), tmp_path)
    assert checks_of(house.run("doctor", check=OK))["publisher"] == ("ok", "events get their positions in the log")
    with Database(house.database_url) as database:
        database.execute("insert into events_due (written_at, ids) values (now() - interval '2 minutes', '{}')")
    verdict, text = checks_of(house.run("doctor", check=OK))["publisher"]
    assert verdict == "warn" and text.startswith("events have waited 12") and "HoldfastOutboxLags" in text


@pytest.mark.parametrize("age, verdict, text", [
    ("1 minute", "ok", "2, none far behind"), ("3 hours", "warn", "slow is 3.0 hours behind"),
    ("20 days", "warn", "slow is 20.0 days behind, and events are kept for 30.0")])
def test_doctor_sees_the_consumer_that_is_furthest_behind(new_database, tmp_path, age, verdict, text):
    house = Holdfast(new_database(), tmp_path)
    with Database(house.database_url) as database:
        database.execute("insert into event_log (position, id, type, subject_kind, subject_id, version, occurred_at, published_at, data)"
                         " values (1, gen_random_uuid(), 'pickup.reminder', 'fulfillments', 'x', 1, now(), now() - %s::interval, '{\"version\": 1}')", age)
        database.execute("update revisions set revision = 1 where topic = 'events'")
        database.execute("insert into consumers values ('quick', null, 1, 1, now()), ('slow', null, 0, 1, now())")
    found = checks_of(house.run("doctor", check=OK))["consumers"]
    assert found[0] == verdict and found[1].startswith(text)


def test_doctor_sees_a_consumer_whose_events_are_gone(new_database, tmp_path):
    house = Holdfast(new_database(), tmp_path)
    assert checks_of(house.run("doctor", check=OK))["consumers"] == ("ok", "none")
    with Database(house.database_url) as database:
        database.execute("update event_log_parts set first = 500")
        database.execute("insert into consumers values ('lost', null, 3, 1, now())")
    assert checks_of(house.run("doctor", check=OK))["consumers"][1].startswith("events that lost has not read are no longer kept")
