"""Attacks on a signing session by a corrupt phone, a corrupt vault or whoever sits between."""

import dataclasses

import pytest

from signer_core.errors import ProtocolAbortError, RetireShareError
from signer_core.protocol.curve import Point, Scalar, base, scalar_to_bytes
from signer_core.protocol.ecdsa2p.device import digest as device_digest
from signer_core.protocol.ecdsa2p.device.digest import DeviceDigest
from signer_core.protocol.ecdsa2p.messages import Signature
from signer_core.protocol.ecdsa2p.vault.digest import VaultDigest
from signer_core.protocol.ecdsa2p.vault.signing import WrongPinError
from signer_core.protocol.ecdsa2p.verification import SignatureVerifier
from signer_core.protocol.multiplication import GADGET, bits_of, pads, weigh
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.proofs import Statement, prove
from signer_core.protocol.transcript import Q, u32
from tests.fakes.ecdsa2p import REFRESH, Request, counted_rng, items
from tests.fakes.tampering import only, replace_in

SHIFT = 12345


def guess_bit(monkeypatch, position, guess):
    """Make the phone's batch valid exactly if bit `position` of b is `guess`.

    It shifts one correction; if it guesses 1 it takes the same shift from alpha.
    """
    correct, weigh_honestly = device_digest.correct, device_digest.weigh

    def shifted(zeros, ones, kappa):
        honest = list(correct(zeros, ones, kappa))
        c = int.from_bytes(honest[position], "big")
        honest[position] = scalar_to_bytes((c + SHIFT) % Q)
        return tuple(honest)

    def weighed(values):  # alpha is minus this
        return Scalar((weigh_honestly(values) + guess * SHIFT * GADGET[position]) % Q)

    monkeypatch.setattr(device_digest, "correct", shifted)
    monkeypatch.setattr(device_digest, "weigh", weighed)


@pytest.mark.parametrize("position", [0, 1, 2, 3, 415])
def test_selective_failure_with_a_right_guess_passes(pair, session, monkeypatch, position):
    bit = bits_of(pair.vault.share.bits)[position]
    guess_bit(monkeypatch, position, bit)
    assert len(session().run().signatures) == 1


@pytest.mark.parametrize("position", [0, 1, 2, 3, 415])
def test_selective_failure_with_a_wrong_guess_retires_the_key(pair, session, monkeypatch, position):
    bit = bits_of(pair.vault.share.bits)[position]
    guess_bit(monkeypatch, position, 1 - bit)
    with pytest.raises(RetireShareError):
        session().run()


def cheat_at(monkeypatch, bad):
    """Make the phone send a wrong sigma for the digests in `bad`, proved with the right x2."""
    honest = DeviceDigest.step5_sign

    def sign(self, h, x2):
        return honest(self, h + 1 if self._index in bad else h, x2)

    monkeypatch.setattr(DeviceDigest, "step5_sign", sign)


def outcome(run):
    with pytest.raises(RetireShareError) as caught:
        run.run()
    return (type(caught.value), caught.value.args, vars(caught.value))


def test_batch_with_one_bad_digest_tells_not_which(session, monkeypatch):
    verified = []
    verify = SignatureVerifier.verify

    def counting(self, signature, digest):
        verified.append(digest)
        verify(self, signature, digest)

    monkeypatch.setattr(SignatureVerifier, "verify", counting)
    outcomes, counts = [], []
    for bad in ({0}, {1}, {2}, {0, 2}, {0, 1, 2}):
        with monkeypatch.context() as patch:
            cheat_at(patch, bad)
            verified.clear()
            outcomes.append(outcome(session(Request(items(3)))))
            counts.append(len(verified))
    assert all(each == outcomes[0] for each in outcomes)
    assert counts == [3] * 5  # every signature is computed and verified before the reaction


def test_bad_batch_releases_no_reply(session, monkeypatch):
    cheat_at(monkeypatch, {1})
    run = session(Request(items(2)))
    with pytest.raises(RetireShareError):
        run.run()
    with pytest.raises(AttributeError):
        run.vault.reply()


def test_batch_that_is_wrong_everywhere_under_a_wrong_pin_says_wrong_pin_only(session, monkeypatch):
    cheat_at(monkeypatch, {0})
    run = session()
    run.x2 = Scalar(run.x2 + 1)
    with pytest.raises(WrongPinError):
        run.run()


