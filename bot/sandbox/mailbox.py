"""A mail server on this machine that keeps what the bot sends, to be read on the page."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

_HOST = "127.0.0.1"


@dataclass
class Mailbox:
    """Mails in the order of their arrival; `url` is the address of the server."""

    url: str = ""
    mails: list[tuple[datetime, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name.
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((datetime.now(UTC), mail))
        return "250 Message accepted"

    def attachments(self, number: int) -> list[tuple[str, bytes]]:
        """Names and contents of a mail's attachments; none for a mail that does not exist."""
        parts = self.mails[number][1].iter_attachments() if 0 <= number < len(self.mails) else ()
        return [(str(part.get_filename()), bytes(part.get_payload(decode=True))) for part in parts]

    def as_json(self, prefix: str) -> list[dict[str, Any]]:
        """The mails for the page, newest first; attachments are at `prefix/<mail>/<index>`."""
        return [self._mail_json(number, prefix) for number in reversed(range(len(self.mails)))]

    def _mail_json(self, number: int, prefix: str) -> dict[str, Any]:
        at, mail = self.mails[number]
        body = mail.get_body(("plain",))
        return {
            "subject": mail["Subject"],
            "to": mail["To"],
            "at": at.isoformat(),
            "text": body.get_content() if body else "",
            "attachments": [
                {"name": name, "size": len(content), "url": f"{prefix}/{number}/{index}"}
                for index, (name, content) in enumerate(self.attachments(number))
            ],
        }


@contextmanager
def serve() -> Iterator[Mailbox]:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port = free.getsockname()[1]
    mailbox = Mailbox(url=f"smtp://{_HOST}:{port}")
    server = Controller(mailbox, hostname=_HOST, port=port)
    server.start()
    try:
        yield mailbox
    finally:
        server.stop()
