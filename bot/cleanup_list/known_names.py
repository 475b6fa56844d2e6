"""The words of all names in the district, which tell without a look at the people that nobody is named so, and what a slip is near
to. Whose they are is for the list to say, and only of those that the person who asks may see.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cleanup_list.memory import cached_until_sync
from bot.db.models.name_words import NameWord
from bot.domain.names import fold

_LETTERS_A_SLIP = 3


@dataclass(frozen=True)
class KnownNames:
    """`words` are folded."""

    words: tuple[str, ...]
    text: str

    def may_be(self, names: Iterable[str]) -> bool:
        """Whether each word that was typed is part of some name."""
        return all(word in self.text for word in fold(" ".join(names)).split())

    def like(self, said: str) -> dict[str, int]:
        """The words that a folded one may have meant, and by how many slips: at most one for each three letters (`Riverra`, `Sofia`
        for Sophia, `Kaitlyn` for Caitlin), and no slip where it is part of the word.
        """
        most = len(said) // _LETTERS_A_SLIP + 1
        near = process.extract(said, self.words, scorer=OSA.distance, score_cutoff=most, limit=None)
        likely = {one: slips for one, slips, _ in near if slips <= max(len(said), len(one)) // _LETTERS_A_SLIP}
        holding = (one for one in self.words if said in one) if said in self.text else ()
        return likely | dict.fromkeys(holding, 0)


def load_known_names(session: Session) -> KnownNames:
    return cached_until_sync(session, _known, None)


def _known(session: Session, _: None) -> KnownNames:
    words = tuple(session.scalars(select(NameWord.word)))
    return KnownNames(words, " ".join(words))
