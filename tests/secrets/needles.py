"""What a secret looks like in bytes that somebody left behind."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_CHUNK_BYTES = 16 << 20
_BASE64_CUT = 4  # characters at each end that depend on the neighbours


@dataclass(frozen=True)
class Secret:
    """A secret by name, with every form of it that is looked for."""

    name: str
    forms: tuple[bytes, ...]


def octets(name: str, value: bytes) -> Secret:
    """Return a secret of at least 16 bytes: raw, little-endian, hex, base64 at every alignment."""
    assert len(value) >= 16, name
    forms = [value, value[::-1], value.hex().encode(), value.hex().upper().encode()]
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(shift) + value).rstrip(b"=")
            forms.append(text[_BASE64_CUT:-_BASE64_CUT])
    return Secret(name, tuple(forms))


def scalar(name: str, value: int) -> Secret:
    """Return a scalar: as `octets`, and in decimal digits."""
    return Secret(
        name, (*octets(name, value.to_bytes(32, "big")).forms, str(value).encode("ascii"))
    )


def as_in_memory(secret: Secret) -> Secret:
    """Return a secret with the forms a running process has: bytes either way round, hex."""
    return Secret(secret.name, secret.forms[:3])


def find(secrets: Iterable[Secret], content: bytes) -> set[str]:
    """Return the names of the secrets that are in `content`."""
    return {one.name for one in secrets if any(form in content for form in one.forms)}


def find_pin(pin: str, content: bytes) -> bool:
    """Tell whether the PIN stands alone in a text: not within a number or a hash."""
    return re.search(rb"(?<![0-9A-Fa-f])%s(?![0-9A-Fa-f])" % pin.encode(), content) is not None


def files(folder: Path) -> Iterator[Path]:
    """Return every regular file, journals and hidden ones too."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def read_memory(pid: int) -> Iterator[bytes]:
    """Return what a process has in memory now, region by region: what a core dump would hold."""
    regions = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for region in regions:
            span, rights, *_, name = [*region.split(), ""][:7]
            if not rights.startswith("rw") or name.startswith("[v"):
                continue  # code and constants are in the files; nothing was written there
            start, end = (int(edge, 16) for edge in span.split("-"))
            memory.seek(start)
            yield _read(memory, end - start)


def _read(memory: object, size: int) -> bytes:
    parts = []
    while size > 0:
        try:
            part = memory.read(min(size, _CHUNK_BYTES))  # type: ignore[attr-defined]  # raw file
        except OSError:  # a guard page
            break
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
