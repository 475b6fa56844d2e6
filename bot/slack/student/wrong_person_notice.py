"""The direct message to an editor: numbers of their students' contacts belong to someone else, and are not texted anymore.

Who else has such a number is not said: each reader sees only students of their own. Names are in the blocks only, because a locked
phone shows the text.
"""

from functools import partial
from typing import Any

from slack_sdk import WebClient

from bot.db.models.notices import WrongPersonNotice, WrongPersonState
from bot.domain.display import plural
from bot.errors import UserError
from bot.mass_messages.wrong_person import DEACTIVATIONS
from bot.mass_messages.wrong_person_notices import WrongContact, claim_notice, load_wrong_contacts
from bot.slack.kit import blocks as b
from bot.slack.kit import outbox_worker
from bot.slack.kit.api_errors import Result
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext

_MAX_ROWS = 10
_MAX_CHARACTERS = 200


def send_due(context: AppContext, client: WebClient) -> int:
    """Send every notice that is due; return the number sent."""

    def send(notice: WrongPersonNotice) -> Result[Any] | None:
        prepare = partial(_prepare, context, client, notice)
        return outbox_worker.send_direct_message(context, client, notice, prepare, sent=WrongPersonState.SENT)

    return outbox_worker.send_each(context, (claim_notice, send))


def _prepare(context: AppContext, client: WebClient, notice: WrongPersonNotice) -> tuple[str, Card] | None:
    """Return the reader's Slack user id and the card; None if the reader recorded it, may not edit, or sees none of the students.

    Raises:
        SlackApiError: Slack did not say who the reader is, or no user has that email.
    """
    user_id = str(client.users_lookupByEmail(email=notice.reader or "")["user"]["id"])
    if user_id == notice.recorded_by:
        return None
    try:
        with context.acting(client, user_id) as (session, actor):
            contacts = load_wrong_contacts(session, notice, actor=actor) if actor.may_edit else []
    except UserError:
        return None
    return (user_id, _draw(contacts, notice.recorded_by)) if contacts else None


def _draw(contacts: list[WrongContact], recorded_by: str) -> Card:
    count = plural(len(contacts), "contact of your students has", "contacts of your students have")
    heading = f"{count} a number that belongs to someone else"
    rows = [_row(contact) for contact in contacts[:_MAX_ROWS]]
    if len(contacts) > _MAX_ROWS:
        rows.append(f"… and {len(contacts) - _MAX_ROWS:,} more.")
    what_to_do = (
        "No one is texted there anymore. Ask the family for a new number: `/cleanup wrong person` lists them. If the number is "
        "theirs after all, open the student and press *Undo wrong person*."
    )
    source = f"{_source(recorded_by)} {what_to_do}"
    return Card([b.section(f"🚷 *{heading}*\n{source}"), b.section("\n".join(rows))], f"{heading}.")


def _source(recorded_by: str) -> str:
    if b.mention(recorded_by):
        return "A colleague found out."
    return "The carriers reported it." if recorded_by == DEACTIVATIONS else "The SMS provider reported it."


def _row(contact: WrongContact) -> str:
    names = b.escaped(b.cut(f"{contact.name} ({', '.join(contact.students)})", _MAX_CHARACTERS))
    return f"• {names} · {b.masked(contact.phone)}"
