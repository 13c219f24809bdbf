"""Logins: every "once" is one statement, so that two portals at a time change nothing."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.audit.events import Event
from signer_core.errors import DeniedError
from signer_core.login.model import Login
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.insert import insert_unless
from signer_core.storage.signer.login_tables import login_assertions as assertions
from signer_core.storage.signer.login_tables import login_requests as requests
from signer_core.storage.signer.login_tables import logins as table

_LOGIN: Final = [table.c[name] for name in Login.__dataclass_fields__]
_GOOD: Final = table.c.ended == 0
_REDEEMED: Final = (_GOOD, table.c.redeemed_at_s.is_not(None), table.c.token_hash.is_(None))


@dataclass(frozen=True, slots=True)
class LoginRows:
    """Pushed requests, used assertions, codes and tokens, all by their hashes (32 bytes)."""

    engine: AsyncEngine
    audit: AuditOutbox

    async def push(
        self, reference_hash: bytes, client_id: str, parameters: str, expires_at_s: int
    ) -> None:
        """Keep a pushed request."""
        row: dict[str, Any] = {"reference_hash": reference_hash, "client_id": client_id}
        row |= {"parameters": parameters, "expires_at_s": expires_at_s}
        async with write_transaction(self.engine) as connection:
            await connection.execute(insert(requests).values(row))

    async def take(self, reference_hash: bytes, client_id: str, now_s: int) -> str | None:
        """Return a pushed request of this client and forget it; None where there is none."""
        where = (
            requests.c.reference_hash == reference_hash,
            requests.c.client_id == client_id,
            requests.c.expires_at_s > now_s,
        )
        taking = delete(requests).where(*where).returning(requests.c.parameters)
        async with write_transaction(self.engine) as connection:
            found: str | None = (await connection.execute(taking)).scalar_one_or_none()
        return found

    async def use_assertion(self, assertion_hash: bytes, expires_at_s: int, client_id: str) -> bool:
        """Use up an assertion; return whether it was there to be used."""
        row = {"assertion_hash": assertion_hash, "expires_at_s": expires_at_s}
        using = insert_unless(assertions.c.assertion_hash == assertion_hash, assertions, row)
        try:
            async with write_transaction(self.engine) as connection:
                fresh = (await connection.execute(using)).rowcount == 1
                if not fresh:
                    await self._record(connection, "refused", "assertion-again", None, client_id)
        except IntegrityError:  # another process, at the same moment
            return False
        return fresh

    async def add(
        self, login: Login, code_hash: bytes, code_expires_at_s: int, keep_until_s: int
    ) -> None:
        """Keep a login with its code.

        Raises:
            DeniedError: the offer has become a login before.
        """
        row = asdict(login) | {
            "code_hash": code_hash,
            "code_expires_at_s": code_expires_at_s,
            "ended": 0,
            "keep_until_s": keep_until_s,
        }
        adding = insert_unless(table.c.login_id == login.login_id, table, row)
        try:
            async with write_transaction(self.engine) as connection:
                added = (await connection.execute(adding)).rowcount == 1
                if added:
                    await self._record(connection, "approved", "", login.login_id, login.client_id)
        except IntegrityError:
            added = False
        if not added:
            raise DeniedError("this login is finished: begin a new one at the partner's site")

    async def redeem(self, code_hash: bytes, client_id: str, now_s: int) -> Login | None:
        """Use up a code of this client; a second time, end the login and return None."""
        mine = (table.c.code_hash == code_hash, table.c.client_id == client_id)
        redeeming = (
            update(table)
            .where(*mine, _GOOD, table.c.redeemed_at_s.is_(None), table.c.code_expires_at_s > now_s)
            .values(redeemed_at_s=now_s)
            .returning(*_LOGIN)
        )
        async with write_transaction(self.engine) as connection:
            found = (await connection.execute(redeeming)).one_or_none()
            if found is not None:
                return Login(*found)
            again = update(table).where(*mine, table.c.redeemed_at_s.is_not(None))
            ending = again.values(ended=1).returning(table.c.login_id)
            login_id = (await connection.execute(ending)).scalar_one_or_none()
            if login_id is not None:
                await self._record(connection, "refused", "code-again", login_id, client_id)
        return None

    async def find_redeemed(self, login_id: bytes, client_id: str) -> Login | None:
        """Return a login whose code was redeemed and that has no token yet."""
        where = (table.c.login_id == login_id, table.c.client_id == client_id, *_REDEEMED)
        return await self._find(*where)

    async def set_token(self, login_id: bytes, token_hash: bytes, expires_at_s: int) -> bool:
        """Give a redeemed login its one token; return whether it could have one."""
        values = {"token_hash": token_hash, "token_expires_at_s": expires_at_s}
        setting = update(table).where(table.c.login_id == login_id, *_REDEEMED).values(**values)
        async with write_transaction(self.engine) as connection:
            return (await connection.execute(setting)).rowcount == 1

    async def find_token(self, token_hash: bytes, now_s: int) -> Login | None:
        """Return the login of a token that is good now."""
        good = (table.c.token_hash == token_hash, _GOOD, table.c.token_expires_at_s > now_s)
        return await self._find(*good)

    async def end(
        self, client_id: str, *, token_hash: bytes | None = None, login_id: bytes | None = None
    ) -> None:
        """End a login of this client; harmless where there is none."""
        which = table.c.token_hash == token_hash
        if token_hash is None:
            which = table.c.login_id == login_id
        ending = update(table).where(which, table.c.client_id == client_id).values(ended=1)
        async with write_transaction(self.engine) as connection:
            await connection.execute(ending)

    async def forget(self, now_s: int) -> None:
        """Delete whatever is over."""
        over = (
            (requests, requests.c.expires_at_s),
            (assertions, assertions.c.expires_at_s),
            (table, table.c.keep_until_s),
        )
        async with write_transaction(self.engine) as connection:
            for where, until_s in over:
                await connection.execute(delete(where).where(until_s <= now_s))

    async def _find(self, *where: Any) -> Login | None:
        async with read_transaction(self.engine) as connection:
            found = (await connection.execute(select(*_LOGIN).where(*where))).one_or_none()
        return None if found is None else Login(*found)

    async def _record(
        self,
        connection: AsyncConnection,
        result: str,
        reason: str,
        login_id: bytes | None,
        client_id: str,
    ) -> None:
        event = Event("login", result, request_id=login_id, reason=reason, subject=client_id)
        await self.audit.record(connection, event)
