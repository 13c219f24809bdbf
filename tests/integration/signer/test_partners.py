"""Partners at the signer, over gRPC: looked up, their secrets, suspended, made by developers."""

import json

import pytest
from sqlalchemy import select, update

from grpc_api.clients.offers import OfferStatus
from grpc_api.clients.partners import NewSandboxPartner, PartnersClient
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from grpc_api.servers.partner_limits import WrongSecrets
from signer_core.errors import (
    DeniedError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_tables import audit_outbox
from signer_core.storage.signer.partner_tables import partners as table
from tests.fakes.offers_made import auth_offer, qr
from tests.fakes.partners import BANK, RETURN_ADDRESS, described, public_jwk
from tests.fakes.pki import new_key
from tests.fakes.refusals import refused
from tests.fakes.uploads import create

NEW = NewSandboxPartner("Моя крамниця", [RETURN_ADDRESS], source="192.0.2.1")


@pytest.fixture
async def client(world):
    return PartnersClient(await world.internal())


@pytest.fixture
def following(world):
    return world.parts.partners().following


@pytest.fixture
def keeper(world):
    return world.parts.partners().secrets


# --- looking up ----------------------------------------------------------------------------------


async def test_a_partner_is_told_as_the_registry_signed_it(world, client):
    partner = await client.get("bank")
    assert partner.record == world.vault.partners.record
    assert (partner.name_uk, partner.name_en) == ("Банк", "Bank")
    assert partner.return_addresses == tuple(BANK["return_addresses"])
    assert partner.scopes == tuple(BANK["scopes"])
    assert not partner.has_secret


async def test_keys_are_told_as_jwks(world, client, following):
    jwk = public_jwk(new_key())
    world.vault.partners.sign(described(keys=[jwk]))
    await following.follow("bank")
    (key,) = (await client.get("bank")).keys
    assert json.loads(key) == jwk


async def test_an_unknown_and_a_suspended_partner_are_told_apart(world, client, following):
    with pytest.raises(NotFoundError):
        await client.get("nobody")
    world.vault.partners.set_active("bank", active=False)
    await following.follow("bank")
    with pytest.raises(DeniedError, match="suspended"):
        await client.get("bank")


async def test_a_row_that_was_edited_is_refused(world, client):
    forged = world.vault.partners.record[:-4] + "AAAA"
    async with write_transaction(world.parts.engine) as connection:
        await connection.execute(update(table).values(record=forged))
    with pytest.raises(VerificationError):
        await client.get("bank")


@pytest.mark.parametrize("partner_id", ["bank\0", "\0", "x" * 5000, ""])
async def test_an_id_that_cannot_be_one_is_nobodys(client, following, keeper, partner_id):
    with pytest.raises(NotFoundError):
        await client.get(partner_id)
    with pytest.raises(DeniedError):
        await client.check_secret(partner_id, "wrong")
    with pytest.raises(NotFoundError):
        await following.follow(partner_id)
    with pytest.raises(NotFoundError):
        await keeper.make(partner_id, "scheduled")


async def test_only_the_portal_asks(world):
    with pytest.raises(DeniedError):
        await PartnersClient(await world.internal("worker.internal")).get("bank")


# --- following the vault -------------------------------------------------------------------------


async def test_a_changed_record_is_taken_over(world, client, following):
    world.vault.partners.sign(described(name_en="New Bank"))
    await following.follow("bank")
    assert (await client.get("bank")).name_en == "New Bank"


async def test_an_older_record_does_not_come_back(world, client, following):
    older = world.vault.partners.partners["bank"]
    world.vault.partners.sign(described(name_en="New Bank"))
    await following.follow("bank")
    world.vault.partners.partners["bank"] = older
    await following.follow("bank")
    assert (await client.get("bank")).name_en == "New Bank"


async def test_what_the_vault_does_not_know_is_not_taken_over(following):
    with pytest.raises(NotFoundError):
        await following.follow("nobody")


async def test_a_record_by_another_key_is_not_taken_over(world, client, following):
    world.vault.partners.key = new_key()
    world.vault.partners.sign(described(name_en="Evil Bank"))
    with pytest.raises(VerificationError):
        await following.follow("bank")
    assert (await client.get("bank")).name_en == "Bank"


async def test_a_suspension_withdraws_what_waits_and_refuses_what_comes(world, following, client):
    phone = await world.person()
    signing = await world.signing()
    request_id = await create(signing)
    world.vault.partners.set_active("bank", active=False)
    row, withdrawn = await following.follow("bank")
    assert (row.active, withdrawn) == (False, 1)
    result = await phone.results.GetResult(phones.GetResultRequest(request_id=request_id))
    assert result.status == phones.REQUEST_STATUS_WITHDRAWN
    with refused("denied", "suspended"):
        await create(signing, idempotency_key="another")


async def test_a_suspension_withdraws_offers_open_and_shown(world, following):
    phone, offers = await world.person(), await world.offers()
    opened, shown = [await offers.create(auth_offer(idempotency_key=key)) for key in ("a", "b")]
    await phone.client.claim_offer(qr(shown, int(world.clock().timestamp())))
    world.vault.partners.set_active("bank", active=False)
    assert (await following.follow("bank"))[1] == 2
    for offer in (opened, shown):
        state = (await offers.get(offer.offer_id)).state
        assert state.status is OfferStatus.WITHDRAWN
    with pytest.raises(DeniedError, match="suspended"):
        await offers.create(auth_offer(idempotency_key="c"))


async def test_what_was_being_made_meanwhile_is_withdrawn_by_the_next_sweep(world, following):
    phone, offers = await world.person(), await world.offers()
    offer = await offers.create(auth_offer())
    request_id = await create(await world.signing())
    await following.sweep()
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.OPEN
    await following.directory.partners.suspend("bank")  # as if both had been a moment later
    await following.sweep()
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.WITHDRAWN
    result = await phone.results.GetResult(phones.GetResultRequest(request_id=request_id))
    assert result.status == phones.REQUEST_STATUS_WITHDRAWN


async def test_a_suspension_leaves_other_partners_requests_alone(world, following):
    await world.person()
    signing = await world.signing()
    world.vault.partners.sign(described(id="shop"))
    await following.follow("shop")
    await create(signing)
    world.vault.partners.set_active("shop", active=False)
    assert (await following.follow("shop"))[1] == 0


async def test_a_partner_without_the_scope_asks_for_nothing(world, following):
    await world.person()
    world.vault.partners.sign(described(scopes=["auth"]))
    await following.follow("bank")
    with refused("denied", "may not ask"):
        await create(await world.signing())


async def test_a_resumed_partner_asks_again(world, following):
    await world.person()
    for active in (False, True):
        world.vault.partners.set_active("bank", active=active)
        await following.follow("bank")
    assert await create(await world.signing())


async def test_a_partner_whose_row_the_vault_refuses_is_suspended(world, client, following):
    world.vault.partners.altered.add("bank")
    with pytest.raises(VerificationError):
        await following.follow("bank")
    with pytest.raises(DeniedError, match="suspended"):
        await client.get("bank")


async def test_a_start_takes_over_what_changed_meanwhile(world, client, following):
    for number in range(250):  # more than a page
        world.vault.partners.sign(described(id=f"shop-{number:03}"))
    world.vault.partners.sign(described(name_en="New Bank"))
    await following.follow_all()
    assert (await client.get("shop-249")).partner_id == "shop-249"
    assert (await client.get("bank")).name_en == "New Bank"
    del world.vault.partners.partners["shop-100"]
    del world.vault.partners.partners["shop-249"]
    world.vault.partners.altered.add("shop-007")
    world.vault.partners.set_active("shop-008", active=False)
    await following.follow_all()
    for gone in ("shop-100", "shop-249", "shop-007", "shop-008"):
        with pytest.raises(DeniedError, match="suspended"):
            await client.get(gone)
    assert await client.get("shop-248")


# --- secrets -------------------------------------------------------------------------------------


@pytest.mark.causes("partner-secret")
async def test_a_secret_is_told_once_and_stored_as_a_hash(world, client, keeper):
    secret = await keeper.make("bank", "scheduled")
    await client.check_secret("bank", secret)
    assert (await client.get("bank")).has_secret
    async with world.parts.engine.connect() as connection:
        stored = (await connection.execute(select(table))).mappings().one()
        event = (
            (
                await connection.execute(
                    select(audit_outbox).where(audit_outbox.c.event == "partner-secret")
                )
            )
            .mappings()
            .one()
        )
    assert secret not in str(dict(stored))
    assert len(stored["secret_sha256"]) == 32
    assert (event["result"], event["reason"], event["subject"]) == ("made", "scheduled", "bank")


async def test_a_new_secret_ends_the_one_before(client, keeper):
    old = await keeper.make("bank", "scheduled")
    await keeper.make("bank", "scheduled")
    with pytest.raises(DeniedError):
        await client.check_secret("bank", old)


async def test_a_secret_outlives_a_new_record(world, client, following, keeper):
    secret = await keeper.make("bank", "scheduled")
    world.vault.partners.sign(described(name_en="New Bank"))
    await following.follow("bank")
    await client.check_secret("bank", secret)


@pytest.mark.parametrize("wrong", ["", "x", "x" * 43, "x" * 200, "\u0456"])
async def test_a_wrong_secret_is_denied(client, keeper, wrong):
    await keeper.make("bank", "scheduled")
    with pytest.raises(DeniedError):
        await client.check_secret("bank", wrong)


async def test_nothing_that_begins_like_the_secret_is_it(client, keeper):
    secret = await keeper.make("bank", "scheduled")
    for near in (secret + " ", secret[:-1], secret.swapcase(), secret + "x" * 100):
        with pytest.raises(DeniedError):
            await client.check_secret("bank", near)


async def test_without_a_secret_no_secret_is_right(client):
    for secret in ("", "\0" * 32):
        with pytest.raises(DeniedError):
            await client.check_secret("bank", secret)


async def test_nobody_learns_which_partners_there_are(client, keeper):
    await keeper.make("bank", "scheduled")
    said = []
    for partner_id in ("bank", "nobody"):
        with pytest.raises(DeniedError) as error:
            await client.check_secret(partner_id, "wrong")
        said.append(str(error.value))
    assert said[0] == said[1]


async def test_a_suspended_partners_secret_opens_nothing(world, client, following, keeper):
    secret = await keeper.make("bank", "scheduled")
    world.vault.partners.set_active("bank", active=False)
    await following.follow("bank")
    with pytest.raises(DeniedError):
        await client.check_secret("bank", secret)
    with pytest.raises(NotFoundError):
        await keeper.make("bank", "scheduled")


async def test_wrong_secrets_are_slowed_down_and_right_ones_never(client, keeper):
    secret = await keeper.make("bank", "scheduled")
    for _ in range(20):
        with pytest.raises(DeniedError):
            await client.check_secret("bank", "wrong")
    with pytest.raises(UnavailableError, match="too many wrong"):
        await client.check_secret("bank", "wrong")
    await client.check_secret("bank", secret)


def test_wrong_secrets_are_counted_for_each_partner():
    wrong = WrongSecrets(1)
    wrong.count("bank")
    wrong.count("shop")
    with pytest.raises(UnavailableError):
        wrong.count("bank")
