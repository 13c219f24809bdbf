"""Measurements, printed by `make bench` and recorded in docs/performance.md; never tests."""
