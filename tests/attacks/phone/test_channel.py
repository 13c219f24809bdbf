"""The signer relays, and may do with the bytes what it likes (docs/spec/ecdsa2p.md §0)."""

import dataclasses

import pytest

from mobile_share.errors import DamagedFileError, ReplyLostError, WeakPinError
from mobile_share.share_file import ShareStatus
from signer_core.errors import (
    KeyBlockedError,
    KeyHeldError,
    KeySuspendedError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
    UnavailableError,
)
from signer_core.ports import Enrolled
from tests.fakes.phone_fixtures import PIN, sign

FALSE_WORDS = [
    RetireShareError("retired"),
    KeyBlockedError("blocked"),
    KeySuspendedError("suspended"),
    PinRejectedError(0),
    KeyHeldError(1),
]


@pytest.fixture
async def request_id(enrolled, world):
    return world.signer.ask(enrolled.certificate())


def assert_usable(phone):
    assert phone.shares.load().status is ShareStatus.ACTIVE


@pytest.mark.parametrize("word", FALSE_WORDS, ids=lambda word: word.code)
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_word_from_outside_the_channel_is_not_the_vaults(
    enrolled, world, request_id, word, direction
):
    def tap(which, data):
        if which == direction:
            raise word
        return data

    world.signer.tap = tap
    with pytest.raises(UnavailableError):
        await sign(enrolled, world, request_id)
    assert_usable(enrolled)


@pytest.mark.parametrize("word", FALSE_WORDS, ids=lambda word: word.code)
async def test_word_of_a_relay_that_does_not_open_is_not_the_vaults(
    enrolled, world, request_id, word
):
    def connect(key_id, request_id):
        raise word

    world.signer.connect = connect
    with pytest.raises(UnavailableError):
        await sign(enrolled, world, request_id)
    assert_usable(enrolled)


@pytest.mark.parametrize("word", FALSE_WORDS, ids=lambda word: word.code)
async def test_word_after_step_5_is_not_the_vaults(enrolled, world, request_id, word):
    """Outside the channel nobody can say that the PIN was wrong, or that the key is retired."""

    def cut(_):
        world.signer.tap = fail

    def fail(direction, data):
        raise word

    world.vault.hooks["step5"] = cut
    with pytest.raises(ReplyLostError):
        await sign(enrolled, world, request_id, "00001")
    assert_usable(enrolled)


async def test_word_at_the_end_of_the_relay_changes_no_success(enrolled, world, request_id):
    honest = world.signer.connect

    class EndsWithAWord:
        def __init__(self, *ids):
            self.inner = honest(*ids)

        async def __aenter__(self):
            return await self.inner.__aenter__()

        async def __aexit__(self, *error):
            await self.inner.__aexit__(*error)
            raise RetireShareError("retired")

    world.signer.connect = EndsWithAWord
    assert (await sign(enrolled, world, request_id)).signatures == 1
    assert_usable(enrolled)


async def test_retirement_from_inside_the_channel_erases_the_share_for_good(
    enrolled, world, request_id
):
    def retire(_):
        raise RetireShareError("the key is retired")

    world.vault.hooks["step6"] = retire
    with pytest.raises(RetireShareError):
        await sign(enrolled, world, request_id)
    stored = enrolled.shares.load()
    assert stored.status is ShareStatus.RETIRED
    assert not any(stored.masked_share + stored.share.zeros)
    world.vault.hooks.clear()
    with pytest.raises(RetireShareError, match="was retired"):
        await sign(enrolled, world, request_id)


async def test_retirement_at_step_2_is_the_vaults_word_too(enrolled, world, request_id):
    def retire(_):
        raise RetireShareError("the key is retired")

    world.vault.hooks["step4"] = retire
    with pytest.raises(RetireShareError):
        await sign(enrolled, world, request_id)
    assert enrolled.shares.load().status is ShareStatus.RETIRED


@pytest.mark.parametrize("chunk", range(1, 7))
async def test_flipped_bit_counts_no_attempt_and_retires_nothing(
    enrolled, world, request_id, chunk
):
    seen = 0

    def flip(direction, data):
        nonlocal seen
        seen += 1
        return bytes([*data[:-1], data[-1] ^ 1]) if seen == chunk and data else data

    world.signer.tap = flip
    with pytest.raises((ProtocolAbortError, UnavailableError, ReplyLostError)):
        await sign(enrolled, world, request_id)
    assert_usable(enrolled)
    (key,) = world.vault.keys.values()
    assert key.failed == 0


async def test_relay_sees_no_message_in_clear(enrolled, world, request_id):
    relayed = bytearray()

    def record(direction, data):
        relayed.extend(data)
        return data

    world.signer.tap = record
    request = world.signer.requests[request_id]
    await sign(enrolled, world, request_id)
    stored = enrolled.shares.load()
    for secret in (request.files[0].to_be_signed, stored.share.key_id, stored.share.public_key):
        assert secret not in relayed


@pytest.mark.parametrize("moment", ["step4", "step6"])
async def test_message_out_of_order_ends_the_session(enrolled, world, request_id, moment):
    world.vault.hooks[moment] = lambda _: Enrolled()
    with pytest.raises(ProtocolAbortError, match="out of order"):
        await sign(enrolled, world, request_id)
    assert_usable(enrolled)


async def test_signature_that_does_not_verify_is_not_accepted(enrolled, world, request_id):
    def forge(reply):
        (signature,) = reply.signatures
        forged = dataclasses.replace(signature, s=bytes(31) + b"\1")
        return dataclasses.replace(reply, signatures=(forged,))

    world.vault.hooks["step6"] = forge
    with pytest.raises(ProtocolAbortError, match="does not verify"):
        await sign(enrolled, world, request_id)
    stored = enrolled.shares.load()
    assert (stored.epoch, len(stored.pending)) == (1, 1)


async def test_wrong_pin_says_what_is_left_and_the_next_success_says_so(
    enrolled, world, request_id
):
    with pytest.raises(PinRejectedError) as caught:
        await sign(enrolled, world, request_id, "13570")
    assert caught.value.attempts_left == 8
    assert_usable(enrolled)
    outcome = await sign(enrolled, world, request_id, PIN)
    assert (outcome.signatures, outcome.wrong_tries) == (1, 1)


async def test_pin_of_wrong_form_sends_nothing(enrolled, world, request_id):
    with pytest.raises(WeakPinError):
        await sign(enrolled, world, request_id, "123")
    assert enrolled.shares.load().pending == ()
    (key,) = world.vault.keys.values()
    assert key.failed == 0


async def test_share_beside_another_device_key_is_not_used(enrolled, world, request_id):
    """Two phones' files mixed up: refused here, before the vault takes it for a theft."""
    (enrolled.folder / "device-key.pem").unlink()
    enrolled.key_store.create()
    with pytest.raises(DamagedFileError, match="another phone"):
        await sign(enrolled, world, request_id)
