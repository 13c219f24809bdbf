"""A partner that has files signed by their hashes, in one file: it knows nothing of our code.

python examples/partner_signing/partner.py FILE... (docs/partners.md says what to set first)

It asks for the signatures, prints the link for the person's phone, receives the callback, checks
that it is for this partner and new, and lets OpenSSL verify each signature over the file that is
here. What leaves this machine are names and hashes.
"""

import argparse
import base64
import hashlib
import http.server
import json
import os
import queue
import secrets
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

WAIT_S = 600


class Receiver(http.server.ThreadingHTTPServer):
    """Takes callbacks; one that came before is answered, and passed on once."""

    def __init__(self, port: int, client_id: str, key: ECKey) -> None:
        super().__init__(("127.0.0.1", port), Callback)
        self.client_id, self.key = client_id, key
        self.known: set[str] = set()  # a real partner keeps this in its database
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()


class Callback(http.server.BaseHTTPRequestHandler):
    """One callback: verified, remembered, answered with 204."""

    server: Receiver

    def do_POST(self) -> None:
        """Take it."""
        length = min(int(self.headers.get("Content-Length", "0")), 4 << 20)
        body = self.rfile.read(length)
        try:
            callback_id = verify_callback(
                body, self.headers.get("X-Signature", ""), self.server.client_id, self.server.key
            )
        except ValueError as error:
            sys.stderr.write(f"refused a callback: {error}\n")
            self.send_error(403)
            return
        if callback_id not in self.server.known:
            self.server.known.add(callback_id)
            self.server.results.put(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


def verify_callback(body: bytes, signature: str, client_id: str, key: ECKey) -> str:
    """Check who sent a callback, and to whom; return its id.

    Raises:
        ValueError: it is not the signer's, or for somebody else.
    """
    before, dots, after = signature.partition("..")
    payload = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    allowed = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    try:
        whole = f"{before}.{payload}.{after}" if dots else ""
        said = jws.deserialize_compact(whole, key, registry=allowed).headers()
    except (JoseError, ValueError):
        raise ValueError("its signature does not verify") from None
    if said.get("typ") != "callback+jws" or said.get("aud") != client_id:
        raise ValueError("it is for another partner")
    return str(said["jti"])


def ask(portal: str, client_id: str, secret: str, files: list[Path]) -> dict[str, Any]:
    """Ask for signatures; return the offer."""
    wish = {
        "purpose": f"Підпис: {', '.join(file.name for file in files)}"[:300],
        "same_device": True,
        "files": [
            {"name": file.name, "file_hash": hashlib.sha256(file.read_bytes()).hexdigest()}
            for file in files
        ],
    }
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310  the portal's address is ours
        f"{portal}/partner/v1/offers",
        json.dumps(wish).encode(),
        {
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/json",
            "Idempotency-Key": secrets.token_hex(16),
        },
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310  as above
        offer: dict[str, Any] = json.load(answer)
    return offer


def verify_signature(signature: bytes, file: Path, root: Path) -> str:
    """Let OpenSSL verify one; return what the certificate says of the person.

    Raises:
        ValueError: OpenSSL refuses it.
    """
    with tempfile.TemporaryDirectory() as folder:
        cms, signer = Path(folder) / "signature.p7s", Path(folder) / "signer.pem"
        cms.write_bytes(signature)
        verify = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER"]
        verify += ["-in", str(cms), "-content", str(file), "-CAfile", str(root)]
        verify += ["-purpose", "any", "-signer", str(signer), "-out", os.devnull]
        done = subprocess.run(verify, capture_output=True, text=True, check=False)  # noqa: S603  fixed words
        if done.returncode:
            raise ValueError(f"OpenSSL refuses the signature of {file.name}: {done.stderr.strip()}")
        show = ["openssl", "x509", "-in", str(signer), "-noout", "-subject", "-nameopt", "utf8"]
        return subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  fixed words


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run once; 0 if every file is signed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--portal", default=os.environ.get("PORTAL", "http://127.0.0.1:7440"))
    parser.add_argument("--client-id", default=os.environ.get("CLIENT_ID", ""))
    parser.add_argument("--public", type=Path, default=Path("var/public"))
    parser.add_argument("--port", type=int, default=8081, help="that the callback address names")
    wish = parser.parse_args()
    key = ECKey.import_key((wish.public / "callbacks.pem").read_bytes())
    receiver = Receiver(wish.port, wish.client_id, key)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    offer = ask(wish.portal, wish.client_id, os.environ["CLIENT_SECRET"], wish.files)
    say(f"open on the phone: {offer['phone_link']}")
    try:
        while (result := receiver.results.get(timeout=WAIT_S))["offer_id"] != offer["offer_id"]:
            pass
    except queue.Empty:
        say("nobody signed")
        return 1
    for one, file in zip(result["signatures"], wish.files, strict=True):
        who = verify_signature(base64.b64decode(one["signature"]), file, wish.public / "root.pem")
        target = file.with_name(file.name + ".p7s")
        target.write_bytes(base64.b64decode(one["signature"]))
        say(f"{file.name}: signed, {who}; the signature is in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
