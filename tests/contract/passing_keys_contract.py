"""Keys that come and go while a token serves; run by `test_passing_keys.py`, fake and SoftHSM."""

import pytest

from hsm_module.token.port import KeyLabel, Token
from signer_core.errors import InvalidRequestError, NotFoundError
from tests.contract.token_contract import AAD, CA, KEK, OTHER_KEK, PREHASHED, RECORD


class PassingKeysContract:
    """Subclasses give the fixture `token`, a new one for each test, as `TokenContract`."""

    async def test_an_older_kek_is_out_of_use_before_it_is_destroyed(self, token: Token) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        with pytest.raises(InvalidRequestError, match="in use"):
            await token.destroy(KEK)
        await token.unpin(KEK)
        assert token.keks() == [OTHER_KEK]
        for call in (token.wrap(KEK, RECORD, AAD), token.unwrap(KEK, blob, AAD)):
            with pytest.raises(NotFoundError):
                await call
        await token.pin_again(KEK)
        assert await token.unwrap(KEK, blob, AAD) == RECORD
        for _ in range(2):  # what died in between is repeated
            await token.unpin(KEK)
            await token.destroy(KEK)
        with pytest.raises(NotFoundError):
            await token.pin_again(KEK)
        assert len(await token.mac(b"state")) == 32

    @pytest.mark.parametrize("label", [OTHER_KEK, "kek-3", CA, "state-mac", ""])
    async def test_what_must_stay_is_not_taken_out_of_use(self, token: Token, label: str) -> None:
        with pytest.raises(InvalidRequestError):
            await token.unpin(label)
        assert await token.wrap(OTHER_KEK, RECORD, AAD)

    async def test_a_seals_key_is_made_and_destroyed_while_the_token_serves(
        self, token: Token
    ) -> None:
        seal = KeyLabel("seal-org-7")
        await token.make_seal_key(seal)
        first = await token.public_key(seal)
        await token.make_seal_key(seal)
        assert await token.public_key(seal) == first
        first.verify(await token.sign_digest(seal, bytes(32)), bytes(32), PREHASHED)
        await token.unpin(seal)
        await token.destroy(seal)
        with pytest.raises(NotFoundError):
            await token.sign_digest(seal, bytes(32))
        await token.make_seal_key(seal)
        assert await token.public_key(seal) != first
        with pytest.raises(InvalidRequestError):
            await token.make_seal_key(KeyLabel("issuing-ca"))
