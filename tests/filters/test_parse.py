"""Lines that clerks type after `/cleanup`, all understood completely, with the filter that each one means."""

import pytest

from bot.filters.filter import Filter
from bot.filters.parse import Parsed, parse_filter, suggest_commands
from bot.filters.vocabulary import Vocabulary
from bot.filters.words import GRAMMAR

DISTRICT = Vocabulary(
    schools=(
        "Lincoln Elementary",
        "Roosevelt High",
        "Martin Luther King Jr. Middle School",
        "Oak Park & River Forest High School",
        "Saint Mary's Academy",
        "Fifth Avenue School",
    ),
    teachers=("Ana García", "Tom Brown", "Sara Tanner", "Peter O'Brien", "Lincoln Stone", "Rosa Núñez", "Tim Núñez"),
    classes=("5B", "5C", "K-1", "ALG1"),
    grades=("PK", "K", "1", "2", "5", "11", "12"),
    mentions={"U0ANA": "Ana García", "ana.garcia@district.example": "Ana García"},
)

GRADES = {
    "grade 5": "grade 5",
    "5": "grade 5",
    "05": "grade 5",
    "5th": "grade 5",
    "５ｔｈ": "grade 5",
    "5th grade": "grade 5",
    "5th graders": "grade 5",
    "fifth": "grade 5",
    "fifth grade": "grade 5",
    "grade five": "grade 5",
    "first grade": "grade 1",
    "gr5": "grade 5",
    "gr 5": "grade 5",
    "gr. 5": "grade 5",
    "g5": "grade 5",
    "grade5": "grade 5",
    "grade-5": "grade 5",
    "grade:5": "grade 5",
    "grade: 5": "grade 5",
    "grade = 5": "grade 5",
    "grade #5": "grade 5",
    "'grade 5'": "grade 5",
    "grade\u00a05": "grade 5",
    "gra\u200bde 5\ufeff": "grade 5",
    "K": "grade K",
    "kinder": "grade K",
    "kindergarten": "grade K",
    "kindergarteners": "grade K",
    "pre-k": "grade PK",
    "pre k": "grade PK",
    "PreK": "grade PK",
    "transitional kindergarten": "grade TK",
    "seniors": "grade 12",
    "grades 3-5": "grade 3-5",
    "grades 3–5": "grade 3-5",
    "grades 3 - 5": "grade 3-5",
    "3-5": "grade 3-5",
    "grades 5-3": "grade 3-5",
    "grades 1-2": "grade 1,2",
    "grades 1-3": "grade 1-3",
    "grades 3 to 5": "grade 3-5",
    "grade 3 through 5": "grade 3-5",
    "9th to 12th": "grade 9-12",
    "9th-12th": "grade 9-12",
    "9th thru 12th graders": "grade 9-12",
    "K-2": "grade K-2",
    "k to 2": "grade K-2",
    "pk-3": "grade PK-3",
    "pre-k to 2nd": "grade PK-2",
    "pre-k-2": "grade PK-2",
    "3,4": "grade 3,4",
    "3, 4": "grade 3,4",
    "3 4": "grade 3,4",
    "3/4": "grade 3,4",
    "3 & 4": "grade 3,4",
    "3 &amp; 4": "grade 3,4",
    "grades 3 and 4": "grade 3,4",
    "3rd, 4th, and 5th": "grade 3-5",
    "k,1,8": "grade K,1,8",
    "grado 5": "grade 5",
}

STATUSES = {
    "blocked": "blocked",
    "Blocked.": "blocked",
    "ＢＬＯＣＫＥＤ": "blocked",
    "status blocked": "blocked",
    "status:blocked": "blocked",
    "how many blocked": "blocked",
    "red": "red",
    "red ones": "red",
    "yellow": "yellow",
    "landline": "landline",
    "landlines": "landline",
    "land line": "landline",
    "land-lines": "landline",
    "turned off": "turned-off",
    "turned-off": "turned-off",
    "turned_off": "turned-off",
    "off": "turned-off",
    "phone is off": "turned-off",
    "unconfirmed": "unconfirmed",
    "not confirmed": "unconfirmed",
    "inactive": "inactive",
    "out of service": "inactive",
    "wrong numbers": "wrong-person",
    "wrong person": "wrong-person",
    "grade 5 wrong number": "grade 5 wrong-person",
    "opt out": "opt-out",
    "opt-out": "opt-out",
    "opt-outs": "opt-out",
    "opted-out": "opt-out",
    "optout": "opt-out",
    "status: opt out": "opt-out",
    "STOP": "opt-out",
    "no number": "no-number",
    "no-number": "no-number",
    "no phone number": "no-number",
    "without a number": "no-number",
    "missing": "no-number",
    "blocked, inactive": "inactive,blocked",
    "blocked/inactive": "inactive,blocked",
    "landline, turned off": "landline,turned-off",
    "landline or turned off or unconfirmed": "yellow",
    "no adult": "no-adult",
    "No Adults grade 5": "grade 5 no-adult",
    "no-adult": "no-adult",
    "students without an adult": "no-adult",
    "blocked, no parents": "blocked no-adult",
    "student maria no adult": 'no-adult student "maria"',
}

