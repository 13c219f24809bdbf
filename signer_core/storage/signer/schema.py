"""Where the migrations of the signer's database are, for `signer_core.storage.engine.upgrade`."""

from pathlib import Path
from typing import Final

MIGRATIONS: Final = Path(__file__).parent / "migrations"
