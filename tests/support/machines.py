"""A primary and its streaming replica, both real, and what a service says of them."""

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


class Metrics(dict):
    """What /metrics says, by what stands before the blank."""

    def __init__(self, service):
        text = service.client("").get("/metrics").body.decode()
        super().__init__((name, float(value)) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#"))

    @property
    def reads(self):
        return self["assay_replica_reads_total"]

    def declined(self, why):
        return self[f'assay_replica_declined_total{{why="{why}"}}']


def usable(service, is_so=True):
    """Waits until reads go to the replica (or do not)."""
    anyone = service.client("")
    eventually(lambda: anyone.get("/readyz").json["replica"]["usable"] == is_so, what=f"the replica's being usable never was {is_so}")
