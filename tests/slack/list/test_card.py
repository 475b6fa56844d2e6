"""The card of the cleanup list: who is on it, and for whom, the ways from one list to another, and the limits of Slack."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from support import people, screens
from support.snapshots import draw, normalized

from bot.db.models.edits import Edit
from bot.db.models.messages import ListEntry, MassMessage
from bot.db.models.roster import Contact, SyncRun
from bot.db.models.slack import OpenView, Subscription
from bot.domain.sms_status import SmsStatus
from bot.filters.words import COMMANDS
from bot.sandbox.slack.models import text_of


@pytest.fixture
def sam(session, office):
    """Sam Rivera, grade 5 at Lincoln, in Ana's class; the only contact is Maria, whose number is blocked."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.list_contact(session, people.contact(session, sam))
    session.commit()
    return sam


@pytest.fixture
def lee(session, office):
    """Lee Novak, grade 10 at Roosevelt; Petra's number is a landline, Karel can be texted."""
    lee = people.student(session, "Lee", "Novak", grade="10", at=office.district.roosevelt)
    people.list_contact(session, people.contact(session, lee, given="Petra", family="Novak"), SmsStatus.LANDLINE)
    people.contact(session, lee, given="Karel", family="Novak", priority=2)
    session.commit()
    return lee


@pytest.fixture
def many_kinds(session, office, sam, lee):
    """Students with every status, claimed and updated contacts, more contacts than a row shows, and other ways to reach them."""
    lincoln = office.district.lincoln
    family = people.student(session, "Mia", "Ode", grade="K", at=lincoln)
    for number, status in enumerate(status for status in SmsStatus if status is not SmsStatus.NO_NUMBER):
        people.list_contact(session, people.contact(session, family, given=f"C{number}", family="Ode"), status)
    ben = people.student(session, "Ben", "Baker", grade=None, at=lincoln)
    claimed = people.list_contact(session, people.contact(session, ben, given="Ada", family="Baker"), "turned_off")
    people.contact(session, ben, given="Gran", family="Baker", method="call", priority=3)
    cy = people.student(session, "Cy", "Cole", at=lincoln)
    new_number = people.list_contact(session, people.contact(session, cy, given="Dee", family="Cole"), "inactive")
    gets_calls = people.list_contact(session, people.contact(session, cy, given="Eve", family="Cole"), "landline")
    no_number = people.contact(session, cy, given="Flo", family="Cole", phone=None, relationship=None)
    people.list_contact(session, no_number, "no_number")
    by_clara = {"made_by": office.clara.id, "made_at": office.now()}
    session.add(Edit(contact_id=new_number.id, field="phone", base=None, value="+13125550999", **by_clara))
    session.add(Edit(contact_id=gets_calls.id, field="method", base="text", value="call", **by_clara))
    of = ListEntry.contact_id.in_([new_number.id, gets_calls.id])
    session.execute(update(ListEntry).where(of).values(updated_at=office.now(), updated_by=office.clara.id))
    of = ListEntry.contact_id == claimed.id
    session.execute(update(ListEntry).where(of).values(claimed_at=office.now(), claimed_by=office.ana.id))
    at = office.now()
    session.add(MassMessage(id="early", title="Early dismissal", sent_at=at, settled_at=at))
    session.add(SyncRun(source="export", started_at=at, finished_at=at, state="done"))
    session.commit()


def test_card_with_every_kind_of_row(office, many_kinds, snapshot):
    message = office.dana.command("/cleanup").message
    assert draw(message) == snapshot
    assert normalized(message.text) == snapshot(name="read aloud")


def test_command_answers_privately_with_the_matching_students(office, sam):
    answer = office.clara.command("/cleanup", "grade 5 blocked", channel=office.channel)
    assert answer.ok, answer
    assert answer.message.ephemeral_for == office.clara.id
    assert screens.student_ids(answer.message) == [sam.id]
    assert text_of(answer.message).startswith("Grade 5 · Blocked\n")


def test_status_menu_offers_colors_and_statuses(office, sam, snapshot):
    message = office.clara.command("/cleanup").message
    assert "\n".join(screens.options(message, "list.show.status")) == snapshot


def test_colleagues_in_the_channel_do_not_see_the_answer(office, sam):
    office.clara.command("/cleanup", "", channel=office.channel)
    assert "Rivera" not in "".join(text_of(message) for message in office.ana.messages(office.channel))


def test_sync_older_than_a_day_has_a_warning(office, sam, session):
    session.add(SyncRun(source="export", started_at=office.now(), finished_at=office.now(), state="done"))
    session.commit()
    assert "more than a day old" not in text_of(office.clara.command("/cleanup").message)
    office.advance(hours=25)
    assert "⚠️ more than a day old" in text_of(office.clara.command("/cleanup").message)


