"""The direct message to somebody whose edits let a mass message reach contacts that it had missed."""

from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.db.models.messages import MassMessage
from bot.db.models.slack import DigestPost
from bot.digests.fixes import Fix, load_worked_fixes
from bot.domain.plural import plural
from bot.errors import UserError
from bot.slack.kit import blocks as b
from bot.slack.kit.card import Card
from bot.slack.kit.context import AppContext

_MOST = 10
_LONGEST = 200


def drawn(desk: AppContext, client: WebClient, post: DigestPost) -> Card | None:
    """What the fixer may still see of it; None for whoever is gone, is no person, or may see none of them any more.

    Raises:
        SlackApiError: Slack did not say who it is.
    """
    try:
        with desk.acting(client, post.channel_id) as (session, actor):
            fixes = load_worked_fixes(session, post.mass_message_id, actor=actor)
            return _card(_title(session, post), fixes) if fixes else None
    except UserError:
        return None


def _title(session: Session, post: DigestPost) -> str:
    return session.get_one(MassMessage, post.mass_message_id).title


def _card(title: str, fixes: list[Fix]) -> Card:
    """The names are in the blocks only: the text is what a locked phone shows."""
    head = "Your fix worked" if len(fixes) == 1 else f"{len(fixes):,} of your fixes worked"
    said = f"“{b.escaped(b.cut(title, _LONGEST))}” reached {plural(len(fixes), 'contact')} that you had fixed."
    more = [f"… and {len(fixes) - _MOST:,} more."] if len(fixes) > _MOST else []
    rows = "\n".join([*map(_row, fixes[:_MOST]), *more])
    return Card([b.header(f"🎉 {head}"), b.section(said), b.section(rows)], f"{head}: {said}")


def _row(fix: Fix) -> str:
    named = f"{fix.contact} ({', '.join(fix.students)})"
    return f"• {b.escaped(b.cut(named, _LONGEST))}"
