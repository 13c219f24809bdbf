"""The signed records of relying parties: `public/relying-parties.json`."""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hsm_module.ceremony.files import write_public
from hsm_module.ceremony.processes import KeyUser
from signer_core.pki.relying_party import RelyingParty, sign_relying_party


def ensure_records(
    path: Path,
    records: tuple[RelyingParty, ...],
    public_key: ec.EllipticCurvePublicKey,
    key_user: KeyUser,
) -> bool:
    """Sign the records unless the file has exactly them; return whether it was written."""
    wanted = [record.model_dump(mode="json") for record in records]
    if _read(path, public_key) == wanted:
        return False
    key = key_user("registry")
    signed = [sign_relying_party(record, key) for record in records]
    write_public(path, json.dumps(signed, indent=1).encode() + b"\n")
    return True


def _read(path: Path, public_key: ec.EllipticCurvePublicKey) -> object:
    """Return the claims of the file's records, None if any does not verify."""
    key = ECKey.import_key(public_key)
    try:
        tokens = json.loads(path.read_bytes())
        return [
            json.loads(jws.deserialize_compact(token, key, ["ES256"]).payload) for token in tokens
        ]
    except (OSError, ValueError, TypeError, JoseError):
        return None
