"""TLS of gRPC listeners and clients. There is no plaintext mode."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from grpc_api.server_options import CLIENT_OPTIONS
from signer_core.errors import InvalidRequestError, UnavailableError

if TYPE_CHECKING:  # pydantic and the phone's channel would slow the start of every command
    from grpc_api.channel.contexts import DeviceIdentity
    from grpc_api.settings import TlsSettings


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """`TlsSettings` for who has no settings file."""

    cert: Path
    key: Path
    ca: Path


_IN_TURN = '{"loadBalancingConfig": [{"round_robin": {}}]}'


def internal_server_credentials(tls: "TlsSettings") -> grpc.ServerCredentials:
    """Demand a client certificate under the root; who may call what is the allow-list's matter."""
    return _server_credentials(tls, _read(tls.ca))


def phone_server_credentials(tls: "TlsSettings", device_ca: bytes) -> grpc.ServerCredentials:
    """Demand a client certificate of the device CA (PEM), as an end of the chain."""
    return _server_credentials(tls, device_ca)


def enrolment_server_credentials(tls: "TlsSettings") -> grpc.ServerCredentials:
    """Ask for no client certificate: a phone that enrols has none yet."""
    return grpc.ssl_server_credentials([(_read(tls.key), _read(tls.cert))])


def internal_channel(
    address: str, server_name: str, tls: "TlsSettings | TlsFiles"
) -> grpc.aio.Channel:
    """Connect one process to another, for example to `vault.internal` at 127.0.0.1:7446."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(tls.ca),
        private_key=_read(tls.key),
        certificate_chain=_read(tls.cert),
    )
    return _channel(address, server_name, credentials)


def officer_channel(
    address: str, server_name: str, identity: tuple[bytes, bytes], root: bytes
) -> grpc.aio.Channel:
    """Connect an officer whose key is in memory only; `identity` is key and certificates (PEM)."""
    credentials = grpc.ssl_channel_credentials(root, *identity)
    return _channel(address, server_name, credentials)


def device_grpc_channel(
    address: str, server_name: str, identity: "DeviceIdentity", root: bytes
) -> grpc.aio.Channel:
    """Connect an enrolled phone to the signer; it trusts the pinned root (PEM) alone."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=root,
        private_key=identity.private_key,
        certificate_chain=identity.certificate_chain,
    )
    return _channel(address, server_name, credentials)


def enrolment_channel(address: str, server_name: str, root: bytes) -> grpc.aio.Channel:
    """Connect a phone that has no certificate yet to the signer's enrolment listener."""
    return _channel(address, server_name, grpc.ssl_channel_credentials(root_certificates=root))


def _server_credentials(tls: "TlsSettings", trusted: bytes) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(_read(tls.key), _read(tls.cert))],
        root_certificates=trusted,
        require_client_auth=True,
    )


def _channel(
    address: str, server_name: str, credentials: grpc.ChannelCredentials
) -> grpc.aio.Channel:
    options = (
        *CLIENT_OPTIONS,
        ("grpc.ssl_target_name_override", server_name),
        ("grpc.service_config", _IN_TURN),
    )
    return grpc.aio.secure_channel(address, credentials, options=options)


def address_of_any(addresses: Sequence[str]) -> str:
    """Return the address of a service that several processes serve, each call by one of them.

    A stream stays with the process where it began; one that is away is passed over.

    Raises:
        InvalidRequestError: of several, one is not an IPv4 address with a port.
    """
    if len(addresses) == 1:
        return addresses[0]
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            IPv4Address(host), int(port)
        except ValueError:
            raise InvalidRequestError(
                f"of several addresses each is IPv4:port: {address}"
            ) from None
    return "ipv4:" + ",".join(addresses)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise UnavailableError(f"the file {path} cannot be read") from None
