"""What a provider's answer means, for whoever has to act on it."""

from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.domain.sms_status import Outcome, SmsStatus, meaning
from bot.errors import UserError
from bot.providers.receipt import Code
from bot.providers.registry import BY_NAME
from bot.wording import say

_NOT_LISTED = {Outcome.PENDING, Outcome.DELIVERED, Outcome.NOT_CONTACT_PROBLEM}


@dataclass(frozen=True)
class Explanation:
    """`said` is the provider's code as its table writes it."""

    provider: str
    said: str
    code: Code

    def lines(self) -> list[str]:
        """Sentences to be read one under the other: what it means, what follows, what to do."""
        return [f"{self.provider} {self.said}: {self.code.meaning}", *_follows(self.code)]


def _follows(code: Code) -> list[str]:
    if code.outcome in _NOT_LISTED:
        return [say(f"explaining.not_listed.{code.outcome}")]
    status = meaning(SmsStatus(code.outcome))
    return [
        f"SMS status: {status.label} ({status.color}).",
        *(
            [
                (
                    "The provider names other causes, too: Unconfirmed at first, and this only when a second mass "
                    "message gets it again."
                )
            ]
            if code.shaky
            else []
        ),
        *(
            [
                (
                    "A refusal without a reason: if more than 5% of a mass message get it, our sender is at fault "
                    "and nobody is listed."
                )
            ]
            if code.reasonless
            else []
        ),
        f"Next step: {status.next_step}",
    ]


def explain(provider: str, said: str) -> Explanation:
    """What this provider means by a code or by a status word; upper and lower case are the same.

    Raises:
        UserError: the provider or the code is not known; it names what is near.
    """
    table = BY_NAME.get(provider.strip().lower())
    if table is None:
        raise UserError("provider.unknown_provider", f"Unknown provider “{provider}”. Known are: {', '.join(BY_NAME)}.")
    whole = {code.lower(): code for code in table.CODES}
    spelled = whole | {code.rpartition(":")[2]: written for code, written in whole.items()} | whole
    found = spelled.get(said.strip().lower())
    if found is None and (near := _near(said, spelled)):
        raise UserError(
            "provider.unknown_code_near", f"{table.NAME} has no code “{said}” that we know of. Near it: {near}."
        )
    if found is None:
        raise UserError("provider.unknown_code", f"{table.NAME} has no code “{said}” that we know of.")
    return Explanation(table.NAME, found, table.CODES[found])


def _near(said: str, spelled: Mapping[str, str]) -> str:
    found = process.extract(
        said.strip().lower(), spelled.keys(), scorer=OSA.normalized_similarity, limit=3, score_cutoff=0.6
    )
    return ", ".join(dict.fromkeys(spelled[code] for code, *_ in found))
