"""State of a signature request at the signer, for phones and internal callers alike."""

from enum import StrEnum


class RequestStatus(StrEnum):
    """State of a signature request; all but `OPEN` are final."""

    OPEN = "open"
    CONSUMED = "consumed"  # signed
    DECLINED = "declined"
    EXPIRED = "expired"
    BURNED = "burned"  # void after a session that ended badly
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"  # by one under the person's new key
