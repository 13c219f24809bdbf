"""Reproduces tests/vectors/ecdsa2p.json: every message and every intermediate.

Source: an independent implementation of the protocol, made from its text alone. Each random value
is scripted by its name in the file.
"""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from argon2.low_level import Type, hash_secret_raw

from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.protocol.curve import base, inverse, scalar_to_bytes
from signer_core.protocol.ecdsa2p.device.enrolment import DeviceIdentity
from signer_core.protocol.ecdsa2p.messages import Item, encode_message
from signer_core.protocol.ecdsa2p.session import digest_scalar, hash_item
from signer_core.protocol.epoch import derive, make_tag
from signer_core.protocol.multiplication import (
    CHECK,
    GADGET,
    bits_of,
    correct_chosen,
    pads,
    scalar_list,
    subset_sum,
    weigh,
)
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.oblivious_transfer import SEED_BYTES
from signer_core.protocol.proofs import Statement
from signer_core.protocol.transcript import Q, u32
from tests.fakes.ecdsa2p import Pair, Request, ScriptedRng, Session, enrol, recorder, transfer

VECTORS = json.loads(Path(__file__).with_name("ecdsa2p.json").read_text())
WHO = DeviceIdentity(
    KeyId(bytes.fromhex(VECTORS["enrol"]["messages"][0]["fields"]["key_id"])),
    VaultId(bytes.fromhex(VECTORS["vault_id"]).decode("ascii")),
    DeviceKeyHash(bytes.fromhex(VECTORS["device_hash"])),
    bytes.fromhex(VECTORS["device_secret"]),
)
# Our names of the fields, in the order of ours
FIELDS = {
    "row1": ("key_id", "device_nonce", "authorisation"),
    "row2": ("vault_nonce", "C1"),
    "row3": ("X2", "pi2", "S", "piS"),
    "row4": ("X1", "pi1", "nonce", "R"),
    "row5": ("c",),
    "row6": ("CB",),
    "row7": ("kappa", "t0"),
    "row8": ("B", "nonce", "epoch_seed"),
    "row9": ("digest",),
    "step1": (
        "use",
        "key_id",
        "generation",
        "epoch",
        "request_id",
        "request_hash",
        "device_nonce",
        "items",
    ),
    "step2": ("vault_nonce", "C"),
    "step3": ("pending", "tag", "attestation", "digests"),
    "step4": ("openings",),
    "step5": ("sigma", "piPIN"),
    "step6": ("signatures", "epoch_seed"),
    "step7": ("ack",),
    "transfer1": ("delta",),
    "transfer2": ("S", "piS"),
    "transfer3": ("R",),
    "items": ("kind", "data"),
    "digests": ("R2", "pi2", "c"),
    "openings": ("R1", "pi1", "nonce"),
    "signatures": ("r", "s"),
}
# The file names the first PIN only; the second was found by trying all, which the mask allows here
PIN = {"enrol": VECTORS["pin"].encode("ascii"), "pin-change": b"70419"}
OF_DEVICE = ("device_nonce", "x2", "y", "kappa")
OF_DEVICE_NONCES = ("pok-x2", "pok-y", "k2", "pok-k2", "pok-pin")
OF_CALLER = ("device_secret", "salt")


def is_device(name: str) -> bool:
    """Tell whether the phone draws the value of this name."""
    if name.startswith("nonce/"):
        return name.split("/")[1] in OF_DEVICE_NONCES
    return name in OF_DEVICE


def is_vault(name: str) -> bool:
    """Tell whether the vault draws the value of this name."""
    return not is_device(name) and name not in OF_CALLER


