"""Direct messages after a sync: reports for admins, who decide about held syncs, and each editor's edits."""

from copy import deepcopy
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from support import edits, people
from support import sis_bundles as bundles

from bot.access.rights import AccessLevel
from bot.db.models.edits import Edit
from bot.db.models.notices import SyncNotice
from bot.db.models.roster import Contact, Staff, StaffRole, Student
from bot.sandbox.slack import message_store
from bot.sandbox.slack.errors import NotOnScreen
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.models import text_of
from bot.sync.notices import claim_notice, enqueue_notices

POST = "chat.postMessage"
COMPLETE, FAILED, HELD = (
    "information system is complete",
    "sync with the student information system failed",
    "sync is on hold",
)
EDITS, STALE = "Your edits", "No sync with the student information system"


@pytest.fixture
def export(tmp_path):
    """An export with Ana's class and thirty more families."""
    tables = bundles.a_district()
    for number in range(30):
        tables["users"].append(bundles.person(f"kid{number}", "Kim", f"Child {number}", agentSourcedIds=f"pat{number}"))
        tables["users"].append(bundles.person(f"pat{number}", "Pat", f"Parent {number}", phone=f"312556{number:04}"))
        tables["roles"] += [bundles.role(f"kid{number}", "student"), bundles.role(f"pat{number}", "parent")]
    return tables, bundles.write(tables, tmp_path / "export")


@pytest.fixture
def settings_changed(request, export):
    return {"sis_oneroster_csv": export[1], **getattr(request, "param", {})}


def next_night(office, export):
    """Run the clock a day later, with the changed tables."""
    bundles.write(export[0], export[1])
    office.advance(days=1)
    return office.tick()


def remove_children(export, number):
    removed = {f"{name}{child}" for name in ("kid", "pat") for child in range(number)}
    export[0]["users"] = [user for user in export[0]["users"] if user["sourcedId"] not in removed]
    export[0]["roles"] = [role for role in export[0]["roles"] if role["userSourcedId"] not in removed]


def messages_with(person, words):
    return [message for message in person.messages() if words in text_of(message)]


def students(session):
    session.expire_all()
    return session.scalar(select(func.count()).where(Student.active))


def test_admin_gets_one_report_of_a_sync(office, export):
    for _ in range(3):
        assert office.tick().failed == ()
    (message,) = messages_with(office.adam, COMPLETE)
    assert "Students: 32 added" in text_of(message)
    assert messages_with(office.clara, COMPLETE) == []


@pytest.mark.parametrize("settings_changed", [{"admin_emails": ()}], indirect=True)
def test_district_admins_get_the_report_if_none_are_set(office, export):
    bundles.users_by_id(export[0])["dana"]["email"] = office.district.dana.email
    bundles.write(*export)
    office.tick()
    assert len(messages_with(office.dana, COMPLETE)) == 1


def test_unchanged_sync_is_not_reported(office, export):
    office.tick()
    next_night(office, export)
    assert len(messages_with(office.adam, COMPLETE)) == 1


def test_rejections_come_as_a_file_without_cells(office, export):
    users = bundles.users_by_id(export[0])
    users["maria"]["phone"] = "555-SECRET"
    bundles.write(export[0], export[1])
    office.tick()
    assert "1 row or cell was left out" in text_of(messages_with(office.adam, COMPLETE)[0])
    (file,) = office.slack.files.values()
    assert b"\r\nSam Rivera,Maria Rivera,maria,users.csv,7,phone," in file.content
    assert b"cannot be read: Too short" in file.content
    assert b"SECRET" not in file.content


def test_rejections_are_sent_once_and_again_when_they_change(office, export):
    def files_after(**phones):
        for sourced_id, phone in phones.items():
            bundles.users_by_id(export[0])[sourced_id]["phone"] = phone
        next_night(office, export)
        return len(office.slack.files), len(messages_with(office.adam, COMPLETE))

    assert files_after(maria="555-SECRET") == (1, 1)
    assert files_after() == (1, 1)
    # Another row changes: a report without the same file again.
    assert files_after(pat1="(312) 555-0123") == (1, 2)
    assert "They are the same as last time." in text_of(max(messages_with(office.adam, COMPLETE), key=lambda m: m.ts))
    assert files_after(pat2="12") == (2, 3)
    # The same number of rows, but not the same ones.
    assert files_after(pat2="(312) 555-0124", pat3="13") == (3, 4)


