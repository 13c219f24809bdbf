"""Reads the QR codes in a picture: of a camera, of a screen, of paper."""

import io
import warnings
from typing import Final

import zxingcpp
from PIL import Image, UnidentifiedImageError

from signer_core.errors import InvalidRequestError

MAX_PICTURE_BYTES: Final = 8 << 20
_MAX_PIXELS: Final = 50_000_000  # 8,660 by 5,773: more than cameras of phones make
_QR_CODE: Final = zxingcpp.barcode_formats_from_str("QRCode")
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read_qr_codes(picture: bytes) -> tuple[str, ...]:
    """Return the texts of the QR codes in a picture, each once, in no particular order.

    Raises:
        InvalidRequestError: it is no picture of a usual format, at most 8 MiB and 50 million dots.
    """
    if len(picture) > MAX_PICTURE_BYTES:
        raise InvalidRequestError("the picture is larger than 8 MiB")
    grey = _decode(picture)
    found = zxingcpp.read_barcodes(grey, formats=_QR_CODE)
    return tuple(dict.fromkeys(one.text for one in found))


def _decode(picture: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(picture), formats=_FORMATS)
            if image.width * image.height > _MAX_PIXELS:
                raise InvalidRequestError("the picture has more than 50 million dots")
            return image.convert("L")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning):
        raise InvalidRequestError("this is no picture that can be read") from None
