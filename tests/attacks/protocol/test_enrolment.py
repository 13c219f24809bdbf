"""Attacks on enrolment and on the transfer to new shares."""

import dataclasses

import pytest

from signer_core.errors import ProtocolAbortError, RetireShareError
from signer_core.protocol.commitment import commit
from signer_core.protocol.curve import Point, Scalar, base, scalar_to_bytes
from signer_core.protocol.ecdsa2p.device import consistency as device_consistency
from signer_core.protocol.ecdsa2p.device import enrolment
from signer_core.protocol.ecdsa2p.device.enrolment import DeviceEnrolment
from signer_core.protocol.ecdsa2p.vault import consistency
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolment
from signer_core.protocol.ecdsa2p.vault.signing import WrongPinError
from signer_core.protocol.ecdsa2p.vault.transfer import VaultTransfer
from signer_core.protocol.multiplication import GADGET, bits_of, subset_sum
from signer_core.protocol.transcript import Q
from tests.fakes.ecdsa2p import (
    IDENTITY,
    REFRESH,
    Pair,
    Request,
    Session,
    counted_rng,
    enrol,
    transfer,
)
from tests.fakes.tampering import BAD_POINTS, only


def run(tamper=lambda step, m: m) -> Pair:
    return enrol(counted_rng(b"D"), counted_rng(b"V"), tamper)


def blame(tamper=lambda step, m: m, match=None):
    """Run an enrolment that must abort; return who is to blame."""
    with pytest.raises(ProtocolAbortError, match=match) as caught:
        run(tamper)
    return caught.value.culprit


def with_bits(bits: bytes, monkeypatch) -> None:
    """Make the vault use other bits in the transfers than those behind X1."""
    offer = VaultEnrolment.step4_offer

    def cheat(self, m):
        self._bits = bits
        return offer(self, m)

    monkeypatch.setattr(VaultEnrolment, "step4_offer", cheat)


def test_wrong_x1_is_found_by_the_phone(monkeypatch):
    honest = counted_rng(b"V")
    honest(32)
    bits = bytearray(honest(52))
    bits[0] ^= 1
    with_bits(bytes(bits), monkeypatch)
    assert blame(match="bits are not those") == "vault"


def test_wrong_x1_cannot_be_repaired_by_another_point_after_the_commitment(monkeypatch):
    """The vault learns kappa in row 7; B was committed to in row 6."""
    honest = counted_rng(b"V")
    honest(32)
    original = honest(52)
    bits = bytearray(original)
    bits[0] ^= 1
    with_bits(bytes(bits), monkeypatch)
    x1, other = subset_sum(bits_of(original)), subset_sum(bits_of(bytes(bits)))
    seen = {}

    def repair(step, m):
        seen[step] = m
        if step != 8:
            return m
        kappa = int.from_bytes(seen[7].kappa, "big")
        beta_shift = kappa * (x1 - other) % Q  # what B lacks for the check to pass
        point = Point.from_bytes(m.check_point) + base(Scalar(beta_shift))
        return dataclasses.replace(m, check_point=point.to_bytes())

    assert blame(repair, match="does not open") == "vault"


def test_public_share_swapped_after_its_commitment_is_refused():
    swap = only(4, lambda m: dataclasses.replace(m, public_share=base(Scalar(7)).to_bytes()))
    assert blame(swap, match="does not open") == "vault"


def test_public_share_without_its_secret_is_refused(monkeypatch):
    """X1 chosen as a difference to X2 would fix Q; it needs a proof, under its own commitment."""
    draw = VaultEnrolment._draw_share

    def forged(self):
        draw(self)
        self._public = base(Scalar(7))
        values = (self._public.to_bytes(), self._proof)
        return commit(self._sid, b"V", "X1", 0, values, self._opening_nonce)

    monkeypatch.setattr(VaultEnrolment, "_draw_share", forged)
    assert blame(match="proof") == "vault"


@pytest.mark.parametrize("name", ["public_share_proof", "transfer_key_proof"])
def test_phone_without_a_secret_is_refused(name):
    def swap(m):
        point = "public_share" if name == "public_share_proof" else "transfer_key"
        return dataclasses.replace(m, **{point: base(Scalar(7)).to_bytes()})

    assert blame(only(3, swap), match="proof") == "device"


