"""`signer verify`: who signed a PDF, when, and whether to believe it."""

from pathlib import Path
from typing import Annotated

import typer


def verify_command(
    file: Annotated[Path, typer.Argument(help="The PDF to verify.", show_default=False)],
    trust: Annotated[
        Path, typer.Option(help="PEM file with the certificates of the roots you trust.")
    ] = Path("var/public/root.pem"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, for programs.")
    ] = False,
) -> None:
    """Say of each signature of a PDF who made it, when, and whether it is valid or why not.

    Exit code: 0 every signature is valid; 1 at least one is not; 2 there is no signature; 3 the
    file, or the file of trusted roots, cannot be read.

    Whether a certificate was revoked is not checked.
    """
    from portal_web.cli.verification import verify_file  # noqa: PLC0415 - pyHanko takes a second

    verify_file(file, trust, as_json=as_json)
