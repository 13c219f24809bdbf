"""What the signatures that are in a PDF already allow to be added."""

from io import BytesIO

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, read_certification_data

from signer_core.documents.reading import PARSER_ERRORS, damaged
from signer_core.errors import InvalidRequestError


def check_changes_allowed(reader: PdfFileReader) -> None:
    """Check that no signature in the file forbids every change (DocMDP, P = 1).

    Raises:
        InvalidRequestError: one does, or its permissions cannot be read.
    """
    try:
        levels = {signature.docmdp_level for signature in _signatures(reader)}
        certification = read_certification_data(reader)
    except PARSER_ERRORS as error:
        raise damaged() from error
    if certification is not None:
        levels.add(certification.permission)
    if MDPPerm.NO_CHANGES in levels:
        raise InvalidRequestError(
            "the PDF is certified and forbids any change: ask its author for a copy to be signed"
        )


def check_still_intact(before: PdfFileReader, prepared: bytes) -> None:
    """Check that each signature that was intact in `before` is so in the prepared file.

    Raises:
        InvalidRequestError: what we appended goes beyond what an earlier signature allows.
    """
    try:
        intact = _intact(before)
        if not intact:
            return
        after = PdfFileReader(BytesIO(prepared), strict=before.strict)
        lost = intact - _intact(after, only=intact)
    except PARSER_ERRORS as error:
        raise damaged() from error
    if lost:
        raise InvalidRequestError(
            "an earlier signature of the PDF does not allow this one: sign without a visible mark"
        )


def _intact(reader: PdfFileReader, only: set[str] | None = None) -> set[str]:
    # In the prepared file the new signature is still zeros: it can only be looked at by name.
    signatures = _signatures(reader, only)
    return {s.field_name for s in signatures if _allows_what_follows(s)}


def _allows_what_follows(signature: EmbeddedPdfSignature) -> bool:
    signature.compute_integrity_info()  # type: ignore[no-untyped-call]  # pyHanko's
    return bool(signature.summarise_integrity_info()["docmdp_ok"])


def _signatures(reader: PdfFileReader, only: set[str] | None = None) -> list[EmbeddedPdfSignature]:
    return [
        EmbeddedPdfSignature(reader, field, name)
        for name, _, field in enumerate_sig_fields(reader, filled_status=True)
        if only is None or name in only
    ]
