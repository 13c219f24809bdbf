"""Uploads to SigningService, right and wrong."""

import secrets

from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from tests.fakes import handmade
from tests.fakes.requests import PERSON_CODE

PDF = handmade.one_page()
CHUNK = 64 * 1024


def header(**changes):
    fields = {
        "person_code": PERSON_CODE,
        "relying_party_id": "bank",
        "purpose": "purpose",
        "idempotency_key": secrets.token_hex(8),
    }
    return internal.CreateRequestRequest(header=internal.RequestHeader(**fields | changes))


def start(name="a.pdf", size_bytes=None, **fields):
    return internal.CreateRequestRequest(
        file=internal.FileStart(
            name=name, size_bytes=len(PDF) if size_bytes is None else size_bytes, **fields
        )
    )


def chunk(data):
    return internal.CreateRequestRequest(chunk=data)


def file(name="a.pdf", pdf=PDF, **fields):
    pieces = [chunk(pdf[i : i + CHUNK]) for i in range(0, len(pdf), CHUNK)]
    return [start(name, len(pdf), **fields), *pieces]


def messages(*files, **changes):
    """The messages of a whole request."""
    parts = files or (file(),)
    return [header(**changes), *(message for part in parts for message in part)]


async def create(signing, *files, **changes):
    return (await signing.CreateRequest(iter(messages(*files, **changes)))).request_id
