"""Rows are read many at once where they are alike. What is read must be the same as one by one."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.sis import cells, oneroster_rows
from bot.sis.block import Block
from bot.sis.columns import Columns, Picker
from bot.sis.lines import Lines, rows_of, text_of
from bot.sis.oneroster_columns import COLUMNS, NEEDED_CELLS
from bot.sis.reading import Reading
from bot.sis.rows import Kind

LINES = st.lists(
    st.sampled_from(["a,b,c", "1,é,3", '"a",b,"c,d"', " a, b,c ", 'a,5" pipe,c', '="1",,', "a,b", "a,b,c,d", ",,", ""])
    | st.text(st.sampled_from('ab,," \r\n\0é\udce9\u2028'), max_size=12),
    max_size=30,
)
ENDS = st.sampled_from(["\r\n", "\n", "\r"])


def read(text, at_once):
    with text_of(io.BufferedReader(io.BytesIO(text.encode("utf-8", "surrogateescape")))) as stream:
        lines = Lines(stream, at_once=at_once)
        return list(rows_of(lines)), lines.foreign, lines.foreign_count, lines.characters, lines.number


@given(LINES, ENDS, st.booleans(), st.integers(1, 40))
@example(["a,b", '1,"', '2,"', "3,4"], "\n", True, 2)
@example(["a,b", "1,2", '3,"4'], "\n", False, 2)
@example(["a,b", "1," + "x" * 200_000, "3,4"], "\n", False, 3)
@example(["a,b", "1,2," + "x" * 119_995, "3,4"], "\r\n", True, 3)
@example(["a,b", "1,2," + "x" * 119_995, "3,4"], "\r", True, 3)
def test_lines_read_many_at_once_are_the_rows_that_they_are_one_by_one(some, end, is_ended, at_once):
    text = end.join(["a,b,c", *some]) + (end if is_ended else "")
    assert read(text, at_once) == read(text, 0)


CELLS = {
    "status": st.sampled_from(["", "active", "tobedeleted", "inactive"]),
    "role": st.sampled_from(["", "student", "Parent", "ext:guardian", "ext:owl", "janitor"]),
    "type": st.sampled_from(["school", "District", "zoo", ""]),
    "enabledUser": st.sampled_from(["", "true", "false", "No"]),
    "primary": st.sampled_from(["", "true", "1", "no"]),
    "grades": st.sampled_from(["", "05", "KG,1", "owl"]),
    "classType": st.sampled_from(["homeroom", "Homeroom", "scheduled"]),
    "sms": st.sampled_from(["", "(312) 555-0142", "312-555-0143 x5", "N/A", "312-555-0142 / 312-555-0199"]),
    "startDate": st.sampled_from(["", "2026-08-17", "8/7/2026", "soon"]),
    "agentSourcedIds": st.sampled_from(["", "maria", "maria,joao, maria", ","]),
    "givenName": st.sampled_from(["", "Ana", "Zoë", "Mary  Ann"]),
}
ALIKE = {
    **dict.fromkeys(("endDate", "beginDate"), "startDate"),
    **dict.fromkeys(("orgSourcedIds", "termSourcedIds"), "agentSourcedIds"),
    **dict.fromkeys(("familyName", "name", "title"), "givenName"),
    "phone": "sms",
}
IDS = st.sampled_from(["ana", "sam", "", "a,b", 'a"', "x" * 256])


def day(cell):
    return cells.day(cell, month_first=True)


def rows_for(kind):
    row = st.fixed_dictionaries({column: CELLS.get(ALIKE.get(column, column), IDS) for column in COLUMNS[kind]})
    return st.lists(row, max_size=8)


@pytest.mark.parametrize("kind", COLUMNS)
@given(data=st.data())
def test_what_rows_say_together_they_say_one_by_one(kind, data):
    def translate(block, *, file):
        return oneroster_rows.translated(kind, block, file=file, region="US", day=day)

    reading = Reading(kind, f"{kind}.csv", NEEDED_CELLS[kind], translate)
    numbered = list(enumerate(data.draw(rows_for(kind)), 2))
    together = reading.read(Block.of(COLUMNS[kind], numbered))
    one_by_one = [row for one in numbered for row in reading.read(Block.of(COLUMNS[kind], [one]))]
    assert list(together) == one_by_one
    assert list(map(type, together)) == list(map(type, one_by_one))


def test_rows_of_one_line_stand_in_the_order_in_which_it_says_them():
    cell = dict.fromkeys(COLUMNS[Kind.ROLES], "") | {"userSourcedId": "ana", "role": "teacher"}
    both = [(2, cell | {"beginDate": "soon", "endDate": "later"}), (3, cell | {"role": "janitor"})]
    rows = oneroster_rows.translated(
        Kind.ROLES, Block.of(COLUMNS[Kind.ROLES], both), file="roles.csv", region="US", day=day
    )
    assert [(type(row).__name__, row.line) for row in rows] == [
        ("RoleRow", 2),
        ("Rejection", 2),
        ("Rejection", 2),
        ("Rejection", 3),
        ("UnreadRow", 3),
    ]


def test_a_row_that_ends_early_has_blanks_and_one_that_goes_on_with_blanks_says_nothing_more():
    pick = Picker(Columns(("id", "name", "none"), ("id",), ("id",), {}), ["name", "id"])
    rows = [["Ana", "1"], ["Sam"], ["Lea", "3", " ", ""], ["Joe", "4", "", "x"]]
    assert pick.having_more(rows) == [False, False, False, True]
    block = pick.of(range(2, 6), rows)
    assert block.cell == {"id": ("1", "", "3", "4"), "name": ("Ana", "Sam", "Lea", "Joe"), "none": ("",) * 4}
