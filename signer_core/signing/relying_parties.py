"""The registry of relying parties, each record verified under the registry's key."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError
from signer_core.pki.registry import REGISTRY_USAGE
from signer_core.pki.relying_party import TYPE, RelyingParty, parse_relying_party


@dataclass(frozen=True, slots=True)
class RegistryRecord:
    """A verified record, with the JWS that a phone verifies for itself."""

    party: RelyingParty
    jws: str = field(repr=False)


class RelyingParties:
    """All records by id."""

    def __init__(self, records: Iterable[RegistryRecord]) -> None:
        self._by_id: dict[str, RegistryRecord] = {}
        for record in records:
            if record.party.id in self._by_id:
                raise InvalidRequestError("the registry names a relying party twice")
            self._by_id[record.party.id] = record

    def record_for(self, relying_party_id: str, return_address: str) -> str:
        """Return the JWS of a relying party that may use this return address, or none ("").

        Raises:
            NotFoundError: no such relying party.
            InvalidRequestError: the address is not in its record.
        """
        record = self._by_id.get(relying_party_id)
        if record is None:
            raise NotFoundError("no such relying party in the registry")
        if return_address and return_address not in record.party.return_addresses:
            raise InvalidRequestError("the return address is not one of the relying party's")
        return record.jws


def load_registry(
    records: Iterable[str], certificates: Sequence[x509.Certificate]
) -> RelyingParties:
    """Verify records (compact JWS) with the one registry certificate.

    1. There is exactly one certificate, and it is for signing records.
    2. Each record is signed by its key, with ES256.
    3. Each is of the type `relying-party+jwt`, and well-formed.

    Raises:
        VerificationError: 1, 2 or the type.
        InvalidRequestError: a record is malformed, or two have the same id.
    """
    key = _registry_key(certificates)  # 1
    return RelyingParties([RegistryRecord(_verify(record, key), record) for record in records])


def _registry_key(certificates: Sequence[x509.Certificate]) -> ECKey:
    if len(certificates) != 1:
        raise VerificationError("there is not exactly one registry certificate")
    key = certificates[0].public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or REGISTRY_USAGE not in _usages(
        certificates[0]
    ):
        raise VerificationError("the registry certificate is not one of a registry")
    return ECKey.import_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []


def _verify(record: str, key: ECKey) -> RelyingParty:
    try:
        token = jws.deserialize_compact(record, key, algorithms=["ES256"])  # 2
        claims = json.loads(token.payload or b"")
    except (JoseError, ValueError):
        raise VerificationError("the registry did not sign this relying party's record") from None
    if token.headers().get("typ") != TYPE or not isinstance(claims, dict):  # 3
        raise VerificationError("the relying party's record is another kind of statement")
    return parse_relying_party(claims)
