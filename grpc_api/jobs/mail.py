"""Alerts by mail: identifiers and codes only, as they stand in the audit log."""

import asyncio
import json
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from grpc_api.jobs.kinds import GiveUpError, TryLaterError
from grpc_api.jobs.settings import MailSettings
from signer_core.errors import InvalidRequestError

_TIMEOUT_S: Final = 20


@dataclass(frozen=True, slots=True)
class AlertMail:
    """Sends one mail an alert; its Message-ID is the job's, so that a second one is known."""

    settings: MailSettings

    async def __call__(self, job_id: str, body: bytes) -> None:
        """Send it.

        Raises:
            TryLaterError: the server is away or says no for now.
            GiveUpError: it will never take this mail.
        """
        await asyncio.to_thread(self._send, make_mail(self.settings, job_id, body))

    def _send(self, mail: EmailMessage) -> None:
        host, _, port = self.settings.server.rpartition(":")
        try:
            with smtplib.SMTP(host, int(port), timeout=_TIMEOUT_S) as server:
                if self.settings.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.settings.user:
                    server.login(self.settings.user, _password(self.settings))
                server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            kind = GiveUpError if error.smtp_code >= 500 else TryLaterError
            raise kind(f"the mail server says {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused:
            raise TryLaterError("the mail server refuses the recipients") from None
        except (smtplib.SMTPException, OSError):
            raise TryLaterError("the mail server does not answer") from None


def make_mail(settings: MailSettings, job_id: str, body: bytes) -> EmailMessage:
    """Return the mail about one row of the audit log."""
    row = json.loads(body)
    what = " ".join(str(row.get(name, "")) for name in ("event", "result", "reason")).strip()
    mail = EmailMessage()
    mail["Subject"] = f"[diia-signer] {what}"
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.recipients)
    mail["Message-ID"] = f"<{job_id}@diia-signer>"
    lines = [f"{name}: {value}" for name, value in sorted(row.items())]
    mail.set_content("\n".join(["Somebody must look at this.", "", *lines, ""]))
    return mail


def _password(settings: MailSettings) -> str:
    if settings.password_file is None:
        raise InvalidRequestError("the mail server wants a password: set password_file")
    return settings.password_file.read_text(encoding="utf-8").strip()
