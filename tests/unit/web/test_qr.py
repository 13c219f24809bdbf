"""QR codes by XOR are what segno draws, and a reader reads them."""

import base64
import re
import secrets

import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from portal_web.sign_in.codes import OfferCodes
from portal_web.sign_in.qr import QUIET_MODULES, QrPainter
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import parse_link, qr_code

PAINTER = QrPainter(84)


def _by_segno(message):
    code = segno.make_qr(message, error="m", mode="byte", boost_error=False, mask=2)
    return int("".join(str(module) for row in code.matrix for module in row), 2)


def _read(code):
    """Let another library read the code, painted from the SVG path that browsers get."""
    side = (code.size + 2 * QUIET_MODULES) * 4
    picture = bytearray(b"\xff" * side * side)
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", code.path()):
        for row in range(4 * int(y), 4 * int(y) + 4):
            start, width = row * side + 4 * int(x), 4 * int(length)
            picture[start : start + width] = bytes(width)
    return zxingcpp.read_barcodes(memoryview(picture).cast("B", (side, side)))


@given(st.binary(min_size=84, max_size=84))
def test_a_code_is_the_one_that_segno_makes(message):
    assert PAINTER.paint(message).modules == _by_segno(message)


@pytest.mark.parametrize("length", [1, 60, 84, 86, 130, 200])
def test_every_length_has_its_painter(length):
    message = secrets.token_hex(length)[:length].encode()
    assert QrPainter(length).paint(message).modules == _by_segno(message)


def test_a_message_of_another_length_is_a_defect():
    with pytest.raises(ValueError, match="instead of 84"):
        PAINTER.paint(b"x" * 83)


@pytest.mark.parametrize("url", ["http://127.0.0.1:7440", "https://sign.example"])
def test_a_reader_finds_the_link_with_the_code_of_this_second(url):
    offer_id, secret = OfferId(secrets.token_bytes(16)), secrets.token_bytes(32)
    codes = OfferCodes(url, offer_id, secret, lambda: 1_800_000_000.9)
    (found,) = _read(codes.qr())
    link = parse_link(found.text)
    assert found.text.startswith(f"{url}/o/")
    assert (link.offer_id, link.step_s) == (offer_id, 1_800_000_000)
    assert link.code == qr_code(secret, offer_id, 1_800_000_000)


def test_what_a_browser_gets_is_the_whole_matrix():
    code = PAINTER.paint(b"x" * 84)
    assert int.from_bytes(base64.b64decode(code.packed())) == code.modules
    assert len(base64.b64decode(code.packed())) == (code.size**2 + 7) // 8
