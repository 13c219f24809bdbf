"""The vault's services together, the signer's desk before them, and certificates of their own."""

import asyncio
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlalchemy import select

from hsm_module.authorities import ISSUING
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.tables import outbox
from hsm_module.trust.responder import RESPONDER
from hsm_module.trust.services import AT_ONCE
from hsm_module.trust.status import set_status
from signer_core.errors import InvalidRequestError, NotFoundError, SignerError, UnavailableError
from signer_core.pki.status import Reason, Status
from signer_core.trust.desk import TrustDesk
from signer_core.trust.ports import OCSP_TOGETHER
from tests.fakes.trust_world import ask_ocsp, certificate_of, make_trust, read_ocsp


async def own(trust, name):
    return x509.load_der_x509_certificate(await trust.certificate(name))


async def test_every_certificate_is_there_by_its_name(world, trust):
    authorities = world.authorities
    for name, expected in {**authorities.issuers, "root": authorities.root}.items():
        assert await own(trust, name) == expected
    for name, usage in (
        ("ocsp-responder", ExtendedKeyUsageOID.OCSP_SIGNING),
        ("tsa", ExtendedKeyUsageOID.TIME_STAMPING),
    ):
        found = await own(trust, name)
        found.verify_directly_issued_by(authorities.issuing)
        extension = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert list(extension.value) == [usage]
        assert extension.critical == (name == "tsa")
    for name in ("", "kek-1", "seal-portal"):
        with pytest.raises(NotFoundError):
            await trust.certificate(name)


async def test_own_certificates_are_renewed_before_they_end_and_not_earlier(world, trust):
    responder, tsa = await own(trust, "ocsp-responder"), await own(trust, "tsa")
    assert responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    world.clock.ahead_s += 19 * 24 * 3600
    assert await own(trust, "ocsp-responder") == responder
    world.clock.ahead_s += 2 * 24 * 3600
    renewed = await own(trust, "ocsp-responder")
    assert renewed.public_key() == responder.public_key()
    assert renewed.not_valid_after_utc - world.clock.now() > timedelta(days=29)
    assert await own(trust, "tsa") == tsa
    world.clock.ahead_s += 320 * 24 * 3600
    assert await own(trust, "tsa") != tsa


async def test_several_processes_have_one_certificate_and_the_next_start_has_it_too(world):
    several = [make_trust(world, world.make_process(f"process-{n}")) for n in range(2, 5)]
    found = await asyncio.gather(*(own(trust, "ocsp-responder") for trust in several))
    assert len(set(found)) == 1
    assert await own(make_trust(world), "ocsp-responder") == found[0]


async def test_an_altered_own_certificate_is_refused(world, trust):
    await trust.certificate("tsa")
    await world.edit("own_certificates", {"certificate": b"another"}, label="tsa")
    with pytest.raises(SignerError):
        await make_trust(world).certificate("tsa")


@pytest.mark.causes("own-certificate")
async def test_our_own_certificates_have_a_status(world, trust):
    tsa = await own(trust, "tsa")
    answer = await trust.answer_ocsp(ask_ocsp(tsa, world.authorities.issuing))
    assert read_ocsp(answer).certificate_status is x509.ocsp.OCSPCertStatus.GOOD
    query = select(outbox.c.subject).where(outbox.c.event == "own-certificate")
    async with world.engines[0].connect() as connection:
        found = set((await connection.execute(query)).scalars())
    assert found == {"tsa", RESPONDER.label}  # and audited: the answer's signer, too


async def test_a_flood_is_told_to_try_later(world, trust):
    request = ask_ocsp(
        await certificate_of(world, await world.citizen()), world.authorities.issuing
    )
    asked = [trust.answer_ocsp(request) for _ in range(AT_ONCE + 10)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, UnavailableError)]
    assert len(refused) == 10
    assert isinstance(await trust.answer_ocsp(request), bytes)


async def test_several_requests_are_answered_in_their_order_each_by_itself(world, trust):
    good, revoked = [await certificate_of(world, await world.citizen()) for _ in range(2)]
    name = CertificateName.of(ISSUING, revoked.serial_number)
    requests = [ask_ocsp(one, world.authorities.issuing) for one in (good, revoked)]
    asked = [requests[0], b"no request", requests[1], requests[0]]
    assert await trust.answer_ocsps(asked)  # from now on they are made ahead
    async with world.vault.context.store.transaction() as transaction:
        await set_status(transaction, name, Status.REVOKED, Reason.SUPERSEDED)
    answers = [read_ocsp(one) for one in await trust.answer_ocsps(asked)]
    assert answers[1].response_status is x509.ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    said = [answers[place].certificate_status for place in (0, 2, 3)]
    status = x509.ocsp.OCSPCertStatus
    assert said == [status.GOOD, status.REVOKED, status.GOOD]
    for asked in ([], [requests[0]] * (OCSP_TOGETHER + 1)):
        with pytest.raises(InvalidRequestError, match="1 to 32"):
            await trust.answer_ocsps(asked)


async def test_the_desk_fetches_a_crl_once_for_each_new_one(trust):
    desk, fetched = TrustDesk(trust), []
    ask = trust.crl

    async def counting(issuer, known_number=0):
        found = await ask(issuer, known_number)
        fetched.append(found is not None)
        return found

    trust.crl = counting
    await trust.crls.make(ISSUING)
    first = await desk.crl(ISSUING)
    assert await desk.crl(ISSUING) == first
    assert await desk.crl(ISSUING, first.number) is None
    assert fetched == [True, False, False]
    await trust.crls.make(ISSUING)
    assert (await desk.crl(ISSUING, first.number)).number > first.number


async def test_the_roots_crl_is_read_from_its_file(world, root_crl, tmp_path):
    path = tmp_path / "root.crl"
    trust = make_trust(world, root_crl=path)
    with pytest.raises(NotFoundError):
        await trust.crl("root")
    path.write_bytes(root_crl)
    found = await trust.crl("root")
    assert found.der == root_crl
    assert await trust.crl("root", found.number) is None
