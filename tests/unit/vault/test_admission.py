"""Whether a key may act now: every rule of `hsm_module.admission`."""

import dataclasses

import pytest

from hsm_module.admission import verify_active, verify_admitted, verify_open
from hsm_module.storage.rows import EpochState, Generation, Judging, KeyRow, RequestRow
from signer_core.errors import (
    BusyError,
    DeniedError,
    InvalidRequestError,
    KeyBlockedError,
    KeyHeldError,
    KeySuspendedError,
    RetireShareError,
)
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.keys.pin_policy import PinPolicy
from signer_core.ports import KeyStatus, RequestState

NOW_S = 1_800_000_000
KEY = KeyRow(
    key_id=KeyId(b"k" * 16),
    device_key_hash=DeviceKeyHash(b"d" * 32),
    authorisation_hash=bytes(32),
    public_key=bytes(33),
    current=Generation(0, bytes(32), "kek-1", EpochState(0, bytes(60))),
)
REQUEST = RequestRow(
    RequestId(b"r" * 16), KEY.key_id, "documentSigning", bytes(32), (bytes(32),), NOW_S + 1
)
JUDGING = Judging(bytes(32), "process-1", REQUEST.request_id, NOW_S + 60)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"status": KeyStatus.RETIRED}, RetireShareError),
        ({"status": KeyStatus.SUSPENDED}, KeySuspendedError),
        ({"status": KeyStatus.RESTORED}, DeniedError),
        ({"failed": 9}, KeyBlockedError),
        ({"lifetime_failed": 30}, KeyBlockedError),
        ({"judging": JUDGING}, BusyError),
        ({"hold_until_s": NOW_S + 1}, KeyHeldError),
    ],
)
def test_each_reason_has_its_error(changes, error):
    with pytest.raises(error):
        verify_admitted(dataclasses.replace(KEY, **changes), PinPolicy(), NOW_S, "sign")


@pytest.mark.parametrize("use", ["refresh", "pin-change"])
def test_a_restored_key_admits_new_shares_only(use):
    restored = dataclasses.replace(KEY, status=KeyStatus.RESTORED)
    verify_admitted(restored, PinPolicy(), NOW_S, use)


@pytest.mark.parametrize("changes", [{"judging": JUDGING}, {"hold_until_s": NOW_S + 1}])
def test_a_key_that_waits_is_still_active(changes):
    verify_active(dataclasses.replace(KEY, **changes), PinPolicy())


def test_a_hold_ends_at_its_second():
    verify_admitted(dataclasses.replace(KEY, hold_until_s=NOW_S), PinPolicy(), NOW_S, "sign")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key_id": KeyId(b"o" * 16)}, InvalidRequestError),
        ({"state": RequestState.CONSUMED}, InvalidRequestError),
        ({"state": RequestState.BURNED}, InvalidRequestError),
        ({"state": RequestState.RESERVED}, BusyError),
        ({"expires_at_s": NOW_S}, InvalidRequestError),
    ],
)
def test_a_request_that_cannot_be_signed(changes, error):
    with pytest.raises(error):
        verify_open(dataclasses.replace(REQUEST, **changes), KEY, NOW_S)


def test_an_open_request_of_the_key_may_be_signed():
    verify_open(REQUEST, KEY, NOW_S)
