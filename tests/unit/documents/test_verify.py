"""`verify_pdf` by its recipe: for each step a file that only that step refuses."""

import asyncio
import hashlib
import logging
from datetime import timedelta
from io import BytesIO

import pytest
from asn1crypto import algos, cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from signer_core.documents import (
    Appearance,
    InvalidSignature,
    PreparedPdf,
    ValidSignature,
    prepare_pdf,
    signed_attributes,
    verify_pdf,
)
from signer_core.documents.cms import assemble_cms
from signer_core.errors import InvalidRequestError
from signer_core.protocol.to_be_signed import CmsToBeSigned, byte_range_digest
from tests.fakes import handmade
from tests.fakes.citizen import NOW, Citizen
from tests.fakes.signing import finish, sign_pdf

SOON = NOW + timedelta(hours=1)


def verify(pdf, citizen, now=SOON, **more):
    return verify_pdf(pdf, trust_roots=citizen.trust_roots, now=now, **more)


def problem(pdf, citizen, now=SOON):
    (report,) = verify(pdf, citizen, now)
    assert isinstance(report, InvalidSignature)
    assert report.reason
    assert "\n" not in report.reason
    return report.problem


def cms_over(digest, citizen):
    """A CMS without any of the checks of `finish_pdf`."""
    der = signed_attributes(digest, citizen.certificate)
    return cms_with(der, citizen)


def cms_with(der, citizen, signature=None):
    attributes = CmsToBeSigned(der, b"", b"")
    return assemble_cms(attributes, signature or citizen.sign(der), citizen.chain)


def handmade_signed(citizen, **parts):
    pdf = handmade.unsigned(**parts)
    return handmade.fill(pdf, cms_over(byte_range_digest(pdf), citizen))


def prepare(page, citizen, signed_at=NOW):
    return prepare_pdf(page, signer_certificate=citizen.certificate, signed_at=signed_at)


def test_right_signature_is_valid_and_says_who_and_when(page, citizen):
    (report,) = verify(sign_pdf(page, citizen), citizen)
    assert isinstance(report, ValidSignature)
    assert report.signer.common_name == "Калинова Мар’яна Устимівна"
    assert report.signer.tax_number == "1234567899"
    assert report.signer.issuer == "ЦСК громадян (тест)"
    assert report.claimed_at == NOW
    assert report.coverage.whole_file


def test_file_without_signature_has_no_report(page, citizen):
    assert verify(page, citizen) == []


def test_two_signatures_are_both_valid_in_their_order(contract, citizen):
    other = Citizen.make(citizen.root, common_name="Яворівський Тарас Гнатович")
    once = sign_pdf(contract, citizen, appearance=Appearance())
    twice = sign_pdf(once, other, appearance=Appearance(box_pt=(310, 40, 560, 110)))
    first, second = verify(twice, citizen)
    assert isinstance(first, ValidSignature)
    assert isinstance(second, ValidSignature)
    assert not first.coverage.whole_file
    assert second.coverage.whole_file
    assert second.signer.common_name == "Яворівський Тарас Гнатович"


def test_handmade_file_is_valid(citizen):
    """The base of the files below."""
    (report,) = verify(handmade_signed(citizen), citizen)
    assert isinstance(report, ValidSignature)


@pytest.mark.parametrize("asset_name", ["signed_by_openssl", "signed_by_poppler"])
def test_signature_by_another_program_is_valid(asset, citizen, asset_name):
    root = x509.load_pem_x509_certificate(asset(f"{asset_name}.root.pem"))
    (report,) = verify_pdf(
        asset(f"{asset_name}.pdf"),
        trust_roots=[root.public_bytes(Encoding.DER)],
        now=NOW + timedelta(days=10),
    )
    assert isinstance(report, ValidSignature)


def test_inside_an_event_loop_it_works_too(page, citizen):
    async def inside():
        return verify(sign_pdf(page, citizen), citizen)

    assert isinstance(asyncio.run(inside())[0], ValidSignature)


def test_1_unfinished_signature_is_unreadable(page, citizen):
    assert problem(prepare(page, citizen).pdf, citizen) == "unreadable"


def test_1_other_kind_of_signature_is_unsupported(citizen):
    pdf = handmade.unsigned().replace(b"/adbe.pkcs7.detached", b"/ETSI.RFC3161       ")
    assert (
        problem(handmade.fill(pdf, cms_over(byte_range_digest(pdf), citizen)), citizen)
        == "unsupported"
    )


