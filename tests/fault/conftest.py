import pytest

from support.database import Database
from support.holdfast import make_token
from support.proxy import Proxy
from support.shelf import Shelf


@pytest.fixture(scope="session")
def durable():
    return True


@pytest.fixture(scope="session")
def token():
    return make_token()


@pytest.fixture(autouse=True)
def database_is_up_again(cluster):
    """Whatever a test has done to it."""
    yield
    cluster.start_again()


@pytest.fixture
def url(new_database):
    return new_database()


@pytest.fixture
def database(url):
    """A way to the database beside the service and beside any proxy."""
    with Database(url) as database:
        yield database


@pytest.fixture
def power_cut(cluster, database):
    """The database stops as its host does when the power fails, and comes back."""
    def cut():
        cluster.stop("immediate")
        database.close()
        cluster.start_again()
    return cut


@pytest.fixture
def shelf(database):
    return Shelf(database, units=1_000_000)


@pytest.fixture
def instance(services, url):
    return services(url)


@pytest.fixture
def proxy(url):
    """A proxy before the database; its `url` leads through it."""
    proxy, through = Proxy.before_database(url)
    proxy.url = through
    yield proxy
    proxy.close()


@pytest.fixture
def behind_proxy(services, proxy):
    return services(proxy.url)
