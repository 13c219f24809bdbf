import json

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from signer_core.errors import InvalidRequestError
from signer_core.pki.relying_party import parse_relying_party, sign_relying_party
from tests.fakes.pki import new_key

CLAIMS = {
    "id": "sandbox-bank",
    "name_uk": "Вигаданий банк",
    "name_en": "Made-up Bank",
    "logo_sha256": "0" * 64,
    "return_addresses": ["https://bank.example/return", "http://127.0.0.1:8080/back"],
}


def test_another_library_verifies_a_record() -> None:
    key = new_key()
    token = sign_relying_party(parse_relying_party(CLAIMS), key)
    verified = jws.deserialize_compact(token, ECKey.import_key(key.public_key()), ["ES256"])
    assert verified.headers() == {"alg": "ES256", "typ": "relying-party+jwt"}
    assert json.loads(verified.payload) == CLAIMS


def test_a_record_of_another_key_does_not_verify() -> None:
    token = sign_relying_party(parse_relying_party(CLAIMS), new_key())
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(token, ECKey.import_key(new_key().public_key()), ["ES256"])


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("id", ""),
        ("id", "Bank"),
        ("id", "a/b"),
        ("name_uk", ""),
        ("name_en", "Bank\u202e"),
        ("logo_sha256", "0" * 63),
        ("logo_sha256", "G" * 64),
        ("return_addresses", "https://bank.example"),
        ("return_addresses", ["http://bank.example"]),
        ("return_addresses", ["http://127.0.0.1.bank.example"]),
        ("return_addresses", ["javascript:alert(1)"]),
        ("return_addresses", ["https://"]),
        ("return_addresses", ["https://bank.example@evil.example"]),
        ("return_addresses", ["https://bank.example/\n"]),
        ("return_addresses", ["https://банк.example"]),
        ("extra", "x"),
    ],
)
def test_a_wrong_claim_is_refused(claim: str, value: object) -> None:
    with pytest.raises(InvalidRequestError):
        parse_relying_party(CLAIMS | {claim: value})


@pytest.mark.parametrize("claim", list(CLAIMS))
def test_a_missing_claim_is_refused(claim: str) -> None:
    with pytest.raises(InvalidRequestError, match=claim):
        parse_relying_party({name: value for name, value in CLAIMS.items() if name != claim})
