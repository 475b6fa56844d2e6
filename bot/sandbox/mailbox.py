"""A mail server on this machine: what the bot mails stays in it, to be read on the page."""

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
_TAKEN = "250 Message accepted"


@dataclass
class Mailbox:
    """The mails in the order in which they came; `url` is the server that fills it."""

    url: str = ""
    mails: list[tuple[datetime, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name.
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((datetime.now(UTC), parsed))
        return _TAKEN

    def attachments(self, number: int) -> list[tuple[str, bytes]]:
        """Names and contents of what came with a mail; nothing of one that never came."""
        parts = self.mails[number][1].iter_attachments() if 0 <= number < len(self.mails) else ()
        return [(str(part.get_filename()), bytes(part.get_payload(decode=True))) for part in parts]

    def as_json(self, prefix: str) -> list[dict[str, Any]]:
        """As the page shows them, newest first; each attachment at `prefix/<mail>/<place>`."""
        return [self._shown(number, prefix) for number in reversed(range(len(self.mails)))]

    def _shown(self, number: int, prefix: str) -> dict[str, Any]:
        at, mail = self.mails[number]
        body = mail.get_body(("plain",))
        files = enumerate(self.attachments(number))
        return {
            "subject": mail["Subject"],
            "to": mail["To"],
            "at": at.isoformat(),
            "text": body.get_content() if body else "",
            "attachments": [
                {"name": name, "size": len(content), "url": f"{prefix}/{number}/{place}"}
                for place, (name, content) in files
            ],
        }


@contextmanager
def opened() -> Iterator[Mailbox]:
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
