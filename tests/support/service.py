"""The service under test: assayd as a child process with a home of its own."""

import atexit
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from support.client import Client

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_SECONDS = 60
STOP_SECONDS = 60
SANITIZER = re.compile(r"(ERROR|WARNING): (Address|Leak|Thread|Memory)Sanitizer|runtime error:")


def binary():
    return os.environ.get("ASSAYD") or os.path.join(ROOT, "build", "asan", "assayd")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Service:
    """`database_url` None: the service's own private PostgreSQL. `env`: more settings. `user`: a name, to run as another."""

    def __init__(self, database_url, home=None, sandbox=True, env=None, user=None):
        self.database_url = database_url
        self.home = home or tempfile.mkdtemp(prefix="assay-home-")
        if not home:
            atexit.register(shutil.rmtree, self.home, ignore_errors=True)  # for who forgets
        self.sandbox = sandbox
        self.more_env = dict(env or {})
        self.user = user
        self.port = None
        self.process = None
        self.runs = 0
        os.chmod(self.home, 0o711)  # PostgreSQL of its own, if any, runs as another user when we are root

    # ---- settings ----

    def env(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ASSAY_", "PG"))}
        env["ASSAY_HOME"] = self.home
        if self.database_url:
            env["ASSAY_DATABASE_URL"] = self.database_url
        if self.port:
            env["ASSAY_LISTEN"] = f"127.0.0.1:{self.port}"
        env.update(self.more_env)
        return env

    @property
    def log_path(self):
        return os.path.join(self.home, f"assayd-{self.runs}.log")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    @property
    def admin_key(self):
        with open(os.path.join(self.home, "admin.key"), encoding="ascii") as f:
            return f.read().strip()

    # ---- life ----

    def start(self):
        """Starts it and waits until it is ready. Another program may take the free port first: tried again."""
        for _ in range(3):
            self.port = free_port()
            self.runs += 1
            self._spawn()
            if self._wait_ready():
                return self
            if "ddress already in use" not in self.log():
                break
        code = self.process.poll()
        self.kill()
        raise RuntimeError(f"assayd did not become ready (exit status {code}):\n{self.log()[-8000:]}")

    def _spawn(self):
        command = [binary(), "serve"] + (["--sandbox"] if self.sandbox else [])
        account = pwd.getpwnam(self.user) if self.user else None
        other = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, env=self.env(), cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, **other)

    def _wait_ready(self):
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return True
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.05)
        return False

    def stop(self, how=signal.SIGTERM):
        """Stops it gracefully; it must exit with 0 in time, and no sanitizer may have complained."""
        if not self.process:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(how)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"assayd did not stop within {STOP_SECONDS} s:\n{self.log()[-8000:]}") from None
        self.check_log()
        assert code == 0, f"assayd exited with {code}:\n{self.log()[-8000:]}"

    def kill(self):
        """As a crash would: SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.check_log()

    def restart(self):
        self.stop()
        return self.start()

    def check_log(self):
        log = self.log()
        found = SANITIZER.search(log)
        assert not found, f"a sanitizer complained:\n{log[max(found.start() - 500, 0):found.start() + 8000]}"

    # ---- use ----

    def client(self, key=None):
        """A client with that key; None: the admin key; "": no key at all."""
        return Client("127.0.0.1", self.port, self.admin_key if key is None else key)

    def command(self, *args, ok=True, stdin=None, seconds=120):
        """Runs "assayd ARGS" with the same settings; what it printed (stdout). ok=None: the whole CompletedProcess."""
        done = subprocess.run([binary(), *args], env=self.env(), cwd=self.home, input=stdin, capture_output=True, text=True,
                              timeout=seconds, check=False)
        assert not SANITIZER.search(done.stderr), done.stderr
        if ok is None:
            return done
        assert (done.returncode == 0) == ok, f"assayd {' '.join(args)} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def new_key(self, role, provider=None):
        """A key made on the command line."""
        out = self.command("key", "create", "--role", role, *(["--provider", provider] if provider else []))
        return re.search(r"ask_[A-Za-z0-9_-]{43}", out).group(0)
