"""Answers through a response_url, and dialogs that open too late: nothing is silent, and nothing is read twice."""

import pytest
from slack_bolt import BoltResponse
from sqlalchemy import select
from support import mass_messages as messages
from support import people, screens

from bot.app import slack_client
from bot.db.models.slack import OpenView, Subscription
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of
from bot.web.slack import send_late_response

HOOK = "response_url"
LATE = ["expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired", "trigger_exchanged"]


@pytest.fixture
def sam(session, office):
    sam = people.student(session, "Sam", at=office.district.lincoln)
    for number in range(7):
        people.list_contact(session, people.contact(session, sam, given=f"Maria{'abcdefg'[number]}"))
    session.commit()
    return sam


@pytest.fixture
def shown(office, sam):
    return office.clara.command("/cleanup", "grade 5", channel=office.channel).message


def uses(office):
    return len([call for call in office.slack.calls if call.method == HOOK])


def choose_blocked(office, message):
    return office.clara.choose(message, "Blocked", action_id="list.show.status")


def is_narrowed(office, message):
    return text_of(office.clara.current(message)).startswith("Grade 5 · Blocked\n")


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": Fault.RATELIMITED, "seconds": 1},
        {"fault": Fault.HTTP_500},
        {"fault": Fault.HTTP_500, "applied": True},
        {"fault": Fault.DROP, "applied": True},
    ],
    ids=str,
)
def test_answer_that_replaces_is_sent_once_more(office, shown, fault):
    office.slack.faults.inject(HOOK, **fault)
    assert choose_blocked(office, shown).ok
    assert is_narrowed(office, shown)
    assert uses(office) == 2
    assert office.clara.messages() == []


@pytest.mark.parametrize("status", [400, 404, 403])
def test_refused_answer_is_logged_and_not_repeated(office, shown, caplog, status):
    office.slack.faults.inject(HOOK, Fault.HTTP_STATUS, status=status)
    assert choose_blocked(office, shown).ok
    assert uses(office) == 1
    assert f"http_{status}" in caplog.text
    assert "press the button again" in text_of(office.clara.last())


@pytest.mark.parametrize("fault", [{"fault": Fault.HTTP_500}, {"fault": Fault.RATELIMITED, "seconds": 60}], ids=str)
def test_answer_that_never_arrives_is_reported_in_a_direct_message(office, shown, fault):
    office.slack.faults.inject(HOOK, **fault, times=2)
    assert choose_blocked(office, shown).ok
    assert not is_narrowed(office, shown)
    assert "press the button again" in text_of(office.clara.last())


def test_answer_below_is_not_repeated_after_a_lost_connection(office, session, sam):
    """The digest stays, so its answer comes below it, and a second one would be read twice."""
    session.add(Subscription(channel_id=office.channel, made_by=office.clara.id, made_at=office.now()))
    messages.send(session, {people.contact(session, sam): "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.tick()
    digest = next(message for message in office.clara.messages(office.channel) if message.metadata)
    office.slack.faults.inject(HOOK, Fault.DROP, applied=True)
    assert office.clara.press(digest, action_id="digest.show_mine").ok
    assert uses(office) == 1


def test_list_counts_the_uses_of_its_response_url(office, session, shown):
    office.clara.press(shown, action_id="student.open")
    contacts = screens.values(office.clara.view, "contact.edit")
    for contact in contacts:
        assert office.clara.press(office.clara.view, action_id="contact.edit", value=contact).ok
        assert office.clara.fill(office.clara.view, {"method": "call"}).submit().ok
    session.expire_all()
    assert session.scalar(select(OpenView.uses)) == uses(office) == 5
    assert "only five times" in text_of(office.clara.current(shown))


@pytest.mark.parametrize("word", LATE)
@pytest.mark.parametrize("surface", ["message", "home", "dialog"])
def test_late_trigger_is_answered_without_trying_it_again(office, shown, word, surface):
    clara, value = office.clara, None
    place, action_id, opens = shown, "student.open", "views.open"
    if surface == "home":
        clara.open_home()
        place, action_id = clara.home, "home.help"
    elif surface == "dialog":
        clara.press(shown, action_id="student.open")
        place, action_id, opens = clara.view, "contact.edit", "views.push"
        value = screens.values(clara.view, "contact.edit")[0]
    office.slack.faults.inject(opens, Fault.REFUSED, error=word)
    assert clara.press(place, action_id=action_id, value=value).ok
    answer = clara.last(office.channel if surface == "message" else None)
    assert "Press the button again" in text_of(answer)
    triggers = [call.arguments["trigger_id"] for call in office.slack.calls if "trigger_id" in call.arguments]
    assert len(triggers) == len(set(triggers))


SENTENCES = {
    "invalid_auth": "Please tell the person who runs it",
    "missing_scope": "Please tell the person who runs it",
    "ratelimited": "Try again in a minute",
    "internal_error": "Check before you try again",
    "a_word_of_tomorrow": "Report it",
}


@pytest.mark.parametrize("word", SENTENCES)
def test_person_reads_what_to_do_and_the_log_has_slacks_word(office, shown, caplog, word):
    office.slack.faults.inject("views.open", Fault.REFUSED, error=word)
    assert office.clara.press(shown, action_id="student.open").ok
    sentence = text_of(office.clara.last(office.channel))
    assert SENTENCES[word] in sentence
    reference = sentence.split("eference ")[1].rstrip(".")
    assert any(reference in line and word in line for line in caplog.text.splitlines())


def test_command_while_the_token_is_wrong_says_whom_to_tell(office, sam):
    office.slack.faults.inject("users.info", Fault.REFUSED, error="token_revoked")
    answer = office.clara.command("/cleanup").message
    assert "Please tell the person who runs it" in text_of(answer)


def test_late_answer_that_slack_refuses_is_reported(office, sam):
    body = {"command": "/cleanup", "response_url": office.slack.base_url + "/hooks/none", "user_id": office.clara.id}
    response = BoltResponse(status=200, body='{"text": "Your list"}')
    send_late_response(slack_client(office.settings), body, response)
    assert "Slack did not show you" in text_of(office.clara.last())
