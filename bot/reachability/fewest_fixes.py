"""Fewest fixes, most children: the order in which fixes give an adult to as many students as possible, as early as possible.

A greedy cover: the next fix is always the one that gives an adult to the most students who have none yet. It is lazy: a fix is counted
again only when it comes up, because a count never grows. `tests/reachability/test_fewest_fixes.py` compares it with the optimum.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that a clerk can do, which gives each of `students` (ids) an adult. Of those that help as many students, the ones with
    the least `effort` come first, and of these the one whose students have the fewest other candidates.
    """

    students: Sequence[int]
    effort: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate at `place` of the input; `students` get an adult from it, and from no choice before it."""

    place: int
    students: tuple[int, ...]


def choose(candidates: Sequence[Candidate], urgent: AbstractSet[int]) -> Iterator[Choice]:
    """Yield the candidates in the best order, until no further one helps. The students in `urgent` are counted first, and all others
    only among candidates that help as many of those.
    """
    covered: set[int] = set()

    def rank(candidate: Candidate) -> tuple[int, int]:
        left = [student for student in candidate.students if student not in covered]
        first = sum(student in urgent for student in left)
        return -first, first - len(left)

    ways = Counter(student for candidate in candidates for student in candidate.students)
    queue = [
        (rank(candidate), candidate.effort, sum(ways[student] for student in candidate.students), place)
        for place, candidate in enumerate(candidates)
    ]
    heapify(queue)
    while queue:
        before, effort, others, place = queue[0]
        now = rank(candidates[place])
        if now == (0, 0):
            heappop(queue)
        elif now != before:
            heapreplace(queue, (now, effort, others, place))
        else:
            heappop(queue)
            helped = tuple(student for student in candidates[place].students if student not in covered)
            covered.update(helped)
            yield Choice(place, helped)
