"""Raising the level of a seal whose timestamp or evidence was away: the signer does the work."""

import json
from dataclasses import dataclass
from typing import Final

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.internal.v1 import seals_pb2, seals_pb2_grpc
from grpc_api.jobs.kinds import TryLaterError
from signer_core.errors import NotFoundError, SignerError

_DEADLINE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class SealRepair:
    """Asks the signer, by the id in the job."""

    channel: grpc.aio.Channel

    async def __call__(self, _job_id: str, body: bytes) -> None:
        """Repair it; one that nobody needs any more is done.

        Raises:
            TryLaterError: what it lacks is still away.
        """
        repair_id = bytes.fromhex(json.loads(body)["repair_id"])
        stub = seals_pb2_grpc.SealServiceStub(self.channel)
        try:
            await call(stub.Repair, seals_pb2.RepairRequest(repair_id=repair_id), _DEADLINE_S)
        except NotFoundError:
            return
        except SignerError as error:
            raise TryLaterError(f"the signer says {error.code}") from None
