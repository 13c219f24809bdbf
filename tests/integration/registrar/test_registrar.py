"""The registrar process over real mutual TLS, with a real database."""

import asyncio
import hashlib
import secrets
from datetime import UTC, datetime

import pytest

from grpc_api.clients.registrar import RegistrarClient, SandboxClient
from grpc_api.credentials import internal_channel, internal_server_credentials
from grpc_api.registrar import RegistrarSettings, make_server
from grpc_api.server_options import MAX_REQUEST_BYTES
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    SignerError,
    UnavailableError,
)
from signer_core.identifiers import DeviceKeyHash, RequestId, VaultId
from signer_core.identity import activation as rules
from signer_core.identity.activation import Activation, derive_hash_key
from signer_core.identity.attestation import verify_attestation
from signer_core.identity.authorisation import verify_authorisation
from signer_core.identity.registrar import PeopleRegistrar
from signer_core.identity.sandbox.people import Sandbox, load_people
from signer_core.storage.engine import make_engine
from signer_core.storage.registrar.tables import MIGRATIONS
from tests.fakes.grpc_server import running
from tests.fakes.pki import new_key

DEVICE = DeviceKeyHash(b"\xd1" * 32)
OTHER_DEVICE = DeviceKeyHash(b"\xd2" * 32)
VAULT = VaultId("vault-1")
REQUEST = RequestId(b"\x77" * 16)
PHOTO = b"any picture"
KEY = new_key()
CALLERS = {
    "signer.registrar.v1.RegistrarService": ("signer.internal",),
    "signer.registrar.v1.SandboxService": ("portal.internal", "officer.internal"),
}


class Clock:
    def __init__(self):
        self.ahead_s = 0

    def now(self):
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.ahead_s, UTC)

    def now_s(self):
        return int(self.now().timestamp())


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def engine(make_database):
    made = make_engine(await make_database(MIGRATIONS))
    yield made
    await made.dispose()


@pytest.fixture
def activation(engine):
    return Activation(engine, derive_hash_key(KEY), secrets.choice)


@pytest.fixture
def registrar(activation, clock):
    sandbox = Sandbox(load_people())
    return PeopleRegistrar(activation, sandbox, sandbox, KEY, clock.now, secrets.token_bytes)


async def _code(activation, clock, person_id="zrazkova"):
    return (await activation.issue(person_id, clock.now_s())).code


async def _enrol(registrar, activation, clock, person_id="zrazkova", device=DEVICE):
    code = await _code(activation, clock, person_id)
    return code, await registrar.authorise_enrolment(code, device, VAULT, PHOTO)


async def test_a_grant_is_what_the_vault_accepts(registrar, activation, clock):
    _, grant = await _enrol(registrar, activation, clock)
    authorisation = verify_authorisation(grant.authorisation, KEY.public_key(), clock.now())
    assert authorisation.key_id == grant.key_id
    assert authorisation.device_key_hash == DEVICE
    assert authorisation.vault_id == VAULT
    assert authorisation.subject.common_name == grant.full_name == "Зразкова Олена Петрівна"
    verify_attestation(
        grant.attestation,
        KEY.public_key(),
        device_key_hash=DEVICE,
        request_id=RequestId(grant.key_id),
        now=clock.now(),
    )


async def test_the_same_code_and_phone_give_the_same_grant(registrar, activation, clock):
    code, first = await _enrol(registrar, activation, clock)
    grants = await asyncio.gather(
        *(registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO) for _ in range(4))
    )
    assert {(one.key_id, one.authorisation) for one in grants} == {
        (first.key_id, first.authorisation)
    }


async def test_a_first_use_by_many_at_once_gives_one_grant(registrar, activation, clock):
    code = await _code(activation, clock)
    grants = await asyncio.gather(
        *(registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO) for _ in range(4))
    )
    assert len({one.authorisation for one in grants}) == 1


