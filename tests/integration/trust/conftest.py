"""A vault with its trust services, on each database."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from signer_core.pki.crl import CrlFrame, encode_list
from signer_core.pki.der import signed
from tests.fakes.trust_world import make_trust, write_pem


@pytest.fixture
def trust(world):
    return make_trust(world)


@pytest.fixture
def ca_files(world, tmp_path):
    """PEM files: the root to trust, and the authorities below it."""
    below = world.authorities
    write_pem(tmp_path / "root.pem", below.root)
    write_pem(tmp_path / "below.pem", below.issuing, below.device, below.infrastructure)
    write_pem(tmp_path / "all.pem", below.root, below.issuing)
    return tmp_path


@pytest.fixture
def root_crl(world):
    """The root's list (DER), with nobody on it."""
    now = datetime.now(UTC)
    frame = CrlFrame(world.authorities.root, 7, now, now + timedelta(days=1))
    tbs = encode_list(frame, ())
    return signed(tbs, world.root_key.sign(tbs, ec.ECDSA(SHA256())))
