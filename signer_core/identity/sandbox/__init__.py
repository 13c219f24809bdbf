"""Made-up people for developers and tests (docs/sandbox-people.md)."""
