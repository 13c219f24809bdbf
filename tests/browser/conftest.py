"""One Chromium for all tests of a process; a window with its own cookies for each.

A fixture here that is async says so: `@pytest_asyncio.fixture(loop_scope="session")`. In a loop of
its own a server would not answer while the browser waits.
"""

import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.fakes.browsing import Visit, launch, visiting


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in one event loop, for the browser lives in it, and mark them."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Callable[..., AbstractAsyncContextManager[Visit]]:
    """Open a window: `async with visit(width=360, scheme="dark") as one: ...`."""
    return functools.partial(visiting, chromium)
