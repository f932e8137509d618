"""What somebody who may do anything in the database does to the audit log is found, and named."""

import re

import pytest

from support.audit import FIRST, link_sha256
from support.service import Service

ENTRIES = 12  # ids 1 to 13 but for GAP, which a transaction took that was rolled back
GAP = 7
AS_SUPERUSER = "set session_replication_role = replica; "  # no trigger fires


def name(audit_id):
    return f"aud_{audit_id:012x}"


def write(cluster, database, number):
    context = '{"request_id": "r-%d", "key_id": "key_1", "key_name": "someone"}' % number
    cluster.sql(f"""select audit_add('{context}', 'thing.changed', 'prv_{number}', '{{"n": {number}}}', '{{"n": {number + 1}, "ö": "值"}}')""",
                database, role="assay")


@pytest.fixture(scope="module")
def sealed(cluster, tmp_path_factory):
    """The name of a database whose log has ENTRIES entries, all of them sealed, and the head of its chain."""
    database = cluster.create_database()
    service = Service(cluster.url(database), home=str(tmp_path_factory.mktemp("home")))
    service.command("migrate")  # itself the first entry
    while cluster.sql("select count(*) from audit", database) != [(ENTRIES,)]:
        number = cluster.sql("select max(audit_id) from audit", database)[0][0] + 1
        if number == GAP:
            cluster.sql("select nextval('audit_audit_id_seq')", database)
        write(cluster, database, number)
    head = re.search(r"sealed up to (\d+:[0-9a-f]{64})", service.command("verify"))[1]
    assert head.startswith(f"{ENTRIES}:")
    return database, head


class Log:
    """A copy of it to tamper with. Position and id of an entry differ by one behind the gap."""

    def __init__(self, cluster, database, head, home):
        self.cluster = cluster
        self.database = database
        self.head = head
        self.service = Service(cluster.url(database), home=home)

    def tamper(self, statements):
        self.cluster.sql(AS_SUPERUSER + statements, self.database)

    def verify(self, *args):
        """(problems as texts, whether it is sound)"""
        done = self.service.command("verify", *args, ok=None)
        line = re.search(r"^(ok|WRONG) +\d+ audit entries are as they were sealed(: \d+ do not)?$", done.stdout, re.M)
        found = re.findall(r"^wrong  (.*)$", done.stdout, re.M)
        assert (done.returncode == 0) == (line[1] == "ok") == (not found), done.stdout + done.stderr
        return found


@pytest.fixture
def log(cluster, sealed, tmp_path):
    database, head = sealed
    copy = cluster.create_database(database)
    yield Log(cluster, copy, head, str(tmp_path))
    cluster.drop_database(copy)


def changed(number, position=None):
    return f"The entry {name(number)}, at position {position or number}, is not what was sealed."


def link_changed(position):
    return f"The link at position {position} does not follow from the one before: one of them was changed or moved."


def gone(number, position=None):
    return f"The entry {name(number)}, sealed at position {position or number}, is gone."


def not_sealed(number):
    return (f"The entry {name(number)} is not in the chain although the chain has passed it: it was put in afterwards, or its link"
            " was taken out.")


def test_untouched(log):
    assert log.verify() == []
    assert log.verify("--audit-head", log.head) == []
    write(log.cluster, log.database, 99)
    assert log.verify("--audit-head", log.head) == []


@pytest.mark.parametrize("change", [
    "at = at - interval '1 microsecond'", "request_id = 'r-x'", "actor_id = 'key_2'", "actor_name = 'someone else'",
    "action = 'thing.made'", "subject = 'prv_9'", "provider_id = null", "before = null", "after = after || '{\"n\": 9}'",
])
def test_a_changed_column(log, change):
    log.tamper(f"update audit set {change} where audit_id = 5")
    assert log.verify() == [changed(5)]


CHANGED_WITH_ITS_HASH = """update audit set actor_name = 'nobody' where audit_id = 5;
    update audit_chain c set entry_sha256 = audit_sha256(a) from audit a where a.audit_id = 5 and c.audit_id = 5;"""


