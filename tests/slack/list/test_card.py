import pytest
from sqlalchemy import select
from support import people

from bot.db.models.messages import MassMessage
from bot.db.models.roster import Contact, SyncRun
from bot.db.models.slack import OpenView, Subscription
from bot.domain.sms_status import SmsStatus
from bot.filters.words import COMMANDS
from bot.sandbox.slack.reading import text_of
from bot.slack.kit import blocks as b


@pytest.fixture
def sam(session, office):
    """Sam Rivera, grade 5 at Lincoln, in Ana's class; Maria's number is blocked and there is nobody else."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    people.listed(session, people.contact(session, sam))
    session.commit()
    return sam


@pytest.fixture
def lee(session, office):
    """Lee Novak, grade 10 at Roosevelt; Petra's number is a landline, Karel can be texted."""
    lee = people.student(session, "Lee", "Novak", grade="10", at=office.district.roosevelt)
    people.listed(session, people.contact(session, lee, given="Petra", family="Novak"), SmsStatus.LANDLINE)
    people.contact(session, lee, given="Karel", family="Novak", priority=2)
    session.commit()
    return lee


def test_the_command_answers_privately_with_what_was_asked_and_who_matches(office, sam):
    answer = office.clara.command("/cleanup", "grade 5 blocked", channel=office.channel)
    assert answer.ok, answer
    assert answer.message.ephemeral_for == office.clara.id
    said = text_of(answer.message)
    assert "Grade 5 · Blocked" in said
    assert "Sam Rivera" in said
    assert "No adult can be texted" in said


def test_a_count_is_never_parted_from_its_word_at_the_end_of_a_line(office, sam, lee, session):
    people.listed(session, people.contact(session, lee, given="Ada", family="Novak"), SmsStatus.TURNED_OFF)
    session.commit()
    said = office.dana.command("/cleanup").message.blocks[1]["text"]["text"]
    assert "🔴\u00a0*Blocked*\u00a01   🟡\u00a0*Landline*\u00a01   🟡\u00a0*Turned Off*\u00a01" in said


def test_a_student_whose_only_contact_is_texted_in_vain_has_nobody_set_to_another_method(office, sam):
    said = text_of(office.clara.command("/cleanup").message)
    assert "*No adult can be texted*, and none gets calls or e-mail." in said


def test_colleagues_in_the_channel_see_nothing_of_it(office, sam):
    office.clara.command("/cleanup", "", channel=office.channel)
    assert "Rivera" not in "".join(text_of(message) for message in office.ana.messages(office.channel))


def test_student_information_that_is_more_than_a_day_old_is_said_to_be(office, sam, session):
    session.add(SyncRun(source="export", started_at=office.now(), finished_at=office.now(), state="done"))
    session.commit()
    assert "more than a day old" not in text_of(office.clara.command("/cleanup").message)
    office.later(hours=25)
    assert "⚠️ more than a day old: student information of" in text_of(office.clara.command("/cleanup").message)


def test_numbers_are_masked_in_the_list(office, sam, session):
    phone = session.query(Contact).one().sis_phone
    said = text_of(office.clara.command("/cleanup").message)
    assert f"••• {phone[-4:]}" in said
    assert phone[2:] not in said


def test_a_student_nobody_can_text_stands_above_one_with_another_adult(office, sam, lee):
    said = text_of(office.dana.command("/cleanup").message)
    assert said.index("Sam Rivera") < said.index("Lee Novak")


@pytest.mark.parametrize(
    ("name", "sees"), [("ana", True), ("tom", False), ("clara", True), ("dana", True), ("adam", True)]
)
def test_everybody_sees_only_students_of_theirs(office, sam, name, sees):
    assert ("Sam Rivera" in text_of(office.who[name].command("/cleanup").message)) is sees


@pytest.mark.parametrize("name", ["gus", "nora"])
def test_whoever_has_no_rights_gets_a_polite_no_that_names_whom_to_ask(office, sam, name):
    answer = office.who[name].command("/cleanup", "grade 5")
    assert answer.ok
    assert answer.message.ephemeral_for == office.who[name].id
    assert "data@district.example" in text_of(answer.message)
    assert "Rivera" not in text_of(answer.message)


