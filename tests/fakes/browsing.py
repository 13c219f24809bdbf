"""A person before a browser: pages in the distribution's Chromium, and what is wrong with them."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Playwright

PHONE, COMPUTER = 360, 1280  # px wide
WIDTHS = (PHONE, COMPUTER)
_PATIENCE_MS = 15_000
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")

# A browser that asks nobody anything: what it loads comes from loopback.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def launch(playwright: Playwright, *more: str) -> Browser:
    """Start Chromium with a fresh profile; `more` arguments of its command line."""
    program = shutil.which("chromium")
    assert program, "the tests need Chromium: scripts/bootstrap tests"
    return await playwright.chromium.launch(executable_path=program, args=[*_ARGUMENTS, *more])


@dataclass  # without slots: playwright sets an attribute on whoever listens
class Visit:
    """One window with its own cookies; `complaints` are what the browser itself found wrong."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))

    def _hear(self, message: Any) -> None:
        # A refused script or style is told here (Content-Security-Policy). An answer of 404 is
        # told as well, and no fault of the page.
        if message.type in {"error", "warning"} and "status of" not in message.text:
            self.complaints.append(message.text)

    async def check(self) -> None:
        """Nothing that axe-core finds, nothing that the policy refused, nothing to scroll to."""
        found = await Axe().run(self.page, options={"runOnly": {"type": "tag", "values": _RULES}})
        assert not found.response["violations"], found.generate_report()
        assert not self.complaints, self.complaints
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await self.page.evaluate(wide) <= 0, "the page scrolls sideways"

    async def picture(self, folder: Path, name: str, *, whole: bool = True) -> Path:
        """Save the whole page, or what fits the window, as `name`.png."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        await self.page.screenshot(path=path, full_page=whole, animations="disabled")
        return path


@asynccontextmanager
async def visiting(
    browser: Browser,
    width: int = COMPUTER,
    scheme: Literal["light", "dark"] = "light",
    **context: Any,
) -> AsyncIterator[Visit]:
    """Open a window; `context` are playwright's options of a browser context."""
    options: dict[str, Any] = {
        "viewport": {"width": width, "height": 740 if width < 600 else 800},
        "color_scheme": scheme,
        "locale": "uk-UA",
        "reduced_motion": "reduce",
    }
    window = await browser.new_context(**options | context)
    window.set_default_timeout(_PATIENCE_MS)
    try:
        yield Visit(await window.new_page())
    finally:
        await window.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(application: Any, port: int = 0) -> AsyncIterator[str]:
    """Serve an ASGI application on loopback, in this process; its address without a slash."""
    listener = socket.create_server(("127.0.0.1", port))
    server = _Server(
        uvicorn.Config(application, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve([listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        listener.close()
