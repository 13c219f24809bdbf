"""Fixtures live in tests/fixtures, a file a part."""

pytest_plugins = ["tests.fixtures.softhsm"]
