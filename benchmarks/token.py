"""The token through the async facade, beside the same calls in a bare loop on one thread.

Run: python -m benchmarks.token
"""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import SecretStr

from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.initialise import initialise_token
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.policy import KeyKind, KeyPolicy
from hsm_module.token.port import KekId, KeyLabel
from hsm_module.token.self_test import pin_key
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite, find_module

POLICIES = {
    "kek": KeyPolicy(kind=KeyKind.KEK, mechanism="AES_GCM", bits=256, uses=("encrypt", "decrypt")),
    "mac": KeyPolicy(kind=KeyKind.MAC, mechanism="SHA256_HMAC", bits=256, uses=("sign", "verify")),
    "ca": KeyPolicy(kind=KeyKind.SIGNING, mechanism="ECDSA", bits=256, uses=("sign", "verify")),
}
ROUNDS = 3000
AT_ONCE = 50
RECORD = bytes(6900)  # a share record
STATE = bytes(300)  # a state row
KEK, CA = KekId("kek"), KeyLabel("ca")


def make_token(folder: Path) -> tuple[TokenSite, SecretStr, Manifest]:
    site = TokenSite(find_module(None, os.environ), folder / "softhsm2.conf", "bench")
    site.tokens.mkdir()
    site.lock.touch()
    site.conf.write_text(f"directories.tokendir = {site.tokens}\nobjectstore.backend = file\n")
    pin = SecretStr(secrets.token_hex(16))
    initialise_token(site, SecretStr(secrets.token_hex(16)), pin)
    with open_token(site, pin, writable=True) as session:
        for label, policy in POLICIES.items():
            session.make_key(label, policy)
        pinned = {label: pin_key(session, label, policy) for label, policy in POLICIES.items()}
    return site, pin, Manifest(token_label="bench", keys=pinned)


def bare(session: TokenSession) -> dict[str, float]:
    blob = session.wrap(KEK, RECORD, b"aad")
    calls: dict[str, Callable[[], object]] = {
        "sign": lambda: session.sign_digest(CA, bytes(32)),
        "wrap 6.9 kB": lambda: session.wrap(KEK, RECORD, b"aad"),
        "unwrap 6.9 kB": lambda: session.unwrap(KEK, blob, b"aad"),
        "mac 300 B": lambda: session.mac("mac", STATE),
    }
    rates = {}
    for name, call in calls.items():
        started = time.perf_counter()
        for _ in range(ROUNDS):
            call()
        rates[name] = ROUNDS / (time.perf_counter() - started)
    return rates


async def facade(token: HsmToken, at_once: int) -> dict[str, float]:
    blob = await token.wrap(KEK, RECORD, b"aad")
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "sign": lambda: token.sign_digest(CA, bytes(32)),
        "wrap 6.9 kB": lambda: token.wrap(KEK, RECORD, b"aad"),
        "unwrap 6.9 kB": lambda: token.unwrap(KEK, blob, b"aad"),
        "mac 300 B": lambda: token.mac(STATE),
    }

    async def repeat(call: Callable[[], Awaitable[object]]) -> None:
        for _ in range(ROUNDS // at_once):
            await call()

    rates = {}
    for name, call in calls.items():
        started = time.perf_counter()
        await asyncio.gather(*(repeat(call) for _ in range(at_once)))
        rates[name] = ROUNDS // at_once * at_once / (time.perf_counter() - started)
    return rates


async def through_facade(
    site: TokenSite, pin: SecretStr, manifest: Manifest
) -> list[dict[str, float]]:
    started = time.perf_counter()
    token = await HsmToken.open(site, pin, manifest)
    print(f"opening, with probe and self-test: {time.perf_counter() - started:.2f} s")
    try:
        return [await facade(token, 1), await facade(token, AT_ONCE)]
    finally:
        await token.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        site, pin, manifest = make_token(Path(folder))
        with open_token(site, pin) as session:
            floor = bare(session)
        alone, together = asyncio.run(through_facade(site, pin, manifest))
    print(
        f"{'calls/s':<15}{'bare loop':>10}{'one caller':>12}{f'{AT_ONCE} callers':>12}{'ratio':>8}"
    )
    for name, rate in floor.items():
        print(
            f"{name:<15}{rate:>10.0f}{alone[name]:>12.0f}{together[name]:>12.0f}"
            f"{together[name] / rate:>8.2f}"
        )


if __name__ == "__main__":
    main()
