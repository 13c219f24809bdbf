"""Have files signed: `python -m examples.partner_signing --client-id ID ... FILE ...`."""

import argparse
import base64
import secrets
import ssl
import sys
from pathlib import Path

import httpx

from examples.partner_signing.api import PartnerApi, RefusedError
from examples.partner_signing.openssl import verify


def main() -> int:
    """Ask, wait, collect, verify; 0 if every signature is good."""
    given = _arguments()
    secret = given.client_secret_file.read_text().strip()
    with httpx.Client(base_url=given.portal, auth=(given.client_id, secret), timeout=30) as http:
        try:
            return _sign(PartnerApi(http), given)
        except RefusedError as error:
            sys.stderr.write(f"not signed: {error}\n")
            return 1


def _sign(api: PartnerApi, given: argparse.Namespace) -> int:
    offer = api.offer(given.files, given.purpose, secrets.token_hex(16))
    sys.stdout.write(f"send the person's browser here:\n{offer['sign_url']}\n")
    sys.stdout.flush()
    status = api.wait(offer["id"])
    if status != "approved":
        raise RefusedError(f"it is {status}")
    result = api.collect(offer["id"])
    chain = [result["certificate"], *result["chain"]]
    pem = given.out / "chain.pem"
    pem.write_text("".join(ssl.DER_cert_to_PEM_cert(base64.b64decode(one)) for one in chain))
    return max(
        _keep(file, one, pem, given)
        for file, one in zip(given.files, result["signatures"], strict=True)
    )


def _keep(file: Path, one: dict[str, str], chain: Path, given: argparse.Namespace) -> int:
    signature: Path = given.out / f"{file.name}.p7s"
    signature.write_bytes(base64.b64decode(one["signature"]))
    good = verify(file, signature, given.root, chain)
    sys.stdout.write(f"{signature}: {'good' if good else 'BAD'}, says OpenSSL\n")
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.partner_signing")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--portal", default="http://127.0.0.1:7440")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret-file", type=Path, required=True)
    parser.add_argument("--purpose", default="Підписати приклад договору")
    parser.add_argument("--root", type=Path, default=Path("var/public/root.pem"))
    parser.add_argument("--out", type=Path, default=Path())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
