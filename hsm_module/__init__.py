"""The vault process and the officers' tools; the only importer of pkcs11."""
