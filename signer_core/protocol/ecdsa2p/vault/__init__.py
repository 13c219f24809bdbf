"""The vault's side of `ecdsa2p`; it never imports the phone's."""
