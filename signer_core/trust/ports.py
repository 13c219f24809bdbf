"""What trust services are, wherever they run: the vault signs, signer and portal pass it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

OCSP_TOGETHER: Final = 32  # requests a call: half of what a vault answers at once


@dataclass(frozen=True, slots=True)
class Crl:
    """A CRL of an authority."""

    number: int  # rises with every one
    der: bytes


class TrustServices(Protocol):
    """Answers that anybody may ask for. Each is signed: nobody need believe who passes it on."""

    async def certificate(self, name: str) -> bytes:
        """Return the certificate (DER) of an authority or service, for example `issuing-ca`.

        Raises:
            NotFoundError: there is none of this name.
        """
        ...

    async def crl(self, issuer: str, known_number: int = 0) -> Crl | None:
        """Return the newest CRL of an authority; None if it is the one that the caller knows.

        Raises:
            NotFoundError: there is none of this name.
        """
        ...

    async def answer_ocsps(self, requests: Sequence[bytes]) -> Sequence[bytes]:
        """Answer 1 to 32 OCSP requests (DER all); what is wrong with one is an answer, too.

        Raises:
            InvalidRequestError: there are none, or more.
            UnavailableError: nothing can be said now.
        """
        ...

    async def timestamp(self, request: bytes) -> bytes:
        """Answer a timestamp request (both DER); what is wrong with it is an answer, too.

        Raises:
            UnavailableError: nothing can be said now.
        """
        ...
