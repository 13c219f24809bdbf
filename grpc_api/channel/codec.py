"""Messages of the channel as protobuf bytes and back; strict in both directions.

A message has exactly one accepted encoding: fields in the order of their numbers, each once,
nothing unknown. So what was checked is all there was.
"""

from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.message import DecodeError

from grpc_api.channel.messages import ChannelMessage
from grpc_api.channel.shapes import SHAPES, Many, Number, Octets, Record, Shape, Text, Word
from grpc_api.gen.signer.channel.v1 import ecdsa2p_pb2
from signer_core.errors import ProtocolAbortError

_FIELDS: Mapping[str, str] = {  # name of the class: name of the envelope's field
    field.message_type.name: field.name
    for field in ecdsa2p_pb2.Envelope.DESCRIPTOR.oneofs_by_name["message"].fields
    if field.message_type is not None
}
_CLASSES: Mapping[str, type] = {
    _FIELDS[kind.__name__]: kind for kind in SHAPES if kind.__name__ in _FIELDS
}


def encode(message: ChannelMessage) -> bytes:
    """Serialise one message as an Envelope, without its length.

    Raises:
        ProtocolAbortError: a size, count, number or word is not of the message's shape.
    """
    name = _FIELDS[type(message).__name__]
    envelope = ecdsa2p_pb2.Envelope(**{name: _to_wire(message)})
    return envelope.SerializeToString(deterministic=True)


def decode(data: bytes) -> ChannelMessage:
    """Parse one Envelope.

    Raises:
        ProtocolAbortError: not an Envelope, an unknown or doubled field, or the wrong shape.
    """
    envelope = ecdsa2p_pb2.Envelope()
    try:
        envelope.ParseFromString(data)
    except DecodeError:
        raise ProtocolAbortError("the bytes are no message of the channel") from None
    name = envelope.WhichOneof("message")
    if name is None:
        raise ProtocolAbortError("the message of the channel is empty or of an unknown kind")
    envelope.DiscardUnknownFields()
    if envelope.SerializeToString(deterministic=True) != data:
        raise ProtocolAbortError("the message of the channel is not in its one encoding")
    return cast("ChannelMessage", _from_wire(_CLASSES[name], getattr(envelope, name)))


def _to_wire(record: Any) -> Any:
    """Check a dataclass and copy it into the generated class of the same name."""
    kind = type(record)
    values = {name: getattr(record, name) for name in SHAPES[kind]}
    _check(kind, values)
    wire = {
        name: [_to_wire(member) for member in values[name]] if _holds_records(shape) else value
        for (name, shape), value in zip(SHAPES[kind].items(), values.values(), strict=True)
    }
    return getattr(ecdsa2p_pb2, kind.__name__)(**wire)


def _from_wire(kind: type, wire: Any) -> Any:
    """Copy a generated message into its dataclass, and check it."""
    values: dict[str, Any] = {}
    for name, shape in SHAPES[kind].items():
        value = getattr(wire, name)
        if isinstance(shape, Many):
            member = shape.member
            value = (
                tuple(_from_wire(member.kind, each) for each in value)
                if isinstance(member, Record)
                else tuple(value)
            )
        values[name] = value
    _check(kind, values)
    return kind(**values)


def _holds_records(shape: Shape) -> bool:
    return isinstance(shape, Many) and isinstance(shape.member, Record)


def _check(kind: type, values: Mapping[str, Any]) -> None:
    for name, shape in SHAPES[kind].items():
        if not _fits(shape, values[name]):
            raise ProtocolAbortError(f"{kind.__name__}.{name} has a forbidden size or value")


def _fits(shape: Shape, value: Any) -> bool:
    match shape:
        case Octets(sizes) | Text(sizes):
            return len(value) in sizes
        case Word(words):
            return value in words
        case Number(limit):
            return bool(0 <= value < limit)
        case Many(Octets(sizes), counts):
            return len(value) in counts and all(size in sizes for size in set(map(len, value)))
        case Many(_, counts):
            return len(value) in counts
        case Record():
            return True
