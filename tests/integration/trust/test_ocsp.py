"""OCSP as OpenSSL and `cryptography` judge it."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponseStatus

from hsm_module.authorities import ISSUING
from hsm_module.storage import sealing
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.trust_tables import certificate_statuses
from signer_core.pki.ocsp import OcspError, error_answer
from tests.fakes.trust_world import (
    ask_ocsp,
    certificate_of,
    make_trust,
    openssl,
    read_ocsp,
    write_pem,
)
from tests.fakes.vault_backup import delete
from tests.integration.trust.test_crl import suspend

GOOD, REVOKED, UNKNOWN = OCSPCertStatus.GOOD, OCSPCertStatus.REVOKED, OCSPCertStatus.UNKNOWN


@pytest.fixture
async def phone(world):
    return await world.citizen()


@pytest.fixture
async def certificate(world, phone):
    return await certificate_of(world, phone)


def check_with_openssl(folder, request, answer, *more):
    (folder / "request.der").write_bytes(request)
    (folder / "answer.der").write_bytes(answer)
    return openssl(
        *("ocsp", "-reqin", folder / "request.der", "-respin", folder / "answer.der"),
        *("-no_nonce", "-CAfile", folder / "root.pem", "-issuer", folder / "issuer.pem", *more),
        *("-cert", folder / "leaf.pem", "-resp_text"),
    )


@pytest.mark.parametrize("nonce", [None, b"\x01", bytes(range(32)), bytes(128)])
async def test_openssl_accepts_an_answer(world, trust, certificate, ca_files, nonce):
    issuing = world.authorities.issuing
    write_pem(ca_files / "issuer.pem", issuing)
    write_pem(ca_files / "leaf.pem", certificate)
    request = ask_ocsp(certificate, issuing, nonce=nonce)
    answer = await trust.answer_ocsp(request)
    said = check_with_openssl(ca_files, request, answer)
    assert "Response verify OK" in said
    assert f"{ca_files / 'leaf.pem'}: good" in said
    assert "no nonce" not in said
    shown = read_ocsp(answer).extensions
    echoed = [one.value.nonce for one in shown if isinstance(one.value, x509.OCSPNonce)]
    assert echoed == ([] if nonce is None else [nonce])


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA512()])
async def test_the_issuer_may_be_named_by_any_hash(world, trust, certificate, algorithm):
    request = ask_ocsp(certificate, world.authorities.issuing, algorithm)
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is GOOD


async def test_a_revocation_is_visible_at_once_in_every_vault_process(world, phone, certificate):
    first, second = make_trust(world), make_trust(world, world.make_process("process-2"))
    request = ask_ocsp(certificate, world.authorities.issuing)
    for trust in (first, second):
        for _ in range(2):  # the second one was made ahead
            assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is GOOD
    await suspend(world, phone)
    for trust in (first, second):
        answer = read_ocsp(await trust.answer_ocsp(request))
        assert answer.certificate_status is REVOKED
        assert answer.revocation_reason is x509.ReasonFlags.certificate_hold


async def test_an_answer_is_made_ahead_for_fifteen_minutes(world, trust, certificate):
    request = ask_ocsp(certificate, world.authorities.issuing)
    answer = await trust.answer_ocsp(request)
    assert await trust.answer_ocsp(request) == answer
    world.clock.ahead_s += 14 * 60
    assert await trust.answer_ocsp(request) == answer
    world.clock.ahead_s += 2 * 60
    fresh = await trust.answer_ocsp(request)
    assert fresh != answer
    world.clock.ahead_s -= 16 * 60  # the clock went back: an answer of the future is not given
    assert await trust.answer_ocsp(request) not in (fresh,)


async def test_what_we_never_issued_is_unknown(world, trust, certificate):
    issuing = world.authorities.issuing
    good = ocsp.load_der_ocsp_request(ask_ocsp(certificate, issuing))
    request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        good.issuer_name_hash, good.issuer_key_hash, 12345, hashes.SHA1()
    )
    der = request.build().public_bytes(Encoding.DER)
    assert read_ocsp(await trust.answer_ocsp(der)).certificate_status is UNKNOWN


async def test_an_unknown_issuer_is_unauthorized(world, trust, certificate):
    request = ask_ocsp(certificate, world.authorities.root)
    answer = read_ocsp(await trust.answer_ocsp(request))
    assert answer.response_status is OCSPResponseStatus.UNAUTHORIZED


async def test_a_phone_is_answered_for_by_the_device_authority_itself(
    world, trust, phone, ca_files
):
    device = world.authorities.device
    certificate = x509.load_der_x509_certificate(phone.certificate)
    write_pem(ca_files / "issuer.pem", device)
    write_pem(ca_files / "leaf.pem", certificate)
    request = ask_ocsp(certificate, device)
    answer = await trust.answer_ocsp(request)
    assert "Response verify OK" in check_with_openssl(ca_files, request, answer)


BAD = {
    "nothing": b"",
    "no DER": b"\xff" * 40,
    "ten megabytes": bytes(10 << 20),
    "cut": None,
    "more after it": None,
    "nonce of no bytes": None,
    "nonce of 129 bytes": None,
    "critical": None,
}


@pytest.mark.parametrize("what", BAD)
async def test_a_malformed_request_is_answered_so(world, trust, certificate, what):
    issuing = world.authorities.issuing
    good = ask_ocsp(certificate, issuing)
    request = {
        "cut": good[:-1],
        "more after it": good + b"\0",
        "nonce of no bytes": ask_ocsp(certificate, issuing, nonce=b""),
        "nonce of 129 bytes": ask_ocsp(certificate, issuing, nonce=bytes(129)),
        "critical": critical_request(certificate, issuing),
    }.get(what, BAD[what])
    assert await trust.answer_ocsp(request) == error_answer(OcspError.MALFORMED)


def critical_request(certificate, issuer):
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())
    request = builder.add_extension(unknown, critical=True).build()
    return request.public_bytes(Encoding.DER)


async def test_several_certificates_are_answered_together(world, trust, certificate, ca_files):
    other = await certificate_of(world, await world.citizen())
    write_pem(ca_files / "issuer.pem", world.authorities.issuing)
    leaves = [write_pem(ca_files / "a.pem", certificate), write_pem(ca_files / "b.pem", other)]
    request = ca_files / "request.der"
    both = [word for leaf in leaves for word in ("-cert", leaf)]
    openssl("ocsp", "-issuer", ca_files / "issuer.pem", *both, "-reqout", request)
    answer = ca_files / "answer.der"
    answer.write_bytes(await trust.answer_ocsp(request.read_bytes()))
    said = openssl(
        *(
            "ocsp",
            "-reqin",
            request,
            "-respin",
            answer,
            "-CAfile",
            ca_files / "root.pem",
            "-no_nonce",
        ),
        *("-issuer", ca_files / "issuer.pem", *both),
    )
    assert "Response verify OK" in said
    assert said.count(": good") == 2


async def test_an_old_row_put_back_makes_nothing_good_again(world, trust, phone, certificate):
    """The answer that was made ahead has the very row that is put back."""
    request = ask_ocsp(certificate, world.authorities.issuing)
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is GOOD
    where = {"key_id": phone.key_id, "issuer": "issuing-ca"}
    row = await world.row("certificate_statuses", **where)
    await suspend(world, phone)
    await world.edit("certificate_statuses", row, **where)
    assert await trust.answer_ocsp(request) == error_answer(OcspError.INTERNAL)
    assert ("row-rolled-back", "certificate_statuses") in await world.events(phone)


async def test_a_changed_row_is_refused(world, trust, phone, certificate):
    request = ask_ocsp(certificate, world.authorities.issuing)
    await suspend(world, phone)
    changes = {"status": "good", "reason": ""}
    where = {"key_id": phone.key_id, "issuer": "issuing-ca"}
    await world.edit("certificate_statuses", changes, **where)
    assert await trust.answer_ocsp(request) == error_answer(OcspError.INTERNAL)
    assert ("row-altered", "certificate_statuses") in await world.events(phone)


async def test_a_revocation_by_a_vault_on_another_host_shows_at_once(world, trust, certificate):
    """Its high-water mark is on that host: here only the row's MAC tells that it is another row."""
    request = ask_ocsp(certificate, world.authorities.issuing)
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is GOOD
    name = CertificateName.of(ISSUING, certificate.serial_number)
    where = {"issuer": name.issuer, "serial": name.serial}
    row = await world.row("certificate_statuses", **where)
    row |= {"status": "revoked", "reason": "superseded", "row_version": row["row_version"] + 1}
    row["mac"] = await sealing.seal(world.token, certificate_statuses, row)
    await world.edit("certificate_statuses", row, **where)
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is REVOKED


async def test_an_answer_made_ahead_is_not_given_once_its_row_is_gone(world, trust, certificate):
    request = ask_ocsp(certificate, world.authorities.issuing)
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is GOOD
    await delete(world, "certificate_statuses")
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is UNKNOWN
