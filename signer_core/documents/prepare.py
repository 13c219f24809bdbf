"""First half of an interrupted signature: everything but the CMS (ISO 32000-2 §12.8).

The half-made file is the whole state: it holds a gap of zeros, and the digest that is to be
signed is that of the rest. It may wait in a database as long as it likes.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final, Self

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigAppearanceSetup,
    SigIOSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import (
    DocumentTimestamp,
    PdfSignedData,
    SignatureObject,
)

from signer_core.documents.appearance import Appearance, stamp
from signer_core.documents.certificates import common_name, parse_certificate
from signer_core.documents.earlier import check_changes_allowed, check_still_intact
from signer_core.documents.reading import PARSER_ERRORS, damaged, open_for_update, open_pdf
from signer_core.documents.seal_stamp import SealStamp, place_strip, seal_stamp
from signer_core.errors import InvalidRequestError
from signer_core.protocol.to_be_signed import SignatureGap, digest_around, find_signature_gap

# Room for a CMS: ours takes some 2.5 KiB, with a timestamp and the TSA's certificates 6. Without a
# given size pyHanko builds the whole CMS twice to measure it.
ROOM_BYTES: Final = 8 * 1024
ROOM_FOR_TIMESTAMP_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class PreparedPdf:
    """A PDF that lacks only the CMS in its last signature.

    `to_bytes` and `from_bytes` carry it through a database: the file itself is the state.
    """

    pdf: bytes
    file_hash: bytes  # 32 bytes, SHA-256 over the ByteRange: the file hash of the request
    gap: SignatureGap

    @classmethod
    def from_bytes(cls, pdf: bytes) -> Self:
        """Read a prepared file back, and hash it again.

        Raises:
            InvalidRequestError: it has no last signature, or that one is filled in.
        """
        gap = find_signature_gap(pdf)
        if pdf.count(b"0", gap.start, gap.end) != gap.end - gap.start - 2:
            raise InvalidRequestError("the PDF is signed already: prepare it anew")
        return cls(pdf, digest_around(pdf, gap), gap)

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads: the prepared file."""
        return self.pdf


def prepare_pdf(
    pdf: bytes,
    *,
    signer_certificate: bytes,
    signed_at: datetime,
    appearance: Appearance | None = None,
) -> PreparedPdf:
    """Append a new, empty PAdES B-B signature to a PDF, visible if `appearance` says where.

    `pdf` has at most 20 MiB and stays as it is, byte for byte, at the beginning of the result, so
    that earlier signatures stay valid. `signer_certificate` is DER; the name on the stamp is its
    common name. `signed_at` is what the PDF will claim; it has a time zone. Not repeatable byte
    for byte: pyHanko draws the file's new identifier and the font's prefix at random.

    Raises:
        InvalidRequestError: the PDF is broken, encrypted or too large, forbids changes, has not
            that page, or an earlier signature would not survive.
    """
    name = common_name(parse_certificate(signer_certificate)) or ""

    def append(writer: IncrementalPdfFileWriter) -> bytes:
        field = _field(writer.prev, appearance)
        look = stamp(name, signed_at) if appearance else None
        return _append(writer, field, _signature(signed_at, ROOM_BYTES), look)

    return _prepare(pdf, signed_at, append)


def prepare_seal(
    pdf: bytes,
    *,
    seal_certificate: bytes,
    sealed_at: datetime,
    room_bytes: int = ROOM_BYTES,
    mark: SealStamp | None = None,
) -> PreparedPdf:
    """Append a new, empty PAdES seal to a PDF as `prepare_pdf` does; `mark` is its stamp.

    A stamp goes on a strip that is added to the last page, so that it covers nothing.
    `room_bytes` are kept for the CMS; at most 64 KiB.

    Raises:
        InvalidRequestError: as `prepare_pdf`.
    """
    name = common_name(parse_certificate(seal_certificate)) or ""

    def append(writer: IncrementalPdfFileWriter) -> bytes:
        field, look = SigFieldSpec(_free_name(writer.prev, "Seal")), None
        if mark is not None:
            strip = place_strip(writer, mark, name, sealed_at)
            field = SigFieldSpec(field.sig_field_name, on_page=-1, box=strip.box_pt)
            look = seal_stamp(strip, sealed_at)
        return _append(writer, field, _signature(sealed_at, room_bytes), look)

    return _prepare(pdf, sealed_at, append)


