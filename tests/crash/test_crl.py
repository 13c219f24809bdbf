"""`kill -9` of the vault while it makes a CRL: nobody ever gets half of one, or an old one."""

import asyncio
import urllib.error
import urllib.request

import pytest
from cryptography import x509

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

DUE_S = 2 * 3600  # ahead: every CRL is due


def download(world) -> x509.CertificateRevocationList | None:
    """Return the CRL of people's certificates, None while a process starts again."""
    address = f"http://127.0.0.1:{world.system.ports['portal']}/crl/issuing-ca.crl"
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return x509.load_der_x509_crl(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        return None


async def whole(world) -> int:
    """Return the number of the CRL, once there is one; it is signed, so it is whole."""
    issuing = x509.load_pem_x509_certificate(
        (world.system.home.public / "issuing-ca.pem").read_bytes()
    )
    for _ in range(60):
        found = await asyncio.to_thread(download, world)
        if found is not None:
            assert found.is_signature_valid(issuing.public_key())
            return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        await asyncio.sleep(0.5)
    raise AssertionError("no CRL is served")


async def test_a_crl_is_whole_and_newer_after_every_death(crash_world):
    """Some 15 s a death: the vault looks every 10 s whether a CRL is due."""
    number = await whole(crash_world)
    points = ("vault.list.before", "vault.list.commit", "vault.list.after")
    for count, point in enumerate(points, 1):
        crash_world.arm(point)
        crash_world.turn_clock(count * DUE_S)
        assert await crash_world.died_at(point)
        for _ in range(60):
            again = await whole(crash_world)
            assert again >= number
            if again > number:
                break
            await asyncio.sleep(0.5)
        else:
            raise AssertionError("no newer CRL was made")
        number = again
