"""Moving every record to a new KEK while keys sign (docs/flows/kek-rotation.md).

The newest KEK of the manifest is the one in use; a rotation is under way while a record is under
another. So there is nothing to remember: whatever dies, asking again goes on.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Final

from hsm_module.context import VaultContext
from hsm_module.storage.kek_moves import ShareRecord
from hsm_module.storage.key_pages import AlteredKey
from hsm_module.storage.records import RecordType, associated_data
from hsm_module.storage.rows import EpochState, Generation, KeyRow
from hsm_module.token.keks import after as next_kek
from hsm_module.token.keks import check_older
from hsm_module.token.port import MAX_AT_ONCE, KekId, Rewrap, Token
from signer_core.admin.officers import Grounds
from signer_core.admin.vault import MAX_BATCH, KekStatus, Rewrapped
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError, VerificationError

_AT_ONCE: Final = 16  # transactions: they share a commit, and a signature waits for no more
SETTLE_S: Final = 10.0  # what was wrapped under a KEK is in the database by then, or not at all


@dataclass(frozen=True, slots=True)
class _Move:
    """One key's records as they were read, and what becomes of them."""

    row: KeyRow
    shares: Sequence[ShareRecord]
    certificate: tuple[str, bytes] | None


@dataclass(frozen=True, slots=True)
class _Moved:
    """One key's records under the new KEK."""

    version: int  # of the key's row that they were read with
    row: KeyRow
    shares: dict[int, bytes]  # generation: blob
    certificate: bytes | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """Makes KEKs and moves records; whoever calls has checked who asks."""

    vault: VaultContext
    token: Token
    settle_s: float = SETTLE_S

    async def status(self) -> KekStatus:
        """See `VaultAdmin.kek_status`."""
        await self.token.random(1)  # a KEK that another process made is known after any call
        newest = self.token.newest_kek()
        async with self.vault.store.reading() as transaction:
            counted = await transaction.keks.count()
        return KekStatus(newest, dict.fromkeys(self.token.keks(), 0) | dict(counted))

    async def start(self, grounds: Grounds) -> str:
        """See `VaultAdmin.start_rotation`."""
        known = await self.status()
        if any(count for kek_id, count in known.records.items() if kek_id != known.newest):
            return known.newest
        made = next_kek(KekId(known.newest))
        event = Event("kek", "ordered", reason=grounds.reason, subject=made)
        async with self.vault.store.transaction() as transaction:
            await transaction.record(event)  # before it: whatever dies now, it was audited
        await self.token.make_kek(made)
        return made

    async def destroy(self, kek_id: str, grounds: Grounds) -> None:
        """See `VaultAdmin.destroy_kek`. What died in between is repeated.

        1. It is not the newest, and no record is under it.
        2. No process uses it any more; whoever had begun to has ended.
        3. Still no record is under it, or else it is taken into use again.
        4. It is destroyed.
        """
        old = KekId(kek_id)
        check_older(old, KekId((await self.status()).newest))  # 1
        if old in self.token.keks():
            await self._verify_unused(old)
            event = Event("kek", "destroyed", reason=grounds.reason, subject=kek_id)
            async with self.vault.store.transaction() as transaction:
                await transaction.record(event)  # before it: whatever dies now, it was audited
            await self.token.unpin(old)  # 2
            await asyncio.sleep(self.settle_s)
        try:
            await self._verify_unused(old)  # 3
        except InvalidRequestError:
            await self.token.pin_again(old)
            raise
        await self.token.destroy(old)  # 4

    async def _verify_unused(self, kek_id: KekId) -> None:
        async with self.vault.store.reading() as transaction:
            left = (await transaction.keks.count())[kek_id]
        if left:
            raise InvalidRequestError(f"{left} records are under {kek_id}: kek rotate --resume")

    async def rewrap(self, after: bytes, limit: int) -> Rewrapped:
        """See `VaultAdmin.rewrap`."""
        if not 1 <= limit <= MAX_BATCH:
            raise InvalidRequestError(f"1 to {MAX_BATCH} keys at once")
        newest = self.token.newest_kek()
        moves, altered, last = await self._read(after, limit, newest)
        moved = await self._rewrap(moves, newest)
        altered += sum(one is None for one in moved)
        done = [one for one in moved if one is not None]
        written = 0
        for start in range(0, len(done), _AT_ONCE):
            batch = done[start : start + _AT_ONCE]
            written += sum(await asyncio.gather(*(self._write(one, newest) for one in batch)))
        return Rewrapped(written, len(done), last, altered)

    async def _read(
        self, after: bytes, limit: int, newest: KekId
    ) -> tuple[list[_Move], int, bytes]:
        async with self.vault.store.reading() as transaction:
            ids = await transaction.keks.waiting(after, limit, newest)
            if not ids:
                return [], 0, b""
            rows = await transaction.pages.those(ids)
            shares = await transaction.keks.shares(ids)
            certificates = await transaction.keks.certificates(ids)
        whole = [row for row in rows if not isinstance(row, AlteredKey)]
        moves = [_Move(row, shares[row.key_id], certificates.get(row.key_id)) for row in whole]
        return moves, len(rows) - len(whole), ids[-1]

    async def _rewrap(self, moves: Sequence[_Move], newest: KekId) -> list[_Moved | None]:
        """Rewrap everything in a few turns of the token; None for a key that does not fit."""
        items = [_items(one, newest) for one in moves]
        flat = [item for of_key in items for item in of_key or ()]
        blobs: list[bytes | None] = []
        for start in range(0, len(flat), MAX_AT_ONCE // 4):  # signatures wait for a turn
            blobs += await self.token.rewrap(flat[start : start + MAX_AT_ONCE // 4])
        left = iter(blobs)
        moved: list[_Moved | None] = []
        for move, of_key in zip(moves, items, strict=True):
            new = [next(left) for _ in of_key or ()]
            whole = of_key is not None and all(blob is not None for blob in new)
            moved.append(_assemble(move, [b for b in new if b], newest) if whole else None)
        return moved

    async def _write(self, moved: _Moved, newest: KekId) -> int:
        """Store a key's new blobs, unless the key was used since: the next pass takes it then."""
        key_id = moved.row.key_id
        try:
            async with self.vault.store.transaction() as transaction:
                row, _ = await transaction.keys.get(key_id)
                if row.row_version != moved.version:
                    return 0
                for generation, blob in moved.shares.items():
                    await transaction.keks.replace_share(key_id, generation, newest, blob)
                if moved.certificate is not None:
                    await transaction.keks.replace_certificate(key_id, newest, moved.certificate)
                await transaction.keys.save(moved.row)
        except VerificationError:
            return 0  # altered meanwhile, and audited
        return len(moved.shares) + len(moved.row.generations) + (moved.certificate is not None)


def _items(move: _Move, newest: KekId) -> list[Rewrap] | None:
    """Return what is to be rewrapped of a key, in a fixed order; None if a share is not its own."""
    row = move.row
    by_generation = {share.generation: share for share in move.shares}
    items: list[Rewrap] = []

    def add(kind: RecordType, generation: int, kek_id: str, blob: bytes) -> None:
        old = KekId(kek_id)
        items.append(
            Rewrap(
                old,
                newest,
                blob,
                associated_data(kind, row.key_id, generation, old),
                associated_data(kind, row.key_id, generation, newest),
            )
        )

    for generation in row.generations:
        share = by_generation.get(generation.number)
        if share is None or not _is_own(share, generation):
            return None
        add("share", generation.number, share.kek_id, share.blob)
        for key in _epoch_keys(generation.epoch):
            add("epoch-key", generation.number, generation.kek_id, key)
    if move.certificate is not None:
        add("certificate", 0, *move.certificate)
    return items


def _is_own(share: ShareRecord, generation: Generation) -> bool:
    return compare_digest(hashlib.sha256(share.blob).digest(), generation.share_sha256)


def _epoch_keys(epoch: EpochState) -> list[bytes]:
    return [epoch.key] if epoch.previous_key is None else [epoch.key, epoch.previous_key]


def _assemble(move: _Move, blobs: Sequence[bytes], newest: KekId) -> _Moved:
    """Put new blobs where the old ones were, in the order of `_items`."""
    left = iter(blobs)
    shares: dict[int, bytes] = {}
    row = move.row
    for generation in row.generations:
        share = next(left)
        keys = [next(left) for _ in _epoch_keys(generation.epoch)]
        epoch = replace(
            generation.epoch, key=keys[0], previous_key=keys[1] if len(keys) > 1 else None
        )
        shares[generation.number] = share
        row = row.with_generation(
            replace(
                generation, share_sha256=hashlib.sha256(share).digest(), kek_id=newest, epoch=epoch
            )
        )
    certificate = next(left) if move.certificate is not None else None
    return _Moved(move.row.row_version, row, shares, certificate)
