"""From a prepared file back to the original, for every kind of file: it can be prepared anew."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_core.documents import (
    MAX_PDF_BYTES,
    Appearance,
    PreparedPdf,
    ValidSignature,
    original_of,
    prepare_pdf,
    verify_pdf,
)
from signer_core.errors import InvalidRequestError
from tests.fakes import handmade
from tests.fakes.citizen import NOW, Citizen
from tests.fakes.signing import finish, sign_pdf

ASSETS = Path(__file__).parents[1] / "assets"
CITIZEN, OLD = Citizen.make(), Citizen.make()
PAGES = {
    "by hand": handmade.one_page(),
    "in two revisions": handmade.append(handmade.one_page(), 6, b"<< /Title (Two) >>"),
    "contract": (ASSETS.parents[1] / "examples/contract/contract.pdf").read_bytes(),
    "object streams": (ASSETS / "object_streams.pdf").read_bytes(),
    "hybrid": (ASSETS / "hybrid_xref.pdf").read_bytes(),
    "signed before": (ASSETS / "signed_by_openssl.pdf").read_bytes(),
    "certified": (ASSETS / "certified_form_filling.pdf").read_bytes(),
    "signed here": sign_pdf(handmade.one_page(), CITIZEN, appearance=Appearance()),
}
UNMARKED = {"certified"}  # its author forbids a stamp


def prepare(pdf, appearance=None, citizen=OLD, signed_at=NOW):
    certificate = citizen.certificate
    return prepare_pdf(
        pdf, signer_certificate=certificate, signed_at=signed_at, appearance=appearance
    )


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(PAGES)),
    page=st.sampled_from((None, 0, -1)),
    tail=st.sampled_from((b"", b"\n", b"\r\n\n", b"\n% 9 0 obj\n", b"\n" * 40)),
    later_s=st.integers(0, 86_400),
)
def test_the_original_comes_back_and_can_be_signed_by_another(kind, page, tail, later_s):
    pdf = PAGES[kind] + (tail if kind not in UNMARKED else b"")
    look = None if page is None or kind in UNMARKED else Appearance(page=page)
    stored = prepare(pdf, look).to_bytes()
    original = original_of(PreparedPdf.from_bytes(stored))
    assert original == pdf
    now = NOW + timedelta(seconds=later_s)
    signed = finish(prepare(original, look, CITIZEN, now), CITIZEN)
    report = verify_pdf(signed, trust_roots=CITIZEN.trust_roots, now=now)[-1]
    assert isinstance(report, ValidSignature), report
    assert report.coverage.whole_file
    assert report.claimed_at == now


def heavy(stream_bytes):
    """A page with this much of text."""
    objects = handmade.pages()
    text = b" " * stream_bytes
    objects[3] = b"<< /Length %d >>\nstream\n%s\nendstream" % (stream_bytes, text)
    return handmade.with_table(objects)


def test_the_largest_original_comes_back():
    """Its prepared file is larger than any that is taken from outside."""
    around = len(heavy(10**7)) - 10**7
    pdf = heavy(MAX_PDF_BYTES - around)
    prepared = prepare(pdf)
    assert len(pdf) == MAX_PDF_BYTES < len(prepared.pdf)
    assert original_of(prepared) == pdf


def test_a_file_without_revisions_has_no_original():
    with pytest.raises(InvalidRequestError, match="was not prepared"):
        original_of(PreparedPdf.from_bytes(handmade.unsigned()))


def test_a_damaged_file_has_no_original():
    pdf = prepare(handmade.one_page()).pdf
    at = pdf.rindex(b"startxref") + 10
    damaged = PreparedPdf.from_bytes(pdf[:at] + b"9" + pdf[at + 1 :])
    with pytest.raises(InvalidRequestError, match="damaged"):
        original_of(damaged)