def test_repeated_failure_is_reported_once_a_day(office, export):
    for file in export[1].glob("*.csv"):
        file.unlink()
    for day in range(1, 4):
        for _ in range(3):
            office.tick()
            office.advance(hours=2)
        reports = messages_with(office.adam, FAILED)
        assert len(reports) == day
        office.advance(hours=18)
    assert all("It runs again in an hour." in report.text for report in reports)


def test_held_sync_is_applied_when_confirmed(office, export, session):
    office.tick()
    remove_children(export, 25)
    next_night(office, export)
    (message,) = messages_with(office.adam, HELD)
    words = text_of(message)
    assert "25 of 32 students" in words
    assert "25 of 32 students" in message.text
    assert "press *Apply changes*. *Skip tonight* changes nothing" in words
    assert not any(word in words for word in ("cleanup-bot", "--confirm", "confirm the sync"))
    assert students(session) == 32
    assert office.adam.press(message, action_id="sync.go_on").ok
    assert "chose *Apply changes*" in text_of(messages_with(office.adam, HELD)[0])
    office.advance(minutes=1)
    office.tick()
    assert students(session) == 7
    assert [row[0] for row in edits.audit_log(session) if row[0].startswith("sync.")] == ["sync.confirmed"]


def test_held_report_says_what_to_check_with_examples_by_id(office, export):
    office.tick()
    for number in range(12):
        bundles.users_by_id(export[0])[f"pat{number}"]["phone"] = f"312556{(number + 1) % 12:04}"
    next_night(office, export)
    (message,) = messages_with(office.adam, HELD)
    text = text_of(message)
    assert "12 of 32 phone numbers would move to other people" in text
    assert "Check whether the columns of the export are still in line" in text
    assert "contact pat0 gets the number of contact pat1" in text
    assert text.count("• ") == 10
    assert "Parent" not in text


def test_confirmation_covers_only_the_counts_shown(office, export, session):
    office.tick()
    remove_children(export, 21)
    next_night(office, export)
    remove_children(export, 30)
    bundles.write(export[0], export[1])
    assert office.adam.press(messages_with(office.adam, HELD)[0], action_id="sync.go_on").ok
    office.advance(minutes=1)
    office.tick()
    assert students(session) == 32
    assert len(messages_with(office.adam, HELD)) == 2


def test_confirmation_covers_only_the_export_shown(office, export, session):
    office.tick()
    every_user, every_role = export[0]["users"], export[0]["roles"]
    remove_children(export, 25)
    next_night(office, export)
    export[0].update(users=every_user, roles=every_role)
    remove_children(export, 21)
    bundles.write(export[0], export[1])
    assert office.adam.press(messages_with(office.adam, HELD)[0], action_id="sync.go_on").ok
    office.advance(minutes=1)
    office.tick()
    assert students(session) == 32
    newest = max(messages_with(office.adam, HELD), key=lambda message: message.ts)
    assert "not the one that was approved before" in text_of(newest)


def test_refused_sync_changes_nothing(office, export, session):
    office.tick()
    remove_children(export, 25)
    next_night(office, export)
    (message,) = messages_with(office.adam, HELD)
    assert office.adam.press(message, action_id="sync.refuse").ok
    office.advance(minutes=1)
    office.tick()
    assert students(session) == 32
    assert "chose *Skip tonight*" in text_of(messages_with(office.adam, HELD)[0])


def test_second_decision_is_refused(office, export, session):
    office.tick()
    remove_children(export, 25)
    next_night(office, export)
    (message,) = messages_with(office.adam, HELD)
    assert office.adam.press(message, action_id="sync.refuse").ok
    with pytest.raises(NotOnScreen):
        office.adam.press(messages_with(office.adam, HELD)[0], action_id="sync.go_on")
    assert office.dana.press(shown(office, message, office.dana), action_id="sync.go_on").ok
    assert "was decided already" in text_of(office.dana.last())
    assert students(session) == 32


