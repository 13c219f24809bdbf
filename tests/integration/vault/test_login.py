"""Login keys in the vault: which signs, what it signs, and who is told of a change."""

import base64
import json
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import text

from hsm_module.admin.access import OfficerDoor
from hsm_module.admin.keys import KeyDesk
from hsm_module.admin.officers import OfficerDesk
from hsm_module.admin.rotation import Rotation
from hsm_module.admin.seals import SealDesk
from hsm_module.admin.service import Admin
from hsm_module.login.keys import AGE_S, PUBLISHED_S, LoginKeyring
from hsm_module.login.office import LoginOffice
from hsm_module.partners.desk import PartnerDesk
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.store import MIGRATIONS
from signer_core.admin.officers import Grounds, OfficerClaim, Reason, Role
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.partners.example import Examples
from signer_core.storage.engine import write_transaction
from tests.fakes.token import MemoryToken
from tests.fakes.trust_world import make_seals
from tests.fakes.vault_world import VaultWorld
from tests.integration.vault.test_admin import make_csr

ISSUER = "https://portal.example"
WHY = Grounds(Reason.SCHEDULED, "INC-7")


class World:
    def __init__(self, vault, token):
        self.vault, self.token = vault, token
        self.store = vault.vault.context.store
        self.keyring = LoginKeyring(self.store, token)
        self.login = LoginOffice(token, self.keyring, ISSUER, vault.clock.now)

    @property
    def now_s(self):
        return self.vault.clock.unix_time_s()

    def payload(self, **changes):
        claims = {"iss": ISSUER, "sub": "s", "aud": "bank", "iat": self.now_s}
        claims |= {"exp": self.now_s + 300, "nonce": "n"} | changes
        return json.dumps({k: v for k, v in claims.items() if v is not None}).encode()

    async def jwks(self):
        keys = await self.login.keys()
        return KeySet([ECKey.import_key(jwk(one)) for one in keys])

    async def wait(self, seconds):
        self.vault.clock.ahead_s += seconds
        self.keyring._known = None

    async def events(self):
        async with self.vault.engines[0].connect() as connection:
            query = text("SELECT result, reason, subject FROM outbox WHERE event = 'login-key'")
            return [tuple(row) for row in await connection.execute(query)]


def jwk(key):
    x, y = _base64(key.public_key[1:33]), _base64(key.public_key[33:])
    return {"kty": "EC", "crv": "P-256", "kid": key.kid, "x": x, "y": y}


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
async def world(make_database):
    token = MemoryToken()
    vault = VaultWorld(token, await make_database(MIGRATIONS))
    await vault.start()
    yield World(vault, token)
    await vault.stop()


async def test_an_id_token_is_checked_by_another_library_with_the_published_key(world):
    token = await world.login.sign_id_token(world.payload(given_name="Олена"))
    decoded = jwt.decode(token, await world.jwks(), algorithms=["ES256"])
    assert decoded.header == {"alg": "ES256", "kid": "login-1", "typ": "JWT"}
    assert decoded.claims["given_name"] == "Олена"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"sub": None},
        {"sub": 5},
        {"aud": ["bank", "other"]},
        {"exp": "tomorrow"},
        {"exp": True},
        {"iat": None},
        {"nonce": 5},
        {"amr": "pin"},
        {"unknown": {"nested": 1}},
        {"name": "x" * 4097},
        {"diia_signature": "x"},
    ],
)
async def test_what_is_no_id_token_of_ours_is_not_signed(world, changes):
    with pytest.raises(InvalidRequestError):
        await world.login.sign_id_token(world.payload(**changes))


async def test_a_token_that_lives_long_or_was_not_made_now_is_not_signed(world):
    now_s = world.now_s
    for claims in (
        {"exp": now_s + 601},
        {"exp": now_s},
        {"iat": now_s - 90, "exp": now_s + 300},
        {"iat": now_s + 90, "exp": now_s + 300},
    ):
        with pytest.raises(InvalidRequestError):
            await world.login.sign_id_token(world.payload(**claims))


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"\xff", b"null", b"[" * 100_000, b'{"iss": "' + b"x" * 70_000 + b'"}'],
    ids=["empty", "list", "binary", "null", "deep", "long"],
)
async def test_what_is_no_json_object_is_not_signed(world, payload):
    with pytest.raises(InvalidRequestError):
        await world.login.sign_id_token(payload)


async def test_a_name_twice_is_refused(world):
    payload = world.payload().replace(b'{"iss"', b'{"iss": "https://other.example", "iss"')
    with pytest.raises(InvalidRequestError):
        await world.login.sign_id_token(payload)


async def test_a_vault_without_an_issuer_signs_nothing(world):
    login = replace(world.login, issuer="")
    with pytest.raises(InvalidRequestError):
        await login.sign_id_token(world.payload(iss=""))


