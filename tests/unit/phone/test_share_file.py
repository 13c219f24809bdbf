import dataclasses
import json
import secrets

import pytest

from mobile_share.errors import (
    AlreadyEnrolledError,
    DamagedFileError,
    NotEnrolledError,
    UnsupportedVersionError,
)
from mobile_share.pin import Argon2Parameters, PinMask
from mobile_share.share_file import (
    ShareStatus,
    ShareStore,
    StoredShare,
    open_sealed,
    seal,
    sealing,
)
from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.protocol.ecdsa2p.device.share import DeviceShare

SECRET = bytes(range(32))

# All that the file may hold (docs/spec/ecdsa2p.md §4): a new field is a new question.
FIELDS = {
    *("share", "masked_share", "salt", "argon2_memory_kib", "argon2_passes", "argon2_lanes"),
    *("epoch", "epoch_key", "pending", "status"),
}
SHARE_FIELDS = {
    *("key_id", "generation", "vault_id", "device_key_hash", "public_key", "zeros", "ones"),
}


def make_share(key_id=b"k" * 16, **changes):
    seeds = secrets.token_bytes(416 * 16)
    share = DeviceShare(
        KeyId(key_id), 0, VaultId("vault-1"), DeviceKeyHash(b"d" * 32), b"\2" * 33, seeds, seeds
    )
    mask = PinMask(secrets.token_bytes(32), Argon2Parameters())
    stored = StoredShare(share, secrets.token_bytes(32), mask, 0, secrets.token_bytes(32))
    return dataclasses.replace(stored, **changes)


@pytest.fixture
def store(tmp_path):
    return ShareStore(tmp_path, SECRET)


def test_what_is_stored_is_loaded(store, tmp_path):
    share = make_share(pending=(b"s" * 32, b"t" * 32), epoch=7)
    store.create(share)
    assert store.load() == share
    assert ShareStore(tmp_path, SECRET).load() == share


def test_what_another_program_stored_is_loaded(store, tmp_path):
    share = make_share()
    store.create(share)
    later = share.with_epoch(1, b"e" * 32)
    ShareStore(tmp_path, SECRET).replace(later)
    assert store.load() == later
    (tmp_path / "share").unlink()
    with pytest.raises(NotEnrolledError):
        store.load()


def test_record_has_exactly_the_fields_that_check_no_pin():
    assert set(json.loads(make_share().to_bytes())) == FIELDS
    assert {field.name for field in dataclasses.fields(DeviceShare)} == SHARE_FIELDS


def test_a_share_is_never_overwritten_by_a_new_key(store):
    store.create(make_share())
    with pytest.raises(AlreadyEnrolledError):
        store.create(make_share())


def test_no_share_is_said_so(store):
    with pytest.raises(NotEnrolledError):
        store.load()


@pytest.mark.parametrize("length", [0, 3, 4, 5, 16, 32, 33, 1000, -1])
def test_torn_file_is_damaged(store, tmp_path, length):
    store.create(make_share())
    sealed = (tmp_path / "share").read_bytes()
    (tmp_path / "share").write_bytes(sealed[:length])
    with pytest.raises(DamagedFileError):
        store.load()


@pytest.mark.parametrize("position", [0, 5, 17, 500, -1])
def test_altered_file_is_damaged(store, tmp_path, position):
    store.create(make_share())
    sealed = bytearray((tmp_path / "share").read_bytes())
    sealed[position] ^= 1
    (tmp_path / "share").write_bytes(sealed)
    with pytest.raises(DamagedFileError):
        store.load()


def test_file_of_another_version_is_said_so(store, tmp_path):
    store.create(make_share())
    sealed = bytearray((tmp_path / "share").read_bytes())
    sealed[4] = 2
    (tmp_path / "share").write_bytes(sealed)
    with pytest.raises(UnsupportedVersionError):
        store.load()


def test_version_is_authenticated(monkeypatch):
    sealed = bytearray(seal(b"content", SECRET, b"share"))
    sealed[4] = 2
    monkeypatch.setattr(sealing, "_VERSION", 2)
    with pytest.raises(DamagedFileError):
        open_sealed(bytes(sealed), SECRET, b"share")


def test_file_of_another_phone_is_refused(store, tmp_path):
    store.create(make_share())
    with pytest.raises(DamagedFileError, match="another phone"):
        ShareStore(tmp_path, b"\1" * 32).load()


def test_file_of_another_role_is_refused():
    with pytest.raises(DamagedFileError):
        open_sealed(seal(b"content", SECRET, b"grant"), SECRET, b"share")


def test_two_seals_of_the_same_content_share_nothing():
    one, other = (seal(bytes(64), SECRET, b"share") for _ in range(2))
    assert one[5:17] != other[5:17]
    assert one[17:] != other[17:]


@pytest.mark.parametrize(
    "changes",
    [
        {"masked_share": b"w" * 31},
        {"epoch_key": b""},
        {"mask": PinMask(b"short")},
        {"pending": (b"s" * 31,)},
        {"pending": tuple(bytes([i]) * 32 for i in range(65))},
    ],
)
def test_authentic_record_of_wrong_sizes_is_damaged(changes):
    with pytest.raises(DamagedFileError):
        StoredShare.from_bytes(make_share(**changes).to_bytes())


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"share": 1}'])
def test_authentic_nonsense_is_damaged(content):
    with pytest.raises(DamagedFileError):
        StoredShare.from_bytes(content)


def test_another_keys_share_does_not_replace_this_one(store):
    store.create(make_share())
    with pytest.raises(DamagedFileError, match="another key"):
        store.replace(make_share(key_id=b"x" * 16))


def test_an_older_epoch_does_not_replace_a_newer_one(store):
    share = make_share(epoch=3)
    store.create(share)
    with pytest.raises(DamagedFileError, match="newer"):
        store.replace(dataclasses.replace(share, epoch=2))


def test_retired_share_keeps_no_secret(store):
    share = make_share(pending=(b"s" * 32,))
    store.create(share)
    store.replace(share.closed(ShareStatus.RETIRED))
    left = store.load()
    assert left.status is ShareStatus.RETIRED
    assert left.share.key_id == share.share.key_id
    assert not any(left.masked_share + left.epoch_key + left.share.zeros + left.share.ones)
    assert left.pending == ()


def test_nothing_secret_is_printed(store):
    share = make_share()
    text = repr(share) + repr(store)
    for secret in (share.masked_share, share.epoch_key, share.mask.salt, SECRET):
        assert secret.hex() not in text
        assert repr(secret) not in text
