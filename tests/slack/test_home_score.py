"""The Home tab of people who see more than a class opens on the reachability score: in words, as a chart, and by school or grade."""

import pytest
from support import edits, people, screens
from support.snapshots import draw
from support.statements import captured_statements
from support.stored_scores import add_score

from bot.access.rights import AccessLevel
from bot.db.models.messages import ListEntry
from bot.db.models.roster import StaffRole
from bot.sandbox.slack.models import text_of

NO_SCORES = "How many students have an adult we can text?"


@pytest.fixture
def scores(session, office):
    """Eight weeks of the district, its two schools today and four weeks ago, and two grades of Lincoln."""
    for week in range(8):
        add_score(session, office, days_ago=7 * week, textable=960 - 5 * week)
    for school, textable in ((office.district.lincoln, 440), (office.district.roosevelt, 480)):
        for days_ago in (0, 28):
            place = {"students": 500, "textable": textable - days_ago, "school_id": school.id}
            add_score(session, office, days_ago=days_ago, kind="school", **place)
    for grade, textable in (("K", 70), ("5", 65)):
        of_grade = {"school_id": office.district.lincoln.id, "grade": grade}
        add_score(session, office, kind="grade", students=80, textable=textable, **of_grade)
    session.commit()


def visit(office, name):
    assert office.people[name].open_home().ok
    return office.people[name].home


def blocks_of(home, kind):
    return [block for block in home.blocks if block["type"] == kind]


def test_home_of_the_district_opens_on_the_score(office, scores, snapshot):
    assert draw(visit(office, "dana")).split("---")[0] == snapshot


def test_chart_has_a_point_for_each_week(office, scores):
    (chart,) = blocks_of(visit(office, "dana"), "data_visualization")
    values = [point["value"] for point in chart["chart"]["series"][0]["data"]]
    assert values == [92.5, 93, 93.5, 94, 94.5, 95, 95.5, 96]


def test_school_with_the_lowest_share_is_first(office, scores):
    (table,) = blocks_of(visit(office, "dana"), "data_table")
    assert [[cell["text"] for cell in row[:4]] for row in table["rows"][1:]] == [
        ["Lincoln Elementary", "500", "88", "82"],
        ["Roosevelt High", "500", "96", "90"],
    ]


def test_grades_of_a_school_are_buttons_into_the_list(office, session, scores, snapshot):
    sam = people.student(session, at=office.district.lincoln)
    people.list_contact(session, people.contact(session, sam))
    kim = people.student(session, "Kim", "Young", grade="K", at=office.district.lincoln)
    people.list_contact(session, people.contact(session, kim, family="Young"))
    session.commit()
    assert draw(visit(office, "clara")).split("---")[0] == snapshot
    assert office.clara.press(office.clara.home, text="Grade 5: 81%").ok
    assert screens.student_ids(office.clara.home) == [sam.id]


def test_home_of_a_teacher_has_no_score(office, scores):
    home = visit(office, "ana")
    assert not blocks_of(home, "data_visualization")
    assert "adult we can text" not in text_of(home)


def test_score_says_when_it_was_counted(office, session, scores):
    assert "Last counted today" in text_of(visit(office, "dana"))
    office.advance(days=1)
    assert "Last counted on " in text_of(visit(office, "dana"))


def test_first_day_says_when_figures_come(office):
    assert NO_SCORES in text_of(visit(office, "dana"))
    assert NO_SCORES not in text_of(visit(office, "ana"))


def test_person_of_several_schools_reads_their_sum(office, session, scores):
    clara = office.district.clara
    session.add(StaffRole(staff_id=clara.id, school_id=office.district.roosevelt.id, role="siteAdministrator"))
    session.commit()
    home = visit(office, "clara")
    assert "*92%* of 1,000 students have an adult we can text." in text_of(home)
    assert len(blocks_of(home, "data_table")[0]["rows"]) == 3


def test_workspace_without_charts_reads_the_figures(office, scores):
    office.slack.refused_blocks |= {"data_visualization", "data_table"}
    home = visit(office, "dana")
    assert "Lincoln Elementary* · Students: 500" in text_of(home)
    assert not blocks_of(home, "data_table")


def test_button_shows_who_fixed_how_many(office, session, scores):
    sam = people.student(session, at=office.district.lincoln)
    maria = people.list_contact(session, people.contact(session, sam))
    clara = people.actor_of(office.district.clara, level=AccessLevel.DISTRICT, user_id=office.clara.id)
    edits.change(session, maria, phone="(312) 555-7177", actor=clara)
    session.commit()
    visit(office, "clara")
    visit(office, "dana")
    assert office.dana.press(office.dana.home, text="Who fixed how many").ok
    assert "*Clara Clerk*: 1 contact" in text_of(office.dana.view)


def test_score_costs_two_statements(office, scores):
    visit(office, "dana")
    with captured_statements() as statements:
        visit(office, "dana")
    assert sum("reachability_scores" in statement for statement in statements) == 2


def test_own_work_comes_before_the_score(office, session, scores):
    """A clerk who has calls to make need not scroll past it."""
    sam = people.student(session, at=office.district.lincoln)
    maria = people.list_contact(session, people.contact(session, sam))
    entry = session.get(ListEntry, maria.id)
    entry.claimed_by, entry.claimed_at = office.clara.id, office.now()
    session.commit()
    text = text_of(visit(office, "clara"))
    assert text.index("Your work") < text.index("have an adult we can text")
