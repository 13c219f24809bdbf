"""The signer's database, on SQLite as migrated: states, uniqueness, supersession."""

import asyncio
import dataclasses

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, update

from signer_core.documents import prepare_pdf
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.signing.model import Origin, RequestStatus
from signer_core.storage.engine import upgrade, write_transaction
from signer_core.storage.signer.audit_tables import metadata
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.devices import Devices
from signer_core.storage.signer.files import Files
from signer_core.storage.signer.requests import Requests
from signer_core.storage.signer.schema import MIGRATIONS
from signer_core.storage.signer.tables import request_files, signatures
from tests.fakes.citizen import NOW, Citizen
from tests.fakes.handmade import one_page
from tests.fakes.requests import (
    KEY_ID,
    NOW_S,
    make_file,
    make_person_certificate,
    make_request,
)

OTHER_KEY = KeyId(b"\x02" * 16)
ORIGIN = Origin("portal.internal", "k1", b"f" * 32)


@pytest.fixture
async def requests(engine):
    await Devices(engine).enrol(KEY_ID, DeviceKeyHash(b"d" * 32), NOW_S)
    return Requests(engine)


@pytest.fixture
async def open_request(requests):
    request = make_request(files=(make_file().entry, make_file("b.pdf").entry))
    await requests.add(request, ORIGIN, [make_file(), make_file("b.pdf")])
    await requests.open(request.request_id)
    return await requests.get(request.request_id)


async def test_migrations_make_exactly_the_tables_of_the_code(engine):
    async with engine.connect() as connection:
        difference = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c), metadata)
        )
    assert difference == []


async def test_migrating_twice_changes_nothing(requests, open_request, database_url):
    await upgrade(database_url, MIGRATIONS)
    assert await requests.get(open_request.request_id) == open_request


async def test_a_request_is_read_back_as_it_was_stored(requests, open_request):
    expected = make_request(files=(make_file().entry, make_file("b.pdf").entry))
    assert open_request == dataclasses.replace(expected, status=RequestStatus.OPEN)


@pytest.mark.parametrize("page", [None, 0, 1, 2**32 - 1])
async def test_a_file_remembers_where_its_stamp_goes(requests, page):
    file = make_file(page=page)
    await requests.add(make_request(files=(file.entry,)), ORIGIN, [file])
    (entry,) = (await requests.get(make_request().request_id)).files
    assert entry.page == page


async def test_an_unknown_request_is_not_found(requests):
    with pytest.raises(NotFoundError):
        await requests.get(RequestId(b"?" * 16))


async def test_an_idempotency_key_is_unique_per_caller(requests, open_request):
    other = dataclasses.replace(make_request(), request_id=RequestId(b"2" * 16))
    assert not await requests.add(other, ORIGIN, [make_file()])
    worker = dataclasses.replace(ORIGIN, caller="worker.internal")
    assert await requests.add(other, worker, [make_file()])
    assert await requests.find_by_origin("portal.internal", "k1") == (
        open_request.request_id,
        ORIGIN.fingerprint,
    )


async def test_of_many_at_once_one_is_stored_and_the_others_find_it(requests):
    async def ask(number):
        request = dataclasses.replace(make_request(), request_id=RequestId(bytes([number]) * 16))
        added = await requests.add(request, ORIGIN, [make_file()])
        return added, await requests.find_by_origin("portal.internal", "k1")

    answers = await asyncio.gather(*(ask(number) for number in range(16)))
    assert [added for added, _ in answers].count(True) == 1
    (found,) = {found for _, found in answers}
    assert found is not None
    assert len((await requests.get(found[0])).files) == 1


async def test_a_new_request_is_not_listed(requests):
    await requests.add(make_request(), ORIGIN, [make_file()])
    assert await requests.list_open(KEY_ID, NOW_S) == ()


async def test_only_the_keys_own_unexpired_requests_are_listed(requests, open_request):
    assert await requests.list_open(KEY_ID, NOW_S) == (open_request,)
    assert await requests.list_open(OTHER_KEY, NOW_S) == ()
    assert await requests.list_open(KEY_ID, open_request.expires_at_s) == ()


async def test_expiry_follows_from_time(open_request):
    last = open_request.expires_at_s - 1
    assert open_request.status_at(last) is RequestStatus.OPEN
    assert open_request.status_at(last + 1) is RequestStatus.EXPIRED


@pytest.fixture
async def beside(requests):
    """A request whose signatures will stand beside what is signed."""
    files = [make_file(pdf=b""), make_file("b.pdf", pdf=b"")]
    request = make_request(files=tuple(one.entry for one in files))
    await requests.add(request, ORIGIN, files)
    await requests.open(request.request_id)
    return request


async def test_consuming_stores_every_file_once(requests, beside, engine):
    open_request = beside
    assert await requests.consume(open_request.request_id, [b"one", b"two"], NOW_S)
    assert not await requests.consume(open_request.request_id, [b"evil", b"evil"], NOW_S)
    files = Files(engine)
    assert await files.signed(open_request.request_id, 0) == b"one"
    assert await files.signed(open_request.request_id, 1) == b"two"
    with pytest.raises(NotFoundError):
        await files.signed(open_request.request_id, 2)


async def test_a_signed_pdf_is_the_prepared_one_with_its_cms(requests, engine):
    signer = {"signer_certificate": Citizen.make().certificate, "signed_at": NOW}
    pdf = prepare_pdf(one_page(), **signer).pdf
    request = make_request(files=(make_file(pdf=pdf).entry,))
    await requests.add(request, ORIGIN, [make_file(pdf=pdf)])
    await requests.open(request.request_id)
    await requests.consume(request.request_id, [b"\x30\x03cms"], NOW_S)
    signed = await Files(engine).signed(request.request_id, 0)
    start = signed.index(b"<3003636D7300")
    assert signed[:start] == pdf[:start]
    assert len(signed) == len(pdf)
    assert signed.replace(b"<3003636D73", b"<0000000000") == pdf


