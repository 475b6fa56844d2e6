"""Every entry point of the bot as a table: what a person has on screen before, and what they do there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text
from support import edits, people, screens

from bot.access.rights import AccessLevel
from bot.app import make_context
from bot.db.models.messages import MassMessage
from bot.db.models.roster import Contact, SyncRun
from bot.db.models.teacher_questions import TeacherMessage, TeacherQuestion
from bot.db.models.unclear_texts import UnclearText
from bot.digests.posts import enqueue_digests
from bot.digests.subscriptions import subscribe_channel
from bot.digests.weekly import subscribe_weekly
from bot.sandbox.slack import message_store, view_store
from bot.sandbox.slack.models import Outcome
from bot.sandbox.slack.people import Person
from bot.slack import pending, score_card
from bot.slack.digest import post as digest_post
from bot.slack.kit import blocks as b
from bot.slack.results import ids as result_ids
from bot.slack.sync import edits_notice
from bot.slack.sync import notice as sync_notice
from bot.slack.teachers import question as teacher_question

# Telling words of the two refusals.
ASK_ADMIN = "lease ask data@district.example"
NOT_ON_YOUR_LIST = "not on your list anymore"

# Text that only people who may see the students of the scene may read.
SECRETS = ["Rivera", "Sam ", "Maria", "Otto", "Pablo", "Youngman", "•••", "312555", "555-7"]


@dataclass(frozen=True)
class Scene:
    """Ids of Sam Rivera and of what the buttons are for.

    Maria has a pending edit, Otto one in conflict with the SIS, Pablo is removed, Lars has a suggestion; `run` is a sync on
    hold, `text` a text from Lars that a person has to read.
    """

    sam: int
    maria: int
    edit: int
    conflict: int
    removal: int
    lars: int
    run: int
    text: int
    channel: str
    ned: int  # The adult of Kim3 who can be texted.
    unas_mother: int
    question: int  # To Ana, about Sam.
    answer: int  # A number from Ana, for Una.


Action = Callable[[Person, Scene], object]


@dataclass(frozen=True)
class EntryPoint:
    """`prepare` brings up the screen; `act` sends the request that is observed."""

    prepare: Action
    act: Action


def set_up(session, office):
    """Create the scene.

    Sam is in Ana's homeroom with eleven classmates, one of them a sibling, so that the list of grade 5 has two pages; Una
    Rivera is not on the list; the channel has a digest.
    """
    lincoln = office.district.lincoln
    clara = clerk(office)
    sam = people.student(session, at=lincoln)
    mates = _add_classmates(session, lincoln)
    una = people.student(session, "Una", at=lincoln)
    unas_mother = people.contact(session, una, method="call")
    people.school_class(session, office.district.ana, lincoln, sam, una, *mates)
    maria = people.list_contact(session, people.contact(session, sam, mates[0], phone="+13125557342"))
    otto, pablo = (people.contact(session, sam, given=name, priority=2) for name in ("Otto", "Pablo"))
    lars = people.contact(session, sam, given="Lars", priority=3, phone="+13125557904")
    people.list_contact(session, lars, "landline")
    people.contact(session, sam, given="Lars", priority=4, phone="+13125557905")
    edit = edits.change(session, maria, phone="+13125557901", actor=clara).edit_ids[0]
    conflict = edits.change(session, otto, phone="+13125557902", actor=clara).edit_ids[0]
    edits.sync_phone(session, otto, "+13125557903")
    removal = edits.remove(session, pablo, sam, actor=clara).id
    run = SyncRun(source="export", started_at=office.now(), finished_at=office.now(), state="held")
    unclear = UnclearText(provider="twilio", event_key="SM1", phone=lars.sis_phone, topic="opt_out", text="stop it")
    session.add(run)
    _post_digest(session, office)
    session.add(unclear)  # After the clock's round, which would send its card.
    questions = _ask_teacher(session, office, sam, una)
    session.commit()
    ned = session.scalars(select(Contact.id).where(Contact.given_name == "Ned").order_by(Contact.id)).all()[3]
    ids = (run.id, unclear.id, office.channel, ned, unas_mother.id, *questions)
    return Scene(sam.id, maria.id, edit, conflict, removal, lars.id, *ids)


def _ask_teacher(session, office, *students):
    """Ask Ana about two students; she knows a number for the second. Return the ids of the questions."""
    message = TeacherMessage(
        teacher=office.district.ana.email, day=office.now().date(), due_at=office.now(), state="sent"
    )
    session.add(message)
    session.flush()
    asked = {"message_id": message.id, "asked_by": office.clara.id, "asked_at": office.now(), "asked_on": message.day}
    questions = [TeacherQuestion(student_id=student.id, **asked) for student in students]
    questions[1].answer, questions[1].phone = "number", "+13125557909"
    session.add_all(questions)
    session.flush()
    return [question.id for question in questions]


def clerk(office):
    """Return Clara as the actor that she is in Slack."""
    district = office.district
    return people.actor_of(district.clara, level=AccessLevel.SCHOOLS, at=(district.lincoln,), user_id=office.clara.id)


def _add_classmates(session, at):
    mates = [people.student(session, f"Kim{number}", "Youngman", at=at) for number in range(11)]
    for mate in mates:
        people.list_contact(session, people.contact(session, mate, family="Youngman"))
        # The last one has no adult who can be texted.
        method = "call" if mate is mates[-1] else "text"
        people.contact(session, mate, given="Ned", family="Youngman", method=method)
    return mates


def _post_digest(session, office):
    sent_at = office.now() - timedelta(minutes=5)
    subscribe_channel(session, office.channel, actor=office.clara.id, now=sent_at)
    subscribe_weekly(session, office.channel, school_id=None, actor=office.clara.id, now=office.now())
    message = MassMessage(id="early", title="Early dismissal", sent_at=sent_at, settled_at=sent_at, learned_at=sent_at)
    session.add(message)
    session.flush()
    enqueue_digests(session, "early", now=sent_at)
    session.commit()
    assert digest_post.post_due(make_context(office.settings, office.engine, now=office.now), office.client) == 1


# Screens.


def no_screen(_person, _scene):
    """Some entry points need no screen."""


def command(text):
    """Return an action that types `/cleanup` and this text."""
    return lambda person, _scene: person.command("/cleanup", text)


def ask(text):
    """Return an action that writes a question to the app."""

    def write(person, _scene):
        person.write(text)
        return Outcome()

    return write


def open_list(person, _scene):
    assert person.command("/cleanup", "grade 5 blokced").ok


def open_home(person, _scene):
    assert person.open_home().ok


def show_button_of_the_score(person, _scene):
    """Show a Home tab with the button, which teachers do not have."""
    button = b.button("Who fixed how many", score_card.SHOW_FIXERS, "all")
    view_store.publish_home(person.slack, person.id, {"type": "home", "blocks": b.actions([button])})


def open_list_dialog(person, _scene):
    assert person.shortcut("list.open").ok


def open_student(person, _scene):
    message = person.command("/cleanup", "grade 5 sam").message
    screens.open_student(person, message)


def open_edit(person, scene):
    open_student(person, scene)
    assert person.press(person.view, action_id="contact.edit", value=str(scene.maria)).ok


def open_counter(person, scene):
    open_edit(person, scene)
    assert person.press(person.view, action_id="contact.verify_now").ok


def open_remove(person, scene):
    open_student(person, scene)
    assert screens.choose_more(person, "contact.remove", scene.maria).ok


def open_opt_out(person, scene):
    open_student(person, scene)
    assert screens.choose_more(person, "contact.spoken_stop", scene.maria).ok


def open_wrong_person(person, scene):
    open_student(person, scene)
    assert screens.choose_more(person, "contact.wrong_person", scene.lars).ok


def open_parked(person, scene):
    open_wrong_person(person, scene)
    assert person.fill(person.view, {}).submit().ok


def open_kim(person, _scene):
    """Open a classmate, with one contact on the list that no one takes care of."""
    screens.open_student(person, person.command("/cleanup", 'student "Kim3 Youngman"').message)


def open_kim_form(person, _scene):
    """Open the form of the classmate's contact from the list."""
    assert person.press(person.command("/cleanup", 'student "Kim3 Youngman"').message, action_id="student.open").ok


