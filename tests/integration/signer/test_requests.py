"""From a caller's wish to a signed PDF, over gRPC and TLS."""

from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from signer_core.documents import ValidSignature, verify_pdf
from signer_core.protocol.request import request_hash
from signer_core.protocol.to_be_signed import byte_range_digest
from tests.fakes.uploads import PDF, create


async def test_a_document_is_signed(world):
    phone = await world.person()
    signing = await world.signing()
    request_id = await create(signing)

    (shown,) = (await phone.requests.ListRequests(phones.ListRequestsRequest())).requests
    assert shown.request_id == request_id
    (file,) = shown.files
    chunks = phone.requests.GetDocument(phones.GetDocumentRequest(request_id=request_id))
    pdf = b"".join([answer.chunk async for answer in chunks])
    assert byte_range_digest(pdf) == file.file_hash
    who = world.vault.partners.record
    assert world.vault.registered[request_id].request_hash == request_hash(
        "documentSigning",
        who,
        "purpose",
        [(file.name, file.file_hash)],
        "",
        b"",
    )

    world.vault.sign(request_id, [file.to_be_signed])
    result = await phone.results.GetResult(phones.GetResultRequest(request_id=request_id))
    assert (result.status, result.signed_files) == (phones.REQUEST_STATUS_CONSUMED, 1)
    citizen = world.vault.citizens[phone.key_id]
    for source in (
        phone.results.GetSignedDocument(phones.GetSignedDocumentRequest(request_id=request_id)),
        signing.GetSignedDocument(internal.GetSignedDocumentRequest(request_id=request_id)),
    ):
        signed = b"".join([answer.chunk async for answer in source])
        (report,) = verify_pdf(signed, trust_roots=citizen.trust_roots, now=world.clock.now)
        assert isinstance(report, ValidSignature)
        assert signed.startswith(PDF)
    state = await signing.GetRequest(internal.GetRequestRequest(request_id=request_id))
    assert state.state.certificate == citizen.certificate
