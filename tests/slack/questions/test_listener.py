"""Questions in the direct message with the app: counts there, names behind a button, each message answered once."""

import json
from copy import deepcopy

import pytest
from support import people, screens
from support.snapshots import draw
from support.statements import captured_statements

from bot.db.models.roster import SyncRun
from bot.domain.sms_status import SmsStatus
from bot.sandbox.slack import delivery, payloads
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

WRITTEN = {"channel_type": "im", "type": "message"}


@pytest.fixture
def finn(session, office):
    """Finn O'Connor, grade 5, homeroom 5B of Ana García at Lincoln: his only contact is blocked. Kim Young has no contact at all."""
    lincoln = office.district.lincoln
    finn = people.student(session, "Finn", "O'Connor", at=lincoln)
    kim = people.student(session, "Kim", "Young", at=lincoln)
    people.school_class(session, office.district.ana, lincoln, finn, kim, title="Homeroom 5B")
    people.list_contact(
        session, people.contact(session, finn, given="Colleen", family="O'Connor", phone="+12485550142")
    )
    session.commit()
    return finn


def ask(person, text):
    """Return the answer to a question."""
    question = person.write(text)
    answer = person.last()
    assert answer.ts > question.ts
    assert answer.by_app
    assert not answer.ephemeral_for
    return answer


def open_list(person, answer, **which):
    """Press a button of an answer, and return what it shows, which only this person sees."""
    assert person.press(answer, **which or {"action_id": "question.open.0"}).ok
    assert person.last().ephemeral_for == person.id
    assert person.current(answer).blocks == answer.blocks
    return person.last()


def test_second_question_reads_the_grades_from_the_cache(office, session, finn):
    session.add(SyncRun(source="x", started_at=office.now(), finished_at=office.now(), state="done"))
    session.commit()
    grades = []
    for _ in range(2):
        with captured_statements() as statements:
            ask(office.clara, "who in 5B has no one?")
        grades.append(sum("SELECT DISTINCT students.grade" in statement for statement in statements))
    assert grades == [2, 0]


def test_months_out_of_bounds_are_refused_with_the_bounds(office, finn):
    assert "from 1 to 13" in text_of(ask(office.clara, "who has not been verified for 3 years?"))
    answer = ask(office.clara, "¿quién no se ha verificado desde hace seis meses en quinto?")
    assert "desde hace 6 meses" in text_of(answer)
    assert "Not verified for 6 months · Grade 5" in text_of(open_list(office.clara, answer))


def deliver(office, **fields):
    """Deliver an event of a message to the app as Slack does."""
    clara = office.clara
    event = {**WRITTEN, "user": clara.id, "text": "help", "ts": office.slack.new_ts(), "channel": clara.dm}
    body = payloads.event_json(office.slack, event | fields)
    assert delivery.send_event(office.slack, body).status == 200
    return body


QUESTIONS = {
    "list": "how many blocked in grade 5?",
    "no adult": "who in 5B has no one?",
    "none": "landlines at Lincoln",
    "nowhere": "who is blocked in grade 12?",
    "forecast": "who would miss a message to 5B now?",
    "next": "what should I fix next?",
    "pending": "which changes are not in PowerSchool yet?",
    "report": "how are we doing?",
    "most": "what helps most in grade 5?",
    "unverified": "who at Lincoln has not been verified?",
    "student": "what's up with Finn O'Connor",
    "number": "who has (248) 555-0142?",
    "nobody": "what's up with Zed Zulu?",
    "ask back": "blokced in grade 5",
    "something else": "what's the weather?",
    "help": "hello",
}
PREGUNTAS = {
    "list": "¿cuántos bloqueados hay en quinto?",
    "no adult": "¿quién en 5B no tiene a nadie?",
    "none": "teléfonos fijos en Lincoln",
    "nowhere": "¿quién está bloqueado en grado 12?",
    "forecast": "¿quién no recibiría un mensaje en 5B?",
    "next": "¿qué sigue?",
    "pending": "cambios pendientes",
    "report": "¿cómo vamos en quinto?",
    "most": "¿qué ayuda más?",
    "unverified": "contactos sin verificar en Lincoln",
    "student": "¿qué pasa con Finn O'Connor?",
    "number": "¿de quién es el (248) 555-0142?",
    "nobody": "¿qué pasa con Zed Zulu?",
    "ask back": "¿cuántos alumnos hay en quinto?",
    "something else": "¿qué tiempo hace?",
    "help": "hola",
}


@pytest.mark.parametrize("questions", [QUESTIONS, PREGUNTAS], ids=["english", "spanish"])
def test_answers(office, finn, snapshot, questions):
    answers = {name: draw(ask(office.clara, question)) for name, question in questions.items()}
    assert "\n\n".join(f"{questions[name]}\n{answer}" for name, answer in answers.items()) == snapshot


@pytest.mark.parametrize(
    "question", [*QUESTIONS.values(), *PREGUNTAS.values(), "Finn is blokced", "Finn O'Connor grade"]
)
def test_answer_holds_no_name_and_no_number(office, finn, question):
    sent = json.dumps([ask(office.clara, question).blocks, ask(office.clara, question).text], ensure_ascii=False)
    assert not [word for word in ("Finn", "O'Connor", "Colleen", "Kim", "Young", "Zed", "Zulu", "0142") if word in sent]


