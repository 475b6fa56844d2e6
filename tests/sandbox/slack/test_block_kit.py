"""Block Kit: everything that Slack would refuse is refused with a pointer, and nothing else."""

import pytest
from support.tiny_bolt_app import LIST, actions, button, dialog, option, plain, section, text_input

from bot.sandbox.slack.block_kit.blocks import Surface
from bot.sandbox.slack.block_kit.state import normalize
from bot.sandbox.slack.block_kit.validation import block_problems, view_problems


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def select(**more):
    return {"type": "static_select", "action_id": "menu", "options": [option("a"), option("b")], **more}


def input_of(element, **more):
    return {"type": "input", "label": plain("Label"), "element": element, **more}


def cell(text):
    return {"type": "raw_text", "text": text}


def chart(points=2, lines=1, **more):
    labels = [f"week {number}" for number in range(points)]
    data = [{"label": label, "value": 95.5} for label in labels]
    series = [{"name": f"line {number}", "data": data} for number in range(lines)]
    drawn = {"type": "line", "series": series, "axis_config": {"categories": labels}, **more}
    return {"type": "data_visualization", "title": "Reached", "chart": drawn}


def data_table(rows=2, columns=2, **more):
    return {"type": "data_table", "caption": "Schools", "rows": [[cell("x")] * columns for _ in range(rows)], **more}


def pie(*values):
    segments = [{"label": f"part {value}", "value": value} for value in values]
    return {"type": "data_visualization", "title": "Shares", "chart": {"type": "pie", "segments": segments}}


