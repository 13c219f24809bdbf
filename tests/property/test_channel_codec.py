"""Framing and codec of the channel: everything of the right shape passes, nothing else."""

import dataclasses

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from grpc_api.channel.codec import decode, encode
from grpc_api.channel.framing import MAX_MESSAGE_BYTES, Deframer, frame
from grpc_api.channel.messages import Failure
from grpc_api.channel.shapes import SHAPES, Many, Number, Octets, Record, Text, Word
from grpc_api.gen.signer.channel.v1 import ecdsa2p_pb2
from signer_core.errors import ProtocolAbortError
from signer_core.ports import Enrolled, EpochAcked
from signer_core.protocol.ecdsa2p import messages as m

RECORDS = (m.Item, m.DeviceNonce, m.NonceOpening, m.Signature)
MESSAGES = [kind for kind in SHAPES if kind not in RECORDS]


def values(shape):
    """Values of a shape; lists short where they may be, so that examples stay quick."""
    match shape:
        case Octets(sizes):
            return st.sampled_from([*sizes][:3] + [*sizes][-1:]).map(lambda size: b"\xa5" * size)
        case Text(sizes):
            return st.text(st.characters(codec="utf-8"), min_size=min(sizes), max_size=20)
        case Word(words):
            return st.sampled_from(words)
        case Number(limit):
            return st.integers(0, limit - 1)
        case Record(kind):
            return messages(kind)
        case Many(member, counts):
            count = st.sampled_from([*counts][:3])
            return count.flatmap(lambda n: values(member).map(lambda one: (one,) * n))


def messages(kind):
    return st.builds(kind, **{name: values(shape) for name, shape in SHAPES[kind].items()})


ANY = st.sampled_from(MESSAGES).flatmap(messages)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def test_every_message_of_the_protocol_and_of_the_proto_has_a_shape():
    protocol = set(m.Message.__args__) | {Failure, Enrolled, EpochAcked}
    assert set(MESSAGES) == protocol
    wire = {one.message_type.name for one in ecdsa2p_pb2.Envelope.DESCRIPTOR.fields}
    assert {kind.__name__ for kind in MESSAGES} == wire


@pytest.mark.parametrize("kind", SHAPES, ids=lambda kind: kind.__name__)
def test_a_shape_names_every_field_in_order(kind):
    names = [field.name for field in dataclasses.fields(kind)]
    assert [*SHAPES[kind]] == names
    descriptor = getattr(ecdsa2p_pb2, kind.__name__).DESCRIPTOR
    assert [one.name for one in descriptor.fields] == names
    assert [one.number for one in descriptor.fields] == [*range(1, len(names) + 1)]


@QUICK
@given(ANY)
def test_a_message_comes_back_as_it_was(message):
    assert decode(encode(message)) == message


@QUICK
@given(st.data())
def test_a_size_that_is_not_the_shape_s_is_refused_both_ways(data):
    kind = data.draw(st.sampled_from([kind for kind in MESSAGES if _sized(kind)]))
    message = data.draw(messages(kind))
    name = data.draw(st.sampled_from(_sized(kind)))
    value = getattr(message, name)
    if isinstance(value, bytes):
        longer = value + b"x" * 5000
    else:
        assume(value)
        longer = value[:1] * 500
    wrong = dataclasses.replace(message, **{name: longer})
    with pytest.raises(ProtocolAbortError):
        encode(wrong)
    with pytest.raises(ProtocolAbortError):
        decode(_unchecked(wrong))


def _sized(kind):
    return [name for name, shape in SHAPES[kind].items() if isinstance(shape, Octets | Many)]


def _unchecked(message):
    """Serialise what `encode` would refuse."""

    def wire(record):
        built = getattr(ecdsa2p_pb2, type(record).__name__)()
        for field in dataclasses.fields(record):
            value = getattr(record, field.name)
            if isinstance(value, tuple):
                target = getattr(built, field.name)
                target.extend(one if isinstance(one, bytes) else wire(one) for one in value)
            else:
                setattr(built, field.name, value)
        return built

    envelope = ecdsa2p_pb2.Envelope()
    field = next(
        one.name
        for one in envelope.DESCRIPTOR.fields
        if one.message_type.name == type(message).__name__
    )
    getattr(envelope, field).CopyFrom(wire(message))
    return envelope.SerializeToString()


