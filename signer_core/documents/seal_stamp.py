"""The stamp of a sealed copy: when, for whom, for what, which copy, and where to check it.

pyHanko lays it out; the QR code is segno's. The stamp is for people and proves nothing: the seal
does, and the page behind the QR code says what the seal says.
"""

import textwrap
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import segno
from pyhanko.pdf_utils import layout
from pyhanko.pdf_utils.generic import ArrayObject, NumberObject, StreamObject, pdf_name
from pyhanko.pdf_utils.text import TextBoxStyle
from pyhanko.pdf_utils.writer import BasePdfFileWriter, init_xobject_dictionary
from pyhanko.sign.signers.cms_embedder import SigAppearanceSetup
from pyhanko.stamp import QRPosition, QRStampStyle
from pyhanko.stamp.qr import QRStamp

from signer_core.documents.appearance import BLUE, EmbeddedFont, moment, printable
from signer_core.documents.page_strip import add_strip, page_of
from signer_core.errors import InvalidRequestError

_FONT_SIZE_PT: Final = 9
_LEADING_PT: Final = 12
_QR_PT: Final = 92  # 32 mm: a module of a 41-module code is 0.7 mm in print
_MARGIN_PT: Final = 8
_GAP_PT: Final = 4  # round the code
_BESIDE_FROM_PT: Final = 320.0  # on narrower pages the text goes below the code
_NARROWEST_PT: Final = 120.0  # on narrower pages still, all of it shrinks
_WIDEST_EM: Final = 0.60  # a Cyrillic letter of the font is 0.58 em wide on average
_A4_WIDTH_PT: Final = 595.0
_LONGEST_ADDRESS: Final = 300  # characters

_ROTATIONS: Final = {  # counterclockwise, so that a page turned clockwise shows it upright
    0: (1, 0, 0, 1, 0, 0),
    90: (0, 1, -1, 0, 0, 0),
    180: (-1, 0, 0, -1, 0, 0),
    270: (0, -1, 1, 0, 0, 0),
}


@dataclass(frozen=True, slots=True)
class SealStamp:
    """What the stamp says, besides who sealed and when."""

    recipient: str  # as registered, 1 to 200 characters
    purpose: str  # 1 to 300 characters
    copy_number: str  # 1 to 40 characters
    check_address: str  # of the page that checks this copy: https, or http on loopback

    def __post_init__(self) -> None:
        limits = ((self.recipient, 200), (self.purpose, 300), (self.copy_number, 40))
        if not all(0 < len(text.strip()) <= most for text, most in limits):
            raise InvalidRequestError("the stamp names a recipient, a purpose and a copy number")
        _check_address(self.check_address)


def _check_address(address: str) -> None:
    try:
        url = urlsplit(address)
    except ValueError:
        raise InvalidRequestError("the address to check a copy at is not one") from None
    loopback = url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost")
    plain = address.isascii() and address.isprintable() and " " not in address
    if not plain or len(address) > _LONGEST_ADDRESS or not url.hostname:
        raise InvalidRequestError("the address to check a copy at is not one")
    if not (url.scheme == "https" or loopback) or url.username is not None:
        raise InvalidRequestError("the address to check a copy at begins with https")


@dataclass(frozen=True, slots=True)
class Strip:
    """A stamp that has its place on a page."""

    box_pt: tuple[int, int, int, int]
    rotation: int  # of the page
    size_pt: tuple[float, float]  # of the stamp as it is laid out; the box scales it
    beside: bool  # the text is beside the QR code, not below it
    text: str
    check_address: str


def place_strip(
    writer: BasePdfFileWriter, mark: SealStamp, sealer: str, sealed_at: datetime
) -> Strip:
    """Add a strip to the last page, as high as the stamp's text and QR code need.

    Raises:
        InvalidRequestError: the page has no size that a stamp fits on.
    """
    _, page = page_of(writer, -1)
    # On a poster it is not a dot, on a label not wider than the label.
    width = max(page.width / min(max(page.width / _A4_WIDTH_PT, 1.0), 4.0), _NARROWEST_PT)
    code = _QR_PT + 2 * _GAP_PT
    beside = width >= _BESIDE_FROM_PT
    text = _text(mark, sealer, sealed_at, width - 2 * _MARGIN_PT - (code if beside else 0))
    lines = (text.count("\n") + 1) * _LEADING_PT
    height = 2 * _MARGIN_PT + (max(code, lines) if beside else code + lines)
    box = add_strip(writer, -1, height * page.width / width)
    return Strip(box, page.rotation, (width, height), beside, text, mark.check_address)