def test_row_is_at_most_three_lines(office, many_kinds):
    blocks = office.dana.command("/cleanup").message.blocks
    rows = [block["text"]["text"] for block in blocks if block.get("accessory", {}).get("action_id") == "student.open"]
    assert [len(row.split("\n")) for row in rows] == [3, 2, 2, 3, 2]


def test_schools_are_shown_to_a_person_with_several(office, sam):
    assert "Lincoln Elementary" in text_of(office.dana.command("/cleanup").message)
    assert "Lincoln Elementary" not in text_of(office.clara.command("/cleanup").message)


def test_status_of_a_list_with_one_status_is_part_of_the_sentence(office, sam, lee):
    assert "🔴 Maria Rivera (parent) · " in text_of(office.dana.command("/cleanup", "blocked").message)
    assert "🔴 *Blocked* · Maria Rivera (parent) · " in text_of(office.dana.command("/cleanup").message)


def test_advice_stands_once_with_the_number_of_the_district(office, sam, session):
    people.list_contact(session, people.contact(session, sam, given="Ada"))
    session.commit()
    said = text_of(office.clara.command("/cleanup").message)
    assert said.count("Blocked: ask them to unblock our number (312) 555-0100") == 1


def test_numbers_are_masked(office, sam, session):
    phone = session.query(Contact).one().sis_phone
    said = text_of(office.clara.command("/cleanup").message)
    assert f"••• {phone[-4:]}" in said
    assert phone[2:] not in said


def test_student_without_a_textable_adult_comes_first(office, sam, lee):
    assert screens.student_ids(office.dana.command("/cleanup").message) == [sam.id, lee.id]


@pytest.mark.parametrize(
    ("name", "sees"), [("ana", True), ("tom", False), ("clara", True), ("dana", True), ("adam", True)]
)
def test_staff_see_only_their_own_students(office, sam, name, sees):
    assert screens.student_ids(office.people[name].command("/cleanup").message) == ([sam.id] if sees else [])


@pytest.mark.parametrize("name", ["gus", "nora"])
def test_person_without_rights_is_told_whom_to_ask(office, sam, name, snapshot):
    answer = office.people[name].command("/cleanup", "grade 5")
    assert answer.ok
    assert answer.message.ephemeral_for == office.people[name].id
    assert "data@district.example" in text_of(answer.message)
    assert "Rivera" not in text_of(answer.message)
    assert draw(answer.message) == snapshot


def test_no_adult_filter_shows_students_without_a_textable_adult(office, sam, lee, session):
    mother = people.contact(session, lee, given="Jana", family="Novak", priority=3)
    message = office.dana.command("/cleanup", "no adult").message
    assert screens.student_ids(message) == [sam.id]
    office.dana.choose(message, "Blocked", action_id="list.show.status")
    assert text_of(office.dana.current(message)).startswith("Blocked · No adult can be texted\n")
    for contact in session.scalars(select(Contact).where(Contact.given_name == "Karel")):
        people.list_contact(session, contact)
    people.list_contact(session, mother)
    session.commit()
    assert lee.id in screens.student_ids(office.dana.command("/cleanup", "students without an adult").message)


def test_menu_changes_the_list_in_place(office, sam, lee):
    message = office.dana.command("/cleanup", "", channel=office.channel).message
    office.dana.choose(message, "Grade 10", action_id="list.show.grade")
    assert screens.student_ids(office.dana.current(message)) == [lee.id]
    assert len(office.dana.messages(office.channel)) == 1


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("teacher Garzía", ['teacher "Ana García"', 'student "Garzía"'])],
)
def test_filter_that_was_not_applied_is_named_with_near_choices(office, sam, lee, typed, offered):
    message = office.dana.command("/cleanup", typed).message
    assert screens.student_ids(message) == [sam.id, lee.id]
    assert f"I did not understand “{typed}”, so the list below is *not* narrowed by it." in text_of(message)
    for number, text in enumerate(offered):
        assert screens.values(message, f"list.show.suggestion.{number}") == [text]


def test_grade_of_no_school_is_named_with_near_choices(office, sam, lee):
    message = office.dana.command("/cleanup", "grade 14").message
    assert screens.student_ids(message) == [sam.id, lee.id]
    assert "None of your schools has a grade 14, so the list below is *not* narrowed by it." in text_of(message)
    assert screens.values(message, "list.show.suggestion.0") == ["grade 10"]


