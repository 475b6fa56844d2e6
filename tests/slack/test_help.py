"""`/cleanup help`: examples, commands, buttons, and statuses."""

from support import people, screens
from support.snapshots import draw

from bot.sandbox.slack.models import text_of


def test_help_card(office, snapshot):
    answer = office.clara.command("/cleanup", "help")
    assert answer.ok
    assert draw(answer.message) == snapshot


def test_help_explains_the_buttons_of_the_student_dialog(office, session):
    """Edit and Remove explain themselves; the others have names of their own."""
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam), "landline")
    session.commit()
    screens.open_student(office.clara, office.clara.command("/cleanup").message)
    labels = {*screens.labels(office.clara.view), *screens.options(office.clara.view, "contact.more")}
    assert len(labels) == 8
    help_text = text_of(office.clara.command("/cleanup", "help").message)
    assert {label for label in labels if f"*{label}*" not in help_text} == {"Edit", "Remove"}
