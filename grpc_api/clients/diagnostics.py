"""Asking any process to examine itself."""

from collections.abc import Mapping
from typing import Final

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.diagnostics.v1 import diagnostics_pb2 as pb
from grpc_api.gen.signer.diagnostics.v1 import diagnostics_pb2_grpc
from signer_core.diagnostics import Examination, Finding, Verdict

_DEADLINE_S: Final = 20.0  # of checks that run at once, 12 s each
_VERDICTS: Final[Mapping[int, Verdict]] = {
    pb.VERDICT_GOOD: Verdict.GOOD,
    pb.VERDICT_WARNING: Verdict.WARNING,
}


class DiagnosticsClient:
    """A process that examines itself."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = diagnostics_pb2_grpc.DiagnosticsServiceStub(channel)

    async def examine(self) -> Examination:
        """Let the process at the other end examine itself.

        Raises:
            UnavailableError: it does not answer.
            DeniedError: this caller may not ask.
        """
        answer = await call(self._stub.Examine, pb.ExamineRequest(), _DEADLINE_S)
        findings = tuple(_finding(one) for one in answer.findings)
        return Examination(answer.process, answer.version, answer.now_ms, findings)


def _finding(one: pb.Finding) -> Finding:
    return Finding(one.check, _VERDICTS.get(one.verdict, Verdict.BAD), one.says, one.advice)
