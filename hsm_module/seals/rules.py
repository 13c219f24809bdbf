"""Who may use which seal: from the settings into the database, and from there to every use."""

import time
from collections.abc import Iterable, Mapping
from typing import Final

import structlog
from pydantic import BaseModel, Field

from hsm_module.storage.seals import SealRule
from hsm_module.storage.store import Store
from signer_core.audit.events import Event
from signer_core.pki.organisation import Organisation

_log = structlog.get_logger(__name__)
_FRESH_S: Final = 5.0  # how long another process's change may go unseen


class SealSettings(BaseModel, frozen=True, extra="forbid"):
    """One table `[seals.<name>]` of the vault's settings; its key is `seal-<name>`."""

    organisation: str = Field(min_length=1, max_length=64)  # as registered
    edrpou: str = Field(pattern=r"^[0-9]{8}$")
    callers: tuple[str, ...]  # DNS names of processes that may use it


def rules_of(settings: Mapping[str, SealSettings]) -> list[SealRule]:
    """Return the rules of the settings.

    Raises:
        InvalidRequestError: a name, a number or a caller is malformed.
    """
    return [
        SealRule(seal_id, Organisation(one.organisation, one.edrpou), frozenset(one.callers))
        for seal_id, one in settings.items()
    ]


class SealRules:
    """Reads rules. Mutable: it remembers each for some seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[float, SealRule]] = {}

    async def put(self, rules: Iterable[SealRule]) -> None:
        """Put rules of the settings into force; each that changes is audited.

        Raises:
            AlteredRowError: a row is not as the vault wrote it; audited.
        """
        async with self._store.transaction() as transaction:
            for rule in rules:
                known = await transaction.seals.find(rule.seal_id)
                if known is not None and known.retired_at_s is not None:
                    _log.warning("seal-retired", seal=rule.seal_id)  # settings revive nothing
                elif await transaction.seals.put(rule):
                    await transaction.record(Event("seal-rule", "set", subject=rule.seal_id))
                self._known.pop(rule.seal_id, None)

    async def find(self, seal_id: str) -> SealRule | None:
        """Return the rule of a seal, at most 5 s old.

        Raises:
            AlteredRowError: the row is not as the vault wrote it; audited.
        """
        known = self._known.get(seal_id)
        if known is not None and time.monotonic() - known[0] < _FRESH_S:
            return known[1]
        async with self._store.reading() as transaction:
            rule = await transaction.seals.find(seal_id)
        if rule is None:
            self._known.pop(seal_id, None)
        else:
            self._known[seal_id] = (time.monotonic(), rule)
        return rule
