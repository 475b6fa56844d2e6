"""`/cleanup report`: how many of a person's students have an adult who can be reached, and where most is left to do."""

from datetime import timedelta

import pytest
from sqlalchemy import event
from support import people, screens
from support.snapshots import draw

from bot.db.models.scores import ReachabilityScore
from bot.reachability.record import record_scores
from bot.sandbox.slack.models import text_of


@pytest.fixture
def families(session, office):
    """Sam and Eva of grade 5 with Ana at Lincoln: Sam can be texted, Eva called; Kim of grade 2 has no one; Max is at Roosevelt."""
    lincoln, roosevelt = office.district.lincoln, office.district.roosevelt
    sam, eva = (people.student(session, name, at=lincoln) for name in ("Sam", "Eva"))
    people.student(session, "Kim", grade="2", at=lincoln)
    max_ = people.student(session, "Max", grade="9", at=roosevelt)
    people.contact(session, max_)
    people.school_class(session, office.district.ana, lincoln, sam, eva)
    people.contact(session, sam)
    people.contact(session, eva, method="call")
    people.list_contact(session, people.contact(session, eva, phone=None), "no_number")
    session.commit()


@pytest.fixture
def counted(session, office, families):
    count(session, office)


def count(session, office, *, ago=0):
    day = office.now().astimezone(office.settings.zone).date() - timedelta(days=ago)
    record_scores(session, day, zone=office.settings.zone, reachable_days=120)
    session.commit()


def report(person, text=""):
    return person.command("/cleanup", f"report {text}").message


def lists(message):
    return screens.values(message, "list.show.scored")


def test_report_of_a_school_has_its_grades(office, counted, snapshot):
    message = report(office.clara)
    assert lists(message) == ["all", 'grade 2 school "Lincoln Elementary"', 'grade 5 school "Lincoln Elementary"']
    assert draw(message) == snapshot


def test_report_of_the_district_has_its_schools(office, counted, snapshot):
    message = report(office.dana)
    assert lists(message) == ["all", 'school "Lincoln Elementary"', 'school "Roosevelt High"']
    assert draw(message) == snapshot


@pytest.mark.parametrize("typed", ["teachers", "teacher", "by teacher", "teachers at Lincoln"])
def test_report_by_teacher(office, counted, typed):
    message = report(office.clara, typed)
    assert "▓▓▓▓▓░░░░░ *Ana García*\n50% of 2 students" in text_of(message)
    assert lists(message)[1:] == ['teacher "Ana García" school "Lincoln Elementary"']


def test_teachers_of_a_district_come_with_their_school(office, counted):
    assert "*Ana García · Lincoln Elementary*" in text_of(report(office.dana, "teachers"))


def test_comparison_leads_from_grades_to_teachers_and_back(office, counted):
    message = report(office.clara)
    assert office.clara.press(message, text="Compare teachers").ok
    assert "Ana García" in text_of(office.clara.current(message))
    assert office.clara.press(office.clara.current(message), text="Compare grades").ok
    assert "Grade 5" in text_of(office.clara.current(message))


def test_teacher_reads_the_figures_of_their_own_students(office, counted):
    message = report(office.ana)
    assert "▓▓▓▓▓░░░░░ *50%* of 2 students have an adult we can text." in text_of(message)
    assert "1 contact to fix" in text_of(message)
    assert lists(message) == ["all"]
    assert "Lincoln" not in text_of(report(office.ana, "schools"))


@pytest.mark.parametrize(
    ("typed", "number"), [("grade 5", "2 students"), ("grade 2", "1 student"), ("teacher García", "2 students")]
)
def test_other_selections_are_counted_now(office, counted, typed, number):
    assert f"of {number} " in text_of(report(office.clara, typed))


def test_too_many_students_are_not_counted_now(office, counted, monkeypatch):
    monkeypatch.setattr("bot.slack.report._MAX_STUDENTS", 1)
    assert "too many students to count at once" in text_of(report(office.dana, "grades 2-5"))
    assert "of 1 student " in text_of(report(office.dana, "grade 2"))
    assert "of 4 students " in text_of(report(office.dana))


