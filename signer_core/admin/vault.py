"""What an officer may ask of the vault: the port behind VaultAdminService."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from signer_core.admin.officers import Grounds, Officer, OfficerClaim, Role
from signer_core.identifiers import KeyId
from signer_core.partners.ports import VaultPartner
from signer_core.ports import KeyStatus

MAX_PAGE = 1000  # keys in one answer
MAX_BATCH = 64  # keys changed by one call


@dataclass(frozen=True, slots=True)
class KeySummary:
    """What the vault knows of a key and may tell: no share, no device, no person."""

    key_id: KeyId
    status: KeyStatus
    ended_by: str = ""  # why it was suspended or retired: docs/audit-events.md
    must_refresh: bool = False  # it signs nothing before its phone has made new shares
    failed: int = 0
    lifetime_failed: int = 0
    hold_until_s: int = 0  # Unix time, 0: no wait
    signatures: int = 0
    generation: int = 0
    kek_id: str = ""
    certified: bool = False
    altered: bool = False  # its row is not as the vault wrote it: nothing else is said


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """One key, and its requests by state."""

    key: KeySummary
    requests: dict[str, int]


class Ending(StrEnum):
    """How an officer ends a key: for good either way."""

    SUSPEND = "suspend"  # never signs again; may still be revoked
    REVOKE = "revoke"


class Outcome(StrEnum):
    """What became of one key of a batch."""

    DONE = "done"
    ALREADY = "already"
    MISSING = "missing"  # the vault has no such key
    ALTERED = "altered"  # refused and audited


@dataclass(frozen=True, slots=True)
class KekStatus:
    """The KEKs of the token, and how many records are under each."""

    newest: str
    records: dict[str, int]  # every KEK of the token, 0 where nothing is under it


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What one step of a rotation did."""

    records: int
    keys: int
    after: bytes  # key id to go on from; empty: this pass is over
    altered: int  # keys that were left as they are: refused, audited


class VaultAdmin(Protocol):
    """Every method says who asks; the vault looks the caller up in its own table.

    Raises, each: DeniedError where the caller is no officer, or only reads and would change.
    """

    async def list_keys(
        self, claim: OfficerClaim, after: bytes, limit: int, kek_id: str = ""
    ) -> Sequence[KeySummary]:
        """Return up to `limit` (1 to 1000) keys in the order of their ids."""
        ...

    async def get_keys(self, claim: OfficerClaim, key_ids: Sequence[KeyId]) -> Sequence[KeySummary]:
        """Return these keys (at most 1000), those that the vault has."""
        ...

    async def usage(self, claim: OfficerClaim, key_id: KeyId) -> KeyUsage:
        """Return what a key was used for, in numbers.

        Raises:
            NotFoundError: no such key.
        """
        ...

    async def end_keys(
        self, claim: OfficerClaim, key_ids: Sequence[KeyId], ending: Ending, grounds: Grounds
    ) -> Sequence[Outcome]:
        """Suspend or revoke up to 64 keys for good, each in a transaction of its own.

        The certificate's status and the burning of open requests are in it.

        Raises:
            InvalidRequestError: the reason is none for ending a key.
        """
        ...

    async def mark_for_refresh(
        self, claim: OfficerClaim, key_ids: Sequence[KeyId], grounds: Grounds
    ) -> Sequence[Outcome]:
        """Let up to 64 keys sign nothing before new shares (docs/spec/ecdsa2p.md §8)."""
        ...

    async def kek_status(self, claim: OfficerClaim) -> KekStatus:
        """Count the records under each KEK."""
        ...

    async def start_rotation(self, claim: OfficerClaim, grounds: Grounds) -> str:
        """Make the next KEK, unless records are still to move to the newest; return its id."""
        ...

    async def rewrap(self, claim: OfficerClaim, after: bytes, limit: int) -> Rewrapped:
        """Move the records of up to `limit` (1 to 64) keys to the newest KEK."""
        ...

    async def destroy_kek(self, claim: OfficerClaim, kek_id: str, grounds: Grounds) -> None:
        """Destroy a KEK that no record is under, for good; may be repeated.

        Raises:
            InvalidRequestError: it is the newest, or a record is under it.
        """
        ...

    async def revoke_process(self, claim: OfficerClaim, serial: bytes, grounds: Grounds) -> Outcome:
        """Revoke the certificate of a process, by its number (1 to 20 bytes, big-endian).

        Raises:
            NotFoundError: the vault knows none of this number.
            InvalidRequestError: it is an officer's.
        """
        ...

    async def list_officers(self, claim: OfficerClaim) -> Sequence[Officer]:
        """Return every officer there ever was."""
        ...

    async def add_officer(
        self, claim: OfficerClaim, officer_id: str, role: Role, csr: bytes, grounds: Grounds
    ) -> bytes:
        """Certify a new officer's key (DER PKCS#10); return the certificate and its CA, PEM."""
        ...

    async def remove_officer(self, claim: OfficerClaim, officer_id: str, grounds: Grounds) -> None:
        """End an officer's access, at once.

        Raises:
            NotFoundError: there is none of this id.
            InvalidRequestError: it is the last active officer.
        """
        ...

    async def list_partners(
        self, claim: OfficerClaim, after: str, limit: int
    ) -> Sequence[VaultPartner]:
        """Return up to `limit` (1 to 200) partners in the order of their ids."""
        ...

    async def get_partner(self, claim: OfficerClaim, partner_id: str) -> VaultPartner:
        """Return a partner.

        Raises:
            NotFoundError: there is none of this id.
        """
        ...

    async def sign_partner(
        self, claim: OfficerClaim, description: str, grounds: Grounds
    ) -> VaultPartner:
        """Sign a partner's record, from its claims as JSON (at most 8 KiB) without the time.

        The same claims again change nothing; others make a later record under the same id.

        Raises:
            InvalidRequestError: a claim is malformed, or the id is one of the sandbox's.
            DeniedError: the partner is suspended.
        """
        ...

    async def set_partner_active(
        self, claim: OfficerClaim, partner_id: str, grounds: Grounds, *, active: bool
    ) -> VaultPartner:
        """Suspend or resume a partner; repeating it is harmless.

        Raises:
            NotFoundError: there is none of this id.
        """
        ...


class OfficerTable(Protocol):
    """What the signer asks the vault about officers."""

    async def find_officer(self, claim: OfficerClaim) -> Officer | None:
        """Return the active officer that a certificate belongs to."""
        ...
