"""What a seal key signs: CMS signed attributes of two forms, and nothing else.

Of a PAdES seal: those of `cms_attributes`. Of a detached CAdES seal: those of `cades_attributes`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Final, Literal

from signer_core.errors import VerificationError
from signer_core.protocol.to_be_signed.cades_attributes import CLOCK_TOLERANCE, read_cades
from signer_core.protocol.to_be_signed.cms_attributes import encode_cms

SealForm = Literal["pades", "cades"]


@dataclass(frozen=True, slots=True)
class SealToBeSigned:
    """Attributes that `verify_seal` found to be of this seal's own certificate."""

    der: bytes  # SET OF Attribute
    digest: bytes  # 32 bytes, SHA-256 of `der`: what ECDSA signs
    form: SealForm


def verify_seal(der: bytes, *, certificate_sha256: bytes, now: datetime) -> SealToBeSigned:
    """Check attributes before a seal key signs them.

    `certificate_sha256`: SHA-256 of the DER of the seal's certificate, 32 bytes. `now` is the
    time of whoever holds the key.

    1. The bytes are those of one of the two forms, around some digest, and of this certificate.
    2. A signing time is at most five minutes away from `now`.

    Raises:
        VerificationError: at the first that fails.
    """
    digest = hashlib.sha256(der).digest()
    if len(der) == _PADES_LENGTH:
        if compare_digest(der, encode_cms(der[_PADES_DIGEST], certificate_sha256)):  # 1
            return SealToBeSigned(der, digest, "pades")
        raise VerificationError("the bytes to be sealed are not the attributes of a seal")
    try:
        _, claimed = read_cades(der, certificate_sha256)  # 1
    except VerificationError:
        raise VerificationError("the bytes to be sealed are not the attributes of a seal") from None
    if abs(claimed - now) > CLOCK_TOLERANCE:  # 2
        raise VerificationError("the time of sealing is not now: are the clocks right?")
    return SealToBeSigned(der, digest, "cades")


_PADES_MARK: Final = encode_cms(b"\xaa" * 32, b"\xbb" * 32)
_PADES_LENGTH: Final = len(_PADES_MARK)
_PADES_DIGEST: Final = slice(_PADES_MARK.index(b"\xaa" * 32), _PADES_MARK.index(b"\xaa" * 32) + 32)
