"""How `signer verify` prints what it found, for people and for programs.

Names come from files that strangers send: nothing of them is taken as markup, or reaches the
terminal as a control character.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from signer_core.documents import Coverage, InvalidSignature, SignatureReport


def print_error(file: Path, message: str, *, as_json: bool) -> None:
    """Print one line to stderr, or a JSON object with `error` to stdout."""
    if as_json:
        _print_json({"file": str(file), "error": message})
    else:
        Console(stderr=True, soft_wrap=True).print(Text(_printable(f"signer verify: {message}")))


def print_reports(file: Path, reports: Sequence[SignatureReport], *, as_json: bool) -> None:
    """Print a block for each signature, or one JSON object with `signatures`."""
    if as_json:
        _print_json({"file": str(file), "signatures": [_as_dict(report) for report in reports]})
        return
    console = Console(soft_wrap=True)
    if not reports:
        console.print(Text(_printable(f"{file}: no signature")))
    for number, report in enumerate(reports, 1):
        console.print(_block(number, report))


def _block(number: int, report: SignatureReport) -> Text:
    """Return one signature as a verdict and a line for each thing known."""
    valid = not isinstance(report, InvalidSignature)
    block = Text(f"Signature {number}: ")
    block.append("VALID" if valid else "NOT VALID", style="bold green" if valid else "bold red")
    if isinstance(report, InvalidSignature):
        block.append(f"\n  why     {_printable(report.reason)} [{report.problem}]")
    if report.signer is not None:
        signer = report.signer
        number_shown = f", RNOKPP {signer.tax_number}" if signer.tax_number else ""
        block.append(f"\n  who     {_printable(signer.common_name or 'no name')}{number_shown}")
        block.append(f"\n  issuer  {_printable(signer.issuer or 'no name')}")
    block.append(f"\n  when    {_moment(report.claimed_at)}")
    if report.coverage is not None:
        block.append(f"\n  covers  {_covered(report.coverage, valid=valid)}")
    return block.append("\n")


def _moment(claimed_at: datetime | None) -> str:
    if claimed_at is None:
        return "not stated"
    return f"{claimed_at.isoformat(sep=' ', timespec='seconds')}, as the signer's side states it"


def _covered(coverage: Coverage, *, valid: bool) -> str:
    if coverage.whole_file:
        return "the whole file"
    later = "; later ones only added to it" if valid else ""
    return f"revision {coverage.revision} of {coverage.revisions}{later}"


def _as_dict(report: SignatureReport) -> dict[str, Any]:
    fields = asdict(report)
    fields["claimed_at"] = report.claimed_at.isoformat() if report.claimed_at else None
    return {"valid": not isinstance(report, InvalidSignature), **fields}


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _print_json(content: dict[str, Any]) -> None:
    # ASCII only: a terminal gets no control characters of the C1 set either.
    Console(soft_wrap=True, markup=False, highlight=False).out(json.dumps(content, indent=2))
