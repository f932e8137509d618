"""Which codes of the error catalogue the answers of this session named; http/test_every_code.py reads it."""

import json
import threading

_seen = set()
_lock = threading.Lock()


def _codes(value, found):
    if isinstance(value, dict):
        if isinstance(value.get("code"), str):
            found.add(value["code"])
        for one in value.values():
            _codes(one, found)
    elif isinstance(value, list):
        for one in value:
            _codes(one, found)


def record(status, content_type, body):
    """Takes the codes out of an answer: of problems and their errors, and of the lists of an import's bad rows."""
    if "json" not in (content_type or "") or b'"code"' not in body:
        return
    if status < 400 and b'"line"' not in body:
        return  # what an answer explains is no refusal
    found = set()
    try:
        _codes(json.loads(body), found)
    except ValueError:
        return
    with _lock:
        _seen.update(found)


def seen():
    with _lock:
        return set(_seen)
