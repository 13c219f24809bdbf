"""The wire: protos, the inner channel, clients, interceptors and the servers behind them."""

import os

# gRPC reads this once, when it is loaded. Its newer way to poll takes every message through one
# thread more: 3 to 10 % of all CPU of a signature (docs/adr/0021-uploads-read-to-their-end.md).
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
