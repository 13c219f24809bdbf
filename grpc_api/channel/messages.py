"""What may travel inside the channel: the protocol's messages and three of the transport."""

from grpc_api.failure import Failure
from signer_core.ports import Enrolled, EpochAcked
from signer_core.protocol.ecdsa2p.messages import Message

FromVault = Message | Enrolled | EpochAcked
ChannelMessage = FromVault | Failure
