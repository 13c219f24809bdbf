"""The calls to an open token, one after the other: by one thread at a time, which adopts it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec, utils
from pkcs11.exceptions import PKCS11Error
from pkcs11.mechanisms import GCMParams, Mechanism
from pkcs11.types import Session

from hsm_module.token import keys, sizes
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.policy import KeyKind, KeyPolicy
from signer_core.errors import VerificationError

_GONE: Final = "the token stopped answering: the process must be started again"


class TokenSession:
    """A logged-in session. Mutable: it caches handles, a search costs more than a signature.

    Every method raises `TokenFaultError` if the token is dead or the caller is not its thread.
    Sizes are those of `port.Token`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._owner = (os.getpid(), threading.get_ident())
        self._handles: dict[tuple[str, KeyKind], Any] = {}

    def wrap(self, label: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt; see `port.Token.wrap`."""
        sizes.check_plaintext(plaintext)
        sizes.check_aad(aad)
        key = self._key(label, KeyKind.KEK)
        try:
            nonce = self._session.generate_random(8 * sizes.NONCE_BYTES)
            sealed = key.encrypt(
                plaintext, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(nonce, aad)
            )
        except PKCS11Error:
            raise TokenFaultError(TokenFault.GONE, _GONE) from None
        return bytes(nonce + sealed)

    def unwrap(self, label: str, blob: bytes, aad: bytes) -> bytes:
        """Decrypt; see `port.Token.unwrap`.

        SoftHSM reports a bad tag as GeneralError, which is also how it dies. `self_check`, run by
        the caller that knows a good blob, tells the two apart.
        """
        sizes.check_blob(blob)
        sizes.check_aad(aad)
        key = self._key(label, KeyKind.KEK)
        nonce, sealed = blob[: sizes.NONCE_BYTES], blob[sizes.NONCE_BYTES :]
        try:
            plaintext = key.decrypt(
                sealed, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(nonce, aad)
            )
        except PKCS11Error:
            raise VerificationError("the wrapped record is not authentic") from None
        return bytes(plaintext)

    def mac(self, label: str, data: bytes) -> bytes:
        """Return HMAC-SHA256; see `port.Token.mac`."""
        sizes.check_mac_data(data)
        key = self._key(label, KeyKind.MAC)
        try:
            return bytes(key.sign(data, mechanism=Mechanism.SHA256_HMAC))
        except PKCS11Error:
            raise TokenFaultError(TokenFault.GONE, _GONE) from None

    def sign_digest(self, label: str, digest: bytes) -> bytes:
        """Sign a digest; return DER. See `port.Token.sign_digest`."""
        sizes.check_digest(digest)
        key = self._key(label, KeyKind.SIGNING)
        try:
            raw = key.sign(digest, mechanism=Mechanism.ECDSA)  # r and s, 32 bytes each
        except PKCS11Error:
            raise TokenFaultError(TokenFault.GONE, _GONE) from None
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        return utils.encode_dss_signature(r, s)

    def random(self, size: int) -> bytes:
        """Return random bytes; see `port.Token.random`."""
        sizes.check_random(size)
        self._check_owner()
        try:
            return bytes(self._session.generate_random(8 * size))
        except PKCS11Error:
            raise TokenFaultError(TokenFault.GONE, _GONE) from None

    def make_key(self, label: str, policy: KeyPolicy) -> None:
        """Make a key; the session must be writable. Destroys what has the label already."""
        self._check_owner()
        try:
            keys.discard_key(self._session, label)
            keys.make_key(self._session, label, policy)
        except PKCS11Error as error:
            raise TokenFaultError(
                TokenFault.DAMAGED, f"key {label!r} cannot be made: {type(error).__name__}"
            ) from None

    def destroy_key(self, label: str) -> None:
        """Destroy every object of a label; the session must be writable."""
        self._check_owner()
        try:
            keys.discard_key(self._session, label)
        except PKCS11Error as error:
            raise TokenFaultError(
                TokenFault.DAMAGED, f"key {label!r} cannot be destroyed: {type(error).__name__}"
            ) from None

    def has_key(self, label: str, kind: KeyKind) -> bool:
        """Tell whether there is exactly one key of this label and kind."""
        self._check_owner()
        try:
            keys.find_private(self._session, label, kind)
        except TokenFaultError:
            return False
        except PKCS11Error:
            raise TokenFaultError(TokenFault.GONE, _GONE) from None
        return True

    def forget(self, label: str) -> None:
        """Look a key up anew, should one of this label come again."""
        for kind in KeyKind:
            self._handles.pop((label, kind), None)

    @contextmanager
    def writable(self) -> Iterator[Self]:
        """Open a second session that may make keys; the login of the first one is the process's.

        Raises:
            TokenFaultError: the token cannot be written.
        """
        self._check_owner()
        try:
            second = self._session.token.open(rw=True, attribute_mapper=keys.attribute_mapper())
        except PKCS11Error as error:
            raise TokenFaultError(
                TokenFault.DAMAGED, f"the token cannot be written: {type(error).__name__}"
            ) from None
        try:
            yield type(self)(second)
        finally:
            second.close()

    def read_public_key(self, label: str) -> ec.EllipticCurvePublicKey:
        """Return the public key the token holds, for pinning it."""
        self._check_owner()
        try:
            return keys.read_public_key(self._session, label)
        except (PKCS11Error, ValueError):
            raise TokenFaultError(
                TokenFault.KEY_ALTERED, f"the public half of key {label!r} cannot be read"
            ) from None

    def check_attributes(self, label: str, policy: KeyPolicy) -> None:
        """Check a key against its policy."""
        self._check_owner()
        try:
            keys.check_attributes(self._session, label, policy)
        except PKCS11Error as error:
            raise TokenFaultError(
                TokenFault.KEY_ALTERED, f"key {label!r} cannot be read: {type(error).__name__}"
            ) from None

    def _key(self, label: str, kind: KeyKind) -> Any:
        self._check_owner()
        if (label, kind) not in self._handles:
            try:
                self._handles[label, kind] = keys.find_private(self._session, label, kind)
            except PKCS11Error:
                raise TokenFaultError(TokenFault.GONE, _GONE) from None
        return self._handles[label, kind]

    def adopt(self) -> None:
        """Make the calling thread the only one that may call; whoever does it holds the turn.

        A child process of the one that opened the token adopts nothing.
        """
        if self._owner[0] == os.getpid():
            self._owner = self._owner[0], threading.get_ident()

    def _check_owner(self) -> None:
        if self._owner != (os.getpid(), threading.get_ident()):
            raise TokenFaultError(
                TokenFault.MISUSED, "the token is used only by the thread whose turn it is"
            )


def _gcm(nonce: bytes, aad: bytes) -> GCMParams:
    return GCMParams(nonce, aad, 8 * sizes.TAG_BYTES)
