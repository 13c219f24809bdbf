"""Typed errors over gRPC, both ways. Servicers raise; only here a call is aborted."""

import time
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import grpc
import structlog

from grpc_api.failure import Failure, failure_of
from grpc_api.interceptors.around import Around, Context, Handler
from signer_core import errors
from signer_core.errors import SignerError

Code = grpc.StatusCode
STATUS: Mapping[type[SignerError], grpc.StatusCode] = {
    errors.SignerError: Code.INTERNAL,
    errors.InvalidRequestError: Code.INVALID_ARGUMENT,
    errors.DeniedError: Code.PERMISSION_DENIED,
    errors.PinRejectedError: Code.PERMISSION_DENIED,
    errors.KeyHeldError: Code.PERMISSION_DENIED,
    errors.KeyBlockedError: Code.PERMISSION_DENIED,
    errors.KeySuspendedError: Code.PERMISSION_DENIED,
    errors.RefreshNeededError: Code.PERMISSION_DENIED,
    errors.NotFoundError: Code.NOT_FOUND,
    errors.ProtocolAbortError: Code.ABORTED,
    errors.BusyError: Code.ABORTED,
    errors.UnknownGenerationError: Code.ABORTED,
    errors.RetireShareError: Code.FAILED_PRECONDITION,
    errors.VerificationError: Code.FAILED_PRECONDITION,
    errors.UnavailableError: Code.UNAVAILABLE,
}

_log = structlog.get_logger()


def error_surround(method: str, _handler: Handler) -> Around:
    """Turn errors into statuses and log each call. The outermost of every server."""
    return lambda context: _answered(context, method)


@asynccontextmanager
async def _answered(context: Context, method: str) -> AsyncIterator[None]:
    started = time.monotonic()
    code = "ok"
    try:
        yield
    except grpc.aio.AbortError:
        code = "aborted"  # by a servicer that gRPC itself ships: health, reflection
        raise
    except SignerError as error:
        code = error.code
        await _abort(context, STATUS[type(error)], failure_of(error))
    except Exception as error:  # noqa: BLE001  the edge of the process: logged, never shown
        code = SignerError.code
        _log.error("unexpected", method=method, kind=type(error).__name__, where=_places(error))
        await _abort(context, Code.INTERNAL, Failure(code, "internal error"))
    finally:
        duration_ms = round((time.monotonic() - started) * 1000, 1)
        _log.info("call", method=method, code=code, duration_ms=duration_ms)


async def _abort(context: Context, status: grpc.StatusCode, failure: Failure) -> None:
    metadata = [("error-code", failure.code)]
    if failure.code == errors.PinRejectedError.code:
        metadata.append(("attempts-left", str(failure.attempts_left)))
    if failure.hold_until_s:
        metadata.append(("hold-until-s", str(failure.hold_until_s)))
    await context.abort(status, failure.message, tuple(metadata))


def _places(error: BaseException) -> str:
    """Name the innermost lines of code, never the exception's text: it may quote data."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames)
    )
