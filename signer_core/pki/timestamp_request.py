"""What a timestamp request asks (RFC 3161 §2.4.1); it may come from anybody."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from asn1crypto import core, tsp

MAX_REQUEST_BYTES: Final = 4096
MAX_NONCE_BITS: Final = 512  # OpenSSL sends 64
_DIGEST_BYTES: Final = {"sha256": 32, "sha384": 48, "sha512": 64}


class TimestampFailure(IntEnum):
    """Why there is no timestamp: bits of PKIFailureInfo."""

    BAD_ALGORITHM = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    SYSTEM_FAILURE = 25


@dataclass(frozen=True, slots=True)
class TimestampRequest:
    """What is to be stamped, and how the answer must look."""

    imprint: bytes  # DER of MessageImprint, as asked: SHA-256, SHA-384 or SHA-512
    nonce: int | None
    policy: str | None  # OID in dots; None: any
    wants_certificate: bool


def parse_timestamp_request(data: bytes) -> TimestampRequest | TimestampFailure:
    """Parse a request; return what is wrong with it as the protocol says it.

    1. It is a TimeStampReq of at most 4 KiB, in DER.
    2. It is of version 1.
    3. The imprint is of a hash that is good enough, and as long as that hash.
    4. It has no extensions: we know none.
    5. Its nonce has at most 512 bits.
    """
    if len(data) > MAX_REQUEST_BYTES:
        return TimestampFailure.BAD_DATA_FORMAT  # 1
    try:
        return _parse(tsp.TimeStampReq.load(data, strict=True))
    # What asn1crypto raises on a type it did not expect depends on where it meets it.
    except (ValueError, TypeError, AttributeError, LookupError):
        return TimestampFailure.BAD_DATA_FORMAT  # 1


def _parse(asked: tsp.TimeStampReq) -> TimestampRequest | TimestampFailure:
    version, imprint, nonce = asked["version"].native, asked["message_imprint"], asked["nonce"]
    algorithm, digest = imprint["hash_algorithm"], imprint["hashed_message"].native
    policy, wants_certificate = asked["req_policy"].native, asked["cert_req"].native
    if version != "v1":  # 2
        return TimestampFailure.BAD_REQUEST
    size = _DIGEST_BYTES.get(algorithm["algorithm"].native)
    if size is None or algorithm["parameters"].native is not None:  # 3; asn1crypto reads them now
        return TimestampFailure.BAD_ALGORITHM
    if len(digest) != size:
        return TimestampFailure.BAD_DATA_FORMAT
    if not isinstance(asked["extensions"], core.Void):  # 4
        return TimestampFailure.UNACCEPTED_EXTENSION
    number = nonce.native
    if number is not None and number.bit_length() > MAX_NONCE_BITS:  # 5
        return TimestampFailure.BAD_REQUEST
    dotted = None if policy is None else asked["req_policy"].dotted
    return TimestampRequest(imprint.dump(), number, dotted, wants_certificate)
