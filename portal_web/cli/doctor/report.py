"""What the doctor found, in one value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signer_core.diagnostics import Finding, Verdict

HEALTHY: Final = 0
WARNED: Final = 60  # it works, yet something needs attention soon
ILL: Final = 61  # something does not work


@dataclass(frozen=True, slots=True)
class Row:
    """One finding, and where."""

    process: str
    finding: Finding


def exit_code(rows: Sequence[Row]) -> int:
    """Return the exit code of the worst finding."""
    verdicts = {row.finding.verdict for row in rows}
    if Verdict.BAD in verdicts:
        return ILL
    return WARNED if Verdict.WARNING in verdicts else HEALTHY
