"""The records that the ceremony signed: taken over at every start."""

import json
from pathlib import Path

from signer_core.errors import InvalidRequestError


def read_first(path: Path | None) -> list[str]:
    """Read the file: a JSON list of compact JWS; none at all without a path.

    Raises:
        InvalidRequestError: it cannot be read, or is no such list.
    """
    if path is None:
        return []
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InvalidRequestError(f"{path} has no readable records") from None
    if not isinstance(records, list) or not all(isinstance(one, str) for one in records):
        raise InvalidRequestError(f"{path} is not a list of records")
    return records
