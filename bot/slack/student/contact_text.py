"""The words of a contact's block in the student dialog: its status, why, and what to do. Numbers are
masked until *Show number*.
"""

from urllib.parse import quote

from bot.cleanup_list import calls
from bot.cleanup_list.calls import LastCall
from bot.cleanup_list.last_verified import PROOF_WORDS, Proof
from bot.cleanup_list.student import ContactCard
from bot.db.models.base import ContactMethod
from bot.db.models.edits import EditState
from bot.domain import phone
from bot.domain.phone_note import NoteKind, masked_note
from bot.domain.sms_status import MEANINGS, NOT_CALLED, SmsStatus
from bot.mass_messages.wrong_person import DEACTIVATIONS
from bot.slack.kit import blocks as b

SINCE = "since\u00a0{date_short_pretty}"
_NOTED = {
    NoteKind.REFUSED: "*No texts go to this number*: a note in the student information system asks for that.",
    NoteKind.DEAD: "*No texts go to this number*: a note in the student information system says that it does not work.",
    NoteKind.IMPOSSIBLE: "*No texts go to this number*: no phone in the US can have it.",
}
# What recorded a wrong person, where it was not a person or a provider.
_SOURCES = {DEACTIVATIONS: "The carriers' list of deactivated numbers was imported"}


def is_healthy(contact: ContactCard) -> bool:
    """Return whether nothing is known against texts to the contact, and nothing was changed here."""
    is_questionable = contact.status or contact.noted or contact.wrong_person_by or contact.suggestions
    return not (contact.on_list or contact.edits or is_questionable)


def is_claim_shown(contact: ContactCard) -> bool:
    """Return whether the contact is still to fix, and a person takes care of that."""
    return bool(contact.claimed_by) and not contact.updated_at


def state(contact: ContactCard, whole_number: str | None = None) -> list[str]:
    """Return the contact's method and number with its status, their email, and the words beside the number in the SIS, in which a
    second number is masked.
    """
    how = b.METHOD_NAMES[contact.method]
    if contact.phone or contact.status is not SmsStatus.NO_NUMBER:
        how += f" · {whole_number or b.masked(contact.phone)}"
    if contact.status:
        since = f" {b.date(contact.since, style=SINCE)}" if contact.since else ""
        how += f" · {b.status(contact.status)}{since}"
    elif contact.is_tried and not contact.updated_at:
        how += " · 🟢 *No problem known*"
    mail = [f"✉️ <mailto:{quote(contact.email, safe='@+')}|{b.escaped(contact.email)}>"] if contact.email else []
    words = b.escaped(masked_note(contact.note)) if contact.note else ""
    return [how, *mail, *([f"📝 In the student information system: “{words}”"] if words else [])]


def phone_link(e164: str, region: str) -> str:
    """Return a full number that a phone calls when it is pressed."""
    return f"<tel:{e164}|{phone.format_number(e164, region)}>"


def explain(contact: ContactCard, our_number: str | None) -> list[str]:
    """Return what the contact's status means, and the next step, with the number our texts come from where it is given."""
    is_new = not contact.is_tried and contact.status is None and contact.method is ContactMethod.TEXT
    if is_new and not contact.updated_at:
        return ["✏️ _New number. The next mass message shows whether texts arrive._"]
    if contact.status is None or contact.updated_at:
        return []
    if contact.noted:
        step = "Ask the family for another number, or allow texts if the note is out of date."
        return [f"{_NOTED[contact.noted]} _{step}_"]
    step = b.next_step(contact.status, our_number)
    if contact.method is not ContactMethod.TEXT and contact.status not in NOT_CALLED:
        means = "autocalls" if contact.method is ContactMethod.CALL else "email"
        step = f"Gets {means} now, no texts."
    # The evidence says the same in the provider's words, and "No number" says it itself.
    is_evident = contact.evidence is not None and contact.evidence.meaning is not None
    is_plain = is_evident or contact.status is SmsStatus.NO_NUMBER
    return [f"_{step}_" if is_plain else f"{MEANINGS[contact.status].explanation} _{step}_"]


