"""Posts to addresses that others choose: checked names, exact addresses, TLS, limits.

On httpcore, which follows no redirection, reads no environment, keeps no cookie, and lets us open
its connections: each goes to an address that was checked a moment before, so that a DNS which
changes its answer changes nothing (docs/adr/0014-callbacks.md).
"""

import asyncio
import re
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from socket import SOCK_STREAM, gaierror, getaddrinfo
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpcore

from grpc_api.jobs.addresses import Reach, RefusedAddressError, verify_addresses
from grpc_api.jobs.kinds import GiveUpError, TryLaterError
from signer_core.errors import InvalidRequestError

Resolve = Callable[[str, int], Awaitable[list[str]]]

_KEEP_S: Final = 15.0  # an idle connection
_RESOLVERS: Final = 128  # threads: a partner's DNS that hangs holds one, for some seconds
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}: [\x21-\x7e](?:[\x20-\x7e]{0,4095}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a partner may cost us."""

    connect_s: float = 5.0  # name, TCP; TLS again as long
    read_s: float = 10.0  # between two pieces of the answer
    total_s: float = 30.0  # all in all
    answer_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom we believe, who we are, and how far we go."""

    ca_file: Path | None = None  # PEM: the authorities of partners; None: this machine's
    client_cert: Path | None = None  # PEM, with its chain: shown to partners that ask
    client_key: Path | None = None  # PEM, mode 0600
    allow_private: bool = False  # the sandbox: our own networks, and http to this machine

    def context(self) -> ssl.SSLContext:
        """Return what verifies partners.

        Raises:
            InvalidRequestError: a file cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.client_cert is not None:
                context.load_cert_chain(self.client_cert, self.client_key)
        except (OSError, ssl.SSLError):
            raise InvalidRequestError("a certificate for callbacks cannot be read") from None
        return context


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted, byte for byte."""

    address: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


class Resolver:
    """Asks this machine's resolver, in threads of its own: others' names may take long."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVERS, "resolve")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name; none if it has none, or nobody knows."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _look_up, host, port)
        except (gaierror, UnicodeError):
            return []
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _look_up(
    host: str, port: int
) -> Iterable[tuple[object, object, object, str, tuple[object, ...]]]:
    return getaddrinfo(host, port, type=SOCK_STREAM)


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses that were checked, and to no other."""

    def __init__(self, resolve: Resolve, reach: Reach) -> None:
        self._resolve, self._reach = resolve, reach
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  the signature is httpcore's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve once, check all, connect to the first that answers.

        Raises:
            RefusedAddressError: one of the addresses is out of reach.
            httpcore.ConnectError: none answers.
            httpcore.ConnectTimeout: none answers in time.
        """
        try:
            async with asyncio.timeout(timeout):
                found = verify_addresses(await self._resolve(host, port), self._reach)
                return await self._connect(found, port, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout("no answer in time") from None

    async def _connect(
        self,
        addresses: list[str],
        port: int,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(address, port, socket_options=socket_options)
            except httpcore.ConnectError:
                continue
        return await self._backend.connect_tcp(addresses[-1], port, socket_options=socket_options)


class Poster:
    """Posts to partners. Mutable: it keeps their connections for some seconds."""

    def __init__(
        self, trust: Trust, resolve: Resolve | None = None, limits: Limits | None = None
    ) -> None:
        """Take whom to believe; tests bring their own names and shorter limits.

        Raises:
            InvalidRequestError: a certificate cannot be read.
        """
        self._limits = limits or Limits()
        resolve = resolve or Resolver()
        context = trust.context()
        reach = Reach.INTERNAL if trust.allow_private else Reach.PUBLIC
        self._pools = {"https": _pool(context, resolve, reach)}
        if trust.allow_private:
            self._pools["http"] = _pool(context, resolve, Reach.LOOPBACK)

    async def post(self, message: Message) -> None:
        """Post it; a 2xx with a whole answer means that the partner has it.

        Raises:
            TryLaterError: the partner is away, or says anything else.
            GiveUpError: it is no address, or no header, that anything is ever sent to.
        """
        url, headers = self._parse(message.address), _header_bytes(message.headers)
        try:
            async with asyncio.timeout(self._limits.total_s):
                status = await self._exchange(url, headers, message.body)
        except (TimeoutError, httpcore.TimeoutException):
            raise TryLaterError("the partner does not answer in time") from None
        except RefusedAddressError as error:
            raise TryLaterError(str(error)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise TryLaterError(_said(error)) from None
        if not 200 <= status < 300:
            raise TryLaterError(f"the partner says {status}")

    async def close(self) -> None:
        """Close what is open."""
        for pool in self._pools.values():
            await pool.aclose()

    async def _exchange(
        self, url: httpcore.URL, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> int:
        limits = self._limits
        times = {"connect": limits.connect_s, "read": limits.read_s, "write": limits.read_s}
        pool = self._pools[url.scheme.decode()]
        asked = pool.stream(
            "POST", url, headers=headers, content=body, extensions={"timeout": times}
        )
        async with asked as answer:
            size = 0
            async for chunk in answer.aiter_stream():
                size += len(chunk)
                if size > limits.answer_bytes:
                    raise TryLaterError("the partner's answer is too long")
            return answer.status

    def _parse(self, address: str) -> httpcore.URL:
        parsed = _split(address)
        if parsed.scheme not in self._pools:
            raise GiveUpError("the partner's address is not https")
        target = (parsed.path or "/") + (f"?{parsed.query}" if parsed.query else "")
        assert parsed.hostname is not None  # noqa: S101  for the type checker; `_split` looked
        return httpcore.URL(
            scheme=parsed.scheme.encode(),
            host=parsed.hostname.encode(),
            port=parsed.port,
            target=target.encode(),
        )


def _split(address: str) -> SplitResult:
    try:
        parsed = urlsplit(address)
        fit = parsed.port != 0 and bool(parsed.hostname) and parsed.username is None
    except ValueError:
        fit, parsed = False, urlsplit("")
    if not (fit and address.isascii() and address.isprintable()) or " " in address:
        raise GiveUpError("the partner's address is no URL that is called")
    return parsed


def _header_bytes(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    """Return headers as they are sent: one a line, whatever is in their values."""
    for name, value in headers:
        if not _HEADER.fullmatch(f"{name}: {value}"):
            raise GiveUpError("a header of the message is none")
    return [(name.encode(), value.encode()) for name, value in headers]


def _pool(context: ssl.SSLContext, resolve: Resolve, reach: Reach) -> httpcore.AsyncConnectionPool:
    """Return a pool without a bound of its own: how many calls there are the queue decides."""
    return httpcore.AsyncConnectionPool(
        ssl_context=context,
        max_connections=sys.maxsize,
        max_keepalive_connections=256,
        keepalive_expiry=_KEEP_S,
        network_backend=CheckedBackend(resolve, reach),
    )


def _said(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "the certificate at the partner's address is not accepted, or there is no TLS"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.ProtocolError):
        return "the partner does not answer in HTTP"
    return "the partner does not answer"
