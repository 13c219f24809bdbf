"""Partners of the sandbox: made up by a developer, and called so in both languages."""

import re
import secrets
from collections.abc import Sequence
from typing import Final, get_args

from signer_core.errors import InvalidRequestError
from signer_core.partners.names import NameRefusedError, check_name
from signer_core.pki.partner_key import PartnerKey
from signer_core.pki.relying_party import PartnerDescription, Scope, parse_description

MAX_RETURN_ADDRESSES: Final = 8
_ID: Final = re.compile(r"sandbox-[a-z2-7]{12}")  # 60 bits
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_NAMES: Final = ("Пісочниця: вигаданий партнер «{}»", "Sandbox: made-up partner “{}”")
_NO_LOGO: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no bytes
_SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


def new_sandbox_id() -> str:
    """Return a new id: "sandbox-" and 12 random characters."""
    return "sandbox-" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def is_sandbox_id(partner_id: str) -> bool:
    """Tell whether an id has the form that only the sandbox gives."""
    return _ID.fullmatch(partner_id) is not None


def describe_sandbox(
    partner_id: str,
    name: str,
    return_addresses: Sequence[str],
    callback_address: str,
    keys: Sequence[PartnerKey],
) -> PartnerDescription:
    """Return what is to be signed for a developer.

    Raises:
        InvalidRequestError: the name or an address is not allowed; the text names it.
    """
    described = parse_description(
        {
            "id": partner_id,
            "name_uk": _NAMES[0].format(name),
            "name_en": _NAMES[1].format(name),
            "logo_sha256": _NO_LOGO,
            "return_addresses": tuple(return_addresses),
            "scopes": _SCOPES,
            "callback_address": callback_address,
            "keys": tuple(keys),
        }
    )
    check_sandbox(described)
    return described


def check_sandbox(described: PartnerDescription) -> None:
    """Check that a record says of itself that it is made up; the vault signs no other.

    1. The id is one of the sandbox.
    2. Both names are the sandbox's words around one name that a stranger may choose.
    3. 1 to 8 return addresses, and no logo that anybody could know.

    Raises:
        InvalidRequestError: at the first that fails.
    """
    if not is_sandbox_id(described.id):  # 1
        raise InvalidRequestError("a partner of the sandbox has an id of the sandbox")
    before, after = _NAMES[0].split("{}")
    name = described.name_uk.removeprefix(before).removesuffix(after)
    shown = (described.name_uk, described.name_en)
    if shown != tuple(words.format(name) for words in _NAMES):  # 2
        raise InvalidRequestError("a partner of the sandbox says in its name that it is made up")
    try:
        check_name(name)  # 2
    except NameRefusedError as error:
        raise InvalidRequestError(str(error)) from None
    if not 1 <= len(described.return_addresses) <= MAX_RETURN_ADDRESSES:  # 3
        raise InvalidRequestError(f"there are 1 to {MAX_RETURN_ADDRESSES} return addresses")
    if described.logo_sha256 != _NO_LOGO:  # 3
        raise InvalidRequestError("a partner of the sandbox has no logo")
