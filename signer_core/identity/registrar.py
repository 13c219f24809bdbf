"""The registrar: port `signer_core.ports.Registrar` over its database and its providers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId, VaultId
from signer_core.identity.activation import TOPIC, Activation
from signer_core.identity.attestation import sign_attestation
from signer_core.identity.authorisation import (
    LIFETIME_S,
    EnrolmentAuthorisation,
    sign_authorisation,
    verify_used_authorisation,
)
from signer_core.identity.ports import IdentityProvider, Occasion, Person, PhotoCheck
from signer_core.ports import EnrolmentGrant
from signer_core.storage.engine import read_transaction, take_turn, write_transaction
from signer_core.storage.registrar.codes import ActivationCodes, StoredGrant

MAX_PHOTO_BYTES: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class PeopleRegistrar:
    """Identifies people, has photos checked, and signs what the vault believes."""

    activation: Activation
    identity: IdentityProvider
    photos: PhotoCheck
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    now: Callable[[], datetime]  # UTC
    random_bytes: Callable[[int], bytes]

    async def authorise_enrolment(
        self, activation_code: str, device_key_hash: DeviceKeyHash, vault_id: VaultId, photo: bytes
    ) -> EnrolmentGrant:
        """See `Registrar.authorise_enrolment`.

        1. Sizes.
        2. The code is live and this device's; wrong ones are counted.
        3. The identity provider names the person; the photo is theirs.
        4. The first grant of a code is the only one, while it is valid.
        """
        _verify_sizes(device_key_hash, photo)  # 1
        person_id = await self.activation.take(activation_code, device_key_hash, self._now_s())  # 2
        person = await self.identity.identify(person_id)  # 3
        await self.photos.verify_photo(person_id, Occasion.ENROLMENT, photo)
        code_hash = self.activation.code_hash(activation_code)
        stored = await self._granted(code_hash, person, device_key_hash, vault_id)  # 4
        return EnrolmentGrant(
            key_id=stored.key_id,
            authorisation=stored.authorisation,
            attestation=self._attest(device_key_hash, RequestId(stored.key_id)),
            full_name=person.subject.common_name,
        )

    async def attest_photo(
        self, device_key_hash: DeviceKeyHash, request_id: RequestId, photo: bytes
    ) -> str:
        """See `Registrar.attest_photo`."""
        _verify_sizes(device_key_hash, photo)
        if len(request_id) != 16:
            raise InvalidRequestError("a request id has 16 bytes")
        async with read_transaction(self.activation.engine) as connection:
            owner = await ActivationCodes(connection).find_owner(device_key_hash)
        if owner is None:
            raise NotFoundError("this phone was never enrolled")
        enrolling = owner.key_ids.count(KeyId(request_id)) == 1
        occasion = Occasion.ENROLMENT if enrolling else Occasion.SIGNING
        await self.photos.verify_photo(owner.person_id, occasion, photo)
        return self._attest(device_key_hash, request_id)

    async def _granted(
        self, code_hash: bytes, person: Person, device: DeviceKeyHash, vault_id: VaultId
    ) -> StoredGrant:
        """Return the one grant of a code, made now where there is none.

        Raises:
            NotFoundError: it has expired, and the code with it.
            InvalidRequestError: it is for another vault.
        """
        async with write_transaction(self.activation.engine) as connection:
            await take_turn(connection, TOPIC)
            codes = ActivationCodes(connection)
            stored = await codes.find_grant(code_hash)
            if stored is None:
                stored = self._new_grant(person, device, vault_id)
                await codes.grant(code_hash, stored)
        if stored.expires_at_s <= self._now_s():
            raise NotFoundError("the activation code is used up: ask for a new one")
        granted = verify_used_authorisation(stored.authorisation, self.key.public_key())
        if granted.vault_id != vault_id:
            raise InvalidRequestError("this code was used for another vault")
        return stored

    def _new_grant(self, person: Person, device: DeviceKeyHash, vault_id: VaultId) -> StoredGrant:
        now_s = self._now_s()
        authorisation = EnrolmentAuthorisation(
            person_id=person.person_id,
            key_id=KeyId(self.random_bytes(16)),
            device_key_hash=device,
            vault_id=vault_id,
            issued_at_s=now_s,
            expires_at_s=now_s + LIFETIME_S,
            jti=self.random_bytes(16),
            country=person.country,
            subject=person.subject,
        )
        token = sign_authorisation(authorisation, self.key)
        return StoredGrant(authorisation.key_id, token, authorisation.expires_at_s)

    def _attest(self, device: DeviceKeyHash, request_id: RequestId) -> str:
        return sign_attestation(device, request_id, self.now(), self.key)

    def _now_s(self) -> int:
        return int(self.now().timestamp())


def _verify_sizes(device: DeviceKeyHash, photo: bytes) -> None:
    if len(device) != 32:
        raise InvalidRequestError("a device key hash has 32 bytes")
    if not 0 < len(photo) <= MAX_PHOTO_BYTES:
        raise InvalidRequestError("a photo has 1 byte to 256 KiB")