@pytest.mark.parametrize("request_", [Request(), REFRESH], ids=["sign", "refresh"])
def test_wrong_share_is_a_wrong_pin(session, request_):
    run = session(request_)
    run.x2 = Scalar((run.x2 + 1) % Q)
    with pytest.raises(WrongPinError):
        run.run()


def test_nothing_is_computed_after_a_wrong_pin(session):
    run = session()
    run.x2 = Scalar((run.x2 + 1) % Q)
    with pytest.raises(WrongPinError):
        run.run()
    with pytest.raises(ProtocolAbortError, match="not due"):
        run.vault.finish()


def test_nonce_share_swapped_after_its_commitment_is_refused(session):
    run = session()
    steps = run.steps()
    for _ in range(2):
        next(steps)
    nonces = NonceSource(b"other", run.vault.sid, counted_rng(b"other"))
    other = VaultDigest(run.vault.sid, 0, nonces, counted_rng(b"another"))
    run.vault._batch[0] = other
    next(steps)
    next(steps)
    with pytest.raises(ProtocolAbortError, match="does not open") as caught:
        next(steps)
    assert caught.value.culprit == "vault"


def test_nonce_share_without_its_secret_is_refused(session, monkeypatch):
    """R1 chosen as a multiple of another point: committed to and opened, but not proved."""
    commit = VaultDigest.step2_commit

    def forged(self):
        share = base(Scalar(7)).to_bytes()
        self._opening = dataclasses.replace(self._opening, nonce_share=share)
        return commit(self)

    monkeypatch.setattr(VaultDigest, "step2_commit", forged)
    with pytest.raises(ProtocolAbortError, match="proof") as caught:
        session().run()
    assert caught.value.culprit == "vault"


def test_commitment_reused_for_another_digest_is_refused(session):
    run = session(Request(items(2)))

    def reuse(number, m):
        if number == 2:
            return dataclasses.replace(m, commitments=(m.commitments[0],) * 2)
        return dataclasses.replace(m, openings=(m.openings[0],) * 2) if number == 4 else m

    with pytest.raises(ProtocolAbortError, match="does not open"):
        run.run(reuse)


def test_commitment_of_another_session_is_refused(session):
    seen = {}
    session(seed=b"first").run(seen.setdefault)

    def reuse(number, m):
        if number == 2:
            return dataclasses.replace(m, commitments=seen[2].commitments)
        return seen[4] if number == 4 else m

    with pytest.raises(ProtocolAbortError, match="does not open"):
        session(seed=b"second").run(reuse)


def test_proof_of_another_session_is_refused(session):
    """The proof is of the very same nonce share, by who knows it, under another sid."""
    run = session()

    def swap(m):
        secret = run.device._batch[0]._k2
        statement = Statement(b"another session".ljust(32), b"D", "k2", 0)
        nonces = NonceSource(b"x", b"s" * 32, counted_rng(b"x"))
        return replace_in("digests", 0, proof=prove(statement, secret, base(secret), nonces))(m)

    with pytest.raises(ProtocolAbortError, match="proof"):
        run.run(only(3, swap))


def test_sigma_of_another_session_is_refused(session):
    seen = {}
    session(seed=b"first").run(seen.setdefault)
    with pytest.raises(WrongPinError):
        session(seed=b"second").run(only(5, lambda m: seen[5]))
    mixed = only(5, lambda m: dataclasses.replace(m, sigmas=seen[5].sigmas))
    with pytest.raises(WrongPinError):
        session(seed=b"third").run(mixed)


def test_sigma_of_another_session_with_an_honest_proof_retires_the_key(session, monkeypatch):
    seen = {}
    session(seed=b"first").run(seen.setdefault)
    monkeypatch.setattr(DeviceDigest, "step5_sign", lambda self, h, x2: seen[5].sigmas[0])
    with pytest.raises(RetireShareError):
        session(seed=b"second").run()


def test_high_s_from_the_vault_is_refused(session):
    def high(m):
        s = Q - int.from_bytes(m.signatures[0].s, "big")
        return replace_in("signatures", 0, s=scalar_to_bytes(s))(m)

    with pytest.raises(ProtocolAbortError, match="lower") as caught:
        session().run(only(6, high))
    assert caught.value.culprit == "vault"


