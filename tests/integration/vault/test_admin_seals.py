"""Seals that officers make and retire while the vault serves."""

import hashlib
from datetime import timedelta

import pytest
from cryptography import x509

from hsm_module.admin.seals import SealDesk
from hsm_module.authorities import ISSUING
from hsm_module.seals.rules import SealSettings, rules_of
from hsm_module.storage import sealing
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.trust_tables import certificate_statuses
from signer_core.admin.officers import Grounds, Reason
from signer_core.admin.seals import SealOrder
from signer_core.documents import signed_attributes
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.pki.organisation import Organisation
from signer_core.pki.status import Reason as CrlReason
from signer_core.pki.status import Status
from tests.fakes.trust_world import make_seals

WHY = Grounds(Reason.SCHEDULED, "REQ-1")
DIGEST = hashlib.sha256(b"document").digest()
CALLER = ("portal.internal",)


def order(seal_id="org-7", edrpou="00000017", callers=CALLER):
    return SealOrder(seal_id, Organisation("Вигадана установа", edrpou), frozenset(callers))


@pytest.fixture
def seals(world):
    return make_seals(world)


@pytest.fixture
def desk(seals):
    return SealDesk(seals, settle_s=0)


async def sign(seals, seal_id="org-7"):
    chain = (await seals.get(seal_id, CALLER)).chain
    attributes = signed_attributes(DIGEST, chain[0])
    (signature,) = await seals.sign(seal_id, CALLER, [attributes])
    return signature


@pytest.mark.causes("seal-rule")
async def test_a_seal_that_was_added_signs_for_whom_it_names(world, desk, seals):
    made = await desk.add(order(), WHY)
    assert (made.order, made.retired_at_s, made.status) == (order(), 0, "good")
    certificate = x509.load_der_x509_certificate(made.certificate)
    certificate.verify_directly_issued_by(world.authorities.issuing)
    assert await sign(seals)
    assert await desk.all() == [made]
    event = await world.row("outbox", event="seal-rule")
    assert (event["result"], event["reason"], event["subject"]) == ("set", "scheduled", "org-7")


async def test_adding_it_again_changes_only_who_may_use_it(desk, seals):
    first = await desk.add(order(), WHY)
    assert await desk.add(order(), WHY) == first
    second = await desk.add(order(callers=("acme.internal",)), WHY)
    assert second.certificate == first.certificate
    with pytest.raises(DeniedError):
        await sign(seals)
    with pytest.raises(InvalidRequestError, match="another organisation"):
        await desk.add(order(edrpou="00000024"), WHY)


@pytest.mark.parametrize("seal_id", ["", "Portal", "a b", "x" * 59, "../key"])
async def test_a_malformed_name_makes_nothing(world, desk, seal_id):
    with pytest.raises(InvalidRequestError):
        await desk.add(order(seal_id), WHY)
    assert await desk.all() == []


@pytest.mark.causes("seal-rule")
async def test_a_retired_seal_signs_nothing_more_in_any_process(world, desk, seals):
    made = await desk.add(order(), WHY)
    other = make_seals(world)  # a second process, which has looked at the rule just now
    assert await sign(other)
    ended = await desk.retire("org-7", Grounds(Reason.KEY_COMPROMISE))
    assert (ended.certificate, ended.status) == (made.certificate, "revoked")
    assert ended.retired_at_s > 0
    with pytest.raises((DeniedError, NotFoundError)):
        await sign(other)
    for office in (seals, other):
        office.rules._known.clear()
        with pytest.raises(DeniedError, match="retired"):
            await sign(office)
    event = await world.row("outbox", event="seal-rule", result="retired")
    assert (event["reason"], event["subject"]) == ("key-compromise", "org-7")
    with pytest.raises(NotFoundError):
        await world.token.sign_digest("seal-org-7", DIGEST)
    assert "seal-org-7" not in world.token._passed  # destroyed, not only out of use


async def test_certificates_before_the_newest_are_revoked_too(world, desk, seals):
    first = await desk.add(order(), WHY)
    world.clock.ahead_s += int(timedelta(days=700).total_seconds())
    await sign(seals)  # its certificate is renewed, and the one before has a month left
    await desk.retire("org-7", Grounds(Reason.STAFF_CHANGE))
    serial = x509.load_der_x509_certificate(first.certificate).serial_number
    async with seals.store.reading() as transaction:
        row = await transaction.statuses.get(CertificateName.of(ISSUING, serial))
    assert (row.status, row.reason) == (Status.REVOKED, CrlReason.CESSATION)


async def test_a_certificate_whose_row_does_not_name_its_key_is_revoked(world, desk):
    """As rows of an older version do not."""
    made = await desk.add(order(), WHY)
    serial = x509.load_der_x509_certificate(made.certificate).serial_number
    where = {"serial": CertificateName.of(ISSUING, serial).serial}
    row = await world.row("certificate_statuses", **where) | {"key_id": None}
    row["mac"] = await sealing.seal(world.token, certificate_statuses, row)
    await world.edit("certificate_statuses", row, **where)
    assert (await desk.retire("org-7", WHY)).status == "revoked"


async def test_retiring_again_goes_on_where_it_died(world, desk, monkeypatch):
    await desk.add(order(), WHY)

    async def die(_label):
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr(world.token, "unpin", die)
        with pytest.raises(RuntimeError):
            await desk.retire("org-7", WHY)
    assert await world.token.public_key("seal-org-7")
    first = await desk.retire("org-7", WHY)
    assert await desk.retire("org-7", WHY) == first
    with pytest.raises(NotFoundError):
        await world.token.public_key("seal-org-7")
    with pytest.raises(NotFoundError):
        await desk.retire("org-8", WHY)


async def test_nothing_revives_a_retired_seal(world, desk, seals):
    await desk.add(order(), WHY)
    await desk.retire("org-7", WHY)
    with pytest.raises(InvalidRequestError, match="another name"):
        await desk.add(order(), WHY)
    setting = SealSettings(organisation="Вигадана установа", edrpou="00000017", callers=CALLER)
    await seals.rules.put(rules_of({"org-7": setting}))  # the next start
    with pytest.raises(DeniedError, match="retired"):
        await sign(seals)


async def test_a_row_put_back_revives_nothing(world, desk):
    """Rules have no high-water mark: but the key is gone, and its certificate revoked."""
    await desk.add(order(), WHY)
    before = await world.row("seals", seal_id="org-7")
    await desk.retire("org-7", WHY)
    await world.edit("seals", before, seal_id="org-7")
    with pytest.raises(NotFoundError):
        await sign(make_seals(world))