def test_a_changed_entry_with_its_hash(log):
    log.tamper(CHANGED_WITH_ITS_HASH)
    assert log.verify() == [link_changed(5)]


def test_a_changed_entry_with_its_hash_and_link(log):
    log.tamper(CHANGED_WITH_ITS_HASH + """update audit_chain c set sha256 = sha256(b.sha256 || c.entry_sha256) from audit_chain b
        where c.position = 5 and b.position = 4""")
    assert log.verify() == [link_changed(6)]


@pytest.mark.parametrize("rows", [[1], [5], [13], [11, 12, 13], list(range(2, 7))], ids=["first", "middle", "last", "tail", "many"])
def test_removed_entries(log, rows):
    log.tamper(f"delete from audit where audit_id in ({','.join(map(str, rows))})")
    assert log.verify() == [gone(n, n - (n > GAP)) for n in rows]


def test_all_entries_removed(log):
    log.tamper("truncate audit")
    assert len(log.verify()) == ENTRIES


def test_swapped_ids(log):
    log.tamper("""alter table audit alter audit_id drop identity; update audit set audit_id = -3 where audit_id = 3;
        update audit set audit_id = 3 where audit_id = 4; update audit set audit_id = 4 where audit_id = -3;
        alter table audit alter audit_id add generated always as identity (start 14)""")
    assert log.verify() == [changed(3), changed(4)]


def test_an_entry_under_another_id(log):
    log.tamper("""alter table audit alter audit_id drop identity; update audit set audit_id = 7 where audit_id = 3;
        alter table audit alter audit_id add generated always as identity (start 14)""")
    assert log.verify() == [gone(3), not_sealed(7)]


def test_reordered_links(log):
    log.tamper("""update audit_chain set position = 100 where position = 3; update audit_chain set position = 3 where position = 4;
        update audit_chain set position = 4 where position = 100""")
    assert log.verify() == [link_changed(3), link_changed(4), link_changed(5)]


def test_links_that_name_each_others_entries(log):
    log.tamper("""update audit_chain set audit_id = -1 where position = 3; update audit_chain set audit_id = 3 where position = 4;
        update audit_chain set audit_id = 4 where position = 3""")
    assert log.verify() == [changed(4, 3), changed(3, 4)]


INSERT = """insert into audit (era, txid, audit_id, at, request_id, actor_id, actor_name, action, subject) overriding system value
    values ({era}, {txid}, {audit_id}, '2020-01-01', 'r', 'key_1', 'someone', 'thing.made', 'prv_1')"""


@pytest.mark.parametrize("audit_id", [GAP, 0, -5])
@pytest.mark.parametrize("era, txid", [
    (1, "pg_current_xact_id()"), (1, "'3'"), (1, "'999999999'"), (1, "(select last_txid from audit_seal)"),
    (1, "(select pg_snapshot_xmax(snapshot) from audit_seal)"), (0, "pg_current_xact_id()"), (2, "pg_current_xact_id()"),
], ids=["now", "long ago", "in the future", "as the sealer", "beside the sealer", "an era before", "an era to come"])
def test_an_inserted_entry(log, audit_id, era, txid):
    """Whatever it says of when it came: the service does not seal it, neither before nor after others came."""
    log.tamper(INSERT.format(audit_id=audit_id, era=era, txid=txid))
    found = [not_sealed(audit_id)] if audit_id >= 0 else [not_sealed(audit_id).replace(name(audit_id), "aud_fffffffffffffffb")]
    assert log.verify() == found
    write(log.cluster, log.database, 99)
    assert log.verify() == found
    assert log.cluster.sql("select count(*), max(position) from audit_chain", log.database) == [(ENTRIES + 1, ENTRIES + 1)]


def test_an_inserted_entry_with_a_link_outside_the_chain(log):
    log.tamper(INSERT.format(audit_id=GAP, era=1, txid="'3'"))
    log.tamper(f"""alter table audit_chain drop constraint audit_chain_position_check; insert into audit_chain values (-1, {GAP}, sha256(''), sha256(''))""")
    found = log.verify()
    assert not_sealed(GAP) in found
    assert any("does not end with the link that was sealed last" in text for text in found)


