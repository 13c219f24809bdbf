"""Whom each end of the channel trusts: TLS 1.3 only, both ends show certificates, no resumption."""

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from grpc_api.channel.engine import ALPN
from signer_core.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """The device certificate with its chain (PEM, leaf first) and its private key (PEM)."""

    certificate_chain: bytes
    private_key: bytes = field(repr=False)


def device_context(identity: DeviceIdentity, root: bytes) -> ssl.SSLContext:
    """Make the phone's side: it trusts the pinned root (PEM) alone.

    Raises:
        InvalidRequestError: certificate, key or root cannot be read, or do not fit together.
    """
    context = _base(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=root.decode("ascii"))
        _load_from_memory(context, identity)
    except (ssl.SSLError, UnicodeDecodeError):
        raise InvalidRequestError("the certificates of this phone cannot be read") from None
    return context


def vault_context(certificate: Path, key: Path, device_ca: bytes) -> ssl.SSLContext:
    """Make the vault's side: it trusts the device CA (PEM) alone, as an end of the chain.

    No certificate of another CA of the deployment opens a channel, not even under the same root.

    Raises:
        InvalidRequestError: certificate, key or CA cannot be read, or do not fit together.
    """
    context = _base(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.num_tickets = 0
    try:
        context.load_verify_locations(cadata=device_ca.decode("ascii"))
        context.load_cert_chain(certificate, key)
    except (OSError, UnicodeDecodeError):
        raise InvalidRequestError("the certificates of the vault cannot be read") from None
    return context


def _base(side: int) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.options |= ssl.OP_NO_TICKET
    context.set_alpn_protocols([ALPN])
    return context


def _load_from_memory(context: ssl.SSLContext, identity: DeviceIdentity) -> None:
    """Load certificate and key through an anonymous file in memory: ssl takes only paths."""
    with os.fdopen(os.memfd_create("device"), "wb") as file:
        file.write(identity.private_key + b"\n" + identity.certificate_chain)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
