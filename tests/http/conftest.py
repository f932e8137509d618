"""test_every_code.py runs last, and only when all of this folder does."""

import pathlib

import pytest

HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(config, items):
    last = [item for item in items if item.path.name == "test_every_code.py"]
    if not last:
        return
    files = {item.path for item in items}
    whole = set(HERE.glob("test_*.py")) <= files and not config.option.keyword and not config.option.markexpr
    items[:] = [item for item in items if item not in last] + last
    if not whole:
        for item in last:
            item.add_marker(pytest.mark.skip(reason="only part of the HTTP tests runs"))
