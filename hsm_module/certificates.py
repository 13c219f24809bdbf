"""Issuing with the token's authorities: what is certified, and for whom."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.authorities import DEVICE, ISSUING, Authorities
from hsm_module.serials import new_serial
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import Token
from hsm_module.trust.status import record_issued
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import KeyId
from signer_core.pki.citizen import LIFETIME, Addresses, issue_citizen
from signer_core.pki.country import CountryProfile
from signer_core.pki.device import issue_device
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.subject import Subject
from signer_core.ports import CertificateChain

MAX_CSR_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class CertificateOffice:
    """Issues under the profiles of `signer_core.pki`; whoever calls has checked who asks."""

    token: Token
    authorities: Authorities
    country: CountryProfile
    addresses: Addresses
    now: Callable[[], datetime]  # UTC
    citizen_lifetime: timedelta = LIFETIME

    async def issue_device(
        self, transaction: Transaction, key_id: KeyId, public_key: ec.EllipticCurvePublicKey
    ) -> CertificateChain:
        """Certify the key of a phone; the chain goes without the root."""
        issuance = self._issuance()
        certificate = await self.token.use_key(
            DEVICE,
            lambda key: issue_device(Issuer(self.authorities.device, key), issuance, public_key),
        )
        await record_issued(transaction, DEVICE, certificate, "device", key_id)
        return CertificateChain(_der(certificate), (_der(self.authorities.device),))

    async def issue_citizen(
        self, transaction: Transaction, key_id: KeyId, public_key: bytes, subject: Subject
    ) -> bytes:
        """Certify a two-party key (33 bytes, compressed) for a person; return DER."""
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
        issuance = Issuance(new_serial(), self.now(), self.citizen_lifetime)
        certificate = await self.token.use_key(
            ISSUING,
            lambda key: issue_citizen(
                Issuer(self.authorities.issuing, key),
                issuance,
                point,
                subject,
                self.country,
                self.addresses,
            ),
        )
        await record_issued(transaction, ISSUING, certificate, "citizen", key_id)
        return _der(certificate)

    def citizen_chain(self, certificate: bytes) -> CertificateChain:
        """Return a person's certificate with its issuers, the root last."""
        above = (self.authorities.issuing, self.authorities.root)
        return CertificateChain(certificate, tuple(map(_der, above)))

    def _issuance(self) -> Issuance:
        return Issuance(new_serial(), self.now())


def verify_device_csr(csr: bytes) -> ec.EllipticCurvePublicKey:
    """Check a phone's certificate request (DER, at most 1 KiB); only its key is used.

    Raises:
        InvalidRequestError: it cannot be read, its key is not on P-256, or it does not verify.
    """
    if len(csr) > MAX_CSR_BYTES:
        raise InvalidRequestError("a phone's certificate request has at most 1 KiB")
    try:
        request = x509.load_der_x509_csr(csr)
        key, signed = request.public_key(), request.is_signature_valid
    except ValueError:
        raise InvalidRequestError("the certificate request cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidRequestError("the key of a phone is on P-256")
    if not signed:
        raise InvalidRequestError("the certificate request does not verify")
    return key


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of a certificate or an authorisation (32 bytes)."""
    return hashlib.sha256(data).digest()


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
