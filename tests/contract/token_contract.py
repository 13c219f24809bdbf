"""What every token must do; run by `test_token.py` on the fake and on SoftHSM."""

import asyncio

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from hsm_module.token.port import MAX_AT_ONCE, KekId, KeyLabel, Rewrap, Token
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError

KEK = KekId("kek-1")
OTHER_KEK = KekId("kek-2")
CA = KeyLabel("issuing-ca")
RECORD = bytes(range(256)) * 27  # 6,912 B, the size of a share record
AAD = b"share record 1"
PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


class TokenContract:
    """Subclasses give the fixture `token`, with kek-1, kek-2, a state-MAC key and issuing-ca."""

    async def test_a_wrapped_record_comes_back(self, token: Token) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        assert len(blob) == 12 + len(RECORD) + 16
        assert await token.unwrap(KEK, blob, AAD) == RECORD

    @pytest.mark.parametrize("size", [1, 15, 16, 17, 16 * 1024])
    async def test_every_size_comes_back(self, token: Token, size: int) -> None:
        assert await token.unwrap(KEK, await token.wrap(KEK, b"x" * size, AAD), AAD) == b"x" * size

    async def test_the_same_record_never_wraps_to_the_same_blob(self, token: Token) -> None:
        blobs = {await token.wrap(KEK, RECORD, AAD) for _ in range(20)}
        assert len({blob[:12] for blob in blobs}) == 20

    async def test_a_blob_is_bound_to_its_aad(self, token: Token) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        with pytest.raises(VerificationError):
            await token.unwrap(KEK, blob, b"share record 2")

    async def test_a_blob_is_bound_to_its_kek(self, token: Token) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        with pytest.raises(VerificationError):
            await token.unwrap(OTHER_KEK, blob, AAD)

    @pytest.mark.parametrize("position", [0, 11, 12, 3000, -17, -16, -1])
    async def test_a_flipped_bit_is_found(self, token: Token, position: int) -> None:
        blob = bytearray(await token.wrap(KEK, RECORD, AAD))
        blob[position] ^= 1
        with pytest.raises(VerificationError):
            await token.unwrap(KEK, bytes(blob), AAD)

    @pytest.mark.parametrize("size", [0, 1, 12, 28, 16 * 1024 + 29])
    async def test_a_blob_of_impossible_length_is_not_authentic(
        self, token: Token, size: int
    ) -> None:
        with pytest.raises(VerificationError):
            await token.unwrap(KEK, bytes(size), AAD)

    async def test_a_cut_blob_is_not_authentic(self, token: Token) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        with pytest.raises(VerificationError):
            await token.unwrap(KEK, blob[:-1], AAD)

    async def test_the_token_works_on_after_a_forged_blob(self, token: Token) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        with pytest.raises(VerificationError):
            await token.unwrap(KEK, blob[:-1] + bytes([blob[-1] ^ 1]), AAD)
        assert await token.unwrap(KEK, blob, AAD) == RECORD
        assert len(await token.mac(b"state")) == 32

    @pytest.mark.parametrize("size", [0, 16 * 1024 + 1])
    async def test_a_record_of_wrong_size_is_refused(self, token: Token, size: int) -> None:
        with pytest.raises(InvalidRequestError):
            await token.wrap(KEK, bytes(size), AAD)

    @pytest.mark.parametrize("size", [0, 4 * 1024 + 1])
    async def test_aad_of_wrong_size_is_refused(self, token: Token, size: int) -> None:
        with pytest.raises(InvalidRequestError):
            await token.wrap(KEK, RECORD, bytes(size))
        with pytest.raises(InvalidRequestError):
            await token.unwrap(KEK, bytes(64), bytes(size))

    async def test_a_mac_depends_on_every_byte_and_repeats(self, token: Token) -> None:
        assert await token.mac(b"state 1") == await token.mac(b"state 1")
        assert await token.mac(b"state 1") != await token.mac(b"state 2")
        assert len(await token.mac(b"x" * 64 * 1024)) == 32

    @pytest.mark.parametrize("size", [0, 64 * 1024 + 1])
    async def test_mac_data_of_wrong_size_is_refused(self, token: Token, size: int) -> None:
        with pytest.raises(InvalidRequestError):
            await token.mac(bytes(size))

    async def test_a_signature_verifies_under_the_public_key(self, token: Token) -> None:
        signature = await token.sign_digest(CA, bytes(32))
        public_key = await token.public_key(CA)
        public_key.verify(signature, bytes(32), PREHASHED)
        with pytest.raises(InvalidSignature):
            public_key.verify(signature, bytes(31) + b"\x01", PREHASHED)

    @pytest.mark.parametrize("size", [0, 20, 31, 33, 48, 64])
    async def test_a_digest_of_wrong_length_is_refused(self, token: Token, size: int) -> None:
        with pytest.raises(InvalidRequestError):
            await token.sign_digest(CA, bytes(size))

    async def test_work_gets_a_key_that_signs_for_builders(self, token: Token) -> None:
        signature = await token.use_key(CA, lambda key: key.sign(b"tbs", ec.ECDSA(hashes.SHA256())))
        (await token.public_key(CA)).verify(signature, b"tbs", ec.ECDSA(hashes.SHA256()))

    async def test_what_work_raises_reaches_its_caller(self, token: Token) -> None:
        def work(key: ec.EllipticCurvePrivateKey) -> None:
            raise InvalidRequestError("bad subject")

        with pytest.raises(InvalidRequestError, match="bad subject"):
            await token.use_key(CA, work)
        assert len(await token.random(1)) == 1

    async def test_an_unknown_label_is_not_found(self, token: Token) -> None:
        for call in (
            token.wrap(KekId("kek-9"), RECORD, AAD),
            token.unwrap(KekId("kek-9"), bytes(64), AAD),
            token.sign_digest(KeyLabel("nobody"), bytes(32)),
            token.public_key(KeyLabel("nobody")),
            token.use_key(KeyLabel("nobody"), lambda key: key),
        ):
            with pytest.raises(NotFoundError):
                await call

    async def test_a_key_does_only_its_own_work(self, token: Token) -> None:
        with pytest.raises(NotFoundError):
            await token.sign_digest(KeyLabel(KEK), bytes(32))
        with pytest.raises(NotFoundError):
            await token.wrap(KekId(CA), RECORD, AAD)

    async def test_random_bytes_have_the_asked_length_and_differ(self, token: Token) -> None:
        assert len(await token.random(52)) == 52
        assert await token.random(32) != await token.random(32)

    @pytest.mark.parametrize("size", [-1, 0, 1025])
    async def test_random_of_wrong_size_is_refused(self, token: Token, size: int) -> None:
        with pytest.raises(InvalidRequestError):
            await token.random(size)

    async def test_two_hundred_calls_at_once_all_come_back_right(self, token: Token) -> None:
        async def one(i: int) -> None:
            aad = b"record %d" % i
            blob = await token.wrap(KEK, RECORD, aad)
            assert await token.unwrap(KEK, blob, aad) == RECORD
            assert len(await token.mac(aad)) == 32
            await token.sign_digest(CA, bytes(32))

        await asyncio.gather(*(one(i) for i in range(200)))

    async def test_a_rewrapped_record_is_under_the_other_kek_and_its_own_aad(
        self, token: Token
    ) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        (moved,) = await token.rewrap([Rewrap(KEK, OTHER_KEK, blob, AAD, b"new")])
        assert moved is not None
        assert await token.unwrap(OTHER_KEK, moved, b"new") == RECORD
        with pytest.raises(VerificationError):
            await token.unwrap(OTHER_KEK, moved, AAD)

    async def test_a_forged_record_is_not_rewrapped_and_holds_up_no_other(
        self, token: Token
    ) -> None:
        blob = await token.wrap(KEK, RECORD, AAD)
        good = Rewrap(KEK, OTHER_KEK, blob, AAD, AAD)
        forged = Rewrap(KEK, OTHER_KEK, blob, b"other", AAD)
        moved = await token.rewrap([forged, good])
        assert [one is None for one in moved] == [True, False]

    async def test_many_macs_are_each_the_one_mac(self, token: Token) -> None:
        assert await token.macs([b"a", b"b"]) == [await token.mac(b"a"), await token.mac(b"b")]

    async def test_one_turn_has_a_bound(self, token: Token) -> None:
        with pytest.raises(InvalidRequestError):
            await token.macs([b"a"] * (MAX_AT_ONCE + 1))

    async def test_the_newest_kek_is_the_one_of_the_highest_number(self, token: Token) -> None:
        assert token.newest_kek() == OTHER_KEK
