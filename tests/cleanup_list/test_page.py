"""Who sees which students of the list, in which order, and what is said of each."""

from datetime import timedelta

import pytest
from sqlalchemy import event
from support.errors import refused
from support.people import (
    NOW,
    actor_of,
    contact,
    list_contact,
    school,
    school_class,
    staff,
    student,
)
from support.statements import captured_statements

from bot.cleanup_list.impact import load_impact
from bot.cleanup_list.name_search import load_known_names
from bot.cleanup_list.page import Freshness, load_freshness, load_page
from bot.cleanup_list.query import ListedContact
from bot.cleanup_list.student import Sibling, load_student
from bot.cleanup_list.vocabulary import load_vocabulary
from bot.db.models.base import ContactMethod
from bot.db.models.edits import Edit, Removal
from bot.db.models.messages import ListEntry, MassMessage, PhoneNumber
from bot.db.models.roster import School, StudentContact, SyncRun
from bot.domain.sms_status import WORK_ORDER, SmsStatus
from bot.errors import UserError
from bot.filters.filter import Filter
from bot.filters.vocabulary import Vocabulary

SCRIPTS = ["Núñez", "Γιώργος", "Шевченко", "محمّد", "शर्मिला", "ガブリエラ", "李 小龍", "ᏣᎳᎩ"]


def unreachable(session, given="Sam", family="Rivera", *, grade="5", at=None, status=SmsStatus.BLOCKED):
    """A student whose only contact is on the list."""
    learner = student(session, given, family, grade=grade, at=at)
    return learner, list_contact(session, contact(session, learner, family=family), status)


def shown(session, which, *, actor):
    """The first page, long enough for everybody whom a test brings."""
    return load_page(session, which, actor=actor, page_size=15)


def names(page):
    return [row.name for row in page.students]


def edit(session, one, field, value):
    made = Edit(contact_id=one.id, field=field, value=value, made_by="U1", made_at=NOW)
    session.add(made)
    session.flush()
    return made


def remove(session, one, learner=None):
    gone = Removal(
        contact_id=one.id, student_id=learner.id if learner else None, reason="wrong person", made_by="U1", made_at=NOW
    )
    session.add(gone)
    session.flush()
    return gone


def test_clerk_sees_listed_students_of_their_school_only(session, district, clara):
    unreachable(session, at=district.lincoln)
    unreachable(session, "Zoe", "Young", at=district.roosevelt)
    assert names(shown(session, Filter(), actor=clara)) == ["Sam Rivera"]


def test_teacher_sees_students_of_their_own_classes_only(session, district):
    sam, _ = unreachable(session, at=district.lincoln)
    unreachable(session, "Zoe", "Young", at=district.lincoln)
    school_class(session, district.ana, district.lincoln, sam)
    assert names(shown(session, Filter(), actor=actor_of(district.ana))) == ["Sam Rivera"]
    assert names(shown(session, Filter(), actor=actor_of(district.tom))) == []


def test_clerk_who_also_teaches_elsewhere_sees_both(session, district, clara):
    unreachable(session, at=district.lincoln)
    zoe, _ = unreachable(session, "Zoe", "Young", at=district.roosevelt)
    school_class(session, district.clara, district.roosevelt, zoe)
    assert names(shown(session, Filter(), actor=clara)) == ["Sam Rivera", "Zoe Young"]


def test_row_says_who_cannot_be_texted_and_why(session, district, clara):
    learner = student(session, at=district.lincoln)
    school_class(session, district.tom, district.lincoln, learner, title="Art", homeroom=False)
    school_class(session, district.ana, district.lincoln, learner)
    maria = list_contact(session, contact(session, learner), SmsStatus.LANDLINE, since=NOW - timedelta(days=3))
    row = shown(session, Filter(), actor=clara).students[0]
    assert (row.grade, row.schools, row.teachers) == ("5", ("Lincoln Elementary",), ("García", "Brown"))
    assert row.listed == (
        ListedContact(
            contact_id=maria.id,
            version=1,
            name="Maria Rivera",
            relationship="parent",
            status=SmsStatus.LANDLINE,
            since=NOW - timedelta(days=3),
            listed_phone=maria.sis_phone,
            phone=maria.sis_phone,
            method=ContactMethod.TEXT,
            updated_at=None,
            claimed_by=None,
        ),
    )


