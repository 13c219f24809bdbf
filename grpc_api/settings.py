"""Settings that every process has."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from signer_core.errors import InvalidRequestError


class TlsSettings(BaseModel, frozen=True, extra="forbid"):
    """A process's own certificate: paths of PEM files."""

    cert: Path  # the leaf, then the infrastructure CA
    key: Path  # mode 0600
    ca: Path  # the root, alone
    vault_addresses: tuple[str, ...] = ()  # host:port: who renews it; the vault renews its own


S = TypeVar("S", bound=BaseModel)


def load_settings(kind: type[S], path: Path) -> S:
    """Read a TOML file into a settings model; relative paths are those of the process.

    Raises:
        InvalidRequestError: the file is missing or malformed, or a field is missing or unknown.
    """
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise InvalidRequestError(f"the settings file {path} cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InvalidRequestError(f"the settings file {path} is no TOML") from None
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise InvalidRequestError(f"{path}: check {fields}") from None
