"""What we sign, as programs that are not ours see it: poppler, OpenSSL, qpdf, pyHanko, NSS."""

import asyncio
import subprocess
from datetime import timedelta
from io import BytesIO

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from signer_core.documents import Appearance, ValidSignature, prepare_pdf, verify_pdf
from signer_core.protocol.to_be_signed import byte_range_digest, find_signature_gap
from tests.fakes.citizen import NOW, Citizen, der
from tests.fakes.signing import finish, sign_pdf

ASSETS = ["object_streams.pdf", "one_page.pdf", "hybrid_xref.pdf", "signed_by_openssl.pdf"]
VISIBLE = Appearance(box_pt=(310, 60, 560, 125))


def run(*command, **options):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, check=True, text=True, **options
    )


@pytest.fixture(scope="module")
def signed(contract, citizen):
    return sign_pdf(contract, citizen, appearance=VISIBLE)


@pytest.fixture(scope="module")
def nss(citizen, tmp_path_factory):
    """A database of NSS that trusts the test root and nothing else."""
    folder = tmp_path_factory.mktemp("nss")
    (folder / "root.der").write_bytes(der(citizen.root.certificate))
    run("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")
    trust = ("-n", "root", "-t", "CT,CT,CT", "-i", folder / "root.der")
    run("certutil", "-A", "-d", f"sql:{folder}", *trust)
    return folder


def pdfsig(pdf, tmp_path, nss):
    (tmp_path / "file.pdf").write_bytes(pdf)
    return run("pdfsig", "-nssdir", f"sql:{nss}", tmp_path / "file.pdf").stdout


def test_pdfsig_finds_it_valid_and_trusted(signed, tmp_path, nss):
    report = pdfsig(signed, tmp_path, nss)
    assert "Signature is Valid." in report
    assert "Certificate is Trusted." in report
    assert "Total document signed" in report
    assert "Signature Type: ETSI.CAdES.detached" in report


def test_pdfsig_does_not_trust_another_root(contract, tmp_path, nss):
    report = pdfsig(sign_pdf(contract, Citizen.make()), tmp_path, nss)
    assert "Signature is Valid." in report
    assert "Certificate is Trusted." not in report


def test_pdfsig_finds_both_of_two_signatures_valid(signed, citizen, tmp_path, nss):
    # Two signers: pdfsig 22.12 stumbles over any second signature by the same certificate.
    other = Citizen.make(citizen.root, common_name="Яворівський Тарас Гнатович")
    report = pdfsig(sign_pdf(signed, other), tmp_path, nss)
    assert report.count("Signature is Valid.") == 2
    assert report.count("Certificate is Trusted.") == 2


@pytest.mark.parametrize("appearance", [None, VISIBLE], ids=["invisible", "visible"])
@pytest.mark.parametrize("name", ASSETS)
def test_each_kind_of_file_is_valid_for_pdfsig_and_qpdf(
    asset, citizen, tmp_path, nss, name, appearance
):
    pdf = sign_pdf(asset(name), citizen, appearance=appearance)
    assert "Signature Validation: Signature is Valid." in pdfsig(pdf, tmp_path, nss)
    run("qpdf", "--check", tmp_path / "file.pdf")  # qpdf ends with 3 on a warning
    assert isinstance(verify_pdf(pdf, trust_roots=citizen.trust_roots, now=NOW)[-1], ValidSignature)


def test_signature_by_openssl_stays_valid_under_ours(asset, citizen, tmp_path, nss):
    pdf = sign_pdf(asset("signed_by_openssl.pdf"), citizen)
    report = pdfsig(pdf, tmp_path, nss)
    assert report.count("Signature is Valid.") == 2


