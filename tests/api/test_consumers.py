"""Consumers: positions in the log of events that the service keeps."""

import uuid

import pytest

from support.waiting import eventually
from support.work import code_of

READER = "events:read"


@pytest.fixture
def reader(service):
    return service.client(scope=READER)


@pytest.fixture
def path():
    return f"/v1/consumers/reader-{uuid.uuid4().hex[:12]}"


def page(reader, **params):
    return reader.get("/v1/events", expect=200, params=params).json()


def now(reader):
    return page(reader, after="now")["next_cursor"]


def published(database):
    eventually(lambda: database.count("events_due") == 0, 30, "all is published")


def commit(reader, path, cursor, expected=None, expect=200, **options):
    body = {"cursor": cursor} if expected is None else {"cursor": cursor, "expected": expected}
    return reader.post(f"{path}/commit", body, expect=expect, **options)


def test_a_new_consumer_begins_now(reader, path, database):
    published(database)
    made = reader.put(path, {}, expect=201)
    assert made.json()["cursor"] == now(reader) and made.json()["types"] == ["*"]
    shown = reader.get(path, expect=200)
    assert shown.headers["ETag"] == made.headers["ETag"] == '"1"'
    assert (shown.json()["lag_events"], shown.json()["lag_s"]) == (0, 0)
    assert shown.json()["name"] == path.rsplit("/", 1)[1]


def test_a_consumer_follows_the_log_by_commits(reader, path, retailer, database):
    published(database)
    cursor = reader.put(path, {"after": "now", "types": ["order.*", "return.received"]}, expect=201).json()["cursor"]
    retailer.order()
    published(database)
    behind = reader.get(path, expect=200).json()
    assert behind["lag_events"] == 2 and 0 < behind["lag_s"] < 60 and behind["types"] == ["order.*", "return.received"]
    got = page(reader, after=cursor)
    done = commit(reader, path, got["next_cursor"], expected=cursor).json()
    assert done["cursor"] == got["next_cursor"] and done["lag_events"] == 0 and done["version"] == 2
    assert reader.get(path, expect=200).json()["cursor"] == got["next_cursor"]


def test_of_two_processes_one_moves_the_consumer(reader, path, retailer, database):
    published(database)
    cursor = reader.put(path, {"after": "now"}, expect=201).json()["cursor"]
    retailer.order()
    published(database)
    first, second = (page(reader, after=cursor, limit=limit)["next_cursor"] for limit in (1, 2))
    commit(reader, path, first, expected=cursor)
    assert code_of(commit(reader, path, second, expected=cursor, expect=409)) == "stale-cursor"
    assert reader.get(path, expect=200).json()["cursor"] == first
    again = commit(reader, path, first, expected=cursor)
    assert again.json()["version"] == 2, "a repeat is no second move"
    commit(reader, path, second, expected=first)


def test_a_commit_without_an_expectation_moves_in_either_direction(reader, path, retailer, database):
    published(database)
    cursor = reader.put(path, {"after": "now"}, expect=201).json()["cursor"]
    retailer.order()
    published(database)
    later = now(reader)
    assert commit(reader, path, later).json()["cursor"] == later
    assert commit(reader, path, cursor).json()["cursor"] == cursor


def test_a_put_moves_a_consumer_only_if_it_says_so(reader, path, retailer, database):
    cursor = reader.put(path, {"after": "now"}, expect=201).json()["cursor"]
    retailer.order()
    published(database)
    kept = reader.put(path, {"types": ["payment.*"]}, expect=200).json()
    assert (kept["cursor"], kept["types"], kept["version"]) == (cursor, ["payment.*"], 2)
    assert reader.put(path, {"after": "now"}, expect=200).json()["cursor"] == now(reader)
    oldest = reader.put(path, {"after": "oldest"}, expect=200).json()
    assert page(reader, after=oldest["cursor"]) == page(reader, after="oldest")


def test_preconditions_hold(reader, path):
    reader.put(path, {}, expect=412, headers={"If-Match": '"1"'})
    reader.put(path, {}, expect=201, headers={"If-None-Match": "*"})
    assert code_of(reader.put(path, {}, expect=412, headers={"If-None-Match": "*"})) == "precondition-failed"
    reader.put(path, {}, expect=412, headers={"If-Match": '"7"'})
    reader.put(path, {}, expect=200, headers={"If-Match": '"1"'})


@pytest.mark.parametrize("body, status, code", [
    ({"after": "yesterday"}, 400, "invalid-cursor"), ({"types": ["order.paid"]}, 422, "validation-failed"),
    ({"types": []}, 422, "validation-failed"), ({"cursor": "x"}, 422, "validation-failed")])
def test_a_body_that_means_nothing_makes_no_consumer(reader, path, body, status, code):
    assert code_of(reader.put(path, body, expect=status)) == code
    assert code_of(reader.get(path, expect=404)) == "not-found"


def test_a_commit_of_what_is_no_cursor_is_refused(reader, path, retailer):
    reader.put(path, {}, expect=201)
    for cursor in ("x", "oldest"):
        assert code_of(commit(reader, path, cursor, expect=400)) == "invalid-cursor"
    assert code_of(commit(reader, path, now(reader), expected="x", expect=400)) == "invalid-cursor"
    assert reader.get(path, expect=200).json()["version"] == 1


def test_an_unknown_consumer_is_not_found(reader, path):
    reader.get(path, expect=404)
    commit(reader, path, now(reader), expect=404)


def test_a_deleted_consumer_is_gone_and_may_be_made_again(reader, path, retailer, database):
    published(database)
    reader.put(path, {"after": "oldest"}, expect=201)
    shown = reader.get(path, expect=200).json()
    assert reader.delete(path, expect=412, headers={"If-Match": '"7"'}).status_code == 412
    gone = reader.delete(path, expect=200).json()
    assert gone == {name: value for name, value in shown.items() if name != "lag_s"}
    for again in (reader.get(path, expect=404), reader.delete(path, expect=404), commit(reader, path, gone["cursor"], expect=404)):
        assert code_of(again) == "not-found"
    made = reader.put(path, {}, expect=201).json()
    assert made["version"] == 1 and made["cursor"] == now(reader)


def test_the_list_has_every_consumer_by_name_with_its_lag(reader, path, retailer, database):
    for n in range(3):
        reader.put(f"{path}-{n}", {"after": "oldest" if n == 1 else "now"}, expect=201)
    retailer.order()
    published(database)
    listed, cursor = [], {}
    while cursor is not None:
        got = reader.get("/v1/consumers", expect=200, params={"limit": 2, **cursor}).json()
        assert len(got["data"]) <= 2
        listed += got["data"]
        cursor = {"cursor": got["next_cursor"]} if got["next_cursor"] else None
    names = [consumer["name"] for consumer in listed]
    assert names == sorted(names) and len(names) == database.count("consumers")
    prefix = path.rsplit("/", 1)[1]
    mine = [consumer for consumer in listed if consumer["name"].startswith(prefix)]
    assert len(mine) == 3 and all(consumer["lag_events"] >= 2 and consumer["lag_s"] > 0 for consumer in mine)
    assert mine[1]["lag_events"] > mine[0]["lag_events"]
    assert mine[0].keys() == reader.get(f"{path}-0", expect=200).json().keys()


def test_consumers_need_the_scope(service, path):
    stranger = service.client(scope="orders:read")
    for reply in (stranger.get(path, expect=403), stranger.put(path, {}, expect=403), stranger.delete(path, expect=403),
                  stranger.get("/v1/consumers", expect=403)):
        assert code_of(reply) == "insufficient-scope"
