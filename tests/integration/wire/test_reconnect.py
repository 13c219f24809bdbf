"""A process that was away is found again at once: gRPC's own backoff grows to two minutes."""

import asyncio

import grpc

from grpc_api.server_options import CLIENT_OPTIONS

WATCHED_S = 10
AT_LEAST = 7  # tries; by gRPC's own backoff there would be 5, and ever fewer


async def test_a_neighbour_that_is_away_is_tried_again_every_two_seconds():
    tries = 0

    def refuse(_reader, writer):
        nonlocal tries
        tries += 1
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, grpc.aio.insecure_channel(f"127.0.0.1:{port}", CLIENT_OPTIONS) as channel:
        for _ in range(WATCHED_S * 10):  # somebody keeps asking, as phones do
            channel.get_state(try_to_connect=True)
            await asyncio.sleep(0.1)
    assert tries >= AT_LEAST
