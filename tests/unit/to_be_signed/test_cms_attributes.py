"""`verify_cms` by its recipe: for each step something that only that step refuses."""

import hashlib

import pytest
from asn1crypto import algos, cms, core, tsp, x509

from signer_core.documents import signed_attributes
from signer_core.errors import VerificationError
from signer_core.protocol.to_be_signed import encode_cms, verify_cms

FILE = hashlib.sha256(b"file").digest()
CERTIFICATE = hashlib.sha256(b"certificate").digest()


def attribute(kind: str, *values: core.Asn1Value) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": values})


def content_type(kind: str = "data") -> cms.CMSAttribute:
    return attribute("content_type", cms.ContentType(kind))


def message_digest(*digests: bytes) -> cms.CMSAttribute:
    return attribute("message_digest", *(core.OctetString(d) for d in digests))


def identifier(certificate: bytes = CERTIFICATE, **more: object) -> tsp.ESSCertIDv2:
    return tsp.ESSCertIDv2({"cert_hash": certificate, **more})


def signing_certificate(*identifiers: tsp.ESSCertIDv2, **more: object) -> cms.CMSAttribute:
    value = tsp.SigningCertificateV2({"certs": identifiers or (identifier(),), **more})
    return attribute("signing_certificate_v2", value)


def protection(digest: str = "sha256", signature: str = "sha256_ecdsa") -> cms.CMSAttribute:
    value = cms.CMSAlgorithmProtection(
        {
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": digest}),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": signature}),
        }
    )
    return attribute("cms_algorithm_protection", value)


def encode(*attributes: cms.CMSAttribute) -> bytes:
    return cms.CMSAttributes(list(attributes)).dump()


RIGHT = (content_type(), message_digest(FILE), signing_certificate())


def verify(der: bytes, *hashes: bytes) -> bytes:
    checked = verify_cms(der, file_hashes=hashes or (FILE,), certificate_sha256=CERTIFICATE)
    assert checked.der == der
    assert checked.digest == hashlib.sha256(der).digest()
    return checked.file_hash


@pytest.mark.parametrize("more", [(), (protection(),)])
def test_right_attributes_pass_and_name_their_file(more):
    assert verify(encode(*RIGHT, *more)) == FILE


def test_one_of_several_files_is_named():
    assert verify(encode(*RIGHT), b"\x01" * 32, FILE, b"\x02" * 32) == FILE


def test_what_documents_makes_passes():
    certificate = b"any DER"
    der = signed_attributes(FILE, certificate)
    digest = hashlib.sha256(certificate).digest()
    assert verify_cms(der, file_hashes=[FILE], certificate_sha256=digest).file_hash == FILE


def refused(der: bytes, because: str) -> None:
    with pytest.raises(VerificationError, match=because):
        verify(der)


def test_too_long_is_refused():
    # Right in every other way: a long attribute would be refused as unknown.
    long_der = encode(*RIGHT) + b"\x00" * 1024
    refused(long_der, "too long")


@pytest.mark.parametrize("der", [b"", b"\x31", b"\x31\x00\x00", b"\x30\x00", b"\x31\x02\x05\x00"])
def test_other_bytes_are_refused(der):
    with pytest.raises(VerificationError):
        verify(der)


def test_unsorted_set_is_refused():
    der = encode(*RIGHT)
    parts = [cms.CMSAttribute.load(a.dump()).dump() for a in cms.CMSAttributes.load(der)]
    body = b"".join(reversed(parts))
    refused(der[: len(der) - len(body)] + body, "not in DER")


def test_long_form_of_a_short_length_is_refused():
    der = encode(*RIGHT)
    assert der[1] == 0x81 or der[1] < 128
    header = 3 if der[1] == 0x81 else 2
    body = der[header:]
    refused(b"\x31\x82" + len(body).to_bytes(2, "big") + body, "not in DER")


@pytest.mark.parametrize("missing", range(3))
def test_missing_attribute_is_refused(missing):
    refused(encode(*(a for i, a in enumerate(RIGHT) if i != missing)), "unknown attribute")


@pytest.mark.parametrize(
    "other",
    [
        attribute("signing_time", cms.Time({"utc_time": core.UTCTime("261121120000Z")})),
        cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Null()]}),
    ],
)
def test_unknown_attribute_is_refused(other):
    refused(encode(*RIGHT, other), "unknown attribute")


def test_attribute_twice_is_refused():
    refused(encode(*RIGHT, message_digest(FILE)), "twice")


@pytest.mark.parametrize("digests", [(), (FILE, FILE), (FILE, b"\x00" * 32)])
def test_other_than_one_value_is_refused(digests):
    refused(
        encode(content_type(), message_digest(*digests), signing_certificate()),
        "exactly one value",
    )


def test_other_content_type_is_refused():
    refused(encode(content_type("tst_info"), *RIGHT[1:]), "content type")


def test_other_file_is_refused():
    refused(encode(content_type(), message_digest(b"\x00" * 32), signing_certificate()), "no file")


def test_no_file_in_the_request_is_refused():
    with pytest.raises(VerificationError, match="no file"):
        verify_cms(encode(*RIGHT), file_hashes=[], certificate_sha256=CERTIFICATE)


@pytest.mark.parametrize(
    "certificate",
    [
        signing_certificate(identifier(b"\x00" * 32)),
        signing_certificate(identifier(), identifier()),
        signing_certificate(identifier(), identifier(b"\x00" * 32)),
        signing_certificate(identifier(hash_algorithm={"algorithm": "sha512"})),
        signing_certificate(
            identifier(
                issuer_serial={
                    "issuer": [
                        x509.GeneralName("directory_name", x509.Name.build({"common_name": "A"}))
                    ],
                    "serial_number": 1,
                }
            )
        ),
        signing_certificate(policies=[{"policy_identifier": "1.2.3"}]),
    ],
    ids=["another", "twice", "two", "other hash", "issuer and serial", "policy"],
)
def test_anything_but_this_certificate_alone_is_refused(certificate):
    refused(encode(content_type(), message_digest(FILE), certificate), "certificate")


@pytest.mark.parametrize(
    "algorithms",
    [protection(digest="sha512"), protection(signature="sha512_ecdsa"), protection("sha1")],
)
def test_other_algorithms_are_refused(algorithms):
    refused(encode(*RIGHT, algorithms), "algorithms")


@pytest.mark.parametrize("seed", range(8))
def test_what_we_encode_is_what_asn1crypto_encodes(seed: int) -> None:
    file_hash = hashlib.sha256(b"f%d" % seed).digest()
    certificate = hashlib.sha256(b"c%d" % seed).digest()
    theirs = encode(
        content_type(),
        message_digest(file_hash),
        signing_certificate(identifier(certificate)),
        protection(),
    )
    assert encode_cms(file_hash, certificate) == theirs


def test_attributes_without_algorithm_protection_are_the_same_in_der() -> None:
    assert verify(encode(*RIGHT)) == FILE
