"""Partners: who may ask people for something, kept by the vault and known to the signer."""