def test_clerk_cannot_decide_a_held_sync(office, export, session):
    office.tick()
    remove_children(export, 25)
    next_night(office, export)
    (message,) = messages_with(office.adam, HELD)
    assert office.clara.press(shown(office, message, office.clara), action_id="sync.go_on").ok
    assert "whole district" in text_of(office.clara.last())
    office.tick()
    assert students(session) == 32


def shown(office, message, person):
    """Show a message with its buttons to another person."""
    content = {"text": message.text, "blocks": message.blocks, "by_app": True, "ephemeral_for": person.id}
    message_store.post(office.slack, person.dm, user=message.user, **content)
    return person.last()


@pytest.fixture
def edited(office, export, session):
    """Clara gave Maria and João other numbers."""
    office.tick()
    clara = replace(people.actor_of(office.district.clara, level=AccessLevel.DISTRICT), user_id="UCLARA")
    staff = session.scalars(select(Staff).where(Staff.sourced_id == "clara")).one()
    staff.email = office.district.clara.email
    export_users = bundles.users_by_id(export[0])
    export_users["clara"]["email"] = office.district.clara.email
    for sourced_id, number in (("maria", "(312) 555-0199"), ("joao", "(312) 555-0198")):
        contact = session.scalars(select(Contact).where(Contact.sourced_id == sourced_id)).one()
        edits.change(session, contact, phone=number, actor=clara, now=office.now())
    session.commit()
    return export_users


def test_editor_reads_absorbed_edits_and_conflicts(office, export, edited):
    edited["maria"]["phone"] = "(312) 555-0199"
    edited["joao"]["sms"] = "(312) 555-0777"
    assert next_night(office, export).failed == ()
    (message,) = messages_with(office.clara, EDITS)
    assert "Now in the SIS: 1 edit" in text_of(message)
    assert "João Sousa" in text_of(message)
    assert "555-0777" not in str(message.blocks)
    assert "João" not in message.text
    assert messages_with(office.adam, EDITS) == []


def test_conflict_is_resolved_in_the_message(office, export, edited, session):
    edited["joao"]["sms"] = "(312) 555-0777"
    next_night(office, export)
    (message,) = messages_with(office.clara, EDITS)
    assert office.clara.press(message, action_id="conflict.take_sis_here").ok
    text = text_of(messages_with(office.clara, EDITS)[0])
    assert "João Sousa" in text
    assert "Entered here: ••• 0198. The SIS had ••• 0777.\n✅ Took the SIS value: ••• 0777. <@UCLARA>" in text
    assert "In conflict" not in text
    states = session.scalars(select(Edit.state).order_by(Edit.id)).all()
    assert states == ["pending", "sis_taken"]


def test_conflict_that_is_kept_says_so_in_the_message(office, export, edited, session):
    edited["joao"]["sms"] = "(312) 555-0777"
    next_night(office, export)
    (message,) = messages_with(office.clara, EDITS)
    assert office.clara.press(message, action_id="conflict.keep_ours_here").ok
    (message,) = messages_with(office.clara, EDITS)
    assert "Entered here: ••• 0198. The SIS had ••• 0777.\n✅ Kept ours: ••• 0198. <@UCLARA>" in text_of(message)
    assert "João" not in message.text


def test_choice_is_stored_even_if_the_message_stays(office, export, edited, session):
    edited["joao"]["sms"] = "(312) 555-0777"
    next_night(office, export)
    office.slack.faults.inject("chat.update", Fault.HTTP_500)
    (message,) = messages_with(office.clara, EDITS)
    assert office.clara.press(message, action_id="conflict.keep_ours_here").ok
    assert "went wrong" not in text_of(office.clara.last())
    assert office.clara.press(message, action_id="conflict.keep_ours_here").ok
    assert "settled already" in text_of(office.clara.last())


def test_editor_without_rights_gets_no_notice(office, export, edited, session):
    edited["maria"]["phone"] = "(312) 555-0199"
    export[0]["roles"] = [role for role in export[0]["roles"] if role["userSourcedId"] != "clara"]
    session.execute(StaffRole.__table__.delete())
    session.commit()
    next_night(office, export)
    assert messages_with(office.clara, EDITS) == []


