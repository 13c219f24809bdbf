"""The sign-in page in a browser: every state, every width and scheme, with and without script."""

import base64
import os
import re
from pathlib import Path

import pytest
import pytest_asyncio
import zxingcpp

from grpc_api.clients.offers import OfferStatus
from signer_core.errors import UnavailableError
from signer_core.protocol.offer_link import parse_link
from signer_core.protocol.request_kind import RequestKind
from tests.fakes.browsing import COMPUTER, PHONE, SCHEMES, WIDTHS, listening
from tests.fakes.sign_in import sign_in_portal

PICTURES = os.environ.get("PICTURES")  # a folder: pictures of every page are put there
STATES = ("open", "shown", "declined", "expired", "withdrawn", "burned", "consumed", "approved")


@pytest_asyncio.fixture(loop_scope="session")
async def portal():
    made = sign_in_portal()
    async with listening(made.app) as made.url:
        yield made


async def _open(one, portal, *, language="uk", **errand):
    made = await portal.flows.begin(**errand)
    await one.page.context.add_cookies([{"name": "flow-one", "value": "mine", "url": portal.url}])
    await one.page.goto(f"{portal.url}/sign-in/one?lang={language}")
    return made


async def _keep(one, name):
    if PICTURES:
        await one.picture(Path(PICTURES), name)


async def _code_on(one):
    """Let another library read what the page's canvas shows."""
    await one.page.wait_for_selector("#code:visible")
    side, grey = await one.page.evaluate(
        "() => { const c = document.getElementById('code');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return [c.width, btoa(String.fromCharCode(...d.filter((_, i) => i % 4 === 0)))]; }"
    )
    modules = base64.b64decode(grey)
    rows = [modules[at : at + side] for at in range(0, len(modules), side)]
    large = b"".join(bytes(m for m in row for _ in range(4)) * 4 for row in rows)
    (found,) = zxingcpp.read_barcodes(memoryview(large).cast("B", (side * 4, side * 4)))
    return parse_link(found.text)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", STATES)
async def test_every_state_is_sound(visit, portal, state, width, scheme):
    async with visit(width, scheme) as one:
        same_device = state == "approved"  # else it moves on
        made = await _open(one, portal, same_device=same_device)
        if state == "open":
            await one.page.wait_for_selector("#code:visible")
        else:
            more = {"decline_reason": "Я цього не просив"} if state == "declined" else {}
            await portal.offers.become(
                made.offer_id, OfferStatus(state), verification_number="0427", **more
            )
        heading = "#number" if state == "shown" else "h1"
        await one.page.wait_for_selector(f"{heading}:visible")
        if state not in ("open", "shown"):
            await one.page.wait_for_selector("#wait", state="detached")
        await one.check()
        await _keep(one, f"sign-in-{state}-{width}-{scheme}")


@pytest.mark.parametrize("kind", RequestKind)
@pytest.mark.parametrize("width", WIDTHS)
async def test_every_kind_in_english_is_sound(visit, portal, kind, width):
    if kind is RequestKind.DOCUMENT_SIGNING:
        return  # of no offer
    async with visit(width) as one:
        await _open(one, portal, language="en", kind=kind, same_device=width == PHONE)
        await one.page.wait_for_selector("#clock:visible")
        await one.check()
        await _keep(one, f"sign-in-en-{kind}-{width}")


async def test_the_code_on_screen_changes_and_a_reader_reads_it(visit, portal):
    async with visit() as one:
        made = await _open(one, portal)
        first = await _code_on(one)
        assert first.offer_id == made.offer_id
        await one.page.wait_for_timeout(2100)
        assert (await _code_on(one)).step_s >= first.step_s + 2


async def test_a_whole_way_moves_on_by_itself(visit, portal):
    async with visit() as one:
        made = await _open(one, portal)
        await one.page.wait_for_selector("#code:visible")
        await portal.offers.become(made.offer_id, OfferStatus.SHOWN, verification_number="0427")
        await one.page.wait_for_selector("#number:visible")
        assert await one.page.text_content("#number") == "0427"
        assert not await one.page.is_visible("#code")
        assert "0 4 2 7" in await one.page.text_content("#say")
        await portal.offers.become(made.offer_id, OfferStatus.APPROVED)
        await one.page.wait_for_url("**/done/one")


