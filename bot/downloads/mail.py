"""Email through the district's own server. It carries names of children, so it is encrypted or not sent at all."""

import re
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

_TIMEOUT_SECONDS = 30.0
_PORTS = {"smtp": 587, "smtps": 465}
_LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
# SMTP replies from here on refuse what was asked, and from there on for good.
_REFUSED, _PERMANENT = 400, 500
_NOT_AS_SENDER = "The email server does not let us send as this address. Set MAIL_FROM to one that our login may use."
# What servers say: (code, pattern, sentence).
_REASONS = (
    (
        "dmarc",
        r"dmarc|\bspf\b|dkim|5\.7\.(1|9|2[0-9])\b.*(authenticat|policy)|5\.7\.26",
        "The email fails a check of the sender's domain (DMARC). Set MAIL_FROM to an address of the domain that this server sends for.",
    ),
    (
        "sender_refused",
        r"send ?as ?denied|not (allowed|permitted|authorized) to send|sender (address )?(rejected|denied)|5\.7\.60|5\.1\.8",
        _NOT_AS_SENDER,
    ),
    (
        "too_large",
        r"5\.2\.3|5\.3\.4|too (large|big)|size (limit )?exceed|exceeds.*size",
        "The list is too large for the email server.",
    ),
    ("smtputf8", r"smtputf8|5\.6\.7", "The email server does not take addresses with letters such as é."),
    ("full", r"4\.2\.2|5\.2\.2|mailbox (is )?full|over ?quota", "The mailbox is full."),
)


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Mail:
    """An email to one person. Two with the same `identity` have one Message-ID, so that email programs show them once."""

    sender: str
    to: str
    subject: str
    text: str
    identity: str
    at: datetime
    attachment: Attachment


def send_mail(url: str, mail: Mail) -> None:
    """Send an email through `smtp://user:password@host:587` (STARTTLS, optional only on this machine) or `smtps://...:465`.

    Raises:
        UserError: the server did not accept it; `permanent` is False if it may accept it later.
    """
    with _user_errors(url), _connect(url) as server:
        server.send_message(_compose(mail), mail.sender, [mail.to])


def check_server(url: str, sender: str | None) -> str:
    """Log in, offer an email from `sender` to itself without sending it, and return the name of the server.

    Raises:
        UserError: the login failed, or the server does not let us send as `sender`.
    """
    with _user_errors(url), _connect(url) as server:
        if sender:
            reply, said = server.mail(sender)
            if reply >= _REFUSED:
                raise smtplib.SMTPSenderRefused(reply, said, sender)
            reply, said = server.rcpt(sender)
            if reply >= _REFUSED:
                raise smtplib.SMTPRecipientsRefused({sender: (reply, said)})
            server.rset()
        return urlsplit(url).hostname or ""


@contextmanager
def _user_errors(url: str) -> Iterator[None]:
    """Turn errors of the server into sentences that do not contain its password."""
    host = urlsplit(url).hostname
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        [(recipient, (reply, _))] = error.recipients.items()
        sentence = f"The email server does not accept email for {recipient} ({reply})."
        raise UserError("mail.unknown_recipient", sentence, permanent=reply >= _PERMANENT) from None
    except smtplib.SMTPNotSupportedError as error:
        if "STARTTLS" in str(error):
            sentence = f"{host} does not offer encryption (STARTTLS), and lists are never emailed without it."
            raise UserError("mail.no_encryption", sentence, permanent=False) from None
        sentence = "The email server does not take addresses with letters such as é."
        raise UserError("mail.smtputf8", sentence) from None
    except smtplib.SMTPAuthenticationError as error:
        sentence = f"The email server rejects our user name or password ({error.smtp_code})."
        raise UserError("mail.login_failed", sentence, permanent=False) from None
    except smtplib.SMTPResponseException as error:
        code, sentence = _reason(error)
        raise UserError(f"mail.{code}", sentence, permanent=error.smtp_code >= _PERMANENT) from None
    except ssl.SSLError:
        sentence = f"The certificate of the email server {host} is not trusted."
        raise UserError("mail.certificate_not_trusted", sentence, permanent=False) from None
    except (OSError, smtplib.SMTPException):
        sentence = f"{host} does not answer as an email server."
        raise UserError("mail.no_answer", sentence, permanent=False) from None


def _reason(error: smtplib.SMTPResponseException) -> tuple[str, str]:
    """Say why the server rejects an email, by its extended code (RFC 3463) or its words, and what helps."""
    said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
    for code, words, sentence in _REASONS:
        if re.search(words, said, re.IGNORECASE):
            return code, f"{sentence} ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return "sender_refused", f"{_NOT_AS_SENDER} ({error.smtp_code})"
    return "rejected", f"The email server rejects the email ({error.smtp_code})."


@contextmanager
def _connect(url: str) -> Iterator[smtplib.SMTP]:
    parts, tls = urlsplit(url), ssl.create_default_context()
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=tls)
    else:
        server = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
    with server:
        server.ehlo()
        if parts.scheme == "smtp" and (server.has_extn("starttls") or host not in _LOCAL_HOSTS):
            server.starttls(context=tls)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


def _compose(mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, mail.to, mail.subject
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.identity}@{mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # Prevents out-of-office replies (RFC 3834).
    message.set_content(mail.text)
    maintype, subtype = mail.attachment.media_type.split("/")
    message.add_attachment(mail.attachment.content, maintype=maintype, subtype=subtype, filename=mail.attachment.name)
    return message
