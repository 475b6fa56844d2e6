"""Lines on their way to the database: whatever blocks they come in, none that is blank or too long passes unseen."""

import pytest

from bot.sis.lines import LONGEST_LINE
from bot.sync.line_scanner import Passing

BLOCKS = (1, 2, 3, 7, 1 << 16, 1 << 20)


def passed(content, size):
    passing = Passing()
    for start in range(0, len(content), size):
        passing.see(content[start : start + size])
    return passing


@pytest.mark.parametrize("size", BLOCKS)
@pytest.mark.parametrize("odd", ["", "\r", " ", ",", ",,,", '""', '"",""', ' "", ', '"",,'])
@pytest.mark.parametrize("before", [b"", b"S1,Sam\n", b"S1,Sam\r\n"])
def test_a_blank_line_is_seen_wherever_a_block_ends(before, odd, size):
    assert passed(before + odd.encode() + b"\nS2,Lea\n", size).may_be_odd


@pytest.mark.parametrize("size", BLOCKS[2:])
@pytest.mark.parametrize("before", [b"", b"S1,Sam\n" * 3, b"S1,Sam\n" * 30_000])
def test_a_line_longer_than_a_row_may_be_is_seen_wherever_it_begins(before, size):
    assert passed(before + b"x" * LONGEST_LINE + b"\nS2,Lea\n", size).may_be_odd


@pytest.mark.parametrize("size", BLOCKS[:-1])
def test_lines_of_rows_are_not_odd_and_are_counted(size):
    passing = passed(b'S1,Sam\r\n"S2","Lea"\n-,\n' * 5_000, size)
    assert (passing.may_be_odd, passing.lines) == (False, 15_000)


@pytest.mark.parametrize(("content", "lines"), [(b"", 0), (b"S1", 1), (b"S1\n", 1), (b"S1\nS2", 2)])
def test_a_last_line_without_an_end_is_a_line(content, lines):
    assert passed(content, 1).lines == lines
