"""The root's CRL: which authorities are revoked. Only its own token can sign it, once a year."""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.ceremony.certificates import find_certificate
from hsm_module.ceremony.files import write_public
from hsm_module.ceremony.home import Home
from signer_core.errors import VerificationError
from signer_core.pki.crl import CrlFrame, encode_list
from signer_core.pki.der import signed

LIFETIME: Final = timedelta(days=400)
RENEW_BEFORE: Final = timedelta(days=60)


def is_root_crl_due(home: Home, now: datetime) -> bool:
    """Say whether the root's CRL is missing, damaged, or near its end."""
    try:
        found = x509.load_der_x509_crl(home.root_crl.read_bytes())
    except (OSError, ValueError):
        return True
    return found.next_update_utc is None or found.next_update_utc - now < RENEW_BEFORE


def ensure_root_crl(home: Home, root_key: ec.EllipticCurvePrivateKey, now: datetime) -> bool:
    """Make the CRL if it is due, with nobody on it; say whether it was made now.

    Raises:
        VerificationError: the root's certificate is missing.
    """
    if not is_root_crl_due(home, now):
        return False
    root = find_certificate(home.certificate("root"))
    if root is None:
        raise VerificationError(f"{home.certificate('root')} is missing")
    tbs = encode_list(CrlFrame(root, int(now.timestamp()), now, now + LIFETIME), ())
    write_public(home.root_crl, signed(tbs, root_key.sign(tbs, ec.ECDSA(hashes.SHA256()))))
    return True
