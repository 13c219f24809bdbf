"""Our reader of a PDF's hexadecimal strings gives what pyHanko's gives, for every input."""

from io import BytesIO
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from signer_core.documents import hex_strings

DIGITS = st.text("0123456789abcdefABCDEF", max_size=200).map(str.encode)
NOISE = st.lists(st.sampled_from([b"00", b"a", b"F", b" ", b"\n", b"%x\n", b"g", b">", b"<"])).map(
    b"".join
)


def outcome(read: Any, data: bytes) -> object:
    stream = BytesIO(b"xx<" + data)
    stream.seek(2)
    try:
        value = read(stream)
    except Exception as error:  # noqa: BLE001  whatever it is, both must raise it
        return type(error), str(error)
    return type(value), value, stream.tell()


@settings(deadline=None)
@given(st.one_of(DIGITS.map(lambda d: d + b"> tail"), NOISE, NOISE.map(lambda d: d + b">")))
@example(b"00" * 8192 + b">")
@example(b"00" * 40_000 + b">")
@example(b"FEFF0041>")
@example(b"")
def test_both_read_the_same_or_refuse_alike(data: bytes) -> None:
    assert outcome(hex_strings.read_hex_string, data) == outcome(hex_strings._slowly, data)