PEOPLE = {
    "O'Brien": 'student "O\'Brien"',
    "O\u2019Brien": 'student "O\'Brien"',
    "O`Brien": 'student "O\'Brien"',
    "Núñez": 'student "Núñez"',
    "Nunez": 'student "Nunez"',
    "‘Maria’": 'student "Maria"',
    "*Maria*": 'student "Maria"',
    "Maria Rivera's mom": 'student "Maria Rivera"',
    "student maria blocked": 'blocked student "maria"',
    "name: Maria": 'student "Maria"',
    "last name Garcia": 'student "Garcia"',
    "students named Maria Lopez grade 5": 'grade 5 student "Maria Lopez"',
    "Maria G": 'student "Maria G"',
    "Junior": 'student "Junior"',
    "teacher Tanner": 'teacher "Sara Tanner"',
    "teacher = tanner": 'teacher "Sara Tanner"',
    "teacher ms tanner": 'teacher "Sara Tanner"',
    "ms tanner": 'teacher "Sara Tanner"',
    "ms tanner's students": 'teacher "Sara Tanner"',
    "Mrs Tanner’s class": 'teacher "Sara Tanner"',
    "ms tanners kids": 'teacher "Sara Tanner"',
    "tanner's class": 'teacher "Sara Tanner"',
    "homeroom Tanner": 'teacher "Sara Tanner"',
    "in ms tanner's 5th grade class": 'grade 5 teacher "Sara Tanner"',
    "Dr. Tom Brown": 'teacher "Tom Brown"',
    "ana garcia": 'teacher "Ana García"',
    "García, Ana": 'teacher "Ana García"',
    "mr o'brien": 'teacher "Peter O\'Brien"',
    "teacher nunez": 'teacher "nunez"',
    "ms Unheardof": 'teacher "Unheardof"',
    "<@U0ANA|ana>": 'teacher "Ana García"',
    "<mailto:ana.garcia@district.example|Ana.Garcia@district.example>": 'teacher "Ana García"',
    "Ana.Garcia@district.example,": 'teacher "Ana García"',
    "Lincoln Stone": 'teacher "Lincoln Stone"',
}

# Words of other products and of the field.
FIELD = {
    "voip": "landline",
    "bad numbers": "inactive",
    "do not contact": "opt-out",
    "don't text": "opt-out",
    "grade 5 do not contact": "grade 5 opt-out",
    "grade 5 unreachable": "grade 5",
    "undeliverable grade 5": "grade 5",
    "uncontactable 5th": "grade 5",
    "not textable grade 5": "grade 5",
    "grade 5 cannot be texted": "grade 5",
    "bounced texts grade 5": "grade 5",
}
WHOLE_LIST = ["unreachable", "undeliverable", "uncontactable", "not textable", "can't be reached", "bounced"]

CLASSES = {
    "5B": 'class "5B"',
    "5b": 'class "5B"',
    "class 5B": 'class "5B"',
    'class "5B"': 'class "5B"',
    "homeroom 5b": 'class "5B"',
    "room 5B": 'class "5B"',
    "grade 5B": 'class "5B"',
    "blocked 5B": 'blocked class "5B"',
    "alg1": 'class "ALG1"',
}

