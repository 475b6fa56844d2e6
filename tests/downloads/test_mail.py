"""Email to a real server: encrypted or not at all, and errors that say how to fix them."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from support import mail_server

from bot.downloads.mail import Attachment, Mail, check_server, send_mail
from bot.errors import UserError

MAIL = Mail(
    sender="cleanup@district.example",
    to="clara.clerk@district.example",
    subject="Your cleanup list",
    text="Here is the list of García’s class.",
    identity="cleanup-list-17",
    at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
    attachment=Attachment("cleanup-list.csv", "Grüße".encode(), "text/csv"),
)
LOGIN = f"{quote(mail_server.NAME, safe='')}:{quote(mail_server.PASSWORD, safe='')}"


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """This machine trusts the certificate authority of the email server."""
    mail_server.authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def failure(url):
    with pytest.raises(UserError) as error:
        send_mail(url, MAIL)
    assert mail_server.PASSWORD not in error.value.sentence
    return error.value


def test_email_arrives_whole():
    with mail_server.serve() as (office, port):
        send_mail(f"smtp://127.0.0.1:{port}", MAIL)
    [(_, message)] = office.mails
    assert (message["To"], message["Subject"]) == (MAIL.to, MAIL.subject)
    assert message["Message-ID"] == "<cleanup-list-17@district.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body(("plain",)).get_content().strip() == MAIL.text
    assert office.attachments(0) == [("cleanup-list.csv", "Grüße".encode())]


def test_starttls_and_login(trusted):
    with mail_server.serve(starttls=True) as (office, port):
        send_mail(f"smtp://{LOGIN}@localhost:{port}", MAIL)
    assert office.encrypted == [True]


def test_smtps(trusted):
    with mail_server.serve(smtps=True) as (office, port):
        send_mail(f"smtps://{LOGIN}@localhost:{port}", MAIL)
    assert len(office.mails) == 1


def test_untrusted_certificate_gets_no_email():
    with mail_server.serve(starttls=True) as (office, port):
        error = failure(f"smtp://{LOGIN}@localhost:{port}")
    assert (error.code, error.permanent) == ("mail.certificate_not_trusted", False)
    assert office.mails == []


def test_other_machine_without_encryption_gets_no_email():
    """Its name is not a name of this machine, though it resolves to it."""
    with mail_server.serve() as (office, port):
        error = failure(f"smtp://127.1:{port}")
    assert error.code == "mail.no_encryption"
    assert office.mails == []


def test_wrong_password_may_be_fixed(trusted):
    with mail_server.serve(starttls=True) as (_, port):
        error = failure(f"smtp://clerk:wrong@localhost:{port}")
    assert (error.code, error.permanent) == ("mail.login_failed", False)
    assert "(535)" in error.sentence


@pytest.mark.parametrize(
    ("reply", "code", "permanent"),
    [
        ("rcpt 550 No such user", "mail.unknown_recipient", True),
        ("rcpt 451 Greylisted", "mail.unknown_recipient", False),
        ("554 No", "mail.rejected", True),
        ("552 5.3.4 Message size exceeds fixed limit", "mail.too_large", True),
        (
            "550 5.7.60 SendAsDenied: client does not have permissions to send as this sender",
            "mail.sender_refused",
            True,
        ),
        ("550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", "mail.dmarc", True),
        ("452 4.2.2 The recipient's mailbox is over quota", "mail.full", False),
        ("452 Disk full", "mail.rejected", False),
    ],
)
def test_rejection_is_permanent_from_500_on(reply, code, permanent):
    with mail_server.serve() as (office, port):
        office.refusals = [reply]
        error = failure(f"smtp://127.0.0.1:{port}")
    assert (error.code, error.permanent) == (code, permanent)


def test_server_that_does_not_let_us_send_as_an_address_is_noticed_before():
    with mail_server.serve() as (office, port):
        assert check_server(f"smtp://127.0.0.1:{port}", "cleanup@district.example") == "127.0.0.1"
        office.refusals = ["rcpt 550 Sender address rejected: not owned by user"]
        with pytest.raises(UserError, match="does not accept email for"):
            check_server(f"smtp://127.0.0.1:{port}", "cleanup@district.example")
    assert office.mails == []


def test_missing_server_may_come_back():
    with mail_server.serve() as (_, port):
        pass
    assert not failure(f"smtp://127.0.0.1:{port}").permanent