def test_teacher_of_an_ended_class_is_not_shown(session, district, clara):
    learner, _ = unreachable(session, at=district.lincoln)
    school_class(session, district.ana, district.lincoln, learner, ends_on=clara.today)
    page = shown(session, Filter(), actor=clara)
    assert page.students[0].teachers == ()
    assert names(shown(session, Filter(teacher="García"), actor=clara)) == []


def test_unreachable_students_come_first_then_those_without_texts(session, district, clara):
    spare, _ = unreachable(session, "Ada", "Able", at=district.lincoln, status=SmsStatus.OPT_OUT)
    contact(session, spare, given="Gran")
    callable_, _ = unreachable(session, "Ben", "Baker", at=district.lincoln, status=SmsStatus.OPT_OUT)
    contact(session, callable_, given="Gran", method="call")
    unreachable(session, "Cy", "Cole", at=district.lincoln, status=SmsStatus.UNCONFIRMED)
    page = shown(session, Filter(), actor=clara)
    assert [(row.name, row.textable, row.other_ways) for row in page.students] == [
        ("Cy Cole", 0, False),
        ("Ben Baker", 0, True),
        ("Ada Able", 1, False),
    ]


def test_call_to_an_inactive_number_reaches_no_one(session, district, clara):
    ben, _ = unreachable(session, "Ben", "Baker", at=district.lincoln, status=SmsStatus.OPT_OUT)
    gran = contact(session, ben, given="Gran", method="call")
    session.add(PhoneNumber(phone=gran.sis_phone, status=SmsStatus.INACTIVE, since=NOW))
    session.flush()
    assert not shown(session, Filter(), actor=clara).students[0].other_ways


def test_what_a_clerk_can_fix_comes_before_what_may_still_work_and_opt_outs(session, district, clara):
    for status in SmsStatus:
        unreachable(session, status, "Rivera", at=district.lincoln, status=status)
    found = [SmsStatus(name.removesuffix(" Rivera")) for name in names(shown(session, Filter(), actor=clara))]
    assert tuple(found) == WORK_ORDER
    assert found[-1] is SmsStatus.OPT_OUT


def test_student_with_fixed_contacts_only_comes_last(session, district, clara):
    _, fixed = unreachable(session, "Ada", "Able", at=district.lincoln, status=SmsStatus.NO_NUMBER)
    half, half_fixed = unreachable(session, "Ben", "Baker", at=district.lincoln, status=SmsStatus.NO_NUMBER)
    list_contact(session, contact(session, half, given="Dad"), SmsStatus.BLOCKED)
    unreachable(session, "Cy", "Cole", at=district.lincoln, status=SmsStatus.OPT_OUT)
    for each in (fixed, half_fixed):
        session.get(ListEntry, each.id).updated_at = NOW
    session.flush()
    page = shown(session, Filter(), actor=clara)
    assert names(page) == ["Ben Baker", "Cy Cole", "Ada Able"]
    assert (page.total_contacts, page.fixed) == (4, 2)
    assert [row.name for row in page.students[0].listed] == ["Dad Rivera", "Maria Baker"]
    assert names(shown(session, Filter(statuses=(SmsStatus.NO_NUMBER,)), actor=clara)) == ["Ada Able", "Ben Baker"]


def test_students_are_ordered_by_status_then_grade_then_family_name(session, district, clara):
    unreachable(session, "Di", "Dee", grade="3", at=district.lincoln, status=SmsStatus.TURNED_OFF)
    unreachable(session, "Ed", "Young", grade="10", at=district.lincoln)
    unreachable(session, "Fay", "Zimmer", grade="2", at=district.lincoln)
    unreachable(session, "Gil", "Adams", grade="10", at=district.lincoln)
    unreachable(session, "Hal", "Howe", grade=None, at=district.lincoln)
    found = names(shown(session, Filter(), actor=clara))
    assert found == ["Fay Zimmer", "Gil Adams", "Ed Young", "Hal Howe", "Di Dee"]


