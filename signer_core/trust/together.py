"""Several questions in one call: who comes while a call is under way goes with the next one.

A call between processes costs each of them more than an OCSP answer does. Under load most of it is
shared; who is alone waits for nobody. Nothing is kept: every question is sent after it was asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from signer_core.trust.ports import OCSP_TOGETHER

Answers = asyncio.Future[Sequence[bytes]]


class Together:
    """Asks for many callers. Mutable: it holds the questions that will go next."""

    def __init__(self, ask: Callable[[Sequence[bytes]], Awaitable[Sequence[bytes]]]) -> None:
        self._ask = ask
        self._next: tuple[list[bytes], Answers] | None = None
        self._last: Answers | None = None

    async def ask(self, question: bytes) -> bytes:
        """Return the answer to a question.

        Raises:
            SignerError: what the call says; all that went together are told the same.
        """
        if self._next is None or len(self._next[0]) == OCSP_TOGETHER:
            first: list[bytes] = []
            self._last = asyncio.ensure_future(self._send(first, self._last))
            self._next = first, self._last
        questions, answers = self._next
        place = len(questions)
        questions.append(question)
        return (await asyncio.shield(answers))[place]  # who hangs up takes nobody along

    async def _send(self, questions: list[bytes], before: Answers | None) -> Sequence[bytes]:
        if before is not None:
            await asyncio.wait({before})
        if self._next is not None and self._next[0] is questions:
            self._next = None
        return await self._ask(tuple(questions))
