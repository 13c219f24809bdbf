"""What the phone is asked to sign: shown only after the phone has checked all of it itself (§6)."""

from dataclasses import dataclass, field
from typing import Final

from cryptography import x509

from mobile_share.login_statement import verify_login_statement
from mobile_share.ports import RequestStatus, UntrustedRequest
from mobile_share.relying_party import RelyingParty, verify_relying_party
from mobile_share.request_parts import (
    FileToSign,
    Parts,
    verify_parts,
    verify_shown_lines,
    verify_shown_text,
)
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError
from signer_core.identifiers import RequestId
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.offer_link import verification_number
from signer_core.protocol.request import request_hash
from signer_core.protocol.request_kind import RequestKind

__all__ = ["MAX_PURPOSE_CHARS", "FileToSign", "Request", "verify_request", "verify_shown_text"]

MAX_PURPOSE_CHARS: Final = 300
_MAX_NAME_CHARS: Final = 200
_MAX_INITIATOR_CHARS: Final = 200
_MAX_STATEMENT_CHARS: Final = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose every shown part this phone has checked; made by `verify_request` only."""

    request_id: RequestId
    relying_party: RelyingParty
    purpose: str
    files: tuple[FileToSign, ...]  # none of a login, a consent, and of "antibot"
    return_address: str
    expires_at_s: int  # Unix time
    request_hash: bytes  # 32 bytes, of what is shown
    kind: RequestKind = RequestKind.DOCUMENT_SIGNING
    challenge: bytes = b""  # 32 bytes, or none for files
    statement: str = ""  # what the challenge stands for, where the partner says it
    initiator: str = ""  # browser and place that began it, by the signer's word alone: a hint
    offer_id: bytes = b""  # 16 bytes, of a request that came of a link
    to_be_signed: tuple[bytes, ...] = field(default=(), repr=False)  # DER of CMS attributes

    def items(self) -> tuple[Item, ...]:
        """Return the bytes to be signed, in the order of the files."""
        return tuple(Item("cms", one) for one in self.to_be_signed)

    @property
    def verification_number(self) -> str:
        """Four digits that the browser shows as well, of a request that came of a link."""
        return verification_number(self.request_hash) if self.offer_id else ""


def verify_request(
    untrusted: UntrustedRequest,
    documents: tuple[bytes, ...],
    registry: x509.Certificate,
    certificate: x509.Certificate,
    now_s: int,
) -> Request:
    """Check a request against the pinned registry and the key's own certificate.

    `documents`: one for each file that has one to fetch (`size_bytes`), in their order.

    1. It is open, in its time, and of a kind this phone knows.
    2. The relying party's record is the registry's; kind and return address are in it.
    3. Purpose, statement, hint and names are text of their length that a screen shows as it is.
    4. What is signed is what is shown: each document is what its file hash says, no two files are
       the same; the statement of a login or a consent hashes to its challenge, and one that says
       to be a login names this relying party and this return address.
    5. The signed attributes of each file, or of the challenge, sign its hash under this key's
       certificate.
    6. The request hash covers exactly what was checked.

    Raises:
        NotFoundError: it is not open any more.
        InvalidRequestError, VerificationError: at the first that fails.
    """
    kind = _verify_kind(untrusted, now_s)  # 1
    party = _verify_party(untrusted, registry)  # 2
    _verify_text(untrusted)  # 3
    verify_login_statement(untrusted, party)  # 4
    parts = verify_parts(kind, untrusted, documents, certificate, now_s)  # 4, 5
    return Request(
        request_id=untrusted.request_id,
        relying_party=party,
        purpose=untrusted.purpose,
        files=parts.files,
        return_address=untrusted.return_address,
        expires_at_s=untrusted.expires_at_s,
        request_hash=_request_hash(untrusted, parts),  # 6
        kind=kind,
        challenge=untrusted.challenge,
        statement=untrusted.statement,
        initiator=untrusted.initiator,
        offer_id=untrusted.offer_id,
        to_be_signed=parts.to_be_signed,
    )


def _verify_kind(untrusted: UntrustedRequest, now_s: int) -> RequestKind:
    if untrusted.status is not RequestStatus.OPEN:
        raise NotFoundError(f"the request is not open any more: it is {untrusted.status}")
    if untrusted.expires_at_s <= now_s:
        raise NotFoundError("the request has expired")
    try:
        return RequestKind(untrusted.kind)
    except ValueError:
        raise InvalidRequestError(
            "this phone does not know this kind of request: update it"
        ) from None


def _verify_party(untrusted: UntrustedRequest, registry: x509.Certificate) -> RelyingParty:
    party = verify_relying_party(untrusted.relying_party, registry)
    if untrusted.kind not in party.scopes:
        raise VerificationError("the relying party may not ask for this kind of thing")
    if untrusted.return_address and untrusted.return_address not in party.return_addresses:
        raise VerificationError("the return address is not one of the relying party's")
    return party


def _verify_text(untrusted: UntrustedRequest) -> None:
    verify_shown_text(untrusted.purpose, MAX_PURPOSE_CHARS)
    verify_shown_text(untrusted.initiator, _MAX_INITIATOR_CHARS)
    verify_shown_lines(untrusted.statement, _MAX_STATEMENT_CHARS)
    for file in untrusted.files:
        verify_shown_text(file.name, _MAX_NAME_CHARS)
        if file.name in (".", "..") or set("/\\") & set(file.name):
            raise VerificationError("a document's name is not a file name")


def _request_hash(untrusted: UntrustedRequest, parts: Parts) -> bytes:
    return request_hash(
        kind=untrusted.kind,
        relying_party=untrusted.relying_party,
        purpose=untrusted.purpose,
        files=[(file.name, file.file_hash) for file in parts.files],
        return_address=untrusted.return_address,
        challenge=untrusted.challenge,
    )
