"""The channel between phone and vault that the signer cannot read (docs/spec/ecdsa2p.md §0)."""

from grpc_api.channel.contexts import DeviceIdentity, device_context, vault_context
from grpc_api.channel.ends import (
    DeviceChannel,
    Timeouts,
    VaultChannel,
    device_channel,
    vault_channel,
)
from grpc_api.channel.messages import ChannelMessage, FromVault
from grpc_api.failure import Failure
from signer_core.ports import Enrolled, EpochAcked

__all__ = [
    "ChannelMessage",
    "DeviceChannel",
    "DeviceIdentity",
    "Enrolled",
    "EpochAcked",
    "Failure",
    "FromVault",
    "Timeouts",
    "VaultChannel",
    "device_channel",
    "device_context",
    "vault_channel",
    "vault_context",
]
