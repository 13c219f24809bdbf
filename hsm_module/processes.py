"""Certificates of processes, renewed for those who hold one (docs/adr/0013)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.authorities import INFRASTRUCTURE
from hsm_module.certificates import verify_device_csr
from hsm_module.serials import new_serial
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import Token
from hsm_module.trust.status import record_issued
from signer_core.audit.events import Event
from signer_core.errors import DeniedError, NotFoundError
from signer_core.pki.der import certificate_der
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.process import ProcessNames, issue_process
from signer_core.pki.status import Status
from signer_core.ports import CertificateChain
from signer_core.protocol.renewal import verify_due


@dataclass(frozen=True, slots=True)
class Processes:
    """Renews what its own authority issued; the names and the key stay."""

    store: Store
    token: Token
    authority: x509.Certificate  # of processes
    now: Callable[[], datetime]  # UTC

    async def renew(self, shown: x509.Certificate, csr: bytes) -> CertificateChain:
        """Certify a process anew that showed a certificate in mutual TLS.

        1. The PKCS#10 is of the key of that certificate.
        2. It ends within 30 days, and was not revoked.

        Raises:
            InvalidRequestError: the PKCS#10 (DER) is malformed, or it is too early.
            DeniedError: another key, or the certificate is not good.
            NotFoundError: it has run out.
        """
        key = verify_device_csr(csr)
        if key != shown.public_key():  # 1
            raise DeniedError("a process renews the certificate of its own key only")
        now = self.now()
        verify_due(shown.not_valid_after_utc, now)  # 2
        async with self.store.transaction() as transaction:
            await _verify_good(transaction, shown)
            certificate = await self._issue(shown, key, Issuance(new_serial(), now))
            await record_issued(transaction, INFRASTRUCTURE, certificate, "process")
            name = names_of(shown).dns[0]
            await transaction.record(Event("process-certificate", "renewed", subject=name))
        return CertificateChain(certificate_der(certificate), (certificate_der(self.authority),))

    async def _issue(
        self, shown: x509.Certificate, key: ec.EllipticCurvePublicKey, issuance: Issuance
    ) -> x509.Certificate:
        names = names_of(shown)
        return await self.token.use_key(
            INFRASTRUCTURE,
            lambda signing: issue_process(Issuer(self.authority, signing), issuance, key, names),
        )


async def _verify_good(transaction: Transaction, shown: x509.Certificate) -> None:
    """Check that nobody revoked it; those of an older ceremony have no status."""
    try:
        row = await transaction.statuses.get(
            CertificateName.of(INFRASTRUCTURE, shown.serial_number)
        )
    except NotFoundError:
        return
    if row.status is not Status.GOOD:
        raise DeniedError("a suspended or revoked certificate is not renewed")


def names_of(certificate: x509.Certificate) -> ProcessNames:
    """Return the names in a process's certificate.

    Raises:
        DeniedError: it is not of a process.
    """
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise DeniedError("this certificate is not of a process") from None
    addresses = found.get_values_for_type(x509.IPAddress)
    dns = found.get_values_for_type(x509.DNSName)
    if len(found) != len(dns) + len(addresses) or not dns:  # an officer's has a URI
        raise DeniedError("this certificate is not of a process")
    return ProcessNames(tuple(dns), tuple(IPv4Address(str(one)) for one in addresses))
