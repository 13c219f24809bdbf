"""Requests and persons' certificates for tests."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signer_core.identifiers import KeyId, RequestId
from signer_core.keys.certificates import PersonCertificate
from signer_core.ports import CertificateChain
from signer_core.signing.model import (
    DOCUMENT_SIGNING,
    FileEntry,
    PreparedFile,
    Request,
    RequestContent,
    RequestStatus,
)

KEY_ID = KeyId(b"\x01" * 16)
NOW = datetime.datetime(2030, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
NOW_S = int(NOW.timestamp())
PERSON_CODE = "1234567899"


def make_file(name="a.pdf", pdf=b"%PDF-prepared"):
    return PreparedFile(FileEntry(name, b"h" * 32, b"attributes", len(pdf)), pdf)


def make_request(files=None, key_id=KEY_ID):
    return Request(
        request_id=RequestId(b"r" * 16),
        content=RequestContent(key_id, DOCUMENT_SIGNING, "jws", "purpose", ""),
        request_hash=b"q" * 32,
        status=RequestStatus.NEW,
        created_at_s=NOW_S,
        expires_at_s=NOW_S + 900,
        files=(make_file().entry,) if files is None else files,
    )


class PersonCa:
    """A root and an issuing CA, as small as they can be."""

    def __init__(self, now=NOW):
        self.now = now
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.issuing_key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._ca("root", self.root_key, "root", self.root_key)
        self.issuing = self._ca("issuing", self.issuing_key, "root", self.root_key)

    def certify(self, public_key, person_code=PERSON_CODE, days=365):
        """Return the chain of a new certificate of a person."""
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "UA"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Зразок Олена"),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, f"TINUA-{person_code}"),
            ]
        )
        usage = _usage(content_commitment=True)
        builder = self._builder(name, "issuing", public_key, days)
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self.issuing_key, hashes.SHA256())
        )
        der = tuple(c.public_bytes(Encoding.DER) for c in (certificate, self.issuing, self.root))
        return CertificateChain(der[0], der[1:])

    @property
    def root_der(self):
        return self.root.public_bytes(Encoding.DER)

    def _ca(self, name, key, issuer, issuer_key):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (
            self._builder(subject, issuer, key.public_key(), 3650)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(issuer_key, hashes.SHA256())
        )

    def _builder(self, subject, issuer, public_key, days):
        issuer_key = self.root_key if issuer == "root" else self.issuing_key
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - datetime.timedelta(days=1))
            .not_valid_after(self.now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                critical=False,
            )
        )


def _usage(**allowed):
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def make_person_certificate(key_id=KEY_ID, person_code=PERSON_CODE, days=365):
    key = ec.generate_private_key(ec.SECP256R1())
    issued = PersonCa().certify(key.public_key(), person_code, days)
    return PersonCertificate.from_chain(key_id, issued)
