"""Questions of several callers in one call."""

import asyncio

import pytest

from signer_core.errors import UnavailableError
from signer_core.trust.ports import OCSP_TOGETHER
from signer_core.trust.together import Together


class Answering:
    """Answers when it is let; keeps what each call asked."""

    def __init__(self):
        self.calls, self.open, self.fails = [], asyncio.Event(), None

    async def __call__(self, questions):
        self.calls.append(list(questions))
        await self.open.wait()
        if self.fails is not None:
            raise self.fails
        return [b"to " + one for one in questions]


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def answering():
    return Answering()


async def test_who_comes_while_a_call_is_under_way_goes_with_the_next(answering):
    together = Together(answering)
    first = asyncio.create_task(together.ask(b"1"))
    await settle()
    later = [asyncio.create_task(together.ask(b"%d" % n)) for n in range(2, 5)]
    await settle()
    assert answering.calls == [[b"1"]]  # what was asked later is not in what was sent before
    answering.open.set()
    assert await first == b"to 1"
    assert await asyncio.gather(*later) == [b"to 2", b"to 3", b"to 4"]
    assert answering.calls == [[b"1"], [b"2", b"3", b"4"]]


async def test_a_call_has_no_more_than_the_vault_takes(answering):
    together = Together(answering)
    answering.open.set()
    asked = [b"%d" % n for n in range(OCSP_TOGETHER * 2 + 1)]
    assert await asyncio.gather(*map(together.ask, asked)) == [b"to " + one for one in asked]
    assert [len(one) for one in answering.calls] == [OCSP_TOGETHER, OCSP_TOGETHER, 1]


async def test_a_failure_is_everybodys_and_the_next_call_is_made_all_the_same(answering):
    together = Together(answering)
    answering.open.set()
    answering.fails = UnavailableError("away")
    failed = await asyncio.gather(together.ask(b"1"), together.ask(b"2"), return_exceptions=True)
    assert [type(one) for one in failed] == [UnavailableError, UnavailableError]
    answering.fails = None
    assert await together.ask(b"3") == b"to 3"


async def test_who_hangs_up_takes_nobody_along(answering):
    together = Together(answering)
    first, second = (asyncio.create_task(together.ask(one)) for one in (b"1", b"2"))
    await settle()
    first.cancel()
    answering.open.set()
    assert await second == b"to 2"