def open_call(person, scene):
    open_kim_form(person, scene)
    assert person.press(person.view, action_id="contact.log_call").ok


def open_script(person, scene):
    open_student(person, scene)
    assert screens.choose_more(person, "contact.script", scene.maria).ok


def save_from_list(person, scene):
    open_kim_form(person, scene)
    assert person.fill(person.view, {"phone": "(312) 555-7178"}).submit().ok


def remove_from_list(person, scene):
    open_kim_form(person, scene)
    assert screens.choose_more(person, "contact.remove").ok
    assert person.fill(person.view, {"reason": "asked"}).submit().ok


def open_claimed(person, scene):
    open_kim(person, scene)
    assert person.press(person.view, action_id="claim.take").ok


def open_alone(person, scene):
    """Open the classmate after the only adult who can be texted told us to stop."""
    open_kim(person, scene)
    assert screens.choose_more(person, "contact.spoken_stop", scene.ned).ok
    assert person.fill(person.view, {}).submit().ok


def open_teacher_dialog(draw):
    """Return an action that shows a dialog of a question to a teacher, as if that person had been asked."""

    def show(person, scene):
        metadata = json.dumps({"question": scene.question, "channel": person.dm, "ts": "1.2"})
        view_store.push_modal(person.slack, person.id, draw(metadata, "US"))

    return show


