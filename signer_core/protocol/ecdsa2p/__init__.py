"""Two-party ECDSA on P-256 (docs/spec/ecdsa2p.md)."""
