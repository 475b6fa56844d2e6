"""Charts and tables stay within Slack's limits, and say the same in words."""

from bot.sandbox.slack.block_kit.blocks import Surface
from bot.sandbox.slack.block_kit.validation import block_problems
from bot.slack.kit import blocks as b
from bot.slack.kit import charts

WEEKS = [f"Week {number}" for number in range(25)]


def words(*blocks):
    """Return what a screen reader reads."""
    return b.card(list(blocks)).text.replace("\u00a0", " ")


def test_long_charts_are_accepted():
    series = {f"A long name of a school {number}": [number] * 25 for number in range(8)}
    chart = charts.line_chart("Students with an adult we can text, " * 3, WEEKS, series)
    assert block_problems(Surface.MESSAGE, [chart]) == []
    assert chart["chart"]["axis_config"]["categories"] == WEEKS[-20:]


def test_messages_of_the_same_day_are_two_points():
    chart = charts.line_chart("Delivered", ["Nov 12", "Nov 12"], {"%": [94, 95.55]})
    assert chart["chart"]["axis_config"]["categories"] == ["Nov 12", "Nov 12 (2)"]
    assert words(chart) == "Delivered\nNov 12: 94 · Nov 12 (2): 95.5"


def test_each_line_of_a_chart_is_named_in_words():
    chart = charts.line_chart("% reached", ["Nov 1"], {"Brown & Son": [94], "Lincoln": [1234]})
    assert words(chart) == "% reached\nBrown &amp; Son: Nov 1: 94\nLincoln: Nov 1: 1,234"


def test_long_tables_are_accepted():
    table = charts.table("Schools", ["School", "Students"], [["A long name of a school " * 5, 100.0]] * 150)
    assert block_problems(Surface.HOME, [table]) == []
    assert 60 < len(table["rows"]) < 101


def test_table_in_words_names_the_columns():
    table = charts.table("Schools", ["School", "Students", "Mood"], [["*Brown*", 1200, ""], ["Lincoln", 40, "fine"]])
    plain = b.plainer([table])
    assert block_problems(Surface.MODAL, plain) == []
    assert words(table) == "Schools\n*Brown* · Students: 1,200 · Mood: –\nLincoln · Students: 40 · Mood: fine"
