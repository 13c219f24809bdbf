"""The certificate of the registry key, which signs the records of relying parties."""

from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under

LIFETIME: Final = timedelta(days=5 * 365)

# Our own extended key usage, so that no other certificate under the root passes for the registry's.
# 2.25 is the arc of UUIDs (ITU-T X.667): 2d6432f9-9a90-46ba-ae90-9e23b2c027d6
REGISTRY_USAGE: Final = x509.ObjectIdentifier("2.25.60335523392302456518704198905866758102")


def issue_registry(
    root: Issuer, issuance: Issuance, public_key: ec.EllipticCurvePublicKey, name: x509.Name
) -> x509.Certificate:
    """Issue the registry's certificate: it signs records, and is critical about it."""
    builder = (
        end_entity(start_under(root, issuance, public_key, name, LIFETIME))
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([REGISTRY_USAGE]), critical=True)
    )
    return finish(builder, root)
