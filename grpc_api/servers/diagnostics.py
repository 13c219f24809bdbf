"""DiagnosticsService: a process's own view of itself, for `signer doctor`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.diagnostics.v1 import diagnostics_pb2 as wire
from grpc_api.gen.signer.diagnostics.v1 import diagnostics_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.diagnostics import Examination, Finding, Verdict

SERVICE: Final = "signer.diagnostics.v1.DiagnosticsService"
VERDICTS: Final[Mapping[Verdict, wire.Verdict.ValueType]] = {
    Verdict.GOOD: wire.VERDICT_GOOD,
    Verdict.WARNING: wire.VERDICT_WARNING,
    Verdict.BAD: wire.VERDICT_BAD,
}

Examine = Callable[[], Awaitable[Examination]]


def add_diagnostics(server: grpc.aio.Server, examine: Examine) -> None:
    """Register the service."""
    services.add_DiagnosticsServiceServicer_to_server(DiagnosticsServicer(examine), server)


@dataclass(frozen=True, slots=True)
class DiagnosticsServicer(services.DiagnosticsServiceServicer):
    """Examines this process when asked."""

    run: Examine

    @override
    async def Examine(self, request: wire.ExamineRequest, context: Context) -> wire.ExamineResponse:
        """Examine everything now."""
        found = await self.run()
        return wire.ExamineResponse(
            process=found.process,
            version=found.version,
            now_ms=found.now_ms,
            findings=[_finding(one) for one in found.findings],
        )


def _finding(one: Finding) -> wire.Finding:
    return wire.Finding(
        check=one.check, verdict=VERDICTS[one.verdict], says=one.says, advice=one.advice
    )
