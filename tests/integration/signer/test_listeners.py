"""Who gets through which door."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from grpc_api import credentials
from grpc_api.gen.signer.internal.v1 import offers_pb2 as made
from grpc_api.gen.signer.internal.v1 import offers_pb2_grpc, signing_pb2_grpc
from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from grpc_api.gen.signer.phone.v1 import device_pb2, offers_pb2, relay_pb2
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from grpc_api.settings import TlsSettings
from signer_core.pki.device import issue_device
from signer_core.pki.process import ProcessNames, issue_process
from tests.fakes.pki import issuance, make_hierarchy, new_key
from tests.fakes.refusals import drain, refused
from tests.fakes.signer_world import Phone, key_pem, pem
from tests.fakes.uploads import messages

GET = internal.GetRequestRequest(request_id=b"r" * 16)
SIGNING = {
    "CreateRequest": lambda s: s.CreateRequest(iter(messages())),
    "GetRequest": lambda s: s.GetRequest(GET),
    "WatchRequest": lambda s: drain(
        s.WatchRequest(internal.WatchRequestRequest(request_id=b"r" * 16))
    ),
    "WithdrawRequest": lambda s: s.WithdrawRequest(
        internal.WithdrawRequestRequest(request_id=b"r" * 16)
    ),
    "GetSignedDocument": lambda s: drain(
        s.GetSignedDocument(internal.GetSignedDocumentRequest(request_id=b"r" * 16))
    ),
}
OFFER = b"o" * 16
OFFERS = {
    "CreateOffer": lambda s: s.CreateOffer(iter([made.CreateOfferRequest()])),
    "GetOffer": lambda s: s.GetOffer(made.GetOfferRequest(offer_id=OFFER)),
    "WatchOffer": lambda s: drain(s.WatchOffer(made.WatchOfferRequest(offer_id=OFFER))),
    "WithdrawOffer": lambda s: s.WithdrawOffer(made.WithdrawOfferRequest(offer_id=OFFER)),
    "CollectOffer": lambda s: s.CollectOffer(made.CollectOfferRequest(offer_id=OFFER)),
}
PHONE = {
    "CheckPhoto": lambda p: p.device.CheckPhoto(device_pb2.CheckPhotoRequest()),
    "IssueCertificate": lambda p: p.device.IssueCertificate(device_pb2.IssueCertificateRequest()),
    "GetStatus": lambda p: p.device.GetStatus(device_pb2.GetStatusRequest()),
    "SetSuspendCode": lambda p: p.device.SetSuspendCode(device_pb2.SetSuspendCodeRequest()),
    "ListOtherKeys": lambda p: p.device.ListOtherKeys(device_pb2.ListOtherKeysRequest()),
    "RenewCertificate": lambda p: p.device.RenewCertificate(device_pb2.RenewCertificateRequest()),
    "RequestKeyAction": lambda p: p.device.RequestKeyAction(device_pb2.RequestKeyActionRequest()),
    "ListRequests": lambda p: p.requests.ListRequests(phones.ListRequestsRequest()),
    "GetRequest": lambda p: p.requests.GetRequest(phones.GetRequestRequest()),
    "WatchRequests": lambda p: drain(p.requests.WatchRequests(phones.WatchRequestsRequest())),
    "DeclineRequest": lambda p: p.requests.DeclineRequest(phones.DeclineRequestRequest()),
    "GetDocument": lambda p: drain(p.requests.GetDocument(phones.GetDocumentRequest())),
    "GetResult": lambda p: p.results.GetResult(phones.GetResultRequest()),
    "GetSignedDocument": lambda p: drain(
        p.results.GetSignedDocument(phones.GetSignedDocumentRequest())
    ),
    "ListHistory": lambda p: p.requests.ListHistory(phones.ListHistoryRequest()),
    "ClaimOffer": lambda p: p.offers.ClaimOffer(offers_pb2.ClaimOfferRequest()),
    "ConfirmPresence": lambda p: p.offers.ConfirmPresence(offers_pb2.ConfirmPresenceRequest()),
    "GetReturnCode": lambda p: p.offers.GetReturnCode(offers_pb2.GetReturnCodeRequest()),
    "Connect": lambda p: drain(p.relay.Connect(iter([relay_pb2.ConnectRequest()]))),
}


def test_every_method_for_phones_is_tried_below():
    named = [
        method.name
        for module in (device_pb2, offers_pb2, phones, relay_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    assert sorted(named) == sorted(PHONE)


def test_every_internal_method_is_tried_below():
    for module, tried in ((internal, SIGNING), (made, OFFERS)):
        (service,) = module.DESCRIPTOR.services_by_name.values()
        assert [method.name for method in service.methods] == list(tried)


def unreachable():
    return pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE")


@pytest.mark.parametrize("call", SIGNING.values(), ids=SIGNING)
async def test_an_unlisted_caller_is_denied(world, call):
    stub = await world.signing("health.internal")
    with refused("denied"):
        await call(stub)


@pytest.mark.parametrize("call", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("name", ["health.internal", "worker.internal", "officer.internal"])
async def test_only_the_portal_makes_offers(world, call, name):
    stub = offers_pb2_grpc.OffersServiceStub(await world.internal(name))
    with refused("denied"):
        await call(stub)


async def test_a_certificate_without_names_is_denied(world):
    """A device's certificate, even of a CA that the internal listener trusts."""
    phone = await world.enrol()
    device = world.hierarchy.device
    certificate = issue_device(device, issuance(), phone.key.public_key())
    folder = world.folder / "device"
    folder.mkdir()
    (folder / "cert.pem").write_bytes(pem(certificate) + pem(device.certificate))
    (folder / "key.pem").write_bytes(key_pem(phone.key))
    (folder / "ca.pem").write_bytes(world.root_pem)
    tls = TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
    stub = signing_pb2_grpc.SigningServiceStub(await world.internal(tls=tls))
    with refused("denied"):
        await stub.GetRequest(GET)


