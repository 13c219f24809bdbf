"""The suspend code: on paper since the enrolment, it ends a key without phone, PIN or login.

The phone makes it and keeps nothing of it; signer and vault know its hash only. 78 random bits:
nobody guesses it, neither at the service nor offline from a stolen hash.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from signer_core.errors import NotFoundError

ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # no 0 O, 1 I L, U: look-alikes
LENGTH: Final = 16  # characters of log2(30) = 4.9 bits
_GROUP: Final = 4
_LABEL: Final = b"diia-signer/suspend-code/v1\0"
_MAX_TYPED: Final = 64  # with whatever separates the groups


def make_suspend_code(choose: Callable[[Sequence[str]], str]) -> str:
    """Return a new code as a person writes it down: `ABCD-EFGH-JKMN-PQRS`.

    `choose` is `secrets.choice`.
    """
    code = "".join(choose(ALPHABET) for _ in range(LENGTH))
    return "-".join(code[i : i + _GROUP] for i in range(0, LENGTH, _GROUP))


def suspend_code_hash(typed: str) -> bytes:
    """Return the hash (32 bytes) that stands for a code, however it was typed.

    Case, hyphens and spaces do not matter.

    Raises:
        NotFoundError: it cannot be anybody's code.
    """
    code = typed[: _MAX_TYPED + 1].upper().replace("-", "").replace(" ", "")
    if len(typed) > _MAX_TYPED or len(code) != LENGTH or not set(code) <= set(ALPHABET):
        raise NotFoundError(NO_SUCH_CODE)
    return hashlib.sha256(_LABEL + code.encode("ascii")).digest()


NO_SUCH_CODE: Final = "there is no such suspend code: compare it with what you wrote down"
