"""First half of an interrupted signature: everything but the CMS (ISO 32000-2 §12.8).

The half-made file is the whole state: it holds a gap of zeros, and the digest that is to be
signed is that of the rest. It may wait in a database as long as it likes.
"""

import itertools
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final, Self

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from signer_core.documents.appearance import Appearance, stamp
from signer_core.documents.certificates import common_name, parse_certificate
from signer_core.documents.earlier import check_changes_allowed, check_still_intact
from signer_core.documents.reading import PARSER_ERRORS, damaged, open_for_update, open_pdf
from signer_core.errors import InvalidRequestError
from signer_core.protocol.to_be_signed import SignatureGap, byte_range_digest, find_signature_gap

# Hexadecimal digits, two a byte: room for a CMS of 8 KiB. Ours takes some 2.5 KiB; without a
# given size pyHanko builds the whole CMS twice to measure it.
GAP_DIGITS: Final = 16 * 1024


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
        return cls(pdf, byte_range_digest(pdf), gap)

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
    if signed_at.tzinfo is None:
        raise InvalidRequestError("the time of signing has no time zone")
    name = common_name(parse_certificate(signer_certificate)) or ""
    reader = open_pdf(pdf)
    check_changes_allowed(reader)
    writer = open_for_update(pdf, strict=reader.strict)
    try:
        prepared = PreparedPdf.from_bytes(_append_signature(writer, name, signed_at, appearance))
    except PARSER_ERRORS as error:
        raise damaged() from error
    check_still_intact(reader, prepared.pdf)
    return prepared


def _append_signature(
    writer: IncrementalPdfFileWriter,
    name: str,
    signed_at: datetime,
    appearance: Appearance | None,
) -> bytes:
    """Run pyHanko's embedder up to its third step, where it has hashed the file."""
    field = _new_field(writer.prev, appearance)
    _declare_pades(writer)
    embedder = PdfCMSEmbedder(new_field_spec=field).write_cms(field.sig_field_name, writer)
    next(embedder)
    placeholder = SignatureObject(
        timestamp=signed_at, subfilter=SigSeedSubFilter.PADES, bytes_reserved=GAP_DIGITS
    )
    embedder.send(
        SigObjSetup(placeholder, appearance_setup=stamp(name, signed_at) if appearance else None)
    )
    output = BytesIO()
    embedder.send(SigIOSetup(md_algorithm="sha256", output=output))
    return output.getvalue()


def _declare_pades(writer: IncrementalPdfFileWriter) -> None:
    # PAdES of before PDF 2.0 is an extension that a file declares (ETSI EN 319 142-1 §5.1).
    writer.ensure_output_version(version=(1, 7))  # type: ignore[no-untyped-call]  # pyHanko's
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)


def _new_field(reader: PdfFileReader, appearance: Appearance | None) -> SigFieldSpec:
    taken = {name for name, _, _ in enumerate_sig_fields(reader)}
    name = next(n for i in itertools.count(1) if (n := f"Signature{i}") not in taken)
    if appearance is None:
        return SigFieldSpec(name)
    pages = int(reader.root["/Pages"]["/Count"])
    if not -pages <= appearance.page < pages:
        raise InvalidRequestError("the visible signature is to go on a page that is not there")
    return SigFieldSpec(name, on_page=appearance.page, box=appearance.box_pt)
