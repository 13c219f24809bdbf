"""The page for developers in Chromium: sound, usable by keyboard, its buttons copy."""

import os
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.browsing import SCHEMES, WIDTHS, listening
from tests.fakes.developers import MADE, Partners, make_portal

PICTURES = os.environ.get("PICTURES")  # a folder: pictures of every page are put there
ADDRESS = "http://127.0.0.1:8000/callback"


@pytest_asyncio.fixture(loop_scope="session")
async def portal():
    async with listening(make_portal(Partners())) as url:
        yield url


async def look(one, name):
    await one.check()
    if PICTURES:
        await one.picture(Path(PICTURES), name)


async def fill(page, name="Моя крамниця", address=ADDRESS):
    await page.get_by_label("Назва").fill(name)
    await page.get_by_label("Адреси повернення").fill(address)
    await page.get_by_role("button", name="Створити партнера").click()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [*WIDTHS, 320])
async def test_form_mistakes_and_result_are_sound(visit, portal, width, scheme):
    async with visit(width, scheme) as one:
        await one.page.goto(f"{portal}/developers")
        await look(one, f"developers-{width}-{scheme}")
        await fill(one.page, "Вank", "http://shop.example/")
        await one.page.wait_for_selector(".error-summary")
        assert await one.page.locator(".error-summary li").count() == 2
        await look(one, f"developers-wrong-{width}-{scheme}")
        await fill(one.page)
        assert await one.page.locator("#client_id").inner_text() == MADE.partner_id
        await look(one, f"developers-made-{width}-{scheme}")


async def test_in_english_it_is_sound(visit, portal):
    async with visit(locale="en-GB") as one:
        await one.page.goto(f"{portal}/developers")
        await look(one, "developers-en")


async def test_the_whole_way_by_keyboard(visit, portal):
    async with visit() as one:
        page = one.page
        await page.goto(f"{portal}/developers")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")  # skip to the main part
        for typed in (None, "Моя крамниця", ADDRESS, "", ""):
            await page.keyboard.press("Tab")
            if typed:
                await page.keyboard.type(typed)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#client_secret")
        assert await page.locator("#client_secret").inner_text() == MADE.secret


async def test_a_mistake_leads_to_its_field(visit, portal):
    async with visit() as one:
        await one.page.goto(f"{portal}/developers")
        await fill(one.page, "", ADDRESS)
        await one.page.locator(".error-summary a").click()
        field = one.page.locator("#name")
        assert await field.evaluate("one => one === document.activeElement")
        assert await field.get_attribute("aria-invalid") == "true"
        described = await field.get_attribute("aria-describedby")
        for part in described.split():
            assert await one.page.locator(f"#{part}").count() == 1


async def test_a_button_copies_and_says_so(visit, portal):
    async with visit(permissions=["clipboard-read", "clipboard-write"]) as one:
        await one.page.goto(f"{portal}/developers")
        await fill(one.page)
        button = one.page.get_by_role("button", name="Скопіювати Секрет")
        await button.click()
        await one.page.wait_for_selector("#said:not(:empty)", state="attached")
        assert await one.page.evaluate("navigator.clipboard.readText()") == MADE.secret
        assert await one.page.locator("#said").inner_text() == "Скопійовано"
        await one.check()


async def test_without_script_everything_but_copying_works(visit, portal):
    async with visit(java_script_enabled=False) as one:
        await one.page.goto(f"{portal}/developers")
        await fill(one.page)
        assert await one.page.locator("#client_secret").inner_text() == MADE.secret
        assert not await one.page.get_by_role("button", name="Скопіювати Секрет").is_visible()


@pytest.mark.parametrize("wish", [{"contrast": "more"}, {"forced_colors": "active"}])
async def test_high_contrast_is_sound(visit, portal, wish):
    async with visit(**wish) as one:
        await one.page.goto(f"{portal}/developers")
        await fill(one.page)
        await one.check()
