"""The example partner's own check of a login's signature."""

import pytest

from examples.partner_oidc.signature import BadSignatureError, verify_login

CLAIM = {"statement": "diia-signer login v1\nissuer: i\nclient: c\nnonce: n\n"}
EXPECTED = {"issuer": "i", "client": "c", "nonce": "n"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_statement_for_somebody_else_is_refused_before_openssl_is_asked(tmp_path, name):
    with pytest.raises(BadSignatureError, match=f"another {name}"):
        verify_login(CLAIM, tmp_path / "root.pem", EXPECTED | {name: "other"})


def test_what_is_no_signature_is_refused(tmp_path):
    claim = CLAIM | {"cades": "AAAA", "certificates": ["AAAA"]}
    with pytest.raises(BadSignatureError, match="OpenSSL does not accept"):
        verify_login(claim, tmp_path / "root.pem", EXPECTED)
