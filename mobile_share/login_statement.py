"""A login statement (docs/flows/login.md), as far as a phone must understand it.

The signature under it can be shown to others: it must not be had under another partner's name.
"""

from typing import Final

from mobile_share.ports import UntrustedRequest
from mobile_share.relying_party import RelyingParty
from signer_core.errors import VerificationError
from signer_core.protocol.request_kind import RequestKind

_FIRST_WORDS: Final = "diia-signer login "
_FIRST_LINE: Final = "diia-signer login v1"


def verify_login_statement(untrusted: UntrustedRequest, party: RelyingParty) -> None:
    """Check a statement that says to be a login; any other text is the partner's own.

    1. It is of the one version that this phone knows, and of a login.
    2. It names the relying party of the request as `client`, once.
    3. It names the return address of the request as `redirect`, once.

    Raises:
        VerificationError: at the first that fails.
    """
    lines = untrusted.statement.split("\n")
    if not lines[0].lstrip().lower().startswith(_FIRST_WORDS):
        return
    if lines[0] != _FIRST_LINE or untrusted.kind != RequestKind.AUTH:  # 1
        raise VerificationError("this phone does not know this kind of login: update it")
    _verify_line(lines, "client", party.party_id)  # 2
    _verify_line(lines, "redirect", untrusted.return_address)  # 3


def _verify_line(lines: list[str], name: str, expected: str) -> None:
    found = [line for line in lines if line.startswith(f"{name}: ")]
    if found != [f"{name}: {expected}"]:
        raise VerificationError("the login is for somebody else than the relying party that asks")
