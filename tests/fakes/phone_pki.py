"""Certificates and signed statements of a made-up deployment, for tests of the phone."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey

from tests.fakes.citizen import NOW, Authority, key_usage, name, new_key

VAULT_ID = "vault-1"
PERSON = {
    "common_name": "Калинова Мар’яна Устимівна",
    "surname": "Калинова",
    "given_name": "Мар’яна Устимівна",
    "rnokpp": "1234567899",
    "unzr": "19900307-00011",
    "country": "UA",
}
RETURN_ADDRESS = "https://example.org/back"


def certify(issuer: Authority, public_key: Any, subject: x509.Name, *extensions: Any) -> bytes:
    """Return a DER leaf certificate."""
    ski = x509.SubjectKeyIdentifier.from_public_key(public_key)
    aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=365))
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(ski, critical=False)
        .add_extension(aki, critical=False)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.KeyUsage))
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER)


def der(authority: Authority) -> bytes:
    return authority.certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def sign_jws(claims: dict[str, Any], key: ec.EllipticCurvePrivateKey, typ: str) -> str:
    header = {"alg": "ES256", "typ": typ}
    return jws.serialize_compact(
        header, json.dumps(claims), ECKey.import_key(key_pem(key)), algorithms=["ES256"]
    )


@dataclass
class Pki:
    """Root, its CAs, the registry."""

    root: Authority = field(default_factory=lambda: Authority.make("root"))

    def __post_init__(self):
        self.issuing = Authority.make("issuing", self.root)
        self.devices = Authority.make("devices", self.root)
        self.infrastructure = Authority.make("infrastructure", self.root)
        self.registry = Authority.make("registry", self.root)
        self.registrar_key = new_key()

    def citizen(
        self, public_key: bytes, person=PERSON, usage=("content_commitment",)
    ) -> list[bytes]:
        """Return the chain of a person's certificate on Q, root last."""
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
        subject = name(
            country_name="UA",
            common_name=person["common_name"],
            surname=person["surname"],
            given_name=person["given_name"],
            serial_number=f"TINUA-{person['rnokpp']}",
        )
        leaf = certify(self.issuing, key, subject, key_usage(*usage))
        return [leaf, der(self.issuing), der(self.root)]

    def relying_party(self, key=None, typ="relying-party+jwt", **changes) -> str:
        claims = {
            "id": "bank",
            "name_uk": "Банк «Приклад»",
            "name_en": "Example Bank",
            "logo_sha256": "00" * 32,
            "return_addresses": [RETURN_ADDRESS],
            "scopes": ["documentSigning"],
            "callback_address": "",
            "keys": [],
            "issued_at": 1_767_225_600,
        }
        return sign_jws(claims | changes, key or self.registry.key, typ)
