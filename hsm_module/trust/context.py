"""What every trust service of the vault works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hsm_module.authorities import Authorities
from hsm_module.storage.store import Store
from hsm_module.token.port import Token
from hsm_module.trust.own_certificates import OwnCertificates
from signer_core.pki.citizen import Addresses
from signer_core.protocol.curve import Rng


@dataclass(frozen=True, slots=True)
class TrustContext:
    """One vault's trust services: its database, token, authorities, clock and randomness."""

    store: Store
    token: Token
    authorities: Authorities
    own: OwnCertificates
    addresses: Addresses
    now: Callable[[], datetime]  # UTC
    rng: Rng
