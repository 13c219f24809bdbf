"""A request in a list, in one line: what does not verify is not repeated, only refused."""

from dataclasses import dataclass

from cryptography import x509

from mobile_share.ports import RequestStatus, UntrustedRequest
from mobile_share.relying_party import verify_relying_party
from mobile_share.requests import MAX_PURPOSE_CHARS, verify_shown_text
from signer_core.errors import VerificationError
from signer_core.identifiers import RequestId


@dataclass(frozen=True, slots=True)
class Summary:
    """Who asks for what. Names are the registry's word, the rest the signer's: see the request."""

    request_id: RequestId
    kind: str
    name_uk: str  # empty where it is refused
    name_en: str
    purpose: str
    documents: int
    expires_at_s: int  # Unix time
    status: RequestStatus
    ended_at_s: int  # Unix time, of one that is over
    refusal: str = ""  # why this phone does not show it


def summarise(untrusted: UntrustedRequest, registry: x509.Certificate) -> Summary:
    """Describe a request; one whose words cannot be believed says only that it is refused."""
    names, purpose, refusal = ("", ""), "", ""
    try:
        party = verify_relying_party(untrusted.relying_party, registry)
        verify_shown_text(untrusted.purpose, MAX_PURPOSE_CHARS)
        names, purpose = (party.name_uk, party.name_en), untrusted.purpose
    except VerificationError as error:
        refusal = str(error)
    return Summary(
        request_id=untrusted.request_id,
        kind=untrusted.kind,
        name_uk=names[0],
        name_en=names[1],
        purpose=purpose,
        documents=sum(bool(file.name) for file in untrusted.files),
        expires_at_s=untrusted.expires_at_s,
        status=untrusted.status,
        ended_at_s=untrusted.ended_at_s,
        refusal=refusal,
    )
