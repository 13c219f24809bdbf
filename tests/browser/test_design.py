"""The start page, the error pages and every component, at each width and in each scheme."""

import os
from pathlib import Path

import jinja2
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI, Request

from portal_web.application import make_application
from portal_web.design.assets import Assets, asset_routes
from portal_web.design.headers import SecurityHeaders
from portal_web.design.pages import Pages
from tests.fakes.browsing import COMPUTER, PHONE, SCHEMES, WIDTHS, listening
from tests.fakes.web_trust import Trust

PICTURES = os.environ.get("PICTURES")  # a folder: pictures of every page are put there

ALL_COMPONENTS = """
{% extends "design/templates/base.html" %}
{% block title %}Компоненти{% endblock %}
{% block main %}
{{ c.back_link("/") }}
{{ c.error_summary({"name": "Введіть назву"}) }}
<h1>Усі компоненти</h1>
<p>Довге речення, щоб побачити, як читається звичайний текст, де переносяться слова та чи не
завеликий рядок. <a href="/">Посилання</a> усередині.</p>
{% call c.form("/", "token") %}
{{ c.input("name", "Назва", hint="Як у документі", error="Введіть назву", autocomplete="off") }}
{{ c.input("address", "Адреса", "https://partner.example", type="url") }}
<div class="buttons">{{ c.button("Продовжити") }}{{ c.button("Назад", "/", "secondary") }}
{{ c.button("Відкликати", kind="warning", name="do", value="x") }}</div>
{% endcall %}
{% call c.panel("good") %}<h2>Готово</h2><p>Підписано.</p>{% endcall %}
<p></p>
{% call c.panel("bad") %}<h2>Відхилено</h2><p>Людина не погодилася.</p>{% endcall %}
{% call c.inset() %}<p>Вставка</p>{% endcall %}
{% call c.notice() %}<p>Ніколи не скануйте код, який вам хтось надіслав.</p>{% endcall %}
<p>{{ c.tag("триває") }} {{ c.tag("готово", "good") }} {{ c.tag("ні", "bad") }}
{{ c.tag("увага", "heed") }}</p>
{{ c.table("Таблиця", ("Що", "Скільки"), (("Один", "1"), ("Два", "2"))) }}
{{ c.summary_list((("Хто", "Перший вигаданий банк"), ("Що", "Вхід"))) }}
{% endblock %}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def portal():
    trust = Trust()
    trust.fails = ValueError("a defect")

    async def serving():
        return True

    async with listening(make_application(trust, serving)) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def components():
    assets = Assets()
    pages = Pages(assets)
    pages._templates.loader = jinja2.ChoiceLoader(
        [pages._templates.loader, jinja2.DictLoader({"all": ALL_COMPONENTS})]
    )
    app, routes = FastAPI(), APIRouter()

    @routes.get("/")
    async def page(request: Request):
        return pages.render(request, "all")

    app.include_router(routes)
    app.include_router(asset_routes(assets))
    async with listening(SecurityHeaders(app)) as url:
        yield url


async def _keep(one, name):
    if PICTURES:
        await one.picture(Path(PICTURES), name)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [*WIDTHS, 320, 2000])
async def test_every_component_is_sound(visit, components, width, scheme):
    async with visit(width, scheme) as one:
        await one.page.goto(components)
        await one.check()
        await _keep(one, f"components-{width}-{scheme}")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/", "/?lang=en", "/none", "/ca/x.cer"])
async def test_a_page_is_sound(visit, portal, path, width, scheme):
    async with visit(width, scheme) as one:
        await one.page.goto(portal + path)
        await one.check()
        name = path.strip("/").replace("/", "-").replace("?lang=", "") or "home"
        await _keep(one, f"{name}-{width}-{scheme}")


@pytest.mark.parametrize(
    "wish",
    [{"contrast": "more"}, {"forced_colors": "active"}, {"contrast": "more", "scheme": "dark"}],
)
async def test_high_contrast_is_sound(visit, components, wish):
    async with visit(**wish) as one:
        await one.page.goto(components)
        await one.check()
        await _keep(one, "components-" + "-".join(wish))


@pytest.mark.parametrize("width", WIDTHS)
async def test_text_of_twice_the_size_fits(visit, components, width):
    async with visit(width) as one:
        await one.page.goto(components)
        # Under the policy no style can be put into the page: through the style sheet's own door.
        await one.page.evaluate(
            "() => { const s = new CSSStyleSheet(); s.replaceSync('html { font-size: 200% }');"
            " document.adoptedStyleSheets = [s]; }"
        )
        await one.check()


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit, components):
    async with visit(COMPUTER) as one:
        await one.page.goto(components)
        await one.page.keyboard.press("Tab")
        skip = "document.activeElement.textContent"
        assert (await one.page.evaluate(skip)).split() == ["Перейти", "до", "головного"]
        await one.page.keyboard.press("Enter")
        await one.page.keyboard.press("Tab")
        focus = "document.activeElement.className"
        assert await one.page.evaluate(focus) == "back"
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        assert await one.page.evaluate(ring) == "solid"


async def test_what_is_to_be_tapped_is_large_enough(visit, components):
    async with visit(PHONE) as one:
        await one.page.goto(components)
        sizes = await one.page.evaluate(
            "[...document.querySelectorAll('.button, .languages a, .back, .field input')]"
            ".map(e => e.getBoundingClientRect().height)"
        )
        assert min(sizes) >= 24  # px, WCAG 2.2 §2.5.8
