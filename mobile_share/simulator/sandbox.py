"""Made-up people and their activation codes, through the command of a developer.

A phone calls no internal service, and this process has no certificate for one: it runs `signer`,
as whoever sits at this machine would in another terminal.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from signer_core.errors import UnavailableError

_TIMEOUT_S: Final = 60  # a busy machine starts the command in 2


@dataclass(frozen=True, slots=True)
class MadeUpPerson:
    """Somebody of the sandbox."""

    person_id: str
    name_uk: str
    name_en: str
    behaviour: str  # what happens to them, in a word of docs/sandbox-people.md


class Sandbox:
    """Runs the command; without one there is nobody."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    @property
    def is_there(self) -> bool:
        """Whether this machine has a command for it."""
        return bool(self._command)

    async def people(self) -> list[MadeUpPerson]:
        """List the made-up people; raises UnavailableError."""
        if not self._command:
            return []
        answer = await self._run("people")
        return [
            MadeUpPerson(
                one["person_id"], one["full_name_uk"], one["full_name_en"], one["behaviour"]
            )
            for one in answer["people"]
        ]

    async def activation_code(self, person_id: str) -> str:
        """Return a one-time code for one of them; raises UnavailableError."""
        if person_id not in {one.person_id for one in await self.people()}:
            raise UnavailableError("the sandbox does not know this person")
        return str((await self._run("activation-code", person_id))["activation_code"])

    async def _run(self, *words: str) -> dict[str, Any]:
        said = b""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *words,
                "--json",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            said, _ = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
            answer = json.loads(said)
        except (OSError, ValueError, TimeoutError):
            answer = None
        if not isinstance(answer, dict) or not answer.keys() & {"people", "activation_code"}:
            raise UnavailableError("the sandbox gives no codes now: is the system running?")
        return answer
