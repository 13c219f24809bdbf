"""What a partner is told of a person: from the certificate, and only what the person agreed to."""

from base64 import b64encode
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from signer_core.documents.certificates import common_name, parse_certificate, tax_number
from signer_core.errors import VerificationError
from signer_core.login.latin import in_latin
from signer_core.pki.qualified import find_directory_value

LATIN: Final = "#uk-Latn"  # language tag of a claim (OpenID Connect Core §5.2, BCP 47)


def person_code(certificate: bytes) -> str:
    """Return the person's RNOKPP.

    Raises:
        VerificationError: the certificate (DER) is no citizen's.
    """
    code = tax_number(parse_certificate(certificate))
    if code is None:
        raise VerificationError("the certificate is not a citizen's")
    return code


def identity_claims(certificate: bytes, data: Collection[str]) -> dict[str, str]:
    """Return the claims of these kinds (`statement.DATA`) that the certificate (DER) has."""
    parsed = parse_certificate(certificate)
    claims: dict[str, str | None] = {}
    if "profile" in data:
        claims |= _profile(parsed)
    if "person_code" in data:
        claims["person_code"] = tax_number(parsed)
    if "birthdate" in data:
        claims["birthdate"] = _birthdate(parsed)
    return {name: value for name, value in claims.items() if value}


def signature_claim(statement: str, cades: bytes, chain: Sequence[bytes]) -> dict[str, Any]:
    """Return `diia_signature`: whoever has it can check the login without trusting us.

    `chain` is DER, the person's certificate first (docs/verify-login.md).
    """
    return {
        "statement": statement,
        "cades": b64encode(cades).decode(),
        "certificates": [b64encode(one).decode() for one in chain],
    }


def _profile(certificate: x509.Certificate) -> dict[str, str | None]:
    names = {
        "name": common_name(certificate),
        "given_name": _only(certificate, NameOID.GIVEN_NAME),
        "family_name": _only(certificate, NameOID.SURNAME),
    }
    latin = {name + LATIN: in_latin(value) for name, value in names.items() if value}
    return names | latin


def _only(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    values = [str(one.value) for one in certificate.subject.get_attributes_for_oid(oid)]
    return values[0] if len(values) == 1 else None


def _birthdate(certificate: x509.Certificate) -> str | None:
    """Return the date that a UNZR begins with, as YYYY-MM-DD."""
    digits = (find_directory_value(certificate) or "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat()
    except ValueError:
        return None
