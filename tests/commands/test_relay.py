"""holdfast relay: the log of events for pipes and HTTP addresses, each event at least once and in order."""

import fcntl
import json
import re
import shlex
import signal
import struct
import subprocess
import termios
import threading
import tomllib
import uuid

import pytest

from support import ROOT
from support.database import Database
from support.relay import Receiver, Relay
from support.retailer import Retailer
from support.waiting import eventually

OK, FAILED, WRONG_USAGE, NO_DATABASE, TRY_LATER, BAD_CONFIG = 0, 1, 2, 69, 75, 78
PIPE_SIZE = 65536


@pytest.fixture
def reader(service):
    return service.client(scope="events:read")


@pytest.fixture
def consumer(retailer, database):
    """A name that nobody has used; all that happened before is published."""
    published(database)
    return f"relay-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def relay(service, consumer):
    """A function that starts a relay: relay("--once"); of the same consumer unless another is named."""
    started = []

    def start(*options, name=consumer, **more):
        started.append(Relay(service, name, *options, **more))
        return started[-1]

    yield start
    for each in started:
        each.discard()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def published(database):
    eventually(lambda: database.count("events_due") == 0, 30, "all is published")


def everything(reader, after="oldest", **filters):
    found, has_more = [], True
    while has_more:
        page = reader.get("/v1/events", expect=200, params={"after": after, "limit": 1000, **filters}).json()
        found, after, has_more = found + page["data"], page["next_cursor"], page["has_more"]
    return found


def shown(reader, consumer):
    return reader.get(f"/v1/consumers/{consumer}", expect=200).json()


def begin_now(reader, consumer, **body):
    return reader.put(f"/v1/consumers/{consumer}", {"after": "now", **body}, expect=201).json()["cursor"]


def trade(retailer, database, n):
    """So many orders, all published."""
    retailer.stock({(retailer.store, retailer.sku): 1000})
    for _ in range(n):
        retailer.order()
    published(database)


# Standard output

def test_the_lines_are_the_events_of_the_list(relay, reader, retailer, consumer, database):
    trade(retailer, database, 3)
    ran = relay("--once")
    assert ran.end() == OK
    assert ran.events() == everything(reader) and len(ran.lines) > 6
    assert shown(reader, consumer)["lag_events"] == 0