def test_2_bytes_that_nobody_covers_are_found(citizen):
    """The range ends before the end of its revision, where the tables are."""
    pdf = handmade.unsigned()
    short = pdf.index(b"startxref")
    array = pdf[pdf.index(b"/ByteRange") + 11 : pdf.index(b"]", pdf.index(b"/ByteRange")) + 1]
    numbers = [int(n) for n in array.strip(b"[]").split()]
    shorter = handmade.PLAIN_RANGE % (numbers[1], numbers[2], short - numbers[2])
    pdf = pdf.replace(array, shorter)
    cms_made = cms_over(byte_range_digest(pdf[:short]), citizen)
    assert problem(handmade.fill(pdf, cms_made), citizen) == "coverage"


def test_2_range_that_the_search_does_not_see_is_found(citizen):
    pdf = handmade.unsigned(byte_range=b"[0 %%\n%010d %010d %010d]")
    cms_made = cms_over(hashlib.sha256(handmade.covered(pdf)).digest(), citizen)
    assert problem(handmade.fill(pdf, cms_made), citizen) == "coverage"


def test_2_decoy_range_does_not_stand_in_for_the_real_one(citizen):
    """The array that readers follow leaves the page's text out; an honest one is a string."""
    plain = handmade.unsigned(in_signature=b"/Note (%s)" % (b" " * 200))
    start = plain.index(b"<000")
    end = start + 8194
    numbers = (end, len(plain) - end)
    text = plain.index(b"BT /F1")
    at = plain.index(b"/ByteRange")
    close = plain.index(b"]", at) + 1
    note = plain.index(b"/Note (") + len(b"/Note (")
    decoy = b"/ByteRange [0 %d %d %d]" % (start, *numbers)
    hidden = b"/ByteRange[0%%\n%d %d %d]" % (text, *numbers)
    pdf = plain[:note] + decoy.ljust(200) + plain[note + 200 : at]
    pdf += hidden.ljust(close - at) + plain[close:]
    assert len(pdf) == len(plain)
    cms_made = cms_over(hashlib.sha256(pdf[:text] + pdf[end:]).digest(), citizen)
    (report,) = verify(handmade.fill(pdf, cms_made), citizen)
    assert isinstance(report, InvalidSignature)
    assert report.reason == "it leaves out more of the document than itself"


def test_3_changed_byte_is_found(page, citizen):
    signed = sign_pdf(page, citizen)
    assert problem(signed.replace(b"One page", b"Two page"), citizen) == "changed"


def test_1_attributes_that_name_another_certificate_are_unreadable(citizen):
    pdf = handmade.unsigned()
    der = signed_attributes(byte_range_digest(pdf), Citizen.make().certificate)
    assert problem(handmade.fill(pdf, cms_with(der, citizen)), citizen) == "unreadable"


def test_4_signature_of_something_else_is_found(citizen):
    pdf = handmade.unsigned()
    der = signed_attributes(byte_range_digest(pdf), citizen.certificate)
    wrong = cms_with(der, citizen, citizen.sign(b"something else"))
    assert problem(handmade.fill(pdf, wrong), citizen) == "wrong_signature"


def test_4_algorithms_that_are_not_the_protected_ones_are_found(citizen):
    pdf = handmade.unsigned()
    der = signed_attributes(byte_range_digest(pdf), citizen.certificate)
    attributes = cms.CMSAttributes.load(der)
    for attribute in attributes:
        if attribute["type"].native == "cms_algorithm_protection":
            sha512 = algos.DigestAlgorithm({"algorithm": "sha512"})
            attribute["values"][0]["digest_algorithm"] = sha512
    wrong = cms_with(attributes.dump(force=True), citizen)
    assert problem(handmade.fill(pdf, wrong), citizen) == "wrong_signature"


def test_5_later_revision_with_two_tables_is_ambiguous(citizen):
    signed = handmade_signed(citizen)
    harmless = (9, b"<< /Nothing /New >>")
    (report,) = verify(handmade.append(signed, *harmless), citizen)
    assert isinstance(report, ValidSignature)
    two_tables = handmade.append(signed, *harmless, as_hybrid=True)
    assert problem(two_tables, citizen) == "ambiguous"


def test_5_hybrid_file_may_be_signed_twice(asset, citizen):
    twice = sign_pdf(sign_pdf(asset("hybrid_xref.pdf"), citizen), citizen)
    assert [type(r) for r in verify(twice, citizen)] == [ValidSignature, ValidSignature]


def test_5_revision_after_a_slightly_wrong_one_is_ambiguous(asset, citizen):
    pdf = handmade.append(asset("signed_by_poppler.pdf"), 30, b"<< /Nothing /New >>")
    assert problem(pdf, citizen) == "ambiguous"


def test_6_page_changed_in_a_later_revision_is_found(page, citizen):
    writer = IncrementalPdfFileWriter(BytesIO(sign_pdf(page, citizen)))
    writer.root["/Pages"]["/Kids"][0][pdf_name("/Rotate")] = pdf_name("/180")
    writer.update_container(writer.root["/Pages"]["/Kids"][0])
    output = BytesIO()
    writer.write(output)
    assert problem(output.getvalue(), citizen) == "modified_after_signing"


