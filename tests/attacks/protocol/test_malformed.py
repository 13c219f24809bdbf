"""Messages of wrong form: the session ends, nothing is counted."""

import dataclasses

import pytest

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.curve import scalar_to_bytes
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning
from signer_core.protocol.transcript import Q
from tests.fakes.ecdsa2p import REFRESH, Request, items
from tests.fakes.tampering import BAD_POINTS, only, replace_in


@pytest.mark.parametrize("point", BAD_POINTS.values(), ids=BAD_POINTS.keys())
@pytest.mark.parametrize(
    ("step", "name", "culprit"), [(3, "digests", "device"), (4, "openings", "vault")]
)
def test_bad_point_ends_the_session(session, point, step, name, culprit):
    with pytest.raises(ProtocolAbortError) as caught:
        session().run(only(step, replace_in(name, 0, nonce_share=point)))
    assert caught.value.culprit == culprit


@pytest.mark.parametrize("value", [Q, Q + 1, 2**256 - 1])
def test_correction_above_the_order_is_refused(session, value):
    def change(m):
        corrections = (scalar_to_bytes(value), *m.digests[0].corrections[1:])
        return replace_in("digests", 0, corrections=corrections)(m)

    with pytest.raises(ProtocolAbortError, match="group order"):
        session().run(only(3, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: dataclasses.replace(m, sigmas=()),
        lambda m: dataclasses.replace(m, sigmas=m.sigmas * 2),
        lambda m: dataclasses.replace(m, sigmas=(scalar_to_bytes(Q),)),
        lambda m: dataclasses.replace(m, sigmas=(m.sigmas[0][1:],)),
        lambda m: dataclasses.replace(m, pin_proof=m.pin_proof[:-1]),
        lambda m: dataclasses.replace(m, pin_proof=bytes(33) + m.pin_proof[33:]),
        lambda m: dataclasses.replace(m, pin_proof=m.pin_proof[:33] + scalar_to_bytes(Q)),
    ],
)
def test_malformed_step_5_is_refused_before_the_pin_is_judged(session, monkeypatch, change):
    monkeypatch.setattr(VaultSigning, "verify_pin", lambda self: pytest.fail("was judged"))
    with pytest.raises(ProtocolAbortError) as caught:
        session().run(only(5, change))
    assert caught.value.culprit == "device"


def test_unknown_use_is_refused(session):
    steps = session(REFRESH).steps(only(1, lambda m: dataclasses.replace(m, use="enrol")))
    next(steps)
    with pytest.raises(ProtocolAbortError, match="unknown use"):
        next(steps)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: dataclasses.replace(m, use="other"),
        lambda m: dataclasses.replace(m, use="refresh"),
        lambda m: dataclasses.replace(m, items=m.items * 65),
        lambda m: dataclasses.replace(m, key_id=b"K"),
        lambda m: dataclasses.replace(m, request_id=b"R" * 17),
        lambda m: dataclasses.replace(m, request_hash=b""),
        lambda m: dataclasses.replace(m, device_nonce=b""),
        lambda m: dataclasses.replace(m, epoch=2**32),
        lambda m: dataclasses.replace(m, epoch=-1),
        lambda m: dataclasses.replace(m, items=(Item("кмс", b""),)),
    ],
)
def test_malformed_step_1_is_refused(session, change):
    run = session()
    steps = run.steps(only(1, change))
    next(steps)
    with pytest.raises(ProtocolAbortError):
        next(steps)


@pytest.mark.parametrize(
    "change",
    [
        {"pending": (bytes(32),) * 65},
        {"pending": (bytes(31),)},
        {"epoch_tag": b""},
        {"epoch_tag": bytes(33)},
        {"digests": ()},
    ],
)
def test_malformed_step_3_is_refused_by_the_party_itself(session, change):
    """Whatever the caller did with the tag before."""
    run, sent = session(), {}
    steps = run.steps(sent.setdefault)
    for _ in range(3):
        next(steps)
    with pytest.raises(ProtocolAbortError) as caught:
        run.vault.step4_open(dataclasses.replace(sent[3], **change))
    assert caught.value.culprit == "device"


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize(("step", "name"), [(2, "commitments"), (4, "openings"), (6, "signatures")])
def test_wrong_number_of_members_is_refused_by_the_phone(session, step, name, count):
    def change(m):
        return dataclasses.replace(m, **{name: (getattr(m, name) * 2)[:count]})

    with pytest.raises(ProtocolAbortError, match="wrong length") as caught:
        session(Request(items(2))).run(only(step, change))
    assert caught.value.culprit == "vault"
