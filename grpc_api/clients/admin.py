"""The signer as an officer's tool sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.internal.v1 import admin_pb2 as pb
from grpc_api.gen.signer.internal.v1 import admin_pb2_grpc
from signer_core.admin.officers import Grounds
from signer_core.admin.vault import Outcome
from signer_core.identifiers import KeyId, RequestId

_DEADLINE_S: Final = 60.0  # a mass job writes a row a key


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A key, whose it is, and its certificate."""

    key_id: KeyId
    person_code: str  # empty: not certified yet
    serial: bytes
    status: str  # active, superseded, empty
    enrolled_at_s: int
    not_after_s: int


@dataclass(frozen=True, slots=True)
class PastRequest:
    """A request without what it was about."""

    request_id: RequestId
    kind: str
    status: str
    caller: str
    created_at_s: int
    expires_at_s: int
    files: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which keys a mass job is about."""

    issued_from_s: int = 0
    issued_to_s: int = 0
    vault_id: str = ""

    def to_wire(self) -> pb.Selection:
        """Return the message."""
        return pb.Selection(
            issued_from_s=self.issued_from_s,
            issued_to_s=self.issued_to_s,
            vault_id=self.vault_id,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A mass job, and how far it is."""

    job_id: bytes
    kind: str
    selection: Selection
    reason: str
    ticket: str
    officer_id: str
    created_at_s: int
    keys: Mapping[str, int]  # by outcome

    @property
    def total(self) -> int:
        """All its keys."""
        return sum(self.keys.values())

    @property
    def pending(self) -> int:
        """Keys that are still to be done."""
        return self.keys.get("pending", 0)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job of the worker that was given up."""

    job_id: str  # 32 hex digits
    kind: str
    about: str  # the partner of a callback; else empty
    created_at_s: int
    given_up_at_s: int
    reason: str


class AdminClient:
    """AdminService over gRPC, for the one officer whose certificate the channel has."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = admin_pb2_grpc.AdminServiceStub(channel)

    async def find_person(self, by: str, value: str) -> Sequence[PersonKey]:
        """Return the keys of a person, newest first."""
        answer = await call(self._stub.FindPerson, pb.FindPersonRequest(by=by, value=value))
        return [
            PersonKey(
                KeyId(one.key_id),
                one.person_code,
                one.serial,
                one.status,
                one.enrolled_at_s,
                one.not_after_s,
            )
            for one in answer.keys
        ]

    async def history(self, key_id: KeyId, limit: int) -> Sequence[PastRequest]:
        """Return a key's requests, newest first."""
        message = pb.GetHistoryRequest(key_id=key_id, limit=limit)
        answer = await call(self._stub.GetHistory, message)
        return [
            PastRequest(
                RequestId(one.request_id),
                one.kind,
                one.status,
                one.caller,
                one.created_at_s,
                one.expires_at_s,
                one.files,
            )
            for one in answer.requests
        ]

    async def follow_keys(self, key_ids: Sequence[KeyId]) -> int:
        """Let the signer close what the vault burned; return how many requests."""
        message = pb.FollowKeysRequest(key_ids=key_ids)
        return (await call(self._stub.FollowKeys, message, _DEADLINE_S)).closed

    async def preview_job(self, selection: Selection) -> tuple[int, int]:
        """Return how many keys and people a job would be about."""
        message = pb.PreviewJobRequest(selection=selection.to_wire())
        answer = await call(self._stub.PreviewJob, message)
        return answer.keys, answer.people

    async def create_job(
        self, job_id: bytes, kind: str, selection: Selection, grounds: Grounds
    ) -> Job:
        """Write a job down; repeating it is harmless."""
        message = pb.CreateJobRequest(
            job_id=job_id,
            kind=kind,
            selection=selection.to_wire(),
            reason=grounds.reason,
            ticket=grounds.ticket,
        )
        return _job((await call(self._stub.CreateJob, message, _DEADLINE_S)).job)

    async def add_to_job(self, job_id: bytes, key_ids: Sequence[KeyId]) -> int:
        """Add keys; return how many were new."""
        message = pb.AddToJobRequest(job_id=job_id, key_ids=key_ids)
        return (await call(self._stub.AddToJob, message)).added

    async def jobs(self) -> Sequence[Job]:
        """Return the newest jobs."""
        return [_job(one) for one in (await call(self._stub.GetJobs, pb.GetJobsRequest())).jobs]

    async def job(self, job_id: bytes) -> Job:
        """Return a job.

        Raises:
            NotFoundError: there is none of this id.
        """
        answer = await call(self._stub.GetJobs, pb.GetJobsRequest(job_id=job_id))
        return _job(answer.jobs[0])

    async def next_of_job(self, job_id: bytes, limit: int) -> Sequence[KeyId]:
        """Return keys that are still to be done."""
        message = pb.NextOfJobRequest(job_id=job_id, limit=limit)
        return [KeyId(one) for one in (await call(self._stub.NextOfJob, message)).key_ids]

    async def note_done(
        self, job_id: bytes, key_ids: Sequence[KeyId], outcomes: Sequence[Outcome]
    ) -> None:
        """Note what became of keys."""
        words = [one.value for one in outcomes]
        message = pb.NoteDoneRequest(job_id=job_id, key_ids=key_ids, outcomes=words)
        await call(self._stub.NoteDone, message)

    async def follow_partner(self, partner_id: str) -> int:
        """Let the signer ask the vault about a partner; return how much it withdrew."""
        message = pb.FollowPartnerRequest(partner_id=partner_id)
        return (await call(self._stub.FollowPartner, message, _DEADLINE_S)).withdrawn

    async def make_partner_secret(self, partner_id: str, grounds: Grounds) -> str:
        """Make a partner's secret, in place of the one before it."""
        message = pb.MakePartnerSecretRequest(
            partner_id=partner_id, reason=grounds.reason, ticket=grounds.ticket
        )
        return (await call(self._stub.MakePartnerSecret, message)).secret

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Return the jobs that were given up last, newest first."""
        message = pb.ListDeadLettersRequest(limit=limit)
        return [
            DeadLetter(
                one.job_id.hex(),
                one.kind,
                one.about,
                one.created_at_s,
                one.given_up_at_s,
                one.reason,
            )
            for one in (await call(self._stub.ListDeadLetters, message)).letters
        ]

    async def replay(self, job_id: bytes, grounds: Grounds) -> None:
        """Have a job tried again that was given up.

        Raises:
            NotFoundError: no such job was given up.
        """
        message = pb.ReplayDeadLetterRequest(
            job_id=job_id, reason=grounds.reason, ticket=grounds.ticket
        )
        await call(self._stub.ReplayDeadLetter, message)


def _job(job: pb.Job) -> Job:
    chosen = job.selection
    return Job(
        job_id=job.job_id,
        kind=job.kind,
        selection=Selection(chosen.issued_from_s, chosen.issued_to_s, chosen.vault_id),
        reason=job.reason,
        ticket=job.ticket,
        officer_id=job.officer_id,
        created_at_s=job.created_at_s,
        keys=dict(job.keys),
    )
