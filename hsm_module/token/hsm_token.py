"""The token of the vault process: async in front, one login and one call at a time behind."""

import asyncio
import functools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from hsm_module.token import keks, login_keys, sizes
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.following import ManifestFile
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.policy import KeyKind
from hsm_module.token.port import MAX_AT_ONCE, KekId, KeyLabel, Rewrap
from hsm_module.token.probe import probe_token
from hsm_module.token.self_test import check_key, self_test
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite
from hsm_module.token.turns import Turns
from signer_core.errors import NotFoundError, VerificationError
from signer_core.observe.metrics import TOKEN_SECONDS
from signer_core.pki.token_key import TokenKey

T = TypeVar("T")

_seconds = functools.cache(TOKEN_SECONDS.labels)


class HsmToken:
    """`port.Token` on PKCS#11; make it with `open`, after any fork.

    Mutable: it owns the turns. Every PKCS#11 call of the process, opening and closing included, is
    the only one; two at once crash SoftHSM and bring nothing (`softhsm_config/README.md`).
    """

    def __init__(self, manifest: Manifest, file: ManifestFile | None = None) -> None:
        self._manifest = manifest
        self._file = file
        self._turns = Turns()
        self._open = ExitStack()
        self._closed = False
        self._session: TokenSession | None = None
        self._fault: Future[TokenFaultError] = Future()

    @classmethod
    async def open(
        cls, site: TokenSite, pin: SecretStr, manifest: Manifest, path: Path | None = None
    ) -> Self:
        """Open the token, log in once, test every key of the manifest.

        With the `path` of the manifest it is followed: keys that come later are used, too.

        Raises:
            TokenFaultError: the token cannot serve; nothing stays open.
        """
        token = cls(manifest, None if path is None else ManifestFile(site, path))
        try:
            await token._turns.take(lambda: token._guard(lambda: token._start(site, pin)))
        except BaseException:
            await token.close()
            raise
        return token

    def _start(self, site: TokenSite, pin: SecretStr) -> None:
        if site.label != self._manifest.token_label:
            raise TokenFaultError(TokenFault.SETTINGS, "the manifest is of another token")
        probe_token(site, pin, self._manifest)
        self._session = self._open.enter_context(open_token(site, pin))
        self_test(self._session, self._manifest)

    async def close(self) -> None:
        """Log out and end the thread; a second call does nothing."""
        if not self._closed:
            self._closed = True
            await self._turns.end(self._end)

    def _end(self) -> None:
        if self._session is not None:
            self._session.adopt()
            self._session = None
        self._open.close()

    async def wait_for_fault(self) -> TokenFaultError:
        """Wait until the token is dead, and say why; the process must then exit non-zero."""
        return await asyncio.shield(asyncio.wrap_future(self._fault))

    async def wrap(self, kek_id: KekId, plaintext: bytes, aad: bytes) -> bytes:
        """See `port.Token.wrap`."""
        await self._find(kek_id, KeyKind.KEK)
        return await self._call(
            "wrap", lambda session: session.wrap(kek_id, plaintext, aad), [kek_id], short=True
        )

    async def unwrap(self, kek_id: KekId, blob: bytes, aad: bytes) -> bytes:
        """See `port.Token.unwrap`."""
        await self._find(kek_id, KeyKind.KEK)
        return await self._call(
            "unwrap", lambda session: self._unwrap(session, kek_id, blob, aad), [kek_id], short=True
        )

    async def rewrap(self, items: Sequence[Rewrap]) -> Sequence[bytes | None]:
        """See `port.Token.rewrap`."""
        sizes.check_turn(len(items), MAX_AT_ONCE)
        named = {one.old for one in items} | {one.new for one in items}
        for kek_id in named:
            await self._find(kek_id, KeyKind.KEK)
        return await self._call(
            "rewrap", lambda session: [self._rewrap(session, i) for i in items], named
        )

    def newest_kek(self) -> KekId:
        """See `port.Token.newest_kek`; one made by another process is known by the next call."""
        return keks.newest(self._manifest.of_kind(KeyKind.KEK))

    def keks(self) -> Sequence[KekId]:
        """See `port.Token.keks`."""
        return [KekId(one) for one in self._manifest.of_kind(KeyKind.KEK) if keks.is_kek(one)]

    async def make_kek(self, kek_id: KekId) -> None:
        """See `port.Token.make_kek`."""
        file = self._written()
        await self._call("make_kek", lambda session: file.make_kek(session, kek_id))
        await self._find(kek_id, KeyKind.KEK)

    def login_keys(self) -> Sequence[KeyLabel]:
        """See `port.Token.login_keys`; one made by another process is known by the next call."""
        return login_keys.in_order(self._manifest.of_kind(KeyKind.SIGNING))

    async def make_login_key(self, label: KeyLabel) -> None:
        """See `port.Token.make_login_key`."""
        file = self._written()
        await self._call("make_login_key", lambda session: file.make_login_key(session, label))
        await self._find(label, KeyKind.SIGNING)

    async def make_seal_key(self, label: KeyLabel) -> None:
        """See `port.Token.make_seal_key`."""
        file = self._written()
        await self._call("make_seal_key", lambda session: file.make_seal_key(session, label))
        await self._find(label, KeyKind.SIGNING)

    async def unpin(self, label: str) -> None:
        """See `port.Token.unpin`."""
        file = self._written()
        await self._call("unpin", lambda _session: file.unpin(self._manifest, label))
        await self._follow_now()

    async def pin_again(self, kek_id: KekId) -> None:
        """See `port.Token.pin_again`."""
        file = self._written()
        await self._call("pin_again", lambda session: file.pin_again(session, kek_id))
        await self._find(kek_id, KeyKind.KEK)

    async def destroy(self, label: str) -> None:
        """See `port.Token.destroy`."""
        file = self._written()
        await self._call("destroy", lambda session: file.destroy(session, label))

    def _written(self) -> ManifestFile:
        if self._file is None:
            raise TokenFaultError(TokenFault.MISUSED, "this token was opened without its manifest")
        return self._file

    async def _follow_now(self) -> None:
        await self._call("follow", lambda _session: None)

    async def mac(self, data: bytes) -> bytes:
        """See `port.Token.mac`."""
        (label,) = self._manifest.of_kind(KeyKind.MAC)
        return await self._call("mac", lambda session: session.mac(label, data), short=True)

    async def macs(self, data: Sequence[bytes]) -> Sequence[bytes]:
        """See `port.Token.macs`."""
        sizes.check_turn(len(data), MAX_AT_ONCE)
        (label,) = self._manifest.of_kind(KeyKind.MAC)
        return await self._call("mac", lambda session: [session.mac(label, one) for one in data])

    async def sign_digest(self, label: KeyLabel, digest: bytes) -> bytes:
        """See `port.Token.sign_digest`."""
        await self._find(label, KeyKind.SIGNING)
        return await self._call(
            "sign", lambda session: session.sign_digest(label, digest), [label], short=True
        )

    async def use_key(self, label: KeyLabel, work: Callable[[ec.EllipticCurvePrivateKey], T]) -> T:
        """See `port.Token.use_key`."""
        public_key = await self.public_key(label)
        return await self._call(
            "issue",
            lambda session: work(TokenKey(public_key, lambda d: session.sign_digest(label, d))),
            [label],
        )

    async def public_key(self, label: KeyLabel) -> ec.EllipticCurvePublicKey:
        """See `port.Token.public_key`."""
        await self._find(label, KeyKind.SIGNING)
        return self._manifest.keys[label].public_key()

    async def self_test(self) -> int:
        """Use every key of the manifest and compare with what is pinned; return their number.

        Raises:
            TokenFaultError: a key is not the one of the ceremony, or the token is dead: for good.
        """
        await self._call("self_test", lambda session: self_test(session, self._manifest))
        return len(self._manifest.keys)

    async def random(self, size: int) -> bytes:
        """See `port.Token.random`."""
        return await self._call("random", lambda session: session.random(size), short=True)

    def _unwrap(self, session: TokenSession, label: str, blob: bytes, aad: bytes) -> bytes:
        try:
            return session.unwrap(label, blob, aad)
        except VerificationError:
            self._check_alive(session, label)
            raise

    def _rewrap(self, session: TokenSession, item: Rewrap) -> bytes | None:
        try:
            plaintext = self._unwrap(session, item.old, item.blob, item.old_aad)
        except VerificationError:
            return None
        return session.wrap(item.new, plaintext, item.new_aad)

    def _check_alive(self, session: TokenSession, label: str) -> None:
        """Tell a forged record from a dead token: the known blob still opens, or nothing does."""
        try:
            check_key(session, label, self._manifest.keys[label])
        except VerificationError:
            raise TokenFaultError(
                TokenFault.GONE, f"the token no longer decrypts under {label!r}: start again"
            ) from None

    async def _find(self, label: str, kind: KeyKind) -> None:
        if label not in self._manifest.keys:
            await self._follow_now()
        self._check_label(label, kind)

    def _follow(self, session: TokenSession) -> None:
        if self._file is not None:
            self._manifest = self._file.follow(session, self._manifest)

    def _check_named(self, label: str) -> None:
        if label not in self._manifest.keys:
            raise NotFoundError("the token has no such key")

    def _check_label(self, label: str, kind: KeyKind) -> None:
        if label not in self._manifest.of_kind(kind):
            raise NotFoundError("the token has no such key")

    async def _call(
        self,
        operation: str,
        work: Callable[[TokenSession], T],
        labels: Iterable[str] = (),
        *,
        short: bool = False,
    ) -> T:
        """Run `work` in its turn, with keys that the manifest names at that moment."""
        session = self._session
        if session is None:
            raise TokenFaultError(TokenFault.MISUSED, "the token is not open")

        def run() -> T:
            session.adopt()
            with _seconds(operation).time():
                self._follow(session)
                for label in labels:  # a key that is to be destroyed is not touched any more
                    self._check_named(label)
                return work(session)

        return await self._turns.take(lambda: self._guard(run), short=short)

    def _guard(self, work: Callable[[], T]) -> T:
        """Run in its turn; the first fault is final, even if nobody waits any more."""
        if self._fault.done():
            fault = self._fault.result()
            raise TokenFaultError(fault.fault, str(fault))
        try:
            return work()
        except TokenFaultError as error:
            self._fault.set_result(error)
            raise
