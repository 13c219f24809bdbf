"""The vault's registry of partners: what it signs, what it never signs again."""

import asyncio
import json

import pytest

from hsm_module.partners.desk import PartnerDesk
from hsm_module.storage.sealing import AlteredRowError, RolledBackRowError
from signer_core.admin.officers import Grounds, Reason
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from signer_core.identity.relying_party import verify_relying_party
from signer_core.pki.relying_party import parse_description, sign_relying_party
from tests.fakes.partners import BANK, described, made_up
from tests.fakes.pki import new_key

WHY = Grounds(Reason.SCHEDULED)


@pytest.fixture
def desk(world) -> PartnerDesk:
    return PartnerDesk(world.vault.context.store, world.token, has_sandbox=True)


@pytest.fixture
async def registry(world):
    return await world.token.public_key("registry")


async def test_a_record_is_signed_by_the_registrys_key(world, desk, registry):
    partner = await desk.sign(described(), WHY)
    party = verify_relying_party(partner.record, registry)
    assert party.description() == parse_description(BANK)
    assert abs(party.issued_at - world.clock.unix_time_s()) < 60
    assert await desk.find("bank") == partner
    assert (partner.active, partner.sandbox) == (True, False)


@pytest.mark.parametrize(
    "description",
    [
        "",
        "[]",
        "{}",
        '"bank"',
        "[" * 5000,
        described(id="Bank"),
        described(name_en="Bank\u202e"),
        described(scopes=["everything"]),
        described(issued_at=1),
        described(extra=1),
        described(return_addresses=["http://bank.example/"]),
        described()[:-1] + ', "id": "other"}',
        described(name_uk="Б" * 201),
        described() + " " * 8192,
        described(name_uk="\ud800"),
    ],
)
async def test_the_vault_signs_nothing_malformed(desk, description):
    with pytest.raises(InvalidRequestError):
        await desk.sign(description, WHY)
    assert await desk.page("", 10) == []


async def test_a_record_that_says_something_else_is_a_later_one(world, desk, registry):
    first = await desk.sign(described(), WHY)
    world.clock.ahead_s = -3600  # even where a clock went back
    second = await desk.sign(described(name_en="New Bank"), WHY)
    times = [verify_relying_party(one.record, registry).issued_at for one in (first, second)]
    assert times[1] == times[0] + 1
    assert (await desk.find("bank")).record == second.record


async def test_the_same_once_more_changes_nothing(world, desk):
    first = await desk.sign(described(), WHY)
    world.clock.ahead_s = 60
    assert await desk.sign(described(), WHY) == first


async def test_a_suspended_partner_is_not_signed_again_until_it_is_resumed(desk):
    await desk.sign(described(), WHY)
    assert not (await desk.set_active("bank", WHY, active=False)).active
    for description in (described(), described(name_en="New Bank")):
        with pytest.raises(DeniedError, match="suspended"):
            await desk.sign(description, WHY)
    assert not (await desk.find("bank")).active
    assert (await desk.set_active("bank", WHY, active=True)).active
    await desk.sign(described(name_en="New Bank"), WHY)


async def test_who_is_not_there_is_not_suspended(desk):
    with pytest.raises(NotFoundError):
        await desk.set_active("bank", WHY, active=False)


@pytest.mark.parametrize("partner_id", ["bank\0", "\0", "x" * 5000, "", "bank' OR 1=1"])
async def test_an_id_that_cannot_be_one_is_nobodys(desk, partner_id):
    await desk.sign(described(), WHY)
    assert await desk.find(partner_id) is None
    with pytest.raises(NotFoundError):
        await desk.set_active(partner_id, WHY, active=False)


async def test_suspending_twice_changes_once(world, desk):
    await desk.sign(described(), WHY)
    first = await desk.set_active("bank", WHY, active=False)
    world.clock.ahead_s = 60
    assert await desk.set_active("bank", WHY, active=False) == first


