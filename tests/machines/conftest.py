"""A primary and its streaming replica, and services that read from it."""

import pytest

from support.machines import Pair, usable


@pytest.fixture
def pair():
    made = Pair()
    yield made
    made.remove()


@pytest.fixture
def reading(pair, new_service):
    """reading(lag_ms=...): a service that reads from the replica, which has caught up."""

    def make(database=None, lag_ms=60000, **more):
        database = database or pair.database()
        env = {"ASSAY_READ_DATABASE_URL": pair.replica.url(database.name), "ASSAY_READ_LAG_MS": str(lag_ms), **more.pop("env", {})}
        service = new_service(database, env=env, **more)
        usable(service)
        return service

    return make
