"""Opening an untrusted PDF: the one place where pyHanko's reader meets the outside."""

import logging
import struct
import zlib
from io import BytesIO
from typing import Final

from pyhanko.pdf_utils import misc
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import XRefSectionType

from signer_core.documents import hex_strings
from signer_core.errors import InvalidRequestError

MAX_PDF_BYTES: Final = 20 * 1024 * 1024

# pyHanko checks what it reads as it goes: a hostile file shows as any of these, wherever it meets
# a type, an offset or a depth that it did not expect. Its I/O is on bytes in memory.
PARSER_ERRORS: Final = (
    misc.PdfError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
)

hex_strings.install()

# pyHanko logs why a signature is bad, with the signer's name and a traceback. Names do not belong
# in logs, and what it says is in our reports.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

_HEADER_WITHIN_BYTES: Final = 1024  # ISO 32000-1 annex H.3, note 13


def open_pdf(pdf: bytes, *, strict: bool = True) -> PdfFileReader:
    """Open a PDF and read its catalog and pages.

    Hybrid files, with both kinds of cross-reference tables (word processors write them), come
    back with a lenient reader, since pyHanko's strict one handles none of their signatures; they
    have passed its other strict checks.

    Raises:
        InvalidRequestError: empty, over 20 MiB, not a PDF, encrypted, or damaged, where `strict`
            says how much of a deviation from the standard is damage.
    """
    _check_size_and_header(pdf)
    try:
        reader = PdfFileReader(BytesIO(pdf), strict=strict)
        encrypted = reader.encrypted
    except PARSER_ERRORS as error:
        raise damaged() from error
    if encrypted:
        raise InvalidRequestError("the PDF is encrypted: remove its password, then send it again")
    try:
        readable = int(reader.root["/Pages"]["/Count"]) > 0
        if reader.xrefs.hybrid_xrefs_present:
            reader = PdfFileReader(BytesIO(pdf), strict=False)
    except PARSER_ERRORS as error:
        raise damaged() from error
    if not readable:
        raise damaged()
    return reader


def is_hybrid_after(reader: PdfFileReader, revisions: int) -> bool:
    """Tell whether any revision after the first `revisions` has both kinds of tables."""
    later = range(revisions, reader.xrefs.total_revisions)
    kinds = {reader.xrefs.get_xref_container_info(r).xref_section_type for r in later}
    return XRefSectionType.HYBRID_MAIN in kinds


class _Appender(IncrementalPdfFileWriter):
    """Appends what it is told to, and nothing of its own.

    pyHanko would stamp the file's metadata with the machine's clock. The signature carries its
    own time, and a title or an author is not ours to touch.
    """

    def _update_meta(self) -> None:
        return


def open_for_update(pdf: bytes, *, strict: bool) -> IncrementalPdfFileWriter:
    """Open a PDF that `open_pdf` accepted, to append to it; `strict` is its reader's.

    Raises:
        InvalidRequestError: the PDF is damaged.
    """
    try:
        return _Appender(BytesIO(pdf), strict=strict)
    except PARSER_ERRORS as error:
        raise damaged() from error


def damaged() -> InvalidRequestError:
    """Return the error of a PDF that cannot be read, or read in one way only."""
    return InvalidRequestError("the PDF is damaged: save it anew as PDF, then send it again")


def _check_size_and_header(pdf: bytes) -> None:
    if not pdf:
        raise InvalidRequestError("the file is empty: send a PDF")
    if len(pdf) > MAX_PDF_BYTES:
        raise InvalidRequestError("the PDF is larger than 20 MiB: make it smaller, or split it")
    if b"%PDF-" not in pdf[:_HEADER_WITHIN_BYTES]:
        raise InvalidRequestError("the file is not a PDF: send a PDF")
