"""Records of relying parties, verified under the registry's key."""

from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.identity.statements import verify_statement
from signer_core.pki.relying_party import TYPE, RelyingParty

__all__ = ["RelyingParty", "verify_relying_party"]


def verify_relying_party(token: str, registry: ec.EllipticCurvePublicKey) -> RelyingParty:
    """Check a record, a compact JWS, against the registry's key.

    Raises:
        VerificationError: it is not the registry's, or incomplete.
    """
    return verify_statement(token, TYPE, RelyingParty, registry)
