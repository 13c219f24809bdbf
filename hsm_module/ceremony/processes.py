"""What each process gets: a TLS key, its certificate, the root; some a key for statements."""

from collections.abc import Callable, Iterable
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hsm_module.ceremony.authorities import Authorities
from hsm_module.ceremony.certificates import (
    check_certificate,
    ensure_private_key,
    find_certificate,
    is_due,
    pem,
)
from hsm_module.ceremony.files import write_public
from hsm_module.ceremony.home import Home
from hsm_module.serials import new_serial
from signer_core.errors import VerificationError
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.process import ProcessNames, issue_process

_LOOPBACK: Final = (IPv4Address("127.0.0.1"),)
_INFRASTRUCTURE: Final = "infrastructure-ca"

KeyUser = Callable[[str], ec.EllipticCurvePrivateKey]  # opens the serving token when first called


def process_names(vault_id: str) -> dict[str, ProcessNames]:
    """Return the names of every process; all listen on loopback on one machine."""
    names = {
        name: ProcessNames((f"{name}.internal", "localhost"), _LOOPBACK)
        for name in ("signer", "registrar", "portal", "worker", "officer", "health")
    }
    vault = ("vault.internal", f"{vault_id}.vault.internal", "localhost")
    return {"vault": ProcessNames(vault, _LOOPBACK)} | names


def ensure_processes(
    home: Home, vault_id: str, authorities: Authorities, key_user: KeyUser, now: datetime
) -> list[str]:
    """Make what is missing or due; return the names of processes with a new certificate."""
    made = []
    names_of_all = process_names(vault_id)
    for name, names in names_of_all.items():
        folder = home.path / name / "tls"
        key = ensure_private_key(folder / "key.pem")
        write_public(folder / "ca.pem", pem(authorities.root))
        infrastructure = authorities.below[_INFRASTRUCTURE]
        if not _is_good(folder / "cert.pem", key, names, infrastructure, now):
            issuance = Issuance(new_serial(), now)
            issuer = Issuer(infrastructure, key_user(_INFRASTRUCTURE))
            leaf = issue_process(issuer, issuance, key.public_key(), names)
            write_public(folder / "cert.pem", pem(leaf, infrastructure))
            made.append(name)
    _enter_all(home, names_of_all, now)
    return made


def _enter_all(home: Home, processes: Iterable[str], now: datetime) -> None:
    """Enter what is in use into the book that gives it a status at the vault's next start.

    What was in use before stays in it until it runs out.
    """
    book = home.process_certificates
    try:
        known = x509.load_pem_x509_certificates(book.read_bytes())
    except OSError:
        known = []  # the first
    except ValueError:
        raise VerificationError(f"{book} holds no certificates: restore or remove it") from None
    in_use = [find_certificate(home.path / name / "tls" / "cert.pem") for name in processes]
    entries = dict.fromkeys([*known, *(one for one in in_use if one is not None)])
    write_public(book, pem(*(one for one in entries if one.not_valid_after_utc > now)))


def _is_good(
    path: Path,
    key: ec.EllipticCurvePrivateKey,
    names: ProcessNames,
    issuer: x509.Certificate,
    now: datetime,
) -> bool:
    """Say whether the certificate can stay. Unlike an authority's, it may be made again freely."""
    try:
        found = find_certificate(path)
        if found is None or is_due(found, now):
            return False
        check_certificate(found, path, key.public_key(), issuer)
    except VerificationError:
        return False
    extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return extension.value.get_values_for_type(x509.DNSName) == list(names.dns)


def ensure_statement_keys(home: Home) -> list[str]:
    """Make the keys that processes sign statements with: the registrar's, and of callbacks.

    Returns which were made now.

    Raises:
        VerificationError: a key is lost while its public half is in use, or is another one.
    """
    places = {
        "registrar": (home.path / "registrar" / "signing-key.pem", home.public / "registrar.pem"),
        "callbacks": (home.path / "signer" / "callback-key.pem", home.public / "callbacks.pem"),
    }
    return [name for name, (path, public) in places.items() if _ensure_pair(path, public)]


def _ensure_pair(path: Path, public: Path) -> bool:
    is_new = not path.exists()
    if is_new and public.exists():
        raise VerificationError(f"{path} is lost, but {public} is in use: restore it")
    spki = ensure_private_key(path).public_key()
    text = spki.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if public.exists() and public.read_bytes() != text:
        raise VerificationError(f"{public} is of another key than {path}: restore one of them")
    write_public(public, text)
    return is_new
