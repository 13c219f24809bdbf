"""A status that gRPC's own client lost is no defect of the other side."""

import grpc
import pytest

from grpc_api.clients.calls import typed_errors
from signer_core.errors import SignerError, UnavailableError


def failed(details):
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, nothing, nothing, details=details)


def test_a_lost_answer_is_try_again_later():
    with pytest.raises(UnavailableError, match="try again later"), typed_errors():
        raise failed("Internal error from Core")


def test_any_other_internal_error_stays_one():
    with pytest.raises(SignerError) as raised, typed_errors():
        raise failed("Received RST_STREAM with error code 2")
    assert type(raised.value) is SignerError
