"""The phone's side of `ecdsa2p`; it never imports the vault's."""