@pytest.mark.parametrize(
    ("method", "phone", "textable"),
    [("text", "new", 1), ("text", None, 0), ("call", "new", 0), ("email", "new", 0)],
)
def test_adult_with_a_number_and_method_text_can_be_texted(session, clara, *, method, phone, textable):
    learner, _ = unreachable(session, at=session.get(School, clara.school_ids[0]))
    contact(session, learner, given="Gran", method=method, phone=phone)
    assert shown(session, Filter(), actor=clara).students[0].textable == textable


def test_adult_with_an_opted_out_or_bad_number_cannot_be_texted(session, district, clara):
    learner, maria = unreachable(session, at=district.lincoln)
    contact(session, learner, given="Gran", phone=maria.sis_phone)
    stopped = contact(session, learner, given="Joe")
    session.add(PhoneNumber(phone=stopped.sis_phone, opted_out_at=NOW, opted_out_by="+STOP"))
    session.flush()
    assert shown(session, Filter(), actor=clara).students[0].textable == 0


def test_edited_number_counts_as_textable_and_is_shown(session, district, clara):
    _, maria = unreachable(session, at=district.lincoln)
    edit(session, maria, "phone", "+13125559999")
    row = shown(session, Filter(), actor=clara).students[0]
    assert (row.textable, row.listed[0].phone, row.listed[0].status) == (1, "+13125559999", SmsStatus.BLOCKED)


def test_removed_contact_is_not_listed_for_that_student(session, district, clara):
    sam, maria = unreachable(session, at=district.lincoln)
    zoe = student(session, "Zoe", "Rivera", at=district.lincoln)
    session.add(StudentContact(student_id=zoe.id, contact_id=maria.id))
    remove(session, maria, sam)
    assert names(shown(session, Filter(), actor=clara)) == ["Zoe Rivera"]
    remove(session, maria)
    assert names(shown(session, Filter(), actor=clara)) == []


def test_student_who_left_the_district_is_not_listed(session, district, clara):
    learner, _ = unreachable(session, at=district.lincoln)
    learner.active = False
    _, other = unreachable(session, "Zoe", "Young", at=district.lincoln)
    other.active = False
    session.flush()
    page = shown(session, Filter(), actor=clara)
    assert (page.total_students, page.total_contacts, page.counts_by_status, page.students) == (0, 0, {}, ())


def test_totals_count_each_contact_of_the_filter_once(session, district, clara):
    sam, maria = unreachable(session, at=district.lincoln)
    twin = student(session, "Tia", at=district.lincoln)
    session.add(StudentContact(student_id=twin.id, contact_id=maria.id))
    list_contact(session, contact(session, sam, given="Joe"), SmsStatus.INACTIVE)
    unreachable(session, "Zoe", "Young", at=district.lincoln, status=SmsStatus.INACTIVE)
    page = load_page(session, Filter(), actor=clara, page_size=1)
    assert (page.total_students, page.total_contacts, page.pages, len(page.students)) == (3, 3, 3, 1)
    assert page.counts_by_status == {SmsStatus.BLOCKED: 1, SmsStatus.INACTIVE: 2}


def test_pages_follow_each_other_and_end_with_the_last(session, district, clara):
    for number in range(5):
        unreachable(session, f"Kid{number}", "Rivera", at=district.lincoln)
    pages = [load_page(session, Filter(page=at), actor=clara, page_size=2) for at in (1, 2, 3, 9)]
    assert [names(page) for page in pages] == [
        ["Kid0 Rivera", "Kid1 Rivera"],
        ["Kid2 Rivera", "Kid3 Rivera"],
        ["Kid4 Rivera"],
        ["Kid4 Rivera"],
    ]
    assert pages[3].filter.page == 3


@pytest.mark.parametrize(
    ("size", "last"), [(2, ["Kid4", "Kid5"]), (4, ["Kid4", "Kid5"]), (5, ["Kid5"]), (6, ["Kid0", "Kid5"])]
)
def test_page_beyond_the_last_shows_the_whole_last_page(session, district, clara, size, last):
    for number in range(6):
        unreachable(session, f"Kid{number}", "Rivera", at=district.lincoln)
    page = load_page(session, Filter(page=7), actor=clara, page_size=size)
    assert [names(page)[0], names(page)[-1]] == [f"{last[0]} Rivera", f"{last[-1]} Rivera"]
    assert page.filter.page == page.pages