class Spy:
    """Sees every hedged nonce and every challenge, by a wrapper around both functions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nonces: dict[str, int] = {}
        self.challenges: dict[str, dict[str, Any]] = {}
        draw, challenge = NonceSource.draw, Statement.challenge

        def spied_draw(source, what, index=0):
            value = draw(source, what, index)
            self.nonces[f"{what}/{index}"] = value
            return value

        def spied_challenge(statement, public, nonce):
            e = challenge(statement, public, nonce)
            seen = {"X": public.to_bytes(), "A": nonce.to_bytes(), "ctx": statement.context, "e": e}
            self.challenges[f"{statement.what}/{statement.index}"] = seen
            return e

        monkeypatch.setattr(NonceSource, "draw", spied_draw)
        monkeypatch.setattr(Statement, "challenge", spied_challenge)

    def proof(self, name: str, z: bytes) -> dict[str, Any]:
        """Return everything of the proof `name`, as the file has it."""
        a = self.nonces["pok-" + name]
        return as_hex({**self.challenges[name], "a": a, "z": z})


class Run:
    """One of the three runs of the file, with what it needs of the ones before."""

    def __init__(self, name: str, spy: Spy) -> None:
        self.name, self.spy, self.vector = name, spy, VECTORS[name]
        self.device_rng = ScriptedRng(self.vector["random"], is_device)
        self.vault_rng = ScriptedRng(self.vector["random"], is_vault)
        self.sent: list[Any] = []
        self.expected = dict(self.vector["intermediates"])
        self.seen: dict[str, Any] = {}

    def check(self) -> None:
        """Compare messages, hashes of their encodings, intermediates, and unused randomness."""
        assert not self.device_rng.left
        assert not self.vault_rng.left
        assert len(self.sent) == len(self.vector["messages"])
        for message, expected in zip(self.sent, self.vector["messages"], strict=True):
            assert fields(message, expected["name"]) == expected["fields"]
            digest = hashlib.sha256(encode_message(message)).hexdigest()
            assert digest == expected["encoded_sha256"]
        seen = {name: as_hex(value) for name, value in self.seen.items()}
        assert seen.keys() == self.expected.keys()
        for name, value in self.expected.items():
            assert seen[name] == value, name


def fields(message: Any, name: str) -> dict[str, Any]:
    """Return a message as the file writes it."""
    return {
        theirs: _field(getattr(message, ours), theirs)
        for theirs, ours in zip(FIELDS[name], message.__slots__, strict=False)
    }


def _field(value: Any, name: str) -> Any:
    if isinstance(value, tuple):
        return [fields(v, name) if name in FIELDS else v.hex() for v in value]
    return value if isinstance(value, int | str) else value.hex()


def as_hex(value: Any) -> Any:
    """Write integers as 32-byte scalars and bytes as hex."""
    match value:
        case bytes():
            return value.hex()
        case int():
            return scalar_to_bytes(value).hex()
        case dict():
            return {key: as_hex(member) for key, member in value.items()}
        case list() | tuple():
            return [as_hex(member) for member in value]
        case _:
            return value


def split(seeds: bytes) -> list[bytes]:
    return [seeds[at : at + SEED_BYTES] for at in range(0, len(seeds), SEED_BYTES)]


def reduced(values: list[int]) -> list[int]:
    return [value % Q for value in values]


def masked(run: Run, x2: int) -> dict[str, Any]:
    """The PIN's mask of §4, which the phone computes around the protocol."""
    salt = bytes.fromhex(next(value for name, _, value in run.vector["random"] if name == "salt"))
    k_pin = derive(b"", WHO.device_secret, b"k-pin")
    cost = VECTORS["argon"]
    stretched = hash_secret_raw(
        PIN[run.name],
        hmac.digest(k_pin, salt, "sha256"),
        cost["time_cost"],
        cost["memory_cost"],
        cost["parallelism"],
        48,
        Type.ID,
    )
    f = int.from_bytes(stretched, "big") % Q
    return {"F": f, "salt": salt, "w": (x2 - f) % Q, "x2": x2}


def see_consistency(run: Run, pair: Pair, row5: Any, row7: Any, row8: Any, row6: Any) -> None:
    """Recompute rows 4 to 8 with the functions the parties use."""
    ours, theirs, sid = pair.device.share, pair.vault.share, pair.sid
    bits = bits_of(theirs.bits)
    zeros, ones = pads(sid, CHECK, ours.zeros), pads(sid, CHECK, ours.ones)
    chosen = pads(sid, CHECK, theirs.seeds)
    beta = weigh(correct_chosen(chosen, bits, scalar_list(row5.corrections)))
    run.seen["ot/vault"] = {"bits": [str(bit) for bit in bits], "seeds": split(theirs.seeds)}
    run.seen["ot/seeds"] = {"seeds0": split(ours.zeros), "seeds1": split(ours.ones)}
    t0, t1 = reduced(zeros), reduced(ones)
    run.seen["check/device"] = {"kappa": row7.kappa, "t0": t0, "t1": t1}
    point = base(beta).to_bytes()
    tb = reduced(chosen)
    run.seen["check/vault"] = {"B": point, "CB": row6.commitment, "beta": beta, "tb": tb}
    run.seen["check/alpha"] = {"B": row8.check_point, "alpha": -weigh(zeros) % Q}
    run.expected["ot/vault"]["bits"] = [str(bit) for bit in run.expected["ot/vault"]["bits"]]


def run_enrolment(spy: Spy) -> tuple[Run, Pair]:
    run = Run("enrol", spy)
    pair = enrol(run.device_rng, run.vault_rng, recorder(run.sent), WHO)
    row3, row4, row5, row6, row7, row8, row9 = run.sent[2:]
    share = pair.vault.share
    run.seen["sid"] = pair.sid
    run.seen["x1"] = {"b": share.bits, "sid": pair.sid, "x1": subset_sum(bits_of(share.bits))}
    run.seen["pok/x1/0"] = spy.proof("x1/0", row4.public_share_proof[33:])
    run.seen["pok/x2/0"] = spy.proof("x2/0", row3.public_share_proof[33:])
    run.seen["pok/y/0"] = spy.proof("y/0", row3.transfer_key_proof[33:])
    see_consistency(run, pair, row5, row7, row8, row6)
    run.seen["mask"] = masked(run, pair.device.x2)
    run.seen["enrolled"] = {
        "Q": share.public_key,
        "digest": row9.digest,
        "epoch_key": pair.vault.epoch_key,
    }
    return run, pair


