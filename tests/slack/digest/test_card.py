"""The words of a digest: counts of one message, preliminary and final, whole and narrowed."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from support.snapshots import draw

from bot.digests.report import Digest, EarlierMessage, GradeCounts, LeftCounts, SenderFault, Tally
from bot.domain.sms_status import SmsStatus
from bot.filters.filter import Filter
from bot.filters.parse import parse_filter
from bot.slack.digest import card
from bot.slack.kit import blocks as b
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
)
FINAL = replace(
    PRELIMINARY,
    is_final=True,
    to_fix={
        SmsStatus.INACTIVE: Tally(41, new=20),
        SmsStatus.NO_NUMBER: Tally(15),
        SmsStatus.LANDLINE: Tally(21, new=7),
    },
    opted_out=Tally(3, new=1),
    waiting=Tally(2),
    changed={SmsStatus.INACTIVE: 2},
    left=LeftCounts(fixed=3, delivered=4, ended=1),
    by_grade=(
        GradeCounts(("K",), Tally(20, new=9)),
        GradeCounts(("2",), Tally(5)),
        GradeCounts(("5",), Tally(40, new=18)),
        GradeCounts(("7", "8"), Tally(12)),
    ),
    students_without_adult=19,
    earlier=(EarlierMessage(SENT_AT, 1_000, 900), EarlierMessage(SENT_AT, 1_000, 955)),
)
FAULT = SenderFault("twilio", "30004", 12, "The carrier blocked it.")


def drawn(digest):
    return card.draw(digest, Templates(), zone=UTC)


def words(digest):
    """The text of each section, which is what a channel reads below the title."""
    sections = [block["text"]["text"] for block in drawn(digest).blocks if block["type"] == "section"]
    return "\n".join(sections).replace("\u00a0", " ")


def title(digest):
    return drawn(digest).blocks[0]["text"]["text"]


def test_preliminary_digest(snapshot):
    assert draw(SimpleNamespace(blocks=drawn(PRELIMINARY).blocks)) == snapshot


def test_final_digest(snapshot):
    assert draw(SimpleNamespace(blocks=drawn(FINAL).blocks)) == snapshot


def test_digest_of_a_group_that_is_too_small_has_no_counts(snapshot):
    hidden = replace(FINAL, is_hidden=True, list_filter=parse_filter("grade 5").filter, students_without_adult=0)
    assert draw(SimpleNamespace(blocks=drawn(hidden).blocks)) == snapshot


def test_text_says_the_same_as_the_blocks():
    text = drawn(FINAL).text.replace("\u00a0", " ")
    for part in ("91.3% delivered", "77 contacts need a fix", "19 students", "Grade 2: 5", "Other grades: 12"):
        assert part in text


def test_numbers_of_a_digest_add_up():
    text = words(FINAL)
    texts, missing = map(
        int, re.search(r"77 contacts need a fix:\* (\d+) texts did not arrive, (\d+) have", text).groups()
    )
    by_color = [int(count) for count in re.findall(r"(?:Inactive|No number|Landline) (\d+)", text)]
    new, stayed, left = map(int, re.search(r"(\d+) new, (\d+) stayed, (\d+) left", text).groups())
    folded = drawn(FINAL).blocks[-2]["child_blocks"][0]["text"]["text"].replace("\u00a0", " ")
    by_grade = [int(count) for count in re.findall(r": (\d+)", folded)]
    assert texts + missing == sum(by_color) == sum(by_grade) == 77
    assert (new + stayed, left) == (77 + 3 + 2, 3 + 4 + 1)


def test_plainer_blocks_say_the_same():
    plain = b.plainer(drawn(FINAL).blocks)
    assert "container" not in {block["type"] for block in plain}
    assert "Grade\u00a02:\u00a05" in "".join(block["text"]["text"] for block in plain if "text" in block)


def test_share_is_rounded_down():
    almost = replace(PRELIMINARY, sent=10_000, delivered=9_999)
    assert "*99.9% delivered*  ▓▓▓▓▓▓▓▓▓░" in words(almost)
    assert "*100.0% delivered*  ▓▓▓▓▓▓▓▓▓▓" in words(replace(almost, delivered=10_000))


def test_forecast_stands_beside_the_result():
    assert "Forecast: 71 texts would not arrive. In fact 80 did not." in words(replace(FINAL, forecast_missed=71))
    assert "Forecast: no text would not arrive" not in words(replace(FINAL, forecast_missed=0))
    for other in (FINAL, replace(FINAL, forecast_missed=71, is_silent=True)):
        assert "Forecast" not in words(other)


def test_last_messages_are_a_chart_once_there_are_three():
    days = [EarlierMessage(SENT_AT - timedelta(days=day), 1_000, 900 + day) for day in (14, 7)]
    three = replace(FINAL, earlier=tuple(days))
    (chart,) = (block for block in drawn(three).blocks if block["type"] == "data_visualization")
    points = chart["chart"]["series"][0]["data"]
    assert [(point["label"], point["value"]) for point in points] == [
        ("Nov 9", 91.4),
        ("Nov 16", 90.7),
        ("Nov 23", 91.3),
    ]
    assert "Nov 9: 91.4 · Nov 16: 90.7 · Nov 23: 91.3" in drawn(three).text.replace("\u00a0", " ")
    for digest in (replace(three, earlier=three.earlier[1:]), replace(three, is_silent=True)):
        assert "data_visualization" not in {block["type"] for block in drawn(digest).blocks}


def test_our_own_fault_comes_first_where_it_is_large():
    text = words(replace(FINAL, sender_faults=(FAULT,)))
    assert "12 texts were refused with twilio code 30004. No contact is listed for it." in text
    assert text.index("problem is on our side") < text.index("no adult") < text.index("need a fix")
    assert "problem is on our side" not in words(FINAL)
    assert "100 texts failed before a carrier" in words(replace(FINAL, sending_failures=100))


def test_digest_of_a_message_without_receipts_says_that_our_side_is_at_fault():
    silent = replace(FINAL, is_silent=True, delivered=0, not_delivered=0, sending_failures=0, awaiting=1_204)
    assert "no delivery receipts arrived for this message, so no contact is listed for it" in words(silent)
    assert "need a fix" not in words(silent)
    assert "almost no delivery receipts" in words(replace(silent, awaiting=1_200, delivered=4))


def test_digest_without_moves_and_without_contacts_to_fix():
    nothing = replace(FINAL, to_fix={}, opted_out=Tally(), waiting=Tally(), by_grade=(), changed={}, left=LeftCounts())
    text = words(replace(nothing, students_without_adult=0))
    for sentence in ("No contact needs a fix.", "no contact joined or left", "Every student has an adult"):
        assert sentence in text


def test_students_without_an_adult_have_a_button_to_the_own_list():
    buttons = {button["action_id"]: button["value"] for button in drawn(FINAL).blocks[-1]["elements"]}
    assert buttons == {"digest.show_no_adult": "no-adult", "digest.show_mine": "all"}
    narrowed = drawn(replace(FINAL, list_filter=parse_filter("grade 5").filter))
    assert parse_filter(narrowed.blocks[-1]["elements"][0]["value"]).filter == parse_filter("grade 5 no adult").filter
    everyone_has_one = drawn(replace(FINAL, students_without_adult=0))
    assert [button["action_id"] for button in everyone_has_one.blocks[-1]["elements"]] == ["digest.show_mine"]


@pytest.mark.parametrize(
    ("filter_text", "title_end", "statuses"),
    [
        ("", "Early dismissal today", ""),
        ("grade 5", " · Grade 5", ""),
        ("blocked", " · Blocked", " (Blocked)"),
        ("blocked,inactive grade 4,5", "", " (Inactive or Blocked)"),
    ],
)
def test_title_names_the_filter(filter_text, title_end, statuses):
    digest = replace(FINAL, list_filter=parse_filter(filter_text).filter)
    assert title(digest).endswith(title_end)
    assert f"80 not delivered{statuses}, 12" in words(digest)


def test_failures_outside_the_filter_complete_the_sum():
    digest = replace(FINAL, list_filter=parse_filter("blocked").filter, not_delivered=30, other_failures=50)
    assert "30 not delivered (Blocked), 50 not delivered for another reason, 12 without" in words(digest)


def test_narrowed_digest_speaks_of_these_students():
    narrowed = {"list_filter": parse_filter("grade 5").filter, "students_without_adult": 0, "sender_faults": (FAULT,)}
    text = words(replace(FINAL, **narrowed))
    assert "Every one of these students has an adult" in text
    assert "12 texts of the whole message were refused" in text


def test_long_title_leaves_room_for_the_filter():
    digest = replace(FINAL, title="Early dismissal " * 20, list_filter=parse_filter("grade 5").filter)
    assert title(digest).endswith("… · Grade 5")
    assert len(title(digest)) <= 150


def test_title_pings_no_one():
    assert "<!channel>" not in drawn(replace(FINAL, title="<!channel> *Snow*")).text


def test_district_may_replace_the_template(tmp_path):
    (tmp_path / "digest.txt").write_text("{{ digest.title }}\n\nDelivered: {{ digest.delivered }}")
    assert (
        card.draw(replace(FINAL, earlier=()), Templates(tmp_path), zone=UTC).text
        == "Early dismissal today\n\nDelivered: 1100"
    )
