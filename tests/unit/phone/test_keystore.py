import stat

import keyring
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from mobile_share.errors import DamagedFileError, NotEnrolledError, StorageError
from mobile_share.keystore import FileKeyStore, device_key_hash, make_csr
from mobile_share.keystore.keyring_store import KeyringKeyStore


class MemoryKeyring(KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.passwords = {}

    def get_password(self, service, username):
        return self.passwords.get((service, username))

    def set_password(self, service, username, password):
        self.passwords[service, username] = password


class LockedKeyring(MemoryKeyring):
    def get_password(self, service, username):
        raise KeyringLocked("locked")


@pytest.fixture
def backend():
    before, fake = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(fake)
    yield fake
    keyring.set_keyring(before)


class KeyStoreContract:
    """Every key store must pass; subclasses provide `make`."""

    def test_before_create_there_is_nothing(self, tmp_path):
        store = self.make(tmp_path)
        for read in (store.device_secret, store.device_key):
            with pytest.raises(NotEnrolledError):
                read()

    def test_create_makes_a_secret_and_a_key_that_stay(self, tmp_path):
        store = self.make(tmp_path / "phone")
        store.create()
        secret, key_hash = store.device_secret(), store.device_key().key_hash
        store.create()
        assert len(secret) == 32
        assert self.make(tmp_path / "phone").device_secret() == secret
        assert self.make(tmp_path / "phone").device_key().key_hash == key_hash

    def test_two_phones_share_nothing(self, tmp_path):
        one, other = self.make(tmp_path / "one"), self.make(tmp_path / "other")
        one.create()
        other.create()
        assert one.device_secret() != other.device_secret()
        assert one.device_key().key_hash != other.device_key().key_hash

    def test_files_are_private(self, tmp_path):
        self.make(tmp_path / "phone").create()
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "phone").iterdir()}
        assert modes == {0o600}

    def test_damaged_device_key_is_said_so(self, tmp_path):
        store = self.make(tmp_path)
        store.create()
        (tmp_path / "device-key.pem").write_bytes(b"torn")
        with pytest.raises(DamagedFileError):
            store.device_key()


class TestFileKeyStore(KeyStoreContract):
    make = FileKeyStore

    def test_damaged_secret_is_said_so(self, tmp_path):
        store = FileKeyStore(tmp_path)
        store.create()
        (tmp_path / "device-secret").write_bytes(b"short")
        with pytest.raises(DamagedFileError):
            store.device_secret()


@pytest.mark.usefixtures("backend")
class TestKeyringKeyStore(KeyStoreContract):
    make = KeyringKeyStore

    def test_folder_alone_holds_neither_secret_nor_key(self, tmp_path):
        store = KeyringKeyStore(tmp_path)
        store.create()
        pem = (tmp_path / "device-key.pem").read_bytes()
        assert store.device_secret() not in pem
        with pytest.raises(TypeError, match="encrypted"):
            load_pem_private_key(pem, None)
        assert list(tmp_path.iterdir()) == [tmp_path / "device-key.pem"]

    def test_damaged_secret_is_said_so(self, tmp_path, backend):
        store = KeyringKeyStore(tmp_path)
        store.create()
        for value in ("no hex", "00"):
            backend.passwords = dict.fromkeys(backend.passwords, value)
            with pytest.raises(DamagedFileError):
                store.device_secret()

    def test_locked_keyring_is_said_so(self, tmp_path):
        keyring.set_keyring(LockedKeyring())
        with pytest.raises(StorageError, match="does not open"):
            KeyringKeyStore(tmp_path).create()


def test_csr_names_nobody_and_is_signed_by_the_device_key(tmp_path):
    store = FileKeyStore(tmp_path)
    store.create()
    csr = x509.load_der_x509_csr(make_csr(store.device_key()))
    assert csr.is_signature_valid
    assert list(csr.subject) == []
    assert device_key_hash(csr.public_key()) == store.device_key().key_hash


def test_device_key_is_not_printed(tmp_path):
    store = FileKeyStore(tmp_path)
    store.create()
    assert "private" not in repr(store.device_key())
