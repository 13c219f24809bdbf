"""The token behind the vault: a port, its PKCS#11 implementation, opening and self-test.

`port.py` is what the rest of the vault sees. Everything about PKCS#11 stays in this folder,
so that a hardware module is a change of configuration.
"""
