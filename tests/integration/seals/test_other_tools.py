"""Seals as programs that are not ours see them: OpenSSL, poppler with NSS, qpdf."""

import hashlib
import subprocess

import pytest
from asn1crypto import cms

from signer_core.seals.model import FileToSeal, Level
from tests.fakes.seals import to_der


def run(*command, **options):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, check=True, text=True, **options
    )


@pytest.fixture
def folder(service, tmp_path):
    """The root in the forms that OpenSSL and NSS want."""
    (tmp_path / "root.der").write_bytes(service.pki.root)
    run("openssl", "x509", "-in", "root.der", "-out", "root.pem", cwd=tmp_path)
    (tmp_path / "nss").mkdir()
    run("certutil", "-N", "-d", f"sql:{tmp_path}/nss", "--empty-password")
    trust = ("-n", "root", "-t", "CT,CT,CT", "-i", tmp_path / "root.der")
    run("certutil", "-A", "-d", f"sql:{tmp_path}/nss", *trust)
    return tmp_path


@pytest.mark.parametrize("level", [Level.B_B, Level.B_T], ids=str)
async def test_openssl_verifies_a_detached_seal_as_cades(service, folder, level):
    content = "Вміст, який лишився в того, хто просив".encode()
    client = await service.client()
    (seal,) = await client.seal_digests("portal", level, [hashlib.sha256(content).digest()])
    (folder / "content").write_bytes(content)
    (folder / "seal.p7s").write_bytes(seal.cms)
    verify = ("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "seal.p7s")
    against = ("-content", "content", "-CAfile", "root.pem", "-purpose", "any", "-out", "verified")
    run(*verify, *against, cwd=folder)
    assert (folder / "verified").read_bytes() == content
    (folder / "content").write_bytes(content + b".")
    with pytest.raises(subprocess.CalledProcessError):
        run(*verify, *against, cwd=folder)


async def test_openssl_verifies_the_timestamp_of_a_detached_seal(service, folder):
    client = await service.client()
    (seal,) = await client.seal_digests("portal", Level.B_T, [b"\x07" * 32])
    signer = cms.ContentInfo.load(seal.cms)["content"]["signer_infos"][0]
    (attribute,) = signer["unsigned_attrs"]
    (folder / "token.tst").write_bytes(attribute["values"][0].dump())
    imprint = hashlib.sha256(signer["signature"].native).hexdigest()
    issuing = folder / "issuing.der"
    issuing.write_bytes(to_der(service.pki.cas.issuing.certificate))
    run("openssl", "x509", "-in", issuing, "-out", "issuing.pem", cwd=folder)
    done = run(
        *("openssl", "ts", "-verify", "-digest", imprint, "-token_in", "-in", "token.tst"),
        *("-CAfile", "root.pem", "-untrusted", "issuing.pem"),
        cwd=folder,
    )
    assert "Verification: OK" in done.stdout


@pytest.mark.parametrize("level", list(Level), ids=str)
async def test_pdfsig_and_qpdf_accept_each_level(service, page, folder, level):
    client = await service.client()
    (sealed,) = await client.seal_pdfs("portal", level, [FileToSeal(page)])
    (folder / "sealed.pdf").write_bytes(sealed.pdf)
    run("qpdf", "--check", "sealed.pdf", cwd=folder)  # qpdf ends with 3 on a warning
    report = run("pdfsig", "-nssdir", f"sql:{folder}/nss", "sealed.pdf", cwd=folder).stdout
    first = report.split("Signature #2")[0]
    assert "Signature is Valid." in first
    assert "Certificate is Trusted." in first
    assert "Signature Type: ETSI.CAdES.detached" in first
