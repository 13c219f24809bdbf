"""A strip added to a page, below what is there: room for a stamp that covers nothing.

The page grows by its boxes; its content stays where it is. "Below" is what a reader sees below,
whatever `/Rotate` says.
"""

from dataclasses import dataclass
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import BasePdfFileWriter

from signer_core.errors import InvalidRequestError

Box = tuple[float, float, float, float]  # left, bottom, right, top in user space

_LONGEST_SIDE: Final = 14_400.0  # units, ISO 32000-1 annex C; larger pages break in readers
_DEPTH: Final = 64  # of the page tree, upwards


@dataclass(frozen=True, slots=True)
class Page:
    """The geometry of a page, as ISO 32000-1 table 30 inherits it."""

    shown: Box  # what of it is shown: CropBox within MediaBox
    media: Box
    rotation: int  # clockwise, 0, 90, 180, 270

    @property
    def width(self) -> float:
        """Width as a reader sees it, in user units."""
        left, bottom, right, top = self.shown
        return top - bottom if self.rotation % 180 else right - left


def page_of(writer: BasePdfFileWriter, index: int) -> tuple[generic.DictionaryObject, Page]:
    """Return a page and its geometry; -1 is the last.

    Raises:
        InvalidRequestError: its boxes are not those of a page.
    """
    found: Any = writer.find_page_for_modification(index)  # type: ignore[no-untyped-call]  # pyHanko's
    page: generic.DictionaryObject = found[0].get_object()
    media = _box(_inherited(page, "/MediaBox"))
    crop = _inherited(page, "/CropBox")
    shown = media if crop is None else _common(media, _box(crop))
    rotation = int(_inherited(page, "/Rotate") or 0) % 360
    sides = shown[2] - shown[0], shown[3] - shown[1]
    if not all(1 <= side <= _LONGEST_SIDE for side in sides) or rotation % 90:
        raise InvalidRequestError("the last page of the PDF has no size that a stamp fits on")
    return page, Page(shown, media, rotation)


def add_strip(writer: BasePdfFileWriter, index: int, height: float) -> tuple[int, int, int, int]:
    """Make the page longer by `height`, never wider: that could show what was cropped away.

    Returns the box of the strip in user space, in whole units.
    """
    page, geometry = page_of(writer, index)
    strip = _strip(geometry, height)
    shown = _around(geometry.shown, strip)
    if max(shown[2] - shown[0], shown[3] - shown[1]) > _LONGEST_SIDE:
        raise InvalidRequestError("the last page of the PDF is too large for a stamp")
    page[pdf_name("/CropBox")] = _array(shown)
    page[pdf_name("/MediaBox")] = _array(_around(geometry.media, shown))
    writer.update_container(page)
    left, bottom, right, top = strip
    return round(left), round(bottom), round(right), round(top)


def _strip(page: Page, height: float) -> Box:
    """Return the box below the page as seen, as wide as it is shown."""
    left, bottom, right, top = page.shown
    match page.rotation:
        case 0:
            return left, bottom - height, right, bottom
        case 90:  # clockwise: the right edge is seen below
            return right, bottom, right + height, top
        case 180:
            return left, top, right, top + height
        case _:  # 270: the left edge is seen below
            return left - height, bottom, left, top


def _inherited(page: generic.DictionaryObject, key: str) -> Any:
    node = page
    for _ in range(_DEPTH):
        if key in node:
            return node[key]
        if "/Parent" not in node:
            return None
        node = node["/Parent"]
    raise InvalidRequestError("the tree of the PDF's pages is too deep")


def _box(value: Any) -> Box:
    if not isinstance(value, generic.ArrayObject) or len(value) != 4:
        raise InvalidRequestError("the last page of the PDF has no size that a stamp fits on")
    x1, y1, x2, y2 = (float(number) for number in value)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _common(one: Box, other: Box) -> Box:
    low = max(one[0], other[0]), max(one[1], other[1])
    high = min(one[2], other[2]), min(one[3], other[3])
    return (*low, *high)


def _around(one: Box, other: Box) -> Box:
    low = min(one[0], other[0]), min(one[1], other[1])
    high = max(one[2], other[2]), max(one[3], other[3])
    return (*low, *high)


def _array(box: Box) -> generic.ArrayObject:
    numbers = (f"{number:.3f}" for number in box)
    return generic.ArrayObject(map(generic.FloatObject, numbers))
