"""Made-up districts of students without an adult: families of one to five children, with parents
who share them, or some of them.
"""

from itertools import count

from bot.reachability.fewest_fixes import Candidate

_CHILDREN, _WEIGHTS = (1, 2, 3, 4, 5), (40, 34, 16, 7, 3)


def families(random, students):
    """Return candidates of about so many students, by family. One family in six is tangled, as
    where grandparents and neighbors are contacts of several families.
    """
    numbers, found = count(1), []
    while sum(len(_students(family)) for family in found) < students:
        is_tangled = random.random() < 1 / 6
        children = [next(numbers) for _ in range(sum(random.choices(_CHILDREN, _WEIGHTS, k=3 if is_tangled else 1)))]
        found.append(_tangled(random, children) if is_tangled else _family(random, children))
    return found


def _students(family):
    return {student for candidate in family for student in candidate.students}


def _family(random, children):
    """Most adults have all children of a family; those of a blended family, and a parent stored
    once per child, have some.
    """
    return [
        Candidate(tuple(children) if random.random() < 0.6 else _some(random, children, len(children)))
        for _ in range(random.choice((1, 1, 2, 2, 2, 3, 4)))
    ]


def _tangled(random, children):
    return [Candidate(_some(random, children, 4)) for _ in range(random.randint(3, 7))]


def _some(random, children, most):
    return tuple(sorted(random.sample(children, random.randint(1, min(most, len(children))))))


def shuffled(random, found):
    """Return the candidates of all families in any order."""
    candidates = [candidate for family in found for candidate in family]
    random.shuffle(candidates)
    return candidates
