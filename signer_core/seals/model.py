"""What is asked of the seal service, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NewType

from signer_core.documents import SealStamp
from signer_core.errors import InvalidRequestError

RepairId = NewType("RepairId", bytes)  # 16 bytes, random

MAX_CONTENTS: int = 1024  # in one call
Kind = Literal["pdf", "cades"]


class Level(IntEnum):
    """The baseline levels of ETSI EN 319 142-1 and 319 122-1; each has all of those before it."""

    B_B = 1
    B_T = 2
    B_LT = 3
    B_LTA = 4

    def __str__(self) -> str:
        return self.name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a seal came. `repair_id` is there where it is to come further."""

    asked: Level
    reached: Level
    repair_id: RepairId | None = None


@dataclass(frozen=True, slots=True)
class SealUser:
    """Who wants what seal: the names in the certificate of the caller."""

    seal_id: str
    callers: frozenset[str]


@dataclass(frozen=True, slots=True)
class FileToSeal:
    """One PDF, at most 20 MiB."""

    pdf: bytes
    stamp: SealStamp | None = None


@dataclass(frozen=True, slots=True)
class SealedPdf:
    """One sealed PDF."""

    pdf: bytes
    level: Reached


@dataclass(frozen=True, slots=True)
class DetachedSeal:
    """One detached CAdES seal."""

    cms: bytes  # DER
    level: Reached
    sha256: bytes  # 32 bytes, of what is sealed


def check_count(things: Sequence[object], most: int) -> None:
    """Check how many things one call seals.

    Raises:
        InvalidRequestError: none, or too many.
    """
    if not 1 <= len(things) <= most:
        raise InvalidRequestError(f"one call seals 1 to {most} of them")
