import pytest


@pytest.fixture(scope="session")
def durable():
    return True
