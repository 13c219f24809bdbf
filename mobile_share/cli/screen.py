"""What a person sees. Nothing of it is markup: names and purposes come from others."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mobile_share.cli.times import countdown, until
from mobile_share.errors import PhoneError
from mobile_share.owner import common_name
from mobile_share.ports import KeyReport, OtherKey
from mobile_share.requests import FileToSign, Request
from mobile_share.signing import Outcome
from signer_core.errors import KeyHeldError, PinRejectedError, SignerError
from signer_core.protocol.request_kind import RequestKind

_KINDS: Final[Mapping[RequestKind, str]] = {
    RequestKind.DOCUMENT_SIGNING: "signing documents",
    RequestKind.HASHED_FILES_SIGNING: "signing files",
    RequestKind.AUTH: "a login",
    RequestKind.CONSENT: "a consent",
    RequestKind.ANTIBOT: "confirming that you are human: no PIN, no signature",
}

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print one line as it is."""
    out.print(Text(text), soft_wrap=True)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Turn a wheel while something takes time; on a terminal only."""
    with err.status(Text(text)):
        yield


def sentence(error: PhoneError | SignerError, now_s: int) -> str:
    """Say in one sentence what is wrong and what to do."""
    text = str(error)
    if isinstance(error, PinRejectedError):
        text = f"wrong PIN: {error.attempts_left} attempts left before the key is blocked for good"
    if isinstance(error, PinRejectedError | KeyHeldError) and error.hold_until_s > now_s:
        text = f"{text}; {until(error.hold_until_s, now_s)}"
    return text[:1].upper() + text[1:]


def complain(text: str) -> None:
    """Print one line of trouble."""
    err.print(Text(text, style="red"), soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, show_header=bool(columns))
    for at, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=at == 0)  # the first is to be copied
    return table


def show_request(request: Request, now_s: int) -> None:
    """Show who asks, what for and what is signed: only what was checked."""
    table = _table()
    table.add_column("what", style="bold")
    table.add_column("value", overflow="fold")
    party = request.relying_party
    rows = [
        ("Who asks", f"{party.name_uk} ({party.name_en})"),
        ("What it is", _KINDS[request.kind]),
        ("What for", request.purpose),
        ("Returns to", request.return_address or "nowhere"),
        ("Expires in", countdown(request.expires_at_s - now_s)),
    ]
    rows += [(what, value) for what, value in _of_offer(request) if value]
    rows += [
        (f"Document {number}", f"{file.name}, {_content(file)}")
        for number, file in enumerate(request.files, 1)
    ]
    for what, value in rows:
        table.add_row(what, Text(value))
    out.print(table)


def _of_offer(request: Request) -> tuple[tuple[str, str], ...]:
    hint = f"{request.initiator} (a hint, not to be trusted fully)" if request.initiator else ""
    number = request.verification_number
    compare = f"{number}: compare it with the screen where you began" if number else ""
    return (
        ("You confirm", request.statement),
        ("Where it began", hint),
        ("Verification number", compare),
    )


def _content(file: FileToSign) -> str:
    """Say what a person can look at, or that there is only a hash."""
    if file.content:
        return size(len(file.content))
    return f"not sent, only its SHA-256: {file.file_hash.hex()}"


def show_list(rows: list[tuple[str, str, str, str, str]]) -> None:
    """Show open requests: id, who, what for, documents, expiry."""
    table = _table("Request", "Who asks", "What for", "Documents", "Expires in")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)


def show_keys(keys: Sequence[OtherKey]) -> None:
    """Show the person's other keys, as the signer describes them."""
    if not keys:
        say("You have no other key.")
        return
    table = _table("Key", "Enrolled", "Name", "Serial number")
    for one in keys:
        enrolled = datetime.fromtimestamp(one.enrolled_at_s, UTC).astimezone()
        table.add_row(*map(Text, (one.key_id.hex(), f"{enrolled:%Y-%m-%d %H:%M}", *_named(one))))
    out.print(table)


def _named(key: OtherKey) -> tuple[str, str]:
    try:
        certificate = x509.load_der_x509_certificate(key.certificate)
    except ValueError:
        return "unreadable", ""
    return common_name(certificate), f"{certificate.serial_number:x}"


def show_status(
    certificate: x509.Certificate, key_id: str, report: KeyReport, now: datetime
) -> None:
    """Show the key and what the signer says of it."""
    now_s = int(now.timestamp())
    held = report.hold_until_s > now_s
    table = _table()
    table.add_column("what", style="bold")
    table.add_column("value", overflow="fold")
    for what, value in (
        ("Name", common_name(certificate)),
        ("Key", key_id),
        ("State", _state(report)),
        ("PIN attempts left", str(report.attempts_left)),
        ("Wrong PINs since the last time", str(report.wrong_tries)),
        ("PIN is taken", until(report.hold_until_s, now_s) if held else "now"),
        ("Signatures made", str(report.signatures)),
        ("Certificate", _validity(certificate, now)),
        ("Serial number", f"{certificate.serial_number:x}"),
    ):
        table.add_row(what, Text(value))
    out.print(table)


def _state(report: KeyReport) -> str:
    if report.must_refresh and report.status == "active":
        return "active; new shares are made before your next signature"
    return f"{report.status}, by an officer" if report.ended_by == "officer" else report.status


def show_history(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Show what is over: when, how it ended, who asked, what for."""
    table = _table("When", "How it ended", "Who asked", "What for")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)


def show_next(request: Request) -> None:
    """Say what a person can do about a request now."""
    shown_id = request.request_id.hex()
    act = "confirm" if request.kind is RequestKind.ANTIBOT else "sign"
    say(f"Yes: signer-phone {act} {shown_id}")
    say(f"No:  signer-phone decline {shown_id}")


def show_outcome(outcome: Outcome, request_id: str) -> None:
    """Show what was signed, and what happened with the PIN before."""
    if not outcome.is_confirmed:
        say(f"The vault's answer was lost; the signer says that {request_id} is signed.")
        return
    say(f"Signed: {outcome.signatures} of {outcome.signatures} documents of {request_id}.")
    say_wrong_tries(outcome.wrong_tries)


def say_end(end: datetime | None) -> None:
    """Tell the owner of a certificate near its end, and what to do."""
    if end is not None:
        until_day = f"{end.astimezone():%Y-%m-%d}"
        say(
            f"Your certificate ends on {until_day}: run `signer-phone renew` before, with your PIN."
        )


def say_wrong_tries(count: int) -> None:
    """Tell the owner of wrong PINs since the last success: were they his?"""
    if count:
        say(f"{count} wrong PINs were tried since the last time.")


def size(size_bytes: int) -> str:
    """Say how large a file is."""
    return f"{size_bytes / 1024:,.0f} KiB" if size_bytes >= 1024 else f"{size_bytes} bytes"


def _validity(certificate: x509.Certificate, now: datetime) -> str:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    word = "valid" if start <= now <= end else "OUT OF DATE"
    return f"{word}, {start.astimezone():%Y-%m-%d} to {end.astimezone():%Y-%m-%d}"


def now_utc() -> datetime:
    """Return the time: the one place of the CLI that looks at the clock."""
    return datetime.now(UTC)
