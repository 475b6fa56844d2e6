"""Charts (`data_visualization`) and sortable tables (`data_table`): where the documentation and Slack's newer validator disagree,
the lower limit.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.block_kit.schema import Check, Problem, array, by_type, integer, number, shape, string, unique

_MAX_LABEL, _MAX_AXIS_LABEL, _MAX_POINTS, _MAX_LINES = 20, 50, 20, 6
_MAX_TABLE_CHARACTERS = 10_000


def _positive(value: Any, pointer: str) -> Iterator[Problem]:
    yield from number(value, pointer)
    if isinstance(value, int | float) and value <= 0:
        yield Problem(pointer, "must be greater than 0")


def _one_point_for_each_category(chart: Any, pointer: str) -> Iterator[Problem]:
    categories = chart["axis_config"]["categories"]
    yield from unique([{"category": name} for name in categories], f"{pointer}/axis_config/categories", "category")
    yield from unique(chart["series"], f"{pointer}/series", "name")
    for index, line in enumerate(chart["series"]):
        if sorted(point["label"] for point in line["data"]) != sorted(categories):
            yield Problem(f"{pointer}/series/{index}/data", "must have exactly one data point for each category")


_SERIES = {
    "name": string(_MAX_LABEL),
    "data": array(shape({"label": string(_MAX_LABEL), "value": number}, {}), 1, _MAX_POINTS),
}
_AXES = shape(
    {"categories": array(string(_MAX_LABEL), 1, _MAX_POINTS)},
    {"x_label": string(_MAX_AXIS_LABEL), "y_label": string(_MAX_AXIS_LABEL)},
)
_XY = shape(
    {"series": array(shape(_SERIES, {}), 1, _MAX_LINES), "axis_config": _AXES}, {}, _one_point_for_each_category
)
_PIE = shape({"segments": array(shape({"label": string(_MAX_LABEL), "value": _positive}, {}), 1, _MAX_LINES)}, {})


def data_visualization(block: Mapping[str, Check]) -> Check:
    """A chart; `block` are the fields of every block."""
    return shape(
        {"title": string(50), "chart": by_type({"pie": _PIE, **dict.fromkeys(("line", "bar", "area"), _XY)})}, block
    )


def data_table(block: Mapping[str, Check], plain_cells: Mapping[str, Check], rich_text: Check) -> Check:
    """A table whose first row is its header, of plain cells only."""
    header = array(by_type(plain_cells), 1, 20)

    def plain_header(value: Any, pointer: str) -> Iterator[Problem]:
        yield from header(value["rows"][0], f"{pointer}/rows/0")

    rows = array(array(by_type({**plain_cells, "rich_text": rich_text}), 1, 20), 2, 101)
    optional = {**block, "page_size": integer(1, 100), "row_header_column_index": integer(0, 19)}
    return shape({"caption": string(255), "rows": rows}, optional, plain_header, _equal_rows, _total_characters)


def _equal_rows(table: Any, pointer: str) -> Iterator[Problem]:
    for index, row in enumerate(table["rows"]):
        if len(row) != len(table["rows"][0]):
            yield Problem(f"{pointer}/rows/{index}", "must have as many cells as the header")


def _total_characters(table: Any, pointer: str) -> Iterator[Problem]:
    cells = [cell for row in table["rows"] for cell in row]
    if sum(len(str(cell.get("text", cell.get("value", "")))) for cell in cells) > _MAX_TABLE_CHARACTERS:
        yield Problem(f"{pointer}/rows", f"cells must be less than {_MAX_TABLE_CHARACTERS + 1} characters in total")
