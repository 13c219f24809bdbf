"""What a signer says outside the channel never looks like the vault's word."""

import pytest

from grpc_api.clients import calls, hearsay
from grpc_api.failure import ERRORS, Failure, error_of
from signer_core import errors
from signer_core.errors import DeniedError

VAULTS = {
    *("retire_share", "key_suspended", "key_blocked", "key_held", "pin_rejected"),
    "unknown_generation",
}


def saying(code):
    async def call(*_):
        raise error_of(Failure(code, "said so", 3, 0))

    return call


@pytest.mark.parametrize("code", ERRORS)
async def test_only_errors_that_are_not_the_vaults_keep_their_class(monkeypatch, code):
    monkeypatch.setattr(calls, "call", saying(code))
    with pytest.raises(errors.SignerError) as caught:
        await hearsay.call(None, None)
    if code in VAULTS:
        assert type(caught.value) is DeniedError
        assert "the signer refuses, and says" in str(caught.value)
    else:
        assert caught.value.code == code


async def test_streams_are_quoted_too(monkeypatch):
    async def stream(*_):
        yield b"first"
        raise errors.RetireShareError("said so")

    monkeypatch.setattr(calls, "stream", stream)
    answers = hearsay.stream(None, None)
    assert await anext(answers) == b"first"
    with pytest.raises(DeniedError, match="says: said so"):
        await anext(answers)
