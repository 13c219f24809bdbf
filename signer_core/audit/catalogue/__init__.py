"""The catalogue of security events, a module for each part that raises them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from signer_core.audit.catalogue import audit, login, officers, seals, signing, system, trust
from signer_core.audit.kinds import EventKind

PARTS: Final[Mapping[str, tuple[EventKind, ...]]] = MappingProxyType(
    {
        "Keys and signatures": signing.KINDS,
        "Processes": system.KINDS,
        "The audit log": audit.KINDS,
        "Trust services": trust.KINDS,
        "Officers": officers.KINDS,
        "Seals": seals.KINDS,
        "Login": login.KINDS,
    }
)

CATALOGUE: Final[Mapping[str, EventKind]] = MappingProxyType(
    {kind.name: kind for part in PARTS.values() for kind in part}
)
