"""The vault contract on a token in memory and on SoftHSM."""

import pytest

from tests.contract.vault_contract import VaultContract


class TestVaultOnMemoryToken(VaultContract):
    @pytest.fixture
    def vault_world(self, world):
        return world


@pytest.mark.softhsm
class TestVaultOnSoftHsm(VaultContract):
    @pytest.fixture
    def vault_world(self, softhsm_world):
        return softhsm_world
