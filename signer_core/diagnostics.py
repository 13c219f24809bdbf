"""What an examination of a process finds: a value a check, for `signer doctor`."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from signer_core.errors import SignerError

CHECK_LIMIT_S: Final = 12.0  # of one check; all run at once


class Verdict(StrEnum):
    """How bad it is."""

    GOOD = "good"
    WARNING = "warning"  # it works, yet not for long
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says; without ids, names of people and secrets."""

    check: str
    verdict: Verdict
    says: str  # one sentence
    advice: str = ""  # what to do; empty where all is well


@dataclass(frozen=True, slots=True)
class Examination:
    """A process's own view of itself."""

    process: str
    version: str
    now_ms: int  # Unix time, by the clock of the process
    findings: tuple[Finding, ...]


async def examine(checks: Mapping[str, Awaitable[Finding]]) -> tuple[Finding, ...]:
    """Run checks at once, each for 12 s at most; one that raises or hangs is a bad finding."""
    return tuple(await asyncio.gather(*(_limited(*one) for one in checks.items())))


async def _limited(name: str, check: Awaitable[Finding]) -> Finding:
    try:
        async with asyncio.timeout(CHECK_LIMIT_S):
            return await check
    except TimeoutError:
        says = f"no answer within {CHECK_LIMIT_S:.0f} s"
        return Finding(name, Verdict.BAD, says, "look at the load and at the log of this process")
    except SignerError as error:
        advice = "repair what the sentence names, then start the process again"
        return Finding(name, Verdict.BAD, str(error), advice)
