"""Mail to a real server: encrypted or not at all, and what it refuses said so that somebody can mend it."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from support import mail_server

from bot.downloads.mail import Attachment, Mail, send_mail
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
    """The machine trusts the authority of the district's mail server."""
    mail_server.authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def refused(url):
    with pytest.raises(UserError) as no:
        send_mail(url, MAIL)
    assert mail_server.PASSWORD not in no.value.sentence
    return no.value


def test_a_mail_arrives_whole():
    with mail_server.opened() as (office, port):
        send_mail(f"smtp://127.0.0.1:{port}", MAIL)
    [(_, came)] = office.mails
    assert (came["To"], came["Subject"]) == (MAIL.to, MAIL.subject)
    assert came["Message-ID"] == "<cleanup-list-17@district.example>"
    assert came["Auto-Submitted"] == "auto-generated"
    assert came.get_body(("plain",)).get_content().strip() == MAIL.text
    assert office.attachments(0) == [("cleanup-list.csv", "Grüße".encode())]


def test_it_is_encrypted_and_signed_in_where_the_server_asks(trusted):
    with mail_server.opened(starttls=True) as (office, port):
        send_mail(f"smtp://{LOGIN}@localhost:{port}", MAIL)
    assert office.encrypted == [True]


def test_a_port_that_is_encrypted_from_the_start_is_spoken_to_so(trusted):
    with mail_server.opened(smtps=True) as (office, port):
        send_mail(f"smtps://{LOGIN}@localhost:{port}", MAIL)
    assert len(office.mails) == 1


def test_a_certificate_that_nobody_trusts_gets_no_mail():
    with mail_server.opened(starttls=True) as (office, port):
        no = refused(f"smtp://{LOGIN}@localhost:{port}")
    assert "certificate" in no.sentence
    assert not no.permanent
    assert office.mails == []


def test_another_machine_that_does_not_encrypt_gets_no_mail():
    """Its name is not one of this machine's, though it leads here."""
    with mail_server.opened() as (office, port):
        no = refused(f"smtp://127.1:{port}")
    assert "does not answer as one" in no.sentence
    assert office.mails == []


def test_a_wrong_password_is_said_and_may_be_mended(trusted):
    with mail_server.opened(starttls=True) as (_, port):
        no = refused(f"smtp://somebody:wrong@localhost:{port}")
    assert "name or password (535)" in no.sentence
    assert not no.permanent


@pytest.mark.parametrize(
    ("answer", "said", "permanent"),
    [
        ("rcpt 550 No such user", "does not take mail for clara.clerk@district.example (550)", True),
        ("rcpt 451 Greylisted", "does not take mail for clara.clerk@district.example (451)", False),
        ("552 Too large", "refuses the mail (552)", True),
        ("452 Disk full", "refuses the mail (452)", False),
    ],
)
def test_what_the_server_refuses_is_said_and_whether_it_may_pass(answer, said, permanent):
    with mail_server.opened() as (office, port):
        office.refusals = [answer]
        no = refused(f"smtp://127.0.0.1:{port}")
    assert said in no.sentence
    assert no.permanent is permanent


def test_a_server_that_is_not_there_may_come_back():
    with mail_server.opened() as (_, port):
        pass
    assert not refused(f"smtp://127.0.0.1:{port}").permanent
