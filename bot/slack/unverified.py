"""`/cleanup unverified`: contacts who are not on the list, but whose number nothing has verified for twelve months, or as many as typed."""

from typing import Any

from slack_sdk import WebClient

from bot.cleanup_list.last_verified import PROOF_WORDS
from bot.cleanup_list.unverified import UnverifiedContact, UnverifiedPage, checked_months, load_unverified
from bot.domain import grade
from bot.domain.display import plural
from bot.filters.filter import Filter, command_text
from bot.filters.unverified import Unverified, command_with
from bot.slack.kit import blocks as b
from bot.slack.kit import users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links
from bot.slack.list.scope import CommandScope, read_scope
from bot.slack.student import ids

_CONTACTS_ON_A_PAGE = 10
_MAX_NAME = 60


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], typed: Unverified) -> Card:
    """Return the contacts to verify, of the students that a filter selects among those this person may see.

    Raises:
        UserError: this person may not use the list, or the number of months is out of bounds.
    """
    now = ctx.now()
    mentioned = users.mentioned_emails(ctx.engine, client, typed.rest, now=now)
    with ctx.acting(client, body["user_id"]) as (session, actor):
        scope = read_scope(session, actor, typed.rest, mentioned, has_names=True)
        months = checked_months(typed.months, kept=ctx.settings.keep_messages)
        page = load_unverified(
            session, scope.filter, actor=actor, months=months, page_size=_CONTACTS_ON_A_PAGE, now=now
        )
    return _card(page, scope)


def _card(page: UnverifiedPage, scope: CommandScope) -> Card:
    which = scope.filter.with_page(page.page)
    command = command_with(page.months)
    here = command_text(command, which)
    ignored = "This can be narrowed by grade, school, class, teacher, and name. The rest of what you typed is left out."
    return b.card(
        [
            b.header(scope.heading(f"Not verified for {plural(page.months, 'month')}")),
            *scope.ignored_words(ignored),
            b.section(scope.unmet or _facts(page, which)),
            *([b.divider()] if page.contacts else []),
            *(_row(contact, here) for contact in page.contacts),
            *_buttons(page, command, which),
        ]
    )


def _buttons(page: UnverifiedPage, command: str, which: Filter) -> list[Block]:
    """Return the buttons to other pages, and to a file, which may have more students than a page; from an empty part, to the whole."""
    if not (page.total or page.is_too_large):
        return b.actions([b.button("Show all", f"{links.RUN_PREFIX}.0", command)]) if which.criteria else []
    download = b.button("Download…", links.DOWNLOAD, command_text(command, which.with_page(1)))
    return [*list_card.command_buttons(command, which, pages=page.pages), *b.actions([download])]


def _facts(page: UnverifiedPage, which: Filter) -> str:
    age = plural(page.months, "month")
    if page.is_too_large:
        return (
            "These are too many students to look through at once. Name a school, a grade of a school, or a teacher: "
            f"`{links.COMMAND} {command_with(page.months)} school Lincoln`"
        )
    if not page.total:
        if which.names:
            name = b.escaped(" ".join(which.names), _MAX_NAME)
            return (
                f"No contact here for *{name}*. Contacts on the list, contacts verified within {age}, and other people's students "
                "are not shown."
            )
        return f"✅ *Every contact who gets texts was verified within {age}, or is on the list.*"
    count = plural(page.total, "contact who gets texts was", "contacts who get texts were")
    place = f" Page {page.page} of {page.pages}." if page.pages > 1 else ""
    return (
        f"*{count} not verified for {age}*: no text arrived, and no colleague confirmed the number. When the family is here or "
        f"calls, open the student, press *Edit*, and verify it.{place}"
    )


def _row(contact: UnverifiedContact, here: str) -> Block:
    relationship = f" ({b.escaped(contact.relationship, _MAX_NAME)})" if contact.relationship else ""
    last = "never verified"
    if contact.verified:
        last = f"last verified {b.date(contact.verified.at)}: {PROOF_WORDS[contact.verified.proof]}"
    level = f" · {grade.short(contact.grade)}" if contact.grade else ""
    lines = [
        f"*{b.escaped(contact.student, _MAX_NAME)}*{level}",
        f"{b.escaped(contact.name, _MAX_NAME)}{relationship} · {b.masked(contact.phone)} · {last}",
    ]
    value = f"{contact.student_id} {here}"
    button = b.button("Open…", ids.SHOW_STUDENT, value, label=f"Open {contact.student}")
    return b.section("\n".join(lines), accessory=button)
