"""The fixtures that every test folder may use.

    def test_something(world, client): ...        # a sandbox, shared by the tests of one file
    def test_a_crash(new_service): ...            # services of its own: new_service(), new_service(sandbox=False, env={...})

`service` is one sandbox a file, on a fresh database; `client` acts as admin; `world` has shorthand (support/world.py); `keys`
gives a key of each role: keys["auditor"]. `database` is the service's database for SQL: database.sql("select ...").
"""

import re
import shutil
import tempfile

import psycopg2
import pytest

from support.postgres import Cluster
from support.service import Service
from support.world import World


@pytest.fixture(scope="session")
def cluster():
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def migrated(cluster):
    """The name of a database that holds the schema and nothing else, to copy from."""
    name = cluster.create_database()
    home = tempfile.mkdtemp(prefix="assay-home-")
    try:
        Service(cluster.url(name), home).command("migrate")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return name


class Database:
    """A database of the cluster, for SQL as its superuser. When it goes, every decision in it is computed again: whatever a test was
    about, none may have been made that cannot be. `decisions_falsified`: a test did that itself."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.url = cluster.url(name)
        self.decisions_falsified = False

    def sql(self, statement):
        return self.cluster.sql(statement, self.name)

    def drop(self):
        try:
            self.replay_decisions()
        finally:
            self.cluster.drop_database(self.name)

    def replay_decisions(self):
        try:
            [(decisions,)] = self.sql("select count(*) from decision")
        except psycopg2.Error:
            return  # a test has moved or broken it
        if not decisions or self.decisions_falsified:
            return
        with tempfile.TemporaryDirectory(prefix="assay-home-") as home:
            told = Service(self.url, home).command("verify", ok=None)
        assert re.search(rf"^ok +{decisions} decisions replay", told.stdout, re.M), f"{decisions} decisions:\n{told.stdout}{told.stderr}"


@pytest.fixture(scope="module")
def database(cluster, migrated):
    made = Database(cluster, cluster.create_database(migrated))
    yield made
    made.drop()


@pytest.fixture(scope="module")
def service(database):
    started = Service(database.url)
    try:
        yield started.start()
        started.stop()
    finally:
        started.kill()
        shutil.rmtree(started.home, ignore_errors=True)


@pytest.fixture(scope="module")
def client(service):
    made = service.client()
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(client):
    return World(client)


@pytest.fixture(scope="module")
def keys(service):
    """Keys by role, each made when first asked for. A partner's is bound to no provider."""

    class Keys(dict):
        def __missing__(self, role):
            self[role] = service.new_key(role)
            return self[role]

    return Keys()


@pytest.fixture
def new_database(cluster, migrated):
    """Makes databases for one test: new_database().url."""
    made = []

    def make():
        made.append(Database(cluster, cluster.create_database(migrated)))
        return made[-1]

    yield make
    for one in made:
        one.drop()


@pytest.fixture
def new_service(new_database):
    """Makes and starts services for one test, each on a fresh database, or on the one given. What the test has not stopped by
    itself is stopped gracefully, and must do so."""
    made = []

    def make(database=None, start=True, **more):
        database = database or new_database()
        one = Service(database.url, **more)
        one.database = database
        made.append(one)
        return one.start() if start else one

    yield make
    try:
        for one in made:
            one.stop()
    finally:
        for one in made:
            one.kill()
            shutil.rmtree(one.home, ignore_errors=True)
