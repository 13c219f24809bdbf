"""Whole runs of `ecdsa2p`, both parties in one process, each message through a tamperer."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from signer_core.identifiers import DeviceKeyHash, KeyId, SessionId, VaultId
from signer_core.protocol.curve import Rng, Scalar
from signer_core.protocol.ecdsa2p.device.enrolment import (
    DeviceEnrolled,
    DeviceEnrolment,
    DeviceIdentity,
)
from signer_core.protocol.ecdsa2p.device.signing import DeviceSigned, DeviceSigning, EpochState
from signer_core.protocol.ecdsa2p.device.transfer import DeviceTransfer
from signer_core.protocol.ecdsa2p.messages import Item, Message
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolled, VaultEnrolment
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning
from signer_core.protocol.ecdsa2p.vault.transfer import VaultTransfer
from signer_core.protocol.epoch import verify_tag

AUTHORISATION = b"authorisation"
ATTESTATION = b"attestation"
IDENTITY = DeviceIdentity(
    KeyId(b"K" * 16),
    VaultId("vault-1"),
    DeviceKeyHash(b"H" * 32),
    b"device secret of 32 bytes.....!!",
)

Tamper = Callable[[int, Any], Any]


def counted_rng(seed: bytes) -> Rng:
    """Return a repeatable source: SHAKE-256 of the seed and a counter."""
    numbers = iter(range(1 << 62))
    return lambda size: hashlib.shake_256(seed + b"/%d" % next(numbers)).digest(size)


def untouched(step: int, message: Any) -> Any:
    """Tamper with nothing."""
    return message


def recorder(messages: list[Message]) -> Tamper:
    """Tamper with nothing, and append every message to a list."""

    def record(step: int, message: Any) -> Any:
        messages.append(message)
        return message

    return record


@dataclass(frozen=True)
class Pair:
    """Both sides of one enrolled key."""

    device: DeviceEnrolled
    vault: VaultEnrolled
    sid: SessionId
    secret: bytes = IDENTITY.device_secret


def enrol(
    device_rng: Rng, vault_rng: Rng, tamper: Tamper = untouched, who: DeviceIdentity = IDENTITY
) -> Pair:
    """Run §2."""
    device = DeviceEnrolment(who, device_rng)
    vault = VaultEnrolment(who.vault_id, who.device_key_hash, vault_rng)
    m1 = tamper(1, device.step1_request(AUTHORISATION))
    m2 = tamper(2, vault.step2_commit(m1))
    m3 = tamper(3, device.step3_publish(m2))
    m4 = tamper(4, vault.step4_offer(m3))
    m5 = tamper(5, device.step5_correct(m4))
    m6 = tamper(6, vault.step6_commit_check(m5))
    m7 = tamper(7, device.step7_open_check(m6))
    m8 = tamper(8, vault.step8_open_check(m7))
    enrolled = device.step9_store(m8)
    m9 = tamper(9, enrolled.confirmation)
    return Pair(enrolled, vault.step10_finish(m9), vault.sid, who.device_secret)


@dataclass(frozen=True)
class Request:
    """What is asked of a signing session."""

    items: tuple[Item, ...] = (Item("raw", b"doc"),)
    use: str = "sign"
    request_id: bytes = b"R" * 16
    request_hash: bytes = b"h" * 32
    epoch: int = 0
    pending: tuple[bytes, ...] = ()


REFRESH = Request((), "refresh", b"", b"")


def items(n: int) -> tuple[Item, ...]:
    """Return n different things to sign."""
    return tuple(Item("raw", b"doc %d" % j) for j in range(n))


class Session:
    """One signing session of both sides; `steps()` yields after each message."""

    def __init__(
        self,
        pair: Pair,
        request: Request,
        device_rng: Rng,
        vault_rng: Rng,
        epoch_key: bytes | None = None,
    ) -> None:
        self.request = request
        self.epoch_key = epoch_key or pair.vault.epoch_key
        epoch = EpochState(request.epoch, self.epoch_key, request.pending)
        self.device = DeviceSigning(pair.device.share, pair.secret, epoch, device_rng)
        self.vault = VaultSigning(pair.vault.share, vault_rng)
        self.x2: Scalar = pair.device.x2
        self.signed: DeviceSigned | None = None

    def steps(self, tamper: Tamper = untouched) -> Iterator[int]:
        """Run §3, the caller's checks of step 3 included."""
        ask, device, vault = self.request, self.device, self.vault
        m1 = tamper(1, device.step1_request(ask.use, ask.request_id, ask.request_hash, ask.items))
        yield 1
        m2 = tamper(2, vault.step2_commit(m1))
        yield 2
        m3 = tamper(3, device.step3_answer(m2, ATTESTATION))
        yield 3
        verify_tag(self.epoch_key, vault.sid, m3.pending, m3.epoch_tag)
        m4 = tamper(4, vault.step4_open(m3))
        yield 4
        device.step5_check_openings(m4)
        m5 = tamper(5, device.step5_sign(self.x2))
        yield 5
        vault.step6_check_form(m5)
        vault.verify_pin()
        vault.finish()
        m6 = tamper(6, vault.reply())
        yield 6
        self.signed = device.step7_verify(m6)
        vault.step8_verify_ack(tamper(7, self.signed.ack), vault.next_epoch_key(self.epoch_key))
        yield 7

    def run(self, tamper: Tamper = untouched) -> DeviceSigned:
        """Run every step; return what the device ends with."""
        for _ in self.steps(tamper):
            pass
        assert self.signed is not None
        return self.signed


def transfer(
    pair: Pair, sid: SessionId, device_rng: Rng, vault_rng: Rng, tamper: Tamper = untouched
) -> Pair:
    """Run §8 after a session `sid`."""
    device = DeviceTransfer(pair.device.share, pair.secret, sid, device_rng)
    vault = VaultTransfer(pair.vault.share, sid, vault_rng)
    m2 = tamper(2, vault.step2_shift())
    m3 = tamper(3, device.step3_publish(m2, pair.device.x2))
    m4 = tamper(4, vault.step4_choose(m3))
    m5 = tamper(5, device.step5_correct(m4))
    m6 = tamper(6, vault.step6_commit_check(m5))
    vault.step8_check_form(tamper(7, device.step7_open_check(m6)))
    enrolled = device.step9_store(tamper(8, vault.step8_judge()))
    return Pair(
        enrolled, vault.step10_finish(tamper(9, enrolled.confirmation)), vault.sid, pair.secret
    )


class ScriptedRng:
    """Hands out named values in order; a draw of another size than the next value fails."""

    def __init__(
        self, script: Sequence[tuple[str, int, str]], names: Callable[[str], bool]
    ) -> None:
        self.left = [(name, bytes.fromhex(value)) for name, _, value in script if names(name)]

    def __call__(self, size: int) -> bytes:
        name, value = self.left.pop(0)
        assert len(value) == size, f"{name} has {len(value)} bytes, {size} were drawn"
        return value
