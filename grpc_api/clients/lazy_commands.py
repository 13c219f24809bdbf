"""Commands that are loaded when they are called: no command waits for what another one needs."""

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

if TYPE_CHECKING:
    from typer._click import Command, Context


class LazyGroup(TyperGroup):
    """A program's commands; a subclass says where each is: `module:name` of a function or an app.

    All are loaded for `--help`, which shows a line of each.
    """

    places: ClassVar[Mapping[str, str]]

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        own = self.commands
        self.commands = _Commands(own, self.places)  # type: ignore[assignment]  # read only, as it is used

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return the names, without loading anything."""
        del ctx
        return list(self.commands)


class _Commands(Mapping[str, "Command"]):
    """What Typer takes for a dict of commands. Mutable: it keeps what was loaded."""

    def __init__(self, own: Mapping[str, "Command"], places: Mapping[str, str]) -> None:
        self._loaded = dict(own)
        self._places = places

    def __getitem__(self, name: str) -> "Command":
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._places[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._loaded, *self._places)))

    def __len__(self) -> int:
        return len(self._loaded.keys() | self._places)


def _load(name: str, place: str) -> "Command":
    module, _, attribute = place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)
