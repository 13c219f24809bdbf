"""Where everything of one machine lives: the tree under `var/` (docs/development.md)."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one system; `root` is absolute."""

    root: Path

    @property
    def public(self) -> Path:
        """What anybody may read: certificates, registry, what a phone pins."""
        return self.root / "public"

    @property
    def deployment(self) -> Path:
        """What a phone pins at install."""
        return self.public / "deployment.json"

    @property
    def ports(self) -> Path:
        """The ports chosen at the first start."""
        return self.root / "ports.json"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.root / "log"

    @property
    def run(self) -> Path:
        """What lives only while the system runs."""
        return self.root / "run"

    def of(self, process: str) -> Path:
        """Return the folder that only this process reads."""
        return self.root / process

    def settings(self, process: str) -> Path:
        """Return the settings file of a process; `vault-2` shares the folder of `vault`."""
        return self.of(process.partition("-")[0]) / f"{process}.toml"

    def tls(self, process: str) -> Path:
        """Return the folder of a process's certificate and key."""
        return self.of(process) / "tls"


def write_whole(path: Path, content: str, mode: int = 0o600) -> None:
    """Write a file so that a reader, or a power cut, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft = Path(file.name)
    draft.chmod(mode)
    draft.replace(path)
