"""Whether a word is a known one with a typo. Most words people type are names, so this is strict: `Grace` is no `grade`,
`Fred` is no `red`, `Black` is no `block`.
"""

from collections.abc import Iterable

from rapidfuzz.distance import OSA

from bot.filters import words

_SHORTEST = 5
_LONG = 8
_MOST = 3

STATUSES = (*sorted(said for said in words.STATUS_WORDS if len(said) > _SHORTEST), "kindergarten")
KEYS = ("teacher", "student", "school", "status")
GRADE_KEYS = ("grade", "grades")


def of(word: str, known: Iterable[str]) -> list[str]:
    """The known words that this may have been, nearest first."""
    found = sorted((OSA.distance(word, one), one) for one in known if _is_typo(word, one))
    return [one for _, one in found[:_MOST]]


def _is_typo(word: str, known: str) -> bool:
    """One slip of the finger (two in a long word); in a short word another or one more letter makes another name."""
    if len(known) < _SHORTEST or word[:1] != known[:1]:
        return False
    slips = OSA.distance(word, known, score_cutoff=2)
    if len(known) >= _LONG:
        return 0 < slips <= 2  # noqa: PLR2004
    return slips == 1 and (len(word) < len(known) or sorted(word) == sorted(known) or _is_doubled(word, known))


def _is_doubled(word: str, known: str) -> bool:
    return any(word[at] == word[at - 1] and word[:at] + word[at + 1 :] == known for at in range(1, len(word)))
