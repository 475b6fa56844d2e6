"""The direct message to an editor: numbers of their students' contacts belong to someone else, and are not texted anymore.

Who else has such a number is not said: each reader sees only students of their own. Names are in the blocks only, because a locked
phone shows the text.
"""

from operator import attrgetter

from slack_sdk import WebClient
from sqlalchemy.orm import Session

from bot.access.rights import Actor
from bot.db.models.notices import WrongPersonNotice, WrongPersonState
from bot.domain.display import plural
from bot.mass_messages.wrong_person import DEACTIVATIONS
from bot.mass_messages.wrong_person_notices import WrongContact, claim_notice, load_wrong_contacts
from bot.slack.kit import blocks as b
from bot.slack.kit import direct_messages
from bot.slack.kit.blocks import Card
from bot.slack.kit.context import AppContext

_MAX_ROWS = 10
_MAX_CHARACTERS = 200


def send_due(ctx: AppContext, client: WebClient) -> int:
    """Send every notice that is due; return the number sent. The person who recorded it, and one who may not edit, get none."""

    def draw(session: Session, notice: WrongPersonNotice, actor: Actor) -> Card | None:
        is_reader = actor.may_edit and actor.user_id != notice.recorded_by
        contacts = load_wrong_contacts(session, notice, actor=actor) if is_reader else []
        return _draw(contacts, notice.recorded_by) if contacts else None

    reader = attrgetter("reader")
    return direct_messages.send_due(ctx, client, claim_notice, draw, reader=reader, sent=WrongPersonState.SENT)


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
