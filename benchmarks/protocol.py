"""The protocol alone, both parties in one process: `python -m benchmarks.protocol`.

CPU time of this process (`time.process_time_ns`), medians of rounds that interleave everything
measured, so that a busy machine slows all alike. The floor is the same elliptic curve operations
by raw OpenSSL calls, and 416 SHA-512, as the vault needs them for one signature.
"""

import hashlib
import secrets
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.protocol import curve, openssl
from signer_core.protocol.ecdsa2p.device.enrolment import (
    DeviceEnrolled,
    DeviceEnrolment,
    DeviceIdentity,
)
from signer_core.protocol.ecdsa2p.device.signing import DeviceSigning, EpochState
from signer_core.protocol.ecdsa2p.messages import Item, Message, encode_message
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolled, VaultEnrolment
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning

T = TypeVar("T")
M = TypeVar("M", bound=Message)
SIGNATURES = 200  # rounds of one signature and one floor
ENROLMENTS = 9
PAD_BYTES = 106  # input of one pad
RNG = secrets.token_bytes
WHO = DeviceIdentity(KeyId(RNG(16)), VaultId("vault-1"), DeviceKeyHash(RNG(32)), RNG(32))


class Clock:
    """Adds up CPU time by name."""

    def __init__(self) -> None:
        self.spent_ns: defaultdict[str, int] = defaultdict(int)

    def run(self, name: str, work: Callable[[], T]) -> T:
        """Do the work on the account of `name`."""
        begun = time.process_time_ns()
        result = work()
        self.spent_ns[name] += time.process_time_ns() - begun
        return result


class Wire:
    """Counts the bytes of messages, as encoded fields."""

    def __init__(self) -> None:
        self.size = 0

    def carry(self, message: M) -> M:
        """Count one message and pass it on."""
        self.size += len(encode_message(message))
        return message


def enrol(wire: Wire) -> tuple[DeviceEnrolled, VaultEnrolled]:
    device = DeviceEnrolment(WHO, RNG)
    vault = VaultEnrolment(WHO.vault_id, WHO.device_key_hash, RNG)
    m1 = wire.carry(device.step1_request(b"authorisation"))
    m2 = wire.carry(vault.step2_commit(m1))
    m3 = wire.carry(device.step3_publish(m2))
    m4 = wire.carry(vault.step4_offer(m3))
    m5 = wire.carry(device.step5_correct(m4))
    m6 = wire.carry(vault.step6_commit_check(m5))
    m7 = wire.carry(device.step7_open_check(m6))
    m8 = wire.carry(vault.step8_open_check(m7))
    enrolled = device.step9_store(m8)
    wire.carry(enrolled.confirmation)
    return enrolled, vault.step10_finish(enrolled.confirmation)


def sign(device_key: DeviceEnrolled, vault_key: VaultEnrolled, clock: Clock, wire: Wire) -> None:
    """Make one signature; the device's time is without Argon2id, which unmasks x2 before."""
    epoch = EpochState(0, device_key.epoch_key)
    device = clock.run(
        "device", lambda: DeviceSigning(device_key.share, WHO.device_secret, epoch, RNG)
    )
    vault = clock.run("vault", lambda: VaultSigning(vault_key.share, RNG))
    item = Item("cms", RNG(300))
    m1 = clock.run("device", lambda: device.step1_request("sign", RNG(16), RNG(32), (item,)))
    m2 = clock.run("vault", lambda: vault.step2_commit(m1))
    m3 = clock.run("device", lambda: device.step3_answer(m2, b"attestation"))
    m4 = clock.run("vault", lambda: vault.step4_open(m3))
    clock.run("device", lambda: device.step5_check_openings(m4))
    m5 = clock.run("device", lambda: device.step5_sign(device_key.x2))
    clock.run("after the PIN", lambda: (vault.step6_check_form(m5), vault.verify_pin()))
    clock.run("after the PIN", vault.finish)
    m6 = vault.reply()
    m7 = clock.run("device", lambda: device.step7_verify(m6)).ack
    for message in (m1, m2, m3, m4, m5, m6, m7):
        wire.carry(message)


