"""What somebody wants signed about a partner, as it comes over the wire: JSON, taken strictly."""

import json

from signer_core.errors import InvalidRequestError
from signer_core.partners.ports import MAX_DESCRIPTION
from signer_core.pki.relying_party import PartnerDescription, parse_description


def parse_claims(description: str) -> PartnerDescription:
    """Parse the claims of a record, `issued_at` not among them.

    1. At most 8 KiB of JSON, an object, no name in it twice.
    2. Every claim is there, of its form, and no other.

    Raises:
        InvalidRequestError: at the first that fails.
    """
    if len(description.encode()) > MAX_DESCRIPTION:  # 1
        raise InvalidRequestError("the description of a partner is longer than 8 KiB")
    try:
        claims = json.loads(description, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise InvalidRequestError(
            "the description of a partner is not JSON, or says a thing twice"
        ) from None
    return parse_description(claims)  # 2


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    claims = dict(pairs)
    if len(claims) != len(pairs):
        raise ValueError("a name is there twice")
    return claims
