"""Certificates of processes, by the authority of a vault's world."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from grpc_api.settings import TlsSettings
from hsm_module.authorities import INFRASTRUCTURE
from signer_core.pki import process
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.process import ProcessNames, issue_process

LOOPBACK = (IPv4Address("127.0.0.1"),)


async def issue(world, key, *names, days=365):
    """Issue as the ceremony does, for so many days."""
    issuance = Issuance(x509.random_serial_number(), datetime.now(UTC))
    issuer = world.authorities.infrastructure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "LIFETIME", timedelta(days=days))
        return await world.token.use_key(
            INFRASTRUCTURE,
            lambda signing: issue_process(
                Issuer(issuer, signing), issuance, key.public_key(), ProcessNames(names, LOOPBACK)
            ),
        )


async def tls_of(world, folder, *names, days=365):
    key = ec.generate_private_key(ec.SECP256R1())
    chain = (await issue(world, key, *names, days=days), world.authorities.infrastructure)
    folder.mkdir()
    (folder / "cert.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "ca.pem").write_bytes(world.authorities.root.public_bytes(Encoding.PEM))
    return TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
