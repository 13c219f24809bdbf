"""Labels, parts, hedged nonces, commitments and epoch values, each against its definition."""

import hashlib
import hmac

import pytest

from signer_core.errors import ProtocolAbortError
from signer_core.protocol import epoch
from signer_core.protocol.commitment import VAULT, commit, verify_opening
from signer_core.protocol.curve import base
from signer_core.protocol.ecdsa2p.messages import Item, SignRequest, encode_message
from signer_core.protocol.ecdsa2p.session import Transcript, check_pending
from signer_core.protocol.multiplication import bits_of, pads
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.proofs import Statement, prove, verify
from signer_core.protocol.transcript import Q, h32, h64, hq, u32
from tests.fakes.ecdsa2p import counted_rng

PREFIX = b"diia-signer/ecdsa2p/v1/"


def by_hand(label: bytes, *parts: bytes) -> bytes:
    """H written out from the specification."""
    data = len(PREFIX + label).to_bytes(4, "big") + PREFIX + label
    data += len(parts).to_bytes(4, "big")
    for part in parts:
        data += len(part).to_bytes(4, "big") + part
    return hashlib.sha512(data).digest()


def test_hash_is_its_definition():
    assert h64("x", b"ab", b"") == by_hand(b"x", b"ab", b"")
    assert h32("x", b"ab") == by_hand(b"x", b"ab")[:32]
    assert hq("x") == int.from_bytes(by_hand(b"x")[:48], "big") % Q


def test_parts_do_not_run_into_each_other():
    assert (
        len({h32("x", b"ab", b"c"), h32("x", b"a", b"bc"), h32("x", b"abc"), h32("xa", b"bc")}) == 4
    )


@pytest.mark.parametrize("value", [-1, 2**32])
def test_number_that_does_not_fit_is_refused(value):
    with pytest.raises(ProtocolAbortError):
        u32(value)


def test_pad_is_its_definition():
    seeds = bytes(range(256)) * 26
    expected = by_hand(b"pad", b"s" * 32, b"check", u32(3), seeds[48:64])[:48]
    assert pads(b"s" * 32, b"check", seeds)[3] == int.from_bytes(expected, "big")


def test_nonce_is_its_definition_and_hedged():
    sid, fresh = b"s" * 32, counted_rng(b"n")(64)
    source = NonceSource(b"secrets", sid, counted_rng(b"n"))
    expected = by_hand(b"nonce", b"secrets", sid, b"k2", u32(7), fresh)
    assert source.draw("k2", 7) == int.from_bytes(expected[:48], "big") % Q
    broken = NonceSource(b"secrets", sid, bytes)  # a source that gives zeros
    values = {broken.draw("k2", 0), broken.draw("k2", 1), broken.draw("pok-k2", 0)}
    values.add(NonceSource(b"other", sid, bytes).draw("k2", 0))
    values.add(NonceSource(b"secrets", b"t" * 32, bytes).draw("k2", 0))
    assert len(values) == 5


def test_bits_are_counted_from_the_low_end_of_each_byte():
    bits = bits_of(b"\x01\x80" + bytes(50))
    assert [i for i, bit in enumerate(bits) if bit] == [0, 15]
    assert len(bits) == 416


def test_commitment_binds_everything():
    values = {
        commit(b"s", VAULT, "R1", 0, (b"a",), b"n"),
        commit(b"t", VAULT, "R1", 0, (b"a",), b"n"),
        commit(b"s", b"D", "R1", 0, (b"a",), b"n"),
        commit(b"s", VAULT, "B", 0, (b"a",), b"n"),
        commit(b"s", VAULT, "R1", 1, (b"a",), b"n"),
        commit(b"s", VAULT, "R1", 0, (b"b",), b"n"),
        commit(b"s", VAULT, "R1", 0, (b"a",), b"m"),
    }
    assert len(values) == 7
    with pytest.raises(ProtocolAbortError, match="does not open"):
        verify_opening(b"a" * 32, b"b" * 32)


