"""`/cleanup subscribe`, `unsubscribe` and `subscriptions`: what a channel may subscribe, and what it reads."""

import pytest
from sqlalchemy import select
from support import people

from bot.db.models.slack import Subscription
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of


@pytest.fixture
def ana_teaches(session, office):
    people.school_class(session, office.district.ana, office.district.lincoln)
    session.commit()


@pytest.fixture
def private(office):
    """A private channel of Clara and Ana."""
    return office.slack.add_channel("grade-5-team", members=["UCLARA", "UANA"], with_bot=True, private=True).id


@pytest.fixture
def subscribed(office):
    assert office.clara.command("/cleanup", "subscribe", channel=office.channel).ok
    return office.channel


def type_command(office, text, *, channel=None, person="clara"):
    """Return the private answer to `/cleanup TEXT`, typed in the public channel if no other is given."""
    return text_of(office.people[person].command("/cleanup", text, channel=channel or office.channel).message)


def filters(session):
    """{channel id: filter text} of all subscriptions."""
    session.expire_all()
    return {row.channel_id: row.filter_text for row in session.scalars(select(Subscription))}


def last_message(office):
    """The newest message in the channel, as another person sees it."""
    return text_of(office.tom.last(office.channel))


def remove_bot(office):
    members = office.slack.channels[office.channel].members - {office.slack.bot_user_id}
    office.slack.update_channel(office.channel, members=members)


def test_subscription_is_announced_in_the_channel(office, session):
    answer = type_command(office, "subscribe grade 4")
    assert "Done. This channel gets a digest after the next mass message. It counts *Grade 4*." in answer
    assert "<@UCLARA> set up a digest in this channel" in last_message(office)
    assert "It counts *Grade 4*. Counts only" in last_message(office)
    assert filters(session) == {office.channel: "grade 4"}


def test_second_subscription_changes_nothing(office, session, subscribed):
    assert "already gets a digest" in type_command(office, "subscribe", person="ana")
    assert filters(session) == {office.channel: ""}


def test_another_filter_is_announced(office, session, subscribed):
    assert "it counts *Grade 5*" in type_command(office, "subscribe grade 5", person="ana")
    assert "<@UANA> changed the digest of this channel." in last_message(office)
    assert "it counts *Grade 5*" in last_message(office)
    assert "already" in type_command(office, "subscribe grade 5")
    assert filters(session) == {office.channel: "grade 5"}
    assert "counts *everyone*" in type_command(office, "subscribe")
    assert filters(session) == {office.channel: ""}


def test_page_is_not_part_of_the_filter(office, session):
    assert "It counts" not in type_command(office, "subscribe page 2")
    assert filters(session) == {office.channel: ""}


@pytest.mark.parametrize("words", ["student Sam", "grade 5 student rivera"])
def test_digest_cannot_be_about_one_student(office, session, words):
    answer = type_command(office, f"subscribe {words}")
    assert "a count of one student tells the channel about that student" in answer
    assert "only for yourself" in answer
    assert filters(session) == {}


def test_students_without_an_adult_are_counted_anyway(office, session):
    assert "Every digest counts the students who have no adult" in type_command(office, "subscribe no adult grade 5")
    assert filters(session) == {}


@pytest.mark.parametrize(("number", "is_refused"), [(9, True), (10, False), (0, False)])
def test_fewer_than_ten_students_cannot_be_subscribed(office, session, number, is_refused):
    for _ in range(number):
        people.student(session, grade="4", at=office.district.lincoln)
    session.commit()
    answer = type_command(office, "subscribe grade 4")
    assert ("could point at a child" in answer) is is_refused
    assert list(filters(session).values()) == ([] if is_refused else ["grade 4"])


def test_digest_of_one_class_needs_a_private_channel(office, session, ana_teaches, private):
    assert "private channel" in type_command(office, "subscribe class 5A")
    assert filters(session) == {}
    type_command(office, "subscribe class 5A", channel=private)
    assert filters(session) == {private: 'class "5A"'}


def test_digest_of_one_teacher_needs_a_private_channel(office, session, ana_teaches, private):
    assert "private channel" in type_command(office, "subscribe teacher García")
    assert filters(session) == {}
    type_command(office, "subscribe teacher García", channel=private)
    assert filters(session) == {private: 'teacher "Ana García"'}


