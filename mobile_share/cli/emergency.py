"""`signer-phone suspend`, `revoke`, `replace` and `suspend-code`."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_share import key_action
from mobile_share.cli.context import (
    Options,
    Photo,
    PinStdin,
    connected,
    options,
    parse_id,
    read_photo,
)
from mobile_share.cli.pin_entry import PinEntry
from mobile_share.cli.running import run
from mobile_share.cli.screen import complain, progress, say, say_wrong_tries, show_keys
from mobile_share.deployment import Deployment
from mobile_share.emergency import give_suspend_code
from mobile_share.ports import OtherKey, SignerClient
from mobile_share.session import Signed
from mobile_share.wire import emergency_client
from signer_core.errors import NotFoundError, SignerError
from signer_core.identifiers import KeyId
from signer_core.protocol.key_action import KeyAction

DeploymentFile = Annotated[Path, typer.Option(help="With --code, where no phone is enrolled.")]


def suspend(
    context: typer.Context,
    code: Annotated[str, typer.Option(help="The suspend code, from any phone: no PIN.")] = "",
    deployment: DeploymentFile = Path("var/public/deployment.json"),
    photo: Photo = None,
    pin_stdin: PinStdin = False,
) -> None:
    """Suspend your key for good: by the code you wrote down, or on your phone by the PIN."""
    if code:
        run(_suspend_by_code(options(context), deployment, code))
    else:
        run(_end(context, KeyAction.SUSPENSION, photo, PinEntry(pin_stdin)))


def revoke(context: typer.Context, photo: Photo = None, pin_stdin: PinStdin = False) -> None:
    """Retire your key for ever and have its certificate revoked."""
    run(_end(context, KeyAction.REVOCATION, photo, PinEntry(pin_stdin)))


def replace(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="Id of the key to be revoked; none: list them.")] = "",
    photo: Photo = None,
    pin_stdin: PinStdin = False,
) -> None:
    """Let this phone take an old one's place: its key is revoked, what waited there comes here."""
    run(_replace(context, old, photo, PinEntry(pin_stdin)))


def suspend_code(context: typer.Context) -> None:
    """Make your suspend code, if enrolment broke off before it was in force."""
    run(_suspend_code(context))


async def _suspend_by_code(opts: Options, deployment: Path, code: str) -> None:
    own = opts.home / "deployment.json"
    pinned = Deployment.read(own if own.exists() else deployment)
    with progress("Suspending"):
        async with emergency_client(pinned) as client:
            await client.suspend(code)
    say("The key of this code is suspended for good. For a new one, enrol again.")


async def _end(
    context: typer.Context, action: KeyAction, photo: Path | None, pins: PinEntry
) -> None:
    about = options(context).phone().shares.load().share.key_id
    signed = await _confirm(context, action, about, photo, pins)
    word = "suspended" if action is KeyAction.SUSPENSION else "retired, its certificate revoked"
    say(f"Your key is {word}. It never signs again: for a new one, enrol again.")
    say_wrong_tries(signed.wrong_tries)


async def _replace(context: typer.Context, old: str, photo: Path | None, pins: PinEntry) -> None:
    async with connected(context) as (_, signer):
        others = await signer.list_other_keys()
    show_keys(others)
    if not old:
        return
    chosen = _find(others, KeyId(parse_id(old)))
    signed = await _confirm(context, KeyAction.REPLACEMENT, chosen.key_id, photo, pins)
    say(f"The key {old} is revoked; its waiting requests are on their way to this phone.")
    say_wrong_tries(signed.wrong_tries)


def _find(others: tuple[OtherKey, ...], key_id: KeyId) -> OtherKey:
    found = [one for one in others if one.key_id == key_id]
    if len(found) != 1:
        raise NotFoundError("you have no other key of this id")
    return found[0]


async def _confirm(
    context: typer.Context, action: KeyAction, about: KeyId, photo_path: Path | None, pins: PinEntry
) -> Signed:
    photo = read_photo(photo_path)
    async with connected(context) as (phone, signer):

        async def attempt() -> Signed:
            async with key_action.prepare(phone, signer, action, about, photo) as prepared:
                pin = pins.ask()
                with progress("Confirming"):
                    return await prepared.confirm(pin)

        return await pins.until_right(attempt)


async def _suspend_code(context: typer.Context) -> None:
    async with connected(context) as (_, signer):
        await show_suspend_code(signer)


async def show_suspend_code(signer: SignerClient) -> None:
    """Make, show and register the suspend code.

    Raises:
        SignerError: it is not in force; the person was told.
    """
    try:
        await give_suspend_code(signer, _show)
    except SignerError:
        complain("This code is NOT in force: throw it away.")
        raise
    say("Write it down now, away from the phone: it is shown once. Whoever has it can suspend")
    say("your key, with `signer-phone suspend --code`, and nothing else.")


def _show(code: str) -> None:
    say(f"Your suspend code: {code}")
