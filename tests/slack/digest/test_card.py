"""The words of a digest: counts of one message, preliminary and final, whole and narrowed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.digests.report import Digest, EarlierMessage, MoveCounts, SenderFault
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter
from bot.filters.parse import parse_filter
from bot.slack.digest import card
from bot.templates.loader import Templates

SENT_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PRELIMINARY = Digest(
    message_id="dismissal",
    list_filter=Filter(),
    title="Early dismissal today",
    sent_at=SENT_AT,
    final_by=datetime(2026, 11, 24, 15, 0, tzinfo=UTC),
    is_final=False,
    learned_at=None,
    sent=1_204,
    delivered=1_100,
    not_delivered=80,
    awaiting=12,
    sending_failures=12,
    sender_faults=(),
)
FINAL = replace(
    PRELIMINARY,
    is_final=True,
    moves=MoveCounts(joined=30, left=4, stayed=51),
    fixed=3,
    by_status={SmsStatus.INACTIVE: MoveCounts(joined=30, stayed=51), SmsStatus.LANDLINE: MoveCounts(left=4)},
    by_grade={"K": MoveCounts(joined=20), "5": MoveCounts(joined=10, left=4, stayed=51)},
    students_without_adult=1,
    earlier=(EarlierMessage(SENT_AT, 1_000, 900), EarlierMessage(SENT_AT, 1_000, 955)),
    sender_faults=(SenderFault("twilio", "30004", 12, "The carrier blocked it."),),
)


def paragraphs(digest):
    """The text of each section, which is what a channel reads below the title."""
    return [block["text"]["text"] for block in card.draw(digest, Templates()).blocks if block["type"] == "section"]


def title(digest):
    return card.draw(digest, Templates()).blocks[0]["text"]["text"]


def test_preliminary_digest():
    assert (
        "\n".join(paragraphs(PRELIMINARY))
        == """\
⏳ *Preliminary:* receipts are still coming in. The list changes when all of them are in, or at \
<!date^1795532400^{time} on {date_long}|15:00 UTC on Nov 24, 2026>.
Texted to 1,204 contacts on <!date^1795446000^{date_long}|Nov 23, 2026 (UTC)>: *1,100 delivered*, *80 not delivered*, \
12 without a final receipt yet, 12 failed on our side (no contact is listed for those)."""
    )


def test_final_digest():
    assert (
        "\n".join(paragraphs(FINAL)[1:]).replace("\u00a0", " ")
        == """\
*Delivered: 91.4%*. Before: 95.5%, 90.0%.
*Joined the list:* 30   *Left the list:* 4 (3 after staff fixed the contact)   *Still on it:* 51
🔴 *Inactive*: 30 joined, 51 still on it
🟡 *Landline*: 4 left
*By grade of their children, joined:* Kindergarten: 20  ·  Grade 5: 10
*By grade of their children, left:* Grade 5: 4
*By grade of their children, still on it:* Grade 5: 51
⚠️ *1 student has no adult who can be texted.*
🛠️ 12 texts were refused with twilio code 30004. The problem is on our side, so no contact is listed for it. \
Please tell the people who run texting."""
    )


def test_digest_of_a_message_without_receipts_says_that_our_side_is_at_fault():
    silent = replace(FINAL, is_silent=True, delivered=0, not_delivered=0, sending_failures=0, awaiting=1_204)
    assert paragraphs(silent)[1:] == [
        (
            "🛠️ *The problem is on our side:* no delivery receipts arrived for this message, so no contact is listed for it, "
            "and the list is as it was. Please tell the people who run texting."
        )
    ]
    assert "almost no delivery receipts" in paragraphs(replace(silent, awaiting=1_200, delivered=4))[1]


def test_count_stays_on_the_line_of_its_grade():
    assert "5:\u00a010" in "\n".join(paragraphs(FINAL))


def test_moves_that_did_not_happen_are_left_out():
    digest = replace(FINAL, moves=MoveCounts(stayed=1), by_status={}, by_grade={}, students_without_adult=0)
    assert paragraphs(digest)[2:4] == [
        "*Still on it:* 1   No contact joined or left the list.",
        "✅ *Every student has an adult who can be texted.*",
    ]


def test_siblings_are_explained_where_grades_add_up_to_more():
    siblings = replace(FINAL, moves=MoveCounts(joined=29, left=4, stayed=51))
    note = "_A contact with children in several grades counts in each grade._"
    assert (note in "\n".join(paragraphs(FINAL)), note in "\n".join(paragraphs(siblings))) == (False, True)


@pytest.mark.parametrize(
    ("filter_text", "title_end", "statuses", "has_lines"),
    [
        ("", "Early dismissal today", "", (True, True)),
        ("grade 5", " · Grade 5", "", (True, False)),
        ("blocked", " · Blocked", " (Blocked)", (False, True)),
        ("blocked,inactive grade 4,5", "", " (Inactive or Blocked)", (True, True)),
    ],
)
def test_title_names_the_filter_and_lines_do_not_repeat_it(filter_text, title_end, statuses, has_lines):
    digest = replace(FINAL, list_filter=parse_filter(filter_text).filter)
    words = "\n".join(paragraphs(digest))
    assert title(digest).endswith(title_end)
    assert f"*80 not delivered*{statuses}, 12" in words
    assert ("*Inactive*:" in words, "By grade" in words) == has_lines


def test_narrowed_digest_speaks_of_these_students():
    words = "\n".join(paragraphs(replace(FINAL, list_filter=parse_filter("grade 5").filter, students_without_adult=0)))
    assert "Every one of these students has an adult" in words
    assert "12 texts of the whole message were refused" in words


def test_long_title_leaves_room_for_the_filter():
    digest = replace(FINAL, title="Early dismissal " * 20, list_filter=parse_filter("grade 5").filter)
    assert title(digest).endswith("… · Grade 5")
    assert len(title(digest)) <= 150


def test_title_pings_no_one():
    assert "<!channel>" not in card.draw(replace(FINAL, title="<!channel> *Snow*"), Templates()).text


def test_district_may_replace_the_template(tmp_path):
    (tmp_path / "digest.txt").write_text("{{ digest.title }}\n\nDelivered: {{ digest.delivered }}")
    assert card.draw(FINAL, Templates(tmp_path)).text == "Early dismissal today\n\nDelivered: 1100"


def test_sums_of_texts_and_missing_numbers_add_up():
    by_status = {SmsStatus.INACTIVE: MoveCounts(joined=62), SmsStatus.NO_NUMBER: MoveCounts(joined=15, stayed=2)}
    digest = replace(FINAL, not_delivered=62, moves=MoveCounts(joined=77, stayed=2), by_status=by_status)
    assert "*Joined the list:* 77 (62 texts did not arrive, 15 have no number)   *Still on it:* 2" in "\n".join(
        paragraphs(digest)
    )


def test_only_missing_numbers_need_no_sum():
    digest = replace(FINAL, moves=MoveCounts(joined=1), by_status={SmsStatus.NO_NUMBER: MoveCounts(joined=1)})
    assert "*Joined the list:* 1 (1 has no number)" in "\n".join(paragraphs(digest))
