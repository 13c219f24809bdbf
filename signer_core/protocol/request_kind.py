"""What a person may be asked for (docs/spec/request-hash.md); phone, signer and vault know them."""

from enum import StrEnum
from typing import Final


class RequestKind(StrEnum):
    """Kind of a request, but for those about a key (`signer_core.protocol.key_action`)."""

    DOCUMENT_SIGNING = "documentSigning"  # PDFs, signed in themselves
    HASHED_FILES_SIGNING = "hashedFilesSigning"  # files of any type, signed by their hash
    AUTH = "auth"  # a login: the challenge is signed
    CONSENT = "consent"  # a statement: the challenge is its hash, and signed
    ANTIBOT = "antibot"  # a sign of being human: nothing is signed, the vault is not asked


OF_CHALLENGE: Final = frozenset({RequestKind.AUTH, RequestKind.CONSENT})
DETACHED: Final = OF_CHALLENGE | {RequestKind.HASHED_FILES_SIGNING}  # a CMS beside what is signed
SIGNED: Final = DETACHED | {RequestKind.DOCUMENT_SIGNING}
