"""`signer-phone enrol`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from mobile_share import enrolment
from mobile_share.cli.context import Options, Photo, PinStdin, options, read_photo
from mobile_share.cli.emergency import show_suspend_code
from mobile_share.cli.pin_entry import ask_pin, choose_pin
from mobile_share.cli.running import run
from mobile_share.cli.screen import complain, now_utc, progress, say
from mobile_share.deployment import Deployment
from mobile_share.enrolment import Begun
from mobile_share.owner import common_name
from mobile_share.phone import Phone, open_phone
from mobile_share.ports import SignerClient
from mobile_share.wire import enrolment_client, signer_client
from signer_core.errors import SignerError


def enrol(
    context: typer.Context,
    activation_code: Annotated[str, typer.Argument(help="One-time code of the registrar.")],
    deployment: Annotated[Path, typer.Option(help="What the phone pins at install.")] = Path(
        "var/public/deployment.json"
    ),
    photo: Photo = None,
    pin_stdin: PinStdin = False,
    yes: Annotated[bool, typer.Option("--yes", help="The name shown is mine; do not ask.")] = False,
) -> None:
    """Make a key in your name: half on this phone, half in the vault, whole nowhere."""
    answers = _Answers(activation_code, photo, pin_stdin, yes)
    run(_enrol(options(context), deployment, answers))


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the person answered on the command line."""

    code: str = field(repr=False)
    photo: Path | None
    pin_stdin: bool
    yes: bool


async def _enrol(opts: Options, deployment: Path, answers: _Answers) -> None:
    key_store = opts.make_key_store()
    phone = Phone(opts.home, key_store, Deployment.read(deployment))
    phone.refuse_second_enrolment()
    if phone.has_share:
        await _resume(open_phone(opts.home, key_store), answers)
    else:
        await _begin(phone, answers)


async def _begin(phone: Phone, answers: _Answers) -> None:
    photo = read_photo(answers.photo)
    with progress("Asking the registrar who you are"):
        async with enrolment_client(phone.deployment) as client:
            begun = await enrolment.begin(phone, client, answers.code, photo, now_utc())
    say(f"The registrar recognised: {begun.subject.common_name}")
    if not answers.yes:
        typer.confirm("Is this you?", abort=True)
    pin = choose_pin(begun.subject.birth_date, from_stdin=answers.pin_stdin)
    async with signer_client(phone) as signer:
        with progress("Making the two shares of your key"):
            await enrolment.make_shares(phone, signer, begun.grant, pin)
        await _certify(phone, signer, begun, pin)


async def _resume(phone: Phone, answers: _Answers) -> None:
    say("This folder holds a key without a certificate yet: finishing its enrolment.")
    async with signer_client(phone) as signer:
        begun = await enrolment.resume(phone, signer, read_photo(answers.photo))
        say(f"The key is for: {begun.subject.common_name}")
        pin = ask_pin(from_stdin=answers.pin_stdin)
        await _certify(phone, signer, begun, pin)


async def _certify(phone: Phone, signer: SignerClient, begun: Begun, pin: str) -> None:
    with progress("Signing the first thing with it: the request for its certificate"):
        certificate = await enrolment.certify(phone, signer, begun, pin, now_utc())
    say(f"Enrolled: {common_name(certificate)}")
    say(f"Your certificate is valid until {certificate.not_valid_after_utc:%Y-%m-%d}.")
    try:
        await show_suspend_code(signer)
    except SignerError:  # enrolled all the same
        complain("You have no suspend code yet: run `signer-phone suspend-code`.")