@pytest.mark.parametrize("question", [*QUESTIONS.values(), *PREGUNTAS.values()])
def test_each_button_opens_what_it_says(office, finn, question):
    answer = ask(office.clara, question)
    for action_id in [each for each in screens.action_ids(answer) if each.startswith("question.open")]:
        shown = text_of(open_list(office.clara, answer, action_id=action_id))
        assert "I did not understand" not in shown


@pytest.mark.parametrize("name", ["list", "no adult", "student", "number"])
def test_names_are_behind_the_button_for_the_reader_alone(office, finn, name):
    shown = open_list(office.clara, ask(office.clara, QUESTIONS[name]))
    assert screens.student_ids(shown) == [finn.id]


def test_unclear_question_offers_a_list(office, finn):
    answer = ask(office.clara, QUESTIONS["ask back"])
    assert screens.student_ids(open_list(office.clara, answer, text="Grade 5 · Blocked")) == [finn.id]


def test_unclear_question_with_a_name_offers_its_people(office, finn):
    for text in ("does Finn dance?", "finn o'connor"):
        answer = ask(office.clara, text)
        assert screens.student_ids(open_list(office.clara, answer, text="People of that name")) == [finn.id]


def test_forecast_names_a_student_without_any_contact(office, finn):
    answer = ask(office.clara, QUESTIONS["no adult"])
    assert "*2 students*" in text_of(answer)
    assert "Young" in text_of(open_list(office.clara, answer, text="Open forecast"))


def test_event_that_slack_sends_again_is_answered_once(office, finn):
    event = deliver(office)["event"]
    assert delivery.send_event(office.slack, payloads.event_json(office.slack, event)).status == 200
    assert len(office.clara.messages()) == 1


NOT_WRITTEN = {
    "our own": {"bot_id": "B0", "app_id": "A0"},
    "another app's": {"bot_id": "B1", "subtype": "bot_message"},
    "edited": {"subtype": "message_changed", "message": {"text": "help", "edited": {"ts": "1.0"}}},
    "deleted": {"subtype": "message_deleted", "deleted_ts": "1.0"},
    "file": {"subtype": "file_share", "files": [{"id": "F1"}]},
    "blank": {"text": " "},
    "in a channel": {"channel_type": "channel"},
    "of no one": {"user": None},
}


@pytest.mark.parametrize("fields", NOT_WRITTEN.values(), ids=NOT_WRITTEN)
def test_other_messages_are_not_answered(office, finn, fields):
    deliver(office, **fields)
    assert office.clara.messages() == []


@pytest.mark.parametrize("lost", ["scope", "event"])
def test_slack_sends_no_question_without_scope_and_subscription(office, finn, lost):
    office.slack.manifest = manifest = deepcopy(office.slack.manifest)
    if lost == "scope":
        manifest["oauth_config"]["scopes"]["bot"].remove("im:history")
    else:
        manifest["settings"]["event_subscriptions"]["bot_events"].remove("message.im")
    office.clara.write("help")
    assert not [message for message in office.clara.messages() if message.by_app]


def test_read_only_messages_tab_takes_no_question(office, finn):
    office.slack.manifest = manifest = deepcopy(office.slack.manifest)
    manifest["features"]["app_home"]["messages_tab_read_only_enabled"] = True
    with pytest.raises(NotOnScreen):
        office.clara.write("help")


def test_question_in_a_thread_is_answered_there(office, finn):
    parent = office.clara.write("hello")
    deliver(office, thread_ts=parent.ts)
    assert office.clara.last().thread_ts == parent.ts


def test_question_is_acknowledged_before_the_answer(office, finn):
    office.slack.faults.inject("chat.postMessage", Fault.HTTP_500)
    office.clara.write(QUESTIONS["list"])
    assert office.slack.responses[-1].status == 200
    assert not [message for message in office.clara.messages() if message.by_app]


def test_stranger_gets_a_polite_no_without_counts(office, finn):
    answer = text_of(ask(office.nora, QUESTIONS["list"]))
    assert "Please ask data@district.example" in answer
    assert "contact" not in answer.split("ask")[0]


def test_teacher_counts_her_own_students_alone(office, session, finn):
    other = people.student(session, "Otto", "Other", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, other))
    session.commit()
    assert "*1 contact* of *1 student*" in text_of(ask(office.ana, QUESTIONS["list"]))
    assert "*2 contacts* of *2 students*" in text_of(ask(office.clara, QUESTIONS["list"]))


def test_own_class_of_a_person_who_sees_more(office, session, finn):
    people.list_contact(session, people.contact(session, finn, given="Otto"), SmsStatus.LANDLINE)
    session.commit()
    assert "Did you mean" in text_of(ask(office.clara, "landlines in my class"))
    assert "*1 contact*" in text_of(ask(office.ana, "landlines in my class"))


@pytest.mark.parametrize(
    ("asked", "says"), [("how do I fix a number?", "Press *Fix*"), ("¿cómo cambio un número?", "Presione *Fix*")]
)
def test_question_how_to_fix_a_number_is_answered(office, finn, asked, says):
    answer = ask(office.clara, asked)
    assert says in text_of(answer)
    assert screens.values(answer, "question.open.0") + screens.values(answer, "question.open.1") == ["all", "help"]
