"""The registrar as the signer and developers' tools see it."""

from dataclasses import dataclass, field

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.registrar.v1 import registrar_pb2 as pb
from grpc_api.gen.signer.registrar.v1 import registrar_pb2_grpc
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId, VaultId
from signer_core.ports import EnrolmentGrant


class RegistrarClient:
    """Port `Registrar` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = registrar_pb2_grpc.RegistrarServiceStub(channel)

    async def authorise_enrolment(
        self, activation_code: str, device_key_hash: DeviceKeyHash, vault_id: VaultId, photo: bytes
    ) -> EnrolmentGrant:
        """See `Registrar.authorise_enrolment`."""
        message = pb.AuthoriseEnrolmentRequest(
            activation_code=activation_code,
            device_key_hash=device_key_hash,
            vault_id=vault_id,
            photo=photo,
        )
        answer = await call(self._stub.AuthoriseEnrolment, message)
        return EnrolmentGrant(
            key_id=KeyId(answer.key_id),
            authorisation=answer.authorisation,
            attestation=answer.attestation,
            full_name=answer.full_name,
        )

    async def attest_photo(
        self, device_key_hash: DeviceKeyHash, request_id: RequestId, photo: bytes
    ) -> str:
        """See `Registrar.attest_photo`."""
        message = pb.AttestPhotoRequest(
            device_key_hash=device_key_hash, request_id=request_id, photo=photo
        )
        return (await call(self._stub.AttestPhoto, message)).attestation


@dataclass(frozen=True, slots=True)
class SandboxPerson:
    """A made-up person."""

    person_id: str
    full_name_uk: str
    full_name_en: str
    person_code: str  # RNOKPP, 10 digits
    unzr: str
    birth_date: str  # ISO 8601
    document: str
    behaviour: str


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A one-time activation code."""

    activation_code: str = field(repr=False)
    expires_at_s: int = 0  # Unix time


class SandboxClient:
    """What developers may ask of a registrar whose people are made up."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = registrar_pb2_grpc.SandboxServiceStub(channel)

    async def people(self) -> tuple[SandboxPerson, ...]:
        """List them all."""
        answer = await call(self._stub.ListPeople, pb.ListPeopleRequest())
        return tuple(_person(one) for one in answer.people)

    async def issue_activation_code(self, person_id: str) -> IssuedCode:
        """Issue a code for one of them.

        Raises:
            NotFoundError: no such person.
        """
        message = pb.IssueActivationCodeRequest(person_id=person_id)
        answer = await call(self._stub.IssueActivationCode, message)
        return IssuedCode(answer.activation_code, answer.expires_at_s)


def _person(one: pb.Person) -> SandboxPerson:
    return SandboxPerson(
        person_id=one.person_id,
        full_name_uk=one.full_name_uk,
        full_name_en=one.full_name_en,
        person_code=one.person_code,
        unzr=one.unzr,
        birth_date=one.birth_date,
        document=one.document,
        behaviour=one.behaviour,
    )
