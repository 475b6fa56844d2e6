"""`/cleanup forecast`: before a mass message goes out, whom it would reach and miss, and which students nobody would hear for."""

from typing import Any

from slack_sdk import WebClient

from bot import cleanup_list, filters
from bot.cleanup_list import Forecast
from bot.filters import Filter, Parsed
from bot.slack import blocks as b
from bot.slack import list_links, list_nobody, list_rows, mentions
from bot.slack.blocks import Block
from bot.slack.card import TEXT, Card
from bot.slack.desk import Desk
from bot.sms_status import meaning
from bot.wording import count

_STUDENTS = 10


def show(desk: Desk, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """The forecast for the students that a filter means, of whom this person may see."""
    mentioned = mentions.emails(desk, client, text)
    with desk.acting(client, body["user_id"]) as (session, actor):
        parsed = filters.parse(text, cleanup_list.vocabulary(session, actor, mentioned))
        which = Filter(grades=parsed.filter.grades, school=parsed.filter.school, teacher=parsed.filter.teacher)
        told = cleanup_list.forecast(session, which, actor=actor, students=_STUDENTS)
        unmet = cleanup_list.unmet(session, which, actor=actor)
    facts = (
        [list_nobody.said_of(unmet)] if unmet else [_reached(told), *_missed(told), *_not_texted(told), _alone(told)]
    )
    return _card(told, facts, which, parsed)


def _card(told: Forecast, facts: list[str], which: Filter, parsed: Parsed) -> Card:
    whom = f" · {filters.describe(which)}" if which != Filter() else ""
    head = f"If a mass message went out now{whom}"
    blocks = [
        b.header(head),
        *_left_out(parsed.filter),
        *_not_understood(parsed),
        b.section("\n".join(facts)),
        *([b.divider()] if told.students else []),
        *(list_rows.row(one, here=f"forecast {which}".strip(), most=0) for one in told.students),
    ]
    names = [f"{b.escaped(one.name)}: no adult would get the text." for one in told.students]
    return Card(blocks, b.cut("\n".join([b.escaped(head), *facts, *names]), TEXT))


def _left_out(which: Filter) -> list[Block]:
    """A mass message goes to grades, schools and classes; what else was typed is said to be left out."""
    if not (which.names or which.statuses or which.alone):
        return []
    return [
        b.context("A forecast is of a grade, a school or a teacher's students. The rest of what you typed is left out.")
    ]


def _not_understood(parsed: Parsed) -> list[Block]:
    if not parsed.unknown:
        return []
    return [b.context(f"{list_links.unknown(parsed)} {list_links.SEE_HELP}")]


def _reached(told: Forecast) -> str:
    return f"🟢 *{count(told.reached, 'contact')}* would get it."


def _missed(told: Forecast) -> list[str]:
    if not told.missed:
        return []
    by_status = ", ".join(f"{meaning(status).label} {number:,}" for status, number in told.missed.items())
    return [f"🔴 *{count(sum(told.missed.values()), 'contact')}* would miss it: {by_status}."]


def _not_texted(told: Forecast) -> list[str]:
    return (
        [f"☎️ {count(told.not_texted, 'contact gets', 'contacts get')} calls or e-mail instead."]
        if told.not_texted
        else []
    )


def _alone(told: Forecast) -> str:
    if not told.without_adult:
        return "✅ *Every student has an adult who would get it.*"
    more = told.without_adult - len(told.students)
    first = f" The first {len(told.students)}, those without any other way on top:" if more else ""
    return f"⚠️ *{count(told.without_adult, 'student has', 'students have')} no adult who would get it.*{first}"
