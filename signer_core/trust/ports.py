"""What trust services are, wherever they run: the vault signs, signer and portal pass it on."""

from dataclasses import dataclass
from typing import Protocol


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

    async def answer_ocsp(self, request: bytes) -> bytes:
        """Answer an OCSP request (both DER); what is wrong with it is an answer, too.

        Raises:
            UnavailableError: nothing can be said now.
        """
        ...

    async def timestamp(self, request: bytes) -> bytes:
        """Answer a timestamp request (both DER); what is wrong with it is an answer, too.

        Raises:
            UnavailableError: nothing can be said now.
        """
        ...