async def test_a_code_belongs_to_the_first_phone(registrar, activation, clock):
    code, _ = await _enrol(registrar, activation, clock)
    with pytest.raises(NotFoundError):
        await registrar.authorise_enrolment(code, OTHER_DEVICE, VAULT, PHOTO)


async def test_two_phones_at_once_do_not_share_a_code(registrar, activation, clock):
    code = await _code(activation, clock)
    outcomes = await asyncio.gather(
        *(
            registrar.authorise_enrolment(code, device, VAULT, PHOTO)
            for device in (DEVICE, OTHER_DEVICE)
        ),
        return_exceptions=True,
    )
    assert sorted(isinstance(one, NotFoundError) for one in outcomes) == [False, True]


async def test_a_code_is_written_as_people_write(registrar, activation, clock):
    code = await _code(activation, clock)
    written = f" {code[:5].lower()}-{code[5:]} "
    await registrar.authorise_enrolment(written, DEVICE, VAULT, PHOTO)


async def test_a_code_has_no_look_alikes_and_is_not_stored(activation, clock, tmp_path):
    codes = [await _code(activation, clock) for _ in range(20)]
    assert all(len(code) == 10 and not set(code) & set("ILO01") for code in codes)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("registrar.db*"))
    assert all(code.encode() not in stored for code in codes)
    assert all(hashlib.sha256(code.encode()).digest() not in stored for code in codes)


async def test_a_code_lives_a_day(registrar, activation, clock):
    code = await _code(activation, clock)
    clock.ahead_s = 24 * 3600 + 1
    with pytest.raises(NotFoundError):
        await registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO)


async def test_a_code_is_used_up_when_its_authorisation_expires(registrar, activation, clock):
    code, _ = await _enrol(registrar, activation, clock)
    clock.ahead_s = 15 * 60 + 1
    with pytest.raises(NotFoundError):
        await registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO)


async def test_a_grant_stays_with_its_vault(registrar, activation, clock):
    code, _ = await _enrol(registrar, activation, clock)
    with pytest.raises(InvalidRequestError):
        await registrar.authorise_enrolment(code, DEVICE, VaultId("vault-2"), PHOTO)


async def test_a_phone_of_one_person_does_not_take_another_s_code(registrar, activation, clock):
    await _enrol(registrar, activation, clock)
    code = await _code(activation, clock, "vyhadanyi")
    with pytest.raises(NotFoundError):
        await registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO)


async def test_guesses_of_one_phone_are_limited(registrar, activation, clock):
    code = await _code(activation, clock)
    for _ in range(rules.DEVICE_GUESSES):
        with pytest.raises(NotFoundError):
            await registrar.authorise_enrolment("AAAAAAAAAA", DEVICE, VAULT, PHOTO)
    with pytest.raises(DeniedError, match="hour"):
        await registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO)
    await registrar.authorise_enrolment(code, OTHER_DEVICE, VAULT, PHOTO)


async def test_guesses_are_forgiven_after_an_hour(registrar, activation, clock):
    code = await _code(activation, clock)
    for _ in range(rules.DEVICE_GUESSES):
        with pytest.raises(NotFoundError):
            await registrar.authorise_enrolment("AAAAAAAAAA", DEVICE, VAULT, PHOTO)
    clock.ahead_s = rules.WINDOW_S + 2
    await registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO)


async def test_guesses_of_all_phones_are_limited(registrar, activation, clock, monkeypatch):
    monkeypatch.setattr(rules, "ALL_GUESSES", 3)
    code = await _code(activation, clock)
    for number in range(3):
        with pytest.raises(NotFoundError):
            await registrar.authorise_enrolment(
                "AAAAAAAAAA", DeviceKeyHash(bytes([number]) * 32), VAULT, PHOTO
            )
    with pytest.raises(DeniedError, match="hour"):
        await registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO)


