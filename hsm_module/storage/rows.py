"""Rows as values. What is in them was checked against the token's MAC, or is about to get one."""

from dataclasses import dataclass, field, replace

from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.ports import KeyStatus, RequestState, SignedItem


@dataclass(frozen=True, slots=True)
class Judging:
    """A session whose step 5 was counted and is being judged (docs/spec/ecdsa2p.md §3.1)."""

    sid: bytes  # 32 bytes
    process: str  # of the vault process, made at its start
    request_id: RequestId | None  # None: nothing but the PIN, or row 7 of a transfer
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
class Generation:
    """One generation of the shares of a key (docs/spec/ecdsa2p.md §8)."""

    number: int
    share_sha256: bytes  # 32 bytes, of the wrapped share record
    kek_id: str  # of the epoch keys
    epoch: EpochState


@dataclass(frozen=True, slots=True)
class KeyRow:
    """State of one key. `row_version` is what was read; a write adds one."""

    key_id: KeyId
    device_key_hash: DeviceKeyHash
    authorisation_hash: bytes  # 32 bytes
    public_key: bytes  # 33 bytes, Q
    current: Generation
    next: Generation | None = None  # one higher, until its first success
    person_mac: bytes | None = None  # 32 bytes, of the person id
    suspend_code_hash: bytes | None = None  # 32 bytes, signer_core.protocol.suspend_code
    certificate_sha256: bytes | None = None  # 32 bytes
    status: KeyStatus = KeyStatus.ACTIVE
    failed: int = 0
    lifetime_failed: int = 0
    hold_until_s: int = 0  # Unix time, 0: no wait
    unresolved: int = 0
    live_sid: bytes | None = None
    judging: Judging | None = None
    signatures: int = 0
    ended_by: str | None = None  # why it was suspended or retired, as the audit log says it
    refresh_from: int | None = None  # the lowest generation that may still sign
    row_version: int = 0

    @property
    def must_refresh(self) -> bool:
        """Tell whether even the newest shares are too old to sign with."""
        return self.refresh_from is not None and self.generations[-1].number < self.refresh_from

    @property
    def generations(self) -> tuple[Generation, ...]:
        """What the vault still accepts: one, or two that follow each other."""
        return (self.current,) if self.next is None else (self.current, self.next)

    def with_generation(self, changed: Generation) -> "KeyRow":
        """Return the row with one of its generations changed."""
        if self.next is not None and changed.number == self.next.number:
            return replace(self, next=changed)
        return replace(self, current=changed)


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
