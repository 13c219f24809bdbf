"""The levels of a seal, judged by pyHanko, and what happens where something is away."""

import json

import pytest
from sqlalchemy import select

from signer_core.documents import verify_pdf
from signer_core.errors import NotFoundError, UnavailableError
from signer_core.seals.model import FileToSeal, Level
from signer_core.storage.signer.audit_tables import audit_outbox, job_outbox
from signer_core.storage.signer.seal_tables import seal_repairs
from tests.fakes.ades import document_timestamps, has_timestamp, is_of_level, seal_of
from tests.fakes.seals import now

ABOVE = [Level.B_T, Level.B_LT, Level.B_LTA]


async def seal(world, page, level):
    (sealed,) = await world.sealing.seal_pdfs(world.user, level, [FileToSeal(page)])
    return sealed


async def rows(world, *columns):
    async with world.engine.connect() as connection:
        return (await connection.execute(select(*columns))).all()


@pytest.mark.parametrize("level", list(Level), ids=str)
async def test_a_seal_is_of_the_level_asked(seals, page, level):
    sealed = await seal(seals, page, level)
    assert (sealed.level.asked, sealed.level.reached) == (level, level)
    assert sealed.level.repair_id is None
    assert await is_of_level(sealed.pdf, seals.pki.root, level)
    if level < Level.B_LTA:
        assert not await is_of_level(sealed.pdf, seals.pki.root, Level.B_LTA)
    assert document_timestamps(sealed.pdf) == (level is Level.B_LTA)


async def test_several_pdfs_in_one_call_are_one_call_of_the_vault(seals, page):
    files = [FileToSeal(page)] * 3
    sealed = await seals.sealing.seal_pdfs(seals.user, Level.B_B, files)
    assert seals.vault.calls == [3]
    assert [await is_of_level(one.pdf, seals.pki.root, Level.B_B) for one in sealed] == [True] * 3


async def test_no_document_is_kept_where_the_level_is_reached(seals, page):
    await seal(seals, page, Level.B_LTA)
    assert await rows(seals, seal_repairs.c.repair_id) == []
    assert await rows(seals, job_outbox.c.job_id) == []


@pytest.mark.parametrize("level", ABOVE, ids=str)
async def test_without_the_tsa_the_level_goes_down_visibly(seals, page, level):
    seals.trust.tsa_away = True
    sealed = await seal(seals, page, level)
    assert (sealed.level.asked, sealed.level.reached) == (level, Level.B_B)
    assert await is_of_level(sealed.pdf, seals.pki.root, Level.B_B)
    ((kind, body),) = await rows(seals, job_outbox.c.kind, job_outbox.c.body)
    assert kind == "seal.repair"
    assert json.loads(body) == {"repair_id": sealed.level.repair_id.hex()}
    ((event, result, subject),) = await rows(
        seals, audit_outbox.c.event, audit_outbox.c.result, audit_outbox.c.subject
    )
    assert (event, result, subject) == ("seal-level", "lowered", f"{level}/B-B")


async def test_without_ocsp_the_level_goes_down_to_b_t(seals, page):
    seals.trust.ocsp_away = True
    sealed = await seal(seals, page, Level.B_LTA)
    assert sealed.level.reached is Level.B_T
    assert await is_of_level(sealed.pdf, seals.pki.root, Level.B_T)


@pytest.mark.parametrize("level", ABOVE, ids=str)
async def test_a_repaired_seal_is_of_the_level_asked(seals, page, level):
    seals.trust.tsa_away = seals.trust.ocsp_away = True
    lowered = await seal(seals, page, level)
    repair_id = lowered.level.repair_id
    with pytest.raises(UnavailableError, match="still away"):
        await seals.repairs.repair(repair_id)
    seals.trust.tsa_away = seals.trust.ocsp_away = False
    await seals.repairs.repair(repair_id)
    repaired = await seals.repairs.get(repair_id, seals.user.callers)
    assert repaired.reached is level
    assert await is_of_level(repaired.document, seals.pki.root, level)
    # the same seal: a signature of its own for every level would be another document
    before, after = seal_of(lowered.pdf).signer_info, seal_of(repaired.document).signer_info
    assert before["signature"].native == after["signature"].native


async def test_a_repair_goes_on_from_the_level_that_it_had_reached(seals, page):
    seals.trust.tsa_away = seals.trust.ocsp_away = True
    repair_id = (await seal(seals, page, Level.B_LTA)).level.repair_id
    seals.trust.tsa_away = False
    with pytest.raises(UnavailableError):
        await seals.repairs.repair(repair_id)
    assert (await seals.repairs.get(repair_id, seals.user.callers)).reached is Level.B_T
    seals.trust.ocsp_away = False
    assert (await seals.repairs.repair(repair_id)).reached is Level.B_LTA


@pytest.mark.causes("seal-level")
async def test_repairing_again_changes_nothing(seals, page):
    seals.trust.tsa_away = True
    repair_id = (await seal(seals, page, Level.B_T)).level.repair_id
    seals.trust.tsa_away = False
    first = await seals.repairs.repair(repair_id)
    assert await seals.repairs.repair(repair_id) == first
    results = [result for (result,) in await rows(seals, audit_outbox.c.result)]
    assert results == ["lowered", "repaired"]


async def test_a_seal_that_waits_is_its_callers_alone(seals, page):
    seals.trust.tsa_away = True
    repair_id = (await seal(seals, page, Level.B_T)).level.repair_id
    with pytest.raises(NotFoundError):
        await seals.repairs.get(repair_id, frozenset({"worker.internal"}))
    await seals.repairs.forget(repair_id, frozenset({"worker.internal"}))
    assert await seals.repairs.get(repair_id, seals.user.callers)
    await seals.repairs.forget(repair_id, seals.user.callers)
    with pytest.raises(NotFoundError):
        await seals.repairs.get(repair_id, seals.user.callers)


async def test_a_seal_that_waited_a_week_is_dropped(seals, page):
    seals.trust.tsa_away = True
    repair_id = (await seal(seals, page, Level.B_T)).level.repair_id
    week = int(now().timestamp()) + 7 * 86_400 + 5
    with pytest.raises(NotFoundError):
        await seals.rows.get(repair_id, week)
    await seals.rows.keep([], week)
    assert await rows(seals, seal_repairs.c.repair_id) == []


async def test_a_seal_of_a_revoked_certificate_gets_no_evidence(seals, page):
    seals.trust.revoke_seal()
    sealed = await seal(seals, page, Level.B_LT)
    assert sealed.level.reached is Level.B_T


async def test_a_timestamp_of_something_else_gets_into_no_pdf(seals, page):
    seals.trust.spoil = lambda answer: answer[:-3] + b"\x00\x00\x00"
    sealed = await seal(seals, page, Level.B_T)
    assert sealed.level.reached is Level.B_B
    assert not has_timestamp(sealed.pdf)


@pytest.mark.parametrize("level", list(Level), ids=str)
async def test_our_own_check_finds_each_level_valid(seals, page, level):
    pdf = (await seal(seals, page, level)).pdf
    (report,) = verify_pdf(pdf, trust_roots=[seals.pki.root], now=now())
    assert type(report).__name__ == "ValidSignature", report
