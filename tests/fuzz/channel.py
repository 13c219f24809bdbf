"""Fuzzing inside the phone's TLS channel: the vault gets real sessions, one message changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest

from grpc_api.channel import codec, stream
from grpc_api.gen.signer.channel.v1 import ecdsa2p_pb2
from tests.fuzz.messages import Fuzzer


@contextmanager
def changed_messages(fuzzer: Fuzzer, step: int) -> Iterator[None]:
    """Change the message of this step (0 is the first that the phone sends) on its way out."""
    sent = 0

    def encode(message: Any) -> bytes:
        nonlocal sent
        encoded = codec.encode(message)
        sent += 1
        return change(fuzzer, encoded) if sent - 1 == step else encoded

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "encode", encode)
        yield


def change(fuzzer: Fuzzer, encoded: bytes) -> bytes:
    """Return another message: other fields, other bytes, another message, or rubbish."""
    match fuzzer.rng.randrange(4):
        case 0:
            return fuzzer.break_bytes(encoded)
        case 1:
            made = fuzzer.message(ecdsa2p_pb2.Envelope)
            return made.SerializeToString(deterministic=True) or b"\x00"
        case _:
            envelope = ecdsa2p_pb2.Envelope.FromString(encoded)
            fuzzer.mutate(envelope)
            return envelope.SerializeToString(deterministic=True) or b"\x00"


def any_step(rng: Random) -> int:
    """Step 1 is checked most; the later ones cost a session each."""
    return rng.choice((0, 0, 1, 1, 2, 3, 4))
