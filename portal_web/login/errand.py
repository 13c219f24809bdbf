"""One login under way: what its browser carries, encrypted, from the beginning to the code."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Self

from portal_web.login.parameters import LoginRequest
from signer_core.identifiers import OfferId
from signer_core.login.logins import OfferClaim
from signer_core.login.statement import LoginStatement

# Of an authorization request, what is needed to answer it.
_KEPT: Final[tuple[str, ...]] = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


@dataclass(frozen=True, slots=True)
class Errand:
    """The login of one browser; `to_content` and `of_content` are each other's inverse."""

    parameters: Mapping[str, str] = field(repr=False)  # of the authorization request
    party: Mapping[str, str]  # name of the partner by language
    offer_id: OfferId
    collector: bytes = field(repr=False)  # 32 bytes
    begun_s: int  # Unix time of the statement
    same_device: bool
    return_code: bytes = field(default=b"", repr=False)  # 16 bytes, once the phone came back

    @staticmethod
    def kept(request: LoginRequest) -> dict[str, str]:
        """Return the parameters that an errand keeps; the scope is the granted one."""
        data = request.payload.data
        return {name: data[name] for name in _KEPT if name in data} | {"scope": request.scope}

    def with_return_code(self, code: bytes) -> "Errand":
        """Return it as it is once the phone came back."""
        return replace(self, return_code=code)

    def statement(self, issuer: str) -> LoginStatement:
        """Return what the person signs."""
        at = datetime.fromtimestamp(self.begun_s, UTC)
        return make_statement(issuer, self.parameters, at)

    @property
    def claim(self) -> OfferClaim:
        """Return what shows that this browser may have the result."""
        return OfferClaim(self.offer_id, self.collector, self.return_code)

    def to_content(self) -> dict[str, Any]:
        """Return it as JSON of short names: a cookie has 4 KB."""
        return {
            "p": dict(self.parameters),
            "n": dict(self.party),
            "o": _encode(self.offer_id),
            "c": _encode(self.collector),
            "t": self.begun_s,
            "d": self.same_device,
            "r": _encode(self.return_code),
        }

    @classmethod
    def of_content(cls, content: Mapping[str, Any]) -> Self:
        """Read it from a cookie of ours."""
        return cls(
            parameters=content["p"],
            party=content["n"],
            offer_id=OfferId(_decode(content["o"])),
            collector=_decode(content["c"]),
            begun_s=content["t"],
            same_device=content["d"],
            return_code=_decode(content["r"]),
        )


def make_statement(issuer: str, parameters: Mapping[str, str], at: datetime) -> LoginStatement:
    """Return the statement of an authorization request."""
    return LoginStatement.make(
        issuer,
        parameters["client_id"],
        parameters["redirect_uri"],
        parameters.get("nonce", ""),
        at,
        parameters["scope"],
    )


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text)