def test_vault_releases_the_low_s_only(session):
    for seed in (b"%d" % i for i in range(8)):  # half of them would be high
        (signature,) = session(seed=seed).run().signatures
        assert 0 < int.from_bytes(signature.s, "big") <= Q // 2


def test_signature_under_another_digest_is_refused_by_the_phone(session):
    def swap(m):
        return dataclasses.replace(m, signatures=m.signatures[::-1])

    with pytest.raises(ProtocolAbortError, match="does not verify"):
        session(Request(items(2))).run(only(6, swap))


@pytest.mark.parametrize(
    "change",
    [
        replace_in("signatures", 0, r=bytes(32)),
        replace_in("signatures", 0, r=scalar_to_bytes(Q)),
        lambda m: replace_in("signatures", 0, r=b"\0" + m.signatures[0].r)(m),
        lambda m: replace_in("signatures", 0, s=b"\0" + m.signatures[0].s)(m),
    ],
)
def test_degenerate_signature_is_refused_by_the_phone(session, change):
    with pytest.raises(ProtocolAbortError):
        session().run(only(6, change))


def test_pin_proof_for_another_statement_is_refused(pair, session):
    """A proof of x2 made for enrolment, or with another context, is no piPIN."""
    run = session()

    def change(m):
        nonces = NonceSource(b"x", run.vault.sid, counted_rng(b"x"))
        statement = Statement(run.vault.sid, b"D", "pin", 0, bytes(32))
        public = Point.from_bytes(pair.vault.share.device_public)
        return dataclasses.replace(m, pin_proof=prove(statement, run.x2, public, nonces))

    with pytest.raises(WrongPinError):
        run.run(only(5, change))


def test_digest_altered_after_step_1_is_refused(session):
    """The vault saw another document than the phone: the sids differ, nothing verifies."""
    change = replace_in("items", 0, data=b"another document")
    with pytest.raises(ProtocolAbortError):
        session().run(only(1, change))


@pytest.mark.parametrize("field", ["request_id", "request_hash", "epoch", "device_nonce"])
def test_request_altered_after_step_1_is_refused(session, field):
    def change(m):
        value = getattr(m, field)
        other = value + 1 if isinstance(value, int) else bytes(len(value))
        return dataclasses.replace(m, **{field: other})

    with pytest.raises(ProtocolAbortError):
        session().run(only(1, change))


@pytest.mark.parametrize(("field", "value"), [("key_id", b"L" * 16), ("generation", 1)])
def test_request_for_another_key_or_generation_is_refused_at_once(session, field, value):
    run = session()
    steps = run.steps(only(1, lambda m: dataclasses.replace(m, **{field: value})))
    next(steps)
    with pytest.raises(ProtocolAbortError, match="another key"):
        next(steps)


def test_use_is_bound_to_the_session(session):
    change = only(1, lambda m: dataclasses.replace(m, use="pin-change"))
    with pytest.raises((ProtocolAbortError, WrongPinError)):
        session(REFRESH).run(change)


def test_step_twice_is_fatal(session):
    run = session()
    sent = {}
    for number in run.steps(sent.setdefault):
        if number == 3:
            break
    with pytest.raises(ProtocolAbortError, match="not due"):
        run.vault.step2_commit(sent[1])
    with pytest.raises(ProtocolAbortError, match="not due"):
        run.vault.step4_open(sent[3])  # it was due, but the session is dead


def test_failed_step_is_fatal(session):
    run = session()
    sent = {}

    def damage(number, m):
        sent[number] = m
        return dataclasses.replace(m, digests=()) if number == 3 else m

    with pytest.raises(ProtocolAbortError, match="wrong length"):
        run.run(damage)
    with pytest.raises(ProtocolAbortError, match="not due"):
        run.vault.step4_open(sent[3])


def test_pads_differ_by_session_and_digest(pair):
    seeds = pair.vault.share.seeds
    contexts = [
        (b"a" * 32, u32(0)),
        (b"a" * 32, u32(1)),
        (b"b" * 32, u32(0)),
        (b"a" * 32, b"check"),
    ]
    assert len({weigh(pads(sid, context, seeds)) for sid, context in contexts}) == 4


def test_signature_type_is_not_printable(session):
    (signature,) = session().run().signatures
    assert isinstance(signature, Signature)
    assert signature.s.hex() not in repr(signature)
