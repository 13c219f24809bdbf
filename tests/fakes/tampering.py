"""Ways to alter one message of a run."""

import dataclasses
from collections.abc import Callable
from typing import Any

from signer_core.protocol.curve import Scalar, base
from tests.fakes.ecdsa2p import Tamper

BAD_POINTS = {
    "infinity": b"\x00",
    "infinity padded": bytes(33),
    "uncompressed": b"\x04" + bytes(64),
    "hybrid": b"\x06" + bytes(64),
    "prefix 04 in 33 bytes": b"\x04" + base(Scalar(1)).to_bytes()[1:],
    "x above p": b"\x02" + b"\xff" * 32,
    "off the curve": b"\x02" + bytes(31) + b"\x01",
    "short": b"\x02" * 32,
    "long": base(Scalar(1)).to_bytes() + b"\x00",
    "empty": b"",
}


def only(step: int, change: Callable[[Any], Any]) -> Tamper:
    """Tamper with one step's message."""
    return lambda number, m: change(m) if number == step else m


def replace_in(name: str, index: int, **fields: Any) -> Callable[[Any], Any]:
    """Change fields of one record in the list `name` of a message."""

    def change(m: Any) -> Any:
        records = list(getattr(m, name))
        records[index] = dataclasses.replace(records[index], **fields)
        return dataclasses.replace(m, **{name: tuple(records)})

    return change
