"""A vault for tests of the phone: the protocol's vault parties over the real channel.

It has the least state that lets a phone be tested: epochs, pending sessions, wrong PINs.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from grpc_api.channel import Enrolled, EpochAcked, vault_channel, vault_context
from mobile_share.keystore import device_key_hash
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    KeySuspendedError,
    NotFoundError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
    SignerError,
    UnknownGenerationError,
)
from signer_core.identifiers import VaultId
from signer_core.protocol.ecdsa2p.messages import EnrolRequest
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolment
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning, WrongPinError
from signer_core.protocol.ecdsa2p.vault.transfer import VaultTransfer
from signer_core.protocol.epoch import verify_tag
from signer_core.protocol.request import request_hash
from tests.fakes.citizen import name, new_key
from tests.fakes.phone_pki import VAULT_ID, Pki, certify, key_pem, pem


@dataclass
class Generation:
    """One generation of a key's shares at the fake vault."""

    share: Any
    epoch_key: bytes
    epoch: int = 0
    previous: tuple[int, bytes] | None = None
    last_sid: bytes = b""
    is_shown: bool = True


@dataclass
class VaultKey:
    """State of one key at the fake vault: one or two generations, the older first."""

    generations: list[Generation]
    failed: int = 0
    status: str = "active"

    @property
    def share(self):
        return self.generations[0].share

    def find(self, number):
        """The generation a phone shows: an erased one is a copy's, a later one unknown."""
        for one in self.generations:
            if one.share.generation == number:
                return one
        if number < self.share.generation:
            self.status = "suspended"
            raise KeySuspendedError("a copy of this phone exists")
        raise UnknownGenerationError("the vault does not know this generation")


