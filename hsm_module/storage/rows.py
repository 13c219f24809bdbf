"""Rows as values. What is in them was checked against the token's MAC, or is about to get one."""

from dataclasses import dataclass, field

from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.ports import KeyStatus, RequestState, SignedItem


@dataclass(frozen=True, slots=True)
class Judging:
    """A session whose step 5 was counted and is being judged (docs/spec/ecdsa2p.md §3.1)."""

    sid: bytes  # 32 bytes
    process: str  # of the vault process, made at its start
    request_id: RequestId
    deadline_s: int  # Unix time, by the database's clock


@dataclass(frozen=True, slots=True)
class EpochState:
    """Where both sides stand (docs/spec/ecdsa2p.md §5). The keys are wrapped here."""

    number: int
    key: bytes = field(repr=False)
    previous_key: bytes | None = field(default=None, repr=False)
    shown: bool = False  # the device proved that it holds `key`
    last_sid: bytes | None = None  # of the last success


@dataclass(frozen=True, slots=True)
class KeyRow:
    """State of one key. `row_version` is what was read; a write adds one."""

    key_id: KeyId
    device_key_hash: DeviceKeyHash
    authorisation_hash: bytes  # 32 bytes
    public_key: bytes  # 33 bytes, Q
    share_sha256: bytes  # 32 bytes, of the wrapped share record
    kek_id: str
    epoch: EpochState
    certificate_sha256: bytes | None = None  # 32 bytes
    status: KeyStatus = KeyStatus.ACTIVE
    failed: int = 0
    lifetime_failed: int = 0
    hold_until_s: int = 0  # Unix time, 0: no wait
    unresolved: int = 0
    live_sid: bytes | None = None
    judging: Judging | None = None
    generation: int = 0
    signatures: int = 0
    row_version: int = 0


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One list of things to be signed once."""

    request_id: RequestId
    key_id: KeyId
    kind: str
    request_hash: bytes  # 32 bytes
    file_hashes: tuple[bytes, ...]  # of 32 bytes
    expires_at_s: int  # Unix time
    state: RequestState = RequestState.OPEN
    items: tuple[SignedItem, ...] = ()
    row_version: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One line for the audit log: ids and codes only."""

    name: str
    result: str
    key_id: bytes | None = None
    request_id: bytes | None = None
