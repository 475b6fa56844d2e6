"""`/cleanup help`: examples, commands, buttons, and statuses."""

from support import people, screens
from support.snapshots import draw

from bot.filters import words
from bot.sandbox.slack.models import text_of


def test_help_card(office, snapshot):
    answer = office.clara.command("/cleanup", "help")
    assert answer.ok
    assert draw(answer.message) == snapshot


def run_buttons(place):
    return [element for element in screens.elements(place) if element.get("action_id", "").startswith("command.run.")]


def test_every_example_is_a_button_that_runs_it(office, session):
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam), "blocked")
    session.commit()
    buttons = run_buttons(office.clara.command("/cleanup", "help").message)
    examples = [phrase.example for phrase in (*words.GRAMMAR, *words.COMMANDS)]
    assert [button["value"] for button in buttons] == [
        example for example in examples if example.split()[0] not in {"subscribe", "unsubscribe", "help"}
    ]
    for button in buttons:
        message = office.clara.command("/cleanup", "help").message
        assert office.clara.press(message, action_id=button["action_id"]).ok
    message = office.clara.command("/cleanup", "help").message
    office.clara.press(message, action_id="command.run.0")
    assert screens.student_ids(office.clara.current(message)) == [sam.id]


def test_example_in_the_help_dialog_shows_the_list_there(office, session):
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam), "blocked")
    session.commit()
    office.clara.open_home()
    office.clara.press(office.clara.home, action_id="home.help")
    assert office.clara.press(office.clara.view, action_id="command.run.0").ok
    assert office.clara.view.body["callback_id"] == "list.dialog"
    assert screens.student_ids(office.clara.view) == [sam.id]


def test_help_explains_the_buttons_of_the_student_dialog(office, session):
    """Edit and Remove explain themselves; the others have names of their own."""
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam), "landline")
    session.commit()
    screens.open_student(office.clara, office.clara.command("/cleanup").message)
    labels = {*screens.labels(office.clara.view), *screens.options(office.clara.view, "contact.more")}
    assert len(labels) == 9
    help_text = text_of(office.clara.command("/cleanup", "help").message)
    assert {label for label in labels if f"*{label}*" not in help_text} == {"Edit", "Remove"}
