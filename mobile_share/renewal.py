"""A new certificate on this phone's own key, and one of its device key (docs/flows/renewal.md)."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mobile_share.certificates import verify_device_certificate, verify_own_certificate
from mobile_share.keystore import make_csr
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.session import Job, SigningSession, load_usable, open_session
from signer_core.errors import VerificationError
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.key_action import KeyAction, action_hash
from signer_core.protocol.renewal import is_due
from signer_core.protocol.to_be_signed import make_pkcs10_info

_PERSON: Final = x509.ObjectIdentifier("2.5.29.9")  # subjectDirectoryAttributes, RFC 5280 §4.2.1.8


@asynccontextmanager
async def prepare(
    phone: Phone, signer: SignerClient, photo: bytes
) -> AsyncIterator[SigningSession]:
    """Ask for a renewal, and run steps 1 to 4 of its session; `sign` with the PIN confirms it.

    The signer gives an id and nothing else: what is confirmed is hashed here.

    Raises:
        InvalidRequestError: the certificate is good for more than 30 days.
        NotFoundError: it has run out, or the signer opens no such request.
        DeniedError: it is suspended or revoked.
        as `open_session`.
    """
    share = load_usable(phone.shares).share
    in_force = hashlib.sha256(phone.certificate().public_bytes(Encoding.DER)).digest()
    request_id = await signer.request_key_action(KeyAction.RENEWAL, share.key_id)
    attestation = await signer.check_photo(request_id, photo)
    hashed = action_hash(KeyAction.RENEWAL, share.key_id, in_force)
    items = (Item("pkcs10", make_pkcs10_info(share.public_key)),)
    async with open_session(phone, signer, Job(request_id, hashed, items, attestation)) as session:
        yield session


async def fetch(phone: Phone, signer: SignerClient, now: datetime) -> x509.Certificate:
    """Fetch the new certificates of person and device, check and store them.

    1. That of the person is on this phone's own Q, for signing, and leads to the pinned root.
    2. It names the same person as the one before, and ends later.
    3. That of the device is on this phone's device key and leads to the pinned root.

    Raises:
        NotFoundError: no renewal was confirmed lately.
        VerificationError: at the first that fails; nothing is stored.
    """
    key, root = phone.key_store.device_key(), phone.deployment.root()
    renewed = await signer.renew_certificate(make_csr(key))
    public_key = phone.shares.load().share.public_key
    person, device = list(renewed.person), list(renewed.device)
    certificate = verify_own_certificate(person, public_key, root, now)  # 1
    _verify_successor(certificate, phone.certificate())  # 2
    verify_device_certificate(device, key, root, now)  # 3
    phone.store_renewed(person, device)
    return certificate


def _verify_successor(new: x509.Certificate, before: x509.Certificate) -> None:
    if (new.subject, _attributes(new)) != (before.subject, _attributes(before)):
        raise VerificationError("the new certificate names another person")
    if new.not_valid_after_utc < before.not_valid_after_utc:
        raise VerificationError("the new certificate ends before the one that it renews")


def _attributes(certificate: x509.Certificate) -> bytes:
    """Return what a certificate says of its person beside the name (DER), as it stands there."""
    try:
        found = certificate.extensions.get_extension_for_oid(_PERSON)
    except x509.ExtensionNotFound:
        return b""
    return found.value.public_bytes()


def find_end(phone: Phone, now: datetime) -> datetime | None:
    """Return the end of this phone's first certificate to end, if it is to be renewed now."""
    device = x509.load_pem_x509_certificates(phone.identity().certificate_chain)[0]
    end = min(phone.certificate().not_valid_after_utc, device.not_valid_after_utc)
    return end if is_due(end, now) else None