def open_bulk(person, scene):
    open_list(person, scene)
    assert person.press(person.last(), action_id="list.bulk").ok


def open_download(person, scene):
    open_list(person, scene)
    assert person.press(person.last(), action_id="list.download").ok


def open_download_to_verify(person, scene):
    assert person.command("/cleanup", "unverified").ok
    assert person.press(person.last(), action_id="list.download").ok


def open_import(person, _scene):
    assert person.command("/cleanup", "import").ok


def receive(*buttons):
    """Return an action that posts a direct message of the bot with these buttons, (action id, value of a scene)."""

    def post(person, scene):
        elements = [b.button(action_id, action_id, value(scene)) for action_id, value in buttons]
        content = {"text": "…", "blocks": b.actions(elements), "by_app": True}
        message_store.post(person.slack, person.dm, user=person.slack.bot_user_id, **content)

    return post


def _conflict_value(scene):
    return f"{scene.conflict} {scene.run}"


def _run_value(scene):
    return str(scene.run)


_receive_conflict = receive((edits_notice.KEEP_OURS, _conflict_value), (edits_notice.TAKE_SIS, _conflict_value))
_receive_held_sync = receive((sync_notice.APPLY, _run_value), (sync_notice.SKIP, _run_value))
_receive_text = receive(
    *((f"text.{answer}", lambda scene: str(scene.text)) for answer in ("record_opt_out", "wrong_person", "neither"))
)
_receive_question = receive(
    *((f"teacher.{answer}", lambda scene: str(scene.question)) for answer in ("have_number", "try_other", "no_idea"))
)
_receive_answer = receive(
    ("teacher.use_number.0", lambda scene: f"{scene.answer} {scene.unas_mother} 1"),
    ("teacher.set_aside", lambda scene: str(scene.answer)),
)
_receive_exports = receive(
    (pending.SHEET, lambda _: "all"),
    (pending.POWERSCHOOL, lambda _: "all"),
    (pending.WRITE, lambda _: "99 all"),
)


# Actions.


def press_last(**which):
    """Return an action that presses a button of the newest direct message."""
    return lambda person, _scene: person.press(person.last(), **which)


def press_in_view(action_id, target=None):
    """Return an action that presses a button of the dialog; `target` names the field of the scene in its value."""
    return lambda person, scene: person.press(
        person.view, action_id=action_id, value=str(getattr(scene, target)) if target else None
    )


def press_of(action_id, target):
    """Return an action that presses a button of a contact of the scene."""
    block = "contact.{}"
    return lambda person, scene: person.press(
        person.view, action_id=action_id, block_id=block.format(getattr(scene, target))
    )


