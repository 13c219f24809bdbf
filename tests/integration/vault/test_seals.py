"""Seal keys in the vault: who may use them, what they sign, what is audited."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, text

from hsm_module.authorities import ISSUING
from hsm_module.certificates import CertificateOffice
from hsm_module.seals.office import SealOffice
from hsm_module.seals.rules import SealRules, SealSettings, rules_of
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.store import MIGRATIONS
from hsm_module.storage.tables import outbox
from hsm_module.trust.own_certificates import OwnCertificates
from hsm_module.trust.status import set_status
from signer_core.documents import detached_attributes, signed_attributes
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from signer_core.pki.status import Reason, Status
from signer_core.storage.engine import write_transaction
from tests.fakes.pki import ADDRESSES, ukraine
from tests.fakes.token import MemoryToken
from tests.fakes.vault_world import VaultWorld

PORTAL, STRANGER = ("portal.internal", "localhost"), ("acme.internal",)
DIGEST = b"\x01" * 32


def setting(name="Вигадана установа", edrpou="00000017", callers=("portal.internal",)):
    return SealSettings(organisation=name, edrpou=edrpou, callers=callers)


class World:
    """A vault's seal office, on a token in memory."""

    def __init__(self, vault, token):
        self.vault, self.store = vault, vault.vault.context.store
        clock = vault.clock
        office = CertificateOffice(token, vault.authorities, ukraine(), ADDRESSES, clock.now)
        own = OwnCertificates(self.store, token, vault.authorities.issuing, clock.now)
        self.rules = SealRules(self.store)
        self.seals = SealOffice(self.store, token, self.rules, own, office)

    async def certificate(self):
        return (await self.seals.get("portal", PORTAL)).chain[0]

    async def attributes(self):
        return signed_attributes(DIGEST, await self.certificate())

    async def events(self):
        columns = outbox.c.result, outbox.c.reason, outbox.c.subject, outbox.c.actor_id
        query = select(*columns).where(outbox.c.event == "seal-use").order_by(outbox.c.id)
        async with self.vault.engines[0].connect() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    async def sql(self, statement):
        async with write_transaction(self.vault.engines[0]) as connection:
            await connection.execute(text(statement))
        self.rules._known.clear()


@pytest.fixture
async def seals(make_database):
    authorities = "issuing-ca", "device-ca", "infrastructure-ca"
    token = MemoryToken(signing=(*authorities, "seal-portal", "seal-org-1"))
    vault = VaultWorld(token, await make_database(MIGRATIONS))
    await vault.start()
    world = World(vault, token)
    org = setting("Інша установа", "00000024", ("acme.internal",))
    await world.rules.put(rules_of({"portal": setting(), "org-1": org}))
    yield world
    await vault.stop()


async def test_a_seal_signs_for_whom_its_rule_names(seals):
    attributes = await seals.attributes()
    detached = detached_attributes(DIGEST, await seals.certificate(), seals.vault.clock.now())
    signatures = await seals.seals.sign("portal", PORTAL, [attributes, detached])
    certificate = x509.load_der_x509_certificate(await seals.certificate())
    for signature, signed in zip(signatures, [attributes, detached], strict=True):
        certificate.public_key().verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    assert await seals.events() == [("made", "", "portal/2", "localhost+portal.internal")]


async def test_the_certificate_names_the_organisation_and_is_issued_once(seals):
    first = await seals.certificate()
    assert await seals.certificate() == first
    name = x509.load_der_x509_certificate(first).subject.rfc4514_string()
    assert "Вигадана установа" in name
    assert "NTRUA-00000017" in name
    async with seals.store.reading() as transaction:
        serial = x509.load_der_x509_certificate(first).serial_number
        row = await transaction.statuses.get(CertificateName.of(ISSUING, serial))
    assert (row.kind, row.status) == ("seal", Status.GOOD)


@pytest.mark.causes("seal-use")
async def test_a_stranger_is_refused_and_audited(seals):
    attributes = await seals.attributes()
    with pytest.raises(DeniedError, match="may not use this seal"):
        await seals.seals.sign("portal", STRANGER, [attributes])
    with pytest.raises(DeniedError, match="may not use this seal"):
        await seals.seals.get("portal", STRANGER)
    assert await seals.events() == [
        ("refused", "stranger", "portal/1", "acme.internal"),
        ("refused", "stranger", "portal/0", "acme.internal"),
    ]


async def test_one_organisations_caller_has_no_other_organisations_seal(seals):
    with pytest.raises(DeniedError):
        await seals.seals.get("org-1", PORTAL)
    assert (await seals.seals.get("org-1", STRANGER)).chain


