"""How often a wrong PIN may be tried (docs/spec/ecdsa2p.md §4): a value and pure functions.

The vault counts a try before it checks it, so `failed` includes the try that is being judged.
"""

from dataclasses import dataclass
from typing import Final

_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class PinPolicy:
    """Rounds of tries with a pause after each round but the last, which blocks the key for good.

    Three wrong, 3 h; three more, 24 h; three more, blocked. 30 wrong tries in the life of a key
    block it as well, however many right ones came between.
    """

    tries_per_round: int = 3
    pauses_s: tuple[int, ...] = (3 * _HOUR_S, 24 * _HOUR_S)
    lifetime_tries: int = 30

    @property
    def tries(self) -> int:
        """Wrong tries in a row that block the key."""
        return self.tries_per_round * (len(self.pauses_s) + 1)

    def attempts_left(self, failed: int, lifetime_failed: int) -> int:
        """Return how many wrong tries are left before the block; 0 is blocked."""
        return max(0, min(self.tries - failed, self.lifetime_tries - lifetime_failed))

    def hold_until_s(self, failed: int, now_s: int) -> int:
        """Return the Unix time before which no try is taken after the `failed`th; 0 for at once."""
        rounds, rest = divmod(failed, self.tries_per_round)
        if rest or not 1 <= rounds <= len(self.pauses_s):
            return 0
        return now_s + self.pauses_s[rounds - 1]
