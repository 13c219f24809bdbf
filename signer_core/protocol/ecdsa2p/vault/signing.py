"""The vault's side of signing a batch (docs/spec/ecdsa2p.md §3).

The caller owns what is state: whose channel this is, the epoch tag and the attestation of step 3,
and the judgement of §3.1, which drives step 6 in three parts.
"""

from typing import ClassVar

from signer_core.errors import (
    Culprit,
    DeniedError,
    ProtocolAbortError,
    RetireShareError,
    VerificationError,
)
from signer_core.identifiers import SessionId
from signer_core.protocol.commitment import DEVICE, NONCE_BYTES
from signer_core.protocol.curve import Point, Rng, scalar_from_bytes
from signer_core.protocol.ecdsa2p.messages import (
    DeviceNonces,
    EpochAck,
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
    hash_item,
    pin_transcript,
    signing_sid,
)
from signer_core.protocol.ecdsa2p.vault.digest import VaultDigest
from signer_core.protocol.ecdsa2p.vault.share import VaultShare
from signer_core.protocol.ecdsa2p.verification import SignatureVerifier
from signer_core.protocol.epoch import SEED_BYTES, next_key, verify_ack
from signer_core.protocol.multiplication import bits_of
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.party import Party, step
from signer_core.protocol.proofs import Statement, check, parse


class WrongPinError(DeniedError):
    """piPIN does not verify: the try counts as failed; answer `PinRejectedError` with the rest."""


class VaultSigning(Party):
    """One signing session; `n = 0` digests prove the PIN alone (refresh, PIN change)."""

    first_step: ClassVar[int] = 2
    peer: ClassVar[Culprit] = "device"

    def __init__(self, share: VaultShare, rng: Rng) -> None:
        super().__init__()
        self._share, self._rng = share, rng

    @property
    def sid(self) -> SessionId:
        """The session, known after step 2."""
        return self._sid

    @property
    def digests(self) -> tuple[bytes, ...]:
        """SHA-256 of every item (32 bytes each), known after step 2."""
        return self._hashes

    @step(2)
    def step2_commit(self, m: SignRequest) -> NonceCommitments:
        """Draw our nonce share of every digest and commit to it.

        The caller has judged the items' content, the request, the key's state and the epoch.

        Raises:
            ProtocolAbortError: the form is wrong, or it names another key or generation.
        """
        check_request(m)
        share = self._share
        if (m.key_id, m.generation) != (share.key_id, share.generation):
            raise ProtocolAbortError("the request names another key or generation")
        vault_nonce = self._rng(NONCE_BYTES)
        self._sid = signing_sid(m, share.device_key_hash, share.vault_id, vault_nonce)
        self._hashes = tuple(hash_item(item.data) for item in m.items)
        nonces = NonceSource(share.bits + share.seeds, self._sid, self._rng)
        self._batch = [
            VaultDigest(self._sid, index, nonces, self._rng) for index in range(len(m.items))
        ]
        reply = NonceCommitments(vault_nonce, tuple(d.step2_commit() for d in self._batch))
        self._transcript = pin_transcript(m)
        self._transcript.add(reply)
        return reply

    @step(4)
    def step4_open(self, m: DeviceNonces) -> NonceOpenings:
        """Check the device's nonce shares, compute our products, open our commitments.

        The caller judges tag and attestation before, and makes the session live after, before
        it sends the answer.

        Raises:
            ProtocolAbortError: sizes, counts, a point, a proof or a range is wrong.
        """
        check_pending(m.pending)
        check_sizes(HASH_BYTES, m.epoch_tag)
        check_count(len(self._batch), m.digests)
        self._public = Point.from_bytes(self._share.device_public)
        self._verifier = SignatureVerifier(self._share.public_key)
        bits = bits_of(self._share.bits)
        openings = (
            digest.step4_open(theirs, self._share.seeds, bits)
            for digest, theirs in zip(self._batch, m.digests, strict=True)
        )
        reply = NonceOpenings(tuple(openings))
        self._transcript.add(m, reply)
        return reply

    @step(6, part=1, parts=3)
    def step6_check_form(self, m: PartialSignatures) -> None:
        """Check the form of step 5 (§3.1.0), before anything is counted.

        Raises:
            ProtocolAbortError: sizes, counts, a range or a point is wrong.
        """
        check_count(len(self._batch), m.sigmas)
        for sigma in m.sigmas:
            scalar_from_bytes(sigma)
        self._proof, self._sigmas = parse(m.pin_proof), m.sigmas

    @step(6, part=2, parts=3)
    def verify_pin(self) -> None:
        """Check piPIN (§3.1.3), after the try was counted and committed.

        Raises:
            WrongPinError: the device did not use the right x2; the session is dead.
        """
        context = self._transcript.finish(*self._sigmas)
        statement = Statement(self._sid, DEVICE, "pin", 0, context)
        try:
            check(statement, self._public, self._proof)
        except ProtocolAbortError:
            raise WrongPinError("the PIN is wrong") from None

    @step(6, part=3, parts=3)
    def finish(self) -> tuple[Signature, ...]:
        """Compute and verify all signatures (§3.1.4); release none unless all are right.

        Raises:
            RetireShareError: one or more do not verify: retire the key for ever. Which ones,
                nothing tells.
        """
        signatures = tuple(
            digest.step6_complete(sigma)
            for digest, sigma in zip(self._batch, self._sigmas, strict=True)
        )
        wrong = sum(map(self._is_wrong, signatures, self._hashes))
        if wrong:
            raise RetireShareError("the arithmetic of a signature was wrong")
        self._reply = Signatures(signatures, self._rng(SEED_BYTES))
        return signatures

    def _is_wrong(self, signature: Signature, digest: bytes) -> bool:
        try:
            self._verifier.verify(signature, digest)
        except VerificationError:
            return True
        return False

    def reply(self, wrong_tries: int = 0) -> Signatures:
        """Return message 6, to be sent only after the judgement is committed.

        `wrong_tries` is the number of wrong PINs since the last success, for the owner (§4).
        """
        return Signatures(self._reply.signatures, self._reply.epoch_seed, wrong_tries)

    def next_epoch_key(self, epoch_key: bytes) -> bytes:
        """Return the epoch key after this session (§5), from the one its tag was under."""
        return next_key(epoch_key, self._reply.epoch_seed, self._sid)

    @step(8)
    def step8_verify_ack(self, m: EpochAck, new_epoch_key: bytes) -> None:
        """Check that the device has stored the new epoch; the caller marks it as shown.

        Raises:
            ProtocolAbortError: a wrong ack; it ends the session and suspends nothing (§5).
        """
        verify_ack(new_epoch_key, self._sid, m.tag)