@pytest.mark.causes("partner")
async def test_what_happens_to_a_partner_is_audited(world, desk):
    await desk.sign(described(), WHY)
    await desk.sign(described(name_en="New Bank"), Grounds(Reason.OWNER_ASKED))
    await desk.set_active("bank", Grounds(Reason.COURT_ORDER), active=False)
    await desk.set_active("bank", WHY, active=True)
    reasons = {
        result: (await world.row("outbox", event="partner", subject="bank", result=result))[
            "reason"
        ]
        for result in ("added", "changed", "suspended", "resumed")
    }
    assert reasons == {
        "added": "scheduled",
        "changed": "owner-asked",
        "suspended": "court-order",
        "resumed": "scheduled",
    }


@pytest.mark.parametrize(
    "change",
    [{"record": "a.b.c"}, {"active": 1}, {"sandbox": 1}, {"changed_at_s": 1}, {"row_version": 9}],
    ids=str,
)
async def test_every_column_is_under_the_mac(world, desk, change):
    await desk.sign(described(), WHY)
    await desk.set_active("bank", WHY, active=False)
    await world.edit("partners", change, partner_id="bank")
    with pytest.raises(AlteredRowError):
        await desk.find("bank")
    (listed,) = await desk.page("", 10)
    assert (listed.partner_id, listed.altered, listed.active, listed.record) == (
        "bank",
        True,
        False,
        "",
    )


async def test_another_partners_row_is_refused(world, desk):
    await desk.sign(described(), WHY)
    other = await world.row("partners", partner_id="bank")
    await desk.sign(described(id="shop"), WHY)
    await world.edit("partners", other | {"partner_id": "shop"}, partner_id="shop")
    with pytest.raises(AlteredRowError):
        await desk.find("shop")


async def test_an_older_record_does_not_come_back(world, desk):
    await desk.sign(described(), WHY)
    before = await world.row("partners", partner_id="bank")
    await desk.sign(described(name_en="New Bank"), WHY)
    await world.edit("partners", before, partner_id="bank")
    with pytest.raises(RolledBackRowError):
        await desk.find("bank")


async def test_a_suspension_cannot_be_undone_in_the_database(world, desk):
    await desk.sign(described(), WHY)
    before = await world.row("partners", partner_id="bank")
    await desk.set_active("bank", WHY, active=False)
    await world.edit("partners", before, partner_id="bank")
    with pytest.raises(RolledBackRowError):
        await desk.sign(described(name_en="New Bank"), WHY)


async def test_a_row_that_is_gone_is_missed(world, desk):
    await desk.sign(described(), WHY)
    await world.edit("partners", {"partner_id": "elsewhere"}, partner_id="bank")
    with pytest.raises(RolledBackRowError):
        await desk.find("bank")


async def test_pages_follow_each_other(desk):
    for name in ("c", "a", "b"):
        await desk.sign(described(id=name), WHY)
    first = await desk.page("", 2)
    rest = await desk.page(first[-1].partner_id, 2)
    assert [one.partner_id for one in (*first, *rest)] == ["a", "b", "c"]


@pytest.mark.parametrize(("after", "limit"), [("", 0), ("", 201), ("\0", 1)])
async def test_a_page_has_a_size_and_a_beginning(desk, after, limit):
    with pytest.raises(InvalidRequestError, match="page"):
        await desk.page(after, limit)


# --- the ceremony's records --------------------------------------------------------------------


def by_ceremony(world, at_s, **changes):
    record = parse_description(BANK | changes).issued(at_s)
    return world.token.use_key("registry", lambda key: sign_relying_party(record, key))


async def test_the_ceremonys_records_are_taken_over_once(world, desk):
    record = await by_ceremony(world, 1000)
    await desk.adopt([record])
    taken = await desk.find("bank")
    assert taken.record == record
    world.clock.ahead_s = 60
    await desk.adopt([record])
    assert await desk.find("bank") == taken


async def test_an_officers_record_is_not_undone_by_the_ceremonys_older_one(world, desk):
    signed = await desk.sign(described(name_en="New Bank"), WHY)
    await desk.adopt([await by_ceremony(world, 1000)])
    assert (await desk.find("bank")).record == signed.record


