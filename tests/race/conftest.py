"""Two instances on one database, whose buyers meet at the same rows.

They do not sweep: what lapses is then dealt with by those who meet it. One test brings an instance that does.
"""

import pytest

from support.database import Database
from support.holdfast import Holdfast, make_token
from support.lone import Lone
from support.shelf import Shelf


@pytest.fixture(scope="session")
def two_instances(new_database, work_directory):
    url = new_database()
    # The tests let time pass and look at what has lapsed before anybody closes it, so nothing sweeps.
    instances = [Holdfast(url, work_directory, f"instance-{n}", sweeper=0).start() for n in (1, 2)]
    yield instances
    try:
        instances[0].assert_audit_clean()
        for instance in instances:
            if instance.is_running():
                instance.stop()
    finally:
        for instance in instances:
            instance.discard()


@pytest.fixture
def pair(two_instances):
    yield two_instances
    for instance in two_instances:
        assert instance.is_running(), f"an instance ended during this test\n{instance.tail()}"


@pytest.fixture
def database(pair):
    with Database(pair[0].database_url) as database:
        yield database


@pytest.fixture(scope="session")
def token():
    return make_token()


@pytest.fixture
def shelf_of(database):
    return lambda units, n_skus=1: Shelf(database, units, n_skus)


@pytest.fixture(scope="session")
def lone_instance(new_database, work_directory):
    # A batch of thousands of lines takes ThreadSanitizer longer than PostgreSQL waits for a client by default.
    patient = new_database() + "?options=-c%20idle_in_transaction_session_timeout%3D60000"
    instance = Holdfast(patient, work_directory, "lone", sweeper=0, write_workers=1, call_timeout="PT60S").start()
    yield instance
    try:
        instance.assert_audit_clean()
        instance.stop() if instance.is_running() else None
    finally:
        instance.discard()


@pytest.fixture
def lone(lone_instance, token):
    """An instance with a separate database and one worker, whose batches a test can compose and count."""
    with Database(lone_instance.database_url) as database:
        yield Lone(lone_instance, database, token)
    assert lone_instance.is_running(), f"the instance ended during this test\n{lone_instance.tail()}"
