"""What a partner wants to offer, before anything is checked against the world."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from signer_core.errors import InvalidRequestError
from signer_core.protocol.request_kind import OF_CHALLENGE, RequestKind
from signer_core.signing import rules
from signer_core.signing.model import Origin

USUAL_TTL_S: Final = 180
MAX_STATEMENT_BYTES: Final = 4096
MAX_INITIATOR_CHARACTERS: Final = 200
KINDS: Final = frozenset(RequestKind) - {RequestKind.DOCUMENT_SIGNING}
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,39}")  # RFC 6838 §4.2


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be signed by its hash, with or without the document for reading."""

    name: str = field(repr=False)
    file_hash: bytes  # SHA-256, 32 bytes
    document: bytes = field(default=b"", repr=False)
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class NewOffer:
    """A caller's wish; the same `idempotency_key` with the same content is the same wish."""

    caller: str  # DNS name of the caller's certificate
    idempotency_key: str
    relying_party_id: str
    kind: str
    purpose: str = field(repr=False)
    return_address: str = field(repr=False)
    challenge: bytes = field(repr=False)
    statement: str = field(repr=False)
    ttl_s: int
    initiator: str = field(repr=False)
    same_device: bool
    person_code: str = field(repr=False)
    files: tuple[NewFile, ...] = ()

    def check(self) -> RequestKind:
        """Check everything that needs no look elsewhere; return the kind.

        1. Kind, texts and time are allowed.
        2. Where a challenge is signed it has 32 bytes, and the statement hashes to it.
        3. Files by hash have 1 to 64 names that are safe, hashes of 32 bytes, no hash twice, and
           documents, where they come, that hash to them.

        Raises:
            InvalidRequestError: at the first that fails.
        """
        if self.kind not in KINDS:  # 1
            raise InvalidRequestError(f"an offer is of one of the kinds {', '.join(sorted(KINDS))}")
        kind = RequestKind(self.kind)
        rules.check_text("the idempotency key", self.idempotency_key, 1, 64)
        rules.check_text("the purpose", self.purpose, 1, rules.MAX_PURPOSE_CHARACTERS)
        rules.check_text("the initiator", self.initiator, 0, MAX_INITIATOR_CHARACTERS)
        rules.check_text("the person code", self.person_code, 0, 64)
        rules.check_ttl(self.ttl_s)
        if kind is RequestKind.HASHED_FILES_SIGNING:
            self._check_files()  # 3
        else:
            self._check_challenge(kind)  # 2
        return kind

    def lasts_s(self) -> int:
        """Return the seconds the offer stays open."""
        return self.ttl_s or USUAL_TTL_S

    def origin(self) -> Origin:
        """Return who asks, with a hash over all that is asked, documents included."""
        asked = [
            self.kind,
            self.purpose,
            self.return_address,
            self.challenge.hex(),
            self.statement,
            self.ttl_s,
            self.initiator,
            self.same_device,
            self.person_code,
            [[f.name, f.file_hash.hex(), len(f.document), f.media_type] for f in self.files],
        ]
        fingerprint = hashlib.sha256(json.dumps(asked).encode()).digest()
        return Origin(self.caller, self.idempotency_key, fingerprint)

    def _check_challenge(self, kind: RequestKind) -> None:
        if self.files:
            raise InvalidRequestError("only hashedFilesSigning has files")
        if len(self.challenge) != 32:
            raise InvalidRequestError("the challenge has 32 bytes, a SHA-256")
        if kind is RequestKind.CONSENT and not self.statement:
            raise InvalidRequestError("a consent has a statement: what the person agrees to")
        if self.statement:
            self._check_statement(kind)

    def _check_statement(self, kind: RequestKind) -> None:
        if kind not in OF_CHALLENGE:
            raise InvalidRequestError("this kind of offer has no statement")
        encoded = self.statement.encode()
        if len(encoded) > MAX_STATEMENT_BYTES:
            raise InvalidRequestError("the statement has at most 4096 bytes")
        for line in self.statement.split("\n"):
            rules.check_text("a line of the statement", line, 0, MAX_STATEMENT_BYTES)
        if not compare_digest(hashlib.sha256(encoded).digest(), self.challenge):
            raise InvalidRequestError("the challenge is not the SHA-256 of the statement")

    def _check_files(self) -> None:
        if self.challenge or self.statement:
            raise InvalidRequestError("files are signed by their hashes: there is no challenge")
        rules.check_names([file.name for file in self.files])
        for file in self.files:
            _check_file(file)
        if len({file.file_hash for file in self.files}) != len(self.files):
            raise InvalidRequestError("two files have the same hash: ask for each once")


def _check_file(file: NewFile) -> None:
    if len(file.file_hash) != 32:
        raise InvalidRequestError("the hash of a file has 32 bytes, a SHA-256")
    if file.media_type and not _MEDIA_TYPE.fullmatch(file.media_type):
        raise InvalidRequestError("a media type looks like application/pdf")
    is_ours = compare_digest(hashlib.sha256(file.document).digest(), file.file_hash)
    if file.document and not is_ours:
        raise InvalidRequestError("a document for reading does not have the hash that is signed")
