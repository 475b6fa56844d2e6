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
        say("explaining.status", status=status.label, colour=status.colour),
        *([say("explaining.shaky")] if code.shaky else []),
        *([say("explaining.reasonless")] if code.reasonless else []),
        say("explaining.next_step", step=status.next_step),
    ]


def explain(provider: str, said: str) -> Explanation:
    """What this provider means by a code or by a status word; upper and lower case are the same.

    Raises:
        UserError: the provider or the code is not known; it names what is near.
    """
    table = BY_NAME.get(provider.strip().lower())
    if table is None:
        raise UserError(say("explaining.unknown_provider", provider=provider, known=", ".join(BY_NAME)))
    whole = {code.lower(): code for code in table.CODES}
    spelled = whole | {code.rpartition(":")[2]: written for code, written in whole.items()} | whole
    found = spelled.get(said.strip().lower())
    if found is None and (near := _near(said, spelled)):
        raise UserError(say("explaining.unknown_code_near", provider=table.NAME, code=said, near=near))
    if found is None:
        raise UserError(say("explaining.unknown_code", provider=table.NAME, code=said))
    return Explanation(table.NAME, found, table.CODES[found])


def _near(said: str, spelled: Mapping[str, str]) -> str:
    found = process.extract(
        said.strip().lower(), spelled.keys(), scorer=OSA.normalized_similarity, limit=3, score_cutoff=0.6
    )
    return ", ".join(dict.fromkeys(spelled[code] for code, *_ in found))
