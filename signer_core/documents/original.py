"""Back from a prepared file to what was given to be signed, to prepare it anew."""

from io import BytesIO

from pyhanko.pdf_utils.reader import PdfFileReader

from signer_core.documents.prepare import PreparedPdf
from signer_core.documents.reading import PARSER_ERRORS, damaged
from signer_core.errors import InvalidRequestError


def original_of(prepared: PreparedPdf) -> bytes:
    """Return the PDF that `prepare_pdf` was given, byte for byte.

    What it appends is one revision, whose first object begins where the original ends.

    Raises:
        InvalidRequestError: the file is not one of `prepare_pdf`.
    """
    try:
        return prepared.pdf[: _start_of_last_revision(prepared.pdf)]
    except PARSER_ERRORS as error:
        raise damaged() from error


def _start_of_last_revision(pdf: bytes) -> int:
    # A reader of our own: with what we appended the file may be larger than `open_pdf` takes.
    revisions = PdfFileReader(BytesIO(pdf)).xrefs
    last = revisions.total_revisions - 1
    if last == 0:
        raise InvalidRequestError("the PDF was not prepared: its signature is no revision")
    places = [
        revisions.get_historical_ref(reference, last)
        for reference in revisions.explicit_refs_in_revision(last)
    ]
    # Freed objects have no place, and those in a stream have that of the stream, which is there.
    return min(place for place in places if isinstance(place, int))
