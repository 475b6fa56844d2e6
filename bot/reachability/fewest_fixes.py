"""Fewest fixes, most children: the order in which fixes give an adult to as many students as
possible, as early as possible.

A greedy cover: the next fix is always the one that gives an adult to the most students who have
none yet. It is lazy: a fix is counted again only when it comes up, because a count never grows.
`tests/reachability/test_fewest_fixes.py` compares it with the optimum.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import heapify, heappop, heapreplace
from itertools import chain
from typing import NamedTuple


class Candidate(NamedTuple):
    """One thing that a clerk can do, which gives each of `students` (ids, each once) an adult. Of
    those that help as many, the ones with the least `effort` come first, and of these the one whose
    students have the fewest other candidates. A tuple: a large district has 60,000 of them.
    """

    students: Sequence[int]
    effort: int = 0


class Choice(NamedTuple):
    """The candidate at `place` of the input; `students` get an adult from it, and from no choice
    before it.
    """

    place: int
    students: tuple[int, ...]


def choose(candidates: Sequence[Candidate], urgent: AbstractSet[int]) -> Iterator[Choice]:
    """Yield the candidates in the best order, until no further one helps. The students in `urgent`
    are counted first, and all others only among candidates that help as many of those.
    """
    ways = Counter(chain.from_iterable(candidate.students for candidate in candidates))
    # An urgent student weighs more than all others together, and one who has got an adult nothing.
    weights = {student: len(ways) if student in urgent else 1 for student in ways}
    queue = [
        (-_sum(weights, students), effort, _sum(ways, students), place)
        for place, (students, effort) in enumerate(candidates)
    ]
    heapify(queue)
    while queue:
        before, effort, others, place = queue[0]
        weight = _sum(weights, candidates[place].students)
        if weight and -weight != before:
            heapreplace(queue, (-weight, effort, others, place))
            continue
        heappop(queue)
        if weight:
            helped = tuple(student for student in candidates[place].students if weights[student])
            weights.update(dict.fromkeys(helped, 0))
            yield Choice(place, helped)


def _sum(numbers: Mapping[int, int], students: Sequence[int]) -> int:
    return numbers[students[0]] if len(students) == 1 else sum(map(numbers.__getitem__, students))
