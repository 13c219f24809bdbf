"""The vault tells the signer, beside a phone's channel, what it consumed in it."""

from contextlib import suppress

from signer_core.errors import PinRejectedError
from signer_core.ports import RequestState
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q


async def test_it_tells_what_it_would_answer_if_it_were_asked(world):
    phone = await world.citizen()
    ask = await world.request(phone, files=2)
    session = world.signing(phone, ask)
    await session.to_openings()
    assert session.link.consumed == {}
    await session.sign()
    result = await world.vault.requests.result(ask.request_id)
    assert result.state is RequestState.CONSUMED
    assert session.link.consumed == {ask.request_id: result.items}


async def test_it_tells_nothing_of_a_wrong_pin(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    with suppress(PinRejectedError):
        await session.sign(x2=Scalar((phone.x2 + 1) % Q))
    assert session.link.consumed == {}
