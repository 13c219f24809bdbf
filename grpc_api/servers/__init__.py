"""Services of signer, registrar and vault: they take messages apart and call what does the work."""
