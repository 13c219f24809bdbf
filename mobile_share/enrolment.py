"""Enrolment: authorisation, shares, and the certificate on the new key (docs/flows/enrolment.md).

Each part may be interrupted and run again: the registrar answers the same code and device key
with the same grant, a share is never overwritten, and the certificate can be asked for again.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from grpc_api.channel import DeviceChannel, Enrolled
from mobile_share.authorisation import AuthorisedSubject, verify_authorisation_is_ours
from mobile_share.certificates import (
    verify_device_certificate,
    verify_own_certificate,
    verify_subject,
)
from mobile_share.keystore import make_csr
from mobile_share.phone import Grant, Phone
from mobile_share.ports import EnrolmentClient, EnrolmentGrant, SignerClient
from mobile_share.session import Job, expect, open_session
from mobile_share.share_file import masked
from mobile_share.vault_channel import open_vault
from signer_core.errors import NotFoundError, ProtocolAbortError, VerificationError
from signer_core.identifiers import RequestId, VaultId
from signer_core.protocol.ecdsa2p.device.enrolment import (
    DeviceEnrolled,
    DeviceEnrolment,
    DeviceIdentity,
)
from signer_core.protocol.ecdsa2p.messages import (
    CheckCommitment,
    Item,
    TransferOffer,
    VaultCommitment,
    VaultOpening,
)
from signer_core.protocol.request import request_hash
from signer_core.protocol.to_be_signed import make_pkcs10_info


@dataclass(frozen=True, slots=True)
class Begun:
    """A grant this phone has checked: show the name, and go on only if the person says yes."""

    grant: Grant
    subject: AuthorisedSubject
    attestation: str = field(repr=False)  # compact JWS, good for 5 minutes


async def begin(
    phone: Phone, client: EnrolmentClient, activation_code: str, photo: bytes, now: datetime
) -> Begun:
    """Make the device's keys and exchange the activation code.

    Raises:
        AlreadyEnrolledError: a key lives in this folder.
        NotFoundError, DeniedError, UnavailableError: as the registrar says.
        VerificationError: the signer's answer is for another phone, vault, person or root.
    """
    phone.refuse_second_enrolment()
    phone.key_store.create()
    key = phone.key_store.device_key()
    granted = await client.begin(activation_code, make_csr(key), photo)
    subject = _verify_grant(phone, granted, now)
    grant = Grant(granted.key_id, granted.authorisation)
    phone.store_grant(grant, list(granted.device_chain))
    return Begun(grant, subject, granted.attestation)


def _verify_grant(phone: Phone, granted: EnrolmentGrant, now: datetime) -> AuthorisedSubject:
    """Check what the signer granted.

    1. The authorisation is for this key id, this device key and the pinned vault.
    2. The name beside it is the name in it.
    3. The device certificate is on our device key and leads to the pinned root.
    """
    key, vault_id = phone.key_store.device_key(), phone.deployment.vault_id
    subject = verify_authorisation_is_ours(
        granted.authorisation, granted.key_id, key.key_hash, phone.deployment
    )  # 1
    if granted.full_name != subject.common_name or granted.vault_id != vault_id:  # 2
        raise VerificationError("the signer shows another person or vault than is authorised")
    root = phone.deployment.root()
    verify_device_certificate(list(granted.device_chain), key, root, now)  # 3
    return subject


async def make_shares(phone: Phone, signer: SignerClient, grant: Grant, pin: str) -> None:
    """Make the shares with the vault (docs/spec/ecdsa2p.md §2) and store ours under the PIN.

    `pin` has passed `verify_new_pin`. A share that is there already was stored before row 9, and
    `certify` finds out whether the vault has its half.

    Raises:
        ProtocolAbortError: the vault cheated, or the channel ended.
        DeniedError: the vault refuses the authorisation.
        StorageError: the share cannot be stored; the vault never hears of it.
    """
    key = phone.key_store.device_key()
    identity = DeviceIdentity(
        grant.key_id,
        VaultId(phone.deployment.vault_id),
        key.key_hash,
        phone.key_store.device_secret(),
    )
    async with open_vault(phone, signer, grant.key_id, RequestId(grant.key_id)) as channel:
        enrolled = await _run_rows(channel, identity, grant.authorisation)
        phone.shares.create(await masked(enrolled, pin, identity.device_secret))
        await channel.send(enrolled.confirmation)  # only now the vault may activate its half
        expect(await channel.receive(), Enrolled)


async def _run_rows(
    channel: DeviceChannel, identity: DeviceIdentity, authorisation: str
) -> DeviceEnrolled:
    """Rows 1 to 8."""
    party = DeviceEnrolment(identity, secrets.token_bytes)
    await channel.send(party.step1_request(authorisation.encode("ascii")))
    commitment = expect(await channel.receive(), VaultCommitment)
    await channel.send(await asyncio.to_thread(party.step3_publish, commitment))
    offer = expect(await channel.receive(), TransferOffer)
    await channel.send(await asyncio.to_thread(party.step5_correct, offer))
    check = expect(await channel.receive(), CheckCommitment)
    await channel.send(party.step7_open_check(check))
    opening = expect(await channel.receive(), VaultOpening)
    return await asyncio.to_thread(party.step9_store, opening)


async def certify(
    phone: Phone, signer: SignerClient, begun: Begun, pin: str, now: datetime
) -> x509.Certificate:
    """Let the new key sign its own PKCS#10, fetch the certificate, and check and store it.

    Raises:
        ProtocolAbortError: the vault never activated its half; ours is discarded: begin again.
        PinRejectedError: the PIN is not the one of `make_shares`.
        VerificationError: the certificate is on another key, names another person, or does not
            lead to the pinned root; nothing is stored.
    """
    try:
        chain = await signer.issue_certificate(begun.grant.authorisation)
    except NotFoundError:  # as it should be: the key has not signed its PKCS#10 yet
        await _sign_pkcs10(phone, signer, begun, pin)
        chain = await signer.issue_certificate(begun.grant.authorisation)
    stored = phone.shares.load()
    root = phone.deployment.root()
    certificate = verify_own_certificate(list(chain), stored.share.public_key, root, now)
    verify_subject(certificate, begun.subject)
    phone.store_certificate(list(chain))
    return certificate


async def _sign_pkcs10(phone: Phone, signer: SignerClient, begun: Begun, pin: str) -> None:
    grant = begun.grant
    info = make_pkcs10_info(phone.shares.load().share.public_key)
    hashed = request_hash(
        kind="certificate",
        relying_party=grant.authorisation,
        purpose="",
        files=(),
        return_address="",
        challenge=grant.key_id,
    )
    job = Job(RequestId(grant.key_id), hashed, (Item("pkcs10", info),), begun.attestation)
    try:
        async with open_session(phone, signer, job) as session:
            await session.sign(pin)
    except NotFoundError:  # from inside the channel: row 9 never reached the vault
        phone.discard_share()
        raise ProtocolAbortError("the enrolment broke off half-way: enrol again") from None


async def resume(phone: Phone, signer: SignerClient, photo: bytes) -> Begun:
    """Take up an enrolment whose share is stored: with a new photo check, as the old one expired.

    Raises:
        NotEnrolledError: none was begun in this folder.
        DeniedError, UnavailableError: as the photo check says.
    """
    grant = phone.load_grant()
    key_hash = phone.key_store.device_key().key_hash
    subject = verify_authorisation_is_ours(
        grant.authorisation, grant.key_id, key_hash, phone.deployment
    )
    attestation = await signer.check_photo(RequestId(grant.key_id), photo)
    return Begun(grant, subject, attestation)
