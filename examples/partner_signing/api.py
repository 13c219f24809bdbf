"""The partner API, as a program of a partner uses it."""

import base64
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_PAUSE_S = 1.0
_OPEN = ("open", "shown")


class RefusedError(Exception):
    """The portal or the person said no; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class PartnerApi:
    """One partner at one portal; `http` has the base URL, the partner's id and its secret."""

    http: httpx.Client

    def offer(self, files: Sequence[Path], purpose: str, key: str) -> dict[str, Any]:
        """Ask for signatures of these files; the portal sees their hashes only."""
        wanted = [{"name": file.name, "sha256": _sha256(file)} for file in files]
        return self._call(
            "POST",
            "/partner/v1/offers",
            json={"purpose": purpose, "files": wanted},
            headers={"Idempotency-Key": key},
        )

    def wait(self, offer_id: str) -> str:
        """Wait until the person has decided; return the status."""
        while (status := self._call("GET", f"/partner/v1/offers/{offer_id}")["status"]) in _OPEN:
            time.sleep(_PAUSE_S)
        return str(status)

    def collect(self, offer_id: str) -> dict[str, Any]:
        """Take the signatures; it may be repeated."""
        return self._call("POST", f"/partner/v1/offers/{offer_id}/collect")

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        answer = self.http.request(method, path, **arguments)
        if answer.is_error:
            raise RefusedError(answer.json()["title"])
        found: dict[str, Any] = answer.json()
        return found


def _sha256(file: Path) -> str:
    return base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()