SCHOOLS = {
    "lincoln": 'school "Lincoln Elementary"',
    "LINCOLN ELEM": 'school "Lincoln Elementary"',
    "elementary lincoln": 'school "Lincoln Elementary"',
    "lincoln elementary school": 'school "Lincoln Elementary"',
    "at lincoln": 'school "Lincoln Elementary"',
    "school:lincoln": 'school "Lincoln Elementary"',
    "roosevelt high school": 'school "Roosevelt High"',
    "high school": 'school "high"',
    "oak park & river forest": 'school "Oak Park & River Forest High School"',
    "martin luther king": 'school "Martin Luther King Jr. Middle School"',
    "mlk": 'school "Martin Luther King Jr. Middle School"',
    "st. mary's": 'school "Saint Mary\'s Academy"',
    "saint marys": 'school "Saint Mary\'s Academy"',
    "fifth avenue": 'school "Fifth Avenue School"',
    "school Nowhere Prep": 'school "Nowhere Prep"',
    "maria lincoln": 'student "maria" school "Lincoln Elementary"',
    "Kim Park": 'student "Kim Park"',
    "Sam Rivera Jr": 'student "Sam Rivera Jr"',
    "Sam Lincoln's mom": 'student "Sam Lincoln"',
    "Page": 'student "Page"',
    "teacher Page": 'teacher "Page"',
    "student Page page 2": 'student "Page" page 2',
}

NUMBERS = {
    **dict.fromkeys(
        (
            *("(312) 555-0142", "312.555.0142", "312-555-0142", "312 555 0142", "3125550142", "13125550142"),
            *("+1 312 555 0142", "+1 (312) 555-0142", "+13125550142", "1-312-555-0142", "phone:312-555-0142"),
            *("<tel:+13125550142|312-555-0142>", "<tel:+13125550142|(312) 555-0142>", "who has 312‑555‑0142?"),
        ),
        'number "3125550142"',
    ),
    "red 312-555-0142": 'red number "3125550142"',
    "grade 5 (312) 555-0142": 'grade 5 number "3125550142"',
    "+44 20 7946 0958": 'number "442079460958"',
    "555-0142": 'number "5550142"',
    "0142": 'number "0142"',
    "0912": 'number "0912"',
    "number 0142": 'number "0142"',
    "phone 2026": 'number "2026"',
    "900017": 'number "900017"',
    "student 900017": 'number "900017"',
    "student number 900017": 'number "900017"',
    "student id 17": 'number "17"',
    "id 900017": 'number "900017"',
    "Rivera 0142": 'student "Rivera" number "0142"',
    "student Rivera 0142": 'student "Rivera" number "0142"',
    "lincoln 0142": 'school "Lincoln Elementary" number "0142"',
    "number 5": "grade 5",
    "09-12": "grade 9-12",
    "page 2026": "page 2026",
    'ids "7 3"': 'ids "3 7"',
}

TOGETHER = {
    "": "",
    "all": "",
    "show me the list please": "",
    "my students": "",
    "/cleanup grade 5": "grade 5",
    "can you show me grade 5": "grade 5",
    "show me all blocked students in grade 5 at lincoln": 'grade 5 blocked school "Lincoln Elementary"',
    "lincoln blocked 5th": 'grade 5 blocked school "Lincoln Elementary"',
    "5th, Lincoln, blocked": 'grade 5 blocked school "Lincoln Elementary"',
    "teacher garcia school lincoln": 'teacher "Ana García" school "Lincoln Elementary"',
    "teacher garcia lincoln blocked": 'blocked teacher "Ana García" school "Lincoln Elementary"',
    "maria ms tanner red k-2 page 2": 'grade K-2 red student "maria" teacher "Sara Tanner" page 2',
    "grade 5 or blocked": "grade 5 blocked",
    "blocked page 2 of 3": "blocked page 2",
    "🎉 grade 5 :tada:": "grade 5",
}

TYPED = GRADES | STATUSES | PEOPLE | FIELD | CLASSES | SCHOOLS | NUMBERS | TOGETHER


@pytest.mark.parametrize(("typed", "understood"), TYPED.items())
def test_line_is_understood_completely(typed, understood):
    parsed = parse_filter(typed, DISTRICT)
    assert (str(parsed.filter), parsed.unknown) == (understood, ())


def test_number_that_is_a_class_or_a_school_stays_one():
    vocabulary = Vocabulary(schools=("School 1042",), classes=("2201",))
    assert str(parse_filter("2201", vocabulary).filter) == 'class "2201"'
    assert str(parse_filter("school 1042", vocabulary).filter) == 'school "School 1042"'


