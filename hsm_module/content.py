"""What a key signs is what its request names, item by item (docs/spec/ecdsa2p.md §6)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hsm_module.key_actions import find_action
from hsm_module.storage.rows import KeyRow, RequestRow
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import RequestId
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.key_action import KeyAction
from signer_core.protocol.request_kind import DETACHED
from signer_core.protocol.to_be_signed import verify_cades, verify_cms, verify_pkcs10

CERTIFICATE_KIND: Final = "certificate"  # of the one request with the key's own id


def verify_items(items: Sequence[Item], request: RequestRow, key: KeyRow, now: datetime) -> None:
    """Check the bytes to be signed against the request and the key.

    The request under the key's own id, and a renewal, take exactly one `pkcs10`, about this key's
    own Q; another one about a key takes nothing. Any other takes one `cms` for each of its files,
    or for its challenge, in their order, naming this key's certificate; with a signing time about
    `now` where the signature stands beside what is signed.

    Raises:
        InvalidRequestError: another number or kind of items, or the key has no certificate yet.
        VerificationError: the bytes say something else.
    """
    renews = find_action(request) is KeyAction.RENEWAL
    if renews or request.request_id == RequestId(key.key_id):
        _verify_own_request(items, key)
    elif find_action(request) is not None:
        if items:
            raise InvalidRequestError("a request about a key signs nothing")
    else:
        _verify_files(items, request, key, now)


def _verify_own_request(items: Sequence[Item], key: KeyRow) -> None:
    if [item.kind for item in items] != ["pkcs10"]:
        raise InvalidRequestError("for its certificate a key signs one thing: its own PKCS#10")
    verify_pkcs10(items[0].data, public_key=key.public_key)


def _verify_files(items: Sequence[Item], request: RequestRow, key: KeyRow, now: datetime) -> None:
    own = key.certificate_sha256
    if own is None:
        raise InvalidRequestError("this key has no certificate yet")
    if [item.kind for item in items] != ["cms"] * len(request.file_hashes):
        raise InvalidRequestError("the items are not those of the request")
    for item, file_hash in zip(items, request.file_hashes, strict=True):
        if request.kind in DETACHED:
            verify_cades(item.data, file_hash=file_hash, certificate_sha256=own, now=now)
        else:
            verify_cms(item.data, file_hashes=(file_hash,), certificate_sha256=own)
