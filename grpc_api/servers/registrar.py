"""What signer and developers' tools call at the registrar."""

from collections.abc import Callable
from dataclasses import dataclass

from grpc_api.gen.signer.registrar.v1 import registrar_pb2 as pb
from grpc_api.gen.signer.registrar.v1 import registrar_pb2_grpc
from grpc_api.interceptors.around import Context
from signer_core.identifiers import DeviceKeyHash, RequestId, VaultId
from signer_core.identity.activation import Activation
from signer_core.identity.sandbox.people import Sandbox, SandboxPerson
from signer_core.ports import Registrar


@dataclass(frozen=True, slots=True)
class RegistrarServicer(registrar_pb2_grpc.RegistrarServiceServicer):
    """`signer.registrar.v1.RegistrarService` over the port."""

    registrar: Registrar

    async def AuthoriseEnrolment(  # noqa: N802  named by the proto
        self,
        request: pb.AuthoriseEnrolmentRequest,
        context: Context,  # noqa: ARG002  of every servicer
    ) -> pb.AuthoriseEnrolmentResponse:
        """Authorise one enrolment."""
        grant = await self.registrar.authorise_enrolment(
            request.activation_code,
            DeviceKeyHash(request.device_key_hash),
            VaultId(request.vault_id),
            request.photo,
        )
        return pb.AuthoriseEnrolmentResponse(
            key_id=grant.key_id,
            authorisation=grant.authorisation,
            attestation=grant.attestation,
            full_name=grant.full_name,
        )

    async def AttestPhoto(  # noqa: N802  named by the proto
        self,
        request: pb.AttestPhotoRequest,
        context: Context,  # noqa: ARG002  of every servicer
    ) -> pb.AttestPhotoResponse:
        """Attest that a photo matches."""
        attestation = await self.registrar.attest_photo(
            DeviceKeyHash(request.device_key_hash), RequestId(request.request_id), request.photo
        )
        return pb.AttestPhotoResponse(attestation=attestation)


@dataclass(frozen=True, slots=True)
class SandboxServicer(registrar_pb2_grpc.SandboxServiceServicer):
    """`signer.registrar.v1.SandboxService`: the made-up people and codes for them."""

    sandbox: Sandbox
    activation: Activation
    now_s: Callable[[], int]  # Unix time

    async def ListPeople(  # noqa: N802  named by the proto
        self,
        request: pb.ListPeopleRequest,  # noqa: ARG002  it has no fields
        context: Context,  # noqa: ARG002  of every servicer
    ) -> pb.ListPeopleResponse:
        """List them all."""
        return pb.ListPeopleResponse(people=map(_message, self.sandbox.people.values()))

    async def IssueActivationCode(  # noqa: N802  named by the proto
        self,
        request: pb.IssueActivationCodeRequest,
        context: Context,  # noqa: ARG002  of every servicer
    ) -> pb.IssueActivationCodeResponse:
        """Issue a code for one of them, whatever happens to them later."""
        person = self.sandbox.find(request.person_id)
        issued = await self.activation.issue(person.person_id, self.now_s())
        return pb.IssueActivationCodeResponse(
            activation_code=issued.code, expires_at_s=issued.expires_at_s
        )


def _message(person: SandboxPerson) -> pb.Person:
    return pb.Person(
        person_id=person.person_id,
        full_name_uk=person.full_name,
        full_name_en=person.full_name_latin,
        person_code=person.rnokpp,
        unzr=person.unzr,
        birth_date=person.birth_date.isoformat(),
        document=person.document,
        behaviour=person.behaviour,
    )
