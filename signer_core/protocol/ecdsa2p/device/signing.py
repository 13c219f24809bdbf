"""The phone's side of signing a batch (docs/spec/ecdsa2p.md §3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from signer_core.errors import Culprit, ProtocolAbortError, VerificationError
from signer_core.identifiers import SessionId
from signer_core.protocol.commitment import DEVICE, NONCE_BYTES
from signer_core.protocol.curve import Rng, Scalar, base
from signer_core.protocol.ecdsa2p.device.digest import DeviceDigest
from signer_core.protocol.ecdsa2p.device.share import DeviceShare
from signer_core.protocol.ecdsa2p.messages import (
    DeviceNonces,
    EpochAck,
    Item,
    NonceCommitments,
    NonceOpenings,
    PartialSignatures,
    Signature,
    Signatures,
    SignRequest,
)
from signer_core.protocol.ecdsa2p.session import (
    HASH_BYTES,
    check_count,
    check_pending,
    check_request,
    check_sizes,
    digest_scalar,
    hash_item,
    pin_transcript,
    signing_sid,
)
from signer_core.protocol.ecdsa2p.verification import SignatureVerifier
from signer_core.protocol.epoch import make_ack, make_tag, next_key
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.party import Party, step
from signer_core.protocol.proofs import Statement, prove


@dataclass(frozen=True, slots=True)
class EpochState:
    """What the phone stores of clone detection (§5)."""

    number: int
    key: bytes = field(repr=False)  # 32 bytes
    pending: tuple[bytes, ...] = ()  # sids of step 5s sent since this epoch was stored


@dataclass(frozen=True, slots=True)
class DeviceSigned:
    """A finished session: store the epoch durably, and only then send the ack."""

    signatures: tuple[Signature, ...]
    epoch: EpochState
    ack: EpochAck


class DeviceSigning(Party):
    """One signing session; `n = 0` digests prove the PIN alone (refresh, PIN change)."""

    first_step: ClassVar[int] = 1
    peer: ClassVar[Culprit] = "vault"

    def __init__(
        self, share: DeviceShare, device_secret: bytes, epoch: EpochState, rng: Rng
    ) -> None:
        super().__init__()
        self._share, self._epoch, self._rng = share, epoch, rng
        self._secrets = device_secret + share.zeros + share.ones

    @property
    def sid(self) -> SessionId:
        """The session, known after step 3; store it durably as pending before step 5 is sent."""
        return self._sid

    @step(1)
    def step1_request(
        self, use: str, request_id: bytes, request_hash: bytes, items: Sequence[Item]
    ) -> SignRequest:
        """Ask for a session about `items`; id and hash are empty outside `use` = "sign"."""
        share, nonce = self._share, self._rng(NONCE_BYTES)
        self._request = SignRequest(
            use,
            share.key_id,
            share.generation,
            self._epoch.number,
            request_id,
            request_hash,
            nonce,
            tuple(items),
        )
        check_request(self._request)
        self._transcript = pin_transcript(self._request)
        return self._request

    @step(3)
    def step3_answer(self, m: NonceCommitments, attestation: bytes) -> DeviceNonces:
        """Draw our nonce shares and correct the pads; show the epoch and the photo check.

        Raises:
            ProtocolAbortError: sizes or counts are wrong.
        """
        check_sizes(HASH_BYTES, m.vault_nonce, *m.commitments)
        check_count(len(self._request.items), m.commitments)
        check_pending(self._epoch.pending)
        share = self._share
        self._sid = signing_sid(self._request, share.device_key_hash, share.vault_id, m.vault_nonce)
        self._nonces = NonceSource(self._secrets, self._sid, self._rng)
        self._batch = [DeviceDigest(self._sid, j, c) for j, c in enumerate(m.commitments)]
        tag = make_tag(self._epoch.key, self._sid, self._epoch.pending)
        digests = tuple(digest.step3_answer(share, self._nonces) for digest in self._batch)
        reply = DeviceNonces(self._epoch.pending, tag, attestation, digests)
        self._transcript.add(m, reply)
        return reply

    @step(5, part=1, parts=2)
    def step5_check_openings(self, m: NonceOpenings) -> None:
        """Check the vault's nonce shares, while the person reads what is signed.

        Raises:
            ProtocolAbortError: a commitment does not open, or a point or proof is wrong.
        """
        check_count(len(self._batch), m.openings)
        for digest, opening in zip(self._batch, m.openings, strict=True):
            digest.step5_check(opening)
        self._transcript.add(m)
        self._verifier = SignatureVerifier(self._share.public_key)

    @step(5, part=2, parts=2)
    def step5_sign(self, x2: Scalar) -> PartialSignatures:
        """Sign with the unmasked share, and forget it, kappa and the pads.

        Add `sid` to the stored pending ones first; send the result at most once.
        """
        self._hashes = tuple(hash_item(item.data) for item in self._request.items)
        sigmas = tuple(
            digest.step5_sign(digest_scalar(hashed), x2)
            for digest, hashed in zip(self._batch, self._hashes, strict=True)
        )
        context = self._transcript.finish(*sigmas)
        statement = Statement(self._sid, DEVICE, "pin", 0, context)
        proof = prove(statement, x2, base(x2), self._nonces)
        del self._batch, self._nonces, self._secrets, self._transcript
        return PartialSignatures(sigmas, proof)

    @step(7)
    def step7_verify(self, m: Signatures) -> DeviceSigned:
        """Verify every signature under Q and derive the next epoch.

        Raises:
            ProtocolAbortError: counts or sizes are wrong, a signature does not verify, or an s is
                above q/2.
        """
        check_count(len(self._hashes), m.signatures)
        check_sizes(HASH_BYTES, m.epoch_seed)
        try:
            for signature, hashed in zip(m.signatures, self._hashes, strict=True):
                self._verifier.verify(signature, hashed)
        except VerificationError as error:
            raise ProtocolAbortError(str(error)) from None
        key = next_key(self._epoch.key, m.epoch_seed, self._sid)
        epoch = EpochState(self._epoch.number + 1, key)
        return DeviceSigned(m.signatures, epoch, EpochAck(make_ack(key, self._sid)))
