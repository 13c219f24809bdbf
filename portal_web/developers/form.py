"""What a developer typed: kept as typed, and what is wrong with it, field by field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from grpc_api.clients.partners import NewSandboxPartner
from portal_web.design.texts import Texts
from signer_core.errors import InvalidRequestError
from signer_core.partners.jwk import PrivateKeyError, parse_public_jwk
from signer_core.partners.names import NameRefusedError, check_name
from signer_core.partners.sandbox import MAX_RETURN_ADDRESSES
from signer_core.pki.web_address import check_web_address

FIELDS: Final = ("name", "return_addresses", "callback_address", "public_jwk")


@dataclass(frozen=True, slots=True)
class Form:
    """One posted form, or an empty one."""

    values: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(FIELDS, ""))
    errors: Mapping[str, str] = field(default_factory=dict)  # by field, in the order of the page

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the return addresses, one a line."""
        return tuple(line for one in self.values["return_addresses"].split("\n") if (line := one))

    def wish(self, source: str) -> NewSandboxPartner:
        """Return what is asked of the signer, for a browser at this IP address."""
        return NewSandboxPartner(
            name=self.values["name"],
            return_addresses=self.addresses,
            callback_address=self.values["callback_address"],
            public_jwk=self.values["public_jwk"],
            source=source,
        )


def check_form(fields: Mapping[str, str], t: Texts) -> Form:
    """Return the form with every mistake that can be told from here, in the page's language."""
    values = {name: _clean(fields.get(name, "")) for name in FIELDS}
    form = Form(values)
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("name", lambda: _check_name(values["name"], t)),
        ("return_addresses", lambda: _check_addresses(form.addresses, t)),
        ("callback_address", lambda: _check_callback(values["callback_address"], t)),
        ("public_jwk", lambda: _check_key(values["public_jwk"], t)),
    )
    errors = {name: wrong for name, check in checks if (wrong := check())}
    return Form(values, errors)


def _clean(text: str) -> str:
    """Take spaces and line ends away that nobody meant."""
    return "\n".join(line.strip() for line in text.replace("\r", "\n").split("\n")).strip()


def _check_name(name: str, t: Texts) -> str:
    try:
        check_name(name)
    except NameRefusedError as error:
        return t(f"developers.wrong.name.{error.rule}")
    return ""


def _check_addresses(addresses: tuple[str, ...], t: Texts) -> str:
    if not addresses:
        return t("developers.wrong.return_addresses.none")
    if len(addresses) > MAX_RETURN_ADDRESSES:
        return t("developers.wrong.return_addresses.many", most=MAX_RETURN_ADDRESSES)
    if len(set(addresses)) != len(addresses):
        return t("developers.wrong.return_addresses.twice")
    return next((wrong for one in addresses if (wrong := _check_address(one, t))), "")


def _check_callback(address: str, t: Texts) -> str:
    return _check_address(address, t) if address else ""


def _check_address(address: str, t: Texts) -> str:
    try:
        check_web_address("it", address)
    except ValueError:
        return t("developers.wrong.address", address=address[:60])
    return ""


def _check_key(text: str, t: Texts) -> str:
    if not text:
        return ""
    try:
        parse_public_jwk(text)
    except PrivateKeyError:
        return t("developers.wrong.key.private")
    except InvalidRequestError:
        return t("developers.wrong.key.other")
    return ""
