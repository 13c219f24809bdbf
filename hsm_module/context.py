"""What every part of the vault process works with, put together once in `__main__`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.storage.records import Records
from hsm_module.storage.store import Store
from signer_core.identifiers import VaultId
from signer_core.keys.pin_policy import PinPolicy
from signer_core.protocol.curve import Rng


@dataclass(frozen=True, slots=True)
class VaultContext:
    """One vault: its name, its database, whom it believes, its clock and its randomness."""

    vault_id: VaultId
    store: Store
    records: Records
    registrar_key: ec.EllipticCurvePublicKey  # pinned
    policy: PinPolicy
    now: Callable[[], datetime]  # UTC; for attestations and authorisations
    rng: Rng