def test_grade_and_status_narrow_students_and_contacts(session, district, clara):
    sam, _ = unreachable(session, at=district.lincoln)
    list_contact(session, contact(session, sam, given="Joe"), SmsStatus.INACTIVE)
    unreachable(session, "Zoe", "Young", grade="4", at=district.lincoln)
    page = shown(session, Filter(grades=("5",), statuses=(SmsStatus.BLOCKED,)), actor=clara)
    assert [(row.name, [one.name for one in row.listed]) for row in page.students] == [("Sam Rivera", ["Maria Rivera"])]
    assert page.counts_by_status == {SmsStatus.BLOCKED: 1}


@pytest.mark.parametrize(
    "typed", [("sam",), ("RIVERA", "sam"), ("rive",), ("pat",), ("Maria", "Rivéra"), ("o'brien",), ("o", "brien")]
)
def test_name_finds_students_and_listed_contacts_in_any_spelling(session, district, clara, typed):
    learner = student(session, at=district.lincoln)
    list_contact(session, contact(session, learner))
    list_contact(session, contact(session, learner, given="Pat", family="O\u2019Brien"))
    unreachable(session, "Zoe", "Young", at=district.lincoln)
    assert names(shown(session, Filter(names=typed), actor=clara)) == ["Sam Rivera"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        (("小明", "王"), "王小明"),
        (("小明", "王"), "小明"),
        (("Ana", "de la Cruz"), "delacruz"),
        (("Ana", "de la Cruz"), "DeLaCruz"),
        (("Ana", "delaCruz"), "delacruz"),
        (("Luis", "De León"), "deleon"),
        (("Pieter", "van der Berg"), "vanderberg"),
    ],
)
def test_name_is_found_without_its_blanks(session, district, clara, name, typed):
    unreachable(session, *name, at=district.lincoln)
    unreachable(session, "Zoe", "Young", at=district.lincoln)
    typed_filter = Filter(names=(typed,))
    assert names(shown(session, typed_filter, actor=clara)) == [" ".join(name)]
    assert load_known_names(session, roster=None).may_contain(typed_filter.names)


def test_all_words_of_a_name_must_match_one_person(session, district, clara):
    unreachable(session, at=district.lincoln)
    assert names(shown(session, Filter(names=("Sam", "Maria")), actor=clara)) == []


@pytest.mark.parametrize("typed", ["García", "ana garcia", "Ms. Garcia", "garc"])
def test_teacher_name_finds_students_of_all_teachers_with_it(session, district, clara, typed):
    namesake = staff(session, "Ana", "Garcia", "ana2@district.example", at=district.lincoln)
    sam, _ = unreachable(session, at=district.lincoln)
    zoe, _ = unreachable(session, "Zoe", "Young", at=district.lincoln)
    unreachable(session, "Ned", "None", at=district.lincoln)
    school_class(session, district.ana, district.lincoln, sam)
    school_class(session, namesake, district.lincoln, zoe)
    assert names(shown(session, Filter(teacher=typed), actor=clara)) == ["Sam Rivera", "Zoe Young"]


@pytest.mark.parametrize("typed", ["lincoln", "Lincoln Elementary", "elementary lincoln"])
def test_school_is_found_by_any_of_its_words(session, district, dana, typed):
    unreachable(session, at=district.lincoln)
    unreachable(session, "Zoe", "Young", at=district.roosevelt)
    assert names(shown(session, Filter(school=typed), actor=dana)) == ["Sam Rivera"]


def test_page_is_one_statement_at_any_size(session, district, clara):
    for number in range(12):
        unreachable(session, f"Kid{number}", at=district.lincoln)
    with captured_statements() as sent:
        assert len(shown(session, Filter(), actor=clara).students) == 12
    assert len(sent) == 1


@pytest.mark.parametrize("name", SCRIPTS)
def test_contact_is_found_by_a_name_in_any_script(session, district, clara, name):
    learner = student(session, at=district.lincoln)
    list_contact(session, contact(session, learner, given=name))
    assert names(shown(session, Filter(names=(name,)), actor=clara)) == ["Sam Rivera"]