class Floor:
    """What no implementation of these steps can leave out in the vault."""

    def __init__(self) -> None:
        self._scalar = int.from_bytes(RNG(31), "big")
        self._encoded = curve.base(self._scalar).to_bytes()
        self._point = openssl.decode(self._encoded)
        self._pad = RNG(PAD_BYTES)
        private = ec.generate_private_key(ec.SECP256R1())
        self._public, self._ecdsa = private.public_key(), ec.ECDSA(Prehashed(SHA256()))
        self._signature = private.sign(bytes(32), self._ecdsa)

    def run(self) -> None:
        """The multiplications, codings and ECDSA of one signature, and its 416 pads."""
        k, point, encoded, pad = self._scalar, self._point, self._encoded, self._pad
        for _ in range(2):  # R1, A of pi1
            openssl.encode(openssl.multiply(k, None, None))
        for _ in range(2):  # pi2, piPIN
            openssl.multiply(k, point, k)
        for _ in range(4):  # R2, A of pi2, X2, A of piPIN
            openssl.decode(encoded)
        openssl.encode(openssl.multiply(None, point, k))  # r
        self._public.verify(self._signature, bytes(32), self._ecdsa)
        for _ in range(416):
            hashlib.sha512(pad).digest()


def argon2id() -> None:
    """RFC 9106, second recommendation: 64 MiB, t = 3, p = 4."""
    hash_secret_raw(b"48213", RNG(32), 3, 65536, 4, 48, Type.ID)


def measure() -> tuple[dict[str, float], dict[str, int]]:
    """Return CPU milliseconds (medians) and bytes, by name."""
    rounds: defaultdict[str, list[int]] = defaultdict(list)
    enrol_wire, sign_wire = Wire(), Wire()
    keys = enrol(enrol_wire)
    for _ in range(ENROLMENTS):
        clock = Clock()
        keys = clock.run("enrolment", lambda: enrol(Wire()))
        clock.run("argon2id", argon2id)
        for name, spent in clock.spent_ns.items():
            rounds[name].append(spent)
    floor = Floor()
    for _ in range(SIGNATURES):
        clock, sign_wire = Clock(), Wire()
        sign(*keys, clock, sign_wire)
        clock.run("floor", floor.run)
        for name, spent in clock.spent_ns.items():
            rounds[name].append(spent)
    cpu_ms = {name: statistics.median(spent) / 1e6 for name, spent in rounds.items()}
    return cpu_ms, {"enrolment": enrol_wire.size, "signature": sign_wire.size}


def main() -> None:
    cpu_ms, sizes = measure()
    vault = cpu_ms["vault"] + cpu_ms["after the PIN"]
    floor = cpu_ms["floor"]
    rows = (
        ("vault, one signature", vault, f"<= 1.6 or {1.5 * floor:.2f} (1.5 x floor)"),
        ("  of it after the PIN", cpu_ms["after the PIN"], "<= 0.5"),
        ("floor of the vault", floor, f"vault / floor = {vault / floor:.2f}"),
        ("device, one signature", cpu_ms["device"], "<= 2.5, without Argon2id"),
        ("Argon2id beside it", cpu_ms["argon2id"], "64 MiB, t = 3, p = 4"),
        ("enrolment, both sides", cpu_ms["enrolment"], "<= 300"),
    )
    print(f"{'CPU':26}{'ms':>9}  target, ms")
    for name, spent, target in rows:
        print(f"{name:26}{spent:9.2f}  {target}")
    print(f"\n{'on the wire':26}{'bytes':>9}")
    for name, size in sizes.items():
        print(f"{name + ', both ways':26}{size:9}")


if __name__ == "__main__":
    main()
