"""The registry of relying parties, each record verified under the registry's key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    VerificationError,
)
from signer_core.pki.registry import REGISTRY_USAGE
from signer_core.pki.relying_party import RelyingParty


@dataclass(frozen=True, slots=True)
class RegistryRecord:
    """A verified record, with the JWS that a phone verifies for itself."""

    party: RelyingParty
    jws: str = field(repr=False)


class RelyingParties(Protocol):
    """Who may ask people for something."""

    async def get(self, relying_party_id: str) -> RegistryRecord:
        """Return the record of a partner that may act now.

        Raises:
            NotFoundError: no such relying party.
            DeniedError: it is suspended.
        """
        ...


async def record_for(
    parties: RelyingParties, relying_party_id: str, kind: str, return_address: str
) -> str:
    """Return the JWS of a relying party that may ask for this kind of thing.

    Asked wherever a request or an offer is made; `return_address` may be empty.

    Raises:
        NotFoundError: no such relying party.
        DeniedError: it is suspended, or the kind is not among its scopes.
        InvalidRequestError: the address is not in its record.
    """
    record = await parties.get(relying_party_id)
    if kind not in record.party.scopes:
        raise DeniedError(f"this relying party may not ask for {kind}")
    if return_address and return_address not in record.party.return_addresses:
        raise InvalidRequestError("the return address is not one of the relying party's")
    return record.jws


def registry_key(certificates: Sequence[x509.Certificate]) -> ec.EllipticCurvePublicKey:
    """Return the key that records are signed with.

    Raises:
        VerificationError: there is not exactly one certificate, or it is not a registry's.
    """
    if len(certificates) != 1:
        raise VerificationError("there is not exactly one registry certificate")
    key = certificates[0].public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or REGISTRY_USAGE not in _usages(
        certificates[0]
    ):
        raise VerificationError("the registry certificate is not one of a registry")
    return key


def _usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []
