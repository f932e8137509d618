"""A primary and its streaming replica, both real, and services that know of both."""

import pytest

from support.at_once import eventually
from support.fixtures import Database
from support.postgres import Cluster

KEEPING = {"synchronous_commit": "on"}  # what was committed is on disk


class Pair:
    def __init__(self):
        self.primary = Cluster(KEEPING)
        self.replica = None
        try:
            self.replica = Cluster(KEEPING, of=self.primary)
        except BaseException:
            self.primary.remove()
            raise

    def remove(self):
        self.replica.remove()
        self.primary.remove()

    def url(self, name, more=""):
        """Of both hosts: libpq finds the one that takes writes."""
        return f"postgresql://assay@/{name}?host={self.primary.dir},{self.replica.dir}&port=5432,5432{more}"

    def database(self, more=""):
        """A new one, at either host."""
        made = Database(self.primary, self.primary.create_database())
        made.url = self.url(made.name, more)
        return made

    def synchronous(self):
        """From now on a commit is acknowledged once the replica has it, too."""
        self.primary.configure("synchronous_standby_names", "*")
        eventually(lambda: self.primary.sql("select sync_state from pg_stat_replication") == [("sync",)])

    def caught_up(self):
        at = self.primary.position()
        eventually(lambda: self.replica.position() >= at, what="the replica does not follow")


@pytest.fixture
def pair():
    made = Pair()
    yield made
    made.remove()
