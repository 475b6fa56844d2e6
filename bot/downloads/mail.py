"""Mail through the district's own server: encrypted, or not at all, because it carries names of children."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from bot.errors import UserError

_PATIENCE = 30.0
_PORTS = {"smtp": 587, "smtps": 465}
_ON_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
_FOR_GOOD = 500
"""SMTP answers from here on stay the same however often one asks."""


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes
    kind: str


@dataclass(frozen=True)
class Mail:
    """One mail to one person. The same `identity` twice is the same mail, and programs show it once."""

    sender: str
    to: str
    subject: str
    text: str
    identity: str
    at: datetime
    attachment: Attachment


def send_mail(url: str, mail: Mail) -> None:
    """Hand a mail to the server at `url`: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`. Without encryption only on
    this machine.

    Raises:
        UserError: the server does not take it, and whether it may later.
    """
    with _said(url), _connected(url) as server:
        server.send_message(_message(mail), mail.sender, [mail.to])


def check_server(url: str) -> str:
    """The name of the server, once it has let us in.

    Raises:
        UserError: it does not.
    """
    with _said(url), _connected(url):
        return urlsplit(url).hostname or ""


@contextmanager
def _said(url: str) -> Iterator[None]:
    """What goes wrong with a mail server, in a sentence without its secrets."""
    host = urlsplit(url).hostname
    try:
        yield
    except smtplib.SMTPRecipientsRefused as no:
        [(whom, (code, _))] = no.recipients.items()
        is_final = code >= _FOR_GOOD
        raise UserError(
            "mail.no_such_address", f"The mail server does not take mail for {whom} ({code}).", permanent=is_final
        ) from None
    except smtplib.SMTPAuthenticationError as no:
        raise UserError(
            "mail.no_login", f"The mail server refuses our name or password ({no.smtp_code}).", permanent=False
        ) from None
    except smtplib.SMTPResponseException as no:
        is_final = no.smtp_code >= _FOR_GOOD
        raise UserError(
            "mail.refused", f"The mail server refuses the mail ({no.smtp_code}).", permanent=is_final
        ) from None
    except ssl.SSLError:
        raise UserError(
            "mail.not_trusted", f"The certificate of the mail server {host} is not trusted.", permanent=False
        ) from None
    except (OSError, smtplib.SMTPException):
        raise UserError("mail.no_answer", f"The mail server {host} does not answer as one.", permanent=False) from None


@contextmanager
def _connected(url: str) -> Iterator[smtplib.SMTP]:
    there = urlsplit(url)
    host, port = there.hostname or "", there.port or _PORTS[there.scheme]
    trusted = ssl.create_default_context()
    if there.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_PATIENCE, context=trusted)
    else:
        server = smtplib.SMTP(host, port, timeout=_PATIENCE)
    with server:
        server.ehlo()
        if there.scheme == "smtp" and (server.has_extn("starttls") or host not in _ON_THIS_MACHINE):
            server.starttls(context=trusted)
        if there.username:
            server.login(unquote(there.username), unquote(there.password or ""))
        yield server


def _message(mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, mail.to, mail.subject
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.identity}@{mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # So that no absence notice is sent back (RFC 3834).
    message.set_content(mail.text)
    maintype, subtype = mail.attachment.kind.split("/")
    message.add_attachment(mail.attachment.content, maintype=maintype, subtype=subtype, filename=mail.attachment.name)
    return message