def test_second_clock_finds_no_notice(office, export, session):
    office.tick()
    first, second = claim_notice(session, now=office.now()), claim_notice(session, now=office.now())
    assert (first, second) == (None, None)
    assert enqueue_notices(session, admins=office.settings.admin_emails, now=office.now()) == 0


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HTTP_500, Fault.INTERNAL_ERROR])
@pytest.mark.parametrize("applied", [True, False])
def test_report_whose_answer_was_lost_is_looked_up_and_comes_once(office, export, session, fault, applied):
    office.slack.faults.inject(POST, fault, applied=applied)
    for _ in range(4):
        office.tick()
        office.advance(minutes=3)
    assert len(messages_with(office.adam, COMPLETE)) == 1
    assert session.scalars(select(SyncNotice.state)).all() == ["sent"]


def test_held_report_that_cannot_be_looked_up_is_sent_again(office, export):
    office.slack.manifest = deepcopy(office.slack.manifest)
    office.slack.manifest["oauth_config"]["scopes"]["bot"].remove("im:history")
    office.tick()
    remove_children(export, 25)
    office.slack.faults.inject(POST, Fault.HTTP_500, applied=True)
    next_night(office, export)
    for _ in range(3):
        office.advance(minutes=3)
        office.tick()
    assert len(messages_with(office.adam, HELD)) == 2


def test_report_is_not_sent_again_after_a_lost_answer(office, export):
    office.slack.faults.inject(POST, Fault.DROP, applied=True)
    for _ in range(3):
        office.tick()
        office.advance(minutes=5)
    assert len(messages_with(office.adam, COMPLETE)) == 1


def crash_clock(office, session):
    """Claim the pending notices as a clock that crashes; return when the lease has expired."""
    session.execute(
        SyncNotice.__table__.update()
        .where(SyncNotice.state == "pending")
        .values(state="claimed", claimed_at=office.now())
    )
    session.commit()
    office.advance(minutes=1)
    office.tick()
    assert set(session.scalars(select(SyncNotice.state))) <= {"claimed", "sent"}
    office.advance(minutes=1)


def test_held_report_survives_a_crashed_clock(office, export, session):
    office.tick()
    remove_children(export, 25)
    office.slack.faults.inject(POST, Fault.RATELIMITED, seconds=30)
    next_night(office, export)
    crash_clock(office, session)
    office.tick()
    office.advance(minutes=1)
    office.tick()
    assert len(messages_with(office.adam, HELD)) == 1


def test_report_that_a_crashed_clock_did_not_send_is_sent(office, export, session):
    office.slack.faults.inject(POST, Fault.RATELIMITED, seconds=30)
    office.tick()
    crash_clock(office, session)
    for _ in range(3):
        office.tick()
        office.advance(minutes=1)
    assert len(messages_with(office.adam, COMPLETE)) == 1


def test_rate_limited_report_is_sent_later(office, export):
    office.slack.faults.inject(POST, Fault.RATELIMITED, seconds=30)
    office.tick()
    assert messages_with(office.adam, COMPLETE) == []
    office.advance(minutes=1)
    office.tick()
    assert len(messages_with(office.adam, COMPLETE)) == 1


def test_stale_roster_is_reported_once_a_day(office, export):
    office.tick()
    for file in export[1].glob("*.csv"):
        file.unlink()
    for _ in range(4):
        office.advance(hours=13)
        office.tick()
    messages = messages_with(office.adam, STALE)
    assert len(messages) == 2
    assert "Run `cleanup-bot doctor` on the server" in messages[0].text


def test_reminder_of_a_held_sync_has_its_buttons(office, export, session):
    office.tick()
    remove_children(export, 25)
    for _ in range(3):
        next_night(office, export)
    reminder = messages_with(office.adam, STALE)[-1]
    words = text_of(reminder)
    assert "on hold until a person decides" in words
    assert "cleanup-bot" not in words
    assert office.adam.press(reminder, action_id="sync.go_on").ok
    assert "chose *Apply changes*" in text_of(office.adam.current(reminder))
    office.advance(minutes=1)
    office.tick()
    assert students(session) == 7
