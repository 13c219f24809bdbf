"""`signer-keys doctor`: is every process well; the canary that signs is `signer doctor`'s."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import typer

from grpc_api.clients.checkup import Row, examine_process, exit_code
from grpc_api.clients.diagnostics import DiagnosticsClient
from hsm_module.officers.options import AsJson, session
from hsm_module.officers.running import run
from hsm_module.officers.screen import print_json, print_table, say
from hsm_module.officers.session import SERVERS, Session
from signer_core.diagnostics import Verdict

_MARKS = {Verdict.GOOD: "ok", Verdict.WARNING: "warning", Verdict.BAD: "BAD"}


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Examine every process. Exit code: 0 well, 60 soon needs attention, 61 something fails."""
    run(lambda: _doctor(session(context), as_json=as_json), as_json=as_json)


async def _doctor(who: Session, *, as_json: bool) -> int:
    rows: list[Row] = []
    for listener in who.ports:
        server_name = SERVERS.get(listener.partition("-")[0])
        if server_name is not None:
            name = listener.replace("internal", "signer")
            rows += await examine_process(name, _diagnostics(who, listener, server_name))
    if as_json:
        found = [{"process": row.process, **asdict(row.finding)} for row in rows]
        print_json({"exit_code": exit_code(rows), "findings": found})
        return exit_code(rows)
    cells = [(r.process, r.finding.check, _MARKS[r.finding.verdict], r.finding.says) for r in rows]
    print_table(("process", "check", "", "found"), cells)
    for row in rows:
        if row.finding.verdict is not Verdict.GOOD:
            say(f"{row.process}, {row.finding.check}: {row.finding.advice}")
    return exit_code(rows)


@asynccontextmanager
async def _diagnostics(
    who: Session, listener: str, server_name: str
) -> AsyncIterator[DiagnosticsClient]:
    async with who.channel(listener, server_name) as channel:
        yield DiagnosticsClient(channel)
