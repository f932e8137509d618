"""Writes that go to the database together: held until all of them wait, so that they are one batch."""

import os
import re
import signal
import threading

from support.at_once import eventually

ONE_LANE = {"ASSAY_LOOPS": "1", "ASSAY_WRITE_LANES": "1"}  # who waits waits in one queue


def lane(service, name):
    """A figure of the write lanes in /metrics."""
    found = re.search(rf'^assay_lane_{name}{{lane="write"}} (\d+)$', service.client().get("/metrics", check=False).body.decode(), re.M)
    return int(found.group(1))


class Held:
    """While it lasts nothing is written, on a service started with ONE_LANE: its lane's process is stopped, with a payment of
    `provider_id` before it."""

    def __init__(self, service, provider_id):
        self.service = service
        self.path = f"/v1/providers/{provider_id}/deposit/entries"
        self.threads, self.answers, self.raised = [], [], []

    def __enter__(self):
        self.batches = lane(self.service, "batches_total")
        idle = ("select pid from pg_stat_activity where application_name = 'assay writes' and state = 'idle'"
                f" and datname = '{self.service.database.name}'")
        self.pid = eventually(lambda: self.service.database.sql(idle))[0][0]
        os.kill(self.pid, signal.SIGSTOP)
        body = {"kind": "payment", "amount_fen": 1, "external_reference": f"held-{self.batches}"}
        self._start(lambda: self.service.client().post(self.path, body))
        eventually(lambda: self._running() == 1)
        return self

    def _running(self):
        """How many the lane has taken on of those that were sent."""
        return len(self.threads) - lane(self.service, "queued") if self._arrived() else 0

    def _arrived(self):
        text = self.service.client().get("/metrics", check=False).body.decode()
        return int(re.search(r"^assay_requests_active (\d+)$", text, re.M).group(1)) > len(self.threads)  # and the one for this

    def _start(self, call):
        at = len(self.answers)
        self.answers.append(None)

        def run():
            try:
                self.answers[at] = call()
            except BaseException as error:  # noqa: BLE001 - raised at the end
                self.raised.append(error)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def send(self, *calls):
        """Sends writes, which wait behind those sent before; several in any order."""
        for call in calls:
            self._start(call)
        eventually(lambda: lane(self.service, "queued") >= len(self.threads) - 1)

    def release(self):
        os.kill(self.pid, signal.SIGCONT)

    def __exit__(self, *error):
        self.release()
        for thread in self.threads:
            thread.join()
        if not any(error) and self.raised:
            raise self.raised[0]

    @property
    def sent(self):
        """What was answered to what was sent, in that order."""
        return self.answers[1:]

    @property
    def batches_since(self):
        return lane(self.service, "batches_total") - self.batches