def test_clerk_reads_nothing_about_another_school(office, counted):
    message = report(office.clara, "school Roosevelt")
    assert "Roosevelt High" not in str(message.blocks)
    assert "of 1 student" not in text_of(message)


def test_district_manager_may_name_a_school(office, counted):
    message = report(office.dana, "school Roosevelt")
    assert "100%* of 1 student has an adult we can text." in text_of(message)
    assert lists(message)[1:] == ['grade 9 school "Roosevelt High"']


def test_change_since_four_weeks_is_said_and_the_weeks_are_listed(office, session, families):
    count(session, office, ago=28)
    people.contact(session, people.student(session, "Zoe", at=office.district.lincoln))
    session.commit()
    count(session, office)
    assert report(office.clara) is None  # A workspace may refuse the chart, which only a response_url would tell.
    message = office.clara.last()
    assert "*50%* of 4 students have an adult we can text (up 17 points in 4 weeks)." in text_of(message)
    (chart,) = (block["chart"] for block in message.blocks if block["type"] == "data_visualization")
    assert [point["value"] for point in chart["series"][0]["data"]] == [33.3, 50]


def test_report_before_the_first_scores_counts_now(office, families):
    text = text_of(report(office.clara))
    assert "*33%* of 3 students" in text
    assert "once the first scores are stored" in text


def test_list_opens_from_a_row(office, counted):
    message = report(office.clara)
    assert office.clara.press(message, value='grade 5 school "Lincoln Elementary"').ok
    assert "Grade 5" in text_of(office.clara.last())


def test_clock_counts_so_that_a_report_needs_no_waiting(office, families):
    assert office.tick().failed == ()
    assert "Grade 5" in text_of(report(office.clara))


def test_many_schools_have_pages(office, session, families):
    for number in range(14):
        people.student(session, at=people.school(session, f"School {number:02}"))
    session.commit()
    count(session, office)
    first = report(office.dana)
    assert len(lists(first)) == 13
    assert office.dana.press(first, text="Next ▶").ok
    second = office.dana.current(first)
    assert len(lists(second)) == 5
    assert set(lists(first)) & set(lists(second)) == {"all"}


def test_teachers_of_a_district_have_pages(office, session, families):
    lincoln = office.district.lincoln
    for number in range(30):
        teacher = people.staff(session, "Tara", f"Teacher{number:02}", f"t{number}@lincoln.example", at=lincoln)
        people.school_class(session, teacher, lincoln, people.student(session, at=lincoln))
    session.commit()
    count(session, office)
    loaded = []
    event.listen(ReachabilityScore, "load", load := lambda score, _: loaded.append(score.kind))
    pages = [report(office.dana, f"teachers page {page}") for page in (1, 2, 3, 4)]
    event.remove(ReachabilityScore, "load", load)
    assert loaded.count("teacher") == 12 + 12 + 7 + 7
    rows = [lists(page)[1:] for page in pages]
    assert [len(page) for page in rows] == [12, 12, 7, 7]
    assert len({row for page in rows for row in page}) == 31


@pytest.mark.parametrize("typed", ["blocked", "no adult"])
def test_words_that_cannot_narrow_a_report_are_left_out(office, counted, typed):
    assert "left out" in text_of(report(office.clara, typed))


@pytest.mark.parametrize("typed", ["download", "export", "grade 5 export"])
def test_words_for_a_file_still_lead_to_the_download(office, counted, typed):
    assert "*Download…* below makes an Excel or CSV file" in text_of(office.clara.command("/cleanup", typed).message)


def test_report_behind_a_filter_offers_both(office, counted):
    message = office.clara.command("/cleanup", "grade 5 report").message
    assert "*Download…* below makes an Excel or CSV file" in text_of(message)
    assert "/cleanup report grade 5" in screens.labels(message)
