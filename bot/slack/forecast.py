"""`/cleanup forecast`: who would and would not get a mass message sent now, what can still be fixed
before it that helps most, and the students without a textable adult.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from slack_sdk import WebClient

from bot.access.rights import AccessLevel
from bot.cleanup_list.forecast import Forecast, load_forecast
from bot.domain import phone
from bot.domain.display import plural
from bot.domain.sms_status import MEANINGS
from bot.filters.filter import Filter, command_text
from bot.reachability.fix_details import FixDetails, load_details
from bot.reachability.fixes import load_plan
from bot.slack.kit import blocks as b
from bot.slack.kit import users
from bot.slack.kit.blocks import Block, Card
from bot.slack.kit.context import AppContext
from bot.slack.list import card as list_card
from bot.slack.list import helps_most, links, rows
from bot.slack.list.scope import CommandScope, read_scope

_COMMAND = "forecast"
_STUDENTS_ON_A_PAGE = 10
_FIXES = 5


def show(ctx: AppContext, client: WebClient, body: dict[str, Any], text: str) -> Card:
    """Return the forecast for the students that a filter selects, among those this person may see."""
    mentioned = users.mentioned_emails(ctx.engine, client, text, now=ctx.now())
    with ctx.acting(client, body["user_id"]) as (session, actor):
        scope = read_scope(session, actor, text, mentioned)
        # Before the forecast, whose settings of the planner are for itself.
        plan = load_plan(session, scope.filter, actor=actor) if scope.filter.page == 1 else None
        details = load_details(session, list(islice(plan.fixes, _FIXES))) if plan else []
        forecast = load_forecast(session, scope.filter, actor=actor, page_size=_STUDENTS_ON_A_PAGE)
    number = phone.describe_number(ctx.settings.opt_in_number, ctx.settings.phone_region)
    fixes = _fixes(details, plan.students, scope.filter, number) if plan and details else []
    has_schools = actor.level is AccessLevel.DISTRICT or len(actor.school_ids) > 1
    return _card(forecast, fixes, scope, has_schools=has_schools)


def _fixes(details: Sequence[FixDetails], students: int, which: Filter, our_number: str | None) -> list[Block]:
    """Return the first fixes, with a button to more of them."""
    most = command_text(helps_most.COMMAND, which)
    button = b.button(helps_most.BUTTON, f"{links.RUN_PREFIX}.0", most, label=helps_most.TITLE)
    sentence = f"🎯 Before it goes out: {helps_most.sum_sentence(details, students)}"
    here = command_text(_COMMAND, which)
    return [b.section(sentence, accessory=button), *helps_most.compact(details, here=here, our_number=our_number)]


def _card(forecast: Forecast, fixes: Sequence[Block], scope: CommandScope, *, has_schools: bool) -> Card:
    which = scope.filter.with_page(forecast.page)
    here = command_text(_COMMAND, which)
    ignored = "A forecast is for a grade, a school, or a teacher's students. The rest of what you typed is left out."
    return b.card(
        [
            b.header(scope.heading("If a mass message went out now")),
            *scope.ignored_words(ignored),
            b.section(scope.unmet or "\n".join(_facts(forecast))),
            *([b.divider(), *fixes] if fixes and not scope.unmet else []),
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
        facts.append(f"☎️ {gets} autocalls or email instead.")
    if not forecast.without_adult:
        return [*facts, "✅ *Every student has an adult who would get it.*"]
    sentence = f"⚠️ *{plural(forecast.without_adult, 'student has', 'students have')} no adult who would get it.*"
    if forecast.pages > 1:
        sentence += f" Those who get no autocalls or email either come first. Page {forecast.page} of {forecast.pages}."
    return [*facts, sentence]
