"""`signer people`, `signer activation-code`: the made-up people of a developer's system."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from portal_web.cli.connection import System
from portal_web.cli.requests import AsJson
from portal_web.cli.running import run
from portal_web.cli.screen import print_json, print_table, say


def people(context: typer.Context, as_json: AsJson = False) -> None:
    """List the made-up people and what happens to each. Exit code: 0; 30 the system is away."""

    async def ask() -> int:
        async with System(context.obj).sandbox() as sandbox:
            found = await sandbox.people()
        if as_json:
            print_json({"people": [asdict(person) for person in found]})
            return 0
        rows = [
            (p.person_id, p.full_name_uk, p.person_code, p.document, p.behaviour) for p in found
        ]
        print_table(("person", "name", "code", "document", "what happens"), rows)
        return 0

    run(ask(), as_json=as_json)


def activation_code(
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="Id of a made-up person, see `signer people`.")],
    as_json: AsJson = False,
) -> None:
    """Issue a one-time code to enrol a phone. Exit code: 0; 20 no such person; 30 away."""

    async def ask() -> int:
        async with System(context.obj).sandbox() as sandbox:
            issued = await sandbox.issue_activation_code(person)
        expires = datetime.fromtimestamp(issued.expires_at_s, UTC).isoformat()
        if as_json:
            print_json({"activation_code": issued.activation_code, "expires_at": expires})
        else:
            say(issued.activation_code)
        return 0

    run(ask(), as_json=as_json)
