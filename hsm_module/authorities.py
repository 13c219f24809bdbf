"""The certificates of the vault's own authorities, each found by its key in the token."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from hsm_module.token.port import KeyLabel, Token
from signer_core.errors import InvalidRequestError

ISSUING: Final = KeyLabel("issuing-ca")
DEVICE: Final = KeyLabel("device-ca")
INFRASTRUCTURE: Final = KeyLabel("infrastructure-ca")


@dataclass(frozen=True, slots=True)
class Authorities:
    """Whom the vault issues for."""

    issuing: x509.Certificate  # of people
    device: x509.Certificate  # of phones
    infrastructure: x509.Certificate  # of processes and officers
    root: x509.Certificate

    @property
    def issuers(self) -> dict[KeyLabel, x509.Certificate]:
        """Those whose keys the vault has, by their labels."""
        return {ISSUING: self.issuing, DEVICE: self.device, INFRASTRUCTURE: self.infrastructure}


async def find_authorities(token: Token, ca_chain: Path, root: Path) -> Authorities:
    """Read the certificates (PEM) and match them with the token's keys.

    Raises:
        InvalidRequestError: a file cannot be read, or there is not exactly one certificate for
            each of the three keys, or not exactly one root.
    """
    certificates, roots = _read(ca_chain), _read(root)
    if len(roots) != 1:
        raise InvalidRequestError(f"{root} must hold exactly one certificate, the root")
    return Authorities(
        issuing=await _of_key(token, ISSUING, certificates),
        device=await _of_key(token, DEVICE, certificates),
        infrastructure=await _of_key(token, INFRASTRUCTURE, certificates),
        root=roots[0],
    )


async def _of_key(
    token: Token, label: KeyLabel, certificates: Sequence[x509.Certificate]
) -> x509.Certificate:
    public_key = await token.public_key(label)
    found = [one for one in certificates if one.public_key() == public_key]
    if len(found) != 1:
        raise InvalidRequestError(f"{len(found)} certificates are of the key {label!r}, not one")
    return found[0]


def _read(path: Path) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError:
        raise InvalidRequestError(f"the certificates {path} cannot be read") from None
    except ValueError:
        raise InvalidRequestError(f"{path} holds no certificates in PEM") from None
