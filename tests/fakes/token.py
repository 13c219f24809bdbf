"""A token in memory: the same port, no PKCS#11. It lives under tests, so it cannot ship."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hsm_module.token import keks as kek_ids
from hsm_module.token import login_keys as login_labels
from hsm_module.token import sizes
from hsm_module.token.following import check_seal_label
from hsm_module.token.port import MAX_AT_ONCE, KekId, KeyLabel, Rewrap
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError

T = TypeVar("T")

SIGNING = (
    "audit-log",
    "issuing-ca",
    "device-ca",
    "infrastructure-ca",
    "registry",
    "ocsp-responder",
    "tsa",
    "login-1",
    "login-2",
    "seal-portal",
)


class MemoryToken:
    """Fresh random keys under the given labels; gone with the object."""

    def __init__(
        self,
        keks: Iterable[str] = ("kek-1",),
        signing: Iterable[str] = SIGNING,
    ) -> None:
        self._keks = {KekId(kek): AESGCM(secrets.token_bytes(32)) for kek in keks}
        self._signing = {KeyLabel(x): ec.generate_private_key(ec.SECP256R1()) for x in signing}
        self._passed = {}  # out of use, not destroyed yet
        self._state_mac = secrets.token_bytes(32)

    async def wrap(self, kek_id: KekId, plaintext: bytes, aad: bytes) -> bytes:
        sizes.check_plaintext(plaintext)
        sizes.check_aad(aad)
        nonce = secrets.token_bytes(sizes.NONCE_BYTES)
        return nonce + self._kek(kek_id).encrypt(nonce, plaintext, aad)

    async def unwrap(self, kek_id: KekId, blob: bytes, aad: bytes) -> bytes:
        sizes.check_blob(blob)
        sizes.check_aad(aad)
        nonce, sealed = blob[: sizes.NONCE_BYTES], blob[sizes.NONCE_BYTES :]
        try:
            return self._kek(kek_id).decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise VerificationError("the wrapped record is not authentic") from None

    async def rewrap(self, items: Sequence[Rewrap]) -> Sequence[bytes | None]:
        sizes.check_turn(len(items), MAX_AT_ONCE)
        return [await self._rewrap(one) for one in items]

    async def _rewrap(self, one: Rewrap) -> bytes | None:
        try:
            plaintext = await self.unwrap(one.old, one.blob, one.old_aad)
        except VerificationError:
            return None
        return await self.wrap(one.new, plaintext, one.new_aad)

    def newest_kek(self) -> KekId:
        return kek_ids.newest(self._keks)

    async def make_kek(self, kek_id: KekId) -> None:
        kek_ids.check_next(kek_id, self.newest_kek())
        self._keks.setdefault(kek_id, AESGCM(secrets.token_bytes(32)))

    def login_keys(self) -> Sequence[KeyLabel]:
        return login_labels.in_order(self._signing)

    async def make_login_key(self, label: KeyLabel) -> None:
        login_labels.check_next(label, self._signing)
        self._signing.setdefault(label, ec.generate_private_key(ec.SECP256R1()))

    def keks(self) -> Sequence[KekId]:
        return [*self._keks]

    async def make_seal_key(self, label: KeyLabel) -> None:
        check_seal_label(label)
        self._passed.pop(label, None)
        self._signing.setdefault(label, ec.generate_private_key(ec.SECP256R1()))

    async def unpin(self, label: str) -> None:
        if not label.startswith("seal-"):
            kek_ids.check_older(KekId(label), self.newest_kek())
        for keys in (self._keks, self._signing):
            if label in keys:
                self._passed[label] = keys.pop(label)

    async def pin_again(self, kek_id: KekId) -> None:
        if kek_id in self._passed:
            self._keks[kek_id] = self._passed.pop(kek_id)
        self._kek(kek_id)

    async def destroy(self, label: str) -> None:
        if label in self._keks or label in self._signing:
            raise InvalidRequestError(f"the key {label} is in use")
        self._passed.pop(label, None)

    async def macs(self, data: Sequence[bytes]) -> Sequence[bytes]:
        sizes.check_turn(len(data), MAX_AT_ONCE)
        return [await self.mac(one) for one in data]

    async def mac(self, data: bytes) -> bytes:
        sizes.check_mac_data(data)
        return hmac.digest(self._state_mac, data, hashlib.sha256)

    async def sign_digest(self, label: KeyLabel, digest: bytes) -> bytes:
        sizes.check_digest(digest)
        return self._key(label).sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    async def use_key(self, label: KeyLabel, work: Callable[[ec.EllipticCurvePrivateKey], T]) -> T:
        return work(self._key(label))

    async def public_key(self, label: KeyLabel) -> ec.EllipticCurvePublicKey:
        return self._key(label).public_key()

    async def random(self, size: int) -> bytes:
        sizes.check_random(size)
        return secrets.token_bytes(size)

    def _kek(self, kek_id: KekId) -> AESGCM:
        if kek_id not in self._keks:
            raise NotFoundError("the token has no such key")
        return self._keks[kek_id]

    def _key(self, label: KeyLabel) -> ec.EllipticCurvePrivateKey:
        if label not in self._signing:
            raise NotFoundError("the token has no such key")
        return self._signing[label]
