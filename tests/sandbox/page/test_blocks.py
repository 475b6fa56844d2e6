"""Block Kit and mrkdwn as the page shows them, and their contrast."""

import pytest
from playwright.sync_api import expect
from support.page_server import DESKTOP, PHONE, ephemeral, say, serve_page

MARKUP = [
    ("*bold* and _italic_ and ~gone~", "<strong>bold</strong> and <em>italic</em> and <s>gone</s>"),
    ("*_both_*", "<strong><em>both</em></strong>"),
    ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
    ("* not bold *", "* not bold *"),
    ("`*raw* &lt;b&gt;`", "<code>*raw* &lt;b&gt;</code>"),
    ("```one\n*two*```", "<pre>one\n*two*</pre>"),
    ("&gt; quoted\n> more", "<blockquote>quoted<br>more</blockquote>"),
    ("R&amp;D &lt;!channel&gt; <!here>", 'R&amp;D &lt;!channel&gt; <span class="mention">@here</span>'),
    ("<@U1> in <#C1>", '<span class="mention">@Dana</span> in <span class="mention">#office</span>'),
    ("<@U9|Ruth>", '<span class="mention">@Ruth</span>'),
    ("<javascript:alert(1)|press>", "press"),
    ("<b>not a tag</b>", "bnot a tag/b"),
    (":no_such_sign: at 10:30:15", ":no_such_sign: at 10:30:15"),
    ("O'Brien & Søn *Ñandú*", "O'Brien &amp; Søn <strong>Ñandú</strong>"),
    ("first\nsecond", "first<br>second"),
]

RENDER = """async (text) => {
  const { mrkdwn } = await import("/sandbox/page/text.js");
  const names = { user: (id) => ({ U1: "Dana" })[id], channel: (id) => ({ C1: "office" })[id] };
  const div = document.createElement("div");
  div.append(...mrkdwn(text, names));
  return div.innerHTML;
}"""


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def option(value, **more):
    return {"text": plain(value), "value": value, **more}


def cell(text):
    return {"type": "raw_text", "text": text}


RICH = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "<i>rich</i>", "style": {"bold": True}}]},
        {
            "type": "rich_text_list",
            "style": "ordered",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "first of the list"}]}],
        },
    ],
}
EVERYTHING = [
    {"type": "header", "text": plain("🔴 A heading")},
    {
        "type": "section",
        "text": mrkdwn("*A section* <!date^1790000000^{date_num}|2026-09-21>"),
        "accessory": {"type": "overflow", "action_id": "more", "options": [option("Undo"), option("History")]},
    },
    {
        "type": "section",
        "text": mrkdwn("Which ones"),
        "accessory": {"type": "multi_static_select", "action_id": "many", "options": [option("One"), option("Two")]},
    },
    {"type": "section", "fields": [mrkdwn("*Blocked*\n12"), plain("Landline 9")]},
    {"type": "context", "elements": [mrkdwn("a context")]},
    {"type": "divider"},
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": "go", "text": plain("Go"), "style": "primary", "value": "1"},
            {"type": "users_select", "action_id": "who", "placeholder": plain("Who")},
            {"type": "datepicker", "action_id": "day", "initial_date": "2026-11-23"},
            {"type": "checkboxes", "action_id": "ticks", "options": [option("Siblings too")]},
        ],
    },
    {"type": "table", "rows": [[cell("Grade"), cell("Contacts")], [cell("5"), cell("12")]]},
    RICH,
]


@pytest.fixture
def posted(server):
    server.post("everything", EVERYTHING)


@pytest.fixture(scope="module")
def shared_page(browser):
    """One page for all tests that do not change it."""
    with serve_page() as server:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.url)
        yield page
        context.close()


@pytest.mark.parametrize(("text", "html"), MARKUP, ids=[text for text, _ in MARKUP])
def test_only_markup_becomes_elements(shared_page, text, html):
    assert shared_page.evaluate(RENDER, text) == html


def test_emoji_of_notices_are_drawn_without_an_emoji_font(server, page):
    server.post(
        "notices",
        [
            {
                "type": "section",
                "text": mrkdwn("📬 mailed 📄 file ⏰ late 🔄 synced 🛠️ fixed 🔒 private 🚷 not allowed 🎯 first"),
            }
        ],
    )
    for name in ("mail", "file", "late", "synced", "fixed", "private", "not allowed", "first"):
        expect(page.locator(".message").last.get_by_role("img", name=name)).to_be_visible()


def test_status_dot_stays_on_the_line_of_its_word(server, page):
    text = "   ".join(f"🟡\u00a0*Landline*\u00a0{number}" for number in range(60))
    server.post("many", [{"type": "section", "text": mrkdwn(text)}])
    expect(page.locator(".message").last.locator(".glyph")).to_have_count(60)
    lines = page.locator(".message").last.evaluate(
        """(message) => [...message.querySelectorAll(".text .glyph")].map((dot) => {
            const word = (dot.closest(".nowrap") ?? dot).nextElementSibling.getBoundingClientRect();
            const box = dot.getBoundingClientRect();
            return Math.abs(word.top + word.height / 2 - box.top - box.height / 2) < word.height / 2;
        })"""
    )
    assert all(lines)


def test_every_block_and_element_has_an_accessible_name(posted, page):
    message = page.locator(".message").last
    expect(message.get_by_role("heading", name="A heading")).to_be_visible()
    expect(message.get_by_role("img", name="red")).to_be_visible()
    expect(message).to_contain_text("A section 2026-09-21")
    expect(message).to_contain_text("Landline 9")
    expect(message.get_by_role("button", name="Go")).to_be_visible()
    expect(message.get_by_role("checkbox", name="Siblings too")).to_be_visible()
    expect(message.get_by_role("columnheader", name="Contacts")).to_be_visible()
    expect(message.locator("strong").last).to_have_text("<i>rich</i>")
    expect(message.get_by_role("listitem")).to_have_text("first of the list")
    expect(message.locator(".unknown")).to_have_count(0)


def test_arrow_keys_move_in_an_overflow_menu(posted, page):
    more = page.get_by_role("button", name="More actions")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Undo")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="History")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()


def test_multi_select_options_can_be_chosen_and_removed(posted, page):
    page.get_by_role("button", name="Which ones").click()
    page.get_by_role("option", name="One").click()
    page.get_by_role("option", name="Two").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Which ones: One, Two").click()
    page.get_by_role("option", name="One").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Which ones: Two")).to_be_visible()


CONTRAST = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const layers = (node) => node ? [...layers(node.parentElement), getComputedStyle(node).backgroundColor] : ["white"];
  const paint = (colors) => { for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); } return canvas.getImageData(0, 0, 1, 1).data; };
  const light = (rgb) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const part = rgb[i] / 255;
    return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest(".visually-hidden, .skip, :disabled")) continue;
    const background = layers(node);
    const text = [...background, getComputedStyle(node).color];
    const [lighter, darker] = [light(paint(background)), light(paint(text))].sort((a, b) => b - a);
    if ((lighter + 0.05) / (darker + 0.05) < 4.5) faint.push(walker.currentNode.data.trim());
  }
  return faint;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_text_has_enough_contrast(posted, open_page, scheme, size):
    page = open_page(size, scheme)
    say(page, "/list")
    expect(ephemeral(page)).to_be_visible()
    assert page.evaluate(CONTRAST) == []
    ephemeral(page).get_by_role("button", name="Edit").click()
    page.get_by_label("note").fill("bad phone")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog .field-error")).to_be_visible()
    assert page.evaluate(CONTRAST) == []