async def test_a_process_of_another_deployment_is_not_connected(world):
    ours, theirs = world.hierarchy, make_hierarchy()
    world.hierarchy = theirs
    tls = world.tls("portal.internal")
    world.hierarchy = ours
    tls.ca.write_bytes(world.root_pem)
    stub = signing_pb2_grpc.SigningServiceStub(await world.internal(tls=tls))
    with unreachable():
        await stub.GetRequest(GET)


async def test_nobody_calls_internally_without_a_certificate(world):
    channel = credentials.enrolment_channel(
        f"127.0.0.1:{world.ports['internal']}", "signer.internal", world.root_pem
    )
    async with channel:
        with unreachable():
            await signing_pb2_grpc.SigningServiceStub(channel).GetRequest(GET)


async def test_a_process_certificate_is_not_let_in_with_the_phones(world):
    issuer, key = world.hierarchy.infrastructure, new_key()
    names = ProcessNames(("portal.internal",))
    certificate = issue_process(issuer, issuance(), key.public_key(), names)
    channel = await world.phone_channel(key, certificate, issuer.certificate)
    with unreachable():
        await Phone(key, channel).device.GetStatus(device_pb2.GetStatusRequest())


async def test_a_certificate_of_the_device_ca_that_is_no_devices_is_denied(world):
    """Only the common name tells: the key is an enrolled one."""
    phone = await world.enrol()
    device = world.hierarchy.device
    names = ProcessNames(("portal.internal",))
    certificate = issue_process(device, issuance(), phone.key.public_key(), names)
    phone.channel = await world.phone_channel(phone.key, certificate, device.certificate)
    with refused("denied", "not one of a device"):
        await phone.device.GetStatus(device_pb2.GetStatusRequest())


@pytest.mark.parametrize("call", PHONE.values(), ids=PHONE)
async def test_a_device_that_is_not_enrolled_is_denied_everywhere(world, call):
    device, key = world.hierarchy.device, new_key()
    certificate = issue_device(device, issuance(), key.public_key())
    channel = await world.phone_channel(key, certificate, device.certificate)
    with refused("denied", "not enrolled"):
        await call(Phone(key, channel))


async def test_a_device_of_another_ca_with_an_enrolled_key_is_not_connected(world):
    phone = await world.enrol()
    other = make_hierarchy().device
    certificate = issue_device(other, issuance(), phone.key.public_key())
    channel = await world.phone_channel(phone.key, certificate, other.certificate)
    with unreachable():
        await Phone(phone.key, channel).device.GetStatus(device_pb2.GetStatusRequest())


async def test_the_enrolment_listener_serves_enrolment_only(world):
    channel = credentials.enrolment_channel(
        f"127.0.0.1:{world.ports['enrolment']}", "signer.internal", world.root_pem
    )
    async with channel:
        for call in PHONE.values():
            with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
                await call(Phone(new_key(), channel))
        with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
            await signing_pb2_grpc.SigningServiceStub(channel).GetRequest(GET)


async def test_phones_do_not_reach_internal_services(world):
    phone = await world.enrol()
    for call in (
        signing_pb2_grpc.SigningServiceStub(phone.channel).GetRequest(GET),
        health_pb2_grpc.HealthStub(phone.channel).Check(health_pb2.HealthCheckRequest()),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
            await call


async def test_health_is_for_those_listed(world):
    for name, listed in (("health.internal", True), ("portal.internal", False)):
        stub = health_pb2_grpc.HealthStub(await world.internal(name))
        check = stub.Check(
            health_pb2.HealthCheckRequest(service="signer.internal.v1.SigningService")
        )
        if listed:
            assert (await check).status == health_pb2.HealthCheckResponse.SERVING
        else:
            with refused("denied"):
                await check


async def test_reflection_names_the_services(world):
    stub = reflection_pb2_grpc.ServerReflectionStub(await world.internal())
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = await drain(stub.ServerReflectionInfo(iter([ask])))
    names = {service.name for service in answer.list_services_response.service}
    assert "signer.internal.v1.SigningService" in names