def test_proofs_of_share_and_transfer_key_are_not_interchangeable():
    def swap(m):
        return dataclasses.replace(
            m, transfer_key=m.public_share, transfer_key_proof=m.public_share_proof
        )

    assert blame(only(3, swap), match="proof") == "device"


def test_public_key_at_infinity_is_refused(monkeypatch):
    """The phone would need -x1: no proof of another secret gets so far."""
    vault_bits = []
    draw = VaultEnrolment._draw_share

    def spy(self):
        commitment = draw(self)
        vault_bits.append(self._bits)
        return commitment

    monkeypatch.setattr(VaultEnrolment, "_draw_share", spy)

    def opposite(rng):
        return Scalar(-subset_sum(bits_of(vault_bits[0])) % Q)

    monkeypatch.setattr(enrolment, "random_scalar", opposite)
    assert blame(match="infinity") == "device"


@pytest.mark.parametrize("point", BAD_POINTS.values(), ids=BAD_POINTS.keys())
@pytest.mark.parametrize(
    ("step", "change", "culprit"),
    [
        (3, lambda p: {"public_share": p}, "device"),
        (3, lambda p: {"transfer_key": p}, "device"),
        (4, lambda p: {"public_share": p}, "vault"),
        (4, lambda p: {"transfer_points": (p,) * 416}, "vault"),
        (8, lambda p: {"check_point": p}, "vault"),
    ],
)
def test_bad_point_ends_the_enrolment(point, step, change, culprit):
    swap = only(step, lambda m: dataclasses.replace(m, **change(point)))
    assert blame(swap) == culprit


def test_choice_equal_to_the_transfer_key_is_refused():
    """It would make the seed for bit 1 that of infinity, known to all."""
    seen = {}

    def swap(step, m):
        seen[step] = m
        if step != 4:
            return m
        return dataclasses.replace(
            m, transfer_points=(seen[3].transfer_key, *m.transfer_points[1:])
        )

    assert blame(swap, match="infinity") == "vault"


@pytest.mark.parametrize("count", [0, 415, 417])
def test_wrong_number_of_transfers_is_refused(count):
    swap = only(
        4, lambda m: dataclasses.replace(m, transfer_points=(m.transfer_points * 2)[:count])
    )
    assert blame(swap) == "vault"


def inconsistent_at(position, monkeypatch):
    correct = device_consistency.correct

    def shifted(zeros, ones, kappa):
        honest = list(correct(zeros, ones, kappa))
        c = int.from_bytes(honest[position], "big")
        honest[position] = scalar_to_bytes((c + 1) % Q)
        return tuple(honest)

    monkeypatch.setattr(device_consistency, "correct", shifted)


def test_inconsistent_correction_is_one_guess_of_one_bit(monkeypatch):
    """A phone that cheats at a position where the bit is 1 loses the whole enrolment."""
    bits = bits_of(run().vault.share.bits)
    inconsistent_at(bits.index(1), monkeypatch)
    assert blame(match="inconsistent") == "device"


def test_every_inconsistency_gets_the_same_answer(monkeypatch):
    bits = bits_of(run().vault.share.bits)
    answers = []
    for position in [i for i, bit in enumerate(bits) if bit][:3]:
        with monkeypatch.context() as patch:
            inconsistent_at(position, patch)
            with pytest.raises(ProtocolAbortError) as caught:
                run()
            answers.append(caught.value.args)
    assert len(set(answers)) == 1


def test_zero_kappa_is_refused():
    assert blame(only(7, lambda m: dataclasses.replace(m, kappa=bytes(32))), "zero") == "device"


@pytest.mark.parametrize(("step", "name"), [(5, "corrections"), (7, "pads")])
def test_scalar_above_the_order_is_refused(step, name):
    def swap(m):
        return dataclasses.replace(m, **{name: (scalar_to_bytes(Q), *getattr(m, name)[1:])})

    assert blame(only(step, swap), match="group order") == "device"


def test_correction_is_refused_before_a_bit_is_used(monkeypatch):
    used = []
    monkeypatch.setattr(consistency, "correct_chosen", lambda *a: used.append(a) or [])
    swap = only(5, lambda m: dataclasses.replace(m, corrections=(scalar_to_bytes(Q),) * 416))
    assert blame(swap) == "device"
    assert used == []


def test_confirmation_of_other_messages_is_refused():
    swap = only(9, lambda m: dataclasses.replace(m, digest=bytes(32)))
    assert blame(swap, match="another enrolment") == "device"


