"""The registry of relying parties, each record verified under the registry's key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    VerificationError,
)
from signer_core.identity.relying_party import verify_relying_party
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


class FixedParties:
    """Records that do not change while the process runs."""

    def __init__(self, records: Iterable[RegistryRecord]) -> None:
        self._by_id: dict[str, RegistryRecord] = {}
        for record in records:
            if record.party.id in self._by_id:
                raise InvalidRequestError("the registry names a relying party twice")
            self._by_id[record.party.id] = record

    async def get(self, relying_party_id: str) -> RegistryRecord:
        """See `RelyingParties`."""
        record = self._by_id.get(relying_party_id)
        if record is None:
            raise NotFoundError("no such relying party in the registry")
        return record


def load_registry(records: Iterable[str], certificates: Sequence[x509.Certificate]) -> FixedParties:
    """Verify records (compact JWS) with the one registry certificate.

    1. There is exactly one certificate, and it is for signing records.
    2. Each record is signed by its key, with ES256, of the type `relying-party+jwt`, well-formed.

    Raises:
        VerificationError: at the first that fails.
        InvalidRequestError: two records have the same id.
    """
    key = registry_key(certificates)  # 1
    return FixedParties([RegistryRecord(verify_relying_party(one, key), one) for one in records])


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
