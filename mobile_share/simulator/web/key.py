"""The key of this phone: its state, another PIN, a new certificate, its end."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mobile_share.emergency import give_suspend_code
from mobile_share.owner import common_name
from mobile_share.simulator import acts
from mobile_share.simulator.web.approve import pad
from mobile_share.simulator.web.pages import Form, Visitor, go, page, retry_at, say, text_of
from mobile_share.simulator.web.surroundings import Around
from mobile_share.simulator.web.trouble import PageError

routes = APIRouter(prefix="/settings")


@routes.get("")
async def settings(request: Request, session: Visitor, around: Around) -> Response:
    """Show the state of the key, as the signer reports it."""
    phone = around.phone(session)
    certificate = phone.certificate()
    async with around.connect(phone) as signer:
        report = await signer.get_status()
    return page(
        request,
        "settings",
        owner=common_name(certificate),
        day=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        report=report,
        **pad(report, around.now_s()),
    )


@routes.get("/{act}")
async def ask(request: Request, act: str, session: Visitor, around: Around) -> Response:
    """Show a form with a PIN pad."""
    if act not in ("pin", "renew", "suspend"):
        raise PageError("error_not_here", 404)
    async with around.connect(around.phone(session)) as signer:
        report = await signer.get_status()
    return page(request, act, **pad(report, around.now_s()))


@routes.post("/pin")
async def change_pin(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Change the PIN: new shares, the same key."""
    retry_at(request, "/settings/pin")
    new_pin = text_of(form, "new")
    if new_pin != text_of(form, "again"):
        raise PageError("error_pins_differ")
    phone = around.phone(session)
    async with around.connect(phone) as signer:
        is_whole = await acts.change_pin(phone, signer, text_of(form, "pin"), new_pin)
    say(request, "pin_changed" if is_whole else "pin_later")
    return go("/settings")


@routes.post("/renew")
async def renew(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Renew the certificate."""
    retry_at(request, "/settings/renew")
    phone = around.phone(session)
    async with around.connect(phone) as signer:
        await acts.renew(phone, signer, text_of(form, "pin"), around.now())
    say(request, "renew_done")
    return go("/settings")


@routes.post("/code")
async def make_code(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Make the suspend code of a key that has none, and show it, once."""
    retry_at(request, "/settings")
    del form  # its token was checked
    shown: list[str] = []
    async with around.connect(around.phone(session)) as signer:
        await give_suspend_code(signer, shown.append)
    return page(request, "enrolled", day="", code=shown[0])


@routes.post("/suspend")
async def suspend(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Suspend the key for good."""
    retry_at(request, "/settings/suspend")
    phone = around.phone(session)
    async with around.connect(phone) as signer:
        await acts.suspend(phone, signer, text_of(form, "pin"))
    say(request, "suspend_done")
    return go("/settings")
