"""Check the signature behind a login with OpenSSL, without trusting who sent it."""

import base64
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class BadSignatureError(Exception):
    """The signature is not what it says; the message is a sentence."""


def verify_login(claim: Mapping[str, Any], root: Path, expected: Mapping[str, str]) -> str:
    """Return the subject of the certificate that signed this login.

    `claim` is `diia_signature` of the ID token, `root` the pinned root certificate (PEM),
    `expected` lines of the statement that must be this login's own: issuer, client, nonce.

    1. The statement says what we asked for.
    2. The signature is over the statement, by a certificate under the root.

    Raises:
        BadSignatureError: at the first that fails.
    """
    statement = str(claim["statement"])
    lines = dict(line.split(": ", 1) for line in statement.splitlines() if ": " in line)
    for name, value in expected.items():  # 1
        if lines.get(name) != value:
            raise BadSignatureError(f"the statement names another {name} than ours")
    with tempfile.TemporaryDirectory() as folder:
        return _openssl(Path(folder), statement, claim, root)  # 2


def _openssl(folder: Path, statement: str, claim: Mapping[str, Any], root: Path) -> str:
    (folder / "statement.txt").write_text(statement, encoding="utf-8", newline="")
    (folder / "login.p7s").write_bytes(base64.b64decode(claim["cades"]))
    chain = [base64.b64decode(one) for one in claim["certificates"]]
    (folder / "chain.pem").write_text("".join(map(ssl.DER_cert_to_PEM_cert, chain)))
    # `-purpose any`: the certificate is for signatures of people, not for mail.
    _run(
        folder,
        *("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "login.p7s"),
        *("-content", "statement.txt", "-certfile", "chain.pem", "-CAfile", str(root.resolve())),
        *("-purpose", "any", "-signer", "signer.pem", "-out", "/dev/null"),
    )
    return _run(folder, "x509", "-in", "signer.pem", "-noout", "-subject", "-nameopt", "utf8")


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  fixed words and files of our own
        ["/usr/bin/openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BadSignatureError("OpenSSL does not accept the signature")
    return done.stdout.strip()
