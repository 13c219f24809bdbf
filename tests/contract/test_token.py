import pytest

from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.port import Token
from tests.contract.token_contract import TokenContract
from tests.fakes.token import MemoryToken


class TestMemoryToken(TokenContract):
    @pytest.fixture
    def token(self) -> Token:
        return MemoryToken(keks=("kek-1", "kek-2"), signing=("issuing-ca", "device-ca"))


@pytest.mark.softhsm
class TestHsmToken(TokenContract):
    @pytest.fixture
    def token(self, hsm_token: HsmToken) -> Token:
        return hsm_token