def test_students_without_an_adult_are_asked_for_as_such(office, sam, lee, session):
    mother = people.contact(session, lee, given="Jana", family="Novak", priority=3)
    message = office.dana.command("/cleanup", "no adult").message
    said = text_of(message)
    assert said.startswith("No adult can be texted")
    assert "Sam Rivera" in said
    assert "Lee Novak" not in said
    office.dana.choose(message, "Blocked", action_id="list.show.status")
    assert "Blocked · No adult can be texted" in text_of(office.dana.again(message))
    for one in session.scalars(select(Contact).where(Contact.given_name == "Karel")):
        people.listed(session, one)
    people.listed(session, mother)
    session.commit()
    assert "Lee Novak" in text_of(office.dana.command("/cleanup", "students without an adult").message)


def test_that_every_student_of_a_list_has_an_adult_is_good_news_and_says_no_more(office, lee, session):
    session.add(MassMessage(id="early", title="Early", sent_at=office.now(), settled_at=office.now()))
    session.commit()
    message = office.dana.command("/cleanup", "no adult").message
    for said in (text_of(message), message.text):
        assert "✅ Nobody here. Every student on the list who matches has an adult who can be texted" in said
        assert "Every contact" not in said


def test_a_menu_changes_the_list_in_place(office, sam, lee):
    message = office.dana.command("/cleanup", "", channel=office.channel).message
    office.dana.choose(message, "Grade 10", action_id="list.show.grade")
    said = text_of(office.dana.again(message))
    assert "Lee Novak" in said
    assert "Sam Rivera" not in said
    assert len(office.dana.messages(office.channel)) == 1


def test_a_misspelt_word_becomes_a_button_and_the_rest_is_understood(office, sam, lee):
    message = office.dana.command("/cleanup", "blokced grade 5").message
    assert "Sam Rivera" in text_of(message)
    assert "Not understood: blokced.\nDid you mean: Grade 5 · Blocked; " in message.text
    office.dana.press(message, text="Grade 5 · Blocked")
    assert "Sam Rivera" in text_of(office.dana.again(message))


@pytest.mark.parametrize(
    ("typed", "offered", "heard"),
    [
        ("hlep", "/cleanup help", "Each of these can be undone."),
        ("forcast grade 5", "/cleanup forecast grade 5", "If a mass message went out now · Grade 5"),
        ("grade 5 pending", "/cleanup pending grade 5", "Nothing is waiting of these students"),
        ("my subscriptoins", "/cleanup subscriptions", "No channel gets a digest yet"),
    ],
)
def test_a_command_with_a_slip_becomes_a_button_that_answers_in_place(office, sam, typed, offered, heard):
    message = office.clara.command("/cleanup", typed).message
    assert f"Did you mean: {offered}?" in message.text
    assert office.clara.press(message, text=offered).ok
    assert heard in text_of(office.clara.again(message))
    assert len(office.clara.messages()) == 1


def test_a_channel_is_subscribed_from_the_button_as_it_would_be_typed(office, session, sam):
    office.clara.command("/cleanup", "subscirbe grade 5", channel=office.channel)
    office.clara.press(office.clara.last(office.channel), text="/cleanup subscribe grade 5")
    session.rollback()
    assert session.scalars(select(Subscription.channel_id)).all() == [office.channel]


@pytest.mark.parametrize("phrase", COMMANDS, ids=lambda phrase: phrase.example)
def test_help_names_no_command_that_is_taken_for_a_list(office, sam, phrase):
    said = text_of(office.clara.command("/cleanup", phrase.example, channel=office.channel).message)
    assert "on your list" not in said
    assert "I did not understand" not in said


def test_pages_are_turned_in_place(office, session):
    for number in range(12):
        one = people.student(session, f"Kid{number:02d}", "Adams", at=office.district.lincoln)
        people.listed(session, people.contact(session, one))
    session.commit()
    message = office.clara.command("/cleanup", "blocked").message
    assert "Kid11" not in text_of(message)
    assert "Page 1 of 2." in message.text
    office.clara.press(message, action_id="list.show.next")
    assert "Kid11" in text_of(office.clara.again(message))
    office.clara.press(office.clara.again(message), action_id="list.show.previous")
    assert "Kid00" in text_of(office.clara.again(message))


