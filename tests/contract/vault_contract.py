"""What a vault must do for an honest phone and signer; run on both tokens by `test_vault.py`."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from signer_core.errors import NotFoundError, VerificationError
from signer_core.identifiers import KeyId, RequestId
from signer_core.ports import KeyStatus, RequestState
from tests.fakes.vault_phone import PhoneSigning
from tests.fakes.vault_world import VaultWorld


class VaultContract:
    """Subclasses give the fixture `vault_world`."""

    async def test_enrolled_key_signs_its_pkcs10_and_gets_a_certificate(self, vault_world):
        world: VaultWorld = vault_world
        phone = await world.enrol()
        await PhoneSigning(phone, world.connect(phone), world.own_ask(phone)).run()
        issued = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
        certificate = x509.load_der_x509_certificate(issued.certificate)
        assert certificate.public_key() == ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), phone.share.public_key
        )
        above = [x509.load_der_x509_certificate(one) for one in issued.chain]
        certificate.verify_directly_issued_by(above[0])
        above[0].verify_directly_issued_by(above[1])
        again = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
        assert again == issued

    async def test_a_batch_is_signed_and_stays_readable(self, vault_world):
        world: VaultWorld = vault_world
        phone = await world.citizen()
        ask = await world.request(phone, files=3)
        await world.signing(phone, ask).run()
        result = await world.vault.requests.result(RequestId(ask.request_id))
        assert result.state is RequestState.CONSUMED
        public = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), phone.share.public_key
        )
        assert [item.data for item in result.items] == [item.data for item in ask.items]
        for item in result.items:
            public.verify(item.signature, item.data, ec.ECDSA(SHA256()))

    async def test_state_after_a_signature(self, vault_world):
        world: VaultWorld = vault_world
        phone = await world.citizen()
        await world.signing(phone, await world.request(phone, files=2)).run()
        state = await world.vault.keys.key_state(phone.key_id)
        assert state.status is KeyStatus.ACTIVE
        assert (state.attempts_left, state.hold_until_s, state.signatures) == (9, 0, 3)
        assert (state.generation, state.device_key_hash) == (0, phone.key_hash)

    async def test_many_signatures_follow_each_other(self, vault_world):
        world: VaultWorld = vault_world
        phone = await world.citizen()
        for _ in range(3):
            await world.signing(phone, await world.request(phone)).run()
        assert phone.epoch.number == 4

    async def test_new_shares_sign_under_the_same_key_and_certificate(self, vault_world):
        world: VaultWorld = vault_world
        phone = await world.citizen()
        before = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
        renewed = await world.refresh(phone)
        await world.confirm(renewed)
        await world.signing(renewed, await world.request(renewed)).run()
        after = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
        assert (after, renewed.share.generation) == (before, 1)

    async def test_a_row_put_back_is_refused(self, vault_world):
        world: VaultWorld = vault_world
        phone = await world.citizen()
        before = await world.row("keys", key_id=phone.key_id)
        await world.signing(phone, await world.request(phone)).run()
        await world.edit("keys", before, key_id=phone.key_id)
        with pytest.raises(VerificationError):
            await world.vault.keys.key_state(phone.key_id)

    async def test_what_does_not_exist_is_not_found(self, vault_world):
        world: VaultWorld = vault_world
        with pytest.raises(NotFoundError):
            await world.vault.keys.key_state(KeyId(b"n" * 16))
        with pytest.raises(NotFoundError):
            await world.vault.requests.result(RequestId(b"n" * 16))
        with pytest.raises(NotFoundError):
            await world.vault.requests.burn(RequestId(b"n" * 16))
