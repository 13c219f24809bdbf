"""Bodies of the partner API, JSON both ways. The signer judges values; here is their form only."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, PlainSerializer, PlainValidator, WithJsonSchema

from grpc_api.clients.offers import HashedFile, OfferResult, OfferState
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import parse_short
from signer_core.protocol.request_kind import RequestKind

_HASH: Final = re.compile("[0-9a-f]{64}")


def _decode(text: object) -> bytes:
    if isinstance(text, bytes):  # of an answer, never of JSON
        return text
    if not isinstance(text, str):
        raise ValueError("is no text in base64")  # noqa: TRY004  pydantic reports ValueError only
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is no base64") from None


Base64 = Annotated[
    bytes,
    PlainValidator(_decode),
    PlainSerializer(lambda data: base64.b64encode(data).decode()),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]


def _decode_hash(text: object) -> bytes:
    if isinstance(text, bytes):  # of an answer, never of JSON
        return text
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise ValueError("is no SHA-256 in 64 small hexadecimal digits")
    return bytes.fromhex(text)


Hash = Annotated[
    bytes,
    PlainValidator(_decode_hash),
    PlainSerializer(bytes.hex),
    WithJsonSchema({"type": "string", "pattern": _HASH.pattern}),
]


class FileToSign(BaseModel, frozen=True, extra="forbid"):
    """A file to be signed by its hash."""

    name: str  # 1 to 200 characters, no path
    file_hash: Hash  # SHA-256, 32 bytes
    document: Base64 = Field(b"", repr=False)  # for reading on the phone, or none
    media_type: str = ""  # of that document

    def to_offer(self) -> HashedFile:
        """Return it as the signer takes it."""
        return HashedFile(self.name, self.file_hash, self.document, self.media_type)


class NewOfferBody(BaseModel, frozen=True, extra="forbid"):
    """What a partner asks of whoever opens the offer."""

    kind: RequestKind = RequestKind.HASHED_FILES_SIGNING
    purpose: str  # 1 to 300 characters, shown to the person
    files: tuple[FileToSign, ...] = Field((), max_length=64)
    challenge: Base64 = b""  # 32 bytes, for kinds without files
    statement: str = ""  # text whose SHA-256 the challenge is
    return_address: str = ""  # one of the partner's record: where the browser goes afterwards
    ttl_s: int = Field(900, ge=30, le=86_400)  # seconds it stays open
    same_device: bool = False  # the browser is on the phone itself
    person_code: str = Field("", repr=False)  # whose phones alone may open it


@dataclass(frozen=True, slots=True)
class Links:
    """Where an offer is opened."""

    sign_url: str
    phone_link: str = ""


class OfferBody(BaseModel, frozen=True):
    """An offer and its state."""

    offer_id: str  # 32 hexadecimal digits, as in callbacks
    status: str  # open, shown, approved, declined, expired, withdrawn, consumed, burned
    expires_at_s: int  # Unix time
    decline_reason: str = ""
    verification_number: str = ""  # four digits, once it is on a phone's screen
    sign_url: str  # page to send the person's browser to
    phone_link: str  # to open on the phone itself, of an offer of the same device

    @classmethod
    def make(cls, offer_id: OfferId, state: OfferState, links: Links) -> Self:
        """Describe an offer."""
        return cls(
            offer_id=offer_id.hex(),
            status=state.status,
            expires_at_s=state.expires_at_s,
            decline_reason=state.decline_reason,
            verification_number=state.verification_number,
            sign_url=links.sign_url,
            phone_link=links.phone_link,
        )


class SignatureBody(BaseModel, frozen=True):
    """One signature."""

    name: str  # empty: of the challenge
    file_hash: Hash
    signature: Base64  # DER of a detached CMS, CAdES B-B


class CollectBody(BaseModel, frozen=True, extra="forbid"):
    """What collecting takes."""

    return_code: str = (
        ""  # 22 characters, from the address an offer of the same device came back to
    )

    def code(self) -> bytes:
        """Return the code (16 bytes), none where there is none.

        Raises:
            ValueError: it is malformed.
        """
        return parse_short(self.return_code) if self.return_code else b""


class ResultBody(BaseModel, frozen=True):
    """What a person gave."""

    signatures: tuple[SignatureBody, ...]
    certificate: Base64  # DER; empty for antibot
    chain: tuple[Base64, ...]  # DER, the root last
    approved_at_s: int  # Unix time
    antibot_token: Base64  # 32 bytes; empty for other kinds

    @classmethod
    def make(cls, result: OfferResult) -> Self:
        """Describe a result."""
        return cls(
            signatures=tuple(
                SignatureBody(name=one.name, file_hash=one.file_hash, signature=one.signature)
                for one in result.signatures
            ),
            certificate=result.certificate,
            chain=result.chain,
            approved_at_s=result.approved_at_s,
            antibot_token=result.antibot_token,
        )