def test_student_card_shows_contacts_in_calling_order(session, district, clara):
    learner = student(session, at=district.lincoln)
    gran = contact(session, learner, given="Gran", priority=None)
    joe = list_contact(session, contact(session, learner, given="Joe", priority=2), SmsStatus.TURNED_OFF)
    maria = contact(session, learner, given="Maria", phone=None, priority=1)
    card = load_student(session, learner.id, actor=clara)
    assert [(one.contact_id, one.status, one.on_list) for one in card.contacts] == [
        (maria.id, SmsStatus.NO_NUMBER, False),
        (joe.id, SmsStatus.TURNED_OFF, True),
        (gran.id, None, False),
    ]
    assert card.student.textable == 1


def test_student_card_shows_opt_out_over_a_carriers_status(session, district, clara):
    learner, maria = unreachable(session, at=district.lincoln)
    session.get(PhoneNumber, maria.sis_phone).opted_out_at = NOW
    session.flush()
    one = load_student(session, learner.id, actor=clara).contacts[0]
    assert (one.status, one.since) == (SmsStatus.OPT_OUT, NOW)


def test_student_card_shows_edit_sis_value_and_undo(session, district, clara):
    learner, maria = unreachable(session, at=district.lincoln)
    made = edit(session, maria, "phone", "+13125559999")
    made.state, made.sis_value, made.sis_at = "conflict", "+13125558888", NOW
    session.flush()
    one = load_student(session, learner.id, actor=clara).contacts[0]
    assert (one.phone, one.status, one.undo_edit_id) == ("+13125559999", None, made.id)
    assert [(note.state, note.sis_value, note.sis_at) for note in one.edits] == [("conflict", "+13125558888", NOW)]


def test_student_card_lists_removed_contacts(session, district, clara):
    learner, maria = unreachable(session, at=district.lincoln)
    joe = contact(session, learner, given="Joe")
    here, from_all = remove(session, maria, learner), remove(session, joe)
    card = load_student(session, learner.id, actor=clara)
    assert card.contacts == ()
    assert {(one.removal_id, one.name) for one in card.removed} == {
        (here.id, "Maria Rivera"),
        (from_all.id, "Joe Rivera"),
    }


def test_hidden_and_unknown_students_are_refused_alike(session, district, clara):
    zoe, _ = unreachable(session, "Zoe", "Young", at=district.roosevelt)
    with pytest.raises(UserError) as hidden:
        load_student(session, zoe.id, actor=clara)
    with pytest.raises(UserError) as never:
        load_student(session, 987654, actor=clara)
    assert hidden.value.sentence == never.value.sentence


def test_impact_names_visible_siblings_and_counts_the_others(session, district, clara):
    sam, tia = student(session, at=district.lincoln), student(session, "Tia", at=district.lincoln)
    zoe = student(session, "Zoe", at=district.roosevelt)
    maria = contact(session, sam, tia, zoe)
    touched = load_impact(session, maria.id, actor=clara, student_id=sam.id)
    assert touched.siblings == (Sibling(tia.id, "Tia Rivera"),)
    assert (touched.more_siblings, touched.sharing, touched.more_sharing) == (1, (), 0)


def test_impact_finds_contacts_with_the_number_by_edit_or_sis(session, district, clara):
    sam, zoe = student(session, at=district.lincoln), student(session, "Zoe", at=district.roosevelt)
    maria = contact(session, sam)
    contact(session, sam, given="Joe", phone=maria.sis_phone)
    moved = contact(session, sam, given="Moved", phone=maria.sis_phone)
    edit(session, moved, "phone", "+13125559999")
    edited = contact(session, zoe, given="Edited")
    edit(session, edited, "phone", maria.sis_phone)
    touched = load_impact(session, maria.id, actor=clara)
    assert (touched.sharing, touched.more_sharing) == (("Joe Rivera",), 1)


