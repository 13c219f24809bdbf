"""The way into the vault: TLS 1.3 inside the relay's stream (docs/spec/ecdsa2p.md §0)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import lru_cache

from grpc_api.channel import DeviceChannel, device_channel, device_context
from mobile_share.lock import only_user_of
from mobile_share.phone import Phone
from mobile_share.ports import Relay, SignerClient
from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import KeyId, RequestId, VaultId


class _OutsideStream:
    """The relay, whose errors are never taken for the vault's.

    The signer can end a stream with any status, `retire_share` too. Only what TLS carried may
    retire a share or count as a wrong PIN, so here every error becomes the same one.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def read(self) -> bytes:
        try:
            return await self._relay.read()
        except SignerError as error:
            raise _outside(error) from None

    async def write(self, records: bytes) -> None:
        try:
            await self._relay.write(records)
        except SignerError as error:
            raise _outside(error) from None


def _outside(error: SignerError) -> UnavailableError:
    return UnavailableError(f"the connection to the vault broke off ({error.code})")


@asynccontextmanager
async def open_vault(
    phone: Phone, signer: SignerClient, key_id: KeyId, request_id: RequestId
) -> AsyncIterator[DeviceChannel]:
    """Open a channel to the pinned vault, for one session; the folder is ours meanwhile.

    What is raised inside and says RetireShareError or PinRejectedError comes from the vault.

    Raises:
        FolderInUseError: another session of this phone runs.
        ProtocolAbortError: the other end is not the pinned vault, or it broke off.
        UnavailableError: the relay failed, whatever it said.
    """
    context = _context(phone.identity(), phone.deployment.root_pem.encode("ascii"))
    vault_id = VaultId(phone.deployment.vault_id)
    with only_user_of(phone.folder):
        async with _relay(signer, key_id, request_id) as stream:
            channel = await device_channel(stream.read, stream.write, context, vault_id)
            try:
                yield channel
            finally:
                await channel.close()


# To read certificate and key costs OpenSSL as much as the handshake. An app that is open has them
# in memory already; a context resumes nothing, so each session is a full handshake all the same.
_context = lru_cache(maxsize=64)(device_context)


@asynccontextmanager
async def _relay(
    signer: SignerClient, key_id: KeyId, request_id: RequestId
) -> AsyncIterator[_OutsideStream]:
    stack = AsyncExitStack()
    try:
        relay = await stack.enter_async_context(signer.connect(key_id, request_id))
    except SignerError as error:
        raise _outside(error) from None
    try:
        yield _OutsideStream(relay)
    finally:
        with suppress(SignerError):  # what the relay says at the end changes nothing any more
            await stack.aclose()
