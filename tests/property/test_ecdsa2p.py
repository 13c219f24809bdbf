"""Whatever happens to one message of a run: never a valid signature, and the right error."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from signer_core.errors import ProtocolAbortError, SignerError
from signer_core.protocol.ecdsa2p.vault.signing import WrongPinError
from tests.fakes.ecdsa2p import Pair, Request, Session, counted_rng, enrol, items, transfer

Path = tuple[Any, ...]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
RUNS = settings(max_examples=60, deadline=None, suppress_health_check=SLOW, derandomize=True)
FEW_RUNS = settings(RUNS, max_examples=25)  # an enrolment takes 0.1 s

ENROL_RNGS = (b"enrol device", b"enrol vault")
PAIR = enrol(*map(counted_rng, ENROL_RNGS))
HONEST: dict[int, Any] = {}
OTHER: dict[int, Any] = {}
OTHER_ENROLMENT: dict[int, Any] = {}


def session(seed: bytes = b"", n: int = 2) -> Session:
    return Session(PAIR, Request(items(n)), counted_rng(b"D" + seed), counted_rng(b"V" + seed))


session().run(HONEST.setdefault)
Session(
    PAIR,
    Request((*items(3)[1:],), request_id=b"S" * 16),
    counted_rng(b"other D"),
    counted_rng(b"other V"),
).run(OTHER.setdefault)
enrol(counted_rng(b"other d"), counted_rng(b"other v"), OTHER_ENROLMENT.setdefault)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every hashed bytes, number and word of a message, with the way to it."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name != "wrong_tries":  # no part of the protocol
                yield from leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple):
        for index, member in enumerate(value):
            yield from leaves(member, (*path, index))
    elif value != b"":
        yield path, value


def put(value: Any, path: Path, leaf: Any) -> Any:
    """Return the message with another leaf."""
    if not path:
        return leaf
    head, *rest = path
    if isinstance(value, tuple):
        changed = put(value[head], tuple(rest), leaf)
        return (*value[:head], changed, *value[head + 1 :])
    return dataclasses.replace(value, **{head: put(getattr(value, head), tuple(rest), leaf)})


def flipped(leaf: Any, bit: int) -> Any:
    """Flip one bit of a leaf."""
    if isinstance(leaf, int):
        return leaf ^ (1 << bit % 32)
    if isinstance(leaf, str):
        return {"sign": "refresh"}.get(leaf, leaf + "x")
    number = int.from_bytes(leaf, "big") ^ (1 << bit % (8 * len(leaf)))
    return number.to_bytes(len(leaf), "big")


def fails(run: Any, steps: int, step: int, message: Any) -> None:
    """Run with one message replaced: it must end in an abort or a wrong PIN, never further."""

    def tamper(number: int, m: Any) -> Any:
        return message if number == step else m

    with pytest.raises((ProtocolAbortError, WrongPinError)) as caught:
        run(tamper)
    if isinstance(caught.value, ProtocolAbortError) and step < steps:
        assert caught.value.culprit in ("device", "vault")


def one_leaf(data: st.DataObject, message: Any) -> tuple[Path, Any]:
    """Draw a leaf: first a field, so that the 416 scalars are not always it."""
    fields = [f.name for f in dataclasses.fields(message)]
    ways = list(leaves(message))
    name = data.draw(st.sampled_from(fields))
    inside = [way for way in ways if way[0][0] == name]
    assume(inside)
    return data.draw(st.sampled_from(inside))


@RUNS
@given(st.integers(1, 7), st.data())
def test_one_flipped_bit_ends_a_session(step, data):
    path, leaf = one_leaf(data, HONEST[step])
    bit = data.draw(st.integers(0, 511))
    fails(session().run, 7, step, put(HONEST[step], path, flipped(leaf, bit)))


@RUNS
@given(st.integers(1, 7), st.data())
def test_shortened_or_lengthened_field_ends_a_session(step, data):
    path, leaf = one_leaf(data, HONEST[step])
    assume(isinstance(leaf, bytes))
    other = data.draw(st.sampled_from([leaf[:-1], leaf + b"\x00", b""]))
    fails(session().run, 7, step, put(HONEST[step], path, other))


@RUNS
@given(st.integers(1, 6), st.data())
def test_list_with_a_member_dropped_repeated_or_moved_ends_a_session(step, data):
    lists = [
        f.name
        for f in dataclasses.fields(HONEST[step])
        if isinstance(getattr(HONEST[step], f.name), tuple) and getattr(HONEST[step], f.name)
    ]
    assume(lists)
    name = data.draw(st.sampled_from(lists))
    members = getattr(HONEST[step], name)
    other = data.draw(
        st.sampled_from([(), members[1:], members * 2, members[::-1], (members[0],) * len(members)])
    )
    fails(session().run, 7, step, dataclasses.replace(HONEST[step], **{name: other}))


@pytest.mark.parametrize("step", range(1, 8))
def test_message_of_another_session_ends_a_session(step):
    fails(session().run, 7, step, OTHER[step])


@pytest.mark.parametrize("step", range(2, 8))
def test_message_of_an_equal_session_ends_a_session(step):
    """The same request once more: only the nonces differ."""
    again: dict[int, Any] = {}
    session(b"again").run(again.setdefault)
    fails(session().run, 7, step, again[step])


@RUNS
@given(st.permutations(range(1, 8)))
def test_steps_in_any_other_order_do_nothing(order):
    """Every party takes its own steps in order and dies at the first other one."""
    run = session()
    device, vault = run.device, run.vault
    calls = {
        1: lambda: device.step1_request("sign", b"R" * 16, b"h" * 32, items(2)),
        2: lambda: vault.step2_commit(HONEST[1]),
        3: lambda: device.step3_answer(HONEST[2], b"attestation"),
        4: lambda: vault.step4_open(HONEST[3]),
        5: lambda: (device.step5_check_openings(HONEST[4]), device.step5_sign(PAIR.device.x2)),
        6: lambda: (vault.step6_check_form(HONEST[5]), vault.verify_pin(), vault.finish()),
        7: lambda: device.step7_verify(HONEST[6]),
    }
    due = {"device": [1, 3, 5, 7], "vault": [2, 4, 6]}
    for number in order:
        mine = due["device" if number % 2 else "vault"]
        if mine and mine[0] == number:
            calls[number]()
            mine.pop(0)
        else:
            mine.clear()
            with pytest.raises(ProtocolAbortError, match="not due"):
                calls[number]()


@settings(RUNS, max_examples=10)
@given(st.integers(0, 6), st.binary(min_size=1, max_size=40))
def test_honest_runs_of_every_size_sign_what_was_asked(n, data):
    pair_items = tuple(dataclasses.replace(item, data=data + item.data) for item in items(n))
    request = Request(pair_items) if n else Request((), "refresh", b"", b"")
    run = Session(PAIR, request, counted_rng(data), counted_rng(b"v" + data))
    assert len(run.run().signatures) == n


# --- enrolment and transfer ----------------------------------------------------------------------


def run_enrolment(tamper: Any) -> Pair:
    return enrol(*map(counted_rng, ENROL_RNGS), tamper)


ENROLMENT: dict[int, Any] = {}
run_enrolment(ENROLMENT.setdefault)


@FEW_RUNS
@given(st.integers(1, 9), st.data())
def test_one_flipped_bit_ends_an_enrolment(step, data):
    path, leaf = one_leaf(data, ENROLMENT[step])
    bit = data.draw(st.integers(0, 511))
    message = put(ENROLMENT[step], path, flipped(leaf, bit))
    fails(run_enrolment, 9, step, message)


@pytest.mark.parametrize("step", range(1, 10))
def test_message_of_another_enrolment_ends_an_enrolment(step):
    fails(run_enrolment, 9, step, OTHER_ENROLMENT[step])


@FEW_RUNS
@given(st.integers(2, 9), st.data())
def test_one_flipped_bit_ends_a_transfer(step, data):
    """In row 7 it retires the key: the rows before it were right."""

    def moved(tamper: Any) -> Pair:
        return transfer(PAIR, HONEST_SID, counted_rng(b"t"), counted_rng(b"u"), tamper)

    honest: dict[int, Any] = {}
    moved(honest.setdefault)
    path, leaf = one_leaf(data, honest[step])
    message = put(honest[step], path, flipped(leaf, data.draw(st.integers(0, 511))))
    with pytest.raises(SignerError) as caught:
        moved(lambda number, m: message if number == step else m)
    assert caught.value.code in {"protocol_abort", "retire_share"}


HONEST_SID = PAIR.sid
