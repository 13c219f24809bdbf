"""Every method of every listener, found in the generated code, called with raw bytes."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from deploy.system import System
from grpc_api import gen
from grpc_api.credentials import device_grpc_channel, enrolment_channel, internal_channel
from grpc_api.settings import TlsSettings
from mobile_share.phone import Phone

_TIMEOUT_S = 5
_STREAM_TIMEOUT_S = 1  # for one that waits for news
_MAX_ANSWERS = 3  # of a stream that would go on

# Where a service is served, and as whom it is called there: (process, port, caller's folder).
_EVERYWHERE = (
    ("signer", "internal", "health"),
    ("vault", "vault", "health"),
    ("registrar", "registrar", "health"),
    ("worker", "worker", "health"),
)
_INTERNAL = {
    "signer.internal.v1.SigningService": (("signer", "internal", "portal"),),
    "signer.internal.v1.OffersService": (("signer", "internal", "portal"),),
    "signer.internal.v1.LoginService": (("signer", "internal", "portal"),),
    "signer.vault.v1.VaultRelayService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultRequestsService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultKeysService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultTrustService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultAuditService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultSealService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultLoginService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultPartnersService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultOfficersService": (("vault", "vault", "signer"),),
    "signer.vault.v1.VaultProcessesService": (("vault", "vault", "portal"),),
    "signer.vault.v1.VaultAdminService": (("vault", "vault", "officer"),),
    "signer.internal.v1.AdminService": (("signer", "internal", "officer"),),
    "signer.internal.v1.AuditService": (("signer", "internal", "officer"),),
    "signer.internal.v1.OutboxService": (("signer", "internal", "worker"),),
    "signer.internal.v1.PartnersService": (("signer", "internal", "portal"),),
    "signer.internal.v1.CallbacksService": (("signer", "internal", "worker"),),
    "signer.internal.v1.SealService": (("signer", "internal", "portal"),),
    "signer.internal.v1.TrustService": (("signer", "internal", "portal"),),
    "signer.registrar.v1.RegistrarService": (("registrar", "registrar", "signer"),),
    "signer.registrar.v1.SandboxService": (("registrar", "registrar", "portal"),),
    "signer.diagnostics.v1.DiagnosticsService": _EVERYWHERE,
}
_FOR_PHONES = {
    "signer.phone.v1.DeviceService",
    "signer.phone.v1.OffersService",
    "signer.phone.v1.RelayService",
    "signer.phone.v1.RequestsService",
    "signer.phone.v1.ResultsService",
}
_FOR_ANYBODY = {"signer.phone.v1.EnrolmentService", "signer.phone.v1.EmergencyService"}
SERVED = {*_INTERNAL, *_FOR_PHONES, *_FOR_ANYBODY}


@dataclass(frozen=True)
class Target:
    """One method, with a connection to where it is."""

    channel: grpc.aio.Channel
    method: MethodDescriptor

    @property
    def path(self) -> str:
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def request(self) -> type[Message]:
        return GetMessageClass(self.method.input_type)

    async def call(self, messages: Sequence[bytes]) -> tuple[grpc.StatusCode, str]:
        """Send these bytes as the requests; return the status and what it says."""
        sent = messages if self.method.client_streaming else messages[0]
        try:
            match self.method.client_streaming, self.method.server_streaming:
                case False, False:
                    await self.channel.unary_unary(self.path)(sent, timeout=_TIMEOUT_S)
                case True, False:
                    await self.channel.stream_unary(self.path)(_each(sent), timeout=_TIMEOUT_S)
                case False, True:
                    await _some(
                        self.channel.unary_stream(self.path)(sent, timeout=_STREAM_TIMEOUT_S)
                    )
                case _:
                    both = self.channel.stream_stream(self.path)
                    await _some(both(_each(sent), timeout=_STREAM_TIMEOUT_S))
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""


async def _each(messages: Iterable[bytes]) -> AsyncIterator[bytes]:
    for message in messages:
        yield message


async def _some(answers: grpc.aio.UnaryStreamCall) -> None:
    seen = 0
    async for _ in answers:
        seen += 1
        if seen == _MAX_ANSWERS:
            answers.cancel()
            return


def find_methods() -> list[MethodDescriptor]:
    """Return every method of every service in the protos."""
    names = (one.name for one in pkgutil.walk_packages(gen.__path__, f"{gen.__name__}."))
    modules = [importlib.import_module(name) for name in names if name.endswith("_pb2")]
    return [
        method
        for module in modules
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


@asynccontextmanager
async def open_targets(system: System, phone: Phone) -> AsyncIterator[list[Target]]:
    """Connect to every listener as somebody whom it lets in."""
    pinned, root = phone.deployment, phone.deployment.root_pem.encode()
    name = pinned.server_name
    async with AsyncExitStack() as stack:
        phones = await stack.enter_async_context(
            device_grpc_channel(pinned.phone_address, name, phone.identity(), root)
        )
        enrolment = await stack.enter_async_context(
            enrolment_channel(pinned.enrolment_address, name, root)
        )
        targets = []
        for method in find_methods():
            service = method.containing_service.full_name
            if service in _FOR_PHONES:
                targets.append(Target(phones, method))
            elif service in _FOR_ANYBODY:
                targets.append(Target(enrolment, method))
            else:
                for process, port, caller in _INTERNAL[service]:
                    address = f"127.0.0.1:{system.ports[port]}"
                    tls = _tls(system, caller)
                    door = internal_channel(address, f"{process}.internal", tls)
                    targets.append(Target(await stack.enter_async_context(door), method))
        yield targets


def _tls(system: System, caller: str) -> TlsSettings:
    folder = system.home.tls(caller)
    return TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
