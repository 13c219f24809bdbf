"""Enrolment as the signer sees it: it grants nothing itself, registrar and vault do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import InvalidRequestError
from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.keys.certificates import PersonCertificate
from signer_core.pki.device import device_key_hash
from signer_core.ports import CertificateChain, EnrolmentGrant, Registrar, VaultKeys
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.devices import Devices

MAX_CSR_BYTES: Final = 1024
MAX_PHOTO_BYTES: Final = 256 * 1024
MAX_CODE_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a phone gets for its activation code."""

    grant: EnrolmentGrant
    vault_id: VaultId
    device: CertificateChain = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Brings phone, registrar and vault together."""

    registrar: Registrar
    vault: VaultKeys
    vault_id: VaultId
    devices: Devices
    certificates: Certificates
    clock: Callable[[], datetime]

    async def begin(self, activation_code: str, device_csr: bytes, photo: bytes) -> Enrolled:
        """Exchange an activation code for an authorisation and a device certificate.

        Raises:
            InvalidRequestError: a size or the PKCS#10 is wrong, or the device key is in use.
            NotFoundError: the code is unknown, expired, or used by another device.
            DeniedError: the person may not enrol, or the photo does not match.
            UnavailableError: registrar or vault is away.
        """
        if not 1 <= len(activation_code) <= MAX_CODE_CHARACTERS:
            raise InvalidRequestError("the activation code has 1 to 64 characters")
        check_photo_size(photo)
        device_key_hash = verify_device_csr(device_csr)
        grant = await self.registrar.authorise_enrolment(
            activation_code, device_key_hash, self.vault_id, photo
        )
        device = await self.vault.issue_device_certificate(grant.authorisation, device_csr)
        now_s = int(self.clock().timestamp())
        await self.devices.enrol(grant.key_id, device_key_hash, now_s)
        return Enrolled(grant, self.vault_id, device)

    async def issue_certificate(self, key_id: KeyId, authorisation: str) -> CertificateChain:
        """Fetch and keep the person's certificate, once the key has signed its PKCS#10.

        Raises:
            NotFoundError: the key has not signed its PKCS#10 yet.
            DeniedError: the authorisation is not the one the key was enrolled under.
            UnavailableError: the vault is away.
        """
        issued = await self.vault.issue_certificate(key_id, authorisation)
        await self.certificates.store(PersonCertificate.from_chain(key_id, issued))
        return issued


def check_photo_size(photo: bytes) -> None:
    """Check the size of what the photo check will look at.

    Raises:
        InvalidRequestError: it is empty or over 256 KiB.
    """
    if not 1 <= len(photo) <= MAX_PHOTO_BYTES:
        raise InvalidRequestError("the photo has 1 byte to 256 KiB")


def verify_device_csr(der: bytes) -> DeviceKeyHash:
    """Check a device's PKCS#10 and return the hash of its key.

    Raises:
        InvalidRequestError: over 1 KiB, malformed, not on P-256, or not signed by its own key.
    """
    if len(der) > MAX_CSR_BYTES:
        raise InvalidRequestError("the PKCS#10 request has at most 1 KiB")
    try:
        csr = x509.load_der_x509_csr(der)
        key, signed = csr.public_key(), csr.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidRequestError("the PKCS#10 request is malformed") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidRequestError("the device key is on P-256")
    if not signed:
        raise InvalidRequestError("the PKCS#10 request is not signed by its own key")
    return device_key_hash(key)
