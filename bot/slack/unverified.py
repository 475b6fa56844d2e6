"""`/cleanup unverified`: contacts who are not on the list, but whose number nothing has verified for twelve months."""

import re
from typing import Any

from slack_sdk import WebClient

from bot.access import rights
from bot.cleanup_list.query import narrow_students
from bot.cleanup_list.unverified import UnverifiedContact, UnverifiedPage, load_unverified
from bot.domain import grade
from bot.domain.display import plural
from bot.slack.kit import blocks as b
from bot.slack.kit import users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links
from bot.slack.list.scope import CommandScope, read_scope
from bot.slack.student import ids

COMMAND = "unverified"
_CONTACTS_ON_A_PAGE = 10
_MAX_NAME = 60
_MEANT = re.compile(
    r"\b(?:un|not[ -]+)verified\b(?: +(?:(?:for|in|within) +)?(?:the +)?(?:last +|past +)?(?:(?:12|twelve) months|(?:a|1|one) year))?",
    re.IGNORECASE,
)


def narrowed(text: str) -> str | None:
    """Return the filter around `not verified for 12 months`; None where something else was typed."""
    return _MEANT.sub(" ", text, count=1).strip() if _MEANT.search(text) else None


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the contacts to verify, of the students that a filter selects among those this person may see."""
    now = ctx.now()
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=now)
    with ctx.acting(client, body["user_id"]) as (session, actor):
        scope = read_scope(session, actor, text, mentioned)
        students = narrow_students(rights.visible_students(actor), scope.filter, today=actor.today)
        page = load_unverified(session, students, page=scope.filter.page, page_size=_CONTACTS_ON_A_PAGE, now=now)
    return _card(page, scope)


def _card(page: UnverifiedPage, scope: CommandScope) -> Card:
    which = scope.filter.with_page(page.page)
    here = links.command_text(COMMAND, which)
    ignored = "This can be narrowed by grade, school, class, and teacher. The rest of what you typed is left out."
    return b.card(
        [
            b.header(scope.heading("Not verified for 12 months")),
            *scope.ignored_words(ignored),
            b.section(scope.unmet or _facts(page)),
            *([b.divider()] if page.contacts else []),
            *(_row(contact, here) for contact in page.contacts),
            *list_card.command_buttons(COMMAND, which, pages=page.pages),
        ]
    )


def _facts(page: UnverifiedPage) -> str:
    if page.is_too_large:
        return (
            "These are too many students to look through at once. Name a school, a grade of a school, or a teacher: "
            f"`{links.COMMAND} {COMMAND} school Lincoln`"
        )
    if not page.total:
        return "✅ *Every contact who gets texts was verified within 12 months, or is on the list.*"
    count = plural(page.total, "contact who gets texts was", "contacts who get texts were")
    place = f" Page {page.page} of {page.pages}." if page.pages > 1 else ""
    return (
        f"*{count} not verified for 12 months*: no text arrived, and no colleague confirmed the number. When the family is here or "
        f"calls, open the student, press *Edit*, and verify it.{place}"
    )


def _row(contact: UnverifiedContact, here: str) -> Block:
    relationship = f" ({b.escaped(contact.relationship, _MAX_NAME)})" if contact.relationship else ""
    last = f"last verified {b.date(contact.verified_at)}" if contact.verified_at else "never verified"
    level = f" · {grade.short(contact.grade)}" if contact.grade else ""
    lines = [
        f"*{b.escaped(contact.student, _MAX_NAME)}*{level}",
        f"{b.escaped(contact.name, _MAX_NAME)}{relationship} · {b.masked(contact.phone)} · {last}",
    ]
    value = f"{contact.student_id} {here}"
    button = b.button("Open…", ids.SHOW_STUDENT, value, label=f"Open {contact.student}")
    return b.section("\n".join(lines), accessory=button)
