"""One channel, one session: the first message says which (`signer_core.ports.VaultSessions`)."""

import asyncio
import hashlib
from functools import lru_cache

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hsm_module.sessions.enrolment import EnrolmentSessions
from hsm_module.sessions.signing import SigningSessions
from signer_core.audit.provenance import Actor, bind_actor
from signer_core.errors import ProtocolAbortError, SignerError, VerificationError
from signer_core.identifiers import DeviceKeyHash
from signer_core.observe.metrics import SESSIONS, SESSIONS_OPEN
from signer_core.observe.spans import counted
from signer_core.ports import Channel, TellConsumed
from signer_core.protocol.ecdsa2p.messages import EnrolRequest, SignRequest

_log = structlog.get_logger(__name__)


class Sessions:
    """Serves the sessions of phones."""

    def __init__(
        self, enrolments: EnrolmentSessions, signings: SigningSessions, ttl_s: float
    ) -> None:
        """Take the seconds after which a session that is not finished dies."""
        self._enrolments = enrolments
        self._signings = signings
        self._ttl_s = ttl_s

    @counted(SESSIONS)
    async def serve(self, device_certificate: bytes, channel: Channel, tell: TellConsumed) -> None:
        """Run one session with the phone of this DER certificate, to its end.

        `tell` is called when a request is consumed, after its commit.

        Raises:
            SignerError: the session is over, for the reason of its class.
            ProtocolAbortError: as above; or the session took longer than its time to live.
        """
        device = device_key_hash(device_certificate)
        bind_actor(Actor("phone", device.hex()))
        try:
            with SESSIONS_OPEN.track_inprogress():
                async with asyncio.timeout(self._ttl_s):
                    await self._dispatch(device, channel, tell)
        except TimeoutError:
            raise ProtocolAbortError("the session took too long") from None
        except SignerError as error:
            _log.info("session-ended", code=error.code)
            raise

    async def _dispatch(self, device: DeviceKeyHash, channel: Channel, tell: TellConsumed) -> None:
        match await channel.receive():
            case EnrolRequest() as m:
                await self._enrolments.run(device, m, channel)
            case SignRequest() as m:
                await self._signings.run(device, m, channel, tell)
            case _:
                raise ProtocolAbortError("a session begins otherwise", culprit="device")


@lru_cache(maxsize=1024)  # phones, some 1 KiB each
def device_key_hash(certificate: bytes) -> DeviceKeyHash:
    """Return the SHA-256 of the SubjectPublicKeyInfo in a DER certificate.

    Raises:
        VerificationError: it is no certificate.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError:
        raise VerificationError("the phone's certificate cannot be read") from None
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return DeviceKeyHash(hashlib.sha256(spki).digest())
