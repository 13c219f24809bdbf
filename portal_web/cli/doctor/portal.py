"""The portal and the trust services behind it, asked as a verifier asks them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from grpc_api.clients.checkup import Row
from signer_core.diagnostics import Finding, Verdict

_TIMEOUT_S: Final = 5.0
# How long a CRL must still be good: the vault makes one every hour, the ceremony once a year.
_LEFT: Final[Mapping[str, timedelta]] = {
    "issuing-ca": timedelta(hours=12),
    "device-ca": timedelta(hours=12),
    "infrastructure-ca": timedelta(hours=12),
    "root": timedelta(days=30),
}
_AWAY: Final = "is the portal running? its log says why not: var/log/portal.jsonl"


async def examine_portal(address: str, now: datetime) -> Sequence[Row]:
    """Ask for health, every CRL and an OCSP answer."""
    async with httpx.AsyncClient(base_url=address, timeout=_TIMEOUT_S, trust_env=False) as web:
        found = [await _health(web)]
        if found[0].verdict is Verdict.GOOD:
            lists = (_crl(web, issuer, left, now) for issuer, left in _LEFT.items())
            found += await asyncio.gather(*lists, _ocsp(web))
    return [Row("portal", one) for one in found]


async def _health(web: httpx.AsyncClient) -> Finding:
    try:
        answer = await web.get("/health")
    except httpx.HTTPError:
        return Finding("health", Verdict.BAD, "it does not answer", _AWAY)
    if answer.status_code != httpx.codes.OK:
        return Finding("health", Verdict.BAD, "the signer does not answer it", "is it running?")
    return Finding("health", Verdict.GOOD, "answers")


async def _crl(web: httpx.AsyncClient, issuer: str, left: timedelta, now: datetime) -> Finding:
    check = f"CRL of {issuer}"
    advice = "bring the root token and run the ceremony" if issuer == "root" else "look at vault"
    try:
        der = (await web.get(f"/crl/{issuer}.crl")).raise_for_status().content
        crl = x509.load_der_x509_crl(der)
    except (httpx.HTTPError, ValueError):
        return Finding(check, Verdict.BAD, "it cannot be had", advice)
    until = crl.next_update_utc
    if until is None or until <= now:
        return Finding(check, Verdict.BAD, "it has ended: verifiers refuse signatures", advice)
    says = f"{len(crl)} certificates, good until {until:%Y-%m-%d %H:%M} UTC"
    verdict = Verdict.GOOD if until - now > left else Verdict.WARNING
    return Finding(check, verdict, says, advice)


async def _ocsp(web: httpx.AsyncClient) -> Finding:
    """Ask about the timestamping unit's certificate, which every system has."""
    advice = "look at the logs of portal, signer and vault"
    try:
        issuing = await _certificate(web, "issuing-ca")
        builder = ocsp.OCSPRequestBuilder().add_certificate(
            await _certificate(web, "tsa"), issuing, hashes.SHA256()
        )
        request = builder.build().public_bytes(Encoding.DER)
        sent = await web.post("/ocsp", content=request)
        answer = ocsp.load_der_ocsp_response(sent.raise_for_status().content)
        status = answer.certificate_status
    except (httpx.HTTPError, ValueError):
        return Finding("OCSP and TSA", Verdict.BAD, "no answer that can be read", advice)
    if status is not ocsp.OCSPCertStatus.GOOD:
        says = f"the timestamping unit's certificate is {status.name.lower()}"
        return Finding("OCSP and TSA", Verdict.BAD, says, advice)
    return Finding("OCSP and TSA", Verdict.GOOD, "the timestamping unit's certificate is good")


async def _certificate(web: httpx.AsyncClient, name: str) -> x509.Certificate:
    answer = (await web.get(f"/ca/{name}.cer")).raise_for_status()
    return x509.load_der_x509_certificate(answer.content)
