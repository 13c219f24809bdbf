"""Make the PDFs beside this file. Run again only to change them; tests use what is committed.

Needs qpdf, and poppler-utils and libnss3-tools for the file that another program signs.

    python -m tests.assets.make_assets
"""

import asyncio
import os
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

from asn1crypto.keys import PrivateKeyInfo
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.fakes import handmade
from tests.fakes.citizen import NOW, Authority, Citizen, _builder, key_usage, name

HERE = Path(__file__).parent


FONTS = HERE.parents[1] / "signer_core" / "documents" / "fonts"


def run(*command: str | Path, **environment: str) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        capture_output=True,
        env={**os.environ, **environment},
    )


def certified(pdf: bytes, permission: MDPPerm) -> tuple[bytes, Citizen]:
    author = Citizen.make(common_name="Автор (тест)")
    certificates = list(load_certs_from_pemder_data(author.chain[0]))
    registry = SimpleCertificateStore()
    registry.register_multiple(load_certs_from_pemder_data(author.chain[1]))
    signer = SimpleSigner(
        signing_cert=certificates[0],
        signing_key=_private_key_info(author),
        cert_registry=registry,
    )
    meta = PdfSignatureMetadata(
        field_name="Author",
        certify=True,
        docmdp_permissions=permission,
        subfilter=SigSeedSubFilter.PADES,
        md_algorithm="sha256",
    )
    output = BytesIO()
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    asyncio.run(PdfSigner(meta, signer).async_sign_pdf(writer, output=output))
    return output.getvalue(), author


def _private_key_info(citizen: Citizen):
    return PrivateKeyInfo.load(
        citizen.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def signed_by_poppler(pdf: Path, signed: Path, root_pem: Path) -> None:
    """Sign with pdfsig and NSS: RSA, adbe.pkcs7.detached. The key is thrown away."""
    root = Authority.make("Інший ЦСК (тест)")
    key = rsa.generate_private_key(65537, 2048)
    subject = name(country_name="UA", common_name="Other Program")
    certificate = (
        _builder(subject, key, root, NOW)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(key_usage("content_commitment", "digital_signature"), critical=True)
        .sign(root.key, hashes.SHA256())
    )
    bundle = serialization.pkcs12.serialize_key_and_certificates(
        b"signer", key, certificate, [root.certificate], serialization.NoEncryption()
    )
    root_pem.write_bytes(root.certificate.public_bytes(serialization.Encoding.PEM))
    with tempfile.TemporaryDirectory() as folder:
        database = f"sql:{folder}"
        Path(folder, "bundle.p12").write_bytes(bundle)
        run("certutil", "-N", "-d", database, "--empty-password")
        run("pk12util", "-i", Path(folder, "bundle.p12"), "-d", database, "-W", "", "-K", "")
        run("certutil", "-A", "-d", database, "-n", "root", "-t", "CT,CT,CT", "-a", "-i", root_pem)
        # Poppler embeds a whole font for a mark nobody sees: give it only a small one.
        config = Path(folder, "fonts.conf")
        config.write_text(f"<fontconfig><dir>{FONTS}</dir></fontconfig>")
        command = ("pdfsig", "-nssdir", database, "-add-signature", "-nick", "signer", pdf, signed)
        run(*command, FONTCONFIG_FILE=str(config))


def signed_by_openssl(signed: Path, root_pem: Path) -> None:
    """Sign a page written by hand with `openssl cms`: ECDSA, adbe.pkcs7.detached."""
    signer = Citizen.make(common_name="OpenSSL (тест)")
    pdf = handmade.unsigned()
    with tempfile.TemporaryDirectory() as folder:
        arguments = (handmade.covered(pdf), signer.certificate, signer.key, Path(folder))
        signed.write_bytes(handmade.fill(pdf, handmade.openssl_cms(*arguments)))
    # OpenSSL puts in only the signer's certificate: here its CA is the root of trust.
    root_pem.write_bytes(signer.issuing.certificate.public_bytes(serialization.Encoding.PEM))


def main() -> None:
    plain = handmade.one_page()
    page = HERE / "one_page.pdf"
    page.write_bytes(plain)
    run("qpdf", "--object-streams=generate", page, HERE / "object_streams.pdf")
    run("qpdf", "--encrypt", "", "owner", "256", "--", page, HERE / "encrypted.pdf")
    run("qpdf", "--encrypt", "user", "owner", "256", "--", page, HERE / "encrypted_user.pdf")
    (HERE / "hybrid_xref.pdf").write_bytes(handmade.hybrid())
    (HERE / "broken_xref.pdf").write_bytes(plain.replace(b"0000000015", b"0000000019"))
    (HERE / "truncated.pdf").write_bytes(plain[: len(plain) // 2])
    (HERE / "certified_no_changes.pdf").write_bytes(certified(plain, MDPPerm.NO_CHANGES)[0])
    (HERE / "certified_form_filling.pdf").write_bytes(certified(plain, MDPPerm.FILL_FORMS)[0])
    signed_by_poppler(page, HERE / "signed_by_poppler.pdf", HERE / "signed_by_poppler.root.pem")
    signed_by_openssl(HERE / "signed_by_openssl.pdf", HERE / "signed_by_openssl.root.pem")


if __name__ == "__main__":
    main()
