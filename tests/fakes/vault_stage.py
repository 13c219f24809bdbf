"""Stops one vault process before, inside or after a transaction."""

import asyncio
from contextlib import asynccontextmanager


class Stage:
    """Counts a store's transactions from its installation on; a swap that succeeds is one."""

    def __init__(self, patch, store, number, where):
        """Take "before", "inside" or "after"; inside, rows are locked, so nothing is swapped."""
        self.at = number, where
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self.number = 0
        self.transaction, self.try_swap = store.transaction, store.try_swap
        patch.setattr(store, "transaction", self.staged)
        patch.setattr(store, "try_swap", self.never if where == "inside" else self.swapped)

    async def stop(self, where):
        if (self.number, where) == self.at:
            self.reached.set()
            await self.go_on.wait()

    @asynccontextmanager
    async def staged(self):
        self.number += 1
        await self.stop("before")
        async with self.transaction() as transaction:
            yield transaction
            await self.stop("inside")
        await self.stop("after")

    async def swapped(self, swap):
        self.number += 1
        await self.stop("before")
        if not await self.try_swap(swap):
            self.number -= 1  # it follows over locked rows
            return False
        await self.stop("after")
        return True

    async def never(self, _swap):
        return False
