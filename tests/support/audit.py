"""The audit log checked by hand: what an entry's hash is of, and how the chain comes of the hashes."""

import hashlib
import json

MEMBERS = ("audit_id", "at", "request_id", "actor_id", "actor_name", "action", "subject", "provider_id", "before", "after")
FIRST = bytes(32)


def entry_sha256(entry):
    """Of an entry as GET /v1/audit answers it."""
    return hashlib.sha256(json.dumps([entry[m] for m in MEMBERS], ensure_ascii=False).encode()).digest()


def link_sha256(before, entry_hash):
    return hashlib.sha256(before + entry_hash).digest()


def check_chain(entries):
    """Entries in any order, all of them sealed. The last link, as a head is written."""
    entries = sorted(entries, key=lambda e: e["sealed"]["position"])
    assert [e["sealed"]["position"] for e in entries] == list(range(1, len(entries) + 1))
    last = FIRST
    for entry in entries:
        assert entry_sha256(entry).hex() == entry["sha256"], entry
        last = link_sha256(last, bytes.fromhex(entry["sha256"]))
        assert last.hex() == entry["sealed"]["sha256"], entry
    return f"{len(entries)}:{last.hex()}"
