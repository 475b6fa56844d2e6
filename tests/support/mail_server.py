"""A real email server on loopback, with or without encryption and a password, that can reject emails."""

import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from bot.sandbox.mailbox import Mailbox

NAME, PASSWORD = "cleanup@district.example", "p:a/ss w@rd"


@dataclass
class Office(Mailbox):
    """`refusals` are the replies to the next emails, or recipients where they begin with `rcpt `."""

    refusals: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.refusals and self.refusals[0].startswith("rcpt "):
            return self.refusals.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        self.encrypted.append(session.ssl is not None)
        return await super().handle_DATA(server, session, envelope)


def _login(_server, _session, _envelope, _mechanism, login):
    return AuthResult(success=login == LoginPassword(NAME.encode(), PASSWORD.encode()), handled=False)


class _Server(Controller):
    def __init__(self, *args, starttls=None, **options):
        super().__init__(*args, **options)
        self._starttls = starttls

    def factory(self):
        options = {"tls_context": self._starttls, "authenticator": _login}
        return SMTP(self.handler, hostname="localhost", auth_require_tls=False, **options)


@contextmanager
def serve(*, starttls=False, smtps=False):
    """Yield the office and its port; its certificate for localhost is signed by `authority`."""
    office, tls = Office(), _context() if starttls or smtps else None
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    server = _Server(
        office,
        hostname="127.0.0.1",
        port=port,
        starttls=tls if starttls else None,
        ssl_context=tls if smtps else None,
    )
    server.start()
    try:
        yield office, port
    finally:
        server.stop()


authority = trustme.CA()


def _context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context
