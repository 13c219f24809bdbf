"""`signer doctor`: is everything well, and if not, what to do."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from grpc_api.clients.checkup import Row, exit_code
from portal_web.cli.connection import System
from portal_web.cli.doctor.canary import run_canary
from portal_web.cli.doctor.portal import examine_portal
from portal_web.cli.doctor.processes import examine_processes
from portal_web.cli.requests import AsJson
from portal_web.cli.running import run
from portal_web.cli.screen import print_json, print_table, progress, say
from signer_core.diagnostics import Verdict

_MARKS: Final = {Verdict.GOOD: "ok", Verdict.WARNING: "warning", Verdict.BAD: "BAD"}


def doctor(
    context: typer.Context,
    canary: Annotated[
        bool, typer.Option(help="Enrol a made-up person, sign, verify, revoke the key.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Examine every process, then enrol a made-up person who signs.

    Exit code: 0 all is well; 60 something needs attention soon; 61 something does not work;
    30 there is no system here.
    """

    async def examine() -> int:
        system = System(context.obj)
        with progress("Asking every process", quiet=as_json):
            rows = await examine_processes(system)
            rows += await examine_portal(system.portal(), datetime.now(UTC))
        if canary:
            with progress("A made-up person enrols and signs", quiet=as_json):
                rows += await run_canary(system)
        _show(rows, as_json=as_json)
        return exit_code(rows)

    run(examine(), as_json=as_json)


def _show(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        found = [{"process": row.process, **asdict(row.finding)} for row in rows]
        print_json({"exit_code": exit_code(rows), "findings": found})
        return
    cells = [(r.process, r.finding.check, _MARKS[r.finding.verdict], r.finding.says) for r in rows]
    print_table(("process", "check", "", "found"), cells)
    for row in rows:
        if row.finding.verdict is not Verdict.GOOD:
            say(f"{row.process}, {row.finding.check}: {row.finding.advice}")
