"""Digests in Slack: one for each channel that subscribed, counts only, kept up to date, and reported if they do not arrive."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select
from support import mass_messages as messages
from support import people, screens

from bot.db.models.slack import DigestPost, PostState
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of

POST, UPDATE = "chat.postMessage", "chat.update"
pytestmark = pytest.mark.usefixtures("every_group_counts")
FAULTS = [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR, Fault.RATELIMITED]


@pytest.fixture
def maria(session, office):
    """Maria Rivera, the only contact of Sam, in Ana's class; her number has no SMS status yet."""
    sam = people.student(session, at=office.district.lincoln)
    people.school_class(session, office.district.ana, office.district.lincoln, sam)
    maria = people.contact(session, sam)
    session.commit()
    return maria


@pytest.fixture
def subscribed(office):
    return subscribe(office, "")


def subscribe(office, filter_text, channel=None):
    channel = channel or office.channel
    assert office.clara.command("/cleanup", f"subscribe {filter_text}", channel=channel).ok
    return channel


def send(session, office, outcomes, **changes):
    """Send a mass message that is final as soon as the clock ticks; return the provider id of each delivery."""
    _, ids = messages.send(session, outcomes, now=office.now(), settled=False, **changes)
    session.commit()
    return ids


def receive(session, office, provider_id, outcome="delivered"):
    messages.report(session, provider_id, outcome, now=office.now())
    session.commit()


def digests(office, channel=None):
    """The text of each digest in the channel, as it reads now."""
    return [text_of(message) for message in digest_messages(office, channel)]


def digest_messages(office, channel=None):
    return [message for message in office.clara.messages(channel or office.channel) if message.metadata]


def posts(session):
    session.expire_all()
    return session.scalars(select(DigestPost)).all()


def calls(office, method):
    return len([call for call in office.slack.calls if call.method == method])


def tick_often(office, times=4):
    for _ in range(times):
        assert office.tick().failed == ()
        office.advance(minutes=3)


