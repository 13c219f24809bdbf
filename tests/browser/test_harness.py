"""The harness sees what it is there to see."""

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from tests.fakes.browsing import PHONE, listening

GOOD = '<!doctype html><html lang="en"><title>t</title><main><h1>A page</h1>{}</main></html>'


def _serving(body: str):
    app = FastAPI()

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(
            GOOD.format(body), headers={"Content-Security-Policy": "default-src 'none'"}
        )

    return listening(app)


async def test_a_good_page_passes(visit):
    async with _serving("<p>text</p>") as url, visit() as one:
        await one.page.goto(url)
        await one.check()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("<button></button>", "button-name"),
        ("<script>1</script>", "Content Security Policy"),
        ('<p style="width: 900px">', "Content Security Policy"),
        (f"<pre>{'w' * 200}</pre>", "sideways"),
    ],
)
async def test_a_fault_is_found(visit, fault, told):
    async with _serving(fault) as url, visit(width=PHONE) as one:
        await one.page.goto(url)
        with pytest.raises(AssertionError, match=told):
            await one.check()
