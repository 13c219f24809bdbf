"""Change a key as a session left it, in one round trip; or as it is, read and locked."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from hsm_module.key_transaction import OpenKey, key_transaction
from hsm_module.storage.beside import Beside
from hsm_module.storage.known import Known
from hsm_module.storage.store import Store
from hsm_module.storage.swap import UnforeseenError
from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import KeyId

Locked = Callable[[Store, KeyId, Beside | None], AbstractAsyncContextManager[OpenKey]]
T = TypeVar("T")


async def change_key(
    store: Store,
    known: Known | None,
    key_id: KeyId,
    beside: Beside | None,
    work: Callable[[OpenKey], Awaitable[T]],
    locked: Locked = key_transaction,
) -> tuple[T, Known]:
    """Do `work` over the key, and the request `beside` it; return its result and the new rows.

    It is done over rows as they are `known`, and written if they still are so. Otherwise, and where
    it needs more than that or refuses, nothing has happened, and it is done over `locked` rows.

    Raises:
        SignerError: what `work` raises over locked rows; what `Store.transaction` raises.
    """
    request_id = None if beside is None else beside.request_id
    if known is not None:
        swap = store.begin_swap(known)
        try:
            key = OpenKey(swap, *await swap.keys.get(key_id), known.time)
            result = await work(key)
        except UnavailableError:
            raise  # the token's: it would not answer twice
        except (UnforeseenError, SignerError):
            pass  # no refusal by what may be so no more
        else:
            if await store.try_swap(swap):
                return result, key.known(request_id)
    async with locked(store, key_id, beside) as key:
        result = await work(key)
    return result, key.known(request_id)
