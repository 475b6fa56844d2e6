"""After a sync those who run it read how it went, and each editor what it meant for their edits; a brake asks a person."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from support import edits, people
from support import sis_bundles as bundles

from bot.access import Reach
from bot.db.models.edits import Edit
from bot.db.models.notices import SyncNotice
from bot.db.models.roster import Contact, Staff, StaffRole, Student
from bot.sandbox.slack import posting
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.outcome import NotOnScreen
from bot.sandbox.slack.reading import text_of
from bot.sync.notices import claim_notice, enqueue_notices

POST = "chat.postMessage"


@pytest.fixture
def export(tmp_path):
    """The SIS's export: Ana's class, and thirty more families."""
    tables = bundles.a_district()
    for number in range(30):
        tables["users"].append(bundles.person(f"kid{number}", "Kim", f"Child {number}", agentSourcedIds=f"pat{number}"))
        tables["users"].append(bundles.person(f"pat{number}", "Pat", f"Parent {number}", phone=f"312556{number:04}"))
        tables["roles"] += [bundles.role(f"kid{number}", "student"), bundles.role(f"pat{number}", "parent")]
    return tables, bundles.write(tables, tmp_path / "export")


@pytest.fixture
def settings_changed(request, export):
    return {"sis_oneroster_csv": export[1], **getattr(request, "param", {})}


def again(office, export):
    """The next night, with the export as the tables are now."""
    bundles.write(export[0], export[1])
    office.later(days=1)
    return office.tick()


def without_children(export, number):
    gone = {f"{who}{one}" for who in ("kid", "pat") for one in range(number)}
    export[0]["users"] = [one for one in export[0]["users"] if one["sourcedId"] not in gone]
    export[0]["roles"] = [one for one in export[0]["roles"] if one["userSourcedId"] not in gone]


def heard(person, word):
    return [one for one in person.messages() if word in text_of(one)]


def students(session):
    session.expire_all()
    return session.scalar(select(func.count()).where(Student.active))


def test_who_runs_it_reads_privately_what_a_sync_changed_once(office, export):
    for _ in range(3):
        assert office.tick().failed == ()
    (said,) = heard(office.adam, "was read")
    assert "Students: 32 added" in text_of(said)
    assert heard(office.clara, "was read") == []


@pytest.mark.parametrize("settings_changed", [{"admin_emails": ()}], indirect=True)
def test_where_nobody_is_set_the_district_s_administrators_read_it(office, export):
    bundles.users_by_id(export[0])["dana"]["email"] = office.district.dana.email
    bundles.write(*export)
    office.tick()
    assert len(heard(office.dana, "was read")) == 1


def test_a_night_that_changed_nothing_is_no_news(office, export):
    office.tick()
    again(office, export)
    assert len(heard(office.adam, "was read")) == 1


def test_what_was_rejected_comes_as_a_file_without_what_it_said(office, export):
    users = bundles.users_by_id(export[0])
    users["maria"]["phone"] = "555-SECRET"
    bundles.write(export[0], export[1])
    office.tick()
    assert "1 row or cell was left out" in text_of(heard(office.adam, "was read")[0])
    (file,) = office.slack.files.values()
    assert b'users.csv,7,phone,"cannot be read: Too short' in file.content
    assert b"SECRET" not in file.content


def test_a_failure_is_told_once_and_not_at_each_try(office, export):
    for file in export[1].glob("*.csv"):
        file.unlink()
    for _ in range(3):
        office.tick()
        office.later(hours=2)
    (said,) = heard(office.adam, "sync with the student information system failed")
    assert "It is tried again in an hour." in said.text


def test_a_brake_shows_the_numbers_and_goes_on_when_a_person_says_so(office, export, session):
    office.tick()
    without_children(export, 25)
    again(office, export)
    (said,) = heard(office.adam, "stopped before it wrote")
    assert "🛑 The sync stopped" in text_of(said).replace("*", "")
    assert "25 of 32 students" in text_of(said)
    assert "25 of 32 students" in said.text
    assert students(session) == 32
    assert office.adam.press(said, action_id="sync.go_on").ok
    assert "chose *Go on*" in text_of(heard(office.adam, "stopped before it wrote")[0])
    office.later(minutes=1)
    office.tick()
    assert students(session) == 7
    assert [row[0] for row in edits.history(session) if row[0].startswith("sync.")] == ["sync.confirmed"]


def test_a_yes_counts_for_what_was_seen_and_not_for_more(office, export, session):
    office.tick()
    without_children(export, 21)
    again(office, export)
    without_children(export, 30)
    bundles.write(export[0], export[1])
    assert office.adam.press(heard(office.adam, "stopped before")[0], action_id="sync.go_on").ok
    office.later(minutes=1)
    office.tick()
    assert students(session) == 32
    assert len(heard(office.adam, "stopped before")) == 2


def test_a_brake_that_was_refused_leaves_everything_until_the_next_night(office, export, session):
    office.tick()
    without_children(export, 25)
    again(office, export)
    (said,) = heard(office.adam, "stopped before")
    assert office.adam.press(said, action_id="sync.refuse").ok
    office.later(minutes=1)
    office.tick()
    assert students(session) == 32
    assert "chose *Leave it*" in text_of(heard(office.adam, "stopped before")[0])


def test_who_presses_second_reads_that_it_is_decided(office, export, session):
    office.tick()
    without_children(export, 25)
    again(office, export)
    (said,) = heard(office.adam, "stopped before")
    assert office.adam.press(said, action_id="sync.refuse").ok
    with pytest.raises(NotOnScreen):
        office.adam.press(heard(office.adam, "stopped before")[0], action_id="sync.go_on")
    assert office.dana.press(shown(office, said, office.dana), action_id="sync.go_on").ok
    assert "decided this already" in text_of(office.dana.last())
    assert students(session) == 32


def test_a_clerk_cannot_decide_for_the_district(office, export, session):
    office.tick()
    without_children(export, 25)
    again(office, export)
    (said,) = heard(office.adam, "stopped before")
    assert office.clara.press(shown(office, said, office.clara), action_id="sync.go_on").ok
    assert "whole district" in text_of(office.clara.last())
    office.tick()
    assert students(session) == 32


def shown(office, message, person):
    """The same message on somebody else's screen, with the same buttons."""
    content = {"text": message.text, "blocks": message.blocks, "by_app": True, "ephemeral_for": person.id}
    posting.post(office.slack, person.dm, user=message.user, **content)
    return person.last()


