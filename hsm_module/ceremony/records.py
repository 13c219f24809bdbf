"""The signed records of relying parties: `public/relying-parties.json`."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.ceremony.files import write_public
from hsm_module.ceremony.processes import KeyUser
from signer_core.errors import VerificationError
from signer_core.identity.relying_party import verify_relying_party
from signer_core.pki.relying_party import PartnerDescription, sign_relying_party


def ensure_records(
    path: Path,
    wanted: Sequence[PartnerDescription],
    public_key: ec.EllipticCurvePublicKey,
    key_user: KeyUser,
    now: datetime,
) -> bool:
    """Sign the records unless the file has exactly them; return whether it was written."""
    if _read(path, public_key) == list(wanted):
        return False
    key = key_user("registry")
    at_s = int(now.timestamp())
    signed = [sign_relying_party(one.issued(at_s), key) for one in wanted]
    write_public(path, json.dumps(signed, indent=1).encode() + b"\n")
    return True


def _read(path: Path, public_key: ec.EllipticCurvePublicKey) -> list[PartnerDescription] | None:
    """Return what the file's records say, None if any does not verify."""
    try:
        tokens = json.loads(path.read_bytes())
        return [verify_relying_party(one, public_key).description() for one in tokens]
    except (OSError, ValueError, TypeError, AttributeError, VerificationError):
        return None
