"""Confirming that a person is here, "antibot": the device key and the photo, no PIN."""

from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.requests import Request
from signer_core.errors import InvalidRequestError
from signer_core.protocol.presence import presence_message
from signer_core.protocol.request_kind import RequestKind


async def confirm(phone: Phone, signer: SignerClient, request: Request, photo: bytes) -> None:
    """Confirm a checked request after the person said yes; repeating it is harmless.

    Raises:
        InvalidRequestError: it is of another kind: sign it with the PIN.
        DeniedError: the photo does not match.
        NotFoundError: it is not open any more.
    """
    if request.kind is not RequestKind.ANTIBOT:
        raise InvalidRequestError("this request is signed with the PIN")
    attestation = await signer.check_photo(request.request_id, photo)
    message = presence_message(request.request_hash)
    signature = phone.key_store.device_key().sign(message)
    await signer.confirm_presence(request.request_id, attestation, signature)
