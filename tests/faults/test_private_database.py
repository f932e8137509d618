"""The PostgreSQL that the service makes for itself survives kills, runs beside others, and works for root and other users."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import psycopg2
import pytest

from support.service import Service, binary
from support.world import World


@pytest.fixture
def own():
    """Makes services with a private database; what is left of them is removed."""
    made = []

    def make(**more):
        made.append(Service(None, **more))
        return made[-1]

    yield make
    for one in made:
        one.kill()
        data = os.path.realpath(os.path.join(one.home, "postgres"))
        wait_until(lambda: not postgres_processes(data), "PostgreSQL has ended")
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(one.home, ignore_errors=True)


def wait_until(condition, what, seconds=60):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def postgres_processes(base):
    """Those that work in base/data; the first is the postmaster."""
    found = []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            if os.readlink(f"/proc/{pid}/cwd") == os.path.join(base, "data"):
                found.append(pid)
        except OSError:
            pass
    return found


def postmaster(service):
    with open(os.path.join(service.home, "postgres", "data", "postmaster.pid"), encoding="ascii") as f:
        return int(f.readline())


def provider_of(service):
    return World(service.client()).register()["provider_id"]


def has_provider(service, provider_id):
    return service.client().get(f"/v1/providers/{provider_id}").status == 200


def test_a_second_start_finds_everything_in_place(own):
    service = own().start()
    provider, key = provider_of(service), service.admin_key
    assert stat.S_IMODE(os.stat(os.path.join(service.home, "admin.key")).st_mode) == 0o600
    service.stop()
    wait_until(lambda: not postgres_processes(os.path.join(service.home, "postgres")), "its log collector has ended, too")
    service.start()
    assert service.admin_key == key
    assert has_provider(service, provider)


def test_the_service_killed_and_started_at_once(own):
    service = own().start()
    provider = provider_of(service)
    for _ in range(3):
        service.kill()
        service.start()
        assert has_provider(service, provider)


def test_postgres_ends_with_a_service_that_is_killed(own):
    service = own().start()
    base = os.path.join(service.home, "postgres")
    assert postgres_processes(base)
    service.kill()
    wait_until(lambda: not postgres_processes(base), "PostgreSQL has ended by itself")


def test_everything_killed(own):
    service = own().start()
    provider = provider_of(service)
    base = os.path.join(service.home, "postgres")
    os.kill(service.process.pid, signal.SIGSTOP)  # so that it cannot start PostgreSQL again
    for pid in postgres_processes(base):
        os.kill(pid, signal.SIGKILL)
    service.kill()
    wait_until(lambda: not postgres_processes(base), "all are gone")
    assert os.path.exists(os.path.join(base, "data", "postmaster.pid"))
    service.start()
    assert has_provider(service, provider)


def test_files_that_name_a_process_which_is_another_by_now(own):
    """As after a reboot: the process id in postmaster.pid is in use, but not by PostgreSQL."""
    service = own().start()
    provider = provider_of(service)
    service.stop()
    base = os.path.join(service.home, "postgres")
    account = os.stat(os.path.join(base, "data"))
    stranger = subprocess.Popen(["sleep", "600"], user=account.st_uid, group=account.st_gid, extra_groups=[])
    try:
        os.makedirs(os.path.join(base, "socket"), exist_ok=True)
        os.chown(os.path.join(base, "socket"), account.st_uid, account.st_gid)
        os.chmod(os.path.join(base, "socket"), 0o700)
        for name in ("data/postmaster.pid", "socket/.s.PGSQL.5432.lock"):
            path = os.path.join(base, name)
            with open(path, "w", encoding="ascii") as f:
                f.write(f"{stranger.pid}\n{base}/data\n1\n5432\n{base}/socket\n\n")
            os.chown(path, account.st_uid, account.st_gid)
            os.chmod(path, 0o600)
        service.start()
        assert has_provider(service, provider)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_postgres_killed_under_the_service(own):
    """It is started again; the service answers 503 meanwhile and recovers without a restart."""
    service = own().start()
    provider = provider_of(service)
    before = postmaster(service)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: os.path.exists(os.path.join(service.home, "postgres/data/postmaster.pid")) and postmaster(service) != before,
               "PostgreSQL runs again")

    def recovered():
        answer = service.client().get(f"/v1/providers/{provider}")
        assert answer.status in (200, 503), answer
        return answer.status == 200

    wait_until(recovered, "the service answers again")
    assert "PostgreSQL ended by itself" in service.log()


def test_two_services_on_one_home(own):
    first = own().start()
    second = subprocess.run([binary(), "serve", "--sandbox"], env={**first.env(), "ASSAY_LISTEN": "127.0.0.1:1"}, cwd=first.home,
                            capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 1
    assert "is in use by another assayd" in second.stderr
    assert first.client().get("/readyz").status == 200


def test_a_command_beside_the_service_uses_its_database(own):
    service = own().start()
    key = service.new_key("auditor")
    assert service.client(key).get("/v1/providers").status == 200


def test_a_command_without_a_service_starts_the_database_for_itself(own):
    service = own()
    service.command("migrate")
    base = os.path.join(service.home, "postgres")
    assert os.path.exists(os.path.join(base, "data", "PG_VERSION"))
    wait_until(lambda: not postgres_processes(base), "its log collector has ended, too")
    key = service.new_key("auditor")
    service.start()
    assert service.client(key).get("/v1/providers").status == 200


def test_two_homes_side_by_side(own):
    one, other = own().start(), own().start()
    provider = provider_of(one)
    assert has_provider(one, provider)
    assert not has_provider(other, provider)


@pytest.mark.parametrize("name", ["with a blank", 'qu"o\'te, % ü', "x" * 150])
def test_odd_names_of_the_home(own, name):
    parent = tempfile.mkdtemp(prefix="assay-odd-")
    os.chmod(parent, 0o755)
    try:
        home = os.path.join(parent, name)
        os.mkdir(home)
        service = own(home=home).start()
        assert has_provider(service, provider_of(service))
        service.stop()
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def test_a_start_interrupted_while_the_database_is_made(own):
    service = own()
    for seconds in (0.1, 0.3, 0.6, 1.0, 1.5):
        env = {**service.env(), "ASSAY_LISTEN": "127.0.0.1:1"}
        with open(os.devnull, "w", encoding="ascii") as nothing:
            process = subprocess.Popen([binary(), "serve", "--sandbox"], env=env, cwd=service.home, stdout=nothing, stderr=nothing)
        time.sleep(seconds)
        process.kill()
        process.wait()
    service.start()
    assert has_provider(service, provider_of(service))


def test_it_accepts_its_own_user_alone(own):
    service = own().start()
    with open(os.path.join(service.home, "postgres", "url"), encoding="ascii") as f:
        url = f.read()
    superuser = psycopg2.connect(url)
    with superuser.cursor() as cursor:
        cursor.execute("select rolsuper from pg_roles where rolname = current_user")
        assert cursor.fetchall() == [(False,)]
        cursor.execute("show fsync")
        assert cursor.fetchall() == [("on",)]
        cursor.execute("show listen_addresses")
        assert cursor.fetchall() == [("",)]
    superuser.close()
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        refused = subprocess.run(["/usr/bin/python3", "-c", "import psycopg2, sys; psycopg2.connect(sys.argv[1])", url], cwd="/",
                                 user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], capture_output=True, text=True, check=False)
        assert refused.returncode != 0
        assert "Permission denied" in refused.stderr


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="changes the user")


@root_only
def test_root_with_a_home_that_postgres_cannot_get_to(own):
    closed = tempfile.mkdtemp(prefix="assay-closed-")  # mode 0700, as /root is
    try:
        home = os.path.join(closed, "home")
        os.mkdir(home)
        service = own(home=home).start()
        provider = provider_of(service)
        assert os.readlink(os.path.join(service.home, "postgres")).startswith("/var/lib/assay/")
        service.kill()
        service.start()
        assert has_provider(service, provider)
        service.stop()
    finally:
        data = os.path.join(closed, "home", "postgres")
        if os.path.islink(data):
            shutil.rmtree(os.path.realpath(data), ignore_errors=True)
        shutil.rmtree(closed, ignore_errors=True)


@root_only
def test_an_ordinary_user_and_root_after_it(own, monkeypatch):
    program = tempfile.mkdtemp(prefix="assay-bin-")
    os.chmod(program, 0o755)
    try:
        # The build directory may be closed to other users.
        monkeypatch.setenv("ASSAYD", shutil.copy(binary(), os.path.join(program, "assayd")))
        service = own(user="nobody")
        account = pwd.getpwnam("nobody")
        os.chown(service.home, account.pw_uid, account.pw_gid)
        service.start()
        provider = provider_of(service)
        assert os.stat(os.path.join(service.home, "postgres", "data")).st_uid == account.pw_uid
        service.stop()
        service.user = None
        service.start()
        assert has_provider(service, provider)
        service.stop()
        service.user = "nobody"
        service.start()
        assert has_provider(service, provider)
    finally:
        shutil.rmtree(program, ignore_errors=True)
