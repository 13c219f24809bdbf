"""What a phone was asked and is over: its own, the last first."""

from datetime import timedelta

import pytest

from signer_core.errors import InvalidRequestError
from tests.fakes.offers_made import approved, auth_offer, claim, files_offer
from tests.fakes.uploads import create, file


async def test_it_lists_what_is_over_the_last_first(world, phone, offers):
    await approved(world, phone, offers, purpose="first")
    world.clock.now += timedelta(seconds=10)
    declined = await claim(world, phone, await offers.create(files_offer(purpose="second")))
    await phone.client.decline_request(declined, "ні")
    await claim(world, phone, await offers.create(auth_offer(ttl_s=30, purpose="third")))
    world.clock.now += timedelta(seconds=31)
    await claim(world, phone, await offers.create(auth_offer(purpose="open")))
    listed = await phone.client.list_history()
    assert [(one.purpose, one.status) for one in listed] == [
        ("third", "expired"),
        ("second", "declined"),
        ("first", "consumed"),
    ]
    assert [one.files[0].name for one in listed] == ["", "договір.docx", ""]
    assert {file.to_be_signed for one in listed for file in one.files} == {b""}


async def test_a_page_goes_on_where_the_last_one_ended(world, phone, offers):
    for number in range(3):
        await approved(world, phone, offers, purpose=str(number))
        world.clock.now += timedelta(seconds=10)
    (newest,) = await phone.client.list_history(limit=1)
    older = await phone.client.list_history(limit=1, before_s=newest.ended_at_s)
    assert [newest.purpose, older[0].purpose] == ["2", "1"]
    assert await phone.client.list_history(before_s=1) == ()
    assert len(await phone.client.list_history(before_s=2**64 - 1)) == 3


async def test_it_lists_documents_that_were_signed_too(world, phone):
    request_id = await create(await world.signing(), file("a.pdf"))
    shown = await phone.client.get_request(request_id)
    world.vault.sign(request_id, [one.to_be_signed for one in shown.files])
    await world.collection.collect(request_id)
    (one,) = await phone.client.list_history()
    assert (one.kind, one.ended_at_s) == ("documentSigning", int(world.clock().timestamp()))


async def test_it_is_the_phones_own(world, phone, offers):
    await approved(world, phone, offers)
    other = await world.person("9876543210")
    assert await other.client.list_history() == ()


@pytest.mark.parametrize("limit", [101, 2**32 - 1])
async def test_too_much_at_once_is_refused(phone, limit):
    with pytest.raises(InvalidRequestError, match="100"):
        await phone.client.list_history(limit=limit)
