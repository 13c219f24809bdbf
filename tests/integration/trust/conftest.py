"""A vault with its trust services, on each database."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

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
    """The root's list, with nobody on it."""
    now = datetime.now(UTC)
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(world.authorities.root.subject)
        .last_update(now)
        .next_update(now + timedelta(days=1))
        .sign(world.root_key, SHA256())
    )