def test_6_text_replaced_in_a_later_revision_is_found(citizen):
    text = b"BT /F1 24 Tf 72 720 Td (Something else) Tj ET"
    stream = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text)
    pdf = handmade.append(handmade_signed(citizen), 4, stream)
    assert problem(pdf, citizen) == "modified_after_signing"


def test_7_time_to_come_is_found(page, citizen):
    pdf = sign_pdf(page, citizen, signed_at=SOON + timedelta(minutes=6))
    assert problem(pdf, citizen) == "signed_in_future"


def test_7_clock_may_differ_a_little(page, citizen):
    pdf = sign_pdf(page, citizen, signed_at=SOON + timedelta(minutes=4))
    assert isinstance(verify(pdf, citizen)[0], ValidSignature)


@pytest.mark.parametrize("days", [-2, 366])
def test_7_certificate_not_valid_at_signing_is_found(page, days):
    citizen = Citizen.make()
    pdf = sign_pdf(page, citizen, signed_at=NOW + timedelta(days=days))
    expected = "not_valid_at_signing"
    assert problem(pdf, citizen, NOW + timedelta(days=max(days, 0), hours=1)) == expected


def test_8_certificate_expired_since_is_found(page, citizen):
    pdf = sign_pdf(page, citizen)
    assert problem(pdf, citizen, NOW + timedelta(days=366)) == "expired"


def test_8_other_root_is_not_trusted(page, citizen):
    assert problem(sign_pdf(page, citizen), Citizen.make()) == "untrusted"


def test_8_helping_certificates_are_not_trusted(page, citizen):
    (report,) = verify_pdf(
        sign_pdf(page, citizen),
        trust_roots=Citizen.make().trust_roots,
        other_certificates=[*citizen.chain, *citizen.trust_roots],
        now=SOON,
    )
    assert isinstance(report, InvalidSignature)
    assert report.problem == "untrusted"


def test_8_helping_certificates_complete_a_chain(citizen, tmp_path):
    pdf = handmade.unsigned()
    covered = handmade.covered(pdf)
    alone = handmade.openssl_cms(covered, citizen.certificate, citizen.key, tmp_path)
    signed = handmade.fill(pdf, alone)
    later = NOW + timedelta(days=10)  # OpenSSL puts in the machine's time
    assert problem(signed, citizen, later) == "untrusted"
    (report,) = verify(signed, citizen, later, other_certificates=citizen.chain[1:])
    assert isinstance(report, ValidSignature)


def test_8_certificate_for_logging_in_is_refused(page):
    citizen = Citizen.make(usage="digital_signature")
    assert problem(sign_pdf(page, citizen), citizen) == "not_for_signing"


def test_8_weak_hash_is_refused(citizen, tmp_path):
    pdf = handmade.unsigned()
    covered = handmade.covered(pdf)
    sha1 = handmade.openssl_cms(covered, citizen.certificate, citizen.key, tmp_path, "sha1")
    later = NOW + timedelta(days=10)
    assert problem(handmade.fill(pdf, sha1), citizen, later) == "weak_algorithm"


def test_9_rule_of_the_document_is_kept(citizen):
    rule = b"/SV << /Type /SV /Ff 8 /Reasons [(Approved)] >>"
    assert problem(handmade_signed(citizen, in_field=rule), citizen) == "breaks_a_rule"
    kept = handmade_signed(citizen, in_field=rule, in_signature=b"/Reason (Approved)")
    assert isinstance(verify(kept, citizen)[0], ValidSignature)


def test_pdf_without_pages_is_refused(page, citizen):
    empty = page.replace(b"/Kids [3 0 R] /Count 1", b"/Kids [     ] /Count 0")
    with pytest.raises(InvalidRequestError, match="damaged"):
        verify(empty, citizen)


def test_unreadable_trust_is_refused(page, citizen):
    with pytest.raises(InvalidRequestError, match="certificate"):
        verify_pdf(sign_pdf(page, citizen), trust_roots=[b"\x30\x00"], now=SOON)


def test_names_of_signers_stay_out_of_the_log(page, citizen, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        verify(sign_pdf(page, citizen), Citizen.make())
    assert "Калинова" not in caplog.text + "".join(capfd.readouterr())
    assert caplog.text == ""


def test_prepared_file_finished_after_a_restart_is_valid(page, citizen):
    stored = prepare(page, citizen).to_bytes()
    signed = finish(PreparedPdf.from_bytes(stored), citizen)
    assert isinstance(verify(signed, citizen)[0], ValidSignature)
