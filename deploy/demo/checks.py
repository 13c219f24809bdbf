"""What other people's tools say of the signed PDF: `pdfsig` and OpenSSL."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """One tool's answer; `passed` is None where the tool is not installed."""

    tool: str
    passed: bool | None
    says: str  # one line
    output: str  # all of it


def check_all(folder: Path) -> list[Verdict]:
    """Ask each tool about the files of `deploy.demo.unpacked.write` and `signed.pdf`."""
    return [_pdfsig(folder), _openssl_chain(folder), _openssl_cms(folder)]


def _pdfsig(folder: Path) -> Verdict:
    tool = "pdfsig"
    if not shutil.which("pdfsig"):
        return _absent(tool, "poppler-utils")
    if not shutil.which("certutil"):
        return _pdfsig_verdict(tool, _run(["pdfsig", "-nocert", "signed.pdf"], folder), trust=False)
    with tempfile.TemporaryDirectory() as database:
        where = ["-d", f"sql:{database}"]
        _run(["certutil", "-N", *where, "--empty-password"], folder)
        for number, certificate in enumerate(_split((folder / "chain.pem").read_text())):
            (Path(database) / "ca.pem").write_text(certificate)
            add = ["-A", "-n", f"ca-{number}", "-t", "CT,C,C", "-i", f"{database}/ca.pem"]
            _run(["certutil", *where, *add], folder)
        said = _run(["pdfsig", "-nssdir", f"sql:{database}", "signed.pdf"], folder)
    return _pdfsig_verdict(tool, said, trust=True)


def _pdfsig_verdict(tool: str, said: subprocess.CompletedProcess[str], *, trust: bool) -> Verdict:
    signatures = said.stdout.split("Signature #")[1:]
    valid = bool(signatures) and all("Signature is Valid" in one for one in signatures)
    newest = signatures[-1] if signatures else ""
    trusted = "Certificate is Trusted" in newest
    covers = "Total document signed" in newest
    says = re.findall(r"(?:Signature|Certificate) Validation: (.*)", newest)
    line = "; ".join(one.strip(" .") for one in says) or said.stderr.strip()[:200] or "no signature"
    note = "" if trust else " (trust not checked: libnss3-tools is not installed)"
    return Verdict(tool, valid and covers and (trusted or not trust), line + note, said.stdout)


def _openssl_chain(folder: Path) -> Verdict:
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "chain.pem", "certificate.pem"]
    return _openssl("openssl verify -x509_strict", command, folder)


def _openssl_cms(folder: Path) -> Verdict:
    command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER"]
    files = ["-in", "signature.p7s", "-content", "content.bin", "-CAfile", "chain.pem"]
    # Any purpose: a citizen's certificate signs documents, not e-mail, OpenSSL's default.
    return _openssl("openssl cms -verify -cades", [*command, *files, "-purpose", "any"], folder)


def _openssl(tool: str, command: Sequence[str], folder: Path) -> Verdict:
    if not shutil.which("openssl"):
        return _absent(tool, "openssl")
    said = _run([*command, *(["-out", "/dev/null"] if "cms" in command else [])], folder)
    answer = (said.stdout + said.stderr).strip()
    passed = said.returncode == 0
    return Verdict(tool, passed, answer.splitlines()[-1] if answer else "", answer)


def _absent(tool: str, package: str) -> Verdict:
    return Verdict(tool, None, f"not installed (Debian package {package}): not checked", "")


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # fixed tools, file names of our own
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def _split(pem: str) -> list[str]:
    return re.findall(r"-----BEGIN.*?-----END[^-]*-----\n?", pem, re.S)
