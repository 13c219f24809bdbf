"""Which login key signs: one after another, each published before it signs and after."""

import time
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hsm_module.storage.login_keys import LoginKeyRow
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from hsm_module.token import login_keys
from hsm_module.token.port import KeyLabel, Token
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.login.ports import KeyRole, LoginKey, LoginKeys

AGE_S: Final = 30 * 24 * 3600  # a key signs for a month
# Longer than anybody may keep our list of keys (300 s), and than a token lives (600 s).
PUBLISHED_S: Final = 1800
_FRESH_S: Final = 5.0  # how long another process's rotation may go unseen
SCHEDULED: Final = "scheduled"


class LoginKeyring:
    """Mutable: it remembers the row for some seconds, and public keys for good."""

    def __init__(self, store: Store, token: Token) -> None:
        self._store, self._token = store, token
        self._known: tuple[float, LoginKeyRow] | None = None

    async def current(self) -> KeyLabel:
        """Return the key that signs now; one that is a month old gives way to the next.

        Raises:
            NotFoundError: the token has no login keys: run the ceremony.
            AlteredRowError: the row is not as the vault wrote it; audited.
        """
        return (await self._row()).current

    async def published(self) -> LoginKeys:
        """Return the keys that are published, the current one first; raises as `current`."""
        return await self._describe(await self._row())

    async def rotate(self, reason: str, ticket: str = "", *, drop: bool = False) -> LoginKeys:
        """Let the next key sign; with `drop`, forget the old one at once. Raises as the port.

        A key that is dropped in an emergency is followed by one that is published already.
        """
        async with self._store.transaction() as transaction:
            await transaction.login_keys.take_turn()
            row = await self._find_or_begin(transaction)
            now_s = await transaction.now_s()
            if not drop and now_s - row.rotated_at_s < PUBLISHED_S:
                raise InvalidRequestError(
                    f"{row.next} is published for less than {PUBLISHED_S // 60} minutes: others"
                    " may not know it yet"
                )
            row = await self._advance(transaction, row, now_s, drop=drop)
            await self._record(transaction, row, reason, ticket)
        self._known = None
        return await self._describe(row)

    async def _row(self) -> LoginKeyRow:
        if self._known is not None and time.monotonic() - self._known[0] < _FRESH_S:
            return self._known[1]
        async with self._store.reading() as transaction:
            row = await transaction.login_keys.find()
            now_s = await transaction.now_s()
        if row is None or now_s - row.rotated_at_s >= AGE_S:
            row = await self._begin_or_advance()
        self._known = (time.monotonic(), row)
        return row

    async def _begin_or_advance(self) -> LoginKeyRow:
        async with self._store.transaction() as transaction:
            await transaction.login_keys.take_turn()
            row = await self._find_or_begin(transaction)
            now_s = await transaction.now_s()
            if now_s - row.rotated_at_s >= AGE_S:
                row = await self._advance(transaction, row, now_s, drop=False)
                await self._record(transaction, row, SCHEDULED, "")
            return row

    async def _find_or_begin(self, transaction: Transaction) -> LoginKeyRow:
        row = await transaction.login_keys.find()
        if row is not None:
            return row
        there = self._token.login_keys()
        if len(there) < 2:
            raise NotFoundError("the token has no login keys: run the ceremony")
        row = LoginKeyRow(there[-2], there[-1], None, await transaction.now_s())
        await transaction.login_keys.replace(row)
        return row

    async def _advance(
        self, transaction: Transaction, row: LoginKeyRow, now_s: int, *, drop: bool
    ) -> LoginKeyRow:
        following = login_keys.after(row.next)
        await self._token.make_login_key(following)
        previous = None if drop else row.current
        new = LoginKeyRow(row.next, following, previous, now_s, row.row_version)
        await transaction.login_keys.replace(new)
        return new

    async def _record(
        self, transaction: Transaction, row: LoginKeyRow, reason: str, ticket: str
    ) -> None:
        result = "dropped" if row.previous is None else "rotated"
        subject = f"{row.current}/{ticket}" if ticket else row.current
        event = Event("login-key", result, reason=reason, subject=subject)
        await transaction.record(event)

    async def _describe(self, row: LoginKeyRow) -> LoginKeys:
        roles = {row.current: KeyRole.CURRENT, row.next: KeyRole.NEXT}
        if row.previous is not None:
            roles[row.previous] = KeyRole.PREVIOUS
        keys: Sequence[LoginKey] = [
            LoginKey(label, role, await self._public(label)) for label, role in roles.items()
        ]
        return LoginKeys(tuple(keys), row.rotated_at_s)

    async def _public(self, label: KeyLabel) -> bytes:
        key = await self._token.public_key(label)
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