def test_a_changed_link(log):
    log.tamper("update audit_chain set sha256 = sha256('') where position = 5")
    assert log.verify() == [link_changed(5), link_changed(6)]


def test_the_last_link_changed(log):
    log.tamper(f"update audit_chain set sha256 = sha256('') where position = {ENTRIES}")
    assert log.verify() == [link_changed(12), "The chain does not end with the link that was sealed last, at position 12."]


@pytest.mark.parametrize("first, last", [(1, 1), (5, 5), (4, 6)])
def test_removed_links(log, first, last):
    log.tamper(f"delete from audit_chain where position between {first} and {last}")
    assert log.verify() == [f"The links from position {first} to {last} are gone."] + [not_sealed(n) for n in range(first, last + 1)]


def test_a_truncated_chain(log):
    log.tamper("delete from audit_chain where position > 9")
    cut = ["The chain ends at position 9; it had come to 12."] + [not_sealed(n) for n in (11, 12, 13)]
    assert log.verify() == cut
    write(log.cluster, log.database, 99)  # what comes later does not heal it
    assert log.verify() == ["The links from position 10 to 12 are gone."] + cut[1:]


def test_no_chain_left(log):
    log.tamper("truncate audit_chain")
    assert log.verify() == ["The chain ends at position 0; it had come to 12."] + [not_sealed(n) for n in range(1, 14) if n != GAP]


def test_entries_and_links_removed_together(log):
    log.tamper("delete from audit where audit_id > 10; delete from audit_chain where position > 9")
    assert log.verify() == ["The chain ends at position 9; it had come to 12."]


def test_the_seal_set_back(log):
    log.tamper("update audit_seal set position = 9, sha256 = (select sha256 from audit_chain where position = 9)")
    assert "does not end with the link that was sealed last" in " ".join(log.verify())


def forge(log):
    """A whole chain made anew over a log that lies, by somebody who knows how: nothing in the database contradicts it."""
    log.tamper(CHANGED_WITH_ITS_HASH)
    last = FIRST
    for position, entry in log.cluster.sql("select position, entry_sha256 from audit_chain order by 1", log.database):
        last = link_sha256(last, bytes(entry))
        log.tamper(f"update audit_chain set sha256 = '\\x{last.hex()}' where position = {position}")
    log.tamper(f"update audit_seal set sha256 = '\\x{last.hex()}'")


def test_a_chain_made_anew_is_found_by_who_remembers_its_head(log):
    forge(log)
    assert log.verify() == []
    found = log.verify("--audit-head", log.head)
    assert found == ["The chain has no link with that hash at position 12: what was sealed up to there is not what was seen before."]


def test_a_tail_cut_off_without_trace_is_found_by_who_remembers_the_head(log):
    log.tamper("""delete from audit where audit_id > 10; delete from audit_chain where position > 9;
        update audit_seal set position = 9, sha256 = (select sha256 from audit_chain where position = 9)""")
    assert log.verify() == []
    assert len(log.verify("--audit-head", log.head)) == 1


@pytest.mark.parametrize("args", [["--audit-head"], ["--audit-head", "12"], ["--audit-head", "0:" + "0" * 64], ["--audit-head", "x:" + "0" * 64],
                                  ["12:" + "0" * 64]])
def test_used_wrongly(log, args):
    assert log.service.command("verify", *args, ok=None).returncode == 2


@pytest.mark.parametrize("statement", [
    "update audit set subject = 'x'", "delete from audit", "truncate audit", "update audit_chain set position = position + 100",
    "delete from audit_chain", "truncate audit_chain",
])
def test_not_even_the_services_own_user_may(log, statement):
    """By grant as well as by trigger: even with the triggers gone."""
    with pytest.raises(Exception, match="permission denied"):
        log.cluster.sql(statement, log.database, role="assay")
    with pytest.raises(Exception, match="append-only"):
        log.cluster.sql(statement, log.database)
