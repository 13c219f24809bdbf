"""Compare and swap: what a session knows is written only where the database holds just that."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from hsm_module.key_swap import change_key
from hsm_module.key_transaction import key_reading
from hsm_module.storage.beside import Beside
from hsm_module.storage.swap import UnforeseenError
from hsm_module.storage.tables import keys, requests
from signer_core.audit.events import Event
from signer_core.errors import (
    BusyError,
    InvalidRequestError,
    UnavailableError,
    VerificationError,
)
from signer_core.ports import RequestState
from signer_core.storage.engine import write_transaction

TOLD = ("certificate-hold", "queued")


class Pair:
    """A key and a request of it, as they are known."""

    def __init__(self, world, phone, ask, known):
        self.world, self.phone, self.ask, self.known = world, phone, ask, known
        self.store = world.vault.context.store

    async def begin(self):
        """Begin a swap that reserves the request, counts, and records."""
        swap = self.store.begin_swap(self.known)
        row, _ = await swap.keys.get(self.phone.key_id)
        request = await swap.requests.get(self.ask.request_id)
        await swap.requests.save(replace(request, state=RequestState.RESERVED))
        await swap.keys.save(replace(row, failed=row.failed + 1))
        await swap.record(Event(*TOLD, self.phone.key_id))
        return swap

    async def try_it(self):
        return await self.store.try_swap(await self.begin())

    async def state(self):
        """Return what counts: failed tries, the request's state, how often it was recorded."""
        rows, events = await self.rows(), await self.world.events(self.phone)
        return rows["keys"]["failed"], rows["requests"]["state"], events.count(TOLD)

    async def rows(self):
        return {
            "keys": await self.world.row("keys", key_id=self.phone.key_id),
            "requests": await self.world.row("requests", request_id=self.ask.request_id),
        }

    async def set(self, table, **values):
        row_id = self.phone.key_id if table is keys else self.ask.request_id
        row = next(iter(table.primary_key)) == row_id
        async with write_transaction(self.world.engines[0]) as connection:
            await connection.execute(update(table).where(row).values(values))


@pytest.fixture
async def pair(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    return Pair(world, phone, ask, await known_of(world, phone, ask))


async def known_of(world, phone, ask):
    beside = Beside(ask.request_id)
    async with key_reading(world.vault.context.store, phone.key_id, beside) as key:
        await key.transaction.requests.get(ask.request_id)
    return key.known(ask.request_id)


UNTOUCHED = (0, "open", 0)


async def test_rows_that_are_as_known_are_written_with_their_event(pair):
    swap = await pair.begin()
    assert await pair.store.try_swap(swap)
    assert await pair.state() == (1, "reserved", 1)
    async with key_reading(pair.store, pair.phone.key_id, Beside(pair.ask.request_id)) as key:
        assert (await key.transaction.requests.get(pair.ask.request_id)).row_version == 1
    assert swap.keys.seen == key.transaction.keys.seen  # the rows, and their MACs
    assert swap.requests.seen == key.transaction.requests.seen


def other(column, value):
    """Return another value of the column's type."""
    if value is None:
        value = {bytes: b"", int: 0, str: ""}[column.type.python_type]
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1]) if value else bytes(16)
    return value + 1 if isinstance(value, int) else value + "x"


COLUMNS = [
    pytest.param(table, column.name, id=f"{table.name}.{column.name}")
    for table in (keys, requests)
    for column in table.c
    if column.name not in ("key_id", "request_id")
]


@pytest.mark.parametrize(("table", "name"), COLUMNS)
async def test_a_row_with_another_value_in_any_column_is_not_written_over(pair, table, name):
    swap = await pair.begin()
    before = await pair.rows()
    await pair.set(table, **{name: other(table.c[name], before[table.name][name])})
    edited = await pair.rows()
    assert edited != before
    assert not await pair.store.try_swap(swap)
    assert await pair.rows() == edited  # the other row, too, and no event
    assert TOLD not in await pair.world.events(pair.phone)


@pytest.mark.parametrize("name", ["failed", "epoch", "live_sid"])
async def test_an_edited_row_is_refused_and_audited_as_if_it_had_been_read(world, name):
    """By a whole session: the row is edited while the person types the PIN."""
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    await session.to_openings()
    row = await world.row("keys", key_id=phone.key_id)
    edited = {name: other(keys.c[name], row[name])}
    async with write_transaction(world.engines[0]) as connection:
        await connection.execute(update(keys).where(keys.c.key_id == phone.key_id).values(edited))
    with pytest.raises(VerificationError, match="altered"):
        await session.sign()
    assert ("row-altered", "keys") in await world.events(phone)
    after = await world.row("keys", key_id=phone.key_id)
    assert (after[name], after["row_version"]) == (edited[name], row["row_version"])


async def test_a_database_whose_clock_was_set_is_asked_again(pair):
    for ahead_s in (3600, -3600):
        pair.world.clock.ahead_s = ahead_s
        assert not await pair.try_it()
    pair.world.clock.ahead_s = 0
    assert await pair.state() == UNTOUCHED
    assert await pair.try_it()


async def test_the_clock_is_asked_once_the_rows_are_locked(pair):
    """Whoever waited for somebody who only looked at the row may be late by seconds."""
    swap = await pair.begin()
    locked = asyncio.Event()

    async def look():
        async with pair.store.transaction() as transaction:
            await transaction.keys.get(pair.phone.key_id)
            locked.set()
            await asyncio.sleep(2.2)

    looking = asyncio.create_task(look())
    await locked.wait()
    assert not await pair.store.try_swap(swap)
    await looking
    assert await pair.state() == UNTOUCHED


