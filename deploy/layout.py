"""Which processes a system has: one of each, or several vaults and signers on one PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# The listeners of each role, the first one for health checks.
LISTENERS: Final[Mapping[str, tuple[str, ...]]] = {
    "registrar": ("registrar",),
    "vault": ("vault",),
    "signer": ("internal", "phone", "enrolment"),
    "portal": ("portal",),
    "worker": ("worker",),
    "simulator": ("simulator",),
}


@dataclass(frozen=True, slots=True)
class Process:
    """One process: the role says what it runs, the number which one of its role it is."""

    role: str
    number: int = 1

    @property
    def name(self) -> str:
        """Name of the program and its settings: `vault`, `vault-2`."""
        return self.listener(self.role)

    def listener(self, of_role: str) -> str:
        """Name of one of its ports: `phone`, `phone-2`."""
        return of_role if self.number == 1 else f"{of_role}-{self.number}"


@dataclass(frozen=True, slots=True)
class Layout:
    """What runs on this machine.

    `database` is a PostgreSQL URL in which `{process}` stands for the role, each having its own
    database; None: a SQLite file a role, and then one process a role.
    """

    vaults: int = 1
    signers: int = 1
    database: str | None = None

    def __post_init__(self) -> None:
        """Refuse several processes on a file: its one writer is one process."""
        if self.database is None and (self.vaults, self.signers) != (1, 1):
            raise ValueError("several vaults or signers need --database, a PostgreSQL URL")

    def processes(self) -> tuple[Process, ...]:
        """Return every process, in the order of starting."""
        return (
            Process("registrar"),
            *(Process("vault", number + 1) for number in range(self.vaults)),
            *(Process("signer", number + 1) for number in range(self.signers)),
            Process("portal"),
            Process("worker"),
            Process("simulator"),
        )

    def listeners(self) -> tuple[str, ...]:
        """Return the names of all ports, those of the first of each role first."""
        processes = sorted(self.processes(), key=lambda process: process.number)
        return tuple(one.listener(name) for one in processes for name in LISTENERS[one.role])


ONE_OF_EACH: Final = Layout()
