"""Whether the signer's neighbours answer it: not only whether they serve."""

import secrets
from collections.abc import Awaitable, Mapping

from grpc_api.signer_parts import Neighbours
from signer_core.diagnostics import Finding, Verdict
from signer_core.errors import NotFoundError
from signer_core.identifiers import DeviceKeyHash, RequestId


def check_neighbours(neighbours: Neighbours) -> Mapping[str, Awaitable[Finding]]:
    """Ask each what it must refuse: only one that lets the signer in refuses it so."""
    nobody, nothing = DeviceKeyHash(bytes(32)), RequestId(secrets.token_bytes(16))
    photo = neighbours.registrar.attest_photo(nobody, nothing, b"no photo")
    return {
        "vault": _check("vault", neighbours.requests.result(nothing)),
        "registrar": _check("registrar", photo),
    }


async def _check(name: str, asked: Awaitable[object]) -> Finding:
    try:
        await asked
    except NotFoundError:
        return Finding(name, Verdict.GOOD, "answers the signer")
    says = "answered what it must refuse"
    return Finding(name, Verdict.BAD, says, f"is the {name} of the same version as the signer?")
