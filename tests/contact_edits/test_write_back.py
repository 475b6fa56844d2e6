"""Approved edits in PowerSchool: compare-and-set, whatever its answers, crashes, and other people do."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support import saved_rows
from support.powerschool_desk import EVERYONE, MARIA, Desk, Killed
from support.powerschool_server import serving, small_district
from support.sis_faults import Fault, disconnect, responding

from bot.contact_edits import write_back
from bot.contact_edits.undo import undo_edit
from bot.db.advisory_locks import advisory_lock
from bot.db.models.edits import Audit
from bot.db.session import transaction
from bot.errors import UserError
from bot.sis.contact_phones import Phone
from bot.sis.write_plan import ContactEdit, Verdict, plan_write

OLD, NEW, THIRD = "+13125550142", "+13125550199", "+13125550177"


@pytest.fixture
def powerschool():
    with serving(tables=small_district()) as running:
        running.add_person(MARIA, "Maria", "Rivera", ["312.555.0142"])
        running.add_person(1002, "Otto", "Rivera")
        running.add_person(
            1003, "Rosa", "Oak", [{"phoneNumber": "312-555-0144", "phoneType": "Work", "extension": "7"}]
        )
        yield running


@pytest.fixture
def desk(empty_database, tmp_path, powerschool):
    desk = Desk(empty_database, tmp_path, powerschool)
    saved_rows.fill_once(empty_database, "PowerSchool", desk.sync)
    return desk


def test_an_approved_number_replaces_the_old_one_and_the_edit_is_absorbed(desk):
    [phone_id] = desk.powerschool.people[MARIA].phones
    desk.edit()
    desk.approve()
    assert desk.write() == 1
    assert desk.powerschool.people[MARIA].phones[phone_id]["phoneNumber"] == "(312) 555-0199"
    assert desk.powerschool.writes == [("PUT", MARIA, OLD[2:], NEW[2:])]
    assert desk.state() == (NEW, ["absorbed"], ["done"])
    desk.sync()
    assert desk.state() == (NEW, ["absorbed"], ["done"])


def test_the_history_says_who_approved_it(desk):
    desk.edit()
    desk.approve()
    desk.write()
    with transaction(desk.engine) as session:
        rows = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert ("edit.absorbed", "U0REGISTRAR", "written to PowerSchool") in {
        (row.action, row.actor, row.reason) for row in rows
    }
    assert not any(NEW[4:] in str(vars(row)) for row in rows)


def test_nothing_is_written_without_an_approval(desk):
    desk.edit()
    assert desk.write() == 0
    assert desk.powerschool.writes == []


def test_a_contact_without_a_number_gets_a_new_phone(desk):
    desk.edit(1002)
    desk.approve()
    desk.write()
    [phone] = desk.powerschool.people[1002].phones.values()
    assert (phone["phoneNumber"], phone["phoneType"], phone["sms"], phone["preferred"], phone["sequence"]) == (
        *("(312) 555-0199", "Mobile", True, True, 1),
    )
    assert desk.state(1002) == (NEW, ["absorbed"], ["done"])


def test_no_number_deletes_the_phone(desk):
    desk.edit(phone="")
    desk.approve()
    desk.write()
    assert desk.numbers() == []
    assert desk.state() == (None, ["absorbed"], ["done"])


def test_a_newer_number_is_a_conflict_and_stays(desk):
    desk.edit()
    desk.approve()
    next(iter(desk.powerschool.people[MARIA].phones.values()))["phoneNumber"] = "312-555-0177"
    desk.write()
    assert desk.powerschool.writes == []
    assert desk.state() == (NEW, ["conflict"], ["conflict"])
    desk.sync()
    assert desk.state() == (NEW, ["conflict"], ["conflict"])


def test_the_same_number_in_another_spelling_is_the_base(desk):
    desk.edit()
    desk.approve()
    next(iter(desk.powerschool.people[MARIA].phones.values()))["phoneNumber"] = "+1 (312) 555-0142"
    desk.write()
    assert desk.state() == (NEW, ["absorbed"], ["done"])


def test_a_number_that_someone_typed_there_already_is_absorbed(desk):
    desk.edit()
    desk.approve()
    next(iter(desk.powerschool.people[MARIA].phones.values()))["phoneNumber"] = "3125550199"
    desk.write()
    assert desk.powerschool.writes == []
    assert desk.state() == (NEW, ["absorbed"], ["done"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda person: setattr(person, "last_name", "Riviera"), "other_name"),
        (lambda person: setattr(person, "active", False), "gone"),
        (lambda person: next(iter(person.phones.values())).update(extension="12"), "extension"),
        (lambda person: next(iter(person.phones.values())).update(phoneNumber="312.555.0142 mom"), "note"),
        (
            lambda person: person.phones.update({9: {"contactsPhoneId": 9, "phoneNumber": NEW, "phoneType": "Home"}}),
            "other_number",
        ),
    ],
)
def test_what_would_be_lost_is_left_to_a_person(desk, change, reason):
    desk.edit()
    desk.approve()
    change(desk.powerschool.people[MARIA])
    desk.write()
    assert desk.powerschool.writes == []
    assert desk.state() == (NEW, ["pending"], [("blocked", reason)])


def test_a_contact_that_was_merged_away_is_left_to_a_person(desk):
    desk.edit()
    desk.approve()
    del desk.powerschool.people[MARIA]
    desk.write()
    assert desk.state() == (NEW, ["pending"], [("blocked", "gone")])


def test_ids_of_another_source_are_never_written_to(desk):
    desk.edit()
    desk.approve()
    with transaction(desk.engine) as session:
        session.connection().exec_driver_sql("UPDATE sync_runs SET source = 'export.zip'")
    desk.write()
    assert desk.powerschool.writes == []
    assert desk.state() == (NEW, ["pending"], [("blocked", "not_powerschool")])


def test_an_edit_that_was_undone_is_withdrawn(desk):
    edit_id = desk.edit()
    desk.approve()
    with transaction(desk.engine) as session:
        undo_edit(session, edit_id, actor=desk.registrar, now=desk.now)
    desk.write()
    assert desk.powerschool.writes == []
    assert desk.state() == (OLD, ["undone"], ["withdrawn"])


def test_only_what_was_shown_is_approved_and_only_once(desk):
    desk.edit()
    with transaction(desk.engine) as session:
        shown = write_back.count_writable(session, EVERYONE)
        assert shown.count == 1
    desk.edit(phone=THIRD)
    with transaction(desk.engine) as session, pytest.raises(UserError) as refused:
        write_back.approve_writes(session, EVERYONE, newest=shown.newest, actor=desk.registrar, now=desk.now)
    assert refused.value.code == "write_back.nothing"
    desk.approve()
    with pytest.raises(UserError):
        desk.approve()


def test_an_edit_made_while_its_predecessor_is_written_is_pending_afterwards(desk):
    desk.edit()
    desk.approve()
    desk.kill_at = 5  # After the call that writes.
    with pytest.raises(Killed):
        desk.write()
    desk.edit(phone=THIRD)
    desk.write(later=timedelta(minutes=3))
    assert desk.state() == (THIRD, ["replaced", "pending"], ["withdrawn"])
    desk.approve()
    desk.write()
    assert desk.numbers() == ["(312) 555-0177"]
    assert desk.state() == (THIRD, ["replaced", "absorbed"], ["withdrawn", "done"])


@pytest.mark.parametrize("person", [MARIA, 1002])
@pytest.mark.parametrize("kill_at", range(8))
def test_a_crash_anywhere_neither_loses_nor_doubles(desk, person, kill_at):
    desk.powerschool.refusals = None
    desk.edit(person)
    desk.approve()
    desk.kill_at = kill_at
    with pytest.raises(Killed):
        desk.write()
    desk.write(later=timedelta(minutes=3))
    assert desk.state(person) == (NEW, ["absorbed"], ["done"])
    assert desk.numbers(person) == ["(312) 555-0199"]
    assert len(desk.powerschool.writes) == 1


@pytest.mark.parametrize("person", [MARIA, 1002])
@pytest.mark.parametrize("answer", [disconnect, responding(500), responding(504)])
@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(desk, person, answer, after):
    desk.powerschool.refusals = None
    desk.edit(person)
    desk.approve()
    desk.powerschool.faults = [Fault("^(PUT|POST) /ws/contacts", answer, after=after)]
    assert desk.write() == 0
    assert desk.state(person)[2] == ["writing"]
    assert desk.write(later=timedelta(minutes=1)) == 0  # The call may still arrive.
    assert desk.write(later=timedelta(minutes=2)) == 1
    assert desk.state(person) == (NEW, ["absorbed"], ["done"])
    assert len(desk.powerschool.writes) == 1


def test_a_server_that_never_confirms_is_left_to_a_person(desk):
    desk.edit()
    desk.approve()
    desk.powerschool.faults = [Fault("^PUT", responding(500), times=99)]
    for _ in range(7):
        desk.write(later=timedelta(minutes=3))
    assert desk.state() == (NEW, ["pending"], [("blocked", "unclear")])


@pytest.mark.parametrize("refusals", [400, 200])
def test_a_refused_duplicate_is_looked_up(desk, refusals):
    """Another phone got the number between our look and our call."""
    desk.powerschool.refusals = refusals
    desk.edit(1002)
    desk.approve()

    def typed_by_hand(_request):
        desk.powerschool.people[1002].phones[7] = {"contactsPhoneId": 7, "phoneNumber": NEW, "phoneType": "Mobile"}
        return responding(400, {"message": "Duplicate"})(None)

    desk.powerschool.faults = [Fault("^POST /ws/contacts", typed_by_hand)]
    desk.write()
    assert desk.numbers(1002) == [NEW]
    assert desk.state(1002) == (NEW, ["absorbed"], ["done"])


@pytest.mark.parametrize("refusals", [400, 200])
def test_a_refused_change_is_left_to_a_person(desk, refusals):
    desk.edit()
    desk.approve()
    error = {"_error_message": {"_warning": [{"error_code": "INVALID"}]}}
    desk.powerschool.faults = [Fault("^PUT", responding(refusals, error))]
    desk.write()
    assert desk.state() == (NEW, ["pending"], [("blocked", "refused")])


@pytest.mark.parametrize(
    ("request_", "answer", "code"),
    [
        ("phones", responding(403), "sis.forbidden"),
        ("^PUT", responding(403), "sis.forbidden"),
        ("^PUT", responding(429, retry_after=0), "sis.refused"),
        ("demographics", responding(503), "sis.refused"),
        ("demographics", responding(200, {"message": "Internal error"}), "sis.unknown_answer"),
        ("GET.*phones", responding(200, {"message": "Internal error"}), "sis.unknown_answer"),
    ],
)
def test_a_server_that_is_down_or_refuses_us_delays_the_batch(desk, request_, answer, code):
    desk.edit()
    desk.approve()
    desk.powerschool.faults = [Fault(request_, answer, times=99)]
    with pytest.raises(UserError) as refused:
        desk.write()
    assert refused.value.code == code
    desk.powerschool.faults.clear()
    assert desk.write(later=timedelta(minutes=1)) == 0
    assert desk.write(later=timedelta(minutes=5)) == 1
    assert desk.state() == (NEW, ["absorbed"], ["done"])


def test_one_contact_that_cannot_be_read_does_not_hold_up_the_others(desk):
    desk.edit()
    desk.edit(1002)
    desk.approve()
    desk.powerschool.faults = [Fault(f"{MARIA}/demographics", responding(500), times=999)]
    with pytest.raises(UserError):
        desk.write()
    with pytest.raises(UserError):
        desk.write(later=timedelta(minutes=6))
    assert desk.state(1002) == (NEW, ["absorbed"], ["done"])
    desk.write(later=timedelta(days=4))
    assert desk.state() == (NEW, ["pending"], [("blocked", "expired")])


def test_a_token_that_ends_in_the_middle_of_a_write_is_replaced(desk):
    desk.powerschool.calls_per_token = 1
    desk.edit()
    desk.approve()
    desk.write()
    assert desk.state() == (NEW, ["absorbed"], ["done"])
    assert len(desk.powerschool.writes) == 1


def test_nothing_is_written_while_a_sync_reads(desk):
    desk.edit()
    desk.approve()
    with advisory_lock(desk.engine, "roster.sync"):
        assert desk.write() == 0
    assert desk.write() == 1


def test_the_result_is_due_when_the_last_change_is_settled(desk):
    desk.edit()
    desk.edit(1002)
    desk.approve()
    desk.powerschool.faults = [Fault("^POST /ws/contacts", responding(500))]
    desk.write()
    with transaction(desk.engine) as session:
        assert write_back.claim_result(session, now=desk.now) is None
    desk.write(later=timedelta(minutes=3))
    with transaction(desk.engine) as session:
        batch = write_back.claim_result(session, now=desk.now)
        assert write_back.load_result(session, batch.id).counts == {"done": 2}


@pytest.mark.parametrize(
    ("phones", "base", "value", "verdict"),
    [
        ([], None, None, Verdict.AGREES),
        ([], OLD, NEW, Verdict.CONFLICT),
        ([Phone(1, OLD)], None, NEW, Verdict.CONFLICT),
        ([Phone(1, OLD), Phone(2, OLD, "Home")], OLD, NEW, Verdict.WRITE),
        ([Phone(1, OLD), Phone(2, THIRD, "Home")], OLD, NEW, Verdict.WRITE),
        ([Phone(1, OLD), Phone(2, THIRD, "Home")], OLD, None, Verdict.BLOCKED),
        ([Phone(1, OLD), Phone(2, THIRD, "Fax")], OLD, None, Verdict.WRITE),
        ([Phone(1, OLD, "Home"), Phone(2, "unlisted", "Mobile")], OLD, NEW, Verdict.WRITE),
        ([Phone(1, "unlisted", "Mobile")], None, NEW, Verdict.WRITE),
        ([Phone(1, "312-555-0142 do not text")], OLD, NEW, Verdict.BLOCKED),
    ],
)
def test_what_is_written_is_read_as_the_edit(phones, base, value, verdict):
    edit = ContactEdit("1001", "maria rivera", ("1",), base, value, takes_texts=True)
    plan = plan_write(phones, edit, region="US")
    assert plan.verdict is verdict