async def test_a_suspended_partner_stays_so_whatever_the_ceremony_signed(world, desk):
    await desk.sign(described(), WHY)
    await desk.set_active("bank", WHY, active=False)
    await desk.adopt([await by_ceremony(world, world.clock.unix_time_s() + 100)])
    assert not (await desk.find("bank")).active


async def test_a_later_record_of_the_ceremony_is_taken_over(world, desk):
    await desk.adopt([await by_ceremony(world, 1000)])
    later = await by_ceremony(world, 1001, name_en="New Bank")
    await desk.adopt([later])
    assert (await desk.find("bank")).record == later


async def test_a_record_by_another_key_is_not_taken_over(desk):
    record = sign_relying_party(parse_description(BANK).issued(1000), new_key())
    with pytest.raises(VerificationError):
        await desk.adopt([record])


async def test_without_an_audit_log_nothing_is_signed(world, desk):
    world.vault.context.store.audit_stopped = True
    with pytest.raises(UnavailableError, match="audit log"):
        await desk.sign(described(), WHY)
    with pytest.raises(UnavailableError, match="audit log"):
        await desk.sign_sandbox(made_up())


# --- the sandbox ---------------------------------------------------------------------------------


async def test_a_developers_partner_is_signed_at_once(world, desk, registry):
    partner = await desk.sign_sandbox(made_up())
    party = verify_relying_party(partner.record, registry)
    assert partner.sandbox
    assert "вигаданий" in party.name_uk
    assert "made-up" in party.name_en
    event = await world.row("outbox", event="partner")
    assert (event["result"], event["reason"]) == ("added", "sandbox")


async def test_without_a_sandbox_nobody_signs_for_developers(world):
    desk = PartnerDesk(world.vault.context.store, world.token)
    with pytest.raises(DeniedError, match="no sandbox"):
        await desk.sign_sandbox(made_up())


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "bank"},
        {"id": "sandbox-bank"},
        {"id": "sandbox-aaaaaaaaaaaaa"},
        {"name_uk": "ПриватБанк"},
        {"name_en": "PrivatBank"},
        {"name_en": "Sandbox: made-up partner “Інша назва”"},
        {"name_uk": "Пісочниця: вигаданий партнер «»", "name_en": "Sandbox: made-up partner “”"},
        {"logo_sha256": "1" * 64},
        {"return_addresses": []},
        {"return_addresses": [f"https://a.example/{n}" for n in range(9)]},
    ],
    ids=str,
)
async def test_the_vault_signs_for_the_sandbox_only_what_says_so_itself(desk, changes):
    with pytest.raises(InvalidRequestError):
        await desk.sign_sandbox(made_up(**changes))
    assert await desk.page("", 10) == []


async def test_an_id_of_the_sandbox_is_signed_once_and_by_no_officer(desk):
    description = made_up()
    await desk.sign_sandbox(description)
    with pytest.raises(InvalidRequestError, match="taken"):
        await desk.sign_sandbox(description)
    with pytest.raises(InvalidRequestError, match="sandbox"):
        await desk.sign(made_up(), WHY)


async def test_an_officer_suspends_a_developers_partner(desk):
    partner = await desk.sign_sandbox(made_up())
    assert not (await desk.set_active(partner.partner_id, WHY, active=False)).active


async def test_the_sandbox_has_an_end(world):
    desk = PartnerDesk(world.vault.context.store, world.token, has_sandbox=True, max_sandbox=3)
    results = await asyncio.gather(
        *(desk.sign_sandbox(made_up()) for _ in range(5)), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, UnavailableError)]
    assert len(refused) == 2
    await desk.sign(described(), WHY)  # what officers add does not count
    assert len(await desk.page("", 10)) == 4


def test_the_fakes_describe_what_can_be_signed():
    parse_description(json.loads(described()))
    parse_description(json.loads(made_up()))