@pytest.mark.parametrize(
    "other",
    [
        Statement(b"t" * 32, VAULT, "k1", 1, b"ctx"),
        Statement(b"s" * 32, b"D", "k1", 1, b"ctx"),
        Statement(b"s" * 32, VAULT, "k2", 1, b"ctx"),
        Statement(b"s" * 32, VAULT, "k1", 2, b"ctx"),
        Statement(b"s" * 32, VAULT, "k1", 1, b"other"),
    ],
)
def test_proof_binds_everything(other):
    statement = Statement(b"s" * 32, VAULT, "k1", 1, b"ctx")
    secret = counted_rng(b"s")(31)
    k = int.from_bytes(secret, "big")
    proof = prove(statement, k, base(k), NonceSource(b"x", b"s", counted_rng(b"p")))
    verify(statement, base(k), proof)
    with pytest.raises(ProtocolAbortError, match="proof"):
        verify(other, base(k), proof)
    with pytest.raises(ProtocolAbortError, match="proof"):
        verify(statement, base(k + 1), proof)


@pytest.mark.parametrize("size", [0, 64, 66])
def test_proof_of_another_size_is_refused(size):
    with pytest.raises(ProtocolAbortError):
        verify(Statement(b"s" * 32, VAULT, "k1"), base(3), bytes(size))


def test_hkdf_is_rfc_5869():
    info = PREFIX + b"epoch" + b"s" * 32
    extracted = hmac.digest(b"old" * 8, b"seed", "sha256")
    expected = hmac.digest(extracted, info + b"\x01", "sha256")
    assert epoch.next_key(b"old" * 8, b"seed", b"s" * 32) == expected


def test_tag_and_ack_bind_session_pending_and_key():
    key, sid = b"k" * 32, b"s" * 32
    tag = epoch.make_tag(key, sid, [b"p" * 32])
    assert tag == hmac.digest(key, by_hand(b"tag", sid, b"p" * 32)[:32], "sha256")
    assert epoch.make_ack(key, sid) == hmac.digest(key, by_hand(b"ack", sid)[:32], "sha256")
    epoch.verify_tag(key, sid, [b"p" * 32], tag)
    epoch.verify_ack(key, sid, epoch.make_ack(key, sid))
    for other in [(b"l" * 32, sid, [b"p" * 32]), (key, b"t" * 32, [b"p" * 32]), (key, sid, [])]:
        with pytest.raises(ProtocolAbortError, match="tag"):
            epoch.verify_tag(*other, tag)
    for other_key, other_sid in [(b"l" * 32, sid), (key, b"t" * 32)]:
        with pytest.raises(ProtocolAbortError, match="ack"):
            epoch.verify_ack(other_key, other_sid, epoch.make_ack(key, sid))


def test_pending_is_at_most_64_sids():
    check_pending([bytes(32)] * 64)
    for bad in ([bytes(32)] * 65, [bytes(31)], [b""]):
        with pytest.raises(ProtocolAbortError):
            check_pending(bad)


def test_transcript_of_the_wrong_length_is_refused():
    for parts in ([], [b"a", b"b", b"c"]):
        with pytest.raises(ProtocolAbortError, match="wrong number"):
            Transcript("enrolled", 2).finish(*parts)
    assert Transcript("enrolled", 2).finish(b"a", b"b") == h32("enrolled", b"a", b"b")


def test_message_is_encoded_field_by_field_without_its_use():
    m = SignRequest("sign", b"k" * 16, 1, 2, b"r", b"", b"n", (Item("cms", b"x"),))
    parts = [b"k" * 16, u32(1), u32(2), b"r", b"", b"n"]
    expected = b"".join(u32(len(part)) + part for part in parts)
    expected += u32(1) + u32(3) + b"cms" + u32(1) + b"x"
    assert encode_message(m) == expected
