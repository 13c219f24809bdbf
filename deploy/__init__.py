"""One machine's system: set-up, start, readiness, and the demonstration."""
