"""Explain a provider's code to the person who has to act on it."""

from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.domain.sms_status import MEANINGS, Outcome, SmsStatus
from bot.errors import UserError
from bot.providers.receipt import Code
from bot.providers.registry import BY_NAME

_NOT_LISTED = {
    Outcome.PENDING: "Not final: nothing changes until the provider reports again.",
    Outcome.DELIVERED: "Delivered: the contact leaves the list.",
    Outcome.NOT_CONTACT_PROBLEM: "Not the contact's problem: no contact is listed. Ask the people who run your texting to check it.",
}
_SHAKY = "The provider names other causes, too: the contact is listed as Unconfirmed until a second mass message gets it again."
_REASONLESS = "A refusal without a reason: if more than 5% of a mass message get it, our sender is at fault and no contact is listed."


@dataclass(frozen=True)
class Explanation:
    """`code` is spelled as in the provider's table; `entry` is what the table says."""

    provider: str
    code: str
    entry: Code

    def lines(self) -> list[str]:
        """Return sentences for one line each: the meaning, the consequence, and the next step."""
        entry = self.entry
        first = f"{self.provider} {self.code}: {entry.meaning}"
        if entry.outcome in _NOT_LISTED:
            return [first, _NOT_LISTED[entry.outcome]]
        status = MEANINGS[SmsStatus(entry.outcome)]
        return [
            first,
            f"SMS status: {status.label} ({status.color}).",
            *([_SHAKY] if entry.shaky else []),
            *([_REASONLESS] if entry.reasonless else []),
            f"Next step: {status.next_step}",
        ]


def explain(provider: str, code: str) -> Explanation:
    """Look up a provider's code or status word, in upper or lower case.

    Raises:
        UserError: the provider or the code is unknown; the sentence suggests similar codes.
    """
    module = BY_NAME.get(provider.strip().lower())
    if module is None:
        sentence = f"Unknown provider “{provider}”. Known providers: {', '.join(BY_NAME)}."
        raise UserError("provider.unknown", sentence)
    # A code may be given without its prefix; the full spelling wins over another code's short one.
    full = {code.lower(): code for code in module.CODES}
    spellings = full | {name.rpartition(":")[2]: code for name, code in full.items()} | full
    wanted = code.strip().lower()
    if wanted in spellings:
        return Explanation(module.NAME, spellings[wanted], module.CODES[spellings[wanted]])
    similar = process.extract(wanted, spellings.keys(), scorer=OSA.normalized_similarity, limit=3, score_cutoff=0.6)
    near = ", ".join(dict.fromkeys(spellings[name] for name, *_ in similar))
    hint = f" Did you mean {near}?" if near else ""
    raise UserError("provider.unknown_code", f"{module.NAME} has no code “{code}” that we know of.{hint}")
