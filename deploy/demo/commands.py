"""The commands that people use, run as they would: `signer` for a caller, `signer-phone`."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.home import REPOSITORY, Home
from deploy.supervision import StartError

_BIN = Path(sys.executable).parent
_TIMEOUT_S = 180


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person of the sandbox."""

    person_id: str
    name: str
    code: str  # national number


@dataclass(frozen=True, slots=True)
class Caller:
    """A portal's developer with the command `signer`."""

    home: Home

    def find_person(self, behaviour: str) -> Person:
        """Return the first made-up person who behaves so; any of them will do."""
        for person in self._ask("people")["people"]:
            if person["behaviour"] == behaviour:
                return Person(person["person_id"], person["full_name_uk"], person["person_code"])
        raise StartError(f"the sandbox has nobody who {behaviour}")

    def issue_activation_code(self, person: Person) -> str:
        """Return a one-time code for a person's new phone."""
        return str(self._ask("activation-code", person.person_id)["activation_code"])

    def request(self, person: Person, files: Sequence[Path], *, visible: bool = True) -> str:
        """Ask for signatures; return the request's id."""
        who = ["--person", person.code, "--relying-party", "sandbox-notary"]
        why = ["--purpose", "Договір: підписати обидві сторони"]
        stamp = ["--visible"] if visible else []
        return str(self._ask("request", *map(str, files), *who, *why, *stamp)["request_id"])

    def status(self, request_id: str) -> str:
        """Return the state of a request."""
        return str(self._ask("status", request_id)["status"])

    def fetch(self, request_id: str, folder: Path) -> list[Path]:
        """Save the signed files."""
        return [Path(one) for one in self._ask("fetch", request_id, "--out", folder)["written"]]

    def verify(self, file: Path) -> subprocess.CompletedProcess[str]:
        """Let `signer verify` look at a file."""
        trust = self.home.public / "root.pem"
        return _run(["signer", "verify", str(file), "--trust", str(trust)])

    def _ask(self, *arguments: object) -> Any:
        words = ["signer", "--home", str(self.home.root), *map(str, arguments), "--json"]
        return json.loads(_succeed(words))


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
        return ["signer-phone", "--home", str(self.folder)]


def _succeed(command: list[str], typed: str = "") -> str:
    done = _run(command, typed)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise StartError(f"{command[0]}: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout


def _run(command: list[str], typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own commands
        [str(_BIN / command[0]), *command[1:]],
        input=typed + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
        cwd=REPOSITORY,
    )