async def test_time_that_is_left_is_told_now_and_then_only(visit, portal):
    async with visit() as one:
        await _open(one, portal, ttl_s=38)
        await one.page.wait_for_selector("#clock:visible")
        assert re.fullmatch(r"0:3\d", await one.page.text_content("#clock"))
        assert await one.page.text_content("#say") == ""
        await one.page.wait_for_selector("#say:has-text('30 секунд')", state="attached")


async def test_an_absence_hides_the_code_and_its_end_brings_it_back(visit, portal):
    async with visit() as one:
        await _open(one, portal)
        await one.page.wait_for_selector("#code:visible")
        portal.offers.fails = UnavailableError("away")
        await portal.offers.tell()
        await one.page.wait_for_selector("#away:visible")
        assert not await one.page.is_visible("#code")
        await one.check()
        await _keep(one, "sign-in-away")
        portal.offers.fails = None
        await one.page.wait_for_selector("#code:visible")
        assert not await one.page.is_visible("#away")


async def test_a_connection_that_fails_is_made_again(visit, portal):
    async with visit() as one:
        await one.page.route("**/events", lambda route: route.fulfill(status=503))
        await _open(one, portal)
        await one.page.wait_for_selector("#away:visible")
        assert not await one.page.is_visible("#code")
        await one.page.unroute("**/events")
        await one.page.wait_for_selector("#code:visible")
        assert not await one.page.is_visible("#away")


async def test_the_keyboard_alone_makes_a_new_code(visit, portal):
    async with visit() as one:
        made = await _open(one, portal)
        await portal.offers.become(made.offer_id, OfferStatus.EXPIRED)
        await one.page.wait_for_selector("text=Час вийшов")
        for _ in range(12):
            await one.page.keyboard.press("Tab")
            at = await one.page.evaluate("document.activeElement.textContent.trim()")
            if at == "Отримати новий код":
                break
        await one.page.keyboard.press("Enter")
        await one.page.wait_for_url("**/sign-in/new")
        await one.page.wait_for_selector("#code:visible")


async def test_who_is_on_the_phone_gets_a_button_and_the_way_back(visit, portal):
    async with visit(PHONE) as one:
        await _open(one, portal)
        await one.page.click("text=Застосунок на цьому ж пристрої")
        await one.page.wait_for_url("**/sign-in/new")
        link = await one.page.get_attribute("text=Відкрити застосунок", "href")
        offer_id = portal.flows.flows["new"].offer_id
        assert parse_link(link).offer_id == offer_id
        await portal.offers.become(offer_id, OfferStatus.APPROVED)
        await one.page.wait_for_selector("text=Підтверджено на телефоні")
        assert "/done/" not in one.page.url


@pytest.mark.parametrize("width", WIDTHS)
async def test_without_script_the_frame_renews_and_the_page_leads_on(visit, portal, width):
    async with visit(width, java_script_enabled=False) as one:
        made = await _open(one, portal)
        frame = one.page.frame_locator("iframe")
        path = frame.locator("svg path")
        first = await path.get_attribute("d")
        await one.page.wait_for_timeout(3200)
        assert await path.get_attribute("d") != first
        await _keep(one, f"sign-in-no-script-{width}")
        await portal.offers.become(made.offer_id, OfferStatus.SHOWN, verification_number="0427")
        await frame.locator("text=0427").wait_for()
        await _keep(one, f"sign-in-no-script-shown-{width}")
        await portal.offers.become(made.offer_id, OfferStatus.APPROVED)
        await frame.locator("text=Далі").click()
        await one.page.wait_for_url("**/done/one")


@pytest.mark.parametrize("wish", [{"contrast": "more"}, {"forced_colors": "active"}])
async def test_high_contrast_is_sound(visit, portal, wish):
    async with visit(COMPUTER, **wish) as one:
        await _open(one, portal)
        await one.page.wait_for_selector("#code:visible")
        await one.check()
        await _keep(one, "sign-in-" + "-".join(wish))


async def test_the_link_page_is_sound(visit, portal):
    async with visit(PHONE) as one:
        for query in ("t=1800000000&c=x", "d=x"):
            await one.page.goto(f"{portal.url}/o/{'A' * 22}?{query}")
            await one.check()
            await _keep(one, f"link-{query[0]}")