@pytest.mark.parametrize(
    ("typed", "news"),
    [("", "✅ Nobody on your list. Every contact can"), ("grade 5", "✅ Nobody here. Every contact that matches can")],
)
def test_an_empty_list_is_good_news_with_the_date_of_the_last_message_also_read_aloud(office, session, typed, news):
    at = office.now()
    session.add(MassMessage(id="early", title="Early dismissal", sent_at=at, settled_at=at))
    people.student(session, at=office.district.lincoln)
    session.commit()
    message = office.clara.command("/cleanup", typed).message
    said = f"{news} be texted, as far as the last mass message showed, “Early dismissal” of {b.date(at)}."
    assert said in text_of(message)
    assert said in message.text


def test_before_the_first_message_an_empty_list_is_no_news(office):
    assert "Nobody here. The list begins with the first mass message." in text_of(
        office.clara.command("/cleanup").message
    )


def test_help_explains_itself_with_examples_that_work(office):
    answer = office.clara.command("/cleanup", "help")
    assert answer.ok
    said = text_of(answer.message)
    assert "grade 5 blocked" in said
    assert "Opt-Out" in said


def test_help_names_every_button_of_the_student_dialog_and_what_cannot_be_undone(office):
    said = text_of(office.clara.command("/cleanup", "help").message)
    buttons = ("Switch to autocall", "Told us to stop", "I'll take it", "Show number", "History")
    assert [button for button in buttons if f"*{button}*" not in said] == []
    assert "Each of these can be undone. *Told us to stop* cannot" in said
    assert "*Several at once…*" in said


def test_a_name_that_looks_like_a_mention_pings_nobody(office, session):
    one = people.student(session, "<!channel>", "*Bold*", at=office.district.lincoln)
    people.listed(session, people.contact(session, one, given="<@UANA>"))
    session.commit()
    answer = office.clara.command("/cleanup")
    assert answer.ok, answer
    assert "<!channel>" not in str(answer.message.blocks)
    assert "<@UANA>" not in str(answer.message.blocks)


def test_the_home_tab_shows_ones_own_list(office, sam):
    assert office.clara.open_home().ok
    assert "Sam Rivera" in text_of(office.clara.home)


def test_the_home_tab_of_a_guest_says_whom_to_ask(office, sam):
    office.gus.open_home()
    assert "data@district.example" in text_of(office.gus.home)


def test_a_very_long_list_of_words_stays_within_slacks_limits(office, session):
    for number in range(30):
        one = people.student(session, f"Maximilian{number}", "Wolfeschlegelsteinhausen" * 3, at=office.district.lincoln)
        for _ in range(6):
            people.listed(session, people.contact(session, one, given="Bartholomew" * 5, relationship="grandparent"))
    session.commit()
    assert office.clara.command("/cleanup", "zzyzx " * 200).ok
    assert office.clara.command("/cleanup").ok


@pytest.mark.parametrize("schools", [70, 120])
def test_in_a_district_of_many_schools_the_other_menus_stay(office, session, sam, schools):
    for number in range(schools):
        people.school(session, f"Elementary School of the Northern Valley No. {number}")
    session.commit()
    message = office.dana.command("/cleanup").message
    menus = {one["action_id"] for block in message.blocks for one in block.get("elements", []) if "options" in one}
    assert menus == {"list.show.status"}
    office.dana.choose(message, "Blocked", action_id="list.show.status")
    assert "Sam Rivera" in text_of(office.dana.again(message))


def test_a_list_whose_answer_slack_takes_no_longer_is_forgotten(office, sam, session):
    office.clara.press(office.clara.command("/cleanup").message, action_id="student.open")
    office.tick()
    assert session.query(OpenView).count() == 1
    office.later(minutes=31)
    office.tick()
    assert session.query(OpenView).count() == 0