@pytest.fixture
def edited(office, export, session):
    """Clara gave Maria and João other numbers."""
    office.tick()
    made = {}
    clara = replace(people.acting(office.district.clara, reach=Reach.DISTRICT), user_id="UCLARA")
    staff = session.scalars(select(Staff).where(Staff.sourced_id == "clara")).one()
    staff.email = office.district.clara.email
    export_users = bundles.users_by_id(export[0])
    export_users["clara"]["email"] = office.district.clara.email
    for sourced_id, number in (("maria", "(312) 555-0199"), ("joao", "(312) 555-0198")):
        contact = session.scalars(select(Contact).where(Contact.sourced_id == sourced_id)).one()
        edits.change(session, contact, phone=number, actor=clara, now=office.now())
        made[sourced_id] = contact
    session.commit()
    return export_users


def test_an_editor_hears_what_the_sis_has_now_what_waits_and_what_it_disagrees_with(office, export, edited):
    edited["maria"]["phone"] = "(312) 555-0199"
    edited["joao"]["sms"] = "(312) 555-0777"
    assert again(office, export).failed == ()
    (said,) = heard(office.clara, "Your edits")
    assert "1 of your edits is there now" in text_of(said)
    assert "João Sousa" in text_of(said)
    assert "555-0777" not in str(said.blocks)
    assert "João" not in said.text
    assert heard(office.adam, "Your edits") == []