def save(values):
    """Return an action that fills in the dialog and submits it; `values` may be a function of the person."""
    return lambda person, _scene: person.fill(person.view, values(person) if callable(values) else values).submit()


def switch_some_to_call(person):
    """Return what is filled in to switch a few contacts to autocalls."""
    chosen = next(block for block in person.view.blocks if block["block_id"] == "who")
    values = [option["value"] for option in chosen["element"]["options"]][:5]
    return {"which": "some", "who": values, "what": "call"}


def apply_to_chosen(person, _scene):
    return person.fill(person.view, switch_some_to_call(person)).submit()


def open_refused_bulk(person, scene):
    """Submit a dialog whose contacts were changed after it opened."""
    open_bulk(person, scene)
    filled = person.fill(person.view, {"which": "all", "what": "call"})
    open_bulk_answer(person, scene)
    assert filled.submit_stale().ok


def open_bulk_answer(person, scene):
    open_bulk(person, scene)
    assert apply_to_chosen(person, scene).ok


def _submit_report(person, _scene):
    file_id = person.choose_file("report.csv", b"Phone,Status\n(312) 555-0142,Delivered\n")
    return person.fill(person.view, {"file": [file_id], "message": "early"}).submit()


def choose_more(choice, target="maria"):
    """Return an action that chooses in the menu of a contact; `target` names the field of the scene."""
    return lambda person, scene: screens.choose_more(person, choice, getattr(scene, target))


def _show_red(place):
    return lambda person, _scene: person.choose(place(person), "All red", action_id="list.show.status")


def _row_value(place, scene):
    """Return the value of Sam's button on a list."""
    values = [block.get("accessory", {}).get("value", "") for block in place.blocks]
    return next(value for value in values if value.startswith(f"{scene.sam} "))


def _block_id(place, word):
    """Return the id of the first block that contains a word."""
    return next(block["block_id"] for block in place.blocks if word in str(block))


