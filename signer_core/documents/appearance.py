"""What a reader sees on the page of a visibly signed PDF: who signed, and when.

The stamp is for people; it proves nothing, and the words on it say where the proof is.
"""

import textwrap
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from io import BytesIO
from typing import Final

from pyhanko.pdf_utils import layout
from pyhanko.pdf_utils.font import FontEngine, FontEngineFactory
from pyhanko.pdf_utils.font.opentype import GlyphAccumulator
from pyhanko.pdf_utils.text import TextBoxStyle
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.signers.cms_embedder import SigAppearanceSetup
from pyhanko.stamp import TextStampStyle

from signer_core.errors import InvalidRequestError

_SMALLEST_PT: Final = (120, 40)  # below this the text is not readable in print
_FONT_SIZE_PT: Final = 9
_NAME_LINE_CHARACTERS: Final = 34
_NAME_LONGEST_CHARACTERS: Final = 102  # three lines
BLUE: Final = (0.12, 0.23, 0.54)

_TEXT: Final = (
    "Електронний підпис\n%(signer)s\n%(when)s\nПеревірте підпис у файлі: цей напис не є доказом"
)


@dataclass(frozen=True, slots=True)
class Appearance:
    """Where the visible mark of a signature goes.

    `page` counts from 0, -1 is the last. `box_pt` is left, bottom, right, top in points from the
    lower left corner of the page, at least 120 x 40 points.
    """

    page: int = -1
    box_pt: tuple[int, int, int, int] = (40, 40, 290, 110)

    def __post_init__(self) -> None:
        left, bottom, right, top = self.box_pt
        if right - left < _SMALLEST_PT[0] or top - bottom < _SMALLEST_PT[1]:
            raise InvalidRequestError("the visible signature needs at least 120 x 40 points")


class EmbeddedFont(FontEngineFactory):
    """Our subset of Noto Sans (SIL OFL 1.1): Latin and Cyrillic, embedded into each PDF."""

    def create_font_engine(
        self,
        writer: BasePdfFileWriter,
        obj_stream: None = None,  # pyHanko's interface; stamps put nothing into object streams
    ) -> FontEngine:
        """Return a font that remembers the glyphs used and embeds only those."""
        del obj_stream
        return GlyphAccumulator(writer, BytesIO(_font()), font_size=_FONT_SIZE_PT)


@cache
def _font() -> bytes:
    # Code as far as this package is concerned: read once, shipped with it.
    fonts = resources.files("signer_core.documents") / "fonts"
    return (fonts / "NotoSans-Subset.ttf").read_bytes()


def stamp(signer_name: str, signed_at: datetime) -> SigAppearanceSetup:
    """Describe the stamp: `signed_at` is shown in its own time zone, with the offset to UTC."""
    style = TextStampStyle(
        border_width=2,
        border_color=BLUE,
        stamp_text=_TEXT,
        text_box_style=TextBoxStyle(
            font=EmbeddedFont(),
            font_size=_FONT_SIZE_PT,
            leading=_FONT_SIZE_PT + 3,
            box_layout_rule=_left(margin_pt=0),
        ),
        inner_content_layout=_left(margin_pt=6),
    )
    words = {"when": moment(signed_at)}
    return SigAppearanceSetup(style, signed_at, _lines(signer_name), words)


def _left(margin_pt: int) -> layout.SimpleBoxLayoutRule:
    return layout.SimpleBoxLayoutRule(
        x_align=layout.AxisAlignment.ALIGN_MIN,
        y_align=layout.AxisAlignment.ALIGN_MID,
        margins=layout.Margins(margin_pt, margin_pt, margin_pt, margin_pt),
    )


def moment(at: datetime) -> str:
    """Return a time as people read it, in its own time zone, with the offset to UTC."""
    offset = at.isoformat(timespec="seconds")[-6:]  # +02:00
    return f"{at:%d.%m.%Y %H:%M:%S} (UTC{offset})"


def printable(text: str) -> str:
    """Return the text with a space for every character that cannot be shown."""
    return "".join(c if c.isprintable() else " " for c in text)


def _lines(name: str) -> str:
    short = textwrap.shorten(printable(name), _NAME_LONGEST_CHARACTERS, placeholder="…")
    return textwrap.fill(short, _NAME_LINE_CHARACTERS)