@pytest.mark.causes("login-key")
async def test_keys_follow_one_another_and_each_is_published_before_and_after(world):
    before = await world.login.sign_id_token(world.payload())
    assert {one.kid: one.role for one in await world.login.keys()} == {
        "login-1": "current",
        "login-2": "next",
    }
    await world.wait(PUBLISHED_S)
    await world.keyring.rotate("scheduled", "INC-7")
    assert {one.kid: one.role for one in await world.login.keys()} == {
        "login-2": "current",
        "login-3": "next",
        "login-1": "previous",
    }
    jwt.decode(before, await world.jwks(), algorithms=["ES256"])
    after = await world.login.sign_id_token(world.payload())
    assert jwt.decode(after, await world.jwks(), algorithms=["ES256"]).header["kid"] == "login-2"
    assert await world.events() == [("rotated", "scheduled", "login-2/INC-7")]


async def test_a_key_that_others_may_not_know_yet_does_not_sign(world):
    await world.login.keys()
    with pytest.raises(InvalidRequestError, match="less than"):
        await world.keyring.rotate("scheduled")


async def test_a_dropped_key_is_published_no_longer(world):
    await world.login.keys()
    await world.keyring.rotate("key-compromise", drop=True)
    assert [one.kid for one in await world.login.keys()] == ["login-2", "login-3"]
    assert await world.events() == [("dropped", "key-compromise", "login-2")]


async def test_a_key_of_a_month_gives_way_by_itself(world):
    assert await world.keyring.current() == "login-1"
    await world.wait(AGE_S)
    assert await world.keyring.current() == "login-2"
    assert await world.events() == [("rotated", "scheduled", "login-2")]


async def test_two_processes_rotate_once(world):
    other = LoginKeyring(world.vault.make_process("process-2").context.store, world.token)
    assert await other.current() == await world.keyring.current() == "login-1"
    await world.wait(AGE_S)
    other._known = None
    assert await world.keyring.current() == "login-2"
    assert await other.current() == "login-2"


async def test_an_altered_row_is_refused_and_an_old_key_not_revived(world):
    await world.login.keys()
    async with write_transaction(world.vault.engines[0]) as connection:
        await connection.execute(text("UPDATE login_keys SET current = 'issuing-ca'"))
    world.keyring._known = None
    with pytest.raises(AlteredRowError):
        await world.login.sign_id_token(world.payload())


async def test_a_token_without_login_keys_says_what_to_do(world):
    bare = MemoryToken(signing=("audit-log",))
    with pytest.raises(NotFoundError, match="ceremony"):
        await LoginKeyring(world.store, bare).current()


async def test_a_person_has_another_name_at_each_sector_and_the_same_each_time(world):
    name = world.login.pairwise_subject
    first = await name("bank", "1234567899")
    assert first == await name("bank", "1234567899")
    assert len(first) == 32
    others = [await name("shop", "1234567899"), await name("bank", "1234567898")]
    others.append(await name("bank1", "234567899"))  # where one part ends is part of it
    assert len({first, *others}) == 4


@pytest.mark.parametrize("pair", [("", "1"), ("bank", ""), ("b" * 256, "1"), ("bank", "1" * 256)])
async def test_a_name_without_sector_or_person_is_refused(world, pair):
    with pytest.raises(InvalidRequestError):
        await world.login.pairwise_subject(*pair)


async def test_an_auditor_sees_the_keys_and_changes_none(world):
    context = world.vault.vault.context
    infrastructure = world.vault.authorities.infrastructure
    admin = Admin(
        OfficerDoor(context.store),
        KeyDesk(context),
        Rotation(context, world.token),
        OfficerDesk(context.store, world.token, infrastructure, context.now),
        world.keyring,
        SealDesk(make_seals(world.vault)),
        PartnerDesk(context.store, world.vault.token),
    )
    await admin.officers.add("anna", Role.OFFICER, make_csr()[0], WHY)
    csr, hashed = make_csr()
    await admin.officers.add("borys", Role.AUDITOR, csr, WHY)
    claim = OfficerClaim("borys", hashed)
    assert len((await admin.login_keys(claim)).keys) == 2
    with pytest.raises(DeniedError):
        await admin.rotate_login_key(claim, WHY, drop=True)
    with pytest.raises(DeniedError):
        await admin.login_keys(OfficerClaim("nobody", hashed))


async def test_the_example_for_a_developer_is_one_that_a_client_verifies(world):
    example = Examples(world.login, ISSUER, world.vault.clock.now)
    verified = jwt.decode(await example.id_token("sandbox-abcdefgh2345"), await world.jwks())
    assert (verified.claims["iss"], verified.claims["aud"]) == (ISSUER, "sandbox-abcdefgh2345")
    assert verified.claims["exp"] - world.now_s <= 600
    other = Examples(world.login, "https://elsewhere.example", world.vault.clock.now)
    assert await other.id_token("sandbox-abcdefgh2345") == ""
