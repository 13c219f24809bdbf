"""A login key made while the token serves: pinned, found again, never made out of turn."""

import pytest

from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import read_manifest
from hsm_module.token.port import KeyLabel
from signer_core.errors import InvalidRequestError

pytestmark = pytest.mark.softhsm
FIRST, SECOND = KeyLabel("login-1"), KeyLabel("login-2")


@pytest.fixture
def manifest_path(soft_token, tmp_path):
    path = tmp_path / "token-manifest.json"
    path.write_text(soft_token.manifest.model_dump_json())
    return path


@pytest.fixture
async def token(soft_token, manifest_path):
    opened = await HsmToken.open(
        soft_token.site, soft_token.pin, soft_token.manifest, manifest_path
    )
    yield opened
    await opened.close()


async def test_a_login_key_is_made_while_the_token_serves_and_survives_a_start(
    token, manifest_path, soft_token
):
    await token.make_login_key(FIRST)
    await token.make_login_key(SECOND)
    public = await token.public_key(SECOND)
    await token.make_login_key(SECOND)  # harmless
    assert token.login_keys() == [FIRST, SECOND]
    assert await token.public_key(SECOND) == public
    assert await token.sign_digest(SECOND, bytes(32))
    await token.close()
    again = await HsmToken.open(soft_token.site, soft_token.pin, read_manifest(manifest_path))
    try:
        assert await again.public_key(SECOND) == public
    finally:
        await again.close()


@pytest.mark.parametrize("name", ["login-2", "login-0", "login-01", "issuing-ca", "kek-3"])
async def test_no_login_key_is_made_out_of_turn(token, name):
    with pytest.raises(InvalidRequestError):
        await token.make_login_key(KeyLabel(name))