def prepare_document_timestamp(pdf: bytes) -> PreparedPdf:
    """Append an empty document timestamp (ISO 32000-2 §12.8.5): `finish_document_timestamp`.

    Raises:
        InvalidRequestError: as `prepare_pdf`.
    """

    def append(writer: IncrementalPdfFileWriter) -> bytes:
        field = SigFieldSpec(_free_name(writer.prev, "Timestamp"))
        digits = 2 * ROOM_BYTES  # pyHanko counts hexadecimal digits
        placeholder = DocumentTimestamp(digits)  # type: ignore[no-untyped-call]  # pyHanko's
        return _append(writer, field, placeholder, None)

    return _prepare(pdf, None, append)


def _prepare(
    pdf: bytes, claimed_at: datetime | None, append: Callable[[IncrementalPdfFileWriter], bytes]
) -> PreparedPdf:
    """Open the file, let `append` add its signature, and check that nothing earlier is lost."""
    if claimed_at is not None and claimed_at.tzinfo is None:
        raise InvalidRequestError("the time of signing has no time zone")
    reader = open_pdf(pdf)
    check_changes_allowed(reader)
    writer = open_for_update(pdf, strict=reader.strict)
    try:
        prepared = PreparedPdf.from_bytes(append(writer))
    except PARSER_ERRORS as error:
        raise damaged() from error
    check_still_intact(reader, prepared.pdf)
    return prepared


def _append(
    writer: IncrementalPdfFileWriter,
    field: SigFieldSpec,
    placeholder: PdfSignedData,
    look: SigAppearanceSetup | None,
) -> bytes:
    """Run pyHanko's embedder up to its third step, where it has hashed the file."""
    _declare_pades(writer)
    embedder = PdfCMSEmbedder(new_field_spec=field).write_cms(field.sig_field_name, writer)
    next(embedder)
    embedder.send(SigObjSetup(placeholder, appearance_setup=look))
    output = BytesIO()
    embedder.send(SigIOSetup(md_algorithm="sha256", output=output))
    return output.getvalue()


def _signature(claimed_at: datetime, room_bytes: int) -> SignatureObject:
    digits = 2 * room_bytes  # pyHanko counts hexadecimal digits
    subfilter = SigSeedSubFilter.PADES
    return SignatureObject(timestamp=claimed_at, subfilter=subfilter, bytes_reserved=digits)


def _declare_pades(writer: IncrementalPdfFileWriter) -> None:
    # PAdES of before PDF 2.0 is an extension that a file declares (ETSI EN 319 142-1 §5.1).
    writer.ensure_output_version(version=(1, 7))  # type: ignore[no-untyped-call]  # pyHanko's
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)


def _free_name(reader: PdfFileReader, stem: str) -> str:
    taken = {name for name, _, _ in enumerate_sig_fields(reader)}
    return next(n for i in itertools.count(1) if (n := f"{stem}{i}") not in taken)


def _field(reader: PdfFileReader, appearance: Appearance | None) -> SigFieldSpec:
    name = _free_name(reader, "Signature")
    if appearance is None:
        return SigFieldSpec(name)
    pages = int(reader.root["/Pages"]["/Count"])
    if not -pages <= appearance.page < pages:
        raise InvalidRequestError("the visible signature is to go on a page that is not there")
    return SigFieldSpec(name, on_page=appearance.page, box=appearance.box_pt)
