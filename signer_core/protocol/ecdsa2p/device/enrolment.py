"""The phone's side of enrolment (docs/spec/ecdsa2p.md §2)."""

from dataclasses import dataclass, field
from typing import ClassVar

from signer_core.errors import Culprit
from signer_core.identifiers import DeviceKeyHash, KeyId, SessionId, VaultId
from signer_core.protocol.commitment import (
    DEVICE,
    NONCE_BYTES,
    VAULT,
    commit,
    verify_opening,
)
from signer_core.protocol.curve import Point, Rng, Scalar, base, random_scalar
from signer_core.protocol.ecdsa2p.device.consistency import DeviceConsistency
from signer_core.protocol.ecdsa2p.device.share import DeviceShare
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
    Transcript,
    check_sizes,
    enrolment_sid,
)
from signer_core.protocol.epoch import next_key
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.party import Party, step
from signer_core.protocol.proofs import Statement, prove, verify


@dataclass(frozen=True, slots=True)
class DeviceEnrolled:
    """A finished enrolment or transfer.

    Mask `x2` with the PIN and forget it; store the rest durably; only then send `confirmation`.
    """

    share: DeviceShare
    x2: Scalar = field(repr=False)
    epoch_key: bytes = field(repr=False)  # 32 bytes, of epoch 0
    confirmation: EnrolConfirmation


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """Who enrols with whom."""

    key_id: KeyId  # 16 bytes
    vault_id: VaultId
    device_key_hash: DeviceKeyHash  # 32 bytes, of the key that authenticates our channel
    device_secret: bytes = field(repr=False)  # 32 bytes, of the platform key store


class DeviceEnrolment(Party):
    """One enrolment."""

    first_step: ClassVar[int] = 1
    peer: ClassVar[Culprit] = "vault"

    def __init__(self, identity: DeviceIdentity, rng: Rng) -> None:
        super().__init__()
        self._identity, self._rng = identity, rng
        self._transcript = Transcript("enrolled", ENROLMENT_PARTS)

    @property
    def sid(self) -> SessionId:
        """The session, known after step 3."""
        return self._sid

    @step(1)
    def step1_request(self, authorisation: bytes) -> EnrolRequest:
        """Begin, with the registrar's authorisation (opaque here)."""
        self._device_nonce = self._rng(NONCE_BYTES)
        self._authorisation = authorisation
        reply = EnrolRequest(self._identity.key_id, self._device_nonce, authorisation)
        self._transcript.add(reply)
        return reply

    @step(3)
    def step3_publish(self, m: VaultCommitment) -> DevicePublicShare:
        """Draw our share and the key of the transfers; prove both.

        Raises:
            ProtocolAbortError: a field has the wrong size.
        """
        check_sizes(HASH_BYTES, m.vault_nonce, m.commitment)
        self._commitment = m.commitment
        who = self._identity
        session = (self._device_nonce, m.vault_nonce)
        self._sid = enrolment_sid(
            who.key_id, who.device_key_hash, who.vault_id, self._authorisation, session
        )
        nonces = NonceSource(who.device_secret, self._sid, self._rng)
        self._x2 = random_scalar(self._rng)
        self._public = base(self._x2)
        proof = prove(Statement(self._sid, DEVICE, "x2"), self._x2, self._public, nonces)
        self._consistency = DeviceConsistency(self._sid, self._rng)
        reply = DevicePublicShare(
            self._public.to_bytes(), proof, *self._consistency.row3_key(nonces)
        )
        self._transcript.add(m, reply)
        return reply

    @step(5)
    def step5_correct(self, m: TransferOffer) -> CheckCorrections:
        """Check the vault's opening and proof; derive the seeds; answer with the corrections.

        Raises:
            ProtocolAbortError: the commitment does not open, a proof or a point is wrong, or
                `X1 + X2` is infinity.
        """
        check_sizes(HASH_BYTES, m.commitment_nonce)
        values = (m.public_share, m.public_share_proof)
        opened = commit(self._sid, VAULT, "X1", 0, values, m.commitment_nonce)
        verify_opening(self._commitment, opened)
        self._vault_public = Point.from_bytes(m.public_share)
        statement = Statement(self._sid, VAULT, "x1")
        verify(statement, self._vault_public, m.public_share_proof)
        self._public_key = self._vault_public + self._public
        reply = self._consistency.row5_correct(m.transfer_points)
        self._transcript.add(m, reply)
        return reply

    @step(7)
    def step7_open_check(self, m: CheckCommitment) -> CheckOpening:
        """Open our inputs, now that the vault is committed to its own.

        Raises:
            ProtocolAbortError: the commitment has the wrong size.
        """
        reply = self._consistency.row7_open(m)
        self._transcript.add(m, reply)
        return reply

    @step(9)
    def step9_store(self, m: VaultOpening) -> DeviceEnrolled:
        """Check that the vault's bits are those of X1; return what to store and what to send.

        Raises:
            ProtocolAbortError: B was not committed to, or the bits are others.
        """
        self._consistency.row8_verify(m, self._vault_public)
        self._transcript.add(m)
        confirmation = EnrolConfirmation(self._transcript.finish(self._public_key.to_bytes()))
        who, keys = self._identity, self._consistency
        share = DeviceShare(
            who.key_id,
            0,
            who.vault_id,
            who.device_key_hash,
            self._public_key.to_bytes(),
            keys.zeros,
            keys.ones,
        )
        epoch_key = next_key(b"", m.epoch_seed, self._sid)
        enrolled = DeviceEnrolled(share, self._x2, epoch_key, confirmation)
        del self._x2, self._public, self._vault_public, self._consistency, self._transcript
        return enrolled
