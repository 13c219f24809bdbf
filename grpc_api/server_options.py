"""Limits of every gRPC connection, servers and clients, in one place."""

Options = tuple[tuple[str, int | str], ...]

MAX_REQUEST_BYTES = 1 << 20  # the largest, an enrolment with its photo, is 300 KiB
MAX_RESPONSE_BYTES = 4 << 20  # 100 requests of 64 files with signed attributes
MAX_CHUNK_BYTES = 1 << 16  # of documents and TLS records, as the protos say

SERVER_OPTIONS: Options = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_metadata_size", 1 << 13),  # bytes
    ("grpc.max_concurrent_streams", 256),  # a connection, which is one phone's
    ("grpc.keepalive_time_ms", 60_000),  # a phone behind a NAT: notice that it is gone
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
    ("grpc.so_reuseport", 0),  # a second process on the port is an error, not a half of it
)

# A signer carries the streams of all its phones over one connection to the vault, and a phone that
# waits for its PIN holds one.
INTERNAL_SERVER_OPTIONS: Options = tuple(
    (name, 8192 if name == "grpc.max_concurrent_streams" else value)
    for name, value in SERVER_OPTIONS
)

CLIENT_OPTIONS: Options = (
    ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
    ("grpc.enable_retries", 0),  # whoever calls decides: not every call may be made twice
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.initial_reconnect_backoff_ms", 200),  # a process is back within seconds of its death;
    ("grpc.max_reconnect_backoff_ms", 2_000),  # gRPC's own limit would keep us away for 2 minutes
    ("grpc.use_local_subchannel_pool", 1),  # an identity never borrows another's connection
)