@pytest.mark.parametrize(
    ("person_id", "error"),
    [
        ("vidmova", DeniedError),
        ("povilna", UnavailableError),
        ("rozmyta", DeniedError),
        ("zamknenyi", DeniedError),
        ("skasovana", DeniedError),
        ("knyzhechka", DeniedError),
    ],
)
async def test_who_may_not_enrol_gets_no_grant(registrar, activation, clock, person_id, error):
    code = await _code(activation, clock, person_id)
    with pytest.raises(error):
        await registrar.authorise_enrolment(code, DEVICE, VAULT, PHOTO)
    with pytest.raises(NotFoundError):
        await registrar.attest_photo(DEVICE, REQUEST, PHOTO)


async def test_an_enrolled_phone_gets_attestations(registrar, activation, clock):
    await _enrol(registrar, activation, clock)
    verify_attestation(
        await registrar.attest_photo(DEVICE, REQUEST, PHOTO),
        KEY.public_key(),
        device_key_hash=DEVICE,
        request_id=REQUEST,
        now=clock.now(),
    )


async def test_a_photo_may_fail_when_signing_only(registrar, activation, clock):
    _, grant = await _enrol(registrar, activation, clock, "minlyva")
    await registrar.attest_photo(DEVICE, RequestId(grant.key_id), PHOTO)
    with pytest.raises(DeniedError):
        await registrar.attest_photo(DEVICE, REQUEST, PHOTO)


async def test_an_unknown_phone_gets_no_attestation(registrar):
    with pytest.raises(NotFoundError):
        await registrar.attest_photo(DEVICE, REQUEST, PHOTO)


@pytest.mark.parametrize("photo", [b"", b"x" * (256 * 1024 + 1)])
async def test_a_photo_of_wrong_size_is_refused(registrar, activation, clock, photo):
    code = await _code(activation, clock)
    with pytest.raises(InvalidRequestError):
        await registrar.authorise_enrolment(code, DEVICE, VAULT, photo)


@pytest.fixture
async def address(certificates, engine, tmp_path):
    tls = certificates.process("registrar.internal")
    settings = RegistrarSettings(
        listen="127.0.0.1:0",
        database_url=str(engine.url),
        signing_key=tmp_path / "unused",
        tls=tls,
        callers=CALLERS,
    )
    server, _ = await make_server(settings, engine, KEY)
    async with running(server, internal_server_credentials(tls)) as at:
        yield at


def _connect(certificates, address, caller):
    return internal_channel(address, "registrar.internal", certificates.process(caller))


async def test_signer_and_portal_use_it_over_mutual_tls(certificates, address):
    async with _connect(certificates, address, "portal.internal") as channel:
        sandbox = SandboxClient(channel)
        people = await sandbox.people()
        assert {one.person_id for one in people} == set(load_people())
        issued = await sandbox.issue_activation_code("zrazkova")
        with pytest.raises(NotFoundError):
            await sandbox.issue_activation_code("nobody")
    async with _connect(certificates, address, "signer.internal") as channel:
        client = RegistrarClient(channel)
        grant = await client.authorise_enrolment(issued.activation_code, DEVICE, VAULT, PHOTO)
        verify_authorisation(grant.authorisation, KEY.public_key(), datetime.now(UTC))
        assert await client.attest_photo(DEVICE, REQUEST, PHOTO)
        with pytest.raises(NotFoundError, match="activation code"):
            await client.authorise_enrolment("AAAAAAAAAA", DEVICE, VAULT, PHOTO)


async def test_portal_cannot_authorise_and_signer_cannot_issue_codes(certificates, address):
    async with _connect(certificates, address, "portal.internal") as channel:
        with pytest.raises(DeniedError):
            await RegistrarClient(channel).attest_photo(DEVICE, REQUEST, PHOTO)
    async with _connect(certificates, address, "signer.internal") as channel:
        with pytest.raises(DeniedError):
            await SandboxClient(channel).people()


async def test_an_oversized_call_is_refused(certificates, address):
    async with _connect(certificates, address, "signer.internal") as channel:
        with pytest.raises(SignerError):
            await RegistrarClient(channel).attest_photo(DEVICE, REQUEST, b"x" * MAX_REQUEST_BYTES)