ACK = m.EpochAck(b"t" * 32)


def _wire_ack(extra=b""):
    inner = b"\x0a\x20" + b"t" * 32 + extra
    return b"\x82\x01" + bytes([len(inner)]) + inner


def test_the_ack_of_this_test_is_the_codec_s():
    assert encode(ACK) == _wire_ack()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _wire_ack(b"\x12\x01x"),  # unknown field inside
        _wire_ack(b"\x0a\x20" + b"t" * 32),  # the same field twice
        _wire_ack() + b"\xfa\x7f\x01x",  # unknown field outside
        _wire_ack() + _wire_ack(),  # the message twice
        b"\xaa\x01\x00" + _wire_ack(),  # two messages, the last wins in protobuf
        b"\x82\x01\xa2\x00" + _wire_ack()[3:],  # a length in more bytes than it needs
        b"\xfa\x7f\x00",  # a message of no known kind
        _wire_ack()[:-1],
        b"\x82\x01\x00",  # an ack without a tag
    ],
)
def test_another_encoding_is_refused(data):
    with pytest.raises(ProtocolAbortError):
        decode(data)


@QUICK
@given(st.binary(max_size=200))
def test_noise_is_refused_or_is_a_message(noise):
    try:
        message = decode(noise)
    except ProtocolAbortError:
        return
    assert encode(message) == noise


@pytest.mark.parametrize(
    "wrong",
    [
        m.SignRequest("steal", b"k" * 16, 0, 0, b"r" * 16, b"h" * 32, b"n" * 32, ()),
        m.SignRequest("sign", b"k" * 16, -1, 0, b"r" * 16, b"h" * 32, b"n" * 32, ()),
        m.SignRequest("sign", b"k" * 16, 0, 1 << 32, b"r" * 16, b"h" * 32, b"n" * 32, ()),
        m.SignRequest("sign", b"k" * 16, 0, 0, b"", b"", b"n" * 32, (m.Item("pdf", b"x"),)),
        m.SignRequest("sign", b"k" * 16, 0, 0, b"", b"", b"n" * 32, (m.Item("cms", b""),)),
        m.Signatures((m.Signature(b"r" * 31, b"s" * 32),), b"e" * 32, 0),
    ],
)
def test_a_value_outside_its_shape_is_refused(wrong):
    with pytest.raises(ProtocolAbortError):
        encode(wrong)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.data())
def test_frames_survive_any_cut(bodies, data):
    stream = b"".join(map(frame, bodies))
    deframer, received = Deframer(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        deframer.feed(stream[:size])
        stream = stream[size:]
        while (message := deframer.next_message()) is not None:
            received.append(message)
    assert received == bodies


@given(st.one_of(st.just(0), st.integers(MAX_MESSAGE_BYTES + 1, (1 << 32) - 1)))
@example(MAX_MESSAGE_BYTES + 1)
def test_a_forbidden_length_is_refused_before_its_bytes_come(length):
    deframer = Deframer()
    deframer.feed(length.to_bytes(4, "big"))
    with pytest.raises(ProtocolAbortError):
        deframer.next_message()


@pytest.mark.parametrize("size", [0, MAX_MESSAGE_BYTES + 1])
def test_a_message_of_forbidden_length_is_not_framed(size):
    with pytest.raises(ProtocolAbortError):
        frame(b"x" * size)


def test_the_largest_batch_fits_one_message():
    nonce = m.DeviceNonce(b"\x02" * 33, b"p" * 65, (b"c" * 32,) * 416)
    largest = m.DeviceNonces((b"s" * 32,) * 64, b"t" * 32, b"j" * 4096, (nonce,) * 64)
    assert len(frame(encode(largest))) < MAX_MESSAGE_BYTES
