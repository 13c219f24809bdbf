"""Write tests/vectors/partner-records.json: records of relying parties, good and bad.

Signed by RFC 6979, so that they are the same each time. What is good is checked in
tests/vectors/test_partner_records.py by joserfc and by OpenSSL; nobody may take what is bad.
Run it as `python -m scripts.make_record_vectors`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core.pki.partner_key import base64url

PATH = Path(__file__).parents[1] / "tests" / "vectors" / "partner-records.json"
SOURCE = "this script; good ones checked by joserfc and by OpenSSL, docs/spec/partner-record.md"
KEY = ec.derive_private_key(int.from_bytes(b"registry of the vectors", "big"), ec.SECP256R1())
OTHER = ec.derive_private_key(int.from_bytes(b"somebody else", "big"), ec.SECP256R1())
HEADER = {"alg": "ES256", "typ": "relying-party+jwt"}
SHORT = {
    "id": "bank",
    "name_uk": "Вигаданий банк",
    "name_en": "Made-up Bank",
    "logo_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "return_addresses": [],
    "scopes": ["documentSigning"],
    "callback_address": "",
    "keys": [],
    "issued_at": 1_767_225_600,
}


def jwk(secret: int) -> dict[str, str]:
    """Return a public key of a partner."""
    numbers = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers()
    x, y = (base64url(part.to_bytes(32, "big")) for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "kid": f"key-{secret}", "x": x, "y": y}


def sign(
    claims: object, header: Mapping[str, object] = HEADER, key: ec.EllipticCurvePrivateKey = KEY
) -> str:
    """Sign whatever is asked."""
    parts = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in (header, claims))
    signed = ".".join(base64url(part.encode()) for part in parts)
    rule = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), rule))
    return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def longest(more: int = 0) -> dict[str, Any]:
    """Return claims of the longest record there is, or of one with some more bytes.

    It has 4095 characters: base64url without padding has no length of 4 n + 1.
    """
    addresses = [f"https://bank.example/{number}{'a' * 270}" for number in range(9)]
    filled = SHORT | {"return_addresses": addresses}

    def with_callback(length: int) -> dict[str, Any]:
        return filled | {"callback_address": "https://bank.example/" + "b" * length}

    length = next(n for n in range(4096) if len(sign(with_callback(n + 1))) > 4096)
    return with_callback(length + more)


def good() -> dict[str, dict[str, Any]]:
    """Return the claims of every good record."""
    full = {
        "return_addresses": ["https://bank.example:8443/back?a=1", "http://127.0.0.1:8080/back"],
        "scopes": [
            *("auth", "hashedFilesSigning", "consent", "antibot", "documentSigning"),
            *("profile", "person_code", "birthdate"),
        ],
        "callback_address": "https://bank.example/callback",
        "keys": [jwk(1), jwk(2)],
    }
    return {"short": SHORT, "everything": SHORT | full, "the longest": longest()}


def bad() -> dict[str, str]:
    """Return every bad record."""
    unsigned = sign(SHORT, {**HEADER, "alg": "none"}).rpartition(".")[0] + "."
    without = {
        f"without {name}": sign({one: v for one, v in SHORT.items() if one != name})
        for name in SHORT
    }
    wrong = {
        "issued_at": "1767225600",
        "scopes": "documentSigning",
        "keys": [{**jwk(1), "d": "AA"}],
        "callback_address": None,
        "return_addresses": {},
    }
    return {
        "unsigned": unsigned,
        "by another key": sign(SHORT, key=OTHER),
        "of another type": sign(SHORT, {**HEADER, "typ": "photo-attestation+jwt"}),
        "of no type": sign(SHORT, {"alg": "ES256"}),
        "an array": sign([]),
        "with another claim": sign(SHORT | {"sub": "somebody"}),
        "a byte longer": sign(longest(1)),
        **without,
        **{f"malformed {name}": sign(SHORT | {name: value}) for name, value in wrong.items()},
    }


def main() -> None:
    """Write the file."""
    spki = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    content = {
        "source": SOURCE,
        "registry_key": spki.decode(),
        "good": {name: {"claims": one, "record": sign(one)} for name, one in good().items()},
        "bad": bad(),
    }
    PATH.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
