"""The state machine of every two-party protocol: steps in order, each once."""

import functools
from collections.abc import Callable
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

from signer_core.errors import Culprit, ProtocolAbortError

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A", bound="Party")

_DEAD = (0, 0)  # no step has the number 0


class Party:
    """One side of one run of a two-party protocol. Make a new one for every run.

    The sides take turns, so a party acts on every second step: the initiator on
    1, 3, 5, ... and the responder on 2, 4, 6, ...
    Mutable: it is the state of the run, and dies with it.
    """

    first_step: ClassVar[int]
    peer: ClassVar[Culprit]  # who is to blame for a message that fails a check

    def __init__(self) -> None:
        self._due = (self.first_step, 1)


def step(
    number: int, part: int = 1, parts: int = 1
) -> Callable[[Callable[Concatenate[A, P], R]], Callable[Concatenate[A, P], R]]:
    """Mark a method as step `number` of the protocol, or as one of its `parts` in order.

    A step that is not due, or that fails, kills the party. Within a step every check is of the
    peer's message, so an abort that names nobody names the peer.
    """
    following = (number, part + 1) if part < parts else (number + 2, 1)

    def mark(method: Callable[Concatenate[A, P], R]) -> Callable[Concatenate[A, P], R]:
        @functools.wraps(method)
        def run(self: A, /, *args: P.args, **kwargs: P.kwargs) -> R:
            due, self._due = self._due, _DEAD
            if due != (number, part):
                raise ProtocolAbortError(f"step {number} is not due")
            try:
                result = method(self, *args, **kwargs)
            except ProtocolAbortError as error:
                if number > 1:  # step 1 takes nothing from the peer
                    error.culprit = error.culprit or self.peer
                raise
            self._due = following
            return result

        return run

    return mark
