"""What a phone checks of the document it shows, before it believes the file hash."""

import hashlib

import pytest

from signer_core.errors import InvalidRequestError
from signer_core.protocol.to_be_signed import byte_range_digest, find_signature_gap
from tests.fakes import handmade


def test_digest_is_of_everything_but_the_gap():
    pdf = handmade.unsigned()
    assert byte_range_digest(pdf) == hashlib.sha256(handmade.covered(pdf)).digest()


def test_digest_is_the_same_after_signing():
    pdf = handmade.unsigned()
    assert byte_range_digest(handmade.fill(pdf, b"\x30\x82\xab")) == byte_range_digest(pdf)


def test_gap_holds_half_as_many_bytes_as_digits():
    assert find_signature_gap(handmade.unsigned()).capacity_bytes == 4096


def test_last_of_two_signatures_counts():
    first = handmade.fill(handmade.unsigned(), b"\x30\x82\xab")
    pdf = append_signature(first)
    assert byte_range_digest(pdf) == hashlib.sha256(handmade.covered(pdf)).digest()


def append_signature(pdf: bytes) -> bytes:
    """Not a PDF that a reader would like, but its last ByteRange is right."""
    tail = b"/Contents <" + b"0" * 8192 + b"> /ByteRange [0 %010d %010d %010d]\n%%%%EOF\n"
    start = len(pdf) + 10
    after = tail[tail.index(b">") + 1 :] % (0, 0, 0)
    return pdf + tail % (start, start + 8194, len(after))


@pytest.mark.parametrize("tail", [b"x", b"\n%%EOF\n"])
def test_bytes_after_the_covered_part_are_refused(tail):
    with pytest.raises(InvalidRequestError, match="to its end"):
        byte_range_digest(handmade.unsigned() + tail)


def test_file_without_signature_is_refused():
    with pytest.raises(InvalidRequestError, match="to its end"):
        byte_range_digest(handmade.one_page())


def test_two_ranges_to_the_end_are_refused():
    pdf = handmade.unsigned()
    gap = find_signature_gap(pdf)
    number = b"%010d" % gap.start
    real = pdf[pdf.index(b"/ByteRange") : pdf.index(b"]", pdf.index(b"/ByteRange")) + 1]
    assert number in real
    # The same array once more in place of as many bytes of the page's text.
    at = pdf.index(b"BT /F1")
    doubled = pdf[:at] + real + pdf[at + len(real) :]
    with pytest.raises(InvalidRequestError, match="to its end"):
        find_signature_gap(doubled)


def test_range_that_skips_the_beginning_is_refused():
    pdf = handmade.unsigned(byte_range=b"[1 %010d %010d %010d]")
    with pytest.raises(InvalidRequestError, match="beginning"):
        find_signature_gap(pdf)


@pytest.mark.parametrize(
    ("shift_start", "shift_end"), [(-1, 0), (0, 1), (1, 0), (0, -1), (-700, 0), (9000, 0)]
)
def test_gap_with_anything_but_one_hexadecimal_string_is_refused(shift_start, shift_end):
    pdf = handmade.unsigned()
    gap = find_signature_gap(pdf)
    numbers = (gap.start, gap.end, len(pdf) - gap.end)
    start, end = gap.start + shift_start, gap.end + shift_end
    shifted = pdf.replace(
        handmade.PLAIN_RANGE % numbers, handmade.PLAIN_RANGE % (start, end, len(pdf) - end)
    )
    with pytest.raises(InvalidRequestError, match="more than itself"):
        find_signature_gap(shifted)


def test_two_strings_in_the_gap_are_refused():
    pdf = handmade.unsigned().replace(b"0" * 8192, b"0" * 4000 + b"><" + b"0" * 4190)
    with pytest.raises(InvalidRequestError, match="more than itself"):
        find_signature_gap(pdf)


def test_hexadecimal_string_that_is_not_contents_is_refused():
    pdf = handmade.unsigned().replace(b"/Contents <0", b"/Kontents <0")
    with pytest.raises(InvalidRequestError, match="something else"):
        find_signature_gap(pdf)


@pytest.mark.parametrize("range_first", [False, True])
def test_contents_of_another_object_is_refused(range_first):
    contents = b"/Contents <" + b"0" * 64 + b">"
    array = b"/ByteRange [0 %010d %010d %010d]"
    parts = [array % (0, 0, 0), contents] if range_first else [contents, array % (0, 0, 0)]
    pdf = b"1 0 obj << %s >> endobj 2 0 obj << %s >> endobj" % tuple(parts)
    start = pdf.index(b"<000")
    end = start + 66
    pdf = pdf.replace(array % (0, 0, 0), array % (start, end, len(pdf) - end))
    with pytest.raises(InvalidRequestError, match="another object"):
        find_signature_gap(pdf)
    same_object = pdf.replace(b"endobj 2 0 obj", b"______________")
    assert find_signature_gap(same_object).start == start
