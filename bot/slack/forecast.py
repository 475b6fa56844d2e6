"""`/cleanup forecast`: who would and would not get a mass message sent now, and the students without a textable adult."""

from typing import Any

from slack_sdk import WebClient

from bot.access.rights import AccessLevel
from bot.cleanup_list.forecast import Forecast, load_forecast
from bot.domain.display import plural
from bot.domain.sms_status import MEANINGS
from bot.slack.kit import blocks as b
from bot.slack.kit import users
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import links, rows
from bot.slack.list.scope import CommandScope, read_scope

_COMMAND = "forecast"
_STUDENTS_ON_A_PAGE = 10


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the forecast for the students that a filter selects, among those this person may see."""
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now())
    with ctx.acting(client, body["user_id"]) as (session, actor):
        scope = read_scope(session, actor, text, mentioned)
        forecast = load_forecast(session, scope.filter, actor=actor, page_size=_STUDENTS_ON_A_PAGE)
    has_schools = actor.level is AccessLevel.DISTRICT or len(actor.school_ids) > 1
    return _card(forecast, scope, has_schools=has_schools)


def _card(forecast: Forecast, scope: CommandScope, *, has_schools: bool) -> Card:
    which = scope.filter.with_page(forecast.page)
    here = links.command_text(_COMMAND, which)
    ignored = "A forecast is for a grade, a school, or a teacher's students. The rest of what you typed is left out."
    return b.card(
        [
            b.header(scope.heading("If a mass message went out now")),
            *scope.ignored_words(ignored),
            b.section(scope.unmet or "\n".join(_facts(forecast))),
            *([b.divider()] if forecast.students else []),
            *rows.of_forecast(forecast.students, here=here, has_schools=has_schools),
            *list_card.command_buttons(_COMMAND, which, pages=forecast.pages),
        ]
    )


def _facts(forecast: Forecast) -> list[str]:
    facts = [f"🟢 *{plural(forecast.delivered, 'contact')}* would get it."]
    if forecast.missed:
        statuses = ", ".join(f"{MEANINGS[status].label} {number:,}" for status, number in forecast.missed.items())
        facts.append(f"🔴 *{plural(sum(forecast.missed.values()), 'contact')}* would miss it: {statuses}.")
    if forecast.not_texted:
        gets = plural(forecast.not_texted, "contact gets", "contacts get")
        facts.append(f"☎️ {gets} calls or email instead.")
    if not forecast.without_adult:
        return [*facts, "✅ *Every student has an adult who would get it.*"]
    alone = f"⚠️ *{plural(forecast.without_adult, 'student has', 'students have')} no adult who would get it.*"
    if forecast.pages > 1:
        alone += f" Those who get no autocalls or email either come first. Page {forecast.page} of {forecast.pages}."
    return [*facts, alone]