def test_subscribed_channel_gets_the_counts(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    (words,) = digests(office)
    assert "0 delivered, 1 not delivered" in words
    assert "*1 contact needs a fix:* 1 text did not arrive." in words
    assert "*Needs a new number:* Blocked 1 (1 new)" in words
    assert "1 student has no adult who can be texted" in words


def test_channel_sees_no_name_and_no_number(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    seen = "".join(
        f"{message.text} {message.blocks} {message.metadata}" for message in office.ana.messages(office.channel)
    )
    for private in ("Rivera", "Maria", "Sam", maria.sis_phone[-4:]):
        assert private not in seen


def test_button_shows_readers_their_own_list_privately(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    (digest,) = digest_messages(office)
    for name, sees_sam in (("ana", True), ("tom", False), ("dana", True)):
        person = office.people[name]
        assert person.press(digest, action_id="digest.show_mine").ok
        answer = person.last(office.channel)
        assert answer.ephemeral_for == person.id
        assert ("Sam Rivera" in text_of(answer)) is sees_sam
    office.gus.press(digest, action_id="digest.show_mine")
    assert "Rivera" not in text_of(office.gus.last(office.channel))
    assert "data@district.example" in text_of(office.gus.last(office.channel))


def test_next_digest_counts_a_fix_that_worked(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    screens.open_student(office.clara, office.clara.command("/cleanup").message)
    office.clara.press(office.clara.view, action_id="contact.edit")
    office.clara.fill(office.clara.view, {"phone": "(312) 555-0199"}).submit()
    office.advance(hours=1)
    delivery = messages.a_delivery(maria, to="+13125550199")
    messages.register(session, messages.a_message(delivery, sent_at=office.now()), now=office.now())
    receive(session, office, delivery["provider_id"])
    office.tick()
    words = digests(office)[-1]
    assert "1 left: fixed by staff, and this text arrived" in words
    assert "Every student has an adult who can be texted" in words


def test_filtered_digest_counts_its_students_only(office, session, maria):
    subscribe(office, "grade 4")
    other = people.contact(session, people.student(session, grade="4", at=office.district.lincoln))
    send(session, office, {maria: "blocked", other: "delivered"})
    office.tick()
    (digest,) = digest_messages(office)
    assert digest.text.startswith("Early dismissal today · Grade 4\n")
    assert "Texted to 1 contact on" in digest.text
    assert "1 delivered, 0 not delivered" in digest.text


def test_workspace_without_folds_gets_everything_in_the_open(office, session, subscribed):
    outcomes = {
        people.contact(session, people.student(session, grade=level)): "inactive" for level in ("K", "1", "2", "3", "4")
    }
    ids = send(session, office, outcomes)
    office.slack.faults.inject(POST, Fault.REFUSED, error="invalid_blocks")
    tick_often(office, times=1)
    (digest,) = digest_messages(office)
    assert "container" not in {block["type"] for block in digest.blocks}
    assert "Grade 3: 1 (1 new)" in text_of(digest)
    receive(session, office, next(iter(ids.values())), "delivered")
    office.slack.faults.inject(UPDATE, Fault.REFUSED, error="invalid_blocks")
    tick_often(office)
    assert "*20.0% delivered*" in digests(office)[0]
    assert [post.state for post in posts(session)] == ["posted"]


def test_grades_are_folded(office, session, subscribed):
    grades = ("K", "1", "2", "3")
    send(
        session, office, {people.contact(session, people.student(session, grade=level)): "inactive" for level in grades}
    )
    office.tick()
    (digest,) = digest_messages(office)
    (fold,) = (block for block in digest.blocks if block["type"] == "container")
    assert fold["child_blocks"][0]["text"]["text"].count("(1\u00a0new)") == 4


def test_students_without_an_adult_are_shown_to_each_reader_privately(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    (digest,) = digest_messages(office)
    for name, sees_sam in (("ana", True), ("tom", False)):
        person = office.people[name]
        assert person.press(digest, action_id="digest.show_no_adult").ok
        assert person.last(office.channel).ephemeral_for == person.id
        assert ("Sam Rivera" in text_of(person.last(office.channel))) is sees_sam


def test_second_round_posts_nothing_again(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    office.tick()
    office.tick()
    assert len(digests(office)) == 1


def test_two_clocks_post_once(office, session, maria, subscribed):
    send(session, office, {maria: "blocked"})
    barrier = Barrier(2)

    def run_clock():
        barrier.wait()
        office.tick()

    clocks = [Thread(target=run_clock) for _ in range(2)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()
    assert len(digests(office)) == 1


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR])
def test_post_whose_answer_was_lost_is_found(office, session, maria, subscribed, fault):
    office.slack.faults.inject(POST, fault, applied=True)
    send(session, office, {maria: "blocked"})
    tick_often(office)
    assert len(digests(office)) == 1
    assert [post.state for post in posts(session)] == ["posted"]


@pytest.mark.parametrize("fault", FAULTS)
def test_post_that_did_not_arrive_is_sent_again(office, session, maria, subscribed, fault):
    office.slack.faults.inject(POST, fault)
    send(session, office, {maria: "blocked"})
    tick_often(office)
    assert len(digests(office)) == 1


def test_found_post_is_refreshed(office, session, maria, subscribed):
    office.slack.faults.inject(POST, Fault.DROP, applied=True)
    ids = send(session, office, {maria: "blocked"})
    office.tick()
    receive(session, office, ids[maria])
    for _ in range(3):
        office.advance(minutes=2)
        office.tick()
    (words,) = digests(office)
    assert "1 delivered, 0 not delivered" in words


def test_failed_look_up_does_not_delay_other_digests(office, session, maria, subscribed):
    office.slack.faults.inject(POST, Fault.DROP, applied=True)
    send(session, office, {maria: "blocked"})
    office.tick()
    office.advance(minutes=3)
    office.slack.faults.inject("conversations.history", Fault.DROP)
    send(session, office, {maria: "blocked"}, message_id="the next")
    assert office.tick().failed == ()
    assert len(digests(office)) == 2


def test_rate_limited_post_ends_the_round(office, session, maria, subscribed):
    subscribe(office, "", office.slack.add_channel("lounge", members=["UCLARA"], with_bot=True).id)
    before = calls(office, POST)
    office.slack.faults.inject(POST, Fault.RATELIMITED)
    send(session, office, {maria: "blocked"})
    office.tick()
    assert calls(office, POST) - before == 1
    office.advance(minutes=1)
    office.tick()
    assert sorted(post.state for post in posts(session)) == ["posted", "posted"]


def test_late_receipt_updates_the_digest(office, session, maria, subscribed):
    ids = send(session, office, {maria: "blocked"})
    office.tick()
    receive(session, office, ids[maria])
    office.advance(minutes=5)
    office.tick()
    (words,) = digests(office)
    assert "1 delivered, 0 not delivered" in words


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_update_is_repeated_in_the_next_round(office, session, maria, subscribed, fault):
    ids = send(session, office, {maria: "blocked"})
    office.tick()
    receive(session, office, ids[maria])
    office.slack.faults.inject(UPDATE, fault)
    for _ in range(2):
        office.advance(minutes=5)
        assert office.tick().failed == ()
    assert "1 delivered, 0 not delivered" in digests(office)[0]


def test_rate_limited_update_ends_the_round(office, session, maria, subscribed):
    subscribe(office, "", office.slack.add_channel("lounge", members=["UCLARA"], with_bot=True).id)
    ids = send(session, office, {maria: "blocked"})
    office.tick()
    receive(session, office, ids[maria])
    office.slack.faults.inject(UPDATE, Fault.RATELIMITED)
    updates = []
    for _ in range(2):
        office.advance(minutes=5)
        office.tick()
        updates.append(calls(office, UPDATE))
    assert updates == [1, 3]


def test_preliminary_digest_becomes_the_final_one(office, session, maria, subscribed):
    otto = people.contact(session, people.student(session))
    ids = send(session, office, {maria: "delivered", otto: None})
    office.advance(minutes=29)
    office.tick()
    assert digests(office) == []
    office.advance(minutes=2)
    office.tick()
    (words,) = digests(office)
    assert "*Preliminary:*" in words
    assert "1 delivered, 0 not delivered, 1 without a final receipt yet" in words
    assert not any(part in words for part in ("needs a fix", "What moved", "no adult", "Every student"))
    receive(session, office, ids[otto], "blocked")
    office.advance(minutes=1, seconds=30)
    office.tick()
    (words,) = digests(office)
    assert "Preliminary" not in words
    assert "1 delivered, 1 not delivered" in words
    assert "1 new, 0 stayed, 0 left" in words


def test_preliminary_digest_follows_the_receipts(office, session, maria, subscribed):
    others = [people.contact(session, people.student(session)) for _ in range(2)]
    ids = send(session, office, dict.fromkeys([maria, *others]))
    office.advance(minutes=31)
    office.tick()
    for delivered, contact in enumerate(others, start=1):
        receive(session, office, ids[contact])
        office.advance(minutes=5)
        office.tick()
        (words,) = digests(office)
        assert f"{delivered} delivered, 0 not delivered, {3 - delivered} without a final receipt" in words
    updates = calls(office, UPDATE)
    office.advance(minutes=10)
    office.tick()
    assert calls(office, UPDATE) == updates


def test_old_message_registered_today_gets_no_preliminary_digest(office, session, maria, subscribed):
    message = messages.a_message(messages.a_delivery(maria), sent_at=office.now() - timedelta(hours=30))
    messages.register(session, message, now=office.now())
    session.commit()
    office.tick()
    assert len(digests(office)) == 1
    assert [post.shown_at is not None for post in posts(session)] == [True]


def failures(session):
    return [post.error for post in posts(session) if post.state == PostState.FAILED]


def test_channel_without_the_bot_is_reported_to_its_subscriber_once(office, session, maria, subscribed):
    members = office.slack.channels[office.channel].members - {office.slack.bot_user_id}
    office.slack.update_channel(office.channel, members=members)
    send(session, office, {maria: "blocked"})
    office.tick()
    office.tick()
    reports = [text_of(message) for message in office.clara.messages() if "was not posted" in text_of(message)]
    assert len(reports) == 1
    assert failures(session) == ["not_in_channel"]


def test_channel_shared_since_gets_a_report_instead(office, session, maria, subscribed):
    office.slack.update_channel(subscribed, shared=True)
    send(session, office, {maria: "blocked"})
    office.tick()
    assert digests(office) == []
    assert failures(session) == ["too many people can read it"]
    assert text_of(office.clara.last(office.clara.dm)) == (
        f"The digest of the last mass message for <#{subscribed}> was not posted: people from outside the district are "
        "in the channel now. Type `/cleanup` to see the list."
    )


def test_digest_of_one_teacher_ends_when_its_channel_becomes_public(office, session, maria):
    channel = office.slack.add_channel("fifth-grade", members=["UCLARA"], with_bot=True, private=True).id
    subscribe(office, "teacher garcía", channel)
    office.slack.update_channel(channel, private=False)
    send(session, office, {maria: "blocked"})
    office.tick()
    assert digests(office, channel) == []
    assert failures(session) == ["too many people can read it"]


@pytest.mark.parametrize("fault", FAULTS)
def test_digest_waits_while_its_channel_cannot_be_checked(office, session, maria, subscribed, fault):
    send(session, office, {maria: "blocked"})
    office.slack.faults.inject("conversations.info", fault)
    office.tick()
    assert digests(office) == []
    office.advance(minutes=2)
    office.tick()
    assert len(digests(office)) == 1
