#!/usr/bin/env python3
"""Verify an export of the audit log, offline: python audit_verify.py FOLDER --key audit-log.pem.

FOLDER has `events*.jsonl` (a row a line: its hash, then the row), and `checkpoints.jsonl` (signed
notes). The key is the log's public key, from somebody you trust, not from whoever gave you FOLDER.
This file needs Python 3.11 and `cryptography`, nothing else. Say with `--at-least N` how many rows
you know that there are, for whoever cuts an export short may cut its last checkpoints, too.

Exit code: 0 the log is whole, 1 it is not (every finding is a line), 2 it cannot be read.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

LINE: Final = re.compile(rb'\{"hash":"([0-9a-f]{64})","row":(\{.*\})\}\n')
SEQ: Final = re.compile(rb'"seq":(\d+)')
NOTE: Final = re.compile(
    "(diia-signer/audit/[^\n]+\n(\\d{1,19})\n([A-Za-z0-9+/=]+)\ntime (\\d+)\n)"
    "\n\u2014 audit-log ([A-Za-z0-9+/=]+)\n"
)


@dataclass
class Log:
    """What was read. Mutable while it is being read."""

    claimed: list[bytes] = field(default_factory=list)  # the hash in each line
    wrong: list[int] = field(default_factory=list)  # rows whose hash is another one
    real: dict[int, bytes] = field(default_factory=dict)  # the hashes of those
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Checkpoint:
    """What the key signed."""

    size: int
    root: bytes
    time_s: int


class Roots:
    """Roots of growing prefixes of a list of leaf hashes (RFC 9162 §2.1.1)."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self._hashes = hashes
        self._size, self._stack = 0, list[bytes]()

    def at(self, size: int) -> bytes:
        """Return the root of the first `size`; sizes only grow from call to call."""
        sha256, stack = hashlib.sha256, self._stack
        for index in range(self._size, size):
            node, rest = self._hashes[index], index
            while rest & 1:
                node = sha256(b"\1" + stack.pop() + node).digest()
                rest >>= 1
            stack.append(node)
        self._size = size
        if not stack:
            return sha256().digest()
        *left, root = stack
        for node in reversed(left):
            root = sha256(b"\1" + node + root).digest()
        return root


def read_log(folder: Path) -> Log:
    """Read every row, in order; what has no place or another one becomes a finding."""
    log, sequence = Log(), []
    sha256, claimed = hashlib.sha256, log.claimed
    for number, line in enumerate(_lines(folder), 1):
        found = LINE.fullmatch(line)
        seq = SEQ.search(found[2]) if found else None
        if found is None or seq is None:
            cut = "" if line.endswith(b"\n") else ": it is cut off"
            log.findings.append(f"line {number} is no row of the log{cut}")
            continue
        hashed, real = bytes.fromhex(found[1].decode()), sha256(b"\0" + found[2]).digest()
        if hashed != real:
            log.wrong.append(len(claimed))
            log.real[len(claimed)] = real
        claimed.append(hashed)
        sequence.append(int(seq[1]))
    if sequence != list(range(len(sequence))):
        log.findings += _misplaced(sequence)
    return log


def _lines(folder: Path) -> Iterator[bytes]:
    files = sorted(folder.glob("events*.jsonl"))
    if not files:
        raise OSError(f"{folder} has no events*.jsonl")
    for path in files:
        with path.open("rb") as file:
            yield from file


def _misplaced(sequence: Sequence[int]) -> Iterator[str]:
    """Name the rows that are missing, there twice, or not where they belong."""
    seen: set[int] = set()
    last = -1
    for place, seq in enumerate(sequence):
        if seq in seen:
            yield f"line {place + 1}: row {seq} is there a second time: one of them was inserted"
        elif seq < last:
            yield f"line {place + 1}: row {seq} was moved: it stands behind row {last}"
        seen.add(seq)
        last = max(last, seq)
    missing = sorted(set(range(max(seen) + 1)) - seen)
    for begin, end in _runs(missing):
        many = f"rows {begin} to {end} are" if end > begin else f"row {begin} is"
        yield f"{many} missing"


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    begin = None
    for place, number in enumerate(numbers):
        begin = number if begin is None else begin
        if place + 1 == len(numbers) or numbers[place + 1] != number + 1:
            yield begin, number
            begin = None


