"""A phone made of the protocol's device parties, and its channel to a vault in the same process."""

import asyncio
import dataclasses
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core.identifiers import DeviceKeyHash, VaultId
from signer_core.ports import VaultSessions
from signer_core.protocol.curve import Scalar
from signer_core.protocol.ecdsa2p.device.enrolment import DeviceEnrolment, DeviceIdentity
from signer_core.protocol.ecdsa2p.device.signing import DeviceSigned, DeviceSigning, EpochState
from signer_core.protocol.ecdsa2p.device.transfer import DeviceTransfer

Tamper = Callable[[int, Any], Any]


def untouched(step: int, message: Any) -> Any:
    return message


class MemoryChannel:
    """The vault's end of a channel; `sent` and `inbox` are the phone's."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.sent: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> Any:
        return await self.inbox.get()

    async def send(self, message: Any) -> None:
        await self.sent.put(message)

    finish = send


class Connection:
    """One session under way in the vault, as its phone sees it."""

    def __init__(self, sessions: VaultSessions, certificate: bytes) -> None:
        self.channel = MemoryChannel()
        self.consumed: dict[bytes, Any] = {}  # what the vault told the signer beside the channel
        serving = sessions.serve(certificate, self.channel, self.consumed.__setitem__)
        self.task = asyncio.create_task(serving)

    async def ask(self, message: Any) -> Any:
        """Send, and return the answer; raise what ended the session instead."""
        await self.channel.inbox.put(message)
        return await self.receive()

    async def receive(self) -> Any:
        answer = asyncio.create_task(self.channel.sent.get())
        await asyncio.wait({answer, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return self.task.result()

    async def hang_up(self) -> None:
        """Cancel the vault's task, as gRPC does when a stream breaks."""
        self.task.cancel()
        await asyncio.wait({self.task})


@dataclass
class Phone:
    """A device key, and after `enrol` a share whose PIN mask is left out: `x2` is right, or not."""

    device_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    certificate: bytes = b""
    authorisation: str = ""
    key_id: Any = b""
    share: Any = None
    x2: Any = None
    epoch: Any = None

    @property
    def key_hash(self) -> DeviceKeyHash:
        info = self.device_key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return DeviceKeyHash(hashlib.sha256(info).digest())

    async def enrol(self, link: Connection, tamper: Tamper = untouched) -> None:
        """Run §2 over `link`."""
        who = DeviceIdentity(self.key_id, VaultId("vault-1"), self.key_hash, self.secret)
        party = DeviceEnrolment(who, secrets.token_bytes)
        m2 = await link.ask(tamper(1, party.step1_request(self.authorisation.encode())))
        m4 = await link.ask(tamper(3, party.step3_publish(m2)))
        m6 = await link.ask(tamper(5, party.step5_correct(m4)))
        m8 = await link.ask(tamper(7, party.step7_open_check(m6)))
        done = party.step9_store(m8)
        await link.ask(tamper(9, done.confirmation))
        await link.task
        self.share, self.x2 = done.share, done.x2
        self.epoch = EpochState(0, done.epoch_key)

    def copy(self) -> "Phone":
        """Another phone with the same data: what a thief of a backup has."""
        return dataclasses.replace(self)


@dataclass(frozen=True)
class Ask:
    """What a phone wants signed, and the attestation it shows."""

    request_id: bytes
    request_hash: bytes
    items: tuple[Any, ...]
    attestation: str
    use: str = "sign"


class PhoneTransfer:
    """A transfer from the phone's side, a row at a time, after a refresh or PIN change (§8)."""

    def __init__(self, signing: "PhoneSigning") -> None:
        phone = signing.phone
        self.phone, self.link = phone, signing.link
        self.party = DeviceTransfer(
            phone.share, phone.secret, signing.party.sid, secrets.token_bytes
        )

    async def to_opening(self, tamper: Tamper = untouched) -> Any:
        """Rows 2 to 6; return row 7."""
        m2 = await self.link.receive()
        m4 = await self.link.ask(tamper(3, self.party.step3_publish(m2, self.phone.x2)))
        m6 = await self.link.ask(tamper(5, self.party.step5_correct(m4)))
        return self.party.step7_open_check(m6)

    async def to_confirmation(self, tamper: Tamper = untouched) -> "Phone":
        """Rows 2 to 8; return a phone that has the new generation and nothing else."""
        opening = await self.to_opening(tamper)
        self.made = self.party.step9_store(await self.link.ask(tamper(7, opening)))
        epoch = EpochState(0, self.made.epoch_key)
        return dataclasses.replace(self.phone, share=self.made.share, x2=self.made.x2, epoch=epoch)

    async def run(self, tamper: Tamper = untouched) -> "Phone":
        """Run every row; return the phone in its new generation."""
        renewed = await self.to_confirmation(tamper)
        await self.link.ask(tamper(9, self.made.confirmation))
        await self.link.task
        return renewed


class PhoneSigning:
    """A signing session from the phone's side, a step at a time."""

    def __init__(self, phone: Phone, link: Connection, ask: Ask) -> None:
        self.phone, self.link, self.ask = phone, link, ask
        self.party = DeviceSigning(phone.share, phone.secret, phone.epoch, secrets.token_bytes)

    def request(self) -> Any:
        """Return step 1."""
        ask = self.ask
        return self.party.step1_request(ask.use, ask.request_id, ask.request_hash, ask.items)

    async def to_openings(self, tamper: Tamper = untouched) -> None:
        """Steps 1 to 4: all that happens while the person reads."""
        m2 = await self.link.ask(tamper(1, self.request()))
        m3 = self.party.step3_answer(m2, self.ask.attestation.encode())
        m4 = await self.link.ask(tamper(3, m3))
        self.party.step5_check_openings(m4)

    def make_partials(self, x2: Scalar | None = None) -> Any:
        """Return step 5, with the phone's share or another one; it is pending from now on."""
        phone = self.phone
        pending = (*phone.epoch.pending, self.party.sid)
        phone.epoch = dataclasses.replace(phone.epoch, pending=pending)
        return self.party.step5_sign(phone.x2 if x2 is None else x2)

    async def sign(self, x2: Scalar | None = None, tamper: Tamper = untouched) -> DeviceSigned:
        """Steps 5 and 6, then the phone's own check."""
        m6 = await self.link.ask(tamper(5, self.make_partials(x2)))
        self.reply = m6
        return self.party.step7_verify(m6)

    async def acknowledge(self, signed: DeviceSigned, tamper: Tamper = untouched) -> None:
        """Step 7, after storing the epoch; a refresh goes on after it."""
        self.phone.epoch = signed.epoch
        await self.link.ask(tamper(7, signed.ack))
        if self.ask.use == "sign":
            await self.link.task

    async def run(self, x2: Scalar | None = None, tamper: Tamper = untouched) -> DeviceSigned:
        """Run every step."""
        await self.to_openings(tamper)
        signed = await self.sign(x2, tamper)
        await self.acknowledge(signed, tamper)
        return signed
