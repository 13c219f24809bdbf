"""What the signer tells a phone, as plain values. The phone believes none of it unchecked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grpc_api.clients.status import RequestStatus
from grpc_api.gen.signer.phone.v1 import device_pb2, enrolment_pb2, requests_pb2
from signer_core.errors import UnavailableError
from signer_core.identifiers import KeyId, RequestId
from signer_core.ports import KeyStatus

_KEY_STATUS: Mapping[int, KeyStatus] = {
    device_pb2.KEY_STATUS_ACTIVE: KeyStatus.ACTIVE,
    device_pb2.KEY_STATUS_BLOCKED: KeyStatus.BLOCKED,
    device_pb2.KEY_STATUS_SUSPENDED: KeyStatus.SUSPENDED,
    device_pb2.KEY_STATUS_RETIRED: KeyStatus.RETIRED,
    device_pb2.KEY_STATUS_RESTORED: KeyStatus.RESTORED,
}
_REQUEST_STATUS: Mapping[int, RequestStatus] = {
    requests_pb2.REQUEST_STATUS_OPEN: RequestStatus.OPEN,
    requests_pb2.REQUEST_STATUS_CONSUMED: RequestStatus.CONSUMED,
    requests_pb2.REQUEST_STATUS_DECLINED: RequestStatus.DECLINED,
    requests_pb2.REQUEST_STATUS_EXPIRED: RequestStatus.EXPIRED,
    requests_pb2.REQUEST_STATUS_BURNED: RequestStatus.BURNED,
    requests_pb2.REQUEST_STATUS_WITHDRAWN: RequestStatus.WITHDRAWN,
    requests_pb2.REQUEST_STATUS_REPLACED: RequestStatus.REPLACED,
}


@dataclass(frozen=True, slots=True)
class UntrustedFile:
    """One file to be signed, as the signer describes it."""

    name: str
    file_hash: bytes  # 32 bytes, SHA-256 of what is signed
    to_be_signed: bytes  # DER of the CMS signed attributes; empty without a certificate
    size_bytes: int  # 0: there is no document to fetch, only its hash
    media_type: str = ""  # of a document for reading


@dataclass(frozen=True, slots=True)
class UntrustedRequest:
    """A request, as the signer describes it."""

    request_id: RequestId
    kind: str
    relying_party: str  # compact JWS by the registry
    purpose: str
    files: tuple[UntrustedFile, ...]
    return_address: str
    challenge: bytes
    expires_at_s: int  # Unix time
    status: RequestStatus
    statement: str = ""  # text whose SHA-256 the challenge is, or empty
    initiator: str = ""  # a hint, under no hash
    offer_id: bytes = b""  # 16 bytes, of a request that came of an offer
    created_at_s: int = 0  # Unix time
    ended_at_s: int = 0  # Unix time, of a request that is over


@dataclass(frozen=True, slots=True)
class EnrolmentGrant:
    """What the signer hands over for an activation code and a device key."""

    key_id: KeyId
    vault_id: str
    authorisation: str = field(repr=False)  # compact JWS
    attestation: str = field(repr=False)  # compact JWS, good for 5 minutes
    device_chain: tuple[bytes, ...]  # DER, the device certificate first, without the root
    full_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherKey:
    """Another key of the person, as the signer describes it."""

    key_id: KeyId
    certificate: bytes  # DER
    enrolled_at_s: int  # Unix time


@dataclass(frozen=True, slots=True)
class RenewedChains:
    """New certificates on the same keys, DER, each with its issuers after it."""

    person: tuple[bytes, ...]  # the root last
    device: tuple[bytes, ...]  # without the root


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What the signer says of this phone's key: information, no reason to retire anything."""

    status: str  # active, blocked, suspended, retired, restored
    attempts_left: int
    hold_until_s: int  # Unix time, 0 when no wait is due
    signatures: int
    generation: int
    wrong_tries: int = 0  # wrong PINs since the last success
    ended_by: str = ""  # why it was suspended or retired: owner, officer, clone, ..
    must_refresh: bool = False  # it signs nothing before new shares
    renew_before_s: int = 0  # Unix time; 0 while the certificate is good for more than 30 days


def grant_of(answer: enrolment_pb2.BeginEnrolmentResponse) -> EnrolmentGrant:
    """Copy a grant."""
    return EnrolmentGrant(
        key_id=KeyId(answer.key_id),
        vault_id=answer.vault_id,
        authorisation=answer.authorisation,
        attestation=answer.attestation,
        device_chain=(answer.device_certificate, *answer.device_chain),
        full_name=answer.full_name,
    )


def request_of(answer: requests_pb2.SignatureRequest) -> UntrustedRequest:
    """Copy a request."""
    return UntrustedRequest(
        request_id=RequestId(answer.request_id),
        kind=answer.kind,
        relying_party=answer.relying_party,
        purpose=answer.purpose,
        files=tuple(
            UntrustedFile(one.name, one.file_hash, one.to_be_signed, one.size_bytes, one.media_type)
            for one in answer.files
        ),
        return_address=answer.return_address,
        challenge=answer.challenge,
        expires_at_s=answer.expires_at_s,
        status=request_status(answer.status),
        statement=answer.statement,
        initiator=answer.initiator,
        offer_id=answer.offer_id,
        created_at_s=answer.created_at_s,
        ended_at_s=answer.ended_at_s,
    )


def request_status(number: int) -> RequestStatus:
    """Name a status.

    Raises:
        UnavailableError: it is of a newer version of the protos.
    """
    if number not in _REQUEST_STATUS:
        raise UnavailableError("the signer speaks a newer version: update this phone")
    return _REQUEST_STATUS[number]


def report_of(answer: device_pb2.GetStatusResponse) -> KeyReport:
    """Copy a report on the key.

    Raises:
        UnavailableError: its status is of a newer version of the protos.
    """
    if answer.status not in _KEY_STATUS:
        raise UnavailableError("the signer speaks a newer version: update this phone")
    return KeyReport(
        status=_KEY_STATUS[answer.status].value,
        attempts_left=answer.attempts_left,
        hold_until_s=answer.hold_until_s,
        signatures=answer.signatures,
        generation=answer.generation,
        wrong_tries=answer.wrong_tries,
        ended_by=answer.ended_by,
        must_refresh=answer.must_refresh,
        renew_before_s=answer.renew_before_s,
    )
