"""What `signer verify` does; apart from its command because pyHanko takes a second to load."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from portal_web.cli.verify_view import print_error, print_reports
from signer_core.documents import MAX_PDF_BYTES, InvalidSignature, SignatureReport, verify_pdf
from signer_core.errors import InvalidRequestError

DEFAULT_ROOT: Final = Path("var/public/root.pem")
DEFAULT_CHAIN: Final = Path("var/public/ca-chain.pem")

ALL_VALID: Final = 0
NOT_VALID: Final = 1
NO_SIGNATURE: Final = 2
UNREADABLE: Final = 3


def verify_file(file: Path, trust: Path, *, as_json: bool) -> None:
    """Print a report on each signature, and end the command with its exit code."""
    try:
        reports = _verify(file, trust)
    except InvalidRequestError as error:
        print_error(file, str(error), as_json=as_json)
        raise typer.Exit(UNREADABLE) from None
    print_reports(file, reports, as_json=as_json)
    raise typer.Exit(_exit_code(reports))


def _verify(file: Path, trust: Path) -> list[SignatureReport]:
    pdf = _read(file, MAX_PDF_BYTES)
    # The CAs in between help to build a chain; they are not trusted by themselves.
    between = _read_pem(DEFAULT_CHAIN) if trust == DEFAULT_ROOT and DEFAULT_CHAIN.exists() else []
    return verify_pdf(
        pdf, trust_roots=_read_pem(trust), other_certificates=between, now=datetime.now(UTC)
    )


def _exit_code(reports: Sequence[SignatureReport]) -> int:
    if not reports:
        return NO_SIGNATURE
    return NOT_VALID if any(isinstance(r, InvalidSignature) for r in reports) else ALL_VALID


def _read(path: Path, limit_bytes: int) -> bytes:
    """Read a file, at most one byte more than allowed: enough to see that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except FileNotFoundError:
        raise InvalidRequestError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InvalidRequestError(f"{path} is a folder: name a file in it") from None
    except PermissionError:
        raise InvalidRequestError(f"you may not read {path}") from None
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read") from error


def _read_pem(path: Path) -> list[bytes]:
    try:
        certificates = x509.load_pem_x509_certificates(_read(path, MAX_PDF_BYTES))
    except ValueError as error:
        raise InvalidRequestError(f"{path} holds no certificates in PEM") from error
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]
