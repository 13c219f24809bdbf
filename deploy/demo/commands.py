"""The commands that people use, run as they would: `signer` for a caller, `signer-phone`."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.home import REPOSITORY, Home
from deploy.supervision import StartError
from grpc_api.clients.registrar import SandboxPerson
from portal_web.cli.connection import System as Connection
from signer_core.errors import SignerError

_BIN = Path(sys.executable).parent
_TIMEOUT_S = 180


@dataclass(frozen=True, slots=True)
class Caller:
    """A portal's developer with the command `signer`."""

    home: Home

    def find_person(self, behaviour: str) -> SandboxPerson:
        """Return the first made-up person who behaves so; any of them will do."""

        async def ask() -> tuple[SandboxPerson, ...]:
            async with Connection(self.home.root).sandbox() as sandbox:
                return await sandbox.people()

        try:
            return next(one for one in asyncio.run(ask()) if one.behaviour == behaviour)
        except (SignerError, StopIteration) as error:
            raise StartError(f"the sandbox has nobody who {behaviour}: {error}") from None

    def issue_activation_code(self, person: SandboxPerson) -> str:
        """Return a one-time code for a person's new phone."""

        async def ask() -> str:
            async with Connection(self.home.root).sandbox() as sandbox:
                return (await sandbox.issue_activation_code(person.person_id)).activation_code

        try:
            return asyncio.run(ask())
        except SignerError as error:
            raise StartError(f"no activation code: {error}") from None

    @contextmanager
    def asking(self, person: SandboxPerson, file: Path, out: Path) -> Iterator[str]:
        """Ask for a signature and wait in the background; give the request's id at once.

        At the end the signed file is in `out`.
        """
        who = ["--person", person.person_code, "--relying-party", "sandbox-notary"]
        why = ["--purpose", "Договір: підписати обидві сторони", "--visible"]
        words = [*self._self(), "request", str(file), *who, *why, "--out", str(out)]
        with subprocess.Popen(  # noqa: S603  # our own command
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
        ) as waiting:
            try:
                yield _request_id(waiting)
                said, trouble = waiting.communicate(timeout=_TIMEOUT_S)
            finally:
                waiting.kill()
        if waiting.returncode:
            raise StartError((trouble or said).strip())

    def verify(self, file: Path) -> subprocess.CompletedProcess[str]:
        """Let `signer verify` look at a file."""
        trust = self.home.public / "root.pem"
        return _run([*self._self(), "verify", str(file), "--trust", str(trust)])

    def _self(self) -> list[str]:
        return [str(_BIN / "signer"), "--home", str(self.home.root)]


@dataclass(frozen=True, slots=True)
class DemoPhone:
    """A phone: its folder, and a person who types this PIN."""

    folder: Path
    pin: str

    def enrol(self, activation_code: str, deployment: Path) -> str:
        """Make a key; return what the phone says."""
        pinned = ["--deployment", str(deployment), "--yes", "--pin-stdin"]
        return _succeed([*self._self(), "enrol", activation_code, *pinned], self.pin)

    def sign(self, request_id: str) -> str:
        """Sign a request; return what the phone says."""
        return _succeed([*self._self(), "sign", request_id, "--pin-stdin"], self.pin)

    def run(self, *arguments: str, pin: str = "") -> subprocess.CompletedProcess[str]:
        """Run any command, however it ends."""
        return _run([*self._self(), *arguments], pin)

    def _self(self) -> list[str]:
        return [str(_BIN / "signer-phone"), "--home", str(self.folder)]


def _request_id(waiting: "subprocess.Popen[str]") -> str:
    assert waiting.stdout is not None  # noqa: S101  # it was asked for as a pipe
    word, _, request_id = waiting.stdout.readline().strip().partition(" ")
    if word != "request":
        raise StartError(waiting.communicate(timeout=_TIMEOUT_S)[1].strip())
    return request_id


def _succeed(command: list[str], typed: str = "") -> str:
    done = _run(command, typed)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise StartError(
            f"{Path(command[0]).name}: {said[-1] if said else f'exit code {done.returncode}'}"
        )
    return done.stdout


def _run(command: list[str], typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own commands
        command,
        input=typed + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
        cwd=REPOSITORY,
    )