ALLOWED = {
    "a list with buttons and a menu": LIST,
    "links, mentions, dates, quotes and escapes": [
        section(
            "> quoted\n<https://x.example/?a=1&b=2|a &amp; b> <@U123ABC> <#C123|x> <!subteam^S1> "
            "<!date^1790000000^{date_short} at {time}|today> <tel:+13125550142|call> &lt;b&gt; <!here>"
        )
    ],
    "a header, fields, a picture, a divider": [
        {"type": "header", "text": plain("x" * 150)},
        {"type": "section", "fields": [mrkdwn("x" * 2000), plain("b")]},
        {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"},
        {"type": "divider"},
        {
            "type": "context",
            "elements": [mrkdwn("a"), {"type": "image", "image_url": "https://x.y/z", "alt_text": "z"}],
        },
    ],
    "rich text": [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "a < b", "style": {"bold": True}}]},
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "indent": 1,
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U1"}]}],
                },
            ],
        }
    ],
    "a table": [{"type": "table", "rows": [[cell("a"), cell("")]], "column_settings": [{"align": "right"}]}],
    "two charts as large as allowed": [chart(20, 6) | {"title": "x" * 50}, chart(20, 6, type="bar")],
    "a pie": [pie(1, 2.5)],
    "a table that is sorted": [
        data_table(
            101,
            row_header_column_index=0,
            page_size=100,
        )
    ],
    "plain text with an ampersand": [{"type": "section", "text": plain("Ruth & Ana <3")}],
    "a menu with an initial option": [actions(select(initial_option=option("b")))],
    "groups of options": [
        actions(
            {
                "type": "static_select",
                "action_id": "menu",
                "option_groups": [{"label": plain("G"), "options": [option("a")]}],
                "initial_option": option("a"),
            }
        )
    ],
}
REFUSED = {
    "an unknown block": ([{"type": "poem"}], "/blocks/0/type"),
    "three charts": ([chart()] * 3, "/blocks"),
    "a chart without points": ([chart(series=chart(0)["chart"]["series"])], "/blocks/0/chart/series/0/data"),
    "a chart of 21 points": ([chart(series=chart(21)["chart"]["series"])], "/blocks/0/chart/series/0/data"),
    "a chart of 7 lines": ([chart(lines=7)], "/blocks/0/chart/series"),
    "a long title of a chart": ([chart() | {"title": "x" * 51}], "/blocks/0/title"),
    "a long label": ([chart(axis_config={"categories": ["x" * 21]})], "/blocks/0/chart/axis_config/categories/0"),
    "another label than the axis": ([chart(axis_config={"categories": ["a", "b"]})], "/blocks/0/chart/series/0/data"),
    "a chart of an unknown kind": ([chart(type="radar")], "/blocks/0/chart/type"),
    "an empty part of a pie": ([pie(1, 0)], "/blocks/0/chart/segments/1/value"),
    "two lines of one name": (
        [chart(series=[chart()["chart"]["series"][0]] * 2)],
        "/blocks/0/chart/series/1/name",
    ),
    "a table without rows": ([data_table(1)], "/blocks/0/rows"),
    "102 rows": ([data_table(102)], "/blocks/0/rows"),
    "21 columns": ([data_table() | {"rows": [[cell("a")], [cell("b")] * 21]}], "/blocks/0/rows/1"),
    "rows of different length": ([data_table(rows=0) | {"rows": [[cell("a")], [cell("b")] * 2]}], "/blocks/0/rows/1"),
    "a page without rows": ([data_table(page_size=0)], "/blocks/0/page_size"),
    "a table of 10,001 characters": ([data_table() | {"rows": [[cell("x" * 2500)] * 3] * 2}], "/blocks/0/rows"),
    "an unknown element": ([actions({"type": "lever"})], "/blocks/0/elements/0/type"),
    "a text input among actions": ([actions({"type": "plain_text_input"})], "/blocks/0/elements/0/type"),
    "a button in an input": ([input_of(button("a", "A"))], "/blocks/0/element/type"),
    "no actions": ([actions()], "/blocks/0/elements"),
    "26 actions": ([actions(*[button(f"a{n}", "A") for n in range(26)])], "/blocks/0/elements"),
    "51 blocks": ([{"type": "divider"}] * 51, "/blocks"),
    "empty text": ([section("")], "/blocks/0/text/text"),
    "text of 3001 characters": ([section("x" * 3001)], "/blocks/0/text/text"),
    "a header in mrkdwn": ([{"type": "header", "text": mrkdwn("x")}], "/blocks/0/text/type"),
    "a header of 151": ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
    "a section without text or fields": ([{"type": "section"}], "/blocks/0"),
    "11 fields": ([{"type": "section", "fields": [plain("x")] * 11}], "/blocks/0/fields"),
    "11 context elements": ([{"type": "context", "elements": [plain("x")] * 11}], "/blocks/0/elements"),
    "an unknown property": ([{**section("x"), "unknown": "red"}], "/blocks/0"),
    "a button of 76 characters": ([actions(button("a", "x" * 76))], "/blocks/0/elements/0/text/text"),
    "a button in mrkdwn": ([actions({"type": "button", "text": mrkdwn("x")})], "/blocks/0/elements/0/text/type"),
    "a value of 2001 characters": ([actions(button("a", "A", value="x" * 2001))], "/blocks/0/elements/0/value"),
    "an unknown style": ([actions(button("a", "A", style="loud"))], "/blocks/0/elements/0/style"),
    "an action_id of 256": ([actions(button("x" * 256, "A"))], "/blocks/0/elements/0/action_id"),
    "a confirm dialog without a title": (
        [actions(button("a", "A", confirm={"text": plain("x")}))],
        "/blocks/0/elements/0/confirm",
    ),
    "the same action_id twice in a block": ([actions(button("a", "A"), button("a", "B"))], "/blocks/0/elements"),
    "the same block_id twice": (
        [actions(button("a", "A"), block_id="x"), actions(button("a", "A"), block_id="x")],
        "/blocks/1/block_id",
    ),
    "101 options": ([actions(select(options=[option(str(n)) for n in range(101)]))], "/blocks/0/elements/0/options"),
    "an empty menu": ([actions(select(options=[]))], "/blocks/0/elements/0/options"),
    "an option of 76 characters": (
        [actions(select(options=[option("x" * 76)]))],
        "/blocks/0/elements/0/options/0/text/text",
    ),
    "an option value of 151": (
        [actions(select(options=[{"text": plain("x"), "value": "x" * 151}]))],
        "/blocks/0/elements/0/options/0/value",
    ),
    "two options of one value": (
        [actions(select(options=[option("a"), option("a")]))],
        "/blocks/0/elements/0/options/1/value",
    ),
    "an initial option that is not offered": (
        [actions(select(initial_option=option("c")))],
        "/blocks/0/elements/0/initial_option",
    ),
    "an initial option with another label": (
        [actions(select(initial_option={"text": plain("Other"), "value": "a"}))],
        "/blocks/0/elements/0/initial_option",
    ),
    "six options in an overflow menu": (
        [{**section("x"), "accessory": {"type": "overflow", "options": [option(c) for c in "abcdef"]}}],
        "/blocks/0/accessory/options",
    ),
    "eleven radio buttons": (
        [actions({"type": "radio_buttons", "options": [option(c) for c in "abcdefghijk"]})],
        "/blocks/0/elements/0/options",
    ),
    "an image without alt_text": ([{"type": "image", "image_url": "https://x.y/z"}], "/blocks/0"),
    "bounds in the wrong order": (
        [input_of({"type": "plain_text_input", "min_length": 5, "max_length": 4})],
        "/blocks/0/element/min_length",
    ),
    "a date in another format": (
        [actions({"type": "datepicker", "initial_date": "11/23/2026"})],
        "/blocks/0/elements/0/initial_date",
    ),
    "two tables": ([{"type": "table", "rows": [[cell("a")]]}] * 2, "/blocks"),
    "mrkdwn in a table": ([{"type": "table", "rows": [[mrkdwn("a")]]}], "/blocks/0/rows/0/0/type"),
    "a dialog's alert in a message": ([{"type": "alert", "text": plain("x")}], "/blocks/0/type"),
    "a file input in a message": ([input_of({"type": "file_input"})], "/blocks/0/element/type"),
    "an unescaped angle bracket": ([section("5 < 6")], "/blocks/0/text/text"),
    "an unescaped ampersand": ([section("Ruth & Ana")], "/blocks/0/text/text"),
    "an unescaped closing bracket": ([section("a -> b")], "/blocks/0/text/text"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_blocks_that_slack_accepts_are_accepted(name):
    assert block_problems(Surface.MESSAGE, ALLOWED[name]) == []


@pytest.mark.parametrize("name", REFUSED)
def test_blocks_that_slack_refuses_are_refused_with_a_pointer(name):
    blocks, pointer = REFUSED[name]
    assert [problem.pointer for problem in block_problems(Surface.MESSAGE, blocks)] == [pointer]


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"title": plain("x" * 25)}, "/view/title/text"),
        ({"submit": plain("x" * 25)}, "/view/submit/text"),
        ({"callback_id": "x" * 256}, "/view/callback_id"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata"),
        ({"unknown": "red"}, "/view"),
        ({"blocks": [{"type": "table", "rows": [[cell("a")]]}]}, "/view/blocks/0/type"),
        ({"blocks": [chart()]}, "/view/blocks/0/type"),
        ({"blocks": [{"type": "divider"}] * 101}, "/view/blocks"),
        (
            {"blocks": [text_input("a", focus_on_load=True), text_input("b", focus_on_load=True)]},
            "/view/blocks",
        ),
    ],
)
def test_dialogs_that_slack_refuses_are_refused_with_a_pointer(more, pointer):
    assert view_problems(dialog()) == []
    assert {problem.pointer for problem in view_problems(dialog(**more))} == {pointer}


def test_dialog_with_inputs_requires_a_submit_button():
    view = dialog()
    del view["submit"]
    assert "submit" in view_problems(view)[0].message
    assert view_problems({**view, "blocks": [section("x")]}) == []


def test_home_tab_has_no_title():
    assert view_problems({"type": "home", "blocks": [section("x")]}) == []
    assert view_problems({"type": "home", "blocks": [], "title": plain("x")}) != []


def test_normalizing_adds_missing_ids_and_flags():
    kept = normalize([{"type": "actions", "elements": [{"type": "button", "text": plain("A")}]}])[0]
    assert kept["block_id"]
    assert kept["elements"][0]["action_id"]
    assert kept["elements"][0]["text"] == {"type": "plain_text", "text": "A", "emoji": True}
