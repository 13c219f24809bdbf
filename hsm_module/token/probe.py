"""Open and test the token in a child process first, so that damage cannot kill the vault.

Measured (SoftHSM 2.6.1): one flipped bit in a length inside an object file makes the library call
`exit(5)`, abort, or read for minutes, with no word to anybody. The child may die of it; the vault
then says why it does not start. The PIN goes to the child through a pipe.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr, ValidationError

from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.self_test import self_test
from hsm_module.token.site import TokenSite

TIMEOUT_S: Final = 20  # a good token takes 0.5 s, most of it the child's imports
_ROOT: Final = Path(__file__).parents[2]  # where hsm_module is imported from


class _Question(BaseModel, frozen=True, extra="forbid"):
    module: Path
    conf: Path
    label: str
    pin: str
    manifest: Manifest


class _Answer(BaseModel, frozen=True, extra="forbid"):
    fault: TokenFault | None = None
    message: str = ""


def probe_token(
    site: TokenSite, pin: SecretStr, manifest: Manifest, timeout_s: float = TIMEOUT_S
) -> None:
    """Open the token and run the self-test in a child process.

    Raises:
        TokenFaultError: what the child found, or `DAMAGED` if the library killed or hung it.
    """
    question = _Question(
        module=site.module,
        conf=site.conf,
        label=site.label,
        pin=pin.get_secret_value(),
        manifest=manifest,
    )
    path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    try:
        child = subprocess.run(
            [sys.executable, "-m", "hsm_module.token.probe"],
            input=question.model_dump_json().encode(),
            capture_output=True,
            timeout=timeout_s,
            check=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        answer = _Answer.model_validate_json(child.stdout)
    except (subprocess.SubprocessError, ValidationError):
        raise TokenFaultError(
            TokenFault.DAMAGED,
            f"the token at {site.tokens} is damaged, reading it kills or hangs the PKCS#11"
            " module: restore it from a backup",
        ) from None
    if answer.fault is not None:
        raise TokenFaultError(answer.fault, answer.message)


def _answer(question: _Question) -> _Answer:
    site = TokenSite(question.module, question.conf, question.label)
    try:
        with open_token(site, SecretStr(question.pin)) as session:
            self_test(session, question.manifest)
    except TokenFaultError as error:
        return _Answer(fault=error.fault, message=str(error))
    return _Answer()


if __name__ == "__main__":
    reply = _answer(_Question.model_validate_json(sys.stdin.buffer.read()))
    sys.stdout.write(reply.model_dump_json())
