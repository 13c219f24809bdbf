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
_MAX_ANSWERS = 3  # of a stream that would go on

# Which listener carries a service, and who may call it there.
_INTERNAL = {
    "signer.internal": ("signer", "internal", "portal"),
    "signer.vault": ("vault", "vault", "signer"),
    "signer.registrar.v1.RegistrarService": ("registrar", "registrar", "signer"),
    "signer.registrar": ("registrar", "registrar", "portal"),
}


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

    async def call(self, messages: Sequence[bytes]) -> grpc.StatusCode:
        """Send these bytes as the requests; return the status."""
        sent = messages if self.method.client_streaming else messages[0]
        try:
            match self.method.client_streaming, self.method.server_streaming:
                case False, False:
                    await self.channel.unary_unary(self.path)(sent, timeout=_TIMEOUT_S)
                case True, False:
                    await self.channel.stream_unary(self.path)(_each(sent), timeout=_TIMEOUT_S)
                case False, True:
                    await _some(self.channel.unary_stream(self.path)(sent, timeout=_TIMEOUT_S))
                case _:
                    stream = self.channel.stream_stream(self.path)
                    await _some(stream(_each(sent), timeout=_TIMEOUT_S))
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


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
            if service.startswith("signer.phone."):
                channel = enrolment if service.endswith("EnrolmentService") else phones
            else:
                process, port, caller = next(
                    value for prefix, value in _INTERNAL.items() if service.startswith(prefix)
                )
                tls = _tls(system, caller)
                address = f"127.0.0.1:{system.ports[port]}"
                channel = await stack.enter_async_context(
                    internal_channel(address, f"{process}.internal", tls)
                )
            targets.append(Target(channel, method))
        yield targets


def _tls(system: System, caller: str) -> TlsSettings:
    folder = system.home.tls(caller)
    return TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
