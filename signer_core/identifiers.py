"""The names of things, one type each, so that no two are mixed up."""

from typing import NewType

KeyId = NewType("KeyId", bytes)
"""16 random bytes, chosen by the registrar: one two-party key over all its generations."""

RequestId = NewType("RequestId", bytes)
"""16 random bytes, chosen by the signer; for a key's own PKCS#10 the key id."""

DeviceKeyHash = NewType("DeviceKeyHash", bytes)
"""SHA-256 of the DER SubjectPublicKeyInfo of the key in a phone's platform key store."""

VaultId = NewType("VaultId", str)
"""Name of one vault, for example `vault-1`: the first label of `vault-1.vault.internal`."""

SessionId = NewType("SessionId", bytes)
"""32 bytes, `sid` of docs/spec/ecdsa2p.md: one run of a protocol."""

OfferId = NewType("OfferId", bytes)
"""16 random bytes, chosen by the signer: one offer, before and after a phone claimed it."""