def test_a_second_run_writes_the_new_events_alone(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    trade(retailer, database, 2)
    first = relay("--once")
    assert first.end() == OK
    trade(retailer, database, 1)
    second = relay("--once")
    assert second.end() == OK
    assert first.events() + second.events() == everything(reader, after) and first.lines and second.lines


def test_batches_of_any_size_have_the_same_lines(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    reader.put(f"/v1/consumers/{consumer}-2", {"after": after}, expect=201)
    trade(retailer, database, 4)
    whole, parts = relay("--once"), relay("--once", "--batch", 1, name=f"{consumer}-2")
    assert (whole.end(), parts.end()) == (OK, OK)
    assert whole.lines == parts.lines and len(whole.lines) > 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_relay_follows_the_log_until_a_signal(relay, reader, retailer, consumer, database, number):
    after = begin_now(reader, consumer)
    running = relay()
    for n in (2, 4, 6):
        retailer.order()
        running.wait_for_lines(n)
    assert running.end(number) == OK
    assert running.events() == everything(reader, after)
    assert shown(reader, consumer)["lag_events"] == 0


def test_a_new_consumer_may_begin_now(relay, reader, retailer, consumer, database):
    trade(retailer, database, 1)
    assert relay("--once", "--after", "now").end() == OK
    trade(retailer, database, 1)
    ran = relay("--once", "--after", "oldest")
    assert ran.end() == OK
    assert ran.events() == everything(reader)[-len(ran.lines):] and 0 < len(ran.lines) < len(everything(reader))


def test_types_are_filtered_and_kept_with_the_consumer(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    trade(retailer, database, 1)
    first = relay("--once", "--types", "fulfillment.*,payment.captured")
    assert first.end() == OK and [event["type"] for event in first.events()] == ["fulfillment.allocated"]
    assert shown(reader, consumer)["types"] == ["fulfillment.*", "payment.captured"]
    trade(retailer, database, 1)
    second = relay("--once")
    assert second.end() == OK and [event["type"] for event in second.events()] == ["fulfillment.allocated"]
    assert first.events() + second.events() == everything(reader, after, types="fulfillment.*")
    assert shown(reader, consumer)["lag_events"] == 0, "events of other types count as read"


def test_a_consumer_of_a_rare_type_moves_on(relay, reader, retailer, consumer, database):
    begin_now(reader, consumer, types=["order.reopened"])
    running = relay()
    trade(retailer, database, 1)
    eventually(lambda: shown(reader, consumer)["lag_events"] == 0, 30, "the consumer has passed the other types")
    running.stop()
    assert running.lines == []


def test_a_file_gets_whole_lines(relay, reader, consumer, retailer, database, tmp_path):
    after = begin_now(reader, consumer)
    for n in (1, 2):
        trade(retailer, database, n)
        with open(tmp_path / "events.ndjson", "ab") as file:
            assert relay("--once", stdout=file).end() == OK
    lines = (tmp_path / "events.ndjson").read_text().splitlines()
    assert [json.loads(line) for line in lines] == everything(reader, after)


def test_nothing_else_is_on_standard_output(relay, consumer, retailer, database):
    ran = relay("--once")
    assert ran.end() == OK
    assert all(json.loads(line)["specversion"] == "1.0" for line in ran.lines)
    assert ran.error().startswith("holdfast: relay: stopped after ")


# Nothing is lost

def test_a_reader_that_leaves_loses_nothing(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    trade(retailer, database, 5)
    leaving = relay("--batch", 2, reading=False)
    seen = [json.loads(leaving.process.stdout.readline()) for _ in range(3)]
    leaving.process.stdout.close()
    retailer.order()
    assert leaving.end() == FAILED
    assert "standard output is closed" in leaving.error()
    published(database)
    rest = relay("--once")
    assert rest.end() == OK
    expected = everything(reader, after)
    assert seen == expected[:3]
    assert rest.events() == expected[len(expected) - len(rest.lines):], "the run goes on in order"
    # Lines of the pipe that nobody read are lost to the reader, not to the consumer: it had taken them.
    assert expected[0]["id"] not in [event["id"] for event in rest.events()]


def test_a_stalled_reader_does_not_keep_a_signal_waiting(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    trade(retailer, database, 3)
    head = database.value("select revision from revisions where topic = 'events'")
    database.execute("insert into event_log (position, id, type, subject_kind, subject_id, version, occurred_at, published_at, data)"
                     " select n, gen_random_uuid(), 'pickup.reminder', 'fulfillments', 'stalled', 1, now(), now(), '{\"version\": 1}'"
                     " from generate_series(%s, %s) as n", head + 1, head + 500)
    database.execute("update revisions set revision = %s where topic = 'events'", head + 500)
    stalled = relay(reading=False)
    eventually(lambda: _pipe_is_full(stalled.process.stdout), 30, "the pipe is full")
    stalled.process.send_signal(signal.SIGTERM)
    assert stalled.process.wait(60) == OK
    lines = stalled.process.stdout.read().splitlines()
    expected = everything(reader, after)
    assert [json.loads(line) for line in lines] == expected[:len(lines)] and 0 < len(lines) < len(expected)
    assert shown(reader, consumer)["cursor"] == after, "a batch that was not taken whole is not committed"
    again = relay("--once")
    assert again.end() == OK and again.events() == expected


def _pipe_is_full(pipe):
    held = struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, struct.pack("i", 0)))[0]
    return held > PIPE_SIZE * 3 // 4  # a write of whole lines leaves the rest of its page empty


def test_of_two_relays_of_one_consumer_one_stops(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    running = [relay(), relay()]
    for each in running:
        eventually(lambda: _is_listening(database, 2), 30, "both follow")
    while all(each.is_running() for each in running):
        retailer.order()
        published(database)
    loser, winner = sorted(running, key=lambda each: each.is_running())
    assert loser.end() == FAILED
    assert f"stale-cursor: another process has moved or removed the consumer {consumer}" in loser.error()
    retailer.order()
    published(database)
    expected = everything(reader, after)
    winner.wait_for_lines(len(expected))
    winner.stop()
    ids = [event["id"] for event in winner.events()]
    assert list(dict.fromkeys(ids)) == [event["id"] for event in expected]
    assert {json.dumps(event) for event in loser.events()} <= {json.dumps(event) for event in expected}


def _is_listening(database, n):
    return database.value("select count(*) from pg_stat_activity where application_name = 'holdfast relay'") >= n


def test_a_consumer_that_is_moved_meanwhile_stops_its_relay(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    running = relay()
    retailer.order()
    running.wait_for_lines(2)
    reader.post(f"/v1/consumers/{consumer}/commit", {"cursor": after}, expect=200)
    retailer.order()
    assert running.end() == FAILED and "stale-cursor" in running.error()
    assert shown(reader, consumer)["cursor"] == after, "it stays where the other process has put it"


def test_events_that_are_no_longer_kept_are_named(services, new_database):
    url = new_database()
    house = services(url, sweeper=0)
    with Database(url) as database:
        reader = house.client(scope="events:read")
        shop = Retailer(house.client()).create()
        published(database)
        reader.put("/v1/consumers/slow", {"after": "oldest"}, expect=201)
        shop.order()
        published(database)
        database.execute("update event_log_parts set first = first + 3")
        late = Relay(house, "slow")
        assert late.end() == FAILED and late.lines == []
        assert "cursor-expired: events after sequence 00000000000000000000 are no longer kept" in late.error()
        assert 'PUT /v1/consumers/slow {"after":"oldest"}' in late.error()
        reader.put("/v1/consumers/slow", {"after": "oldest"}, expect=200)
        ran = Relay(house, "slow", "--once")
        assert ran.end() == OK
        assert ran.events() == everything(reader)
        late.discard()
        ran.discard()


# HTTP

def test_batches_are_posted_and_committed_when_taken(relay, reader, retailer, consumer, database, receiver):
    after = begin_now(reader, consumer)
    trade(retailer, database, 4)
    positions = []
    receiver.on_request = lambda: positions.append(shown(reader, consumer)["cursor"])
    ran = relay("--once", "--batch", 3, to=("http", receiver.url))
    assert ran.end() == OK and ran.lines == []
    assert receiver.taken == everything(reader, after)
    assert len(receiver.requests) > 2 and {len(body.splitlines()) for _, _, body in receiver.requests} <= {1, 2, 3}
    assert positions[0] == after and len(set(positions)) == len(positions), "each batch is committed before the next"
    headers = receiver.requests[0][1]
    assert headers["Content-Type"] == "application/x-ndjson" and headers["User-Agent"].startswith("holdfast/")
    assert "Authorization" not in headers


def test_a_batch_that_is_refused_is_posted_again_and_not_committed(relay, reader, retailer, consumer, database, receiver):
    after = begin_now(reader, consumer)
    trade(retailer, database, 1)
    cursors = []
    receiver.on_request = lambda: cursors.append(shown(reader, consumer)["cursor"])
    receiver.answers = [503, 404]
    ran = relay("--once", to=(receiver.url,))
    assert ran.end() == OK
    assert [status for status, _, _ in receiver.requests] == [503, 404, 204]
    assert len({body for _, _, body in receiver.requests}) == 1 and cursors == [after] * 3
    assert receiver.taken == everything(reader, after)
    assert "the target answered 503; attempt 2 follows in" in ran.error()


def test_attempts_have_a_limit(relay, reader, retailer, consumer, database, receiver):
    after = begin_now(reader, consumer)
    trade(retailer, database, 1)
    receiver.answers = [500, 302]
    ran = relay("--attempts", 2, to=("http", receiver.url))
    assert ran.end() == TRY_LATER
    assert "the target answered 302; given up after 2 attempts" in ran.error(), "no redirect is followed"
    assert len(receiver.requests) == 2 and shown(reader, consumer)["cursor"] == after


def test_the_target_may_ask_for_a_longer_pause(relay, reader, retailer, consumer, database, receiver):
    begin_now(reader, consumer)
    trade(retailer, database, 1)
    receiver.answers = [(429, {"Retry-After": "120"})]
    waiting = relay(to=("http", receiver.url))
    waiting.wait_for_error("attempt 2 follows in 1")
    seconds = float(waiting.error().split("follows in ")[1].split(" ")[0])
    assert 120 <= seconds <= 150
    waiting.stop()


def test_a_target_that_is_away_gets_the_batch_later(relay, reader, retailer, consumer, database):
    after = begin_now(reader, consumer)
    trade(retailer, database, 1)
    away = Receiver()
    away.close()
    ran = relay("--attempts", 1, to=("http", away.url))
    assert ran.end() == TRY_LATER and "the target failed: Couldn't connect to server" in ran.error()
    assert shown(reader, consumer)["cursor"] == after


def test_a_signal_ends_a_request_that_hangs(relay, reader, retailer, consumer, database, receiver):
    after = begin_now(reader, consumer)
    trade(retailer, database, 1)
    arrived, release = threading.Event(), threading.Event()

    def hang():
        arrived.set()
        release.wait(60)

    receiver.on_request = hang
    hanging = relay(to=("http", receiver.url))
    assert arrived.wait(60)
    assert hanging.end(signal.SIGTERM) == OK
    assert shown(reader, consumer)["cursor"] == after
    release.set()


def test_the_authorization_comes_from_a_setting(relay, reader, retailer, consumer, database, receiver, tmp_path):
    begin_now(reader, consumer)
    trade(retailer, database, 1)
    (tmp_path / "secret").write_text("Bearer hush-hush\n")
    ran = relay("--once", to=("http", receiver.url), relay_authorization_file=tmp_path / "secret")
    assert ran.end() == OK
    assert receiver.requests[0][1]["Authorization"] == "Bearer hush-hush"
    assert "hush" not in ran.error()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=receiver",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return folder


def test_a_certificate_must_be_trusted(relay, reader, retailer, consumer, database, certificate):
    after = begin_now(reader, consumer)
    trade(retailer, database, 1)
    receiver = Receiver(certificate / "both.pem")
    try:
        stranger = relay("--once", "--attempts", 1, to=("http", receiver.url))
        assert stranger.end() == TRY_LATER and "certificate" in stranger.error() and receiver.requests == []
        assert shown(reader, consumer)["cursor"] == after
        trusted = relay("--once", "--ca", certificate / "cert.pem", to=("http", receiver.url))
        assert trusted.end() == OK and receiver.taken == everything(reader, after)
    finally:
        receiver.close()


# Usage

@pytest.mark.parametrize("arguments, message", [
    ([], "usage: holdfast relay"),
    (["--to", "stdout"], "usage: holdfast relay"),
    (["--consumer", "x"], "usage: holdfast relay"),
    (["--to", "kafka", "--consumer", "x"], "usage: holdfast relay"),
    (["--to", "http", "--consumer", "x"], "usage: holdfast relay"),
    (["--to", "stdout", "--consumer", "x", "more"], "usage: holdfast relay"),
    (["--to", "stdout", "--consumer", "no name"], "--consumer is no name"),
    (["--to", "stdout", "--consumer", "x", "--types", "order.paid"], "--types has a pattern that names no type"),
    (["--to", "stdout", "--consumer", "x", "--types", ""], "--types has a pattern that names no type"),
    (["--to", "stdout", "--consumer", "x", "--after", "yesterday"], "--after is oldest or now"),
    (["--to", "stdout", "--consumer", "x", "--batch", "1001"], "--batch is a number from 1 to 1000"),
    (["--to", "stdout", "--consumer", "x", "--batch", "0"], "--batch is a number from 1 to 1000"),
    (["--to", "http", "http://x/", "--consumer", "x", "--attempts", "-1"], "--attempts is a number from 0"),
    (["--to", "http", "nowhere", "--consumer", "x"], "the URL is refused: it is not an absolute URL"),
    (["--to", "http", "ftp://shop.example/", "--consumer", "x"], "its scheme is neither http nor https"),
    (["--to", "http", "https://me:hush@shop.example/", "--consumer", "x"], "HOLDFAST_RELAY_AUTHORIZATION"),
    (["--to", "http", "https://shop.example/", "--consumer", "x", "--ca", "/nowhere"], "--ca: the file /nowhere cannot be read"),
])
def test_a_wrong_call_is_refused_and_makes_no_consumer(service, database, arguments, message):
    consumers = database.count("consumers")
    done = service.run("relay", *arguments)
    assert (done.returncode, done.stdout) == (WRONG_USAGE, "")
    assert message in done.stderr and "hush" not in done.stderr
    assert database.count("consumers") == consumers


def test_a_type_of_a_newer_program_is_named(relay, consumer, database):
    database.execute("insert into consumers values (%s, 'order.paid', 0, 1, now())", consumer)
    ran = relay()
    assert ran.end() == FAILED and "a type that this program does not know" in ran.error()


def test_a_database_that_is_away_is_named(service):
    environment = {**service.environment(), "HOLDFAST_DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"}
    done = subprocess.run([str(service.program()), "relay", "--to", "stdout", "--consumer", "x"], env=environment,
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (NO_DATABASE, "")
    assert "the database cannot be reached" in done.stderr


# The page

PAGE = (ROOT / "docs" / "relay.md").read_text()


@pytest.mark.parametrize("block", re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
def test_examples_of_settings_can_be_parsed(block):
    assert tomllib.loads(block)["sources"]["holdfast"]["type"] in ("exec", "http_server")


@pytest.mark.parametrize("block", re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
def test_examples_for_the_shell_can_be_parsed(block):
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_every_command_of_the_page_is_accepted(service):
    """Without the database they end at its door, and not for their arguments."""
    lines = re.findall(r"holdfast relay( --[^|\n]*?)(?:  |\||\n)", PAGE)
    lines += [" " + " ".join(tomllib.loads(block)["sources"]["holdfast"]["command"][2:])
              for block in re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if "command" in block]
    assert len(lines) >= 6
    environment = {**service.environment(), "HOLDFAST_DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"}
    for line in lines:
        done = subprocess.run([str(service.program()), "relay", *shlex.split(line)], env=environment, capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == NO_DATABASE, f"{line}: {done.stderr}"