def test_impact_of_an_office_line_reads_only_a_few_names(session, district, clara):
    sam, tia = student(session, at=district.lincoln), student(session, "Tia", at=district.lincoln)
    zoe = student(session, "Zoe", at=district.roosevelt)
    office = contact(session, sam, phone="+13125550100")
    for letter in "EDCBA":
        contact(session, sam, tia, zoe, given=letter, family="Ames", phone=office.sis_phone)
    contact(session, zoe, given="Aaron", family="Aaker", phone=office.sis_phone)
    rows = []
    event.listen(session.connection(), "after_cursor_execute", lambda *call: rows.append(call[1].rowcount))
    touched = load_impact(session, office.id, actor=clara)
    assert (touched.sharing, touched.more_sharing) == (("A Ames", "B Ames", "C Ames"), 3)
    assert max(rows) <= 3


def test_impact_of_a_hidden_contact_is_refused(session, district, clara):
    maria = contact(session, student(session, at=district.roosevelt))
    with refused("access.no_contact"):
        load_impact(session, maria.id, actor=clara)


def test_vocabulary_has_schools_and_teachers_of_own_students(session, district, clara, dana):
    sam, zoe = student(session, at=district.lincoln), student(session, "Zoe", grade="10", at=district.roosevelt)
    school_class(session, district.ana, district.lincoln, sam)
    school_class(session, district.tom, district.roosevelt, zoe)
    school(session, "Adams Middle")
    assert load_vocabulary(session, clara) == _words(["Lincoln Elementary"], ["Ana García"], ["5"])
    assert load_vocabulary(session, actor_of(district.tom)) == _words(["Roosevelt High"], ["Tom Brown"], ["10"])
    everything = load_vocabulary(session, dana)
    schools = ["Adams Middle", "Lincoln Elementary", "Roosevelt High"]
    assert everything == _words(schools, ["Ana García", "Tom Brown"], ["5", "10"])


def test_mention_uses_the_first_of_two_sis_records(session, district, dana):
    for given in ("Zoe", "Ana"):
        teacher = staff(session, given, "Tanner", "tanner@district.example")
        school_class(session, teacher, district.lincoln, student(session, f"Kid of {given}", at=district.lincoln))
    assert load_vocabulary(session, dana, {"U2": "tanner@district.example"}).mentions == {"U2": "Zoe Tanner"}


def test_vocabulary_is_cached_per_version_of_the_roster(session, district, clara, dana):
    school_class(session, district.ana, district.lincoln)
    session.commit()
    assert load_vocabulary(session, dana, roster="1").teachers == ("Ana García",)
    school_class(session, district.tom, district.lincoln)
    session.commit()
    assert load_vocabulary(session, dana, roster="1").teachers == ("Ana García",)
    assert load_vocabulary(session, clara, roster="1").teachers == ("Ana García", "Tom Brown")
    assert load_vocabulary(session, dana, roster=None).teachers == ("Ana García", "Tom Brown")
    assert load_vocabulary(session, dana, roster="2").teachers == ("Ana García", "Tom Brown")


def test_roster_has_no_version_while_a_sync_runs(session):
    run = SyncRun(source="x", started_at=NOW, finished_at=NOW, state="done")
    session.add(run)
    session.commit()
    done = load_freshness(session).roster
    run.state = "running"
    session.commit()
    assert load_freshness(session).roster is None
    run.state, run.finished_at = "failed", NOW + timedelta(minutes=1)
    session.commit()
    assert load_freshness(session).roster not in {None, done}


def _words(schools, teachers, grades):
    return Vocabulary(tuple(schools), tuple(teachers), tuple(grades), classes=("5A",))


def test_freshness_has_the_last_final_message_and_applied_sync(session):
    assert load_freshness(session) == Freshness("", None, None, None)
    day = timedelta(days=1)
    session.add_all(
        [
            MassMessage(id="a", title="Picture day", sent_at=NOW - 2 * day, settled_at=NOW - day),
            MassMessage(id="b", title="Early dismissal", sent_at=NOW - day, settled_at=NOW),
            MassMessage(id="c", title="Still on its way", sent_at=NOW),
            SyncRun(source="x", started_at=NOW, finished_at=NOW - day, state="done"),
            SyncRun(source="x", started_at=NOW, finished_at=NOW, state="held"),
        ]
    )
    session.flush()
    freshness = load_freshness(session)
    assert (freshness.title, freshness.sent_at, freshness.synced_at) == ("Early dismissal", NOW - day, NOW - day)
