"""Keys as developers paste them."""

import json
import secrets

import pytest

from signer_core.errors import InvalidRequestError
from signer_core.partners.jwk import parse_public_jwk
from tests.fakes.partners import public_jwk
from tests.fakes.pki import new_key


def test_a_key_without_a_name_gets_its_thumbprint():
    jwk = public_jwk(new_key())
    del jwk["kid"]
    first, again = (parse_public_jwk(json.dumps(jwk)) for _ in range(2))
    assert first == again
    assert len(first.kid) == 43


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("x", "not JSON"),
        ("[]", "object"),
        ("[" * 1000, "not JSON"),
        (" " * 2049, "2 KiB"),
        ("{}", "P-256"),
        (json.dumps(public_jwk(new_key()) | {"d": "x"}), "PRIVATE"),
        (json.dumps({"kty": "oct", "k": "x"}), "PRIVATE"),
        (json.dumps(public_jwk(new_key()) | {"use": "enc"}), "something else"),
        (json.dumps(public_jwk(new_key()) | {"alg": "RS256"}), "something else"),
        (json.dumps(public_jwk(new_key()) | {"x5c": []}), "P-256"),
        (json.dumps(public_jwk(new_key()) | {"x": secrets.token_urlsafe(32)}), "P-256"),
        (json.dumps(public_jwk(new_key()) | {"kid": ["a"]}), "P-256"),
    ],
)
def test_what_is_no_public_key_of_p256_is_refused(text, match):
    with pytest.raises(InvalidRequestError, match=match):
        parse_public_jwk(text)


def test_no_private_part_is_in_the_answer():
    with pytest.raises(InvalidRequestError) as error:
        parse_public_jwk(json.dumps(public_jwk(new_key()) | {"d": "c2VjcmV0"}))
    assert "c2VjcmV0" not in str(error.value)
