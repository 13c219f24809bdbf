"""The processes, one by one: does it answer, what does it say of itself, is its clock ours."""

import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from grpc_api.clients.diagnostics import DiagnosticsClient
from signer_core.diagnostics import Examination, Finding, Verdict
from signer_core.errors import SignerError

HEALTHY: Final = 0
WARNED: Final = 60  # it works, yet something needs attention soon
ILL: Final = 61  # something does not work
# Statements of the registrar are refused from 30 s in the future on (signer_core/identity).
_SKEW_S: Final = 30.0
_LITTLE_SKEW_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """One finding, and where."""

    process: str
    finding: Finding


async def examine_process(
    name: str, connection: AbstractAsyncContextManager[DiagnosticsClient]
) -> Sequence[Row]:
    """Let one process examine itself."""
    try:
        async with connection as client:
            found = await client.examine()
    except SignerError as error:
        advice = f"is {name} running? its log says why not: var/log/{name}.jsonl"
        return [Row(name, Finding("health", Verdict.BAD, str(error), advice))]
    clock = check_clock(found, time.time())
    health = Finding("health", Verdict.GOOD, f"answers, version {found.version}")
    return [Row(name, one) for one in (health, clock, *found.findings)]


def check_clock(found: Examination, now_s: float) -> Finding:
    """Compare the clock of a process with ours at the moment of its answer."""
    ahead_s = found.now_ms / 1000 - now_s
    says = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's clock"
    if abs(ahead_s) <= _LITTLE_SKEW_S:
        return Finding("clock", Verdict.GOOD, says)
    verdict = Verdict.WARNING if abs(ahead_s) < _SKEW_S else Verdict.BAD
    return Finding("clock", verdict, says, "set the clocks of both machines by NTP")


def exit_code(rows: Sequence[Row]) -> int:
    """Return the exit code of the worst finding."""
    verdicts = {row.finding.verdict for row in rows}
    if Verdict.BAD in verdicts:
        return ILL
    return WARNED if Verdict.WARNING in verdicts else HEALTHY
