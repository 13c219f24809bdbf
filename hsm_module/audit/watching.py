"""What the vault says of itself: that it serves, that it ends, that its token failed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from hsm_module.audit.backlog import BacklogWatch
from hsm_module.storage.store import Store
from signer_core.audit.events import Event
from signer_core.audit.space import SpaceWatch
from signer_core.errors import UnavailableError
from signer_core.storage.inspection import database_folder


@asynccontextmanager
async def audited(store: Store, database_url: str) -> AsyncIterator[None]:
    """Record start and end of the process; watch outbox and disk meanwhile.

    Raises:
        UnavailableError: the start cannot be recorded: nothing is signed without a log.
    """
    await store.record(Event("process-started", "serving", subject=version("diia-signer")))
    folder = database_folder(database_url)
    space = SpaceWatch({} if folder is None else {"database": folder}, store.record)
    tasks = {asyncio.create_task(BacklogWatch(store).run()), asyncio.create_task(space.run())}
    try:
        yield
        await store.record(Event("process-stopped", "stopped"))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def record_failure(store: Store) -> None:
    """Record that the token failed; the process ends whether or not that can be written."""
    with suppress(UnavailableError):
        await store.record(Event("self-test", "failed"))
