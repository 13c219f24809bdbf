"""What the ceremony is to make: the files of `softhsm_config/`, and who is to be named."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hsm_module.token.policy import KeyPolicy
from signer_core.errors import InvalidRequestError
from signer_core.pki.authority import RootAddresses
from signer_core.pki.country import CountryProfile
from signer_core.pki.relying_party import PartnerDescription, parse_description


class TokenPlan(BaseModel, frozen=True, extra="forbid"):
    """One token and its keys."""

    token_label: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    keys: dict[str, KeyPolicy]


class KeyPlan(BaseModel, frozen=True, extra="forbid"):
    """`keys.toml`."""

    serving: TokenPlan
    root: TokenPlan


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the ceremony needs to know beside the folder it works in."""

    module: Path
    conf_template: str  # with {tokens}
    keys: KeyPlan
    relying_parties: tuple[PartnerDescription, ...]
    country: CountryProfile
    organization: str
    vault_id: str
    trust_url: str | None = None  # of the portal, as it stands in the authorities' certificates

    @property
    def root_at(self) -> RootAddresses | None:
        """Return where the root's list and certificate are, None if nobody said."""
        if self.trust_url is None:
            return None
        return RootAddresses(f"{self.trust_url}/crl/root.crl", f"{self.trust_url}/ca/root.cer")


def read_keys(path: Path) -> KeyPlan:
    """Read `keys.toml`.

    Raises:
        InvalidRequestError: it cannot be read, or a key in it is not one the vault can use.
    """
    try:
        return KeyPlan.model_validate(_read_toml(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(f"{path}: {where}: {first['msg']}") from None


def read_relying_parties(path: Path) -> tuple[PartnerDescription, ...]:
    """Read `relying-parties.toml`.

    Raises:
        InvalidRequestError: it cannot be read, or two records have one id.
    """
    tables = _read_toml(path).get("relying_party", [])
    if not isinstance(tables, list):
        raise InvalidRequestError(f"{path}: relying_party is not a list of tables")
    records = tuple(parse_description(table) for table in tables)
    if len({record.id for record in records}) != len(records):
        raise InvalidRequestError(f"{path}: two relying parties have the same id")
    return records


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"{path} is not TOML: {error}") from None
