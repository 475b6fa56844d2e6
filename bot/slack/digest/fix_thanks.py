"""The direct message that thanks an editor: a mass message was delivered to contacts that they had fixed."""

from slack_sdk import WebClient

from bot.db.models.messages import MassMessage
from bot.db.models.slack import DigestPost
from bot.digests.fixes import Fix, load_worked_fixes
from bot.domain.display import plural
from bot.errors import UserError
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext

_MAX_ROWS = 10
_MAX_CHARACTERS = 200


def load_card(ctx: AppContext, client: WebClient, post: DigestPost) -> Card | None:
    """Return the card, or None if the editor has no access anymore or may see none of the contacts.

    Raises:
        SlackApiError: Slack did not say who the editor is.
    """
    try:
        with ctx.acting(client, post.channel_id) as (session, actor):
            fixes = load_worked_fixes(session, post.mass_message_id, actor=actor)
            title = session.get_one(MassMessage, post.mass_message_id).title
    except UserError:
        return None
    return _draw(title, fixes) if fixes else None


def _draw(title: str, fixes: list[Fix]) -> Card:
    """Draw the card; names are only in the blocks, because a locked phone shows the text."""
    heading = "Your fix worked" if len(fixes) == 1 else f"{len(fixes):,} of your fixes worked"
    count = plural(len(fixes), "contact")
    summary = f"“{b.escaped(title, _MAX_CHARACTERS)}” was delivered to {count} that you had fixed."
    rows = [_row(fix) for fix in fixes[:_MAX_ROWS]]
    if len(fixes) > _MAX_ROWS:
        rows.append(f"… and {len(fixes) - _MAX_ROWS:,} more.")
    return Card(
        [b.header(f"🎉 {heading}"), b.section(summary), b.section("\n".join(rows))],
        b.without_formatting(f"{heading}: {summary}"),
    )


def _row(fix: Fix) -> str:
    names = f"{fix.contact} ({', '.join(fix.students)})"
    return f"• {b.escaped(names, _MAX_CHARACTERS)}"
