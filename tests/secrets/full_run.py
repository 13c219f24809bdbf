"""A full run that remembers every secret that its phone made: enrol, wrong PIN, sign."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mobile_share import session
from mobile_share.phone import Phone
from signer_core.errors import PinRejectedError
from signer_core.protocol.curve import Point, Scalar, base, inverse
from signer_core.protocol.ecdsa2p.device.digest import DeviceDigest
from signer_core.protocol.ecdsa2p.device.enrolment import DeviceEnrolment
from signer_core.protocol.ecdsa2p.device.signing import DeviceSigning
from tests.crash.world import WRONG_PIN, CrashWorld
from tests.secrets.needles import Secret, octets, scalar


@dataclass
class Heard:
    """What passed through the phone's hands and was to be forgotten. Mutable: a run adds to it."""

    sigmas: list[bytes] = field(default_factory=list)
    kappas: list[int] = field(default_factory=list)
    proofs: list[bytes] = field(default_factory=list)
    unmasked: list[int] = field(default_factory=list)
    seeds: list[bytes] = field(default_factory=list)  # of epochs


def listen(patch: pytest.MonkeyPatch) -> Heard:
    """Note what the phone's program computes and forgets."""
    heard = Heard()
    sign, unmask = DeviceDigest.step5_sign, session.unmask_share
    prove, verify = DeviceSigning.step5_sign, DeviceSigning.step7_verify
    enrolled = DeviceEnrolment.step9_store

    def step5_digest(self: Any, h: int, x2: Scalar) -> bytes:
        heard.kappas.append(int(self._kappa))
        heard.sigmas.append(sign(self, h, x2))
        return heard.sigmas[-1]

    def step5_sign(self: Any, x2: Scalar) -> Any:
        partials = prove(self, x2)
        heard.proofs.append(partials.pin_proof)
        return partials

    def step7_verify(self: Any, m: Any) -> Any:
        heard.seeds.append(m.epoch_seed)
        return verify(self, m)

    def step9_store(self: Any, m: Any) -> Any:
        heard.seeds.append(m.epoch_seed)
        return enrolled(self, m)

    def unmask_share(masked: bytes, factor: int) -> int:
        heard.unmasked += [unmask(masked, factor), factor]
        return heard.unmasked[-2]

    patch.setattr(DeviceDigest, "step5_sign", step5_digest)
    patch.setattr(DeviceSigning, "step5_sign", step5_sign)
    patch.setattr(DeviceSigning, "step7_verify", step7_verify)
    patch.setattr(DeviceEnrolment, "step9_store", step9_store)
    patch.setattr(session, "unmask_share", unmask_share)
    return heard


async def run(world: CrashWorld, folder: Path) -> Phone:
    """Enrol, type a wrong PIN, sign twice."""
    phone = await world.citizen(folder)
    request_id = await world.request()
    with pytest.raises(PinRejectedError):
        await world.sign(phone, request_id, WRONG_PIN)
    await world.sign(phone, request_id)
    await world.sign(phone, await world.request())
    return phone


def of_the_phone(phone: Phone, heard: Heard) -> list[Secret]:
    """What only the phone has, or only its person."""
    device_secret = phone.key_store.device_secret()
    return [
        octets("device_secret", device_secret),
        octets("SHA-256 of device_secret", hashlib.sha256(device_secret).digest()),
        *(scalar(f"x2 or F {n}", value) for n, value in enumerate(heard.unmasked)),
        *(scalar(f"kappa {n}", kappa) for n, kappa in enumerate(heard.kappas)),
        *(scalar(f"k2 {n}", inverse(kappa)) for n, kappa in enumerate(heard.kappas)),
    ]


def of_transfers(phone: Phone) -> list[tuple[Secret, Secret]]:
    """Return both seeds of the first and of the last transfer: the vault has one of the two."""
    share = phone.shares.load().share
    return [
        (octets(f"seed {n} of 0", share.zeros[at]), octets(f"seed {n} of 1", share.ones[at]))
        for n, at in (("first", slice(0, 16)), ("last", slice(-16, None)))
    ]


def of_the_channel(phone: Phone, heard: Heard) -> list[Secret]:
    """What phone and vault both see: each tests PINs, or makes epoch keys."""
    x2_public = base(heard.unmasked[-2])
    x1_public = Point.from_bytes(phone.shares.load().share.public_key) - x2_public
    return [
        *(octets(f"sigma {n}", sigma) for n, sigma in enumerate(heard.sigmas)),
        *(octets(f"piPIN {n}", proof) for n, proof in enumerate(heard.proofs)),
        *(octets(f"epoch seed {n}", seed) for n, seed in enumerate(heard.seeds)),
        octets("epoch key", phone.shares.load().epoch_key),
        octets("X2", x2_public.to_bytes()[1:]),
        octets("X1", x1_public.to_bytes()[1:]),
    ]
