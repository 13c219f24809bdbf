"""People as officers find them, and the books of mass jobs."""

import dataclasses
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from signer_core.admin.jobs import JobDesk
from signer_core.admin.officers import Grounds, Officer, Reason, Role
from signer_core.admin.vault import Outcome
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.signing.model import Origin, RequestStatus
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.audit_tables import audit_outbox
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.devices import Devices
from signer_core.storage.signer.mass_jobs import MassJobs, Selection
from signer_core.storage.signer.people import People
from signer_core.storage.signer.requests import Requests
from tests.fakes.requests import KEY_ID, NOW_S, make_file, make_person_certificate, make_request

OTHER = KeyId(b"\x02" * 16)
BARE = KeyId(b"\x03" * 16)  # enrolled, not certified
UNZR = "19900101-00009"
JOB = b"j" * 16
ANNA = Officer("anna", Role.OFFICER, bytes(32), True, 0)
WHY = Grounds(Reason.KEY_COMPROMISE, "INC-7")


@pytest.fixture
async def people(engine):
    """A person with two phones, the second a day later, and a phone without a certificate."""
    devices, certificates = Devices(engine), Certificates(engine)
    for number, key_id in enumerate((KEY_ID, OTHER, BARE)):
        device = DeviceKeyHash(bytes([number]) * 32)
        await devices.enrol(key_id, device, NOW_S + number * 86_400)
    first = dataclasses.replace(make_person_certificate(), unzr=UNZR)
    await certificates.store(first)
    await certificates.store(dataclasses.replace(first, key_id=OTHER, serial=b"\x07".rjust(20)))
    return People(engine)


@pytest.fixture
def desk(engine):
    clock = lambda: datetime.fromtimestamp(NOW_S, UTC)  # noqa: E731  one line of a fixture
    outbox = AuditOutbox(engine, clock)
    return JobDesk(MassJobs(engine), outbox, VaultId("vault-1"), clock)


async def test_a_person_is_found_by_each_thing_that_is_stored(engine, people):
    person = await Certificates(engine).of_key(KEY_ID)
    for by, value in (
        ("rnokpp", person.person_code),
        ("unzr", UNZR),
        ("serial", person.serial.hex()),
        ("serial", person.serial.lstrip(b"\0").hex()),
        ("key", KEY_ID.hex()),
        ("device", bytes(32).hex()),
    ):
        found = await people.find(by, value)
        assert [(one.key_id, one.status) for one in found] == [
            (OTHER, "active"),
            (KEY_ID, "superseded"),
        ], by


async def test_a_phone_without_a_certificate_is_found_alone(people):
    (found,) = await people.find("key", BARE.hex())
    assert (found.key_id, found.person_code, found.status) == (BARE, "", "")


@pytest.mark.parametrize(
    ("by", "value"), [("name", "x"), ("key", "zz"), ("key", "ab" * 17), ("device", "")]
)
async def test_what_nobody_is_found_by_is_refused(people, by, value):
    with pytest.raises(InvalidRequestError):
        await people.find(by, value)
    assert await people.find("rnokpp", "0000000000") == []


async def test_history_says_nothing_of_what_was_signed(engine, people):
    requests, request = Requests(engine), make_request()
    await requests.add(request, Origin("portal.internal", "k1", b"f" * 32), [make_file()])
    assert await people.history(KEY_ID, 10, 0) == []  # nobody has seen it yet
    await requests.open(request.request_id)
    (past,) = await people.history(KEY_ID, 10, 0)
    assert (past.status, past.caller, past.files) == (RequestStatus.OPEN, "portal.internal", 1)
    assert not {"purpose", "a.pdf"} & set(map(str, dataclasses.astuple(past)))
    assert await people.open_requests(KEY_ID) == [request.request_id]
    assert await people.history(KEY_ID, 10, NOW_S) == []
    with pytest.raises(InvalidRequestError):
        await people.history(KEY_ID, 1001, 0)


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        (Selection(vault_id="vault-1"), 3),
        (Selection(issued_from_s=NOW_S + 1), 2),
        (Selection(issued_from_s=NOW_S, issued_to_s=NOW_S + 86_400), 1),
        (Selection(issued_to_s=NOW_S), 0),
    ],
)
async def test_a_selection_is_by_date_of_enrolment(people, desk, selection, keys):
    assert (await desk.preview(selection))[0] == keys


@pytest.mark.parametrize(
    "wrong",
    [Selection(), Selection(vault_id="vault-2"), Selection(issued_from_s=9, issued_to_s=9)],
)
async def test_no_job_without_a_selection(people, desk, wrong):
    with pytest.raises(InvalidRequestError):
        await desk.create(ANNA, JOB, "revoke", wrong, WHY)


@pytest.mark.causes("mass-job")
async def test_a_job_is_written_down_once_and_done_key_by_key(engine, people, desk):
    selection = Selection(issued_from_s=NOW_S + 1)
    for _ in range(2):  # a lost answer is asked for again
        job = await desk.create(ANNA, JOB, "revoke", selection, WHY)
        assert job.keys == {"pending": 2}
    with pytest.raises(InvalidRequestError, match="taken"):
        await desk.create(ANNA, JOB, "refresh", selection, WHY)
    assert await desk.next_keys(JOB, 1) == [OTHER]
    await desk.note(JOB, {OTHER: Outcome.DONE})
    await desk.note(JOB, {OTHER: Outcome.ALTERED})  # what was noted stays
    assert await desk.next_keys(JOB, 64) == [BARE]
    for _ in range(2):
        await desk.note(JOB, {BARE: Outcome.ALREADY})
    assert (await desk.jobs.get(JOB)).keys == {"done": 1, "already": 1}
    query = select(audit_outbox.c.result, audit_outbox.c.subject).order_by(audit_outbox.c.id)
    async with engine.connect() as connection:
        events = [tuple(row) for row in await connection.execute(query)]
    subject = f"revoke:{JOB.hex()}:INC-7"
    assert events == [("created", subject), ("finished", subject)]


async def test_only_a_job_about_a_vault_takes_keys_that_the_signer_lost(people, desk):
    lost = KeyId(b"\x09" * 16)
    await desk.create(ANNA, JOB, "revoke", Selection(vault_id="vault-1"), WHY)
    assert await desk.add(JOB, [lost, KEY_ID]) == 1
    assert lost in await desk.next_keys(JOB, 64)
    by_date = b"d" * 16
    await desk.create(ANNA, by_date, "revoke", Selection(issued_from_s=1), WHY)
    with pytest.raises(InvalidRequestError, match="whole vault"):
        await desk.add(by_date, [lost])
    with pytest.raises(NotFoundError):
        await desk.next_keys(b"x" * 16, 1)
