"""`python -m tests.fakes.token_soak SECONDS`: many threads at one SoftHSM token at once.

The token comes as JSON on standard input. In a process of its own, because SoftHSM crashes the
process where two calls meet. Prints how many calls there were, each with the right answer.
"""

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

from pydantic import SecretStr

from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import Manifest
from hsm_module.token.port import KekId, Rewrap
from hsm_module.token.site import TokenSite

THREADS = 3  # beside the one that opened the token, each with an event loop
KEK, RECORD, AAD = KekId("kek-1"), bytes(range(256)) * 27, b"soak"


async def main(seconds, told):
    site = TokenSite(Path(told["module"]), Path(told["conf"]), told["label"])
    manifest = Manifest.model_validate_json(told["manifest"])
    token = await HsmToken.open(site, SecretStr(told["pin"]), manifest)
    expected = await token.mac(RECORD)
    until, counts = time.monotonic() + seconds, []
    threads = [
        threading.Thread(target=lambda: counts.append(asyncio.run(work(token, expected, until))))
        for _ in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    counts.append(await work(token, expected, until))
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert len(counts) == THREADS + 1  # none ended by an error
    await token.close()
    return sum(counts)


async def work(token, expected, until):
    """Call short and long ones, several at a time, until the time is over."""
    count = 0
    while time.monotonic() < until:
        blob = await token.wrap(KEK, RECORD, AAD)
        plain, macs, mac, (moved,), noise = await asyncio.gather(
            token.unwrap(KEK, blob, AAD),
            token.macs([RECORD] * 8),
            token.mac(RECORD),
            token.rewrap([Rewrap(KEK, KEK, blob, AAD, AAD)]),
            token.random(32),
        )
        assert (plain, set(macs), mac) == (RECORD, {expected}, expected)
        assert await token.unwrap(KEK, moved, AAD) == RECORD
        assert len(noise) == 32
        count += 7
    return count


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(main(float(sys.argv[1]), json.load(sys.stdin)))}\n")
