"""A partner's web server on loopback that behaves as a test wants, and its certificates."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NAME = "partner.example"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Authority:
    """A certificate authority that is nobody's but this test's."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.folder, self.path = folder, folder / f"{name}.pem"
        self.path.write_bytes(self._issue(self.name, self.key, None).public_bytes(Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Make a certificate for a DNS name; return it and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._issue(subject, key, name)
        made = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        made[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        made[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made

    def _issue(self, subject, key, dns):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(self.name, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=dns is None, path_length=None), critical=True)
        )
        if dns is not None:
            names = x509.SubjectAlternativeName([x509.DNSName(dns)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class PartnerServer:
    """Keeps what it is sent; mutable: the test says how it answers."""

    answer: bytes = GOOD  # whole
    pieces: list[bytes] = field(default_factory=list)  # instead, one each `pause_s`
    pause_s: float = 0.0
    hangs: bool = False
    received: list[bytes] = field(default_factory=list)  # head and body as they came
    connections: int = 0
    port: int = 0
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while not self.stopped.is_set():
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.received.append(head + await reader.readexactly(length))
                if self.hangs:
                    await self.stopped.wait()
                    return
                writer.write(self.answer if not self.pieces else b"")
                for piece in self.pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(self.pause_s)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    certificate: tuple[Path, Path] | None, clients: Path | None = None
) -> AsyncIterator[PartnerServer]:
    """Serve over TLS, or without for None; with `clients` only who has a certificate of these."""
    made, context = PartnerServer(), None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.stopped.set()
        server.close()
