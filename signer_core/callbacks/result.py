"""The body of a callback about an approved offer.

One function, so that another wire (docs/flows/callbacks.md) is another function.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import rfc8785

from signer_core.callbacks.model import Content
from signer_core.login.statement import FIRST_LINE
from signer_core.protocol.request_kind import RequestKind

_KINDS: Final = frozenset({RequestKind.AUTH, RequestKind.HASHED_FILES_SIGNING})


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature of a result."""

    name: str = field(repr=False)  # of the file; empty for a challenge
    file_hash: bytes  # SHA-256, 32 bytes: of the file, or the challenge
    signature: bytes = field(repr=False)  # DER, detached CMS


@dataclass(frozen=True, slots=True)
class Approved:
    """An offer that a person has approved."""

    offer_id: bytes  # 16 bytes
    kind: RequestKind
    signatures: Sequence[Signed]  # in the order of the files


def has_callback(kind: RequestKind, statement: str) -> bool:
    """Tell whether an approved offer of this kind, with this statement, leads to a callback.

    A login goes back through the browser that began it, and says of the person no more than they
    consented to; the certificate in a signature names them.
    """
    return kind in _KINDS and not statement.startswith(FIRST_LINE)


def make_content(approved: Approved) -> Content:
    """Return the result as canonical JSON (RFC 8785)."""
    result: dict[str, Any] = {
        "offer_id": approved.offer_id.hex(),
        "kind": approved.kind.value,
        "status": "approved",
        "signatures": [
            {
                "name": one.name,
                "file_hash": one.file_hash.hex(),
                "signature": base64.b64encode(one.signature).decode(),
            }
            for one in approved.signatures
        ],
    }
    return Content("application/json", rfc8785.dumps(result))
