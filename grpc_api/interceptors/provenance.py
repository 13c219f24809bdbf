"""Who causes what a call does, and from where, for the audit log.

A phone's address is what the signer's listener sees; the signer sends it along to the vault, which
believes the signer in this and nobody else. The log says so much and no more of a compromised
signer's phones.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, cast

from grpc_api.interceptors.around import Around, Context, Handler, Surround
from grpc_api.metadata import ACTOR_KEY, SOURCE_KEY
from grpc_api.servers.source_limits import source_of
from signer_core.audit.provenance import (
    Actor,
    ActorKind,
    bind_actor,
    bind_source,
    current_source,
)

SIGNER: Final = "signer.internal"
_EMERGENCY: Final = "/signer.phone.v1.EmergencyService/"
_FORM: Final = re.compile(r"[A-Za-z0-9._:/%-]{1,64}")
_ACTOR_FORM: Final = re.compile(r"(process|phone|officer|anybody) ([A-Za-z0-9._:/@+-]{0,128})")


def bind_process(context: Context, names: frozenset[str]) -> None:
    """Say that a process of ours calls; for the signer, on whose behalf it says it does."""
    name = min((one for one in names if one.endswith(".internal")), default="")
    bind_source(name)
    bind_actor(Actor("process", name))
    if SIGNER in names:
        told = dict(context.invocation_metadata() or ())
        source, actor = str(told.get(SOURCE_KEY, "")), str(told.get(ACTOR_KEY, ""))
        found = _ACTOR_FORM.fullmatch(actor)
        if _FORM.fullmatch(source) and found:
            bind_source(source)
            bind_actor(Actor(cast("ActorKind", found[1]), found[2]))


def phone_surround(admit: Callable[[str], Awaitable[None]]) -> Surround:
    """Bind the address of a phone to its call, and let `admit` refuse the address.

    Suspending a key in an emergency is never refused.

    Raises:
        SignerError: what `admit` raises.
    """

    @asynccontextmanager
    async def bound(context: Context) -> AsyncIterator[None]:
        bind_source(source_of(context.peer()))
        bind_actor(Actor("anybody"))
        yield

    @asynccontextmanager
    async def admitted(context: Context) -> AsyncIterator[None]:
        async with bound(context):
            await admit(current_source())
            yield

    def choose(method: str, _handler: Handler) -> Around:
        return bound if method.startswith(_EMERGENCY) else admitted

    return choose