LISTS = {
    "command": EntryPoint(no_screen, command("grade 5")),
    "Home tab": EntryPoint(no_screen, lambda person, _: person.open_home()),
    "command for a student not on the list": EntryPoint(no_screen, command("una")),
    "command with a phone": EntryPoint(no_screen, command("(312) 555-7904")),
    "next to fix": EntryPoint(no_screen, command("next")),
    "Skip": EntryPoint(command("next"), press_last(text="Skip")),
    "What helps most": EntryPoint(no_screen, command("most")),
    "forecast": EntryPoint(no_screen, command("forecast grade 5")),
    "pending changes": EntryPoint(no_screen, command("pending")),
    "contacts to verify": EntryPoint(no_screen, command("unverified")),
    "menu": EntryPoint(open_list, _show_red(lambda person: person.last())),
    "next page": EntryPoint(open_list, press_last(action_id="list.show.next")),
    "suggestion": EntryPoint(open_list, press_last(action_id="list.show.suggestion.0")),
    "menu on the Home tab": EntryPoint(open_home, _show_red(lambda person: person.home)),
    "Bulk edit…": EntryPoint(open_list, press_last(action_id="list.bulk")),
    "Switch all landlines to autocalls…": EntryPoint(
        receive(("list.bulk_calls", lambda _: "landline")), press_last(action_id="list.bulk_calls")
    ),
    "shortcut": EntryPoint(no_screen, lambda person, _: person.shortcut("list.open")),
    "menu in a dialog": EntryPoint(open_list_dialog, _show_red(lambda person: person.view)),
    "message shortcut on a digest": EntryPoint(
        no_screen,
        lambda person, scene: person.message_shortcut("digest.who_is_affected", person.last(scene.channel)),
    ),
    "Show these students under a digest": EntryPoint(
        receive(("digest.show_no_adult", lambda _: "all")), press_last(action_id="digest.show_no_adult")
    ),
    "Open list in a report": EntryPoint(
        receive(("list.show.scored", lambda _: "all")), press_last(action_id="list.show.scored")
    ),
    "Open list under an answer": EntryPoint(
        receive(("question.open.0", lambda _: "grade 5")), press_last(action_id="question.open.0")
    ),
    "Show my list under a digest": EntryPoint(
        no_screen, lambda person, scene: person.press(person.last(scene.channel), action_id="digest.show_mine")
    ),
}
GENERAL = {
    "report": EntryPoint(no_screen, command("report")),
    "report teachers": EntryPoint(no_screen, command("report teachers")),
    "Download…": EntryPoint(open_list, press_last(action_id="list.download")),
    "Download…, submitted": EntryPoint(open_download, save({"form": "csv"})),
    "Download… of contacts to verify": EntryPoint(command("unverified"), press_last(action_id="list.download")),
    "Download… of contacts to verify, submitted": EntryPoint(open_download_to_verify, save({"form": "csv"})),
    "help": EntryPoint(no_screen, command("help")),
    "button of an older version": EntryPoint(
        receive(("list.of_old", lambda _: "1")), press_last(action_id="list.of_old")
    ),
    "Who fixed how many": EntryPoint(
        show_button_of_the_score, lambda person, _: person.press(person.home, action_id="home.fixers")
    ),
    "Help on the Home tab": EntryPoint(open_home, lambda person, _: person.press(person.home, action_id="home.help")),
    "How it works on the Home tab": EntryPoint(
        open_home, lambda person, _: person.press(person.home, action_id="home.how_it_works")
    ),
    "question in a direct message": EntryPoint(no_screen, ask("who is blocked in grade 5?")),
    "question about a student": EntryPoint(no_screen, ask("what's up with Sam?")),
    "word that is no command": EntryPoint(no_screen, command("undo")),
    "suggested command": EntryPoint(command("hlep"), press_last(text="/cleanup help")),
    "subscribe": EntryPoint(
        no_screen, lambda person, scene: person.command("/cleanup", "subscribe", channel=scene.channel)
    ),
    "unsubscribe": EntryPoint(
        no_screen, lambda person, scene: person.command("/cleanup", "unsubscribe", channel=scene.channel)
    ),
    "subscribe weekly": EntryPoint(
        no_screen, lambda person, scene: person.command("/cleanup", "subscribe weekly", channel=scene.channel)
    ),
    "unsubscribe weekly": EntryPoint(
        no_screen, lambda person, scene: person.command("/cleanup", "unsubscribe weekly", channel=scene.channel)
    ),
}
STUDENT = {
    "open a student not on the list": EntryPoint(command("una"), press_last(action_id="student.open")),
    "open a pending change": EntryPoint(
        command("pending"),
        lambda person, _: person.press(person.last(), block_id=_block_id(person.last(), "Otto")),
    ),
    "Fix": EntryPoint(
        open_list, lambda person, scene: person.press(person.last(), value=_row_value(person.last(), scene))
    ),
    "Fix on the Home tab": EntryPoint(
        open_home,
        lambda person, scene: person.press(person.home, value=_row_value(person.home, scene), text="Fix"),
    ),
    "Edit": EntryPoint(open_student, press_in_view("contact.edit", "maria")),
    "Edit, saved": EntryPoint(open_edit, save({"phone": "(312) 555-7177", "method": "call"})),
    "Verify now": EntryPoint(open_edit, press_in_view("contact.verify_now", "maria")),
    "They confirmed it": EntryPoint(open_counter, press_in_view("contact.number_confirmed")),
    "Remove": EntryPoint(open_student, choose_more("contact.remove")),
    "Remove, confirmed": EntryPoint(open_remove, save({"reason": "asked"})),
    "Told us to stop": EntryPoint(open_student, choose_more("contact.spoken_stop")),
    "Told us to stop, recorded": EntryPoint(open_opt_out, save({})),
    "Wrong person": EntryPoint(open_student, choose_more("contact.wrong_person", "lars")),
    "Wrong person, recorded": EntryPoint(open_wrong_person, save({})),
    "Undo wrong person": EntryPoint(open_parked, press_in_view("contact.verified")),
    "Bulk edit…, applied": EntryPoint(open_bulk, apply_to_chosen),
    "Undo all": EntryPoint(open_bulk_answer, press_in_view("list.bulk_undo")),
    "Show names": EntryPoint(open_refused_bulk, press_last(action_id="list.bulk_stayed")),
    "Show number": EntryPoint(open_student, press_of("contact.show_number", "maria")),
    "sibling": EntryPoint(open_student, press_in_view("student.open_sibling.0")),
    "History": EntryPoint(open_student, choose_more("history")),
    "I'll take it": EntryPoint(open_kim, press_in_view("claim.take")),
    "I'll take it under What helps most": EntryPoint(command("most"), press_last(action_id="fix.take")),
    "I'll take it on the next card": EntryPoint(command("next kim0"), press_last(action_id="next.take")),
    "Release": EntryPoint(open_claimed, press_in_view("claim.free")),
    "suggested number": EntryPoint(open_student, press_in_view("suggestion.use")),
    "Ask the teacher": EntryPoint(open_alone, press_in_view("student.ask_teacher")),
    "Switch to autocall": EntryPoint(open_student, press_in_view("method.switch_to_call")),
    "Undo this change": EntryPoint(open_student, press_in_view("edit.undo", "edit")),
    "Undo on the list": EntryPoint(save_from_list, press_last(action_id="edit.undo_on_list")),
    "Undo a removal on the list": EntryPoint(remove_from_list, press_last(action_id="removal.undo_on_list")),
    "Copy number": EntryPoint(save_from_list, press_last(action_id="contact.copy_number")),
    "All contacts…": EntryPoint(open_kim_form, press_in_view("student.all_contacts")),
    "contacts without a problem": EntryPoint(open_student, press_in_view("student.healthy_contacts")),
    "Log a call": EntryPoint(open_kim_form, press_in_view("contact.log_call")),
    "Log a call, logged": EntryPoint(open_call, save({"outcome": "voicemail"})),
    "Script": EntryPoint(open_student, choose_more("contact.script")),
    "another script": EntryPoint(open_script, press_in_view("contact.script.verify")),
    "Undo a removal": EntryPoint(open_student, press_in_view("removal.undo", "removal")),
    "Keep ours": EntryPoint(open_student, press_in_view("conflict.keep_ours", "conflict")),
    "Take the SIS's": EntryPoint(open_student, press_in_view("conflict.take_sis", "conflict")),
    "Keep ours in a message": EntryPoint(_receive_conflict, press_last(action_id=edits_notice.KEEP_OURS)),
    "Take the SIS's in a message": EntryPoint(_receive_conflict, press_last(action_id=edits_notice.TAKE_SIS)),
    "Record opt-out in a message": EntryPoint(_receive_text, press_last(action_id="text.record_opt_out")),
    "Wrong person in a message": EntryPoint(_receive_text, press_last(action_id="text.wrong_person")),
    "Neither in a message": EntryPoint(_receive_text, press_last(action_id="text.neither")),
}
OFFICE = {
    "import": EntryPoint(no_screen, command("import")),
    "Import results…": EntryPoint(receive((result_ids.OPEN, lambda _: "all")), press_last(action_id=result_ids.OPEN)),
    "Import results…, submitted": EntryPoint(open_import, _submit_report),
}
TEACHER = {
    "I have a number": EntryPoint(_receive_question, press_last(action_id="teacher.have_number")),
    "I have a number, sent": EntryPoint(
        open_teacher_dialog(teacher_question.number_dialog), save({"phone": "(312) 555-7910"})
    ),
    "Try someone else": EntryPoint(_receive_question, press_last(action_id="teacher.try_other")),
    "Try someone else, sent": EntryPoint(open_teacher_dialog(teacher_question.other_dialog), save({"note": "Ask Ned"})),
    "No idea": EntryPoint(_receive_question, press_last(action_id="teacher.no_idea")),
}
ANSWERS = {
    "use a teacher's number": EntryPoint(_receive_answer, press_last(action_id="teacher.use_number.0")),
    "set a teacher's answer aside": EntryPoint(_receive_answer, press_last(action_id="teacher.set_aside")),
}
STAFF = LISTS | GENERAL | STUDENT
DISTRICT = {
    "apply a held sync": EntryPoint(_receive_held_sync, press_last(action_id=sync_notice.APPLY)),
    "skip a held sync": EntryPoint(_receive_held_sync, press_last(action_id=sync_notice.SKIP)),
}
EXPORTS = {
    "change sheet": EntryPoint(_receive_exports, press_last(action_id=pending.SHEET)),
    "PowerSchool's file": EntryPoint(_receive_exports, press_last(action_id=pending.POWERSCHOOL)),
    "Write to PowerSchool": EntryPoint(_receive_exports, press_last(action_id=pending.WRITE)),
}
ALL = STAFF | TEACHER | ANSWERS | OFFICE | DISTRICT | EXPORTS
SHOWS_NO_STUDENT = {
    *GENERAL,
    *("Script", "another script", "Switch all landlines to autocalls…"),
}
# What stays on screen is what the message said before, and only its own reader's message names the student.
DEPENDS_ON_THE_MESSAGE = {"Keep ours in a message", "Take the SIS's in a message"}
# The channel of the scene is subscribed already, and the dialogs that only open save nothing.
READ_ONLY = {
    *LISTS,
    *(name for name in GENERAL if not name.endswith(", submitted") and not name.startswith("unsubscribe")),
    *("History", "sibling", "open a student not on the list", "open a pending change"),
    *("Remove", "Told us to stop", "Wrong person", "Log a call", "Script", "another script"),
    *("All contacts…", "contacts without a problem", "Show names"),
}


