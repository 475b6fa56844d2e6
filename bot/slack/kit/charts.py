"""Charts and tables that Slack draws, kept within its limits. Some workspaces refuse them: send them with `NewerBlocks`.

They stand in messages and on the Home tab. `blocks.plainer` says the same in words.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate

from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block

MAX_POINTS, MAX_ROWS = 20, 100
_TITLE, _LABEL, _SERIES = 50, 20, 6
_COLUMNS, _PAGE, _CAPTION = 20, 10, 150
_TABLE_CHARACTERS = 9500  # Slack accepts 10,000 in all cells.


def line_chart(title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> Block:
    """Return a chart of at most six lines, each with a value for every label; of more than 20 points, the last ones."""
    categories = _distinct(labels[-MAX_POINTS:])
    lines = list(series.items())[:_SERIES]
    names = _distinct([name for name, _ in lines])
    return {
        "type": "data_visualization",
        "title": b.cut(title, _TITLE),
        "chart": {
            "type": "line",
            "series": [
                {"name": name, "data": _points(categories, values[-MAX_POINTS:])}
                for name, (_, values) in zip(names, lines, strict=True)
            ],
            "axis_config": {"categories": categories},
        },
    }


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str | float]]) -> Block:
    """Return a table that its reader sorts and pages; the first column names the row. Needs a row, and shows at most 100.

    Numbers are sorted as numbers, so a unit belongs into the title of its column.
    """
    drawn = [[_cell(value) for value in row[:_COLUMNS]] for row in (columns, *rows[:MAX_ROWS])]
    sizes = accumulate(sum(len(cell["text"]) for cell in row) for row in drawn)
    return {
        "type": "data_table",
        "caption": b.cut(caption, _CAPTION),
        "page_size": _PAGE,
        "rows": [row for row, size in zip(drawn, sizes, strict=True) if size <= _TABLE_CHARACTERS],
    }


def _points(categories: Sequence[str], values: Sequence[float]) -> list[Block]:
    return [{"label": label, "value": value} for label, value in zip(categories, values, strict=True)]


def _distinct(labels: Sequence[str]) -> list[str]:
    """Return labels that Slack can tell apart: the second `Nov 12` is `Nov 12 (2)`."""
    seen = Counter[str]()
    distinct = []
    for label in (b.cut(label, _LABEL) for label in labels):
        seen[label] += 1
        suffix = f" ({seen[label]})" if seen[label] > 1 else ""
        distinct.append(b.cut(label, _LABEL - len(suffix)) + suffix)
    return distinct


def _cell(value: str | float) -> Block:
    if isinstance(value, str):
        return {"type": "raw_text", "text": value or "–"}
    return {"type": "raw_number", "value": value, "text": b.number(value)}
