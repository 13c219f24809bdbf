"""The browser phone as a person uses it: at 360 px, with the pad, the keyboard, or no script."""

import pytest

from tests.fakes.browsing import SCHEMES
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_hand import ask
from tests.fakes.phone_pki import PERSON
from tests.fakes.phone_world import CODE


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_enrolment_without_a_fault_of_access(phone_in, scheme):
    async with phone_in(scheme=scheme) as hand:
        for path in ("/", "/enrol"):
            await hand.open(path)
            await hand.check()
        await hand.page.click("button.second")  # a code of the sandbox
        await hand.page.wait_for_selector(".notice")
        assert await hand.page.input_value("#code") == CODE
        await hand.send("/enrol")
        await hand.page.wait_for_url("**/enrol/you")
        assert PERSON["common_name"] in await hand.reads()
        await hand.check()
        await hand.page.click("button[value=yes]")
        await hand.page.wait_for_url("**/enrol/pin")
        await hand.press(PIN + PIN)  # the pad goes on to the second field by itself
        await hand.check()
        await hand.send("/enrol/pin")
        await hand.page.wait_for_selector(".code")
        await hand.check()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_signing_without_a_fault_of_access(phone_in, around, world, scheme):
    async with phone_in(scheme=scheme) as hand:
        await hand.enrol()
        shown_id = ask(around, world)
        ask(around, world, purpose="Інший договір")
        await hand.open()
        await hand.check()
        await hand.open(f"/requests/{shown_id}")
        assert "Example Bank" in await hand.reads()
        await hand.check()
        await hand.page.click("a.button:not(.second)")
        await hand.press("48214")
        await hand.check()
        await hand.send("/approve")
        await hand.page.wait_for_selector(".notice.bad")
        assert "Невірний PIN" in await hand.reads()
        assert await hand.page.input_value("#pin") == ""
        await hand.check()
        await hand.press(PIN)
        await hand.send("/approve")
        await hand.page.wait_for_selector("h1.good")
        await hand.check()
        assert bytes.fromhex(shown_id) in world.vault.results


async def test_declining_with_a_reason(phone_in, around, world):
    async with phone_in() as hand:
        await hand.enrol()
        shown_id = ask(around, world)
        await hand.open(f"/requests/{shown_id}")
        await hand.page.click(f'a[href="/requests/{shown_id}/decline"]')
        await hand.page.fill("#reason", "не моє")
        await hand.check()
        await hand.send(f"/requests/{shown_id}/decline")
        await hand.page.wait_for_selector(".notice")
        assert world.signer.declined == {bytes.fromhex(shown_id): "не моє"}


async def test_pin_change_and_the_end_of_the_key(phone_in, world):
    async with phone_in() as hand:
        await hand.enrol()
        await hand.open("/settings")
        await hand.check()
        await hand.page.click('a[href="/settings/pin"]')
        await hand.press(PIN + "9081790817")
        await hand.check()
        await hand.send("/settings/pin")
        await hand.page.wait_for_selector(".notice")
        assert "PIN змінено" in await hand.reads()
        await hand.page.click('a[href="/settings/suspend"]')
        await hand.press("90817")
        await hand.check()
        await hand.send("/settings/suspend")
        await hand.page.wait_for_selector(".notice")
        assert "призупинено назавжди" in await hand.reads()
        (key,) = world.vault.keys.values()
        assert key.status == "suspended"


async def test_the_keyboard_alone_signs(phone_in, around, world):
    async with phone_in() as hand:
        await hand.enrol()
        shown_id = ask(around, world)
        await hand.open(f"/approve?id={shown_id}")
        await hand.page.keyboard.press("Tab")
        assert await hand.page.evaluate("document.activeElement.className") == "skip"
        await hand.page.focus("#pin")
        await hand.page.keyboard.type(f"4a{PIN[1:]}")  # letters are no digits
        assert await hand.page.input_value("#pin") == PIN
        assert "5" in await hand.page.inner_text(".typed")
        await hand.page.keyboard.press("Enter")
        await hand.page.wait_for_selector("h1.good")
        assert bytes.fromhex(shown_id) in world.vault.results


async def test_without_script_it_works_as_well(phone_in, around, world):
    async with phone_in(java_script_enabled=False) as hand:
        await hand.enrol()
        shown_id = ask(around, world)
        await hand.open(f"/approve?id={shown_id}")
        assert not await hand.page.is_visible(".pad")
        await hand.page.fill("#pin", PIN)
        await hand.send("/approve")
        await hand.page.wait_for_selector("h1.good")


async def test_a_new_request_is_announced_on_an_open_page(phone_in, around, world):
    async with phone_in() as hand:
        await hand.enrol()
        await hand.open("/settings")
        shown_id = ask(around, world)  # found when the page's stream comes back after 5 s
        await hand.page.wait_for_selector(f'#news a[href="/requests/{shown_id}"]')
        await hand.check()


async def test_a_pin_left_on_the_pad_is_gone_when_the_page_comes_back(phone_in, around, world):
    async with phone_in() as hand:
        await hand.enrol()
        await hand.open(f"/approve?id={ask(around, world)}")
        await hand.press("482")
        await hand.open("/settings")
        await hand.page.go_back()
        assert await hand.page.input_value("#pin") == ""


@pytest.mark.parametrize("width", [320, 1280])
async def test_narrow_and_wide(phone_in, around, world, width):
    async with phone_in(width=width) as hand:
        await hand.enrol()
        shown_id = ask(around, world, pdfs=3)
        for path in ("/", f"/requests/{shown_id}", f"/approve?id={shown_id}", "/settings"):
            await hand.open(path)
            await hand.check()
        await hand.page.click("header button")  # English
        assert await hand.page.get_attribute("html", "lang") == "en"
        await hand.check()
