"""Rich text, and the tables and charts that are made of cells of it."""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.block_kit.composition import any_text
from bot.sandbox.slack.block_kit.schema import (
    Check,
    Problem,
    anything,
    array,
    boolean,
    by_type,
    integer,
    one_of,
    shape,
    string,
    unique,
    url,
)

_BLOCK = {"block_id": string(255)}
_STYLE = shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "underline", "code", "highlight", "client_highlight", "unlink"), boolean
    ),
)
_STYLED = {"style": _STYLE}
_LEAF = by_type(
    {
        "text": shape({"text": string(12_000)}, _STYLED),
        "link": shape({"url": url()}, {**_STYLED, "text": string(12_000), "unsafe": boolean}),
        "emoji": shape({"name": string(255)}, {**_STYLED, "unicode": string(255), "skin_tone": integer(1, 6)}),
        "user": shape({"user_id": string(30)}, _STYLED),
        "usergroup": shape({"usergroup_id": string(30)}, _STYLED),
        "channel": shape({"channel_id": string(30)}, _STYLED),
        "broadcast": shape({"range": one_of("here", "channel", "everyone")}, _STYLED),
        "color": shape({"value": string(7, pattern=r"#[0-9a-fA-F]{6}")}, _STYLED),
        "date": shape(
            {"timestamp": integer(0, 99_999_999_999), "format": string(255)},
            {**_STYLED, "url": url(), "fallback": string(255)},
        ),
    }
)
_LEAVES = array(_LEAF, 0, 1000)
_BORDER = {"border": integer(0, 1)}
_SECTION = {"rich_text_section": shape({"elements": _LEAVES}, {})}
_LIST = shape(
    {"style": one_of("bullet", "ordered"), "elements": array(by_type(_SECTION), 1, 1000)},
    {**_BORDER, "indent": integer(0, 8), "offset": integer(0, 10_000)},
)
_PARTS = by_type(
    {
        **_SECTION,
        "rich_text_list": _LIST,
        "rich_text_preformatted": shape({"elements": _LEAVES}, {**_BORDER, "language": string(50)}),
        "rich_text_quote": shape({"elements": _LEAVES}, _BORDER),
    }
)
rich_text = shape({"elements": array(_PARTS, 1, 1000)}, _BLOCK)


def _number(value: Any, pointer: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Problem(pointer, "must be a number")


_PLAIN_CELLS: dict[str, Check] = {
    "raw_text": shape({"text": string(3000, least=0)}, {}),
    "raw_number": shape({"value": _number}, {"text": string(255)}),
}
_CELL = by_type({**_PLAIN_CELLS, "rich_text": rich_text})
_COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})

table = shape(
    {"rows": array(array(_CELL, 1, 20), 1, 100)},
    {**_BLOCK, "column_settings": array(_COLUMN, 0, 20)},
)


def _even_rows(value: Any, pointer: str) -> Iterator[Problem]:
    for index, row in enumerate(value["rows"]):
        if len(row) != len(value["rows"][0]):
            yield Problem(f"{pointer}/rows/{index}", "every row must have the same number of cells")


def _plain_header(value: Any, pointer: str) -> Iterator[Problem]:
    for index, cell in enumerate(value["rows"][0]):
        if cell["type"] not in _PLAIN_CELLS:
            yield Problem(f"{pointer}/rows/0/{index}", f"unsupported type: {cell['type']}")


def _short_in_total(value: Any, pointer: str) -> Iterator[Problem]:
    if sum(len(str(cell)) for row in value["rows"] for cell in row) > 10_000:  # noqa: PLR2004 - Slack's own bound.
        yield Problem(f"{pointer}/rows", "must be less than 10001 characters in total")


data_table = shape(
    {"caption": string(255), "rows": array(array(_CELL, 1, 20), 2, 101)},
    {**_BLOCK, "page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
    _even_rows,
    _plain_header,
    _short_in_total,
)


def _sound_chart(value: Any, pointer: str) -> Iterator[Problem]:
    """Series of a chart have names of their own; the finer rules of charts are Slack's alone."""
    chart = value["chart"]
    series = chart.get("series", [])
    if len(series) > 6:  # noqa: PLR2004 - Slack's own bound.
        yield Problem(f"{pointer}/chart/series", "no more than 6 items allowed")
    if all(isinstance(one, dict) and "name" in one for one in series):
        yield from unique(series, f"{pointer}/chart/series", "name")


data_visualization = shape({"title": string(50), "chart": shape({}, {}, closed=False)}, _BLOCK, _sound_chart)

_SOURCE = by_type({"url": shape({"url": url()}, {"text": string(255)})})
TASK = {"task_id": string(255), "title": string(255)}
TASK_OPTIONS = {
    **_BLOCK,
    "details": rich_text,
    "output": rich_text,
    "sources": array(_SOURCE, 0, 50),
    "status": one_of("pending", "in_progress", "complete", "error"),
    "icon": anything,
    "hide_title": boolean,
}
alert = shape({"text": any_text(200)}, {**_BLOCK, "level": one_of("default", "info", "warning", "error", "success")})