def test_misspelled_word_becomes_a_button_and_the_rest_counts(office, sam, lee, snapshot):
    message = office.dana.command("/cleanup", "blokced grade 5").message
    assert screens.student_ids(message) == [sam.id]
    assert screens.values(message, "list.show.suggestion.0") == ["grade 5 blocked"]
    assert draw(message) == snapshot
    office.dana.press(message, action_id="list.show.suggestion.0")
    assert screens.student_ids(office.dana.current(message)) == [sam.id]


@pytest.mark.parametrize(
    ("typed", "offered", "answer"),
    [
        ("hlep", "/cleanup help", "*Bulk edit…*"),
        ("forcast grade 5", "/cleanup forecast grade 5", "If a mass message went out now · Grade 5"),
        ("grade 5 pending", "/cleanup pending grade 5", "✅ Nothing is pending"),
        ("my subscriptoins", "/cleanup subscriptions", "No channel gets a digest yet"),
    ],
)
def test_misspelled_command_becomes_a_button_that_answers_in_place(office, sam, typed, offered, answer):
    message = office.clara.command("/cleanup", typed).message
    assert offered in screens.labels(message)
    assert f"[{offered}]" in message.text
    assert office.clara.press(message, text=offered).ok
    assert answer in text_of(office.clara.current(message))
    assert len(office.clara.messages()) == 1


def test_offered_subscribe_command_subscribes_the_channel(office, session, sam, every_group_counts):
    office.clara.command("/cleanup", "subscirbe grade 5", channel=office.channel)
    office.clara.press(office.clara.last(office.channel), text="/cleanup subscribe grade 5")
    session.rollback()
    assert session.scalars(select(Subscription.channel_id)).all() == [office.channel]


@pytest.mark.parametrize("phrase", COMMANDS, ids=lambda phrase: phrase.example)
def test_every_command_in_help_is_understood(office, sam, phrase):
    outcome = office.clara.command("/cleanup", phrase.example, channel=office.channel)
    answer = text_of(outcome.message or office.clara.view)
    assert "on your list" not in answer
    assert "I did not understand" not in answer


def test_pages_turn_in_place(office, session):
    kids = [people.student(session, f"Kid{number:02d}", "Adams", at=office.district.lincoln).id for number in range(12)]
    for kid in kids:
        people.list_contact(session, people.contact(session, session.get(people.Student, kid)))
    session.commit()
    message = office.clara.command("/cleanup", "blocked").message
    assert screens.student_ids(message) == kids[:10]
    assert "Page 1 of 2 ·" in message.text
    office.clara.press(message, action_id="list.show.next")
    assert screens.student_ids(office.clara.current(message)) == kids[10:]
    office.clara.press(office.clara.current(message), action_id="list.show.previous")
    assert screens.student_ids(office.clara.current(message)) == kids[:10]


def test_name_that_looks_like_a_mention_notifies_no_one(office, session):
    student = people.student(session, "<!channel>", "*Bold*", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, student, given="<@UANA>"))
    session.commit()
    answer = office.clara.command("/cleanup")
    assert answer.ok, answer
    assert "<!channel>" not in str(answer.message.blocks)
    assert "<@UANA>" not in str(answer.message.blocks)


def test_names_of_one_word_or_none_are_readable(office, session):
    """Suharto has no family name, and his mother has no given name; no one knows the name of the sister."""
    student = people.student(session, "Suharto", "", at=office.district.lincoln)
    sister = people.student(session, "", "", at=office.district.lincoln)
    contact = people.contact(session, student, sister, given="", family="Siti")
    people.list_contact(session, contact)
    session.commit()
    message = office.clara.command("/cleanup", "suharto").message
    assert "*Suharto*" in text_of(message)
    assert "Siti (" in text_of(message)
    screens.open_student(office.clara, message)
    assert office.clara.view.body["title"]["text"] == "Suharto"
    assert "*Siti*" in text_of(office.clara.view)
    assert "(no name)" in text_of(office.clara.view)
    screens.choose_more(office.clara, "contact.remove")
    assert office.clara.view.body["callback_id"] == "contact.remove_confirmed"
    assert office.clara.command("/cleanup", "forecast").ok


def test_very_long_list_stays_within_slacks_limits(office, session):
    for number in range(30):
        family = "Wolfeschlegelsteinhausen" * 3
        student = people.student(session, f"Maximilian{number}", family, at=office.district.lincoln)
        for _ in range(6):
            contact = people.contact(session, student, given="Bartholomew" * 5, relationship="grandparent")
            people.list_contact(session, contact)
    session.commit()
    assert office.clara.command("/cleanup", "zzyzx " * 200).ok
    assert office.clara.command("/cleanup").ok


