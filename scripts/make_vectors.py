"""Write tests/vectors/ecdsa2p-own.json: what the independent vectors lack.

Batches of one and of 64, awkward digests, a lost reply's pending list, and the session after a
refresh, each from a repeatable random source. Big messages are kept as hashes. The values are
checked by a second route in tests/vectors/test_ecdsa2p_own.py: plain ECDSA with `x1 + x2`.
Run it as `python -m scripts.make_vectors`.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from signer_core.protocol.ecdsa2p.messages import Item, Message, encode_message
from tests.fakes.ecdsa2p import (
    REFRESH,
    Pair,
    Request,
    Session,
    counted_rng,
    enrol,
    items,
    recorder,
    transfer,
)

PATH = Path(__file__).parents[1] / "tests" / "vectors" / "ecdsa2p-own.json"
SOURCE = (
    "signer_core.protocol itself, from SHAKE-256(seed/counter) as random source; "
    "checked by plain ECDSA with x1 + x2"
)
CASES = {
    "one": Request(items(1)),
    "sixty-four": Request(items(64)),
    "empty data": Request((Item("raw", b""),)),
    "equal digests": Request((Item("raw", b"same"),) * 2),
    "long data": Request((Item("raw", bytes(100_000)),)),
    "high epoch and 64 pending": Request(
        items(1), epoch=2**32 - 2, pending=tuple(bytes([j]) * 32 for j in range(64))
    ),
    "none": REFRESH,
}


def hashes(messages: list[Message]) -> list[str]:
    """Return SHA-256 of each message as hashed."""
    return [hashlib.sha256(encode_message(message)).hexdigest() for message in messages]


def enrolled() -> tuple[Pair, dict[str, Any]]:
    """Enrol with the repeatable source; return the key and what of it is written."""
    sent: list[Message] = []
    pair = enrol(counted_rng(b"own/device"), counted_rng(b"own/vault"), recorder(sent))
    return pair, {"messages": hashes(sent), **public(pair)}


def public(pair: Pair) -> dict[str, Any]:
    """Return the values of a pair that a second implementation compares."""
    return {
        "sid": pair.sid.hex(),
        "public_key": pair.vault.share.public_key.hex(),
        "generation": pair.vault.share.generation,
        "epoch_key": pair.vault.epoch_key.hex(),
    }


def signed(pair: Pair, name: str, request: Request) -> dict[str, Any]:
    """Run one session and return what of it is written."""
    sent: list[Message] = []
    seed = name.encode("ascii")
    run = Session(pair, request, counted_rng(b"device/" + seed), counted_rng(b"vault/" + seed))
    result = run.run(recorder(sent))
    return {
        "sid": run.vault.sid.hex(),
        "messages": hashes(sent),
        "signatures": [[each.r.hex(), each.s.hex()] for each in result.signatures],
        "next_epoch_key": result.epoch.key.hex(),
    }


def refreshed(pair: Pair) -> tuple[Pair, dict[str, Any]]:
    """Move the pair to the next generation and return what of it is written."""
    run = Session(pair, REFRESH, counted_rng(b"device/refresh"), counted_rng(b"vault/refresh"))
    run.run()
    sent: list[Message] = []
    rngs = (counted_rng(b"device/transfer"), counted_rng(b"vault/transfer"))
    after = transfer(pair, run.vault.sid, *rngs, recorder(sent))
    return after, {"messages": hashes(sent), **public(after)}


def make() -> dict[str, Any]:
    """Return the content of the file."""
    pair, enrolment = enrolled()
    sessions = {name: signed(pair, name, request) for name, request in CASES.items()}
    after, transferred = refreshed(pair)
    return {
        "source": SOURCE,
        "enrolment": enrolment,
        "sessions": sessions,
        "transfer": transferred,
        "after the transfer": signed(after, "after", Request(items(1))),
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(make(), indent=1) + "\n")
