"""Which epoch a phone is in, judged by the key's row as it is now (docs/spec/ecdsa2p.md §5)."""

from dataclasses import dataclass, replace
from hmac import compare_digest

from hsm_module.sessions.live import EpochBase
from hsm_module.storage.records import Records
from hsm_module.storage.rows import EpochState, KeyRow
from signer_core.protocol.ecdsa2p.messages import DeviceNonces
from signer_core.protocol.epoch import make_tag


@dataclass(frozen=True, slots=True)
class ShownEpoch:
    """What a phone showed in steps 1 and 3."""

    number: int
    sid: bytes  # 32 bytes
    message: DeviceNonces


@dataclass(frozen=True, slots=True)
class EpochVerdict:
    """The epoch to go on from, and the row's new epoch state."""

    base: EpochBase
    state: EpochState
    lost_reply: bool = False


async def find_epoch(records: Records, row: KeyRow, shown: ShownEpoch) -> EpochVerdict | None:
    """Return where to go on, or None: then a copy of the phone's data exists.

    1. The tag is under the current key: it was shown to us.
    2. Under the previous key, the current one never shown, and the last success is pending on
       the phone: a lost reply.
    """
    epoch = row.epoch
    base = await _base_under(records, row, epoch.number, epoch.key)
    if _matches(base, shown):  # 1
        return EpochVerdict(base, replace(epoch, shown=True))
    if epoch.previous_key is None or epoch.shown or epoch.last_sid not in shown.message.pending:
        return None
    base = await _base_under(records, row, epoch.number - 1, epoch.previous_key)
    if _matches(base, shown):  # 2
        return EpochVerdict(base, epoch, lost_reply=True)
    return None


async def _base_under(records: Records, row: KeyRow, number: int, wrapped: bytes) -> EpochBase:
    sealed = (row.kek_id, wrapped)
    key = await records.unwrap("epoch-key", row.key_id, row.generation, sealed)
    return EpochBase(number, key, wrapped)


def _matches(base: EpochBase, shown: ShownEpoch) -> bool:
    expected = make_tag(base.key, shown.sid, shown.message.pending)
    return base.number == shown.number and compare_digest(expected, shown.message.epoch_tag)
