import json
import subprocess
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode
from pydantic import ValidationError

from signer_core.errors import InvalidRequestError
from signer_core.pki.partner_key import base64url
from signer_core.pki.relying_party import (
    MAX_CHARACTERS,
    RelyingParty,
    parse_description,
    sign_relying_party,
)
from tests.fakes.pki import new_key

AT_S = 1_767_225_600


def jwk(kid="first", key=None):
    numbers = (key or new_key()).public_key().public_numbers()
    x, y = (base64url(part.to_bytes(32, "big")) for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y}


KEY = jwk()
CLAIMS = {
    "id": "sandbox-bank",
    "name_uk": "Вигаданий банк",
    "name_en": "Made-up Bank",
    "logo_sha256": "0" * 64,
    "return_addresses": ["https://bank.example/return?a=1", "http://127.0.0.1:8080/back"],
    "scopes": ["auth", "profile"],
    "callback_address": "https://bank.example:8443/callback",
    "keys": [KEY],
}
SIGNED = CLAIMS | {"issued_at": AT_S}


def sign(key):
    return sign_relying_party(parse_description(CLAIMS).issued(AT_S), key)


def test_another_library_verifies_a_record() -> None:
    key = new_key()
    verified = jws.deserialize_compact(sign(key), ECKey.import_key(key.public_key()), ["ES256"])
    assert verified.headers() == {"alg": "ES256", "typ": "relying-party+jwt"}
    assert json.loads(verified.payload) == SIGNED


def test_openssl_verifies_a_record(tmp_path) -> None:
    key = new_key()
    signed, _, signature = sign(key).rpartition(".")
    raw = urlsafe_b64decode(signature.encode())
    r, s = (int.from_bytes(part, "big") for part in (raw[:32], raw[32:]))
    spki = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(spki)
    (tmp_path / "signature").write_bytes(utils.encode_dss_signature(r, s))
    (tmp_path / "signed").write_text(signed)
    verify = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature"]
    said = subprocess.run([*verify, "signed"], cwd=tmp_path, capture_output=True, check=True)
    assert said.stdout == b"Verified OK\n"


def test_a_record_of_another_key_does_not_verify() -> None:
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(
            sign(new_key()), ECKey.import_key(new_key().public_key()), ["ES256"]
        )


def test_a_record_keeps_what_was_described() -> None:
    described = parse_description(CLAIMS)
    assert described.issued(AT_S).description() == described


def test_a_record_that_no_phone_would_take_is_not_signed() -> None:
    addresses = [f"https://bank.example/{number}{'a' * 270}" for number in range(16)]
    too_long = parse_description(CLAIMS | {"return_addresses": addresses}).issued(AT_S)
    with pytest.raises(InvalidRequestError, match="too long"):
        sign_relying_party(too_long, new_key())


def test_a_record_grows_up_to_4096_characters() -> None:
    key, lengths = new_key(), list[int]()
    with suppress(InvalidRequestError):
        for more in range(3000):
            lengths.append(len(sign_relying_party(with_addresses_of(more), key)))
    assert len(lengths) < 3000
    assert MAX_CHARACTERS - 2 <= lengths[-1] <= MAX_CHARACTERS


def with_addresses_of(characters):
    whole, rest = divmod(1600 + characters, 200)
    addresses = [f"https://bank.example/{n}{'a' * 174}" for n in range(whole)]
    return parse_description(
        CLAIMS | {"return_addresses": [*addresses, "https://bank.example/" + "b" * rest]}
    ).issued(AT_S)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("id", ""),
        ("id", "Bank"),
        ("id", "a/b"),
        ("id", "bank\n"),
        ("id", 7),
        ("name_uk", ""),
        ("name_uk", " Банк"),
        ("name_en", "Bank "),
        ("name_en", "Bank\u202e"),
        ("name_uk", "Банк\n"),
        ("name_uk", "Б" * 201),
        ("logo_sha256", "0" * 63),
        ("logo_sha256", "G" * 64),
        ("logo_sha256", "0" * 64 + "\n"),
        ("return_addresses", "https://bank.example"),
        ("return_addresses", [f"https://bank.example/{n}" for n in range(17)]),
        ("return_addresses", ["https://bank.example/a"] * 2),
        ("scopes", []),
        ("scopes", ["everything"]),
        ("scopes", ["auth", "auth"]),
        ("callback_address", None),
        ("callback_address", "http://bank.example/callback"),
        ("keys", [{}]),
        ("keys", [jwk(f"kid-{n}") for n in range(5)]),
        ("keys", [jwk("same"), jwk("same")]),
        ("keys", [KEY | {"kty": "RSA"}]),
        ("keys", [KEY | {"crv": "P-384"}]),
        ("keys", [KEY | {"kid": ""}]),
        ("keys", [KEY | {"kid": "a b"}]),
        ("keys", [KEY | {"d": KEY["x"]}]),
        ("keys", [KEY | {"x": KEY["x"] + "="}]),
        ("keys", [KEY | {"y": KEY["x"]}]),
        ("extra", "x"),
        ("issued_at", AT_S),
    ],
)
def test_a_wrong_claim_is_refused(claim: str, value: object) -> None:
    with pytest.raises(InvalidRequestError):
        parse_description(CLAIMS | {claim: value})


@pytest.mark.parametrize(
    "address",
    [
        "http://bank.example",
        "http://127.0.0.1.bank.example",
        "http://localhost.bank.example/",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://bank.example@evil.example",
        "https://:secret@bank.example",
        "https://bank.example\\@evil.example/",
        "https://bank.example/\n",
        "https://bank.example/a b",
        "https://bank.example/#part",
        "https://bank.example/#",
        "https://банк.example",
        "https://BANK.example/",
        "https://bank%2eexample/",
        "https://bank.example:0/",
        "https://bank.example:65536/",
        "https://bank.example:/",
        "https://[::1]/",
        "//bank.example/",
        "bank.example",
        "ftp://bank.example/",
        "https://bank.example/" + "a" * 280,
        "",
    ],
)
def test_an_address_that_can_be_read_two_ways_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_description(CLAIMS | {"return_addresses": [address]})
    if address:
        with pytest.raises(InvalidRequestError):
            parse_description(CLAIMS | {"callback_address": address})


def test_one_text_only_says_a_key() -> None:
    """The last of 43 characters has two bits to spare: they are zero."""
    last = KEY["x"][-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = alphabet[alphabet.index(last) + 1]
    with pytest.raises(InvalidRequestError, match="canonical"):
        parse_description(CLAIMS | {"keys": [KEY | {"x": KEY["x"][:-1] + spare}]})


@pytest.mark.parametrize("claim", list(CLAIMS))
def test_a_missing_claim_is_refused(claim: str) -> None:
    with pytest.raises(InvalidRequestError, match=claim):
        parse_description({name: value for name, value in CLAIMS.items() if name != claim})


@pytest.mark.parametrize("issued_at", [0, -1, "1", True, 1.5, None])
def test_a_record_says_when_it_was_made(issued_at: object) -> None:
    with pytest.raises(ValidationError):
        RelyingParty.model_validate(CLAIMS | {"issued_at": issued_at})


def test_the_keys_of_these_tests_are_points() -> None:
    assert isinstance(ECKey.import_key(KEY).public_key, ec.EllipticCurvePublicKey)
