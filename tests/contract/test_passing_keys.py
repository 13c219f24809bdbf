import pytest

from hsm_module.token.hsm_token import HsmToken
from tests.contract.passing_keys_contract import PassingKeysContract
from tests.fakes.token import MemoryToken


class TestMemoryToken(PassingKeysContract):
    @pytest.fixture
    def token(self):
        return MemoryToken(keks=("kek-1", "kek-2"), signing=("issuing-ca",))


@pytest.mark.softhsm
class TestHsmToken(PassingKeysContract):
    @pytest.fixture
    async def token(self, soft_token, tmp_path):
        path = tmp_path / "token-manifest.json"
        path.write_text(soft_token.manifest.model_dump_json())
        opened = await HsmToken.open(soft_token.site, soft_token.pin, soft_token.manifest, path)
        yield opened
        await opened.close()
