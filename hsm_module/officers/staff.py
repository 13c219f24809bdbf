"""`signer-keys officer request|add|list|remove`."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.ceremony.files import write_public
from hsm_module.officers.errors import FileError
from hsm_module.officers.key_file import certificate_path, make_key_file
from hsm_module.officers.options import AsJson, Ticket, Why, Yes, confirm, grounds, session
from hsm_module.officers.passphrase import choose_passphrase
from hsm_module.officers.running import OK, run
from hsm_module.officers.screen import moment, print_json, print_table, say
from hsm_module.officers.session import Place, Session
from signer_core.admin.officers import Grounds, Role, check_officer_id

app = typer.Typer(no_args_is_help=True, help="Who may use this tool, and for what.")
OfficerId = Annotated[str, typer.Argument(help="2 to 32 of a-z, 0-9 and -.")]


@app.command()
def request(
    context: typer.Context,
    officer_id: OfficerId,
    to: Annotated[Path | None, typer.Option(help="Key file to make; default: ID.key.")] = None,
    as_json: AsJson = False,
) -> None:
    """For who is to become an officer: make a key file, and a request to hand in."""
    place: Place = context.obj
    path = to or Path(f"{officer_id}.key")
    run(lambda: _request(place, officer_id, path, as_json=as_json), as_json=as_json)


@app.command()
def add(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    officer_id: OfficerId,
    csr: Annotated[Path, typer.Option("--request", help="The request that was handed in.")],
    role: Annotated[Role, typer.Option(help="officer changes things, auditor only reads.")],
    reason: Why,
    ticket: Ticket = "",
    as_json: AsJson = False,
) -> None:
    """Certify a request; the certificate is written beside it, to be handed back."""
    run(
        lambda: _add(session(context), officer_id, role, csr, grounds(reason, ticket), as_json),
        as_json=as_json,
    )


@app.command("list")
def list_officers(context: typer.Context, as_json: AsJson = False) -> None:
    """List every officer there ever was."""
    run(lambda: _list(session(context), as_json=as_json), as_json=as_json)


@app.command()
def remove(
    context: typer.Context,
    officer_id: OfficerId,
    reason: Why,
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End an officer's access; within 5 s everywhere."""
    run(
        lambda: _remove(session(context), officer_id, grounds(reason, ticket), yes, as_json),
        as_json=as_json,
    )


async def _request(place: Place, officer_id: str, path: Path, *, as_json: bool) -> int:
    check_officer_id(officer_id)
    key = make_key_file(path, officer_id, choose_passphrase(place.passphrase_file))
    csr = path.with_suffix(".csr")
    write(csr, x509.load_der_x509_csr(key.csr()).public_bytes(Encoding.PEM))
    if as_json:
        print_json({"key_file": str(path), "request": str(csr)})
        return OK
    say(f"Your key file is {path}: keep it, and its passphrase, to yourself.")
    say(f"Give {csr} to an officer; put the certificate that comes back beside the key file,")
    say(f"as {certificate_path(path)}.")
    return OK


async def _add(
    who: Session, officer_id: str, role: Role, path: Path, why: Grounds, as_json: bool
) -> int:
    try:
        csr = x509.load_pem_x509_csr(path.read_bytes()).public_bytes(Encoding.DER)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise FileError(f"{path} is no certificate request") from None
    async with who.vault() as vault:
        pem = await vault.add_officer(officer_id, role, csr, why)
    certificate = path.with_suffix(".crt")
    write(certificate, pem)
    if as_json:
        print_json({"officer_id": officer_id, "role": role, "certificate": str(certificate)})
    else:
        say(f"{officer_id} is {role} now; hand {certificate} back")
    return OK


async def _list(who: Session, *, as_json: bool) -> int:
    async with who.vault() as vault:
        found = await vault.list_officers()
    if as_json:
        rows = [
            {
                "officer_id": one.officer_id,
                "role": one.role,
                "active": one.active,
                "changed_at_s": one.changed_at_s,
                "key_sha256": one.key_hash.hex(),
            }
            for one in found
        ]
        print_json({"officers": rows})
        return OK
    print_table(
        ("officer", "role", "state", "since", "key"),
        [
            (
                one.officer_id,
                one.role.value,
                "active" if one.active else "removed",
                moment(one.changed_at_s),
                one.key_hash.hex()[:16],
            )
            for one in found
        ],
    )
    return OK


async def _remove(who: Session, officer_id: str, why: Grounds, yes: bool, as_json: bool) -> int:
    confirm(f"{officer_id} will have no access any more. Sure?", yes=yes, as_json=as_json)
    async with who.vault() as vault:
        await vault.remove_officer(officer_id, why)
    if as_json:
        print_json({"officer_id": officer_id, "active": False})
    else:
        say(f"{officer_id} has no access any more")
    return OK


def write(path: Path, content: bytes) -> None:
    """Write a file that anybody may read.

    Raises:
        FileError: it cannot be written.
    """
    try:
        write_public(path, content)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}") from None