async def test_a_file_that_was_signed_before_0012_is_still_whole(requests, beside, engine):
    await requests.consume(beside.request_id, [b"one", b"two"], NOW_S)
    async with write_transaction(engine) as connection:
        await connection.execute(delete(signatures))
        await connection.execute(update(request_files).values(signed=b"whole"))
    assert await Files(engine).signed(beside.request_id, 1) == b"whole"


async def test_an_unsigned_file_is_not_found(open_request, engine):
    with pytest.raises(NotFoundError):
        await Files(engine).signed(open_request.request_id, 0)


@pytest.mark.parametrize("closing", [RequestStatus.DECLINED, RequestStatus.WITHDRAWN])
async def test_a_burned_request_is_closed_under_the_intended_reason(
    requests, open_request, closing
):
    assert await requests.intend(open_request.request_id, closing, "why")
    assert await requests.settle_burned(open_request.request_id, NOW_S)
    assert (await requests.get(open_request.request_id)).status is closing


async def test_a_forgotten_intent_leaves_burned(requests, open_request):
    await requests.intend(open_request.request_id, RequestStatus.DECLINED, "why")
    await requests.forget_intent(open_request.request_id)
    await requests.settle_burned(open_request.request_id, NOW_S)
    closed = await requests.get(open_request.request_id)
    assert (closed.status, closed.decline_reason) == (RequestStatus.BURNED, "")


async def test_a_final_status_never_changes(requests, open_request):
    request_id = open_request.request_id
    await requests.consume(request_id, [b"one", b"two"], NOW_S)
    assert not await requests.intend(request_id, RequestStatus.DECLINED, "late")
    assert not await requests.settle_burned(request_id, NOW_S)
    assert not await requests.settle_expired(request_id, NOW_S)
    await requests.open(request_id)
    await requests.drop_new(request_id)
    assert (await requests.get(request_id)).status is RequestStatus.CONSUMED


async def test_only_one_of_many_at_once_closes_a_request(requests, open_request):
    request_id = open_request.request_id
    done = await asyncio.gather(
        requests.consume(request_id, [b"one", b"two"], NOW_S),
        *(requests.settle_burned(request_id, NOW_S) for _ in range(4)),
        *(requests.settle_expired(request_id, NOW_S) for _ in range(4)),
    )
    assert done.count(True) == 1


async def test_a_dropped_request_frees_its_idempotency_key(requests):
    await requests.add(make_request(), ORIGIN, [make_file()])
    assert await requests.unfinished() == (make_request().request_id,)
    await requests.drop_new(make_request().request_id)
    assert await requests.unfinished() == ()
    assert await requests.add(make_request(), ORIGIN, [make_file()])


async def test_a_device_key_belongs_to_one_user_key(engine):
    devices = Devices(engine)
    await devices.enrol(KEY_ID, DeviceKeyHash(b"d" * 32), NOW_S)
    await devices.enrol(KEY_ID, DeviceKeyHash(b"d" * 32), NOW_S + 1)
    with pytest.raises(InvalidRequestError):
        await devices.enrol(OTHER_KEY, DeviceKeyHash(b"d" * 32), NOW_S)
    with pytest.raises(InvalidRequestError):
        await devices.enrol(KEY_ID, DeviceKeyHash(b"e" * 32), NOW_S)
    assert await devices.get_key(DeviceKeyHash(b"d" * 32)) == KEY_ID


async def test_enrolling_the_same_device_many_times_at_once_is_harmless(engine):
    devices = Devices(engine)
    await asyncio.gather(
        *(devices.enrol(KEY_ID, DeviceKeyHash(b"d" * 32), NOW_S) for _ in range(16))
    )
    assert await devices.get_key(DeviceKeyHash(b"d" * 32)) == KEY_ID


async def test_an_unknown_device_is_denied(engine):
    with pytest.raises(DeniedError):
        await Devices(engine).get_key(DeviceKeyHash(b"x" * 32))


class TestCertificates:
    @pytest.fixture
    async def certificates(self, engine):
        devices = Devices(engine)
        await devices.enrol(KEY_ID, DeviceKeyHash(b"d" * 32), NOW_S)
        await devices.enrol(OTHER_KEY, DeviceKeyHash(b"e" * 32), NOW_S)
        return Certificates(engine)

    async def test_a_certificate_is_read_back(self, certificates):
        certificate = make_person_certificate(KEY_ID)
        await certificates.store(certificate)
        assert await certificates.of_key(KEY_ID) == certificate
        assert await certificates.of_person(certificate.person_code) == certificate

    async def test_the_newest_enrolment_is_the_active_one_and_stays_it(self, certificates):
        first, second = make_person_certificate(KEY_ID), make_person_certificate(OTHER_KEY)
        await certificates.store(first)
        await certificates.store(second)
        await certificates.store(first)  # the old phone asks again
        assert await certificates.of_person(first.person_code) == second
        assert await certificates.of_key(KEY_ID) == first

    async def test_storing_a_certificate_many_times_at_once_is_harmless(self, certificates):
        certificate = make_person_certificate(KEY_ID)
        await asyncio.gather(*(certificates.store(certificate) for _ in range(16)))
        assert await certificates.of_person(certificate.person_code) == certificate

    async def test_nobody_has_a_certificate_before_enrolment(self, certificates):
        with pytest.raises(NotFoundError):
            await certificates.of_key(KEY_ID)
        with pytest.raises(NotFoundError):
            await certificates.of_person("1234567899")