def read_checkpoints(
    folder: Path, key: ec.EllipticCurvePublicKey, findings: list[str]
) -> list[Checkpoint]:
    """Return the checkpoints that the key signed, the smallest first."""
    path, good = folder / "checkpoints.jsonl", []
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for number, line in enumerate(lines, 1):
        checkpoint = _verify(line, key)
        if checkpoint is None:
            findings.append(f"checkpoints.jsonl line {number}: not signed by this key, or changed")
        else:
            good.append(checkpoint)
    return sorted(good, key=lambda one: one.size)


def _verify(line: bytes, key: ec.EllipticCurvePublicKey) -> Checkpoint | None:
    try:
        found = NOTE.fullmatch(json.loads(line)["checkpoint"])
        if found is None or not line.endswith(b"\n"):
            return None
        text, size, root, time_s, signature = found.groups()
        signed = base64.b64decode(signature, validate=True)
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if signed[:4] != hashlib.sha256(spki).digest()[:4]:
            return None
        key.verify(signed[4:], text.encode(), ec.ECDSA(SHA256()))
        return Checkpoint(int(size), base64.b64decode(root, validate=True), int(time_s))
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return None


def compare(log: Log, checkpoints: Sequence[Checkpoint]) -> Iterator[str]:
    """Compare the rows with every checkpoint; yield what was changed."""
    real = [log.real.get(place, one) for place, one in enumerate(log.claimed)]
    by_line, by_row, good = Roots(log.claimed), Roots(real), 0
    for one in checkpoints:
        if one.size > len(log.claimed):
            yield (
                f"cut short: {one.size} rows were signed (Unix time {one.time_s}), "
                f"{len(log.claimed)} are here"
            )
            return
        lines_are_signed = by_line.at(one.size) == one.root
        rows_are_signed = by_row.at(one.size) == one.root
        between = [row for row in log.wrong if good <= row < one.size]
        if lines_are_signed:
            yield from (f"row {row} was changed" for row in between)
        elif rows_are_signed:
            yield from (f"row {row} is whole, the hash beside it was changed" for row in between)
        else:
            suspects = ", ".join(map(str, between[:20])) or "with its hash: none can be named"
            yield f"of rows {good} to {one.size - 1} one or more were changed ({suspects})"
            return
        good = one.size
    rest = [row for row in log.wrong if row >= good]
    yield from (f"row {row} was changed, or its hash; no checkpoint says which" for row in rest)


def read_key(path: Path) -> ec.EllipticCurvePublicKey:
    """Return the log's public key.

    Raises:
        OSError, ValueError: the file cannot be read, or holds no such key.
    """
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("the key is not on an elliptic curve")  # noqa: TRY004  one kind of end
    return key


def verify(folder: Path, key: ec.EllipticCurvePublicKey, at_least: int) -> tuple[list[str], str]:
    """Return everything that is wrong, and one line about what was looked at."""
    log = read_log(folder)
    checkpoints = read_checkpoints(folder, key, log.findings)
    if not checkpoints:
        log.findings.append("no checkpoint of this key: nothing proves these rows")
    if len(log.claimed) < at_least:
        log.findings.append(f"cut short: {len(log.claimed)} rows, at least {at_least} are known")
    if not any("missing" in one or "moved" in one or "second" in one for one in log.findings):
        log.findings += compare(log, checkpoints)
    signed = max((one.size for one in checkpoints), default=0)
    rows = len(log.claimed)
    return log.findings, f"{rows} rows, {min(signed, rows)} of them under a checkpoint"


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description="Verify an export of the audit log.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="public key of the log (PEM)")
    parser.add_argument("--at-least", type=int, default=0, metavar="N", help="rows that there are")
    arguments = parser.parse_args()
    try:
        findings, summary = verify(arguments.folder, read_key(arguments.key), arguments.at_least)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for one in findings:
        sys.stdout.write(f"{one}\n")
    sys.stdout.write(f"{summary}: {'NOT whole' if findings else 'whole'}\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
