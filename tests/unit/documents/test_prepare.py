"""The first half of a signature: which PDFs are taken, and what is appended to them."""

import hashlib
from datetime import datetime, timedelta, timezone
from io import BytesIO

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from signer_core.documents import MAX_PDF_BYTES, Appearance, PreparedPdf, prepare_pdf
from signer_core.errors import InvalidRequestError
from tests.fakes import handmade
from tests.fakes.citizen import NOW
from tests.fakes.signing import finish, sign_pdf


def prepare(pdf, citizen, appearance=None, signed_at=NOW):
    return prepare_pdf(
        pdf,
        signer_certificate=citizen.certificate,
        signed_at=signed_at,
        appearance=appearance,
    )


def test_original_stays_byte_for_byte(page, citizen):
    assert prepare(page, citizen).pdf.startswith(page)


def test_file_hash_is_of_everything_but_the_gap(page, citizen):
    prepared = prepare(page, citizen)
    covered = prepared.pdf[: prepared.gap.start] + prepared.pdf[prepared.gap.end :]
    assert prepared.file_hash == hashlib.sha256(covered).digest()
    assert prepared.gap.capacity_bytes == 8192


def test_state_survives_as_bytes(page, citizen):
    prepared = prepare(page, citizen)
    assert PreparedPdf.from_bytes(prepared.to_bytes()) == prepared


def test_signed_file_is_not_taken_for_a_prepared_one(page, citizen):
    signed = finish(prepare(page, citizen), citizen)
    with pytest.raises(InvalidRequestError, match="signed already"):
        PreparedPdf.from_bytes(signed)


def test_claimed_time_keeps_its_zone(page, citizen):
    kyiv = timezone(timedelta(hours=2))
    prepared = prepare(page, citizen, signed_at=datetime(2026, 11, 21, 14, 0, tzinfo=kyiv))
    (field,) = PdfFileReader(BytesIO(prepared.pdf)).root["/AcroForm"]["/Fields"]
    assert field.get_object()["/V"]["/M"] == "D:20261121140000+02'00'"


def test_time_without_zone_is_refused(page, citizen):
    with pytest.raises(InvalidRequestError, match="time zone"):
        prepare(page, citizen, signed_at=NOW.replace(tzinfo=None))


def test_metadata_and_the_machine_clock_stay_out(page, citizen):
    reader = PdfFileReader(BytesIO(prepare(page, citizen, Appearance()).pdf))
    assert reader.trailer["/Info"]["/ModDate"] == "D:20260101000000Z"


def test_each_signature_gets_a_field_of_its_own(page, citizen):
    twice = sign_pdf(sign_pdf(page, citizen), citizen)
    assert b"(Signature1)" in twice
    assert b"(Signature2)" in twice


@pytest.mark.parametrize("name", ["encrypted.pdf", "encrypted_user.pdf"])
def test_encrypted_is_refused(asset, citizen, name):
    with pytest.raises(InvalidRequestError, match="encrypted: remove its password"):
        prepare(asset(name), citizen)


@pytest.mark.parametrize("name", ["broken_xref.pdf", "truncated.pdf", "signed_by_poppler.pdf"])
def test_damaged_is_refused(asset, citizen, name):
    with pytest.raises(InvalidRequestError, match="damaged: save it anew"):
        prepare(asset(name), citizen)


def test_certified_against_changes_is_refused(asset, citizen):
    with pytest.raises(InvalidRequestError, match="certified and forbids any change"):
        prepare(asset("certified_no_changes.pdf"), citizen)


def test_certified_without_a_field_is_refused_as_well(asset, citizen):
    """The catalog alone points at the certification: it counts too."""
    pdf = asset("certified_no_changes.pdf")
    hidden = pdf.replace(b"/Fields [", b"/Xields [")
    assert hidden != pdf
    with pytest.raises(InvalidRequestError, match="certified and forbids any change"):
        prepare(hidden, citizen)


def test_locking_approval_signature_is_refused(citizen, tmp_path):
    """Not only an author's certification forbids changes: a locked field does too."""
    lock = b"/Lock << /Type /SigFieldLock /Action /All /P 1 >>"
    pdf = handmade.unsigned(in_field=lock)
    covered = handmade.covered(pdf)
    cms = handmade.openssl_cms(covered, citizen.certificate, citizen.key, tmp_path)
    with pytest.raises(InvalidRequestError, match="certified and forbids any change"):
        prepare(handmade.fill(pdf, cms), citizen)


def test_mark_that_would_break_a_certification_is_refused(asset, citizen):
    pdf = asset("certified_form_filling.pdf")
    assert prepare(pdf, citizen)
    with pytest.raises(InvalidRequestError, match="without a visible mark"):
        prepare(pdf, citizen, Appearance())


def test_earlier_signature_that_is_broken_already_does_not_matter(page, citizen):
    broken = sign_pdf(page, citizen).replace(b"One page", b"Two page")
    assert prepare(broken, citizen)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 not a PDF", "not a PDF"),
        (b"%PDF-1.7\n" + b" " * MAX_PDF_BYTES, "larger than 20 MiB"),
        (b"%PDF-1.7\n", "damaged"),
    ],
)
def test_anything_else_is_refused_with_what_to_do(citizen, content, message):
    with pytest.raises(InvalidRequestError, match=message):
        prepare(content, citizen)


@pytest.mark.parametrize("number", [1, -2, 10**9])
def test_page_that_is_not_there_is_refused(page, citizen, number):
    with pytest.raises(InvalidRequestError, match="page that is not there"):
        prepare(page, citizen, Appearance(page=number))


@pytest.mark.parametrize("box", [(0, 0, 119, 40), (0, 0, 120, 39), (100, 100, 0, 0)])
def test_too_small_a_box_is_refused(box):
    with pytest.raises(InvalidRequestError, match="120 x 40"):
        Appearance(box_pt=box)


def test_unreadable_certificate_is_refused(page):
    with pytest.raises(InvalidRequestError, match="certificate"):
        prepare_pdf(page, signer_certificate=b"\x30\x00", signed_at=NOW)
