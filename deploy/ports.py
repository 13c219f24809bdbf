"""The loopback ports of a system, chosen once and kept."""

import json
import socket
from collections.abc import Collection
from pathlib import Path
from zlib import crc32

from deploy.home import REPOSITORY, write_whole

DEFAULTS = {
    "portal": 7440,
    "worker": 7441,
    "simulator": 7442,
    "phone": 7443,
    "enrolment": 7444,
    "internal": 7445,
    "vault": 7446,
    "registrar": 7447,
}
_EXTRA = 7448  # of second vaults and signers, one after another
_BLOCK = 32  # distance between the ports of two checkouts
_FIRST, _BLOCKS = 20_000, 375  # below 32768, where Linux begins to hand out client ports


def choose(path: Path, names: Collection[str] = tuple(DEFAULTS)) -> dict[str, int]:
    """Return the ports of these listeners, all free now; kept in `path` from the first time on.

    A port that another program has taken since moves all of them.
    """
    saved = load(path)
    if saved.keys() == set(names) and _all_free(saved):
        return saved
    chosen = next(filter(_all_free, _candidates(path, names)), None)
    if chosen is None:
        raise OSError(f"no {len(names)} free ports on 127.0.0.1")
    write_whole(path, json.dumps(chosen, indent=2) + "\n", mode=0o644)
    return chosen


def load(path: Path) -> dict[str, int]:
    """Return the ports chosen before, empty when there are none."""
    try:
        saved = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return saved if isinstance(saved, dict) and saved.keys() >= DEFAULTS.keys() else {}


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _candidates(path: Path, names: Collection[str]) -> list[dict[str, int]]:
    # The start depends on the checkout, so that two checkouts rarely try the same block at once.
    first = crc32(str(path).encode()) % _BLOCKS
    extra = [name for name in names if name not in DEFAULTS]
    known = DEFAULTS | {name: _EXTRA + offset for offset, name in enumerate(extra)}
    usual = [known] if path.parent == REPOSITORY / "var" else []  # not for tests, beside it
    blocks = [(first + step) % _BLOCKS for step in range(100)]
    return usual + [
        {name: _FIRST + _BLOCK * block + offset for offset, name in enumerate(names)}
        for block in blocks
    ]


def _all_free(ports: dict[str, int]) -> bool:
    return all(map(is_free, ports.values()))
