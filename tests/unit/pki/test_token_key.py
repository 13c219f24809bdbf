import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import InvalidRequestError
from signer_core.pki.token_key import TokenKey
from tests.fakes.pki import new_key


def test_the_token_gets_the_digest_and_nothing_else() -> None:
    seen: list[bytes] = []
    key = TokenKey(new_key().public_key(), lambda digest: seen.append(digest) or b"signature")
    assert key.sign(b"data", ec.ECDSA(hashes.SHA256())) == b"signature"
    assert seen == [hashlib.sha256(b"data").digest()]


def test_another_hash_is_refused() -> None:
    key = TokenKey(new_key().public_key(), lambda digest: b"")
    with pytest.raises(InvalidRequestError):
        key.sign(b"data", ec.ECDSA(hashes.SHA384()))


def test_the_private_value_cannot_be_asked_for() -> None:
    key = TokenKey(new_key().public_key(), lambda digest: b"")
    with pytest.raises(InvalidRequestError):
        key.private_numbers()
    with pytest.raises(InvalidRequestError):
        key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    with pytest.raises(InvalidRequestError):
        key.exchange(ec.ECDH(), new_key().public_key())


def test_a_key_on_another_curve_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        TokenKey(ec.generate_private_key(ec.SECP384R1()).public_key(), lambda digest: b"")
