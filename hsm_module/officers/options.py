"""Options that several commands share, and how a command begins."""

from typing import Annotated

import typer

from hsm_module.officers.errors import RefusedError
from hsm_module.officers.session import Place, Session
from signer_core.admin.officers import Grounds, Reason

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether I am sure.")]
Why = Annotated[
    Reason,
    typer.Option(
        "--reason", help="Why: a word that stays in the audit log for ever.", show_default=False
    ),
]
Confirm = Annotated[
    str | None, typer.Option("--confirm", help="The name again, instead of typing it when asked.")
]
Ticket = Annotated[
    str, typer.Option(help="Reference into your ticket system; no names, no spaces.")
]


def session(context: typer.Context) -> Session:
    """Open the officer's key file, as the options of the program say."""
    place: Place = context.obj
    return Session.open(place)


def grounds(reason: Reason, ticket: str) -> Grounds:
    """Return what stays in the audit log."""
    return Grounds(reason, ticket)


def confirm_by_typing(warning: str, word: str, typed: str | None, *, as_json: bool) -> None:
    """Have `word` typed, for what cannot be undone; `typed` is what an option says already.

    Raises:
        RefusedError: it is another word, or nobody to ask.
    """
    if typed is None:
        if as_json:
            raise RefusedError(f"nobody is asked with --json: add --confirm {word}")
        typed = typer.prompt(f"{warning} Type {word} to go on", err=True, default="")
    if typed != word:
        raise RefusedError("nothing was changed")


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask whether to go on.

    Raises:
        RefusedError: no, or nobody to ask.
    """
    if yes:
        return
    if as_json:
        raise RefusedError("nobody is asked with --json: add --yes")
    if not typer.confirm(question, err=True):
        raise RefusedError("nothing was changed")
