"""Which officer is at the other end; only the vault's table says whether it is one."""

import hashlib

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from grpc_api.interceptors.around import Context
from grpc_api.interceptors.peer import peer_certificate
from signer_core.admin.officers import OfficerClaim
from signer_core.errors import DeniedError
from signer_core.pki.officer import find_officer_id


def peer_officer(context: Context) -> OfficerClaim:
    """Return what the peer's certificate says; the listener has verified its chain.

    Raises:
        DeniedError: it is no officer's certificate.
    """
    certificate = peer_certificate(context)
    officer_id = find_officer_id(certificate)
    if officer_id is None:
        raise DeniedError("this certificate is no officer's: use a key file of signer-keys")
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return OfficerClaim(officer_id, hashlib.sha256(spki).digest())
