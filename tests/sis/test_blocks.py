"""Rows are read in blocks where possible, with the same result as one by one."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.sis import cells, oneroster_rows
from bot.sis.columns import Block, FileFormat, Header, RowReader
from bot.sis.lines import LineReader, open_text, read_rows
from bot.sis.oneroster_rows import FORMATS
from bot.sis.rows import Kind

LINES = st.lists(
    st.sampled_from(["a,b,c", "1,é,3", '"a",b,"c,d"', " a, b,c ", 'a,5" pipe,c', '="1",,', "a,b", "a,b,c,d", ",,", ""])
    | st.text(st.sampled_from('ab,," \r\n\0é\udce9\u2028'), max_size=12),
    max_size=30,
)
ENDS = st.sampled_from(["\r\n", "\n", "\r"])


def read(text, block_rows):
    with open_text(io.BufferedReader(io.BytesIO(text.encode("utf-8", "surrogateescape")))) as stream:
        reader = LineReader(stream, block_rows=block_rows)
        rows = list(read_rows(reader))
        return rows, reader.first_not_utf8, reader.not_utf8, reader.characters, reader.number


@given(LINES, ENDS, st.booleans(), st.integers(1, 40))
@example(["a,b", '1,"', '2,"', "3,4"], "\n", True, 2)
@example(["a,b", "1,2", '3,"4'], "\n", False, 2)
@example(["a,b", "1," + "x" * 200_000, "3,4"], "\n", False, 3)
@example(["a,b", "1,2," + "x" * 119_995, "3,4"], "\r\n", True, 3)
@example(["a,b", "1,2," + "x" * 119_995, "3,4"], "\r", True, 3)
def test_lines_in_blocks_are_the_same_rows_as_one_by_one(lines, end, is_ended, block_rows):
    text = end.join(["a,b,c", *lines]) + (end if is_ended else "")
    assert read(text, block_rows) == read(text, 0)


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


def read_day(cell):
    return cells.parse_date(cell, month_first=True)


def rows_for(kind):
    row = st.fixed_dictionaries({column: CELLS.get(ALIKE.get(column, column), IDS) for column in FORMATS[kind].columns})
    return st.lists(row, max_size=8)


@pytest.mark.parametrize("kind", FORMATS)
@given(data=st.data())
def test_rows_in_a_block_are_translated_as_one_by_one(kind, data):
    def translate(block, *, file):
        return oneroster_rows.translate(kind, block, file=file, region="US", read_day=read_day)

    reader = RowReader(kind, f"{kind}.csv", FORMATS[kind].needed, translate)
    numbered = list(enumerate(data.draw(rows_for(kind)), 2))
    columns = FORMATS[kind].columns
    together = reader.read(Block.from_rows(columns, numbered))
    one_by_one = [row for each in numbered for row in reader.read(Block.from_rows(columns, [each]))]
    assert list(together) == one_by_one
    assert list(map(type, together)) == list(map(type, one_by_one))


def test_rows_of_one_line_keep_their_order():
    columns = FORMATS[Kind.ROLES].columns
    cell = dict.fromkeys(columns, "") | {"userSourcedId": "ana", "role": "teacher"}
    both = [(2, cell | {"beginDate": "soon", "endDate": "later"}), (3, cell | {"role": "janitor"})]
    rows = oneroster_rows.translate(
        Kind.ROLES, Block.from_rows(columns, both), file="roles.csv", region="US", read_day=read_day
    )
    assert [(type(row).__name__, row.line) for row in rows] == [
        ("RoleRow", 2),
        ("Rejection", 2),
        ("Rejection", 2),
        ("Rejection", 3),
        ("UnreadRow", 3),
    ]


def test_short_rows_get_blanks_and_only_text_counts_as_extra_cells():
    header = Header(FileFormat(("id", "name", "none"), ("id",), ("id",), {}), ["name", "id"])
    rows = [["Ana", "1"], ["Sam"], ["Lea", "3", " ", ""], ["Joe", "4", "", "x"]]
    assert header.has_extra_cells(rows) == [False, False, False, True]
    block = header.block(range(2, 6), rows)
    assert block.columns == {"id": ("1", "", "3", "4"), "name": ("Ana", "Sam", "Lea", "Joe"), "none": ("",) * 4}
