"""`signer-keys process revoke`."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509

from hsm_module.officers.errors import FileError
from hsm_module.officers.options import AsJson, Ticket, Why, Yes, confirm, grounds, session
from hsm_module.officers.running import OK, run
from hsm_module.officers.screen import print_json, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds
from signer_core.admin.vault import Outcome

app = typer.Typer(no_args_is_help=True, help="Certificates of the system's own processes.")
_SERIAL: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){1,20}")


@app.callback()
def group() -> None:
    """Keep `revoke` a command of its own name."""


@app.command()
def revoke(
    context: typer.Context,
    certificate: Annotated[str, typer.Argument(help="PEM file, or serial number in hex.")],
    reason: Why,
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Revoke one: OCSP and CRL say so, and it is not renewed. The key needs a new one then."""
    run(
        lambda: _revoke(session(context), certificate, grounds(reason, ticket), yes, as_json),
        as_json=as_json,
    )


async def _revoke(who: Session, named: str, why: Grounds, yes: bool, as_json: bool) -> int:
    serial = bytes.fromhex(named) if _SERIAL.fullmatch(named) else _serial_of(Path(named))
    question = f"Revoke the process certificate {serial.hex()}, for good?"
    confirm(question, yes=yes, as_json=as_json)
    async with who.vault() as vault:
        outcome = await vault.revoke_process(serial, why)
    if as_json:
        print_json({"serial": serial.hex(), "outcome": outcome.value})
    else:
        say(f"{serial.hex()} is revoked{' already' * (outcome is Outcome.ALREADY)}")
    return OK


def _serial_of(path: Path) -> bytes:
    try:
        number = x509.load_pem_x509_certificate(path.read_bytes()).serial_number
    except OSError as error:
        raise FileError(f"{path} is no serial number, nor readable: {error.strerror}") from None
    except ValueError:
        raise FileError(f"{path} is no certificate in PEM") from None
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
