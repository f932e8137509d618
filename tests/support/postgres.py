"""A throwaway PostgreSQL for a test session: on a Unix socket alone, and careless about disks, since nothing in it is kept."""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg2

START_SECONDS = 60


def programs():
    """The directory of the newest PostgreSQL's programs."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    path = found[-1] if found else shutil.which("initdb")
    if not path:
        raise RuntimeError("PostgreSQL's server programs are not installed: scripts/test installs them")
    return os.path.dirname(path)


def run_as():
    """Whom PostgreSQL runs as: it refuses to be root. None: ourselves."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def child_setup(user):
    """In a child before it becomes another program: the user, and an end when we end."""

    def setup():
        if user:
            os.setgroups([])
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)

    return setup


class Cluster:
    """Databases in it belong to the role "assay", which is no superuser, as in production."""

    SETTINGS = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "128MB",
        "max_connections": "300",
        "max_locks_per_transaction": "256",
        "max_wal_size": "1GB",
        "checkpoint_timeout": "30min",
        "autovacuum_naptime": "10s",
        "jit": "off",
        "track_commit_timestamp": "on",  # tells which rows one transaction wrote
        "timezone": "UTC",
        "log_min_messages": "warning",
        "log_line_prefix": "%m [%p] %d ",
    }

    def __init__(self, settings=None, of=None):
        """`settings`: on top of SETTINGS. `of`: the primary that this one is to be a streaming replica of."""
        self.settings = {**self.SETTINGS, **(settings or {})}
        self.user = run_as()
        self.dir = tempfile.mkdtemp(prefix="assay-pg-")
        self.log_path = os.path.join(self.dir, "log")
        self.process = None
        self.names = 0
        if self.user:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        if of:
            self._run("pg_basebackup", "-h", of.dir, "-p", "5432", "-U", "postgres", "-D", self.data, "--write-recovery-conf",
                      "--checkpoint=fast", "--no-sync")
            self.start()
            return
        # trust: only its user and root can reach the socket, whose directory is closed to others.
        self._run("initdb", "-D", self.data, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8",
                  "--auth=trust", "--no-sync")
        self.start()
        self.sql("create role assay login")

    @property
    def data(self):
        return os.path.join(self.dir, "data")

    def url(self, database, role="assay"):
        return f"postgresql://{role}@/{database}?host={self.dir}&port=5432"

    def _run(self, program, *args):
        done = subprocess.run([os.path.join(programs(), program), *args], cwd="/", preexec_fn=child_setup(self.user),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout}")

    def start(self):
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(programs(), "postgres"), "-D", self.data, "-c", f"unix_socket_directories={self.dir}", *options],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=child_setup(self.user))
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg2.connect(self.url("postgres", "postgres"), connect_timeout=5).close()
                return
            except psycopg2.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"PostgreSQL did not start: {error}\n{self.log()}") from error
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast and clean; SIGQUIT: as in a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)
        self.process = None

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def sql(self, statement, database="postgres", role="postgres"):
        """Runs a statement by itself, outside any transaction; its rows, if it has any."""
        connection = psycopg2.connect(self.url(database, role))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def signal_all(self, how):
        """Sends a signal to the server and all its processes: SIGSTOP makes it hang, SIGCONT go on."""
        postmaster = self.process.pid
        os.kill(postmaster, how)
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                    parent = int(stat.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == postmaster:
                os.kill(int(entry), how)

    def configure(self, name, value):
        """A setting for everybody from now on, sessions that exist included; it outlives a restart."""
        self.sql(f"alter system set {name} = '{value}'")
        self.sql("select pg_reload_conf()")

    def promote(self):
        """Makes a replica the primary, and waits until it is."""
        assert self.sql("select pg_promote(true, 60)") == [(True,)], self.log()

    def position(self):
        """How far the log is on disk here, or, on a replica, replayed."""
        at = "case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end"
        return self.sql(f"select ({at} - '0/0')::bigint")[0][0]

    def create_database(self, template=None):
        """A fresh database; its name. As a copy of another one, which nobody may be connected to: fast."""
        self.names += 1
        name = f"t{self.names}"
        self.sql(f"create database {name} owner assay" + (f" template {template}" if template else ""))
        return name

    def drop_database(self, name):
        self.sql(f"drop database if exists {name} with (force)")
