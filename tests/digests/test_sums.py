"""A reader who adds the numbers of a digest gets what it says, and what the list in Slack shows: after any history."""

import re
from datetime import UTC, timedelta
from random import Random

import pytest
from sqlalchemy import select
from support import edits, people
from support import mass_messages as messages

from bot.access.rights import AccessLevel
from bot.cleanup_list.page import load_page
from bot.db.models.listed_students import ListedStudent
from bot.db.models.messages import ListEntry
from bot.db.models.views import effective_contacts
from bot.digests.report import load_digest
from bot.domain.sms_status import STATUSES_BY_COLOR, Color
from bot.errors import UserError
from bot.filters.parse import parse_filter
from bot.mass_messages.opt_outs import apply_opt_out
from bot.mass_messages.settle import settle_message
from bot.slack.digest import card
from bot.templates.loader import Templates

DAY = timedelta(days=1)
OUTCOMES = ["delivered", "delivered", "blocked", "inactive", "landline", "unconfirmed", "turned_off", "opt_out", None]
FILTERS = ["", "grade 5", "grade K,5", "inactive", "red grade 3,5"]

pytestmark = pytest.mark.usefixtures("every_group_counts")


def a_district(session, random):
    """Forty students in four grades, with contacts of one to three of them, some without a number."""
    students = [people.student(session, grade=random.choice(["K", "3", "5", None])) for _ in range(40)]
    phones = ["new"] * 9 + [None]
    return students, [
        people.contact(session, *random.sample(students, random.choice([1, 1, 1, 2, 3])), phone=random.choice(phones))
        for _ in range(50)
    ]


def live_a_day(session, random, dana, contacts, *, now):
    """Let people edit, remove, and opt out."""
    verbs = [
        lambda contact: edits.change(session, contact, phone=people.next_phone(), actor=dana, now=now),
        lambda contact: edits.change(session, contact, method=random.choice(["call", "text"]), actor=dana, now=now),
        lambda contact: edits.remove(session, contact, None, actor=dana, now=now),
        lambda contact: apply_opt_out(session, contact.sis_phone, by="twilio", now=now) if contact.sis_phone else None,
    ]
    for contact in random.sample(contacts, 12):
        try:
            random.choice(verbs)(contact)
        except UserError:  # Nothing would change.
            continue
    session.flush()


def send(session, random, contacts, *, now):
    """Text most contacts at the number that staff see now; fixed numbers usually work."""
    numbers = dict(session.execute(select(effective_contacts.c.contact_id, effective_contacts.c.phone)).all())
    texted = [contact for contact in contacts if numbers.get(contact.id) and random.random() < 0.9]
    deliveries = {contact: messages.a_delivery(contact, to=numbers[contact.id]) for contact in texted}
    message = messages.a_message(*deliveries.values(), sent_at=now)
    messages.register(session, message, now=now)
    for contact, delivery in deliveries.items():
        is_fixed = numbers[contact.id] != contact.sis_phone
        if outcome := "delivered" if is_fixed and random.random() < 0.7 else random.choice(OUTCOMES):
            messages.report(session, delivery["provider_id"], outcome, now=now)
    settle_message(session, message["id"], now=now)
    return message["id"]


@pytest.mark.parametrize("seed", range(6))
def test_digests_add_up(session, now, seed):
    random = Random(seed)  # noqa: S311
    dana = people.actor_of(people.staff(session, "Dana", role="districtAdministrator"), level=AccessLevel.DISTRICT)
    students, contacts = a_district(session, random)
    fixed = 0
    for day in range(4):
        moment = now + day * DAY
        before = set(session.scalars(select(ListEntry.contact_id)))
        sent = send(session, random, contacts, now=moment)
        for filter_text in FILTERS:
            check(session, sent, filter_text, before, dana)
        fixed += load_digest(session, sent, today=people.TODAY).left.fixed
        live_a_day(session, random, dana, contacts, now=moment + DAY / 2)
        random.choice(students).active = False
        session.flush()
    assert fixed


def check(session, message_id, filter_text, before, dana):
    which = parse_filter(filter_text).filter
    digest = load_digest(session, message_id, list_filter=which, today=people.TODAY)
    parts = digest.delivered, digest.not_delivered, digest.awaiting, digest.sending_failures, digest.other_failures
    assert digest.sent == sum(parts)
    page, moves = load_page(session, which, actor=dana), digest.moves
    assert moves.joined + moves.stayed == page.total_contacts
    to_fix = sum(tally.contacts for tally in digest.to_fix.values())
    assert sum(group.to_fix.contacts for group in digest.by_grade) == to_fix
    assert sum(digest.changed.values()) <= moves.stayed
    if not filter_text:
        entries = set(session.scalars(select(ListEntry.contact_id)))
        listed = {contact for row in session.scalars(select(ListedStudent.contact_ids)) for contact in row}
        assert moves.left == len(before - entries)
        assert moves.joined == len(listed - before)
    check_words(card.draw(digest, Templates(), zone=UTC).text.replace("\u00a0", " "), moves)


def check_words(text, moves):
    """Add the numbers as a reader does."""
    rows = text.splitlines()
    reasons = next((row for row in rows if "a fix:" in row), "0 contacts:")
    colors = [row for row in rows if row.startswith(("🔴", "🟡"))]
    also = next((row for row in rows if row.startswith("Also on the list")), "")
    total, *by_reason = numbers(r"(\d[\d,]*) (?:contact|text|ha|number)", reasons)
    listed = total + sum(numbers(r": (\d[\d,]*)", also))
    assert total == sum(by_reason) == sum(numbers(r"[a-z] (\d[\d,]*)", *colors)), text
    moved = next((row for row in rows if row.startswith("What moved")), "")
    new, stayed, left = numbers(r"(\d[\d,]*) (?:new|stayed|left)", moved) or (0, moves.stayed, 0)
    assert (new + stayed, new) == (listed, sum(numbers(r"\((\d+) new", *colors, also))), text
    assert left == sum(numbers(r"• (\d+) left", text)), text


def numbers(pattern, *rows):
    return [int(number.replace(",", "")) for row in rows for number in re.findall(pattern, row)]


def test_every_status_to_fix_has_a_color_line():
    assert {*STATUSES_BY_COLOR[Color.RED], *STATUSES_BY_COLOR[Color.YELLOW]} >= {"no_number", "wrong_person"}
