"""A made-up CA and citizen with a plain key, for tests of what happens around a signature."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_YEAR = timedelta(days=365)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def name(**parts: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(getattr(NameOID, k.upper()), v) for k, v in parts.items()])


def key_usage(*uses: str) -> x509.KeyUsage:
    known = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{use: use in uses for use in known.split()})


@dataclass(frozen=True)
class Authority:
    """A CA: root if `issuer` is None."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, common_name: str, issuer: "Authority | None" = None) -> "Authority":
        key = new_key()
        builder = _builder(name(country_name="UA", common_name=common_name), key, issuer, NOW)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        builder = builder.add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        signing_key = issuer.key if issuer else key
        return cls(builder.sign(signing_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: Authority | None,
    issued_at: datetime,
    lifetime: timedelta = 5 * _YEAR,
    backdated: timedelta = timedelta(days=1),
) -> x509.CertificateBuilder:
    issuer_key = issuer.key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued_at - backdated)
        .not_valid_after(issued_at + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


@dataclass(frozen=True)
class Citizen:
    """Somebody with a signing certificate of the citizen profile."""

    certificate: bytes  # DER
    key: ec.EllipticCurvePrivateKey
    issuing: Authority
    root: Authority

    @classmethod
    def make(
        cls,
        root: Authority | None = None,
        *,
        common_name: str = "Калинова Мар’яна Устимівна",
        tax_number: str = "1234567899",
        issued_at: datetime = NOW,
        usage: str = "content_commitment",
        backdated: timedelta = timedelta(days=1),
    ) -> "Citizen":
        root = root or Authority.make("Кореневий ЦСК (тест)")
        issuing = Authority.make("ЦСК громадян (тест)", root)
        key = new_key()
        subject = name(
            country_name="UA", common_name=common_name, serial_number=f"TINUA-{tax_number}"
        )
        certificate = (
            _builder(subject, key, issuing, issued_at, _YEAR, backdated)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(key_usage(usage), critical=True)
            .sign(issuing.key, hashes.SHA256())
        )
        return cls(der(certificate), key, issuing, root)

    @property
    def chain(self) -> list[bytes]:
        return [self.certificate, der(self.issuing.certificate)]

    @property
    def trust_roots(self) -> list[bytes]:
        return [der(self.root.certificate)]

    @property
    def public_point(self) -> bytes:
        """33 bytes, compressed."""
        return self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
        )

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))
