"""Which epoch a phone is in, judged by the key's row as it is now (docs/spec/ecdsa2p.md §5)."""

from dataclasses import dataclass, replace
from hmac import compare_digest

from hsm_module.sessions.live import EpochBase
from hsm_module.storage.records import Records
from hsm_module.storage.rows import EpochState, Generation, KeyRow
from signer_core.errors import UnknownGenerationError
from signer_core.identifiers import KeyId
from signer_core.ports import KeyStatus
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
    audited: str | None = None  # what the audit log says of it


def find_generation(row: KeyRow, number: int) -> Generation | None:
    """Return a generation that the vault accepts, or None if it erased that one.

    Raises:
        UnknownGenerationError: the vault does not know it yet.
    """
    if number > row.generations[-1].number:
        raise UnknownGenerationError("the vault does not know this generation of the share")
    return next((known for known in row.generations if known.number == number), None)


async def find_epoch(
    records: Records, row: KeyRow, generation: Generation, shown: ShownEpoch
) -> EpochVerdict | None:
    """Return where to go on, or None: then a copy of the phone's data exists.

    0. After a restored backup the vault's epoch may be an old one: nothing is judged, once.
    1. The tag is under the current key: it was shown to us.
    2. Under the previous key, the current one never shown, and the last success is pending on
       the phone: a lost reply.
    """
    epoch = generation.epoch
    base = await _base_under(records, row.key_id, generation, epoch.key)
    if row.status is KeyStatus.RESTORED:  # 0
        return EpochVerdict(replace(base, judged=False), epoch, audited="not-judged")
    if _matches(base, shown):  # 1
        return EpochVerdict(base, replace(epoch, shown=True))
    if epoch.previous_key is None or epoch.shown or epoch.last_sid not in shown.message.pending:
        return None
    base = await _base_under(records, row.key_id, generation, epoch.previous_key)
    base = replace(base, number=epoch.number - 1)
    if _matches(base, shown):  # 2
        return EpochVerdict(base, epoch, audited="lost-reply")
    return None


async def _base_under(
    records: Records, key_id: KeyId, generation: Generation, wrapped: bytes
) -> EpochBase:
    sealed = (generation.kek_id, wrapped)
    key = await records.unwrap("epoch-key", key_id, generation.number, sealed)
    return EpochBase(generation.epoch.number, key, wrapped)


def _matches(base: EpochBase, shown: ShownEpoch) -> bool:
    expected = make_tag(base.key, shown.sid, shown.message.pending)
    return base.number == shown.number and compare_digest(expected, shown.message.epoch_tag)
