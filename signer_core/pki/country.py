"""What differs between countries in a certificate: a value, read from a TOML text."""

import re
import tomllib
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from signer_core.errors import InvalidRequestError

QcStatement = Literal["compliance", "sscd", "type-esign"]
_OID = r"^[0-2](\.(0|[1-9][0-9]*))+$"


class NumberFormat(BaseModel, frozen=True, extra="forbid"):
    """The form of one of a person's numbers."""

    pattern: str  # a regular expression for the whole number
    check_weights: tuple[int, ...] = ()  # last digit = weighted sum of the others mod 11 mod 10

    def check(self, number: str, name: str) -> None:
        """Check form and check digit.

        Raises:
            InvalidRequestError: not such a number; the message names the kind, not the number.
        """
        if re.fullmatch(self.pattern, number, re.ASCII) is None:
            raise InvalidRequestError(f"the {name} has a wrong form")
        if self.check_weights and int(number[-1]) != self._check_digit(number):
            raise InvalidRequestError(f"the {name} has a wrong check digit")

    def _check_digit(self, number: str) -> int:
        products = (w * int(d) for w, d in zip(self.check_weights, number[:-1], strict=True))
        return sum(products) % 11 % 10


class RecordNumberFormat(NumberFormat, frozen=True, extra="forbid"):
    """A number that the certificate carries as a subject directory attribute."""

    oid: str = Field(pattern=_OID)


class CountryProfile(BaseModel, frozen=True, extra="forbid"):
    """A country, as far as certificates know it; one field a line of `countries/*.toml`."""

    code: str = Field(pattern=r"^[A-Z]{2}$")
    languages: tuple[str, ...] = Field(min_length=1)
    serial_number: str  # of the subject, with {rnokpp} for the number
    policy_oid: str = Field(pattern=_OID)
    qc_statements: frozenset[QcStatement]
    rnokpp: NumberFormat
    unzr: RecordNumberFormat

    def subject_serial_number(self, rnokpp: str) -> str:
        """Return the subject's serialNumber, for example `TINUA-1234567899`."""
        return self.serial_number.replace("{rnokpp}", rnokpp)


def parse_country(toml_text: str) -> CountryProfile:
    """Parse a country profile.

    Raises:
        InvalidRequestError: not TOML, or not a profile; the message names the first wrong field.
    """
    try:
        return CountryProfile.model_validate(tomllib.loads(toml_text), strict=False)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequestError(f"the country profile is not TOML: {error}") from None
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InvalidRequestError(f"the country profile is wrong at {field!r}") from None
