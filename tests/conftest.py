"""What the tests that need a running service share; see support/fixtures.py."""

pytest_plugins = ["support.fixtures"]
