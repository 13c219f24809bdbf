"""Requests that are no protobuf: a typed error; gRPC would log a traceback and say UNKNOWN."""

from typing import Any

from google.protobuf.message import DecodeError

from grpc_api.interceptors.around import Decode
from signer_core.errors import InvalidRequestError


def typed(deserialise: Decode) -> Decode:
    """Make a deserialiser raise `InvalidRequestError` for what is no message."""

    def decode(data: bytes) -> Any:
        try:
            return deserialise(data)
        except DecodeError:
            raise InvalidRequestError("the request is no message of this method") from None

    return decode