@pytest.mark.parametrize("more", [[], ["-cades"]], ids=["cms", "cades"])
def test_openssl_verifies_the_cms_over_the_covered_bytes(signed, citizen, tmp_path, more):
    gap = find_signature_gap(signed)
    (tmp_path / "cms.der").write_bytes(cms_in(signed, gap))
    (tmp_path / "content").write_bytes(signed[: gap.start] + signed[gap.end :])
    (tmp_path / "root.der").write_bytes(der(citizen.root.certificate))
    root = run("openssl", "x509", "-inform", "DER", "-in", tmp_path / "root.der").stdout
    (tmp_path / "root.pem").write_text(root)
    files = ["-in", tmp_path / "cms.der", "-content", tmp_path / "content"]
    strict = ["-CAfile", tmp_path / "root.pem", "-x509_strict", "-purpose", "any"]
    out = ["-binary", "-out", "/dev/null"]
    command = ["openssl", "cms", "-verify", "-inform", "DER", *files, *strict, *out, *more]
    assert "Verification successful" in run(*command).stderr


def cms_in(pdf, gap):
    padded = bytes.fromhex(pdf[gap.start + 1 : gap.end - 1].decode())
    return padded[: 4 + int.from_bytes(padded[2:4], "big")]


def test_pyhanko_finds_it_valid_and_pades(signed, citizen):
    (signature,) = PdfFileReader(BytesIO(signed)).embedded_signatures
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(root) for root in citizen.trust_roots],
        moment=NOW + timedelta(hours=1),
        allow_fetching=False,
    )
    status = asyncio.run(async_validate_pdf_signature(signature, context))
    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    attributes = {a["type"].native for a in signature.signer_info["signed_attrs"]}
    assert attributes == {
        "content_type",
        "message_digest",
        "signing_certificate_v2",
        "cms_algorithm_protection",
    }


def test_phone_and_pyhanko_agree_on_the_file_hash(signed):
    (signature,) = PdfFileReader(BytesIO(signed)).embedded_signatures
    assert byte_range_digest(signed) == signature.compute_digest()


def test_visible_mark_shows_in_print_and_as_text(signed, citizen, tmp_path):
    (tmp_path / "file.pdf").write_bytes(signed)
    text = run("pdftotext", "-layout", tmp_path / "file.pdf", "-").stdout
    assert "Електронний підпис" in text
    assert "Калинова Мар’яна Устимівна" in text
    assert "21.11.2026 12:00:00 (UTC+00:00)" in text
    fonts = run("pdffonts", tmp_path / "file.pdf").stdout
    assert "NotoSans" in fonts
    assert inked(tmp_path, "file.pdf")


def test_invisible_signature_leaves_the_page_as_it_was(contract, citizen, tmp_path):
    for name, pdf in (("before", contract), ("after", sign_pdf(contract, citizen))):
        (tmp_path / f"{name}.pdf").write_bytes(pdf)
        run("pdftoppm", "-r", "50", tmp_path / f"{name}.pdf", tmp_path / name)
    before, after = (next(tmp_path.glob(f"{n}*.ppm")) for n in ("before", "after"))
    assert before.read_bytes() == after.read_bytes()


def inked(tmp_path, name):
    """Is there anything but white in the area of the mark?"""
    area = ("-r", "72", "-gray", "-x", "310", "-y", str(842 - 125), "-W", "250", "-H", "65")
    run("pdftoppm", *area, tmp_path / name, tmp_path / "area")
    return any(value < 128 for value in next(tmp_path.glob("area*.pgm")).read_bytes()[15:])


def test_long_and_odd_names_fit_into_the_mark(page, tmp_path):
    name = "Довге-Прізвище\u202e %s\x07 Іван-Богдан"
    citizen = Citizen.make(common_name=name)
    (tmp_path / "file.pdf").write_bytes(sign_pdf(page, citizen, appearance=VISIBLE))
    text = run("pdftotext", tmp_path / "file.pdf", "-").stdout
    assert "Довге-Прізвище" in text
    assert "%s" in text
    assert "\u202e" not in text


def test_batch_of_64_files_is_valid(contract, citizen):
    prepared = [
        prepare_pdf(
            contract, signer_certificate=citizen.certificate, signed_at=NOW + timedelta(seconds=i)
        )
        for i in range(64)
    ]
    assert len({p.file_hash for p in prepared}) == 64
    for one in prepared:
        (report,) = verify_pdf(
            finish(one, citizen), trust_roots=citizen.trust_roots, now=NOW + timedelta(hours=1)
        )
        assert isinstance(report, ValidSignature)
