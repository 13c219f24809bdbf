"""The timestamping unit (RFC 3161): what existed when, never named earlier than a stamp before."""

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from cryptography import x509

from hsm_module.token.port import KeyLabel
from hsm_module.trust.context import TrustContext
from hsm_module.trust.own_certificates import OwnProfile
from hsm_module.trust.signing import sign
from signer_core.audit.events import Event
from signer_core.pki.timestamp import (
    ACCURACY_S,
    POLICY,
    Stamp,
    assemble_granted,
    encode_attributes,
    encode_tst_info,
    rejection,
)
from signer_core.pki.timestamp_request import (
    TimestampFailure,
    TimestampRequest,
    parse_timestamp_request,
)
from signer_core.pki.trust import issue_timestamping

TIMESTAMPING: Final = KeyLabel("tsa")
RENEW_BEFORE: Final = timedelta(days=30)
SHARED_EVERY_MS: Final = 10_000  # the latest time is stored, and compared, for all processes
_TOLERANCE_MS: Final = ACCURACY_S * 1000

_log = structlog.get_logger(__name__)


class TimestampingUnit:
    """Stamps. Mutable: it remembers the latest time that it has named."""

    def __init__(self, trust: TrustContext) -> None:
        self._trust = trust
        self.profile = OwnProfile(
            TIMESTAMPING,
            "timestamping",
            RENEW_BEFORE,
            lambda issuer, issuance, key: issue_timestamping(
                issuer, issuance, key, trust.addresses
            ),
        )
        self._latest_ms = self._shared_ms = 0
        self._is_told = False

    async def stamp(self, data: bytes) -> bytes:
        """Answer a request (DER), whoever sent it; what is wrong with it is an answer, too.

        Raises:
            UnavailableError: token or database do not answer.
        """
        asked = parse_timestamp_request(data)
        if isinstance(asked, TimestampFailure):
            return rejection(asked)
        if asked.policy not in (None, POLICY):
            return rejection(TimestampFailure.UNACCEPTED_POLICY)
        certificate = await self._trust.own.get(self.profile)
        at = await self._read_clock()
        if at is None:
            return rejection(TimestampFailure.TIME_NOT_AVAILABLE)
        return await self._sign(asked, at, certificate)

    async def _sign(
        self, asked: TimestampRequest, at: datetime, certificate: x509.Certificate
    ) -> bytes:
        serial = int.from_bytes(self._trust.rng(16), "big")
        info = encode_tst_info(asked, Stamp(serial, at))
        attributes = encode_attributes(info, certificate)
        signature = await sign(self._trust.token, TIMESTAMPING, certificate, attributes)
        included = (certificate, self._trust.authorities.issuing) if asked.wants_certificate else ()
        return assemble_granted(info, attributes, signature, certificate, included)

    async def _read_clock(self) -> datetime | None:
        """Return the time, None if it is more than the accuracy behind an earlier stamp.

        A clock that is a little behind, as one being slewed, repeats the latest time.
        """
        now_ms = int(self._trust.now().timestamp() * 1000)
        if now_ms >= self._latest_ms - _TOLERANCE_MS:
            await self._share(now_ms)
        if now_ms < self._latest_ms - _TOLERANCE_MS:
            await self._tell()
            return None
        self._is_told = False
        self._latest_ms = max(self._latest_ms, now_ms)
        return datetime.fromtimestamp(self._latest_ms / 1000, UTC)

    async def _share(self, now_ms: int) -> None:
        """Learn the latest time of all vault processes, and of those before, now and then."""
        if now_ms - self._shared_ms >= SHARED_EVERY_MS:
            async with self._trust.store.transaction() as transaction:
                latest_ms = await transaction.timestamps.advance(now_ms)
            self._latest_ms, self._shared_ms = max(self._latest_ms, latest_ms), now_ms

    async def _tell(self) -> None:
        """Audit a clock that went back, once until it is right again."""
        if self._is_told:
            return
        self._is_told = True
        _log.error("timestamp-clock-went-back")
        async with self._trust.store.transaction() as transaction:
            await transaction.record(Event("timestamp-clock", "went-back"))
