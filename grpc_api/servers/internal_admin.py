"""AdminService: people, mass jobs, dead letters, for officers. The vault says who is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import admin_pb2 as wire
from grpc_api.gen.signer.internal.v1 import admin_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.officer import peer_officer
from grpc_api.servers.vault_admin import parse_grounds
from signer_core.admin.access import Access
from signer_core.admin.following import Following
from signer_core.admin.jobs import JobDesk
from signer_core.admin.letters import DeadLetters, partner_of
from signer_core.admin.officers import Officer
from signer_core.admin.vault import MAX_BATCH, Outcome
from signer_core.audit.events import Actor, Event
from signer_core.audit.provenance import bind_actor
from signer_core.errors import DeniedError, InvalidRequestError
from signer_core.identifiers import KeyId
from signer_core.partners.following import PartnerFollowing
from signer_core.partners.secrets import Secrets
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.jobs import DeadLetter
from signer_core.storage.signer.mass_jobs import MassJob, MassJobs, Selection
from signer_core.storage.signer.people import People

SERVICE: Final = "signer.internal.v1.AdminService"
_OUTCOMES: Final[Mapping[str, Outcome]] = {one.value: one for one in Outcome}


@dataclass(frozen=True, slots=True)
class OfficerGate:
    """Lets officers in, and audits who is not let in."""

    access: Access
    outbox: AuditOutbox

    async def verify(self, context: Context, action: str, *, changes: bool = False) -> Officer:
        """Return the officer, who is from now on the actor of this call.

        Raises:
            DeniedError: the caller is none, or an auditor who would change something.
        """
        claim = peer_officer(context)
        bind_actor(Actor("officer", claim.officer_id))
        try:
            return await self.access.verify(claim, changes=changes)
        except DeniedError as error:
            reason = "auditor" if "auditor" in str(error) else "unknown-officer"
            event = Event("officer-refused", "refused", reason=reason, subject=action)
            await self.outbox.record_alone(event)
            raise


def add_admin(server: grpc.aio.Server, servicer: "AdminServicer") -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_AdminServiceServicer_to_server(servicer, server)
    return (SERVICE,)


@dataclass(frozen=True, slots=True)
class AdminServicer(services.AdminServiceServicer):
    """First who, then what."""

    gate: OfficerGate
    people: People
    following: Following
    desk: JobDesk
    jobs: MassJobs
    partners: PartnerFollowing
    secrets: Secrets
    letters: DeadLetters

    @override
    async def FindPerson(
        self, request: wire.FindPersonRequest, context: Context
    ) -> wire.FindPersonResponse:
        """Find a person's keys."""
        await self.gate.verify(context, "find-person")
        found = await self.people.find(request.by, request.value)
        keys = [
            wire.PersonKey(
                key_id=one.key_id,
                person_code=one.person_code,
                serial=one.serial,
                status=one.status,
                enrolled_at_s=one.enrolled_at_s,
                not_after_s=one.not_after_s,
            )
            for one in found
        ]
        return wire.FindPersonResponse(keys=keys)

    @override
    async def GetHistory(
        self, request: wire.GetHistoryRequest, context: Context
    ) -> wire.GetHistoryResponse:
        """List a key's requests."""
        await self.gate.verify(context, "history")
        found = await self.people.history(KeyId(request.key_id), request.limit, request.before_s)
        past = [
            wire.PastRequest(
                request_id=one.request_id,
                kind=one.kind,
                status=one.status.value,
                caller=one.caller,
                created_at_s=one.created_at_s,
                expires_at_s=one.expires_at_s,
                files=one.files,
            )
            for one in found
        ]
        return wire.GetHistoryResponse(requests=past)

    @override
    async def FollowKeys(
        self, request: wire.FollowKeysRequest, context: Context
    ) -> wire.FollowKeysResponse:
        """Close what the vault burned."""
        await self.gate.verify(context, "follow-keys", changes=True)
        if len(request.key_ids) > MAX_BATCH:
            raise InvalidRequestError(f"at most {MAX_BATCH} keys at once")
        closed = await self.following.follow([KeyId(one) for one in request.key_ids])
        return wire.FollowKeysResponse(closed=closed)

    @override
    async def PreviewJob(
        self, request: wire.PreviewJobRequest, context: Context
    ) -> wire.PreviewJobResponse:
        """Count what a job would be about."""
        await self.gate.verify(context, "preview-job")
        keys, people = await self.desk.preview(_selection(request.selection))
        return wire.PreviewJobResponse(keys=keys, people=people)

    @override
    async def CreateJob(
        self, request: wire.CreateJobRequest, context: Context
    ) -> wire.CreateJobResponse:
        """Write a job down."""
        officer = await self.gate.verify(context, "create-job", changes=True)
        grounds = parse_grounds(request.reason, request.ticket)
        selection = _selection(request.selection)
        job = await self.desk.create(officer, request.job_id, request.kind, selection, grounds)
        return wire.CreateJobResponse(job=_job(job))

    @override
    async def AddToJob(
        self, request: wire.AddToJobRequest, context: Context
    ) -> wire.AddToJobResponse:
        """Add keys that only the vault knows."""
        await self.gate.verify(context, "add-to-job", changes=True)
        ids = [KeyId(one) for one in request.key_ids]
        return wire.AddToJobResponse(added=await self.desk.add(request.job_id, ids))

    @override
    async def GetJobs(self, request: wire.GetJobsRequest, context: Context) -> wire.GetJobsResponse:
        """Get one job, or all."""
        await self.gate.verify(context, "get-jobs")
        one = request.job_id
        found = [await self.jobs.get(one)] if one else await self.jobs.all()
        return wire.GetJobsResponse(jobs=map(_job, found))

    @override
    async def NextOfJob(
        self, request: wire.NextOfJobRequest, context: Context
    ) -> wire.NextOfJobResponse:
        """Get keys that are still to be done."""
        await self.gate.verify(context, "next-of-job")
        keys = await self.desk.next_keys(request.job_id, request.limit)
        return wire.NextOfJobResponse(key_ids=keys)

    @override
    async def NoteDone(
        self, request: wire.NoteDoneRequest, context: Context
    ) -> wire.NoteDoneResponse:
        """Note what became of keys."""
        await self.gate.verify(context, "note-done", changes=True)
        if len(request.key_ids) != len(request.outcomes):
            raise InvalidRequestError("one outcome a key")
        if unknown := set(request.outcomes) - set(_OUTCOMES):
            raise InvalidRequestError(f"there are no such outcomes: {len(unknown)}")
        outcomes = {
            KeyId(key_id): _OUTCOMES[word]
            for key_id, word in zip(request.key_ids, request.outcomes, strict=True)
        }
        await self.desk.note(request.job_id, outcomes)
        return wire.NoteDoneResponse()

    @override
    async def FollowPartner(
        self, request: wire.FollowPartnerRequest, context: Context
    ) -> wire.FollowPartnerResponse:
        """Take over what the vault says of a partner."""
        await self.gate.verify(context, "follow-partner", changes=True)
        row, withdrawn = await self.partners.follow(request.partner_id)
        return wire.FollowPartnerResponse(active=row.active, withdrawn=withdrawn)

    @override
    async def MakePartnerSecret(
        self, request: wire.MakePartnerSecretRequest, context: Context
    ) -> wire.MakePartnerSecretResponse:
        """Make a partner's secret."""
        await self.gate.verify(context, "make-partner-secret", changes=True)
        grounds = parse_grounds(request.reason, request.ticket)
        secret = await self.secrets.make(request.partner_id, grounds.reason)
        return wire.MakePartnerSecretResponse(secret=secret)

    @override
    async def ListDeadLetters(
        self, request: wire.ListDeadLettersRequest, context: Context
    ) -> wire.ListDeadLettersResponse:
        """List what was given up."""
        await self.gate.verify(context, "list-dead-letters")
        letters = await self.letters.newest(request.limit)
        return wire.ListDeadLettersResponse(letters=map(_letter, letters))

    @override
    async def ReplayDeadLetter(
        self, request: wire.ReplayDeadLetterRequest, context: Context
    ) -> wire.ReplayDeadLetterResponse:
        """Try one again."""
        await self.gate.verify(context, "replay-dead-letter", changes=True)
        grounds = parse_grounds(request.reason, request.ticket)
        await self.letters.replay(request.job_id, grounds)
        return wire.ReplayDeadLetterResponse()


def _selection(message: wire.Selection) -> Selection:
    return Selection(message.issued_from_s, message.issued_to_s, message.vault_id)


def _job(job: MassJob) -> wire.Job:
    return wire.Job(
        job_id=job.job_id,
        kind=job.kind,
        selection=wire.Selection(
            issued_from_s=job.selection.issued_from_s,
            issued_to_s=job.selection.issued_to_s,
            vault_id=job.selection.vault_id,
        ),
        reason=job.reason,
        ticket=job.ticket,
        officer_id=job.officer_id,
        created_at_s=job.created_at_s,
        keys=job.keys,
    )


def _letter(letter: DeadLetter) -> wire.DeadLetter:
    return wire.DeadLetter(
        job_id=letter.job.job_id,
        kind=letter.job.kind,
        about=partner_of(letter.job),
        created_at_s=letter.created_at_s,
        given_up_at_s=letter.given_up_at_s,
        reason=letter.reason,
    )
