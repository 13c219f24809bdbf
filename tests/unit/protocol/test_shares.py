"""Share records: encoding, damage, and what is never printed."""

import dataclasses

import pytest

from signer_core.errors import InvalidRequestError
from signer_core.protocol.ecdsa2p.device.share import DeviceShare
from signer_core.protocol.ecdsa2p.vault.share import VaultShare
from signer_core.protocol.multiplication import BITS_BYTES, SEEDS_BYTES


@pytest.fixture(params=["vault", "device"])
def share(request, pair):
    return getattr(pair, request.param).share


def test_record_round_trip(share):
    assert type(share).from_bytes(share.to_bytes()) == share


def test_sizes(pair):
    assert len(pair.vault.share.to_bytes()) == pytest.approx(6900, abs=100)
    assert len(pair.device.share.to_bytes()) == pytest.approx(13450, abs=100)
    assert (len(pair.vault.share.bits), len(pair.vault.share.seeds)) == (BITS_BYTES, SEEDS_BYTES)


@pytest.mark.parametrize(
    "damage",
    [
        lambda r: b"",
        lambda r: b"\x02" + r[1:],
        lambda r: r[:-1],
        lambda r: r + b"\x00",
        lambda r: r[:1] + b"\x00\x00\x00\x0f" + r[5:],
        lambda r: r[:1] + b"\xff\xff\xff\xff" + r[5:],
        lambda r: r.replace(b"vault-1", b"vault-\xff"),
    ],
)
def test_damaged_record_is_refused(share, damage):
    with pytest.raises(InvalidRequestError):
        type(share).from_bytes(damage(share.to_bytes()))


@pytest.mark.parametrize(
    "field", [{"key_id": b"K" * 15}, {"public_key": bytes(32)}, {"device_key_hash": b""}]
)
def test_record_with_a_field_of_another_size_is_refused(share, field):
    with pytest.raises(InvalidRequestError):
        type(share).from_bytes(dataclasses.replace(share, **field).to_bytes())


def test_sides_do_not_read_each_others_record(pair):
    with pytest.raises(InvalidRequestError):
        DeviceShare.from_bytes(pair.vault.share.to_bytes())
    with pytest.raises(InvalidRequestError):
        VaultShare.from_bytes(pair.device.share.to_bytes())


def test_secrets_are_not_printed(pair):
    shown = repr(pair.vault) + repr(pair.device)
    for secret in (
        pair.vault.share.bits,
        pair.vault.share.seeds[:16],
        pair.vault.share.device_public,
        pair.device.share.zeros[:16],
        pair.device.share.ones[:16],
        pair.vault.epoch_key,
    ):
        assert repr(secret) not in shown
        assert secret.hex() not in shown
    assert "bits" not in shown
    assert "zeros" not in shown
    assert str(pair.device.x2) not in shown


def test_neither_share_holds_what_tests_a_pin(pair):
    """On the phone: no X1, X2, x2. On the vault: no x1 in clear but its bits."""
    record = pair.device.share.to_bytes()
    assert pair.vault.share.device_public not in record
    assert pair.device.x2.to_bytes(32, "big") not in record