class FakeVault:
    """Answers one channel after another. `hooks` run at a named moment and may raise or wait."""

    def __init__(self, pki: Pki, folder: Path, vault_id: str = VAULT_ID) -> None:
        key = new_key()
        names = x509.SubjectAlternativeName([x509.DNSName(f"{vault_id}.vault.internal")])
        uses = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
        leaf = certify(pki.infrastructure, key.public_key(), name(common_name="vault"), names, uses)
        (folder / "vault.key").write_bytes(key_pem(key))
        chain = pem(x509.load_der_x509_certificate(leaf)) + pem(pki.infrastructure.certificate)
        (folder / "vault.pem").write_text(chain)
        self.context = vault_context(
            folder / "vault.pem", folder / "vault.key", pem(pki.devices.certificate).encode()
        )
        self.vault_id = VaultId(vault_id)
        self.keys: dict[bytes, VaultKey] = {}
        self.requests: dict[bytes, bytes] = {}  # request id: request hash
        self.results: dict[bytes, Any] = {}  # request id: signatures
        self.hooks: dict[str, Callable[[Any], Any]] = {}
        self.seen: list[Any] = []
        self.actions: dict[bytes, tuple[str, bytes | None]] = {}  # request id: kind, about whom
        self.codes: dict[bytes, bytes] = {}  # key id: hash of its suspend code
        self.hold_until_s = 0
        self.rng = secrets.token_bytes

    async def serve(self, read, write):
        try:
            channel = await vault_channel(read, write, self.context)
        except SignerError:
            return  # refused: the alert was sent
        try:
            await self._session(channel)
        except SignerError as error:
            with suppress(SignerError):
                await channel.fail(error)

    async def _moment(self, name, value=None):
        self.seen.append(value)
        if name in self.hooks:
            changed = self.hooks[name](value)
            return value if changed is None else changed
        return value

    async def _session(self, channel):
        first = await channel.receive()
        peer = x509.load_der_x509_certificate(channel.device_certificate).public_key()
        if isinstance(first, EnrolRequest):
            await self._enrol(channel, first, device_key_hash(peer))
        else:
            await self._sign(channel, first)

    async def _enrol(self, channel, first, key_hash):
        party = VaultEnrolment(self.vault_id, key_hash, self.rng)
        await channel.send(party.step2_commit(first))
        await channel.send(await self._moment("row4", party.step4_offer(await channel.receive())))
        await channel.send(party.step6_commit_check(await channel.receive()))
        await channel.send(party.step8_open_check(await channel.receive()))
        confirmation = await channel.receive()
        await self._moment("row9", confirmation)
        done = party.step10_finish(confirmation)
        self.keys[first.key_id] = VaultKey([Generation(done.share, done.epoch_key)])
        authorisation = first.authorisation.decode()
        self.requests[first.key_id] = request_hash(
            "certificate", authorisation, "", [], "", first.key_id
        )
        await self._moment("enrolled")
        await channel.send(Enrolled())

    async def _sign(self, channel, first):
        key = self.keys.get(first.key_id)
        if key is None:
            raise NotFoundError("no such key")
        if key.status == "suspended":
            raise KeySuspendedError("the key is suspended")
        if key.status == "retired":
            raise RetireShareError("the key is retired")
        generation = key.find(first.generation)
        self._check_request(first, key)
        party = VaultSigning(generation.share, self.rng)
        await channel.send(party.step2_commit(first))
        nonces = await channel.receive()
        shown = self._judge_tag(key, generation, first.epoch, party.sid, nonces)
        await channel.send(await self._moment("step4", party.step4_open(nonces)))
        await self._judge(channel, first, key, generation, party, shown)
        if first.use != "sign":
            await self._transfer(channel, key, generation, party.sid)

    def _check_request(self, first, key):
        if first.request_hash:
            if self.requests.get(first.request_id) != first.request_hash:
                raise DeniedError("the request is not the one that was registered")
        elif first.use == "sign" and len(key.generations) == 1:
            raise InvalidRequestError("there is nothing to prove")

    async def _judge(self, channel, first, key, generation, party, shown):
        partials = await self._moment("step5", await channel.receive())
        party.step6_check_form(partials)
        key.failed += 1
        try:
            party.verify_pin()
        except WrongPinError:
            raise PinRejectedError(9 - key.failed, self.hold_until_s) from None
        signatures = party.finish()
        wrong, key.failed = key.failed - 1, 0
        new_key_ = party.next_epoch_key(shown[1])
        generation.previous, generation.last_sid, generation.is_shown = shown, party.sid, False
        generation.epoch, generation.epoch_key = shown[0] + 1, new_key_
        key.generations = key.generations[key.generations.index(generation) :]
        self.results[first.request_id] = signatures
        self._act(key, first.request_id)
        reply = await self._moment("step6", party.reply(wrong))
        await channel.send(reply)
        ack = await channel.receive()
        party.step8_verify_ack(ack, new_key_)
        generation.is_shown = True
        await self._moment("step7")
        await channel.send(EpochAcked())

    def _act(self, key, request_id):
        kind, about = self.actions.get(request_id, ("", None))
        if kind == "keySuspension":
            key.status = "suspended"
        elif kind == "keyRevocation":
            key.status = "retired"
        elif kind == "keyReplacement" and about in self.keys:
            self.keys[about].status = "retired"

    async def _transfer(self, channel, key, generation, sid):
        party = VaultTransfer(generation.share, sid, self.rng)
        await channel.send(await self._moment("delta", party.step2_shift()))
        await channel.send(await self._moment("row4", party.step4_choose(await channel.receive())))
        check = party.step6_commit_check(await channel.receive())
        await channel.send(await self._moment("row6", check))
        party.step8_check_form(await self._moment("row7", await channel.receive()))
        await channel.send(await self._moment("row8", party.step8_judge()))
        done = party.step10_finish(await self._moment("row9", await channel.receive()))
        key.generations = [generation, Generation(done.share, done.epoch_key)]
        await self._moment("enrolled")
        await channel.send(Enrolled())

    def _judge_tag(self, key, generation, epoch, sid, nonces):
        """Section 5: current key; or the previous one, if a reply was lost."""
        with suppress(ProtocolAbortError):
            if epoch == generation.epoch:
                verify_tag(generation.epoch_key, sid, nonces.pending, nonces.epoch_tag)
                return generation.epoch, generation.epoch_key
            previous = generation.previous
            if previous and epoch == previous[0] and not generation.is_shown:
                verify_tag(previous[1], sid, nonces.pending, nonces.epoch_tag)
                if generation.last_sid in nonces.pending:
                    return previous
        key.status = "suspended"
        raise KeySuspendedError("a copy of this phone exists")
