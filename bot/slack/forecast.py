"""`/cleanup forecast`: before a mass message goes out, whom it would reach and miss, and which students nobody would hear for."""

from typing import Any

from slack_sdk import WebClient

from bot.cleanup_list.forecast import Forecast, load_forecast
from bot.domain.plural import plural
from bot.domain.sms_status import meaning
from bot.slack.kit import blocks as b
from bot.slack.kit import mentions
from bot.slack.kit.card import TEXT, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import links as list_links
from bot.slack.list import rows as list_rows
from bot.slack.list import scope
from bot.slack.list.scope import Asked
from bot.wording import say

_COMMAND = "forecast"
_STUDENTS = 10


def show(desk: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """The forecast for the students that a filter means, of whom this person may see."""
    mentioned = mentions.emails(desk, client, text)
    with desk.acting(client, body["user_id"]) as (session, actor):
        asked = scope.read(session, actor, text, mentioned)
        told = load_forecast(session, asked.which, actor=actor, students=_STUDENTS)
    return _card(told, asked)


def _card(told: Forecast, asked: Asked) -> Card:
    which = asked.which.with_page(told.page)
    head = asked.heading("If a mass message went out now")
    facts = [asked.unmet] if asked.unmet else [_reached(told), *_missed(told), *_not_texted(told), _alone(told)]
    here = list_links.command_text(_COMMAND, which)
    blocks = [
        b.header(head),
        *asked.asides(
            left_out=(
                "A forecast is of a grade, a school or a teacher's students. The rest of what you typed is left out."
            )
        ),
        b.section("\n".join(facts)),
        *([b.divider()] if told.students else []),
        *(list_rows.row(one, here=here, most=0) for one in told.students),
        *list_links.turning_command(_COMMAND, which, pages=told.pages),
    ]
    names = [f"{b.escaped(one.name)}: no adult would get the text." for one in told.students]
    return Card(blocks, b.cut("\n".join([b.escaped(head), *facts, *names]), TEXT))


def _reached(told: Forecast) -> str:
    return f"🟢 *{plural(told.reached, 'contact')}* would get it."


def _missed(told: Forecast) -> list[str]:
    if not told.missed:
        return []
    statuses = ", ".join(f"{meaning(status).label} {number:,}" for status, number in told.missed.items())
    return [f"🔴 *{plural(sum(told.missed.values()), 'contact')}* would miss it: {statuses}."]


def _not_texted(told: Forecast) -> list[str]:
    return (
        [f"☎️ {plural(told.not_texted, 'contact gets', 'contacts get')} calls or e-mail instead."]
        if told.not_texted
        else []
    )


def _alone(told: Forecast) -> str:
    if not told.without_adult:
        return "✅ *Every student has an adult who would get it.*"
    alone = f"⚠️ *{plural(told.without_adult, 'student has', 'students have')} no adult who would get it.*"
    if told.pages == 1:
        return alone
    return " ".join(
        [
            alone,
            "Those who cannot be called or e-mailed either come first.",
            f"{say('everywhere.page', page=told.page, pages=told.pages)}.",
        ]
    )
