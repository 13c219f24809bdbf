"""What a partner sends: JSON, every field of its own type, nothing beside them."""

from typing import Final

from pydantic import BaseModel, Field, ValidationError

from grpc_api.clients.offers import HashedFile, NewOffer
from signer_core.errors import InvalidRequestError
from signer_core.protocol.request_kind import RequestKind

MAX_BYTES: Final = 65_536  # 64 files with names of 200 characters, and room


class FileBody(BaseModel, frozen=True, extra="forbid", strict=True):
    """A file to be signed."""

    name: str = Field(min_length=1, max_length=200)
    file_hash: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256


class SigningBody(BaseModel, frozen=True, extra="forbid", strict=True):
    """A wish for signatures; the signer checks what its fields say."""

    purpose: str = Field(min_length=1, max_length=300)  # shown to the person
    idempotency_key: str = Field(min_length=1, max_length=64)
    files: list[FileBody] = Field(min_length=1, max_length=64)
    person_code: str = Field(default="", max_length=64)  # whose phones alone may open it
    ttl_s: int = Field(default=0, ge=0, le=86_400)  # 30 to 86400; 0: 180

    def offer_of(self, partner_id: str) -> NewOffer:
        """Return the offer that this partner wants."""
        return NewOffer(
            relying_party_id=partner_id,
            kind=RequestKind.HASHED_FILES_SIGNING,
            purpose=self.purpose,
            idempotency_key=self.idempotency_key,
            ttl_s=self.ttl_s,
            same_device=True,
            person_code=self.person_code,
            files=[HashedFile(one.name, bytes.fromhex(one.file_hash)) for one in self.files],
        )


def parse_body(body: bytes | None) -> SigningBody:
    """Parse a request's body; None if it was too long.

    Raises:
        InvalidRequestError: it is malformed; the text names the first field that is.
    """
    if body is None:
        raise InvalidRequestError("the body is too long: at most 64 KiB")
    try:
        return SigningBody.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidRequestError(f"{where}: {first['msg']}") from None