def copy_screen(slack, *, of, to):
    """Show a person what another has on screen, with the same buttons."""
    for message in of.messages():
        content = {"text": message.text, "blocks": message.blocks, "by_app": True, "ephemeral_for": to.id}
        message_store.post(slack, to.dm, user=message.user, **content)
    for view in of.views:
        body = {name: value for name, value in view.body.items() if name != "external_id"}  # Of one view only.
        view_store.push_modal(slack, to.id, body)
    if of.id in slack.homes:
        view_store.publish_home(slack, to.id, of.home.body)


@dataclass(frozen=True)
class Effects:
    """The effects of one request: all that the bot sent, by which methods, and the tables that changed."""

    sent: str
    methods: frozenset[str]
    changed: frozenset[str]

    @property
    def secrets(self):
        return [secret for secret in SECRETS if secret in self.sent]

    @property
    def is_harmless(self):
        return not self.secrets and not self.changed and not self.methods & {"chat.postMessage", "chat.update"}


def observe(office, session, act):
    """Call `act`, wait until the bot is done with it, and return the effects."""
    before, calls, responses = _tables(session), len(office.slack.calls), len(office.slack.responses)
    assert act().error is None
    office.wait_for_lazy_listeners()
    after, new_calls = _tables(session), office.slack.calls[calls:]
    bodies = [json.loads(response.body) for response in office.slack.responses[responses:] if response.body]
    sent = [*(call.arguments for call in new_calls), *bodies]
    text_sent = "\n".join(json.dumps(content, ensure_ascii=False) for content in sent)
    changed = frozenset(table for table, rows in after.items() if rows != before[table])
    return Effects(text_sent, frozenset(call.method for call in new_calls if not _is_reply(call)), changed)


def _is_reply(call):
    """A question is answered in the conversation where it was written; other messages go to the id of a person or a channel."""
    return call.method == "chat.postMessage" and call.arguments["channel"].startswith("D")


def _tables(session):
    session.rollback()
    names = [
        "edits",
        "removals",
        "audit",
        "contacts",
        "cleanup_list",
        "subscriptions",
        "student_contacts",
        "open_lists",
        "downloads",
        "report_imports",
        "sync_runs",
        "unclear_texts",
        "counter_codes",
        "teacher_questions",
    ]
    return {name: sorted(session.scalars(text(f"SELECT CAST(t AS text) FROM {name} t"))) for name in names}
