"""Calls at the same moment, and waiting for what must come about."""

import threading
import time


def at_once(n, call):
    """What `n` threads got that called at the same moment; call(i)."""
    barrier, answers, raised = threading.Barrier(n), [None] * n, []

    def run(i):
        barrier.wait()
        try:
            answers[i] = call(i)
        except BaseException as error:  # noqa: BLE001 - given on to the caller
            raised.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if raised:
        raise raised[0]
    return answers


def eventually(true, seconds=60, what="it never came about"):
    """Waits until true() is, and answers what it answered."""
    give_up = time.monotonic() + seconds
    while not (got := true()):
        assert time.monotonic() < give_up, what
        time.sleep(0.05)
    return got
