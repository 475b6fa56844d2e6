"""The digest after a mass message: once for each channel that asked, counts only, and nobody's name in the channel."""

import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update
from support import mass_messages as messages
from support import people

from bot.db.models.messages import MassMessage
from bot.db.models.roster import StudentContact
from bot.db.models.slack import DigestPost, PostState, Subscription
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.reading import text_of


@pytest.fixture
def maria(session, office):
    """Maria Rivera, the only contact of Sam, in Ana's class; her number is not known to be bad yet."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    maria = people.contact(session, sam)
    session.commit()
    return maria


@pytest.fixture
def subscribed(office):
    assert office.clara.command("/cleanup", "subscribe", channel=office.channel).ok
    return office.channel


def send(session, office, outcomes, **changes):
    message_id, _ = messages.sent(session, outcomes, now=office.now(), settled=False, **changes)
    session.commit()
    return message_id


def digests_in(office):
    return [one for one in office.clara.messages(office.channel) if "delivered" in text_of(one)]


def posts(session):
    session.expire_all()
    return session.scalars(select(DigestPost)).all()


def test_a_channel_that_asked_gets_the_counts_of_the_next_message(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    said = text_of(digests_in(office)[0])
    assert "*0 delivered*, *1 not reached*" in said
    assert "*Joined the list:* 1" in said
    assert "🔴 *Blocked*: 1 joined" in said
    assert "*By grade of their children, joined:* 5: 1" in said
    assert "1 student has no adult who can be texted" in said


def test_a_count_is_never_parted_from_its_grade_at_the_end_of_a_line(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    said = [block["text"]["text"] for block in digests_in(office)[0].blocks if block["type"] == "section"]
    assert "*By grade of their children, joined:* 5:\u00a01" in said


def test_grades_that_add_up_to_more_than_there_are_say_why(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"}, message_id="first")
    office.tick()
    assert "siblings" not in text_of(digests_in(office)[0])
    older = people.student(session, "Eva", grade="8", at=office.district.lincoln)
    session.add(StudentContact(student_id=older.id, contact_id=maria.id))
    send(session, office, {maria: "landline"}, message_id="second")
    office.tick()
    assert "_Contacts of siblings count in the grade of each._" in text_of(digests_in(office)[-1])


def test_no_name_and_no_number_gets_into_the_channel(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    seen = "".join(f"{one.text} {one.blocks} {one.metadata}" for one in office.ana.messages(office.channel))
    for private in ("Rivera", "Maria", "Sam", maria.sis_phone[-4:]):
        assert private not in seen


def test_the_button_shows_each_person_their_own_list_privately(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    digest = digests_in(office)[0]
    for name, sees in (("ana", True), ("tom", False), ("dana", True)):
        person = office.who[name]
        assert person.press(digest, action_id="digest.show_mine").ok
        mine = person.last(office.channel)
        assert mine.ephemeral_for == person.id
        assert ("Sam Rivera" in text_of(mine)) is sees
    office.gus.press(digest, action_id="digest.show_mine")
    assert "Rivera" not in text_of(office.gus.last(office.channel))
    assert "data@district.example" in text_of(office.gus.last(office.channel))


def test_the_digest_of_the_next_message_says_that_a_fix_worked(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    office.clara.press(office.clara.command("/cleanup").message, action_id="student.open")
    office.clara.press(office.clara.view, action_id="contact.edit")
    office.clara.fill(office.clara.view, {"phone": "(312) 555-0199"}).submit()
    office.later(hours=1)
    delivery = messages.a_delivery(maria, to="+13125550199")
    messages.registered(session, messages.a_message(delivery, sent_at=office.now()), now=office.now())
    messages.told(session, delivery["provider_id"], now=office.now())
    session.commit()
    office.tick()
    said = text_of(digests_in(office)[-1])
    assert "*Left the list:* 1 (1 after staff fixed the contact)" in said
    assert "Every student has an adult who can be texted" in said
    assert "Nobody on your list" in text_of(office.clara.command("/cleanup").message)


def test_a_second_round_of_the_clock_posts_nothing_again(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    office.tick()
    assert len(digests_in(office)) == 1


def test_two_clocks_at_once_post_it_once(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    together = Barrier(2)

    def clock():
        together.wait()
        office.tick()

    clocks = [Thread(target=clock) for _ in range(2)]
    for one in clocks:
        one.start()
    for one in clocks:
        one.join()
    assert len(digests_in(office)) == 1


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR])
def test_a_post_whose_answer_was_lost_is_found_and_not_posted_again(office, session, maria, subscribed, fault):
    office.slack.faults.order("chat.postMessage", fault, taken=True)
    send(session, office, {maria: "blocked"})
    for _ in range(4):
        office.tick()
        office.later(minutes=3)
    assert len(digests_in(office)) == 1
    assert [post.state for post in posts(session)] == ["posted"]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR, Fault.RATELIMITED])
def test_a_post_that_slack_never_took_is_sent_in_the_end(office, session, maria, subscribed, fault):
    office.slack.faults.order("chat.postMessage", fault)
    send(session, office, {maria: "blocked"})
    for _ in range(4):
        office.tick()
        office.later(minutes=3)
    assert len(digests_in(office)) == 1


def test_a_channel_that_the_bot_was_taken_out_of_is_reported_to_who_subscribed_it(office, session, maria, subscribed):
    members = office.slack.channels[office.channel].members - {office.slack.bot_user_id}
    office.slack.alter_channel(office.channel, members=members)
    send(session, office, {maria: "blocked"})
    office.tick()
    office.tick()
    notices = [text_of(one) for one in office.clara.messages()]
    assert len([one for one in notices if "did not get to" in one]) == 1
    assert [post.state for post in posts(session)] == ["failed"]


def test_a_late_receipt_corrects_the_digest_in_place(office, session, maria, subscribed):
    _, ids = messages.sent(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.tick()
    messages.told(session, ids[maria], now=office.now())
    session.commit()
    office.later(minutes=5)
    office.tick()
    assert len(digests_in(office)) == 1
    assert "*1 delivered*, *0 not reached*" in text_of(digests_in(office)[0])


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR, Fault.RATELIMITED])
def test_a_correction_that_slack_did_not_take_is_made_in_the_next_round(office, session, maria, subscribed, fault):
    _, ids = messages.sent(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.tick()
    messages.told(session, ids[maria], now=office.now())
    session.commit()
    office.slack.faults.order("chat.update", fault)
    for _ in range(2):
        office.later(minutes=5)
        assert office.tick().failed == ()
    assert "*1 delivered*, *0 not reached*" in text_of(digests_in(office)[0])


def test_a_lost_post_that_cannot_be_looked_for_holds_up_no_other(office, session, maria, subscribed):
    office.slack.faults.order("chat.postMessage", Fault.DROP, taken=True)
    send(session, office, {maria: "blocked"})
    office.tick()
    office.later(minutes=3)
    office.slack.faults.order("conversations.history", Fault.DROP)
    send(session, office, {maria: "blocked"}, message_id="the next")
    assert office.tick().failed == ()
    assert len(digests_in(office)) == 2


def test_subscribing_is_said_in_the_channel_with_who_did_it(office, subscribed):
    assert "<@UCLARA> set up the digest here" in text_of(office.ana.last(office.channel))


def test_subscribing_twice_and_ending_it(office, session, maria, subscribed):
    again = office.ana.command("/cleanup", "subscribe", channel=subscribed)
    assert "already" in text_of(again.message)
    assert "No more digests" in text_of(office.ana.command("/cleanup", "unsubscribe", channel=subscribed).message)
    send(session, office, {maria: "blocked"})
    office.tick()
    assert not digests_in(office)


def test_no_digest_goes_where_outsiders_read(office):
    shared = office.slack.add_channel("with-partners", members=["UCLARA"], with_bot=True, shared=True)
    answer = office.clara.command("/cleanup", "subscribe", channel=shared.id)
    assert "outside the district" in text_of(answer.message)


def test_subscribing_where_the_bot_is_not_says_how_to_invite_it(office):
    elsewhere = office.slack.add_channel("office", members=["UCLARA"])
    answer = office.clara.command("/cleanup", "subscribe", channel=elsewhere.id)
    assert "/invite" in text_of(answer.message)


def test_a_direct_message_is_no_place_for_a_digest(office):
    assert "channel" in text_of(office.clara.command("/cleanup", "subscribe").message)


@pytest.fixture
def private(office):
    """A private channel of Clara and Ana."""
    return office.slack.add_channel("grade-5-team", members=["UCLARA", "UANA"], with_bot=True, private=True).id


def subscribing(office, words, *, channel=None, who="clara"):
    return text_of(office.who[who].command("/cleanup", f"subscribe {words}", channel=channel or office.channel).message)


def filters_of(session):
    session.expire_all()
    return {one.channel_id: one.filter_text for one in session.scalars(select(Subscription))}


def test_a_digest_counts_only_what_its_channel_asked_for_and_says_so_in_its_title(office, session, maria):
    assert "Grade 4" in subscribing(office, "grade 4")
    assert "counts *Grade 4*" in text_of(office.ana.last(office.channel))
    other = people.contact(session, people.student(session, grade="4", at=office.district.lincoln))
    send(session, office, {maria: "blocked", other: "delivered"})
    office.tick()
    digest = digests_in(office)[0]
    assert digest.blocks[0]["text"]["text"] == "Early dismissal today · Grade 4"
    assert digest.text.startswith("Early dismissal today · Grade 4\n")
    assert "Texted to 1 contact on" in digest.text
    assert "*1 delivered*, *0 not reached*" in digest.text
    assert "Every one of these students has an adult" in digest.text


def test_a_digest_of_one_sms_status_says_that_only_those_count(office, session, maria):
    subscribing(office, "blocked")
    send(session, office, {maria: "inactive"})
    office.tick()
    assert "*0 delivered*, *0 not reached* as Blocked" in digests_in(office)[0].text


def test_a_long_title_leaves_room_for_its_filter(office, session, maria):
    subscribing(office, "grade 5")
    send(session, office, {maria: "blocked"})
    session.execute(update(MassMessage).values(title="Early dismissal " * 20))
    session.commit()
    office.tick()
    title = digests_in(office)[0].blocks[0]["text"]["text"]
    assert title.endswith("… · Grade 5")
    assert len(title) <= 150


def test_subscribing_again_with_another_filter_changes_it_and_says_so_in_the_channel(office, session, subscribed):
    assert "counts *Grade 5*" in subscribing(office, "grade 5", who="ana")
    assert "<@UANA> changed the digest here" in text_of(office.clara.last(office.channel))
    assert "Grade 5" in text_of(office.clara.last(office.channel))
    assert "already" in subscribing(office, "grade 5")
    assert filters_of(session) == {office.channel: "grade 5"}
    assert "counts *everybody*" in subscribing(office, "")
    assert filters_of(session) == {office.channel: ""}


def test_a_digest_counts_those_without_an_adult_anyway(office, session, maria):
    said = text_of(office.clara.command("/cleanup", "subscribe no adult grade 5", channel=office.channel).message)
    assert "Every digest counts the students who have no adult" in said
    session.rollback()
    assert session.query(Subscription).count() == 0


def test_no_digest_is_about_one_student(office, session, maria):
    for words in ("student Sam", "grade 5 student rivera"):
        said = subscribing(office, words)
        assert "a count of one student tells the channel about that student" in said
        assert "only for yourself" in said
    assert filters_of(session) == {}


def test_a_digest_of_one_teacher_goes_to_private_channels_only(office, session, private, maria):
    said = subscribing(office, "teacher García")
    assert "private channel" in said
    assert filters_of(session) == {}
    subscribing(office, "teacher García", channel=private)
    assert filters_of(session) == {private: 'teacher "Ana García"'}


def test_a_filter_that_is_not_understood_changes_nothing_and_says_what_it_may_have_meant(office, session):
    said = subscribing(office, "grade 5 blokced")
    assert "“blokced”" in said
    assert "Did you mean `/cleanup subscribe grade 5 blocked`?" in said
    assert "narrowed by grade, SMS status and school" in subscribing(office, "grade 77")
    assert filters_of(session) == {}


@pytest.mark.parametrize(("typed", "said"), [("Lincon", "Did you mean"), ("Nowhere High", "No school here is called")])
def test_a_school_that_is_none_here_is_not_subscribed_to(office, session, typed, said):
    answer = office.clara.command("/cleanup", f"subscribe school {typed}", channel=office.channel).message
    assert said in text_of(answer)
    assert session.scalar(select(Subscription.channel_id)) is None


def test_a_digest_of_a_school_that_is_here_is_subscribed_to(office, session):
    said = text_of(office.clara.command("/cleanup", "subscribe school lincoln", channel=office.channel).message)
    assert "Done." in said


@pytest.mark.parametrize("typed", ["subscribe help", "forecast ?", "unsubscribe help"])
def test_help_is_there_behind_every_word(office, typed):
    assert "Type `/cleanup` to see yours" in text_of(office.clara.command("/cleanup", typed).message)


def test_whatever_stands_behind_it_unsubscribe_ends_the_digest(office, session, subscribed):
    assert "Done." in text_of(
        office.clara.command("/cleanup", "unsubscribe this channel", channel=office.channel).message
    )
    assert session.scalar(select(Subscription.channel_id)) is None


def test_a_part_of_a_digest_cannot_be_unsubscribed_and_nothing_is_ended(office, session, subscribed):
    said = text_of(office.clara.command("/cleanup", "unsubscribe grade 5", channel=office.channel).message)
    assert "Nothing was ended" in said
    assert "`/cleanup subscribe grade 5`" in said
    assert session.scalar(select(Subscription.channel_id)) == office.channel


def test_a_filter_that_could_not_be_announced_leaves_the_one_before(office, session, subscribed):
    members = office.slack.channels[office.channel].members - {office.slack.bot_user_id}
    office.slack.faults.order("chat.postMessage", Fault.HTTP_500)
    subscribing(office, "grade 5")
    assert filters_of(session) == {office.channel: "grade 5"}
    office.slack.alter_channel(office.channel, members=members)
    assert "/invite" in subscribing(office, "grade 4")
    assert filters_of(session) == {office.channel: "grade 5"}


def test_anybody_on_the_staff_sees_which_channels_get_digests_of_whom_and_who_set_them_up(office, private, subscribed):
    subscribing(office, "teacher García grade 5", channel=private, who="ana")
    answer = office.tom.command("/cleanup", "subscriptions", channel=office.channel).message
    assert answer.ephemeral_for == "UTOM"
    said = text_of(answer)
    assert "2 channels get a digest" in said
    assert f"<#{office.channel}>: *everybody*, set up by <@UCLARA> on <!date" in said
    assert f"<#{private}>: *Grade 5 · Teacher García*, set up by <@UANA>" in said
    assert "Grade 5" not in text_of(office.gus.command("/cleanup", "subscriptions").message)


def test_where_no_channel_gets_a_digest_it_is_said_how_one_would(office):
    assert "No channel gets a digest yet" in text_of(office.clara.command("/cleanup", "subscriptions").message)


def test_many_subscriptions_fit_into_one_answer(office, session):
    for number in range(70):
        text = f'school "{number} {"Lincoln " * 30}"'
        session.add(Subscription(channel_id=f"C{number:08d}", made_by="UCLARA", made_at=office.now(), filter_text=text))
    session.commit()
    answer = office.clara.command("/cleanup", "subscriptions")
    assert answer.ok, answer
    assert "30 more" in text_of(answer.message)


def test_help_names_what_a_channel_can_ask_for(office):
    said = text_of(office.clara.command("/cleanup", "help").message)
    for words in ("subscribe grade 5", "unsubscribe", "subscriptions"):
        assert f"`/cleanup {words}`" in said


def digest_posts(office):
    """What the bot posted in the channel after the announcement, each as it reads now."""
    return [text_of(one) for one in office.clara.messages(office.channel) if one.metadata]


def test_what_is_known_after_half_an_hour_is_a_first_look_that_becomes_the_digest(office, session, maria, subscribed):
    otto = people.contact(session, people.student(session))
    _, ids = messages.sent(session, {maria: "delivered", otto: None}, now=office.now(), settled=False)
    session.commit()
    office.later(minutes=29)
    office.tick()
    assert digest_posts(office) == []
    office.later(minutes=2)
    office.tick()
    (said,) = digest_posts(office)
    assert "First look:* this is what is known so far" in said
    assert re.search(
        r"when all answers are in, or at <!date\^\d+\^{time} on {date_long}\|[^>]+, \d\d:\d\d UTC>\.", said
    )
    assert "*1 delivered*, *0 not reached*, 1 not known yet" in said
    assert not any(words in said for words in ("Joined the list", "By grade", "no adult", "Every student"))
    messages.told(session, ids[otto], "blocked", now=office.now())
    session.commit()
    office.later(minutes=1, seconds=30)
    office.tick()
    (said,) = digest_posts(office)
    assert "First look" not in said
    assert "*1 delivered*, *1 not reached*" in said
    assert "*Joined the list:* 1" in said


def test_a_first_look_is_kept_true_while_answers_come_in(office, session, maria, subscribed):
    others = [people.contact(session, people.student(session)) for _ in range(2)]
    _, ids = messages.sent(session, dict.fromkeys([maria, *others]), now=office.now(), settled=False)
    session.commit()
    office.later(minutes=31)
    office.tick()
    for known, one in enumerate(others, start=1):
        messages.told(session, ids[one], now=office.now())
        session.commit()
        office.later(minutes=5)
        office.tick()
        (said,) = digest_posts(office)
        assert f"*{known} delivered*, *0 not reached*, {3 - known} not known yet" in said
    updates = len([one for one in office.slack.calls if one.method == "chat.update"])
    office.later(minutes=10)
    office.tick()
    assert len([one for one in office.slack.calls if one.method == "chat.update"]) == updates


def test_a_message_of_yesterday_that_is_told_today_gets_no_first_look(office, session, maria, subscribed):
    sent_at = office.now() - timedelta(hours=30)
    delivery = messages.a_delivery(maria)
    messages.registered(session, messages.a_message(delivery, sent_at=sent_at), now=office.now())
    session.commit()
    office.tick()
    (said,) = digest_posts(office)
    assert "First look" not in said
    assert [post.shown_at is not None for post in posts(session)] == [True]


def test_a_post_that_was_found_again_is_brought_up_to_date(office, session, maria, subscribed):
    office.slack.faults.order("chat.postMessage", Fault.DROP, taken=True)
    _, ids = messages.sent(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.tick()
    messages.told(session, ids[maria], now=office.now())
    session.commit()
    for _ in range(3):
        office.later(minutes=2)
        office.tick()
    (said,) = digest_posts(office)
    assert "*1 delivered*, *0 not reached*" in said


def test_the_share_reached_is_one_line_with_the_messages_before(office, session, maria, subscribed):
    send(session, office, {maria: "delivered"})
    office.tick()
    assert "*Reached:" not in text_of(digests_in(office)[0])
    for outcome in ("blocked", "delivered"):
        office.later(hours=1)
        send(session, office, {maria: outcome})
        office.tick()
    assert "*Reached: 100.0%*. Before: 0.0%, 100.0%." in text_of(digests_in(office)[-1])


def test_what_did_not_happen_to_the_list_is_not_counted(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    assert "*Joined the list:* 1" in text_of(digests_in(office)[-1])
    assert not any(words in text_of(digests_in(office)[-1]) for words in ("Left the list", "Still on it", "Nobody"))
    office.later(hours=1)
    send(session, office, {maria: "blocked"})
    office.tick()
    assert "*Still on it:* 1 Nobody joined or left the list." in " ".join(text_of(digests_in(office)[-1]).split())
    assert "Joined the list" not in text_of(digests_in(office)[-1])


def test_what_the_title_says_is_not_said_again(office, session, maria):
    subscribing(office, "grade 5 blocked")
    send(session, office, {maria: "blocked"})
    office.tick()
    said = text_of(digests_in(office)[0])
    assert "*Joined the list:* 1" in said
    assert "By grade" not in said
    assert "1 joined" not in said


def test_when_slack_wants_fewer_updates_the_other_channels_wait_for_the_next_round(office, session, maria, subscribed):
    lounge = office.slack.add_channel("lounge", members=["UCLARA"], with_bot=True).id
    subscribing(office, "", channel=lounge)
    _, ids = messages.sent(session, {maria: "blocked"}, now=office.now(), settled=False)
    session.commit()
    office.tick()
    messages.told(session, ids[maria], now=office.now())
    session.commit()
    office.slack.faults.order("chat.update", Fault.RATELIMITED)
    asked = []
    for _ in range(2):
        office.later(minutes=5)
        office.tick()
        asked.append(len([one for one in office.slack.calls if one.method == "chat.update"]))
    assert asked == [1, 3]


def failed_posts(session):
    return [one.error for one in posts(session) if one.state == PostState.FAILED]


def test_a_channel_that_was_shared_since_gets_no_digest_and_whoever_asked_is_told(office, session, maria, subscribed):
    office.slack.alter_channel(subscribed, shared=True)
    send(session, office, {maria: "blocked"})
    office.tick()
    assert digests_in(office) == []
    assert failed_posts(session) == ["not everybody there may read it"]
    assert "people from outside the district are there now" in text_of(office.clara.last(office.clara.dm))


def test_one_teachers_digest_ends_where_its_channel_was_made_public(office, session, maria):
    fifth = office.slack.add_channel("fifth-grade", members=["UCLARA"], with_bot=True, private=True)
    assert office.clara.command("/cleanup", "subscribe teacher garcía", channel=fifth.id).ok
    office.slack.alter_channel(fifth.id, private=False)
    send(session, office, {maria: "blocked"})
    office.tick()
    assert [one for one in office.clara.messages(fifth.id) if "delivered" in text_of(one)] == []
    assert failed_posts(session) == ["not everybody there may read it"]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR, Fault.RATELIMITED])
def test_while_nobody_says_who_reads_a_channel_its_digest_waits(office, session, maria, subscribed, fault):
    send(session, office, {maria: "blocked"})
    office.slack.faults.order("conversations.info", fault)
    office.tick()
    assert digests_in(office) == []
    office.later(minutes=2)
    office.tick()
    assert len(digests_in(office)) == 1


def test_a_page_is_no_part_of_what_a_digest_counts(office):
    office.clara.command("/cleanup", "subscribe page 2", channel=office.channel)
    assert "It counts" not in "".join(text_of(one) for one in office.clara.messages(office.channel))