@pytest.mark.parametrize("typed", WHOLE_LIST)
def test_words_for_everyone_on_the_list_do_not_narrow_it(typed):
    assert parse_filter(typed, DISTRICT) == Parsed(Filter())


@pytest.mark.parametrize("typed", [*GRADES, *STATUSES, *SCHOOLS, *TOGETHER])
def test_case_does_not_matter(typed):
    folded = {
        str(parse_filter(written, DISTRICT).filter).casefold() for written in (typed, typed.upper(), typed.lower())
    }
    assert len(folded) == 1


@pytest.mark.parametrize("typed", [*GRADES, *STATUSES])
def test_grades_and_statuses_need_no_vocabulary(typed):
    assert str(parse_filter(typed).filter) == TYPED[typed]


IN_ANY_ORDER = ("grades 3 to 5", "opt out", 'student "Maria"', "teacher tanner", "school lincoln")


@pytest.mark.parametrize("turn", range(len(IN_ANY_ORDER)))
def test_parts_may_be_in_any_order(turn):
    typed = " ".join(IN_ANY_ORDER[turn:] + IN_ANY_ORDER[:turn])
    understood = 'grade 3-5 opt-out student "Maria" teacher "Sara Tanner" school "Lincoln Elementary"'
    assert str(parse_filter(typed, DISTRICT).filter) == understood


@pytest.mark.parametrize(
    "name", ["Grade", "Blocked", "Red", "Grade Blocked", "Page", "teacher", "5th", "K", "Lincoln", "99"]
)
@pytest.mark.parametrize("quotes", ['"{}"', "“{}”", 'student "{}"', "name: “{}”", '"{}'])
def test_quoted_word_is_always_a_name(name, quotes):
    parsed = parse_filter(quotes.format(name), DISTRICT)
    assert (parsed.filter.names, str(parsed.filter)) == (tuple(name.split()), f'student "{name}"')


def test_title_key_or_quotes_tell_teachers_from_students():
    assert parse_filter("tanner", DISTRICT).filter.names == ("tanner",)
    assert parse_filter("ms tanner", DISTRICT).filter.teacher == "Sara Tanner"
    assert parse_filter("sara tanner", DISTRICT).filter.teacher == "Sara Tanner"
    assert parse_filter("student sara tanner", DISTRICT).filter.names == ("sara", "tanner")
    assert parse_filter('"sara tanner" ms tanner', DISTRICT).filter.names == ("sara", "tanner")


def test_quoted_schools_and_teachers_are_kept_as_typed():
    assert (
        str(parse_filter('school "lincoln" teacher “tanner”', DISTRICT).filter) == 'teacher "tanner" school "lincoln"'
    )


@pytest.mark.parametrize("phrase", GRAMMAR, ids=lambda phrase: phrase.example)
def test_every_example_of_the_help_works(phrase):
    for vocabulary in (None, DISTRICT):
        parsed = parse_filter(phrase.example, vocabulary)
        assert parsed.unknown == ()
        assert str(parsed.filter)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hlep", ("help",)),
        ("pendng", ("pending",)),
        ("my pending", ("pending",)),
        ("grade 5 pending", ("pending grade 5",)),
        ("forcast grade 5", ("forecast grade 5",)),
        ("grade 5 forecast lincoln", ('forecast grade 5 school "Lincoln Elementary"',)),
        ("subscirbe blocked", ("subscribe blocked",)),
        ("unsubscribe red", ("unsubscribe",)),
        ("subscription", ("subscriptions",)),
        ("grade 5 blokced", ()),
        ("Holden", ()),
    ],
)
def test_misspelled_or_misplaced_command_is_suggested(typed, meant):
    assert suggest_commands(parse_filter(typed, DISTRICT), unmatched_names=True) == meant


def test_name_of_a_student_is_not_a_command():
    assert suggest_commands(parse_filter("Fendig", DISTRICT), unmatched_names=True) == ()
    assert suggest_commands(parse_filter("pendng", DISTRICT), unmatched_names=False) == ()


def test_mentions_share_the_index_of_the_vocabulary():
    known = Vocabulary(("Lincoln Elementary",), ("Ana García",))
    with_mentions = known.with_mentions({"UANA": "Ana García"})
    assert with_mentions.teacher_index is known.teacher_index
    assert with_mentions.mentions == {"UANA": "Ana García"}
    assert not known.mentions
