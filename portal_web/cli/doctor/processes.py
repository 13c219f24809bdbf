"""Every process of this system that has a diagnostic service."""

from grpc_api.clients.checkup import Row, examine_process
from portal_web.cli.connection import System


async def examine_processes(system: System) -> list[Row]:
    """Ask every listener, in turn."""
    rows: list[Row] = []
    for listener, server_name in system.processes().items():
        name = listener.replace("internal", "signer")
        rows.extend(await examine_process(name, system.diagnostics(listener, server_name)))
    return rows
