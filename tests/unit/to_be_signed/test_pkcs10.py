"""The request that a new key signs first: about this key, and nothing else."""

import hashlib
import subprocess

import pytest
from asn1crypto import csr, keys, x509
from cryptography import x509 as pyca_x509

from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.to_be_signed import assemble_pkcs10, make_pkcs10_info, verify_pkcs10
from tests.fakes.citizen import Citizen, new_key


@pytest.fixture(scope="module")
def citizen():
    return Citizen.make()


def test_info_passes_and_is_hashed(citizen):
    info = make_pkcs10_info(citizen.public_point)
    checked = verify_pkcs10(info, public_key=citizen.public_point)
    assert checked.der == info
    assert checked.digest == hashlib.sha256(info).digest()


def test_openssl_accepts_the_assembled_request(citizen):
    info = make_pkcs10_info(citizen.public_point)
    request = assemble_pkcs10(info, citizen.sign(info))
    command = ["openssl", "req", "-inform", "DER", "-verify", "-noout", "-subject"]
    result = subprocess.run(command, input=request, capture_output=True, check=True)
    assert b"verify OK" in result.stderr + result.stdout
    assert result.stdout.strip() in {b"subject=", b"subject= "}


def test_cryptography_accepts_the_assembled_request(citizen):
    info = make_pkcs10_info(citizen.public_point)
    request = pyca_x509.load_der_x509_csr(assemble_pkcs10(info, citizen.sign(info)))
    assert request.is_signature_valid
    assert request.public_key() == citizen.key.public_key()


def changed(info: bytes, **fields: object) -> bytes:
    parsed = csr.CertificationRequestInfo.load(info)
    for name, value in fields.items():
        parsed[name] = value
    return parsed.dump(force=True)


def test_other_subject_key_attribute_or_version_is_refused(citizen):
    info = make_pkcs10_info(citizen.public_point)
    attribute = {"type": "challenge_password", "values": [x509.DirectoryString("utf8_string", "x")]}
    other = make_pkcs10_info(Citizen.make().public_point)
    infos = [
        changed(info, subject=x509.Name.build({"common_name": "Somebody"})),
        changed(info, attributes=csr.CRIAttributes([csr.CRIAttribute(attribute)])),
        info.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1),
        other,
        info + b"\x00",
        b"",
    ]
    for wrong in infos:
        with pytest.raises(VerificationError):
            verify_pkcs10(wrong, public_key=citizen.public_point)


@pytest.mark.parametrize("encoding", ["uncompressed", "hybrid", "infinity", "short"])
def test_public_key_in_another_form_is_refused(encoding):
    numbers = new_key().public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    forms = {
        "uncompressed": b"\x04" + x + y,
        "hybrid": bytes([6 + y[-1] % 2]) + x + y,
        "infinity": b"\x00" * 33,
        "short": b"\x02" + x[:31],
    }
    with pytest.raises(InvalidRequestError, match="not a compressed point"):
        make_pkcs10_info(forms[encoding])


def test_public_key_off_the_curve_is_refused():
    with pytest.raises(InvalidRequestError, match="not on P-256"):
        make_pkcs10_info(b"\x02" + b"\xff" * 32)


def test_assembling_something_else_is_refused(citizen):
    with pytest.raises(InvalidRequestError):
        assemble_pkcs10(b"\x05\x00", citizen.sign(b""))


def test_named_curve_is_in_the_request(citizen):
    info = csr.CertificationRequestInfo.load(make_pkcs10_info(citizen.public_point))
    assert keys.PublicKeyInfo.load(info["subject_pk_info"].dump()).curve == ("named", "secp256r1")
