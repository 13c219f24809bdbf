"""Documents in and out of folders: all of a request or nothing, and never half a file."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from portal_web.cli.running import FolderError
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.signing.rules import MAX_FILE_BYTES


def read_pdf(path: Path) -> bytes:
    """Read a PDF to be signed; the signer looks at it more closely.

    Raises:
        InvalidRequestError: it is missing, unreadable, over 20 MiB, or no PDF.
    """
    try:
        with path.open("rb") as file:
            pdf = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise InvalidRequestError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InvalidRequestError(f"{path} is a folder: name a file in it") from None
    except OSError:
        raise InvalidRequestError(f"{path} cannot be read") from None
    if len(pdf) > MAX_FILE_BYTES:
        raise InvalidRequestError(f"{path} is larger than 20 MiB: make it smaller, or split it")
    if b"%PDF-" not in pdf[:1024]:  # ISO 32000-1 annex H.3, note 13
        raise InvalidRequestError(f"{path} is not a PDF")
    return pdf


def check_folder(folder: Path) -> None:
    """Make the output folder if it is missing, and check that a file can be written there.

    Raises:
        FolderError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FolderError(f"{folder} cannot be written: {_reason(error)}") from None


def signed_name(name: str) -> str:
    """Return the name of a signed file: `contract.pdf` becomes `contract.signed.pdf`.

    Raises:
        VerificationError: the name is a path; the signer should never send one.
    """
    if not name or Path(name).name != name or "\\" in name or name.startswith("."):
        raise VerificationError("the signer sent a file name that is a path")
    path = Path(name)
    return f"{path.stem}.signed{path.suffix}"


def write_all(folder: Path, files: Sequence[tuple[str, bytes]]) -> list[Path]:
    """Write files, all or none; one that is there already with the same bytes is fine.

    Raises:
        FolderError: the folder is read-only, the disk full, or another file has the name.
    """
    targets = [folder / name for name, _ in files]
    if len(set(targets)) != len(targets):
        raise FolderError("two of the files have the same name: nothing is written")
    drafts: list[Path] = []
    try:
        for target, (_, data) in zip(targets, files, strict=True):
            _check_free(target, data)
            drafts.append(_write_draft(folder, data))
        for draft, target in zip(drafts, targets, strict=True):
            draft.replace(target)
    except OSError as error:
        raise FolderError(f"{folder} cannot be written: {_reason(error)}") from None
    finally:
        for draft in drafts:
            with suppress(OSError):  # renamed, or the disk is beyond help
                draft.unlink()
    return targets


def _check_free(target: Path, data: bytes) -> None:
    if target.exists() and (not target.is_file() or target.read_bytes() != data):
        raise FolderError(f"{target} is there already: choose another folder")


def _write_draft(folder: Path, data: bytes) -> Path:
    with NamedTemporaryFile(dir=folder, prefix=".signer-", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            Path(file.name).unlink()
            raise
    return Path(file.name)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
