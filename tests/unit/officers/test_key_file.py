"""Key files: what opens them, what does not, and that nothing of the key is in them."""

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.officers.errors import FileError, KeyFileError, RefusedError
from hsm_module.officers.key_file import (
    Passphrase,
    certificate_path,
    make_key_file,
    open_key_file,
    read_certificate,
)
from hsm_module.officers.passphrase import ask_passphrase, choose_passphrase
from hsm_module.officers.running import EXIT_CODES, exit_code
from hsm_module.officers.session import Place
from signer_core import errors

PASSPHRASE = Passphrase("correct horse battery")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "anna.key"
    return path, make_key_file(path, "anna", PASSPHRASE)


def test_it_opens_under_its_passphrase_and_no_other(made):
    path, key = made
    assert open_key_file(path, PASSPHRASE).pem() == key.pem()
    with pytest.raises(KeyFileError, match="passphrase is not that of"):
        open_key_file(path, Passphrase("correct horse batterY"))


def test_it_is_its_owners_alone_and_never_overwritten(made):
    path, _ = made
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileError, match="never overwritten"):
        make_key_file(path, "anna", PASSPHRASE)


@pytest.mark.parametrize("field", ["officer", "salt", "passes", "memory_kib", "lanes"])
def test_nothing_in_it_can_be_changed(made, tmp_path, field):
    """Weaker costs, another name: all of it is authenticated."""
    content = json.loads(made[0].read_text())
    changed = {"officer": "boss", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "passes": 1}
    content[field] = changed[field] if field in changed else content[field] // 2
    path = tmp_path / "changed.key"
    path.write_text(json.dumps(content))
    with pytest.raises(KeyFileError):
        open_key_file(path, PASSPHRASE)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"version": 2}', "\x00", '{"memory_kib": 99999999999}']
)
def test_another_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "x.key"
    path.write_text(content)
    with pytest.raises(KeyFileError, match="no key file"):
        open_key_file(path, PASSPHRASE)


def test_costs_that_would_exhaust_this_machine_are_refused(made, tmp_path):
    content = json.loads(made[0].read_text()) | {"memory_kib": 1 << 30}
    path = tmp_path / "huge.key"
    path.write_text(json.dumps(content))
    with pytest.raises(KeyFileError, match="no key file"):
        open_key_file(path, PASSPHRASE)


def test_the_key_is_not_in_its_file_nor_in_its_repr(made):
    path, key = made
    number = key.private_key.private_numbers().private_value
    raw = number.to_bytes(32, "big")
    assert raw.hex() not in path.read_text()
    assert raw not in path.read_bytes()
    assert "private" not in repr(key)


def test_a_certificate_of_another_key_is_refused(made, tmp_path):
    path, key = made
    with pytest.raises(KeyFileError, match="is missing"):
        read_certificate(tmp_path / "other.key", key)
    other = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = builder.sign(other, SHA256())
    certificate_path(path).write_bytes(request.public_bytes(Encoding.PEM))
    with pytest.raises(KeyFileError, match="no certificate"):
        read_certificate(path, key)
    certificate_path(path).unlink()


@pytest.mark.parametrize(("mode", "text"), [(0o644, "correct horse battery"), (0o600, "")])
def test_a_passphrase_file_is_its_owners_alone_and_not_empty(tmp_path, mode, text):
    path = tmp_path / "passphrase"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(KeyFileError):
        ask_passphrase(path)


def test_a_new_passphrase_has_twelve_characters(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text("eleven char\n")
    path.chmod(0o600)
    assert ask_passphrase(path).text == "eleven char"
    with pytest.raises(KeyFileError, match="12 characters"):
        choose_passphrase(path)


def test_nobody_is_asked_without_a_terminal():
    with pytest.raises(RefusedError, match="--passphrase-file"):
        ask_passphrase(None)


@pytest.mark.parametrize("names", [(), ("a.key", "b.key")])
def test_exactly_one_key_file_or_a_name(tmp_path, names):
    folder = tmp_path / "officers"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    with pytest.raises(KeyFileError, match="name yours"):
        Place(tmp_path).find_key_file()


def test_every_error_has_the_code_of_the_nearest_class():
    assert exit_code(errors.RefreshNeededError("x")) == EXIT_CODES[errors.DeniedError] == 21
    assert exit_code(KeyFileError("x")) == 31
    assert exit_code(errors.SignerError("x")) == 1
