"""The scanner, requests of every kind, history and the way back, on the browser phone."""

import io

import httpx
import segno

from mobile_share.ports import RequestStatus
from tests.fakes.browser_phone import ORIGIN
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_offers import STEP, over


def png(text):
    buffer = io.BytesIO()
    segno.make(text).save(buffer, kind="png", scale=6)
    return buffer.getvalue()


async def upload(owner, content):
    files = {"picture": ("code.png", content, "image/png")}
    form = {"data": {"token": owner.token}, "files": files, "headers": {"Origin": ORIGIN}}
    return owner._look(await owner.client.post("/scan/picture", **form))


async def frame(owner, content, token=None) -> httpx.Response:
    headers = {"Origin": ORIGIN, "X-Token": owner.token if token is None else token}
    return await owner.client.post("/scan/frame", content=content, headers=headers)


async def test_a_pasted_link_opens_the_request(owner, world):
    offer = world.signer.offers.make("auth")
    await owner.get("/scan")
    page = await owner.post("/scan/link", link=offer.qr())
    assert owner.path == f"/requests/{offer.request_id.hex()}"
    for said in (
        "Example Bank",
        "Банк «Приклад»",
        "a login at the bank",
        "Verification number",
    ):
        assert said in page
    assert "A hint, not to be trusted fully: Firefox, Київ" in page
    done = await _approve(owner, offer)
    assert "signatures made: 1" in done
    assert "Back to the site" not in done


async def _approve(owner, offer):
    await owner.get(f"/approve?id={offer.request_id.hex()}")
    return await owner.post("/approve", *owner.shown(), pin=PIN)


async def test_a_picture_opens_the_request(owner, world):
    offer = world.signer.offers.make("auth")
    await owner.get("/scan")
    await upload(owner, png(offer.qr()))
    assert owner.path == f"/requests/{offer.request_id.hex()}"
    assert "no QR code in the picture" in await upload(owner, _white())
    assert "no picture that can be read" in await upload(owner, b"text")


def _white():
    from PIL import Image  # noqa: PLC0415  for this one picture

    buffer = io.BytesIO()
    Image.new("L", (99, 99), 255).save(buffer, "png")
    return buffer.getvalue()


async def test_a_frame_of_the_camera_says_where_to_go(owner, world):
    offer = world.signer.offers.make("auth")
    assert (await frame(owner, _white())).json() == {}
    to = (await frame(owner, png(offer.qr()))).json()["to"]
    assert to == f"/requests/{offer.request_id.hex()}"
    assert (
        "not of our system" in (await frame(owner, png("https://evil.example/"))).json()["refused"]
    )
    old = (await frame(owner, png(world.signer.offers.make("auth").qr(STEP - 9)))).json()
    assert "too old" in old["refused"]
    assert (await frame(owner, png(offer.qr()), token="x")).status_code == 403


async def test_a_link_from_the_browser_opens_only_by_a_click(owner, world):
    offer = world.signer.offers.make("auth", same_device=True)
    page = await owner.get("/open?link=" + offer.button().replace("?", "%3F").replace("=", "%3D"))
    assert offer.button() in page
    assert offer.request_id is None
    await owner.post("/scan/link", link=offer.button())
    assert offer.request_id is not None


async def test_the_way_back_is_a_link_after_the_approval(owner, world):
    offer = world.signer.offers.make("auth", same_device=True)
    await owner.get("/scan")
    await owner.post("/scan/link", link=offer.button())
    done = await _approve(owner, offer)
    assert f'href="{offer.way_back()}"' in done


async def test_a_false_way_back_is_not_shown(owner, world):
    offer = world.signer.offers.make("auth", same_device=True)
    await owner.get("/scan")
    await owner.post("/scan/link", link=offer.button())

    async def lie(_):
        return "https://evil.example/"

    world.signer.get_return_url = lie
    done = await _approve(owner, offer)
    assert "signatures made: 1" in done
    assert "evil.example" not in done


async def test_a_human_is_confirmed_without_a_pin(owner, world):
    offer = world.signer.offers.make("antibot", same_device=True)
    await owner.get("/scan")
    page = await owner.post("/scan/link", link=offer.button())
    assert "Confirm without PIN" in page
    done = await owner.post(
        f"/requests/{offer.request_id.hex()}/confirm", shown=owner.shown()[0][1]
    )
    assert "Confirmed" in done
    assert offer.way_back() in done
    assert offer.is_confirmed
    assert offer.request_id not in world.vault.results


async def test_a_presence_is_confirmed_only_for_what_was_shown(owner, world):
    offer = world.signer.offers.make("antibot")
    await owner.get("/scan")
    await owner.post("/scan/link", link=offer.qr())
    await owner.post(f"/requests/{offer.request_id.hex()}/confirm", shown="00" * 32)
    assert not offer.is_confirmed


async def test_a_document_of_any_type_is_saved_and_never_run(owner, world):
    contents = {"угода.html": b"<script>alert(1)</script>"}
    offer = world.signer.offers.make("hashedFilesSigning", contents=contents)
    await owner.get("/scan")
    await owner.post("/scan/link", link=offer.qr())
    await owner.get(f"/requests/{offer.request_id.hex()}/documents/0")
    answer = owner.page
    assert answer.content == contents["угода.html"]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D1%83")
    assert "signatures made: 1" in await _approve(owner, offer)


async def test_history_is_shown_page_by_page(owner, world):
    offer = world.signer.offers.make("auth")
    await owner.get("/scan")
    await owner.post("/scan/link", link=offer.qr())
    assert "Nothing here yet" in await owner.get("/history")
    one = world.signer.requests[offer.request_id]
    world.signer.history += [over(one)] * 20 + [over(one, RequestStatus.DECLINED)]
    page = await owner.get("/history")
    assert "Signed" in page
    assert f"/history?before={STEP}" in page
    forged = world.pki.relying_party(key=world.pki.root.key, name_en="False Bank")
    offer.fields["relying_party"] = forged
    world.signer.history[:] = [over(one)]
    await owner.get("/history?before=x")
    assert owner.page.status_code == 404
