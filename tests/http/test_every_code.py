"""Every code of the error catalogue has been answered over HTTP by some test of this folder. See conftest.py."""

import subprocess

import pytest

from support import codes_seen
from support.service import binary


def catalogue():
    done = subprocess.run([binary(), "codes"], capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t")[:3] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("kind", ["problem", "fault"])
def test_every_code_was_provoked(kind):
    wanted = {code for code, _, its_kind in catalogue() if its_kind == kind}
    assert wanted
    never = sorted(wanted - codes_seen.seen())
    assert not never, f"no test has provoked: {', '.join(never)}"