def test_misunderstood_filter_changes_nothing_and_suggests_another(office, session):
    answer = type_command(office, "subscribe grade 5 blokced")
    assert "“blokced”" in answer
    assert "Did you mean `/cleanup subscribe grade 5 blocked`?" in answer
    assert "narrowed by grade, SMS status and school" in type_command(office, "subscribe grade 77")
    assert filters(session) == {}


@pytest.mark.parametrize(
    ("typed", "words"), [("Lincon", "Did you mean"), ("Nowhere High", "No school here is called"), ("lincoln", "Done.")]
)
def test_only_schools_that_exist_can_be_subscribed(office, session, typed, words):
    assert words in type_command(office, f"subscribe school {typed}")
    assert len(filters(session)) == (typed == "lincoln")


def test_shared_channel_gets_no_digest(office, session):
    shared = office.slack.add_channel("with-partners", members=["UCLARA"], with_bot=True, shared=True).id
    assert "outside the district" in type_command(office, "subscribe", channel=shared)
    assert filters(session) == {}


def test_channel_without_the_bot_asks_for_an_invitation(office, session):
    other = office.slack.add_channel("office", members=["UCLARA"]).id
    assert "/invite" in type_command(office, "subscribe", channel=other)
    assert filters(session) == {}


def test_direct_message_gets_no_digest(office, session):
    assert "Digests go to channels" in text_of(office.clara.command("/cleanup", "subscribe").message)
    assert filters(session) == {}


def test_refused_announcement_restores_the_previous_filter(office, session, subscribed):
    office.slack.faults.inject("chat.postMessage", Fault.HTTP_500)
    type_command(office, "subscribe grade 5")
    assert filters(session) == {office.channel: "grade 5"}
    remove_bot(office)
    assert "/invite" in type_command(office, "subscribe grade 4")
    assert filters(session) == {office.channel: "grade 5"}


def test_unsubscribing_is_announced_in_the_channel(office, session, subscribed):
    assert "no more digests" in type_command(office, "unsubscribe this channel", person="ana")
    assert "<@UANA> ended the digest in this channel." in last_message(office)
    assert filters(session) == {}
    assert "gets no digest" in type_command(office, "unsubscribe")


def test_part_of_a_digest_cannot_be_unsubscribed(office, session, subscribed):
    answer = type_command(office, "unsubscribe grade 5")
    assert "Nothing was changed" in answer
    assert "`/cleanup subscribe grade 5`" in answer
    assert filters(session) == {office.channel: ""}


def test_any_staff_can_list_the_subscriptions_privately(office, ana_teaches, private, subscribed):
    type_command(office, "subscribe teacher García grade 5", channel=private, person="ana")
    answer = office.tom.command("/cleanup", "subscriptions", channel=office.channel).message
    assert answer.ephemeral_for == "UTOM"
    words = text_of(answer)
    assert "2 channels get a digest" in words
    assert f"<#{office.channel}>: *everyone*, set up by <@UCLARA> on <!date" in words
    assert f"<#{private}>: *Grade 5 · Teacher García*, set up by <@UANA>" in words
    assert "Grade 5" not in text_of(office.gus.command("/cleanup", "subscriptions").message)


def test_empty_list_of_subscriptions_says_how_to_start(office):
    assert "No channel gets a digest yet" in type_command(office, "subscriptions")


def test_many_subscriptions_fit_into_one_answer(office, session):
    for number in range(70):
        text = f'school "{number} {"Lincoln " * 30}"'
        session.add(Subscription(channel_id=f"C{number:08d}", made_by="UCLARA", made_at=office.now(), filter_text=text))
    session.commit()
    answer = office.clara.command("/cleanup", "subscriptions")
    assert answer.ok, answer
    assert "30 more" in text_of(answer.message)


def test_help_names_the_commands(office):
    words = type_command(office, "help")
    assert all(f"`/cleanup {command}`" in words for command in ("subscribe grade 5", "unsubscribe", "subscriptions"))


@pytest.mark.parametrize("typed", ["subscribe help", "forecast ?", "unsubscribe help"])
def test_help_is_available_after_every_command(office, typed):
    assert "Type `/cleanup` to see yours" in type_command(office, typed)


def test_misspelled_weekly_report_is_pointed_to(office, session):
    assert "`/cleanup subscribe weekly`" in type_command(office, "subscribe weakly")
    assert "subscribe weekly" not in type_command(office, "subscribe Rivera")
