"""A sheet with the history of the reachability score, and its line as a chart: counts only, of a group of ten or more."""

from collections.abc import Sequence
from typing import Any

from bot.digests.small_groups import SMALLEST_GROUP
from bot.reachability.score import DayScore

_NAME = "History"
_PERCENT = "With an adult we can text, %"
_COLUMNS = (
    *("Day", "Students", "With an adult we can text", _PERCENT),
    *("Text delivered lately", "Reachable in any way", "With no one", "Contacts to fix"),
)


def write_history(workbook: Any, history: Sequence[DayScore]) -> None:
    """Add the sheet, or nothing where no day has a group that may be counted."""
    days = [day for day in history if day.score.students >= SMALLEST_GROUP]
    if not days:
        return
    sheet = workbook.add_worksheet(_NAME)
    bold = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    date = workbook.add_format({"num_format": "mmm d, yyyy"})
    sheet.set_column(0, len(_COLUMNS) - 1, 14)
    for column, title in enumerate(_COLUMNS):
        sheet.write_string(0, column, title, bold)
    for number, day in enumerate(days, 1):
        score = day.score
        sheet.write_datetime(number, 0, day.day, date)
        numbers = (
            score.students,
            score.textable,
            round(100 * score.textable / score.students, 1),
            score.delivered,
            score.reachable,
        )
        for column, count in enumerate((*numbers, score.unreachable, score.to_fix), 1):
            sheet.write_number(number, column, count)
    sheet.insert_chart(1, len(_COLUMNS) + 1, _chart(workbook, len(days)), {"description": _PERCENT})


def _chart(workbook: Any, days: int) -> Any:
    chart = workbook.add_chart({"type": "line"})
    share = _COLUMNS.index(_PERCENT)
    series = {"categories": [_NAME, 1, 0, days, 0], "values": [_NAME, 1, share, days, share]}
    chart.add_series({**series, "name": _PERCENT, "marker": {"type": "circle"}})
    chart.set_title({"name": "Students with an adult we can text, in %", "name_font": {"size": 12}})
    chart.set_legend({"none": True})
    chart.set_size({"width": 760, "height": 320})
    return chart