async def test_of_two_swaps_of_one_row_one_is_written(pair):
    swaps = [await pair.begin() for _ in range(8)]
    done = await asyncio.gather(*map(pair.store.try_swap, swaps))
    assert sorted(done) == [False] * 7 + [True]
    assert (await pair.state())[:2] == (1, "reserved")


async def test_a_row_below_its_high_water_mark_is_not_known(pair):
    assert await pair.try_it()
    with pytest.raises(UnforeseenError):  # `known` is what it was before
        await pair.begin()


async def test_a_request_that_ended_is_not_known(pair, world):
    await world.vault.requests.burn(pair.ask.request_id)
    with pytest.raises(UnforeseenError):
        await pair.begin()


@pytest.mark.parametrize("kind", ["key", "request"])
async def test_a_row_is_changed_once(pair, kind):
    swap = await pair.begin()
    rows = swap.keys if kind == "key" else swap.requests
    known = pair.known.key.row if kind == "key" else pair.known.request.row
    with pytest.raises(UnforeseenError):
        await rows.save(known)


async def test_another_key_another_request_and_other_rows_are_not_known(pair, world):
    stranger = await world.citizen()
    other_ask = await world.request(pair.phone)
    swap = pair.store.begin_swap(pair.known)
    for ask in (
        lambda: swap.keys.get(stranger.key_id),
        lambda: swap.requests.get(other_ask.request_id),
        lambda: swap.keys.ids_with("person_mac", b""),
        lambda: swap.requests.open_ids(pair.phone.key_id),
        lambda: swap.keys.save(replace(pair.known.key.row, key_id=stranger.key_id)),
        lambda: swap.requests.save(replace(pair.known.request.row, row_version=7)),
        lambda: swap.statuses.of_key(pair.phone.key_id),
        lambda: swap.records.delete_share(pair.phone.key_id, 0),
        swap.now_s,
        lambda: swap.person_mac("person-1"),
        lambda: swap.consume_authorisation(bytes(16), pair.phone.key_id),
    ):
        with pytest.raises(UnforeseenError):
            await ask()


async def test_a_request_that_is_only_read_is_not_taken_as_known(pair):
    """Nothing would compare it: somebody may have signed it."""
    swap = pair.store.begin_swap(pair.known)
    row, _ = await swap.keys.get(pair.phone.key_id)
    await swap.requests.get(pair.ask.request_id)
    await swap.keys.save(row)
    assert not await pair.store.try_swap(swap)


async def test_nothing_is_decided_where_nothing_is_written(pair):
    swap = pair.store.begin_swap(pair.known)
    await swap.keys.get(pair.phone.key_id)
    assert not await pair.store.try_swap(swap)


# --- a key is changed -----------------------------------------------------------------------------


def counting(calls):
    async def work(key):
        calls.append(type(key.transaction).__name__)
        await key.transaction.keys.save(replace(key.row, failed=key.row.failed + 1))
        return key.row.failed

    return work


async def change(pair, work, known=None):
    beside = Beside(pair.ask.request_id)
    return await change_key(pair.store, known or pair.known, pair.phone.key_id, beside, work)


async def test_a_known_key_is_changed_without_being_read(pair, monkeypatch):
    monkeypatch.delattr(type(pair.store), "transaction")
    calls = []
    failed, known = await change(pair, counting(calls))
    failed_after, _ = await change(pair, counting(calls), known)
    assert (failed, failed_after, calls) == (0, 1, ["Swap", "Swap"])


async def test_a_key_that_changed_is_read_and_locked(pair):
    calls = []
    await change(pair, counting([]))
    failed, known = await change(pair, counting(calls))
    assert (failed, calls) == (1, ["Transaction"])  # by its mark it is not even tried
    assert (await change(pair, counting(calls), known))[0] == 2


async def test_a_refusal_by_what_is_known_is_decided_over_what_is(pair):
    """The known row says "being judged"; meanwhile the judgement is over."""

    async def verdict(key):
        if type(key.transaction).__name__ == "Swap":
            raise BusyError("by what is known")
        return "by what is"

    assert (await change(pair, verdict))[0] == "by what is"

    async def refuse(_key):
        raise InvalidRequestError("by both")

    with pytest.raises(InvalidRequestError, match="by both"):
        await change(pair, refuse)


async def test_work_that_the_token_does_not_answer_is_not_done_twice(pair):
    calls = []

    async def away(_key):
        calls.append(1)
        raise UnavailableError("the token does not answer")

    with pytest.raises(UnavailableError):
        await change(pair, away)
    assert calls == [1]


async def test_a_swap_whose_outcome_nobody_knows_is_not_tried_again(pair, monkeypatch):
    async def lost(_swap):
        raise UnavailableError("the answer was lost")

    monkeypatch.setattr(pair.store, "try_swap", lost)
    calls = []
    with pytest.raises(UnavailableError):
        await change(pair, counting(calls))
    assert calls == ["Swap"]


async def test_a_whole_signature_reads_once_and_swaps_four_times(world, monkeypatch):
    phone = await world.citizen()
    ask = await world.request(phone)
    store, done = world.vault.context.store, []
    try_swap = store.try_swap

    async def counted(swap):
        done.append(await try_swap(swap))
        return done[-1]

    monkeypatch.setattr(store, "try_swap", counted)
    monkeypatch.delattr(type(store), "transaction")
    await world.signing(phone, ask).run()
    assert done == [True] * 4