def _text(mark: SealStamp, sealer: str, sealed_at: datetime, width: float) -> str:
    columns = int(width / (_FONT_SIZE_PT * _WIDEST_EM))
    lines = (
        f"Електронна печатка: {sealer}",
        f"Дата і час: {moment(sealed_at)}",
        f"Отримувач: {mark.recipient}",
        f"Мета: {mark.purpose}",
        f"Примірник № {mark.copy_number}",
        "Перевірка: за QR-кодом або за адресою",
        mark.check_address,
    )
    return "\n".join(part for line in lines for part in _wrap(printable(line), columns))


def _wrap(line: str, columns: int) -> list[str]:
    return textwrap.wrap(line, columns, break_on_hyphens=False)


def seal_stamp(strip: Strip, sealed_at: datetime) -> SigAppearanceSetup:
    """Describe the appearance of the seal on its strip."""
    margins = layout.Margins(_MARGIN_PT, _MARGIN_PT, _MARGIN_PT, _MARGIN_PT)
    style = _StripStyle(
        strip=strip,
        border_width=1,
        border_color=BLUE,
        stamp_text="%(text)s",
        qr_inner_size=_QR_PT,
        innsep=_GAP_PT,
        qr_position=QRPosition.LEFT_OF_TEXT if strip.beside else QRPosition.ABOVE_TEXT,
        text_box_style=TextBoxStyle(
            font=EmbeddedFont(), font_size=_FONT_SIZE_PT, leading=_LEADING_PT
        ),
        inner_content_layout=layout.SimpleBoxLayoutRule(
            layout.AxisAlignment.ALIGN_MIN, layout.AxisAlignment.ALIGN_MID, margins
        ),
    )
    words = {"text": strip.text, "url": strip.check_address}
    return SigAppearanceSetup(style, sealed_at, None, words)


@dataclass(frozen=True, kw_only=True)
class _StripStyle(QRStampStyle):
    """pyHanko's stamp with a QR code, laid out in the strip's own size, turned with its page."""

    strip: Strip

    def create_stamp(
        self, writer: BasePdfFileWriter, box: layout.BoxConstraints, text_params: dict[str, Any]
    ) -> "_StripStamp":
        del box  # that of the page: turned and scaled
        url = text_params.pop("url")
        width, height = self.strip.size_pt
        size = layout.BoxConstraints(width=round(width), height=round(height))
        return _StripStamp(writer, url, self, text_params, size)


class _StripStamp(QRStamp):
    """Draws segno's code, and a white ground: what was cropped away must not show through."""

    def render(self) -> bytes:
        ground = b"q 1 1 1 rg 0 0 %g %g re f Q " % (self.box.width, self.box.height)
        stamp: bytes = super().render()  # type: ignore[no-untyped-call]  # pyHanko's
        return ground + stamp

    def as_form_xobject(self) -> StreamObject:
        form = super().as_form_xobject()
        matrix = _ROTATIONS[self.style.strip.rotation]
        form[pdf_name("/Matrix")] = ArrayObject(map(NumberObject, matrix))
        return form

    def _qr_xobject(self) -> tuple[Any, int]:
        code = segno.make_qr(self.url, error="m", boost_error=False)
        rows = list(code.matrix_iter(border=4))
        size = len(rows)
        squares = b" ".join(
            b"%d %d 1 1 re" % (x, size - 1 - y)
            for y, row in enumerate(rows)
            for x, dark in enumerate(row)
            if dark
        )
        form = init_xobject_dictionary(b"0 g " + squares + b" f", size, size)
        form.compress()  # type: ignore[no-untyped-call]  # pyHanko's
        return self._ensure_writer.add_object(form), size
