"""The second half: nothing but a right signature gets into a PDF."""

import pytest

from signer_core.documents import finish_pdf, prepare_pdf, signed_attributes
from signer_core.errors import InvalidRequestError, VerificationError
from tests.fakes.citizen import NOW, Citizen


@pytest.fixture(scope="module")
def prepared(page, citizen):
    return prepare_pdf(page, signer_certificate=citizen.certificate, signed_at=NOW)


@pytest.fixture(scope="module")
def attributes(prepared, citizen):
    return signed_attributes(prepared.file_hash, citizen.certificate)


def finish(prepared, attributes, signature, chain):
    return finish_pdf(
        prepared, signed_attributes=attributes, signature=signature, certificate_chain=chain
    )


def test_signed_file_differs_from_the_prepared_only_in_the_gap(prepared, attributes, citizen):
    signed = finish(prepared, attributes, citizen.sign(attributes), citizen.chain)
    gap = prepared.gap
    assert len(signed) == len(prepared.pdf)
    assert signed[: gap.start + 1] == prepared.pdf[: gap.start + 1]
    assert signed[gap.end - 1 :] == prepared.pdf[gap.end - 1 :]


def test_signature_by_another_key_is_refused(prepared, attributes, citizen):
    signature = Citizen.make().sign(attributes)
    with pytest.raises(VerificationError, match="does not verify"):
        finish(prepared, attributes, signature, citizen.chain)


@pytest.mark.parametrize("signature", [b"", b"\x30\x00", b"\x00" * 64])
def test_signature_in_another_form_is_refused(prepared, attributes, citizen, signature):
    with pytest.raises(VerificationError, match="does not verify"):
        finish(prepared, attributes, signature, citizen.chain)


def test_attributes_of_another_file_are_refused(prepared, citizen):
    other = signed_attributes(b"\x01" * 32, citizen.certificate)
    with pytest.raises(VerificationError, match="no file"):
        finish(prepared, other, citizen.sign(other), citizen.chain)


def test_attributes_of_another_certificate_are_refused(prepared, citizen):
    other = signed_attributes(prepared.file_hash, Citizen.make().certificate)
    with pytest.raises(VerificationError, match="certificate"):
        finish(prepared, other, citizen.sign(other), citizen.chain)


def test_missing_certificate_is_refused(prepared, attributes, citizen):
    with pytest.raises(InvalidRequestError, match="missing"):
        finish(prepared, attributes, citizen.sign(attributes), [])


def test_certificates_that_do_not_fit_are_refused(prepared, attributes, citizen):
    others = [Citizen.make().certificate for _ in range(20)]
    with pytest.raises(InvalidRequestError, match="do not fit"):
        finish(prepared, attributes, citizen.sign(attributes), [citizen.certificate, *others])


def test_unreadable_certificate_in_the_chain_is_refused(prepared, attributes, citizen):
    with pytest.raises(InvalidRequestError, match="cannot be read"):
        finish(prepared, attributes, citizen.sign(attributes), [citizen.certificate, b"\x30\x01"])


def test_hash_of_another_size_is_refused(citizen):
    with pytest.raises(InvalidRequestError, match="32 bytes"):
        signed_attributes(b"\x01" * 31, citizen.certificate)
