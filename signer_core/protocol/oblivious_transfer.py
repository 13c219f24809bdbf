"""416 one-out-of-two oblivious transfers of 16-byte seeds (docs/spec/ecdsa2p.md §2, rows 3 and 4).

Chou and Orlandi 2015, hashed per index as McQuoid, Rosulek and Roy 2021 demand. The device is the
sender: it ends with both seeds of every transfer. The vault chooses with its bits and ends with
one seed of each; the device learns no bit.
"""

from collections.abc import Sequence

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.curve import Point, Rng, Scalar, base, random_scalar
from signer_core.protocol.transcript import Q, h64, u32

XI = 416  # transfers: 256 + 2·80, §1
SEED_BYTES = 16


def _seed(sid: bytes, index: int, transfer_key: bytes, choice: bytes, shared: Point) -> bytes:
    return h64("ot", sid, u32(index), transfer_key, choice, shared.to_bytes())[:SEED_BYTES]


def choose(
    sid: bytes, transfer_key: Point, bits: Sequence[int], rng: Rng
) -> tuple[tuple[bytes, ...], bytes]:
    """Make the hidden choices R_i (33 bytes each) and the chosen seeds (6,656 bytes).

    The bit enters as the scalar `q + b`, which has the same 256 bits for both values.
    """
    key = transfer_key.to_bytes()
    choices, seeds = [], []
    for index, bit in enumerate(bits):
        a = random_scalar(rng)
        choice = transfer_key.plus_base(Q + bit, a).to_bytes()
        choices.append(choice)
        seeds.append(_seed(sid, index, key, choice, transfer_key * a))
    return tuple(choices), b"".join(seeds)


def derive(
    sid: bytes, y: Scalar, transfer_key: Point, choices: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the seeds for bit 0 and for bit 1, 6,656 bytes each.

    Raises:
        ProtocolAbortError: not 416 valid points, or one of them gives infinity.
    """
    if len(choices) != XI:
        raise ProtocolAbortError(f"there are {XI} transfers")
    key, offset = transfer_key.to_bytes(), transfer_key * y
    zeros, ones = [], []
    for index, choice in enumerate(choices):
        shared = Point.from_bytes(choice) * y
        zeros.append(_seed(sid, index, key, choice, shared))
        ones.append(_seed(sid, index, key, choice, shared - offset))
    return b"".join(zeros), b"".join(ones)


def make_key(rng: Rng) -> tuple[Scalar, Point]:
    """Draw the sender's key `y` and return it with `S = y·G`."""
    y = random_scalar(rng)
    return y, base(y)
