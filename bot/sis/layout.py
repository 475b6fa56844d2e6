"""The layout of a file that should be CSV: what separates its cells, and on which line its header is; or what else the file is.

Spreadsheets of many countries write semicolons, database tools write tabs or `|`; a `sep=` line or a title may stand above the
header. A layout counts only if the header is recognized with it.
"""

import csv
from collections.abc import Sequence
from typing import NamedTuple

from bot.sis.bundle import BundleFile
from bot.sis.columns import FileFormat, Header
from bot.sis.lines import LONGEST_LINE, open_text
from bot.sis.signatures import describe_other_bytes

DELIMITERS = (",", ";", "\t", "|")
# A header comes after at most so many lines.
_MOST_LINES_ABOVE = 10
# One title alone may be a word of the title line.
_FEWEST_COLUMNS = 2
_HEAD = 4_096


class Layout(NamedTuple):
    delimiter: str = ","
    header_line: int = 1


USUAL = Layout()


def find_layout(file: BundleFile, form: FileFormat) -> Layout | None:
    """Return the layout with which the header has every required column; None if there is none."""
    with open_text(file.open()) as stream:
        lines = [stream.readline(LONGEST_LINE) for _ in range(_MOST_LINES_ABOVE + 1)]
    for number, line in enumerate(lines, 1):
        for delimiter in DELIMITERS:
            header = Header(form, split_titles(line, delimiter))
            if header.missing is None and header.found >= _FEWEST_COLUMNS:
                return Layout(delimiter, number)
    return None


def split_titles(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


# Titles that only the files of this product have together, in lower case.
_VENDORS = (
    ({"school_id", "student_id"}, "Clever's format"),
    ({"school_id", "teacher_id"}, "Clever's format"),
    ({"school_id", "school_name"}, "Clever's format"),
    ({"user_id", "login_id"}, "Canvas's format"),
    ({"course_id", "user_id"}, "Canvas's format"),
    ({"sis id", "school sis id"}, "the format of Microsoft School Data Sync 1"),
    ({"section sis id", "sis id"}, "the format of Microsoft School Data Sync 1"),
    ({"first name [required]", "email address [required]"}, "Google's format"),
    ({"student_number", "last_name"}, "PowerSchool's own format"),
    ({"students.student_number"}, "PowerSchool's own format"),
    ({"contact id", "last name"}, "PowerSchool's own format"),
    ({"personid"}, "Infinite Campus's own format"),
)


def describe_other_file(file: BundleFile) -> str | None:
    """Return what a file is that has no header of OneRoster, as the end of a sentence that begins with its name; None if unknown."""
    if known := describe_no_text(file):
        return known
    with open_text(file.open()) as stream:
        first_line = stream.readline(LONGEST_LINE)
    vendor = next(filter(None, (_vendor(split_titles(first_line, delimiter)) for delimiter in DELIMITERS)), None)
    return f"is in {vendor}, not OneRoster's; export it as OneRoster 1.1 or 1.2 CSV" if vendor else None


def describe_no_text(file: BundleFile) -> str | None:
    """Return what a file is that is no CSV at all, in the same way."""
    with file.open() as stream:
        return describe_other_bytes(stream.read(_HEAD))


def _vendor(titles: Sequence[str]) -> str | None:
    found = {title.strip().lower() for title in titles}
    return next((vendor for known, vendor in _VENDORS if known <= found), None)
