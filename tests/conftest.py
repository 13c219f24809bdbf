"""Fixtures live in tests/fixtures, a file a part."""

pytest_plugins = [
    "tests.fixtures.audit",
    "tests.fixtures.certificates",
    "tests.fixtures.crash_points",
    "tests.fixtures.postgres",
    "tests.fixtures.receivers",
    "tests.fixtures.softhsm",
    "tests.fixtures.vault",
]
