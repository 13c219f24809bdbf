"""Style sheets, scripts, fonts and pictures: under a name that changes with their content."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response

from signer_core.errors import NotFoundError

_ROOT: Final = Path(__file__).parent.parent
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_A_MINUTE: Final = "public, max-age=60"  # fonts that the style sheet names without their hash


class Assets:
    """Every file `portal_web/*/static/*` of a known type, in memory; some 100 kB together."""

    def __init__(self, root: Path = _ROOT) -> None:
        files = [file for file in root.glob("*/static/*") if file.suffix in _TYPES]
        self._files = {
            f"{file.parent.parent.name}/{file.name}": file.read_bytes() for file in files
        }
        self._tags = {
            name: hashlib.sha256(content).hexdigest()[:12] for name, content in self._files.items()
        }

    def address(self, name: str) -> str:
        """Return the address of a file, e.g. of "design/portal.css"; it ends with its hash."""
        return f"/static/{name}?v={self._tags[name]}"

    def answer(self, name: str, tag: str | None) -> Response:
        """Return a file; a cache keeps it for good if it was asked for by its hash.

        Raises:
            NotFoundError: there is no such file.
        """
        if name not in self._files:
            raise NotFoundError("there is no such file")
        keep = _FOREVER if tag == self._tags[name] else _A_MINUTE
        kind = _TYPES[Path(name).suffix]
        return Response(self._files[name], 200, {"Cache-Control": keep}, kind)


def asset_routes(assets: Assets) -> APIRouter:
    """Return the route of the files."""
    routes = APIRouter()

    @routes.get("/static/{name:path}")
    async def static(name: str, v: str | None = None) -> Response:
        """Return a style sheet, script, font or picture."""
        return assets.answer(name, v)

    return routes