async def test_a_seal_that_is_not_there_looks_like_one_that_is_not_yours(seals):
    with pytest.raises(DeniedError, match="may not use this seal"):
        await seals.seals.get("org-9'; DROP", PORTAL)
    assert await seals.events() == [
        ("refused", "unknown-seal", "org-9---DROP/0", "localhost+portal.internal")
    ]


async def test_what_is_not_a_seals_attributes_is_not_signed_and_nothing_beside_it(seals):
    good = await seals.attributes()
    with pytest.raises(VerificationError):
        await seals.seals.sign("portal", PORTAL, [good, DIGEST])
    assert [event[:3] for event in await seals.events()] == [
        ("refused", "not-attributes", "portal/2")
    ]


async def test_attributes_of_another_certificate_are_not_signed(seals):
    with pytest.raises(VerificationError):
        await seals.seals.sign("portal", PORTAL, [signed_attributes(DIGEST, b"another")])


async def test_a_claimed_time_that_is_not_now_is_not_signed(seals):
    then = seals.vault.clock.now() - timedelta(minutes=6)
    late = detached_attributes(DIGEST, await seals.certificate(), then)
    with pytest.raises(VerificationError, match="not now"):
        await seals.seals.sign("portal", PORTAL, [late])


@pytest.mark.parametrize("count", [0, 1025])
async def test_too_many_or_none_are_refused(seals, count):
    with pytest.raises(InvalidRequestError):
        await seals.seals.sign("portal", PORTAL, [DIGEST] * count)


async def test_a_revoked_seal_signs_nothing_more(seals):
    attributes = await seals.attributes()
    serial = x509.load_der_x509_certificate(await seals.certificate()).serial_number
    async with seals.store.transaction() as transaction:
        name = CertificateName.of(ISSUING, serial)
        await set_status(transaction, name, Status.REVOKED, Reason.KEY_COMPROMISE)
    with pytest.raises(DeniedError, match="revoked"):
        await seals.seals.sign("portal", PORTAL, [attributes])
    assert (await seals.events())[-1][:2] == ("refused", "not-good")


async def test_without_an_audit_log_nothing_is_sealed(seals):
    attributes = await seals.attributes()
    seals.store.audit_stopped = True
    with pytest.raises(UnavailableError, match="audit"):
        await seals.seals.sign("portal", PORTAL, [attributes])
    assert await seals.events() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE seals SET callers = 'acme.internal' WHERE seal_id = 'portal'",
        "UPDATE seals SET seal_id = 'x' WHERE seal_id = 'portal'",
        "UPDATE seals SET row_version = 7 WHERE seal_id = 'portal'",
        "UPDATE seals SET organisation = 'Чужа' WHERE seal_id = 'portal'",
    ],
)
async def test_a_rule_that_was_edited_in_the_database_is_refused(seals, change):
    await seals.sql(change)
    with pytest.raises((VerificationError, DeniedError)):
        await seals.seals.get("portal", STRANGER)
    with pytest.raises((VerificationError, DeniedError)):
        await seals.seals.get("x", STRANGER)


@pytest.mark.causes("seal-rule")
async def test_a_rule_that_changes_holds_at_once_and_is_audited(seals):
    await seals.rules.put(rules_of({"portal": setting(callers=("acme.internal",))}))
    with pytest.raises(DeniedError):
        await seals.seals.get("portal", PORTAL)
    assert (await seals.seals.get("portal", STRANGER)).chain
    query = select(outbox.c.subject).where(outbox.c.event == "seal-rule").order_by(outbox.c.id)
    async with seals.vault.engines[0].connect() as connection:
        told = list((await connection.execute(query)).scalars())
    assert told == ["portal", "org-1", "portal"]


async def test_the_same_rules_again_change_nothing(seals):
    await seals.rules.put(rules_of({"portal": setting()}))
    async with seals.vault.engines[0].connect() as connection:
        versions = (await connection.execute(text("SELECT row_version FROM seals"))).scalars().all()
    assert versions == [0, 0]


async def test_a_seal_does_not_become_another_organisations(seals):
    with pytest.raises(InvalidRequestError, match="another organisation"):
        await seals.rules.put(rules_of({"portal": setting("Інша установа", "00000024")}))


async def test_a_seal_without_a_key_in_the_token_is_not_there(seals):
    await seals.rules.put(rules_of({"org-2": setting("Третя установа", "00000030")}))
    with pytest.raises(NotFoundError):
        await seals.seals.get("org-2", PORTAL)


@pytest.mark.parametrize("seal_id", ["", "Portal", "a/b", "-a", "a" * 59])
def test_a_name_of_a_seal_is_plain(seal_id):
    with pytest.raises(InvalidRequestError):
        rules_of({seal_id: setting()})