@pytest.mark.parametrize("schools", [70, 120])
def test_with_many_schools_the_other_menus_stay(office, session, sam, schools):
    for number in range(schools):
        people.school(session, f"Elementary School of the Northern Valley No. {number}")
    session.commit()
    message = office.dana.command("/cleanup").message
    menus = {element["action_id"] for element in screens.elements(message) if "options" in element}
    assert menus == {"list.show.status", "list.show.who"}
    assert f"one of your {schools + 2} schools type its name" in text_of(message)
    office.dana.choose(message, "Blocked", action_id="list.show.status")
    assert screens.student_ids(office.dana.current(message)) == [sam.id]


def test_list_expires_with_its_response_url(office, sam, session):
    screens.open_student(office.clara, office.clara.command("/cleanup").message)
    office.tick()
    assert session.query(OpenView).count() == 1
    office.advance(minutes=31)
    office.tick()
    assert session.query(OpenView).count() == 0


def test_footer_counts_own_changes_that_the_sis_does_not_have(office, many_kinds):
    assert "2 changes of yours" in text_of(office.clara.command("/cleanup").message)
    assert "of yours" not in text_of(office.ana.command("/cleanup").message)


def test_card_counts_students_without_a_textable_adult(office, session, sam, lee):
    assert "1 of these students has no adult we can text" in text_of(office.dana.command("/cleanup").message)
    assert "*This student has no adult" in text_of(office.dana.command("/cleanup", "sam").message)
    assert "no adult we" not in text_of(office.dana.command("/cleanup", "lee").message)


@pytest.mark.parametrize("typed", ["5B", "class 5b", 'class "5B"', "blocked 5B"])
def test_class_title_shows_the_students_of_that_class(office, session, sam, lee, typed):
    mia = people.student(session, "Mia", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, mia, given="Eva"), SmsStatus.BLOCKED)
    people.school_class(session, office.district.ana, office.district.lincoln, mia, title="Homeroom (5B)")
    people.school_class(session, office.district.tom, office.district.roosevelt, lee, title="Homeroom 15B")
    session.commit()
    message = office.dana.command("/cleanup", typed).message
    assert screens.student_ids(message) == [mia.id]
    assert "Class 5B" in text_of(message)


def test_class_of_other_students_is_empty_and_similar_ones_are_offered(office, session, sam):
    mia = people.student(session, "Mia", at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, mia, title="5B")
    session.commit()
    message = office.clara.command("/cleanup", 'class "5Z"').message
    assert "none of your students is in a class titled *5Z*" in text_of(message)
    assert 'class "5B"' in screens.values(message, "list.show.near.1") + screens.values(message, "list.show.near.0")


@pytest.mark.parametrize("typed", ["download", "export", "grade 5 report", "Export blocked"])
def test_word_for_a_file_points_to_the_download(office, sam, typed):
    message = office.clara.command("/cleanup", typed).message
    assert screens.student_ids(message) == [sam.id]
    assert "*Download…* below makes an Excel or CSV file of this list." in text_of(message)
    assert office.clara.press(message, action_id="list.download").ok


def test_download_of_an_empty_list_is_explained(office, sam):
    text = text_of(office.clara.command("/cleanup", "export landline").message)
    assert "nothing to download" in text
    assert "named" not in text


@pytest.mark.parametrize("typed", ["unclaimed", "claimed grade 5"])
def test_word_for_claims_is_explained(office, sam, typed):
    message = office.clara.command("/cleanup", typed).message
    assert screens.student_ids(message) == [sam.id]
    assert "Choose *Claimed by me* below" in text_of(message)


@pytest.mark.parametrize(
    "typed",
    [
        *("unreachable", "undeliverable", "uncontactable", "not textable", "bounced", "do not contact", "voip"),
        *("bad numbers", "5B", "download", "export", "report", "unclaimed"),
    ],
)
def test_word_of_the_field_is_no_unknown_name(office, sam, typed):
    text = text_of(office.clara.command("/cleanup", typed).message)
    assert "No one named" not in text
    assert "did not understand" not in text or typed == "5B"


def test_rows_say_their_dates_where_these_differ(office, session):
    for days in range(5):
        mate = people.student(session, f"Kim{days}", "Young", at=office.district.lincoln)
        people.list_contact(session, people.contact(session, mate), since=people.NOW - timedelta(days=days))
    session.commit()
    text = text_of(office.clara.command("/cleanup").message)
    assert text.count("· blocked <!date") == 5
    assert "All of these" not in text
