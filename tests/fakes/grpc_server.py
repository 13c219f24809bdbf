"""A gRPC server on a free port of loopback, for the time of a test."""

from contextlib import asynccontextmanager

from grpc_api.server import listen


@asynccontextmanager
async def running(server, credentials):
    """Start a server; yields its address."""
    port = listen(server, "127.0.0.1:0", credentials)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
