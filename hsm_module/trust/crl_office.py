"""CRLs on their schedule, and within a minute of every change (docs/flows/trust-services.md)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from cryptography import x509

from hsm_module.authorities import INFRASTRUCTURE
from hsm_module.storage.crls import CrlHead, StoredCrl
from hsm_module.token.port import KeyLabel
from hsm_module.trust.context import TrustContext
from hsm_module.trust.crl_entries import CrlEntries, Snapshot
from hsm_module.trust.signing import sign
from signer_core.errors import NotFoundError, SignerError
from signer_core.pki.crl import CrlFrame, encode_list
from signer_core.pki.der import signed

LIFETIME: Final = timedelta(hours=24)  # the portal may be away that long
SCHEDULE_S: Final = 3600  # a new one, even if nothing has changed
PAUSE_S: Final = 10  # between two looks: far below the minute that is promised

_log = structlog.get_logger(__name__)


class CrlOffice:
    """Makes the CRLs of every issuer whose key the vault has. Several processes do no harm."""

    def __init__(self, trust: TrustContext) -> None:
        self._store, self._token = trust.store, trust.token
        self._issuers = trust.authorities.issuers
        self._entries = {
            label: CrlEntries(trust.store, trust.token, label) for label in self._issuers
        }

    @property
    def infrastructure(self) -> x509.Certificate:
        """The authority of processes."""
        return self._issuers[INFRASTRUCTURE]

    async def run(self) -> None:
        """Make CRLs whenever they are due, until cancelled. A failure waits for the next look."""
        while True:
            for issuer in self._issuers:
                try:
                    await self.make_if_due(issuer)
                except SignerError as error:
                    _log.error("crl-not-made", issuer=issuer, code=error.code)
            await asyncio.sleep(PAUSE_S)

    async def make_if_due(self, issuer: KeyLabel) -> None:
        """Make a CRL if a status has changed, the schedule says so, or the clock went back.

        Raises:
            UnavailableError: token or database do not answer.
        """
        async with self._store.reading() as transaction:
            head = await transaction.crls.head(issuer)
            stored = await transaction.crls.number(issuer)
            age_s = await transaction.now_s() - head.made_at_s
        changed = head.changes != head.seen_changes or stored != head.number
        if changed or stored == 0 or not 0 <= age_s < SCHEDULE_S:
            await self.make(issuer)

    async def make(self, issuer: KeyLabel) -> None:
        """Make a CRL now, of one snapshot of the database.

        It is stored whole or not at all, and never in the place of a newer one.

        Raises:
            UnavailableError: token or database do not answer.
            VerificationError: the token's key is not that of the issuer.
        """
        snapshot = await self._entries[issuer].gather()
        number = max(snapshot.head.number + 1, snapshot.now_s)  # rises after a restored backup, too
        certificate = self._issuers[issuer]
        tbs = await asyncio.to_thread(_encode, certificate, number, snapshot)
        der = signed(tbs, await sign(self._token, issuer, certificate, tbs))
        made = CrlHead(0, snapshot.head.changes, number, snapshot.now_s)
        async with self._store.transaction() as transaction:
            is_newest = await transaction.crls.save(issuer, made, der)
        entries = len(snapshot.entries)
        _log.info("crl-made", issuer=issuer, number=number, entries=entries, stored=is_newest)

    async def get(self, issuer: KeyLabel, known_number: int = 0) -> StoredCrl | None:
        """Return the newest CRL, None if it is the one that the caller knows.

        Raises:
            NotFoundError: there is no such issuer, or its first CRL is not made yet.
        """
        if issuer not in self._issuers:
            raise NotFoundError("there is no such CRL")
        async with self._store.reading() as transaction:
            if known_number and await transaction.crls.number(issuer) == known_number:
                return None
            found = await transaction.crls.find(issuer)
        if found is None:
            raise NotFoundError("this CRL is not made yet: try again in a minute")
        return found


def _encode(certificate: x509.Certificate, number: int, snapshot: Snapshot) -> bytes:
    now = datetime.fromtimestamp(snapshot.now_s, UTC)
    return encode_list(CrlFrame(certificate, number, now, now + LIFETIME), snapshot.entries)
