"""The check of a phone number while it is typed, below its field in the edit form.

It runs after the acknowledgment, says nothing about a number that is not complete, and redraws only where its lines differ from
those on screen: a person who types ten digits causes one update. An update that comes too late is refused by its hash, and
nothing is lost: what was typed stays in the field, and *Save* checks again.
"""

import logging
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.contact_edits.change import doubt_sentence
from bot.contact_edits.number_check import NumberCheck, check_number
from bot.domain import phone
from bot.domain.sms_status import MEANINGS, SmsStatus
from bot.errors import UserError
from bot.settings import Settings
from bot.slack.kit import api_errors
from bot.slack.kit import blocks as b
from bot.slack.kit.api_errors import Outcome
from bot.slack.kit.blocks import Block
from bot.slack.kit.context import AppContext
from bot.slack.kit.error_handler import run_after_response
from bot.slack.kit.private_metadata import DialogTarget, read_target
from bot.slack.student.edit import PHONE

logger = logging.getLogger(__name__)

_CHECK = "phone.check"
_MAX_NAMED = 3
# Errors of a number that is still being typed; *Save* reports them.
_INCOMPLETE = {"phone.no_digits", "phone.no_area_code", "phone.too_short", "phone.zeros", "phone.invalid"}
# Properties of a view that an update repeats.
_REPEATED = ("type", "callback_id", "title", "close", "submit", "private_metadata")


def register(app: App, ctx: AppContext) -> None:
    def check(body: dict[str, Any], client: WebClient) -> None:
        run_after_response("check of a number", lambda: _check(ctx, client, body))

    app.action({"block_id": PHONE, "action_id": b.VALUE})(ack=_acknowledge, lazy=[check])


def _acknowledge(ack: Ack) -> None:
    ack()


def _check(ctx: AppContext, client: WebClient, body: dict[str, Any]) -> None:
    view, user_id = body["view"], body["user"]["id"]
    lines = _lines(ctx, client, user_id, read_target(view), body["actions"][0].get("value") or "")
    if lines == _lines_on_screen(view):
        return
    redrawn = {name: view[name] for name in _REPEATED} | {"blocks": _with_lines(view["blocks"], lines)}
    result = api_errors.call(lambda: client.views_update(view_id=view["id"], hash=view["hash"], view=redrawn))
    if result.outcome is not Outcome.DONE:
        logger.info("the check of a number was not shown: %s", result.error)


def _lines_on_screen(view: dict[str, Any]) -> list[str]:
    shown = (block["elements"] for block in view["blocks"] if block["block_id"] == _CHECK)
    return [element["text"] for element in next(shown, [])]


def _with_lines(blocks: list[Block], lines: list[str]) -> list[Block]:
    """Put the lines below the field, in place of those from before."""
    others = [block for block in blocks if block["block_id"] != _CHECK]
    below = 1 + next(position for position, block in enumerate(others) if block["block_id"] == PHONE)
    check = [b.context(*lines) | {"block_id": _CHECK}] if lines else []
    return [*others[:below], *check, *others[below:]]


def _lines(ctx: AppContext, client: WebClient, user_id: str, target: DialogTarget, typed: str) -> list[str]:
    try:
        number = phone.parse(typed, ctx.settings.phone_region).e164
    except UserError as problem:
        return [] if problem.code in _INCOMPLETE else [f"⚠️ {b.escaped(problem.sentence)}"]
    with ctx.acting(client, user_id) as (session, actor):
        student_id = target.origin.student_id
        facts = check_number(session, target.contact_id, number, student_id=student_id, actor=actor)
    doubt = doubt_sentence(number, ctx.settings.opt_in_number)
    return [*([f"⚠️ {doubt}"] if doubt else []), *_facts(facts, ctx.settings)]


def _facts(check: NumberCheck, settings: Settings) -> list[str]:
    lines = []
    if check.status:
        since = f" since\u00a0{b.date(check.since)}" if check.since else ""
        lines.append(f"{b.status(check.status)}{since}. {_consequence(check.status, settings)}")
    if check.same_adult_of:
        lines.append(f"👤 This contact has the number in another record, too, of {_list(check.same_adult_of)}.")
    if check.sharing:
        lines.append(f"☎️ Also used by {_list(check.sharing)}.")
    if check.typo_of:
        old = phone.format_number(check.typo_of, settings.phone_region)
        lines.append(f"🔎 Nearly the same as {old}. Read it back to the family, to be sure that it is no typo.")
    return lines


def _consequence(status: SmsStatus, settings: Settings) -> str:
    if status is SmsStatus.OPT_OUT:
        start = phone.describe_opt_in_number(settings.opt_in_number, settings.phone_region)
        return f"No text goes there until the contact texts START to {start} from that phone."
    return MEANINGS[status].explanation


def _list(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(b.escaped(name) for name in names[:_MAX_NAMED]) + more