def test_altered_authorisation_is_refused():
    swap = only(1, lambda m: dataclasses.replace(m, authorisation=b"another person"))
    assert blame(swap) == "device"


def test_step_twice_is_fatal():
    device = DeviceEnrolment(IDENTITY, counted_rng(b"D"))
    device.step1_request(b"")
    with pytest.raises(ProtocolAbortError, match="not due"):
        device.step1_request(b"")


# --- §8 ------------------------------------------------------------------------------------------


def moved(pair, tamper=lambda step, m: m):
    session = Session(pair, REFRESH, counted_rng(b"D"), counted_rng(b"V"))
    session.run()
    rngs = (counted_rng(b"D2"), counted_rng(b"V2"))
    return transfer(pair, session.vault.sid, *rngs, tamper)


def test_transfer_keeps_the_key_and_changes_every_share(pair):
    after = moved(pair)
    assert after.vault.share.public_key == after.device.share.public_key
    assert after.vault.share.public_key == pair.vault.share.public_key
    assert after.vault.share.generation == after.device.share.generation == 1
    assert after.device.x2 != pair.device.x2
    assert after.vault.share.bits != pair.vault.share.bits
    assert after.vault.share.device_public == base(after.device.x2).to_bytes()
    assert (
        len(
            Session(after, dataclasses.replace(REFRESH), counted_rng(b"a"), counted_rng(b"b"))
            .run()
            .signatures
        )
        == 0
    )


def test_shares_of_two_generations_do_not_sign_together(pair):
    after = moved(pair)
    mixed = dataclasses.replace(
        pair,
        vault=dataclasses.replace(
            after.vault,
            epoch_key=pair.vault.epoch_key,
            share=dataclasses.replace(after.vault.share, generation=0),
        ),
    )
    with pytest.raises(WrongPinError):
        Session(mixed, Request(), counted_rng(b"a"), counted_rng(b"b")).run()


def test_wrong_delta_is_found_by_the_phone(pair):
    def shift(m):
        delta = int.from_bytes(m.delta, "big")
        return dataclasses.replace(m, delta=scalar_to_bytes((delta + 1) % Q))

    with pytest.raises(ProtocolAbortError, match="bits are not those") as caught:
        moved(pair, only(2, shift))
    assert caught.value.culprit == "vault"


def test_delta_that_makes_the_share_zero_is_refused(pair):
    zero = scalar_to_bytes(-pair.device.x2 % Q)
    with pytest.raises(ProtocolAbortError, match="zero"):
        moved(pair, only(2, lambda m: dataclasses.replace(m, delta=zero)))


def test_late_delta_is_fatal(pair):
    """`delta` comes before row 5, always: another order ends the transfer."""
    session = Session(pair, REFRESH, counted_rng(b"D"), counted_rng(b"V"))
    session.run()
    vault = VaultTransfer(pair.vault.share, session.vault.sid, counted_rng(b"V2"))
    seen = {}
    moved(pair, seen.setdefault)
    with pytest.raises(ProtocolAbortError, match="not due"):
        vault.step4_choose(seen[3])
    with pytest.raises(ProtocolAbortError, match="not due"):
        vault.step2_shift()


def test_inconsistent_transfer_retires_the_key(pair, monkeypatch):
    bits = bits_of(moved(pair).vault.share.bits)
    inconsistent_at(bits.index(1), monkeypatch)
    with pytest.raises(RetireShareError):
        moved(pair)


def test_transfer_key_without_its_secret_is_refused(pair):
    swap = only(3, lambda m: dataclasses.replace(m, transfer_key=base(Scalar(7)).to_bytes()))
    with pytest.raises(ProtocolAbortError, match="proof") as caught:
        moved(pair, swap)
    assert caught.value.culprit == "device"


def test_confirmation_of_another_transfer_is_refused(pair):
    swap = only(9, lambda m: dataclasses.replace(m, digest=bytes(32)))
    with pytest.raises(ProtocolAbortError, match="another transfer"):
        moved(pair, swap)


def test_malformed_row_7_of_a_transfer_is_refused_before_it_is_judged(pair):
    with pytest.raises(ProtocolAbortError):
        moved(pair, only(7, lambda m: dataclasses.replace(m, pads=m.pads[1:])))


def test_gadget_has_no_small_or_repeated_member():
    assert len(set(GADGET)) == 416
    assert min(GADGET) > 2**200
