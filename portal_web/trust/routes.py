"""Trust services over HTTP, without TLS: every answer carries its own signature.

RFC 6960 Appendix A and RFC 5019 §5 for OCSP, RFC 3161 §3.4, RFC 5280 §4.2.1.13 and §4.2.2.1.
"""

import base64
import binascii
import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response

from portal_web.trust.bodies import read_body
from signer_core.errors import SignerError, UnavailableError
from signer_core.pki import ocsp_request, timestamp_request
from signer_core.pki.ocsp import OcspError, error_answer
from signer_core.pki.timestamp import rejection
from signer_core.pki.timestamp_request import TimestampFailure
from signer_core.trust.ports import TrustServices
from signer_core.trust.together import Together

# Whoever is between us and a verifier may keep an answer as long as a revocation may take to show.
KEEP_S: Final = 60
_KEEP: Final = f"max-age={KEEP_S}, public, no-transform, must-revalidate"
_ERROR_BYTES: Final = 5  # an answer of OCSP that says only what is wrong


def trust_routes(trust: TrustServices) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    ocsp = Together(trust.answer_ocsps)

    @routes.get("/ca/{name}.cer")
    async def certificate(name: str) -> Response:
        """Return the certificate of an authority or a trust service."""
        found = await trust.certificate(name)
        return Response(found, 200, {"Cache-Control": _KEEP}, "application/pkix-cert")

    @routes.get("/crl/{issuer}.crl")
    async def crl(issuer: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        """Return the newest CRL of an authority, or nothing if the caller has it."""
        known = _number(if_none_match)
        found = await trust.crl(issuer, known)
        if found is None:
            return Response(None, 304, {"ETag": f'"{known}"', "Cache-Control": _KEEP})
        headers = {"ETag": f'"{found.number}"', "Cache-Control": _KEEP}
        return Response(found.der, 200, headers, "application/pkix-crl")

    @routes.post("/ocsp")
    async def ocsp_post(request: Request) -> Response:
        """Answer the OCSP request in the body."""
        body = await read_body(request, ocsp_request.MAX_REQUEST_BYTES)
        return await _answer_ocsp(ocsp, body, {"Cache-Control": "no-store"})

    @routes.get("/ocsp/{encoded:path}")
    async def ocsp_get(encoded: str) -> Response:
        """Answer the OCSP request in the path: base64, its URL escapes already taken off."""
        return await _answer_ocsp(ocsp, _decode(encoded), {"Cache-Control": _KEEP})

    @routes.post("/tsa")
    async def timestamp(request: Request) -> Response:
        """Stamp what the request in the body asks for."""
        body = await read_body(request, timestamp_request.MAX_REQUEST_BYTES)
        answer = await _timestamp(trust, body)
        headers = {"Cache-Control": "no-store"}
        return Response(answer, 200, headers, "application/timestamp-reply")

    return routes


async def _answer_ocsp(ocsp: Together, asked: bytes | None, headers: dict[str, str]) -> Response:
    try:
        answer = error_answer(OcspError.MALFORMED)
        if asked is not None:
            answer = await ocsp.ask(asked)
    except UnavailableError:
        answer = error_answer(OcspError.TRY_LATER)
    except SignerError:
        answer = error_answer(OcspError.INTERNAL)
    if len(answer) == _ERROR_BYTES:
        headers = {"Cache-Control": "no-store"}
    else:
        headers = headers | {"ETag": f'"{hashlib.sha256(answer).hexdigest()}"'}
    return Response(answer, 200, headers, "application/ocsp-response")


async def _timestamp(trust: TrustServices, asked: bytes | None) -> bytes:
    if asked is None:
        return rejection(TimestampFailure.BAD_DATA_FORMAT)
    try:
        return await trust.timestamp(asked)
    except SignerError:
        return rejection(TimestampFailure.SYSTEM_FAILURE)


def _decode(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded.lstrip("/"), validate=True)  # after a base URL's own
    except (binascii.Error, ValueError):
        return None


def _number(etag: str | None) -> int:
    """Return the CRL number in an ETag of ours, 0 for any other."""
    digits = (etag or "").removeprefix("W/").strip('"')
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) < 19 else 0
