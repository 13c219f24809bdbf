"""`signer-keys`: what security officers do, on the command line (docs/officers.md)."""