def run_session(run: Run, pair: Pair, epoch_key: bytes) -> bytes:
    """Run §3 as the file asks; return the next epoch key."""
    ask = run.vector["messages"][0]["fields"]
    items = tuple(Item(i["kind"], bytes.fromhex(i["data"])) for i in ask["items"])
    ids = (bytes.fromhex(ask["request_id"]), bytes.fromhex(ask["request_hash"]))
    request = Request(items, ask["use"], *ids, ask["epoch"])
    session = Session(pair, request, run.device_rng, run.vault_rng, epoch_key)
    signed = session.run(recorder(run.sent))
    sid = session.vault.sid
    run.seen["sid"] = sid
    run.seen["epoch"] = {"key": epoch_key, "pending": [], "tag": make_tag(epoch_key, sid, ())}
    see_digests(run, pair, sid, items)
    step5, step6 = run.sent[4], run.sent[5]
    run.seen["pok/pin/0"] = run.spy.proof("pin/0", step5.pin_proof[33:])
    context = run.spy.challenges["pin/0"]["ctx"]
    run.seen["step5"] = {"sigma": step5.sigmas, "transcript": context, "x2": pair.device.x2}
    run.seen["step6"] = {
        "epoch_seed": step6.epoch_seed,
        "k1": [run.spy.nonces[f"k1/{j}"] for j in range(len(items))],
        "s": [signature.s for signature in step6.signatures],
    }
    run.seen["epoch/next"] = signed.epoch.key
    return signed.epoch.key


def see_digests(run: Run, pair: Pair, sid: bytes, items: tuple[Item, ...]) -> None:
    step3, step4, step6 = run.sent[2], run.sent[3], run.sent[5]
    bits = bits_of(pair.vault.share.bits)
    for j, item in enumerate(items):
        nonces = run.spy.nonces
        k1, k2 = nonces[f"k1/{j}"], nonces[f"k2/{j}"]
        run.seen[f"digest/{j}/k1"] = k1
        run.seen[f"pok/k1/{j}"] = run.spy.proof(f"k1/{j}", step4.openings[j].proof[33:])
        run.seen[f"pok/k2/{j}"] = run.spy.proof(f"k2/{j}", step3.digests[j].proof[33:])
        zeros = pads(sid, u32(j), pair.device.share.zeros)
        ones = pads(sid, u32(j), pair.device.share.ones)
        chosen = pads(sid, u32(j), pair.vault.share.seeds)
        run.seen[f"digest/{j}"] = {
            "alpha": -weigh(zeros) % Q,
            "h": digest_scalar(hash_item(item.data)),
            "k2": k2,
            "kappa": inverse(k2),
            "t0": reduced(zeros),
            "t1": reduced(ones),
        }
        corrections = scalar_list(step3.digests[j].corrections)
        run.seen[f"digest/{j}/beta"] = {
            "beta": weigh(correct_chosen(chosen, bits, corrections)),
            "r": step6.signatures[j].r,
            "tb": reduced(chosen),
        }


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    return Spy(monkeypatch)


def test_gadget_is_the_files():
    gadget = [scalar_to_bytes(g) for g in GADGET]
    for index, value in VECTORS["gadget"].items():
        assert gadget[int(index)].hex() == value
    assert hashlib.sha256(b"".join(gadget)).hexdigest() == VECTORS["gadget_all_sha256"]


def test_enrolment_reproduces_every_message_and_intermediate(spy: Spy):
    run, _ = run_enrolment(spy)
    run.check()


def test_batch_of_two_reproduces_every_message_and_intermediate(spy: Spy):
    _, pair = run_enrolment(spy)
    run = Run("sign", spy)
    run_session(run, pair, pair.vault.epoch_key)
    run.check()


def test_pin_change_reproduces_every_message_and_intermediate(spy: Spy):
    _, pair = run_enrolment(spy)
    epoch_key = run_session(Run("sign", spy), pair, pair.vault.epoch_key)
    run = Run("pin-change", spy)
    run_session(run, pair, epoch_key)
    sid = run.seen["sid"]
    moved = transfer(pair, sid, run.device_rng, run.vault_rng, recorder(run.sent))
    row3, row5, row6, row7, row8 = (run.sent[i] for i in (8, 10, 11, 12, 13))
    run.seen["pok/y/0"] = spy.proof("y/0", row3.transfer_key_proof[33:])
    see_consistency(run, moved, row5, row7, row8, row6)
    run.seen["mask"] = masked(run, moved.device.x2)
    run.check()
