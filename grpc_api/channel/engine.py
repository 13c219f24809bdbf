"""TLS 1.3 without I/O: records in, records out (docs/spec/ecdsa2p.md §0)."""

import ssl
from typing import NoReturn

from signer_core.errors import ProtocolAbortError

ALPN = "ecdsa2p/1"  # names the version of what is said inside


class TlsEngine:
    """One end of one channel. Mutable: it is a state machine; an error is its end.

    Call `handshake` until it returns True, then `read` and `write`; carry `outgoing` to the peer
    after each call, also after one that raised: it may hold the alert that tells the peer.
    """

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        """Begin a handshake, as the vault where `server_hostname` is None."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._server_hostname = server_hostname
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server_hostname is None,
            server_hostname=server_hostname,
        )

    def feed(self, records: bytes) -> None:
        """Take bytes of the peer; no bytes mean the end of the stream."""
        if records:
            self._incoming.write(records)
        else:
            self._incoming.write_eof()

    def outgoing(self) -> bytes:
        """Return what is to be sent to the peer now."""
        return self._outgoing.read()

    def handshake(self) -> bool:
        """Go on with the handshake; False while it needs more bytes of the peer.

        Raises:
            ProtocolAbortError: the peer is not the right one, or speaks another version.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            _broken()
        self._verify_version()
        self._verify_name()
        return True

    def write(self, data: bytes) -> None:
        """Encrypt data.

        Raises:
            ProtocolAbortError: the channel is broken.
        """
        try:
            self._tls.write(data)
        except ssl.SSLError:
            _broken()

    def read(self) -> bytes:
        """Decrypt what has come, at most 16 KiB; empty while more bytes are needed.

        Raises:
            ProtocolAbortError: a record was changed, or the peer ended the channel.
        """
        try:
            data = self._tls.read(1 << 14)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLError:
            _broken()
        if not data:
            raise ProtocolAbortError("the channel has ended")
        return data

    def close(self) -> bool:
        """Tell the peer that nothing follows; False where it has said so first and is gone."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            return True  # it does not wait for the peer's answer, or the channel is broken anyway
        return False

    @property
    def peer_certificate(self) -> bytes:
        """The peer's certificate, DER; the handshake has verified it.

        Raises:
            ProtocolAbortError: there is none, the handshake is not finished.
        """
        certificate = self._tls.getpeercert(binary_form=True)
        if certificate is None:
            raise ProtocolAbortError("the peer of the channel has shown no certificate")
        return certificate

    def _verify_version(self) -> None:
        if self._tls.selected_alpn_protocol() != ALPN:
            raise ProtocolAbortError("the peer of the channel speaks another version")

    def _verify_name(self) -> None:
        """Accept a vault's own name only, not a wildcard that happens to match it."""
        if self._server_hostname is None:
            return
        names = (self._tls.getpeercert() or {}).get("subjectAltName", ())
        if ("DNS", self._server_hostname) not in names:
            raise ProtocolAbortError("the channel does not end in the right vault")


def _broken() -> NoReturn:
    """Say nothing of what OpenSSL said: the peer learns it from the alert."""
    raise ProtocolAbortError("the secure channel is broken or was changed on the way") from None
