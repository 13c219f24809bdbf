"""`signer-phone status`."""

import typer

from mobile_share.cli.context import connected
from mobile_share.cli.running import run
from mobile_share.cli.screen import now_utc, progress, say, say_end, show_status
from mobile_share.renewal import find_end
from mobile_share.share_file import ShareStatus
from signer_core.protocol.renewal import utc


def status(context: typer.Context) -> None:
    """Show your key: PIN attempts, waits, certificate, signatures made."""
    run(_status(context))


async def _status(context: typer.Context) -> None:
    async with connected(context) as (phone, signer):
        certificate = phone.certificate()
        stored = phone.shares.load()
        with progress("Asking about your key"):
            report = await signer.get_status()
    show_status(certificate, stored.share.key_id.hex(), report, now_utc())
    if stored.status is ShareStatus.RETIRED:
        say("The vault retired this phone's key for ever: enrol again, with another --home.")
    elif stored.status is ShareStatus.SUSPENDED:
        say("The vault suspended this phone's key for good: enrol again, with another --home.")
    elif (end := find_end(phone, now_utc())) or report.renew_before_s:
        say_end(end or utc(report.renew_before_s))
    if phone.shares.has_next():
        say("A change of PIN or shares is unfinished: your next signature finishes it.")
