"""What both roles compute alike: session ids, digests, transcripts (docs/spec/ecdsa2p.md §1-§3)."""

import hashlib
from collections.abc import Sequence

from signer_core.errors import ProtocolAbortError
from signer_core.identifiers import DeviceKeyHash, KeyId, SessionId, VaultId
from signer_core.protocol.ecdsa2p.messages import (
    MAX_DIGESTS,
    USES,
    Message,
    SignRequest,
    encode_message,
)
from signer_core.protocol.epoch import MAX_PENDING
from signer_core.protocol.transcript import Q, ascii_bytes, h32, part, prefix, u32

ID_BYTES = 16  # of keys and requests
HASH_BYTES = 32  # nonces, commitments, seeds, digests, sids
LOW_S_MAX = Q // 2  # BIP 146: of s and q-s only the lower is a signature here


def check_sizes(size: int, *values: bytes) -> None:
    """Check that every value has `size` bytes.

    Raises:
        ProtocolAbortError: one has another size.
    """
    if any(len(value) != size for value in values):
        raise ProtocolAbortError("a field of the message has the wrong size")


def check_count(expected: int, actual: Sequence[object]) -> None:
    """Check that a list has one member for each digest.

    Raises:
        ProtocolAbortError: it has more or fewer.
    """
    if len(actual) != expected:
        raise ProtocolAbortError("a list of the message has the wrong length")


def check_request(m: SignRequest) -> None:
    """Check the form of step 1: sizes, at most 64 items, and none outside `sign`.

    A `sign` without items may have an empty request: then it proves the PIN and nothing else.

    Raises:
        ProtocolAbortError: the first thing that is wrong.
    """
    if m.use not in USES:
        raise ProtocolAbortError("unknown use")
    check_sizes(ID_BYTES, m.key_id)
    check_sizes(HASH_BYTES, m.device_nonce)
    if len(m.items) > MAX_DIGESTS:
        raise ProtocolAbortError(f"at most {MAX_DIGESTS} digests a batch")
    if m.use == "sign" and (m.items or m.request_id or m.request_hash):
        check_sizes(ID_BYTES, m.request_id)
        check_sizes(HASH_BYTES, m.request_hash)
    elif m.items or m.request_id or m.request_hash:
        raise ProtocolAbortError(f"{m.use} signs nothing")


def check_pending(pending: Sequence[bytes]) -> None:
    """Check the form of the pending sids of step 3: at most 64 of 32 bytes.

    Raises:
        ProtocolAbortError: more of them, or another size.
    """
    if len(pending) > MAX_PENDING:
        raise ProtocolAbortError(f"at most {MAX_PENDING} pending sessions")
    check_sizes(HASH_BYTES, *pending)


def hash_item(data: bytes) -> bytes:
    """Return the digest of the bytes to be signed: SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def digest_scalar(digest: bytes) -> int:
    """Return h: the digest as an integer mod q."""
    return int.from_bytes(digest, "big") % Q


def enrolment_sid(
    key_id: KeyId,
    device_key_hash: DeviceKeyHash,
    vault_id: VaultId,
    authorisation: bytes,
    nonces: tuple[bytes, bytes],
) -> SessionId:
    """Return the sid of an enrolment; `nonces` are the device's, then the vault's."""
    bound = (u32(0), device_key_hash, ascii_bytes(vault_id), h32("auth", authorisation))
    return SessionId(h32("enrol", key_id, *bound, *nonces))


def signing_sid(
    m: SignRequest, device_key_hash: DeviceKeyHash, vault_id: VaultId, vault_nonce: bytes
) -> SessionId:
    """Return the sid of a signing session; its label is the use."""
    request = (m.key_id, u32(m.generation), u32(m.epoch), m.request_id, m.request_hash)
    parties = (device_key_hash, ascii_bytes(vault_id), m.device_nonce, vault_nonce)
    scalars = (digest_scalar(hash_item(item.data)).to_bytes(32, "big") for item in m.items)
    return SessionId(h32(m.use, *request, *parties, u32(len(m.items)), *scalars))


def transfer_sid(sid: bytes, generation: int) -> SessionId:
    """Return the sid of the transfer to `generation`, inside the session `sid` (§8)."""
    return SessionId(h32("transfer", sid, u32(generation)))


class Transcript:
    """The running H32 over the messages of one run, a part each, so that none is kept.

    Mutable: it grows by a message a step.
    """

    __slots__ = ("_left", "_state")

    def __init__(self, label: str, parts: int) -> None:
        """Begin a hash under `label` of `parts` parts in all."""
        self._state, self._left = hashlib.sha512(prefix(label, parts)), parts

    def add(self, *messages: Message) -> None:
        """Append messages."""
        self._update(*map(encode_message, messages))

    def finish(self, *parts: bytes) -> bytes:
        """Append the last parts and return the hash (32 bytes).

        Raises:
            ProtocolAbortError: fewer or more parts than announced.
        """
        self._update(*parts)
        if self._left != 0:
            raise ProtocolAbortError("the transcript has the wrong number of parts")
        return self._state.digest()[:32]

    def _update(self, *parts: bytes) -> None:
        self._left -= len(parts)
        for each in parts:
            self._state.update(part(each))


ENROLMENT_PARTS = 9  # rows 1 to 8, Q
TRANSFER_PARTS = 8  # delta, S, R, rows 5 to 8, Q


def pin_transcript(m: SignRequest) -> Transcript:
    """Begin what piPIN is bound to, with step 1: messages 1 to 4, then every sigma."""
    transcript = Transcript("transcript", 4 + len(m.items))
    transcript.add(m)
    return transcript
