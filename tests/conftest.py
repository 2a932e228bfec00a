"""Fixtures of the api, commands, race and fault suites.

    cluster        a private PostgreSQL of the suite
    new_database   call it for the URL of a fresh, migrated database
    service        one running instance, the same for the whole suite
    mails          the mail server of that instance
    services       call it to start further instances, with settings of their own: services(url, rate_limit=60)
    api            a client with every scope but admin
    admin          a client with the scope admin
    retailer       stores, products and stock made through the API, with codes nobody else has
    work           a function that places an order of the retailer and gives its fulfillment
"""

import json
import os
from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    "support.client", "support.cluster", "support.database", "support.holdfast", "support.person", "support.raw", "support.retailer",
    "support.work")

from support.client import contract  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.database import Database  # noqa: E402
from support import event_types  # noqa: E402
from support.discretion import discretion  # noqa: E402
from support.holdfast import Holdfast, migrate  # noqa: E402
from support.mail import Catcher  # noqa: E402
from support.retailer import Retailer  # noqa: E402
from support.work import Work  # noqa: E402

TEMPLATE = "migrated"


@pytest.fixture(scope="session", autouse=True)
def logs_keep_secrets():
    """At the end of the run no log of any instance contains a token, a code, or personal data of a customer."""
    yield
    discretion.assert_kept()


@pytest.fixture(scope="session")
def durable():
    """Whether PostgreSQL must survive a power cut; a suite that needs it says so."""
    return False


@pytest.fixture(scope="session")
def work_directory(tmp_path_factory):
    """The directory of logs and cluster: HOLDFAST_TEST_DIRECTORY, else a temporary one."""
    named = os.environ.get("HOLDFAST_TEST_DIRECTORY")
    directory = Path(named) if named else tmp_path_factory.mktemp("holdfast")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def cluster(work_directory, durable):
    cluster = Cluster(work_directory / "cluster", durable)
    try:
        yield cluster.start()
        event_types.assert_known(cluster)
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def new_database(cluster):
    """A function that makes a database at the schema's head and returns its URL."""
    with Database(cluster.url()) as database:
        database.execute(f'create database "{TEMPLATE}"')
    migrate(cluster.url(TEMPLATE))
    return lambda: cluster.create_database(TEMPLATE)


@pytest.fixture(scope="session")
def mails():
    """A mail server that keeps what the suite's instance sends."""
    with Catcher() as catcher:
        yield catcher


@pytest.fixture(scope="session")
def suite_service(new_database, work_directory, mails):
    instance = Holdfast(new_database(), work_directory, "service", smtp_url=mails.url).start()
    yield instance
    instance.stop() if instance.is_running() else None
    instance.discard()


@pytest.fixture
def service(suite_service):
    """The suite's instance. The test during which it dies fails, the next one finds it running again."""
    if not suite_service.is_running():
        suite_service.start_again()
    yield suite_service
    assert suite_service.is_running(), f"the service ended during this test\n{suite_service.tail()}"


@pytest.fixture
def services(new_database, work_directory, request):
    """A function that starts an instance: services(database_url=None, wait=True, **settings).

    Without a URL it gets a database of its own. All are stopped at the end of the test and must end well.
    """
    started = []

    def start(database_url=None, wait=True, **settings):
        name = f"{request.node.name[:60].replace('/', '_')}-{len(started) + 1}"
        instance = Holdfast(database_url or new_database(), work_directory, name, **settings)
        started.append(instance)
        return instance.start(wait)

    yield start
    try:
        for instance in started:
            if instance.is_running():
                instance.stop()
    finally:
        for instance in started:
            instance.discard()


@pytest.fixture
def database(service):
    """A look into the database of `service`."""
    with Database(service.database_url) as database:
        yield database


@pytest.fixture
def api(service):
    return service.client()


@pytest.fixture
def admin(service):
    return service.client(scope="admin", subject="supervisor")


@pytest.fixture
def retailer(api):
    return Retailer(api).create()


@pytest.fixture
def work(retailer, database):
    return lambda lines=None, method="pickup", **fields: Work(retailer, database, lines, method, **fields)


def pytest_collection_modifyitems(items):
    """Imports come last: with all their orders in the database every audit takes seconds."""
    items.sort(key=lambda item: item.path.name.startswith("test_import"))


def pytest_sessionfinish():
    """Write the list of seen replies; tests/run.py merges the lists of all processes."""
    directory = os.environ.get("HOLDFAST_TEST_DIRECTORY")
    if directory and contract.cache_info().currsize:
        (Path(directory) / "seen_replies.json").write_text(json.dumps(sorted(contract().seen)))


def pytest_terminal_summary(terminalreporter, config):
    """Print the documented replies that no test has seen; for whole runs of the api suite."""
    if contract.cache_info().currsize == 0 or config.getoption("keyword"):
        return
    unseen = contract().unseen()
    total = sum(len(operation.responses) for operation in contract().operations)
    terminalreporter.section("contract", sep="-")
    terminalreporter.line(f"{total - len(unseen)} of {total} documented replies seen")
    for name, status in unseen if config.getoption("verbose") > 0 else []:
        terminalreporter.line(f"  not seen: {name} {status}")
