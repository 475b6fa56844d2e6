"""Charts and sortable tables as the page draws them, on a desk and on a phone."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect
from support.page_server import DESKTOP, PHONE

from bot.slack.kit import charts

WEEKS = [f"Nov {day}" for day in range(1, 21)]
SCHOOLS = [(f"School {number}", 100 - number, 90.5 + number % 3) for number in range(12)]


@pytest.fixture
def posted(server):
    shares = [94 + week / 10 for week in range(20)]
    bars = charts.line_chart("Contacts to fix", WEEKS[:4], {"Red": [4, 3, 2, 1], "Yellow": [1, 0, 2, 1]})
    bars["chart"]["type"] = "bar"
    server.post(
        "figures",
        [
            charts.line_chart("Students with an adult we can text, in %", WEEKS, {"All": shares}),
            bars,
            charts.table("Schools", ("School", "Students", "Can be texted, %"), SCHOOLS),
        ],
    )


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_chart_says_its_figures_and_fits(open_page, posted, size):
    page = open_page(size)
    line, bars = page.locator("figure.chart").all()
    expect(line.get_by_role("img", name="Nov 20 95.9")).to_be_visible()
    expect(bars.get_by_role("img", name="Yellow: Nov 1 1, Nov 2 0")).to_be_visible()
    expect(bars.get_by_role("listitem")).to_have_text(["Red", "Yellow"])
    boxes = line.locator(".categories span").evaluate_all(
        """labels => labels.filter(it => it.textContent).map(it => it.getBoundingClientRect())
            .map(({ left, right }) => [left, right])"""
    )
    assert all(right < left for (_, right), (left, _) in pairwise(boxes))
    assert page.locator(".scroller").evaluate("it => it.scrollWidth <= it.clientWidth")


def test_line_of_equal_values_is_drawn(server, page):
    server.post("flat", [charts.line_chart("Flat", ["Nov 1", "Nov 8"], {"All": [0, 0]})])
    expect(page.locator("figure.chart .gridline")).not_to_have_count(0)


def test_table_is_sorted_and_paged(page, posted):
    table = page.locator(".data-table")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(10)
    table.get_by_role("button", name="Students").click()
    expect(table.get_by_role("columnheader", name="Students")).to_have_attribute("aria-sort", "ascending")
    expect(rows.first).to_contain_text("School 11")
    table.get_by_role("button", name="Next").click()
    expect(rows).to_have_count(2)
    expect(table).to_contain_text("11–12 of 12")
    table.get_by_role("button", name="Students").click()
    expect(rows.first).to_contain_text("School 0")
