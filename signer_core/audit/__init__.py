"""The audit log: a catalogue of events, an append-only Merkle tree, proofs, and alerts."""
