"""Records of relying parties: what two other implementations accept, and what nobody may."""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jws
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode

from mobile_share.relying_party import verify_relying_party as phone_verifies
from signer_core.errors import VerificationError
from signer_core.identity.relying_party import verify_relying_party
from signer_core.pki.authority import authority_name
from signer_core.pki.registry import issue_registry
from signer_core.pki.relying_party import sign_relying_party
from tests.fakes.pki import issuance, make_hierarchy

VECTORS = json.loads((Path(__file__).parent / "partner-records.json").read_text())
PEM = VECTORS["registry_key"]
KEY = load_pem_public_key(PEM.encode())
NAME = authority_name("Registry", "UA", "Test")
REGISTRY = issue_registry(make_hierarchy().root, issuance(), KEY, NAME)
GOOD = pytest.mark.parametrize("one", VECTORS["good"].values(), ids=VECTORS["good"])


@GOOD
def test_joserfc_accepts(one):
    verified = jws.deserialize_compact(one["record"], ECKey.import_key(PEM), ["ES256"])
    assert json.loads(verified.payload) == one["claims"]
    assert verified.headers() == {"alg": "ES256", "typ": "relying-party+jwt"}


@GOOD
def test_openssl_accepts(one, tmp_path):
    signed, _, signature = one["record"].rpartition(".")
    raw = urlsafe_b64decode(signature.encode())
    r, s = (int.from_bytes(part, "big") for part in (raw[:32], raw[32:]))
    (tmp_path / "key.pem").write_text(PEM)
    (tmp_path / "signature").write_bytes(utils.encode_dss_signature(r, s))
    (tmp_path / "signed").write_text(signed)
    verify = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature"]
    said = subprocess.run([*verify, "signed"], cwd=tmp_path, capture_output=True, check=True)
    assert said.stdout == b"Verified OK\n"


@GOOD
def test_signer_and_phone_accept_and_read_the_same(one):
    party, shown = verify_relying_party(one["record"], KEY), phone_verifies(one["record"], REGISTRY)
    assert party.model_dump(mode="json") == one["claims"]
    assert (shown.party_id, shown.name_uk, shown.name_en) == (
        party.id,
        party.name_uk,
        party.name_en,
    )
    assert tuple(shown.return_addresses) == party.return_addresses
    assert tuple(shown.scopes) == party.scopes


@GOOD
def test_the_registry_would_sign_the_same_bytes(one):
    class Key:
        """Signs nothing: what is signed is compared."""

        def sign(self, data, _rule):
            self.data = data
            return utils.encode_dss_signature(1, 1)

    key = Key()
    sign_relying_party(verify_relying_party(one["record"], KEY), key)
    assert key.data.decode() == one["record"].rpartition(".")[0]


@pytest.mark.parametrize("record", VECTORS["bad"].values(), ids=VECTORS["bad"])
def test_nobody_accepts(record):
    with pytest.raises(VerificationError):
        verify_relying_party(record, KEY)
    with pytest.raises(VerificationError):
        phone_verifies(record, REGISTRY)
