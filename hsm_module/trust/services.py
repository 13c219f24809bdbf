"""The vault's trust services together (`signer_core.trust.ports.TrustServices`)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography import x509

from hsm_module.token.port import KeyLabel
from hsm_module.trust.context import TrustContext
from hsm_module.trust.crl_office import CrlOffice
from hsm_module.trust.responder import RESPONDER, Responder
from hsm_module.trust.timestamping import TimestampingUnit
from signer_core.errors import InvalidRequestError, NotFoundError, UnavailableError
from signer_core.pki.der import certificate_der
from signer_core.trust.ports import OCSP_TOGETHER, Crl

AT_ONCE: Final = 64  # answers being made: whoever signs with a PIN waits for few of them
_ROOT: Final = "root"


class VaultTrust:
    """Mutable: it counts the answers being made."""

    def __init__(self, trust: TrustContext, root_crl: Path | None = None) -> None:
        """Put the services together; `root_crl` is DER, made with the root's key."""
        self._trust, self._root_crl = trust, root_crl
        self.crls = CrlOffice(trust)
        self._responder, self._timestamping = Responder(trust), TimestampingUnit(trust)
        self._running = 0

    async def certificate(self, name: str) -> bytes:
        """Return the certificate (DER) of root, authority, responder or timestamping unit.

        Raises:
            NotFoundError: there is none of this name.
        """
        authorities = self._trust.authorities
        if name == _ROOT:
            return certificate_der(authorities.root)
        found = authorities.issuers.get(KeyLabel(name))
        if found is not None:
            return certificate_der(found)
        own = {one.label: one for one in (RESPONDER, self._timestamping.profile)}
        if name not in own:
            raise NotFoundError("there is no such certificate")
        return certificate_der(await self._trust.own.get(own[KeyLabel(name)]))

    async def crl(self, issuer: str, known_number: int = 0) -> Crl | None:
        """Return the newest CRL of an authority; None if it is the one that the caller knows.

        Raises:
            NotFoundError: there is none of this name.
        """
        if issuer == _ROOT:
            return self._read_root_crl(known_number)
        found = await self.crls.get(KeyLabel(issuer), known_number)
        return None if found is None else Crl(found.number, found.der)

    async def answer_ocsps(self, requests: Sequence[bytes]) -> Sequence[bytes]:
        """Answer 1 to 32 OCSP requests; see `Responder.answer`."""
        if not 0 < len(requests) <= OCSP_TOGETHER:
            raise InvalidRequestError(f"ask for 1 to {OCSP_TOGETHER} OCSP answers at once")
        with self._counted(len(requests)):
            return await self._responder.answer(requests)

    async def timestamp(self, request: bytes) -> bytes:
        """Answer a timestamp request; see `TimestampingUnit.stamp`."""
        with self._counted():
            return await self._timestamping.stamp(request)

    @contextmanager
    def _counted(self, answers: int = 1) -> Iterator[None]:
        if self._running + answers > AT_ONCE:
            raise UnavailableError("too many answers are being made: try again")
        self._running += answers
        try:
            yield
        finally:
            self._running -= answers

    def _read_root_crl(self, known_number: int) -> Crl | None:
        """Read the file anew: the root's ceremony may have replaced it."""
        try:
            data = self._root_crl.read_bytes() if self._root_crl else b""
            parsed = x509.load_der_x509_crl(data)
            number = parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        except OSError:
            raise NotFoundError("the root's CRL is not made: run the ceremony") from None
        except (ValueError, x509.ExtensionNotFound):
            raise InvalidRequestError("the root's CRL cannot be read") from None
        return None if number == known_number else Crl(number, data)
