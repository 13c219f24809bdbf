"""Collecting results: the vault decides what became of a request, the signer follows."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

import structlog

from signer_core.errors import SignerError, VerificationError
from signer_core.identifiers import KeyId, RequestId
from signer_core.keys.certificates import PersonCertificate
from signer_core.ports import RequestResult, RequestState, SignedItem, VaultRequests
from signer_core.protocol.key_action import KeyAction
from signer_core.protocol.request_kind import DETACHED
from signer_core.signing import detached, pdf
from signer_core.signing.carry_over import CarryOver
from signer_core.signing.model import Clock, Request, RequestStatus
from signer_core.signing.notices import Notices
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.files import INLINE_BYTES, Files
from signer_core.storage.signer.requests import ConsumedHook, Requests

log = structlog.get_logger()

# The vault gives a judgement 60 s (docs/spec/ecdsa2p.md §3.1.1); the rest is for its database.
JUDGEMENT_S = 90
_UNDECIDED = (RequestState.OPEN, RequestState.RESERVED)  # as it was known here
# Waits, in seconds, while a judgement outlives its stream; together more than its 60 s.
_RETRIES_S = (0.2, 0.5, 1, 3, 10, 20, 30)


def no_hooks(_request: Request) -> tuple[ConsumedHook, ...]:
    """Nobody wants to know of a request that is signed."""
    return ()


@dataclass(frozen=True, slots=True)
class Collection:
    """Finishes what the vault has signed, and closes what it has burned."""

    requests: Requests
    files: Files
    certificates: Certificates
    vault: VaultRequests
    notices: Notices
    executor: Executor
    clock: Clock
    carry_over: CarryOver
    trust_roots: tuple[bytes, ...] = field(repr=False)  # DER
    # What is done in the transaction that marks a request consumed.
    hooks: Callable[[Request], Sequence[ConsumedHook]] = no_hooks
    # One collection of a request at a time: finishing is dear, and its end changes the answer.
    _locks: WeakValueDictionary[RequestId, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, repr=False
    )

    async def collect(self, request_id: RequestId) -> Request:
        """Ask the vault about an open request, follow its answer, return the request anew.

        Raises:
            NotFoundError: no such request.
            UnavailableError: the vault is away.
            VerificationError: the vault's signatures do not fit the request.
        """
        request, _ = await self._collect_once(request_id)
        return request

    async def refresh(self, request_id: RequestId) -> Request:
        """Like `collect`, but a vault that is away leaves the request as it is known here."""
        try:
            return await self.collect(request_id)
        except SignerError as error:
            log.warning("collect.failed", request_id=request_id.hex(), code=error.code)
            return await self.requests.get(request_id)

    async def follow(
        self, request_id: RequestId, signed: tuple[SignedItem, ...] | None = None
    ) -> None:
        """Collect after a phone's stream ended, and wait while the vault is still judging.

        `signed` is what the vault said of its own accord; it is asked only where it said nothing.
        """
        told = None if signed is None else RequestResult(RequestState.CONSUMED, signed)
        for wait_s in _RETRIES_S:
            try:
                _, state = await self._collect_once(request_id, told)
                if state is not RequestState.RESERVED:
                    return
            except SignerError as error:
                log.warning("collect.failed", request_id=request_id.hex(), code=error.code)
            told = None  # from now on it is asked
            await asyncio.sleep(wait_s)

    async def _collect_once(
        self, request_id: RequestId, told: RequestResult | None = None
    ) -> tuple[Request, RequestState | None]:
        """Return the request as it is now, and what the vault said, now or before (`told`)."""
        lock = self._locks.setdefault(request_id, asyncio.Lock())
        async with lock:
            request = await self.requests.get(request_id)
            if request.status is not RequestStatus.OPEN:
                return request, None
            if not request.content.is_signed:
                return await self._settle_unsigned(request), None
            result = told or await self.vault.result(request_id)
            if await self._apply(request, result):
                self.notices.tell(*request.topics)
                if result.state is RequestState.CONSUMED:  # all else stays as it was
                    return replace(request, status=RequestStatus.CONSUMED), result.state
            elif result.state in _UNDECIDED:
                return request, result.state
            return await self.requests.get(request_id), result.state

    async def _settle_unsigned(self, request: Request) -> Request:
        """Close what the vault does not know, once its time is over."""
        if not self._is_over(request):
            return request
        if await self.requests.settle_expired(request.request_id, self._now_s()):
            self.notices.tell(*request.topics)
        return await self.requests.get(request.request_id)

    async def _apply(self, request: Request, result: RequestResult) -> bool:
        """Follow the vault; return whether the status changed."""
        match result.state:
            case RequestState.CONSUMED:
                return await self._consume(request, result)
            case RequestState.BURNED:
                return await self.requests.settle_burned(request.request_id, self._now_s())
            case RequestState.OPEN if self._is_over(request):
                return await self.requests.settle_expired(request.request_id, self._now_s())
            case _:
                return False

    def _is_over(self, request: Request) -> bool:
        return self._now_s() > request.expires_at_s + JUDGEMENT_S

    def _now_s(self) -> int:
        return int(self.clock().timestamp())

    async def _consume(self, request: Request, result: RequestResult) -> bool:
        if request.content.about is not None:
            return await self._follow_action(request, request.content.about)
        if len(result.items) != len(request.files):
            raise VerificationError("the vault signed another number of files")
        certificate = await self.certificates.of_key(request.content.key_id)
        if request.content.kind in DETACHED:
            signed = detached.finish(request, result.items, certificate, self.trust_roots)
        else:
            signed = [
                await self._finish(request, at, certificate, result.items[at])
                for at in range(len(result.items))
            ]
        hooks = self.hooks(request)
        consumed = await self.requests.consume(request.request_id, signed, self._now_s(), hooks)
        log.info("request.consumed", request_id=request.request_id.hex(), count=len(signed))
        return consumed

    async def _finish(
        self, request: Request, position: int, certificate: PersonCertificate, item: SignedItem
    ) -> bytes:
        prepared = await self.files.prepared(request.request_id, position)
        work = functools.partial(
            pdf.finish, prepared, item, certificate, self.trust_roots, self.clock()
        )
        if len(prepared) <= INLINE_BYTES:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.executor, work)

    async def _follow_action(self, request: Request, about: KeyId) -> bool:
        """Follow what the vault did with a key. Open until done: a crash is repeated."""
        if request.content.kind == KeyAction.REPLACEMENT:
            await self.carry_over.run(about, request.content.key_id)
        log.info("key-action.done", request_id=request.request_id.hex(), kind=request.content.kind)
        return await self.requests.consume(request.request_id, (), self._now_s())
