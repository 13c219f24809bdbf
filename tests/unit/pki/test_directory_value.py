"""The UNZR is read from a certificate as the profile writes it, and from nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from signer_core.pki.qualified import directory_attribute, find_directory_value

OID = x509.ObjectIdentifier("2.5.29.9")


def certificate(*extensions: x509.ExtensionType) -> x509.Certificate:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, SHA256())


def test_the_value_comes_back():
    written = directory_attribute("1.2.804.2.1.1.1.11.1.4.11.1", "19900101-00009")
    assert find_directory_value(certificate(written)) == "19900101-00009"


@pytest.mark.parametrize("content", [None, b"", b"\x30\x00", b"\x04\x01x"])
def test_anything_else_is_no_value(content):
    found = () if content is None else (x509.UnrecognizedExtension(OID, content),)
    assert find_directory_value(certificate(*found)) is None
