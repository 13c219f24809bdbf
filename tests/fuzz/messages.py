"""Random messages of any protobuf type, plausible more often than not, and random bytes of them."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_LARGE_BYTES = 70_000  # over what a chunk may hold, under what a message may
_INTEGERS = (
    *(0, 1, 2, 63, 64, 65, 255, 900, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1),
    *(-1, -(2**31), -(2**63)),
)
_RANGES = {
    FieldDescriptor.TYPE_UINT32: (0, 2**32),
    FieldDescriptor.TYPE_UINT64: (0, 2**64),
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63),
}
_WORDS = ("", "a", "%s%n", "'; DROP TABLE keys;--", "../../etc/passwd", "Ї" * 301, "\u202e", "\x00")


@dataclass
class Pool:
    """Real values of the running system: with them a message gets past the first check."""

    octets: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class Fuzzer:
    """Makes messages. Mutable: it draws from one seeded source, so a run can be repeated."""

    def __init__(self, rng: Random, pool: Pool) -> None:
        self.rng, self.pool = rng, pool

    def message(self, kind: type[Message]) -> Message:
        """Fill a message; about one field in five is left out."""
        made = kind()
        for one in kind.DESCRIPTOR.fields:
            if self.rng.random() < 0.8:
                self._fill(made, one)
        return made

    def wire(self, message: Message) -> bytes:
        """Serialise, and in three cases of ten break the bytes."""
        encoded = message.SerializeToString()
        return self.break_bytes(encoded) if self.rng.random() < 0.3 else encoded

    def mutate(self, message: Message) -> None:
        """Change one field of a valid message, or of one inside it."""
        present = message.ListFields()
        if not present or self.rng.random() < 0.1:
            self._fill(message, self.rng.choice(message.DESCRIPTOR.fields))
            return
        one, value = self.rng.choice(present)
        inner = list(value) if one.is_repeated else [value]
        if one.message_type is not None and inner and self.rng.random() < 0.7:
            self.mutate(self.rng.choice(inner))
        elif one.is_repeated and self.rng.random() < 0.5:
            self._resize(value)
        else:
            self._fill(message, one)

    def break_bytes(self, encoded: bytes) -> bytes:
        """Flip, cut, double, or replace bytes."""
        if not encoded:
            return self.rng.randbytes(self.rng.randrange(1, 64))
        at = self.rng.randrange(len(encoded))
        match self.rng.randrange(5):
            case 0:
                return encoded[:at]
            case 1:
                return encoded + encoded[at:]
            case 2:
                return self.rng.randbytes(len(encoded))
            case 3:
                return encoded[:at] + self.rng.randbytes(1) + encoded[at:]
            case _:
                flipped = bytearray(encoded)
                flipped[at] ^= 1 << self.rng.randrange(8)
                return bytes(flipped)

    def _resize(self, values: Any) -> None:
        if values and self.rng.random() < 0.5:
            del values[self.rng.randrange(len(values))]
        else:
            values.extend(list(values)[: self.rng.randrange(1, 70)])

    def _fill(self, message: Message, one: FieldDescriptor) -> None:
        if one.is_repeated:
            message.ClearField(one.name)
            for _ in range(self.rng.choice((0, 1, 1, 2, 3, 70))):
                self._append(getattr(message, one.name), one)
        elif one.message_type is not None:
            inner = self.message(GetMessageClass(one.message_type))
            getattr(message, one.name).CopyFrom(inner)
        else:
            setattr(message, one.name, self._value(one))

    def _append(self, values: Any, one: FieldDescriptor) -> None:
        if one.message_type is not None:
            values.add().CopyFrom(self.message(GetMessageClass(one.message_type)))
        else:
            values.append(self._value(one))

    def _value(self, one: FieldDescriptor) -> Any:
        match one.type:
            case FieldDescriptor.TYPE_BYTES:
                return self._octets()
            case FieldDescriptor.TYPE_STRING:
                return self._text()
            case FieldDescriptor.TYPE_BOOL:
                return self.rng.random() < 0.5
            case FieldDescriptor.TYPE_ENUM:
                return self.rng.choice((0, 1, 2, 99))
            case _:
                lowest, limit = _RANGES[one.type]
                return self.rng.choice([n for n in _INTEGERS if lowest <= n < limit])

    def _octets(self) -> bytes:
        if self.pool.octets and self.rng.random() < 0.5:
            known = self.rng.choice(self.pool.octets)
            return self.break_bytes(known) if self.rng.random() < 0.2 else known
        return self.rng.randbytes(self.rng.choice((0, 1, 15, 16, 17, 32, 33, 65, _LARGE_BYTES)))

    def _text(self) -> str:
        if self.pool.texts and self.rng.random() < 0.6:
            known = self.rng.choice(self.pool.texts)
            cut = self.rng.randrange(len(known) + 1)
            return known[:cut] + "x" + known[cut:] if self.rng.random() < 0.2 else known
        return self.rng.choice((*_WORDS, "x" * 5000))