def test_a_disagreement_is_settled_where_it_is_read(office, export, edited, session):
    edited["joao"]["sms"] = "(312) 555-0777"
    again(office, export)
    (said,) = heard(office.clara, "Your edits")
    assert office.clara.press(said, action_id="conflict.take_sis_here").ok
    now = text_of(heard(office.clara, "Your edits")[0])
    assert "Took what the student information system has" in now
    assert "João" not in now
    states = session.scalars(select(Edit.state).order_by(Edit.id)).all()
    assert states == ["pending", "sis_taken"]


def test_a_choice_that_slack_did_not_show_is_made_all_the_same(office, export, edited, session):
    edited["joao"]["sms"] = "(312) 555-0777"
    again(office, export)
    office.slack.faults.order("chat.update", Fault.HTTP_500)
    (said,) = heard(office.clara, "Your edits")
    assert office.clara.press(said, action_id="conflict.keep_ours_here").ok
    assert "went wrong" not in text_of(office.clara.last())
    assert office.clara.press(said, action_id="conflict.keep_ours_here").ok
    assert "settled already" in text_of(office.clara.last())


def test_an_editor_who_lost_their_rights_reads_nothing(office, export, edited, session):
    edited["maria"]["phone"] = "(312) 555-0199"
    export[0]["roles"] = [one for one in export[0]["roles"] if one["userSourcedId"] != "clara"]
    session.execute(StaffRole.__table__.delete())
    session.commit()
    again(office, export)
    assert heard(office.clara, "Your edits") == []


def test_two_clocks_tell_once(office, export, session):
    office.tick()
    first, second = claim_notice(session, now=office.now()), claim_notice(session, now=office.now())
    assert (first, second) == (None, None)
    assert enqueue_notices(session, admins=office.settings.admin_emails, now=office.now()) == 0


def test_that_the_brake_holds_is_told_again_when_slack_s_answer_was_lost(office, export):
    office.tick()
    without_children(export, 25)
    office.slack.faults.order(POST, Fault.DROP, taken=True)
    again(office, export)
    office.later(minutes=2)
    office.tick()
    assert len(heard(office.adam, "stopped before")) == 2


def test_a_report_of_which_slack_s_answer_was_lost_is_not_told_twice(office, export):
    office.slack.faults.order(POST, Fault.DROP, taken=True)
    for _ in range(3):
        office.tick()
        office.later(minutes=5)
    assert len(heard(office.adam, "was read")) == 1


def clock_died(office, session):
    """While it had the notices that wait; nobody else takes them until its lease has run out, which it has now."""
    session.execute(
        SyncNotice.__table__.update()
        .where(SyncNotice.state == "pending")
        .values(state="claimed", claimed_at=office.now())
    )
    session.commit()
    office.later(minutes=1)
    office.tick()
    assert set(session.scalars(select(SyncNotice.state))) <= {"claimed", "told"}
    office.later(minutes=1)


def test_that_the_brake_holds_is_told_by_the_next_clock_if_one_died(office, export, session):
    office.tick()
    without_children(export, 25)
    office.slack.faults.order(POST, Fault.RATELIMITED, seconds=30)
    again(office, export)
    clock_died(office, session)
    office.tick()
    assert len(heard(office.adam, "stopped before")) == 1


def test_a_report_that_a_clock_died_with_is_not_told_lest_it_be_told_twice(office, export, session):
    office.slack.faults.order(POST, Fault.RATELIMITED, seconds=30)
    office.tick()
    clock_died(office, session)
    office.tick()
    assert heard(office.adam, "was read") == []


def test_slack_s_wish_to_be_asked_less_often_is_heard(office, export):
    office.slack.faults.order(POST, Fault.RATELIMITED, seconds=30)
    office.tick()
    assert heard(office.adam, "was read") == []
    office.later(minutes=1)
    office.tick()
    assert len(heard(office.adam, "was read")) == 1


def test_that_the_sis_was_not_read_for_more_than_a_day_is_said_once_a_day(office, export):
    office.tick()
    for file in export[1].glob("*.csv"):
        file.unlink()
    for _ in range(4):
        office.later(hours=13)
        office.tick()
    told = heard(office.adam, "not read for more than a day")
    assert len(told) == 2
    assert "Run `cleanup-bot doctor` on the server" in told[0].text
