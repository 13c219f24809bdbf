"""Requests of the OpenID provider as bytes, sent over a few connections that stay open."""

import asyncio
import hashlib
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

BACK = "http://127.0.0.1:8080/return"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CONNECTIONS = 16


def authorization(client_id: str) -> dict[str, str]:
    """Return the parameters of an authorization request."""
    return {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": BACK,
        "scope": "openid profile person_code",
        "state": "state",
        "nonce": "nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def get(path: str) -> bytes:
    """Return a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: portal\r\n\r\n".encode()


def post(path: str, form: dict[str, str], user: str, password: str) -> bytes:
    """Return a POST of a form, with HTTP Basic."""
    body = urlencode(form)
    basic = b64encode(f"{user}:{password}".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: portal\r\nAuthorization: Basic {basic}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


async def send_all(address: str, requests: Sequence[bytes], status: int) -> float:
    """Send them all; return requests a second. Every answer has this status."""
    left, host = iter(requests), urlsplit(address)

    async def one_after_another() -> None:
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        for request in left:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            assert head.split()[1] == b"%d" % status, head + body
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(CONNECTIONS)))
    return len(requests) / (time.perf_counter() - begun)
