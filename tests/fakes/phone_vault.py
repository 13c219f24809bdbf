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
from signer_core.errors import DeniedError, NotFoundError, PinRejectedError, SignerError
from signer_core.identifiers import VaultId
from signer_core.protocol.ecdsa2p.messages import EnrolRequest
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolment
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning, WrongPinError
from signer_core.protocol.epoch import verify_tag
from signer_core.protocol.request import request_hash
from tests.fakes.citizen import name, new_key
from tests.fakes.phone_pki import VAULT_ID, Pki, certify, key_pem, pem


@dataclass
class VaultKey:
    """State of one key at the fake vault."""

    share: Any
    epoch_key: bytes
    epoch: int = 0
    previous: tuple[int, bytes] | None = None
    last_sid: bytes = b""
    is_shown: bool = True
    failed: int = 0


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
        self.keys[first.key_id] = VaultKey(done.share, done.epoch_key)
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
        if self.requests.get(first.request_id) != first.request_hash:
            raise DeniedError("the request is not the one that was registered")
        party = VaultSigning(key.share, self.rng)
        await channel.send(party.step2_commit(first))
        nonces = await channel.receive()
        epoch, epoch_key = self._judge_tag(key, first.epoch, party.sid, nonces)
        await channel.send(await self._moment("step4", party.step4_open(nonces)))
        await self._judge(channel, first, key, party, (epoch, epoch_key))

    async def _judge(self, channel, first, key, party, shown):
        partials = await self._moment("step5", await channel.receive())
        party.step6_check_form(partials)
        key.failed += 1
        try:
            party.verify_pin()
        except WrongPinError:
            raise PinRejectedError(9 - key.failed) from None
        signatures = party.finish()
        wrong, key.failed = key.failed - 1, 0
        new_key_ = party.next_epoch_key(shown[1])
        key.previous, key.last_sid, key.is_shown = shown, party.sid, False
        key.epoch, key.epoch_key = shown[0] + 1, new_key_
        self.results[first.request_id] = signatures
        reply = await self._moment("step6", party.reply(wrong))
        await channel.send(reply)
        ack = await channel.receive()
        party.step8_verify_ack(ack, new_key_)
        key.is_shown = True
        await self._moment("step7")
        await channel.send(EpochAcked())

    def _judge_tag(self, key, epoch, sid, nonces):
        """Section 5: current key; or the previous one, if a reply was lost."""
        if epoch == key.epoch:
            verify_tag(key.epoch_key, sid, nonces.pending, nonces.epoch_tag)
            return key.epoch, key.epoch_key
        if key.previous and epoch == key.previous[0] and not key.is_shown:
            verify_tag(key.previous[1], sid, nonces.pending, nonces.epoch_tag)
            if key.last_sid in nonces.pending:
                return key.previous
        raise DeniedError("a copy of this phone exists")
