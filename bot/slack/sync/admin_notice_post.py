"""Sends notices about receipts to administrators, each once, in a direct message. What is over by then is not sent."""

from operator import attrgetter

from slack_sdk import WebClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.access.rights import AccessLevel, Actor
from bot.db.models.messages import Delivery, MassMessage
from bot.db.models.notices import AdminNotice, AdminNoticeKind, NoticeState
from bot.db.models.refusals import RefusedRequests
from bot.domain.display import plural
from bot.operations.admin_notices import claim_admin_notice
from bot.operations.refusals import describe, load_refusals
from bot.slack.kit import blocks as b
from bot.slack.kit import direct_messages
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext

_MAX_TITLE = 100
_MAX_REASONS = 5


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Send every notice that is due; return the number sent."""

    def draw(session: Session, notice: AdminNotice, actor: Actor) -> Card | None:
        if actor.level is not AccessLevel.DISTRICT:  # Someone else shares the address of an administrator.
            return None
        is_silent = notice.kind == AdminNoticeKind.SILENT
        return _silent_card(session, notice.about) if is_silent else _refused_card(ctx, session, notice.about)

    reader = attrgetter("reader")
    return direct_messages.send_due(ctx, client, claim_admin_notice, draw, reader=reader, sent=NoticeState.SENT)


def _refused_card(ctx: AppContext, session: Session, source: str) -> Card | None:
    now, zone = ctx.now(), ctx.settings.zone
    refusals = load_refusals(session, RefusedRequests.source == source, now=now)[:_MAX_REASONS]
    if not refusals:
        return None
    # All of it is from closed sets, and must be copied as it is: escaping would break the names of settings.
    sentences = "\n".join(f"• {describe(each, zone=zone, now=now)}." for each in refusals)
    more = (
        "What is refused is lost unless it is sent again. `cleanup-bot doctor` on the server shows the current state."
    )
    return _card(f"⚠️ Requests from {source} are refused", f"{sentences}\n{more}")


def _silent_card(session: Session, message_id: str) -> Card | None:
    message = session.get(MassMessage, message_id)
    if message is None or message.silent_at is None:
        return None
    is_final = func.count().filter(Delivery.final_at.is_not(None))
    final, sent = session.execute(select(is_final, func.count()).where(Delivery.mass_message_id == message_id)).one()
    title = b.escaped(b.cut(message.title, _MAX_TITLE))
    return _card(
        "🛠️ No delivery receipts: the problem is on our side",
        f"“{title}”, sent on {b.date(message.sent_at)}, has a final receipt for {final:,} of {plural(sent, 'text')}. So no contact was "
        "listed for it. Check at the SMS provider that it sends receipts to our `/receipts/` address. `cleanup-bot doctor` on the "
        "server says whether receipts are refused, and why.",
    )


def _card(title: str, text: str) -> Card:
    return Card([b.section(f"*{title}*\n{text}")], f"{title}\n{b.without_formatting(text)}")
