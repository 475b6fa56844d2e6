"""The terminal shows the text that Slack shows, without the markup."""

import pytest

from bot.sandbox import terminal
from bot.slack.kit import blocks as b


@pytest.mark.parametrize(
    ("mrkdwn", "plain"),
    [
        ("*No adult can be texted*, nor called.", "No adult can be texted, nor called."),
        ("⚠️ *bold* and _slanted_ and ~gone~ and `code`", "⚠️ bold and slanted and gone and code"),
        ("since <!date^1795446000^{date_short}|Nov 23, 2026 (UTC)>", "since Nov 23, 2026 (UTC)"),
        ("<@UCLARA> in <#CFAMILYTEXTS>, <@UNOBODY>", "@Clara Novák in #family-texts, @UNOBODY"),
        ("<https://example.com|here> &amp; &lt;!channel&gt;", "here & <!channel>"),
        ("a snake_case_word and 2*3*4", "a snake_case_word and 2*3*4"),
        (b.escaped("Zoë *Star* <!here>"), "Zoë *Star* <!here>"),
    ],
)
def test_mrkdwn_line_reads_as_in_slack(mrkdwn, plain):
    names = {"UCLARA": "Clara Novák", "CFAMILYTEXTS": "family-texts"}

    assert terminal.render_mrkdwn(mrkdwn, names).plain == plain


def test_bold_words_are_bold_in_the_terminal():
    (span,) = terminal.render_mrkdwn("a *bold* word", {}).spans

    assert (span.start, span.end, span.style) == (2, 6, "bold")


def test_blocks_are_rendered_from_top_to_bottom():
    card = [
        b.header("Grade 5 · Blocked"),
        b.section("*Sam Rivera*\n• Blocked", accessory=b.button("Fix…", "student.open", "1")),
        *b.actions(b.menu("Status", "list.show.status", [("Blocked", "blocked", "")], chosen="blocked")),
        b.divider(),
        b.context("after “Early dismissal”"),
        {
            "type": "input",
            "label": b.plain("Phone number"),
            "element": {"type": "plain_text_input", "initial_value": "(312) 555-0142"},
        },
    ]

    assert terminal.render_blocks(card).plain.splitlines() == [
        "Grade 5 · Blocked",
        "Sam Rivera",
        "• Blocked",
        "    [Fix…]",
        "[Blocked ▾]",
        "─" * 60,
        "after “Early dismissal”",
        "Phone number: [(312) 555-0142]",
    ]
