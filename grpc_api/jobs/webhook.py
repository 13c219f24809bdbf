"""Alerts by HTTP: the row of the audit log as it is, under a signature."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

import httpx

from grpc_api.jobs.kinds import TryLaterError
from grpc_api.jobs.settings import WebhookSettings
from signer_core.errors import InvalidRequestError

_TIMEOUT_S: Final = 20.0
SIGNATURE: Final = "X-Signature-256"  # sha256=HEX, HMAC over the body


@dataclass(frozen=True, slots=True)
class AlertWebhook:
    """Posts one request an alert; the receiver knows a second one by its Idempotency-Key."""

    settings: WebhookSettings

    async def __call__(self, job_id: str, body: bytes) -> None:
        """Post it.

        Raises:
            TryLaterError: the receiver is away, or did not answer with 2xx.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": job_id}
        if self.settings.secret_file is not None:
            secret = self.settings.secret_file.read_bytes().strip()
            digest = hmac.new(secret, body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"sha256={digest}"
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client:
                answer = await client.post(self.settings.url, content=body, headers=headers)
        except httpx.HTTPError:
            raise TryLaterError("the webhook does not answer") from None
        if not answer.is_success:
            raise TryLaterError(f"the webhook says {answer.status_code}")


def check_url(url: str) -> None:
    """Refuse an address that would send alerts in clear over a network.

    Raises:
        InvalidRequestError: it is neither https nor http on loopback.
    """
    parsed = httpx.URL(url)
    local = parsed.scheme == "http" and parsed.host in ("127.0.0.1", "::1", "localhost")
    if parsed.scheme != "https" and not local:
        raise InvalidRequestError("a webhook is https://, or http:// on this machine")
