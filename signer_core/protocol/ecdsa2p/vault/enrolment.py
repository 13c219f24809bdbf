"""The vault's side of enrolment (docs/spec/ecdsa2p.md §2)."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from signer_core.errors import Culprit, ProtocolAbortError
from signer_core.identifiers import DeviceKeyHash, KeyId, SessionId, VaultId
from signer_core.protocol.commitment import DEVICE, NONCE_BYTES, VAULT, commit
from signer_core.protocol.curve import Point, Rng, Scalar, base
from signer_core.protocol.ecdsa2p.messages import (
    CheckCommitment,
    CheckCorrections,
    CheckOpening,
    DevicePublicShare,
    EnrolConfirmation,
    EnrolRequest,
    TransferOffer,
    VaultCommitment,
    VaultOpening,
)
from signer_core.protocol.ecdsa2p.session import (
    ENROLMENT_PARTS,
    HASH_BYTES,
    ID_BYTES,
    Transcript,
    check_sizes,
    enrolment_sid,
)
from signer_core.protocol.ecdsa2p.vault.consistency import VaultConsistency
from signer_core.protocol.ecdsa2p.vault.share import VaultShare
from signer_core.protocol.epoch import next_key
from signer_core.protocol.multiplication import BITS_BYTES, bits_of, subset_sum
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.party import Party, step
from signer_core.protocol.proofs import Statement, prove, verify


@dataclass(frozen=True, slots=True)
class VaultEnrolled:
    """A finished enrolment or transfer: store it, then tell the device."""

    share: VaultShare
    epoch_key: bytes = field(repr=False)  # 32 bytes, of epoch 0


def draw_bits(rng: Rng, is_usable: Callable[[Scalar], bool]) -> tuple[bytes, Scalar]:
    """Draw the bits of a share (52 bytes) with their `x1`, again until it is not zero and usable.

    `is_usable` is False with negligible chance.
    """
    while True:
        encoded = rng(BITS_BYTES)
        x1 = subset_sum(bits_of(encoded))
        if x1 != 0 and is_usable(x1):
            return encoded, x1


class VaultEnrolment(Party):
    """One enrolment. An abort erases everything of it: drop the object."""

    first_step: ClassVar[int] = 2
    peer: ClassVar[Culprit] = "device"

    def __init__(self, vault_id: VaultId, device_key_hash: DeviceKeyHash, rng: Rng) -> None:
        """Take the hash (32 bytes) of the device key that the channel authenticated."""
        super().__init__()
        self._vault_id, self._device_key_hash, self._rng = vault_id, device_key_hash, rng
        self._transcript = Transcript("enrolled", ENROLMENT_PARTS)

    @property
    def sid(self) -> SessionId:
        """The session, known after step 2."""
        return self._sid

    @step(2)
    def step2_commit(self, m: EnrolRequest) -> VaultCommitment:
        """Draw the share and commit to its public half; the caller has judged the authorisation.

        Raises:
            ProtocolAbortError: a field has the wrong size.
        """
        check_sizes(ID_BYTES, m.key_id)
        check_sizes(HASH_BYTES, m.device_nonce)
        vault_nonce = self._rng(NONCE_BYTES)
        self._key_id = KeyId(m.key_id)
        nonces = (m.device_nonce, vault_nonce)
        self._sid = enrolment_sid(
            self._key_id, self._device_key_hash, self._vault_id, m.authorisation, nonces
        )
        reply = VaultCommitment(vault_nonce, self._draw_share())
        self._transcript.add(m, reply)
        return reply

    def _draw_share(self) -> bytes:
        """Draw b; return the commitment C1 to X1 and its proof."""
        self._bits, x1 = draw_bits(self._rng, lambda _: True)
        self._public = base(x1)
        nonces = NonceSource(self._bits, self._sid, self._rng)
        self._proof = prove(Statement(self._sid, VAULT, "x1"), x1, self._public, nonces)
        self._opening_nonce = self._rng(NONCE_BYTES)
        values = (self._public.to_bytes(), self._proof)
        return commit(self._sid, VAULT, "X1", 0, values, self._opening_nonce)

    @step(4)
    def step4_offer(self, m: DevicePublicShare) -> TransferOffer:
        """Check the device's proofs, open our commitment and choose our side of the transfers.

        Raises:
            ProtocolAbortError: a point or proof is wrong, or `X1 + X2` is infinity.
        """
        self._device_public = Point.from_bytes(m.public_share)
        transfer_key = Point.from_bytes(m.transfer_key)
        verify(Statement(self._sid, DEVICE, "x2"), self._device_public, m.public_share_proof)
        verify(Statement(self._sid, DEVICE, "y"), transfer_key, m.transfer_key_proof)
        self._public_key = self._public + self._device_public
        self._consistency = VaultConsistency(self._sid, self._bits, self._rng)
        choices = self._consistency.row4_choose(transfer_key)
        opening = (self._public.to_bytes(), self._proof, self._opening_nonce)
        reply = TransferOffer(*opening, choices)
        self._transcript.add(m, reply)
        return reply

    @step(6)
    def step6_commit_check(self, m: CheckCorrections) -> CheckCommitment:
        """Commit to our side of the check; raises as `VaultConsistency.row6_commit`."""
        reply = self._consistency.row6_commit(m)
        self._transcript.add(m, reply)
        return reply

    @step(8)
    def step8_open_check(self, m: CheckOpening) -> VaultOpening:
        """Compare the device's inputs with ours, then open our side.

        Raises:
            ProtocolAbortError: they differ, one answer whichever did.
        """
        self._consistency.row7_verify(*self._consistency.row7_parse(m))
        reply = self._consistency.row8_open()
        self._epoch_seed = reply.epoch_seed
        self._transcript.add(m, reply)
        return reply

    @step(10)
    def step10_finish(self, m: EnrolConfirmation) -> VaultEnrolled:
        """Return the share to be stored: only with its commit the key becomes active.

        Raises:
            ProtocolAbortError: the device saw other messages or another Q.
        """
        if not hmac.compare_digest(self._transcript.finish(self._public_key.to_bytes()), m.digest):
            raise ProtocolAbortError("the device confirms another enrolment")
        share = VaultShare(
            self._key_id,
            0,
            self._vault_id,
            self._device_key_hash,
            self._public_key.to_bytes(),
            self._device_public.to_bytes(),
            self._bits,
            self._consistency.seeds,
        )
        return VaultEnrolled(share, next_key(b"", self._epoch_seed, self._sid))
