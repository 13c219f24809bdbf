"""Turns at the token: never two, short ones without a change of thread, none after the end."""

import asyncio
import threading
import time

import pytest

from hsm_module.token.errors import TokenFaultError
from hsm_module.token.turns import Turns


@pytest.fixture
async def turns():
    made = Turns()
    yield made
    if not made._ended:
        await made.end(lambda: None)


def name_of_thread():
    return threading.current_thread().name


async def occupy(turns):
    """Take a long turn; return what ends it, and the task."""
    began, leave = threading.Event(), threading.Event()

    def work():
        began.set()
        assert leave.wait(10)

    task = asyncio.create_task(turns.take(work))
    await asyncio.to_thread(began.wait, 10)
    return leave, task


async def test_a_short_call_stays_on_its_thread_and_a_long_one_does_not(turns):
    assert await turns.take(name_of_thread, short=True) == name_of_thread()
    assert (await turns.take(name_of_thread)).startswith("hsm")


async def test_a_short_call_waits_for_a_long_one_and_holds_up_nobody(turns):
    leave, long = await occupy(turns)
    short = asyncio.create_task(turns.take(name_of_thread, short=True))
    await asyncio.sleep(0.05)  # the loop goes on
    assert not short.done()
    leave.set()
    assert (await short).startswith("hsm")
    await long


async def test_a_slow_token_gets_no_call_on_the_event_loop_until_it_is_fast_again(turns):
    await turns.take(lambda: time.sleep(0.1), short=True)
    calls = [await turns.take(name_of_thread, short=True) for _ in range(64)]
    assert calls[0].startswith("hsm")
    assert calls[-1] == name_of_thread()


@pytest.mark.parametrize("short", [True, False])
async def test_a_call_that_fails_gives_its_turn_back(turns, short):
    def fail():
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await turns.take(fail, short=short)
    assert await turns.take(name_of_thread, short=True) == name_of_thread()


def test_no_two_calls_of_any_threads_are_at_the_token_at_once():
    turns, inside, most = Turns(), [0], [0]

    def work():
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.0002)
        inside[0] -= 1

    async def many():
        await asyncio.gather(*(turns.take(work, short=bool(n % 3)) for n in range(60)))

    threads = [threading.Thread(target=asyncio.run, args=(many(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside[0], most[0]) == (0, 1)
    asyncio.run(turns.end(lambda: None))


async def test_who_waits_at_the_end_is_refused_and_so_is_who_comes_later(turns):
    done = []
    leave, long = await occupy(turns)
    end = asyncio.create_task(turns.end(lambda: done.append("end")))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(turns.take(lambda: done.append("late"))) for _ in range(2)]
    await asyncio.sleep(0.05)
    leave.set()
    await long
    await end
    later = [turns.take(lambda: done.append("late"), short=short) for short in (True, False)]
    for late in (*waiting, *later):
        with pytest.raises(TokenFaultError, match="not open"):
            await late
    assert done == ["end"]
