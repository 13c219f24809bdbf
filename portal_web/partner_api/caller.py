"""Which partner calls: by its id and secret (RFC 7617), checked by the signer."""

import base64
import binascii
from typing import Protocol

from fastapi import HTTPException, Request

from grpc_api.clients.partners import Partner
from signer_core.errors import DeniedError, NotFoundError

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="partner", charset="UTF-8"'}
_MAX_CHARACTERS = 512


class Partners(Protocol):
    """The part of `grpc_api.clients.partners.PartnersClient` that is needed here."""

    async def get(self, partner_id: str) -> Partner:
        """Return a partner that is not suspended."""
        ...

    async def check_secret(self, partner_id: str, secret: str) -> None:
        """Check a partner's secret."""
        ...


async def authenticate(partners: Partners, request: Request) -> Partner:
    """Return the partner that calls.

    Raises:
        HTTPException: 401: there is no id and secret, or they are not a partner's.
        DeniedError: the partner is suspended.
        UnavailableError: the signer is away, or there were too many wrong secrets.
    """
    partner_id, secret = _credentials(request.headers.get("authorization", ""))
    try:
        await partners.check_secret(partner_id, secret)
    except (DeniedError, NotFoundError):
        raise _unknown() from None
    return await partners.get(partner_id)


def _credentials(header: str) -> tuple[str, str]:
    kind, _, encoded = header.partition(" ")
    try:
        if kind.lower() != "basic" or len(encoded) > _MAX_CHARACTERS:
            raise _unknown()
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        raise _unknown() from None
    partner_id, colon, secret = text.partition(":")
    if not colon:
        raise _unknown()
    return partner_id, secret


def _unknown() -> HTTPException:
    return HTTPException(401, "send the partner's id and secret with HTTP Basic", _CHALLENGE)
