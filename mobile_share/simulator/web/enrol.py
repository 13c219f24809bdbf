"""Enrolment, a page a step: code, is this you, PIN."""

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from mobile_share import enrolment
from mobile_share.emergency import give_suspend_code
from mobile_share.photo import SANDBOX_PHOTO
from mobile_share.ports import SignerClient
from mobile_share.simulator.web.pages import Form, Visitor, go, page, retry_at, say, text_of
from mobile_share.simulator.web.sessions import Enrolling, Session
from mobile_share.simulator.web.surroundings import Around, Surroundings
from mobile_share.simulator.web.trouble import PageError
from mobile_share.weak_pins import verify_new_pin, verify_pin_form
from signer_core.errors import SignerError

routes = APIRouter(prefix="/enrol")


@routes.get("")
async def code(request: Request, session: Visitor, around: Around) -> Response:
    """Ask for an activation code; offer one of a made-up person."""
    people = await _people(around)
    given, session.activation_code = session.activation_code, ""
    return page(request, "enrol_code", people=people, code=given)


@routes.post("/sandbox")
async def sandbox_code(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Get a code of a made-up person."""
    retry_at(request, "/enrol")
    person_id = text_of(form, "person")
    if not person_id:
        raise PageError("error_person")
    session.activation_code = await around.sandbox.activation_code(person_id)
    say(request, "enrol_code_given")
    return go("/enrol")


@routes.post("")
async def begin(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Exchange the code, on a new phone."""
    retry_at(request, "/enrol")
    phone_id, phone = around.shelf.new()
    async with around.connect_enrolment(phone.deployment) as client:
        begun = await enrolment.begin(
            phone, client, text_of(form, "code"), SANDBOX_PHOTO, around.now()
        )
    session.choose(phone_id)
    session.enrolling = Enrolling(phone, begun)
    return go("/enrol/you")


@routes.get("/you")
async def you(request: Request, session: Visitor) -> Response:
    """Show whom the registrar recognised."""
    return page(request, "enrol_you", name=_enrolling(session).begun.subject.common_name)


@routes.post("/you")
async def confirm(form: Form, session: Visitor) -> Response:
    """Go on only with the person who says: this is me."""
    enrolling = _enrolling(session)
    if text_of(form, "answer") != "yes":
        session.choose(None)
        return go("/phones")
    session.enrolling = replace(enrolling, is_confirmed=True)
    return go("/enrol/pin")


@routes.get("/pin")
async def pin(request: Request, session: Visitor) -> Response:
    """Ask for the PIN."""
    enrolling = _confirmed(session)
    return page(request, "enrol_pin", is_resumed=enrolling.phone.has_share)


@routes.post("/pin")
async def finish(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Make the shares, the certificate and the suspend code."""
    retry_at(request, "/enrol/pin")
    enrolling = _confirmed(session)
    pin = _chosen_pin(form, enrolling)
    phone, begun = enrolling.phone, enrolling.begun
    async with around.connect(phone) as signer:
        if not phone.has_share:
            await enrolment.make_shares(phone, signer, begun.grant, pin)
        certificate = await enrolment.certify(phone, signer, begun, pin, around.now())
        code = await _suspend_code(signer)
    session.enrolling = None
    day = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    return page(request, "enrolled", day=day, code=code)


@routes.get("/resume")
async def resume(session: Visitor, around: Around) -> Response:
    """Take up an enrolment that broke off after its share was stored."""
    phone = around.phone(session)
    async with around.connect(phone) as signer:
        begun = await enrolment.resume(phone, signer, SANDBOX_PHOTO)
    session.enrolling = Enrolling(phone, begun)
    return go("/enrol/you")


async def _people(around: Surroundings) -> list[object]:
    """Return the made-up people, none where nobody can be asked."""
    try:
        return list(await around.sandbox.people())
    except SignerError:
        return []


def _enrolling(session: Session) -> Enrolling:
    if session.enrolling is None:
        raise PageError("error_old_form", 409)
    return session.enrolling


def _confirmed(session: Session) -> Enrolling:
    enrolling = _enrolling(session)
    if not enrolling.is_confirmed:
        raise PageError("error_old_form", 409)
    return enrolling


def _chosen_pin(form: FormData, enrolling: Enrolling) -> str:
    """Return the PIN that was typed, of a new key twice.

    Raises:
        WeakPinError, PageError: choose another one.
    """
    pin = text_of(form, "pin")
    if enrolling.phone.has_share:
        verify_pin_form(pin)
        return pin
    verify_new_pin(pin, enrolling.begun.subject.birth_date)
    if pin != text_of(form, "again"):
        raise PageError("error_pins_differ")
    return pin


async def _suspend_code(signer: SignerClient) -> str:
    """Return the suspend code, empty where it is not in force: enrolled all the same."""
    shown: list[str] = []
    try:
        await give_suspend_code(signer, shown.append)
    except SignerError:
        return ""
    return shown[0]
