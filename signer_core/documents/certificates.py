"""Reading certificates: whose they are."""

import re
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from signer_core.errors import InvalidRequestError

# ETSI EN 319 412-1 §5.1.3: identity type TIN, country UA, then the 10 digits of the RNOKPP.
_TAX_NUMBER: Final = re.compile(r"TINUA-(\d{10})")


def parse_certificate(der: bytes) -> x509.Certificate:
    """Read a certificate (DER).

    Raises:
        InvalidRequestError: it is not one.
    """
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise InvalidRequestError("the certificate cannot be read") from error


def common_name(certificate: x509.Certificate) -> str | None:
    """Return the subject's common name; None if it has none, or more than one."""
    return _only_value(certificate, NameOID.COMMON_NAME)


def tax_number(certificate: x509.Certificate) -> str | None:
    """Return the RNOKPP (10 digits) of a citizen's certificate, None for any other."""
    match = _TAX_NUMBER.fullmatch(_only_value(certificate, NameOID.SERIAL_NUMBER) or "")
    return match[1] if match else None


def _only_value(certificate: x509.Certificate, name: ObjectIdentifier) -> str | None:
    values = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(name)]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None
