"""`make demo`: everything from nothing to a signed PDF that others' tools accept."""
