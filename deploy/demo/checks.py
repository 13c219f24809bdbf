"""What other people's tools say of the signed PDF: `pdfsig` and OpenSSL."""

import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


@dataclass(frozen=True, slots=True)
class Verdict:
    """One tool's answer; `passed` is None where the tool is not installed."""

    tool: str
    passed: bool | None
    says: str  # one line
    output: str  # all of it


def check_all(folder: Path) -> list[Verdict]:
    """Ask each tool about the files of `deploy.demo.unpacked.write` and `signed.pdf`."""
    return [_pdfsig(folder), _nss(folder), _openssl_chain(folder), _openssl_cms(folder)]


def check_status(folder: Path, portal: str) -> list[Verdict]:
    """Ask our trust services, by the tools of others, whether the certificate is good now."""
    chain = _split((folder / "chain.pem").read_text())
    (folder / "root.pem").write_text(chain[-1])
    issuer = x509.load_der_x509_certificate(_fetch(f"{portal}/ca/issuing-ca.cer"))
    (folder / "issuer.pem").write_bytes(issuer.public_bytes(Encoding.PEM))
    lists = [_fetch(f"{portal}/crl/{name}.crl") for name in ("issuing-ca", "root")]
    pem = (x509.load_der_x509_crl(one).public_bytes(Encoding.PEM) for one in lists)
    (folder / "crls.pem").write_bytes(b"".join(pem))
    trust = ["-CAfile", "root.pem", "-untrusted", "chain.pem"]
    verify = ["openssl", "verify", "-crl_check_all", "-CRLfile", "crls.pem", *trust]
    about = ["-issuer", "issuer.pem", "-cert", "certificate.pem"]
    ask = ["openssl", "ocsp", "-url", f"{portal}/ocsp", "-CAfile", "root.pem"]
    return [
        _openssl("openssl verify -crl_check_all", [*verify, "certificate.pem"], folder),
        _openssl("openssl ocsp", [*ask, *about], folder),
    ]


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own portal, http
        data: bytes = answer.read()
        return data


def _pdfsig(folder: Path) -> Verdict:
    tool = "pdfsig"
    if not shutil.which("pdfsig"):
        return _absent(tool, "poppler-utils")
    # Whom to trust is asked of NSS below: pdfsig calls a certificate "corrupted data" while no
    # OCSP responder answers at the address in it, even where NSS itself finds it good.
    said = _run(["pdfsig", "-nocert", "signed.pdf"], folder)
    signatures = said.stdout.split("Signature #")[1:]
    valid = bool(signatures) and all("Signature is Valid" in one for one in signatures)
    whole = valid and "Total document signed" in signatures[-1]
    says = re.findall(r"(?:Signature Validation: |- )(.* is .*|Total.*)", said.stdout)
    line = "; ".join(one.strip(" .") for one in says) or said.stderr.strip()[:200]
    return Verdict(tool, whole, line or "no signature", said.stdout)


def _nss(folder: Path) -> Verdict:
    """Whether NSS, which pdfsig and Firefox use, builds a chain to our root, and to that alone."""
    tool = "certutil -V (NSS)"
    if not shutil.which("certutil"):
        return _absent(tool, "libnss3-tools")
    with tempfile.TemporaryDirectory() as name:
        database = ["-d", f"sql:{name}"]
        _run(["certutil", "-N", *database, "--empty-password"], folder)
        authorities = _split((folder / "chain.pem").read_text())
        for number, certificate in enumerate(authorities):
            (Path(name) / "ca.pem").write_text(certificate)
            trust = "CT,C,C" if number == len(authorities) - 1 else ",,"  # the root is the last
            add = ["-A", "-n", f"ca-{number}", "-t", trust, "-i", f"{name}/ca.pem"]
            _run(["certutil", *database, *add], folder)
        signer = ["-A", "-n", "signer", "-t", ",,", "-i", "certificate.pem"]
        _run(["certutil", *database, *signer], folder)
        said = _run(["certutil", "-V", *database, "-n", "signer", "-u", "S"], folder)
    return _answer(tool, said)


def _openssl_chain(folder: Path) -> Verdict:
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "chain.pem", "certificate.pem"]
    return _openssl("openssl verify -x509_strict", command, folder)


def _openssl_cms(folder: Path) -> Verdict:
    command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER"]
    files = ["-in", "signature.p7s", "-content", "content.bin", "-CAfile", "chain.pem", "-out"]
    # Any purpose: a citizen's certificate signs documents, not e-mail, OpenSSL's default.
    return _openssl(
        "openssl cms -verify -cades", [*command, *files, "/dev/null", "-purpose", "any"], folder
    )


def _openssl(tool: str, command: Sequence[str], folder: Path) -> Verdict:
    if not shutil.which("openssl"):
        return _absent(tool, "openssl")
    return _answer(tool, _run(command, folder))


def _answer(tool: str, said: subprocess.CompletedProcess[str]) -> Verdict:
    answer = (said.stdout + said.stderr).strip()
    return Verdict(tool, said.returncode == 0, answer.splitlines()[-1] if answer else "", answer)


def _absent(tool: str, package: str) -> Verdict:
    return Verdict(tool, None, f"not installed (Debian package {package}): not checked", "")


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # fixed tools, file names of our own
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def _split(pem: str) -> list[str]:
    return re.findall(r"-----BEGIN.*?-----END[^-]*-----\n?", pem, re.S)