def facts(contact: ContactCard) -> list[str]:
    """Return what happened to this contact: the change that waits, or the evidence of the status."""
    changed = _last_edit(contact)
    if contact.updated_at:
        waiting = f"✏️ _Updated {b.date(contact.updated_at)}, waiting for the next mass message._"
        return changed or [waiting]
    called = _call(contact)
    if contact.status is None:
        return [*called, *changed]
    if contact.noted:
        return [*_wrong_person(contact), *called, *changed]
    evidence = [*recorded_opt_out(contact), *_wrong_person(contact), *_texted_since(contact), *_evidence(contact)]
    return [*evidence, *called, *changed]


def verified(contact: ContactCard) -> list[str]:
    """Say when the number was verified last, and how; not that it was entered, where the change is shown."""
    last = contact.verified
    if last is None or (last.proof is Proof.ENTERED and contact.edits):
        return []
    by = f" ({b.mention(last.by)})" if b.mention(last.by) else ""
    return [f"🔎 Last verified {b.date(last.at)}: {PROOF_WORDS[last.proof]}{by}."]


def recorded_opt_out(contact: ContactCard) -> list[str]:
    """Say which colleague recorded a verbal opt-out; nothing for a texted one."""
    colleague = b.mention(contact.stopped_by)
    if not colleague or not contact.since or contact.status is not SmsStatus.OPT_OUT:
        return []
    return [f"Recorded by {colleague} on {b.date(contact.since)}."]


def _wrong_person(contact: ContactCard) -> list[str]:
    """Say who recorded or reported that the number belongs to someone else."""
    if not contact.wrong_person_by:
        return []
    if contact.status is not SmsStatus.WRONG_PERSON or not contact.since:
        return ["Also recorded: this number belongs to someone else."]
    colleague = b.mention(contact.wrong_person_by)
    who = f"Recorded by {colleague}" if colleague else _SOURCES.get(contact.wrong_person_by, "Reported by the provider")
    return [f"{who} on {b.date(contact.since)}."]


def _texted_since(contact: ContactCard) -> list[str]:
    """Say that a text arrived after the opt-out, and what to ask the family."""
    if not contact.texted_since:
        return []
    sentence = f"📬 A text sent on {b.date(contact.texted_since)} arrived all the same. Ask the family: “Do you want our texts?”"
    return [f"{sentence} _If yes, they text START from that phone. If no, tell the person who sends the messages._"]


def _evidence(contact: ContactCard) -> list[str]:
    """Say which text led to the status, and what the provider answered; its code is for `cleanup-bot explain`, not for a clerk."""
    evidence = contact.evidence
    if evidence is None:
        return []
    reason = "No answer came in time."
    if evidence.answered:
        unknown = "An unknown reason." if evidence.code else "No reason was given."
        reason = evidence.meaning or unknown
    return [f"Why: “{b.escaped(evidence.message)}”, {b.date(evidence.sent_at)} · {reason}"]


def _call(contact: ContactCard) -> list[str]:
    """Say what came of the last call, unless the claim below says it."""
    if contact.call is None or is_of_claim(contact):
        return []
    return [f"{describe_call(contact.call)}."]


def is_of_claim(contact: ContactCard) -> bool:
    """Return whether the last call is by the person who takes care of the contact, and not due, so that one sentence says both."""
    call = contact.call
    is_own = call is not None and call.by == contact.claimed_by and not call.is_due
    return is_own and is_claim_shown(contact)


def describe_call(call: LastCall) -> str:
    return f"📞 {calls.describe(call, who=b.mention(call.by) or 'A colleague')}"


def _last_edit(contact: ContactCard) -> list[str]:
    """Say who changed the contact last, and who does not have it yet; not where the SIS disagrees, which is said above."""
    if not contact.edits or contact.edits[0].state is EditState.CONFLICT:
        return []
    newest = contact.edits[0]
    waits = "waiting for the next mass message, and " if contact.updated_at else ""
    changed = f"✏️ Changed by <@{newest.made_by}> {b.date(newest.made_at)}: {waits}"
    return [f"{changed}not yet in the student information system."]
